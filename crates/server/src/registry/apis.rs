//! APIs, Auth0's resource servers: made, changed, removed (CONTRACT §4.4).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{Algorithm, Random};
use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Api, ApiScope, Change, Page};

use super::token_dialect::TokenDialect;
use super::{RegistryError, begin, check_given_id, checked_text, commit, patch};
use crate::tenant::Tenant;

mod properties;
mod signing;
mod system;

pub use properties::properties;
pub use signing::signing_secret;
pub(super) use system::system_api;
pub use system::{SYSTEM_API_NAME, system_scopes};

/// Longest identifier, in characters.
const MAX_IDENTIFIER_CHARS: usize = 600;
/// What of the system API can be changed.
const SYSTEM_PROPERTIES: [&str; 3] = [
    "token_lifetime",
    "token_lifetime_for_web",
    "skip_consent_for_verifiable_first_party_clients",
];

/// Longest life of an access token, in seconds: 30 days.
pub const MAX_TOKEN_LIFETIME_S: i64 = 2_592_000;
/// Life of an access token unless the API or the tenant says otherwise, in seconds: a day.
const DEFAULT_TOKEN_LIFETIME_S: i64 = 86_400;
/// Life of a token handed out in the browser's front channel unless the API says otherwise: two hours.
const DEFAULT_TOKEN_LIFETIME_FOR_WEB_S: i64 = 7200;

/// An API to be made.
#[derive(Clone, Debug)]
pub struct NewApi {
    /// Its id; made unless given.
    pub id: Option<ApiId>,
    /// The identifier, the `aud` of its tokens; it never changes.
    pub identifier: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its scopes, in order.
    pub scopes: Vec<ApiScope>,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// Seconds that its tokens live; as the tenant's settings say unless it does.
    pub token_lifetime_s: Option<i64>,
    /// How its access tokens look.
    pub dialect: TokenDialect,
    /// Whether a user's scopes are limited to the user's permissions: RBAC.
    pub enforces_policies: bool,
}

impl NewApi {
    /// An API with Auth0's defaults: RS256, a day unless the tenant's settings say otherwise, no scopes.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            id: None,
            identifier: identifier.into(),
            name: None,
            scopes: Vec::new(),
            algorithm: Algorithm::Rs256,
            token_lifetime_s: None,
            dialect: TokenDialect::default(),
            enforces_policies: false,
        }
    }
}

/// Makes an API; the keys of its algorithm are made with it if they are the first (DESIGN §6).
pub async fn create(tenant: &Tenant, new: NewApi) -> Result<Api, RegistryError> {
    let token_lifetime_s = new.token_lifetime_s.unwrap_or_else(|| default_token_lifetime_s(tenant));
    let id = match new.id {
        Some(id) => {
            check_given_id(id.as_str())?;
            id
        }
        None => ApiId::generate(&tenant.house.random),
    };
    let api = Api {
        id,
        identifier: Some(new.identifier),
        name: new.name,
        signing_alg: new.algorithm.as_str().into(),
        token_lifetime_s,
        token_lifetime_for_web_s: DEFAULT_TOKEN_LIFETIME_FOR_WEB_S.min(token_lifetime_s),
        // Omitted until it is set (CONTRACT §4.4).
        token_dialect: (new.dialect != TokenDialect::default()).then(|| new.dialect.as_str().into()),
        enforce_policies: new.enforces_policies,
        scopes: new.scopes,
        ..blank(&tenant.house.random, tenant.house.clock.now())
    };
    add(tenant, api, None).await
}

/// Makes an API of its properties as they are on the wire, those left open by the tenant's settings and Auth0's defaults.
pub async fn create_of(
    tenant: &Tenant,
    mut properties: Map<String, Value>,
    signing_secret: Option<Secret>,
) -> Result<Api, RegistryError> {
    properties.retain(|_, value| !value.is_null());
    let mut api = blank(&tenant.house.random, tenant.house.clock.now());
    api.identifier = match properties.remove("identifier") {
        Some(Value::String(identifier)) => Some(identifier),
        Some(_) | None => Some(String::new()),
    };
    properties
        .entry("token_lifetime")
        .or_insert_with(|| default_token_lifetime_s(tenant).into());
    properties::assign(&mut api, properties)?;
    add(tenant, api, signing_secret).await
}

