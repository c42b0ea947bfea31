//! How an application proves itself, and what it gets tokens for.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenhouse_client::testing::{Behaviour, TestIssuer};
use tokenhouse_client::{Algorithm, BuildError, PrivateKey, TokenClient};
use tokenhouse_protocol::crypto::{RsaBits, SigningKey};
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::jose::jws::Parts;

use super::{API, DAY_MS, house, token};

fn pem(key: &SigningKey) -> String {
    let body = STANDARD.encode(key.pkcs8());
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test]
async fn a_secret_goes_in_the_body_or_in_the_header() {
    let issuer = TestIssuer::start().await.unwrap();
    let builder = || issuer.builder().credentials("a:b", "p&=s +").audience(API);
    token(&builder().build().unwrap()).await;
    token(&builder().secret_in_header().build().unwrap()).await;
    let [body, header] = <[_; 2]>::try_from(issuer.requests()).unwrap();
    assert_eq!(
        [
            &body["grant_type"],
            &body["client_id"],
            &body["client_secret"],
            &body["audience"]
        ],
        ["client_credentials", "a:b", "p&=s +", API]
    );
    assert!(!body.contains_key("authorization") && !body.contains_key("scope"));
    let expected = STANDARD.encode("a%3Ab:p%26%3Ds+%2B");
    assert_eq!(header["authorization"], format!("Basic {expected}"));
    assert!(!header.contains_key("client_secret"));
}

#[tokio::test]
async fn a_private_key_signs_one_assertion_for_each_request() {
    let made = [
        (Algorithm::Rs256, Algorithm::Rs256),
        (Algorithm::Rs256, Algorithm::Ps256),
        (Algorithm::Es256, Algorithm::Es256),
        (Algorithm::EdDsa, Algorithm::EdDsa),
    ];
    for (kind, algorithm) in made {
        let issuer = TestIssuer::start().await.unwrap();
        let key = SigningKey::generate(kind, RsaBits::Bits2048);
        let own = PrivateKey::from_pem(&pem(&key)).unwrap().with_key_id("k1");
        let own = own.with_algorithm(algorithm).unwrap();
        let client = issuer.builder().private_key("app", own).audience(API).build().unwrap();
        token(&client).await;
        token(&client.with_scope("a")).await;
        let mut used = Vec::new();
        for request in issuer.requests() {
            assert!(!request.contains_key("client_secret"));
            assert_eq!(
                request["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let parts = Parts::split(&request["client_assertion"]).unwrap();
            assert_eq!(parts.header.alg, algorithm.as_str());
            assert_eq!(parts.header.kid.as_deref(), Some("k1"));
            let verifying = tokenhouse_protocol::crypto::VerifyingKey::new(algorithm, &key.public().unwrap()).unwrap();
            assert!(verifying.verify(parts.signing_input.as_bytes(), &parts.signature));
            let claims = Claims::parse(&parts.claims).unwrap();
            for (name, expected) in [("iss", "app"), ("sub", "app"), ("aud", issuer.url())] {
                assert_eq!(claims.text(name).unwrap(), Some(expected), "{name}");
            }
            let expires_at = claims.time("exp").unwrap().unwrap();
            assert_eq!(expires_at, issuer.clock().now().plus_ms(120_000));
            used.push(claims.text("jti").unwrap().unwrap().to_owned());
        }
        used.dedup();
        assert_eq!(used.len(), 2, "each is used once");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_refused_when_the_client_is_built() {
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
    let own = PrivateKey::from_pem(&pem(&key)).unwrap();
    assert_eq!(format!("{own:?}"), "PrivateKey(ES256)");
    assert!(matches!(
        own.clone().with_algorithm(Algorithm::Rs256),
        Err(BuildError::Key(_))
    ));
    assert!(own.with_algorithm(Algorithm::Hs256).is_err());
    let pkcs1 = pem(&key).replace("PRIVATE", "RSA PRIVATE");
    let said = PrivateKey::from_pem(&pkcs1).unwrap_err().to_string();
    assert!(said.contains("openssl pkcs8"), "{said}");
    for nonsense in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        assert!(PrivateKey::from_pem(nonsense).is_err());
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_kept_and_handed_on() {
    let issuer = TestIssuer::start().await.unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let client = issuer
        .builder()
        .public_client("tool")
        .refresh_token("r0", move |rotated| keep.lock().unwrap().push(rotated.to_owned()))
        .build()
        .unwrap();
    issuer.rotate_to(Some("r1"));
    token(&client).await;
    issuer.clock().advance_ms(DAY_MS);
    issuer.rotate_to(None);
    token(&client).await;
    issuer.clock().advance_ms(DAY_MS);
    token(&client).await;
    let sent: Vec<_> = issuer
        .requests()
        .iter()
        .map(|request| request["refresh_token"].clone())
        .collect();
    assert_eq!(sent, ["r0", "r1", "r1"]);
    assert_eq!(*kept.lock().unwrap(), ["r1"]);
    let first = &issuer.requests()[0];
    assert_eq!([&first["grant_type"], &first["client_id"]], ["refresh_token", "tool"]);
}

#[tokio::test]
async fn a_refresh_token_is_used_by_one_request_at_a_time() {
    let issuer = TestIssuer::start().await.unwrap();
    let client = issuer.builder().refresh_token("r0", |_| ()).build().unwrap();
    issuer.rotate_to(Some("r1"));
    issuer.hold();
    let waiting = ["a", "b", "c"].map(|scope| {
        let client = client.with_scope(scope);
        tokio::spawn(async move { client.token().await.is_ok() })
    });
    super::eventually(async || issuer.asked() == 1).await;
    super::meanwhile().await;
    assert_eq!(issuer.asked(), 1);
    issuer.release();
    for one in waiting {
        assert!(one.await.unwrap());
    }
    let sent: Vec<_> = issuer
        .requests()
        .iter()
        .map(|request| request["refresh_token"].clone())
        .collect();
    assert_eq!(sent, ["r0", "r1", "r1"]);
}

#[tokio::test]
async fn who_waits_for_a_refresh_token_shares_its_failure() {
    let issuer = TestIssuer::start().await.unwrap();
    let client = issuer.builder().refresh_token("r0", |_| ()).build().unwrap();
    issuer.behave(Behaviour::Hangs);
    issuer.hold();
    let waiting = ["a", "b", "c", "d", "e"].map(|scope| {
        let client = client.with_scope(scope);
        tokio::spawn(async move { client.token().await.is_err() })
    });
    super::eventually(async || issuer.asked() == 1).await;
    super::meanwhile().await;
    issuer.release();
    for one in waiting {
        assert!(one.await.unwrap());
    }
    assert_eq!(issuer.asked(), 1);
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client.with_scope("a")).await, "t1", "it was one failure");
}

#[tokio::test]
async fn settings_that_make_no_client_are_refused() {
    let (issuer, _) = house().await;
    let refused = |builder: tokenhouse_client::Builder| builder.build().map(|_| ()).unwrap_err();
    assert_eq!(
        refused(TokenClient::builder().credentials("a", "b")),
        BuildError::NoEndpoint
    );
    assert_eq!(
        refused(TokenClient::builder().issuer(issuer.url())),
        BuildError::NoCredentials
    );
    assert_eq!(
        refused(TokenClient::builder().issuer(issuer.url()).public_client("a")),
        BuildError::NoCredentials
    );
    assert!(matches!(
        refused(issuer.builder().issuer("not a url")),
        BuildError::Address(_)
    ));
    assert!(matches!(
        refused(issuer.builder().ca_certificate("no pem")),
        BuildError::Client(_)
    ));
}
