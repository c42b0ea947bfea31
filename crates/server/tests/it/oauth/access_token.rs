//! The access token itself (CONTRACT §2; RFC 7519, RFC 7515): header, claims, their order, lifetimes, and
//! every algorithm that an API can have.

use serde_json::Value;

use tokenhouse::registry::RegistryError;
use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse_guard::Guard;
use tokenhouse_protocol::crypto::{Algorithm, Place};
use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Api, ApiScope};

use crate::house::{AUDIENCE, House, ISSUER, Jwt, NOW_S, member_names, with_secret};

#[tokio::test]
async fn header_and_claims_are_auth0s_in_auth0s_order() {
    let house = House::shared().await;
    let sample = &house.samples.sample;
    let token = house.token(sample).await;
    assert_eq!(
        token.header,
        format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{}"}}"#, token.kid())
    );
    let expected = format!(
        r#"{{"iss":"{ISSUER}","sub":"{id}@clients","aud":"{AUDIENCE}","iat":{NOW_S},"exp":{exp},"scope":"read:messages write:messages","gty":"client-credentials","azp":"{id}"}}"#,
        id = sample.client_id,
        exp = NOW_S + 86_400,
    );
    assert_eq!(token.payload, expected);
}

#[tokio::test]
async fn a_token_without_scopes_has_no_scope_claim() {
    let house = House::shared().await;
    let token = house.token(&house.samples.stranger).await;
    assert_eq!(
        member_names(&token.payload),
        ["iss", "sub", "aud", "iat", "exp", "gty", "azp"]
    );
}

#[tokio::test]
async fn an_applications_audience_is_one_string_whatever_its_scopes() {
    let house = House::shared().await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", AUDIENCE),
        ("scope", "read:messages"),
    ];
    let token = house
        .post_form(&with_secret(&house.samples.sample, &fields))
        .await
        .token();
    assert_eq!(token.claims["aud"], AUDIENCE);
}

#[tokio::test]
async fn times_are_whole_seconds_of_the_houses_clock() {
    let house = House::new().await;
    house.clock.advance_ms(999);
    let token = house.token(&house.samples.sample).await;
    assert_eq!(token.claims["iat"], Value::from(NOW_S));
    house.clock.advance_ms(1);
    assert_eq!(
        house.token(&house.samples.sample).await.claims["iat"],
        Value::from(NOW_S + 1)
    );
}

#[tokio::test]
async fn every_asymmetric_algorithm_signs_what_the_published_keys_verify() {
    let house = House::new().await;
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
        let audience = format!("https://{}.example.com", algorithm.as_str().to_lowercase());
        api(&house, &audience, algorithm).await;
        let token = token(&house, &audience).await;
        let header: Value = serde_json::from_str(&token.header).unwrap();
        assert_eq!(member_names(&token.header), ["alg", "typ", "kid"]);
        assert_eq!(
            (&header["alg"], &header["typ"]),
            (&Value::from(algorithm.as_str()), &Value::from("JWT"))
        );
        let verified = house
            .guard("localhost:4000", &audience)
            .await
            .verify(&token.raw)
            .await
            .unwrap();
        assert!(verified.has_scope("read:things"));
        let jwks = house.get("/.well-known/jwks.json").await.json();
        let of_kid = |key: &&Value| key["kid"] == header["kid"];
        let key = jwks["keys"].as_array().unwrap().iter().find(of_kid).unwrap().clone();
        assert_eq!(key["alg"], algorithm.as_str(), "one key set per algorithm");
        // Nor may a guard be talked into another algorithm with the same key.
        let only = |other| {
            let keys = tokenhouse_guard::KeySet::from_json(jwks.to_string().as_bytes()).unwrap();
            let builder = Guard::builder()
                .issuer(ISSUER)
                .audience(&audience)
                .clock(house.clock.clone());
            builder
                .algorithms([other])
                .keys(tokenhouse_guard::LocalKeys::fixed(keys))
                .build()
                .unwrap()
        };
        assert!(only(algorithm).verify(&token.raw).await.is_ok());
        let other = if algorithm == Algorithm::Rs256 {
            Algorithm::Ps256
        } else {
            Algorithm::Rs256
        };
        assert!(only(other).verify(&token.raw).await.is_err());
    }
    let jwks = house.get("/.well-known/jwks.json").await.json();
    let algorithms: Vec<_> = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["alg"].as_str().unwrap())
        .collect();
    assert_eq!(algorithms.len(), 8, "a current and a next one of each: {algorithms:?}");
}

