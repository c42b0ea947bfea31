//! The log: every exchange is a row, what was granted is durable before the answer leaves, and usage is
//! what the log says (DESIGN §4, "Jobs and batches"; CONTRACT §4.8, §6.6).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::timeout;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Job, LogBody, LogEntry, StoreError};

use crate::house::{AUDIENCE, Ask, House, NOW_S, USERNAME, with_secret};

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
/// After this long who has no answer is waiting for the database that is held.
const A_WHILE: Duration = Duration::from_millis(300);
/// What needs no database has its answer by now, however busy the machine; what does is still waiting.
const SOON: Duration = Duration::from_secs(4);

#[tokio::test]
async fn every_exchange_is_a_row_of_its_type() {
    let house = House::new().await;
    let sample = &house.samples.sample;
    let realm = [
        ("grant_type", "http://auth0.com/oauth/grant-type/password-realm"),
        ("realm", "Username-Password-Authentication"),
    ];
    house.token(sample).await;
    house
        .post_form(&with_secret(sample, &[MACHINE[0], MACHINE[1], ("scope", "other")]))
        .await;
    house
        .post_form(&with_secret(
            sample,
            &[MACHINE[0], MACHINE[1], ("client_secret", "wrong")],
        ))
        .await;
    house.post_form(&[MACHINE[0], MACHINE[1]]).await;
    house.post_form(&with_secret(sample, &[("grant_type", "magic")])).await;
    house.password(&[]).await;
    house.password(&realm).await;
    house.password(&[("password", "wrong")]).await;
    house.password(&[("username", "nobody@example.com")]).await;
    house.password(&[("audience", "https://unknown.example.com")]).await;
    house.ask(Ask::token_json(&json!(null)).body("{")).await;
    let kinds: Vec<_> = house.logs().await.into_iter().map(|row| row.kind).collect();
    let expected = [
        "seccft", "feccft", "feccft", "feccft", "f", "sepft", "sepft", "fepft", "fp", "fepft", "fu", "fepft", "f",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_row_says_who_asked_for_what_from_where() {
    let house = House::new().await;
    let sample = &house.samples.sample;
    let sdk = json!({ "name": "auth0-python", "version": "5.8.0" });
    let ask = Ask::token(&with_secret(
        sample,
        &[MACHINE[0], MACHINE[1], ("scope", "read:messages")],
    ))
    .header("user-agent", "it/1.0")
    .header("x-request-id", "a-request.of:mine_1")
    .header("auth0-client", STANDARD.encode(sdk.to_string()))
    .from([192, 0, 2, 33]);
    let answer = house.ask(ask).await;
    assert_eq!(answer.header("x-request-id"), "a-request.of:mine_1");
    let tenant = house.tenant().await;
    let rows = house.logs().await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.at, Timestamp::from_seconds(NOW_S));
    assert_eq!(row.client_id.as_ref().unwrap().as_str(), sample.client_id);
    let api = tenant
        .house
        .store
        .api_by_identifier(&tenant.id, AUDIENCE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.api_id, Some(api.id));
    assert_eq!(
        (row.grant.as_deref(), row.tokens, row.repeats),
        (Some("client_credentials"), 1, 1)
    );
    assert_eq!(row.address.as_deref(), Some("192.0.2.33"));
    let expected = [
        ("client_name", json!("Sample application")),
        ("hostname", json!("localhost:4000")),
        ("audience", json!(AUDIENCE)),
        ("scope", json!("read:messages")),
        ("request_id", json!("a-request.of:mine_1")),
        ("user_agent", json!("it/1.0")),
        ("auth0_client", sdk),
        ("channel", json!("api")),
        ("description", json!("")),
    ];
    for (name, value) in expected {
        assert_eq!(row.body[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_login_row_names_the_user_and_a_failed_one_what_was_typed() {
    let house = House::new().await;
    house.password(&[]).await;
    house.password(&[("username", "nobody@example.com")]).await;
    let rows = house.logs().await;
    assert!(rows[0].user_id.as_ref().unwrap().as_str().starts_with("auth0|"));
    assert_eq!(rows[0].body["user_name"], USERNAME);
    assert_eq!(rows[0].body["connection"], "Username-Password-Authentication");
    assert_eq!(
        (rows[1].user_id.as_ref(), &rows[1].body["user_name"]),
        (None, &json!("nobody@example.com"))
    );
    assert_eq!(
        (rows[2].kind.as_str(), &rows[2].body["description"]),
        ("fu", &json!("Wrong email or password."))
    );
}

#[tokio::test]
async fn a_flood_of_refusals_is_summed_into_one_row() {
    let house = House::new().await;
    let wrong = with_secret(
        &house.samples.sample,
        &[MACHINE[0], MACHINE[1], ("client_secret", "wrong")],
    );
    for _ in 0..250 {
        assert_eq!(house.post_form(&wrong).await.status, 401);
    }
    house.ask(Ask::token(&wrong).from([192, 0, 2, 1])).await;
    assert_eq!(house.logs().await.len(), 51, "fifty of one address and one of another");
    house.advance_s(1);
    house.app.house.audit.flush();
    let rows = house.logs().await;
    let sums: Vec<_> = rows.iter().filter(|row| row.repeats > 1).collect();
    let [sum] = sums[..] else { panic!("{} rows", sums.len()) };
    assert_eq!(
        (sum.repeats, sum.kind.as_str(), sum.address.as_deref()),
        (200, "feccft", Some("127.0.0.1"))
    );
    assert_eq!(rows.iter().map(|row| row.repeats).sum::<i64>(), 251);
    // The next second begins anew, and what was granted was never summed.
    house.post_form(&wrong).await;
    house.token(&house.samples.sample).await;
    assert_eq!(house.logs().await.len(), 54);
}

#[tokio::test]
async fn the_end_writes_the_sums_that_are_open() {
    let house = House::new().await;
    for _ in 0..60 {
        house.post_form(&MACHINE).await;
    }
    house.app.house.audit.finish();
    assert_eq!(house.logs().await.iter().map(|row| row.repeats).sum::<i64>(), 60);
}

#[tokio::test]
async fn usage_is_what_the_log_says() {
    let house = House::on_file().await;
    for _ in 0..3 {
        house.token(&house.samples.sample).await;
    }
    house.client_credentials(&house.samples.password).await;
    house.app.house.store.fold_usage().await.unwrap();
    house.token(&house.samples.reader).await;
    house.password(&[("audience", AUDIENCE)]).await;
    house.advance_s(3600);
    house.token(&house.samples.sample).await;
    let expected = [
        (NOW_S, house.samples.sample.client_id.as_str(), "client_credentials", 3),
        (NOW_S, house.samples.reader.client_id.as_str(), "client_credentials", 1),
        (NOW_S, house.samples.password.client_id.as_str(), "password", 1),
        (
            NOW_S + 3600,
            house.samples.sample.client_id.as_str(),
            "client_credentials",
            1,
        ),
    ];
    // The first process is not closed, it is gone: what it had not counted, another counts, once.
    let again = house.second_node().await;
    for _ in 0..2 {
        again.app.house.store.fold_usage().await.unwrap();
        house.app.house.store.fold_usage().await.unwrap();
    }
    for node in [&house, &again] {
        let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(NOW_S + 7200));
        let rows = node
            .app
            .house
            .store
            .usage(&TenantId::default_tenant(), from, to)
            .await
            .unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.hour.seconds(),
                    row.client_id.as_ref().unwrap().as_str(),
                    row.grant.as_str(),
                    row.tokens,
                )
            })
            .collect();
        assert_eq!(rows.len(), expected.len(), "{rows:?}");
        assert!(expected.iter().all(|one| rows.contains(one)), "{rows:?}");
    }
}

#[tokio::test]
async fn two_nodes_counts_add_up() {
    let here = House::on_file().await;
    let there = here.second_node().await;
    for _ in 0..4 {
        here.token(&here.samples.sample).await;
        there.token(&here.samples.sample).await;
        there.app.house.store.fold_usage().await.unwrap();
    }
    here.app.house.store.fold_usage().await.unwrap();
    let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(NOW_S + 1));
    let rows = here
        .app
        .house
        .store
        .usage(&TenantId::default_tenant(), from, to)
        .await
        .unwrap();
    assert_eq!(rows.iter().map(|row| row.tokens).collect::<Vec<_>>(), [8]);
}

