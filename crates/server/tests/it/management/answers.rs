//! What is answered is what the OpenAPI document says.

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House};

#[tokio::test]
async fn every_endpoint_says_what_it_answers() {
    let house = House::new().await;
    let document = house.get("/api/v2/openapi.json").await.json();
    let mut described = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let is_bare = path.ends_with("/status") || path.contains("anomaly") || operation["x-absent"] == true;
                if status == "204" || !status.starts_with('2') || status == "202" && method == "delete" || is_bare {
                    continue;
                }
                let schema = &answer["content"]["application/json"]["schema"];
                assert!(schema.is_object(), "{method} {path} {status}");
                described += 1;
            }
        }
    }
    assert!(described > 60, "{described}");
}

#[tokio::test]
async fn every_property_that_is_answered_is_described() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let document = house.get("/api/v2/openapi.json").await.json();
    assert_eq!(house.password(&[("audience", AUDIENCE)]).await.status, 200);
    house.token(&house.samples.sample).await;
    house.written().await;
    let body =
        json!({"name": "keyed", "app_type": "non_interactive", "token_quota": {"client_credentials": {"per_day": 9}}});
    let client = api.expect(201, "POST", "clients", body).await;
    let role = api.expect(200, "POST", "roles", json!({"name": "r"})).await;
    let job = api.expect(200, "POST", "jobs/users-exports", json!({"limit": 1})).await;
    let user = api.get("users").await[0]["user_id"]
        .as_str()
        .unwrap()
        .replace('|', "%7C");
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let held = json!({"roles": [role["id"]]});
    api.expect(204, "POST", &format!("users/{user}/roles"), held).await;
    let connection = text(&api.get("connections").await[0], "id");
    let grant = text(&api.get("client-grants").await[0], "id");
    let log = text(&api.get("logs").await[0], "log_id");
    let key = text(&api.get("keys/signing").await[0], "kid");
    let one = |path: &str, id: &str| {
        (
            path.to_owned(),
            path.replace("{id}", id).replace("{id...}", id).replace("{kid}", id),
        )
    };
    let client = text(&client, "client_id");
    let mut asked = vec![
        one("clients/{id}", &client),
        one("clients/{id}/connections", &client),
        one("resource-servers/{id...}", "https:%2F%2Fapi.example.com"),
        one("client-grants/{id}", &grant),
        one("users/{id}", &user),
        one("users/{id}/export", &user),
        one("users/{id}/roles", &user),
        one("users/{id}/permissions", &user),
        one("users/{id}/logs", &user),
        one("user-blocks/{id}", &user),
        one("roles/{id}", &text(&role, "id")),
        one("roles/{id}/users", &text(&role, "id")),
        one("connections/{id}", &connection),
        one("connections/{id}/clients", &connection),
        one("logs/{id}", &log),
        one("keys/signing/{kid}", &key),
        one("jobs/{id}", &text(&job, "id")),
    ];
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.trim_start_matches('/');
        let needs_more = ["users-by-email", "user-blocks"].contains(&path);
        if !path.contains('{')
            && operations.get("get").is_some()
            && operations["get"]["x-absent"] != true
            && !needs_more
        {
            asked.push((path.to_owned(), path.to_owned()));
            asked.push((path.to_owned(), format!("{path}?include_totals=true")));
        }
    }
    asked.push(("users-by-email".into(), "users-by-email?email=user@example.com".into()));
    asked.push((
        "snippets/{request}".into(),
        "snippets/token-client-credentials?language=curl".into(),
    ));
    for (pattern, path) in asked {
        let pattern = format!("/{}", pattern.replace("...", ""));
        let schema = &document["paths"][&pattern]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{pattern}");
        let found = api.get(&path).await;
        if let Err(why) = fits(schema, &found) {
            panic!("{path}: {why}\n{found:#}");
        }
    }
}

/// Whether a value is what a schema says, its objects holding nothing that the schema does not name.
fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(any) = schema["anyOf"].as_array() {
        let tried: Vec<_> = any.iter().map(|schema| fits(schema, value)).collect();
        let why = || format!("none of {tried:?}");
        return if tried.iter().any(Result::is_ok) {
            Ok(())
        } else {
            Err(why())
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let is_number = kind == "integer" && kinds.contains(&"number");
    if !kinds.contains(&kind) && !is_number {
        return Err(format!("{kind} is none of {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    if let Value::Array(items) = value {
        items.iter().try_for_each(|item| fits(&schema["items"], item))?;
    }
    if let Value::Object(members) = value {
        for name in schema["required"].as_array().into_iter().flatten() {
            members
                .get(name.as_str().unwrap())
                .ok_or(format!("{name} is missing"))?;
        }
        let properties = schema["properties"]
            .as_object()
            .filter(|properties| !properties.is_empty());
        for (name, value) in members {
            match properties.map(|properties| properties.get(name)) {
                Some(Some(schema)) => fits(schema, value).map_err(|why| format!("{name}: {why}"))?,
                Some(None) if OPEN.contains(&name.as_str()) => {}
                Some(None) => return Err(format!("{name} is not described")),
                None => {}
            }
        }
    }
    Ok(())
}

/// What is carried without a description of its own: of the options of a database, and of lines of the log.
const OPEN: [&str; 10] = [
    "mfa",
    "passkey_options",
    "authentication_methods",
    "disable_self_service_change_password",
    "password_options",
    "request_id",
    "channel",
    "auth0_client",
    "grant_type",
    "references",
];
