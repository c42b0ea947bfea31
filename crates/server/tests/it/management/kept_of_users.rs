//! What is kept about a user: their logins, their picture, all of it in one answer; and that the log forgets them.

use serde_json::{Value, json};

use tokenhouse::accounts::forgetting;

use super::Api;
use crate::house::{Ask, House, ISSUER};

const CONNECTION: &str = "Username-Password-Authentication";
const EMAIL: &str = "grace.hopper@example.com";
const LOGIN: [(&str, &str); 2] = [("username", EMAIL), ("password", "Correct horse 7")];

/// A user with a past: made, signed in, failed, changed. Their path.
async fn with_past(house: &House, api: &Api<'_>) -> String {
    let body = json!({
        "connection": CONNECTION, "password": "Correct horse 7", "email": EMAIL, "username": "grace", "user_id": "ghopper",
        "given_name": "Grace", "user_metadata": {"nickname": "Amazing"},
    });
    api.expect(201, "POST", "users", body).await;
    let path = "users/auth0%7Cghopper".to_owned();
    assert_eq!(house.password(&LOGIN).await.status, 200);
    let by_name = [("username", "GRACE"), ("password", "wrong"), ("scope", "openid")];
    assert_eq!(house.password(&by_name).await.status, 403);
    let change = json!({"app_metadata": {"about": EMAIL}});
    api.expect(200, "PATCH", &path, change).await;
    path
}

#[tokio::test]
async fn logins_are_counted_and_are_no_change_of_the_user() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = with_past(&house, &api).await;
    let before = api.get(&path).await;
    assert_eq!(before.get("logins_count"), None, "not counted yet");
    assert_eq!(api.get("stats/active-users").await, json!(0));
    let revision = async || {
        let id = house.tenant().await.id.clone();
        house.app.house.store.revisions(&[id]).await.unwrap()[0].1
    };
    let unchanged = revision().await;
    house.advance_s(5);
    assert_eq!(house.password(&LOGIN).await.status, 200);
    house.written().await;
    house.app.house.store.fold_usage().await.unwrap();
    assert_eq!(revision().await, unchanged);
    let after = api.get(&path).await;
    assert_eq!(after["logins_count"], 2);
    assert_eq!(after["last_login"], "2026-01-15T10:00:05.000Z");
    assert_eq!(after["last_ip"], "127.0.0.1");
    assert_eq!(after["updated_at"], before["updated_at"]);
    assert_eq!(api.get("stats/active-users").await, json!(1));
    house.advance_s(31 * 86_400);
    let later = Api::of(&house).await;
    assert_eq!(later.get("stats/active-users").await, json!(0));
}

#[tokio::test]
async fn a_picture_is_ours_unless_the_user_has_one() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = with_past(&house, &api).await;
    let picture = format!("{ISSUER}avatars/gr.svg");
    assert_eq!(api.get(&path).await["picture"], json!(picture));
    let fields = [LOGIN[0], LOGIN[1], ("scope", "openid profile")];
    let token = house.password(&fields).await.text("access_token");
    let told = house.ask(Ask::get("/userinfo").bearer(&token)).await.json();
    assert_eq!(told["picture"], json!(picture), "applications are told the same");
    let drawn = house.get("/avatars/gr.svg").await;
    assert_eq!((drawn.status, drawn.header("content-type")), (200, "image/svg+xml"));
    assert!(drawn.body.contains(">GR</text>"), "{}", drawn.body);
    for name in ["", "a.png", "abc.svg", "%3Cs%3E.svg", "A.svg", ".svg"] {
        assert_eq!(house.get(&format!("/avatars/{name}")).await.status, 404, "{name}");
    }
    let own = json!({"picture": "https://example.com/me.png"});
    let shown = api.expect(200, "PATCH", &path, own).await;
    assert_eq!(shown["picture"], "https://example.com/me.png");
    let shown = api.expect(200, "PATCH", &path, json!({"picture": null})).await;
    assert_eq!(shown["picture"], json!(picture));
}