#[tokio::test]
async fn a_token_is_in_the_log_before_it_is_handed_out() {
    let house = Arc::new(House::new().await);
    house.token(&house.samples.sample).await;
    // Nothing can be written while this is open.
    let held = house.app.house.store.begin().await.unwrap();
    let asking = house.clone();
    let mut asked = tokio::spawn(async move { asking.token(&asking.samples.sample).await });
    assert!(
        timeout(A_WHILE, &mut asked).await.is_err(),
        "answered before it was recorded"
    );
    drop(held);
    asked.await.unwrap();
    assert_eq!(house.logs().await.len(), 2);
}

#[tokio::test]
async fn a_caller_who_hung_up_is_still_recorded() {
    let house = House::new().await;
    house.token(&house.samples.sample).await;
    let held = house.app.house.store.begin().await.unwrap();
    assert!(timeout(A_WHILE, house.token(&house.samples.sample)).await.is_err());
    drop(held);
    assert_eq!(
        house.logs().await.iter().map(|row| row.tokens).collect::<Vec<_>>(),
        [1, 1]
    );
}

#[tokio::test]
async fn a_warm_request_reads_no_sql_and_a_refusal_waits_for_no_write() {
    let house = House::new().await;
    let ask = || house.post_form(&[("grant_type", "client_credentials"), ("client_id", "unknown")]);
    let scope = with_secret(&house.samples.sample, &[MACHINE[0], MACHINE[1], ("scope", "other")]);
    house.token(&house.samples.sample).await;
    ask().await;
    let held = house.app.house.store.begin().await.unwrap();
    assert_eq!(timeout(SOON, ask()).await.unwrap().status, 401);
    assert_eq!(timeout(SOON, house.post_form(&scope)).await.unwrap().status, 403);
    assert_eq!(
        timeout(SOON, house.get("/.well-known/jwks.json")).await.unwrap().status,
        200
    );
    drop(held);
    assert_eq!(house.logs().await.len(), 4);
}

