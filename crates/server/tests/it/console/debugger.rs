//! The Debugger: every flow that the server has, as its own door answers it.

use super::desk::{Desk, text_of};
use crate::house::{AUDIENCE, PASSWORD, USERNAME};

/// The paths of the flows that the list links to.
async fn flows(desk: &Desk) -> Vec<String> {
    let page = desk.page("/console/debugger").await;
    let links = page.split("href=\"").filter_map(|after| after.split('"').next());
    let flows = links.filter(|link| link.starts_with("/console/debugger/") && !link.ends_with("/token"));
    flows.map(str::to_owned).collect()
}

async fn send(desk: &Desk, flow: &str, fields: &[(&str, &str)]) -> String {
    let path = format!("/console/debugger/{flow}");
    let answer = desk.post(&path, &[&[("action", "send")], fields].concat()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    text_of(&answer.body)
}

#[tokio::test]
async fn every_flow_has_a_page_and_answers() {
    let desk = Desk::new().await;
    let flows = flows(&desk).await;
    assert!(flows.len() >= 8, "{flows:?}");
    for flow in flows {
        desk.page(&flow).await;
        let answer = desk.post(&flow, &[("action", "send")]).await;
        let text = text_of(&answer.body);
        assert!(
            text.contains("HTTP/1.1 2") || text.contains("HTTP/1.1 4"),
            "{flow}: {text}"
        );
    }
    assert_eq!(desk.get("/console/debugger/nothing").await.status, 404);
}

#[tokio::test]
async fn every_grant_that_the_metadata_names_can_be_debugged() {
    let desk = Desk::new().await;
    let metadata = desk.house.get("/.well-known/openid-configuration").await.json();
    let mut pages = String::new();
    for flow in flows(&desk).await {
        pages.push_str(&text_of(&desk.page(&flow).await));
    }
    for grant in metadata["grant_types_supported"].as_array().unwrap() {
        let grant = grant.as_str().unwrap();
        assert!(
            pages.contains(&format!("\"grant_type\": \"{grant}\"")),
            "no flow for {grant}"
        );
    }
}

#[tokio::test]
async fn client_credentials_use_the_stored_secret_and_do_not_show_it() {
    let desk = Desk::new().await;
    let sample = desk.house.samples.sample.clone();
    let fields = [
        ("client_id", sample.client_id.as_str()),
        ("audience", AUDIENCE),
        ("scope", "read:messages"),
    ];
    let text = send(&desk, "client-credentials", &fields).await;
    assert!(
        text.contains("POST /oauth/token HTTP/1.1") && text.contains("200 OK"),
        "{text}"
    );
    assert!(
        text.contains("YOUR_CLIENT_SECRET") && !text.contains(&sample.client_secret),
        "{text}"
    );
    assert!(
        text.contains("Issuer: who made it") && text.contains("read:messages"),
        "{text}"
    );
    let form = [&fields[..], &[("encoding", "form"), ("secrets", "on")]].concat();
    let text = send(&desk, "client-credentials", &form).await;
    assert!(
        text.contains("200 OK") && text.contains(&sample.client_secret),
        "{text}"
    );
    assert!(text.contains("grant_type=client_credentials&client_id="), "{text}");
    let shown = desk
        .house
        .logs()
        .await
        .into_iter()
        .filter(|row| row.kind == "mgmt_api_read");
    assert_eq!(shown.count(), 1, "the log says that a secret was shown");
}

#[tokio::test]
async fn a_private_key_signs_one_assertion_and_is_forgotten() {
    let desk = Desk::new().await;
    let id = desk.house.samples.sample.client_id.clone();
    let (private, kid) = desk.with_key(&id).await;
    let pem = private.expose().to_owned();
    let body = pem.lines().nth(1).unwrap().to_owned();
    crate::secrets::used(&body);
    let fields = [
        ("client_id", id.as_str()),
        ("audience", AUDIENCE),
        ("private_key", pem.as_str()),
        ("kid", kid.as_str()),
    ];
    for again in 0..2 {
        let text = send(&desk, "private-key-jwt", &fields).await;
        assert!(
            text.contains("200 OK") && text.contains("Access token"),
            "{again}: {text}"
        );
        assert!(text.contains("The application itself, by its client ID."), "{text}");
        assert!(text.contains("1 min left of 1 min"), "good for a minute: {text}");
        assert!(!text.contains(&body), "the key is shown again");
        assert!(
            text.contains("YOUR_SIGNED_CLIENT_ASSERTION"),
            "the program has none that is used up"
        );
    }
    for (field, value, why) in [
        ("private_key", "nonsense", "The private key cannot sign"),
        ("algorithm", "RS256", "The private key cannot sign"),
        ("algorithm", "HS256", "RS256, PS256, ES256 or EdDSA"),
        ("client_id", "", "Choose the application first"),
    ] {
        let mut bad: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != field).collect();
        bad.push((field, value));
        let text = send(&desk, "private-key-jwt", &bad).await;
        assert!(text.contains(why) && !text.contains("200 OK"), "{field}: {text}");
    }
    let logs = desk.house.logs().await;
    assert!(
        logs.iter()
            .all(|row| !serde_json::to_string(&row.body).unwrap().contains(&body))
    );
}

