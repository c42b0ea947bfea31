//! The log in the console: filters, one entry in full, files, and new lines as they come.

use axum::body::Body;
use http_body_util::BodyExt as _;

use tokenhouse_protocol::id::ClientId;
use tokenhouse_store::{Job, LogBody, LogEntry};

use super::browser::{Browser, between};
use crate::house::{AUDIENCE, Ask, House, with_secret};

async fn with_events() -> House {
    let house = House::new().await;
    house.token(&house.samples.sample).await;
    let mut wrong = house.samples.sample.clone();
    wrong.client_secret = "wrong".into();
    let refused = with_secret(&wrong, &[("grant_type", "client_credentials"), ("audience", AUDIENCE)]);
    assert_eq!(house.post_form(&refused).await.status, 401);
    house.written().await;
    house
}

#[tokio::test]
async fn the_log_is_filtered_and_an_entry_is_shown_whole() {
    let house = with_events().await;
    let mut browser = Browser::signed_in(&house).await;
    let all = browser.page("/console/logs").await;
    assert!(all.contains("Client credentials: token issued") && all.contains("Client credentials: refused"));
    let issued = browser.page("/console/logs?type=seccft").await;
    assert!(issued.contains("<span class=\"tag\">seccft</span>"));
    assert!(!issued.contains("<span class=\"tag bad\">feccft</span>"));
    let none = browser.page("/console/logs?app=nobody").await;
    assert!(none.contains("No lines"));
    let later = browser.page("/console/logs?from=2099-01-01").await;
    assert!(later.contains("No lines"));
    let unreadable = browser.page("/console/logs?from=yesterday").await;
    assert!(unreadable.contains("A time is written like"));

    let path = between(&issued, "<a href=\"/console/logs/9", "\"").unwrap();
    let entry = browser.page(&format!("/console/logs/9{path}")).await;
    assert!(entry.contains("&#34;type&#34;: &#34;seccft&#34;"), "{entry}");
    assert!(!entry.contains(&house.samples.sample.client_secret));
    assert_eq!(browser.get("/console/logs/900").await.status, 404);
}

#[tokio::test]
async fn the_log_is_paged_by_line_and_a_search_that_ends_early_goes_on_from_there() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let tenant = house.tenant().await;
    let line = |client: &str, kind| LogEntry {
        at: house.clock.now(),
        kind,
        client_id: Some(ClientId::new(client)),
        api_id: None,
        user_id: None,
        grant: None,
        address: None,
        tokens: 0,
        repeats: 1,
        body: LogBody::of(&serde_json::Map::new()),
    };
    let lines = |entries| Job {
        tenant: tenant.id.clone(),
        entries,
        uses: None,
        counts: None,
    };
    let store = &house.app.house.store;
    store.commit(lines(vec![line("rare", "s")])).await.unwrap();
    for _ in 0..3 {
        store.commit(lines(vec![line("common", "f"); 1000])).await.unwrap();
    }
    let mut page = browser.page("/console/logs").await;
    assert!(page.contains("data-live=") && !page.contains(">Newest<"));
    let older = between(&page, "href=\"/console/logs?before=", "\"").unwrap().to_owned();
    page = browser.page(&format!("/console/logs?before={older}")).await;
    assert_eq!(page.matches("<a href=\"/console/logs/9").count(), 50);
    assert!(page.contains(">Newest<") && page.contains(">Older<") && !page.contains("data-live="));

    let page = browser.page("/console/logs?app=rare").await;
    assert!(page.contains("none of the lines through that were looked at"), "{page}");
    assert!(page.contains("Search further back") && page.contains("Searched back to"));
    let further = between(&page, "before=", "\"").unwrap().to_owned();
    let page = browser.page(&format!("/console/logs?app=rare&before={further}")).await;
    assert_eq!(page.matches("<a href=\"/console/logs/9").count(), 1);
    assert!(!page.contains("Search further back"));
    let file = browser.get("/console/logs/file?format=csv&app=rare").await;
    assert_eq!(file.body.lines().count(), 2, "the file searches on by itself");
    let file = browser.get("/console/logs/file?format=jsonl&app=common").await;
    assert_eq!(file.body.lines().count(), 3000);
}

