//! What happened, on its way into the log. What was granted is durable before the answer leaves; what
//! was refused is recorded without waiting, and a flood of refusals from one address becomes one row,
//! so that strangers cannot buy an fsync (DESIGN §4, "Jobs and batches").

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokenhouse_store::{Job, LogEntry, Outcome, Store, StoreError, UsedAssertion};

use crate::caller::subscriber;

pub mod event;

/// Refusals of one address that are recorded each by itself, a second.
const SINGLE_REFUSALS_A_SECOND: u32 = 50;
/// Addresses whose refusals are counted at a time; beyond, they are counted together.
const MAX_ADDRESSES: usize = 10_000;

/// The one seam between the rooms and the log.
pub struct Audit {
    store: Store,
    clock: Clock,
    window: Mutex<Window>,
}

/// The refusals of the current second.
struct Window {
    second: i64,
    addresses: HashMap<(TenantId, Option<IpAddr>), Tally>,
}

/// One address's refusals in the current second.
#[derive(Default)]
struct Tally {
    seen: u32,
    /// The last of those past the limit, whose `repeats` counts them all.
    summed: Option<LogEntry>,
}

impl Audit {
    /// An audit that writes to `store`.
    pub fn new(store: Store, clock: Clock) -> Self {
        let window = Window {
            second: clock.now().seconds(),
            addresses: HashMap::new(),
        };
        Self {
            store,
            clock,
            window: Mutex::new(window),
        }
    }

    /// Records what was granted; durable when it returns. Without its answer nothing may be handed out.
    pub async fn record(&self, job: Job) -> Result<Outcome, StoreError> {
        self.store.commit(job).await
    }

    /// Uses up the assertion of a request that was refused, without waiting.
    pub fn used(&self, tenant: &TenantId, assertion: &UsedAssertion) {
        let job = Job {
            tenant: tenant.clone(),
            entries: Vec::new(),
            uses: Some(assertion.clone()),
            counts: None,
        };
        if let Err(error) = self.store.record(job) {
            let what = "a refused request's assertion could not be used up";
            if self.store.outages().is_first(what, &error.to_string()) {
                tracing::error!(%tenant, %error, "{what}");
            }
        }
    }

    /// Records a refusal of a request from `address`, without waiting.
    pub fn refused(&self, tenant: &TenantId, address: IpAddr, entries: Vec<LogEntry>) {
        let address = subscriber(address);
        let now = self.clock.now();
        let mut single = Vec::new();
        let sums = {
            let mut window = self.lock();
            let sums = window.turn(now);
            let known = window.addresses.contains_key(&(tenant.clone(), Some(address)));
            let key = (known || window.addresses.len() < MAX_ADDRESSES).then_some(address);
            let tally = window.addresses.entry((tenant.clone(), key)).or_default();
            tally.seen += 1;
            if tally.seen <= SINGLE_REFUSALS_A_SECOND {
                single = entries;
            } else if let Some(mut last) = entries.into_iter().next() {
                last.repeats = tally.summed.as_ref().map_or(0, |summed| summed.repeats) + 1;
                if key.is_none() {
                    last.address = None;
                }
                tally.summed = Some(last);
            }
            sums
        };
        if !single.is_empty() {
            self.write(tenant, single);
        }
        self.write_sums(sums);
    }

    /// Writes the sums of a second that is over; called about once a second.
    pub fn flush(&self) {
        let now = self.clock.now();
        self.write_sums(self.lock().turn(now));
    }

    /// Writes every sum there is, before the end.
    pub fn finish(&self) {
        self.write_sums(self.lock().close());
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_sums(&self, sums: Vec<(TenantId, LogEntry)>) {
        for (tenant, entry) in sums {
            self.write(&tenant, vec![entry]);
        }
    }

    fn write(&self, tenant: &TenantId, entries: Vec<LogEntry>) {
        if let Err(error) = self.store.record(Job {
            tenant: tenant.clone(),
            entries,
            uses: None,
            counts: None,
        }) {
            let what = "refusals could not be recorded";
            if self.store.outages().is_first(what, &error.to_string()) {
                tracing::error!(%tenant, %error, "{what}");
            }
        }
    }
}

impl Window {
    /// Begins a new window if `now` is in another second; gives the sums of the one that ended.
    fn turn(&mut self, now: Timestamp) -> Vec<(TenantId, LogEntry)> {
        if now.seconds() == self.second {
            return Vec::new();
        }
        self.second = now.seconds();
        self.close()
    }

    /// Empties the window and gives its sums.
    fn close(&mut self) -> Vec<(TenantId, LogEntry)> {
        std::mem::take(&mut self.addresses)
            .into_iter()
            .filter_map(|((tenant, _), tally)| Some((tenant, tally.summed?)))
            .collect()
    }
}
