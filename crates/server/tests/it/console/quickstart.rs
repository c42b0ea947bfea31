//! The Quickstart: the five requests run one after the other, as a newcomer does.

use super::desk::{Desk, text_of, value_of};
use crate::house::{AUDIENCE, PASSWORD, USERNAME};

const PATH: &str = "/console/quickstart";

/// Runs a request with the token of an earlier one: the answer's text, and the token from then on.
async fn run(desk: &Desk, request: &str, token: &str) -> (String, String) {
    let application = desk.house.samples.reader.client_id.clone();
    let fields = [
        ("run", request),
        ("application", application.as_str()),
        ("access_token", token),
        ("api_url", desk.sample_api.as_str()),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let answer = desk.post(PATH, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (text_of(&answer.body), value_of(&answer.body, "access_token"))
}

#[tokio::test]
async fn the_page_holds_the_readers_own_values_and_no_secret() {
    let desk = Desk::new().await;
    let page = text_of(&desk.page(&format!("{PATH}?language=go")).await);
    for value in [
        "http://localhost:4000/oauth/token",
        AUDIENCE,
        &desk.sample_api,
        "package main",
    ] {
        assert!(page.contains(value), "{value}: {page}");
    }
    assert!(page.contains("YOUR_CLIENT_SECRET") && page.contains("YOUR_ACCESS_TOKEN"));
    assert!(!page.contains(&desk.house.samples.sample.client_secret));
}

#[tokio::test]
async fn the_five_requests_run_from_the_page() {
    let desk = Desk::new().await;
    let (text, _) = run(&desk, "get-private-no-token", "").await;
    assert!(
        text.contains("401 Unauthorized") && text.contains("No token was sent"),
        "{text}"
    );
    let (text, none) = run(&desk, "get-private", "").await;
    assert!(text.contains("Get a token first") && none.is_empty(), "{text}");
    let (text, token) = run(&desk, "token-client-credentials", "").await;
    assert!(
        text.contains("200 OK") && text.contains("Issuer: who made it"),
        "{text}"
    );
    crate::secrets::used(&token);
    let (text, kept) = run(&desk, "get-private", &token).await;
    assert!(text.contains("The API took the call") && kept == token, "{text}");
    let (text, _) = run(&desk, "get-private-scoped", &token).await;
    assert!(text.contains("has the scope read:messages"), "{text}");
    let (text, token) = run(&desk, "token-password", "").await;
    assert!(text.contains("200 OK") && token.starts_with("eyJ"), "{text}");
    let (text, _) = run(&desk, "get-private-scoped", &token).await;
    assert!(text.contains("auth0|"), "{text}");
}

#[tokio::test]
async fn the_defaults_give_what_the_page_says_without_choosing() {
    let desk = Desk::new().await;
    let page = desk.page(PATH).await;
    let (api, application) = (chosen(&page, "api"), chosen(&page, "application"));
    assert_eq!(
        application, desk.house.samples.sample.client_id,
        "who was granted the most"
    );
    let mut token = String::new();
    for (request, status) in [
        ("get-private-no-token", "401 Unauthorized"),
        ("token-client-credentials", "200 OK"),
        ("get-private", "200 OK"),
        ("get-private-scoped", "200 OK"),
        ("token-password", "200 OK"),
    ] {
        let fields = [
            ("run", request),
            ("api", api.as_str()),
            ("application", application.as_str()),
            ("access_token", token.as_str()),
            ("api_url", desk.sample_api.as_str()),
            ("username", USERNAME),
            ("password", PASSWORD),
        ];
        let answer = desk.post(PATH, &fields).await;
        assert!(
            text_of(&answer.body).contains(status),
            "{request}: {}",
            text_of(&answer.body)
        );
        token = value_of(&answer.body, "access_token");
    }
}

#[tokio::test]
async fn a_stranger_gets_the_403_that_the_page_names() {
    let desk = Desk::new().await;
    let stranger = desk.house.samples.stranger.client_id.clone();
    let run = async |request: &str, token: &str| {
        let fields = [
            ("run", request),
            ("application", stranger.as_str()),
            ("access_token", token),
            ("api_url", desk.sample_api.as_str()),
        ];
        desk.post(PATH, &fields).await
    };
    let token = value_of(&run("token-client-credentials", "").await.body, "access_token");
    crate::secrets::used(&token);
    let answer = run("get-private-scoped", &token).await;
    assert!(
        text_of(&answer.body).contains("403 Forbidden"),
        "{}",
        text_of(&answer.body)
    );
}

#[tokio::test]
async fn a_refused_token_request_says_why_and_where_to_change_it() {
    let desk = Desk::new().await;
    let fields = [
        ("run", "token-password"),
        ("username", USERNAME),
        ("password", "wrong"),
        ("application", desk.house.samples.password.client_id.as_str()),
    ];
    let answer = desk.post(PATH, &fields).await;
    let text = text_of(&answer.body);
    assert!(
        text.contains("No user has this name and this password") && text.contains("Wrong email or password"),
        "{text}"
    );
    assert!(answer.body.contains("href=\"/console/users\""), "{}", answer.body);
}

#[tokio::test]
async fn an_application_that_signs_is_told_why_it_cannot_run_and_where_it_can() {
    let desk = Desk::new().await;
    let id = desk.house.samples.sample.client_id.clone();
    desk.with_key(&id).await;
    let page = desk.page(&format!("{PATH}?application={id}")).await;
    let text = text_of(&page);
    assert!(text.contains("proves itself with a private key"), "{text}");
    assert!(
        page.contains(&format!("/console/debugger/private-key-jwt?client_id={id}")),
        "{page}"
    );
    let fields = [("run", "token-client-credentials"), ("application", id.as_str())];
    let answer = desk.post(PATH, &fields).await;
    assert_eq!(answer.status, 200);
    assert!(!text_of(&answer.body).contains("HTTP/1.1"), "nothing was sent");
}

#[tokio::test]
async fn an_application_is_found_by_its_name_however_many_there_are() {
    let desk = Desk::new().await;
    let page = desk.page(&format!("{PATH}?find=Sample%20reader")).await;
    assert_eq!(chosen(&page, "application"), desk.house.samples.reader.client_id);
    let page = desk.page(&format!("{PATH}?find=Nobody")).await;
    assert!(
        text_of(&page).contains("There is none with this client ID or name: Nobody"),
        "{page}"
    );
}

/// What is chosen in a select.
fn chosen(page: &str, name: &str) -> String {
    let (_, select) = page.split_once(&format!("<select id=\"{name}\"")).unwrap_or_default();
    let (select, _) = select.split_once("</select>").unwrap_or_default();
    let (before, _) = select.split_once("\" selected").unwrap_or_default();
    before.rsplit('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn each_kind_of_application_has_a_page_that_promises_nothing_that_is_not_there() {
    let desk = Desk::new().await;
    let metadata = desk.house.get("/.well-known/openid-configuration").await.json();
    let grants = metadata["grant_types_supported"].to_string();
    for (kind, grant) in [
        ("machine-to-machine", None),
        ("regular-web", Some("authorization_code")),
        ("spa", Some("authorization_code")),
        ("native", Some("authorization_code")),
        ("command-line", Some("device_code")),
    ] {
        let text = text_of(&desk.page(&format!("{PATH}/{kind}")).await);
        let says_so = text.contains("is not there yet");
        assert_eq!(
            says_so,
            grant.is_some_and(|grant| !grants.contains(grant)),
            "{kind}: {text}"
        );
    }
    assert_eq!(desk.get(&format!("{PATH}/nothing")).await.status, 404);
}

#[tokio::test]
async fn each_kind_has_code_with_the_readers_own_values() {
    let desk = Desk::new().await;
    let id = desk.house.samples.sample.client_id.clone();
    for (kind, values) in [
        (
            "machine-to-machine?language=go",
            vec!["package main", id.as_str(), AUDIENCE],
        ),
        ("regular-web?language=ruby", vec!["Net::HTTP", id.as_str(), AUDIENCE]),
        ("spa", vec!["fetch(", desk.sample_api.as_str()]),
        (
            "native",
            vec!["import Foundation", "fun main", desk.sample_api.as_str()],
        ),
        (
            "command-line",
            vec!["curl", id.as_str(), AUDIENCE, desk.sample_api.as_str()],
        ),
    ] {
        let text = text_of(&desk.page(&format!("{PATH}/{kind}")).await);
        for value in values {
            assert!(text.contains(value), "{kind}: {value}: {text}");
        }
        assert!(!text.contains(&desk.house.samples.sample.client_secret));
    }
}

#[tokio::test]
async fn hostile_values_are_text() {
    let desk = Desk::new().await;
    let bad = "\"><script>alert(1)</script>\u{202e}";
    for run in ["token-password", "get-private", bad] {
        let names = [
            "api",
            "application",
            "access_token",
            "api_url",
            "username",
            "password",
            "language",
        ];
        let mut fields: Vec<_> = names.map(|name| (name, bad)).to_vec();
        fields.push(("run", run));
        let answer = desk.post(PATH, &fields).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    }
}
