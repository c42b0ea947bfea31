//! Who was issued most in some days. To add that up, every application's every hour in them is read: in a large house that
//! takes longer than a page may. So there the sums are remembered, and renewed in the background while a page shows the
//! last ones; where there are few rows, nothing is remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{StoreError, UsageSum};

use crate::app::App;
use crate::tenant::Tenant;

/// So many rows are added up for each page anew, within some milliseconds.
const FEW_ROWS: u32 = 2_500;
/// Sums stay so many times as long as it took to add them up, so that pages do not keep a core busy.
const RESTS: u32 = 20;
/// Spans of days that are remembered.
const MAX_SPANS: usize = 32;

/// A tenant's days, from the first through the end of the last.
type Span = (TenantId, i64, i64);

/// What is remembered, of all tenants.
#[derive(Default)]
pub(crate) struct Largest(Mutex<BTreeMap<Span, Known>>);

/// The sums of a span.
#[derive(Clone)]
pub(super) struct Sums {
    /// The largest, those first.
    pub(super) rows: Arc<Vec<UsageSum>>,
    /// When they were added up.
    pub(super) at: Timestamp,
}

struct Known {
    sums: Sums,
    began: Instant,
    took: Duration,
    is_being_renewed: bool,
}

impl Largest {
    /// The sums of at most `take` applications, APIs and grants, between two times.
    pub(super) async fn sums(
        app: &Arc<App>,
        tenant: &Arc<Tenant>,
        (from, to): (Timestamp, Timestamp),
        take: u32,
    ) -> Result<Sums, StoreError> {
        let store = &tenant.house.store;
        if store.usage_rows(&tenant.id, from, to, FEW_ROWS + 1).await? <= FEW_ROWS {
            return Ok(Sums {
                at: tenant.house.clock.now(),
                rows: Arc::new(store.usage_sums(&tenant.id, from, to, take).await?),
            });
        }
        let span = (tenant.id.clone(), from.ms(), to.ms());
        if let Some(sums) = Self::known(app, tenant, &span, take) {
            return Ok(sums);
        }
        add_up(app, tenant, span, take).await
    }

    fn known(app: &Arc<App>, tenant: &Arc<Tenant>, span: &Span, take: u32) -> Option<Sums> {
        let mut known = app.largest.lock();
        let known = known.get_mut(span)?;
        if is_old(known.began.elapsed(), known.took) && !std::mem::replace(&mut known.is_being_renewed, true) {
            tokio::spawn(renew(app.clone(), tenant.clone(), span.clone(), take));
        }
        Some(known.sums.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Span, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn renew(app: Arc<App>, tenant: Arc<Tenant>, span: Span, take: u32) {
    if let Err(error) = add_up(&app, &tenant, span.clone(), take).await {
        tracing::warn!(%error, "usage cannot be added up; the last sums are shown");
        if let Some(known) = app.largest.lock().get_mut(&span) {
            known.is_being_renewed = false;
        }
    }
}

async fn add_up(app: &App, tenant: &Tenant, span: Span, take: u32) -> Result<Sums, StoreError> {
    let (began, at) = (Instant::now(), tenant.house.clock.now());
    let (from, to) = (Timestamp::from_ms(span.1), Timestamp::from_ms(span.2));
    let rows = tenant.house.store.usage_sums(&tenant.id, from, to, take).await?;
    let sums = Sums {
        rows: Arc::new(rows),
        at,
    };
    let took = began.elapsed();
    let mut known = app.largest.lock();
    let is_full = known.len() >= MAX_SPANS && !known.contains_key(&span);
    let oldest = known.iter().min_by_key(|(_, known)| known.began);
    if let Some(oldest) = oldest.map(|(span, _)| span.clone()).filter(|_| is_full) {
        known.remove(&oldest);
    }
    let now = Known {
        sums: sums.clone(),
        began,
        took,
        is_being_renewed: false,
    };
    known.insert(span, now);
    Ok(sums)
}

/// Whether sums of this age, that took so long, are to be added up anew.
fn is_old(age: Duration, took: Duration) -> bool {
    age > took * RESTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_rest_twenty_times_as_long_as_they_took() {
        let ms = Duration::from_millis;
        assert!(!is_old(ms(3_200), ms(160)));
        assert!(is_old(ms(3_201), ms(160)));
    }
}
