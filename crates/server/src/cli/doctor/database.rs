//! The database, the keys in it, and whether its clock was ever ahead of this one.

use std::sync::Arc;

use serde_json::Value;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Job, Key, KeyState, OpenError, StoreError};

use super::{Report, database_name, span};
use crate::app::{App, StartError};
use crate::cli::{Failure, serve};
use crate::config::Config;
use crate::keyring::key_place;
use crate::registry::secrets::UnlockError;
use crate::registry::tenants;
use crate::tenant::Tenant;

/// How old a signing key is before it is worth a warning: a year.
const OLD_MS: i64 = 365 * 86_400_000;
/// How far the clock may be behind what was written.
const AHEAD_MS: i64 = 5_000;
/// Previous keys of one algorithm before a warning: guards read a key set of a hundred.
const MANY_PREVIOUS: usize = 15;

/// Opens the database as a server does, and writes nothing of its own but that it was there.
pub(super) async fn open(report: &mut Report, config: &Config) -> Option<Arc<App>> {
    let name = database_name(config);
    let options = match serve::app_options(config) {
        Ok(options) => options,
        Err(Failure(why)) => {
            report.fail(
                "database",
                format!("{name}: not opened: {why}"),
                "It opens once what fails above is right.",
            );
            return None;
        }
    };
    let app = match App::open(options).await {
        Ok(app) => app,
        Err(error) => {
            report.fail("database", format!("{name}: {error}"), advice(&error));
            return None;
        }
    };
    let store = &app.house.store;
    let nothing = Job {
        tenant: TenantId::default_tenant(),
        entries: Vec::new(),
        uses: None,
        counts: None,
    };
    let schema = match store.schema().await {
        Ok(schema) => schema,
        Err(error) => {
            report.fail(
                "database",
                format!("{name}: {error}"),
                "Look at the database's own log.",
            );
            return Some(app);
        }
    };
    match store.commit(nothing).await {
        Ok(_) => report.ok("database", format!("{name}, schema {schema}, can be written")),
        Err(error) => report.fail(
            "database",
            format!("{name}, schema {schema}, cannot be written: {error}"),
            "Is the disk full, the file of another user, or the database read-only?",
        ),
    }
    Some(app)
}

/// What to do where it does not open.
fn advice(error: &StartError) -> &'static str {
    match error {
        StartError::Unlock(UnlockError::WrongKey { .. }) => {
            "Put the key of this database where [sealing] looks for it; in a folder of `dev` that is sealing.key. No backup \
             of the database holds it: whoever lost it begins anew in another folder."
        }
        StartError::Open(OpenError::Unreachable(_)) => {
            "Start the database, correct its address, or end the process that holds it."
        }
        StartError::Open(OpenError::Newer { .. }) => {
            "Install that version or a later one, or restore a backup of before it was installed."
        }
        StartError::Open(OpenError::NotWritable(_)) => {
            "Run this as the user of the server, and give that user the folder and all in it: chown."
        }
        StartError::Open(OpenError::Other(_)) => "Correct [database] url, or --database.",
        StartError::Open(OpenError::Damaged(_))
        | StartError::Unlock(UnlockError::Damaged)
        | StartError::Store(StoreError::Damaged(_)) => {
            "Stop the servers, keep what is there aside, and put a backup in its place: `tokenhouse restore`."
        }
        StartError::IssuerTaken { .. } => {
            "Correct [server] issuer, or free the host: `tokenhouse tenants update ID --remove-host HOST`, or `tokenhouse \
             tenants delete ID` where it is that tenant's own issuer."
        }
        StartError::Passwords(_) => "Correct [passwords] in the configuration.",
        StartError::Unlock(UnlockError::Store(_)) | StartError::Store(_) | StartError::Registry(_) => {
            "Is the disk full, or the database busy or read-only? Look at its own log, then run this again."
        }
    }
}

/// Looks at every tenant; `published` is the default tenant's key set as the world sees it.
pub(super) async fn look(report: &mut Report, app: &Arc<App>, clock: &Clock, published: Option<&[String]>) {
    let ids = match all_tenants(app).await {
        Ok(ids) => ids,
        Err(Failure(why)) => return report.fail("tenants", why, "Look at the database's own log."),
    };
    if ids.len() > 1 {
        report.ok("tenants", format!("{} of them", ids.len()));
    }
    if let Err(error) = app.check_issuer().await {
        report.fail("tenants", error.to_string(), advice(&error));
    }
    for id in ids {
        match app.tenant(&id).await {
            Ok(Some(tenant)) => {
                let is_default = id == TenantId::default_tenant();
                let published = published.filter(|_| is_default);
                if let Err(error) = one(report, &tenant, clock, published).await {
                    report.fail("keys", format!("of {id}: {error}"), "Look at the database's own log.");
                }
            }
            // Removed this moment.
            Ok(None) => {}
            Err(error) => report.fail(
                "tenants",
                format!("{id}: {error}"),
                "Restore the database from a backup.",
            ),
        }
    }
}

