//! A tenant's applications, APIs and connections, read through a bounded cache: a warm token request
//! reads no SQL. What is not there is remembered too, so that strangers cannot buy queries.
//!
//! A slow read must not put back what was forgotten meanwhile: an entry is kept only if nothing was
//! forgotten since its read began (DESIGN §4, "A change reaches every node").

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use tokenhouse_protocol::crypto::{Algorithm, Place, SigningKey};
use tokenhouse_protocol::id::{ApiId, ClientId, TenantId};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Change, Connection, Store, StoreError};

use crate::registry::secrets::{Digest, Secrets};
use crate::tenant::{House, Issuer};

/// Most names that are remembered as unknown, a tenant and kind.
const UNKNOWN_ENTRIES: usize = 4096;

/// An application as the token endpoint needs it: with its live secrets and its client grants.
#[derive(Debug)]
pub struct Application {
    /// The `client_id`.
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// The grant types it may use, by their words on the wire.
    pub grant_types: Vec<String>,
    /// `token_endpoint_auth_method`; `none` makes it a public client.
    pub auth_method: Option<String>,
    /// `is_token_endpoint_ip_header_trusted`: it says its users' addresses in a header.
    pub trusts_ip_header: bool,
    /// Origins whose pages may read the token endpoint's answers.
    pub origins: Vec<String>,
    /// Digests of its secrets; several while one is being rotated.
    pub secrets: Vec<ApplicationSecret>,
    /// What it was granted, an API each.
    pub grants: Vec<ApplicationGrant>,
}

/// One secret of an application.
#[derive(Debug)]
pub struct ApplicationSecret {
    /// Its keyed digest.
    pub digest: Digest,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// One client grant of an application (CONTRACT §4.5).
#[derive(Debug)]
pub struct ApplicationGrant {
    /// The API.
    pub api_id: ApiId,
    /// `client` for tokens of the application's own, `user` for those on a user's behalf.
    pub subject_type: String,
    /// The scopes, unless all.
    pub scopes: Vec<String>,
    /// Every scope of the API, now and later.
    pub allow_all_scopes: bool,
}

impl Application {
    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.auth_method.as_deref() == Some("none")
    }

    /// Its grant for an API on its own behalf.
    pub fn client_grant(&self, api: &ApiId) -> Option<&ApplicationGrant> {
        self.grants
            .iter()
            .find(|grant| grant.api_id == *api && grant.subject_type == "client")
    }

    /// Its grant for an API on its users' behalf.
    pub fn user_grant(&self, api: &ApiId) -> Option<&ApplicationGrant> {
        self.grants
            .iter()
            .find(|grant| grant.api_id == *api && grant.subject_type == "user")
    }
}

/// An API as the token endpoint needs it.
#[derive(Debug)]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// Its identifier, the `aud` of its tokens.
    pub identifier: String,
    /// What people call it.
    pub name: Option<String>,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// The signer, if the key is the API's own: HS256.
    pub own_signer: Option<Signer>,
    /// Seconds that its tokens live.
    pub token_lifetime_s: i64,
    /// Whether a user's scopes are limited to the user's permissions.
    pub enforces_policies: bool,
    /// Which applications get users' tokens for it.
    pub user_policy: UserPolicy,
    /// Whether it is the Management API.
    pub is_system: bool,
    /// The scopes it has.
    pub scopes: Vec<String>,
}

/// `subject_type_authorization.user.policy` (CONTRACT §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserPolicy {
    /// Every application, every scope.
    AllowAll,
    /// Those with a client grant for users' tokens.
    RequireClientGrant,
    /// None.
    DenyAll,
}

impl Api {
    /// Whether `scope` is one of its scopes.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }
}

/// The cached reads of one tenant.
pub struct Directory {
    tenant: TenantId,
    store: Store,
    secrets: Arc<Secrets>,
    system_api: String,
    clients: Shelf<ClientId, Application>,
    apis: Shelf<String, Api>,
    connections: Shelf<String, Connection>,
}

