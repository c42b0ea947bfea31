//! Applications: made, changed, removed, and their secrets (CONTRACT §4.3; RFC 6749 §2).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Place;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{self, ClientId, TenantId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{Added, Change, Client, ClientSecret, Page, StoreError};

use super::{RegistryError, begin, checked_name, client_keys, commit};
use crate::tenant::Tenant;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 255;
/// Longest id that is chosen elsewhere, in bytes.
const MAX_ID_BYTES: usize = 64;
/// Longest secret that is chosen elsewhere, in bytes.
const MAX_SECRET_BYTES: usize = 256;
/// The grant types that an application may list: ours, and Auth0's that are still to come.
const OTHER_GRANT_TYPES: [&str; 10] = [
    "authorization_code",
    "implicit",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
];

/// The kinds of application; each begins with safe values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Machine to Machine: a confidential client with client credentials.
    MachineToMachine,
    /// A web application with a server that keeps its secret.
    RegularWeb,
    /// A page without a server: public.
    SinglePage,
    /// An app on a device: public.
    Native,
}

impl Kind {
    /// `app_type` on the wire.
    pub fn app_type(self) -> &'static str {
        match self {
            Self::MachineToMachine => "non_interactive",
            Self::RegularWeb => "regular_web",
            Self::SinglePage => "spa",
            Self::Native => "native",
        }
    }

    /// `token_endpoint_auth_method` on the wire.
    pub fn auth_method(self) -> &'static str {
        match self {
            Self::MachineToMachine | Self::RegularWeb => "client_secret_post",
            Self::SinglePage | Self::Native => "none",
        }
    }

    /// The grant types it begins with.
    pub fn grant_types(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::MachineToMachine => &["client_credentials"],
            Self::RegularWeb | Self::SinglePage | Self::Native => &["authorization_code", "refresh_token"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// An application to be made.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// What people call it.
    pub name: String,
    /// `app_type`; omitted when nothing was said.
    pub app_type: Option<String>,
    /// `grant_types`.
    pub grant_types: Vec<String>,
    /// `token_endpoint_auth_method`; omitted when nothing was said.
    pub auth_method: Option<String>,
    /// Whatever else it carries.
    pub rest: Map<String, Value>,
}

impl NewClient {
    /// An application of a kind, with that kind's values.
    pub fn of_kind(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            app_type: Some(kind.app_type().into()),
            grant_types: kind.grant_types(),
            auth_method: Some(kind.auth_method().into()),
            rest: Map::new(),
        }
    }

    /// The same with other grant types.
    #[must_use]
    pub fn with_grant_types(mut self, grants: &[GrantType]) -> Self {
        self.grant_types = grants.iter().map(|grant| grant.as_str().to_owned()).collect();
        self
    }

    /// The same with origins whose pages may read the token endpoint's answers.
    #[must_use]
    pub fn with_web_origins(mut self, origins: &[String]) -> Self {
        self.rest.insert("web_origins".into(), json!(origins));
        self
    }
}

/// Makes an application; a confidential one gets a secret.
pub async fn create(tenant: &Tenant, new: NewClient) -> Result<(Client, Option<Secret>), RegistryError> {
    let random = &tenant.house.random;
    create_as(tenant, new, ClientId::generate(random), id::client_secret(random)).await
}

