//! `/tickets`, and the pages that they lead to.

use serde_json::{Value, json};

use tokenhouse_protocol::id::UserId;

use super::Api;
use crate::house::{Answer, Ask, House, ISSUER, Setup, encoded, form};
use crate::isolation::credentials::{OTHER_HOST, other_tenant};
use crate::secrets::used;

mod pages;

const CONNECTION: &str = "Username-Password-Authentication";
const OLD: &str = "Correct-horse-1";
const NEW: &str = "Another-horse-2";
const RESET: &str = "tickets/password-change";
const VERIFY: &str = "tickets/email-verification";

/// A user with a password: their id.
async fn made(api: &Api<'_>, email: &str) -> String {
    [OLD, NEW].into_iter().for_each(used);
    let body = json!({"connection": CONNECTION, "email": email, "password": OLD});
    api.expect(201, "POST", "users", body).await["user_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A ticket's link, without the host.
async fn link(api: &Api<'_>, kind: &str, body: Value) -> String {
    let made = api.expect(201, "POST", kind, body).await;
    let link = made["ticket"].as_str().unwrap().strip_suffix('#').unwrap();
    used(link.split_once("ticket=").unwrap().1);
    assert_eq!(made.as_object().unwrap().len(), 1);
    link.strip_prefix(ISSUER.trim_end_matches('/')).unwrap().to_owned()
}

/// What the form of a link sends.
fn choosing(link: &str, password: &str, again: &str) -> Ask {
    let (path, ticket) = link.split_once("?ticket=").unwrap();
    let fields = [("ticket", ticket), ("password", password), ("again", again)];
    Ask::new("POST", path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&fields))
}

async fn chosen(house: &House, link: &str) -> Answer {
    house.ask(choosing(link, NEW, NEW)).await
}

async fn signs_in(house: &House, email: &str, password: &str) -> bool {
    house
        .password(&[("username", email), ("password", password)])
        .await
        .status
        == 200
}

async fn user(api: &Api<'_>, id: &str) -> Value {
    api.get(&format!("users/{}", encoded(id))).await
}

async fn patched(api: &Api<'_>, id: &str, changes: Value) {
    api.expect(200, "PATCH", &format!("users/{}", encoded(id)), changes)
        .await;
}

#[tokio::test]
async fn a_ticket_is_good_at_its_own_tenant_and_for_its_own_purpose_alone() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    other_tenant(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    let verify = link(&api, VERIFY, json!({"user_id": id})).await;
    let ticket = |link: &str| link.split_once("ticket=").unwrap().1.to_owned();
    let altered = reset[..reset.len() - 1].to_owned() + if reset.ends_with('A') { "B" } else { "A" };
    for wrong in [
        Ask::get(&reset).host(OTHER_HOST),
        choosing(&reset, NEW, NEW).host(OTHER_HOST),
        Ask::get(&verify).host(OTHER_HOST),
        Ask::get(&format!("/u/email-verification?ticket={}", ticket(&reset))),
        Ask::get(&format!("/u/reset-password?ticket={}", ticket(&verify))),
        Ask::get(&altered),
        choosing(&altered, NEW, NEW),
    ] {
        let answer = house.ask(wrong.clone()).await;
        assert_eq!(answer.status, 404, "{wrong:?}: {}", answer.body);
    }
    // No ticket is no attempt, and no row.
    let before = house.logs().await.len();
    for path in [
        "/u/reset-password",
        "/u/reset-password?ticket=",
        "/u/email-verification",
        "/u/email-verification?x=y",
    ] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
        assert_eq!(house.ask(Ask::new("HEAD", path)).await.status, 404, "{path}");
        assert_eq!(house.ask(Ask::new("DELETE", path)).await.status, 405, "{path}");
    }
    assert_eq!(house.logs().await.len(), before);
    assert!(signs_in(&house, "ada@tickets.example", OLD).await);
    assert_eq!(user(&api, &id).await["email_verified"], false);
}

