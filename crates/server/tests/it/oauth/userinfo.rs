//! `/userinfo` (OpenID Connect Core §5.3; CONTRACT §1.8).

use crate::house::{AUDIENCE, Ask, House, USERNAME, member_names};

#[tokio::test]
async fn an_opaque_token_opens_the_claims_of_its_scopes() {
    let house = House::shared().await;
    let cases: [(&str, &[&str]); 4] = [
        (
            "openid",
            &["sub", "nickname", "name", "updated_at", "email", "email_verified"],
        ),
        ("openid profile", &["sub", "nickname", "name", "updated_at"]),
        ("openid email", &["sub", "email", "email_verified"]),
        ("openid phone", &["sub"]),
    ];
    for (scope, expected) in cases {
        let token = house.password(&[("scope", scope)]).await.text("access_token");
        for method in ["GET", "POST"] {
            let answer = house.ask(Ask::new(method, "/userinfo").bearer(&token)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let names: Vec<_> = member_names(&answer.body)
                .into_iter()
                .filter(|name| name != "picture")
                .collect();
            assert_eq!(names, expected, "{scope}");
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
    }
}

#[tokio::test]
async fn a_jwt_that_names_userinfo_opens_it_too() {
    let house = House::shared().await;
    let answer = house
        .password(&[("audience", AUDIENCE), ("scope", "openid email read:messages")])
        .await;
    let info = house
        .ask(Ask::get("/userinfo").bearer(&answer.text("access_token")))
        .await;
    assert_eq!((info.status, info.text("email")), (200, USERNAME.into()));
    assert_eq!(info.text("sub"), answer.token().text("sub"));
}

#[tokio::test]
async fn every_other_token_is_refused_with_auth0s_word_and_a_challenge() {
    let house = House::shared().await;
    let machine = house.token(&house.samples.sample).await.raw;
    let for_the_api = house.password(&[("audience", AUDIENCE)]).await.text("access_token");
    let with_id = house.password(&[]).await;
    let opaque = with_id.text("access_token");
    let last = if opaque.ends_with('A') { 'B' } else { 'A' };
    let altered = format!("{}{last}", &opaque[..opaque.len() - 1]);
    let cut = opaque[..opaque.len() / 2].to_owned();
    let middle = opaque.len() / 2;
    let swapped = format!(
        "{}{}{}",
        &opaque[..middle],
        if &opaque[middle..=middle] == "x" { "y" } else { "x" },
        &opaque[middle + 1..]
    );
    let tokens = [
        machine,
        for_the_api,
        with_id.text("id_token"),
        altered,
        cut,
        swapped,
        "invented".into(),
        "a.b.c".into(),
    ];
    for token in tokens {
        let answer = house.ask(Ask::get("/userinfo").bearer(&token)).await;
        assert_eq!((answer.status, answer.body.as_str()), (401, "Unauthorized"), "{token}");
        let challenge = answer.header("www-authenticate");
        let expected = r#"Bearer realm="Users", error="invalid_token", error_description=""#;
        assert!(challenge.starts_with(expected), "{challenge}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(
            answer
                .header("access-control-expose-headers")
                .contains("www-authenticate")
        );
    }
}

#[tokio::test]
async fn without_a_token_the_challenge_is_bare() {
    let house = House::shared().await;
    let token = house.password(&[]).await.text("access_token");
    for ask in [
        Ask::get("/userinfo"),
        Ask::get("/userinfo").basic("user", "password"),
        Ask::get(&format!("/userinfo?access_token={token}")),
    ] {
        let answer = house.ask(ask).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="Users""#);
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let house = House::shared().await;
    let token = house.password(&[]).await.text("access_token");
    let twice = Ask::get("/userinfo").bearer(&token).bearer(&token);
    assert_eq!(house.ask(twice).await.status, 401);
    let spaced = Ask::get("/userinfo").header("authorization", format!("Bearer {token} {token}"));
    assert_eq!(house.ask(spaced).await.status, 401);
}

#[tokio::test]
async fn an_opaque_token_expires() {
    let house = House::new().await;
    let token = house.password(&[]).await.text("access_token");
    house.advance_s(86_399);
    assert_eq!(house.ask(Ask::get("/userinfo").bearer(&token)).await.status, 200);
    house.advance_s(1);
    assert_eq!(house.ask(Ask::get("/userinfo").bearer(&token)).await.status, 401);
}

#[tokio::test]
async fn pages_may_ask_first() {
    let house = House::shared().await;
    let ask = Ask::new("OPTIONS", "/userinfo")
        .header("origin", "https://page.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let answer = house.ask(ask).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
}
