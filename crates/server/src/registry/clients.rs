//! Applications: made, changed, removed, and their secrets (CONTRACT §4.3; RFC 6749 §2).

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::id::{self, ClientId};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Change, Client, ClientFilter, Page};

use super::client_keys::NewClientKey;
use super::{RegistryError, begin, client_keys, commit, connections, patch};
use crate::tenant::Tenant;

mod properties;
mod secrets;

pub use properties::properties;
pub use secrets::{end_secret, rotate_secret, rotate_secret_within, secret, secrets};

use secrets::{check_secret, replace_secrets, sealed_secret};

/// What the application is called that stands for all of a tenant's, so that Auth0's tools recognise it (CONTRACT §4.3).
const GLOBAL_NAME: &str = "All Applications";
/// Longest id that is chosen elsewhere, in bytes.
const MAX_ID_BYTES: usize = 64;
/// Longest secret that is chosen elsewhere, in bytes.
const MAX_SECRET_BYTES: usize = 256;

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

/// With what an application proves itself, where that is said and not made here.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Its secret.
    pub secret: Option<Secret>,
    /// Its keys; with some it has no secret (CONTRACT Decision 13).
    pub keys: Vec<NewClientKey>,
}

/// Makes an application; a confidential one gets a secret.
pub async fn create(tenant: &Tenant, new: NewClient) -> Result<(Client, Option<Secret>), RegistryError> {
    let client = Client {
        name: new.name,
        app_type: new.app_type,
        grant_types: new.grant_types,
        token_endpoint_auth_method: new.auth_method,
        rest: new.rest,
        ..blank(&tenant.house.random, tenant.house.clock.now())
    };
    properties::check(&client)?;
    add(tenant, client, Credentials::default()).await
}

/// The same under an id and, if it is confidential, with a secret that were chosen elsewhere, as in a seed.
pub async fn create_as(
    tenant: &Tenant,
    new: NewClient,
    id: ClientId,
    secret: Secret,
) -> Result<(Client, Option<Secret>), RegistryError> {
    check_given(&id, &secret)?;
    let store = &tenant.house.store;
    if store.api_by_identifier(&tenant.id, id.as_str()).await?.is_some() {
        // An ID token, whose audience is a client, would pass for an access token (CONTRACT Decision 14).
        let text = "client_id is taken by an API";
        return Err(RegistryError::invalid("client_id", text));
    }
    let client = Client {
        id,
        name: new.name,
        app_type: new.app_type,
        grant_types: new.grant_types,
        token_endpoint_auth_method: new.auth_method,
        rest: new.rest,
        ..blank(&tenant.house.random, tenant.house.clock.now())
    };
    properties::check(&client)?;
    let credentials = Credentials {
        secret: is_confidential(&client).then_some(secret),
        keys: Vec::new(),
    };
    add(tenant, client, credentials).await
}

/// Makes an application of its properties as they are on the wire, those left open by Auth0's defaults.
pub async fn create_of(
    tenant: &Tenant,
    said: Map<String, Value>,
    credentials: Credentials,
) -> Result<(Client, Option<Secret>), RegistryError> {
    let mut properties = Map::new();
    patch::apply(&mut properties, said, properties::RULES);
    properties::complete(&mut properties);
    let mut client = blank(&tenant.house.random, tenant.house.clock.now());
    properties::assign(&mut client, properties)?;
    add(tenant, client, credentials).await
}

