//! Signing in and out of the console: by password and by link, and when sessions end.

use tokenhouse::accounts::sign_in::{Purpose, make_link};
use tokenhouse::registry::administrators;

use super::browser::{Browser, EMAIL, MINUTE_MS, PASSWORD};
use crate::house::House;

/// The path of a new link for the administrator of the tests.
async fn link(house: &House, purpose: Purpose) -> (String, String) {
    let tenant = house.tenant().await;
    let administrator = administrators::administrator(&tenant, EMAIL).await.unwrap();
    let key = make_link(&tenant, &administrator.id, purpose, MINUTE_MS).await.unwrap();
    (format!("/console/link?key={}", key.expose()), key.expose().to_owned())
}

#[tokio::test]
async fn a_password_signs_in_and_leads_to_the_page_that_was_asked_for() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    let mut browser = Browser::new(&house);
    let sent = browser.get("/console/nowhere?a=b").await;
    let to = sent.header("location").to_owned();
    browser.page(&to).await;
    let held = browser.cookie.clone().unwrap();
    let fields = [
        ("email", " ADA@example.org"),
        ("password", PASSWORD),
        ("to", "/console/nowhere?a=b"),
    ];
    let answer = browser.submit("/console/sign-in", &fields).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/console/nowhere?a=b")
    );
    assert_ne!(
        browser.cookie.as_ref(),
        Some(&held),
        "the key from before the sign-in is worth nothing (fixation)"
    );
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    assert!(browser.page("/console/").await.contains(EMAIL));
    let logged = house.logs().await;
    let row = logged.last().unwrap();
    assert_eq!(
        (row.kind.as_str(), row.body["administrator"]["email"].as_str()),
        ("sapi", Some(EMAIL))
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_read_alike_and_are_limited() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    let mut browser = Browser::new(&house);
    browser.page("/console/sign-in").await;
    let wrong = browser
        .submit("/console/sign-in", &[("email", EMAIL), ("password", "x")])
        .await;
    let unknown = [("email", "bob@example.org"), ("password", "x")];
    let unknown = browser.submit("/console/sign-in", &unknown).await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(
        wrong.body.replace(EMAIL, ""),
        unknown.body.replace("bob@example.org", "")
    );
    for _ in 0..9 {
        browser
            .submit("/console/sign-in", &[("email", EMAIL), ("password", "x")])
            .await;
    }
    let blocked = browser
        .submit("/console/sign-in", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_eq!(blocked.status, 429, "{}", blocked.body);
    let refused = house.logs().await.into_iter().filter(|row| row.kind == "fapi").count();
    assert_eq!(refused, 12);
}

#[tokio::test]
async fn a_link_signs_in_once_and_looking_at_it_does_not_use_it_up() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    let (path, key) = link(&house, Purpose::SignIn).await;
    let (mut first, mut second) = (Browser::new(&house), Browser::new(&house));
    for _ in 0..3 {
        assert_eq!(first.get(&path).await.status, 200);
        assert_eq!(second.get(&path).await.status, 200);
    }
    assert_eq!(first.post("/console/link", &[("key", &key)]).await.status, 200);
    assert_eq!(second.post("/console/link", &[("key", &key)]).await.status, 410);
    assert_eq!(second.get(&path).await.status, 410);
    assert_eq!(first.get(&path).await.status, 303, "whoever used it is in");
}

#[tokio::test]
async fn a_link_ends_with_its_time() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    let (path, key) = link(&house, Purpose::SignIn).await;
    let mut browser = Browser::new(&house);
    assert_eq!(browser.get(&path).await.status, 200);
    house.advance_s(61);
    assert_eq!(browser.post("/console/link", &[("key", &key)]).await.status, 410);
}

