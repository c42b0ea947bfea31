//! Signing keys: made when an algorithm is first needed, rotated, revoked, forgotten at last (DESIGN §6).
//!
//! `next` is published before it signs, so that no guard ever meets a key it has not seen: a rotation
//! refuses no valid token.

use std::fmt::Display;

use serde_json::Value;

use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::Jwk;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Change, Key, KeyState, Tx};

use super::apis::MAX_TOKEN_LIFETIME_S;
use super::{RegistryError, begin, certificate, commit};
use crate::keyring::key_place;
use crate::tenant::Tenant;

/// Seconds that a JWKS may be kept before it is asked for again.
pub const JWKS_MAX_AGE_S: i64 = 300;
/// Seconds beyond that for which `next` must have been public before it may sign.
const GRACE_S: i64 = 600;

/// Previous keys of one algorithm: guards read a key set of a hundred, of all algorithms, and no longer one.
const MAX_PREVIOUS: usize = 20;

/// The tenant setting that says how large new RSA keys are.
pub const RSA_BITS: &str = "rsa_bits";

/// Reads that setting; `None` if it is none of 2048, 3072 and 4096.
pub fn rsa_bits(setting: &Value) -> Option<RsaBits> {
    match setting.as_u64()? {
        2048 => Some(RsaBits::Bits2048),
        3072 => Some(RsaBits::Bits3072),
        4096 => Some(RsaBits::Bits4096),
        _ => None,
    }
}

/// Makes the current and the next key of an algorithm, unless there are some.
pub async fn ensure(tenant: &Tenant, algorithm: Algorithm) -> Result<(), RegistryError> {
    let keys = tenant.house.store.keys(&tenant.id).await?;
    if keys
        .iter()
        .any(|key| key.algorithm == algorithm.as_str() && key.state == KeyState::Current)
    {
        return Ok(());
    }
    let (current, next) = tokio::try_join!(
        make(tenant, algorithm, KeyState::Current),
        make(tenant, algorithm, KeyState::Next)
    )?;
    let mut tx = begin(tenant, &Change::Keys).await?;
    // Whoever was first has made them: ours are forgotten.
    if tx.keys(&tenant.id, algorithm.as_str()).await?.is_empty() {
        for key in [current, next] {
            add(&mut tx, tenant, &key).await?;
        }
        commit(tenant, tx, &Change::Keys).await?;
    }
    Ok(())
}

