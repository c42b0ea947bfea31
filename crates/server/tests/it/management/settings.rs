//! `/tenants/settings` and `/attack-protection`: what a change keeps (CONTRACT §4.10, §4.12).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House, with_secret};

#[tokio::test]
async fn settings_are_changed_key_by_key_and_pages_and_flags_keep_what_is_not_sent() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let fresh = api.get("tenants/settings").await;
    assert_eq!(
        (&fresh["session_lifetime"], &fresh["flags"]["enable_sso"]),
        (&json!(168), &json!(true))
    );
    assert_eq!(fresh["sandbox_versions_available"], json!(["22", "18"]));
    let change = json!({"flags": {"enable_sso": false, "ours": true}, "change_password": {"enabled": true},
        "allowed_logout_urls": ["https://a.example"], "session_lifetime_in_minutes": 181,
        "idle_session_lifetime_in_minutes": 120, "unheard_of": {"a": [1]}});
    let changed = api.expect(200, "PATCH", "tenants/settings", change).await;
    assert_eq!(changed["flags"]["disable_impersonation"], true);
    assert_eq!(changed["change_password"], json!({"enabled": true, "html": ""}));
    assert_eq!(changed["session_lifetime"], json!(181.0 / 60.0));
    assert_eq!(changed["idle_session_lifetime"], json!(2));
    let change =
        json!({"flags": {"enable_sso": null}, "allowed_logout_urls": null, "unheard_of": null, "absent": null});
    let changed = api.expect(200, "PATCH", "tenants/settings", change).await;
    let shown = api.get("tenants/settings").await;
    assert_eq!(
        (&shown["flags"]["enable_sso"], &shown["flags"]["ours"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        (&shown["allowed_logout_urls"], shown.get("unheard_of")),
        (&json!([]), None)
    );
    let mut without = shown.clone();
    without.as_object_mut().unwrap().remove("sandbox_versions_available");
    assert_eq!(changed, without);
    assert_eq!(
        api.expect(200, "PATCH", "tenants/settings", shown).await,
        without,
        "what was read can be written"
    );
}

#[tokio::test]
async fn settings_that_the_house_acts_on_hold_at_once() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let change = json!({"default_audience": AUDIENCE, "error_dialect": "rfc6749"});
    api.expect(200, "PATCH", "tenants/settings", change).await;
    let machine = with_secret(&house.samples.sample, &[("grant_type", "client_credentials")]);
    assert_eq!(house.post_form(&machine).await.status, 200);
    let change = json!({"default_audience": "", "error_dialect": "rfc6749"});
    api.expect(200, "PATCH", "tenants/settings", change).await;
    assert_eq!(house.post_form(&machine).await.status, 400);
    let refused = api
        .expect(400, "PATCH", "tenants/settings", json!({"rsa_bits": 2049}))
        .await;
    assert!(refused["message"].as_str().unwrap().contains("rsa_bits"), "{refused}");
}

#[tokio::test]
async fn the_default_lifetime_holds_for_every_api_that_says_none() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let made = async |identifier: &str, said: Value| {
        let mut body = json!({"identifier": identifier});
        body.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let made = api.expect(201, "POST", "resource-servers", body).await;
        ["token_lifetime", "token_lifetime_for_web"].map(|name| made[name].as_i64().unwrap())
    };
    let set = async |seconds: Value| {
        let change = json!({"default_token_lifetime": seconds});
        api.expect(200, "PATCH", "tenants/settings", change).await
    };
    assert_eq!(
        made("https://before", json!({})).await,
        [86_400, 7_200],
        "as Auth0 has it"
    );
    set(json!(900)).await;
    assert_eq!(made("https://brief", json!({})).await, [900, 900]);
    assert_eq!(made("https://null", json!({"token_lifetime": null})).await, [900, 900]);
    let own = json!({"token_lifetime": 8_000, "token_lifetime_for_web": 60});
    assert_eq!(made("https://own", own).await, [8_000, 60]);
    set(Value::Null).await;
    assert_eq!(made("https://after", json!({})).await, [86_400, 7_200]);
    let refused = api
        .expect(
            400,
            "PATCH",
            "tenants/settings",
            json!({"default_token_lifetime": 2_592_001}),
        )
        .await;
    assert!(
        refused["message"].as_str().unwrap().contains("default_token_lifetime"),
        "{refused}"
    );
}

#[tokio::test]
async fn attack_protection_is_kept_as_it_was_written_and_stages_keep_what_is_not_sent() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = "attack-protection/suspicious-ip-throttling";
    let before = api.get(path).await;
    assert_eq!(
        before["stage"]["pre-login"],
        json!({"max_attempts": 100, "rate": 864_000})
    );
    let change = json!({"enabled": false, "stage": {"pre-login": {"max_attempts": 5}}});
    let changed = api.expect(200, "PATCH", path, change).await;
    assert_eq!(
        changed["stage"]["pre-login"],
        json!({"max_attempts": 5, "rate": 864_000})
    );
    assert_eq!(
        changed["stage"]["pre-user-registration"],
        before["stage"]["pre-user-registration"]
    );
    assert_eq!(
        (&changed["enabled"], &changed["shields"]),
        (&json!(false), &before["shields"])
    );
    assert_eq!(api.get(path).await, changed);
    assert_eq!(
        api.get("attack-protection/brute-force-protection").await["enabled"],
        true
    );
    assert_eq!(api.get("tenants/settings").await.get("attack_protection"), None);
    let captcha = api.expect(403, "GET", "attack-protection/captcha", Value::Null).await;
    assert_eq!(captcha["errorCode"], "insufficient_scope");
}
