//! An administrator's session in one browser: begun at a sign-in under a new key, over when they do nothing for a while
//! and, whatever they do, after some hours (OWASP Session Management). The database knows the key's digest alone.

use serde_json::Value;

use tokenhouse_protocol::crypto::{Place, SealingKey, equal, sha256};
use tokenhouse_protocol::id::session_key;
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Administrator, AdministratorSession, StoreError};

use crate::caller::Caller;
use crate::tenant::{House, Tenant};

/// How old the note of when a session was last used may be, in milliseconds: not every page writes.
const NOTED_MS: i64 = 60_000;
/// Milliseconds of a minute and of an hour.
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Longest key that is looked up, in bytes.
const MAX_KEY_BYTES: usize = 128;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub administrator: Administrator,
    /// In which browser.
    pub row: AdministratorSession,
}

/// Begins a session; answers the key that the browser is to hold.
pub async fn begin(
    tenant: &Tenant,
    administrator: &Administrator,
    caller: &Caller,
    notice: Option<String>,
) -> Result<Secret, StoreError> {
    let key = session_key(&tenant.house.random);
    let now = tenant.house.clock.now();
    let row = AdministratorSession {
        digest: digest(key.expose()),
        administrator_id: administrator.id.clone(),
        address: caller.address.to_string(),
        user_agent: caller.user_agent.clone(),
        notice,
        shown_sealed: None,
        created_at: now,
        seen_at: now,
    };
    tenant.house.store.add_administrator_session(&tenant.id, &row).await?;
    Ok(key)
}

/// The session of a browser's key, if it is not over. It counts as used.
pub async fn find(tenant: &Tenant, key: &str) -> Result<Option<Session>, StoreError> {
    let found = peek(tenant, key).await?;
    let now = tenant.house.clock.now();
    if let Some(Session { row, .. }) = &found
        && now.ms() - row.seen_at.ms() >= NOTED_MS
    {
        let store = &tenant.house.store;
        store.see_administrator_session(&tenant.id, &row.digest, now).await?;
    }
    Ok(found)
}

/// The same for what a page asks by itself: it does not count as used.
pub async fn peek(tenant: &Tenant, key: &str) -> Result<Option<Session>, StoreError> {
    if key.len() > MAX_KEY_BYTES {
        return Ok(None);
    }
    let store = &tenant.house.store;
    let Some(row) = store.administrator_session(&tenant.id, &digest(key)).await? else {
        return Ok(None);
    };
    if is_over(tenant, &row) {
        store.end_administrator_session(&tenant.id, &row.digest).await?;
        return Ok(None);
    }
    let administrator = store.administrator(&tenant.id, &row.administrator_id).await?;
    Ok(administrator.map(|administrator| Session { administrator, row }))
}

/// The sessions of an administrator that are not over.
pub async fn sessions(tenant: &Tenant, administrator: &Administrator) -> Result<Vec<AdministratorSession>, StoreError> {
    let store = &tenant.house.store;
    let mut rows = store.sessions_of_administrator(&tenant.id, &administrator.id).await?;
    rows.retain(|row| !is_over(tenant, row));
    Ok(rows)
}

/// Keeps what the page at `path` shows once, on whichever node it is asked for. It is sealed under what the browser
/// holds, of which the database knows the digest alone: who reads the database, with the house's key even, reads none.
pub async fn keep_shown(tenant: &Tenant, key: &str, path: &str, shown: &Value) -> Result<(), StoreError> {
    let digest = digest(key);
    let plain = Secret::new(shown.to_string());
    let place = place(tenant, &digest, path);
    let sealed = sealing_key(key).seal(&tenant.house.random, place, plain.expose().as_bytes());
    let store = &tenant.house.store;
    store.show_in_administrator_session(&tenant.id, &digest, &sealed).await
}

/// What was kept for the page at `path`, for whoever asks first; what is kept for another page stays.
pub async fn take_shown(
    tenant: &Tenant,
    key: &str,
    session: &Session,
    path: &str,
) -> Result<Option<Value>, StoreError> {
    let AdministratorSession {
        digest, shown_sealed, ..
    } = &session.row;
    let Some(sealed) = shown_sealed else { return Ok(None) };
    let Ok(plain) = sealing_key(key).open(place(tenant, digest, path), sealed) else {
        return Ok(None);
    };
    let store = &tenant.house.store;
    let is_first = store
        .take_from_administrator_session(&tenant.id, digest, sealed)
        .await?;
    Ok(serde_json::from_slice(&plain).ok().filter(|_| is_first))
}

/// Removes what is over, of every tenant.
pub async fn prune(house: &House) -> Result<u64, StoreError> {
    let now = house.clock.now();
    let (began, seen) = (now.plus_ms(-longest_ms(house)), now.plus_ms(-idle_ms(house)));
    house.store.prune_administrator_sessions(began, seen).await
}

/// What is kept of a key.
pub fn digest(key: &str) -> String {
    base64url::encode(sha256(key.as_bytes()))
}

/// What every form of a browser with this key says, which no other site can know.
pub fn form_token(key: &str) -> String {
    base64url::encode(sha256(format!("form of {key}").as_bytes()))
}

/// Whether a form says what those of this key say, in constant time.
pub fn is_form_token(key: &str, said: &str) -> bool {
    equal(form_token(key).as_bytes(), said.as_bytes())
}

/// What seals for one browser, and for nothing else.
fn sealing_key(key: &str) -> SealingKey {
    SealingKey::from_bytes(sha256(format!("shown once to {key}").as_bytes()))
}

/// Where it is sealed: in a session, for one page.
fn place<'a>(tenant: &'a Tenant, digest: &'a str, path: &'a str) -> Place<'a> {
    Place {
        tenant: tenant.id.as_str(),
        table: "administrator_sessions",
        row: digest,
        column: path,
    }
}

fn is_over(tenant: &Tenant, row: &AdministratorSession) -> bool {
    let now = tenant.house.clock.now().ms();
    let (longest_ms, idle_ms) = lengths_ms(tenant);
    now - row.created_at.ms() >= longest_ms || now - row.seen_at.ms() >= idle_ms
}

/// How long a session lasts at most, and how long without use, in milliseconds: as the tenant's settings say, but never
/// longer than the configuration allows. A setting that came with an import loosens nothing.
pub fn lengths_ms(tenant: &Tenant) -> (i64, i64) {
    let settings = tenant.settings();
    let shorter = |most: i64, set: Option<i64>| set.map_or(most, |seconds| most.min(seconds.saturating_mul(1000)));
    (
        shorter(longest_ms(&tenant.house), settings.session_lifetime_s),
        shorter(idle_ms(&tenant.house), settings.idle_session_lifetime_s),
    )
}

fn idle_ms(house: &House) -> i64 {
    i64::from(house.console.idle_minutes.max(1)) * MINUTE_MS
}

fn longest_ms(house: &House) -> i64 {
    i64::from(house.console.session_hours.max(1)) * HOUR_MS
}
