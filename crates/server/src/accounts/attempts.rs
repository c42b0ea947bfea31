//! Failed logins, counted in memory by account and subscriber, and by subscriber alone (CONTRACT §1.7, §4.10):
//! what stands between a password and somebody who guesses, until the sign-in page brings the rest.
//!
//! An attempt takes its place before the password is checked, so that many at once cannot pass a limit
//! together; one that finds only undecided attempts before it waits until they are decided.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tokio::sync::{Notify, Semaphore};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::{Clock, Timestamp};

use crate::caller::subscriber;
use crate::config::Limits;

mod blocks;

/// Accounts and subscribers that are remembered at a time; the least used are forgotten first.
const MAX_COUNTED: usize = 100_000;
/// Attempts that may wait for others to be decided.
const MAX_WAITING: usize = 64;

/// Counts failures and says when there were too many.
pub struct Attempts {
    counts: Mutex<Counts>,
    /// Rings when an attempt was decided.
    decided: Notify,
    waiting: Semaphore,
    clock: Clock,
    per_account: u32,
    per_address: u32,
    window_ms: i64,
}

struct Counts {
    accounts: Cache<AccountKey, Count>,
    addresses: Cache<AddressKey, Count>,
}

type AccountKey = (TenantId, String, IpAddr);
type AddressKey = (TenantId, IpAddr);

/// Why an attempt may not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooMany {
    /// This account failed too often, from this address.
    Account {
        /// Seconds until it may be tried again.
        retry_after_s: u32,
        /// The failures that were allowed.
        limit: u32,
    },
    /// Accounts failed too often, from this address.
    Address {
        /// Seconds until it may be tried again.
        retry_after_s: u32,
        /// The failures that were allowed.
        limit: u32,
    },
    /// Too many attempts wait for others to be decided.
    Waiting {
        /// How many may wait.
        limit: u32,
    },
}

/// An attempt that is being made. Dropped without a word it counts as failed, also when the caller hangs up.
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    account: AccountKey,
    address: AddressKey,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Failed,
    Succeeded,
    Withdrawn,
}

/// The attempts of one account or address: failed since `since`, and not yet decided.
#[derive(Clone, Copy)]
struct Count {
    failed: u32,
    pending: u32,
    since: Timestamp,
}

/// Whether there is room for one more attempt.
enum Room {
    Yes,
    /// Once some of those before it are decided.
    Later,
    /// In so many seconds.
    No(u32),
}

impl Attempts {
    /// No failures yet.
    pub fn new(limits: &Limits, clock: Clock) -> Self {
        Self {
            counts: Mutex::new(Counts {
                accounts: Cache::new(MAX_COUNTED),
                addresses: Cache::new(MAX_COUNTED),
            }),
            decided: Notify::new(),
            waiting: Semaphore::new(MAX_WAITING),
            clock,
            per_account: limits.failed_logins_per_account.max(1),
            per_address: limits.failed_logins_per_address.max(1),
            window_ms: i64::from(limits.failed_logins_window_s.max(1)) * 1000,
        }
    }