/// Makes the next key of every algorithm that has a current one alone, as after [`super::given_keys::add`].
pub async fn ensure_next(tenant: &Tenant) -> Result<(), RegistryError> {
    let keys = tenant.house.store.keys(&tenant.id).await?;
    for algorithm in Algorithm::SIGNING {
        let has = |state| {
            keys.iter()
                .any(|key| key.algorithm == algorithm.as_str() && key.state == state)
        };
        if !has(KeyState::Current) || has(KeyState::Next) {
            continue;
        }
        let next = make(tenant, algorithm, KeyState::Next).await?;
        let mut tx = begin(tenant, &Change::Keys).await?;
        match add(&mut tx, tenant, &next).await {
            Ok(()) => commit(tenant, tx, &Change::Keys).await?,
            // Another process was first.
            Err(RegistryError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// From when on a next key is known to every guard that keeps the key set as long as it may.
pub fn ready_at(next: &Key) -> Timestamp {
    next.created_at.plus_ms((JWKS_MAX_AGE_S + GRACE_S) * 1000)
}

/// Lets the next key sign and makes another next one; answers the new current key's id.
///
/// Refused while the next key has been public for less than the JWKS's max-age and ten minutes, since a
/// guard might not know it yet; `now` rotates all the same.
pub async fn rotate(tenant: &Tenant, algorithm: Algorithm, now: bool) -> Result<KeyId, RegistryError> {
    let new = make(tenant, algorithm, KeyState::Next).await?;
    let at = tenant.house.clock.now();
    let mut tx = begin(tenant, &Change::Keys).await?;
    let keys = tx.keys(&tenant.id, algorithm.as_str()).await?;
    let in_state = |state| keys.iter().find(|key| key.state == state);
    let (Some(current), Some(next)) = (in_state(KeyState::Current), in_state(KeyState::Next)) else {
        let text =
            format!("The tenant has no {algorithm} keys; they are made with the first API that uses {algorithm}");
        return Err(RegistryError::NotFound(text));
    };
    let ready = ready_at(next);
    if at < ready && !now {
        return Err(RegistryError::Refused(format!(
            "The next {algorithm} key has been public only since {}; APIs that cache the keys know it for certain \
             from {ready} on. Wait until then, or rotate at once with --now.",
            next.created_at
        )));
    }
    let previous = keys.iter().filter(|key| key.state == KeyState::Previous).count();
    if previous >= MAX_PREVIOUS {
        return Err(RegistryError::Refused(format!(
            "There are {previous} previous {algorithm} keys, and a longer key set is more than guards read. Revoke some \
             of them, or wait until the tokens they signed have expired"
        )));
    }
    tx.set_key_state(&tenant.id, &current.id, KeyState::Previous, at)
        .await?;
    tx.set_key_state(&tenant.id, &next.id, KeyState::Current, at).await?;
    add(&mut tx, tenant, &new).await?;
    commit(tenant, tx, &Change::Keys).await?;
    Ok(next.id.clone())
}

/// Revokes a previous key: it leaves the JWKS, and every token it signed is refused from then on.
pub async fn revoke(tenant: &Tenant, id: &KeyId) -> Result<(), RegistryError> {
    let mut tx = begin(tenant, &Change::Keys).await?;
    let mut found = None;
    for algorithm in Algorithm::SIGNING {
        let keys = tx.keys(&tenant.id, algorithm.as_str()).await?;
        found = found.or(keys.into_iter().find(|key| key.id == *id));
    }
    match found.map(|key| key.state) {
        Some(KeyState::Previous) => {}
        Some(KeyState::Revoked) => return Ok(()),
        Some(KeyState::Current | KeyState::Next) => {
            return Err(RegistryError::Refused(
                "Only a previous key can be revoked: rotate first, then revoke the key that was current".into(),
            ));
        }
        None => return Err(not_found()),
    }
    tx.set_key_state(&tenant.id, id, KeyState::Revoked, tenant.house.clock.now())
        .await?;
    commit(tenant, tx, &Change::Keys).await?;
    Ok(())
}

/// Removes previous keys whose last token has expired for certain; called now and then.
pub async fn prune(tenant: &Tenant) -> Result<usize, RegistryError> {
    let now = tenant.house.clock.now();
    let is_over = |key: &Key| {
        let ended = key.previous_at.or(key.revoked_at);
        matches!(key.state, KeyState::Previous | KeyState::Revoked)
            && ended.is_some_and(|ended| ended.plus_ms(MAX_TOKEN_LIFETIME_S * 1000) < now)
    };
    let over: Vec<Key> = tenant
        .house
        .store
        .keys(&tenant.id)
        .await?
        .into_iter()
        .filter(is_over)
        .collect();
    if over.is_empty() {
        return Ok(0);
    }
    let mut tx = begin(tenant, &Change::Keys).await?;
    for key in &over {
        tx.remove_key(&tenant.id, &key.id).await?;
    }
    commit(tenant, tx, &Change::Keys).await?;
    Ok(over.len())
}

/// Puts the keys of a test back as they were `before`, algorithm by algorithm; those of algorithms that had none stay.
pub async fn restore(tenant: &Tenant, before: &[Key]) -> Result<(), RegistryError> {
    let mut tx = begin(tenant, &Change::Keys).await?;
    let mut is_changed = false;
    for algorithm in Algorithm::SIGNING {
        let of_algorithm = |key: &&Key| key.algorithm == algorithm.as_str();
        let wanted: Vec<&Key> = before.iter().filter(of_algorithm).collect();
        let held = tx.keys(&tenant.id, algorithm.as_str()).await?;
        let is_same = held.len() == wanted.len() && held.iter().all(|key| wanted.contains(&key));
        if wanted.is_empty() || is_same {
            continue;
        }
        is_changed = true;
        for key in &held {
            tx.remove_key(&tenant.id, &key.id).await?;
        }
        for key in wanted {
            add(&mut tx, tenant, key).await?;
        }
    }
    if is_changed {
        commit(tenant, tx, &Change::Keys).await?;
    }
    Ok(())
}

/// What is said of a key that is not there.
pub fn not_found() -> RegistryError {
    RegistryError::NotFound("The signing key does not exist".into())
}

/// Every key of the tenant, in every state.
pub async fn keys(tenant: &Tenant) -> Result<Vec<Key>, RegistryError> {
    Ok(tenant.house.store.keys(&tenant.id).await?)
}

pub(super) async fn add(tx: &mut Tx<'static>, tenant: &Tenant, key: &Key) -> Result<(), RegistryError> {
    match tx.add_key(&tenant.id, key).await? {
        Added::Yes => Ok(()),
        Added::Exists => Err(RegistryError::Conflict(
            "Another rotation was made at the same moment; look again".into(),
        )),
    }
}

/// A new key, its private part sealed and its public part with a certificate.
async fn make(tenant: &Tenant, algorithm: Algorithm, state: KeyState) -> Result<Key, RegistryError> {
    let bits = tenant.settings().rsa_bits.unwrap_or(RsaBits::Bits2048);
    let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm, bits)).await;
    let key = generated.map_err(not_made)?;
    row(tenant, &key, KeyId::generate(&tenant.house.random), state)
}

/// The row of a key that begins in `state` now.
pub(super) fn row(tenant: &Tenant, key: &SigningKey, id: KeyId, state: KeyState) -> Result<Key, RegistryError> {
    let algorithm = key.algorithm();
    let now = tenant.house.clock.now();
    let certificate = certificate::self_signed(key, tenant.issuer.host(), now).map_err(not_made)?;
    let jwk =
        Jwk::from_signing_key(key, &id).ok_or_else(|| not_made(format_args!("{algorithm} has no public keys")))?;
    let Ok(Value::Object(public)) = serde_json::to_value(jwk.with_certificate(&certificate)) else {
        return Err(not_made("its public part does not serialise"));
    };
    Ok(Key {
        private_sealed: tenant.house.secrets.seal(key_place(&tenant.id, &id), &key.pkcs8()),
        id,
        algorithm: algorithm.as_str().into(),
        state,
        public,
        created_at: now,
        current_at: (state == KeyState::Current).then_some(now),
        previous_at: None,
        revoked_at: None,
    })
}

pub(super) fn not_made(why: impl Display) -> RegistryError {
    RegistryError::Refused(format!("A signing key could not be made: {why}"))
}
