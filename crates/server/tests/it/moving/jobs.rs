//! `/jobs/users-imports`, and what becomes of passwords that were hashed elsewhere.

#![expect(
    clippy::unwrap_used,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use serde_json::{Value, json};

use tokenhouse_protocol::id::UserId;

use crate::house::{Answer, Ask, House};
use crate::management::Api;

/// One password as others hashed it; see its `made_by`.
const VECTORS: &str = include_str!("../../vectors/passwords.json");

async fn connection_id(api: &Api<'_>) -> String {
    api.get("connections").await[0]["id"].as_str().unwrap().to_owned()
}

/// A form as Auth0's SDKs send it.
async fn upload(api: &Api<'_>, fields: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        let file = if *name == "users" {
            "; filename=\"users.json\"\r\nContent-Type: application/json"
        } else {
            ""
        };
        body.push_str(&format!(
            "--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--XyZ--\r\n");
    let ask = Ask::new("POST", "/api/v2/jobs/users-imports").bearer(&api.token);
    let ask = ask
        .header("content-type", "multipart/form-data; boundary=XyZ")
        .body(body);
    api.house.ask(ask).await
}

/// Imports users, and answers the finished job.
async fn imported(api: &Api<'_>, users: &Value, upsert: &str) -> Value {
    let connection = connection_id(api).await;
    let fields = [
        ("users", &*users.to_string()),
        ("connection_id", &connection),
        ("upsert", upsert),
    ];
    let answer = upload(api, &fields).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    api.get(&format!("jobs/{}", answer.text("id"))).await
}

