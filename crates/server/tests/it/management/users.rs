//! `/users`: the life of a user, what they may do, and finding them (CONTRACT §4.6).

use serde_json::{Value, json};

use tokenhouse::config::Limits;
use tokenhouse::registry::connections::{self, PasswordPolicy};

use super::Api;
use crate::house::{AUDIENCE, House, ISSUER, PASSWORD, Setup, USERNAME};

const CONNECTION: &str = "Username-Password-Authentication";

/// A user who is made: `more` beside the connection and a password.
async fn made(api: &Api<'_>, more: Value) -> Value {
    let mut body = json!({"connection": CONNECTION, "password": "Correct horse 7"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    api.expect(201, "POST", "users", body).await
}

fn path_of(user: &Value) -> String {
    format!("users/{}", user["user_id"].as_str().unwrap().replace('|', "%7C"))
}

#[tokio::test]
async fn a_user_is_shown_as_auth0_shows_them() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let mut user = made(
        &api,
        json!({"email": "Ada@example.com", "username": "ada", "user_id": "testaccuser"}),
    )
    .await;
    assert_eq!(api.get(&path_of(&user)).await, user);
    for time in ["created_at", "updated_at"] {
        assert!(user[time].as_str().unwrap().ends_with('Z'));
        user.as_object_mut().unwrap().remove(time);
    }
    let expected = json!({
        "email": "Ada@example.com", "email_verified": false, "name": "Ada@example.com", "nickname": "Ada",
        "user_id": "auth0|testaccuser", "username": "ada", "picture": format!("{ISSUER}avatars/ad.svg"),
        "identities": [{"user_id": "testaccuser", "connection": CONNECTION, "provider": "auth0", "isSocial": false}],
    });
    assert_eq!(user, expected);
    let generated = made(&api, json!({"email": "b@example.com", "blocked": false})).await;
    assert_eq!(generated["user_id"].as_str().unwrap().len(), "auth0|".len() + 24);
    assert_eq!(generated["blocked"], false, "shown once it was said");
}

#[tokio::test]
async fn a_user_made_here_signs_in_until_they_are_blocked_or_deleted() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let user = made(&api, json!({"email": "in@example.com"})).await;
    let sign_in = |password: &'static str| async {
        house
            .password(&[("username", "in@example.com"), ("password", password)])
            .await
            .status
    };
    assert_eq!(sign_in("Correct horse 7").await, 200);
    let path = path_of(&user);
    let changed = json!({"password": "Another horse 8", "connection": CONNECTION});
    let answer = api.expect(200, "PATCH", &path, changed).await;
    assert!(!answer.to_string().contains("horse"));
    assert_eq!(sign_in("Correct horse 7").await, 403);
    assert_eq!(sign_in("Another horse 8").await, 200);
    api.expect(200, "PATCH", &path, json!({"blocked": true})).await;
    assert_eq!(sign_in("Another horse 8").await, 403);
    api.expect(200, "PATCH", &path, json!({"blocked": false})).await;
    assert_eq!(sign_in("Another horse 8").await, 200);
    api.expect(204, "DELETE", &path, Value::Null).await;
    assert_eq!(sign_in("Another horse 8").await, 403);
    let gone = api.expect(404, "GET", &path, Value::Null).await;
    assert_eq!(
        (&gone["message"], &gone["errorCode"]),
        (&json!("The user does not exist."), &json!("inexistent_user"))
    );
    api.expect(204, "DELETE", &path, Value::Null).await;
}

#[tokio::test]
async fn a_password_is_in_no_answer_and_no_row() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let user = made(
        &api,
        json!({"email": "quiet@example.com", "password": "Never told 1234"}),
    )
    .await;
    let answer = api.ask("GET", &path_of(&user), Value::Null).await;
    assert!(
        !answer.body.contains("password") && !answer.body.contains("argon2"),
        "{}",
        answer.body
    );
    let rows = house.logs().await;
    let row = rows
        .iter()
        .find(|row| row.body["description"] == "Create a User")
        .unwrap();
    assert_eq!(row.body["details"]["request"]["body"]["password"], "*****");
    assert!(
        !rows
            .iter()
            .any(|row| serde_json::to_string(&row.body).unwrap().contains("Never told"))
    );
}

