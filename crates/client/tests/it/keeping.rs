//! Good days: one token for each API and set of scopes, kept, renewed ahead, asked for once.

use std::time::Duration;

use tokenhouse_client::testing::Behaviour;

use super::{API, DAY_MS, eventually, house, meanwhile, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_cost_one_request() {
    let (issuer, client) = house().await;
    issuer.hold();
    let many: Vec<_> = (0..1000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { token(&client).await })
        })
        .collect();
    eventually(async || issuer.asked() == 1).await;
    meanwhile().await;
    issuer.release();
    for one in many {
        assert_eq!(one.await.unwrap(), "t1");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let (issuer, client) = house().await;
    let first = client.token().await.unwrap();
    assert_eq!(first.expires_at(), issuer.clock().now().plus_ms(DAY_MS));
    issuer.clock().advance_ms(DAY_MS - 600_000);
    assert_eq!(token(&client).await, "t1");
    assert_eq!(issuer.asked(), 1);
    issuer.clock().advance_ms(591_000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn a_tokens_life_begins_when_it_was_asked_for() {
    let (issuer, client) = house().await;
    let asked_at = issuer.clock().now();
    issuer.hold();
    let waiting = tokio::spawn(async move { client.token().await.unwrap().expires_at() });
    eventually(async || issuer.asked() == 1).await;
    issuer.clock().advance_ms(8000);
    issuer.release();
    assert_eq!(waiting.await.unwrap(), asked_at.plus_ms(DAY_MS));
}

#[tokio::test]
async fn a_token_is_renewed_ahead_while_the_old_one_serves() {
    let (issuer, client) = house().await;
    token(&client).await;
    issuer.hold();
    issuer.clock().advance_ms(DAY_MS - 60_000);
    for _ in 0..100 {
        assert_eq!(token(&client).await, "t1", "nobody waits");
    }
    eventually(async || issuer.asked() == 2).await;
    issuer.release();
    eventually(async || token(&client).await == "t2").await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn programs_renew_at_different_times() {
    let (issuer, _) = house().await;
    let mut clients = Vec::new();
    for _ in 0..40 {
        let client = issuer.builder().audience(API).build().unwrap();
        token(&client).await;
        clients.push(client);
    }
    // Renewal is due from 310 to 160 s before the end; in the middle of that, some are and some are not.
    issuer.clock().advance_ms(DAY_MS - 235_000);
    for client in &clients {
        token(client).await;
    }
    eventually(async || issuer.asked() > 40).await;
    meanwhile().await;
    let due = issuer.asked() - 40;
    assert!((1..40).contains(&due), "{due} of 40");
}

#[tokio::test]
async fn a_caller_who_gives_up_takes_nothing_from_the_others() {
    let (issuer, client) = house().await;
    issuer.hold();
    let first = tokio::time::timeout(Duration::from_millis(50), client.token());
    assert!(first.await.is_err());
    let (one, other) = (client.clone(), client.clone());
    let one = tokio::spawn(async move { token(&one).await });
    let other = tokio::spawn(async move { token(&other).await });
    meanwhile().await;
    one.abort();
    issuer.release();
    assert_eq!(other.await.unwrap(), "t1");
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn there_is_one_token_for_each_api_and_set_of_scopes() {
    let (issuer, client) = house().await;
    let reports = client.for_audience("https://reports.example.com");
    assert_eq!(token(&client).await, "t1");
    assert_eq!(token(&reports).await, "t2");
    assert_eq!(token(&client.with_scope("b a")).await, "t3");
    assert_eq!(token(&client.with_scope(" a  b a")).await, "t3");
    assert_eq!(token(&client.for_audience(API).with_scope("")).await, "t1");
    assert_eq!(client.with_scope("a b").token().await.unwrap().scope(), Some("a b"));
    let asked: Vec<_> = issuer
        .requests()
        .iter()
        .map(|request| (request["audience"].clone(), request.get("scope").cloned()))
        .collect();
    assert_eq!(
        asked,
        [
            (API.to_owned(), None),
            ("https://reports.example.com".to_owned(), None),
            (API.to_owned(), Some("a b".to_owned())),
        ]
    );
}

#[tokio::test]
async fn the_number_of_tokens_is_bounded_and_those_in_use_stay() {
    let (issuer, _) = house().await;
    let client = issuer.builder().audience(API).max_tokens(3).build().unwrap();
    assert_eq!(token(&client).await, "t1");
    for number in 2..=20 {
        let other = client.for_audience(format!("https://{number}.example.com"));
        assert_eq!(token(&other).await, format!("t{number}"));
    }
    assert_eq!(token(&client.for_audience(API)).await, "t1", "it is held, so it stays");
    assert_eq!(token(&client.for_audience("https://20.example.com")).await, "t20");
    assert_eq!(token(&client.for_audience("https://2.example.com")).await, "t21");
}

#[tokio::test]
async fn the_token_endpoint_is_found_by_the_issuer_or_told() {
    let (issuer, _) = house().await;
    let told = issuer.builder().token_url(issuer.token_url()).build().unwrap();
    assert_eq!(token(&told).await, "t1");
    let other = issuer.url().replace("127.0.0.1", "localhost");
    let stranger = issuer.builder().issuer(other).build().unwrap();
    assert!(stranger.token().await.is_err());
    let elsewhere = issuer
        .builder()
        .issuer(format!("{}realms/x", issuer.url()))
        .build()
        .unwrap();
    let error = elsewhere.token().await.unwrap_err().to_string();
    assert!(
        error.contains("404") && error.contains("is the issuer's name right?"),
        "{error}"
    );
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn nothing_that_is_printed_shows_the_token_or_the_secret() {
    let (issuer, client) = house().await;
    let first = client.token().await.unwrap();
    let printed = format!("{first:?} {client:?} {:?}", issuer.builder());
    assert!(!printed.contains("t1") && !printed.contains("secret"), "{printed}");
    issuer.behave(Behaviour::Garbage);
    issuer.clock().advance_ms(DAY_MS);
    let error = client.token().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}
