//! Phases 4 and 5: the API that the token is for (CONTRACT §1.6) and the scopes it carries (§1.5;
//! RFC 6749 §3.3). What comes out, an [`Authorization`], is the only thing that can be minted.

use std::collections::HashSet;
use std::sync::Arc;

use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::scope::Scopes;
use tokenhouse_protocol::token::TokenRequest;
use tokenhouse_store::User;

use super::grants::{Redeemed, Subject};
use crate::directory::{Api, Application, ApplicationGrant, UserPolicy};
use crate::refusal::{Reason, Refusal};
use crate::tenant::{Settings, Tenant};

/// The scopes that OpenID Connect gives a meaning (Core §5.4) and that `openid` alone stands for here.
const OPENID_SCOPES: [&str; 5] = ["openid", "profile", "email", "address", "phone"];
/// Asks for a refresh token (Core §11): given once there is a grant that redeems it.
const OFFLINE_ACCESS: &str = "offline_access";

/// What was decided: whose token, for whom, for which API, with which scopes. Made only in this file.
pub struct Authorization {
    pub(super) application: Arc<Application>,
    pub(super) grant_type: GrantType,
    pub(super) user: Option<Box<User>>,
    /// Without an API the token is for the userinfo endpoint alone.
    pub(super) api: Option<Arc<Api>>,
    /// OpenID scopes first, then the API's.
    pub(super) scopes: Scopes,
    /// The `permissions` claim, where the API's dialect has one.
    pub(super) permissions: Option<Scopes>,
}

/// Phase 4: the API that a request names, or the tenant's default one. A user's token needs none.
pub(super) async fn api(
    tenant: &Tenant,
    settings: &Settings,
    redeemed: &Redeemed,
    asked: Option<&str>,
) -> Result<Option<Arc<Api>>, Refusal> {
    let named = asked.or(settings.default_audience.as_deref());
    let found = match named {
        Some(identifier) => tenant.directory.api(identifier).await?,
        None => None,
    };
    match (&redeemed.subject, named, found) {
        (Subject::Client, Some(_), Some(api)) => Ok(Some(api)),
        (Subject::Client, Some(named), None) => Err(Refusal::new(
            Reason::UnknownAudience,
            format!(
                "Service not enabled within domain: {}. No API of this tenant has this identifier; \
                 it is compared exactly, with its trailing slash.",
                reflected(named)
            ),
        )),
        (Subject::Client, None, _) => Err(Refusal::new(
            Reason::NoAudience,
            "No audience parameter was provided, and no default audience has been configured",
        )),
        // The Management API's scopes are for administrators' applications, never for whoever has a password.
        (Subject::User(_), Some(_), Some(api)) if !api.is_system && api.user_policy != UserPolicy::DenyAll => {
            Ok(Some(api))
        }
        (Subject::User(_), Some(_), Some(_) | None) => Err(Refusal::new(
            Reason::InvalidAudience,
            "invalid audience specified for password grant exchange",
        )),
        (Subject::User(_), None, _) => Ok(None),
    }
}

impl Authorization {
    /// Phase 5: settles the scopes by the rule of the subject.
    pub(super) async fn settle(
        tenant: &Tenant,
        application: Arc<Application>,
        redeemed: Redeemed,
        api: Option<Arc<Api>>,
        request: &TokenRequest,
    ) -> Result<Self, Refusal> {
        let asked = request.scope.as_ref();
        let (scopes, held, user) = match (redeemed.subject, &api) {
            (Subject::Client, Some(api)) => {
                let scopes = client_scopes(&application, api, asked)?;
                (scopes.clone(), scopes, None)
            }
            // Phase 4 lets no client through without an API.
            (Subject::Client, None) => (Scopes::none(), Scopes::none(), None),
            (Subject::User(user), Some(api)) => {
                let held = Box::pin(held(tenant, &application, &user, api)).await?;
                (user_scopes(api, &held, asked), held, Some(user))
            }
            (Subject::User(user), None) => {
                let scopes = asked.filter(|asked| !asked.is_empty());
                let scopes = scopes.map_or_else(|| OPENID_SCOPES.into_iter().collect(), openid_scopes);
                (scopes, Scopes::none(), Some(user))
            }
        };
        let says_permissions = |api: &Arc<Api>| api.dialect.has_permissions() && api.enforces_policies;
        Ok(Self {
            application,
            grant_type: redeemed.grant_type,
            user,
            permissions: api.as_ref().filter(|api| says_permissions(api)).map(|_| held),
            api,
            scopes,
        })
    }