#[tokio::test]
async fn metadata_merges_and_an_empty_object_clears_it() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let more = json!({
        "email": "m@example.com", "user_metadata": {"a": {"x": 1}, "b": 2}, "app_metadata": {"plan": "free"},
        "given_name": "M",
    });
    let path = path_of(&made(&api, more).await);
    let change = json!({"user_metadata": {"a": {"y": 1}, "b": null}, "app_metadata": {"tier": 3}, "given_name": null});
    let changed = api.expect(200, "PATCH", &path, change).await;
    assert_eq!(changed["user_metadata"], json!({"a": {"y": 1}}));
    assert_eq!(changed["app_metadata"], json!({"plan": "free", "tier": 3}));
    assert_eq!(changed.get("given_name"), None);
    let cleared = json!({"user_metadata": {}, "app_metadata": {}});
    let cleared = api.expect(200, "PATCH", &path, cleared).await;
    assert_eq!(
        (&cleared["user_metadata"], cleared.get("app_metadata")),
        (&json!({}), None)
    );
    let few = Api::with_scopes(&house, "update:users_app_metadata").await;
    few.expect(200, "PATCH", &path, json!({"app_metadata": {"by": "few"}}))
        .await;
    let refused = few.expect(403, "PATCH", &path, json!({"blocked": true})).await;
    assert_eq!(refused["message"], "Insufficient scope, expected any of: update:users");
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let user = made(&api, json!({"email": "taken@example.com", "email_verified": true})).await;
    connections::set_password_policy(&*house.tenant().await, CONNECTION, PasswordPolicy::Good)
        .await
        .unwrap();
    let base = json!({"connection": CONNECTION, "password": "Correct horse 7"});
    for (status, more, expected) in [
        (409, json!({"email": "Taken@Example.com"}), "The user already exists."),
        (
            400,
            json!({"email": "no address"}),
            "format email: no address' on property email",
        ),
        (400, json!({}), "e-mail address or a user name"),
        (
            400,
            json!({"email": "x@example.com", "password": "short"}),
            "PasswordStrengthError",
        ),
        (400, json!({"email": "x@example.com", "password": null}), "password"),
        (
            400,
            json!({"email": "x@example.com", "connection": "Nowhere"}),
            "The connection does not exist",
        ),
        (400, json!({"email": "x@example.com", "user_id": "a b"}), "user_id"),
        (400, json!({"email": "x@example.com", "surprise": 1}), "surprise"),
    ] {
        let mut body = base.clone();
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = api.expect(status, "POST", "users", body).await;
        assert!(refused["message"].as_str().unwrap().contains(expected), "{refused}");
    }
    let path = path_of(&user);
    api.expect(400, "PATCH", &path, json!({"email": "a@b", "username": "c"}))
        .await;
    api.expect(400, "PATCH", &path, json!({"email": "a@b", "connection": "other"}))
        .await;
    api.expect(400, "PATCH", &path, json!({"email": null})).await;
    let conflict = api.expect(409, "PATCH", &path, json!({"email": USERNAME})).await;
    assert_eq!(conflict["errorCode"], "auth0_idp_error");
    let moved = api
        .expect(200, "PATCH", &path, json!({"email": "new@example.com"}))
        .await;
    assert_eq!(moved["email_verified"], false, "nobody has shown that it is theirs");
}

