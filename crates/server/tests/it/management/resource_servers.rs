//! `/resource-servers`: the life of an API (CONTRACT §4.4).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House, ISSUER};

#[tokio::test]
async fn an_api_of_an_identifier_alone_has_auth0s_defaults() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let mut made = api
        .expect(201, "POST", "resource-servers", json!({"identifier": "https://plain"}))
        .await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(api.get(&format!("resource-servers/{id}")).await, made);
    made.as_object_mut().unwrap().remove("id");
    let expected = json!({
        "identifier": "https://plain", "allow_offline_access": false,
        "skip_consent_for_verifiable_first_party_clients": false,
        "subject_type_authorization": {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}},
        "token_lifetime": 86400, "token_lifetime_for_web": 7200, "signing_alg": "RS256",
    });
    assert_eq!(made, expected);
    let again = api
        .expect(409, "POST", "resource-servers", json!({"identifier": "https://plain"}))
        .await;
    assert_eq!(
        again["message"],
        "A resource server with the same identifier already exists"
    );
}

#[tokio::test]
async fn an_identifier_may_come_encoded_once_twice_or_not_at_all() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let identifier = "https://api.example.com/a b%2Fc?d";
    let made = api
        .expect(201, "POST", "resource-servers", json!({"identifier": identifier}))
        .await;
    for path in [
        "https%3A%2F%2Fapi.example.com%2Fa%20b%252Fc%3Fd",
        "https:%2F%2Fapi.example.com%2Fa%20b%252Fc%3Fd",
        "https://api.example.com/a%20b%252Fc%3Fd",
        "https%253A%252F%252Fapi.example.com%252Fa%2520b%25252Fc%253Fd",
    ] {
        assert_eq!(api.get(&format!("resource-servers/{path}")).await, made, "{path}");
    }
    for path in [
        "https:%252F%252Fapi.example.com",
        "https%3A%2F%2Fapi.example.com",
        "https://api.example.com",
    ] {
        let found = api.get(&format!("resource-servers/{path}")).await;
        assert_eq!(found["identifier"], AUDIENCE, "{path}");
    }
    let path = "resource-servers/https:%2F%2Fapi.example.com%2Fnobody";
    let missing = api.expect(404, "GET", path, Value::Null).await;
    assert_eq!(
        (&missing["message"], &missing["errorCode"]),
        (
            &json!("The resource server does not exist"),
            &json!("inexistent_resource_server")
        )
    );
}

#[tokio::test]
async fn an_api_changes_but_for_its_identifier() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"identifier": "https://x", "name": "X", "scopes": [{"value": "a"}, {"value": "b", "description": "B"}],
        "authorization_details": [{"type": "payment"}], "a_property_of_tomorrow": [1]});
    let made = api.expect(201, "POST", "resource-servers", body.clone()).await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("resource-servers/{}", made["id"].as_str().unwrap());
    let change = json!({
        "scopes": [{"value": "c"}, {"value": "a"}], "token_lifetime": 600, "enforce_policies": false,
        "authorization_details": null, "token_encryption": null, "token_dialect": "rfc9068_profile",
        "subject_type_authorization": {"user": {"policy": "deny_all"}}, "allow_offline_access": true,
    });
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(changed["scopes"], json!([{"value": "c"}, {"value": "a"}]));
    assert_eq!(
        (&changed["token_lifetime"], &changed["token_lifetime_for_web"]),
        (&json!(600), &json!(600))
    );
    assert_eq!(changed["enforce_policies"], false);
    assert_eq!(changed.get("authorization_details"), None);
    assert_eq!(changed["token_dialect"], "rfc9068_profile");
    assert_eq!(
        changed["subject_type_authorization"],
        json!({"client": {"policy": "require_client_grant"}, "user": {"policy": "deny_all"}})
    );
    let cleared = api.expect(200, "PATCH", &path, json!({"scopes": []})).await;
    assert_eq!(cleared["scopes"], json!([]));
    assert_eq!(api.get(&path).await, cleared);
    let web = api
        .expect(400, "PATCH", &path, json!({"token_lifetime_for_web": 601}))
        .await;
    assert!(web["message"].as_str().unwrap().contains("token_lifetime_for_web"));
    api.expect(204, "DELETE", &path, Value::Null).await;
    api.expect(404, "GET", &path, Value::Null).await;
    api.expect(204, "DELETE", &path, Value::Null).await;
}

#[tokio::test]
async fn an_api_that_denies_applications_gives_them_no_token() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    house.token(&house.samples.sample).await;
    let path = "resource-servers/https:%2F%2Fapi.example.com";
    let policy = |policy: &str| json!({"subject_type_authorization": {"client": {"policy": policy}}});
    api.expect(200, "PATCH", path, policy("deny_all")).await;
    assert_eq!(house.client_credentials(&house.samples.sample).await.status, 403);
    api.expect(200, "PATCH", path, policy("require_client_grant")).await;
    house.token(&house.samples.sample).await;
}

