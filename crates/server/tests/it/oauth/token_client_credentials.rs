//! `POST /oauth/token`, client credentials (RFC 6749 §4.4; CONTRACT §1.4–§1.6).

use serde_json::{Map, json};

use tokenhouse::registry::clients::{self, Kind, NewClient};
use tokenhouse::registry::tenants::update_settings;

use crate::house::{AUDIENCE, Ask, House, ISSUER, member_names, with_secret};

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];

#[tokio::test]
async fn the_answer_has_auth0s_members_in_auth0s_order() {
    let house = House::shared().await;
    let answer = house.client_credentials(&house.samples.sample).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        member_names(&answer.body),
        ["access_token", "scope", "expires_in", "token_type"]
    );
    let body = answer.json();
    assert_eq!(
        (&body["expires_in"], &body["token_type"]),
        (&json!(86_400), &json!("Bearer"))
    );
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("x-content-type-options", "nosniff"),
        ("vary", "Accept-Encoding, Origin"),
        ("strict-transport-security", ""),
        ("x-ratelimit-limit", ""),
    ];
    for (name, value) in headers {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let id = answer.header("x-auth0-requestid");
    assert!(id.len() == 20 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(answer.header("x-request-id"), id);
}

#[tokio::test]
async fn without_a_scope_all_granted_scopes_are_given_in_the_grants_order() {
    let house = House::shared().await;
    for (application, scope) in [
        (&house.samples.sample, "read:messages write:messages"),
        (&house.samples.reader, "read:messages"),
    ] {
        let answer = house.client_credentials(application).await;
        assert_eq!(
            (answer.text("scope"), answer.token().text("scope")),
            (scope.into(), scope)
        );
    }
    let empty = with_secret(&house.samples.sample, &[MACHINE[0], MACHINE[1], ("scope", "")]);
    assert_eq!(
        house.post_form(&empty).await.text("scope"),
        "read:messages write:messages"
    );
}

#[tokio::test]
async fn without_any_granted_scope_neither_answer_nor_token_has_one() {
    let house = House::shared().await;
    let answer = house.client_credentials(&house.samples.stranger).await;
    assert_eq!(member_names(&answer.body), ["access_token", "expires_in", "token_type"]);
    assert!(!member_names(&answer.token().payload).contains(&"scope".to_owned()));
}

#[tokio::test]
async fn asking_for_some_of_the_granted_scopes_gives_exactly_those_in_the_order_asked() {
    let house = House::shared().await;
    let cases = [
        ("read:messages", "read:messages"),
        ("write:messages read:messages", "write:messages read:messages"),
        ("  write:messages   write:messages ", "write:messages"),
    ];
    for (asked, given) in cases {
        let fields = with_secret(&house.samples.sample, &[MACHINE[0], MACHINE[1], ("scope", asked)]);
        assert_eq!(house.post_form(&fields).await.text("scope"), given, "{asked:?}");
    }
}

#[tokio::test]
async fn asking_for_a_scope_outside_the_grant_is_refused_and_named() {
    let house = House::shared().await;
    let cases = [
        ("read:messages write:messages delete:messages", "delete:messages"),
        ("openid email", "openid, email"),
        ("READ:messages", "READ:messages"),
        ("offline_access", "offline_access"),
    ];
    for (asked, named) in cases {
        let fields = with_secret(&house.samples.sample, &[MACHINE[0], MACHINE[1], ("scope", asked)]);
        let answer = house.post_form(&fields).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (403, "access_denied".into()),
            "{asked}"
        );
        assert_eq!(
            answer.text("error_description"),
            format!("Client has not been granted scopes: {named}")
        );
    }
}

