//! What anybody typed, in the midst of sentences that hold markup: it is text there too.

use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::clients::{self, Kind, NewClient};

use super::browser::Browser;
use crate::house::House;

const HOSTILE: &str = "\"><script>alert(1)</script>{}'&amp;";
/// As hostile as a name can be: it holds no `<`.
const NAME: &str = "\"onclick=\"alert(1)' {}&lt;b&gt;";
const ESCAPED_NAME: &str = "&#34;onclick=&#34;alert(1)&#39; &#123;}&#38;lt;b&#38;gt;";

#[tokio::test]
async fn names_inside_sentences_are_text() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let mut browser = Browser::signed_in(&house).await;
    let api = NewApi {
        name: Some(NAME.to_owned()),
        ..NewApi::new(format!("https://a.example/{HOSTILE}"))
    };
    let api = apis::create(&tenant, api).await.unwrap();
    let new = NewClient::of_kind(Kind::MachineToMachine, NAME);
    let (client, _) = clients::create(&tenant, new).await.unwrap();
    let api_pages = |page: &str| format!("/console/apis/{}{page}", api.id);
    let pages = |page: &str| format!("/console/applications/{}{page}", client.id);
    let unauthorized = browser.page(&api_pages("/applications?show=all")).await;
    assert!(unauthorized.contains(&format!("Unauthorized<span class=\"unseen\"> {ESCAPED_NAME}<")));
    let grant = NewClientGrant {
        client_id: client.id.clone(),
        audience: api.id.to_string(),
        scopes: Vec::new(),
        allow_all_scopes: true,
    };
    client_grants::create(&tenant, grant).await.unwrap();
    for path in [
        api_pages(""),
        api_pages("/applications"),
        api_pages("/permissions"),
        api_pages("/test"),
        pages(""),
        pages("/apis"),
        pages("/credentials"),
        pages("/usage"),
        "/console/apis".to_owned(),
        format!("/console/quickstart?api={}", api.id),
        "/console/quickstart/machine-to-machine".to_owned(),
        "/console/debugger/token".to_owned(),
        "/console/logs".to_owned(),
    ] {
        let page = browser.page(&path).await;
        assert!(
            !page.contains("<script>alert") && !page.contains("\"onclick=") && !page.contains("&lt;b"),
            "{path}: {page}"
        );
    }
    let delete = browser.page(&pages("")).await;
    let sentence = format!("type its name, <strong>{ESCAPED_NAME}</strong>");
    assert!(delete.contains(&sentence), "{delete}");
    let judged = [("token", "e30.e30.c2ln"), ("audience", HOSTILE)];
    let judged = browser.post("/console/debugger/token", &judged).await;
    assert!(
        judged.body.contains("as <code>&#34;&#62;&#60;script") && !judged.body.contains("<script>alert"),
        "{}",
        judged.body
    );
}

#[tokio::test]
async fn the_script_is_given_its_words() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let page = browser.page("/console/apis").await;
    assert!(page.contains("data-copied=\"Copied\""), "{page}");
}