/// Seconds that the tokens of a new API live that does not say it.
fn default_token_lifetime_s(tenant: &Tenant) -> i64 {
    let set = tenant.settings().default_token_lifetime_s;
    set.unwrap_or(DEFAULT_TOKEN_LIFETIME_S)
}

async fn add(tenant: &Tenant, mut api: Api, signing_secret: Option<Secret>) -> Result<Api, RegistryError> {
    check_identifier(tenant, api.identifier.as_deref().unwrap_or_default()).await?;
    properties::check(&api)?;
    signing::prepare(tenant, &api.signing_alg).await?;
    signing::settle(tenant, &mut api, signing_secret)?;
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
    let properties = [
        ("name", changes.name.map(Value::from)),
        ("scopes", changes.scopes.map(|scopes| json!(scopes))),
        ("token_lifetime", changes.token_lifetime_s.map(Value::from)),
        ("token_dialect", changes.dialect.map(|dialect| dialect.as_str().into())),
        ("enforce_policies", changes.enforces_policies.map(Value::from)),
    ];
    let named = properties
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    update_of(tenant, id_or_identifier, named.collect(), None).await
}

/// Changes properties of an API, as they are on the wire: each key given replaces what was there, `null` removes it.
pub async fn update_of(
    tenant: &Tenant,
    id_or_identifier: &str,
    changes: Map<String, Value>,
    signing_secret: Option<Secret>,
) -> Result<Api, RegistryError> {
    let id = api(tenant, id_or_identifier).await?.id;
    if let Some(Value::String(algorithm)) = changes.get("signing_alg") {
        signing::prepare(tenant, algorithm).await?;
    }
    let says_web = changes.contains_key("token_lifetime_for_web");
    let change = Change::Api(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut api = tx.api(&tenant.id, &id).await?.ok_or_else(not_found)?;
    if api.is_system
        && let Some(kept) = changes.keys().find(|name| !SYSTEM_PROPERTIES.contains(&name.as_str()))
    {
        let text = format!("The Management API keeps its {}", reflected(kept));
        return Err(RegistryError::invalid("scopes", text));
    }
    let before = std::mem::take(&mut api.scopes);
    let mut properties = properties(&Api {
        scopes: before.clone(),
        ..api.clone()
    });
    patch::apply(&mut properties, changes, properties::RULES);
    properties::assign(&mut api, properties)?;
    if !says_web {
        api.token_lifetime_for_web_s = api.token_lifetime_for_web_s.min(api.token_lifetime_s);
    }
    properties::check(&api)?;
    signing::settle(tenant, &mut api, signing_secret)?;
    for gone in before
        .iter()
        .filter(|old| api.scopes.iter().all(|new| new.value != old.value))
    {
        tx.remove_permissions(&tenant.id, &id, &gone.value).await?;
    }
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

async fn check_identifier(tenant: &Tenant, identifier: &str) -> Result<(), RegistryError> {
    checked_text("identifier", identifier, MAX_IDENTIFIER_CHARS)?;
    if identifier.trim() != identifier || identifier.is_empty() {
        return Err(RegistryError::invalid(
            "identifier",
            "identifier must not be empty nor begin or end in a space",
        ));
    }
    let issuer = &tenant.issuer;
    let reserved = [issuer.as_str(), &issuer.system_api(), &issuer.userinfo()].contains(&identifier);
    let client = ClientId::new(identifier);
    if reserved || tenant.house.store.client(&tenant.id, &client).await?.is_some() {
        // An ID token, whose audience is a client, would pass for an access token (CONTRACT Decision 14).
        return Err(RegistryError::invalid(
            "identifier",
            "identifier is taken by this server or by an application",
        ));
    }
    Ok(())
}

/// An API of which nothing was said yet.
fn blank(random: &Random, now: Timestamp) -> Api {
    Api {
        id: ApiId::generate(random),
        identifier: None,
        name: None,
        signing_alg: Algorithm::Rs256.as_str().into(),
        token_lifetime_s: DEFAULT_TOKEN_LIFETIME_S,
        token_lifetime_for_web_s: DEFAULT_TOKEN_LIFETIME_FOR_WEB_S,
        token_dialect: None,
        enforce_policies: false,
        allow_offline_access: false,
        is_system: false,
        signing_secret_sealed: None,
        scopes: Vec::new(),
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    }
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The resource server does not exist".into())
}
