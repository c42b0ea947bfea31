//! `/clients/{id}/credentials`: keys in place of a secret (CONTRACT §4.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use tokenhouse::registry::certificate;
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};

use super::Api;
use crate::house::House;

#[tokio::test]
async fn a_key_counts_once_the_client_names_it_and_takes_the_secrets_place() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = format!("clients/{}", house.samples.sample.client_id);
    let credentials = format!("{path}/credentials");
    let body = json!({"credential_type": "public_key", "name": "laptop", "pem": pem()});
    let made = api.expect(201, "POST", &credentials, body).await;
    assert_eq!((&made["alg"], &made["name"]), (&json!("ES256"), &json!("laptop")));
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cred_") && id.len() == 27, "{id}");
    assert_eq!(
        api.get(&format!("{credentials}?include_totals=true")).await,
        json!([made])
    );
    house.token(&house.samples.sample).await;

    let methods = json!({"private_key_jwt": {"credentials": [{"id": id}]}});
    let change = json!({"client_authentication_methods": methods, "token_endpoint_auth_method": null});
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(changed["client_authentication_methods"], methods);
    assert_eq!(changed.get("client_secret"), None);
    assert_eq!(changed.get("token_endpoint_auth_method"), None);
    assert_eq!(house.client_credentials(&house.samples.sample).await.status, 401);

    let back = json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
    let reverted = api.expect(200, "PATCH", &path, back).await;
    assert_eq!(reverted["client_secret"], house.samples.sample.client_secret);
    house.token(&house.samples.sample).await;
}

#[tokio::test]
async fn a_key_signs_by_each_algorithm_of_auth0_and_by_no_other_than_its_kinds() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let credentials = format!("clients/{}/credentials", house.samples.sample.client_id);
    let body = |algorithm: &str| {
        let key = SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048);
        let pem = armoured("PUBLIC KEY", &key.public_spki().unwrap());
        json!({"credential_type": "public_key", "alg": algorithm, "pem": pem})
    };
    for algorithm in ["RS256", "RS384", "PS256"] {
        let made = api.expect(201, "POST", &credentials, body(algorithm)).await;
        assert_eq!(made["alg"], algorithm);
    }
    for algorithm in ["RS512", "HS256", "none", "ES256"] {
        api.expect(400, "POST", &credentials, body(algorithm)).await;
    }
    assert_eq!(api.get(&credentials).await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_key_expires_and_goes() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let credentials = format!("clients/{}/credentials", house.samples.sample.client_id);
    let body = json!({"credential_type": "public_key", "pem": pem(), "expires_at": "2030-01-01T00:00:00+01:00"});
    let made = api.expect(201, "POST", &credentials, body).await;
    assert_eq!(made["expires_at"], "2029-12-31T23:00:00.000Z");
    let one = format!("{credentials}/{}", made["id"].as_str().unwrap());
    let later = api
        .expect(200, "PATCH", &one, json!({"expires_at": "2031-01-01T00:00:00.000Z"}))
        .await;
    assert_eq!(later["expires_at"], "2031-01-01T00:00:00.000Z");
    let never = api.expect(200, "PATCH", &one, json!({"expires_at": null})).await;
    assert_eq!(never.get("expires_at"), None);
    assert_eq!(api.get(&one).await, never);
    api.expect(204, "DELETE", &one, Value::Null).await;
    let gone = api.expect(404, "GET", &one, Value::Null).await;
    assert_eq!(gone["errorCode"], "inexistent_credential");
    assert_eq!(api.get(&credentials).await, json!([]));
}

#[tokio::test]
async fn a_client_is_made_with_its_keys_and_then_has_no_secret() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let credential = json!({"credential_type": "public_key", "name": "first", "pem": pem()});
    let body = json!({
        "name": "Keyed",
        "client_authentication_methods": {"private_key_jwt": {"credentials": [credential]}},
    });
    let made = api.expect(201, "POST", "clients", body).await;
    assert_eq!(made.get("client_secret"), None);
    let path = format!("clients/{}", made["client_id"].as_str().unwrap());
    let keys = api.get(&format!("{path}/credentials")).await;
    let id = &keys[0]["id"];
    assert_eq!(
        made["client_authentication_methods"],
        json!({"private_key_jwt": {"credentials": [{"id": id}]}})
    );
    let back = api
        .expect(200, "PATCH", &path, json!({"client_authentication_methods": null}))
        .await;
    assert_eq!(back["client_secret"].as_str().unwrap().len(), 64, "it needs one now");
}

#[tokio::test]
async fn keys_and_ways_that_there_are_not_are_refused() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = format!("clients/{}", house.samples.sample.client_id);
    let unknown = json!({"private_key_jwt": {"credentials": [{"id": "cred_unknown"}]}});
    let by_certificate = json!({"tls_client_auth": {"credentials": []}});
    for methods in [unknown, by_certificate, json!({})] {
        let change = json!({"client_authentication_methods": methods});
        let refused = api.expect(400, "PATCH", &path, change).await;
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("client_authentication_methods"), "{message}");
    }
    let body = json!({"credential_type": "public_key", "pem": "no key"});
    api.expect(400, "POST", &format!("{path}/credentials"), body).await;
    house.token(&house.samples.sample).await;
}

#[tokio::test]
async fn a_key_may_expire_with_its_certificate() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
    let certificate = certificate::self_signed(&key, "localhost", house.clock.now()).unwrap();
    let body = json!({
        "credential_type": "public_key", "pem": armoured("CERTIFICATE", &certificate), "parse_expiry_from_cert": true,
    });
    let path = format!("clients/{}/credentials", house.samples.sample.client_id);
    let made = api.expect(201, "POST", &path, body).await;
    assert_eq!(made["expires_at"], "2040-01-01T00:00:00.000Z");
}

/// The public half of a new key.
pub(super) fn pem() -> String {
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
    armoured("PUBLIC KEY", &key.public_spki().unwrap())
}

fn armoured(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}
