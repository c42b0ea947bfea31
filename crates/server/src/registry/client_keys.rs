//! The keys that applications prove themselves with, Auth0's credentials: `private_key_jwt` (CONTRACT §1.3, §4.3,
//! Decision 13; RFC 7523). An application that has one has no usable secret.

use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{Algorithm, KeyRejected, PublicKey, RsaBits, SigningKey, VerifyingKey};
use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::id::{ClientId, CredentialId};
use tokenhouse_protocol::jose::jwk::{Jwk, thumbprint};
use tokenhouse_protocol::jose::pem;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Change, Client, ClientKey, Tx};

use super::keys::not_made;
use super::{RegistryError, begin, checked_name, checked_text, clients, commit};
use crate::tenant::Tenant;

/// The algorithms of client assertions; HS256 is not one, since its key would be a secret that both sides hold.
pub const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::EdDsa,
];
/// The property that says how an application authenticates, and which keys count.
const METHODS: &str = "client_authentication_methods";
/// The property, ours alone, that lets assertions be for the token endpoint's URL.
const NAMES_TOKEN_ENDPOINT: &str = "is_token_endpoint_assertion_audience_allowed";
/// Most keys of one application: enough to roll over in each environment.
const MAX_KEYS: usize = 10;
/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 128;
/// Longest `kid`, in characters.
const MAX_KID_CHARS: usize = 64;
/// What is said of a key that signs otherwise.
const UNKNOWN_ALGORITHM: &str = "The key's alg is none of RS256, RS384, PS256, ES256, EdDSA";

/// The algorithm of an `alg`, if assertions may be signed with it.
pub fn algorithm(alg: &str) -> Option<Algorithm> {
    Algorithm::named(alg).ok().filter(|named| ALGORITHMS.contains(named))
}

/// A key to be registered.
#[derive(Clone, Debug)]
pub struct NewClientKey {
    /// What people call it.
    pub name: Option<String>,
    /// The key.
    pub public: PublicKey,
    /// The one algorithm that it signs with.
    pub algorithm: Algorithm,
    /// The `kid` of its assertions' headers; its RFC 7638 thumbprint if none is given.
    pub kid: Option<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl NewClientKey {
    /// Reads a public key as people hand it over: PEM of a key or a certificate, or a JWK with its `alg` and `kid`.
    pub fn read(text: &str) -> Result<Self, RegistryError> {
        let refused = |error: KeyRejected| RegistryError::invalid("pem", format!("The key cannot be used: {error}"));
        let (public, alg, kid) = if text.trim_start().starts_with('{') {
            let jwk: Map<String, Value> = serde_json::from_str(text)
                .map_err(|error| RegistryError::invalid("pem", format!("The key is no JWK: {error}")))?;
            if jwk.contains_key("d") || jwk.contains_key("k") {
                let text = "This JWK holds a private key, which belongs to the application alone: give its public half";
                return Err(RegistryError::invalid("pem", text));
            }
            let jwk: Jwk = serde_json::from_value(Value::Object(jwk))
                .map_err(|error| RegistryError::invalid("pem", format!("The key is no JWK: {error}")))?;
            (jwk.public_key().map_err(refused)?, jwk.alg, jwk.kid)
        } else {
            (pem::public_key(text).map_err(refused)?, None, None)
        };
        let algorithm = match (alg, &public) {
            (Some(word), _) => algorithm(&word).ok_or_else(|| RegistryError::invalid("pem", UNKNOWN_ALGORITHM))?,
            (None, PublicKey::Rsa { .. }) => Algorithm::Rs256,
            (None, PublicKey::P256 { .. }) => Algorithm::Es256,
            (None, PublicKey::Ed25519 { .. }) => Algorithm::EdDsa,
            (None, PublicKey::P384 { .. } | PublicKey::P521 { .. }) => {
                return Err(RegistryError::invalid("pem", "The key's curve is P-256 or Ed25519"));
            }
        };
        Ok(Self {
            name: None,
            public,
            algorithm,
            kid,
            expires_at: None,
        })
    }

    /// A new pair for the algorithm of this name: what is registered, and the private half in PEM, which is kept
    /// nowhere.
    pub async fn generate(alg: &str, name: Option<String>) -> Result<(Self, Secret), RegistryError> {
        let named = algorithm(alg);
        let algorithm = named.ok_or_else(|| RegistryError::invalid("alg", "No key is made for this algorithm"))?;
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm, RsaBits::Bits2048)).await;
        let key = made.map_err(not_made)?;
        let public = key
            .public()
            .ok_or_else(|| RegistryError::invalid("alg", "This algorithm has no public key"))?;
        let new = Self {
            name,
            public,
            algorithm,
            kid: None,
            expires_at: None,
        };
        Ok((new, pem::write_private_key(&key.pkcs8())))
    }

    /// Refuses a key that cannot be used, before anything is written.
    pub fn check(&self) -> Result<(), RegistryError> {
        if let Some(name) = &self.name {
            checked_name(name, MAX_NAME_CHARS)?;
        }
        if let Some(kid) = &self.kid {
            checked_text("kid", kid, MAX_KID_CHARS)?;
        }
        if !ALGORITHMS.contains(&self.algorithm) {
            return Err(RegistryError::invalid("alg", UNKNOWN_ALGORITHM));
        }
        VerifyingKey::new(self.algorithm, &self.public)
            .map(drop)
            .map_err(|error| RegistryError::invalid("pem", format!("The key cannot be used: {error}")))
    }
}

