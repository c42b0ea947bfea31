//! Applications that prove themselves by a signed assertion (RFC 7523; CONTRACT §1.3, Decision 13).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use tokenhouse::registry::client_keys::{self, NewClientKey};
use tokenhouse::registry::{RegistryError, certificate, clients};
use tokenhouse_protocol::credentials::JWT_BEARER;
use tokenhouse_protocol::crypto::{Algorithm, Random, RsaBits, SigningKey};
use tokenhouse_protocol::id::{ClientId, KeyId, row_id};
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::jose::jwk::{Jwk, thumbprint};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::ClientKey;

use crate::house::{AUDIENCE, Answer, Ask, House, ISSUER, NOW_S};

mod audience;

#[tokio::test]
async fn every_algorithm_of_the_metadata_proves_an_application() {
    let house = House::new().await;
    let document = house.get("/.well-known/openid-configuration").await.json();
    for word in document["token_endpoint_auth_signing_alg_values_supported"]
        .as_array()
        .unwrap()
    {
        let algorithm = Algorithm::named(word.as_str().unwrap()).unwrap();
        let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
        let mut new = NewClientKey::read(&pem(&key)).unwrap();
        new.algorithm = algorithm;
        let added = client_keys::add(&*house.tenant().await, &id(&house), new)
            .await
            .unwrap();
        let signer = Signer::new(Arc::new(key), Some(&KeyId::new(&added.kid)), "JWT");
        let token = ask(&house, &signer.sign(&claims(&house, &[]))).await.token();
        assert_eq!(token.text("sub"), format!("{}@clients", id(&house)), "{algorithm}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let (house, signer, _) = arranged().await;
    let assertion = signer.sign(&claims(&house, &[]));
    assert_eq!(ask(&house, &assertion).await.status, 200);
    let again = ask(&house, &assertion).await;
    refused(&again, "was used before");
    assert_eq!(ask(&house, &signer.sign(&claims(&house, &[]))).await.status, 200);
    let kinds: Vec<String> = house.logs().await.into_iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["seccft", "feccft", "seccft"]);
}

#[tokio::test]
async fn an_assertion_sent_twice_at_once_gets_one_token() {
    let (house, signer, _) = arranged().await;
    let assertion = signer.sign(&claims(&house, &[]));
    let (a, b, c) = tokio::join!(
        ask(&house, &assertion),
        ask(&house, &assertion),
        ask(&house, &assertion)
    );
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401]);
    let granted = house.logs().await.into_iter().filter(|row| row.tokens == 1).count();
    assert_eq!(granted, 1, "nothing is recorded as given that was not");
}

#[tokio::test]
async fn another_node_knows_what_was_used() {
    let house = House::on_file().await;
    let (signer, _) = with_key(&house).await;
    let other = house.second_node().await;
    let assertion = signer.sign(&claims(&house, &[]));
    assert_eq!(ask(&house, &assertion).await.status, 200);
    refused(&ask(&other, &assertion).await, "was used before");
}

#[tokio::test]
async fn a_refused_request_uses_its_assertion_up() {
    let (house, signer, _) = arranged().await;
    let assertion = signer.sign(&claims(&house, &[]));
    let wrong = [("audience", "https://unknown.example.com")];
    assert_eq!(ask_for(&house, &assertion, &wrong).await.status, 403);
    house.written().await;
    refused(&ask(&house, &assertion).await, "was used before");
}

