//! One API's token: what is held, when it is renewed, and what became of the last request for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokenhouse_protocol::time::Timestamp;
use tokio::sync::watch;

use crate::answer::Answer;
use crate::breaker::pause_ms;
use crate::pause::Pause;
use crate::{AccessToken, Error};

/// How long before its expiry a token is no longer handed out, so that it does not expire on its way: at most half its life.
const LEEWAY_MS: i64 = 10_000;
/// How long before that a new one is asked for: a tenth of its life, at most this, and up to as much again by chance.
const MAX_AHEAD_MS: i64 = 150_000;
/// The first pause between tokens that are given up, doubled with each, and the longest; and when all is forgiven.
const MIN_GIVEN_UP_MS: i64 = 1000;
const MAX_GIVEN_UP_MS: i64 = 60_000;
const FORGIVEN_MS: i64 = 600_000;

/// What a token is for: the same scopes in another order are the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Wanted {
    pub(crate) audience: Option<String>,
    pub(crate) scopes: Vec<String>,
}

impl Wanted {
    pub(crate) fn new(audience: Option<String>, scope: &str) -> Self {
        let mut scopes: Vec<_> = scope.split_ascii_whitespace().map(str::to_owned).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self { audience, scopes }
    }

    /// Whether this is an audience of Auth0's or Tokenhouse's Management API, whose tokens are outside every quota, or
    /// one that is called like it.
    pub(crate) fn is_management(&self) -> bool {
        self.audience
            .as_deref()
            .is_some_and(|audience| audience.ends_with("/api/v2/"))
    }
}

/// The place of one token.
pub(crate) struct Slot {
    wanted: Wanted,
    state: Mutex<State>,
    /// A number that grows with each use of any slot.
    used: AtomicU64,
}

#[derive(Default)]
pub(crate) struct State {
    held: Option<Held>,
    /// The request under way: ends when its sender is dropped.
    flight: Option<watch::Receiver<()>>,
    /// The last request's failure, how many there were since the last success, and how long not to ask.
    failure: Option<(Error, u32, Pause)>,
    /// When a token was last got.
    got_at: Option<Timestamp>,
    /// Whether its tokens count against a quota, once an answer told.
    counts: Option<bool>,
    /// How many tokens were given up since all was forgiven, until when that is, and for how long none may be.
    given_up: Option<(u32, Pause, Pause)>,
}

struct Held {
    token: AccessToken,
    asked_at: Timestamp,
    usable_until: Timestamp,
    renew_at: Timestamp,
    /// An API refused it: there must be another, and it is handed out only while the issuer has trouble giving one.
    is_given_up: bool,
}

impl Slot {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            state: Mutex::default(),
            used: AtomicU64::new(0),
        }
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn use_as(&self, number: u64) {
        self.used.store(number, Ordering::Relaxed);
    }
}