#[tokio::test]
async fn a_link_for_a_password_sets_it_and_ends_every_other_session() {
    let house = House::new().await;
    let mut old = Browser::signed_in(&house).await;
    let (path, key) = link(&house, Purpose::Password).await;
    let mut browser = Browser::new(&house);
    assert!(browser.page(&path).await.contains("New password"));
    let short = browser
        .post("/console/link", &[("key", &key), ("password", "short")])
        .await;
    assert_eq!(short.status, 422);
    assert!(short.body.contains("fewer than 12 characters"), "{}", short.body);
    let without = browser.post("/console/link", &[("key", &key)]).await;
    assert_eq!(
        without.status, 422,
        "a link for a password does not sign in without one"
    );
    let chosen = "a new and longer one";
    let answer = browser
        .post("/console/link", &[("key", &key), ("password", chosen)])
        .await;
    assert!(answer.body.contains("Your password is set"), "{}", answer.body);
    assert_eq!(old.get("/console/").await.status, 303, "signed out");
    let mut again = Browser::new(&house);
    again.page("/console/sign-in").await;
    for (password, status) in [(PASSWORD, 401), (chosen, 303)] {
        let answer = again
            .submit("/console/sign-in", &[("email", EMAIL), ("password", password)])
            .await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_session_ends_when_nothing_is_done_for_half_an_hour() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    for _ in 0..4 {
        house.advance_s(29 * 60);
        assert_eq!(browser.get("/console/").await.status, 200);
    }
    house.advance_s(31 * 60);
    let answer = browser.get("/console/").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/console/sign-in?to=&ended")
    );
    assert!(
        browser
            .page("/console/sign-in?to=&ended")
            .await
            .contains("session has ended")
    );
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_whatever_is_done() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    for _ in 0..47 {
        house.advance_s(15 * 60);
        assert_eq!(browser.get("/console/").await.status, 200);
    }
    house.advance_s(15 * 60);
    assert_eq!(browser.get("/console/").await.status, 303);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_another_browsers() {
    let house = House::new().await;
    let mut one = Browser::signed_in(&house).await;
    let mut two = Browser::signed_in_as(&house, "bob@example.org").await;
    let held = one.cookie.clone();
    one.page("/console/").await;
    assert_eq!(one.submit("/console/sign-out", &[]).await.status, 303);
    assert_eq!(one.cookie, None);
    one.cookie = held;
    assert_eq!(one.get("/console/").await.status, 303);
    assert_eq!(two.get("/console/").await.status, 200, "two administrators at once");
}

#[tokio::test]
async fn an_administrator_who_is_deleted_is_out_at_once() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let tenant = house.tenant().await;
    let administrator = administrators::administrator(&tenant, EMAIL).await.unwrap();
    administrators::remove(&tenant, &administrator.id).await.unwrap();
    assert_eq!(browser.get("/console/").await.status, 303);
}

#[tokio::test]
async fn only_a_digest_of_what_a_browser_holds_is_kept() {
    let house = House::on_file().await;
    let browser = Browser::signed_in(&house).await;
    let (_, value) = browser.cookie.as_ref().unwrap().split_once('=').unwrap();
    for entry in std::fs::read_dir(house.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(value.len()).any(|window| window == value.as_bytes()));
    }
}

#[tokio::test]
async fn a_key_that_somebody_else_planted_never_becomes_a_session() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    let mut browser = Browser::new(&house);
    browser.page("/console/sign-in").await;
    let own = browser.cookie.clone().unwrap();
    let (name, _) = own.split_once('=').unwrap();
    for planted in [own.clone(), format!("{name}={}", "A".repeat(43))] {
        let mut victim = Browser::new(&house);
        victim.cookie = Some(planted.clone());
        victim.page("/console/sign-in").await;
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        assert_eq!(victim.submit("/console/sign-in", &fields).await.status, 303);
        assert_eq!(victim.get("/console/").await.status, 200);
        let mut planter = Browser::new(&house);
        planter.cookie = Some(planted);
        assert_eq!(planter.get("/console/").await.status, 303, "the planter is signed in");
    }
}

#[tokio::test]
async fn a_sign_in_leads_to_pages_of_the_console_and_nowhere_else() {
    let house = House::new().await;
    Browser::signed_in(&house).await;
    for to in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/console/\\evil.example",
        "/console//evil.example",
        "/console/../oauth/token",
        "/console",
        "/consoles/",
        "\t//evil.example",
        "/console/\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "evil.example",
        "",
    ] {
        let mut browser = Browser::new(&house);
        browser.page("/console/sign-in").await;
        let fields = [("email", EMAIL), ("password", PASSWORD), ("to", to)];
        let answer = browser.submit("/console/sign-in", &fields).await;
        let target = answer.header("location");
        assert_eq!(answer.status, 303, "{to:?}");
        // However a browser reads it, it stays on this site.
        assert!(
            target.starts_with("/console/") && !target.contains("//") && !target.contains('\\'),
            "{to:?} leads to {target:?}"
        );
    }
}