#[tokio::test]
async fn a_filter_takes_names_and_addresses_and_rows_lead_to_it() {
    let house = with_events().await;
    let user = [("audience", AUDIENCE)];
    assert_eq!(house.password(&user).await.status, 200);
    house.written().await;
    let mut browser = Browser::signed_in(&house).await;
    let issued = "<span class=\"tag\">seccft</span>";
    let by_password = "<span class=\"tag\">sepft</span>";
    let of_application = browser.page("/console/logs?app=Sample%20application").await;
    assert!(
        of_application.contains(issued) && !of_application.contains(by_password),
        "{of_application}"
    );
    let of_user = browser.page("/console/logs?user=user%40example.com").await;
    assert!(of_user.contains(by_password) && !of_user.contains(issued), "{of_user}");
    let id = format!("/console/logs?app={}", house.samples.sample.client_id);
    assert!(of_application.contains(&id), "a row leads to its application's");
    let (_, address) = of_application.split_once("/console/logs?ip=").unwrap();
    let address = address.split('"').next().unwrap();
    let of_address = browser.page(&format!("/console/logs?ip={address}")).await;
    assert!(of_address.contains(issued), "{of_address}");
    let of_nowhere = browser.page("/console/logs?ip=192.0.2.1").await;
    assert!(of_nowhere.contains("No lines"));
}

#[tokio::test]
async fn a_date_alone_is_the_whole_day() {
    let house = with_events().await;
    let mut browser = Browser::signed_in(&house).await;
    let today = house.clock.now().to_string().chars().take(10).collect::<String>();
    let page = browser.page(&format!("/console/logs?from={today}&to={today}")).await;
    assert!(page.contains("seccft</span>"), "{page}");
    assert!(page.contains(&format!("value=\"{today}T23:59:59\"")), "{page}");
}

#[tokio::test]
async fn a_change_is_headed_by_what_was_changed() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/settings").await;
    let fields = [("friendly_name", "Acme"), ("error_dialect", "auth0")];
    browser.post("/console/settings", &fields).await;
    house.written().await;
    let page = browser.page("/console/logs?type=sapi").await;
    assert!(page.contains(">Update tenant settings</a>"), "{page}");
}

#[tokio::test]
async fn the_log_is_saved_as_json_lines_and_as_csv() {
    let house = with_events().await;
    let mut browser = Browser::signed_in(&house).await;
    let lines = browser.get("/console/logs/file?format=jsonl&type=seccft").await;
    assert!(lines.header("content-disposition").contains("logs.jsonl"));
    let line: serde_json::Value = serde_json::from_str(lines.body.lines().next().unwrap()).unwrap();
    assert_eq!((&line["type"], lines.body.lines().count()), (&"seccft".into(), 1));
    let csv = browser.get("/console/logs/file?format=csv").await;
    assert!(csv.body.starts_with("date,type,description,client_id,"));
    assert!(csv.body.lines().count() > 2);
}

#[tokio::test]
async fn new_lines_come_by_themselves_to_who_is_signed_in() {
    let house = House::new().await;
    let nobody = house.ask(Ask::get("/console/logs/live")).await;
    assert_eq!(nobody.status, 204, "who is not signed in is not followed");
    let mut browser = Browser::signed_in(&house).await;
    let asked = Ask::get("/console/logs/live?type=seccft&").header("cookie", browser.cookie.clone().unwrap());
    let mut stream = house.response(asked).await.into_body();
    assert!(until(&mut stream, "retry:").await.contains("retry: 1000"));
    house.token(&house.samples.sample).await;
    let events = until(&mut stream, "seccft").await;
    assert!(events.contains("data: <tr>") && events.contains("id: 9"), "{events}");
    browser.page("/console/logs").await;
}

#[tokio::test]
async fn one_administrator_cannot_take_every_stream() {
    let house = House::new().await;
    let browser = Browser::signed_in(&house).await;
    let other = Browser::signed_in_as(&house, "grace@example.org").await;
    let live = async |browser: &Browser<'_>| {
        let asked = Ask::get("/console/logs/live").header("cookie", browser.cookie.clone().unwrap());
        house.response(asked).await
    };
    let mut open = Vec::new();
    for _ in 0..8 {
        let stream = live(&browser).await;
        assert_eq!(stream.status(), 200);
        open.push(stream);
    }
    assert_eq!(live(&browser).await.status(), 503);
    assert_eq!(live(&other).await.status(), 200);
}

/// What a stream says until `text` has come.
async fn until(stream: &mut Body, text: &str) -> String {
    let mut said = String::new();
    while !said.contains(text) {
        let frame = stream.frame().await.expect("the stream ended").unwrap();
        said += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
    }
    said
}