#[tokio::test]
async fn an_hs256_token_is_signed_with_the_apis_own_secret_which_is_not_published() {
    let house = House::new().await;
    let before = house.get("/.well-known/jwks.json").await.body;
    let audience = "https://hs256.example.com";
    let api = api(&house, audience, Algorithm::Hs256).await;
    let token = token(&house, audience).await;
    assert_eq!(token.header, r#"{"alg":"HS256","typ":"JWT"}"#);
    assert_eq!(house.get("/.well-known/jwks.json").await.body, before);
    let tenant = house.tenant().await;
    let place = Place {
        tenant: tenant.id.as_str(),
        table: "apis",
        row: api.id.as_str(),
        column: "signing_secret",
    };
    let secret = tenant
        .house
        .secrets
        .open(place, api.signing_secret_sealed.as_deref().unwrap())
        .unwrap();
    crate::secrets::used(std::str::from_utf8(secret.as_ref()).unwrap());
    let builder = Guard::builder()
        .issuer(ISSUER)
        .audience(audience)
        .clock(house.clock.clone());
    let guard = builder.secret(secret.as_ref()).build().unwrap();
    assert!(guard.verify(&token.raw).await.is_ok());
    assert!(
        house
            .guard("localhost:4000", audience)
            .await
            .verify(&token.raw)
            .await
            .is_err(),
        "public keys are no secrets"
    );
}

#[tokio::test]
async fn an_hs256_api_keeps_a_single_audience_for_users() {
    let house = House::new().await;
    for (algorithm, audience, audiences) in [
        (Algorithm::Hs256, "https://one.example.com", 1),
        (Algorithm::Es256, "https://two.example.com", 2),
    ] {
        api(&house, audience, algorithm).await;
        let answer = house.password(&[("audience", audience), ("scope", "openid")]).await;
        let token = answer.token();
        match (&token.claims["aud"], audiences) {
            (Value::String(one), 1) => assert_eq!(one, audience),
            (Value::Array(two), 2) => assert_eq!(two.len(), 2),
            (other, _) => panic!("{other}"),
        }
        assert!(
            Jwt::read(&answer.text("id_token")).header.contains("RS256"),
            "an ID token is always RS256"
        );
    }
}

#[tokio::test]
async fn the_keys_of_a_new_algorithm_are_published_before_the_api_exists() {
    let house = House::new().await;
    let old = house.get("/.well-known/jwks.json").await;
    api(&house, "https://es256.example.com", Algorithm::Es256).await;
    let new = house.get("/.well-known/jwks.json").await;
    assert_ne!(old.header("etag"), new.header("etag"));
    assert!(new.body.contains("\"ES256\"") && !old.body.contains("\"ES256\""));
}

#[tokio::test]
async fn a_lifetime_is_the_apis_and_at_most_thirty_days() {
    let house = House::new().await;
    for (seconds, audience) in [
        (1, "https://short.example.com"),
        (2_592_000, "https://long.example.com"),
    ] {
        let new = NewApi {
            token_lifetime_s: Some(seconds),
            ..NewApi::new(audience)
        };
        apis::create(&*house.tenant().await, new).await.unwrap();
        grant(&house, audience, &[]).await;
        let fields = with_secret(
            &house.samples.sample,
            &[("grant_type", "client_credentials"), ("audience", audience)],
        );
        let answer = house.post_form(&fields).await;
        assert_eq!(answer.json()["expires_in"], seconds);
        assert_eq!(answer.token().claims["exp"], NOW_S + seconds);
    }
    for seconds in [-1, 2_592_001, i64::MAX] {
        let new = NewApi {
            token_lifetime_s: Some(seconds),
            ..NewApi::new("https://never.example.com")
        };
        let refused = apis::create(&*house.tenant().await, new).await;
        assert!(
            matches!(
                refused,
                Err(RegistryError::Invalid {
                    property: "token_lifetime",
                    ..
                })
            ),
            "{seconds}"
        );
    }
}

#[tokio::test]
async fn the_issuer_does_not_follow_the_host_of_the_request() {
    let house = House::shared().await;
    let fields = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    for host in ["127.0.0.1:4000", "[::1]:4000", "localhost", "localhost:8080"] {
        let ask = crate::house::Ask::token(&with_secret(&house.samples.sample, &fields))
            .host(host)
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=https")
            .header("x-forwarded-proto", "https");
        assert_eq!(house.ask(ask).await.token().text("iss"), ISSUER, "{host}");
    }
}

/// An API with one scope, which the sample application is granted.
async fn api(house: &House, audience: &str, algorithm: Algorithm) -> Api {
    let scopes = vec![ApiScope {
        value: "read:things".into(),
        description: None,
    }];
    let new = NewApi {
        algorithm,
        scopes,
        ..NewApi::new(audience)
    };
    let api = apis::create(&*house.tenant().await, new).await.unwrap();
    grant(house, audience, &["read:things"]).await;
    api
}

async fn grant(house: &House, audience: &str, scopes: &[&str]) {
    let new = NewClientGrant {
        client_id: ClientId::new(&house.samples.sample.client_id),
        audience: audience.into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        allow_all_scopes: false,
    };
    client_grants::create(&*house.tenant().await, new).await.unwrap();
}

async fn token(house: &House, audience: &str) -> Jwt {
    let fields = [("grant_type", "client_credentials"), ("audience", audience)];
    house
        .post_form(&with_secret(&house.samples.sample, &fields))
        .await
        .token()
}
