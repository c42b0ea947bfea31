//! The house's housekeeping, off every request's path: what other processes changed is forgotten here
//! within a quarter of a second, usage is folded about once a second, old rows are removed now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::registry::keys;
use crate::tls::Tls;

/// How often another process's changes are looked for where no doorbell rings.
const POLL: Duration = Duration::from_millis(250);
/// How often usage is folded and sums of refusals are written.
const FOLD: Duration = Duration::from_secs(1);
/// How often the certificate's files are looked at.
const CERTIFICATE: Duration = Duration::from_secs(5);
/// How often what is over is removed.
const PRUNE: Duration = Duration::from_secs(3600);

/// Starts the housekeeping; it ends when the set is dropped.
pub fn start(app: &Arc<App>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(follow_changes(app.clone()));
    tasks.spawn(fold(app.clone()));
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
            tracing::warn!(%error, "changes made elsewhere cannot be seen");
        }
    }
}

async fn fold(app: Arc<App>) {
    let mut ticks = ticks(FOLD);
    loop {
        ticks.tick().await;
        app.house.audit.flush();
        if let Err(error) = app.house.store.fold_usage().await {
            tracing::warn!(%error, "usage cannot be counted; nothing is lost, it is counted later");
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

async fn prune(app: Arc<App>) {
    let mut ticks = ticks(PRUNE);
    loop {
        ticks.tick().await;
        if let Err(error) = app.house.store.prune_changes().await {
            tracing::warn!(%error, "old changes cannot be removed");
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
