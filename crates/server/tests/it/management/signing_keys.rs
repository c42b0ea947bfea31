//! `/keys/signing`: rotated and revoked, and what becomes of tokens (CONTRACT §4.9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Api;
use crate::house::House;

#[tokio::test]
async fn a_rotation_lets_the_next_key_sign_and_old_tokens_stay_good() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let keys = api.get("keys/signing").await;
    assert_eq!(states(&keys), ["current", "next"]);
    let rotated = api.expect(201, "POST", "keys/signing/rotate", json!({})).await;
    assert_eq!(
        rotated,
        json!({"kid": keys[1]["kid"], "cert": keys[1]["cert"]}),
        "the new current key, and no more of it"
    );
    let after = api.get("keys/signing").await;
    assert_eq!(states(&after), ["current", "next", "previous"]);
    assert_eq!(after[0]["kid"], rotated["kid"]);
    assert!(after[2]["current_until"].is_string(), "{after}");
    assert_eq!(
        house.token(&house.samples.sample).await.kid(),
        rotated["kid"].as_str().unwrap()
    );
    assert_eq!(api.get("keys/signing?alg=EdDSA").await, json!([]));
}

#[tokio::test]
async fn a_graceful_rotation_waits_until_apis_know_the_next_key() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let rotate = "keys/signing/rotate?graceful=true";
    let refused = api.expect(400, "POST", rotate, Value::Null).await;
    assert_eq!(refused["errorCode"], "operation_not_supported");
    house.advance_s(901);
    Api::of(&house).await.expect(201, "POST", rotate, Value::Null).await;
}

#[tokio::test]
async fn only_a_previous_key_is_revoked_and_its_tokens_with_it() {
    let house = House::new().await;
    let old = Api::of(&house).await;
    let kid = old.get("keys/signing").await[0]["kid"].as_str().unwrap().to_owned();
    let revoke = format!("keys/signing/{kid}/revoke");
    let refused = old.expect(400, "PUT", &revoke, Value::Null).await;
    assert_eq!(refused["errorCode"], "operation_not_supported");
    old.expect(201, "POST", "keys/signing/rotate", Value::Null).await;
    let new = Api::of(&house).await;
    let revoked = new.expect(200, "PUT", &revoke, Value::Null).await;
    assert_eq!(revoked["kid"], kid.as_str());
    old.expect(401, "GET", "keys/signing", Value::Null).await;
    let key = new.get(&format!("keys/signing/{kid}")).await;
    assert_eq!((&key["revoked"], &key["previous"]), (&json!(true), &json!(false)));
    let jwks = house.get("/.well-known/jwks.json").await.body;
    assert!(!jwks.contains(&kid), "{jwks}");
    let missing = new.expect(404, "GET", "keys/signing/nothing", Value::Null).await;
    assert_eq!(missing["errorCode"], "inexistent_signing_key");
}

#[tokio::test]
async fn a_key_set_grows_no_longer_than_guards_read() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for _ in 0..20 {
        api.expect(201, "POST", "keys/signing/rotate?alg=RS256", Value::Null)
            .await;
    }
    let refused = api.expect(400, "POST", "keys/signing/rotate", Value::Null).await;
    assert!(
        refused["message"].as_str().unwrap().contains("Revoke some"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_key_comes_with_its_certificate_in_three_forms() {
    let house = House::shared().await;
    let key = &Api::of(house).await.get("keys/signing").await[0];
    let der = |name: &str| {
        let text = key[name].as_str().unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        STANDARD.decode(lines.collect::<String>()).unwrap()
    };
    let (certificate, message) = (der("cert"), der("pkcs7"));
    assert!(message.windows(certificate.len()).any(|part| part == certificate));
    let length = usize::from(message[2]) * 256 + usize::from(message[3]);
    assert_eq!((message[0], message[1], length), (0x30, 0x82, message.len() - 4));
    let thumbprint = key["thumbprint"].as_str().unwrap();
    assert_eq!(thumbprint.len(), 40);
    assert_eq!(key["fingerprint"].as_str().unwrap().replace(':', ""), thumbprint);
}

fn states(keys: &Value) -> Vec<&str> {
    let state = |key: &Value| {
        let states = ["current", "next", "previous", "revoked"].into_iter();
        let held: Vec<&str> = states.filter(|state| key[state] == true).collect();
        assert_eq!(held.len(), 1, "{key}");
        held[0]
    };
    keys.as_array().unwrap().iter().map(state).collect()
}

#[tokio::test]
async fn a_rotation_needs_both_of_its_scopes() {
    let house = House::new().await;
    for (scopes, status) in [
        ("create:signing_keys", 403),
        ("update:signing_keys", 403),
        ("create:signing_keys update:signing_keys", 201),
    ] {
        let api = Api::with_scopes(&house, scopes).await;
        api.expect(status, "POST", "keys/signing/rotate", Value::Null).await;
    }
}
