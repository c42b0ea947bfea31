//! Keys fetched over HTTP, kept, and renewed in the background (DESIGN §4, walk 3). One task fetches, so there is never
//! more than one fetch in flight; requests read what is held and at most wait for that task.

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::fetch::{Fetched, Fetcher, Validator};
use super::{KeySet, KeySource, LookAgain, Unavailable};
use crate::BuildError;
use crate::seen;
use crate::status::FetchStatus;
use crate::transport::FetchSettings;

#[cfg(test)]
mod tests;

/// How often strangers' tokens may make us ask for a key.
const LOOK_AGAIN_EVERY_MS: i64 = 5_000;
/// The lifetime of keys whose issuer states none, and the bounds for what one may state, in seconds.
const LIFETIME_SECONDS: (u64, std::ops::RangeInclusive<u64>) = (300, 60..=3600);
/// The longest pause after failures.
const MAX_PAUSE_MS: i64 = 30_000;
/// How long the one attempt takes at most that a request waits for: the metadata under two names and the keys.
const FETCHES_IN_AN_ATTEMPT: u32 = 3;
/// How many requests wait for an attempt at most: strangers can invent as many tokens as they like.
const MAX_WAITING: usize = 1024;
/// How long the task sleeps at most, so that it sees a clock that was moved and a guard that is gone.
const NAP: Duration = Duration::from_secs(30);

/// An issuer's keys, by HTTP.
pub(crate) struct Remote(Arc<Shared>);

struct Shared {
    issuer: Arc<str>,
    fetcher: Fetcher,
    /// How long keys are served that the issuer no longer confirms.
    max_key_age_ms: i64,
    /// How long a request waits for keys.
    wait: Duration,
    clock: Clock,
    random: Random,
    state: RwLock<State>,
    /// What each request takes that waits.
    waiting: Semaphore,
    /// Rings when there may be something to fetch.
    bell: Notify,
    /// The number of the last attempt that ended.
    ended: watch::Sender<u64>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct State {
    held: Option<Held>,
    /// When the next attempt is made of itself, and when that was decided: a clock that was set back since decides anew.
    due_at: Timestamp,
    due_since: Timestamp,
    /// The number of the last attempt that began.
    begun: u64,
    /// The number of the last attempt that a request asked for, and when.
    asked: u64,
    asked_at: Option<Timestamp>,
    /// Attempts that failed since the last that did not, and why the last did.
    failures: u32,
    cause: String,
}

struct Held {
    keys: Arc<KeySet>,
    validator: Option<Validator>,
    confirmed_at: Timestamp,
    /// How long the issuer last said that they may be kept.
    max_age_seconds: Option<u64>,
}

impl Remote {
    /// Keys from a fixed address.
    pub(crate) fn at(issuer: &str, url: &str, settings: &FetchSettings, clock: &Clock) -> Result<Self, BuildError> {
        Ok(Self::new(
            issuer,
            Fetcher::at(url, settings, clock.clone())?,
            settings,
            clock,
        ))
    }

    /// Keys from where the issuer's metadata says.
    pub(crate) fn discover(issuer: &str, settings: &FetchSettings, clock: &Clock) -> Result<Self, BuildError> {
        let fetcher = Fetcher::discover(issuer, settings, clock.clone())?;
        Ok(Self::new(issuer, fetcher, settings, clock))
    }

    fn new(issuer: &str, fetcher: Fetcher, settings: &FetchSettings, clock: &Clock) -> Self {
        let state = State {
            held: None,
            due_at: clock.now(),
            due_since: clock.now(),
            begun: 0,
            asked: 0,
            asked_at: None,
            failures: 0,
            cause: "the issuer's keys have not been fetched yet".to_owned(),
        };
        let shared = Arc::new(Shared {
            issuer: issuer.into(),
            fetcher,
            max_key_age_ms: i64::try_from(settings.max_key_age.as_millis()).unwrap_or(i64::MAX),
            wait: settings.timeout * FETCHES_IN_AN_ATTEMPT + Duration::from_secs(1),
            clock: clock.clone(),
            random: Random::system(),
            state: RwLock::new(state),
            waiting: Semaphore::new(MAX_WAITING),
            bell: Notify::new(),
            ended: watch::Sender::new(0),
            task: Mutex::new(None),
        });
        shared.wake();
        Self(shared)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // The task finds that the guard is gone.
        self.0.bell.notify_one();
    }
}

impl KeySource for Remote {
    fn held(&self) -> Result<Arc<KeySet>, Unavailable> {
        self.held_at(self.0.clock.now())
    }

