//! The applications that may ask for tokens for an API, to choose from where something is tried out: the likeliest first.

use std::cmp::Reverse;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Api, ClientFilter, ClientGrantFilter, Page};

use super::answer::Failure;
use super::apis;
use crate::directory::Application;
use crate::registry::apis as registered;
use crate::tenant::Tenant;

/// Most applications to choose from; any other is found by its name or client ID.
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
    /// How many of the API's scopes its own tokens may have.
    pub(crate) scopes: usize,
    /// Whether it may ask for its users' tokens with their passwords.
    pub(crate) asks_for_users: bool,
    /// Whether it proves itself with keys of its own, so that no secret of it is known here.
    pub(crate) uses_keys: bool,
}

/// Those granted the API, and those that may ask for their users; and the one that is named, if it is another. First the
/// one that was made along with the API, then who was granted the most, then by name.
pub(crate) async fn applicants(tenant: &Tenant, api: &Api, named: &str) -> Result<Vec<Applicant>, Failure> {
    let store = &tenant.house.store;
    let of_api = ClientGrantFilter {
        api_id: Some(api.id.clone()),
        subject_type: Some("client".to_owned()),
    };
    let page = Page::first(MAX_APPLICANTS);
    let granted = store.client_grants_matching(&tenant.id, &of_api, page).await?;
    let mut ids: Vec<ClientId> = granted.into_iter().map(|grant| grant.client_id).collect();
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    for client in store
        .clients_matching(&tenant.id, &own, Page::first(MAX_APPLICANTS))
        .await?
    {
        if client.grant_types.iter().any(|grant| grant.contains("password")) {
            ids.push(client.id);
        }
    }
    // Not among the first, perhaps, where there are many.
    let test_name = apis::test_application_name(tenant, api);
    let along = store.client_by_name(&tenant.id, &test_name).await?;
    ids.extend(along.map(|client| client.id));
    if !named.is_empty() {
        ids.push(ClientId::new(named));
    }
    let mut applicants: Vec<Applicant> = Vec::new();
    for id in ids {
        if applicants.iter().any(|applicant| applicant.id == id.as_str()) {
            continue;
        }
        if let Some(application) = tenant.directory.client(&id).await? {
            applicants.push(applicant(&application, api));
        }
    }
    applicants.retain(|one| one.is_granted || one.asks_for_users || one.id == named);
    applicants.sort_by_key(|one| {
        let is_along = one.is_granted && one.name == test_name;
        let place = (!is_along, !one.is_granted, Reverse(one.scopes));
        (place, one.name.clone(), one.id.clone())
    });
    Ok(applicants)
}

fn applicant(application: &Application, api: &Api) -> Applicant {
    let grant = application.client_grant(&api.id);
    Applicant {
        id: application.id.to_string(),
        name: application.name.clone(),
        is_granted: grant.is_some(),
        scopes: grant.map_or(0, |grant| match grant.allow_all_scopes {
            true => registered::scopes(api).len(),
            false => grant.scopes.len(),
        }),
        asks_for_users: application.grant_types.iter().any(|grant| grant.contains("password")),
        uses_keys: application.uses_assertions,
    }
}