impl Directory {
    /// An empty directory of `tenant`.
    pub fn new(house: &House, tenant: &TenantId, issuer: &Issuer) -> Self {
        Self {
            tenant: tenant.clone(),
            store: house.store.clone(),
            secrets: house.secrets.clone(),
            system_api: issuer.system_api(),
            clients: Shelf::new(house.cache_entries),
            apis: Shelf::new(house.cache_entries),
            connections: Shelf::new(house.cache_entries),
        }
    }

    /// The application with this `client_id`.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Application>>, StoreError> {
        self.clients.get(id, async || self.read_client(id).await).await
    }

    /// The API with this identifier, compared exactly (CONTRACT §1.6).
    pub async fn api(&self, identifier: &str) -> Result<Option<Arc<Api>>, StoreError> {
        self.apis
            .get(&identifier.to_owned(), async || self.read_api(identifier).await)
            .await
    }

    /// The connection with this name.
    pub async fn connection(&self, name: &str) -> Result<Option<Arc<Connection>>, StoreError> {
        let read = async || self.store.connection_by_name(&self.tenant, name).await;
        self.connections.get(&name.to_owned(), read).await
    }

    /// Forgets what a change made untrue.
    pub fn forget(&self, change: &Change) {
        match change {
            Change::Client(id) => self.clients.forget(id),
            Change::Api(_) => self.apis.forget_all(),
            Change::Connection(_) => self.connections.forget_all(),
            // Users are never cached here; keys and settings are not the directory's.
            Change::User(_) | Change::Keys | Change::Settings => {}
        }
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.clients.forget_all();
        self.apis.forget_all();
        self.connections.forget_all();
    }

    async fn read_client(&self, id: &ClientId) -> Result<Option<Application>, StoreError> {
        let Some(client) = self.store.client(&self.tenant, id).await? else {
            return Ok(None);
        };
        let secrets = self.store.client_secrets(&self.tenant, id).await?;
        let grants = self.store.grants_of_client(&self.tenant, id).await?;
        let ip_header = client.rest.get("is_token_endpoint_ip_header_trusted");
        let trusts_ip_header = ip_header.and_then(serde_json::Value::as_bool).unwrap_or(false);
        let origins = ["web_origins", "allowed_origins"]
            .iter()
            .filter_map(|name| client.rest.get(*name)?.as_array())
            .flatten()
            .filter_map(|origin| origin.as_str().map(str::to_owned));
        // A page that may be called back is one of the application's own (CONTRACT §1.1).
        let callbacks = client
            .rest
            .get("callbacks")
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten();
        let callbacks = callbacks.filter_map(|url| Some(Issuer::parse(url.as_str()?).ok()?.origin()));
        let origins = origins.chain(callbacks).collect();
        Ok(Some(Application {
            id: client.id,
            name: client.name,
            grant_types: client.grant_types,
            auth_method: client.token_endpoint_auth_method,
            trusts_ip_header,
            origins,
            secrets: secrets
                .into_iter()
                .filter_map(|secret| {
                    Some(ApplicationSecret {
                        digest: Digest::from_text(&secret.digest)?,
                        expires_at: secret.expires_at,
                    })
                })
                .collect(),
            grants: grants
                .into_iter()
                .map(|grant| ApplicationGrant {
                    api_id: grant.api_id,
                    subject_type: grant.subject_type,
                    scopes: grant.scopes,
                    allow_all_scopes: grant.allow_all_scopes,
                })
                .collect(),
        }))
    }

    async fn read_api(&self, identifier: &str) -> Result<Option<Api>, StoreError> {
        let found = if identifier == self.system_api {
            self.store.system_api(&self.tenant).await?
        } else {
            self.store.api_by_identifier(&self.tenant, identifier).await?
        };
        let Some(api) = found else { return Ok(None) };
        let algorithm = api
            .signing_alg
            .parse()
            .map_err(|_| StoreError::Damaged(format!("API {} has the algorithm {:?}", api.id, api.signing_alg)))?;
        let scopes = if api.is_system {
            crate::registry::apis::system_scopes().collect()
        } else {
            api.scopes.into_iter().map(|scope| scope.value).collect()
        };
        let own_signer = match &api.signing_secret_sealed {
            Some(sealed) => Some(Signer::new(
                Arc::new(self.open_signing_secret(&api.id, sealed)?),
                None,
                "JWT",
            )),
            None => None,
        };
        let policy = |subject: &str| {
            api.rest
                .get("subject_type_authorization")?
                .get(subject)?
                .get("policy")?
                .as_str()
        };
        let user_policy = match policy("user") {
            None | Some("allow_all") => UserPolicy::AllowAll,
            Some("require_client_grant") => UserPolicy::RequireClientGrant,
            Some(_) => UserPolicy::DenyAll,
        };
        Ok(Some(Api {
            id: api.id,
            identifier: identifier.to_owned(),
            name: api.name,
            algorithm,
            own_signer,
            token_lifetime_s: api.token_lifetime_s,
            enforces_policies: api.enforce_policies,
            user_policy,
            is_system: api.is_system,
            scopes,
        }))
    }

    fn open_signing_secret(&self, api: &ApiId, sealed: &str) -> Result<SigningKey, StoreError> {
        let place = Place {
            tenant: self.tenant.as_str(),
            table: "apis",
            row: api.as_str(),
            column: "signing_secret",
        };
        let damaged = |why: String| StoreError::Damaged(format!("the signing secret of API {api}: {why}"));
        let secret = self
            .secrets
            .open(place, sealed)
            .map_err(|error| damaged(error.to_string()))?;
        SigningKey::hs256(secret.as_ref()).map_err(|error| damaged(error.to_string()))
    }
}