/// Registers a key; from then on the application proves itself by assertions alone.
pub async fn add(tenant: &Tenant, id: &ClientId, new: NewClientKey) -> Result<ClientKey, RegistryError> {
    register(tenant, id, new, true).await
}

/// Keeps a key for later: it counts once `client_authentication_methods` names it.
pub async fn keep(tenant: &Tenant, id: &ClientId, new: NewClientKey) -> Result<ClientKey, RegistryError> {
    register(tenant, id, new, false).await
}

async fn register(
    tenant: &Tenant,
    id: &ClientId,
    new: NewClientKey,
    is_listed: bool,
) -> Result<ClientKey, RegistryError> {
    let key = row(tenant, id, new)?;
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut client = tx.client(&tenant.id, id).await?.ok_or_else(clients::not_found)?;
    let mut keys = tx.client_keys(&tenant.id, id).await?;
    if keys.len() >= MAX_KEYS {
        let text = format!("An application has at most {MAX_KEYS} keys: remove one first");
        return Err(RegistryError::Refused(text));
    }
    add_row(&mut tx, tenant, &key).await?;
    if is_listed {
        keys.push(key.clone());
        list(&mut client, &keys, tenant.house.clock.now());
        tx.update_client(&tenant.id, &client).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok(key)
}

/// Sets when a key stops working.
pub async fn expire(
    tenant: &Tenant,
    id: &ClientId,
    key: &CredentialId,
    expires_at: Option<Timestamp>,
) -> Result<ClientKey, RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    tx.client(&tenant.id, id).await?.ok_or_else(clients::not_found)?;
    let keys = tx.client_keys(&tenant.id, id).await?;
    let mut key = keys.into_iter().find(|held| held.id == *key).ok_or_else(not_found)?;
    key.expires_at = expires_at;
    key.updated_at = tenant.house.clock.now();
    tx.update_client_key(&tenant.id, &key).await?;
    commit(tenant, tx, &change).await?;
    Ok(key)
}

/// The row of a new key.
pub(super) fn row(tenant: &Tenant, id: &ClientId, new: NewClientKey) -> Result<ClientKey, RegistryError> {
    new.check()?;
    let now = tenant.house.clock.now();
    let kid = new.kid.unwrap_or_else(|| thumbprint(&new.public));
    let jwk = serde_json::to_value(Jwk::new(&new.public, new.algorithm, &kid));
    let Ok(Value::Object(jwk)) = jwk else {
        return Err(RegistryError::invalid("pem", "The key does not serialise"));
    };
    Ok(ClientKey {
        id: CredentialId::generate(&tenant.house.random),
        client_id: id.clone(),
        name: new.name,
        kid,
        algorithm: new.algorithm.as_str().into(),
        jwk,
        created_at: now,
        updated_at: now,
        expires_at: new.expires_at,
    })
}

/// Adds the row of a new key.
pub(super) async fn add_row(tx: &mut Tx<'static>, tenant: &Tenant, key: &ClientKey) -> Result<(), RegistryError> {
    if tx.add_client_key(&tenant.id, key).await? == Added::Exists {
        let text = format!("The application has a key with the kid {} already", key.kid);
        return Err(RegistryError::Conflict(text));
    }
    Ok(())
}

