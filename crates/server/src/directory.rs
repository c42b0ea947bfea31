//! A tenant's applications, APIs and connections, read through a bounded cache: a warm token request
//! reads no SQL. What is not there is remembered too, so that strangers cannot buy queries.
//!
//! A slow read must not put back what was forgotten meanwhile: an entry is kept only if nothing was
//! forgotten since its read began (DESIGN §4, "A change reaches every node").

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

use tokenhouse_protocol::crypto::{Place, SigningKey};
use tokenhouse_protocol::id::{ApiId, ClientId, TenantId};
use tokenhouse_store::{Change, Connection, Store, StoreError};

use crate::registry::secrets::Secrets;
use crate::tenant::{House, Issuer};

mod api;
mod application;

pub use api::{Api, UserPolicy};
pub use application::{Application, ApplicationGrant, ApplicationKey, ApplicationSecret};

/// Most names that are remembered as unknown, a tenant and kind.
const UNKNOWN_ENTRIES: usize = 4096;

/// Longest identifier or name that is looked up, in bytes; none can be longer: 600 characters of at most 4 bytes.
const MAX_NAME_BYTES: usize = 2400;

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
        if identifier.len() > MAX_NAME_BYTES {
            return Ok(None);
        }
        self.apis
            .get(&identifier.to_owned(), async || self.read_api(identifier).await)
            .await
    }

    /// The connection with this name.
    pub async fn connection(&self, name: &str) -> Result<Option<Arc<Connection>>, StoreError> {
        if name.len() > MAX_NAME_BYTES {
            return Ok(None);
        }
        let read = async || self.store.connection_by_name(&self.tenant, name).await;
        self.connections.get(&name.to_owned(), read).await
    }

    /// How often each cache had what was asked for, and how often it had to be read: name, hits, misses.
    pub fn cached(&self) -> [(&'static str, u64, u64); 3] {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("applications", count(&self.clients.hits), count(&self.clients.misses)),
            ("apis", count(&self.apis.hits), count(&self.apis.misses)),
            (
                "connections",
                count(&self.connections.hits),
                count(&self.connections.misses),
            ),
        ]
    }

    /// Forgets what a change made untrue.
    pub fn forget(&self, change: &Change) {
        match change {
            Change::Client(id) => self.clients.forget(id),
            Change::Api(_) => self.apis.forget_all(),
            Change::Connection(_) => self.connections.forget_all(),
            // People and roles are never cached here; keys and settings are not the directory's.
            Change::User(_) | Change::Role(_) | Change::Administrator(_) | Change::Keys | Change::Settings => {}
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
        let keys = self.store.client_keys(&self.tenant, id).await?;
        let grants = self.store.grants_of_client(&self.tenant, id).await?;
        Application::of(client, secrets, &keys, grants).map(Some)
    }

    async fn read_api(&self, identifier: &str) -> Result<Option<Api>, StoreError> {
        let found = if identifier == self.system_api {
            self.store.system_api(&self.tenant).await?
        } else {
            self.store.api_by_identifier(&self.tenant, identifier).await?
        };
        let Some(api) = found else { return Ok(None) };
        let own_key = match &api.signing_secret_sealed {
            Some(sealed) => Some(self.open_signing_secret(&api.id, sealed)?),
            None => None,
        };
        Api::of(api, identifier, own_key).map(Some)
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
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<K: Hash + Eq + Clone, V> Shelf<K, V> {
    fn new(entries: usize) -> Self {
        Self {
            known: Cache::new(entries),
            unknown: Cache::new(UNKNOWN_ENTRIES),
            forgotten: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The record of `key`, from the cache or by `read`.
    async fn get<E>(&self, key: &K, read: impl AsyncFnOnce() -> Result<Option<V>, E>) -> Result<Option<Arc<V>>, E> {
        if let Some(value) = self.known.get(key) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(Some(value));
        }
        if self.unknown.get(key).is_some() {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        // One reads, and whoever wants the same meanwhile waits for it.
        let place = match self.known.get_value_or_guard_async(key).await {
            Ok(value) => return Ok(Some(value)),
            Err(_) if self.unknown.get(key).is_some() => return Ok(None),
            Err(place) => place,
        };
        self.misses.fetch_add(1, Ordering::Relaxed);
        let began = self.forgotten.load(Ordering::SeqCst);
        // In a box, since every request holds the room for it, and few read.
        let found = Box::pin(read()).await?.map(Arc::new);
        match &found {
            Some(value) => {
                // The place is gone if the key was forgotten meanwhile: then nothing is kept.
                let _ = place.insert(value.clone());
            }
            None => {
                self.unknown.insert(key.clone(), ());
                drop(place);
            }
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
    async fn many_who_want_the_same_wait_for_one_read() {
        let shelf = Arc::new(Shelf::<String, u32>::new(16));
        let reads = Arc::new(AtomicU64::new(0));
        let asking: Vec<_> = (0..50)
            .map(|_| {
                let (shelf, reads) = (shelf.clone(), reads.clone());
                tokio::spawn(async move {
                    let read = async || {
                        reads.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        Ok::<_, ()>(Some(1))
                    };
                    shelf.get(&"a".to_owned(), read).await.unwrap().as_deref().copied()
                })
            })
            .collect();
        for one in asking {
            assert_eq!(one.await.unwrap(), Some(1));
        }
        assert_eq!(reads.load(Ordering::SeqCst), 1);
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
