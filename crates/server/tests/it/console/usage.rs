//! Usage in the console: what was issued, by day, as a chart, a table and a file.

use serde_json::json;

use tokenhouse::registry::clients;
use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_store::{Job, LogBody, LogEntry};

use super::browser::Browser;
use crate::house::House;

#[tokio::test]
async fn usage_shows_machines_apart_from_people() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let empty = browser.page("/console/usage").await;
    assert!(empty.contains("No tokens in these days"));
    for _ in 0..3 {
        house.token(&house.samples.sample).await;
    }
    assert_eq!(house.password(&[]).await.status, 200);
    house.app.house.store.fold_usage().await.unwrap();
    let home = browser.page("/console/").await;
    assert!(home.contains("<dt>Tokens today</dt><dd>4</dd>"), "{home}");
    let page = browser.page("/console/usage").await;
    assert!(page.contains("<dt>Client credentials</dt><dd>3</dd>"), "{page}");
    assert!(page.contains("<dt>For users</dt><dd>1</dd>"));
    assert!(page.contains("75.0 %"));
    let file = browser.get("/console/usage/file").await;
    assert!(
        file.body
            .starts_with("date,client_id,client_name,audience,grant_type,tokens\r\n")
    );
    assert!(file.body.contains(",client_credentials,3\r\n"), "{}", file.body);
}

#[tokio::test]
async fn an_application_shows_its_own_tokens_and_how_its_quota_stands() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let id = &house.samples.sample.client_id;
    let path = format!("/console/applications/{id}/usage");
    let empty = browser.page(&path).await;
    assert!(empty.contains("No tokens yet") && !empty.contains("<meter"));
    let quota = json!({"token_quota": {"client_credentials": {"per_hour": 4}}});
    let changes = quota.as_object().unwrap().clone();
    let tenant = house.tenant().await;
    clients::update(&tenant, &ClientId::new(id.as_str()), changes, None)
        .await
        .unwrap();
    for _ in 0..4 {
        house.token(&house.samples.sample).await;
    }
    house.token(&house.samples.reader).await;
    house.app.house.store.fold_usage().await.unwrap();
    let page = browser.page(&path).await;
    assert!(page.contains("<dt>Tokens today</dt><dd>4</dd>"), "{page}");
    assert!(page.contains("4 of 4 this hour"), "{page}");
    assert!(page.contains("Used up: more is refused"));
    let all = browser.page("/console/usage").await;
    assert!(all.contains("4 of 4 this hour") && all.contains(&path), "{all}");
    assert!(all.contains("<dt>Client credentials</dt><dd>5</dd>"));
}

#[tokio::test]
async fn days_that_cannot_be_read_or_are_too_many_are_not_used() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    for query in [
        "from=yesterday",
        "from=2026-02-30",
        "from=2026-01-02&to=2026-01-01",
        "from=1990-01-01",
    ] {
        let page = browser.page(&format!("/console/usage?{query}")).await;
        assert!(page.contains("A day is written like"), "{query}");
        assert_eq!(browser.get(&format!("/console/usage/file?{query}")).await.status, 400);
    }
}

#[tokio::test]
async fn usage_of_very_many_applications_shows_the_largest_and_is_saved_whole() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let tenant = house.tenant().await;
    let token = |client: String| LogEntry {
        at: house.clock.now(),
        kind: "seccft",
        client_id: Some(ClientId::new(client)),
        api_id: Some(ApiId::new("api")),
        user_id: None,
        grant: Some("client_credentials".into()),
        address: None,
        tokens: 1,
        repeats: 1,
        body: LogBody::of(&serde_json::Map::new()),
    };
    let entries = (0..2_600).map(|number| token(format!("many-{number}")));
    let busy = [token("busy".into()), token("busy".into())];
    let job = Job {
        tenant: tenant.id.clone(),
        entries: entries.chain(busy).collect(),
        uses: None,
        counts: None,
    };
    let store = &house.app.house.store;
    store.commit(job).await.unwrap();
    store.fold_usage().await.unwrap();
    for _ in 0..2 {
        let page = browser.page("/console/usage").await;
        assert!(
            page.contains("<dt>Client credentials</dt><dd>2\u{202f}602</dd>"),
            "{page}"
        );
        assert_eq!(page.matches("<span class=\"tag\">deleted</span>").count(), 200);
        let (busy, other) = (page.find("<code>busy</code>"), page.find("<code>many-"));
        assert!(busy < other && busy.is_some(), "the largest first");
        assert!(page.contains("The CSV file has all"));
    }
    let file = browser.get("/console/usage/file").await;
    assert_eq!(file.body.lines().count(), 2_602, "with its head");
    assert!(
        file.body.contains(",busy,,api,client_credentials,2\r\n"),
        "{:.300}",
        file.body
    );
}
