//! Keys in the console: rotated when it is safe or when one insists, revoked with what that breaks.

use super::browser::{Browser, between};
use crate::house::{AUDIENCE, House};

const FIFTEEN_MINUTES_MS: i64 = 901_000;

#[tokio::test]
async fn keys_rotate_when_the_next_is_known_and_at_once_only_when_one_insists() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let page = browser.page("/console/keys").await;
    assert!(page.contains("Signs every new token") && page.contains("Published already"));
    let early = browser.post("/console/keys/rotate", &[("algorithm", "RS256")]).await;
    assert_eq!(early.status, 422);
    assert!(early.body.contains("Rotate RS256 at once"), "{}", early.body);
    assert!(
        early.body.contains("Wait a quarter of an hour") && !early.body.contains("--now"),
        "in the page's own words: {}",
        early.body
    );
    let token = house.token(&house.samples.sample).await;
    house.clock.advance_ms(FIFTEEN_MINUTES_MS);
    let rotated = browser.post("/console/keys/rotate", &[("algorithm", "RS256")]).await;
    assert!(rotated.body.contains("signs RS256 tokens now"), "{}", rotated.body);
    assert_ne!(house.token(&house.samples.sample).await.kid(), token.kid());
    assert_eq!(
        browser
            .post("/console/keys/rotate", &[("algorithm", "none")])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn revoking_says_what_it_breaks_first() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let token = house.token(&house.samples.sample).await;
    house.app.house.store.fold_usage().await.unwrap();
    house.clock.advance_ms(FIFTEEN_MINUTES_MS);
    let page = browser.post("/console/keys/rotate", &[("algorithm", "RS256")]).await;
    let kid = token.kid();
    let path = format!(
        "/console/keys/{}/revoke",
        between(&page.body, "href=\"/console/keys/", "/revoke").unwrap()
    );
    let confirm = browser.page(&path).await;
    assert!(
        confirm.contains(&kid) && confirm.contains("This breaks up to 1 access token"),
        "{confirm}"
    );
    assert!(
        confirm.contains(AUDIENCE) && confirm.contains("Not counted"),
        "{confirm}"
    );
    let revoked = browser.post(&path, &[]).await;
    assert!(revoked.body.contains("is revoked"), "{}", revoked.body);
    let jwks = house.get("/.well-known/jwks.json").await;
    assert!(!jwks.body.contains(&kid));
    assert_eq!(
        browser.get(&path).await.status,
        409,
        "only a previous key can be revoked"
    );
}