impl State {
    /// The token, and whether it is time for a new one.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<(AccessToken, bool)> {
        let held = self.valid(now).filter(|held| !held.is_given_up)?;
        // A clock that was set back since does not tell how long it is still valid.
        let is_due = now >= held.renew_at || now < held.asked_at;
        Some((held.token.clone(), is_due))
    }

    /// What there is instead of another token, if `error` is the issuer's trouble: the one that was given up, which other
    /// paths of the API may take, until it expires.
    pub(crate) fn last_resort(&self, error: &Error, now: Timestamp) -> Option<AccessToken> {
        let is_trouble = matches!(error, Error::Unavailable { .. } | Error::Answer { .. });
        self.valid(now).filter(|_| is_trouble).map(|held| held.token.clone())
    }

    fn valid(&self, now: Timestamp) -> Option<&Held> {
        self.held.as_ref().filter(|held| now < held.usable_until)
    }

    /// The request under way. A runtime that was shut down took its request with it.
    pub(crate) fn in_flight(&self) -> Option<watch::Receiver<()>> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }

    /// Begins a request: it has landed when the sender is dropped.
    pub(crate) fn take_off(&mut self) -> (watch::Sender<()>, watch::Receiver<()>) {
        let (landing, flight) = watch::channel(());
        self.flight = Some(flight.clone());
        (landing, flight)
    }

    /// When a token was last got.
    pub(crate) fn got_at(&self) -> Option<Timestamp> {
        self.got_at
    }

    /// Whether its tokens count against a quota; `None` before an answer told.
    pub(crate) fn counts(&self) -> Option<bool> {
        self.counts
    }

    /// Takes note of whether its tokens count against a quota.
    pub(crate) fn counted(&mut self, counts: bool) {
        self.counts = Some(counts);
    }

    /// The last failure, while its pause lasts.
    pub(crate) fn may_ask(&self, now: Timestamp) -> Result<(), Error> {
        match &self.failure {
            Some((_, _, pause)) if !pause.is_over(now) => Err(self.failure(now)),
            Some(_) | None => Ok(()),
        }
    }

    /// Why there is no token.
    pub(crate) fn failure(&self, now: Timestamp) -> Error {
        let Some((error, _, pause)) = &self.failure else {
            let cause = "the issuer's token expired on its way, or was given up".to_owned();
            return Error::Answer {
                cause,
                retry_after_seconds: 0,
            };
        };
        error
            .clone()
            .after_seconds(pause.left_ms(now).unsigned_abs().div_ceil(1000))
    }

    /// Keeps a token whose request was sent at `asked_at`: its life began no earlier. One that is over as it comes is a failure.
    pub(crate) fn got(&mut self, answer: Answer, asked_at: Timestamp, now: Timestamp, chance: u8) {
        let lifetime_seconds = answer.lifetime_seconds;
        let held = Held::new(answer, asked_at, chance);
        self.got_at = Some(now);
        if now >= held.usable_until {
            let cause = format!("its token expires_in {lifetime_seconds} s, too soon to be sent");
            let retry_after_seconds = 0;
            self.failed(
                Error::Answer {
                    cause,
                    retry_after_seconds,
                },
                now,
                chance,
            );
            return;
        }
        self.flight = None;
        self.failure = None;
        self.held = Some(held);
    }

    /// Remembers a failure; says whether a valid token is left.
    pub(crate) fn failed(&mut self, error: Error, now: Timestamp, chance: u8) -> bool {
        self.flight = None;
        let failures = self.failure.as_ref().map_or(0, |(_, failures, _)| *failures);
        let asked_ms = i64::try_from(error.retry_after_seconds())
            .unwrap_or(0)
            .saturating_mul(1000);
        let pause = Pause::of_ms(pause_ms(failures, chance).max(asked_ms), now);
        self.failure = Some((error, failures.saturating_add(1), pause));
        self.usable(now).is_some()
    }

    /// Gives `token` up if it is the one that is held; says whether there is or will be another.
    pub(crate) fn give_up(&mut self, token: &AccessToken, now: Timestamp) -> bool {
        let Some(held) = self
            .held
            .as_mut()
            .filter(|held| held.token.is(token) && !held.is_given_up)
        else {
            return true;
        };
        let before = self.given_up.filter(|(_, unforgiven, _)| !unforgiven.is_over(now));
        if before.is_some_and(|(_, _, pause)| !pause.is_over(now)) {
            return false;
        }
        let times = before.map_or(0, |(times, ..)| times);
        let pause_ms = (MIN_GIVEN_UP_MS << times.min(6)).min(MAX_GIVEN_UP_MS);
        let (unforgiven, pause) = (Pause::of_ms(FORGIVEN_MS, now), Pause::of_ms(pause_ms, now));
        self.given_up = Some((times.saturating_add(1), unforgiven, pause));
        held.is_given_up = true;
        true
    }
}

impl Held {
    fn new(answer: Answer, asked_at: Timestamp, chance: u8) -> Self {
        let lifetime_ms = i64::try_from(answer.lifetime_seconds).unwrap_or(0).saturating_mul(1000);
        let expires_at = asked_at.plus_ms(lifetime_ms);
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
            asked_at,
            usable_until,
            renew_at,
            is_given_up: false,
        }
    }
}