#[tokio::test]
async fn what_an_assertion_must_say_is_told_to_who_gets_it_wrong() {
    let (house, signer, _) = arranged().await;
    let now = NOW_S;
    let token_endpoint = format!("{ISSUER}oauth/token");
    for (change, says) in [
        (("iss", json!("someone else")), "iss and sub must both be the client_id"),
        (("iss", Value::Null), "iss"),
        (("aud", json!([ISSUER])), "as one string"),
        (("aud", json!([ISSUER, "https://other.example"])), "as one string"),
        (("aud", json!(token_endpoint)), "must be the issuer"),
        (("aud", json!(ISSUER.trim_end_matches('/'))), "must be the issuer"),
        (("aud", Value::Null), "must be the issuer"),
        (("exp", Value::Null), "exp"),
        (("exp", json!(now - 10)), "has expired"),
        (("exp", json!(now + 311)), "at most five minutes"),
        (("exp", json!(1.5)), "exp"),
        (("iat", json!(now + 11)), "in the future"),
        (("nbf", json!(now + 11)), "in the future"),
        (("jti", Value::Null), "jti"),
        (("jti", json!("")), "jti of 1 to 64"),
        (("jti", json!("a".repeat(65))), "jti of 1 to 64"),
        (("jti", json!("a\u{0}")), "jti of 1 to 64"),
        (("jti", json!(7)), "jti"),
    ] {
        let answer = ask(&house, &signer.sign(&claims(&house, std::slice::from_ref(&change)))).await;
        refused(&answer, says);
    }
    for good in [
        ("exp", json!(now - 9)),
        ("exp", json!(now + 310)),
        ("iat", json!(now + 10)),
        ("jti", json!("é".repeat(64))),
    ] {
        let answer = ask(&house, &signer.sign(&claims(&house, std::slice::from_ref(&good)))).await;
        assert_eq!(answer.status, 200, "{good:?} {}", answer.body);
    }
}

#[tokio::test]
async fn a_signature_that_no_registered_key_made_proves_nothing() {
    let (house, signer, key) = arranged().await;
    let payload = claims(&house, &[]);
    let stranger = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
    let good = signer.sign(&payload);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let none = format!(
        "{}.{}.",
        base64url::encode(r#"{"alg":"none"}"#),
        base64url::encode(&payload)
    );
    let hmac = SigningKey::hs256(thumbprint(&key.public().unwrap()).as_bytes()).unwrap();
    for (assertion, says) in [
        (
            Signer::new(stranger, None, "JWT").sign(&payload),
            "No key of this client",
        ),
        (
            Signer::new(key.clone(), Some(&KeyId::new("other")), "JWT").sign(&payload),
            "for the kid",
        ),
        (Signer::new(key.clone(), None, "at+jwt").sign(&payload), "typ"),
        (Signer::new(Arc::new(hmac), None, "JWT").sign(&payload), "alg must be"),
        (
            format!("{input}.{}", base64url::encode([0; 64])),
            "No key of this client",
        ),
        (format!("{input}x.{signature}"), "Client authentication failed"),
        (none, "alg must be"),
    ] {
        refused(&ask(&house, &assertion).await, says);
    }
    let bare = Signer::new(key, None, "client-authentication+jwt").sign(&payload);
    assert_eq!(ask(&house, &bare).await.status, 200, "a kid is not required");
}

#[tokio::test]
async fn an_unknown_client_and_one_without_keys_get_the_same_answer() {
    let (house, signer, _) = arranged().await;
    let of = |client: &str| signer.sign(&claims(&house, &[("iss", json!(client)), ("sub", json!(client))]));
    let without = ask(&house, &of(&house.samples.reader.client_id)).await;
    let unknown = ask(&house, &of("nobody")).await;
    refused(&without, "No key of this client");
    assert_eq!((without.status, without.body), (unknown.status, unknown.body));
}

#[tokio::test]
async fn an_application_with_a_key_has_no_usable_secret() {
    let (house, _, key) = arranged().await;
    let sample = &house.samples.sample;
    assert_eq!(house.client_credentials(sample).await.status, 401);
    let tenant = house.tenant().await;
    let id = id(&house);
    assert!(matches!(
        clients::rotate_secret(&tenant, &id).await,
        Err(RegistryError::Refused(_))
    ));
    let client = clients::client(&tenant, &id).await.unwrap();
    assert_eq!(client.token_endpoint_auth_method, None);
    let held = client_keys::keys(&tenant, &id).await.unwrap();
    let expected = json!({ "private_key_jwt": { "credentials": [{ "id": held[0].id }] } });
    assert_eq!(client.rest["client_authentication_methods"], expected);
    assert_eq!(held[0].kid, thumbprint(&key.public().unwrap()));
    // Nor does losing the key bring the secret back.
    client_keys::remove(&tenant, &id, &held[0].kid).await.unwrap();
    assert_eq!(house.client_credentials(sample).await.status, 401);
}

#[tokio::test]
async fn a_removed_or_expired_key_proves_nothing_more() {
    let (house, signer, _) = arranged().await;
    let tenant = house.tenant().await;
    let second = SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048);
    let new = NewClientKey {
        expires_at: Some(Timestamp::from_seconds(NOW_S + 60)),
        kid: Some("short".into()),
        ..NewClientKey::read(&pem(&second)).unwrap()
    };
    client_keys::add(&tenant, &id(&house), new).await.unwrap();
    let short = Signer::new(Arc::new(second), Some(&KeyId::new("short")), "JWT");
    let now = |house: &House| [("exp", json!(house.clock.now().seconds() + 60))];
    assert_eq!(
        ask(&house, &short.sign(&claims(&house, &now(&house)))).await.status,
        200
    );
    house.advance_s(60);
    refused(
        &ask(&house, &short.sign(&claims(&house, &now(&house)))).await,
        "has not expired",
    );
    assert_eq!(
        ask(&house, &signer.sign(&claims(&house, &now(&house)))).await.status,
        200
    );
    let held = client_keys::keys(&tenant, &id(&house)).await.unwrap();
    let first = held.into_iter().find(|key| key.kid != "short").unwrap();
    client_keys::remove(&tenant, &id(&house), first.id.as_str())
        .await
        .unwrap();
    refused(
        &ask(&house, &signer.sign(&claims(&house, &now(&house)))).await,
        "No key of this client",
    );
    let missing = client_keys::remove(&tenant, &id(&house), first.id.as_str()).await;
    assert!(matches!(missing, Err(RegistryError::NotFound(_))));
}

