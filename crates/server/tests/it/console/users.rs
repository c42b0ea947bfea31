//! Users in the console: made, found, blocked, given another password, deleted by name.

use tokenhouse_protocol::id::UserId;
use tokenhouse_store::{Added, Page};

use super::browser::Browser;
use crate::house::{House, USERNAME};

/// What no page may show as markup.
const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e}\u{1f600}\"'&amp;";

async fn made(browser: &mut Browser<'_>, email: &str) -> String {
    browser.page("/console/users/new").await;
    let answer = browser
        .submit(
            "/console/users/new",
            &[("email", email), ("password", "Correct horse 7")],
        )
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").to_owned()
}

#[tokio::test]
async fn a_user_is_made_found_blocked_and_deleted_by_name() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = made(&mut browser, "grace@example.org").await;
    let page = browser.page(&path).await;
    assert!(page.contains("The user is created.") && page.contains("Not verified"));
    let found = browser.page("/console/users?q=GRACE%40example.org").await;
    assert!(found.contains(&path), "however it is written");
    let begun = browser.page("/console/users?q=Grace").await;
    assert!(begun.contains(&path), "by how it begins");
    let nobody = browser.page("/console/users?q=nobody%40example.org").await;
    assert!(nobody.contains("Nobody found"));

    let blocked = browser.post(&format!("{path}/block"), &[("blocked", "true")]).await;
    assert!(blocked.body.contains("Blocked") && blocked.body.contains("they get no more tokens"));
    let again = browser.post(&format!("{path}/block"), &[("blocked", "false")]).await;
    assert!(again.body.contains("let in again"));

    let refused = browser.post(&format!("{path}/delete"), &[("name", "somebody")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Nothing was deleted"));
    let deleted = browser
        .post(&format!("{path}/delete"), &[("name", "grace@example.org")])
        .await;
    assert!(deleted.body.contains("The user is deleted."));
    assert_eq!(browser.get(&path).await.status, 404);

    let rows = house.logs().await;
    let changes: Vec<_> = rows.iter().filter(|row| row.kind == "sapi").collect();
    let of_user = changes.iter().filter(|row| row.user_id.is_some()).count();
    assert_eq!(of_user, 4, "made, blocked, unblocked, deleted");
    assert!(
        changes
            .iter()
            .all(|row| row.body["administrator"]["email"] == "ada@example.org"),
        "who did it"
    );
}

#[tokio::test]
async fn another_password_holds_at_once_and_one_that_is_too_long_is_refused() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let found = browser.page(&format!("/console/users?q={USERNAME}")).await;
    let path = super::browser::between(&found, "<a href=\"/console/users/auth", "\"").unwrap();
    let path = format!("/console/users/auth{path}");
    browser.page(&path).await;
    let long = "x".repeat(5000);
    let refused = browser.post(&format!("{path}/password"), &[("password", &long)]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Password is longer"), "{}", refused.body);
    assert!(!refused.body.contains(&long), "a password is never shown again");
    let set = browser
        .post(&format!("{path}/password"), &[("password", "Another horse 8")])
        .await;
    assert_eq!(set.status, 200);
    assert_eq!(house.password(&[]).await.status, 403, "the old one");
    assert_eq!(house.password(&[("password", "Another horse 8")]).await.status, 200);
}

#[tokio::test]
async fn many_users_are_paged_and_none_is_shown_twice() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let (tenant, store) = (house.tenant().await, &house.app.house.store);
    let sample = store.users(&tenant.id, Page::first(1)).await.unwrap().remove(0);
    let mut tx = store.begin().await.unwrap();
    for number in 0..120 {
        let mut user = sample.clone();
        user.id = UserId::new(format!("auth0|{number:024}"));
        user.email = Some(format!("user{number}@example.org"));
        user.username = None;
        assert_eq!(tx.add_user(&tenant.id, &user).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let mut path = "/console/users".to_owned();
    for _ in 0..4 {
        let page = browser.page(&path).await;
        for row in page.split("<a href=\"/console/users/").skip(1) {
            let id = row.split('"').next().unwrap();
            if id != "new" {
                assert!(seen.insert(id.to_owned()), "{id} twice");
            }
        }
        match super::browser::between(&page, "href=\"/console/users?after=", "\"") {
            Some(next) => path = format!("/console/users?after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 121);
}

#[tokio::test]
async fn hostile_values_are_text() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/users/new").await;
    let long = "x".repeat(10_000);
    for value in [HOSTILE, long.as_str()] {
        let answer = browser
            .submit(
                "/console/users/new",
                &[("email", value), ("username", value), ("password", value)],
            )
            .await;
        assert_eq!(answer.status, 422);
        assert!(!answer.body.contains("<script>alert"), "markup");
    }
    for path in [
        "/console/users?q=",
        "/console/logs?app=",
        "/console/logs?from=",
        "/console/usage?from=",
    ] {
        let hostile: String = form_urlencode(HOSTILE);
        let page = browser.page(&format!("{path}{hostile}")).await;
        assert!(!page.contains("<script>alert"), "{path}");
    }
}

fn form_urlencode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
