//! The applications that may ask for tokens for an API, to choose from where something is tried out.

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Api, ClientFilter, ClientGrantFilter, Page};

use super::answer::Failure;
use crate::tenant::Tenant;

/// Most applications to choose from; any other is named in the page's address.
const MAX_APPLICANTS: u32 = 50;

/// An application that may ask for tokens for the API.
#[derive(Clone, Debug)]
pub(crate) struct Applicant {
    /// Its `client_id`.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// Whether it gets tokens of its own.
    pub(crate) is_granted: bool,
    /// Whether it may ask for its users' tokens with their passwords.
    pub(crate) asks_for_users: bool,
}

/// Those granted the API, and those that may ask for their users; and the one that is named, if it is another.
pub(crate) async fn applicants(tenant: &Tenant, api: &Api, named: &str) -> Result<Vec<Applicant>, Failure> {
    let store = &tenant.house.store;
    let of_api = ClientGrantFilter {
        api_id: Some(api.id.clone()),
        subject_type: Some("client".to_owned()),
    };
    let page = Page::first(MAX_APPLICANTS);
    let granted = store.client_grants_matching(&tenant.id, &of_api, page).await?;
    let mut ids: Vec<(ClientId, bool)> = granted.into_iter().map(|grant| (grant.client_id, true)).collect();
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    for client in store
        .clients_matching(&tenant.id, &own, Page::first(MAX_APPLICANTS))
        .await?
    {
        let asks_for_users = client.grant_types.iter().any(|grant| grant.contains("password"));
        let is_named = client.id.as_str() == named;
        if (asks_for_users || is_named) && !ids.iter().any(|(id, _)| *id == client.id) {
            ids.push((client.id, false));
        }
    }
    if !named.is_empty() && !ids.iter().any(|(id, _)| id.as_str() == named) {
        ids.push((ClientId::new(named), false));
    }
    let mut applicants = Vec::new();
    for (id, is_granted) in ids {
        if let Some(application) = tenant.directory.client(&id).await? {
            applicants.push(Applicant {
                id: id.to_string(),
                name: application.name.clone(),
                asks_for_users: application.grant_types.iter().any(|grant| grant.contains("password")),
                is_granted,
            });
        }
    }
    Ok(applicants)
}
