//! Connections: where users are kept. A tenant begins with one, its database of names and passwords (CONTRACT §4.10).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::{ClientId, ConnectionId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Change, Connection, Page};

use super::patch::{self, Rules};
use super::{RegistryError, begin, clients, commit};
use crate::tenant::Tenant;

/// The name of the connection that every tenant begins with.
pub const DEFAULT_CONNECTION: &str = "Username-Password-Authentication";

/// Where a connection keeps the applications that may not use it: all others may.
const DISABLED_CLIENTS: &str = "disabled_clients";
/// Applications that one connection is closed to.
const MAX_DISABLED_CLIENTS: usize = 1000;

/// How strong a password must be: `passwordPolicy` of a database connection, in Auth0's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordPolicy {
    /// One character.
    None,
    /// Six.
    Low,
    /// Eight: lower and upper case and a digit.
    Fair,
    /// Eight: three of lower case, upper case, digits, others.
    Good,
    /// Ten, the same, and no three alike in a row.
    Excellent,
}

impl PasswordPolicy {
    /// The policy of a connection; Auth0's default is `good`.
    pub fn of(connection: &Connection) -> Self {
        match connection.options.get("passwordPolicy").and_then(Value::as_str) {
            Some("none") => Self::None,
            Some("low") => Self::Low,
            Some("fair") => Self::Fair,
            Some("excellent") => Self::Excellent,
            Some(_) | None => Self::Good,
        }
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }

    /// What a password must be.
    pub fn rule(self) -> &'static str {
        match self {
            Self::None => "at least 1 character",
            Self::Low => "at least 6 characters",
            Self::Fair => "at least 8 characters with lower case, upper case and a digit",
            Self::Good => "at least 8 characters with three of lower case, upper case, digits and others",
            Self::Excellent => {
                "at least 10 characters with three of lower case, upper case, digits and others, \
                 and no three alike in a row"
            }
        }
    }

    /// Whether `password` is strong enough.
    pub fn accepts(self, password: &str) -> bool {
        let has = |is: fn(char) -> bool| password.chars().any(is);
        let lower = has(char::is_lowercase);
        let upper = has(char::is_uppercase);
        let digit = has(char::is_numeric);
        let other = has(|c| !c.is_alphanumeric());
        let kinds = [lower, upper, digit, other].into_iter().filter(|kind| *kind).count();
        let length = password.chars().count();
        match self {
            Self::None => length >= 1,
            Self::Low => length >= 6,
            Self::Fair => length >= 8 && lower && upper && digit,
            Self::Good => length >= 8 && kinds >= 3,
            Self::Excellent => length >= 10 && kinds >= 3 && !has_three_alike(password),
        }
    }
}

/// Sets the password policy of a connection.
pub async fn set_password_policy(tenant: &Tenant, name: &str, policy: PasswordPolicy) -> Result<(), RegistryError> {
    let id = connection(tenant, name).await?.id;
    let stronger = changed(tenant, &id, |connection| {
        connection
            .options
            .insert("passwordPolicy".into(), json!(policy.as_str()));
        Ok(())
    });
    stronger.await.map(drop)
}

/// Changes properties, as they are on the wire; `options` are replaced whole (CONTRACT §4.12).
pub async fn update(
    tenant: &Tenant,
    id: &ConnectionId,
    mut changes: Map<String, Value>,
) -> Result<Connection, RegistryError> {
    changed(tenant, id, |connection| {
        match changes.remove("options") {
            Some(Value::Object(mut options)) => {
                options.retain(|_, value| !value.is_null());
                connection.options = options;
            }
            Some(_) => connection.options.clear(),
            None => {}
        }
        patch::apply(&mut connection.rest, changes, Rules::default());
        Ok(())
    })
    .await
}

