//! `/roles`: made, changed, found, given to users (CONTRACT §4.7).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House};

#[tokio::test]
async fn a_role_lives_with_auth0s_statuses() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let made = api.expect(200, "POST", "roles", json!({"name": "Editor"})).await;
    let path = format!("roles/{}", made["id"].as_str().unwrap());
    assert_eq!(
        made,
        json!({"id": made["id"], "name": "Editor", "description": null, "type": "tenant"})
    );
    assert_eq!(api.get(&path).await["description"], "");
    let changed = api.expect(200, "PATCH", &path, json!({"description": "Edits"})).await;
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Editor"), &json!("Edits"))
    );
    let renamed = api.expect(200, "PATCH", &path, json!({"name": "Author"})).await;
    assert_eq!(renamed["description"], "Edits");
    api.expect(409, "POST", "roles", json!({"name": "Author"})).await;
    assert_eq!(api.expect(200, "DELETE", &path, json!({})).await, json!({}));
    let gone = api.expect(404, "GET", &path, Value::Null).await;
    assert_eq!(
        (&gone["message"], gone.get("errorCode")),
        (&json!("The role does not exist."), None)
    );
    assert_eq!(api.expect(200, "DELETE", &path, Value::Null).await, json!({}));
    api.expect(404, "GET", "roles/Author", Value::Null).await;
}

#[tokio::test]
async fn roles_are_listed_and_filtered_by_a_part_of_their_name() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for name in ["Alpha reader", "Beta reader", "Gamma"] {
        api.expect(200, "POST", "roles", json!({"name": name})).await;
    }
    let all = api
        .get("roles?per_page=100&page=0&include_totals=true&type=tenant")
        .await;
    assert_eq!(
        (&all["total"], &all["start"], &all["limit"]),
        (&json!(3), &json!(0), &json!(100))
    );
    assert_eq!(all["roles"].as_array().unwrap().len(), 3);
    let readers = api.get("roles?name_filter=READER&include_totals=true&per_page=1").await;
    assert_eq!(
        (&readers["total"], readers["roles"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    assert_eq!(api.get("roles?page=5").await, json!([]));
    assert_eq!(api.get("roles?type=organization").await, json!([]));
}

#[tokio::test]
async fn permissions_of_a_role_are_given_all_or_none() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let role = api.expect(200, "POST", "roles", json!({"name": "R"})).await;
    let path = format!("roles/{}/permissions", role["id"].as_str().unwrap());
    let item = |scope: &str| json!({"resource_server_identifier": AUDIENCE, "permission_name": scope});
    api.expect(
        404,
        "POST",
        &path,
        json!({"permissions": [item("read:messages"), item("no:such")]}),
    )
    .await;
    assert_eq!(api.get(&path).await, json!([]));
    api.expect(201, "POST", &path, json!({"permissions": [item("read:messages")]}))
        .await;
    let given = api
        .get(&format!("{path}?include_totals=true&page=0&per_page=100"))
        .await;
    assert_eq!(given["total"], 1);
    let first = given["permissions"][0].as_object().unwrap();
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "description",
            "permission_name",
            "resource_server_identifier",
            "resource_server_name"
        ]
    );
    api.expect(204, "DELETE", &path, json!({"permissions": [item("read:messages")]}))
        .await;
    assert_eq!(api.get(&path).await, json!([]));
    let of_a_gone_api =
        json!({"permissions": [{"resource_server_identifier": "https://gone", "permission_name": "x"}]});
    api.expect(204, "DELETE", &path, of_a_gone_api).await;
    api.expect(404, "GET", "roles/rol_none/permissions", Value::Null).await;
}

#[tokio::test]
async fn users_of_a_role_are_listed_by_number_and_by_checkpoint() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let role = api.expect(200, "POST", "roles", json!({"name": "Crowd"})).await;
    let path = format!("roles/{}/users", role["id"].as_str().unwrap());
    let mut users = Vec::new();
    for number in 0..5 {
        let body = json!({
            "connection": "Username-Password-Authentication", "password": "Correct horse 7",
            "email": format!("crowd{number}@example.com"),
        });
        users.push(api.expect(201, "POST", "users", body).await["user_id"].clone());
    }
    api.expect(404, "POST", &path, json!({"users": [users[0], "auth0|nobody"]}))
        .await;
    assert_eq!(api.get(&path).await, json!([]), "all or none");
    assert_eq!(api.expect(200, "POST", &path, json!({"users": users})).await, json!({}));
    let listed = api.get(&format!("{path}?include_totals=true")).await;
    assert_eq!(listed["total"], 5);
    let first = listed["users"][0].as_object().unwrap();
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        ["email", "name", "picture", "user_id"]
    );
    let mut query = format!("{path}?take=2");
    let mut seen = Vec::new();
    for expected in [2, 2, 1] {
        let page = api.get(&query).await;
        assert_eq!(page["users"].as_array().unwrap().len(), expected);
        seen.extend(
            page["users"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["user_id"].clone()),
        );
        match page.get("next") {
            Some(next) => query = format!("{path}?take=2&from={}", next.as_str().unwrap()),
            None => assert_eq!(expected, 1),
        }
    }
    users.sort_by_key(Value::to_string);
    assert_eq!(seen, users);
}
