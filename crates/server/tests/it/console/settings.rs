//! Home and Settings: what a new tenant is told, what holds at once, and who administers.

use tokenhouse::registry::apis;

use super::browser::{Browser, EMAIL, between};
use crate::house::{AUDIENCE, House, with_secret};

#[tokio::test]
async fn home_says_what_to_do_next_until_there_are_tokens() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    assert!(browser.page("/console/").await.contains("From here to a first token"));
    house.token(&house.samples.sample).await;
    let mut wrong = house.samples.sample.clone();
    wrong.client_secret = "wrong".into();
    assert_eq!(house.client_credentials(&wrong).await.status, 401);
    house.written().await;
    house.app.house.store.fold_usage().await.unwrap();
    let page = browser.page("/console/").await;
    assert!(!page.contains("From here to a first token"));
    assert!(page.contains("<dt>Tokens today</dt><dd>1</dd>"), "{page}");
    assert!(page.contains("<dt>Refused in 24 hours</dt><dd>1</dd>"));
}

#[tokio::test]
async fn settings_hold_at_once() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/settings").await;
    let fields = [
        ("friendly_name", "Acme"),
        ("default_audience", AUDIENCE),
        ("error_dialect", "rfc6749"),
    ];
    let saved = browser.post("/console/settings", &fields).await;
    assert!(
        saved.body.contains("Saved.") && saved.body.contains("· Acme</title>"),
        "{}",
        saved.body
    );
    let machine = with_secret(&house.samples.sample, &[("grant_type", "client_credentials")]);
    assert_eq!(house.post_form(&machine).await.status, 200, "without an audience");
    let bad = browser
        .post(
            "/console/settings",
            &[("default_audience", "nothing"), ("error_dialect", "klingon")],
        )
        .await;
    assert_eq!(bad.status, 422);
}

#[tokio::test]
async fn lifetimes_are_set_and_never_beyond_the_configuration() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/settings").await;
    let save = [
        ("error_dialect", "auth0"),
        ("default_token_lifetime", "900"),
        ("session_hours", "2"),
        ("idle_minutes", "10"),
    ];
    let saved = browser.post("/console/settings", &save).await;
    assert!(
        saved.body.contains("Saved.") && saved.body.contains("value=\"10\""),
        "{}",
        saved.body
    );
    let fields = [("identifier", "https://brief.example.com"), ("algorithm", "RS256")];
    browser.post("/console/apis/new", &fields).await;
    let api = apis::api(&*house.tenant().await, "https://brief.example.com")
        .await
        .unwrap();
    assert_eq!(api.token_lifetime_s, 900);
    for (name, value) in [
        ("session_hours", "13"),
        ("idle_minutes", "31"),
        ("default_token_lifetime", "0"),
    ] {
        let refused = browser
            .post("/console/settings", &[("error_dialect", "auth0"), (name, value)])
            .await;
        assert_eq!(refused.status, 422, "{name}");
    }
    house.clock.advance_ms(9 * 60_000);
    assert_eq!(browser.get("/console/settings").await.status, 200);
    house.clock.advance_ms(10 * 60_000);
    assert_eq!(
        browser.get("/console/settings").await.status,
        303,
        "ten minutes without use"
    );
}

#[tokio::test]
async fn another_administrator_gets_a_link_and_is_removed_with_their_sessions() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/settings").await;
    let path = "/console/settings/administrators";
    let made = browser
        .post(path, &[("action", "add"), ("email", "grace@example.org")])
        .await;
    let link = between(&made.body, "<code id=\"link\">", "</code>").unwrap().to_owned();
    let mut other = Browser::new(&house);
    other.page(link.strip_prefix("http://localhost:4000").unwrap()).await;
    let key = link.split_once("key=").unwrap().1.to_owned();
    let signed_in = other
        .post("/console/link", &[("key", &key), ("password", "correct horse battery")])
        .await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    assert!(other.page("/console/settings").await.contains(EMAIL), "two at once");

    let settings = browser.page("/console/settings").await;
    let grace = settings.split("grace@example.org").nth(1).unwrap();
    let id = between(grace, "name=\"administrator\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let own = between(&settings, "name=\"administrator\" value=\"", "\"")
        .unwrap()
        .to_owned();
    let removed = browser
        .post(path, &[("action", "remove"), ("administrator", &id)])
        .await;
    assert!(removed.body.contains("signed out everywhere"), "{}", removed.body);
    assert_eq!(other.get("/console/settings").await.status, 303);
    if own != id {
        let refused = browser
            .post(path, &[("action", "remove"), ("administrator", &own)])
            .await;
        assert_eq!(refused.status, 422);
    }
}
