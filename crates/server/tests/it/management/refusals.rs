//! How the Management API says no (CONTRACT §4.1, §4.12.6): every body to the letter.

use serde_json::{Value, json};

use tokenhouse::config::Limits;
use tokenhouse::registry::clients;
use tokenhouse_protocol::id::ClientId;

use super::Api;
use crate::house::{Ask, House, ISSUER, ORIGIN, Setup};

#[tokio::test]
async fn a_request_without_a_bearer_token_is_told_so() {
    let house = House::shared().await;
    let expected = json!({"statusCode": 401, "error": "Unauthorized", "message": "Missing authentication"});
    let bare = house.get("/api/v2/clients").await;
    assert_eq!((bare.status, bare.json()), (401, expected.clone()));
    assert_eq!(bare.header("www-authenticate"), "Bearer realm=\"api/v2\"");
    let basic = house.ask(Ask::get("/api/v2/clients").basic("a", "b")).await;
    assert_eq!((basic.status, basic.json()), (401, expected));
}

#[tokio::test]
async fn a_token_that_is_none_says_so_twice() {
    let house = House::shared().await;
    let answer = house.ask(Ask::get("/api/v2/clients").bearer("rubbish")).await;
    let expected = json!({
        "statusCode": 401, "error": "Unauthorized", "message": "Invalid token",
        "attributes": {"error": "Invalid token"},
    });
    assert_eq!((answer.status, answer.json()), (401, expected));
}

#[tokio::test]
async fn a_token_is_told_what_is_wrong_with_it() {
    let house = House::new().await;
    let message = async |token: &str| {
        let answer = house.ask(Ask::get("/api/v2/clients").bearer(token)).await;
        (answer.status, answer.text("message"))
    };
    let of_api = house.token(&house.samples.sample).await.raw;
    let wrong = message(&of_api).await;
    assert_eq!(wrong, (401, "Bad audience: https://api.example.com".into()));
    let good = Api::of(&house).await.token;
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, foreign) = of_api.rsplit_once('.').unwrap();
    let forged = message(&format!("{signed}.{foreign}")).await;
    assert_eq!(
        forged,
        (401, "Invalid signature received for JSON Web Token validation".into())
    );
    house.advance_s(86_400 + 10);
    let expired = message(&good).await;
    assert_eq!(
        expired,
        (401, "Expired token received for JSON Web Token validation".into())
    );
}

#[tokio::test]
async fn a_scope_that_is_wanting_is_named() {
    let house = House::shared().await;
    let api = Api::with_scopes(house, "read:users").await;
    let answer = api.ask("GET", "clients", Value::Null).await;
    let expected = json!({
        "statusCode": 403, "error": "Forbidden", "errorCode": "insufficient_scope",
        "message": "Insufficient scope, expected any of: read:clients,read:client_keys,read:client_summary",
    });
    assert_eq!((answer.status, answer.json()), (403, expected));
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    let create = api.ask("POST", "clients", json!({"name": "x"})).await;
    assert_eq!(
        create.text("message"),
        "Insufficient scope, expected any of: create:clients"
    );
}

#[tokio::test]
async fn a_deleted_administrator_is_out_at_once() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    api.get("clients").await;
    let tenant = house.tenant().await;
    clients::remove(&tenant, &ClientId::new(&house.samples.admin.client_id))
        .await
        .unwrap();
    let answer = api.ask("GET", "clients", Value::Null).await;
    assert_eq!((answer.status, answer.text("message")), (401, "Invalid token".into()));
    assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
}

#[tokio::test]
async fn what_is_not_there_is_named_with_its_code() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let answer = api.ask("GET", "clients/nobody", Value::Null).await;
    let expected = json!({
        "statusCode": 404, "error": "Not Found", "message": "The client does not exist",
        "errorCode": "inexistent_client",
    });
    assert_eq!((answer.status, answer.json()), (404, expected));
    let nowhere = api.ask("GET", "nothing/here", Value::Null).await;
    assert_eq!((nowhere.status, nowhere.text("message")), (404, "Not Found".into()));
    let wrong = api.ask("PUT", "clients", json!({})).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET, POST"));
}

#[tokio::test]
async fn a_body_is_refused_in_the_words_of_auth0s_validator() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    for (body, message) in [
        (
            json!({}),
            "Payload validation error: 'Missing required property: name'.",
        ),
        (
            json!([]),
            "Payload validation error: 'Expected type object but found type array'.",
        ),
        (
            json!({"name": 5}),
            "Payload validation error: 'Expected type string but found type integer' on property name \
             (What people call the application).",
        ),
        (
            json!({"name": "x", "client_id": "mine"}),
            "Payload validation error: 'Additional properties not allowed: client_id'.",
        ),
        (
            json!({"name": "x", "jwt_configuration": {"alg": "none"}}),
            "Payload validation error: 'No enum match for: \"none\"' on property jwt_configuration.alg.",
        ),
        (
            json!({"name": "x", "grant_types": ["password", "password"]}),
            "Payload validation error: 'Array items are not unique (indexes 0 and 1)' on property grant_types \
             (The ways in which it may get tokens).",
        ),
        (
            json!({"name": "x", "token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]}),
            "Invalid grant types: client_credentials",
        ),
    ] {
        let answer = api.ask("POST", "clients", body.clone()).await;
        let expected = json!({
            "statusCode": 400, "error": "Bad Request", "message": message, "errorCode": "invalid_body",
        });
        assert_eq!((answer.status, answer.json()), (400, expected), "{body}");
    }
}

#[tokio::test]
async fn a_body_must_be_json_of_bounded_size() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let post = |body: &str, kind: &str| {
        api.house.ask(
            api.request("POST", "clients", &Value::Null)
                .header("content-type", kind)
                .body(body),
        )
    };
    assert_eq!(post("name=x", "application/x-www-form-urlencoded").await.status, 415);
    for broken in ["{", "{\"name\":\"a\",\"name\":\"b\"}", "{} {}"] {
        let answer = post(broken, "application/json").await;
        assert_eq!(
            (answer.status, answer.text("message")),
            (400, "Invalid request payload JSON format".into()),
            "{broken}"
        );
    }
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(post(&large, "application/json").await.status, 413);
}