/// Changes properties of an application, as they are on the wire: each key given replaces what was there, `null`
/// removes it. A secret given replaces the old ones.
pub async fn update(
    tenant: &Tenant,
    id: &ClientId,
    changes: Map<String, Value>,
    secret: Option<Secret>,
) -> Result<Client, RegistryError> {
    check_secret(secret.as_ref())?;
    let says_method = changes
        .get("token_endpoint_auth_method")
        .is_some_and(|method| !method.is_null());
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut client = tx.client(&tenant.id, id).await?.ok_or_else(not_found)?;
    let mut properties = properties(&client);
    patch::apply(&mut properties, changes, properties::RULES);
    properties::complete_refresh_token(&mut properties);
    properties::assign(&mut client, properties)?;
    let keys = tx.client_keys(&tenant.id, id).await?;
    if client_keys::settle(&mut client, &keys)? && says_method {
        let text = "token_endpoint_auth_method and client_authentication_methods exclude each other: \
                    set the one that goes to null";
        return Err(RegistryError::invalid("token_endpoint_auth_method", text));
    }
    client.updated_at = tenant.house.clock.now();
    tx.update_client(&tenant.id, &client).await?;
    let held = tx.client_secrets(&tenant.id, id).await?;
    let is_in_want = held.is_empty() && is_confidential(&client);
    if let Some(secret) = secret.or_else(|| is_in_want.then(|| id::client_secret(&tenant.house.random))) {
        replace_secrets(&mut tx, tenant, id, &secret).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok(client)
}

/// Removes an application with its secrets and grants.
pub async fn remove(tenant: &Tenant, id: &ClientId) -> Result<(), RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let client = tx.client(&tenant.id, id).await?.ok_or_else(not_found)?;
    if client.is_global {
        let text = "The application that stands for all of them cannot be deleted";
        return Err(RegistryError::Refused(text.into()));
    }
    tx.remove_client(&tenant.id, id).await?;
    connections::forget_client(&mut tx, tenant, id).await?;
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

/// The application with this id.
pub async fn client(tenant: &Tenant, id: &ClientId) -> Result<Client, RegistryError> {
    tenant.house.store.client(&tenant.id, id).await?.ok_or_else(not_found)
}

/// A page of the applications, by id, without the one that stands for all of them.
pub async fn clients(tenant: &Tenant, page: Page) -> Result<Vec<Client>, RegistryError> {
    let own = ClientFilter {
        is_global: Some(false),
        ..ClientFilter::default()
    };
    Ok(tenant.house.store.clients_matching(&tenant.id, &own, page).await?)
}

/// Makes the application that stands for all of a tenant's, unless it is there.
pub async fn ensure_global(tenant: &Tenant) -> Result<(), RegistryError> {
    let global = ClientFilter {
        is_global: Some(true),
        ..ClientFilter::default()
    };
    if tenant.house.store.clients_total(&tenant.id, &global).await? > 0 {
        return Ok(());
    }
    let client = self::global(&tenant.house.random, tenant.house.clock.now());
    let change = Change::Client(client.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_client(&tenant.id, &client).await? == Added::Yes {
        commit(tenant, tx, &change).await?;
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

/// The row of the application that stands for all of a new tenant's: it proves itself by nothing and gets no tokens.
pub(super) fn global(random: &Random, now: Timestamp) -> Client {
    Client {
        name: GLOBAL_NAME.into(),
        is_global: true,
        ..blank(random, now)
    }
}

async fn add(
    tenant: &Tenant,
    mut client: Client,
    credentials: Credentials,
) -> Result<(Client, Option<Secret>), RegistryError> {
    check_secret(credentials.secret.as_ref())?;
    let keys = credentials.keys.into_iter();
    let keys: Vec<_> = keys
        .map(|new| client_keys::row(tenant, &client.id, new))
        .collect::<Result<_, _>>()?;
    if !keys.is_empty() {
        client_keys::list(&mut client, &keys, tenant.house.clock.now());
    }
    client_keys::settle(&mut client, &keys)?;
    let generated = || is_confidential(&client).then(|| id::client_secret(&tenant.house.random));
    let secret = credentials.secret.or_else(generated);
    let change = Change::Client(client.id.clone());
    let mut tx = begin(tenant, &change).await?;
    if tx.add_client(&tenant.id, &client).await? == Added::Exists {
        return Err(RegistryError::Conflict("The client already exists".into()));
    }
    for key in &keys {
        client_keys::add_row(&mut tx, tenant, key).await?;
    }
    if let Some(secret) = &secret {
        let row = sealed_secret(tenant, &client.id, secret);
        tx.add_secret_of_new_client(&tenant.id, row).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok((client, secret))
}

/// An application of which nothing was said yet.
fn blank(random: &Random, now: Timestamp) -> Client {
    Client {
        id: ClientId::generate(random),
        name: String::new(),
        app_type: None,
        grant_types: Vec::new(),
        token_endpoint_auth_method: None,
        is_first_party: true,
        is_global: false,
        rest: Map::new(),
        created_at: now,
        updated_at: now,
    }
}

/// Whether an application proves itself by a secret.
fn is_confidential(client: &Client) -> bool {
    let is_public = client.token_endpoint_auth_method.as_deref() == Some("none");
    !is_public && !client.is_global && !client_keys::uses_assertions(client)
}

pub(super) fn not_found() -> RegistryError {
    RegistryError::NotFound("The client does not exist".into())
}
