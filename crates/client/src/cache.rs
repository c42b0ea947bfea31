//! All tokens of one client, and the one door to its issuer: for each token one request is in flight at a time, in a
//! task of its own, so that a caller who gives up takes nothing from the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokio::sync::watch;

use crate::breaker::Breaker;
use crate::quota::{Need, Quota};
use crate::request::{Reply, Request};
use crate::slot::{Slot, State, Wanted};
use crate::{AccessToken, Error};

pub(crate) struct Cache {
    request: Request,
    clock: Clock,
    random: Random,
    max_slots: usize,
    heeds_quota: bool,
    issuer: Mutex<Issuer>,
    slots: Mutex<HashMap<Wanted, Arc<Slot>>>,
    uses: AtomicU64,
}

/// What is known of the issuer, by the requests for whichever token.
#[derive(Default)]
struct Issuer {
    breaker: Breaker,
    quota: Quota,
}

impl Cache {
    pub(crate) fn new(request: Request, clock: Clock, max_slots: usize, heeds_quota: bool) -> Self {
        Self {
            request,
            clock,
            random: Random::system(),
            max_slots,
            heeds_quota,
            issuer: Mutex::default(),
            slots: Mutex::default(),
            uses: AtomicU64::new(0),
        }
    }

    /// The place of a token, made if there is none. Where there are too many, the one unused for the longest is
    /// forgotten; of those that nobody holds, if there are any, so that one API keeps to one token.
    pub(crate) fn slot(&self, wanted: Wanted) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match slots.get(&wanted) {
            Some(slot) => Arc::clone(slot),
            None => {
                if slots.len() >= self.max_slots {
                    let oldest = slots
                        .values()
                        .min_by_key(|slot| (Arc::strong_count(slot) > 1, slot.used()));
                    if let Some(oldest) = oldest.map(|slot| slot.wanted().clone()) {
                        slots.remove(&oldest);
                    }
                }
                let slot = Arc::new(Slot::new(wanted.clone()));
                slots.insert(wanted, Arc::clone(&slot));
                slot
            }
        };
        slot.use_as(self.uses.fetch_add(1, Ordering::Relaxed));
        slot
    }

    pub(crate) async fn token(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<AccessToken, Error> {
        slot.use_as(self.uses.fetch_add(1, Ordering::Relaxed));
        let mut may_ask_again = true;
        loop {
            let mut flight = {
                let mut state = slot.lock();
                let now = self.clock.now();
                let (token, need) = match state.usable(now) {
                    Some((token, false)) => return Ok(token),
                    Some((token, true)) => (Some(token), Need::Ahead),
                    None => (None, Need::Now),
                };
                let flight = match state.in_flight() {
                    Some(flight) => Ok(flight),
                    None => self
                        .may_ask(slot, &state, need, now)
                        .map(|()| self.fly(slot, &mut state, now)),
                };
                match (token, flight) {
                    (Some(token), _) => return Ok(token),
                    (None, Ok(flight)) => flight,
                    (None, Err(error)) => return state.last_resort(&error, now).ok_or(error),
                }
            };
            while flight.changed().await.is_ok() {}
            let state = slot.lock();
            let now = self.clock.now();
            match state.usable(now) {
                Some((token, _)) => return Ok(token),
                // It was refused for a time that is over, such as the last second of an hour's quota: there is another.
                None if may_ask_again && state.may_ask(now).is_ok() => may_ask_again = false,
                None => {
                    let error = state.failure(now);
                    return state.last_resort(&error, now).ok_or(error);
                }
            }
        }
    }

    pub(crate) fn invalidate(&self, slot: &Slot, token: &AccessToken) -> bool {
        let is_given_up = slot.lock().give_up(token, self.clock.now());
        tracing::debug!(
            audience = slot.wanted().audience,
            is_given_up,
            "an API refused the access token"
        );
        is_given_up
    }

    /// The checks before a request, the last of which lets through one at a time.
    fn may_ask(&self, slot: &Slot, state: &State, need: Need, now: Timestamp) -> Result<(), Error> {
        state.may_ask(now)?;
        let mut issuer = self.issuer();
        let counts = state.counts().unwrap_or_else(|| !slot.wanted().is_management());
        let under_quota = self.heeds_quota && counts;
        if under_quota {
            issuer.quota.admit(need, state.got_at(), now)?;
        }
        issuer.breaker.admit(now)?;
        if under_quota {
            issuer.quota.tries(now);
        }
        Ok(())
    }

    /// Starts a request.
    fn fly(self: &Arc<Self>, slot: &Arc<Slot>, state: &mut State, now: Timestamp) -> watch::Receiver<()> {
        let (landing, flight) = state.take_off();
        let (cache, slot) = (Arc::clone(self), Arc::clone(slot));
        tokio::spawn(async move {
            let reply = cache.request.send(slot.wanted()).await;
            cache.landed(&slot, reply, now);
            drop(landing);
        });
        flight
    }

    fn landed(&self, slot: &Slot, mut reply: Reply, asked_at: Timestamp) {
        let now = self.clock.now();
        let chance = self.chance();
        let counts = (!reply.quota.is_empty())
            .then_some(true)
            .or(reply.result.is_ok().then_some(false));
        if reply.was_sent {
            let mut issuer = self.issuer();
            let was_got = reply.result.is_ok();
            issuer.quota.told(reply.quota, was_got, reply.is_over_quota, now);
            match &mut reply.result {
                Ok(_) | Err(Error::Refused { .. }) => issuer.breaker.answered(),
                // What one quota leaves says nothing of other tokens, and it may be raised.
                Err(error @ Error::Unavailable { .. }) if self.heeds_quota && reply.is_over_quota => {
                    issuer.breaker.answered();
                    *error = error.clone().after_seconds(issuer.quota.wait_seconds(now));
                }
                Err(error @ (Error::Unavailable { .. } | Error::Answer { .. })) => {
                    issuer.breaker.failed(error, now, chance);
                }
            }
        }
        let mut state = slot.lock();
        if let Some(counts) = counts {
            state.counted(counts);
        }
        let audience = slot.wanted().audience.as_deref();
        match reply.result {
            Ok(answer) => {
                tracing::debug!(
                    audience,
                    lifetime_seconds = answer.lifetime_seconds,
                    "a new access token"
                );
                state.got(answer, asked_at, now, chance);
            }
            Err(error) => {
                let cause = error.to_string();
                let token_kept = state.failed(error, now, chance);
                tracing::warn!(audience, error = cause, token_kept, "no new access token");
            }
        }
    }

    fn issuer(&self) -> MutexGuard<'_, Issuer> {
        self.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A random number from 0 to 255, so that many programs do not ask at the same time.
    fn chance(&self) -> u8 {
        let mut byte = [0];
        self.random.fill(&mut byte);
        byte[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenClient;

    #[tokio::test]
    async fn who_waited_for_a_refusal_of_an_hour_that_is_over_asks_again() {
        let clock = Clock::set_to(Timestamp::from_seconds(1_800_000_000));
        // Nobody listens there: a request fails at once.
        let client = TokenClient::builder()
            .token_url("http://127.0.0.1:9/oauth/token")
            .credentials("id", "secret")
            .clock(clock.clone());
        let TokenClient { cache, slot } = client.build().unwrap_or_else(|error| panic!("{error}"));
        for (waits_s, asks_again) in [(20, true), (19, false)] {
            clock.advance_ms(3_600_000);
            let begun = clock.now();
            let (landing, _) = slot.lock().take_off();
            let waiting = tokio::spawn({
                let (cache, slot) = (Arc::clone(&cache), Arc::clone(&slot));
                async move { cache.token(&slot).await }
            });
            while landing.receiver_count() < 2 {
                tokio::task::yield_now().await;
            }
            clock.advance_ms(waits_s * 1000);
            let refusal = Error::Unavailable {
                cause: "429".to_owned(),
                retry_after_seconds: 20,
            };
            slot.lock().failed(refusal, begun, 0);
            drop(landing);
            let failed = waiting.await.ok().and_then(Result::err);
            let is_of_the_second = failed.is_some_and(|error| !error.to_string().contains("429"));
            assert_eq!(is_of_the_second, asks_again, "{waits_s} s later");
        }
    }
}