#[tokio::test]
async fn users_are_listed_and_found_by_what_tools_send() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for number in 0..7 {
        let more = json!({
            "email": format!("u{number}@find.example"), "username": format!("finder{number}"),
            "user_metadata": {"team": {"name": if number < 3 { "blue" } else { "red" }}, "rank": number},
        });
        made(&api, more).await;
    }
    let first = api.get("users?page=0&per_page=5&include_totals=true").await;
    assert_eq!(
        (&first["start"], &first["limit"], &first["length"], &first["total"]),
        (&json!(0), &json!(5), &json!(5), &json!(8))
    );
    let past = api.get("users?page=9&per_page=5&include_totals=true").await;
    assert_eq!((&past["users"], &past["length"]), (&json!([]), &json!(0)));
    for (q, expected) in [
        ("email:%22U3@find.example%22", 1),
        ("email:u3@find.example", 1),
        ("username:finder4", 1),
        ("email:*find.example", 7),
        ("email:u*+AND+user_metadata.team.name:blue", 3),
        ("user_metadata.rank:[2+TO+4}", 2),
        ("_exists_:username+AND+NOT+username:finder0", 6),
        ("finder", 7),
        ("email:nobody@find.example", 0),
        ("email:u3@find.example+AND+username:finder4", 0),
        ("identities.connection:%22Username-Password-Authentication%22", 8),
    ] {
        let found = api
            .get(&format!("users?q={q}&search_engine=v3&include_totals=true"))
            .await;
        assert_eq!(found["total"], expected, "{q}: {found}");
        assert_eq!(found["users"].as_array().unwrap().len(), expected, "{q}");
    }
    let sorted = api
        .get("users?q=username:*&sort=username:-1&per_page=2&page=1&fields=username")
        .await;
    assert_eq!(sorted, json!([{"username": "finder4"}, {"username": "finder3"}]));
    let refused = api.expect(400, "GET", "users?q=(", Value::Null).await;
    assert_eq!(refused["errorCode"], "invalid_query_string");
    let by_email = api
        .get("users-by-email?email=U3@Find.example&fields=email,user_id")
        .await;
    assert_eq!(by_email.as_array().unwrap().len(), 1);
    assert_eq!(by_email[0]["email"], "u3@find.example");
    assert_eq!(api.get("users-by-email?email=nobody@x").await, json!([]));
    api.expect(400, "GET", "users-by-email", Value::Null).await;
}

#[tokio::test]
async fn roles_and_permissions_of_a_user_say_where_they_come_from() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = path_of(&made(&api, json!({"email": "r@example.com"})).await);
    let role = api.expect(200, "POST", "roles", json!({"name": "Reader"})).await;
    let item = |scope: &str| json!({"resource_server_identifier": AUDIENCE, "permission_name": scope});
    let one = json!({"permissions": [item("read:messages")]});
    let role_path = format!("roles/{}", role["id"].as_str().unwrap());
    let answer = api
        .expect(201, "POST", &format!("{role_path}/permissions"), one.clone())
        .await;
    assert_eq!(answer, json!({}));
    let roles = json!({"roles": [role["id"]]});
    api.expect(204, "POST", &format!("{path}/roles"), roles.clone()).await;
    let listed = api.get(&format!("{path}/roles?include_totals=true&per_page=50")).await;
    assert_eq!(
        (&listed["total"], &listed["roles"]),
        (
            &json!(1),
            &json!([{"id": role["id"], "name": "Reader", "description": ""}])
        )
    );
    let permissions = format!("{path}/permissions");
    assert_eq!(api.expect(201, "POST", &permissions, one.clone()).await, json!({}));
    let held = api.get(&permissions).await;
    assert_eq!(held.as_array().unwrap().len(), 1);
    assert_eq!(held[0]["permission_name"], "read:messages");
    assert_eq!(held[0]["resource_server_identifier"], AUDIENCE);
    assert_eq!(
        held[0]["sources"],
        json!([
            {"source_id": "", "source_name": "", "source_type": "DIRECT"},
            {"source_id": role["id"], "source_name": "Reader", "source_type": "ROLE"},
        ])
    );
    let unknown = json!({"permissions": [item("read:messages"), item("fly:away")]});
    let refused = api.expect(404, "POST", &permissions, unknown).await;
    assert_eq!(
        (&refused["message"], &refused["errorCode"]),
        (
            &json!(format!("This permission does not exist: '{AUDIENCE} - fly:away'")),
            &json!("inexistent_resource_server_permission")
        )
    );
    api.expect(204, "DELETE", &permissions, one).await;
    assert_eq!(api.get(&permissions).await[0]["sources"][0]["source_type"], "ROLE");
    api.expect(204, "DELETE", &format!("{path}/roles"), roles).await;
    assert_eq!(api.get(&permissions).await, json!([]));
    let nobody = json!({"roles": ["rol_nobody"]});
    api.expect(404, "POST", &format!("{path}/roles"), nobody).await;
    api.expect(404, "GET", "users/auth0%7Cnobody/permissions", Value::Null)
        .await;
}

