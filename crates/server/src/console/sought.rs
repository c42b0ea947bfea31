//! Applications that are looked for by what somebody types: a client ID, or a name.

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::Client;

use super::answer::Failure;
use super::visit::Visit;
use crate::tenant::Tenant;

/// The application that a page is to begin with.
#[derive(Default)]
pub(super) struct Named {
    /// Its `client_id`; empty if none is named or found.
    pub(super) id: String,
    /// What was looked for in vain.
    pub(super) not_found: Option<String>,
}

/// The application that `find` finds, else the one that `application` names.
pub(super) async fn named(visit: &Visit, find: &str, application: &str) -> Result<Named, Failure> {
    if find.is_empty() {
        return Ok(Named {
            id: application.to_owned(),
            not_found: None,
        });
    }
    let found = applications(&visit.tenant, find).await?;
    Ok(match found.first() {
        Some(client) => Named {
            id: client.id.to_string(),
            not_found: None,
        },
        None => Named {
            id: application.to_owned(),
            not_found: Some(find.to_owned()),
        },
    })
}

/// The applications with this client ID or this name.
pub(super) async fn applications(tenant: &Tenant, text: &str) -> Result<Vec<Client>, Failure> {
    let store = &tenant.house.store;
    let mut found: Vec<Client> = Vec::new();
    found.extend(store.client(&tenant.id, &ClientId::new(text)).await?);
    let named = store.client_by_name(&tenant.id, text).await?;
    found.extend(named.filter(|named| found.iter().all(|client| client.id != named.id)));
    found.retain(|client| !client.is_global);
    Ok(found)
}