/// Opens a connection to applications, or closes it to them.
pub async fn enable(tenant: &Tenant, id: &ConnectionId, changes: &[(ClientId, bool)]) -> Result<(), RegistryError> {
    for (client, _) in changes {
        clients::client(tenant, client).await?;
    }
    let closed = changed(tenant, id, |connection| {
        let mut disabled: Vec<ClientId> = disabled(connection).map(ClientId::new).collect();
        for (client, is_enabled) in changes {
            disabled.retain(|known| known != client);
            if !is_enabled {
                disabled.push(client.clone());
            }
        }
        if disabled.len() > MAX_DISABLED_CLIENTS {
            let text = format!("A connection can be closed to {MAX_DISABLED_CLIENTS} applications at most");
            return Err(RegistryError::Refused(text));
        }
        connection.rest.insert(DISABLED_CLIENTS.into(), json!(disabled));
        Ok(())
    });
    closed.await.map(drop)
}

/// Whether an application may use a connection.
pub fn is_enabled(connection: &Connection, client: &ClientId) -> bool {
    !disabled(connection).any(|disabled| disabled == client.as_str())
}

/// What is only carried, as it was written.
pub fn carried(connection: &Connection) -> Map<String, Value> {
    let mut carried = connection.rest.clone();
    carried.remove(DISABLED_CLIENTS);
    carried
}

/// The first `take` connections, by id.
pub async fn connections(tenant: &Tenant, take: u32) -> Result<Vec<Connection>, RegistryError> {
    Ok(tenant.house.store.connections(&tenant.id, Page::first(take)).await?)
}

/// The connection with this id.
pub async fn connection_by_id(tenant: &Tenant, id: &ConnectionId) -> Result<Connection, RegistryError> {
    let connection = tenant.house.store.connection(&tenant.id, id).await?;
    connection.ok_or_else(not_found)
}

/// The connection with this name.
pub async fn connection(tenant: &Tenant, name: &str) -> Result<Connection, RegistryError> {
    tenant
        .house
        .store
        .connection_by_name(&tenant.id, name)
        .await?
        .ok_or_else(not_found)
}

/// The row of a new tenant's connection.
pub(super) fn default_connection(random: &Random, now: Timestamp) -> Connection {
    let mut options = Map::new();
    options.insert("passwordPolicy".into(), json!(PasswordPolicy::Good.as_str()));
    Connection {
        id: ConnectionId::generate(random),
        name: DEFAULT_CONNECTION.into(),
        strategy: "auth0".into(),
        options,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    }
}

/// Changes a connection as `change` says, in one transaction.
async fn changed(
    tenant: &Tenant,
    id: &ConnectionId,
    change: impl FnOnce(&mut Connection) -> Result<(), RegistryError>,
) -> Result<Connection, RegistryError> {
    let what = Change::Connection(id.clone());
    let mut tx = begin(tenant, &what).await?;
    let mut connection = tx.connection(&tenant.id, id).await?.ok_or_else(not_found)?;
    change(&mut connection)?;
    connection.updated_at = tenant.house.clock.now();
    if !tx.update_connection(&tenant.id, &connection).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &what).await?;
    Ok(connection)
}

fn disabled(connection: &Connection) -> impl Iterator<Item = &str> {
    let listed = connection.rest.get(DISABLED_CLIENTS).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str)
}

fn has_three_alike(password: &str) -> bool {
    let characters: Vec<char> = password.chars().collect();
    characters
        .windows(3)
        .any(|three| three[0] == three[1] && three[1] == three[2])
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The connection does not exist".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_accepts_what_its_rule_says() {
        use PasswordPolicy::{Excellent, Fair, Good, Low, None};
        for (policy, weak, strong) in [
            (None, "", "p"),
            (Low, "short", "longer"),
            (Fair, "lowercase1", "UPlower1"),
            (Good, "lowercase", "lower-case1"),
            (Excellent, "Aaa111bbb-", "Abc123def-"),
        ] {
            assert!(!policy.accepts(weak), "{policy:?} {weak}");
            assert!(policy.accepts(strong), "{policy:?} {strong}");
        }
    }
}
