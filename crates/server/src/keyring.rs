//! A tenant's signing keys in memory: the signers of the current keys, parsed once, and the JWKS that
//! everybody else sees (RFC 7517; CONTRACT §3.1).

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use serde_json::Value;

use tokenhouse_guard::{KeySet, KeySource, LookAgain, Unavailable};
use tokenhouse_protocol::crypto::{Algorithm, Place, SigningKey, sha256};
use tokenhouse_protocol::id::{KeyId, TenantId};
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_store::{Key, KeyState, Store, StoreError};

use crate::registry::certificate;
use crate::registry::secrets::Secrets;
use crate::tenant::House;

/// The keys of one tenant, read when first needed and again after a change. Cloning shares them.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    tenant: TenantId,
    store: Store,
    secrets: Arc<Secrets>,
    loaded: RwLock<Loaded>,
}

/// What is in memory, and how often it was forgotten.
#[derive(Default)]
struct Loaded {
    keys: Option<Arc<Keys>>,
    forgotten: u64,
}

/// The keys as they stood at one moment.
pub struct Keys {
    signers: HashMap<Algorithm, CurrentKey>,
    /// The public keys, as the guard of our own endpoints takes them.
    pub verifying: Arc<KeySet>,
    /// The JWKS document: every key but the revoked ones.
    pub jwks: String,
    /// The document's strong entity tag, with its quotes.
    pub etag: String,
    /// The certificate beside the key that signs RS256, as the Management API shows it with each application.
    pub certificates: Value,
}

/// The key that signs for one algorithm, with a signer for each `typ`.
struct CurrentKey {
    jwt: Signer,
    at_jwt: Signer,
}

impl Keyring {
    /// A keyring that has read nothing yet.
    pub fn new(house: &House, tenant: &TenantId) -> Self {
        Self(Arc::new(Inner {
            tenant: tenant.clone(),
            store: house.store.clone(),
            secrets: house.secrets.clone(),
            loaded: RwLock::new(Loaded::default()),
        }))
    }

    /// The keys as they stand.
    pub async fn keys(&self) -> Result<Arc<Keys>, StoreError> {
        let forgotten = {
            let loaded = self.read_lock();
            if let Some(keys) = &loaded.keys {
                return Ok(keys.clone());
            }
            loaded.forgotten
        };
        let rows = Box::pin(self.0.store.keys(&self.0.tenant)).await?;
        let keys = Arc::new(self.parse(&rows)?);
        let mut loaded = self.0.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if loaded.forgotten == forgotten {
            loaded.keys = Some(keys.clone());
        }
        Ok(keys)
    }

    /// Forgets the keys, since one was added, rotated or revoked.
    pub fn forget(&self) {
        let mut loaded = self.0.loaded.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        loaded.keys = None;
        loaded.forgotten += 1;
    }

    fn read_lock(&self) -> std::sync::RwLockReadGuard<'_, Loaded> {
        self.0.loaded.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn parse(&self, rows: &[Key]) -> Result<Keys, StoreError> {
        let mut signers = HashMap::new();
        let mut published = Vec::new();
        let mut certificate = None;
        for row in rows.iter().filter(|row| row.state != KeyState::Revoked) {
            let damaged = |why: &str| StoreError::Damaged(format!("signing key {}: {why}", row.id));
            let algorithm: Algorithm = row.algorithm.parse().map_err(|_| damaged("its algorithm is unknown"))?;
            let jwk: Jwk = serde_json::from_value(Value::Object(row.public.clone()))
                .map_err(|_| damaged("its public part cannot be read"))?;
            published.push(jwk);
            if row.state == KeyState::Current {
                let private = self
                    .0
                    .secrets
                    .open(key_place(&self.0.tenant, &row.id), &row.private_sealed)
                    .map_err(|error| damaged(&error.to_string()))?;
                let key =
                    SigningKey::from_pkcs8(algorithm, private.as_ref()).map_err(|error| damaged(&error.to_string()))?;
                let key = Arc::new(key);
                let jwt = Signer::new(key.clone(), Some(&row.id), "JWT");
                let at_jwt = Signer::new(key, Some(&row.id), "at+jwt");
                signers.insert(algorithm, CurrentKey { jwt, at_jwt });
                if algorithm == Algorithm::Rs256 {
                    certificate = certificate::of_jwk(&row.public);
                }
            }
        }
        let published = JwkSet { keys: published };
        let verifying = Arc::new(KeySet::from_jwks(&published));
        let jwks = published.to_json();
        let etag = format!("\"{}\"", base64url::encode(&sha256(jwks.as_bytes())[..12]));
        Ok(Keys {
            signers,
            verifying,
            jwks,
            etag,
            certificates: certificate.iter().map(|der| certificate::shown(der)).collect(),
        })
    }
}

/// The keys of our own endpoints' guard: nothing is fetched, they are here.
impl KeySource for Keyring {
    fn held(&self) -> Result<Arc<KeySet>, Unavailable> {
        Ok(self
            .read_lock()
            .keys
            .as_ref()
            .map(|keys| keys.verifying.clone())
            .unwrap_or_default())
    }

    fn look_again(&self) -> LookAgain<'_> {
        Box::pin(async {
            let keys = self.keys().await;
            keys.map(|keys| keys.verifying.clone())
                .map_err(|error| Unavailable::for_seconds(1, error.to_string()))
        })
    }
}

impl Keys {
    /// The signer of ID tokens and of Auth0's token profile (`typ: JWT`); `None` if the algorithm has no key yet.
    pub fn jwt_signer(&self, algorithm: Algorithm) -> Option<&Signer> {
        self.signers.get(&algorithm).map(|key| &key.jwt)
    }

    /// The signer of RFC 9068's token profile (`typ: at+jwt`); `None` if the algorithm has no key yet.
    pub fn at_jwt_signer(&self, algorithm: Algorithm) -> Option<&Signer> {
        self.signers.get(&algorithm).map(|key| &key.at_jwt)
    }
}

/// Where a key's private part is sealed.
pub fn key_place<'a>(tenant: &'a TenantId, key: &'a KeyId) -> Place<'a> {
    Place {
        tenant: tenant.as_str(),
        table: "keys",
        row: key.as_str(),
        column: "private",
    }
}
