//! APIs, Auth0's resource servers: made, changed, removed; and the scopes of the system API (CONTRACT §4.2, §4.4).

use serde_json::Map;

use tokenhouse_protocol::crypto::{Algorithm, Place, Random};
use tokenhouse_protocol::id::{self, ApiId, ClientId};
use tokenhouse_protocol::scope::is_scope_token;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Api, ApiScope, Change, Page};

use super::token_dialect::TokenDialect;
use super::{RegistryError, begin, checked_name, checked_text, commit, keys};
use crate::tenant::Tenant;

/// Longest name, in characters (CONTRACT §4.4).
const MAX_NAME_CHARS: usize = 200;
/// Longest identifier, in characters.
const MAX_IDENTIFIER_CHARS: usize = 600;
/// Longest scope, in characters.
const MAX_SCOPE_CHARS: usize = 280;
/// Most scopes of one API.
const MAX_SCOPES: usize = 1000;
/// Longest life of an access token, in seconds: 30 days.
pub const MAX_TOKEN_LIFETIME_S: i64 = 2_592_000;
/// Life of an access token unless the API says otherwise, in seconds: a day.
pub const DEFAULT_TOKEN_LIFETIME_S: i64 = 86_400;
/// Life of a token handed out in the browser's front channel unless the API says otherwise: two hours.
const DEFAULT_TOKEN_LIFETIME_FOR_WEB_S: i64 = 7200;
/// What the system API is called, so that Auth0's tools recognise it (CONTRACT §8.11).
pub const SYSTEM_API_NAME: &str = "Auth0 Management API";

/// An API to be made.
#[derive(Clone, Debug)]
pub struct NewApi {
    /// The identifier, the `aud` of its tokens; it never changes.
    pub identifier: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its scopes, in order.
    pub scopes: Vec<ApiScope>,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// Seconds that its tokens live.
    pub token_lifetime_s: i64,
    /// How its access tokens look.
    pub dialect: TokenDialect,
    /// Whether a user's scopes are limited to the user's permissions: RBAC.
    pub enforces_policies: bool,
}

impl NewApi {
    /// An API with Auth0's defaults: RS256, a day, no scopes.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            name: None,
            scopes: Vec::new(),
            algorithm: Algorithm::Rs256,
            token_lifetime_s: DEFAULT_TOKEN_LIFETIME_S,
            dialect: TokenDialect::default(),
            enforces_policies: false,
        }
    }
}

/// Makes an API; the keys of its algorithm are made with it if they are the first (DESIGN §6).
pub async fn create(tenant: &Tenant, new: NewApi) -> Result<Api, RegistryError> {
    check(tenant, &new).await?;
    let now = tenant.house.clock.now();
    let id = ApiId::generate(&tenant.house.random);
    let own_secret = new.algorithm.is_symmetric().then(|| {
        let place = Place {
            tenant: tenant.id.as_str(),
            table: "apis",
            row: id.as_str(),
            column: "signing_secret",
        };
        tenant
            .house
            .secrets
            .seal(place, id::client_secret(&tenant.house.random).expose().as_bytes())
    });
    let api = Api {
        id,
        identifier: Some(new.identifier),
        name: new.name,
        signing_alg: new.algorithm.as_str().into(),
        token_lifetime_s: new.token_lifetime_s,
        token_lifetime_for_web_s: DEFAULT_TOKEN_LIFETIME_FOR_WEB_S.min(new.token_lifetime_s),
        // Omitted until it is set (CONTRACT §4.4).
        token_dialect: (new.dialect != TokenDialect::default()).then(|| new.dialect.as_str().into()),
        enforce_policies: new.enforces_policies,
        allow_offline_access: false,
        is_system: false,
        signing_secret_sealed: own_secret,
        scopes: new.scopes,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    };
    if !new.algorithm.is_symmetric() {
        keys::ensure(tenant, new.algorithm).await?;
    }
    let change = Change::Api(api.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_api(&tenant.id, &api).await? == Added::Exists {
        return Err(RegistryError::Conflict(
            "A resource server with the same identifier already exists".into(),
        ));
    }
    commit(tenant, tx, &change).await?;
    Ok(api)
}

/// What of an API is to change; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct ApiChanges {
    /// Another name.
    pub name: Option<String>,
    /// All its scopes from now on, in order; users and roles lose those that are not among them.
    pub scopes: Option<Vec<ApiScope>>,
    /// Seconds that its tokens live.
    pub token_lifetime_s: Option<i64>,
    /// How its access tokens look.
    pub dialect: Option<TokenDialect>,
    /// Whether a user's scopes are limited to the user's permissions: RBAC.
    pub enforces_policies: Option<bool>,
}