#[tokio::test]
async fn a_full_queue_is_503_and_nothing_is_issued() {
    let house = House::new().await;
    house.token(&house.samples.sample).await;
    let store = &house.app.house.store;
    let held = store.begin().await.unwrap();
    let mut queued = 0;
    // Once for the batch that the writer holds, once for the queue behind it.
    for _ in 0..3 {
        loop {
            match store.record(Job {
                tenant: TenantId::default_tenant(),
                entries: vec![entry()],
                uses: None,
                counts: None,
            }) {
                Ok(()) => queued += 1,
                Err(StoreError::Busy) => break,
                Err(error) => panic!("{error}"),
            }
        }
        tokio::task::yield_now().await;
    }
    let refused = house.client_credentials(&house.samples.sample).await;
    assert_eq!(
        (refused.status, refused.text("error")),
        (503, "temporarily_unavailable".into())
    );
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.text("access_token").is_empty());
    drop(held);
    while house.client_credentials(&house.samples.sample).await.status == 503 {
        tokio::task::yield_now().await;
    }
    let rows = house.logs().await;
    assert_eq!(rows.len(), 2 + queued);
    assert_eq!(rows.iter().map(|row| row.tokens).sum::<i64>(), 2);
}

#[tokio::test]
async fn without_a_database_nothing_is_issued_unrecorded() {
    let house = House::on_file().await;
    house.token(&house.samples.sample).await;
    assert_eq!(house.get("/readyz").await.status, 200);
    house.app.house.store.close().await;
    for answer in [
        house.client_credentials(&house.samples.sample).await,
        house.password(&[]).await,
    ] {
        assert_eq!(
            (answer.status, answer.text("error")),
            (503, "temporarily_unavailable".into()),
            "{answer:?}"
        );
        assert_eq!(answer.header("retry-after"), "1");
        assert!(
            !answer.body.contains("database") && !answer.body.contains("closed"),
            "{answer:?}"
        );
    }
    assert_eq!(house.get("/readyz").await.status, 503);
    assert_eq!(house.get("/healthz").await.status, 200);
    assert_eq!(
        house.get("/.well-known/jwks.json").await.status,
        200,
        "keys in memory are still told"
    );
}

fn entry() -> LogEntry {
    LogEntry {
        at: Timestamp::from_seconds(NOW_S),
        kind: "f",
        client_id: None,
        api_id: None,
        user_id: None,
        grant: None,
        address: None,
        tokens: 0,
        repeats: 1,
        body: LogBody::of(&serde_json::Map::new()),
    }
}