#[tokio::test]
async fn one_call_exports_what_is_kept_about_a_user() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = with_past(&house, &api).await;
    let role = api.expect(200, "POST", "roles", json!({"name": "Admiral"})).await;
    api.expect(204, "POST", &format!("{path}/roles"), json!({"roles": [role["id"]]}))
        .await;
    house.written().await;
    let all = api.get(&format!("{path}/export")).await;
    assert_eq!(all["user"], api.get(&path).await);
    assert_eq!(all["roles"], json!([{"id": role["id"], "name": "Admiral"}]));
    let kinds: Vec<&str> = all["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["sapi", "sepft", "fepft", "fp", "sapi", "sapi"]);
    assert_eq!(all.get("next"), None);
    assert!(!all.to_string().contains("argon2"));
    let few = Api::with_scopes(&house, "read:users").await;
    few.expect(403, "GET", &format!("{path}/export"), Value::Null).await;
    api.expect(404, "GET", "users/auth0%7Cnobody/export", Value::Null).await;
    let reads = house.logs().await;
    assert!(
        reads.iter().any(|row| row.kind == "mgmt_api_read"),
        "that it was exported is in the log"
    );
}

#[tokio::test]
async fn the_log_forgets_a_user_who_was_deleted_and_nobody_else() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = with_past(&house, &api).await;
    let other =
        json!({"connection": CONNECTION, "password": "Correct horse 7", "email": "ada@example.com", "name": "grace"});
    api.expect(201, "POST", "users", other).await;
    // Refused, and yet the address stands in the row.
    let again = json!({"connection": CONNECTION, "password": "Correct horse 7", "email": EMAIL});
    api.expect(409, "POST", "users", again).await;
    let before = house.logs().await;
    api.expect(204, "DELETE", &path, Value::Null).await;
    forgetting::round(&house.app.house).await.unwrap();
    house.written().await;
    house.advance_s(60);
    forgetting::round(&house.app.house).await.unwrap();
    let after = house.logs().await;
    assert_eq!(after.len(), before.len() + 1, "no row is lost");
    let text: Vec<String> = after
        .iter()
        .map(|row| format!("{:?} {:?} {}", row.user_id, row.address, json!(row.body)).to_lowercase())
        .collect();
    for row in &text {
        for personal in [EMAIL, "ghopper", "amazing"] {
            assert!(!row.contains(personal), "{personal}: {row}");
        }
    }
    let forgotten: Vec<_> = after
        .iter()
        .filter(|row| {
            row.user_id
                .as_ref()
                .is_some_and(|id| id.as_str().starts_with("deleted|"))
        })
        .collect();
    assert_eq!(
        forgotten.len(),
        6,
        "made, signed in, twice failed, changed, deleted: {text:#?}"
    );
    assert!(
        forgotten.windows(2).all(|two| two[0].user_id == two[1].user_id),
        "one pseudonym"
    );
    for row in &forgotten {
        let is_theirs = !["sapi", "fapi"].contains(&row.kind.as_str());
        assert_eq!(row.address.is_none(), is_theirs, "{}", row.kind);
    }
    let kept = after
        .iter()
        .filter(|row| text_of(row).contains("ada@example.com"))
        .count();
    assert_eq!(
        kept,
        before
            .iter()
            .filter(|row| text_of(row).contains("ada@example.com"))
            .count()
    );
    assert!(
        text.iter().any(|row| row.contains(r#""name":"grace""#)),
        "somebody else is called so"
    );
}

fn text_of(row: &tokenhouse_store::LogRow) -> String {
    json!(row.body).to_string()
}

#[tokio::test]
async fn whoever_comes_back_under_an_old_name_is_not_forgotten() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let path = with_past(&house, &api).await;
    api.expect(204, "DELETE", &path, Value::Null).await;
    house.advance_s(1);
    with_past(&house, &api).await;
    house.advance_s(60);
    forgetting::round(&house.app.house).await.unwrap();
    house.advance_s(60);
    forgetting::round(&house.app.house).await.unwrap();
    let rows = api.get(&format!("{path}/logs")).await;
    let kinds: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["sapi", "fp", "fepft", "sepft", "sapi"]);
    let names: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["user_name"]).collect();
    assert!(!names.contains(&&json!("deleted")), "{names:?}");
}
