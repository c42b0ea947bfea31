//! An API's Test tab: tokens on nobody's bill, code with the secret masked, and calls that reach what they may.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use super::desk::{Desk, EMAIL, text_of, value_of};
use crate::house::{Answer, Jwt, PASSWORD, USERNAME};

/// Issues a token for the sample application, with these scopes.
async fn issue(desk: &Desk, scopes: &[&str]) -> Answer {
    let mut fields = vec![
        ("action", "issue"),
        ("application", desk.house.samples.sample.client_id.as_str()),
    ];
    fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
    desk.post(&desk.test_tab().await, &fields).await
}

/// Calls an address with a token.
async fn call(desk: &Desk, url: &str, token: &str) -> String {
    let fields = [
        ("action", "call"),
        ("method", "GET"),
        ("url", url),
        ("access_token", token),
    ];
    let answer = desk.post(&desk.test_tab().await, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    text_of(&answer.body)
}

async fn kinds(desk: &Desk) -> Vec<String> {
    desk.house.logs().await.into_iter().map(|row| row.kind).collect()
}

#[tokio::test]
async fn looking_at_the_test_tab_issues_nothing() {
    let desk = Desk::new().await;
    let page = desk.page(&desk.test_tab().await).await;
    assert!(
        page.contains("Sample application") && page.contains("Issue a token"),
        "{page}"
    );
    assert!(value_of(&page, "access_token").is_empty());
    assert!(!kinds(&desk).await.contains(&"seccft".to_owned()));
}

#[tokio::test]
async fn a_token_of_the_test_tab_is_a_real_one_on_nobodys_bill_and_the_log_says_who_asked() {
    let desk = Desk::new().await;
    let answer = issue(&desk, &["read:messages"]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = Jwt::read(&value_of(&answer.body, "access_token"));
    crate::secrets::used(&token.raw);
    assert!(desk.house.accepts(&token).await);
    assert_eq!(token.claims["scope"], "read:messages");
    assert!(answer.body.contains("1 day left"), "the time left is told");
    let logs = desk.house.logs().await;
    let row = logs.iter().find(|row| row.kind == "seccft").unwrap();
    assert_eq!((row.tokens, row.body["channel"].as_str().unwrap()), (0, "console"));
    assert_eq!(row.body["administrator"]["email"], EMAIL);
    let store = &desk.house.app.house.store;
    store.fold_usage().await.unwrap();
    let now = desk.house.clock.now();
    let tenant = desk.house.tenant().await;
    let usage = store
        .usage(&tenant.id, now.plus_ms(-86_400_000), now.plus_ms(86_400_000))
        .await
        .unwrap();
    assert_eq!(usage.iter().map(|row| row.tokens).sum::<i64>(), 0);
}

#[tokio::test]
async fn what_the_token_endpoint_would_refuse_is_refused_with_its_reason() {
    let desk = Desk::new().await;
    let reader = desk.house.samples.reader.client_id.clone();
    let fields = [
        ("action", "issue"),
        ("application", reader.as_str()),
        ("scope", "write:messages"),
    ];
    let answer = desk.post(&desk.test_tab().await, &fields).await;
    assert_eq!(answer.status, 422);
    assert!(
        text_of(&answer.body).contains("write:messages"),
        "{}",
        text_of(&answer.body)
    );
    assert!(text_of(&answer.body).contains("was not granted all that was asked for"));
    assert!(
        answer.body.contains(&format!("/applications?q={reader}")),
        "{}",
        answer.body
    );
    assert!(value_of(&answer.body, "access_token").is_empty());
    assert!(kinds(&desk).await.contains(&"feccft".to_owned()));
}

#[tokio::test]
async fn a_users_token_needs_their_password() {
    let desk = Desk::new().await;
    let client = desk.house.samples.password.client_id.clone();
    let fields = |password| {
        [
            ("action", "issue"),
            ("application", client.as_str()),
            ("for", "user"),
            ("username", USERNAME),
            ("password", password),
        ]
    };
    let path = desk.test_tab().await;
    let answer = desk.post(&path, &fields(PASSWORD)).await;
    let token = Jwt::read(&value_of(&answer.body, "access_token"));
    assert!(token.claims["sub"].as_str().unwrap().starts_with("auth0|"));
    assert!(
        !text_of(&answer.body).contains("\"password\": \"pwd\""),
        "the code holds no password"
    );
    let answer = desk.post(&path, &fields("wrong")).await;
    assert_eq!(answer.status, 422);
    assert!(
        text_of(&answer.body).contains("Wrong email or password"),
        "{}",
        text_of(&answer.body)
    );
}

#[tokio::test]
async fn a_secret_is_masked_until_it_is_asked_for_and_the_log_says_so() {
    let desk = Desk::new().await;
    let path = desk.test_tab().await;
    let sample = desk.house.samples.sample.clone();
    let page = desk.page(&path).await;
    assert!(!page.contains(&sample.client_secret) && page.contains("YOUR_CLIENT_SECRET"));
    let fields = |action| {
        [
            ("action", action),
            ("application", sample.client_id.as_str()),
            ("language", "python"),
        ]
    };
    let revealed = desk.post(&path, &fields("reveal")).await;
    assert!(revealed.body.contains(&sample.client_secret) && revealed.body.contains("http.client"));
    let copied = desk.post(&path, &fields("copy")).await;
    assert_eq!(copied.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        copied.body.contains(&sample.client_secret) && copied.body.starts_with("# Save as"),
        "{}",
        copied.body
    );
    let shown = desk
        .house
        .logs()
        .await
        .into_iter()
        .filter(|row| row.kind == "mgmt_api_read");
    assert_eq!(shown.count(), 2);
}

#[tokio::test]
async fn an_application_that_signs_has_no_secret_to_show_and_none_is_logged() {
    let desk = Desk::new().await;
    let path = desk.test_tab().await;
    let id = desk.house.samples.sample.client_id.clone();
    desk.with_key(&id).await;
    let page = desk.page(&format!("{path}?application={id}")).await;
    assert!(
        !page.contains("Show the secret") && page.contains("YOUR_SIGNED_CLIENT_ASSERTION"),
        "{page}"
    );
    assert!(page.contains(&format!("/console/debugger/private-key-jwt?client_id={id}")));
    for action in ["reveal", "copy"] {
        let answer = desk
            .post(&path, &[("action", action), ("application", id.as_str())])
            .await;
        assert!(!answer.body.contains(&desk.house.samples.sample.client_secret));
    }
    assert!(!kinds(&desk).await.contains(&"mgmt_api_read".to_owned()));
}

#[tokio::test]
async fn a_call_brings_a_body_where_its_method_has_one() {
    let desk = Desk::new().await;
    let path = desk.test_tab().await;
    let url = format!("{}/api/private", desk.sample_api);
    let send = async |method: &str, body: &str| {
        let fields = [
            ("action", "call"),
            ("method", method),
            ("url", url.as_str()),
            ("body", body),
        ];
        text_of(&desk.post(&path, &fields).await.body)
    };
    let text = send("POST", "{\"order\": 7}").await;
    assert!(
        text.contains("POST /api/private HTTP/1.1") && text.contains("\"order\": 7"),
        "{text}"
    );
    assert!(text.contains("Content-Type: application/json"), "{text}");
    let text = send("GET", "{\"order\": 7}").await;
    assert!(!text.contains("Content-Length: "), "{text}");
    let text = send("POST", "[7]").await;
    assert!(text.contains("The body is no JSON object"), "{text}");
}

#[tokio::test]
async fn the_language_is_picked_once_and_remembered() {
    let desk = Desk::new().await;
    let path = desk.test_tab().await;
    let application = desk.house.samples.sample.client_id.clone();
    let fields = [
        ("action", "language"),
        ("language", "go"),
        ("application", application.as_str()),
    ];
    let answer = desk.post(&path, &fields).await;
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("tokenhouse-language=go; ") && cookie.contains("HttpOnly"),
        "{cookie}"
    );
    assert!(answer.body.contains("<option value=\"go\" selected"));
    let remembered = desk.get_with(&path, "tokenhouse-language=go").await;
    assert!(remembered.body.contains("<option value=\"go\" selected"));
    let bent = desk.get_with(&path, "tokenhouse-language=%3Cscript%3E").await;
    assert!(bent.body.contains("<option value=\"curl\" selected"));
}

#[tokio::test]
async fn a_call_shows_what_the_api_says_and_why() {
    let desk = Desk::new().await;
    let api = &desk.sample_api;
    let token = value_of(&issue(&desk, &["write:messages"]).await.body, "access_token");
    let text = call(&desk, &format!("{api}/api/private"), &token).await;
    assert!(
        text.contains("200 OK") && text.contains("The API took the call"),
        "{text}"
    );
    let text = call(&desk, &format!("{api}/api/private-scoped"), &token).await;
    assert!(
        text.contains("403 Forbidden") && text.contains("this route wants read:messages"),
        "{text}"
    );
    assert!(text.contains("the scopes write:messages"), "{text}");
    let text = call(&desk, &format!("{api}/api/private"), "").await;
    assert!(
        text.contains("401 Unauthorized") && text.contains("No token was sent"),
        "{text}"
    );
    let text = call(&desk, &format!("{api}/api/nothing"), &token).await;
    assert!(
        text.contains("404 Not Found") && text.contains("There is nothing at this path"),
        "{text}"
    );
}

#[tokio::test]
async fn an_expired_token_is_told_by_the_check_that_fails() {
    let desk = Desk::new().await;
    let short = desk.short_lived_api().await;
    let fields = [
        ("action", "issue"),
        ("application", desk.house.samples.sample.client_id.as_str()),
    ];
    let token = value_of(&desk.post(&short, &fields).await.body, "access_token");
    assert!(!token.is_empty());
    desk.house.advance_s(120);
    let url = format!("{}/api/private", desk.sample_api);
    let fields = [
        ("action", "call"),
        ("method", "GET"),
        ("url", &url),
        ("access_token", &token),
    ];
    let text = text_of(&desk.post(&short, &fields).await.body);
    assert!(
        text.contains("401 Unauthorized") && text.contains("the check named expiry failed"),
        "{text}"
    );
    assert!(text.contains("expired "), "{text}");
}

#[tokio::test]
async fn no_call_goes_where_it_may_not() {
    let desk = Desk::that_calls_nobody().await;
    for url in [
        format!("{}/api/private", desk.sample_api),
        "http://localhost:9/".to_owned(),
        "http://[::ffff:127.0.0.1]:9/".to_owned(),
        "http://2130706433:9/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        let text = call(&desk, &url, "").await;
        assert!(
            text.contains("not called from here") && text.contains("allow_private_addresses"),
            "{url}: {text}"
        );
    }
    let desk = Desk::new().await;
    let text = call(&desk, "http://169.254.169.254/latest/meta-data/", "").await;
    assert!(
        text.contains("tells a machine its credentials") && !text.contains("allow_private"),
        "{text}"
    );
    for url in [
        "file:///etc/passwd",
        "gopher://localhost/",
        "http://user:password@localhost/",
        "javascript:alert(1)",
    ] {
        let text = call(&desk, url, "").await;
        assert!(text.contains("cannot be called"), "{url}: {text}");
    }
}

#[tokio::test]
async fn a_redirection_is_shown_and_the_token_goes_nowhere_else() {
    let desk = Desk::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = [0; 4096];
        let _ = stream.read(&mut read).unwrap();
        let answer =
            b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    let text = call(&desk, &url, "abc").await;
    answering.join().unwrap();
    assert!(
        text.contains("The API redirects") && text.contains("http://169.254.169.254/"),
        "{text}"
    );
}

#[tokio::test]
async fn hostile_values_are_text() {
    let desk = Desk::new().await;
    let path = desk.test_tab().await;
    let bad = "\"><script>alert(1)</script>\u{202e}\u{1f4a3}'`";
    for action in ["issue", "language", "reveal", "call"] {
        let fields = [
            ("action", action),
            ("application", bad),
            ("scope", bad),
            ("username", bad),
            ("realm", bad),
            ("for", "user"),
            ("password", bad),
            ("access_token", bad),
            ("method", bad),
            ("url", bad),
            ("language", bad),
        ];
        let answer = desk.post(&path, &fields).await;
        assert!(matches!(answer.status, 200 | 422), "{action}: {}", answer.status);
        assert!(!answer.body.contains("<script>alert"), "{action}: {}", answer.body);
    }
    assert_eq!(desk.get("/console/apis/%3Cscript%3E/test").await.status, 404);
}
