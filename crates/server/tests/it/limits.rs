//! Limits on guessing passwords, and on the work that guessing may cause (CONTRACT §1.7; DESIGN §5).

use std::sync::Arc;

use serde_json::json;

use tokenhouse::config::{Limits, Passwords};
use tokenhouse::registry::users::set_blocked;
use tokenhouse_store::LogRow;

use crate::house::{Ask, House, PASSWORD, Setup, USERNAME};

const WRONG: [(&str, &str); 1] = [("password", "wrong")];

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let house = House::new().await;
    let wrong = house.password(&WRONG).await;
    let unknown = house.password(&[("username", "nobody@example.com")]).await;
    let too_long = house.password(&[("username", &"x".repeat(400))]).await;
    assert_eq!(wrong.status, 403);
    assert_eq!(
        wrong.body,
        r#"{"error":"invalid_grant","error_description":"Wrong email or password."}"#
    );
    for other in [unknown, too_long] {
        assert_eq!((other.status, &other.body), (wrong.status, &wrong.body));
        let names = |answer: &crate::house::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&other), names(&wrong));
    }
}

#[tokio::test]
async fn too_many_failures_block_the_account_from_that_address() {
    let house = House::new().await;
    for _ in 0..10 {
        assert_eq!(house.password(&WRONG).await.status, 403);
    }
    let blocked = house.password(&[]).await;
    assert_eq!(
        (blocked.status, blocked.text("error")),
        (429, "too_many_attempts".into())
    );
    assert!(
        blocked
            .text("error_description")
            .starts_with("Your account has been blocked after multiple consecutive login attempts.")
    );
    let retry_after: i64 = blocked.header("retry-after").parse().unwrap();
    assert!((1..=901).contains(&retry_after), "{retry_after}");
    // The owner elsewhere is let in, and other accounts from here as well.
    let fields = house.password_fields(&[]);
    assert_eq!(house.ask(Ask::token(&fields).from([192, 0, 2, 7])).await.status, 200);
    assert_eq!(house.password(&[("username", "other@example.com")]).await.status, 403);
    house.advance_s(retry_after);
    assert_eq!(house.password(&[]).await.status, 200);
}

#[tokio::test]
async fn an_account_is_one_however_it_is_written() {
    let house = House::new().await;
    for spelling in [
        "user@example.com",
        "USER@example.com",
        " user@example.com",
        "User@Example.Com ",
    ]
    .iter()
    .cycle()
    .take(10)
    {
        assert_eq!(
            house.password(&[("username", spelling), WRONG[0]]).await.status,
            403,
            "{spelling}"
        );
    }
    assert_eq!(house.password(&[]).await.status, 429);
}

#[tokio::test]
async fn a_right_password_forgets_the_failures_before_it() {
    let house = House::new().await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(house.password(&WRONG).await.status, 403);
        }
        assert_eq!(house.password(&[]).await.status, 200);
    }
}

#[tokio::test]
async fn too_many_failures_at_many_accounts_block_the_address() {
    let limits = Limits {
        failed_logins_per_address: 5,
        ..Limits::default()
    };
    let house = House::open(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    for number in 0..5 {
        assert_eq!(
            house
                .password(&[("username", &format!("user{number}@example.com"))])
                .await
                .status,
            403
        );
    }
    let blocked = house.password(&[]).await;
    assert_eq!(
        (blocked.status, blocked.text("error")),
        (429, "too_many_attempts".into())
    );
    assert_eq!(
        blocked.text("error_description"),
        "We have detected suspicious login behavior and further attempts will be blocked. \
         Please contact the administrator."
    );
    assert!(!blocked.header("retry-after").is_empty());
    let fields = house.password_fields(&[]);
    assert_eq!(house.ask(Ask::token(&fields).from([192, 0, 2, 7])).await.status, 200);
    assert_eq!(kinds(&house.logs().await, "limit_mu"), 1);
}

#[tokio::test]
async fn guesses_made_at_once_cannot_pass_the_limit_together() {
    let house = Arc::new(House::new().await);
    let asked: Vec<_> = (0..40)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { house.password(&WRONG).await.status })
        })
        .collect();
    let mut tried = 0;
    for answer in asked {
        match answer.await.unwrap() {
            403 => tried += 1,
            429 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(tried, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn surplus_logins_are_refused_while_machines_get_their_tokens() {
    let passwords = Passwords {
        memory_kib: 32 * 1024,
        iterations: 2,
        parallelism: 1,
        threads: 1,
        queue: 2,
    };
    let house = Arc::new(
        House::open(Setup {
            passwords,
            ..Setup::default()
        })
        .await,
    );
    let asked: Vec<_> = (0..12_u8)
        .map(|number| {
            let house = house.clone();
            tokio::spawn(async move {
                let fields = house.password_fields(&[]);
                house.ask(Ask::token(&fields).from([198, 51, 100, number])).await
            })
        })
        .collect();
    house.token(&house.samples.sample).await;
    let mut refused = 0;
    for answer in asked {
        let answer = answer.await.unwrap();
        if answer.status == 200 {
            continue;
        }
        refused += 1;
        assert_eq!((answer.status, answer.text("error")), (429, "too_many_requests".into()));
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert!(refused >= 1, "three at a time were more than twelve");
    // A refusal is no failed attempt: nobody is blocked by it.
    assert_eq!(house.password(&[]).await.status, 200);
}

// Comparing each scope with all before it cost a stranger's 64 KiB a fifth of a second of a core.
#[tokio::test]
async fn asking_for_more_scopes_than_an_api_can_have_is_refused_before_the_client_is_known() {
    let house = House::shared().await;
    let scopes = |count: usize| (0..count).map(|number| format!("{number:x} ")).collect::<String>();
    let ask = |count| json!({ "grant_type": "client_credentials", "client_id": "x", "scope": scopes(count) });
    let many = house.ask(Ask::token_json(&ask(10_000))).await;
    assert_eq!((many.status, many.text("error")), (400, "invalid_scope".into()));
    assert_eq!(
        house.ask(Ask::token_json(&ask(1000))).await.status,
        401,
        "as many as an API can have"
    );
}

#[tokio::test]
async fn a_blocked_user_gets_nothing_and_learns_it_only_with_the_password() {
    let house = House::new().await;
    let tenant = house.tenant().await;
    let opaque = house.password(&[]).await.text("access_token");
    let connection = tenant
        .directory
        .connection("Username-Password-Authentication")
        .await
        .unwrap()
        .unwrap();
    let user = tenant
        .house
        .store
        .user_by_login(&tenant.id, &connection.id, USERNAME)
        .await
        .unwrap()
        .unwrap();
    set_blocked(&tenant, &user.id, true).await.unwrap();
    let blocked = house.password(&[("password", PASSWORD)]).await;
    assert_eq!(blocked.status, 403);
    assert_eq!(
        blocked.body,
        r#"{"error":"unauthorized","error_description":"user is blocked"}"#
    );
    assert_eq!(house.password(&WRONG).await.text("error"), "invalid_grant");
    assert_eq!(house.ask(Ask::get("/userinfo").bearer(&opaque)).await.status, 401);
    let rows = house.logs().await;
    let told = |row: &&LogRow| row.kind == "f" && row.body["description"] == "user is blocked";
    assert_eq!(rows.iter().find(told).unwrap().user_id.as_ref(), Some(&user.id));
    set_blocked(&tenant, &user.id, false).await.unwrap();
    assert_eq!(house.password(&[]).await.status, 200);
}

fn kinds(rows: &[LogRow], kind: &str) -> usize {
    rows.iter().filter(|row| row.kind == kind).count()
}
