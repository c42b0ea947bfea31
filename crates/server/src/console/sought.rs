//! Applications and users that are looked for by what somebody types: an id, or how a name begins.

use tokenhouse_protocol::id::{ClientId, UserId};
use tokenhouse_store::{Client, Page, User};

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

/// The applications whose client ID, or whose name from some word on, begins so: at most a page, those of exactly this
/// name first.
pub(super) async fn applications(tenant: &Tenant, text: &str) -> Result<Vec<Client>, Failure> {
    let found = tenant
        .house
        .store
        .clients_found(&tenant.id, text, Page::first(PAGE))
        .await?;
    let mut found = found.rows;
    found.sort_by_key(|client| !is_named(client, text));
    Ok(found)
}

/// The application that somebody means: the only one that is found, or one of exactly this name. Else what was typed, since
/// the log knows the ids of those who were deleted.
pub(super) async fn application(tenant: &Tenant, text: &str) -> Result<ClientId, Failure> {
    let mut found = applications(tenant, text).await?;
    let is_meant = found.len() == 1 || found.first().is_some_and(|client| is_named(client, text));
    Ok(match is_meant {
        true => found.swap_remove(0).id,
        false => ClientId::new(text),
    })
}

/// The user whom somebody means by an e-mail address, a user name, a name or an id, as [`application`].
pub(super) async fn user(tenant: &Tenant, text: &str) -> Result<UserId, Failure> {
    let found = tenant
        .house
        .store
        .users_found(&tenant.id, text, Page::first(PAGE))
        .await?
        .rows;
    let is_exactly = |user: &&User| {
        let names = [user.email.as_deref(), user.username.as_deref(), Some(user.id.as_str())];
        names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(text))
    };
    let meant = match found.as_slice() {
        [only] => Some(only),
        several => several.iter().find(is_exactly),
    };
    Ok(meant.map_or_else(|| UserId::new(text), |user| user.id.clone()))
}

fn is_named(client: &Client, text: &str) -> bool {
    client.id.as_str() == text || client.name == text
}

/// Of what is found, at most so many are looked at.
const PAGE: u32 = 50;
