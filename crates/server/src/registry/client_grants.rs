//! Client grants: which API an application may get tokens for, and with which scopes (CONTRACT §4.5).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ClientGrantId, ClientId};
use tokenhouse_store::{Added, Api, Change, ClientGrant, Page};

use super::{RegistryError, apis, begin, clients, commit, patch};
use crate::tenant::Tenant;

/// A client grant to be made.
#[derive(Clone, Debug)]
pub struct NewClientGrant {
    /// The application.
    pub client_id: ClientId,
    /// The API, by its identifier or its id.
    pub audience: String,
    /// The scopes; each must be one of the API's.
    pub scopes: Vec<String>,
    /// Every scope of the API instead, now and later.
    pub allow_all_scopes: bool,
}

/// Makes a client grant: one for an application and an API.
pub async fn create(tenant: &Tenant, new: NewClientGrant) -> Result<ClientGrant, RegistryError> {
    let mut properties = Map::new();
    properties.insert("scope".into(), json!(new.scopes));
    properties.insert("allow_all_scopes".into(), json!(new.allow_all_scopes));
    create_of(tenant, new.client_id, &new.audience, properties).await
}

/// Makes a client grant of its properties as they are on the wire.
pub async fn create_of(
    tenant: &Tenant,
    client_id: ClientId,
    audience: &str,
    mut properties: Map<String, Value>,
) -> Result<ClientGrant, RegistryError> {
    clients::client(tenant, &client_id).await?;
    let api = apis::api(tenant, audience).await?;
    properties.retain(|_, value| !value.is_null());
    let subject_type = match properties.remove("subject_type") {
        Some(Value::String(subject_type)) => subject_type,
        Some(_) | None => "client".into(),
    };
    let now = tenant.house.clock.now();
    let mut grant = ClientGrant {
        id: ClientGrantId::generate(&tenant.house.random),
        client_id,
        api_id: api.id.clone(),
        subject_type,
        scopes: Vec::new(),
        allow_all_scopes: false,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    };
    assign(&mut grant, properties, &api)?;
    let change = Change::Client(grant.client_id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_client_grant(&tenant.id, &grant).await? == Added::Exists {
        let text = "A client grant for this application and API already exists; change its scopes instead";
        return Err(RegistryError::Conflict(text.into()));
    }
    commit(tenant, tx, &change).await?;
    Ok(grant)
}

/// Changes properties of a client grant, as they are on the wire; whose it is and for what stays.
pub async fn update(
    tenant: &Tenant,
    id: &ClientGrantId,
    changes: Map<String, Value>,
) -> Result<ClientGrant, RegistryError> {
    let change = Change::Client(client_grant(tenant, id).await?.client_id);
    let mut tx = begin(tenant, &change).await?;
    let mut grant = tx.client_grant(&tenant.id, id).await?.ok_or_else(not_found)?;
    let api = tx.api(&tenant.id, &grant.api_id).await?.ok_or_else(not_found)?;
    let ends_all_scopes = grant.allow_all_scopes && changes.get("allow_all_scopes").is_some_and(|all| *all != true);
    if ends_all_scopes && !changes.get("scope").is_some_and(Value::is_array) {
        let text = "scope is missing: a grant of all scopes that becomes one of some says which";
        return Err(RegistryError::invalid("scope", text));
    }
    let mut properties = properties(&grant);
    patch::apply(&mut properties, changes, patch::Rules::default());
    assign(&mut grant, properties, &api)?;
    grant.updated_at = tenant.house.clock.now();
    tx.update_client_grant(&tenant.id, &grant).await?;
    commit(tenant, tx, &change).await?;
    Ok(grant)
}

/// Removes a client grant.
pub async fn remove(tenant: &Tenant, id: &ClientGrantId) -> Result<(), RegistryError> {
    let grant = client_grant(tenant, id).await?;
    let change = Change::Client(grant.client_id);
    let mut tx = begin(tenant, &change).await?;
    tx.remove_client_grant(&tenant.id, id).await?.ok_or_else(not_found)?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The client grant with this id.
pub async fn client_grant(tenant: &Tenant, id: &ClientGrantId) -> Result<ClientGrant, RegistryError> {
    tenant
        .house
        .store
        .client_grant(&tenant.id, id)
        .await?
        .ok_or_else(not_found)
}

/// A page of the client grants, by id.
pub async fn client_grants(tenant: &Tenant, page: Page) -> Result<Vec<ClientGrant>, RegistryError> {
    Ok(tenant.house.store.client_grants(&tenant.id, page).await?)
}

/// The properties that can be changed; of a grant of all scopes, no list of them.
pub fn properties(grant: &ClientGrant) -> Map<String, Value> {
    let mut properties = grant.rest.clone();
    match grant.allow_all_scopes {
        true => properties.insert("allow_all_scopes".into(), json!(true)),
        false => properties.insert("scope".into(), json!(grant.scopes)),
    };
    properties
}

/// Writes properties into a grant for `api`, in place of all that it had.
fn assign(grant: &mut ClientGrant, mut properties: Map<String, Value>, api: &Api) -> Result<(), RegistryError> {
    grant.allow_all_scopes = properties.remove("allow_all_scopes") == Some(json!(true));
    let listed = match properties.remove("scope") {
        Some(Value::Array(scopes)) => scopes,
        Some(_) | None => Vec::new(),
    };
    let listed = listed.iter().filter_map(Value::as_str).map(str::to_owned);
    grant.scopes = if grant.allow_all_scopes {
        Vec::new()
    } else {
        listed.collect()
    };
    let known = apis::scopes(api);
    if let Some(unknown) = grant.scopes.iter().find(|scope| !known.contains(scope)) {
        let text = format!("The API has no scope {}", reflected(unknown));
        return Err(RegistryError::invalid("scope", text));
    }
    grant.rest = properties;
    Ok(())
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The client grant does not exist".into())
}
