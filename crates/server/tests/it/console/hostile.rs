//! Hostile values in every field that the console shows, kept by whoever may: on every page they are text. A field that
//! refuses one keeps the most hostile that it takes. What is typed into forms: `tests/console/hostile.mjs`.

use axum::http::Method;
use http_body_util::BodyExt as _;

use tokenhouse::registry::{apis, users};
use tokenhouse::router::console_routes;

use self::kept::{ADMINISTRATOR, Kept, TEXT, escaped, keep_configuration, keep_people, keep_strangers, refuse};
use super::browser::Browser;
use crate::house::{AUDIENCE, Ask, House, USERNAME, encoded, form};

mod kept;

#[tokio::test]
async fn hostile_values_in_every_field_are_text_on_every_page() {
    let house = House::new().await;
    let mut browser = Browser::signed_in_as(&house, ADMINISTRATOR).await;
    let mut kept = Kept::default();
    Box::pin(keep_configuration(&house, &mut kept)).await;
    Box::pin(keep_people(&house, &mut kept)).await;
    Box::pin(refuse(&house, &mut kept)).await;
    Box::pin(keep_strangers(&house, &mut kept)).await;
    let refused = Browser::new(&house).refused_sign_in().await;
    assert_is_text("a refused sign-in", &refused);
    house.written().await;
    let mut pages = Vec::new();
    for path in paths(&house, &mut browser, &kept).await {
        let answer = browser.get(&path).await;
        let is_nowhere = path.starts_with("/console/nowhere") || path == "/console/reference/endpoints";
        assert!([200, 303].contains(&answer.status) || is_nowhere, "{path}: {answer:?}");
        if answer.header("content-type").starts_with("text/html") {
            assert_is_text(&path, &answer.body);
            pages.push(answer.body);
        } else if answer.status == 200 {
            let disposition = answer.header("content-disposition");
            assert!(disposition.starts_with("attachment"), "{path}: {disposition}");
        }
    }
    for text in &kept.shown {
        assert!(pages.iter().any(|page| page.contains(text)), "no page shows {text}");
    }
}

#[tokio::test]
async fn hostile_queries_are_text_on_every_page() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let tenant = house.tenant().await;
    let user = users::users_by_email(&tenant, USERNAME).await.unwrap().remove(0);
    let kept = Kept {
        clients: vec![house.samples.sample.client_id.clone()],
        apis: vec![apis::api(&tenant, AUDIENCE).await.unwrap().id.to_string()],
        users: vec![user.id.to_string()],
        ..Kept::default()
    };
    let names = [
        "q",
        "find",
        "app",
        "user",
        "ip",
        "from",
        "to",
        "type",
        "before",
        "after",
        "open",
        "show",
        "application",
        "api",
        "api_url",
        "username",
        "access_token",
        "client_id",
        "language",
        "format",
        "key",
        "ended",
        "of",
        "code",
    ];
    let mut showing = 0;
    for path in paths(&house, &mut browser, &kept).await {
        for value in [TEXT.to_owned(), format!("{TEXT}{}", "W".repeat(2000))] {
            let query = form(&names.map(|name| (name, value.as_str())));
            let (path, _) = path.split_once('?').unwrap_or((path.as_str(), ""));
            let answer = browser.get(&format!("{path}?{query}")).await;
            assert!(answer.status < 500, "{path}: {answer:?}");
            if answer.header("content-type").starts_with("text/html") {
                assert_is_text(path, &answer.body);
                showing += usize::from(answer.body.contains(&escaped(&value)));
            }
        }
    }
    assert!(showing > 10, "{showing} pages show what was asked");
}

#[tokio::test]
async fn a_hostile_line_that_comes_live_is_text_and_ends_no_event() {
    let house = House::new().await;
    let browser = Browser::signed_in(&house).await;
    let asked = Ask::get("/console/logs/live").header("cookie", browser.cookie.clone().unwrap());
    let mut stream = house.response(asked).await.into_body();
    let mut kept = Kept::default();
    Box::pin(keep_strangers(&house, &mut kept)).await;
    let mut events = String::new();
    while !events.contains("nobody") {
        let frame = stream.frame().await.expect("the stream ended").unwrap();
        events += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
    }
    assert_is_text("the stream", &events);
    assert!(events.contains(&escaped(&format!("stranger{TEXT}"))), "{events}");
    assert!(!events.contains('\r'), "{events}");
    let begins = |line: &str| {
        ["retry: ", "id: ", "data: <tr>", ":"]
            .iter()
            .any(|begin| line.starts_with(begin))
    };
    for line in events.lines().filter(|line| !line.is_empty()) {
        assert!(begins(line), "{line}");
    }
}

