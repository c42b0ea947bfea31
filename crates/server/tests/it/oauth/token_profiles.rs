//! The shapes of access tokens (CONTRACT §2.1; RFC 9068): each `token_dialect`, with and without policies.

use serde_json::{Value, json};

use tokenhouse::registry::apis::{self, ApiChanges, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::token_dialect::TokenDialect;
use tokenhouse::registry::{keys, tenants};
use tokenhouse_guard::{Guard, KeySet, LocalKeys, Profile};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::jose::base64url;
use tokenhouse_store::ApiScope;

use crate::house::{Ask, House, ISSUER, Jwt, NOW_S, USERNAME, member_names, with_secret};

const API: &str = "https://profile.example.com";
const DIALECTS: [TokenDialect; 4] = TokenDialect::ALL;

#[tokio::test]
async fn an_rfc_9068_token_has_that_profiles_type_and_claims() {
    let house = House::new().await;
    api(&house, TokenDialect::Rfc9068Profile, false).await;
    let token = machine(&house, "").await;
    let id = house.samples.sample.client_id.as_str();
    assert_eq!(
        token.header,
        format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{}"}}"#, token.kid())
    );
    let expected = format!(
        r#"{{"iss":"{ISSUER}","sub":"{id}@clients","aud":"{API}","iat":{NOW_S},"exp":{exp},"scope":"read:a write:a","jti":"{jti}","client_id":"{id}"}}"#,
        exp = NOW_S + 86_400,
        jti = token.text("jti"),
    );
    assert_eq!(token.payload, expected);
    assert!(strict(&house).await.verify(&token.raw).await.is_ok());
}

#[tokio::test]
async fn each_token_has_its_own_jti_of_22_characters() {
    let house = House::new().await;
    api(&house, TokenDialect::Rfc9068Profile, false).await;
    let (one, two) = (machine(&house, "").await, machine(&house, "").await);
    assert_ne!(one.text("jti"), two.text("jti"));
    assert_eq!(one.text("jti").len(), 22);
}

#[tokio::test]
async fn a_strict_guard_takes_rfc_9068_tokens_alone() {
    let house = House::new().await;
    api(&house, TokenDialect::AccessToken, false).await;
    let token = machine(&house, "").await;
    assert!(strict(&house).await.verify(&token.raw).await.is_err());
    assert!(
        house
            .guard("localhost:4000", API)
            .await
            .verify(&token.raw)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn every_algorithm_signs_every_dialect() {
    for algorithm in Algorithm::SIGNING {
        let house = House::new().await;
        let new = NewApi {
            algorithm,
            dialect: TokenDialect::Rfc9068Profile,
            ..NewApi::new(API)
        };
        apis::create(&*house.tenant().await, new).await.unwrap();
        allow(&house, &[]).await;
        let token = machine(&house, "").await;
        let header: Value = serde_json::from_str(&token.header).unwrap();
        assert_eq!(
            (&header["alg"], &header["typ"]),
            (&json!(algorithm.as_str()), &json!("at+jwt"))
        );
        if !algorithm.is_symmetric() {
            assert!(strict(&house).await.verify(&token.raw).await.is_ok(), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn permissions_are_told_only_by_authz_dialects_of_apis_that_enforce_policies() {
    for dialect in DIALECTS {
        for enforces in [false, true] {
            let house = House::new().await;
            api(&house, dialect, enforces).await;
            let token = machine(&house, "").await;
            let expected = (dialect.has_permissions() && enforces).then(|| json!(["read:a", "write:a"]));
            assert_eq!(
                token.claims.get("permissions").cloned(),
                expected,
                "{dialect} {enforces}"
            );
            assert_eq!(token.claims.get("gty").is_none(), dialect.is_rfc9068(), "{dialect}");
            assert_eq!(token.claims.get("azp").is_none(), dialect.is_rfc9068(), "{dialect}");
        }
    }
}

#[tokio::test]
async fn an_applications_permissions_are_the_scopes_it_was_given() {
    let house = House::new().await;
    api(&house, TokenDialect::AccessTokenAuthz, true).await;
    let token = machine(&house, "write:a").await;
    assert_eq!(token.text("scope"), "write:a");
    assert_eq!(token.claims["permissions"], json!(["write:a"]));
    assert_eq!(member_names(&token.payload).last().unwrap(), "permissions");
}

#[tokio::test]
async fn a_users_rfc_9068_token_is_good_for_userinfo_and_its_id_token_is_a_plain_jwt() {
    let house = House::new().await;
    api(&house, TokenDialect::Rfc9068Profile, false).await;
    let answer = house.password(&[("audience", API), ("scope", "openid email")]).await;
    let token = answer.token();
    assert_eq!(token.claims["client_id"], house.samples.password.client_id.as_str());
    assert!(strict(&house).await.verify(&token.raw).await.is_ok());
    assert!(Jwt::read(&answer.text("id_token")).header.contains(r#""typ":"JWT""#));
    let userinfo = house.ask(Ask::get("/userinfo").bearer(&token.raw)).await;
    assert_eq!((userinfo.status, userinfo.text("email")), (200, USERNAME.into()));
}

#[tokio::test]
async fn a_changed_dialect_is_in_the_next_token() {
    let house = House::new().await;
    api(&house, TokenDialect::AccessToken, false).await;
    assert_eq!(machine(&house, "").await.text("client_id"), "");
    let changes = ApiChanges {
        dialect: Some(TokenDialect::Rfc9068ProfileAuthz),
        enforces_policies: Some(true),
        ..ApiChanges::default()
    };
    apis::update(&*house.tenant().await, API, changes).await.unwrap();
    let token = machine(&house, "").await;
    assert_eq!(token.text("client_id"), house.samples.sample.client_id);
    assert_eq!(token.claims["permissions"], json!(["read:a", "write:a"]));
}

#[tokio::test]
async fn a_changed_api_keeps_what_the_change_does_not_name() {
    let house = House::new().await;
    api(&house, TokenDialect::Rfc9068Profile, true).await;
    let tenant = house.tenant().await;
    let before = apis::api(&tenant, API).await.unwrap();
    let changes = ApiChanges {
        scopes: Some(vec![scope("write:a")]),
        ..ApiChanges::default()
    };
    let after = apis::update(&tenant, API, changes).await.unwrap();
    assert_eq!(after, apis::api(&tenant, API).await.unwrap());
    let expected = tokenhouse_store::Api {
        scopes: vec![scope("write:a")],
        updated_at: after.updated_at,
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(machine(&house, "").await.text("scope"), "write:a");
    let bad = ApiChanges {
        token_lifetime_s: Some(-1),
        ..ApiChanges::default()
    };
    assert!(apis::update(&tenant, API, bad).await.is_err());
    let system = tenant.issuer.system_api();
    let scopes = ApiChanges {
        scopes: Some(Vec::new()),
        ..ApiChanges::default()
    };
    assert!(
        apis::update(&tenant, &system, scopes).await.is_err(),
        "its scopes are ours"
    );
}

#[tokio::test]
async fn new_rsa_keys_have_the_size_that_the_tenant_chose() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let set = async |bits: Value| {
        let setting = serde_json::Map::from_iter([("rsa_bits".to_owned(), bits)]);
        tenants::update_settings(&tenant, setting).await
    };
    for bad in [json!(1024), json!(2049), json!("3072"), json!(-1)] {
        assert!(set(bad.clone()).await.is_err(), "{bad}");
    }
    set(json!(3072)).await.unwrap();
    let new = NewApi {
        algorithm: Algorithm::Ps256,
        ..NewApi::new(API)
    };
    apis::create(&tenant, new).await.unwrap();
    allow(&house, &[]).await;
    assert!(
        house
            .guard("localhost:4000", API)
            .await
            .verify(&machine(&house, "").await.raw)
            .await
            .is_ok()
    );
    assert_eq!(modulus_bits(&house, "PS256").await, [3072, 3072]);
    assert_eq!(
        modulus_bits(&house, "RS256").await,
        [2048, 2048],
        "those made before stay as they are"
    );
    set(json!(4096)).await.unwrap();
    house.advance_s(3600);
    keys::rotate(&tenant, Algorithm::Rs256, false).await.unwrap();
    assert_eq!(modulus_bits(&house, "RS256").await, [2048, 2048, 4096]);
    house.advance_s(3600);
    keys::rotate(&tenant, Algorithm::Rs256, false).await.unwrap();
    assert!(house.accepts(&house.token(&house.samples.sample).await).await);
}

/// The sizes of the published keys of an algorithm, oldest first.
async fn modulus_bits(house: &House, algorithm: &str) -> Vec<usize> {
    let jwks = house.get("/.well-known/jwks.json").await.json();
    let keys = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["alg"] == algorithm);
    keys.map(|key| base64url::decode(key["n"].as_str().unwrap()).unwrap().len() * 8)
        .collect()
}

/// An API with two scopes, which the sample application is granted.
async fn api(house: &House, dialect: TokenDialect, enforces_policies: bool) {
    let new = NewApi {
        scopes: vec![scope("read:a"), scope("write:a")],
        dialect,
        enforces_policies,
        ..NewApi::new(API)
    };
    apis::create(&*house.tenant().await, new).await.unwrap();
    allow(house, &["read:a", "write:a"]).await;
}

async fn allow(house: &House, scopes: &[&str]) {
    let new = NewClientGrant {
        client_id: ClientId::new(&house.samples.sample.client_id),
        audience: API.into(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        allow_all_scopes: false,
    };
    client_grants::create(&*house.tenant().await, new).await.unwrap();
}

async fn machine(house: &House, scope: &str) -> Jwt {
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", API),
        ("scope", scope),
    ];
    let answer = house.post_form(&with_secret(&house.samples.sample, &fields)).await;
    answer.token()
}

/// A guard that takes RFC 9068's profile alone.
async fn strict(house: &House) -> Guard {
    let jwks = house.get("/.well-known/jwks.json").await;
    let builder = Guard::builder().issuer(ISSUER).audience(API).profile(Profile::Rfc9068);
    let keys = KeySet::from_json(jwks.body.as_bytes()).unwrap();
    builder
        .clock(house.clock.clone())
        .keys(LocalKeys::fixed(keys))
        .build()
        .unwrap()
}

fn scope(value: &str) -> ApiScope {
    ApiScope {
        value: value.into(),
        description: None,
    }
}
