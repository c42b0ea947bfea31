//! Tests made from the table of endpoints and the properties of their bodies, so that a new row is tested on the day it
//! is written.

use serde_json::{Map, Value, json};

use tokenhouse::dev::seed::seed;
use tokenhouse::management::endpoint::Endpoint;
use tokenhouse::management::endpoints;
use tokenhouse::management::schema::{Body, Format, Kind, Property};
use tokenhouse::registry::tenants::{self, NewTenant};
use tokenhouse::registry::{apis, clients};
use tokenhouse::tenant::Issuer;
use tokenhouse_protocol::id::{ClientId, TenantId};

use super::Api;
use crate::house::{Ask, House, with_secret};

#[tokio::test]
async fn every_scope_that_opens_an_endpoint_is_one_that_the_api_has() {
    let known: Vec<String> = apis::system_scopes().collect();
    for endpoint in endpoints() {
        assert!(!endpoint.scopes.is_empty(), "{}", endpoint.path);
        for scope in endpoint.scopes {
            assert!(
                known.iter().any(|known| known == scope) || is_absent(endpoint),
                "{scope}"
            );
        }
    }
}

#[tokio::test]
async fn every_endpoint_refuses_every_single_scope_that_is_not_its_own() {
    let house = House::new().await;
    for scope in apis::system_scopes() {
        let api = Api::with_scopes(&house, &scope).await;
        for endpoint in endpoints() {
            if endpoint.scopes.contains(&scope.as_str()) {
                continue;
            }
            let answer = house.ask(request(endpoint, &api.token)).await;
            let what = format!("{} {} with {scope}: {}", endpoint.method, endpoint.path, answer.body);
            assert_eq!(answer.status, 403, "{what}");
            let expected = format!("Insufficient scope, expected any of: {}", endpoint.scopes.join(","));
            assert_eq!(answer.text("message"), expected, "{what}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_refuses_a_token_that_is_not_for_it() {
    let house = House::new().await;
    let id = TenantId::new("other");
    let issuer = Issuer::parse("https://auth.other.example/").unwrap();
    let new = NewTenant {
        id: id.clone(),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: vec!["auth.other.example".into()],
    };
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    let other = house.app.tenant(&id).await.unwrap().unwrap();
    let samples = Box::pin(seed(&other, &[])).await.unwrap();
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", "https://auth.other.example/api/v2/"),
    ];
    let ask = Ask::token(&with_secret(&samples.admin, &fields)).host("auth.other.example");
    let of_another_tenant = house.ask(ask).await.token().raw;
    let of_another_api = house.token(&house.samples.sample).await.raw;
    let expired = Api::of(&house).await.token;
    house.advance_s(86_400 + 10);
    let of_a_deleted_client = Api::of(&house).await.token;
    clients::remove(&*house.tenant().await, &ClientId::new(&house.samples.admin.client_id))
        .await
        .unwrap();
    for token in [of_another_tenant, of_another_api, expired, of_a_deleted_client] {
        for endpoint in endpoints() {
            let answer = house.ask(request(endpoint, &token)).await;
            let what = format!("{} {}: {}", endpoint.method, endpoint.path, answer.body);
            assert_eq!(answer.status, 401, "{what}");
        }
    }
}

#[tokio::test]
async fn every_property_of_every_body_is_checked_and_nothing_is_written() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let before = revision(&house).await;
    let mut tried = 0;
    for endpoint in endpoints().iter().filter(|endpoint| !is_absent(endpoint)) {
        for (property, body) in wrong_bodies(&endpoint.body) {
            let ask = request(endpoint, &api.token);
            let ask = ask.header("content-type", "application/json").body(body.to_string());
            let answer = house.ask(ask).await;
            let what = format!("{} {} with {body}: {}", endpoint.method, endpoint.path, answer.body);
            assert_eq!(answer.status, 400, "{what}");
            assert_eq!(answer.text("errorCode"), "invalid_body", "{what}");
            assert!(answer.text("message").contains(&property), "{property}: {what}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    assert_eq!(revision(&house).await, before);
}

#[tokio::test]
async fn every_parameter_of_every_query_is_checked() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let mut tried = 0;
    for endpoint in endpoints().iter().filter(|endpoint| !is_absent(endpoint)) {
        for property in endpoint.query {
            let name = property.name;
            let mut queries: Vec<String> = wrong_texts(&property.kind)
                .into_iter()
                .map(|text| format!("{name}={text}"))
                .collect();
            if !matches!(property.kind, Kind::List { .. }) {
                queries.push(format!("{name}=&{name}="));
            }
            for query in queries {
                let mut ask = request(endpoint, &api.token);
                ask.target = format!("{}?{query}", ask.target);
                let answer = house.ask(ask).await;
                let what = format!("{} {} with {name}: {}", endpoint.method, endpoint.path, answer.body);
                assert_eq!(
                    (answer.status, answer.text("errorCode")),
                    (400, "invalid_query_string".into()),
                    "{what}"
                );
                assert!(answer.text("message").contains(name), "{what}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

#[tokio::test]
async fn a_url_has_any_scheme_and_may_leave_parts_open() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let callbacks = json!([
        "https://app.example/cb",
        "http://localhost:3000",
        "com.example.app://callback",
        "urn:ietf:wg:oauth:2.0:oob",
        "https://*.example.com/cb",
        "https://{organization_name}.example.com/",
        "http://127.0.0.1/*",
        "https://bücher.example/",
    ]);
    let body = json!({
        "name": "urls", "callbacks": callbacks, "logo_uri": "", "initiate_login_uri": "https://app.example/login",
        "web_origins": [], "allowed_logout_urls": ["https://app.example"],
    });
    let made = api.expect(201, "POST", "clients", body).await;
    assert_eq!(made["callbacks"], callbacks);
}

/// Whether it stands for a kind that there is not, which no scope opens.
fn is_absent(endpoint: &Endpoint) -> bool {
    endpoint.summary.starts_with("Not supported")
}

fn request(endpoint: &Endpoint, token: &str) -> Ask {
    with_segments(endpoint, |_| "x".into()).bearer(token)
}

/// A request with something in place of each parameter of the path.
pub(super) fn with_segments(endpoint: &Endpoint, segment: impl Fn(&str) -> String) -> Ask {
    let segments = endpoint.path.split('/').map(|part| match part.starts_with('{') {
        true => segment(part),
        false => part.to_owned(),
    });
    let path = segments.collect::<Vec<_>>().join("/");
    Ask::new(endpoint.method.as_str(), &format!("/api/v2/{path}"))
}

/// A body that must be taken, as small as it may be; `null` where there is none.
pub(super) fn right_body(body: &Body) -> Value {
    match body {
        Body::None | Body::Upload(_) => Value::Null,
        Body::Create(shape) => members(shape.properties, false).into(),
        Body::Change(shape) => members(shape.properties, true).into(),
        Body::List(kind) => right(kind),
    }
}

async fn revision(house: &House) -> i64 {
    let id = TenantId::default_tenant();
    house.app.house.store.revisions(&[id]).await.unwrap()[0].1
}

/// Bodies with one thing wrong each, and the name that the refusal must say.
fn wrong_bodies(body: &Body) -> Vec<(String, Value)> {
    let (shape, is_change) = match body {
        Body::None => return Vec::new(),
        Body::Create(shape) | Body::Upload(shape) => (shape, false),
        Body::Change(shape) => (shape, true),
        Body::List(kind) => return wrong_lists(kind),
    };
    let whole = members(shape.properties, is_change);
    let mut bodies = Vec::new();
    for property in shape.properties {
        if is_change && property.is_fixed {
            bodies.push((
                property.name.to_owned(),
                with(&whole, property.name, right(&property.kind)),
            ));
            continue;
        }
        if property.is_required {
            if !is_change {
                let mut without = whole.clone();
                without.remove(property.name);
                bodies.push((property.name.to_owned(), Value::Object(without)));
            }
            bodies.push((property.name.to_owned(), with(&whole, property.name, Value::Null)));
        }
        for value in wrong(&property.kind) {
            bodies.push((property.name.to_owned(), with(&whole, property.name, value)));
        }
    }
    let others = shape
        .read_only
        .iter()
        .copied()
        .chain((!shape.is_open).then_some("no_such_property"));
    bodies.extend(others.map(|name| (name.to_owned(), with(&whole, name, json!("x")))));
    bodies
}

/// Lists with one thing wrong each, and the name of the property of an item that the refusal must say.
fn wrong_lists(kind: &Kind) -> Vec<(String, Value)> {
    let mut lists: Vec<_> = wrong(kind).into_iter().map(|value| (String::new(), value)).collect();
    if let Kind::List { of, .. } = kind
        && let Kind::Object(properties) = of
    {
        let whole = members(properties, false);
        for property in *properties {
            for value in wrong(&property.kind) {
                lists.push((property.name.to_owned(), json!([with(&whole, property.name, value)])));
            }
        }
    }
    lists
}

/// What a parameter of a query must refuse.
fn wrong_texts(kind: &Kind) -> Vec<String> {
    let mut texts = vec!["nul%00".to_owned()];
    match kind {
        Kind::Text { max, format, .. } => {
            texts.push("x".repeat(max + 1));
            if *format == Format::ClientId {
                texts.push("no%20id!".into());
            }
        }
        Kind::Word(_) => texts.push("no-such-word".into()),
        Kind::Integer { min, max } => texts.extend(["x".into(), (min - 1).to_string(), (max + 1).to_string()]),
        Kind::Flag => texts.extend(["1".into(), "maybe".into()]),
        Kind::List { of, .. } => texts.extend(wrong_texts(of)),
        Kind::Number | Kind::Object(_) | Kind::Open(_) | Kind::Texts { .. } | Kind::Anything => {}
    }
    texts
}

/// What a kind must refuse.
fn wrong(kind: &Kind) -> Vec<Value> {
    let type_wrong = match kind {
        Kind::Anything => return Vec::new(),
        Kind::Text { .. } | Kind::Word(_) => json!(7),
        Kind::Integer { .. } | Kind::Number | Kind::Flag => json!("no"),
        Kind::List { .. } => json!({}),
        Kind::Object(_) | Kind::Open(_) | Kind::Texts { .. } => json!([1]),
    };
    let mut values = vec![type_wrong];
    match kind {
        Kind::Text { min, max, format } => {
            if *min > 0 {
                values.push(json!(""));
            }
            // A text that is as long as a body may be is refused for the body.
            if *max < 100_000 {
                values.push(json!("x".repeat(max + 1)));
            }
            values.push(json!("nul\0"));
            match format {
                Format::Any => {}
                Format::ClientId => values.push(json!("no id!")),
                Format::Name => values.extend([json!("<b>"), json!(" ")]),
                Format::DateTime => values.push(json!("yesterday")),
                Format::Url => values.extend(["not a url", "zzz", "//host/path", "https:"].map(|text| json!(text))),
                Format::SecureUrl => values.extend(["zzz", "http://x.example", "https://"].map(|text| json!(text))),
                Format::Email => values.extend(["nobody", "@host", "a b@host"].map(|text| json!(text))),
            }
        }
        Kind::Word(_) => values.push(json!("no such word")),
        Kind::Integer { min, max } => {
            values.push(json!(1.5));
            values.extend(min.checked_sub(1).map(|less| json!(less)));
            values.extend(max.checked_add(1).map(|more| json!(more)));
        }
        Kind::Number => values.push(json!(-1)),
        Kind::List { of, min, max, is_set } => {
            values.extend(wrong(of).into_iter().map(|item| json!([item])));
            values.push(Value::Array(vec![right(of); max + 1]));
            if *min > 0 {
                values.push(json!([]));
            }
            if *is_set {
                values.push(json!([right(of), right(of)]));
            }
        }
        Kind::Object(properties) | Kind::Open(properties) => {
            let whole = members(properties, false);
            for property in *properties {
                values.extend(
                    wrong(&property.kind)
                        .into_iter()
                        .map(|value| with(&whole, property.name, value)),
                );
            }
            if let Kind::Object(_) = kind {
                values.push(with(&whole, "no_such_property", json!(1)));
            }
        }
        Kind::Texts { max, max_chars } => {
            values.push(json!({"a": 5}));
            values.push(json!({"a": "x".repeat(max_chars + 1)}));
            values.push(
                (0..=*max)
                    .map(|n| (n.to_string(), json!("x")))
                    .collect::<Map<_, _>>()
                    .into(),
            );
        }
        Kind::Flag | Kind::Anything => {}
    }
    values
}

/// What a kind must take.
fn right(kind: &Kind) -> Value {
    match kind {
        Kind::Text { min, format, .. } => match format {
            Format::DateTime => json!("2030-01-01T00:00:00.000Z"),
            Format::Url | Format::SecureUrl => json!("https://x.example/"),
            Format::Email => json!("somebody@x.example"),
            Format::Any | Format::ClientId | Format::Name => json!("x".repeat((*min).max(1))),
        },
        Kind::Word(words) => json!(words[0]),
        Kind::Integer { min, .. } => json!(min),
        Kind::Number => json!(0),
        Kind::Flag => json!(true),
        Kind::List { of, min, .. } => Value::Array(vec![right(of); *min]),
        Kind::Object(properties) | Kind::Open(properties) => members(properties, false).into(),
        Kind::Texts { .. } | Kind::Anything => json!({}),
    }
}

/// The required properties, with values that must be taken.
fn members(properties: &[Property], is_change: bool) -> Map<String, Value> {
    let required = properties.iter().filter(|property| property.is_required && !is_change);
    required
        .map(|property| (property.name.to_owned(), right(&property.kind)))
        .collect()
}

fn with(whole: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut whole = whole.clone();
    whole.insert(name.to_owned(), value);
    whole.into()
}
