//! Signing keys that somebody brings along in place of keys made here, as a seed does: fixed ones make tests that
//! read alike every time, and a start that has no key to make.

use tokenhouse_protocol::crypto::{Algorithm, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::pem;
use tokenhouse_store::{Change, KeyState};

use super::{RegistryError, begin, checked_text, commit, keys};
use crate::tenant::Tenant;

/// Longest `kid`, in characters.
const MAX_KID_CHARS: usize = 64;
/// An algorithm has one current and one next key.
const MAX_KEYS_OF_AN_ALGORITHM: usize = 2;

/// A key pair from elsewhere.
pub struct GivenKey {
    /// Its `kid`.
    pub id: KeyId,
    key: SigningKey,
}

impl GivenKey {
    /// Reads a private key as PEM of PKCS#8. Refuses HS256, whose secret belongs to one API, and a key of another kind.
    pub fn read(algorithm: Algorithm, kid: &str, private_pem: &str) -> Result<Self, RegistryError> {
        checked_text("kid", kid, MAX_KID_CHARS)?;
        if kid.is_empty() || algorithm.is_symmetric() {
            let text = "a signing key needs a kid, and an alg other than HS256";
            return Err(RegistryError::invalid("kid", text));
        }
        let read = pem::private_key(private_pem).and_then(|der| SigningKey::from_pkcs8(algorithm, &der));
        let unusable = |error| RegistryError::invalid("pem", format!("the key {kid} cannot be used: {error}"));
        Ok(Self {
            id: KeyId::new(kid),
            key: read.map_err(unusable)?,
        })
    }
}

/// Adds keys to a tenant: the first of each algorithm signs, the second is next. The same keys a second time change
/// nothing; keys beside others of their algorithm are refused, since some would have to go.
pub async fn add(tenant: &Tenant, given: &[GivenKey]) -> Result<(), RegistryError> {
    for algorithm in Algorithm::SIGNING {
        let of_algorithm: Vec<_> = given
            .iter()
            .filter(|given| given.key.algorithm() == algorithm)
            .collect();
        if of_algorithm.is_empty() {
            continue;
        }
        if of_algorithm.len() > MAX_KEYS_OF_AN_ALGORITHM {
            let text = format!("at most two {algorithm} keys: one that signs, and the next");
            return Err(RegistryError::invalid("keys", text));
        }
        let mut tx = begin(tenant, &Change::Keys).await?;
        let held = tx.keys(&tenant.id, algorithm.as_str()).await?;
        if held.iter().any(|key| key.id == of_algorithm[0].id) {
            continue;
        }
        if !held.is_empty() {
            return Err(RegistryError::Conflict(format!(
                "the tenant has other {algorithm} keys already: begin with an empty data folder (--fresh), or leave the \
                 keys out"
            )));
        }
        for (given, state) in of_algorithm.into_iter().zip([KeyState::Current, KeyState::Next]) {
            let row = keys::row(tenant, &given.key, given.id.clone(), state)?;
            keys::add(&mut tx, tenant, &row).await?;
        }
        commit(tenant, tx, &Change::Keys).await?;
    }
    Ok(())
}