    /// The scopes as text; `None` if there are none.
    pub fn scope(&self) -> Option<String> {
        (!self.scopes.is_empty()).then(|| self.scopes.to_string())
    }

    /// Whether an ID token belongs to it (OpenID Connect Core §3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.user.is_some() && self.scopes.contains("openid")
    }
}

/// Settles the scopes of an application's own token: those asked for, or all granted if none were.
///
/// A scope outside the grant is refused, never dropped: a token with less than was asked for would
/// fail somewhere else, later.
fn client_scopes(application: &Application, api: &Api, asked: Option<&Scopes>) -> Result<Scopes, Refusal> {
    let Some(grant) = application.client_grant(&api.id).filter(|_| api.allows_clients) else {
        return Err(Refusal::new(
            Reason::NoClientGrant,
            format!(
                "Client \"{}\" is not authorized to access resource server \"{}\". \
                 You need to create a \"client-grant\" associated to this API.",
                application.id, api.identifier
            ),
        ));
    };
    let granted = ceiling(grant, api);
    match asked {
        None => Ok(granted),
        Some(asked) if asked.is_empty() => Ok(granted),
        Some(asked) => {
            let held: HashSet<&str> = granted.iter().collect();
            let missing = asked.filtered(|scope| !held.contains(scope));
            if missing.is_empty() {
                return Ok(asked.clone());
            }
            let list = missing.iter().collect::<Vec<_>>().join(", ");
            let text = format!("Client has not been granted scopes: {}", reflected(&list));
            Err(Refusal::new(Reason::ScopeNotGranted, text))
        }
    }
}

/// The most that a user's token for an API may hold: what the application may have on users' behalf and, where the
/// API enforces policies, the user's permissions alone (RBAC).
async fn held(tenant: &Tenant, application: &Application, user: &User, api: &Api) -> Result<Scopes, Refusal> {
    let of_the_application: Scopes = match api.user_policy {
        UserPolicy::AllowAll => api.scopes.iter().map(String::as_str).collect(),
        UserPolicy::RequireClientGrant => {
            let grant = application.user_grant(&api.id).ok_or_else(|| {
                Refusal::new(
                    Reason::InvalidAudience,
                    "invalid audience specified for password grant exchange",
                )
            })?;
            ceiling(grant, api)
        }
        UserPolicy::DenyAll => Scopes::none(),
    };
    if !api.enforces_policies {
        return Ok(of_the_application);
    }
    let store = &tenant.house.store;
    let permitted = store.permitted_scopes(&tenant.id, &user.id, &api.id).await?;
    Ok(of_the_application.filtered(|scope| permitted.iter().any(|held| held == scope)))
}

/// Settles the scopes of a user's token: OpenID's pass, of the API's those asked for that are `held`.
fn user_scopes(api: &Api, held: &Scopes, asked: Option<&Scopes>) -> Scopes {
    let mut scopes = asked.map_or_else(Scopes::none, openid_scopes);
    let of_the_api = asked.map(|asked| asked.filtered(|scope| !is_openid_scope(scope)));
    let given = match (of_the_api.filter(|asked| !asked.is_empty()), api.user_policy) {
        (Some(asked), _) => asked.filtered(|scope| held.contains(scope)),
        (None, UserPolicy::AllowAll) => held.clone(),
        // Scopes must be asked for by name, and only those granted for users' tokens are given.
        (None, UserPolicy::RequireClientGrant | UserPolicy::DenyAll) => Scopes::none(),
    };
    given.iter().for_each(|scope| scopes.push(scope));
    scopes
}

/// What a client grant allows of an API's scopes as they are now.
fn ceiling(grant: &ApplicationGrant, api: &Api) -> Scopes {
    let every = api.scopes.iter().map(String::as_str);
    if grant.allow_all_scopes {
        every.collect()
    } else {
        grant
            .scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| api.has_scope(scope))
            .collect()
    }
}

/// OpenID's scopes among those asked for; `openid` alone stands for all of them (CONTRACT §1.5).
fn openid_scopes(asked: &Scopes) -> Scopes {
    let scopes = asked.filtered(|scope| OPENID_SCOPES.contains(&scope));
    if scopes.len() == 1 && asked.len() == 1 && scopes.contains("openid") {
        return OPENID_SCOPES.into_iter().collect();
    }
    scopes
}

fn is_openid_scope(scope: &str) -> bool {
    scope == OFFLINE_ACCESS || OPENID_SCOPES.contains(&scope)
}
