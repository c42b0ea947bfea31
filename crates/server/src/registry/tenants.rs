//! Tenants: made with all that every tenant has, and their settings.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::interval;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::{Added, Change, Page, Tenant as Row};

use super::connections::DEFAULT_CONNECTION;
use super::given_keys::{self, GivenKey};
use super::patch::{self, Rules};
use super::{
    RegistryError, apis, begin, check_quota, checked_length, checked_name, clients, commit, connections, keys,
};
use crate::host::{self, without_usual_port};
use crate::tenant::{House, Issuer, Settings, Tenant};

/// Longest tenant id, in characters: it may become part of a host name (RFC 1035 §2.3.4).
const MAX_ID_CHARS: usize = 63;
/// Longest name of a tenant, in characters.
const MAX_NAME_CHARS: usize = 255;
/// Longest settings of a tenant, as JSON text in bytes: every node holds them.
const MAX_SETTINGS_BYTES: usize = 1024 * 1024;
/// Rows of a tenant that are removed in one transaction.
const ROWS_AT_ONCE: u32 = 500;
/// Pause between two of them, in which others write.
const PAUSE: Duration = Duration::from_millis(10);
/// What a change does not replace (CONTRACT §4.12).
const RULES: Rules = Rules {
    merged: &["flags", "universal_login", "change_password", "guardian_mfa_page"],
    metadata: &[],
};
/// Where the settings keep what `/attack-protection` was told.
pub const ATTACK_PROTECTION: &str = "attack_protection";

/// A tenant to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its id: lower-case letters, digits and dashes.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// Its issuer; `None` for the default tenant, whose issuer the configuration names.
    pub issuer: Option<Issuer>,
    /// The hosts by which requests find it, as in a `Host` header; they are stored without a port that http or https has
    /// anyway.
    pub hosts: Vec<String>,
}

/// Makes a tenant with its system API, its database connection and its RS256 keys, and answers its row.
pub async fn create(house: &House, new: NewTenant, issuer: Issuer) -> Result<Row, RegistryError> {
    create_with_keys(house, new, issuer, &[]).await
}

/// The same with keys from elsewhere; RS256 keys are made only if there are none among them.
pub async fn create_with_keys(
    house: &House,
    new: NewTenant,
    issuer: Issuer,
    given: &[GivenKey],
) -> Result<Row, RegistryError> {
    let hosts = check(house, &new)?;
    let now = house.clock.now();
    let mut settings = Map::new();
    settings.insert("friendly_name".into(), json!(new.name));
    settings.insert("default_directory".into(), json!(DEFAULT_CONNECTION));
    let row = Row {
        id: new.id.clone(),
        name: new.name,
        issuer: new.issuer.as_ref().map(|issuer| issuer.as_str().to_owned()),
        settings,
        created_at: now,
        updated_at: now,
    };
    let mut tx = house.store.begin().await?;
    if tx.add_tenant(&row).await? == Added::Exists {
        return Err(RegistryError::Conflict(format!("A tenant {} already exists", new.id)));
    }
    tx.bump(&new.id, Change::Settings).await?;
    for host in &hosts {
        if tx.add_host(&new.id, host).await? == Added::Exists {
            return Err(RegistryError::Conflict(format!(
                "The host {host} belongs to another tenant"
            )));
        }
    }
    let _new = tx.add_client(&new.id, &clients::global(&house.random, now)).await?;
    let _new = tx.add_api(&new.id, &apis::system_api(&house.random, now)).await?;
    let _new = tx
        .add_connection(&new.id, &connections::default_connection(&house.random, now))
        .await?;
    tx.commit().await?;
    let tenant = Tenant::new(house.clone(), &row, issuer);
    given_keys::add(&tenant, given).await?;
    keys::ensure(&tenant, Algorithm::Rs256).await?;
    Ok(row)
}

