//! Who may pass: the guard that we sell, with our own keys, then the directory, so that an application that was deleted,
//! or whose grant was, is out at once and not when its token expires (DESIGN §3).

use std::sync::Arc;

use axum::http::header;
use axum::http::request::Parts;

use tokenhouse_guard::Denied;
use tokenhouse_protocol::bearer;
use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::jose::jws;

use super::error::Failure;
use crate::directory::Application;
use crate::tenant::Tenant;

/// Who uses the Management API, and what they may do there.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The application whose token it is; none for whoever has the database, at the command line.
    pub application: Option<Arc<Application>>,
    /// The Management API.
    pub api_id: ApiId,
    /// The scopes that its token has and its grant still has.
    pub scopes: Vec<String>,
}

impl Administrator {
    /// Whether it has a scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }

    /// Refuses an application that has none of these scopes.
    pub fn require(&self, scopes: &[&str]) -> Result<(), Failure> {
        match scopes.iter().any(|scope| self.has_scope(scope)) {
            true => Ok(()),
            false => Err(Failure::scope(scopes)),
        }
    }
}

/// The application whose token a request carries.
pub async fn admit(tenant: &Tenant, parts: &Parts) -> Result<Administrator, Failure> {
    let token = tenant.management_guard.authenticate(parts).await;
    let token = token.map_err(|denied| refused(&denied, parts))?;
    // Its scopes are for administrators' applications: no token that speaks for a user passes.
    let client = token.client_id().map(ClientId::new);
    let client = client.filter(|client| token.subject() == Some(client.subject().as_str()));
    let client = client.ok_or_else(|| Failure::token("the token speaks for no application"))?;
    let application = tenant.directory.client(&client).await?;
    let application = application.ok_or_else(|| Failure::token("its application was deleted"))?;
    let api = tenant.directory.api(&tenant.issuer.system_api()).await?;
    let api = api.ok_or_else(|| Failure::unavailable("the tenant has no system API"))?;
    let grant = application.client_grant(&api.id);
    let grant = grant.ok_or_else(|| Failure::token("its application's grant was deleted"))?;
    let is_granted = |scope: &&String| {
        let is_listed = grant.allow_all_scopes || grant.scopes.contains(scope);
        is_listed && api.has_scope(scope)
    };
    let scopes = token.scopes().iter().filter(is_granted).cloned().collect();
    Ok(Administrator {
        scopes,
        api_id: api.id.clone(),
        application: Some(application),
    })
}

/// The refusal; for a token of another API it names that API, once its signature was found to be ours.
fn refused(denied: &Denied, parts: &Parts) -> Failure {
    let headers = parts.headers.get_all(header::AUTHORIZATION).iter();
    let token = bearer::read(headers.map(header::HeaderValue::as_bytes)).unwrap_or_default();
    let claims = jws::Parts::split(token)
        .ok()
        .and_then(|parts| Claims::parse(&parts.claims).ok());
    let audience = claims
        .as_ref()
        .and_then(|claims| Some(claims.texts("aud").ok()?.join(", ")));
    Failure::denied(denied, &audience.unwrap_or_default())
}