#[tokio::test]
async fn the_request_may_name_the_client_or_leave_that_to_the_assertion() {
    let (house, signer, _) = arranged().await;
    let id = house.samples.sample.client_id.clone();
    let named = ask_for(&house, &signer.sign(&claims(&house, &[])), &[("client_id", &id)]).await;
    assert_eq!(named.status, 200);
    let other = [("client_id", house.samples.reader.client_id.as_str())];
    let other = ask_for(&house, &signer.sign(&claims(&house, &[])), &other).await;
    refused(&other, "iss and sub must both be the client_id");
    let both = [("client_id", id.as_str()), ("client_secret", "x")];
    let both = ask_for(&house, &signer.sign(&claims(&house, &[])), &both).await;
    assert_eq!((both.status, both.text("error")), (400, "invalid_request".into()));
    let kind = [(
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
    )];
    let kind = ask_for(&house, &signer.sign(&claims(&house, &[])), &kind).await;
    refused(&kind, "client_assertion_type must be");
    let long = signer.sign(&claims(&house, &[("more", json!("a".repeat(2048)))]));
    refused(&ask(&house, &long).await, "longer than 2048 bytes");
}

#[tokio::test]
async fn a_key_is_read_from_what_people_have() {
    let (house, _, _) = arranged().await;
    let tenant = house.tenant().await;
    let key = SigningKey::generate(Algorithm::Ps256, RsaBits::Bits2048);
    let jwk = Jwk::from_signing_key(&key, &KeyId::new("mine")).unwrap();
    let mut jwk: Map<String, Value> = serde_json::from_value(json!(jwk)).unwrap();
    let read = NewClientKey::read(&json!(jwk).to_string()).unwrap();
    assert_eq!((read.algorithm, read.kid.as_deref()), (Algorithm::Ps256, Some("mine")));
    let add = async |new| client_keys::add(&tenant, &id(&house), new).await;
    let added: ClientKey = add(read.clone()).await.unwrap();
    assert!(added.id.as_str().starts_with("cred_") && added.id.as_str().len() == 27);
    assert!(matches!(add(read).await, Err(RegistryError::Conflict(_))));
    jwk.insert("alg".into(), json!("RS512"));
    let refused = NewClientKey::read(&json!(jwk).to_string()).unwrap_err().to_string();
    assert!(refused.contains("RS256, RS384, PS256, ES256, EdDSA"), "{refused}");
    jwk.insert("alg".into(), json!("PS256"));
    jwk.insert("d".into(), json!("AQAB"));
    for bad in [json!(jwk).to_string(), "{}".into(), "no key".into()] {
        let refused = NewClientKey::read(&bad);
        assert!(matches!(refused, Err(RegistryError::Invalid { .. })), "{bad:.60}");
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
        let certificate = certificate::self_signed(&key, "localhost", house.clock.now()).unwrap();
        let body = STANDARD.encode(certificate);
        let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let read = NewClientKey::read(&text).unwrap();
        assert_eq!((read.public, read.algorithm), (key.public().unwrap(), algorithm));
    }
    let mut mismatched = NewClientKey::read(&pem(&key)).unwrap();
    mismatched.algorithm = Algorithm::Es256;
    assert!(matches!(add(mismatched).await, Err(RegistryError::Invalid { .. })));
}