/// The same under an id and, if it is confidential, with a secret that were chosen elsewhere, as in a seed.
pub async fn create_as(
    tenant: &Tenant,
    new: NewClient,
    id: ClientId,
    secret: Secret,
) -> Result<(Client, Option<Secret>), RegistryError> {
    check(&new)?;
    check_given(&id, &secret)?;
    if tenant
        .house
        .store
        .api_by_identifier(&tenant.id, id.as_str())
        .await?
        .is_some()
    {
        // An ID token, whose audience is a client, would pass for an access token (CONTRACT Decision 14).
        let text = "client_id is taken by an API";
        return Err(RegistryError::invalid("client_id", text));
    }
    let now = tenant.house.clock.now();
    let is_public = new.auth_method.as_deref() == Some("none");
    let client = Client {
        id,
        name: new.name,
        app_type: new.app_type,
        grant_types: new.grant_types,
        token_endpoint_auth_method: new.auth_method,
        is_first_party: true,
        is_global: false,
        rest: new.rest,
        created_at: now,
        updated_at: now,
    };
    let secret = (!is_public).then_some(secret);
    let change = Change::Client(client.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_client(&tenant.id, &client).await? == Added::Exists {
        return Err(RegistryError::Conflict("The client already exists".into()));
    }
    if let Some(secret) = &secret {
        let row = sealed_secret(tenant, &client.id, secret);
        let _new = tx.add_client_secret(&tenant.id, &row).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok((client, secret))
}

/// Removes an application with its secrets and grants.
pub async fn remove(tenant: &Tenant, id: &ClientId) -> Result<(), RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    if !tx.remove_client(&tenant.id, id).await? {
        return Err(not_found());
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Lets pages of these origins read an application's answers, beside those that may already.
pub async fn add_web_origins(tenant: &Tenant, id: &ClientId, origins: &[String]) -> Result<(), RegistryError> {
    let listed = |client: &Client| match client.rest.get("web_origins") {
        Some(Value::Array(listed)) => listed.clone(),
        Some(_) | None => Vec::new(),
    };
    let missing = |listed: &[Value]| {
        origins
            .iter()
            .map(|origin| json!(origin))
            .find(|origin| !listed.contains(origin))
    };
    if missing(&listed(&client(tenant, id).await?)).is_none() {
        return Ok(());
    }
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut client = tx.client(&tenant.id, id).await?.ok_or_else(not_found)?;
    let mut listed = listed(&client);
    while let Some(origin) = missing(&listed) {
        listed.push(origin);
    }
    client.rest.insert("web_origins".into(), Value::Array(listed));
    client.updated_at = tenant.house.clock.now();
    tx.update_client(&tenant.id, &client).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Gives an application a new secret; the old ones end at once.
pub async fn rotate_secret(tenant: &Tenant, id: &ClientId) -> Result<Secret, RegistryError> {
    let secret = id::client_secret(&tenant.house.random);
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let Some(client) = tx.client(&tenant.id, id).await? else {
        return Err(not_found());
    };
    if client.token_endpoint_auth_method.as_deref() == Some("none") {
        return Err(RegistryError::invalid(
            "token_endpoint_auth_method",
            "A public application has no secret",
        ));
    }
    if client_keys::uses_assertions(&client) {
        let text = "This application proves itself by its keys (private_key_jwt): a secret would not be accepted";
        return Err(RegistryError::Refused(text.into()));
    }
    for old in tx.client_secrets(&tenant.id, id).await? {
        tx.remove_client_secret(&tenant.id, id, &old.id).await?;
    }
    let _new = tx
        .add_client_secret(&tenant.id, &sealed_secret(tenant, id, &secret))
        .await?;
    commit(tenant, tx, &change).await?;
    Ok(secret)
}

/// The application with this id.
pub async fn client(tenant: &Tenant, id: &ClientId) -> Result<Client, RegistryError> {
    tenant.house.store.client(&tenant.id, id).await?.ok_or_else(not_found)
}

/// A page of the applications, by id.
pub async fn clients(tenant: &Tenant, page: Page) -> Result<Vec<Client>, RegistryError> {
    Ok(tenant.house.store.clients(&tenant.id, page).await?)
}

/// The newest secret of an application, shown again (CONTRACT Decision 6); `None` for one that has none.
pub async fn secret(tenant: &Tenant, id: &ClientId) -> Result<Option<Secret>, RegistryError> {
    let Some(newest) = tenant
        .house
        .store
        .client_secrets(&tenant.id, id)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let Some(sealed) = &newest.sealed else { return Ok(None) };
    let opened = tenant.house.secrets.open(secret_place(&tenant.id, &newest.id), sealed);
    let text = opened
        .ok()
        .and_then(|plain| String::from_utf8(plain.as_ref().to_vec()).ok());
    text.map(|text| Some(Secret::new(text)))
        .ok_or_else(|| StoreError::Damaged(format!("the secret of client {id} cannot be opened")).into())
}

fn check(new: &NewClient) -> Result<(), RegistryError> {
    checked_name(&new.name, MAX_NAME_CHARS)?;
    let known = |word: &str| word.parse::<GrantType>().is_ok() || OTHER_GRANT_TYPES.contains(&word);
    if let Some(unknown) = new.grant_types.iter().find(|word| !known(word)) {
        return Err(RegistryError::invalid(
            "grant_types",
            format!("Invalid grant types: {unknown}"),
        ));
    }
    let auth_method = new.auth_method.as_deref();
    if !matches!(
        auth_method,
        None | Some("none" | "client_secret_post" | "client_secret_basic")
    ) {
        let text = "token_endpoint_auth_method must be none, client_secret_post or client_secret_basic";
        return Err(RegistryError::invalid("token_endpoint_auth_method", text));
    }
    let client_credentials = GrantType::ClientCredentials.as_str();
    if auth_method == Some("none") && new.grant_types.iter().any(|word| word == client_credentials) {
        return Err(RegistryError::invalid(
            "grant_types",
            format!("Invalid grant types: {client_credentials}"),
        ));
    }
    Ok(())
}

/// Refuses an id or a secret that could not be sent, or not told from something else.
fn check_given(id: &ClientId, secret: &Secret) -> Result<(), RegistryError> {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if !is_word(id.as_str()) || id.as_str().len() > MAX_ID_BYTES {
        let text = format!("client_id is 1 to {MAX_ID_BYTES} visible ASCII characters without spaces");
        return Err(RegistryError::invalid("client_id", text));
    }
    if !is_word(secret.expose()) || secret.expose().len() > MAX_SECRET_BYTES {
        let text = format!("client_secret is 1 to {MAX_SECRET_BYTES} visible ASCII characters without spaces");
        return Err(RegistryError::invalid("client_secret", text));
    }
    Ok(())
}

fn sealed_secret(tenant: &Tenant, client: &ClientId, secret: &Secret) -> ClientSecret {
    let id = id::row_id(&tenant.house.random);
    let secrets = &tenant.house.secrets;
    ClientSecret {
        sealed: Some(secrets.seal(secret_place(&tenant.id, &id), secret.expose().as_bytes())),
        id,
        client_id: client.clone(),
        digest: secrets.digest(&tenant.id, client, secret).to_text(),
        created_at: tenant.house.clock.now(),
        expires_at: None,
    }
}

fn secret_place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place {
        tenant: tenant.as_str(),
        table: "client_secrets",
        row,
        column: "sealed",
    }
}

pub(super) fn not_found() -> RegistryError {
    RegistryError::NotFound("The client does not exist".into())
}