/// Changes an API, named by its id or its identifier; the system API keeps its scopes.
pub async fn update(tenant: &Tenant, id_or_identifier: &str, changes: ApiChanges) -> Result<Api, RegistryError> {
    let id = api(tenant, id_or_identifier).await?.id;
    let change = Change::Api(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut api = tx.api(&tenant.id, &id).await?.ok_or_else(not_found)?;
    if let Some(name) = changes.name {
        checked_name(&name, MAX_NAME_CHARS)?;
        api.name = Some(name);
    }
    if let Some(scopes) = changes.scopes {
        check_scopes(&scopes)?;
        if api.is_system {
            return Err(RegistryError::invalid("scopes", "The Management API keeps its scopes"));
        }
        for gone in api
            .scopes
            .iter()
            .filter(|old| scopes.iter().all(|new| new.value != old.value))
        {
            tx.remove_permissions(&tenant.id, &id, &gone.value).await?;
        }
        api.scopes = scopes;
    }
    if let Some(seconds) = changes.token_lifetime_s {
        check_lifetime(seconds)?;
        api.token_lifetime_s = seconds;
        api.token_lifetime_for_web_s = api.token_lifetime_for_web_s.min(seconds);
    }
    api.token_dialect = changes
        .dialect
        .map(|dialect| dialect.as_str().into())
        .or(api.token_dialect);
    api.enforce_policies = changes.enforces_policies.unwrap_or(api.enforce_policies);
    api.updated_at = tenant.house.clock.now();
    tx.update_api(&tenant.id, &api).await?;
    commit(tenant, tx, &change).await?;
    Ok(api)
}

/// Removes an API with the client grants for it; the system API stays.
pub async fn remove(tenant: &Tenant, id: &ApiId) -> Result<(), RegistryError> {
    let change = Change::Api(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let Some(api) = tx.api(&tenant.id, id).await? else {
        return Err(not_found());
    };
    if api.is_system {
        return Err(RegistryError::Refused("The Management API cannot be deleted".into()));
    }
    tx.remove_api(&tenant.id, id).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The API with this id or this identifier; the system API answers to its derived one.
pub async fn api(tenant: &Tenant, id_or_identifier: &str) -> Result<Api, RegistryError> {
    let store = &tenant.house.store;
    if id_or_identifier == tenant.issuer.system_api() {
        return store.system_api(&tenant.id).await?.ok_or_else(not_found);
    }
    if let Some(api) = store.api(&tenant.id, &ApiId::new(id_or_identifier)).await? {
        return Ok(api);
    }
    store
        .api_by_identifier(&tenant.id, id_or_identifier)
        .await?
        .ok_or_else(not_found)
}

/// A page of the APIs, by id.
pub async fn apis(tenant: &Tenant, page: Page) -> Result<Vec<Api>, RegistryError> {
    Ok(tenant.house.store.apis(&tenant.id, page).await?)
}

/// The identifier of an API as its tokens carry it.
pub fn identifier(tenant: &Tenant, api: &Api) -> String {
    api.identifier.clone().unwrap_or_else(|| tenant.issuer.system_api())
}

/// The scopes of an API, those of the system API included.
pub fn scopes(api: &Api) -> Vec<String> {
    if api.is_system {
        system_scopes().collect()
    } else {
        api.scopes.iter().map(|scope| scope.value.clone()).collect()
    }
}

/// The scopes of the system API: those that the endpoints of CONTRACT §4.2 ask for.
pub fn system_scopes() -> impl Iterator<Item = String> {
    SYSTEM_SCOPES
        .iter()
        .flat_map(|(actions, resource)| actions.split(' ').map(move |action| format!("{action}:{resource}")))
}

/// The row of the system API of a new tenant.
pub(super) fn system_api(random: &Random, now: Timestamp) -> Api {
    Api {
        id: ApiId::generate(random),
        identifier: None,
        name: Some(SYSTEM_API_NAME.into()),
        signing_alg: Algorithm::Rs256.as_str().into(),
        token_lifetime_s: DEFAULT_TOKEN_LIFETIME_S,
        token_lifetime_for_web_s: DEFAULT_TOKEN_LIFETIME_FOR_WEB_S,
        token_dialect: None,
        enforce_policies: false,
        allow_offline_access: false,
        is_system: true,
        signing_secret_sealed: None,
        scopes: Vec::new(),
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    }
}

async fn check(tenant: &Tenant, new: &NewApi) -> Result<(), RegistryError> {
    let identifier = &new.identifier;
    checked_text("identifier", identifier, MAX_IDENTIFIER_CHARS)?;
    if identifier.trim() != identifier || identifier.is_empty() {
        return Err(RegistryError::invalid(
            "identifier",
            "identifier must not be empty nor begin or end in a space",
        ));
    }
    let issuer = &tenant.issuer;
    let reserved = [issuer.as_str(), &issuer.system_api(), &issuer.userinfo()].contains(&identifier.as_str());
    let client = ClientId::new(identifier.clone());
    if reserved || tenant.house.store.client(&tenant.id, &client).await?.is_some() {
        // An ID token, whose audience is a client, would pass for an access token (CONTRACT Decision 14).
        return Err(RegistryError::invalid(
            "identifier",
            "identifier is taken by this server or by an application",
        ));
    }
    if let Some(name) = &new.name {
        checked_name(name, MAX_NAME_CHARS)?;
    }
    check_lifetime(new.token_lifetime_s)?;
    check_scopes(&new.scopes)
}

fn check_lifetime(seconds: i64) -> Result<(), RegistryError> {
    if (1..=MAX_TOKEN_LIFETIME_S).contains(&seconds) {
        return Ok(());
    }
    let text = format!("token_lifetime must be between 1 and {MAX_TOKEN_LIFETIME_S} seconds");
    Err(RegistryError::invalid("token_lifetime", text))
}

fn check_scopes(scopes: &[ApiScope]) -> Result<(), RegistryError> {
    if scopes.len() > MAX_SCOPES {
        return Err(RegistryError::invalid(
            "scopes",
            format!("an API has at most {MAX_SCOPES} scopes"),
        ));
    }
    for (index, scope) in scopes.iter().enumerate() {
        if !is_scope_token(&scope.value) || scope.value.len() > MAX_SCOPE_CHARS {
            let text = format!(
                "{:?} cannot be a scope: no spaces, quotes or backslashes, ASCII only",
                scope.value
            );
            return Err(RegistryError::invalid("scopes", text));
        }
        if scopes[..index].iter().any(|other| other.value == scope.value) {
            return Err(RegistryError::invalid(
                "scopes",
                format!("the scope {} is there twice", scope.value),
            ));
        }
    }
    Ok(())
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The resource server does not exist".into())
}

/// What can be done with what, in the Management API.
const SYSTEM_SCOPES: [(&str, &str); 26] = [
    ("read create update delete", "client_grants"),
    ("read create update delete", "clients"),
    ("read update", "client_keys"),
    ("read create update delete", "client_credentials"),
    ("read", "client_summary"),
    ("read create update delete", "resource_servers"),
    ("read create update delete", "users"),
    ("read update delete create", "users_app_metadata"),
    ("create", "user_tickets"),
    ("read create update delete", "roles"),
    ("create delete", "role_members"),
    ("read", "logs"),
    ("read", "logs_users"),
    ("read create update delete", "log_streams"),
    ("create update read", "signing_keys"),
    ("read create update delete", "connections"),
    ("read update", "tenant_settings"),
    ("read", "stats"),
    ("read update", "attack_protection"),
    ("read delete create", "device_credentials"),
    ("read delete", "grants"),
    ("read delete", "anomaly_blocks"),
    ("read delete", "sessions"),
    ("read delete", "refresh_tokens"),
    ("read create update delete", "rate_limit_policies"),
    ("read create update delete", "organizations"),
];
