//! Makes the tenant that a seed file describes, through `registry` like anybody's own. What is there already is left as
//! it is, so that a second run in the same folder finds everything as it was.

use std::fmt::Display;
use std::sync::Arc;

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use toml::Table;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::{self, ApiId, ClientId, RoleId, UserId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::ApiScope;

use super::seed::{AUDIENCE, Application};
use super::seed_file::{
    ApiPart, ApplicationPart, GrantPart, KeyPart, PublicKeyPart, RolePart, SeedFile, TenantPart, UserPart,
};
use crate::cli::Failure;
use crate::management::request::{self, Asked};
use crate::registry::RegistryError;
use crate::registry::apis::{self, NewApi};
use crate::registry::client_grants::{self, NewClientGrant};
use crate::registry::client_keys::{self, NewClientKey};
use crate::registry::clients::{self, Kind, NewClient};
use crate::registry::connections::{self, DEFAULT_CONNECTION, PasswordPolicy};
use crate::registry::given_keys::GivenKey;
use crate::registry::roles;
use crate::registry::tenants;
use crate::registry::token_dialect::TokenDialect;
use crate::registry::users::{self, NewUser};
use crate::tenant::Tenant;

/// How an application proves itself that has keys; on the wire that is no method.
const PRIVATE_KEY_JWT: &str = "private_key_jwt";
/// What a seed calls the Management API, whose identifier follows the issuer.
const MANAGEMENT: &str = "management";

/// What was made, as `dev.json` tells it.
#[derive(Serialize)]
pub struct Seeded {
    /// The API that the sample API stands for: the seed's first.
    pub audience: String,
    /// The applications by name.
    pub applications: Map<String, Value>,
    /// The users.
    pub users: Vec<SeededUser>,
}

/// A user, as `dev.json` names them.
#[derive(Serialize)]
pub struct SeededUser {
    user_id: String,
    username: String,
    password: String,
}

/// The keys of a seed.
pub fn keys(seed: &SeedFile) -> Result<Vec<GivenKey>, Failure> {
    let given = |part: &KeyPart| {
        let algorithm = algorithm(&part.alg).map_err(|error| in_part("key", &part.kid, error))?;
        GivenKey::read(algorithm, &part.kid, part.pem.expose()).map_err(|error| in_part("key", &part.kid, error))
    };
    seed.keys.iter().map(given).collect()
}

/// Makes everything but the keys, which the tenant began with.
pub async fn sow(tenant: &Arc<Tenant>, seed: &SeedFile) -> Result<Seeded, Failure> {
    settings(tenant, &seed.tenant)
        .await
        .map_err(|error| in_part("section", "[tenant]", error))?;
    for part in &seed.apis {
        api(tenant, part)
            .await
            .map_err(|error| in_part("API", &part.identifier, error))?;
    }
    let mut applications = Map::new();
    for part in &seed.applications {
        let made = application(tenant, part)
            .await
            .map_err(|error| in_part("application", &part.name, error))?;
        applications.insert(part.name.clone(), json!(made));
    }
    for part in &seed.roles {
        role(tenant, part)
            .await
            .map_err(|error| in_part("role", &part.name, error))?;
    }
    let mut users = Vec::new();
    if !seed.users.is_empty() {
        connections::set_password_policy(tenant, DEFAULT_CONNECTION, PasswordPolicy::None).await?;
    }
    for part in &seed.users {
        let name = login(part);
        users.push(user(tenant, part).await.map_err(|error| in_part("user", name, error))?);
    }
    Ok(Seeded {
        audience: seed
            .apis
            .first()
            .map_or_else(|| AUDIENCE.to_owned(), |api| api.identifier.clone()),
        applications,
        users,
    })
}

async fn settings(tenant: &Arc<Tenant>, part: &TenantPart) -> Result<(), RegistryError> {
    let TenantPart {
        error_dialect,
        default_audience,
        settings,
    } = part;
    if !matches!(error_dialect.as_deref(), None | Some("auth0" | "rfc6749")) {
        return Err(refused("error_dialect is auth0 or rfc6749"));
    }
    let mut changes = Map::new();
    for (name, value) in [("error_dialect", error_dialect), ("default_audience", default_audience)] {
        changes.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
    }
    if !changes.is_empty() {
        tenants::update_settings(tenant, changes).await?;
    }
    change(tenant, "tenants/settings", settings).await
}

async fn api(tenant: &Arc<Tenant>, part: &ApiPart) -> Result<(), RegistryError> {
    let mut new = NewApi::new(part.identifier.as_str());
    new.id = part.id.as_ref().map(ApiId::new);
    let scope = |value: &String| ApiScope {
        value: value.clone(),
        description: None,
    };
    new.name.clone_from(&part.name);
    new.scopes = part.scopes.iter().map(scope).collect();
    new.enforces_policies = part.enforce_policies;
    new.token_lifetime_s = part.token_lifetime;
    if let Some(word) = &part.signing_alg {
        new.algorithm = algorithm(word)?;
    }
    if let Some(word) = &part.token_dialect {
        let known = || TokenDialect::ALL.map(TokenDialect::as_str).join(", ");
        new.dialect = word
            .parse()
            .map_err(|_| refused(format!("token_dialect is one of {}", known())))?;
    }
    let made = match apis::create(tenant, new).await {
        Err(RegistryError::Conflict(_)) => {
            let found = tenant
                .house
                .store
                .api_by_identifier(&tenant.id, &part.identifier)
                .await?;
            return found.map(|_| ()).ok_or_else(|| refused("its id is another API's"));
        }
        made => made?,
    };
    if let Some(secret) = &part.signing_secret {
        apis::update_of(tenant, made.id.as_str(), Map::new(), Some(secret.clone())).await?;
    }
    change(tenant, &format!("resource-servers/{}", made.id), &part.settings).await
}

async fn application(tenant: &Arc<Tenant>, part: &ApplicationPart) -> Result<Application, RegistryError> {
    let kind = match part.app_type.as_deref() {
        None | Some("non_interactive") => Kind::MachineToMachine,
        Some("regular_web") => Kind::RegularWeb,
        Some("spa") => Kind::SinglePage,
        Some("native") => Kind::Native,
        Some(_) => return Err(refused("app_type is non_interactive, regular_web, spa or native")),
    };
    let mut new = NewClient::of_kind(kind, part.name.as_str());
    if let Some(words) = &part.grant_types {
        new.grant_types.clone_from(words);
    }
    match part.token_endpoint_auth_method.as_deref() {
        Some(PRIVATE_KEY_JWT) if part.public_keys.is_empty() => {
            return Err(refused("an application with private_key_jwt needs public_keys"));
        }
        None | Some(PRIVATE_KEY_JWT) => {}
        Some(_) if !part.public_keys.is_empty() => {
            return Err(refused(
                "an application with public_keys proves itself by private_key_jwt",
            ));
        }
        Some(method) => new.auth_method = Some(method.to_owned()),
    }
    let found = match &part.client_id {
        Some(id) => {
            tenant
                .house
                .store
                .client(&tenant.id, &ClientId::new(id.as_str()))
                .await?
        }
        None => tenant.house.store.client_by_name(&tenant.id, &part.name).await?,
    };
    let id = match found {
        Some(found) => found.id,
        None => {
            let random = &tenant.house.random;
            let id = part
                .client_id
                .as_ref()
                .map_or_else(|| ClientId::generate(random), ClientId::new);
            let secret = part.client_secret.clone().unwrap_or_else(|| id::client_secret(random));
            let id = clients::create_as(tenant, new, id, secret).await?.0.id;
            for key in &part.public_keys {
                client_keys::add(tenant, &id, public_key(key)?).await?;
            }
            change(tenant, &format!("clients/{id}"), &part.settings).await?;
            id
        }
    };
    for grant in &part.grants {
        client_grant(tenant, &id, grant).await?;
    }
    let secret = match part.public_keys.is_empty() {
        true => clients::secret(tenant, &id).await?,
        false => None,
    };
    Ok(Application {
        client_id: id.as_str().into(),
        client_secret: secret.map(|secret| secret.expose().to_owned()).unwrap_or_default(),
    })
}

fn public_key(part: &PublicKeyPart) -> Result<NewClientKey, RegistryError> {
    let mut key = NewClientKey::read(&part.pem)?;
    if let Some(word) = &part.alg {
        let known = client_keys::ALGORITHMS.into_iter().find(|known| known.as_str() == word);
        key.algorithm = known.ok_or_else(|| refused("alg of a public key is RS256, PS256, ES256 or EdDSA"))?;
    }
    key.kid = part.kid.clone().or(key.kid);
    Ok(key)
}

async fn client_grant(tenant: &Tenant, client: &ClientId, part: &GrantPart) -> Result<(), RegistryError> {
    let audience = match part.audience.as_str() {
        MANAGEMENT => tenant.issuer.system_api(),
        audience => audience.to_owned(),
    };
    let new = NewClientGrant {
        client_id: client.clone(),
        audience,
        scopes: part.scopes.clone(),
        allow_all_scopes: part.all_scopes,
    };
    unless_there(client_grants::create(tenant, new).await)
}

async fn role(tenant: &Tenant, part: &RolePart) -> Result<(), RegistryError> {
    let id = match &part.id {
        Some(id) => RoleId::new(id),
        None => RoleId::generate(&tenant.house.random),
    };
    unless_there(roles::create_as(tenant, id, &part.name, part.description.as_deref()).await)?;
    let role = roles::role(tenant, &part.name).await?;
    for permissions in &part.permissions {
        for scope in &permissions.scopes {
            roles::add_permission(tenant, &role.id, &permissions.audience, scope).await?;
        }
    }
    Ok(())
}

async fn user(tenant: &Arc<Tenant>, part: &UserPart) -> Result<SeededUser, RegistryError> {
    let store = &tenant.house.store;
    let connection = connections::connection(tenant, DEFAULT_CONNECTION).await?;
    let user_id = match store.user_by_login(&tenant.id, &connection.id, login(part)).await? {
        Some(found) => found.id,
        None => make_user(tenant, part).await?,
    };
    Ok(SeededUser {
        user_id: user_id.as_str().into(),
        username: login(part).into(),
        password: part.password.expose().into(),
    })
}

async fn make_user(tenant: &Arc<Tenant>, part: &UserPart) -> Result<UserId, RegistryError> {
    let new = NewUser {
        connection: DEFAULT_CONNECTION.into(),
        email: part.email.clone(),
        email_verified: part.email_verified,
        username: part.username.clone(),
        password: Secret::new(part.password.expose()),
    };
    let made = || UserId::generate(&tenant.house.random);
    let id = part.user_id.as_ref().map_or_else(made, UserId::new);
    let id = users::create_as(tenant, new, id).await?.id;
    for name in &part.roles {
        let role = roles::role(tenant, name).await?;
        roles::assign(tenant, &id, &role.id).await?;
    }
    for permissions in &part.permissions {
        for scope in &permissions.scopes {
            roles::grant(tenant, &id, &permissions.audience, scope).await?;
        }
    }
    if part.blocked {
        users::set_blocked(tenant, &id, true).await?;
    }
    let encoded = utf8_percent_encode(id.as_str(), NON_ALPHANUMERIC);
    change(tenant, &format!("users/{encoded}"), &part.settings).await?;
    Ok(id)
}

/// Changes what a part's `settings` say, as the Management API would, with its checks.
async fn change(tenant: &Arc<Tenant>, path: &str, settings: &Table) -> Result<(), RegistryError> {
    if settings.is_empty() {
        return Ok(());
    }
    let asked = Asked {
        method: &Method::PATCH,
        path,
        query: "",
        body: serde_json::to_value(settings).map_err(|error| refused(format!("settings: {error}")))?,
    };
    let changed = Box::pin(request::perform(tenant, asked)).await;
    changed
        .map(drop)
        .map_err(|failure| refused(format!("settings: {}", failure.message())))
}

/// What the user signs in with.
fn login(part: &UserPart) -> &str {
    part.email.as_deref().or(part.username.as_deref()).unwrap_or_default()
}

fn algorithm(word: &str) -> Result<Algorithm, RegistryError> {
    word.parse()
        .map_err(|_| refused("the algorithm is RS256, PS256, ES256, EdDSA or HS256"))
}

fn refused(why: impl Into<String>) -> RegistryError {
    RegistryError::Refused(why.into())
}

fn in_part(kind: &str, name: &str, error: impl Display) -> Failure {
    Failure(format!("the seed's {kind} {name:?}: {error}"))
}

/// What exists already is what was wanted.
fn unless_there<T>(made: Result<T, RegistryError>) -> Result<(), RegistryError> {
    match made {
        Ok(_) | Err(RegistryError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
