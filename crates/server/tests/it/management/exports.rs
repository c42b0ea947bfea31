//! `/jobs/users-exports` and the file behind it.

use serde_json::{Value, json};

use super::Api;
use crate::house::{Answer, House, ISSUER};
use crate::secrets::used;

const PASSWORD: &str = "a long passw0rd-X";

/// The file that a finished export leads to.
async fn fetched(api: &Api<'_>, wanted: Value) -> Answer {
    let job = api.expect(200, "POST", "jobs/users-exports", wanted).await;
    api.house.get(&location(api, &job).await).await
}

/// Where a job's file is, without the host.
async fn location(api: &Api<'_>, job: &Value) -> String {
    let done = api.get(&format!("jobs/{}", job["id"].as_str().unwrap())).await;
    let location = done["location"].as_str().unwrap().to_owned();
    let ticket = location.split_once("ticket=").unwrap().1;
    used(ticket);
    location.strip_prefix(ISSUER.trim_end_matches('/')).unwrap().to_owned()
}

async fn made(api: &Api<'_>, number: usize, name: &str) {
    used(PASSWORD);
    let body = json!({
        "connection": "Username-Password-Authentication", "email": format!("u{number}@export.example"), "name": name,
        "user_metadata": {"team": {"name": "blue, \"one\""}}, "password": PASSWORD,
    });
    api.expect(201, "POST", "users", body).await;
}

#[tokio::test]
async fn an_export_is_a_job_that_leads_to_json_lines() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    made(&api, 1, "Ada").await;
    let job = api.expect(200, "POST", "jobs/users-exports", json!({})).await;
    let id = job["id"].as_str().unwrap();
    let pending = json!({
        "id": id, "type": "users_export", "status": "pending", "created_at": job["created_at"], "format": "json",
    });
    assert_eq!(job, pending);
    let done = api.get(&format!("jobs/{id}")).await;
    assert_eq!(
        (&done["status"], &done["percentage_done"]),
        (&json!("completed"), &json!(100))
    );
    let file = house.get(&location(&api, &job).await).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, "application/x-ndjson")
    );
    assert_eq!(file.header("cache-control"), "no-store");
    let lines: Vec<Value> = file
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let listed = api.get("users?per_page=100").await;
    assert_eq!(json!(lines), listed, "as they are listed, by id");
    assert!(!file.body.contains("argon2"), "{}", file.body);
    house.written().await;
    let rows = api.get("logs?q=type:mgmt_api_read").await;
    let said: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["description"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["Fetch exported users", "Get a job", "Get a job"]);
}

#[tokio::test]
async fn a_csv_file_has_the_fields_that_were_asked_for_and_no_formula() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    made(&api, 1, "=HYPERLINK(\"x\")").await;
    let connection = api.get("connections").await[0]["id"].clone();
    let wanted = json!({
        "format": "csv", "connection_id": connection, "limit": 1,
        "fields": [
            {"name": "name", "export_as": "Who"}, {"name": "user_metadata.team.name"},
            {"name": "identities[0].connection", "export_as": "From"}, {"name": "logins_count"},
        ],
    });
    // The sample user comes later: ids are in order of time.
    let file = fetched(&api, wanted).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.body.split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{}", file.body);
    assert_eq!(lines[0], "Who,user_metadata.team.name,From,logins_count");
    let all = json!({"format": "csv", "fields": [{"name": "name"}, {"name": "user_metadata.team.name"}]});
    let file = fetched(&api, all).await;
    let cell = "\"'=HYPERLINK(\"\"x\"\")\",\"blue, \"\"one\"\"\"\r\n";
    assert!(file.body.contains(cell), "{}", file.body);
    let usual = fetched(&api, json!({"format": "csv"})).await;
    assert!(
        usual.body.starts_with("user_id,email,email_verified,username,"),
        "{}",
        usual.body
    );
}

#[tokio::test]
async fn a_file_is_whole_however_many_pages_it_has_and_ends_at_its_limit() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let connection = api.get("connections").await[0]["id"].as_str().unwrap().to_owned();
    let users: Vec<Value> = (0..1200)
        .map(|n| json!({"email": format!("u{n}@export.example")}))
        .collect();
    let body = json!({"users": json!(users).to_string(), "connection_id": connection});
    api.expect(202, "POST", "jobs/users-imports", body).await;
    let emails = json!({"fields": [{"name": "email", "export_as": "e"}]});
    let file = fetched(&api, emails).await;
    let mut lines: Vec<&str> = file.body.lines().collect();
    assert_eq!(lines.len(), 1201, "with the sample user");
    assert!(lines.contains(&r#"{"e":"u1199@export.example"}"#));
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 1201);
    assert_eq!(fetched(&api, json!({"limit": 700})).await.body.lines().count(), 700);
}

#[tokio::test]
async fn a_ticket_opens_its_own_file_for_some_minutes() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let job = api.expect(200, "POST", "jobs/users-exports", json!({})).await;
    let other = api.expect(200, "POST", "jobs/users-exports", json!({})).await;
    let path = location(&api, &job).await;
    let (file, ticket) = path.split_once('?').unwrap();
    let moved = format!("/exports/{}?{ticket}", other["id"].as_str().unwrap());
    let altered = path[..path.len() - 1].to_owned() + if path.ends_with('A') { "B" } else { "A" };
    for wrong in [
        file,
        &moved,
        &altered,
        "/exports/job_none?ticket=x",
        &format!("{file}?ticket="),
    ] {
        let answer = house.get(wrong).await;
        assert_eq!(
            (answer.status, answer.text("errorCode")),
            (403, "invalid_ticket".into()),
            "{wrong}"
        );
    }
    house.advance_s(299);
    assert_eq!(house.get(&path).await.status, 200);
    house.advance_s(2);
    assert_eq!(house.get(&path).await.status, 403);
    // Whoever may make users but not read them is led to no file.
    let maker = Api::with_scopes(&house, "create:users").await;
    let seen = maker.get(&format!("jobs/{}", job["id"].as_str().unwrap())).await;
    assert_eq!((&seen["status"], seen.get("location")), (&json!("completed"), None));
    maker.expect(403, "POST", "jobs/users-exports", json!({})).await;
    let wrong = api
        .expect(400, "POST", "jobs/users-exports", json!({"connection_id": "con_none"}))
        .await;
    assert_eq!(wrong["errorCode"], "invalid_body");
    api.expect(
        400,
        "POST",
        "jobs/users-exports",
        json!({"fields": [{"export_as": "x"}]}),
    )
    .await;
    let mail = api
        .expect(403, "POST", "jobs/verification-email", json!({"user_id": "auth0|1"}))
        .await;
    assert_eq!(mail["errorCode"], "operation_not_supported");
}