    /// Begins an attempt; `account` is what was typed, normalised and of bounded length.
    pub async fn begin(&self, tenant: &TenantId, account: &str, address: IpAddr) -> Result<Attempt<'_>, TooMany> {
        let address = (tenant.clone(), subscriber(address));
        let account = (tenant.clone(), account.to_owned(), address.1);
        let mut place = None;
        loop {
            let decided = self.decided.notified();
            tokio::pin!(decided);
            // From here on no decision is missed, also one that is made before the wait begins.
            decided.as_mut().enable();
            if self.try_begin(&account, &address)? {
                return Ok(Attempt {
                    attempts: self,
                    account,
                    address,
                    outcome: Outcome::Failed,
                });
            }
            if place.is_none() {
                let full = |_| TooMany::Waiting {
                    limit: u32::try_from(MAX_WAITING).unwrap_or(u32::MAX),
                };
                place = Some(self.waiting.try_acquire().map_err(full)?);
            }
            decided.await;
        }
    }

    /// Takes a place for an attempt; `false` if there may be one once others are decided.
    fn try_begin(&self, account: &AccountKey, address: &AddressKey) -> Result<bool, TooMany> {
        let counts = self.lock();
        let of_account = self.current(counts.accounts.get(account));
        let of_address = self.current(counts.addresses.get(address));
        let room = (
            self.room(of_account, self.per_account),
            self.room(of_address, self.per_address),
        );
        match room {
            (Room::No(retry_after_s), _) => Err(TooMany::Account {
                retry_after_s,
                limit: self.per_account,
            }),
            (_, Room::No(retry_after_s)) => Err(TooMany::Address {
                retry_after_s,
                limit: self.per_address,
            }),
            (Room::Later, _) | (_, Room::Later) => Ok(false),
            (Room::Yes, Room::Yes) => {
                counts.accounts.insert(account.clone(), of_account.one_more_pending());
                counts.addresses.insert(address.clone(), of_address.one_more_pending());
                Ok(true)
            }
        }
    }

    fn decide(&self, attempt: &Attempt<'_>) {
        {
            let counts = self.lock();
            let settle = |count: Count| self.settled(count, attempt.outcome);
            update(&counts.accounts, &attempt.account, |count| Count {
                // Only failures in a row count.
                failed: if attempt.outcome == Outcome::Succeeded {
                    0
                } else {
                    settle(count).failed
                },
                ..settle(count)
            });
            update(&counts.addresses, &attempt.address, settle);
        }
        self.decided.notify_waiters();
    }

    fn settled(&self, count: Count, outcome: Outcome) -> Count {
        let count = self.current(Some(count));
        let failed = outcome == Outcome::Failed;
        Count {
            failed: count.failed.saturating_add(u32::from(failed)),
            pending: count.pending.saturating_sub(1),
            since: if failed && count.failed == 0 {
                self.clock.now()
            } else {
                count.since
            },
        }
    }

    /// A count as it is now: failures outside the window are forgotten.
    fn current(&self, count: Option<Count>) -> Count {
        let now = self.clock.now();
        match count {
            Some(count) if now < count.since.plus_ms(self.window_ms) => count,
            Some(Count { pending, .. }) => Count {
                failed: 0,
                pending,
                since: now,
            },
            None => Count {
                failed: 0,
                pending: 0,
                since: now,
            },
        }
    }

    fn room(&self, count: Count, limit: u32) -> Room {
        if count.failed >= limit {
            let left_ms = count.since.plus_ms(self.window_ms).ms() - self.clock.now().ms();
            Room::No(u32::try_from(left_ms / 1000 + 1).unwrap_or(u32::MAX))
        } else if count.failed + count.pending >= limit {
            Room::Later
        } else {
            Room::Yes
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right.
    pub fn succeeded(mut self) {
        self.outcome = Outcome::Succeeded;
    }

    /// The attempt was never made: too many others wait, or the database is away.
    pub fn withdrawn(mut self) {
        self.outcome = Outcome::Withdrawn;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.attempts.decide(self);
    }
}

impl Count {
    fn one_more_pending(self) -> Self {
        Self {
            pending: self.pending.saturating_add(1),
            ..self
        }
    }
}

fn update<K: Hash + Eq + Clone>(counts: &Cache<K, Count>, key: &K, change: impl Fn(Count) -> Count) {
    // One that was forgotten meanwhile, since others are used more, is not brought back.
    let Some(count) = counts.get(key) else { return };
    let changed = change(count);
    if changed.failed == 0 && changed.pending == 0 {
        counts.remove(key);
    } else {
        counts.insert(key.clone(), changed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn attempts(clock: &Clock) -> Attempts {
        let limits = Limits {
            failed_logins_per_account: 3,
            failed_logins_per_address: 5,
            ..Limits::default()
        };
        Attempts::new(&limits, clock.clone())
    }

    fn clock() -> Clock {
        Clock::set_to(Timestamp::from_seconds(1000))
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[tokio::test]
    async fn an_account_is_blocked_from_one_address_and_only_for_a_while() {
        let clock = clock();
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for _ in 0..3 {
            drop(attempts.begin(&tenant, "a", HERE).await.unwrap());
        }
        assert!(matches!(
            attempts.begin(&tenant, "a", HERE).await,
            Err(TooMany::Account { .. })
        ));
        assert!(attempts.begin(&tenant, "a", THERE).await.is_ok());
        assert!(attempts.begin(&TenantId::new("other"), "a", HERE).await.is_ok());
        clock.advance_ms(i64::from(Limits::default().failed_logins_window_s) * 1000);
        assert!(attempts.begin(&tenant, "a", HERE).await.is_ok());
    }

    #[tokio::test]
    async fn many_accounts_from_one_address_block_the_address() {
        let clock = clock();
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for account in 0..5 {
            drop(attempts.begin(&tenant, &account.to_string(), HERE).await.unwrap());
        }
        assert!(matches!(
            attempts.begin(&tenant, "fresh", HERE).await,
            Err(TooMany::Address { .. })
        ));
    }

    #[tokio::test]
    async fn successes_and_withdrawn_attempts_do_not_count() {
        let clock = clock();
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for _ in 0..10 {
            attempts.begin(&tenant, "a", HERE).await.unwrap().succeeded();
            attempts.begin(&tenant, "a", HERE).await.unwrap().withdrawn();
        }
    }

    #[tokio::test]
    async fn right_passwords_at_once_wait_for_one_another_and_none_is_refused() {
        let clock = clock();
        let (attempts, tenant) = (Arc::new(attempts(&clock)), TenantId::default_tenant());
        let all: Vec<_> = (0..30)
            .map(|_| {
                let (attempts, tenant) = (attempts.clone(), tenant.clone());
                tokio::spawn(async move {
                    let attempt = attempts.begin(&tenant, "a", HERE).await.unwrap();
                    tokio::task::yield_now().await;
                    attempt.succeeded();
                })
            })
            .collect();
        for one in all {
            one.await.unwrap();
        }
    }

    #[tokio::test]
    async fn wrong_passwords_at_once_pass_no_limit_together() {
        let clock = clock();
        let (attempts, tenant) = (Arc::new(attempts(&clock)), TenantId::default_tenant());
        let all: Vec<_> = (0..30)
            .map(|_| {
                let (attempts, tenant) = (attempts.clone(), tenant.clone());
                tokio::spawn(async move {
                    let attempt = attempts.begin(&tenant, "a", HERE).await;
                    tokio::task::yield_now().await;
                    attempt.is_ok()
                })
            })
            .collect();
        let mut made = 0;
        for one in all {
            made += usize::from(one.await.unwrap());
        }
        assert_eq!(made, 3);
    }

    #[tokio::test]
    async fn an_ipv6_network_of_64_bits_is_one_subscriber() {
        let clock = clock();
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for host in 1..=3_u16 {
            let address = IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
            drop(attempts.begin(&tenant, "a", address).await.unwrap());
        }
        let another = IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, 9]);
        assert!(matches!(
            attempts.begin(&tenant, "a", another).await,
            Err(TooMany::Account { .. })
        ));
        let elsewhere = IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
        assert!(attempts.begin(&tenant, "a", elsewhere).await.is_ok());
    }
}
