//! Connections: where users are kept. A tenant begins with one, its database of names and passwords (CONTRACT §4.10).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ClientId, ConnectionId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Change, Connection, Page, Tx};

use super::patch::{self, Rules};
use super::{RegistryError, begin, checked_text, clients, commit, users};
use crate::tenant::Tenant;

mod password_policy;

pub use password_policy::{PasswordPolicy, PasswordRules};

/// The name of the connection that every tenant begins with.
pub const DEFAULT_CONNECTION: &str = "Username-Password-Authentication";

/// The one kind of connection that there is: a database of names and passwords.
const DATABASE: &str = "auth0";
/// Longest name of a connection, in characters.
const MAX_NAME_CHARS: usize = 128;
/// Where a connection keeps the applications that may not use it: all others may. So the one that a tenant begins with.
const DISABLED_CLIENTS: &str = "disabled_clients";
/// Where a connection keeps the applications that may use it: no others may. So every other connection.
const ENABLED_CLIENTS: &str = "enabled_clients";
/// Applications that one connection lists.
const MAX_LISTED_CLIENTS: usize = 1000;
/// Users that are removed with their connection in one transaction, so that tokens wait for none of them long.
const USERS_AT_ONCE: u32 = 200;

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

/// Makes a database connection of its properties, as they are on the wire. It is open to the `enabled_clients` alone.
pub async fn create_of(
    tenant: &Tenant,
    name: &str,
    mut properties: Map<String, Value>,
) -> Result<Connection, RegistryError> {
    check_name(name)?;
    if properties.get(ENABLED_CLIENTS).is_none_or(Value::is_null) {
        properties.insert(ENABLED_CLIENTS.into(), json!([]));
    }
    check_clients(tenant, &properties).await?;
    let now = tenant.house.clock.now();
    let mut connection = Connection {
        id: ConnectionId::generate(&tenant.house.random),
        name: name.into(),
        strategy: DATABASE.into(),
        options: Map::new(),
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    };
    assign(&mut connection, properties);
    let change = Change::Connection(connection.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_connection(&tenant.id, &connection).await? == Added::Exists {
        return Err(RegistryError::Conflict(
            "A connection with the same name already exists".into(),
        ));
    }
    commit(tenant, tx, &change).await?;
    Ok(connection)
}

/// Changes properties, as they are on the wire; `options` are replaced whole (CONTRACT §4.12).
pub async fn update(
    tenant: &Tenant,
    id: &ConnectionId,
    changes: Map<String, Value>,
) -> Result<Connection, RegistryError> {
    check_clients(tenant, &changes).await?;
    changed(tenant, id, |connection| {
        assign(connection, changes);
        Ok(())
    })
    .await
}

/// Removes a connection and its users, some at a time; whoever is stopped in between begins again.
pub async fn remove(tenant: &Tenant, id: &ConnectionId) -> Result<(), RegistryError> {
    let change = Change::Connection(id.clone());
    loop {
        let mut tx = begin(tenant, &change).await?;
        let some = tx.users_of_connection(&tenant.id, id, USERS_AT_ONCE).await?;
        for user in &some {
            users::remove_in(tenant, &mut tx, user).await?;
        }
        let is_last = some.is_empty();
        if is_last && !tx.remove_connection(&tenant.id, id).await? {
            return Err(not_found());
        }
        commit(tenant, tx, &change).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// Opens a connection to applications, or closes it to them.
pub async fn enable(tenant: &Tenant, id: &ConnectionId, changes: &[(ClientId, bool)]) -> Result<(), RegistryError> {
    let mut gone = Vec::new();
    for (client, is_enabled) in changes {
        match clients::client(tenant, client).await {
            // To close a connection to who is gone is to take it from the list, should it still be there.
            Err(RegistryError::NotFound(_)) if !is_enabled => gone.push(client),
            known => drop(known?),
        }
    }
    let opened = changed(tenant, id, |connection| {
        let mut access = Access::of(connection);
        for (client, is_enabled) in changes {
            access.listed.retain(|known| known != client.as_str());
            if access.is_closed == *is_enabled && !gone.contains(&client) {
                access.listed.push(client.to_string());
            }
        }
        if access.listed.len() > MAX_LISTED_CLIENTS {
            let text = format!("A connection can name {MAX_LISTED_CLIENTS} applications at most");
            return Err(RegistryError::Refused(text));
        }
        let name = if access.is_closed {
            ENABLED_CLIENTS
        } else {
            DISABLED_CLIENTS
        };
        connection.rest.insert(name.into(), json!(access.listed));
        Ok(())
    });
    opened.await.map(drop)
}

/// Takes an application that is removed from the lists of those that may use a connection, or may not.
pub(super) async fn forget_client(tx: &mut Tx<'_>, tenant: &Tenant, client: &ClientId) -> Result<(), RegistryError> {
    for mut connection in tx.connections_that_name(&tenant.id, client).await? {
        for name in [ENABLED_CLIENTS, DISABLED_CLIENTS] {
            if let Some(Value::Array(listed)) = connection.rest.get_mut(name) {
                listed.retain(|listed| listed.as_str() != Some(client.as_str()));
            }
        }
        tx.update_connection(&tenant.id, &connection).await?;
    }
    Ok(())
}

/// Whether an application may use a connection.
pub fn is_enabled(connection: &Connection, client: &ClientId) -> bool {
    let access = Access::of(connection);
    access.listed.iter().any(|listed| listed == client.as_str()) == access.is_closed
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
        strategy: DATABASE.into(),
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

/// Which applications may use a connection: those that are listed, or all but those.
struct Access {
    is_closed: bool,
    listed: Vec<String>,
}

impl Access {
    fn of(connection: &Connection) -> Self {
        let list = |name: &str| connection.rest.get(name).and_then(Value::as_array);
        let enabled = list(ENABLED_CLIENTS);
        let listed = enabled.or_else(|| list(DISABLED_CLIENTS)).into_iter().flatten();
        Self {
            is_closed: enabled.is_some(),
            listed: listed.filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        }
    }
}

/// Writes properties over those that a connection has.
fn assign(connection: &mut Connection, mut changes: Map<String, Value>) {
    match changes.remove("options") {
        Some(Value::Object(mut options)) => {
            options.retain(|_, value| !value.is_null());
            connection.options = options;
        }
        Some(_) => connection.options.clear(),
        None => {}
    }
    match changes.get(ENABLED_CLIENTS) {
        // Nothing was said of who may.
        Some(Value::Null) => drop(changes.remove(ENABLED_CLIENTS)),
        Some(_) => drop(connection.rest.remove(DISABLED_CLIENTS)),
        None => {}
    }
    patch::apply(&mut connection.rest, changes, Rules::default());
}

/// Letters, digits and single hyphens between them.
fn check_name(name: &str) -> Result<(), RegistryError> {
    checked_text("name", name, MAX_NAME_CHARS)?;
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    match name.split('-').all(is_word) {
        true => Ok(()),
        false => Err(RegistryError::invalid(
            "name",
            "name has letters, digits and single hyphens between them",
        )),
    }
}

/// Refuses applications in `enabled_clients` that there are not.
async fn check_clients(tenant: &Tenant, properties: &Map<String, Value>) -> Result<(), RegistryError> {
    let listed = properties.get(ENABLED_CLIENTS).and_then(Value::as_array);
    for id in listed.into_iter().flatten().filter_map(Value::as_str) {
        if tenant
            .house
            .store
            .client(&tenant.id, &ClientId::new(id))
            .await?
            .is_none()
        {
            let text = format!("enabled_clients names {}, which does not exist", reflected(id));
            return Err(RegistryError::invalid("enabled_clients", text));
        }
    }
    Ok(())
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The connection does not exist".into())
}