/// One kind of record by its key: those known, and in a smaller cache those known not to exist.
struct Shelf<K, V> {
    known: Cache<K, Arc<V>>,
    unknown: Cache<K, ()>,
    /// How often something was forgotten.
    forgotten: AtomicU64,
}

impl<K: Hash + Eq + Clone, V> Shelf<K, V> {
    fn new(entries: usize) -> Self {
        Self {
            known: Cache::new(entries),
            unknown: Cache::new(UNKNOWN_ENTRIES),
            forgotten: AtomicU64::new(0),
        }
    }

    /// The record of `key`, from the cache or by `read`.
    async fn get<E>(&self, key: &K, read: impl AsyncFnOnce() -> Result<Option<V>, E>) -> Result<Option<Arc<V>>, E> {
        if let Some(value) = self.known.get(key) {
            return Ok(Some(value));
        }
        if self.unknown.get(key).is_some() {
            return Ok(None);
        }
        let began = self.forgotten.load(Ordering::SeqCst);
        let found = read().await?.map(Arc::new);
        match &found {
            Some(value) => self.known.insert(key.clone(), value.clone()),
            None => self.unknown.insert(key.clone(), ()),
        }
        // Either this sees the new count, or whoever forgets sees the entry just made.
        if self.forgotten.load(Ordering::SeqCst) != began {
            self.known.remove(key);
            self.unknown.remove(key);
        }
        Ok(found)
    }

    fn forget(&self, key: &K) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.remove(key);
        self.unknown.remove(key);
    }

    fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.clear();
        self.unknown.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_read_does_not_put_back_what_was_forgotten() {
        let shelf = Shelf::<String, u32>::new(16);
        let key = "a".to_owned();
        let read = async || {
            shelf.forget(&key);
            Ok::<_, ()>(Some(1))
        };
        assert_eq!(shelf.get(&key, read).await.unwrap().as_deref(), Some(&1));
        let again = shelf.get(&key, async || Ok::<_, ()>(Some(2))).await.unwrap();
        assert_eq!(
            again.as_deref(),
            Some(&2),
            "the first answer was stale and must not have been kept"
        );
    }

    #[tokio::test]
    async fn what_is_known_and_what_is_unknown_are_read_once() {
        let shelf = Shelf::<String, u32>::new(16);
        for expected in [Some(1), None] {
            let key = format!("{expected:?}");
            shelf.get(&key, async || Ok::<_, ()>(expected)).await.unwrap();
            let again = shelf.get(&key, async || Err::<Option<u32>, _>("read twice")).await;
            assert_eq!(again.unwrap().as_deref().copied(), expected);
        }
    }
}
