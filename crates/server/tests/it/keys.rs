//! Signing keys: a rotation refuses no valid token, a revocation refuses them all (DESIGN §6).

use serde_json::Value;

use tokenhouse::registry::RegistryError;
use tokenhouse::registry::keys::{JWKS_MAX_AGE_S, prune, revoke, rotate};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::KeyId;
use tokenhouse_store::KeyState;

use crate::house::{AUDIENCE, House, NOW_S};

/// After this long everybody who caches the keys has seen `next`.
const READY_S: i64 = JWKS_MAX_AGE_S + 600;

#[tokio::test]
async fn next_is_published_before_it_signs() {
    let house = House::new().await;
    let signed_by = house.token(&house.samples.sample).await.kid();
    let published = published(&house).await;
    assert_eq!(published.len(), 2, "{published:?}");
    assert!(published.contains(&signed_by));
    assert_eq!(in_state(&house, KeyState::Current).await.join(" "), signed_by);
    let next = in_state(&house, KeyState::Next).await;
    assert!(published.contains(&next[0]) && next[0] != signed_by);
}

#[tokio::test]
async fn next_may_not_sign_before_every_cache_has_seen_it() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    house.advance_s(READY_S - 1);
    let early = rotate(&tenant, Algorithm::Rs256, false).await;
    assert!(
        matches!(&early, Err(RegistryError::Refused(why)) if why.contains("--now")),
        "{early:?}"
    );
    house.advance_s(1);
    let next = in_state(&house, KeyState::Next).await;
    let current = rotate(&tenant, Algorithm::Rs256, false).await.unwrap();
    assert_eq!([current.as_str()], *next);
    // The one made by this rotation is young again.
    assert!(matches!(
        rotate(&tenant, Algorithm::Rs256, false).await,
        Err(RegistryError::Refused(_))
    ));
    assert!(rotate(&tenant, Algorithm::Rs256, true).await.is_ok());
}

#[tokio::test]
async fn a_rotation_refuses_no_valid_token() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    // An API that read the keys just before the rotation, and one that reads them just after.
    let before = house.guard("localhost:4000", AUDIENCE).await;
    let old = house.token(&house.samples.sample).await;
    house.advance_s(READY_S);
    rotate(&tenant, Algorithm::Rs256, false).await.unwrap();
    let new = house.token(&house.samples.sample).await;
    assert_ne!(old.kid(), new.kid());
    let after = house.guard("localhost:4000", AUDIENCE).await;
    for token in [&old, &new] {
        assert!(before.verify(&token.raw).await.is_ok());
        assert!(after.verify(&token.raw).await.is_ok());
    }
    // To its last second, and again after further rotations.
    house.advance_s(READY_S);
    rotate(&tenant, Algorithm::Rs256, false).await.unwrap();
    house
        .clock
        .advance_ms((NOW_S + 86_400 - 1) * 1000 - house.clock.now().ms());
    assert!(house.accepts(&old).await);
    // A guard allows five seconds beyond.
    house.advance_s(7);
    assert!(!house.accepts(&old).await, "expired");
}

#[tokio::test]
async fn a_revoked_key_leaves_the_jwks_and_its_tokens_with_it() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let old = house.token(&house.samples.sample).await;
    let etag = house.get("/.well-known/jwks.json").await.header("etag").to_owned();
    rotate(&tenant, Algorithm::Rs256, true).await.unwrap();
    assert!(published(&house).await.contains(&old.kid()));
    revoke(&tenant, &KeyId::new(old.kid())).await.unwrap();
    assert!(!published(&house).await.contains(&old.kid()));
    assert_ne!(house.get("/.well-known/jwks.json").await.header("etag"), etag);
    assert!(!house.accepts(&old).await);
    assert!(house.accepts(&house.token(&house.samples.sample).await).await);
    // Twice is as good as once.
    revoke(&tenant, &KeyId::new(old.kid())).await.unwrap();
}

#[tokio::test]
async fn the_keys_that_sign_or_soon_will_cannot_be_revoked() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    for state in [KeyState::Current, KeyState::Next] {
        let [key] = &in_state(&house, state).await[..] else {
            panic!("one key")
        };
        let refused = revoke(&tenant, &KeyId::new(key)).await;
        assert!(matches!(refused, Err(RegistryError::Refused(_))), "{refused:?}");
    }
    let unknown = revoke(&tenant, &KeyId::new("unknown")).await;
    assert!(matches!(unknown, Err(RegistryError::NotFound(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_previous_key_stays_until_the_longest_token_has_expired() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let old = house.token(&house.samples.sample).await.kid();
    rotate(&tenant, Algorithm::Rs256, true).await.unwrap();
    house.advance_s(30 * 86_400);
    assert_eq!(prune(&tenant).await.unwrap(), 0);
    assert!(published(&house).await.contains(&old));
    house.advance_s(1);
    assert_eq!(prune(&tenant).await.unwrap(), 1);
    assert!(!published(&house).await.contains(&old));
    assert!(house.accepts(&house.token(&house.samples.sample).await).await);
}

async fn published(house: &House) -> Vec<String> {
    let keys = house.get("/.well-known/jwks.json").await.json();
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(kid).collect()
}

async fn in_state(house: &House, state: KeyState) -> Vec<String> {
    let keys = house
        .tenant()
        .await
        .house
        .store
        .keys(&house.tenant().await.id)
        .await
        .unwrap();
    keys.into_iter()
        .filter(|key| key.state == state)
        .map(|key| key.id.as_str().to_owned())
        .collect()
}
