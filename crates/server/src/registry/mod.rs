//! The only writers of configuration. Each change is checked, written and counted in the tenant's
//! revision in one transaction; this node forgets what became untrue before it answers (DESIGN §3.4, §4).

use std::fmt;

use serde_json::{Map, Value};

use tokenhouse_store::{Change, StoreError, Tx};

use crate::tenant::Tenant;

pub mod administrators;
pub mod apis;
pub mod certificate;
pub mod client_grants;
pub mod client_keys;
pub mod clients;
pub mod connections;
pub mod exports;
pub mod full;
pub mod given_keys;
pub mod import;
pub mod keys;
mod patch;
pub mod roles;
pub mod secrets;
pub mod tenants;
pub mod tickets;
pub mod token_dialect;
pub mod users;

/// Why a change was not made. The texts are public: they name what to change.
#[derive(Debug)]
pub enum RegistryError {
    /// A property has a value that it cannot have.
    Invalid {
        /// The property, by its name on the wire.
        property: &'static str,
        /// What is wrong with it.
        text: String,
    },
    /// There is one already.
    Conflict(String),
    /// There is none.
    NotFound(String),
    /// It may not be done now; says when it may.
    Refused(String),
    /// The database failed.
    Store(StoreError),
}

impl RegistryError {
    fn invalid(property: &'static str, text: impl Into<String>) -> Self {
        Self::Invalid {
            property,
            text: text.into(),
        }
    }
}

/// Begins a change of `tenant`, in order after those that began before it; it shares a flush with those that come at the
/// same time.
async fn begin(tenant: &Tenant, change: &Change) -> Result<Tx<'static>, StoreError> {
    tenant.house.store.change(&tenant.id, change.clone()).await
}

/// Commits a change and forgets what it made untrue.
async fn commit(tenant: &Tenant, tx: Tx<'static>, change: &Change) -> Result<(), StoreError> {
    tx.commit().await?;
    tenant.forget(change);
    Ok(())
}

/// Refuses a text that is too long or holds control characters.
fn checked_text(property: &'static str, text: &str, max_chars: usize) -> Result<(), RegistryError> {
    if text.chars().any(char::is_control) {
        return Err(RegistryError::invalid(
            property,
            format!("{property} holds a control character"),
        ));
    }
    checked_length(property, text, max_chars)
}

/// Refuses a text that is too long.
fn checked_length(property: &'static str, text: &str, max_chars: usize) -> Result<(), RegistryError> {
    if text.chars().count() > max_chars {
        return Err(RegistryError::invalid(
            property,
            format!("{property} is longer than {max_chars} characters"),
        ));
    }
    Ok(())
}

/// Refuses a name that is empty, too long, or holds what markup is made of.
fn checked_name(name: &str, max_chars: usize) -> Result<(), RegistryError> {
    checked_text("name", name, max_chars)?;
    if name.trim().is_empty() || name.contains(['<', '>']) {
        return Err(RegistryError::invalid("name", "name must not be empty nor hold < or >"));
    }
    Ok(())
}

/// Refuses an id that a seed gives and that could not stand in an address as it is.
fn check_given_id(id: &str) -> Result<(), RegistryError> {
    const MAX_BYTES: usize = 64;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > MAX_BYTES || !id.bytes().all(is_plain) {
        let text = format!("id is 1 to {MAX_BYTES} letters, digits, _ and -");
        return Err(RegistryError::invalid("id", text));
    }
    Ok(())
}

/// Refuses a quota that limits nothing (CONTRACT §4.11).
fn check_quota(property: &'static str, quota: Option<&Value>) -> Result<(), RegistryError> {
    let said = quota.and_then(|quota| quota.get("client_credentials"));
    let limits = |said: &Map<String, Value>| ["per_hour", "per_day"].map(|span| said.get(span).cloned());
    match said.and_then(Value::as_object) {
        Some(said) if limits(said).into_iter().flatten().all(|limit| limit.is_null()) => Err(RegistryError::invalid(
            property,
            format!(
                "{property}: client_credentials limits nothing; give it per_hour or per_day, or set {property} to null"
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { text, .. } | Self::Conflict(text) | Self::NotFound(text) | Self::Refused(text) => {
                f.write_str(text)
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RegistryError {}