/// A house whose sample application has an ES256 key.
async fn arranged() -> (House, Signer, Arc<SigningKey>) {
    let house = House::new().await;
    let (signer, key) = with_key(&house).await;
    (house, signer, key)
}

async fn with_key(house: &House) -> (Signer, Arc<SigningKey>) {
    let key = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
    let new = NewClientKey::read(&pem(&key)).unwrap();
    let added = client_keys::add(&*house.tenant().await, &id(house), new).await.unwrap();
    (Signer::new(key.clone(), Some(&KeyId::new(added.kid)), "JWT"), key)
}

fn id(house: &House) -> ClientId {
    ClientId::new(&house.samples.sample.client_id)
}

fn pem(key: &SigningKey) -> String {
    let body = STANDARD.encode(key.public_spki().unwrap());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// The claims of a good assertion but for `changes`; null takes a claim away.
fn claims(house: &House, changes: &[(&str, Value)]) -> Vec<u8> {
    let id = house.samples.sample.client_id.as_str();
    let mut claims = json!({
        "iss": id, "sub": id, "aud": ISSUER, "iat": NOW_S, "exp": NOW_S + 120, "jti": row_id(&Random::system()),
    });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims.to_string().into_bytes()
}

async fn ask(house: &House, assertion: &str) -> Answer {
    ask_for(house, assertion, &[]).await
}

/// A client credentials request with `fields` over the usual ones.
async fn ask_for(house: &House, assertion: &str, fields: &[(&str, &str)]) -> Answer {
    crate::secrets::used(assertion);
    let usual = [
        ("grant_type", "client_credentials"),
        ("audience", AUDIENCE),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    let kept = usual
        .iter()
        .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
    house
        .ask(Ask::token(&kept.chain(fields).copied().collect::<Vec<_>>()))
        .await
}

fn refused(answer: &Answer, says: &str) {
    assert_eq!(
        (answer.status, answer.text("error")),
        (401, "invalid_client".into()),
        "{says}: {}",
        answer.body
    );
    let description = answer.text("error_description");
    assert!(
        description.starts_with("Client authentication failed") && description.contains(says),
        "{description}"
    );
    assert_eq!(
        answer.header("www-authenticate"),
        "",
        "no challenge: the client did not use Basic"
    );
}
