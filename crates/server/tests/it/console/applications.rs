//! Applications in the console: made by kind, their secret shown and rotated, keys, APIs, deleting.

use serde_json::json;

use tokenhouse::registry::clients::{self, Kind, NewClient};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};

use super::browser::{Browser, between};
use crate::house::{AUDIENCE, House};

async fn made(browser: &mut Browser<'_>, name: &str, kind: &str) -> String {
    browser.page("/console/applications/new").await;
    let answer = browser
        .submit("/console/applications/new", &[("name", name), ("kind", kind)])
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let path = answer.header("location").trim_end_matches("/apis").to_owned();
    browser.page(&path).await;
    path
}

fn client_id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

async fn secret(browser: &mut Browser<'_>, path: &str) -> String {
    let hidden = browser.page(&format!("{path}/credentials")).await;
    assert!(!hidden.contains("id=\"secret\""), "shown on demand alone");
    let shown = browser
        .post(&format!("{path}/credentials"), &[("action", "show")])
        .await;
    between(&shown.body, "<code id=\"secret\">", "</code>")
        .unwrap()
        .to_owned()
}

async fn status(house: &House, id: &str, secret: &str) -> u16 {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
        ("audience", AUDIENCE),
    ];
    house.post_form(&fields).await.status
}

#[tokio::test]
async fn a_machine_gets_from_its_form_to_a_token() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = made(&mut browser, "Nightly export", "non_interactive").await;
    let apis = format!("{path}/apis");
    browser.page(&apis).await;
    let granted = browser
        .post(
            &apis,
            &[("action", "authorise"), ("audience", AUDIENCE), ("all", "yes")],
        )
        .await;
    assert!(granted.body.contains("Every permission"), "{}", granted.body);
    let secret = secret(&mut browser, &path).await;
    assert_eq!(status(&house, &client_id(&path), &secret).await, 200);

    let grant = between(&granted.body, "name=\"grant\" value=\"", "\"")
        .unwrap()
        .to_owned();
    browser.page(&apis).await;
    let fewer = browser
        .post(
            &apis,
            &[("action", "change"), ("grant", &grant), ("scope", "read:messages")],
        )
        .await;
    assert!(fewer.body.contains("1 of "), "{}", fewer.body);
    let gone = browser.post(&apis, &[("action", "withdraw"), ("grant", &grant)]).await;
    assert!(gone.body.contains("gets no more tokens"));
    assert_eq!(status(&house, &client_id(&path), &secret).await, 403);

    let reads = house.logs().await;
    assert_eq!(
        reads.iter().filter(|row| row.kind == "mgmt_api_read").count(),
        1,
        "who looked at the secret"
    );
}

#[tokio::test]
async fn a_rotated_secret_works_beside_the_new_one_for_as_long_as_was_said() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let id = house.samples.sample.client_id.clone();
    let (path, old) = (
        format!("/console/applications/{id}"),
        house.samples.sample.client_secret.clone(),
    );
    browser.page(&format!("{path}/credentials")).await;
    let rotated = browser
        .post(
            &format!("{path}/credentials"),
            &[("action", "rotate"), ("grace_hours", "1")],
        )
        .await;
    assert!(rotated.body.contains("An older secret works until"), "{}", rotated.body);
    let new = secret(&mut browser, &path).await;
    assert!(new != old, "a new one is made");
    assert_eq!(
        (status(&house, &id, &old).await, status(&house, &id, &new).await),
        (200, 200)
    );
    let page = browser.page(&format!("{path}/credentials")).await;
    let older = between(&page, "name=\"secret\" value=\"", "\"").unwrap().to_owned();
    let end = [("action", "end"), ("secret", older.as_str())];
    let ended = browser.post(&format!("{path}/credentials"), &end).await;
    assert!(
        ended.body.contains("The older secret works no longer"),
        "{}",
        ended.body
    );
    assert_eq!(
        (status(&house, &id, &old).await, status(&house, &id, &new).await),
        (401, 200),
        "ended before its time"
    );
    let again = browser.post(&format!("{path}/credentials"), &end).await;
    assert_eq!(again.status, 404);
}

#[tokio::test]
async fn an_older_secret_ends_by_itself() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let id = house.samples.sample.client_id.clone();
    let (path, old) = (
        format!("/console/applications/{id}"),
        house.samples.sample.client_secret.clone(),
    );
    browser.page(&format!("{path}/credentials")).await;
    browser
        .post(
            &format!("{path}/credentials"),
            &[("action", "rotate"), ("grace_hours", "1")],
        )
        .await;
    let new = secret(&mut browser, &path).await;
    house.advance_s(3601);
    // The session has ended meanwhile.
    let mut browser = Browser::signed_in_as(&house, "grace@example.org").await;
    assert_eq!(
        (status(&house, &id, &old).await, status(&house, &id, &new).await),
        (401, 200)
    );
    browser.page(&format!("{path}/credentials")).await;
    browser
        .post(
            &format!("{path}/credentials"),
            &[("action", "rotate"), ("grace_hours", "0")],
        )
        .await;
    assert_eq!(status(&house, &id, &new).await, 401, "at once");
}