#[tokio::test]
async fn an_hs256_api_shows_its_secret_and_the_log_says_so() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"identifier": "https://h", "signing_alg": "HS256", "signing_secret": "sixteen characters"});
    let made = api.expect(201, "POST", "resource-servers", body).await;
    assert_eq!(made["signing_secret"], "sixteen characters");
    let path = format!("resource-servers/{}", made["id"].as_str().unwrap());
    assert_eq!(api.get(&path).await, made);
    let logs = house.logs().await;
    assert_eq!(logs.iter().filter(|row| row.kind == "mgmt_api_read").count(), 1);
    for row in logs {
        assert!(!serde_json::to_string(&row.body).unwrap().contains("sixteen characters"));
    }
    let changed = api.expect(200, "PATCH", &path, json!({"signing_alg": "ES256"})).await;
    assert_eq!(changed.get("signing_secret"), None);
    let back = api.expect(200, "PATCH", &path, json!({"signing_alg": "HS256"})).await;
    assert_ne!(
        back["signing_secret"], "sixteen characters",
        "the old one is gone for good"
    );
    let wrong = json!({"signing_alg": "RS256", "signing_secret": "sixteen characters"});
    api.expect(400, "PATCH", &path, wrong).await;
}

#[tokio::test]
async fn the_system_api_is_listed_and_keeps_what_it_is() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let listed = api
        .get("resource-servers?page=0&per_page=100&include_totals=true")
        .await;
    assert_eq!((&listed["total"], &listed["start"]), (&json!(2), &json!(0)));
    let servers = listed["resource_servers"].as_array().unwrap();
    let system = servers.iter().find(|server| server["is_system"] == true).unwrap();
    assert_eq!(system["name"], "Auth0 Management API");
    assert_eq!(system["identifier"], format!("{ISSUER}api/v2/"));
    let scope = json!({"value": "read:client_grants", "description": "Read Client Grants"});
    assert!(system["scopes"].as_array().unwrap().contains(&scope));
    let path = "resource-servers/http:%2F%2Flocalhost:4000%2Fapi%2Fv2%2F";
    assert_eq!(&api.get(path).await, system);
    for change in [
        json!({"scopes": []}),
        json!({"name": "x"}),
        json!({"signing_alg": "HS256"}),
    ] {
        api.expect(400, "PATCH", path, change).await;
    }
    api.expect(400, "DELETE", path, Value::Null).await;
    let changed = api.expect(200, "PATCH", path, json!({"token_lifetime": 3600})).await;
    assert_eq!(
        (&changed["token_lifetime"], &changed["scopes"]),
        (&json!(3600), &system["scopes"])
    );
}

#[tokio::test]
async fn apis_are_listed_by_identifiers_and_by_checkpoint() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let found = api
        .get("resource-servers?identifiers=https%3A%2F%2Fapi.example.com&identifiers=https://nobody&fields=identifier")
        .await;
    assert_eq!(found, json!([{"identifier": AUDIENCE}]));
    let first = api.get("resource-servers/search?take=1").await;
    let next = first["next"].as_str().unwrap();
    let last = api.get(&format!("resource-servers/search?take=1&from={next}")).await;
    assert_eq!(last["resource_servers"].as_array().unwrap().len(), 1);
    assert_eq!(last.get("next"), None);
    assert_ne!(first["resource_servers"], last["resource_servers"]);
    let many = |count: usize| format!("resource-servers?{}", "identifiers=urn:a&".repeat(count));
    assert_eq!(api.get(&many(100)).await, json!([]));
    let refused = api.expect(400, "GET", &many(101), Value::Null).await;
    let text = refused["message"].as_str().unwrap();
    assert!(
        text.contains("Array is too long, maximum 100: ask for the others in another request")
            && text.contains("identifiers"),
        "{text}"
    );
}

#[tokio::test]
async fn apis_are_searched_and_the_next_page_goes_on() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for n in 0..5 {
        let body =
            json!({"identifier": format!("https://found/{n}"), "name": format!("Found {n}"), "signing_alg": "HS256"});
        api.expect(201, "POST", "resource-servers", body).await;
    }
    let mut names = Vec::new();
    let mut path = "resource-servers/search?q=identifier:https*found*%20AND%20NOT%20name:*3&take=2".to_owned();
    loop {
        let page = api.get(&path).await;
        for found in page["resource_servers"].as_array().unwrap() {
            names.push(found["name"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("resource-servers/search?q=identifier:https*found*%20AND%20NOT%20name:*3&take=2&from={next}");
    }
    names.sort();
    assert_eq!(names, ["Found 0", "Found 1", "Found 2", "Found 4"]);
    let system = api.get("resource-servers/search?q=is_system:true&parser=lucene").await;
    assert_eq!(system["resource_servers"].as_array().unwrap().len(), 1);
    assert_eq!(
        api.get("resource-servers/search?q=_exists_:signing_secret").await["resource_servers"],
        json!([])
    );
    for wrong in ["q=(", "q=found&parser=scim", "q=found&sort=name:1"] {
        let refused = api
            .expect(400, "GET", &format!("resource-servers/search?{wrong}"), Value::Null)
            .await;
        assert_eq!(refused["errorCode"], "invalid_query_string");
    }
}

#[tokio::test]
async fn tokens_may_live_for_no_second() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let body = json!({"identifier": "https://brief", "token_lifetime": 0, "token_lifetime_for_web": 0});
    assert_eq!(
        api.expect(201, "POST", "resource-servers", body).await["token_lifetime"],
        0
    );
}
