//! The token inspector: the guard's own checks, with the keys that are in force.

use super::desk::{Desk, text_of};
use crate::house::{AUDIENCE, ISSUER};

const PATH: &str = "/console/debugger/token";

async fn inspect(desk: &Desk, token: &str, fields: &[(&str, &str)]) -> String {
    let answer = desk.post(PATH, &[&[("token", token)], fields].concat()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    text_of(&answer.body)
}

#[tokio::test]
async fn a_good_token_passes_every_check_of_the_guard() {
    let desk = Desk::new().await;
    let token = desk.house.token(&desk.house.samples.sample).await;
    let text = inspect(&desk, &format!("Bearer {}", token.raw), &[]).await;
    assert!(
        text.contains(&format!("Accepted: an API named {AUDIENCE} takes this token.")),
        "{text}"
    );
    let guard = desk.house.guard("localhost:4000", AUDIENCE).await;
    for check in guard.inspect(&token.raw).await {
        assert!(
            text.contains(&format!("{} passed", check.name)),
            "{}: {text}",
            check.name
        );
    }
    assert!(text.contains("Issuer: who made it") && text.contains(ISSUER), "{text}");
    let text = inspect(&desk, &token.raw, &[("scope", "read:messages delete:everything")]).await;
    assert!(text.contains("The token does not allow delete:everything"), "{text}");
}

#[tokio::test]
async fn a_bad_token_fails_at_the_check_that_it_fails_at_and_no_later_one_is_reached() {
    let desk = Desk::new().await;
    let token = desk.house.token(&desk.house.samples.sample).await.raw;
    let other = desk.house.token(&desk.house.samples.reader).await.raw;
    let (signed, (_, signature)) = (token.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap());
    let text = inspect(&desk, &format!("{signed}.{signature}"), &[]).await;
    assert!(
        text.contains("signature failed") && text.contains("audience not reached"),
        "{text}"
    );
    let text = inspect(&desk, &token, &[("audience", "http://localhost:4000/api/v2/")]).await;
    assert!(
        text.contains("audience failed") && text.contains("expiry not reached"),
        "{text}"
    );
    let text = inspect(&desk, "not a token", &[]).await;
    assert!(text.contains("form failed"), "{text}");
    desk.house.advance_s(1700);
    assert!(inspect(&desk, &token, &[]).await.contains("Accepted"));
}

#[tokio::test]
async fn what_is_no_access_token_is_told_for_what_it_is() {
    let desk = Desk::new().await;
    let answer = desk
        .house
        .password(&[("scope", "openid"), ("audience", AUDIENCE)])
        .await;
    let id_token = answer.text("id_token");
    let text = inspect(&desk, &id_token, &[]).await;
    assert!(text.contains("this is an ID token"), "{text}");
    let opaque = desk.house.password(&[("scope", "openid")]).await.text("access_token");
    let text = inspect(&desk, &opaque, &[]).await;
    assert!(text.contains("opaque token of this tenant"), "{text}");
    let text = inspect(&desk, &"x".repeat(19_000), &[]).await;
    assert!(text.contains("longer than 16 KiB"), "{text}");
}

#[tokio::test]
async fn hostile_tokens_are_text() {
    let desk = Desk::new().await;
    for bad in [
        "<script>alert(1)</script>",
        "eyJhbGciOiI8c2NyaXB0PiJ9.eyJpc3MiOiI8c2NyaXB0PmFsZXJ0KDEpIn0.x",
    ] {
        let fields = [
            ("token", bad),
            ("scope", "\"><script>alert(1)"),
            ("audience", "\"><script>alert(1)"),
        ];
        let answer = desk.post(PATH, &fields).await;
        assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    }
}
