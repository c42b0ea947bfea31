//! `/clients`: the life of an application (CONTRACT §4.3).

use serde_json::{Map, Value, json};

use tokenhouse::dev::seed::Application;

use super::Api;
use crate::house::{AUDIENCE, House, ISSUER};

#[tokio::test]
async fn a_client_of_a_name_alone_has_auth0s_defaults() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let mut made = api.expect(201, "POST", "clients", json!({"name": "Plain"})).await;
    let id = made["client_id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 32);
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 64);
    assert_eq!(api.get(&format!("clients/{id}")).await, made);
    for name in ["client_id", "client_secret", "signing_keys"] {
        made.as_object_mut().unwrap().remove(name);
    }
    let expected = json!({
        "tenant": "default", "name": "Plain", "global": false, "is_first_party": true,
        "is_token_endpoint_ip_header_trusted": false, "sso_disabled": false, "oidc_conformant": false,
        "cross_origin_auth": false, "cross_origin_authentication": false, "callback_url_template": false,
        "custom_login_page_on": true,
        "refresh_token": {
            "expiration_type": "non-expiring", "leeway": 0, "infinite_token_lifetime": true,
            "infinite_idle_token_lifetime": true, "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000,
            "rotation_type": "non-rotating",
        },
        "jwt_configuration": {"lifetime_in_seconds": 36000, "secret_encoded": false},
        "grant_types": ["authorization_code", "implicit", "refresh_token", "client_credentials"],
    });
    assert_eq!(made, expected);
}

#[tokio::test]
async fn what_a_client_is_made_with_decides_some_defaults() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let make = |body: Value| api.expect(201, "POST", "clients", body);
    let confidential = make(json!({"name": "c", "token_endpoint_auth_method": "client_secret_post"})).await;
    assert_eq!(confidential["refresh_token"]["token_lifetime"], 31_557_600);
    assert_eq!(confidential["refresh_token"]["idle_token_lifetime"], 2_592_000);
    let with_algorithm = make(json!({"name": "a", "jwt_configuration": {"alg": "RS256"}})).await;
    assert_eq!(with_algorithm["jwt_configuration"], json!({"alg": "RS256"}));
    let public = make(json!({"name": "p", "token_endpoint_auth_method": "none"})).await;
    assert_eq!(public.get("client_secret"), None);
    assert_eq!(
        public["grant_types"],
        json!(["authorization_code", "implicit", "refresh_token"])
    );
    let chosen = make(json!({
        "name": "s", "client_secret": "a secret of my own", "logo_uri": null, "client_metadata": {"a": null, "b": "c"},
    }))
    .await;
    assert_eq!(chosen["client_secret"], "a secret of my own");
    assert_eq!(
        (chosen.get("logo_uri"), &chosen["client_metadata"]),
        (None, &json!({"b": "c"}))
    );
}

#[tokio::test]
async fn what_is_only_carried_comes_back_as_it_was_written() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let body = json!({
        "name": "Carrier", "callbacks": ["https://a/cb", "https://b/cb"], "app_type": "regular_web",
        "addons": {"samlp": {"audience": "x", "mappings": {"a": [1, 2.5, null, "ü"]}}},
        "client_metadata": {"team": "blue"}, "organization_usage": "deny",
        "a_property_of_tomorrow": {"deep": [{"x": true}]},
    });
    let made = api.expect(201, "POST", "clients", body.clone()).await;
    let read = api
        .get(&format!("clients/{}", made["client_id"].as_str().unwrap()))
        .await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_patch_is_shallow_and_null_deletes() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let made = api
        .expect(
            201,
            "POST",
            "clients",
            json!({
                "name": "Before", "description": "old", "callbacks": ["https://a"], "addons": {"a": {}, "b": {}},
                "client_metadata": {"x": "1", "y": "2"}, "mobile": {"android": {"app_package_name": "p"}},
                "token_quota": {"client_credentials": {"per_hour": 5}},
            }),
        )
        .await;
    let path = format!("clients/{}", made["client_id"].as_str().unwrap());
    let changed = api
        .expect(
            200,
            "PATCH",
            &path,
            json!({
                "name": "After", "description": null, "callbacks": [], "addons": {"c": {}},
                "client_metadata": {"x": null, "z": "3"}, "mobile": {"ios": {"team_id": "t"}},
                "jwt_configuration": {"alg": "RS256"}, "token_quota": null, "initiate_login_uri": null,
            }),
        )
        .await;
    assert_eq!(changed["name"], "After");
    assert_eq!(changed.get("description"), None);
    assert_eq!(changed.get("token_quota"), None);
    assert_eq!(changed["callbacks"], json!([]));
    assert_eq!(changed["addons"], json!({"c": {}}), "replaced whole");
    assert_eq!(
        changed["client_metadata"],
        json!({"y": "2", "z": "3"}),
        "merged one level"
    );
    assert_eq!(
        changed["mobile"],
        json!({"android": {"app_package_name": "p"}, "ios": {"team_id": "t"}})
    );
    assert_eq!(
        changed["jwt_configuration"],
        json!({"alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false})
    );
    assert_eq!(changed["client_secret"], made["client_secret"]);
    assert_eq!(api.get(&path).await, changed);
    let many: Map<String, Value> = (0..9).map(|n| (n.to_string(), json!("x"))).collect();
    let refused = api.expect(400, "PATCH", &path, json!({"client_metadata": many})).await;
    assert!(refused["message"].as_str().unwrap().contains("client_metadata"));
    let cleared = api.expect(200, "PATCH", &path, json!({"client_metadata": {}})).await;
    assert_eq!(cleared["client_metadata"], json!({}));
}

#[tokio::test]
async fn an_application_made_here_gets_tokens_once_it_is_granted_an_api() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"name": "Machine", "app_type": "non_interactive", "grant_types": ["client_credentials"]});
    let made = api.expect(201, "POST", "clients", body).await;
    let application = application(&made);
    assert_eq!(house.client_credentials(&application).await.status, 403);
    let grant = json!({"client_id": application.client_id, "audience": AUDIENCE, "scope": ["read:messages"]});
    api.expect(201, "POST", "client-grants", grant).await;
    assert_eq!(house.token(&application).await.text("scope"), "read:messages");
    let path = format!("clients/{}", application.client_id);
    api.expect(200, "PATCH", &path, json!({"grant_types": []})).await;
    assert_eq!(
        house.client_credentials(&application).await.text("error"),
        "unauthorized_client"
    );
    api.expect(204, "DELETE", &path, Value::Null).await;
    assert_eq!(house.client_credentials(&application).await.status, 401);
    api.expect(404, "GET", &path, Value::Null).await;
    api.expect(204, "DELETE", &path, Value::Null).await;
}

