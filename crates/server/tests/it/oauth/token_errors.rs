//! The failure table of the token endpoint (CONTRACT §1.7, Decisions 1 and 2) in both dialects: status,
//! word, sentence, headers.

use std::sync::Arc;

use serde_json::{Map, json};
use tokio::sync::OnceCell;

use tokenhouse::registry::tenants::update_settings;
use tokenhouse::registry::users::set_blocked;
use tokenhouse::tenant::Tenant;

use crate::house::{AUDIENCE, Answer, Ask, House, ISSUER, PASSWORD, USERNAME, with_secret};

const REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

/// One line of the table: what is asked, and the answer in each dialect.
struct Row {
    name: &'static str,
    ask: fn(&House) -> Ask,
    auth0: (u16, &'static str),
    rfc6749: (u16, &'static str),
    /// How the description begins, in which `CLIENT` is the sample's client id.
    description: &'static str,
    /// How the RFC 6749 dialect writes it, where it must differ.
    plain: Option<&'static str>,
}

const UNAUTHORIZED: [(u16, &str); 2] = [(401, "access_denied"), (401, "invalid_client")];
const INVALID_REQUEST: [(u16, &str); 2] = [(400, "invalid_request"), (400, "invalid_request")];

fn table() -> Vec<Row> {
    let row = |name, ask, [auth0, rfc6749]: [(u16, &'static str); 2], description| Row {
        name,
        ask,
        auth0,
        rfc6749,
        description,
        plain: None,
    };
    vec![
        row(
            "unknown client",
            |_| Ask::token(&[MACHINE[0], MACHINE[1], ("client_id", "unknown"), ("client_secret", "x")]),
            UNAUTHORIZED,
            "Unauthorized",
        ),
        row(
            "wrong secret",
            |house| machine(house, &[("client_secret", "wrong")]),
            UNAUTHORIZED,
            "Unauthorized",
        ),
        row(
            "missing secret",
            |house| Ask::token(&[MACHINE[0], MACHINE[1], ("client_id", &house.samples.sample.client_id)]),
            UNAUTHORIZED,
            "Unauthorized",
        ),
        row(
            "missing client_id",
            |_| Ask::token(&MACHINE),
            UNAUTHORIZED,
            "Unauthorized",
        ),
        row(
            "client assertion",
            |house| {
                let id = house.samples.sample.client_id.as_str();
                Ask::token(&[MACHINE[0], MACHINE[1], ("client_id", id), ("client_assertion", "a.b.c")])
            },
            [(401, "invalid_client"), (401, "invalid_client")],
            "Client authentication failed",
        ),
        row(
            "two ways of authenticating",
            |house| machine(house, &[]).basic(&house.samples.sample.client_id, "x"),
            INVALID_REQUEST,
            "The client authenticates in several ways at once.",
        ),
        row(
            "unknown audience",
            |house| machine(house, &[("audience", "https://unknown.example.com")]),
            [(403, "access_denied"), (400, "invalid_target")],
            "Service not enabled within domain: https://unknown.example.com",
        ),
        row(
            "unknown audience, password",
            |house| Ask::token(&house.password_fields(&[("audience", "https://unknown.example.com")])),
            [(400, "invalid_request"), (400, "invalid_target")],
            "invalid audience specified for password grant exchange",
        ),
        row(
            "no audience",
            |house| Ask::token(&with_secret(&house.samples.sample, &MACHINE[..1])),
            [(403, "access_denied"), (400, "invalid_target")],
            "No audience parameter was provided, and no default audience has been configured",
        ),
        Row {
            plain: Some("Client 'CLIENT' is not authorized to access resource server 'https://api.example.com'."),
            ..row(
                "no client grant",
                |house| Ask::token(&with_secret(&house.samples.password, &MACHINE)),
                [(403, "access_denied"), (400, "invalid_target")],
                "Client \"CLIENT\" is not authorized to access resource server \"https://api.example.com\". \
                 You need to create a \"client-grant\" associated to this API.",
            )
        },
        row(
            "scope not granted",
            |house| machine(house, &[("scope", "a:b read:messages c:d")]),
            [(403, "access_denied"), (400, "invalid_scope")],
            "Client has not been granted scopes: a:b, c:d",
        ),
        row(
            "grant type not allowed",
            |house| {
                machine(
                    house,
                    &[("grant_type", "password"), ("username", "u"), ("password", "p")],
                )
            },
            [(403, "unauthorized_client"), (400, "unauthorized_client")],
            "Grant type 'password' not allowed for the client.",
        ),
        row(
            "unknown grant type",
            |house| machine(house, &[("grant_type", "foo")]),
            [(403, "unsupported_grant_type"), (400, "unsupported_grant_type")],
            "Unsupported grant type: foo",
        ),
        row(
            "missing grant_type",
            |house| Ask::token(&with_secret(&house.samples.sample, &MACHINE[1..])),
            INVALID_REQUEST,
            "Missing required parameter: grant_type",
        ),
        row(
            "missing username",
            |house| Ask::token(&house.password_fields(&[("username", "")])),
            INVALID_REQUEST,
            "Missing required parameter: username",
        ),
        row(
            "missing password",
            |house| Ask::token(&house.password_fields(&[("password", "")])),
            INVALID_REQUEST,
            "Missing required parameter: password",
        ),
        row(
            "missing realm",
            |house| Ask::token(&house.password_fields(&[("grant_type", REALM)])),
            INVALID_REQUEST,
            "Missing required parameter: realm",
        ),
        row(
            "malformed JSON",
            |_| Ask::token_json(&json!(null)).body("{"),
            INVALID_REQUEST,
            "The body cannot be read",
        ),
        row(
            "wrong password",
            |house| Ask::token(&house.password_fields(&[("password", "wrong")])),
            [(403, "invalid_grant"), (400, "invalid_grant")],
            "Wrong email or password.",
        ),
        row(
            "unknown user",
            |house| Ask::token(&house.password_fields(&[("username", "nobody")])),
            [(403, "invalid_grant"), (400, "invalid_grant")],
            "Wrong email or password.",
        ),
        row(
            "unknown realm",
            |house| Ask::token(&house.password_fields(&[("grant_type", REALM), ("realm", "nowhere")])),
            INVALID_REQUEST,
            "Unknown realm nowhere",
        ),
        row(
            "two different APIs",
            |house| machine(house, &[("resource", "https://other.example.com")]),
            [(400, "invalid_target"), (400, "invalid_target")],
            "audience and resource name different APIs.",
        ),
        row(
            "several resources",
            |house| machine(house, &[("resource", AUDIENCE), ("resource", AUDIENCE)]),
            [(400, "invalid_target"), (400, "invalid_target")],
            "Several resource values.",
        ),
    ]
}

#[tokio::test]
async fn every_failure_of_the_table_in_auth0s_dialect() {
    let house = House::shared().await;
    for row in table() {
        let answer = house.ask((row.ask)(house)).await;
        assert_answer(house, &row, &answer, row.auth0, row.description);
    }
}

#[tokio::test]
async fn every_failure_of_the_table_in_rfc_6749s_dialect() {
    let house = by_the_rfc().await;
    for row in table() {
        let answer = house.ask((row.ask)(house)).await;
        assert_answer(house, &row, &answer, row.rfc6749, row.plain.unwrap_or(row.description));
        let allowed = |c: char| matches!(c, '\u{20}'..='\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        assert!(answer.text("error_description").chars().all(allowed), "{answer:?}");
    }
}

#[tokio::test]
async fn a_401_after_basic_names_the_scheme_and_after_the_body_does_not() {
    for house in [House::shared().await, by_the_rfc().await] {
        let sample = &house.samples.sample;
        let by_header = house.ask(Ask::token(&MACHINE).basic(&sample.client_id, "wrong")).await;
        assert_eq!(by_header.status, 401);
        assert!(
            by_header.header("www-authenticate").starts_with("Basic realm="),
            "{by_header:?}"
        );
        let broken = house.ask(Ask::token(&MACHINE).header("authorization", "Basic !")).await;
        assert!(
            broken.header("www-authenticate").starts_with("Basic realm="),
            "{broken:?}"
        );
        let by_body = house.ask(machine(house, &[("client_secret", "wrong")])).await;
        assert_eq!((by_body.status, by_body.header("www-authenticate")), (401, ""));
    }
}

#[tokio::test]
async fn what_is_reflected_is_cut_at_200_characters() {
    let house = House::shared().await;
    let long = "\u{fc}".repeat(1000);
    for (fields, name) in [
        (vec![("grant_type", long.as_str())], "grant_type"),
        (vec![("audience", long.as_str())], "audience"),
        (vec![("grant_type", REALM), ("realm", long.as_str())], "realm"),
    ] {
        let ask = if name == "realm" {
            Ask::token(&house.password_fields(&fields))
        } else {
            machine(house, &fields)
        };
        let answer = house.ask(ask).await;
        let repeated = answer.text("error_description").matches('\u{fc}').count();
        assert_eq!(repeated, 200, "{name}");
    }
    let scope = "x".repeat(5000);
    let answer = house.ask(machine(house, &[("scope", &scope)])).await;
    assert_eq!(answer.text("error_description").matches('x').count(), 200);
}

#[tokio::test]
async fn a_disallowed_grant_points_to_our_own_page() {
    let house = House::shared().await;
    let ask = machine(
        house,
        &[
            ("grant_type", "password"),
            ("username", USERNAME),
            ("password", PASSWORD),
        ],
    );
    let answer = house.ask(ask).await;
    let page = answer.text("error_uri");
    assert_eq!(page, format!("{ISSUER}docs/errors#unauthorized_client"));
    let path = page.strip_prefix(ISSUER).unwrap().split('#').next().unwrap().to_owned();
    assert_eq!(house.get(&format!("/{path}")).await.status, 200);
}

#[tokio::test]
async fn without_a_default_directory_the_password_grant_says_what_to_set() {
    let house = House::new().await;
    for (directory, _why) in [(json!(null), "unset"), (json!("nowhere"), "unknown")] {
        let setting = Map::from_iter([("default_directory".to_owned(), directory)]);
        update_settings(&*house.tenant().await, setting).await.unwrap();
        let answer = house.password(&[]).await;
        assert_eq!((answer.status, answer.text("error")), (500, "server_error".into()));
        let expected = "Authorization server not configured with default connection.";
        assert!(answer.text("error_description").starts_with(expected), "{answer:?}");
    }
    let named = [("grant_type", REALM), ("realm", "Username-Password-Authentication")];
    assert_eq!(house.password(&named).await.status, 200);
}

#[tokio::test]
async fn a_blocked_user_in_rfc_6749s_dialect_is_an_invalid_grant() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let setting = Map::from_iter([("error_dialect".to_owned(), json!("rfc6749"))]);
    update_settings(&tenant, setting).await.unwrap();
    let users = tenant
        .house
        .store
        .users(&tenant.id, tokenhouse_store::Page::first(1))
        .await
        .unwrap();
    set_blocked(&tenant, &users[0].id, true).await.unwrap();
    let answer = house.password(&[]).await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_grant".into()));
    assert_eq!(answer.text("error_description"), "user is blocked");
}

fn assert_answer(house: &House, row: &Row, answer: &Answer, (status, error): (u16, &str), description: &str) {
    let name = row.name;
    assert_eq!(
        (answer.status, answer.text("error")),
        (status, error.to_owned()),
        "{name}: {answer:?}"
    );
    let expected = description.replace("CLIENT", &house.samples.password.client_id);
    let actual = answer.text("error_description");
    assert!(
        actual.starts_with(&expected),
        "{name}: {actual:?} instead of {expected:?}"
    );
    assert_eq!(answer.header("content-type"), "application/json", "{name}");
    assert!(
        answer
            .header("cache-control")
            .starts_with("private, no-store, no-cache, must-revalidate"),
        "{name}"
    );
    assert_eq!(
        (answer.header("pragma"), answer.header("x-content-type-options")),
        ("", "nosniff"),
        "{name}"
    );
    assert_eq!(
        answer.header("x-request-id"),
        answer.header("x-auth0-requestid"),
        "{name}"
    );
    assert!(!answer.header("x-request-id").is_empty(), "{name}");
}

/// The sample application's request, with `fields` over the usual ones.
fn machine(house: &House, fields: &[(&str, &str)]) -> Ask {
    let kept = MACHINE
        .into_iter()
        .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
    Ask::token(&with_secret(
        &house.samples.sample,
        &kept.chain(fields.iter().copied()).collect::<Vec<_>>(),
    ))
}

/// A house whose tenant has chosen RFC 6749's dialect.
async fn by_the_rfc() -> &'static House {
    static BY_THE_RFC: OnceCell<&House> = OnceCell::const_new();
    let prepare = |tenant: Arc<Tenant>| async move {
        let setting = Map::from_iter([("error_dialect".to_owned(), json!("rfc6749"))]);
        update_settings(&tenant, setting).await.unwrap();
    };
    BY_THE_RFC.get_or_init(|| House::lasting(prepare)).await
}