#[tokio::test]
async fn a_get_or_a_delete_may_carry_any_body() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    for body in ["null", "{}", "not json"] {
        let get = api.request("GET", "clients", &Value::Null).body(body);
        assert_eq!(house.ask(get).await.status, 200, "{body}");
        let delete = api.request("DELETE", "clients/nobody", &Value::Null).body(body);
        assert_eq!(house.ask(delete).await.status, 204, "{body}");
    }
}

#[tokio::test]
async fn a_query_or_a_path_that_is_wrong_is_named() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    for (query, property) in [
        ("per_page=101", "per_page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("include_totals=yes", "include_totals"),
        ("take=0", "take"),
        ("take=10&from=!!", "from"),
        ("page=1&page=2", "page"),
        ("fields=%00", "fields"),
    ] {
        let answer = api.ask("GET", &format!("clients?{query}"), Value::Null).await;
        assert_eq!(
            (answer.status, answer.text("errorCode")),
            (400, "invalid_query_string".into()),
            "{query}"
        );
        let message = answer.text("message");
        assert!(message.starts_with("Query validation error: '"), "{message}");
        assert!(message.contains(&format!("on property {property}.")), "{message}");
    }
    let path = api.ask("GET", "clients/%00", Value::Null).await;
    assert_eq!((path.status, path.text("errorCode")), (400, "invalid_uri".into()));
}

#[tokio::test]
async fn where_a_limit_is_in_force_its_headers_say_so() {
    let limits = Limits {
        management_requests_per_s: 1,
        ..Limits::default()
    };
    let house = House::open(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let api = Api::of(&house).await;
    let now = house.clock.now().seconds();
    for left in (0..10).rev() {
        let answer = api.ask("GET", "clients/nobody", Value::Null).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (404, "10"));
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
        assert_eq!(reset, now + 10 - left, "when the bucket is full again");
    }
    let over = api.ask("GET", "clients/nobody", Value::Null).await;
    let expected = json!({
        "statusCode": 429, "error": "Too Many Requests", "message": "Global limit has been reached",
        "errorCode": "too_many_requests",
    });
    assert_eq!((over.status, over.json()), (429, expected));
    assert_eq!(over.header("retry-after"), "1");
    assert_eq!(over.header("x-ratelimit-reset"), (now + 1).to_string());
    house.advance_s(1);
    assert_eq!(api.ask("GET", "clients/nobody", Value::Null).await.status, 404);
}

#[tokio::test]
async fn without_a_limit_no_header_speaks_of_one() {
    let house = House::shared().await;
    let answer = Api::of(house).await.ask("GET", "clients", Value::Null).await;
    assert_eq!(answer.header("x-ratelimit-limit"), "");
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_read_the_answer() {
    let house = House::shared().await;
    let api = Api::of(house).await;
    let preflight = Ask::new("OPTIONS", "/api/v2/clients")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "PATCH");
    let preflight = house.ask(preflight).await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
    let from = |origin: &str| house.ask(api.request("GET", "clients", &Value::Null).header("origin", origin));
    assert_eq!(from(ORIGIN).await.header("access-control-allow-origin"), ORIGIN);
    let stranger = from("https://evil.example").await;
    assert_eq!(stranger.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn the_document_names_every_endpoint_and_needs_no_token() {
    let house = House::shared().await;
    let document = house.get("/api/v2/openapi.json").await;
    assert_eq!((document.status, document.text("openapi")), (200, "3.1.0".into()));
    let document = document.json();
    assert_eq!(document["servers"][0]["url"], format!("{ISSUER}api/v2"));
    let mut ids = Vec::new();
    for endpoint in tokenhouse::management::endpoints() {
        let path = format!("/{}", endpoint.path.replace("...}", "}"));
        let operation = &document["paths"][&path][endpoint.method.as_str().to_ascii_lowercase()];
        assert_eq!(operation["summary"], endpoint.summary, "{path}");
        assert!(
            operation["responses"][endpoint.status.to_string()].is_object(),
            "{path}"
        );
        ids.push(operation["operationId"].to_string());
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an operationId twice");
}

#[tokio::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let whole = api.ask("GET", "clients", Value::Null).await;
    let head = api.ask("HEAD", "clients", Value::Null).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), whole.body.len().to_string());
    assert_eq!(api.ask("HEAD", "clients/none", Value::Null).await.status, 404);
    let other = api.ask("HEAD", "keys/signing/rotate", Value::Null).await;
    assert_eq!((other.status, other.header("allow")), (405, "POST"));
}