#[tokio::test]
async fn forms_refuse_what_is_too_long_for_the_api_and_show_it_again_as_text() {
    let house = House::new().await;
    let mut browser = Browser::signed_in(&house).await;
    let tenant = house.tenant().await;
    let api = apis::api(&tenant, AUDIENCE).await.unwrap().id;
    let application = format!("/console/applications/{}", house.samples.sample.client_id);
    let long = format!("{TEXT}{}", "W".repeat(10 * 1024));
    let (permissions, permission) = (format!("/console/apis/{api}/permissions"), format!("read:all {long}"));
    for (page, fields) in [
        (application.as_str(), [("name", "A"), ("description", long.as_str())]),
        (application.as_str(), [("name", "A"), ("web_origins", long.as_str())]),
        ("/console/applications/new", [("name", long.as_str()), ("kind", "spa")]),
        (
            permissions.as_str(),
            [("added", permission.as_str()), ("remove", "nothing")],
        ),
        (
            "/console/settings",
            [("friendly_name", long.as_str()), ("error_dialect", "auth0")],
        ),
    ] {
        browser.page(page).await;
        let answer = browser.submit(page, &fields).await;
        assert_eq!(answer.status, 422, "{page}: {}", answer.body);
        assert_is_text(page, &answer.body);
        let is_again = answer.body.contains(&escaped(&long)) || page == "/console/settings";
        assert!(
            is_again && answer.body.contains("longer than"),
            "{page}: {}",
            answer.body
        );
    }
}

impl Browser<'_> {
    /// The page that answers a sign-in by nobody.
    async fn refused_sign_in(&mut self) -> String {
        self.page("/console/sign-in").await;
        let email = format!("visitor{TEXT}");
        let fields = [("email", email.as_str()), ("password", "wrong"), ("to", TEXT)];
        let answer = self.submit("/console/sign-in", &fields).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(answer.body.contains(&escaped(&email)), "{}", answer.body);
        answer.body
    }
}

/// Every path of the console with what is kept in it, a page for each line of the log, and some that links lead to.
async fn paths(house: &House, browser: &mut Browser<'_>, kept: &Kept) -> Vec<String> {
    let flows = linked(&browser.page("/console/debugger").await, "/console/debugger/");
    let kinds = linked(&browser.page("/console/quickstart").await, "/console/quickstart/");
    let lines: Vec<String> = house.logs().await.iter().map(|row| row.id.to_string()).collect();
    let nowhere = vec![format!("nowhere{TEXT}")];
    let (client, api) = (encoded(&kept.clients[0]), encoded(&kept.apis[0]));
    let mut paths = vec![
        format!("/console/apis/{api}/applications?show=all"),
        format!("/console/apis/{api}/test?application={client}"),
        format!("/console/quickstart?api={api}&application={client}"),
        format!("/console/debugger/client-credentials?client_id={client}"),
        format!("/console/logs?app={client}"),
        "/console/logs?type=fu".to_owned(),
    ];
    let all = console_routes().into_iter();
    for route in all.filter(|route| route.methods.contains(&Method::GET)) {
        let filled: &[String] = match route.path {
            // No pages; the stream has a test of its own.
            "/console/static/{file}" | "/console/logs/live" => continue,
            "/console/logs/{id}" => &lines,
            "/console/keys/{kid}/revoke" => &kept.keys,
            "/console/quickstart/{kind}" => &kinds,
            "/console/debugger/{flow}" => &flows,
            "/console/{*path}" => &nowhere,
            path if path.starts_with("/console/applications/{id}") => &kept.clients,
            path if path.starts_with("/console/apis/{id}") => &kept.apis,
            path if path.starts_with("/console/users/{id}") => &kept.users,
            path => {
                assert!(!path.contains('{'), "what is filled into {path}?");
                paths.push(path.to_owned());
                continue;
            }
        };
        let (before, after) = route.path.split_once('{').unwrap();
        let (_, after) = after.split_once('}').unwrap();
        paths.extend(filled.iter().map(|id| format!("{before}{}{after}", encoded(id))));
    }
    assert!(flows.len() > 5 && kinds.len() > 3 && paths.len() > 40, "{paths:?}");
    paths
}

/// What follows `before` in the addresses of a page's links.
fn linked(page: &str, before: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1).filter_map(|link| link.split('"').next());
    let found = links.filter_map(|link| link.strip_prefix(before));
    found.map(str::to_owned).collect()
}

/// That nothing of what is kept is more than text: no element, no attribute, no place to go to, no markup once it is read.
fn assert_is_text(place: &str, page: &str) {
    for raw in ["<x-hit", "<script>", "<img", "&lt;x-hit", "=\"javascript:"] {
        assert!(!page.contains(raw), "{place} has {raw}: {page}");
    }
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        // Its names are what stands outside of quotes.
        let names: String = tag.split('"').step_by(2).collect();
        let is_ours = !names.contains("x-hit") && !names.contains("hit()");
        assert!(is_ours, "{place}: <{tag}>");
    }
}