#[tokio::test]
async fn a_pasted_key_takes_the_secrets_place_and_what_is_no_key_is_refused() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = format!("/console/applications/{}/credentials", house.samples.sample.client_id);
    browser.page(&path).await;
    let refused = browser.post(&path, &[("action", "add"), ("pem", "no key")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("The key cannot be used"), "{}", refused.body);
    let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
    let jwk =
        tokenhouse_protocol::jose::jwk::Jwk::from_signing_key(&key, &tokenhouse_protocol::id::KeyId::new("laptop"))
            .unwrap();
    let added = browser
        .post(
            &path,
            &[("action", "add"), ("name", "laptop"), ("pem", &json!(jwk).to_string())],
        )
        .await;
    assert!(
        added.body.contains("It proves itself by the keys below"),
        "{}",
        added.body
    );
    assert_eq!(house.client_credentials(&house.samples.sample).await.status, 401);
}

#[tokio::test]
async fn a_pair_is_made_whose_private_half_is_shown_once_and_signs_assertions() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let id = house.samples.sample.client_id.as_str();
    let path = format!("/console/applications/{id}/credentials");
    browser.page(&path).await;
    let refused = browser
        .post(&path, &[("action", "generate"), ("algorithm", "HS256")])
        .await;
    assert_eq!(refused.status, 422);
    for algorithm in ["ES256", "RS256", "RS384", "PS256", "EdDSA"] {
        let made = browser
            .post(
                &path,
                &[("action", "generate"), ("algorithm", algorithm), ("name", algorithm)],
            )
            .await;
        let (_, rest) = made.body.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
        let (private, _) = rest.split_once("-----END PRIVATE KEY-----").unwrap();
        let pem = format!("-----BEGIN PRIVATE KEY-----{private}-----END PRIVATE KEY-----\n").replace("&#x2B;", "+");
        let pkcs8 = tokenhouse_protocol::jose::pem::private_key(&pem).unwrap();
        let key = SigningKey::from_pkcs8(Algorithm::named(algorithm).unwrap(), &pkcs8).unwrap();
        let kid = tokenhouse_protocol::jose::jwk::thumbprint(&key.public().unwrap());
        assert!(made.body.contains(&kid), "{algorithm}");
        let again = browser.page(&path).await;
        assert!(again.contains(&kid) && !again.contains("PRIVATE KEY"), "{algorithm}");
    }
}

#[tokio::test]
async fn settings_are_saved_and_an_application_is_found_and_deleted_by_name() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = made(&mut browser, "Reports", "spa").await;
    let saved = browser
        .post(
            &path,
            &[
                ("name", "Reports 2"),
                ("grant_types", "password"),
                ("auth_method", "none"),
            ],
        )
        .await;
    assert!(saved.body.contains("Saved."), "{}", saved.body);
    assert!(saved.body.contains("value=\"password\" checked"));
    let bad = browser.post(&path, &[("name", ""), ("auth_method", "none")]).await;
    assert_eq!(bad.status, 422);
    let found = browser.page("/console/applications?q=Reports+2").await;
    assert!(found.contains(&path));
    browser.page(&path).await;
    let refused = browser.post(&format!("{path}/delete"), &[("name", "Reports")]).await;
    assert_eq!(refused.status, 422);
    let deleted = browser.post(&format!("{path}/delete"), &[("name", "Reports 2")]).await;
    assert!(deleted.body.contains("The application is deleted"));
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn applications_are_found_by_the_beginning_of_a_word_page_by_page() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let first = made(&mut browser, "Twin", "non_interactive").await;
    let second = made(&mut browser, "Twin", "spa").await;
    let other = made(&mut browser, "Nightly (export)", "non_interactive").await;
    for (query, expected) in [
        ("twin", vec![&first, &second]),
        ("EXP", vec![&other]),
        ("nightly+%28e", vec![&other]),
        ("ightly", vec![]),
    ] {
        let found = browser.page(&format!("/console/applications?q={query}")).await;
        for path in [&first, &second, &other] {
            assert_eq!(
                found.contains(&format!("\"{path}\"")),
                expected.contains(&path),
                "{query}: {path}"
            );
        }
        assert!(!found.contains("Next page"));
    }
    let tenant = house.tenant().await;
    for number in 0..60 {
        let new = NewClient::of_kind(Kind::MachineToMachine, format!("Worker {number}"));
        clients::create(&tenant, new).await.unwrap();
    }
    let page = browser.page("/console/applications?q=work").await;
    assert_eq!(page.matches(">Worker ").count(), 50);
    let next = between(
        &page,
        "<a class=\"button\" href=\"/console/applications?q=work&amp;after=",
        "\"",
    )
    .unwrap();
    let next = browser
        .page(&format!("/console/applications?q=work&after={next}"))
        .await;
    assert_eq!(next.matches(">Worker ").count(), 10);
    assert!(
        next.contains("href=\"/console/applications?q=work\">First page"),
        "{next}"
    );
    let strange = browser.page("/console/applications?q=work&after=%3Cscript%3E").await;
    assert!(!strange.contains("<script>alert") && strange.contains("Applications"));
}