#[tokio::test]
async fn a_secret_is_rotated_or_chosen_by_who_may_update_keys() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = format!("clients/{}", house.samples.sample.client_id);
    let rotated = api
        .expect(200, "POST", &format!("{path}/rotate-secret"), Value::Null)
        .await;
    assert_eq!(house.client_credentials(&house.samples.sample).await.status, 401);
    house.token(&application(&rotated)).await;
    let body = json!({"client_secret": "chosen by somebody"});
    let few = Api::with_scopes(&house, "update:clients").await;
    let refused = few.ask("PATCH", &path, body.clone()).await;
    assert_eq!(
        (refused.status, refused.text("message")),
        (403, "Insufficient scope, expected any of: update:client_keys".into())
    );
    let keys = Api::with_scopes(&house, "update:client_keys").await;
    let blind = keys.expect(200, "PATCH", &path, body).await;
    assert_eq!(
        blind.get("client_secret"),
        None,
        "who writes it may not read it for that"
    );
    keys.expect(403, "PATCH", &path, json!({"name": "x"})).await;
    let chosen = Application {
        client_secret: "chosen by somebody".into(),
        ..house.samples.sample.clone()
    };
    house.token(&chosen).await;
}

#[tokio::test]
async fn secrets_are_shown_to_who_may_read_keys_and_the_log_says_so() {
    let house = House::new().await;
    let sample = &house.samples.sample;
    let path = format!("clients/{}", sample.client_id);
    let reader = Api::with_scopes(&house, "read:clients").await;
    assert_eq!(reader.get(&path).await.get("client_secret"), None);
    assert!(
        !reader
            .ask("GET", "clients", Value::Null)
            .await
            .body
            .contains("\"client_secret\":")
    );
    let summary = Api::with_scopes(&house, "read:client_summary").await;
    assert_eq!(
        summary.get(&path).await,
        json!({"client_id": sample.client_id, "name": "Sample application"})
    );
    assert!(house.logs().await.iter().all(|row| row.kind != "mgmt_api_read"));
    let keys = Api::with_scopes(&house, "read:clients read:client_keys").await;
    assert_eq!(keys.get(&path).await["client_secret"], sample.client_secret);
    keys.get(&format!("{path}?fields=name")).await;
    assert!(
        keys.ask("GET", "clients", Value::Null)
            .await
            .body
            .contains(&sample.client_secret)
    );
    let reads = house.logs().await;
    let reads: Vec<_> = reads.iter().filter(|row| row.kind == "mgmt_api_read").collect();
    assert_eq!(
        reads.len(),
        2,
        "one of the client, one of the list, none where it was not shown"
    );
}