/// Removes a tenant with everything that it has, its log and its usage too: how many rows. Requests find it no more once
/// this begins; the rows go some at a time, so that other tenants' tokens wait for none of them long, and whoever is
/// stopped in between begins again. Refuses the default tenant.
pub async fn remove(house: &House, id: &TenantId) -> Result<u64, RegistryError> {
    if *id == TenantId::default_tenant() {
        let text =
            "The default tenant is the house's own and stays: begin with another data folder or database instead";
        return Err(RegistryError::Refused(text.into()));
    }
    let mut tx = house.store.begin().await?;
    if tx.tenant(id).await?.is_none() {
        return Err(gone());
    }
    tx.bump(id, Change::Settings).await?;
    tx.remove_hosts(id).await?;
    tx.commit().await?;
    let mut removed = remove_rows(house, id).await?;
    let mut tx = house.store.begin().await?;
    removed += u64::from(tx.remove_tenant(id).await?);
    tx.commit().await?;
    // What a request left behind that had begun before its host was gone.
    Ok(removed + remove_rows(house, id).await?)
}

async fn remove_rows(house: &House, id: &TenantId) -> Result<u64, RegistryError> {
    let mut removed = 0;
    let mut pauses = interval(PAUSE);
    loop {
        pauses.tick().await;
        let step = house.store.remove_some_of_tenant(id, ROWS_AT_ONCE).await?;
        removed += step;
        if step == 0 {
            return Ok(removed);
        }
    }
}

/// Changes settings: each key given replaces the stored one or, where CONTRACT §4.12 says so, is merged into it; `null`
/// removes it.
pub async fn update_settings(tenant: &Tenant, changes: Map<String, Value>) -> Result<Row, RegistryError> {
    let bits = changes.get(keys::RSA_BITS).filter(|bits| !bits.is_null());
    if bits.is_some_and(|bits| keys::rsa_bits(bits).is_none()) {
        return Err(RegistryError::invalid(
            keys::RSA_BITS,
            "rsa_bits must be 2048, 3072 or 4096",
        ));
    }
    let name = changes.get("friendly_name").and_then(Value::as_str);
    checked_length("friendly_name", name.unwrap_or_default(), MAX_NAME_CHARS)?;
    let quota = |side: &str| changes.get("default_token_quota").and_then(|quota| quota.get(side));
    for side in ["clients", "organizations"] {
        check_quota("default_token_quota", quota(side))?;
    }
    changed(tenant, |settings| patch::apply(settings, changes, RULES)).await
}

/// Lets hosts lead to a tenant, and others no more; all or none. The host of the issuer stays: its tokens name it.
pub async fn change_hosts(tenant: &Tenant, added: &[String], removed: &[String]) -> Result<(), RegistryError> {
    let mut tx = begin(tenant, &Change::Settings).await?;
    for host in removed {
        let known = without_usual_port(host);
        // Earlier versions kept the port that was given, by which nobody was found.
        if known != host && tx.remove_host(&tenant.id, host).await? {
            continue;
        }
        if known == tenant.issuer.found_by() {
            let text = format!("{host} is the issuer's own host, and stays");
            return Err(RegistryError::invalid("hosts", text));
        }
        if !tx.remove_host(&tenant.id, known).await? {
            return Err(RegistryError::NotFound(format!("The host {host} does not lead here")));
        }
    }
    for host in added {
        let host = checked_host(&tenant.house, &tenant.id, host)?;
        if tx.add_host(&tenant.id, &host).await? == Added::Exists {
            return Err(RegistryError::Conflict(format!(
                "The host {host} leads to a tenant already"
            )));
        }
    }
    Ok(commit(tenant, tx, &Change::Settings).await?)
}

/// The tenant's settings as they are stored.
pub async fn settings(tenant: &Tenant) -> Result<Map<String, Value>, RegistryError> {
    let row = tenant.house.store.tenant(&tenant.id).await?;
    Ok(row.ok_or_else(gone)?.settings)
}