    fn held_at(&self, now: Timestamp) -> Result<Arc<KeySet>, Unavailable> {
        let (answer, is_due) = {
            let state = self.0.read();
            (state.held(now, self.0.max_key_age_ms), state.is_due(now))
        };
        if is_due {
            self.0.wake();
        }
        answer
    }

    fn look_again(&self) -> LookAgain<'_> {
        Box::pin(self.0.look_again())
    }

    fn fetch_status(&self) -> FetchStatus {
        let state = self.0.read();
        FetchStatus {
            confirmed_at: state.held.as_ref().map(|held| held.confirmed_at),
            next_fetch_at: Some(state.due_at),
            failures: state.failures,
            last_error: (state.failures > 0).then(|| state.cause.clone()),
        }
    }
}

impl Shared {
    /// Waits for an attempt, if one is under way or may be made; then answers with what is held.
    async fn look_again(self: &Arc<Self>) -> Result<Arc<KeySet>, Unavailable> {
        let attempt = {
            let now = self.clock.now();
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.attempt_to_wait_for(now, self.max_key_age_ms, *self.ended.borrow())
        };
        let mut came_in_time = true;
        if let Some(attempt) = attempt {
            self.wake();
            let Ok(_place) = self.waiting.try_acquire() else {
                return Err(Unavailable::for_seconds(
                    1,
                    "too many requests wait for the issuer's keys",
                ));
            };
            let mut ended = self.ended.subscribe();
            let waited = timeout(self.wait, ended.wait_for(|last| *last >= attempt)).await;
            came_in_time = waited.is_ok();
        }
        let state = self.read();
        let now = self.clock.now();
        // A key that could not be looked for is not an unknown key: the token may be good.
        if state.failures > 0 {
            Err(state.unavailable(now))
        } else if !came_in_time {
            Err(Unavailable::for_seconds(1, "the issuer's keys did not come in time"))
        } else {
            state.held(now, self.max_key_age_ms)
        }
    }

    /// Rings for the task, and starts it where there is none or its runtime is gone.
    fn wake(self: &Arc<Self>) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            // Outside of a runtime nothing can be fetched; the first request starts the task.
            if let Ok(runtime) = Handle::try_current() {
                *task = Some(runtime.spawn(keep_fresh(Arc::downgrade(self))));
            }
        }
        self.bell.notify_one();
    }

    /// Makes one attempt and notes how it ended.
    async fn attempt(&self) {
        // What the issuer answers is true of when it was asked, however long the answer takes.
        let asked_at = self.clock.now();
        let (attempt, is_asked, validator) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            state.begun += 1;
            let validator = state.held.as_ref().and_then(|held| held.validator.clone());
            (state.begun, state.asked == state.begun, validator)
        };
        let span = tracing::debug_span!("fetch_keys", issuer = %self.issuer, attempt);
        let result = self.fetcher.fetch(validator, is_asked).instrument(span).await;
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(fetched) => {
                    seen::fetched(if fetched.keys.is_some() { "changed" } else { "unchanged" });
                    state.succeeded(fetched, asked_at, self.fraction());
                }
                Err(cause) => {
                    seen::fetched("failed");
                    let (issuer, keys_held) = (&self.issuer, state.held.is_some());
                    tracing::warn!(%issuer, %cause, keys_held, "the issuer's keys could not be fetched");
                    state.failed(cause, self.clock.now(), self.fraction());
                }
            }
        }
        self.ended.send_replace(attempt);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago the issuer confirmed the keys that are held.
    fn key_age_ms(&self, now: Timestamp) -> Option<i64> {
        let state = self.read();
        state.held.as_ref().map(|held| now.ms() - held.confirmed_at.ms())
    }

    /// A random number from 0 to 1, so that many guards do not ask at the same time.
    fn fraction(&self) -> f64 {
        let mut byte = [0];
        self.random.fill(&mut byte);
        f64::from(byte[0]) / 255.0
    }
}

