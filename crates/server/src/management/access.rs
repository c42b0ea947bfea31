//! Who may pass: the guard that we sell, with our own keys, then the directory, so that an application that was deleted,
//! or whose grant was, is out at once and not when its token expires (DESIGN §3).

use std::sync::Arc;

use axum::http::header;
use axum::http::request::Parts;

use tokenhouse_guard::{AccessToken, Denied};
use tokenhouse_protocol::bearer;
use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::jose::jws;

use super::error::Failure;
use crate::directory::{Api, Application};
use crate::tenant::Tenant;

/// Who uses the Management API, and what they may do there.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The application whose token it is; none for whoever has the database, at the command line.
    pub application: Option<Arc<Application>>,
    /// The Management API.
    pub api_id: ApiId,
    /// Where its scopes stand; none for whoever may do everything.
    scopes: Option<Scopes>,
}

/// What says which scopes an application has, each looked up when it is asked for: a token may have all 90.
#[derive(Clone, Debug)]
struct Scopes {
    token: AccessToken,
    api: Arc<Api>,
}

impl Administrator {
    /// Whoever may do everything.
    pub fn of_this_machine(api_id: ApiId) -> Self {
        Self {
            application: None,
            api_id,
            scopes: None,
        }
    }

    /// Whether it has a scope: its token has it, and its grant and the Management API still have it.
    pub fn has_scope(&self, scope: &str) -> bool {
        let Some(Scopes { token, api }) = &self.scopes else {
            return true;
        };
        let grant = self.application.as_ref().and_then(|it| it.client_grant(&self.api_id));
        let is_granted =
            grant.is_some_and(|grant| grant.allow_all_scopes || grant.scopes.iter().any(|one| one == scope));
        is_granted && token.has_scope(scope) && api.has_scope(scope)
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
    if application.client_grant(&api.id).is_none() {
        return Err(Failure::token("its application's grant was deleted"));
    }
    Ok(Administrator {
        application: Some(application),
        api_id: api.id.clone(),
        scopes: Some(Scopes { token, api }),
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