/// What `/attack-protection` was told of one kind of protection.
pub async fn attack_protection(tenant: &Tenant, kind: &str) -> Result<Map<String, Value>, RegistryError> {
    Ok(protection(&settings(tenant).await?, kind))
}

/// Changes that; `stage` keeps what is not sent (CONTRACT §4.12).
pub async fn update_attack_protection(
    tenant: &Tenant,
    kind: &str,
    changes: Map<String, Value>,
) -> Result<Map<String, Value>, RegistryError> {
    let rules = Rules {
        merged: &["stage"],
        metadata: &[],
    };
    let row = changed(tenant, |settings| {
        let mut kept = protection(settings, kind);
        patch::apply(&mut kept, changes, rules);
        let all = settings.entry(ATTACK_PROTECTION).or_insert_with(|| json!({}));
        if let Value::Object(all) = all {
            all.insert(kind.into(), Value::Object(kept));
        }
    });
    Ok(protection(&row.await?.settings, kind))
}

/// A page of the tenants, by id.
pub async fn tenants(house: &House, page: Page) -> Result<Vec<Row>, RegistryError> {
    Ok(house.store.tenants(page).await?)
}

/// Changes the settings as `change` says, in one transaction.
async fn changed(tenant: &Tenant, change: impl FnOnce(&mut Map<String, Value>)) -> Result<Row, RegistryError> {
    let mut tx = begin(tenant, &Change::Settings).await?;
    let mut row = tx.tenant(&tenant.id).await?.ok_or_else(gone)?;
    change(&mut row.settings);
    if json!(row.settings).to_string().len() > MAX_SETTINGS_BYTES {
        let text = "The settings of a tenant are at most 1 MiB in all: remove some first";
        return Err(RegistryError::Refused(text.into()));
    }
    row.updated_at = tenant.house.clock.now();
    tx.update_tenant(&row).await?;
    commit(tenant, tx, &Change::Settings).await?;
    tenant.set_settings(Settings::read(&row.settings));
    Ok(row)
}

fn protection(settings: &Map<String, Value>, kind: &str) -> Map<String, Value> {
    let kept = settings.get(ATTACK_PROTECTION).and_then(|all| all.get(kind));
    kept.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn gone() -> RegistryError {
    RegistryError::NotFound("The tenant does not exist".into())
}

/// Checks a tenant to be made, and answers the hosts by which it will be found.
fn check(house: &House, new: &NewTenant) -> Result<Vec<String>, RegistryError> {
    let id = new.id.as_str();
    let is_label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || id.len() > MAX_ID_CHARS || !id.bytes().all(is_label) || id.starts_with('-') {
        let text = "a tenant's id has lower-case letters, digits and dashes, 63 at most";
        return Err(RegistryError::invalid("id", text));
    }
    checked_name(&new.name, MAX_NAME_CHARS)?;
    if let Some(issuer) = &new.issuer {
        if issuer.has_path() {
            let text = format!(
                "the issuer {} has a path, but the host alone finds a tenant: write it like {}/",
                issuer.as_str(),
                issuer.origin()
            );
            return Err(RegistryError::invalid("issuer", text));
        }
        let _its_own = checked_host(house, &new.id, issuer.authority())?;
    }
    let mut hosts = Vec::new();
    for host in &new.hosts {
        let host = checked_host(house, &new.id, host)?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}

/// A host that may lead to this tenant, as it is stored. That of the default tenant's issuer leads to no other: it is in
/// no row, and would win.
fn checked_host(house: &House, id: &TenantId, host: &str) -> Result<String, RegistryError> {
    let host = host::checked(host).map_err(|text| RegistryError::invalid("hosts", text))?;
    if host == house.issuer.found_by() && *id != TenantId::default_tenant() {
        return Err(RegistryError::Conflict(format!(
            "The host {host} is that of the default tenant's issuer, and leads to no other tenant"
        )));
    }
    Ok(host)
}
