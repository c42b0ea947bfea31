//! APIs in the console: made with a test application, permissions in bulk, settings, deleting.

use tokenhouse::dev::seed::Application;
use tokenhouse::registry::apis;
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::clients::{self, Kind, NewClient};

use super::browser::{Browser, between};
use crate::house::{AUDIENCE, House};

const IDENTIFIER: &str = "https://orders.example.com";

async fn made(browser: &mut Browser<'_>) -> String {
    browser.page("/console/apis/new").await;
    let fields = [
        ("name", "Orders"),
        ("identifier", IDENTIFIER),
        ("algorithm", "ES256"),
        ("test_application", "yes"),
    ];
    let answer = browser.submit("/console/apis/new", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let path = answer.header("location").trim_end_matches("/permissions").to_owned();
    browser.page(&path).await;
    path
}

#[tokio::test]
async fn an_api_is_made_with_an_application_to_try_it_with() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = made(&mut browser).await;
    let applications = browser.page(&format!("{path}/applications")).await;
    assert!(applications.contains("Orders (Test Application)") && applications.contains("Every permission"));
    let again = browser
        .post(
            "/console/apis/new",
            &[("identifier", IDENTIFIER), ("algorithm", "RS256")],
        )
        .await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("already exists"), "{}", again.body);
    let list = browser.page("/console/apis").await;
    assert!(list.contains(IDENTIFIER) && list.contains("System API"));
}

#[tokio::test]
async fn however_many_applications_there_are_the_page_stays_small() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    for place in 0..60 {
        let new = NewClient::of_kind(Kind::MachineToMachine, format!("Worker {place:03}"));
        let (client, _) = clients::create(&tenant, new).await.unwrap();
        let grant = NewClientGrant {
            client_id: client.id,
            audience: AUDIENCE.to_owned(),
            scopes: Vec::new(),
            allow_all_scopes: true,
        };
        client_grants::create(&tenant, grant).await.unwrap();
    }
    let mut browser = Browser::signed_in(&house).await;
    let path = format!(
        "/console/apis/{}/applications",
        apis::api(&tenant, AUDIENCE).await.unwrap().id
    );
    for show in ["", "show=all&"] {
        let mut seen = 0;
        let mut query = format!("?{show}");
        for _ in 0..4 {
            let page = browser.page(&format!("{path}{query}")).await;
            let rows = page.matches("aria-pressed=").count();
            assert!(rows <= 25, "{rows} rows");
            seen += rows;
            let Some(next) = between(&page, "&amp;after=", "\"").or_else(|| between(&page, "?after=", "\"")) else {
                break;
            };
            query = format!("?{show}after={next}");
        }
        assert!(seen >= 60, "{show}: {seen} rows on all pages");
    }
    let found = browser.page(&format!("{path}?q=Worker%20042")).await;
    assert_eq!(found.matches("aria-pressed=").count(), 1);
}

#[tokio::test]
async fn permissions_are_added_many_at_a_time_and_removed_by_a_tick() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = format!("{}/permissions", made(&mut browser).await);
    let added = browser
        .post(
            &path,
            &[(
                "added",
                "read:orders  Read orders\r\ncreate:orders Place orders\r\n\r\ndelete:orders",
            )],
        )
        .await;
    for text in ["read:orders", "Place orders", "delete:orders"] {
        assert!(added.body.contains(text), "{text}");
    }
    let fewer = browser
        .post(&path, &[("remove", "create:orders"), ("remove", "delete:orders")])
        .await;
    assert!(fewer.body.contains("read:orders") && !fewer.body.contains("create:orders</code>"));
    let bad = browser.post(&path, &[("added", "\"quoted\" no scope")]).await;
    assert_eq!(bad.status, 422, "{}", bad.body);
}

#[tokio::test]
async fn settings_hold_at_once_and_the_system_api_keeps_its_own() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = made(&mut browser).await;
    let fields = [
        ("name", "Orders"),
        ("algorithm", "EdDSA"),
        ("token_lifetime", "600"),
        ("profile", "rfc9068"),
    ];
    let saved = browser.post(&path, &fields).await;
    assert!(
        saved.body.contains("Saved.") && saved.body.contains("value=\"600\""),
        "{}",
        saved.body
    );
    let bad = browser
        .post(
            &path,
            &[("name", "Orders"), ("algorithm", "EdDSA"), ("token_lifetime", "ever")],
        )
        .await;
    assert_eq!(bad.status, 422);
    let refused = browser.post(&format!("{path}/delete"), &[("name", "orders")]).await;
    assert_eq!(refused.status, 422);
    let deleted = browser.post(&format!("{path}/delete"), &[("name", IDENTIFIER)]).await;
    assert!(deleted.body.contains("The API is deleted"));
    assert_eq!(browser.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_application_is_authorised_with_some_permissions_and_withdrawn() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = format!(
        "/console/apis/{}/applications",
        apis::api(&*house.tenant().await, AUDIENCE).await.unwrap().id
    );
    browser.page(&path).await;
    let new = NewClient::of_kind(Kind::MachineToMachine, "Newcomer");
    let (client, secret) = clients::create(&*house.tenant().await, new).await.unwrap();
    let (id, secret) = (client.id.to_string(), secret.unwrap());
    let newcomer = Application {
        client_id: id.clone(),
        client_secret: secret.expose().to_owned(),
    };
    let granted = browser
        .post(&path, &[("action", "authorise"), ("client_id", &id)])
        .await;
    assert!(granted.body.contains("may ask for tokens"), "{}", granted.body);
    assert_eq!(house.client_credentials(&newcomer).await.status, 200);
    assert!(
        granted.body.contains("aria-pressed=\"true\"") && granted.body.contains("0 of 2 permissions"),
        "{}",
        granted.body
    );
    let again = browser
        .post(&path, &[("action", "authorise"), ("client_id", &id)])
        .await;
    assert_eq!(again.status, 422);
    let found = browser.page(&format!("{path}?q=Newcomer")).await;
    let grant = between(&found, "name=\"grant\" value=\"", "\"").unwrap().to_owned();
    let fields = [
        ("action", "change"),
        ("grant", grant.as_str()),
        ("scope", "read:messages"),
    ];
    let changed = browser.post(&path, &fields).await;
    assert!(changed.body.contains("1 of 2 permissions"), "{}", changed.body);
    let elsewhere = format!("{}/applications", made(&mut browser).await);
    let foreign = browser
        .post(&elsewhere, &[("action", "withdraw"), ("grant", &grant)])
        .await;
    assert_eq!(foreign.status, 404, "another API's grant");
    let withdrawn = browser.post(&path, &[("action", "withdraw"), ("grant", &grant)]).await;
    assert!(withdrawn.body.contains("gets no more tokens"), "{}", withdrawn.body);
    let found = browser.page(&format!("{path}?q={id}")).await;
    assert!(
        found.contains("aria-pressed=\"false\"") && found.contains("Unauthorized"),
        "{found}"
    );
    let nobody = browser
        .post(&path, &[("action", "authorise"), ("client_id", "nobody")])
        .await;
    assert_eq!(nobody.status, 404);
}