#[tokio::test]
async fn every_write_is_a_row_with_who_and_what_and_no_secret() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"name": "Logged", "client_secret": "never to be logged", "addons": {"x": {"apiPassword": "hidden too"}}});
    let made = api.expect(201, "POST", "clients", body).await;
    let path = format!("clients/{}", made["client_id"].as_str().unwrap());
    api.expect(400, "PATCH", &path, json!({"name": ""})).await;
    api.expect(204, "DELETE", &path, Value::Null).await;
    let logs = house.logs().await;
    let rows: Vec<_> = logs
        .iter()
        .filter(|row| ["sapi", "fapi"].contains(&row.kind.as_str()))
        .collect();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.kind.as_str(), row.body["description"].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("sapi", "Create a client"),
            ("fapi", "Update a client"),
            ("sapi", "Delete a client")
        ]
    );
    for row in &rows {
        assert_eq!(row.client_id.as_ref().unwrap().as_str(), house.samples.admin.client_id);
        assert_eq!(row.body["audience"], format!("{ISSUER}api/v2/"));
        let text = serde_json::to_string(&row.body).unwrap();
        for secret in [
            "never to be logged",
            "hidden too",
            made["client_secret"].as_str().unwrap(),
            &api.token,
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let details = &rows[0].body["details"];
    assert_eq!(
        details["request"]["body"],
        json!({"name": "Logged", "client_secret": "*****", "addons": {"x": {"apiPassword": "*****"}}})
    );
    assert_eq!(
        details["request"]["properties"],
        json!(["addons", "client_secret", "name"])
    );
    assert_eq!(details["response"]["statusCode"], 201);
    assert_eq!(details["response"]["body"]["client_id"], made["client_id"]);
    assert_eq!(rows[1].body["details"]["response"]["statusCode"], 400);
    assert_eq!(rows[1].body["details"]["request"]["path"], format!("/api/v2/{path}"));
}

#[tokio::test]
async fn the_global_client_is_there_and_stays() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let found = api.get("clients?is_global=true&include_totals=true").await;
    assert_eq!(
        (&found["total"], &found["clients"][0]["name"]),
        (&json!(1), &json!("All Applications"))
    );
    assert_eq!(found["clients"][0]["global"], true);
    let path = format!("clients/{}", found["clients"][0]["client_id"].as_str().unwrap());
    let changed = api
        .expect(200, "PATCH", &path, json!({"custom_login_page": "<html>"}))
        .await;
    assert_eq!(
        (&changed["custom_login_page"], &changed["global"]),
        (&json!("<html>"), &json!(true))
    );
    api.expect(400, "DELETE", &path, Value::Null).await;
    assert_eq!(api.get("clients?is_global=true").await.as_array().unwrap().len(), 1);
}

fn application(client: &Value) -> Application {
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    Application {
        client_id: text("client_id"),
        client_secret: text("client_secret"),
    }
}

#[tokio::test]
async fn whoever_may_read_keys_sees_the_certificates_that_sign_for_an_application() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let keys = api.get("keys/signing").await;
    let current = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["current"] == true)
        .unwrap();
    let expected = json!([{ "cert": current["cert"], "pkcs7": current["pkcs7"], "subject": "deprecated" }]);
    assert!(
        expected[0]["cert"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    let id = &house.samples.sample.client_id;
    assert_eq!(api.get(&format!("clients/{id}")).await["signing_keys"], expected);
    assert_eq!(api.get("clients?per_page=1").await[0]["signing_keys"], expected);
    let chosen = api.get(&format!("clients/{id}?fields=client_id")).await;
    assert_eq!(chosen, json!({ "client_id": id }));
    let reader = Api::with_scopes(&house, "read:clients").await;
    assert_eq!(reader.get(&format!("clients/{id}")).await.get("signing_keys"), None);
}

#[tokio::test]
async fn what_is_left_open_in_a_refresh_token_has_its_default_in_a_change_too() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let made = api.expect(201, "POST", "clients", json!({"name": "x"})).await;
    let path = format!("clients/{}", made["client_id"].as_str().unwrap());
    let partial = json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 5}});
    let changed = api.expect(200, "PATCH", &path, partial).await;
    let expected = json!({
        "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 5,
        "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000,
        "infinite_token_lifetime": false, "infinite_idle_token_lifetime": false,
    });
    assert_eq!(changed["refresh_token"], expected);
    assert_eq!(api.get(&path).await["refresh_token"], expected);
}

#[tokio::test]
async fn a_quota_that_limits_nothing_is_refused() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for said in [
        json!({}),
        json!({"enforce": true}),
        json!({"per_hour": null}),
        json!({"per_hour": null, "per_day": null}),
    ] {
        let body = json!({"name": "x", "token_quota": {"client_credentials": said}});
        let refused = api.expect(400, "POST", "clients", body).await;
        assert!(
            refused["message"].as_str().unwrap().contains("token_quota"),
            "{refused}"
        );
        let body = json!({"default_token_quota": {"clients": {"client_credentials": said}}});
        let refused = api.expect(400, "PATCH", "tenants/settings", body).await;
        assert!(
            refused["message"].as_str().unwrap().contains("default_token_quota"),
            "{refused}"
        );
    }
    let body = json!({"name": "x", "token_quota": {"client_credentials": {"per_hour": null, "per_day": 5}}});
    api.expect(201, "POST", "clients", body).await;
}
