//! Access tokens that are wrong in one way and right in every other.

use serde_json::{Value, json};

use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::token_dialect::TokenDialect;
use tokenhouse_guard::{Check, Outcome};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::ClientId;

use super::faults::steer;
use crate::house::{AUDIENCE, House, Jwt, NOW_S, with_secret};

async fn next_token(house: &House, wrong: Value) {
    let asked = steer(house, "PUT", "/dev/faults/next_token", Some(wrong)).await;
    assert_eq!(asked.status, 204, "{}", asked.body);
}

/// The checks that an API with the published keys sees fail.
async fn failures(house: &House, audience: &str, token: &Jwt) -> Vec<String> {
    let checks = house.guard("localhost:4000", audience).await.inspect(&token.raw).await;
    let failed = |check: &Check| matches!(check.outcome, Outcome::Failed { .. });
    checks
        .iter()
        .filter(|check| failed(check))
        .map(|check| check.name.to_owned())
        .collect()
}

#[tokio::test]
async fn the_next_token_is_wrong_in_one_way_and_the_one_after_it_is_right() {
    let house = House::with_faults().await;
    for (wrong, check) in [
        ("expired", "expiry"),
        ("not_yet_valid", "not before"),
        ("wrong_audience", "audience"),
        ("wrong_issuer", "issuer"),
        ("wrong_key", "signature"),
        ("unknown_key", "key"),
    ] {
        next_token(&house, json!({ "is": wrong })).await;
        let token = house.token(&house.samples.sample).await;
        assert_eq!(failures(&house, AUDIENCE, &token).await, [check], "{wrong}");
        let right = house.token(&house.samples.sample).await;
        assert!(house.accepts(&right).await, "after {wrong}");
        assert_eq!(
            token.header == right.header,
            wrong != "unknown_key",
            "{wrong}: {}",
            token.header
        );
        assert_eq!(token.claims["scope"], right.claims["scope"]);
    }
    // Each was issued and recorded as ever.
    assert_eq!(house.logs().await.len(), 12);
}

#[tokio::test]
async fn an_expired_token_lived_as_long_as_any() {
    let house = House::with_faults().await;
    next_token(&house, json!({ "is": "expired", "times": 2 })).await;
    for _ in 0..2 {
        let token = house.token(&house.samples.sample).await;
        assert_eq!(token.claims["exp"], NOW_S - 3600);
        assert_eq!(token.claims["iat"], NOW_S - 3600 - 86_400);
    }
    assert_eq!(house.token(&house.samples.sample).await.claims["iat"], NOW_S);
}

#[tokio::test]
async fn every_algorithm_and_profile_can_be_wrong() {
    let house = House::with_faults().await;
    let tenant = house.tenant().await;
    for (algorithm, dialect) in [
        (Algorithm::Hs256, TokenDialect::AccessToken),
        (Algorithm::Es256, TokenDialect::Rfc9068Profile),
        (Algorithm::EdDsa, TokenDialect::AccessToken),
    ] {
        let audience = format!("https://{algorithm}.example.com");
        let new = NewApi {
            algorithm,
            dialect,
            ..NewApi::new(audience.as_str())
        };
        apis::create(&tenant, new).await.unwrap();
        let grant = NewClientGrant {
            client_id: ClientId::new(house.samples.sample.client_id.as_str()),
            audience: audience.clone(),
            scopes: Vec::new(),
            allow_all_scopes: true,
        };
        client_grants::create(&tenant, grant).await.unwrap();
        let fields = [("grant_type", "client_credentials"), ("audience", audience.as_str())];
        let fields = with_secret(&house.samples.sample, &fields);
        let right = house.post_form(&fields).await.token();
        next_token(&house, json!({ "is": "expired" })).await;
        let wrong = house.post_form(&fields).await.token();
        assert_eq!(wrong.header, right.header);
        assert_eq!(wrong.claims["exp"], NOW_S - 3600);
        if algorithm != Algorithm::Hs256 {
            assert_eq!(failures(&house, &audience, &wrong).await, ["expiry"], "{algorithm}");
        }
    }
}

#[tokio::test]
async fn a_token_without_claims_of_its_own_leaves_the_fault_to_the_next_one() {
    let house = House::with_faults().await;
    next_token(&house, json!({ "is": "expired" })).await;
    // No API: an opaque token for the userinfo endpoint, beside an ID token.
    let opaque = house.password(&[("scope", "openid")]).await;
    assert_eq!(opaque.status, 200, "{}", opaque.body);
    let refused = house.post_form(&[("grant_type", "client_credentials")]).await;
    assert_ne!(refused.status, 200);
    assert_eq!(house.token(&house.samples.sample).await.claims["exp"], NOW_S - 3600);
}
