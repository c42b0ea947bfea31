//! The house's housekeeping, off every request's path: what other processes changed is forgotten here
//! within a quarter of a second, usage is folded once a second or, under wide load, in ten, the log forgets removed
//! users, and old rows are removed now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::StoreError;

use crate::accounts::{forgetting, session};
use crate::app::App;
use crate::config::Retention;
use crate::registry::keys;
use crate::tls::Tls;

/// How often another process's changes are looked for where no doorbell rings.
const POLL: Duration = Duration::from_millis(250);
/// How often usage is folded, sums of refusals and of failures are written, and the log forgets who was removed.
const FOLD: Duration = Duration::from_secs(1);
/// How late usage is at most, where so many applications get tokens that to fold takes more than its share of the time.
const FOLD_AT_LATEST: Duration = Duration::from_secs(10);
/// Folding rests so many times as long as it took: the wider tokens are spread, the more rows of usage a fold writes,
/// and the fewer each token costs if it is later.
const FOLD_RESTS: u32 = 20;
/// How often the certificate's files are looked at.
const CERTIFICATE: Duration = Duration::from_secs(5);
/// How often what is over is removed.
const PRUNE: Duration = Duration::from_secs(3600);

/// Log rows that are removed in one transaction, so that tokens wait for none of them long.
const LOG_ROWS_AT_ONCE: u32 = 500;
/// Pause between two of them, in which others write.
const LOG_PAUSE: Duration = Duration::from_millis(20);
/// Pause between two steps of writing older names.
const NAMES_PAUSE: Duration = Duration::from_millis(20);
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Starts the housekeeping; it ends when the set is dropped.
pub fn start(app: &Arc<App>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(follow_changes(app.clone()));
    tasks.spawn(fold(app.clone()));
    tasks.spawn(forget(app.clone()));
    tasks.spawn(name_older(app.clone()));
    tasks.spawn(prune(app.clone()));
    tasks
}

async fn follow_changes(app: Arc<App>) {
    let mut doorbell = app.house.store.doorbell().await;
    let mut poll = ticks(POLL);
    loop {
        tokio::select! {
            () = doorbell.ring() => {}
            _ = poll.tick() => {}
        }
        if let Err(error) = app.catch_up().await {
            let what = "changes made elsewhere cannot be seen";
            if app.house.store.outages().is_first(what, &error.to_string()) {
                tracing::error!(%error, "{what}");
            }
        }
    }
}

async fn fold(app: Arc<App>) {
    let mut ticks = ticks(FOLD);
    let mut due = Instant::now();
    loop {
        ticks.tick().await;
        app.forget_unknown_hosts();
        app.house.audit.flush();
        app.house.store.outages().flush();
        let began = Instant::now();
        if began < due {
            continue;
        }
        if let Err(error) = app.house.store.fold_usage().await {
            tracing::warn!(%error, "usage cannot be counted; nothing is lost, it is counted later");
        }
        due = Instant::now() + (began.elapsed() * FOLD_RESTS).min(FOLD_AT_LATEST);
    }
}

async fn forget(app: Arc<App>) {
    let mut ticks = ticks(FOLD);
    loop {
        ticks.tick().await;
        if let Err(error) = forgetting::round(&app.house).await {
            tracing::warn!(%error, "the log cannot forget removed users; it is tried again");
        }
    }
}

/// Writes what applications and users are found by that are older than that, step by step, with pauses in which others
/// write; and what a tenant that came from elsewhere lacks.
async fn name_older(app: Arc<App>) {
    let mut ticks = ticks(FOLD);
    let mut pauses = self::ticks(NAMES_PAUSE);
    loop {
        ticks.tick().await;
        loop {
            match app.house.store.name_older().await {
                Ok(true) => _ = pauses.tick().await,
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "older names cannot be written, by which applications and users are found; it is tried again");
                    break;
                }
            }
        }
    }
}

/// Takes over a renewed certificate.
pub async fn follow_certificate(tls: Tls) {
    let mut ticks = ticks(CERTIFICATE);
    loop {
        ticks.tick().await;
        match tls.reread() {
            Ok(true) => tracing::info!("the certificate was renewed"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the changed certificate is not taken over; the old one stays"),
        }
    }
}

/// Removes log rows whose time is over, for as long as it is not dropped.
pub async fn keep_logs(app: Arc<App>, retention: Retention) {
    let mut ticks = ticks(PRUNE);
    loop {
        ticks.tick().await;
        match prune_logs(&app, retention).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "log rows past their retention were removed"),
            Err(error) => tracing::warn!(%error, "old log rows cannot be removed; it is tried again in an hour"),
        }
    }
}

/// Removes every log row whose time is over, step by step: how many there were. Rows whose tokens are not counted yet
/// stay.
pub async fn prune_logs(app: &App, retention: Retention) -> Result<u64, StoreError> {
    if retention.logs_days == 0 {
        return Ok(0);
    }
    let now = app.house.clock.now();
    let before = Timestamp::from_ms(now.ms() - i64::from(retention.logs_days) * DAY_MS);
    let mut removed = 0;
    let mut pauses = ticks(LOG_PAUSE);
    loop {
        pauses.tick().await;
        let step = app.house.store.prune_logs(before, LOG_ROWS_AT_ONCE).await?;
        removed += step;
        if step < u64::from(LOG_ROWS_AT_ONCE) {
            return Ok(removed);
        }
    }
}

async fn prune(app: Arc<App>) {
    let mut ticks = ticks(PRUNE);
    loop {
        ticks.tick().await;
        if let Err(error) = app.house.store.prune_changes().await {
            tracing::warn!(%error, "old changes cannot be removed");
        }
        if let Err(error) = app.house.store.prune_assertions().await {
            tracing::warn!(%error, "expired assertions cannot be removed");
        }
        if let Err(error) = app.house.store.prune_quotas().await {
            tracing::warn!(%error, "old counts of quotas cannot be removed");
        }
        if let Err(error) = session::prune(&app.house).await {
            tracing::warn!(%error, "administrators' sessions that are over cannot be removed");
        }
        for tenant in app.loaded_tenants() {
            if let Err(error) = keys::prune(&tenant).await {
                tracing::warn!(tenant = %tenant.id, %error, "old keys cannot be removed");
            }
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