#[tokio::test]
async fn a_secret_goes_into_the_body_or_a_basic_header_and_the_code_follows() {
    let desk = Desk::new().await;
    let sample = desk.house.samples.sample.clone();
    let fields = [
        ("client_id", sample.client_id.as_str()),
        ("audience", AUDIENCE),
        ("authentication", "basic"),
        ("language", "python"),
    ];
    let text = send(&desk, "client-credentials", &fields).await;
    assert!(text.contains("200 OK"), "{text}");
    let masked = format!("Authorization: Basic base64({}:YOUR_CLIENT_SECRET)", sample.client_id);
    assert!(text.contains(&masked) && !text.contains("\"client_id\""), "{text}");
    assert!(
        text.contains("http.client") && !text.contains("\"client_secret\""),
        "{text}"
    );
    assert!(!text.contains(&sample.client_secret));
    let text = send(
        &desk,
        "client-credentials",
        &[&fields[..], &[("client_secret", "wrong")]].concat(),
    )
    .await;
    assert!(
        text.contains("401 Unauthorized") && text.contains("did not prove itself"),
        "{text}"
    );
}

#[tokio::test]
async fn a_users_tokens_are_taken_apart_and_userinfo_takes_the_access_token() {
    let desk = Desk::new().await;
    let client = desk.house.samples.password.client_id.clone();
    let fields = [
        ("client_id", client.as_str()),
        ("username", USERNAME),
        ("password", PASSWORD),
        ("scope", "openid email"),
        ("audience", AUDIENCE),
        ("realm", "Username-Password-Authentication"),
    ];
    for flow in ["password", "password-realm"] {
        let text = send(&desk, flow, &fields).await;
        assert!(
            text.contains("200 OK") && text.contains("ID token") && text.contains(USERNAME),
            "{flow}: {text}"
        );
        assert!(text.contains("YOUR_PASSWORD"), "{flow}: {text}");
    }
    let answer = desk
        .house
        .password(&[("scope", "openid email"), ("audience", AUDIENCE)])
        .await;
    let token = answer.text("access_token");
    let text = send(&desk, "userinfo", &[("Authorization", &token)]).await;
    assert!(
        text.contains("GET /userinfo HTTP/1.1") && text.contains("\"email\""),
        "{text}"
    );
    let text = send(&desk, "userinfo", &[]).await;
    assert!(text.contains("401 Unauthorized"), "{text}");
}

#[tokio::test]
async fn hostile_values_are_text_and_go_nowhere_else() {
    let desk = Desk::new().await;
    let bad = "\"><script>alert(1)</script>\r\nHost: evil.example";
    for flow in flows(&desk).await {
        let names = [
            "client_id",
            "client_secret",
            "client_assertion",
            "private_key",
            "kid",
            "algorithm",
            "authentication",
            "audience",
            "scope",
            "username",
            "password",
            "realm",
            "Authorization",
            "encoding",
            "language",
            "secrets",
        ];
        let mut fields: Vec<_> = names.map(|name| (name, bad)).to_vec();
        fields.push(("action", "send"));
        let answer = desk.post(&flow, &fields).await;
        assert_eq!(answer.status, 200, "{flow}");
        assert!(!answer.body.contains("<script>alert"), "{flow}: {}", answer.body);
    }
}
