//! Client grants: which API an application may get tokens for, and with which scopes (CONTRACT §4.5).

use serde_json::Map;

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ClientGrantId, ClientId};
use tokenhouse_store::{Added, Change, ClientGrant, Page};

use super::{RegistryError, apis, begin, clients, commit};
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
    clients::client(tenant, &new.client_id).await?;
    let api = apis::api(tenant, &new.audience).await?;
    let known = apis::scopes(&api);
    if let Some(unknown) = new.scopes.iter().find(|scope| !known.contains(scope)) {
        let text = format!("The API has no scope {}", reflected(unknown));
        return Err(RegistryError::invalid("scope", text));
    }
    let now = tenant.house.clock.now();
    let grant = ClientGrant {
        id: ClientGrantId::generate(&tenant.house.random),
        client_id: new.client_id,
        api_id: api.id,
        subject_type: "client".into(),
        scopes: new.scopes,
        allow_all_scopes: new.allow_all_scopes,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    };
    let change = Change::Client(grant.client_id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_client_grant(&tenant.id, &grant).await? == Added::Exists {
        let text = "A client grant for this application and API already exists; change its scopes instead";
        return Err(RegistryError::Conflict(text.into()));
    }
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

fn not_found() -> RegistryError {
    RegistryError::NotFound("The client grant does not exist".into())
}
