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
