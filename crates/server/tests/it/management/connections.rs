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

#[tokio::test]
async fn the_life_of_a_connection_and_of_the_users_in_it() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let client = &house.samples.password.client_id;
    let body = json!({
        "name": "Customers", "strategy": "auth0", "options": {"passwordPolicy": "low", "ours": {"kept": [1]}},
        "metadata": {"a": "1"}, "enabled_clients": [client],
    });
    let made = api.expect(201, "POST", "connections", body.clone()).await;
    let path = format!("connections/{}", made["id"].as_str().unwrap());
    assert!(path.starts_with("connections/con_"));
    assert_eq!(api.get(&path).await, made);
    assert_eq!(
        (
            &made["name"],
            &made["realms"],
            &made["options"]["ours"],
            &made["metadata"]
        ),
        (
            &json!("Customers"),
            &json!(["Customers"]),
            &json!({"kept": [1]}),
            &json!({"a": "1"})
        )
    );
    let taken = api.expect(409, "POST", "connections", body).await;
    assert_eq!(taken["message"], "A connection with the same name already exists");
    assert_eq!(
        enabled(&api, &format!("{path}/clients")).await,
        std::slice::from_ref(client)
    );
    let user = json!({"connection": "Customers", "email": "c@example.com", "password": "simple"});
    let user = api.expect(201, "POST", "users", user).await;
    let sign_in = async || {
        let fields = [
            ("grant_type", "http://auth0.com/oauth/grant-type/password-realm"),
            ("realm", "Customers"),
            ("username", "c@example.com"),
            ("password", "simple"),
        ];
        house.password(&fields).await.status
    };
    assert_eq!(sign_in().await, 200);
    api.expect(200, "PATCH", &path, json!({"enabled_clients": []})).await;
    assert_eq!(sign_in().await, 403, "it is open to those alone that it names");
    let open = json!([{"client_id": client, "status": true}]);
    api.expect(204, "PATCH", &format!("{path}/clients"), open).await;
    assert_eq!(sign_in().await, 200);
    assert_eq!(api.get("connections?include_totals=true&page=0").await["total"], 2);
    let nobodys = json!({"name": "Nobodys", "strategy": "auth0", "enabled_clients": null});
    let nobodys = api.expect(201, "POST", "connections", nobodys).await;
    let nobodys = format!("connections/{}", nobodys["id"].as_str().unwrap());
    assert!(enabled(&api, &format!("{nobodys}/clients")).await.is_empty());
    api.expect(204, "DELETE", &nobodys, Value::Null).await;
    api.expect(200, "GET", &format!("{path}/status"), Value::Null).await;
    let by_email = json!({"connection": "Customers", "email": "gone@example.com", "password": "simple"});
    let gone = api.expect(201, "POST", "users", by_email).await;
    api.expect(
        204,
        "DELETE",
        &format!("{path}/users?email=gone@example.com"),
        Value::Null,
    )
    .await;
    let gone = gone["user_id"].as_str().unwrap().replace('|', "%7C");
    api.expect(404, "GET", &format!("users/{gone}"), Value::Null).await;
    api.expect(400, "DELETE", &format!("{path}/users"), Value::Null).await;
    let before = api.get("users?include_totals=true").await["total"].as_u64().unwrap();
    assert_eq!(api.expect(204, "DELETE", &path, Value::Null).await, Value::Null);
    api.expect(404, "GET", &path, Value::Null).await;
    let id = user["user_id"].as_str().unwrap().replace('|', "%7C");
    api.expect(404, "GET", &format!("users/{id}"), Value::Null).await;
    assert_eq!(api.get("users?include_totals=true").await["total"], before - 1);
    assert_eq!(sign_in().await, 400, "there is no such realm");
    api.expect(204, "DELETE", &path, Value::Null).await;
}

#[tokio::test]
async fn an_application_that_is_deleted_leaves_the_lists_of_connections() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let mut ids = Vec::new();
    for name in ["Stays", "Goes"] {
        let client = api.expect(201, "POST", "clients", json!({"name": name})).await;
        ids.push(client["client_id"].as_str().unwrap().to_owned());
    }
    let body = json!({"name": "Customers", "strategy": "auth0", "enabled_clients": ids});
    let made = api.expect(201, "POST", "connections", body).await;
    let closed = format!("connections/{}", made["id"].as_str().unwrap());
    let open = format!("{}/clients", path(&api).await);
    let shut = json!([{"client_id": ids[1], "status": false}]);
    api.expect(204, "PATCH", &open, shut.clone()).await;

    api.expect(204, "DELETE", &format!("clients/{}", ids[1]), Value::Null)
        .await;
    assert_eq!(api.get(&closed).await["enabled_clients"], json!([ids[0]]));
    assert_eq!(enabled(&api, &format!("{closed}/clients")).await, [ids[0].clone()]);
    // As Auth0's deploy CLI does, which read the list before.
    for path in [&open, &format!("{closed}/clients")] {
        api.expect(204, "PATCH", path, shut.clone()).await;
    }
    assert_eq!(api.get(&closed).await["enabled_clients"], json!([ids[0]]));
}

#[tokio::test]
async fn what_no_database_can_be_is_refused_by_name() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for (body, expected) in [
        (json!({"name": "a", "strategy": "google-oauth2"}), "strategy"),
        (json!({"name": "a b", "strategy": "auth0"}), "name"),
        (json!({"name": "a--b", "strategy": "auth0"}), "name"),
        (json!({"name": "-a", "strategy": "auth0"}), "name"),
        (
            json!({"name": "a", "strategy": "auth0", "enabled_clients": ["nobody"]}),
            "enabled_clients names nobody",
        ),
        (
            json!({"name": "a", "strategy": "auth0", "disabled_clients": []}),
            "disabled_clients",
        ),
    ] {
        let refused = api.expect(400, "POST", "connections", body).await;
        assert!(refused["message"].as_str().unwrap().contains(expected), "{refused}");
    }
}

#[tokio::test]
async fn every_rule_of_a_connection_holds_where_passwords_are_set() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let options = json!({
        "passwordPolicy": "low",
        "password_complexity_options": {"min_length": 12},
        "password_dictionary": {"enable": true, "dictionary": ["Correct Horse Battery"]},
        "password_no_personal_info": {"enable": true},
    });
    let body = json!({"name": "Strict", "strategy": "auth0", "options": options});
    api.expect(201, "POST", "connections", body).await;
    let user = |password: &str| {
        json!({
            "connection": "Strict", "email": "lovelace@example.com", "given_name": "Augusta", "password": password,
        })
    };
    let weak = [
        ("eleven char", "at least 12 characters"),
        ("correct horse battery", "too common"),
        ("i am Augusta of old", "user information"),
        ("my name is LOVELACE", "user information"),
    ];
    for (password, expected) in weak {
        let refused = api.expect(400, "POST", "users", user(password)).await;
        assert!(refused["message"].as_str().unwrap().contains(expected), "{refused}");
    }
    let made = api.expect(201, "POST", "users", user("twelve chars and more")).await;
    let path = format!("users/{}", made["user_id"].as_str().unwrap().replace('|', "%7C"));
    for (password, expected) in weak {
        let refused = api.expect(400, "PATCH", &path, json!({"password": password})).await;
        assert!(refused["message"].as_str().unwrap().contains(expected), "{refused}");
    }
    let changed = json!({"password": "twelve chars and others"});
    let changed = api.expect(200, "PATCH", &path, changed).await;
    assert!(
        changed["last_password_reset"].as_str().unwrap().ends_with('Z'),
        "{changed}"
    );
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
