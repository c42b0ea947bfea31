//! The token that is kept, and when a new one is asked for. One request is in flight at a time, in a task of its own, so
//! that a caller who gives up takes nothing from the others.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokio::sync::watch;

use crate::request::{Answer, Request};
use crate::{AccessToken, Error};

/// How long before its expiry a token is no longer handed out, so that it does not expire on its way: at most half its life.
const LEEWAY_MS: i64 = 10_000;
/// How long before that a new one is asked for: a tenth of its life, at most this, and up to as much again by chance.
const MAX_AHEAD_MS: i64 = 150_000;
/// The longest pause after failures, unless the issuer asks for a longer one.
const MAX_PAUSE_MS: i64 = 30_000;

pub(crate) struct Cache {
    request: Request,
    clock: Clock,
    random: Random,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The request under way: ends when its sender is dropped.
    flight: Option<watch::Receiver<()>>,
    /// The last request's failure, how many there were since the last success, and when to ask again.
    failure: Option<(Error, u32, Timestamp)>,
}

struct Held {
    token: AccessToken,
    usable_until: Timestamp,
    renew_at: Timestamp,
}

impl Cache {
    pub(crate) fn new(request: Request, clock: Clock) -> Self {
        Self {
            request,
            clock,
            random: Random::system(),
            state: Mutex::default(),
        }
    }

    pub(crate) async fn token(self: Arc<Self>) -> Result<AccessToken, Error> {
        let mut flight = {
            let mut state = self.lock();
            let now = self.clock.now();
            let usable = state.usable(now);
            let is_due = state.held.as_ref().is_none_or(|held| now >= held.renew_at);
            let flight = if is_due && state.may_ask(now) {
                Some(self.fly(&mut state))
            } else {
                state.in_flight()
            };
            if let Some(token) = usable {
                return Ok(token);
            }
            match flight {
                Some(flight) => flight,
                None => return Err(state.failure(now)),
            }
        };
        while flight.changed().await.is_ok() {}
        let state = self.lock();
        let now = self.clock.now();
        state.usable(now).ok_or_else(|| state.failure(now))
    }

    /// Starts a request.
    fn fly(self: &Arc<Self>, state: &mut State) -> watch::Receiver<()> {
        let (landing, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let result = cache.request.send().await;
            cache.landed(result);
            drop(landing);
        });
        flight
    }

    fn landed(&self, result: Result<Answer, Error>) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.flight = None;
        match result {
            Ok(answer) => {
                state.failure = None;
                state.held = Some(Held::new(answer, now, self.chance()));
            }
            Err(error) => {
                let failures = state.failure.as_ref().map_or(0, |(_, failures, _)| *failures);
                let pause_ms = (1000_i64 << failures.min(5)).min(MAX_PAUSE_MS);
                let asked_ms = i64::try_from(error.retry_after_seconds())
                    .unwrap_or(0)
                    .saturating_mul(1000);
                let token_kept = state.usable(now).is_some();
                tracing::warn!(%error, token_kept, "no new access token");
                state.failure = Some((error, failures.saturating_add(1), now.plus_ms(pause_ms.max(asked_ms))));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A random number from 0 to 255, so that many programs do not ask at the same time.
    fn chance(&self) -> u8 {
        let mut byte = [0];
        self.random.fill(&mut byte);
        byte[0]
    }
}

impl State {
    fn usable(&self, now: Timestamp) -> Option<AccessToken> {
        self.held
            .as_ref()
            .filter(|held| now < held.usable_until)
            .map(|held| held.token.clone())
    }

    /// The request under way. A runtime that was shut down took its request with it.
    fn in_flight(&self) -> Option<watch::Receiver<()>> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }

    fn may_ask(&self, now: Timestamp) -> bool {
        let paused = self.failure.as_ref().is_some_and(|(_, _, until)| now < *until);
        !paused && self.in_flight().is_none()
    }

    /// Why there is no token.
    fn failure(&self, now: Timestamp) -> Error {
        let Some((error, _, until)) = &self.failure else {
            let cause = "the issuer's token expired on its way".to_owned();
            return Error::Answer {
                cause,
                retry_after_seconds: 0,
            };
        };
        let wait_ms = (until.ms() - now.ms()).max(0).unsigned_abs();
        error.clone().after_seconds(wait_ms.div_ceil(1000))
    }
}

impl Held {
    fn new(answer: Answer, now: Timestamp, chance: u8) -> Self {
        let lifetime_ms = i64::try_from(answer.lifetime_seconds).unwrap_or(0).saturating_mul(1000);
        let expires_at = now.plus_ms(lifetime_ms);
        let usable_until = expires_at.plus_ms(-LEEWAY_MS.min(lifetime_ms / 2));
        let ahead_ms = MAX_AHEAD_MS.min(lifetime_ms / 10);
        let renew_at = usable_until.plus_ms(-ahead_ms - ahead_ms * i64::from(chance) / 255);
        let token = AccessToken {
            text: answer.token,
            expires_at,
            scope: answer.scope,
        };
        Self {
            token,
            usable_until,
            renew_at,
        }
    }
}