async fn one(
    report: &mut Report,
    tenant: &Tenant,
    clock: &Clock,
    published: Option<&[String]>,
) -> Result<(), StoreError> {
    let store = &tenant.house.store;
    let keys = store.keys(&tenant.id).await?;
    look_at_keys(report, tenant, clock, &keys);
    if let Some(published) = published {
        let own: Vec<&str> = keys
            .iter()
            .filter(|key| key.state != KeyState::Revoked)
            .map(|key| key.id.as_str())
            .collect();
        match own.iter().find(|own| !published.iter().any(|kid| kid == *own)) {
            Some(missing) => report.fail(
                "published keys",
                format!("the key {missing} of this database is not in the key set at the issuer's address"),
                "Another server answers there, with another database, or a proxy keeps an old key set.",
            ),
            None => report.ok(
                "published keys",
                format!("all {} of this database are published", own.len()),
            ),
        }
    }
    let newest = store.logs_latest(&tenant.id, 1).await?;
    if let Some(row) = newest.first() {
        let ahead_ms = row.at.ms() - clock.now().ms();
        let of = of_tenant(tenant);
        match ahead_ms > AHEAD_MS {
            true => report.fail(
                "clock",
                format!(
                    "the log{of} has a line from {} in the future, {}",
                    span(ahead_ms),
                    row.at
                ),
                "Is this machine's clock slow, or another server's fast? Keep all in step by NTP.",
            ),
            false => report.ok(
                "clock",
                format!("not behind the log{of}, whose last line is of {}", row.at),
            ),
        }
    }
    Ok(())
}

fn look_at_keys(report: &mut Report, tenant: &Tenant, clock: &Clock, keys: &[Key]) {
    let of = of_tenant(tenant);
    let mut algorithms: Vec<&str> = keys.iter().map(|key| key.algorithm.as_str()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    for algorithm in algorithms {
        let about = || format!("{algorithm}{of}");
        let of_algorithm = || keys.iter().filter(|key| key.algorithm == algorithm);
        let in_state = |state| of_algorithm().filter(move |key| key.state == state);
        let closed = of_algorithm().find(|key| {
            let place = key_place(&tenant.id, &key.id);
            key.state != KeyState::Revoked && tenant.house.secrets.open(place, &key.private_sealed).is_err()
        });
        if let Some(key) = closed {
            report.fail(
                "keys",
                format!("{}: the key {} cannot be opened with the sealing key", about(), key.id),
                "It was sealed under another key, or altered: restore the database from a backup.",
            );
            continue;
        }
        let (Some(current), next) = (in_state(KeyState::Current).next(), in_state(KeyState::Next).next()) else {
            report.fail(
                "keys",
                format!("{}: none signs", about()),
                "Start a server, which makes what is missing.",
            );
            continue;
        };
        let age_ms = clock.now().ms() - current.current_at.unwrap_or(current.created_at).ms();
        let previous = in_state(KeyState::Previous).count();
        let text = format!(
            "{}: {} has signed for {}; {previous} previous",
            about(),
            current.id,
            span(age_ms)
        );
        if next.is_none() {
            report.warn(
                "keys",
                format!("{text}; no next one"),
                "Start a server, which makes it, so that a rotation refuses no valid token.",
            );
        } else if previous > MANY_PREVIOUS {
            report.warn(
                "keys",
                text,
                "Rotate less often, or revoke old ones: `tokenhouse keys revoke KID`.",
            );
        } else if age_ms > OLD_MS {
            report.warn("keys", text, "Rotate once a year or so: `tokenhouse keys rotate`.");
        } else {
            report.ok("keys", text);
        }
    }
}

async fn all_tenants(app: &App) -> Result<Vec<TenantId>, Failure> {
    let page = async |page| tenants::tenants(&app.house, page).await;
    let rows = crate::cli::place::all(page, |row| row.id.as_str()).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Of which tenant, where it is not the first.
fn of_tenant(tenant: &Tenant) -> String {
    match tenant.id == TenantId::default_tenant() {
        true => String::new(),
        false => format!(" of {}", tenant.id),
    }
}

/// The key ids of a key set.
pub(super) fn key_ids(key_set: &Value) -> Vec<String> {
    let keys = key_set["keys"].as_array().into_iter().flatten();
    keys.filter_map(|key| key["kid"].as_str().map(str::to_owned)).collect()
}