async fn errors(api: &Api<'_>, job: &Value) -> Value {
    api.get(&format!("jobs/{}/errors", job["id"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_password_hashed_elsewhere_signs_in_and_is_argon2id_from_then_on() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let password = all["password"].as_str().unwrap();
    let of_auth0 = all["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector[0] == "auth0");
    let users = of_auth0.enumerate().map(|(number, vector)| {
        json!({ "email": format!("u{number}@old.example"), "user_id": format!("u{number}"), "custom_password_hash": vector[1] })
    });
    let users: Vec<Value> = users.collect();
    let job = imported(&api, &users.clone().into(), "false").await;
    assert_eq!(
        job["summary"],
        json!({"failed": 0, "updated": 0, "inserted": users.len(), "total": users.len()})
    );
    let tenant = house.tenant().await;
    for (number, user) in users.iter().enumerate() {
        let login = format!("u{number}@old.example");
        let hash = async || {
            let id = UserId::new(format!("auth0|u{number}"));
            let user = house.app.house.store.user(&tenant.id, &id).await.unwrap().unwrap();
            user.password_hash.unwrap()
        };
        let before = hash().await;
        let wrong = house.password(&[("username", &login), ("password", "wrong")]).await;
        assert_eq!(wrong.status, 403, "{user}");
        assert_eq!(hash().await, before, "only the right password makes it new: {user}");
        for time in ["first", "second"] {
            let answer = house.password(&[("username", &login), ("password", password)]).await;
            assert_eq!(answer.status, 200, "{time} login of {user}: {}", answer.body);
            let now = hash().await;
            assert!(now.starts_with("$argon2id$v=19$"), "{user}");
        }
    }
}

#[tokio::test]
async fn a_job_is_answered_as_auth0_answers_it() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let connection = connection_id(&api).await;
    let users = json!([{ "email": "a@job.example" }]).to_string();
    let fields = [
        ("users", users.as_str()),
        ("connection_id", &connection),
        ("upsert", "true"),
        ("external_id", "mine"),
        ("send_completion_email", "false"),
    ];
    let answer = upload(&api, &fields).await;
    assert_eq!(answer.status, 202);
    let mut job = answer.json();
    let id = job["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("job_"), "{id}");
    let created = job["created_at"].clone();
    let wanted = json!({
        "id": id, "type": "users_import", "status": "pending", "created_at": created, "connection_id": connection,
        "connection": "Username-Password-Authentication", "upsert": true, "external_id": "mine",
        "send_completion_email": false,
    });
    assert_eq!(job, wanted);
    job["status"] = json!("completed");
    job["percentage_done"] = json!(100);
    job["time_left_seconds"] = json!(0);
    job["summary"] = json!({ "failed": 0, "updated": 0, "inserted": 1, "total": 1 });
    assert_eq!(api.get(&format!("jobs/{id}")).await, job);
    assert_eq!(
        api.ask("GET", &format!("jobs/{id}/errors"), Value::Null).await.status,
        204
    );
    assert_eq!(api.ask("GET", "jobs/job_none", Value::Null).await.status, 404);
    house.advance_s(2 * 86_400);
    let api = Api::of(&house).await;
    imported(&api, &json!([]), "false").await;
    assert_eq!(
        api.ask("GET", &format!("jobs/{id}"), Value::Null).await.status,
        404,
        "kept for a day"
    );
}

#[tokio::test]
async fn what_is_not_taken_is_named_with_its_reason_and_without_its_hash() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let hash = "$2b$05$DJIkNBTWql6iPlbXSpnxvev6/0.oSU6hjEiA2i0ZWSENSgTanGOvO";
    let users = json!([
        { "email": "first@job.example", "user_id": "one", "password_hash": hash },
        { "email": "FIRST@job.example", "user_id": "two", "password_hash": hash },
        { "email": "no address" },
        { "email": "x@job.example", "email_verified": "yes", "nonsense": 1 },
        { "email": "y@job.example", "custom_password_hash": { "algorithm": "rot13", "hash": { "value": hash } } },
        { "email": "z@job.example", "user_id": "google-oauth2|7" },
        { "given_name": "Nobody" },
        "text",
    ]);
    let job = imported(&api, &users, "false").await;
    assert_eq!(
        job["summary"],
        json!({"failed": 7, "updated": 0, "inserted": 1, "total": 8})
    );
    let errors = errors(&api, &job).await;
    let codes: Vec<&str> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["errors"][0]["code"].as_str().unwrap())
        .collect();
    let wanted = [
        "CONFLICT_EMAIL",
        "INVALID_FORMAT",
        "INVALID_TYPE",
        "PATTERN",
        "INVALID_FORMAT",
        "INVALID_FORMAT",
        "INVALID_TYPE",
    ];
    assert_eq!(codes, wanted, "{errors}");
    assert_eq!(errors[0]["user"]["user_id"], "two");
    assert_eq!(errors[2]["errors"][1]["code"], "OBJECT_ADDITIONAL_PROPERTIES");
    assert_eq!(errors[3]["errors"][0]["path"], "#/custom_password_hash");
    assert!(!errors.to_string().contains(&hash[7..]), "{errors}");
    let total = api.get("users?include_totals=true&per_page=1").await["total"].clone();
    // The sample user, and the one who came in.
    assert_eq!(total, 2);
}

#[tokio::test]
async fn an_upsert_changes_who_is_there_and_no_password_that_was_used_here() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let all: Value = serde_json::from_str(VECTORS).unwrap();
    let password = all["password"].as_str().unwrap();
    let vectors: Vec<&Value> = all["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector[0] == "auth0")
        .collect();
    let user = |hash: &Value, plan: &str| {
        json!([{
            "email": "ada@job.example", "custom_password_hash": hash, "app_metadata": { "plan": plan, "kept": plan == "free" },
        }])
    };
    let first = user(&vectors[0][1], "free");
    assert_eq!(imported(&api, &first, "false").await["summary"]["inserted"], 1);
    // Without upsert whoever is there is refused; with it, what differs is changed.
    let second = user(&vectors[5][1], "paid");
    assert_eq!(imported(&api, &second, "false").await["summary"]["failed"], 1);
    assert_eq!(imported(&api, &second, "true").await["summary"]["updated"], 1);
    let found = api.get("users-by-email?email=ada@job.example").await;
    assert_eq!(found[0]["app_metadata"], json!({ "plan": "paid", "kept": false }));
    assert_eq!(
        house
            .password(&[("username", "ada@job.example"), ("password", password)])
            .await
            .status,
        200
    );
    let hash = async || {
        let tenant = house.tenant().await;
        let id = UserId::new(found[0]["user_id"].as_str().unwrap());
        house
            .app
            .house
            .store
            .user(&tenant.id, &id)
            .await
            .unwrap()
            .unwrap()
            .password_hash
    };
    let own = hash().await;
    imported(&api, &first, "true").await;
    assert_eq!(hash().await, own, "it is argon2id since she signed in");
    assert_eq!(
        api.get("users-by-email?email=ada@job.example").await[0]["app_metadata"]["plan"],
        "free"
    );
}

#[tokio::test]
async fn a_form_that_is_wrong_is_refused_and_brings_nobody_in() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let connection = connection_id(&api).await;
    let users = json!([{ "email": "a@job.example" }]).to_string();
    let whole = ("users", users.as_str());
    let id = ("connection_id", connection.as_str());
    for fields in [
        vec![whole],
        vec![id],
        vec![whole, ("connection_id", "con_none")],
        vec![whole, id, ("upsert", "maybe")],
        vec![whole, id, ("more", "x")],
        vec![whole, id, id],
    ] {
        let answer = upload(&api, &fields).await;
        assert_eq!(answer.status, 400, "{fields:?}: {}", answer.body);
    }
    let large = "x".repeat(1024 * 1024);
    assert_eq!(upload(&api, &[("users", &large), id]).await.status, 413);
    let missing: Vec<Value> = api
        .get("users-by-email?email=a@job.example")
        .await
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(missing, Vec::<Value>::new());
}