/// Removes a key, named by its id or its `kid`. Without its last key the application cannot prove itself any more.
pub async fn remove(tenant: &Tenant, id: &ClientId, key: &str) -> Result<(), RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut client = tx.client(&tenant.id, id).await?.ok_or_else(clients::not_found)?;
    let mut keys = tx.client_keys(&tenant.id, id).await?;
    let is_named = |held: &ClientKey| held.id.as_str() == key || held.kid == key;
    let found = keys.iter().position(is_named).ok_or_else(not_found)?;
    let removed = keys.remove(found);
    tx.remove_client_key(&tenant.id, id, &removed.id).await?;
    if is_listed(&client, &removed) {
        let listed: Vec<_> = keys.into_iter().filter(|key| is_listed(&client, key)).collect();
        list(&mut client, &listed, tenant.house.clock.now());
        tx.update_client(&tenant.id, &client).await?;
    }
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// Lets an application's assertions be for the token endpoint's URL, as older clients write, beside the issuer; or no
/// longer.
pub async fn let_name_token_endpoint(tenant: &Tenant, id: &ClientId, may: bool) -> Result<(), RegistryError> {
    let change = Change::Client(id.clone());
    let mut tx = begin(tenant, &change).await?;
    let mut client = tx.client(&tenant.id, id).await?.ok_or_else(clients::not_found)?;
    match may {
        true => drop(client.rest.insert(NAMES_TOKEN_ENDPOINT.into(), json!(true))),
        false => drop(client.rest.remove(NAMES_TOKEN_ENDPOINT)),
    }
    client.updated_at = tenant.house.clock.now();
    tx.update_client(&tenant.id, &client).await?;
    commit(tenant, tx, &change).await?;
    Ok(())
}

/// The keys of an application, oldest first.
pub async fn keys(tenant: &Tenant, id: &ClientId) -> Result<Vec<ClientKey>, RegistryError> {
    clients::client(tenant, id).await?;
    Ok(tenant.house.store.client_keys(&tenant.id, id).await?)
}

/// Whether an application proves itself by assertions, and then by no secret.
pub fn uses_assertions(client: &Client) -> bool {
    client
        .rest
        .get(METHODS)
        .is_some_and(|methods| methods["private_key_jwt"].is_object())
}

/// Whether an application's assertions may be for the token endpoint's URL (CONTRACT Decision 13).
pub fn may_name_token_endpoint(client: &Client) -> bool {
    client.rest.get(NAMES_TOKEN_ENDPOINT) == Some(&Value::Bool(true))
}

/// Whether a key is one of those by which the application says that it authenticates.
pub fn is_listed(client: &Client, key: &ClientKey) -> bool {
    let credentials = client
        .rest
        .get(METHODS)
        .and_then(|methods| methods["private_key_jwt"]["credentials"].as_array());
    credentials.is_some_and(|listed| listed.iter().any(|entry| entry["id"] == key.id.as_str()))
}

/// Brings the ways in which a changed application authenticates into order; whether it is by assertions. Refuses keys
/// that are none of `keys`, and ways that there are not.
pub(super) fn settle(client: &mut Client, keys: &[ClientKey]) -> Result<bool, RegistryError> {
    let Some(methods) = client.rest.get(METHODS) else {
        return Ok(false);
    };
    let is_only_way = methods
        .as_object()
        .is_some_and(|methods| methods.keys().all(|method| method == "private_key_jwt"));
    let listed = methods["private_key_jwt"]["credentials"].as_array();
    let (true, Some(listed)) = (is_only_way, listed) else {
        let text = "client_authentication_methods must be private_key_jwt with a list of credentials";
        return Err(RegistryError::invalid(METHODS, text));
    };
    let is_known = |entry: &&Value| keys.iter().any(|key| entry["id"] == key.id.as_str());
    if let Some(unknown) = listed.iter().find(|entry| !is_known(entry)) {
        let id = reflected(unknown["id"].as_str().unwrap_or_default());
        let text = format!("client_authentication_methods names the credential {id}, which the application has not");
        return Err(RegistryError::invalid(METHODS, text));
    }
    client.token_endpoint_auth_method = None;
    Ok(true)
}

fn not_found() -> RegistryError {
    RegistryError::NotFound("The credential does not exist".into())
}

/// Writes into the application that it authenticates by these keys and nothing else.
pub(super) fn list(client: &mut Client, keys: &[ClientKey], now: Timestamp) {
    let ids: Vec<Value> = keys.iter().map(|key| json!({ "id": key.id })).collect();
    let methods = json!({ "private_key_jwt": { "credentials": ids } });
    client.rest.insert(METHODS.into(), methods);
    client.token_endpoint_auth_method = None;
    client.updated_at = now;
}