#[tokio::test]
async fn tickets_are_made_for_users_that_there_are_and_urls_that_lead_somewhere() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let connection = api.get("connections").await[0]["id"].clone();
    let by_email = json!({"connection_id": connection, "email": "ADA@tickets.example"});
    let found = link(&api, RESET, by_email).await;
    assert!(house.get(&found).await.body.contains("ada@tickets.example"));
    let identity = json!({"user_id": id.split_once('|').unwrap().1, "provider": "auth0", "connection_id": connection});
    link(
        &api,
        VERIFY,
        json!({"user_id": id, "identity": identity.clone(), "organization_id": ""}),
    )
    .await;
    for (kind, body) in [
        (RESET, json!({"user_id": "auth0|nobody"})),
        (VERIFY, json!({"user_id": "auth0|nobody"})),
        (
            RESET,
            json!({"connection_id": connection, "email": "nobody@tickets.example"}),
        ),
    ] {
        let refused = api.expect(404, "POST", kind, body).await;
        assert_eq!(refused["errorCode"], "inexistent_user");
    }
    let unknown = json!({"user_id": id, "client_id": "nobodys"});
    let refused = api.expect(404, "POST", RESET, unknown).await;
    assert_eq!(refused["errorCode"], "inexistent_client");
    for (kind, body, named) in [
        (RESET, json!({}), "user_id"),
        (VERIFY, json!({}), "user_id"),
        (RESET, json!({"email": "ada@tickets.example"}), "connection_id"),
        (RESET, json!({"connection_id": connection}), "email"),
        (RESET, json!({"connection_id": connection, "email": ""}), "email"),
        (
            RESET,
            json!({"connection_id": "con_none", "email": "ada@tickets.example"}),
            "connection",
        ),
        (RESET, json!({"user_id": id, "email": "ada@tickets.example"}), "user_id"),
        (RESET, json!({"user_id": id, "connection_id": connection}), "user_id"),
        (RESET, json!({"user_id": id, "ttl_sec": 2_592_001}), "ttl_sec"),
        (RESET, json!({"user_id": id, "ttl_sec": -1}), "ttl_sec"),
        (
            RESET,
            json!({"user_id": id, "result_url": "javascript:alert(1)"}),
            "result_url",
        ),
        (
            VERIFY,
            json!({"user_id": id, "result_url": "app.example.ada:/done"}),
            "result_url",
        ),
        (
            VERIFY,
            json!({"user_id": id, "result_url": "https://a@b.example/"}),
            "result_url",
        ),
        (
            RESET,
            json!({"user_id": id, "result_url": "https://a.example/", "client_id": house.samples.sample.client_id}),
            "client_id",
        ),
        (
            VERIFY,
            json!({"user_id": id, "organization_id": "org_1"}),
            "organization_id",
        ),
        (
            VERIFY,
            json!({"user_id": id, "identity": {"user_id": "another", "provider": "auth0"}}),
            "identity",
        ),
        (
            RESET,
            json!({"connection_id": connection, "email": "ada@tickets.example", "identity": identity}),
            "identity",
        ),
    ] {
        let refused = api.expect(400, "POST", kind, body).await;
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(named), "{message}");
    }
    let reader = Api::with_scopes(&house, "read:users update:users").await;
    reader.expect(403, "POST", RESET, json!({"user_id": id})).await;
}

#[tokio::test]
async fn tickets_that_are_none_are_failures_of_their_address() {
    let house = House::open(Setup {
        limits: tokenhouse::config::Limits {
            failed_logins_per_account: 3,
            management_requests_per_s: 0,
            ..Default::default()
        },
        ..Setup::default()
    })
    .await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    let wrong = "/u/reset-password?ticket=v1.00000000.AAAA";
    for path in [wrong, "/u/email-verification?ticket=x", wrong] {
        // Good ones are no guesses.
        assert_eq!(house.get(&reset).await.status, 200);
        assert_eq!(house.get(path).await.status, 404);
    }
    for ask in [Ask::get(wrong), Ask::get(&reset), choosing(&reset, NEW, NEW)] {
        let answer = house.ask(ask).await;
        assert_eq!(answer.status, 429, "{}", answer.body);
        assert!(!answer.header("retry-after").is_empty());
    }
    let elsewhere = house.ask(choosing(&reset, NEW, NEW).from([203, 0, 113, 9])).await;
    assert_eq!(elsewhere.status, 200);
    assert!(
        signs_in(&house, "ada@tickets.example", NEW).await,
        "logins are others' attempts"
    );
}

#[tokio::test]
async fn what_tickets_did_is_in_the_log_and_no_ticket_is() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let id = made(&api, "ada@tickets.example").await;
    let reset = link(&api, RESET, json!({"user_id": id})).await;
    let verify = link(&api, VERIFY, json!({"user_id": id})).await;
    let connection = api.get("connections").await[0]["id"].clone();
    let by_email = json!({"connection_id": connection, "email": "ada@tickets.example"});
    link(&api, RESET, by_email).await;
    house.get(&verify).await;
    house.get(&verify).await;
    chosen(&house, &reset).await;
    chosen(&house, &reset).await;
    house.get("/u/email-verification?ticket=v1.forged").await;
    let rows = house.logs().await;
    let kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert!(
        kinds.ends_with(&["sapi", "sapi", "sapi", "sv", "fv", "scp", "fcp", "fv"]),
        "{kinds:?}"
    );
    let ours = &rows[rows.len() - 8..];
    for row in &ours[..7] {
        assert_eq!(row.user_id.as_ref().map(UserId::as_str), Some(id.as_str()), "{row:?}");
    }
    let said = format!("{ours:?}");
    for link in [&reset, &verify] {
        let (_, ticket) = link.split_once("ticket=").unwrap();
        assert!(
            !said.contains(ticket) && !said.contains(&ticket[ticket.len() - 20..]),
            "{said}"
        );
    }
    // Words that a stranger sends in place of a form change nothing either.
    for body in ["", "ticket=a&ticket=b", "ticket=%FF", &"x".repeat(70_000)] {
        let ask = Ask::new("POST", "/u/reset-password")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        assert!((400..500).contains(&house.ask(ask).await.status));
    }
}
