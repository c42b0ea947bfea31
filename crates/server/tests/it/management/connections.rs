//! `/connections`: the database connection, its password policy and its applications (CONTRACT §4.10).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House};

#[tokio::test]
async fn the_database_connection_is_listed_in_every_shape() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let bare = api.get("connections").await;
    let one = &bare[0];
    assert_eq!(
        (&one["name"], &one["strategy"]),
        (&json!("Username-Password-Authentication"), &json!("auth0"))
    );
    assert_eq!(one["options"]["authentication_methods"]["password"]["enabled"], true);
    let totals = api.get("connections?include_totals=true&page=0").await;
    assert_eq!((&totals["total"], &totals["connections"]), (&json!(1), &bare));
    let taken = api.get("connections?include_totals=true&take=50&strategy=auth0").await;
    assert_eq!(taken, json!({"connections": bare}));
    assert_eq!(api.get("connections?strategy=google-oauth2").await, json!([]));
    assert_eq!(api.get("connections?name=Other").await, json!([]));
    assert_eq!(api.get("connections?page=3").await, json!([]));
    let id = one["id"].as_str().unwrap();
    let chosen = api.get(&format!("connections/{id}?fields=name,strategy")).await;
    assert_eq!(chosen, json!({"name": one["name"], "strategy": "auth0"}));
    let missing = api.expect(404, "GET", "connections/con_nothing", Value::Null).await;
    assert_eq!(missing["errorCode"], "inexistent_connection");
    api.expect(405, "POST", "connections", json!({"name": "x", "strategy": "auth0"}))
        .await;
}

#[tokio::test]
async fn options_are_replaced_whole_and_the_password_policy_holds() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = path(&api).await;
    let change = json!({"options": {"passwordPolicy": "excellent", "ours": 1}, "display_name": "People"});
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(
        (&changed["options"]["passwordPolicy"], &changed["options"]["ours"]),
        (&json!("excellent"), &json!(1))
    );
    let tenant = house.tenant().await;
    let connection = tokenhouse::registry::connections::connection(&tenant, "Username-Password-Authentication").await;
    let policy = tokenhouse::registry::connections::PasswordPolicy::of(&connection.unwrap());
    assert!(!policy.accepts("Abc123-x") && policy.accepts("Abc123-xyz"));
    let change = json!({"options": {"disable_signup": true}, "display_name": null});
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(
        (
            &changed["options"]["passwordPolicy"],
            changed["options"].get("ours"),
            changed.get("display_name")
        ),
        (&json!("good"), None, None)
    );
    for body in [
        json!({"name": "Other"}),
        json!({"disabled_clients": []}),
        json!({"options": {"passwordPolicy": "no"}}),
    ] {
        api.expect(400, "PATCH", &path, body).await;
    }
}

#[tokio::test]
async fn a_connection_closed_to_an_application_lets_none_of_its_users_in() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = format!("{}/clients", path(&api).await);
    let client = &house.samples.password.client_id;
    let all = enabled(&api, &path).await;
    assert!(all.contains(client), "{all:?}");
    let login = [("audience", AUDIENCE)];
    assert_eq!(house.password(&login).await.status, 200);
    let body = json!([{"client_id": client, "status": false}]);
    assert_eq!(api.expect(204, "PATCH", &path, body).await, Value::Null);
    let refused = house.password(&login).await;
    assert_eq!(
        (refused.status, refused.text("error")),
        (403, "unauthorized_client".into())
    );
    assert_eq!(enabled(&api, &path).await.len(), all.len() - 1);
    let of_client = format!("clients/{client}/connections");
    assert_eq!(api.get(&of_client).await, json!({"connections": []}));
    let body = json!([{"client_id": client, "status": true}]);
    api.expect(204, "PATCH", &path, body).await;
    assert_eq!(house.password(&login).await.status, 200);
    assert_eq!(enabled(&api, &path).await, all);
    assert_eq!(api.get(&of_client).await["connections"].as_array().unwrap().len(), 1);
    let unknown = json!([{"client_id": "nobody", "status": true}]);
    api.expect(404, "PATCH", &path, unknown).await;
}

async fn path(api: &Api<'_>) -> String {
    let listed = api.get("connections").await;
    format!("connections/{}", listed[0]["id"].as_str().unwrap())
}

async fn enabled(api: &Api<'_>, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut page = api.get(&format!("{path}?take=2")).await;
    loop {
        let clients = page["clients"].as_array().unwrap();
        all.extend(
            clients
                .iter()
                .map(|client| client["client_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { return all };
        page = api.get(&format!("{path}?take=2&from={next}")).await;
    }
}
