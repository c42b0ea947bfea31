//! Failed logins, counted in memory by account and address, and by address alone (CONTRACT §1.7, §4.10):
//! what stands between a password and somebody who guesses, until the sign-in page brings the rest.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use quick_cache::sync::Cache;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::{Clock, Timestamp};

use crate::config::Limits;

/// Accounts and addresses that are remembered at a time; the least used are forgotten first.
const MAX_COUNTED: usize = 100_000;

/// Counts failures and says when there were too many.
pub struct Attempts {
    accounts: Cache<(TenantId, String, IpAddr), Failures>,
    addresses: Cache<(TenantId, IpAddr), Failures>,
    /// Held while a count is read and written.
    counting: Mutex<()>,
    clock: Clock,
    per_account: u32,
    per_address: u32,
    window_ms: i64,
}

/// Which limit was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooMany {
    /// This account, from this address.
    Account {
        /// Seconds until it may be tried again.
        retry_after_s: u32,
        /// The failures that were allowed.
        limit: u32,
    },
    /// Any account, from this address.
    Address {
        /// Seconds until it may be tried again.
        retry_after_s: u32,
        /// The failures that were allowed.
        limit: u32,
    },
}

/// The failures of one account or address since `since`.
#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    since: Timestamp,
}

impl Attempts {
    /// No failures yet.
    pub fn new(limits: &Limits, clock: Clock) -> Self {
        Self {
            accounts: Cache::new(MAX_COUNTED),
            addresses: Cache::new(MAX_COUNTED),
            counting: Mutex::new(()),
            clock,
            per_account: limits.failed_logins_per_account.max(1),
            per_address: limits.failed_logins_per_address.max(1),
            window_ms: i64::from(limits.failed_logins_window_s.max(1)) * 1000,
        }
    }

    /// Counts an attempt as failed until [`Attempts::succeeded`] says otherwise, so that attempts made at
    /// once cannot pass the limit together. `account` is what was typed, normalised.
    pub fn begin(&self, tenant: &TenantId, account: &str, address: IpAddr) -> Result<(), TooMany> {
        let account = (tenant.clone(), account.to_owned(), address);
        let address = (tenant.clone(), address);
        let _one_at_a_time = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let (by_account, by_address) = (self.accounts.get(&account), self.addresses.get(&address));
        if let Some(retry_after_s) = self.blocked(by_account, self.per_account) {
            return Err(TooMany::Account {
                retry_after_s,
                limit: self.per_account,
            });
        }
        if let Some(retry_after_s) = self.blocked(by_address, self.per_address) {
            return Err(TooMany::Address {
                retry_after_s,
                limit: self.per_address,
            });
        }
        self.accounts.insert(account, self.one_more(by_account));
        self.addresses.insert(address, self.one_more(by_address));
        Ok(())
    }

    /// The password was right: the account's failures from this address are forgotten.
    pub fn succeeded(&self, tenant: &TenantId, account: &str, address: IpAddr) {
        let _one_at_a_time = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        self.accounts.remove(&(tenant.clone(), account.to_owned(), address));
        one_less(&self.addresses, (tenant.clone(), address));
    }

    /// The attempt was never made, since too many others wait.
    pub fn withdrawn(&self, tenant: &TenantId, account: &str, address: IpAddr) {
        let _one_at_a_time = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        one_less(&self.accounts, (tenant.clone(), account.to_owned(), address));
        one_less(&self.addresses, (tenant.clone(), address));
    }

    fn one_more(&self, before: Option<Failures>) -> Failures {
        let now = self.clock.now();
        match before {
            Some(Failures { count, since }) if now < since.plus_ms(self.window_ms) => Failures {
                count: count.saturating_add(1),
                since,
            },
            Some(_) | None => Failures { count: 1, since: now },
        }
    }

    /// Seconds that are left of a block, if the limit was reached in the current window.
    fn blocked(&self, failures: Option<Failures>, limit: u32) -> Option<u32> {
        let Failures { count, since } = failures?;
        let left_ms = since.plus_ms(self.window_ms).ms() - self.clock.now().ms();
        (count >= limit && left_ms > 0).then(|| u32::try_from(left_ms / 1000 + 1).unwrap_or(u32::MAX))
    }
}

fn one_less<K: Hash + Eq>(counts: &Cache<K, Failures>, key: K) {
    if let Some(Failures { count, since }) = counts.get(&key) {
        counts.insert(
            key,
            Failures {
                count: count.saturating_sub(1),
                since,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(clock: &Clock) -> Attempts {
        let limits = Limits {
            failed_logins_per_account: 3,
            failed_logins_per_address: 5,
            ..Limits::default()
        };
        Attempts::new(&limits, clock.clone())
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    #[test]
    fn an_account_is_blocked_from_one_address_and_only_for_a_while() {
        let clock = Clock::set_to(Timestamp::from_seconds(1000));
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for _ in 0..3 {
            assert_eq!(attempts.begin(&tenant, "a", HERE), Ok(()));
        }
        assert!(matches!(
            attempts.begin(&tenant, "a", HERE),
            Err(TooMany::Account { .. })
        ));
        assert_eq!(attempts.begin(&tenant, "a", THERE), Ok(()));
        assert_eq!(attempts.begin(&TenantId::new("other"), "a", HERE), Ok(()));
        clock.advance_ms(i64::from(Limits::default().failed_logins_window_s) * 1000);
        assert_eq!(attempts.begin(&tenant, "a", HERE), Ok(()));
    }

    #[test]
    fn many_accounts_from_one_address_block_the_address() {
        let clock = Clock::set_to(Timestamp::from_seconds(1000));
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for account in 0..5 {
            assert_eq!(attempts.begin(&tenant, &account.to_string(), HERE), Ok(()));
        }
        assert!(matches!(
            attempts.begin(&tenant, "fresh", HERE),
            Err(TooMany::Address { .. })
        ));
    }

    #[test]
    fn successes_and_withdrawn_attempts_do_not_count() {
        let clock = Clock::set_to(Timestamp::from_seconds(1000));
        let (attempts, tenant) = (attempts(&clock), TenantId::default_tenant());
        for _ in 0..10 {
            assert_eq!(attempts.begin(&tenant, "a", HERE), Ok(()));
            attempts.succeeded(&tenant, "a", HERE);
            assert_eq!(attempts.begin(&tenant, "a", HERE), Ok(()));
            attempts.withdrawn(&tenant, "a", HERE);
        }
    }
}
