//! What is shown once: a reload neither makes it again nor shows it again, on whichever node, and nobody reads it meanwhile.

use tokenhouse::accounts::session::digest;
use tokenhouse::registry::client_keys;
use tokenhouse_protocol::id::ClientId;

use super::browser::{Browser, between};
use crate::house::House;

const GENERATE: [(&str, &str); 2] = [("action", "generate"), ("algorithm", "ES256")];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const ADMINISTRATORS: &str = "/console/settings/administrators";

fn credentials(client_id: &str) -> String {
    format!("/console/applications/{client_id}/credentials")
}

/// What lies in the database's files.
fn written(house: &House) -> Vec<String> {
    let files = std::fs::read_dir(house.folder()).unwrap();
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    files.map(|file| read(file.unwrap().path())).collect()
}

/// What the browser's session keeps for a page.
async fn kept(browser: &Browser<'_>) -> Option<String> {
    let (_, key) = browser.cookie.as_ref().unwrap().split_once('=').unwrap();
    let tenant = browser.house.tenant().await;
    let (store, digest) = (&tenant.house.store, digest(key));
    let session = store.administrator_session(&tenant.id, &digest).await.unwrap();
    session.unwrap().shown_sealed
}

#[tokio::test]
async fn a_pair_is_made_once_and_its_private_half_shown_once_by_its_own_page() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let id = house.samples.sample.client_id.as_str();
    let (path, other) = (credentials(id), credentials(&house.samples.reader.client_id));
    browser.page(&path).await;
    let made = browser.submit(&path, &GENERATE).await;
    assert_eq!((made.status, made.header("location")), (303, path.as_str()));
    for page in ["/console/", other.as_str()] {
        assert!(!browser.page(page).await.contains(BEGIN), "{page} is another tab");
    }
    assert!(browser.page(&path).await.contains(BEGIN));
    assert_eq!(kept(&browser).await, None);
    assert!(!browser.page(&path).await.contains(BEGIN), "a reload");
    let keys = client_keys::keys(&*house.tenant().await, &ClientId::new(id))
        .await
        .unwrap();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn a_link_for_an_administrator_is_made_once_and_shown_once() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    browser.page("/console/settings").await;
    let add = [("action", "add"), ("email", "grace@example.org")];
    let made = browser.submit(ADMINISTRATORS, &add).await;
    assert_eq!((made.status, made.header("location")), (303, ADMINISTRATORS));
    let shown = browser.page(ADMINISTRATORS).await;
    assert!(
        shown.contains("<code id=\"link\">") && shown.contains("grace@example.org"),
        "{shown}"
    );
    let again = browser.get(ADMINISTRATORS).await;
    assert_eq!((again.status, again.header("location")), (303, "/console/settings"));
    let settings = browser.page("/console/settings").await;
    let (_, grace) = settings.split_once("grace@example.org").unwrap();
    let id = between(grace, "name=\"administrator\" value=\"", "\"").unwrap();
    let link = browser
        .post(ADMINISTRATORS, &[("action", "link"), ("administrator", id)])
        .await;
    let another = between(&link.body, "<code id=\"link\">", "</code>").unwrap();
    assert!(!shown.contains(another));
}

#[tokio::test]
async fn what_waits_to_be_shown_is_unreadable_and_any_node_shows_it() {
    let house = House::on_file().await;
    let there = house.second_node().await;
    let mut browser = Browser::signed_in(&house).await;
    let path = credentials(&house.samples.sample.client_id);
    browser.page(&path).await;
    assert_eq!(browser.submit(&path, &GENERATE).await.status, 303);
    assert!(kept(&browser).await.is_some());
    let files = written(&house);
    browser.house = &there;
    let shown = browser.page(&path).await;
    let private = between(&shown, BEGIN, "-----END").unwrap().trim();
    let line = private.lines().next().unwrap().replace("&#x2B;", "+");
    crate::secrets::used(&line);
    assert!(line.len() > 40, "{line}");
    assert!(
        files.iter().any(|file| file.contains("shown_sealed")),
        "the database was not read"
    );
    assert!(files.iter().all(|file| !file.contains(&line)));
    browser.house = &house;
    assert!(!browser.page(&path).await.contains(BEGIN));
}