impl State {
    /// The keys, unless there are none or nobody confirmed them for too long.
    fn held(&self, now: Timestamp, max_age_ms: i64) -> Result<Arc<KeySet>, Unavailable> {
        match &self.held {
            Some(held) if now < held.confirmed_at.plus_ms(max_age_ms) => Ok(Arc::clone(&held.keys)),
            _ => Err(self.unavailable(now)),
        }
    }

    /// Whether it is time for an attempt.
    fn is_due(&self, now: Timestamp) -> bool {
        !(self.due_since..self.due_at).contains(&now)
    }

    fn unavailable(&self, now: Timestamp) -> Unavailable {
        let wait_ms = (self.due_at.ms() - now.ms()).clamp(0, MAX_PAUSE_MS);
        Unavailable::for_seconds(wait_ms.unsigned_abs().div_ceil(1000).max(1), self.cause.clone())
    }

    /// Which attempt a request that misses a key should wait for; `None` if none may be made for it now.
    fn attempt_to_wait_for(&mut self, now: Timestamp, max_age_ms: i64, ended: u64) -> Option<u64> {
        if self.held(now, max_age_ms).is_err() {
            // Without keys the task already tries as often as is decent.
            let in_flight = self.begun > ended;
            let next = if in_flight { self.begun } else { self.begun + 1 };
            return (in_flight || self.is_due(now)).then_some(next);
        }
        if self.asked > ended {
            return Some(self.asked);
        }
        let too_soon = self
            .asked_at
            .is_some_and(|at| (0..LOOK_AGAIN_EVERY_MS).contains(&(now.ms() - at.ms())));
        if too_soon {
            return None;
        }
        // One in flight may have begun before the key was published: the next one counts.
        self.asked = self.begun + 1;
        self.asked_at = Some(now);
        Some(self.asked)
    }

    fn succeeded(&mut self, fetched: Fetched, asked_at: Timestamp, fraction: f64) {
        let (default, bounds) = LIFETIME_SECONDS;
        // Keys that are confirmed without a word of it may be kept as long as before (RFC 9111 §4.3.4).
        let before = self.held.as_ref().filter(|_| fetched.keys.is_none());
        let max_age_seconds = fetched
            .max_age_seconds
            .or_else(|| before.and_then(|held| held.max_age_seconds));
        let lifetime = max_age_seconds.unwrap_or(default).clamp(*bounds.start(), *bounds.end());
        // Ahead of need: after 70 to 80 of 100 parts of their lifetime.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most an hour"
        )]
        let ahead_ms = (lifetime as f64 * 1000.0 * (0.7 + 0.1 * fraction)) as i64;
        (self.due_since, self.due_at) = (asked_at, asked_at.plus_ms(ahead_ms));
        self.failures = 0;
        let keys = fetched
            .keys
            .or_else(|| self.held.as_ref().map(|held| Arc::clone(&held.keys)))
            .unwrap_or_default();
        self.held = Some(Held {
            keys,
            validator: fetched.validator,
            confirmed_at: asked_at,
            max_age_seconds,
        });
    }

    fn failed(&mut self, cause: String, now: Timestamp, fraction: f64) {
        self.cause = cause;
        let pause_ms = (1000_i64 << self.failures.min(5)).min(MAX_PAUSE_MS);
        // Up to a quarter less, so that guards do not come back all at once.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most 30 s"
        )]
        let jitter_ms = (pause_ms as f64 * 0.25 * fraction) as i64;
        (self.due_since, self.due_at) = (now, now.plus_ms(pause_ms - jitter_ms));
        self.failures = self.failures.saturating_add(1);
    }
}

/// The task: fetches whenever it is time or a request asked, and ends with the guard.
async fn keep_fresh(shared: Weak<Shared>) {
    loop {
        let Some(shared) = shared.upgrade() else { return };
        let now = shared.clock.now();
        let (wait_ms, wanted) = {
            let state = shared.read();
            (
                state.due_at.ms() - now.ms(),
                state.is_due(now) || state.asked > state.begun,
            )
        };
        if wanted {
            shared.attempt().await;
            continue;
        }
        if let Some(age_ms) = shared.key_age_ms(now) {
            seen::key_age(&shared.issuer, age_ms);
        }
        let nap = NAP.min(Duration::from_millis(wait_ms.unsigned_abs()));
        // Rung or not, the state says what to do.
        let _ = timeout(nap, shared.bell.notified()).await;
    }
}