#[tokio::test]
async fn a_user_who_failed_too_often_is_blocked_until_they_are_let_in_again() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let found = api.get(&format!("users-by-email?email={USERNAME}")).await;
    let id = found[0]["user_id"].as_str().unwrap().replace('|', "%7C");
    let sign_in = |password: &'static str| async {
        house
            .password(&[("username", USERNAME), ("password", password)])
            .await
            .status
    };
    let path = format!("user-blocks/{id}");
    assert_eq!(api.get(&path).await, json!({"blocked_for": []}));
    for _ in 0..20 {
        if sign_in("wrong").await == 429 {
            break;
        }
    }
    assert_eq!(sign_in(PASSWORD).await, 429);
    let blocked = api.get(&path).await;
    assert_eq!(blocked["blocked_for"][0]["identifier"], USERNAME);
    assert_eq!(api.get(&format!("user-blocks?identifier={USERNAME}")).await, blocked);
    api.expect(204, "DELETE", &path, Value::Null).await;
    assert_eq!(sign_in(PASSWORD).await, 200);
    assert_eq!(api.get(&path).await, json!({"blocked_for": []}));
    api.expect(400, "GET", "user-blocks", Value::Null).await;
}

#[tokio::test]
async fn an_address_that_failed_at_too_many_accounts_is_blocked_until_it_is_let_in_again() {
    let house = House::open(Setup {
        limits: Limits {
            failed_logins_per_address: 3,
            ..Setup::default().limits
        },
        ..Setup::default()
    })
    .await;
    let api = Api::of(&house).await;
    let path = "anomaly/blocks/ips/127.0.0.1";
    let free = api.expect(404, "GET", path, Value::Null).await;
    assert_eq!(free["message"], "The IP address is not blocked");
    for name in ["a", "b", "c"] {
        house.password(&[("username", name), ("password", "wrong")]).await;
    }
    assert_eq!(house.password(&[]).await.status, 429);
    assert_eq!(api.expect(200, "GET", path, Value::Null).await, Value::Null);
    api.expect(404, "GET", "anomaly/blocks/ips/192.0.2.1", Value::Null)
        .await;
    api.expect(204, "DELETE", path, Value::Null).await;
    assert_eq!(house.password(&[]).await.status, 200);
    let unreadable = api.expect(400, "GET", "anomaly/blocks/ips/1.2.3", Value::Null).await;
    assert_eq!(unreadable["errorCode"], "invalid_uri");
}

#[tokio::test]
async fn the_log_of_a_user_is_theirs_alone() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let (one, other) = (
        made(&api, json!({"email": "one@example.com"})).await,
        made(&api, json!({"email": "other@example.com"})).await,
    );
    for (email, password) in [
        ("one@example.com", "Correct horse 7"),
        ("one@example.com", "wrong"),
        ("other@example.com", "Correct horse 7"),
    ] {
        house.password(&[("username", email), ("password", password)]).await;
    }
    house.written().await;
    let rows = api.get(&format!("{}/logs?include_totals=true", path_of(&one))).await;
    let rows = rows["logs"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["user_id"] == one["user_id"]), "{rows:?}");
    assert_eq!(rows.iter().filter(|row| row["type"] == "fp").count(), 1);
    let of_other = api.get(&format!("{}/logs", path_of(&other))).await;
    let of_other = of_other.as_array().unwrap();
    assert!(!of_other.is_empty());
    assert!(of_other.iter().all(|row| row["type"] != "fp"), "{of_other:?}");
    assert_eq!(api.get("users/auth0%7Cnobody/logs").await, json!([]));
}
