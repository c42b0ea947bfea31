//! The samples that `tokenhouse dev` begins with, made through `registry` like anybody's own. What is
//! there already is left as it is, so that a second run finds everything as it was.

use serde::Serialize;

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::ApiScope;

use crate::registry::RegistryError;
use crate::registry::apis::{self, NewApi};
use crate::registry::client_grants::{self, NewClientGrant};
use crate::registry::clients::{self, Kind, NewClient};
use crate::registry::connections::{self, DEFAULT_CONNECTION, PasswordPolicy};
use crate::registry::users::{self, NewUser};
use crate::tenant::Tenant;

/// The sample API's identifier.
pub const AUDIENCE: &str = "https://api.example.com";
/// The sample user's name.
pub const USERNAME: &str = "user@example.com";
/// The sample user's password: public, which is why `dev` listens on this machine alone.
pub const PASSWORD: &str = "pwd";
/// The sample API's scopes.
const SCOPES: [(&str, &str); 2] = [("read:messages", "Read messages"), ("write:messages", "Write messages")];

/// The sample applications, as `dev.json` names them.
#[derive(Clone, Serialize)]
pub struct Applications {
    /// "Sample application": both scopes.
    pub sample: Application,
    /// "Sample reader": `read:messages` only.
    pub reader: Application,
    /// "Sample stranger": a client grant of no scope.
    pub stranger: Application,
    /// "Sample password client": the password grant, no client grant.
    pub password: Application,
    /// "Sample administrator": every scope of the system API.
    pub admin: Application,
}

/// A sample application's credentials.
#[derive(Clone, Serialize)]
pub struct Application {
    /// Its `client_id`.
    pub client_id: String,
    /// Its `client_secret`.
    pub client_secret: String,
}

/// What a sample application may get tokens for.
enum Grant {
    None,
    Scopes(&'static [&'static str]),
    EverySystemScope,
}

/// Makes the samples, or finds them; pages of `origins` may ask for their tokens.
pub async fn seed(tenant: &Tenant, origins: &[String]) -> Result<Applications, RegistryError> {
    api(tenant).await?;
    user(tenant).await?;
    let machine = |name: &str| NewClient::of_kind(Kind::MachineToMachine, name).with_web_origins(origins);
    let with_password = machine("Sample password client").with_grant_types(&[
        GrantType::ClientCredentials,
        GrantType::Password,
        GrantType::PasswordRealm,
    ]);
    let both = Grant::Scopes(&["read:messages", "write:messages"]);
    Ok(Applications {
        sample: application(tenant, machine("Sample application"), both, origins).await?,
        reader: application(
            tenant,
            machine("Sample reader"),
            Grant::Scopes(&["read:messages"]),
            origins,
        )
        .await?,
        stranger: application(tenant, machine("Sample stranger"), Grant::Scopes(&[]), origins).await?,
        password: application(tenant, with_password, Grant::None, origins).await?,
        admin: application(
            tenant,
            machine("Sample administrator"),
            Grant::EverySystemScope,
            origins,
        )
        .await?,
    })
}

async fn api(tenant: &Tenant) -> Result<(), RegistryError> {
    let scope = |(value, description): (&str, &str)| ApiScope {
        value: value.to_owned(),
        description: Some(description.to_owned()),
    };
    let new = NewApi {
        name: Some("Sample API".into()),
        scopes: SCOPES.into_iter().map(scope).collect(),
        ..NewApi::new(AUDIENCE)
    };
    unless_there(apis::create(tenant, new).await)
}

async fn user(tenant: &Tenant) -> Result<(), RegistryError> {
    let connection = connections::connection(tenant, DEFAULT_CONNECTION).await?;
    if tenant
        .house
        .store
        .user_by_login(&tenant.id, &connection.id, USERNAME)
        .await?
        .is_some()
    {
        return Ok(());
    }
    connections::set_password_policy(tenant, DEFAULT_CONNECTION, PasswordPolicy::None).await?;
    let new = NewUser {
        connection: DEFAULT_CONNECTION.into(),
        email: Some(USERNAME.into()),
        email_verified: true,
        username: None,
        password: Secret::new(PASSWORD),
    };
    unless_there(users::create(tenant, new).await)
}

async fn application(
    tenant: &Tenant,
    new: NewClient,
    grant: Grant,
    origins: &[String],
) -> Result<Application, RegistryError> {
    let id = match tenant.house.store.client_by_name(&tenant.id, &new.name).await? {
        Some(found) => {
            // The ports of an earlier run may have been others.
            clients::add_web_origins(tenant, &found.id, origins).await?;
            found.id
        }
        None => clients::create(tenant, new).await?.0.id,
    };
    match grant {
        Grant::None => {}
        Grant::Scopes(scopes) => {
            let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            client_grant(tenant, &id, AUDIENCE.into(), scopes, false).await?;
        }
        Grant::EverySystemScope => {
            client_grant(tenant, &id, tenant.issuer.system_api(), Vec::new(), true).await?;
        }
    }
    let secret = match clients::secret(tenant, &id).await? {
        Some(secret) => secret,
        None => clients::rotate_secret(tenant, &id).await?,
    };
    Ok(Application {
        client_id: id.as_str().into(),
        client_secret: secret.expose().into(),
    })
}

async fn client_grant(
    tenant: &Tenant,
    client: &ClientId,
    audience: String,
    scopes: Vec<String>,
    allow_all_scopes: bool,
) -> Result<(), RegistryError> {
    let new = NewClientGrant {
        client_id: client.clone(),
        audience,
        scopes,
        allow_all_scopes,
    };
    unless_there(client_grants::create(tenant, new).await)
}

/// What exists already is what was wanted.
fn unless_there<T>(made: Result<T, RegistryError>) -> Result<(), RegistryError> {
    match made {
        Ok(_) | Err(RegistryError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
