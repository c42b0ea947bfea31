//! Every route of the console, walked by the router's own table, so that a new one is here on the day it is made: who is
//! not signed in sees none of it, a form from elsewhere does nothing, and another tenant's session opens nothing.

use axum::http::Method;

use tokenhouse::registry::tenants::{self, NewTenant};
use tokenhouse::router::console_routes;
use tokenhouse::tenant::Issuer;
use tokenhouse_protocol::id::TenantId;

use super::browser::Browser;
use crate::house::{Ask, House, form};

/// A path of a route, with something in place of its parameters.
fn path(route: &str) -> String {
    let parts = route.split('/').map(|part| match part {
        "{file}" => "console.css",
        part if part.starts_with('{') => "anything",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn post(path: &str, token: &str) -> Ask {
    Ask::new("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&[("form_token", token)]))
}

#[tokio::test]
async fn who_is_not_signed_in_is_sent_to_the_sign_in_by_every_page_and_form() {
    let house = House::new().await;
    let mut walked = 0;
    for route in console_routes().into_iter().filter(|route| route.needs_session) {
        for method in &route.methods {
            let answer = house.ask(Ask::new(method.as_str(), &path(route.path))).await;
            assert_eq!(answer.status, 303, "{method} {}", route.path);
            let to = answer.header("location");
            assert!(to.starts_with("/console/sign-in?to="), "{method} {}: {to}", route.path);
            walked += 1;
        }
    }
    assert!(walked > 2);
}

#[tokio::test]
async fn a_form_without_the_pages_token_is_refused_everywhere() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let before = house.logs().await.len();
    let mut walked = 0;
    for route in console_routes() {
        if !route.methods.contains(&Method::POST) {
            continue;
        }
        for token in ["", "AAAA"] {
            let answer = browser.send(post(&path(route.path), token)).await;
            assert_eq!(answer.status, 403, "{}: {}", route.path, answer.body);
            walked += 1;
        }
    }
    assert!(walked > 4);
    let after = house.logs().await;
    assert!(
        after[before..].iter().all(|row| row.kind != "sapi"),
        "something was done"
    );
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_though_its_token_is_right() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/").await;
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:4001"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let token = browser.form_token.clone();
        for route in console_routes() {
            if route.methods.contains(&Method::POST) {
                let answer = browser.send(post(&path(route.path), &token).header(name, value)).await;
                assert_eq!(answer.status, 403, "{} with {name}: {value}", route.path);
            }
        }
    }
    assert_eq!(browser.get("/console/").await.status, 200, "the session goes on");
}

#[tokio::test]
async fn a_session_opens_nothing_at_another_tenant() {
    let house = House::new().await;
    let issuer = Issuer::parse("http://other.example:4000/").unwrap();
    let new = NewTenant {
        id: TenantId::new("other"),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: vec!["other.example:4000".into()],
    };
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    let mut browser = Browser::signed_in(&house).await;
    assert_eq!(browser.get("/console/").await.status, 200);
    browser.host = "other.example:4000";
    for route in console_routes().into_iter().filter(|route| route.needs_session) {
        for method in &route.methods {
            let answer = browser.send(Ask::new(method.as_str(), &path(route.path))).await;
            assert_eq!(answer.status, 303, "{method} {}", route.path);
        }
    }
}

#[tokio::test]
async fn every_page_is_closed_to_frames_and_caches_and_loads_nothing_from_elsewhere() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    for route in console_routes() {
        if !route.methods.contains(&Method::GET) {
            continue;
        }
        let answer = browser.get(&path(route.path)).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{}: {policy}", route.path);
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{}: {policy}",
            route.path
        );
        assert_eq!(answer.header("x-frame-options"), "DENY", "{}", route.path);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", route.path);
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{}", route.path);
        assert_eq!(answer.header("cache-control"), "no-store", "{}", route.path);
        for inline in [
            "<style",
            " style=",
            " onclick=",
            "javascript:",
            "src=\"http",
            "href=\"http",
        ] {
            assert!(!answer.body.contains(inline), "{} has {inline}", route.path);
        }
    }
}

#[tokio::test]
async fn the_files_of_a_page_are_kept_for_ever_under_addresses_that_name_their_content() {
    let house = House::new().await;
    let mut browser = Browser::new(&house);
    let page = browser.page("/console/sign-in").await;
    let mut files = 0;
    for part in page.split('"').filter(|part| part.starts_with("/console/static/")) {
        let answer = browser.get(part).await;
        assert_eq!(answer.status, 200, "{part}");
        assert!(answer.header("cache-control").contains("immutable"), "{part}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        files += 1;
    }
    assert_eq!(files, 3, "{page}");
}