#[tokio::test]
async fn json_form_basic_and_body_all_lead_to_the_same_token() {
    let house = House::shared().await;
    let sample = &house.samples.sample;
    let json = json!({
        "grant_type": "client_credentials", "audience": AUDIENCE, "organization": null, "redirect_uri": null,
        "realm": null, "scope": null, "client_id": sample.client_id, "client_secret": sample.client_secret,
        "an extra one": { "is": ["passed", "over"] },
    });
    let both = [MACHINE[0], MACHINE[1], ("client_id", sample.client_id.as_str())];
    let asks = [
        Ask::token(&with_secret(sample, &MACHINE)),
        Ask::token(&with_secret(sample, &[MACHINE[0], MACHINE[1], ("extra", "1")])),
        Ask::token_json(&json),
        Ask::token(&MACHINE).basic(&sample.client_id, &sample.client_secret),
        Ask::token(&both).basic(&sample.client_id, &sample.client_secret),
        Ask::token_json(&json!({ "grant_type": "client_credentials", "resource": AUDIENCE }))
            .basic(&sample.client_id, &sample.client_secret),
        Ask::token(&with_secret(sample, &[MACHINE[0], MACHINE[1], ("resource", AUDIENCE)])),
    ];
    for ask in asks {
        let token = house.ask(ask.clone()).await.token();
        assert_eq!(token.text("azp"), sample.client_id, "{ask:?}");
        assert!(house.accepts(&token).await);
    }
}

#[tokio::test]
async fn a_client_id_in_the_body_must_be_the_one_of_the_header() {
    let house = House::shared().await;
    let (sample, reader) = (&house.samples.sample, &house.samples.reader);
    let fields = [MACHINE[0], MACHINE[1], ("client_id", reader.client_id.as_str())];
    let answer = house
        .ask(Ask::token(&fields).basic(&sample.client_id, &sample.client_secret))
        .await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
}

#[tokio::test]
async fn the_audience_is_compared_exactly() {
    let house = House::shared().await;
    let near = [
        "https://api.example.com/",
        "https://API.example.com",
        "https://api.example.co",
        " https://api.example.com",
        "https://api.example.com ",
        "https://api.example.com\u{200b}",
        "http://api.example.com",
    ];
    for audience in near {
        let fields = with_secret(&house.samples.sample, &[MACHINE[0], ("audience", audience)]);
        let answer = house.post_form(&fields).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (403, "access_denied".into()),
            "{audience:?}"
        );
        let expected = format!("Service not enabled within domain: {audience}");
        assert!(answer.text("error_description").starts_with(&expected), "{answer:?}");
    }
}

#[tokio::test]
async fn the_default_audience_stands_in_for_none() {
    let house = House::new().await;
    let fields = with_secret(&house.samples.sample, &MACHINE[..1]);
    let none = house.post_form(&fields).await;
    assert_eq!(none.status, 403);
    assert_eq!(
        none.text("error_description"),
        "No audience parameter was provided, and no default audience has been configured"
    );
    let default = Map::from_iter([("default_audience".to_owned(), json!(AUDIENCE))]);
    update_settings(&*house.tenant().await, default).await.unwrap();
    assert_eq!(house.post_form(&fields).await.token().text("aud"), AUDIENCE);
}

#[tokio::test]
async fn the_system_api_is_the_issuers_own() {
    let house = House::shared().await;
    let audience = format!("{ISSUER}api/v2/");
    let fields = [MACHINE[0], ("audience", audience.as_str())];
    let token = house
        .post_form(&with_secret(&house.samples.admin, &fields))
        .await
        .token();
    assert_eq!(token.text("aud"), audience);
    let scopes: Vec<_> = token.text("scope").split(' ').collect();
    assert!(
        scopes.contains(&"read:clients") && scopes.contains(&"update:client_keys"),
        "{scopes:?}"
    );
    assert_eq!(
        house
            .post_form(&with_secret(&house.samples.sample, &fields))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_public_application_gets_no_token_of_its_own() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let (public, secret) = clients::create(&tenant, NewClient::of_kind(Kind::SinglePage, "Page"))
        .await
        .unwrap();
    assert!(secret.is_none());
    let answer = house
        .post_form(&[MACHINE[0], MACHINE[1], ("client_id", public.id.as_str())])
        .await;
    assert_eq!(
        (answer.status, answer.text("error")),
        (403, "unauthorized_client".into())
    );
    let with_any = [
        MACHINE[0],
        MACHINE[1],
        ("client_id", public.id.as_str()),
        ("client_secret", "x"),
    ];
    assert_eq!(house.post_form(&with_any).await.status, 401);
}

#[tokio::test]
async fn tokens_live_as_long_as_the_api_says_and_no_longer() {
    let house = House::new().await;
    let token = house.token(&house.samples.sample).await;
    house.advance_s(86_400 + 4);
    assert!(house.accepts(&token).await, "within a guard's leeway of five seconds");
    house.advance_s(2);
    assert!(!house.accepts(&token).await);
}
