//! Kinds that there are not: what Auth0's deploy tool reads of them (CONTRACT §5.3).

use serde_json::{Value, json};

use super::Api;
use crate::house::House;

#[tokio::test]
async fn what_there_is_not_is_empty_or_closed_and_never_unknown() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    for (path, expected) in [
        (
            "rules?page=0&per_page=100&include_totals=true",
            json!({"start": 0, "limit": 100, "total": 0, "rules": []}),
        ),
        ("rules-configs", json!([])),
        ("custom-domains", json!([])),
        ("log-streams", json!([])),
        (
            "actions/actions?page=0&per_page=100",
            json!({"actions": [], "per_page": 100}),
        ),
        (
            "actions/triggers/post-login/bindings",
            json!({"bindings": [], "per_page": 50}),
        ),
        ("organizations?take=50", json!({"organizations": []})),
        ("event-streams?take=50", json!({"eventStreams": []})),
        ("device-credentials?user_id=auth0%7Cx", json!([])),
        (
            "grants?include_totals=true&per_page=50",
            json!({"start": 0, "limit": 50, "total": 0, "grants": []}),
        ),
        ("users/auth0%7Cx/sessions", json!({"sessions": []})),
        ("users/auth0%7Cx/refresh-tokens?take=5", json!({"tokens": []})),
    ] {
        assert_eq!(api.get(path).await, expected, "{path}");
    }
    let provider = api.expect(404, "GET", "emails/provider?fields=name", Value::Null).await;
    assert_eq!(provider["errorCode"], "inexistent_email_provider");
    let factor = api
        .expect(404, "GET", "guardian/factors/sms/providers/twilio", Value::Null)
        .await;
    assert_eq!(factor["errorCode"], Value::Null);
    for (path, scope) in [
        ("branding", "read:branding"),
        ("branding/themes/default", "read:branding"),
        ("prompts/login/custom-text/en", "read:prompts"),
        ("network-acls", "read:network_acls"),
        (
            "connections-directory-provisionings?take=50",
            "read:directory_provisionings",
        ),
    ] {
        let closed = api.expect(403, "GET", path, Value::Null).await;
        let expected = json!({
            "statusCode": 403, "error": "Forbidden", "errorCode": "insufficient_scope",
            "message": format!("Insufficient scope, expected any of: {scope}"),
        });
        assert_eq!(closed, expected, "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_made_says_what_to_do_instead() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    for (path, expected) in [
        ("jobs/verification-email", "tickets/email-verification"),
        ("device-credentials", "an application of its own"),
    ] {
        let refused = api.expect(403, "POST", path, json!({"user_id": "auth0|x"})).await;
        assert_eq!(refused["errorCode"], "operation_not_supported");
        assert!(refused["message"].as_str().unwrap().contains(expected), "{refused}");
    }
    for (status, path) in [
        (204, "grants?user_id=auth0%7Cx"),
        (204, "grants/x"),
        (204, "device-credentials/x"),
        (202, "users/auth0%7Cx/sessions"),
        (202, "users/auth0%7Cx/refresh-tokens"),
    ] {
        api.expect(status, "DELETE", path, Value::Null).await;
    }
}

#[tokio::test]
async fn that_there_are_no_policies_can_be_written_back_and_nothing_else() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let none = api.get("guardian/policies").await;
    assert_eq!(api.expect(200, "PUT", "guardian/policies", none.clone()).await, none);
    api.expect(400, "PUT", "guardian/policies", json!(["all-applications"]))
        .await;
}
