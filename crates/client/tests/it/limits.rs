//! The token quota: the client slows down before it is refused, and does not spend tokens on an API that refuses all.

use tokenhouse_client::testing::Behaviour;

use super::{DAY_MS, eventually, house, meanwhile, token};

#[tokio::test]
async fn what_is_left_of_a_quota_is_spread_over_its_window() {
    let (issuer, client) = house().await;
    issuer.give_for_seconds(60);
    issuer.announce_quota(Some("b=per_hour;q=10;r=2;t=3000,b=per_day;q=1000;r=900;t=40000"));
    assert_eq!(token(&client).await, "t1");
    issuer.clock().advance_ms(60_000);
    let error = client.token().await.unwrap_err();
    assert_eq!(error.retry_after_seconds(), 940);
    assert!(error.to_string().contains("per_hour: 2 of 10 left"), "{error}");
    assert_eq!(issuer.asked(), 1);
    issuer.clock().advance_ms(940_000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_not_asked_for_before_it_is_renewed() {
    let (issuer, client) = house().await;
    issuer.give_for_seconds(600);
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=3000"));
    token(&client).await;
    issuer.clock().advance_ms(600_000);
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 2400);
    assert!(client.for_audience("https://other.example.com").token().await.is_err());
    issuer.clock().advance_ms(2_399_000);
    assert!(client.token().await.is_err());
    assert_eq!(issuer.asked(), 1);
    issuer.announce_quota(Some("b=per_hour;q=10;r=9;t=3600"));
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn a_low_quota_puts_renewal_off_and_never_takes_a_valid_token() {
    let (issuer, client) = house().await;
    issuer.announce_quota(Some("b=per_day;q=10;r=1;t=172800"));
    token(&client).await;
    issuer.clock().advance_ms(DAY_MS - 20_000);
    for _ in 0..50 {
        assert_eq!(token(&client).await, "t1");
        meanwhile().await;
    }
    assert_eq!(issuer.asked(), 1, "renewal would be due, and waits");
    issuer.clock().advance_ms(20_000);
    assert_eq!(token(&client).await, "t2", "a day is its part of what is left of two");
}

#[tokio::test]
async fn an_api_gets_its_first_token_of_a_low_quota_at_once() {
    let (issuer, client) = house().await;
    issuer.announce_quota(Some("b=per_hour;q=10;r=1;t=3000"));
    token(&client).await;
    assert_eq!(token(&client.for_audience("https://other.example.com")).await, "t2");
}

#[tokio::test]
async fn a_quota_may_be_ignored() {
    let (issuer, _) = house().await;
    let client = issuer.builder().ignore_quota().build().unwrap();
    issuer.give_for_seconds(60);
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=3000"));
    token(&client).await;
    issuer.clock().advance_ms(60_000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn a_429_of_the_quota_is_waited_out() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::TooManyRequests {
        retry_after_seconds: 1800,
    });
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=1800"));
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 1800);
    issuer.behave(Behaviour::Gives);
    issuer.announce_quota(None);
    issuer.clock().advance_ms(1_800_000);
    assert_eq!(token(&client).await, "t1");
}

#[tokio::test]
async fn exactly_the_token_that_was_refused_is_given_up() {
    let (issuer, client) = house().await;
    let first = client.token().await.unwrap();
    assert!(client.invalidate(&first));
    assert_eq!(token(&client).await, "t2");
    assert!(client.invalidate(&first), "another took its place");
    assert_eq!(token(&client).await, "t2", "which stays");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_thousand_refusals_of_one_token_cost_one_new_token() {
    let (issuer, client) = house().await;
    let first = client.token().await.unwrap();
    let many: Vec<_> = (0..1000)
        .map(|_| {
            let (client, first) = (client.clone(), first.clone());
            tokio::spawn(async move {
                assert!(client.invalidate(&first));
                token(&client).await
            })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap(), "t2");
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn an_api_that_refuses_every_token_does_not_spend_the_quota() {
    let (issuer, client) = house().await;
    // Ten minutes of a request every 100 ms, each refused.
    for _ in 0..6000 {
        let refused = client.token().await.unwrap();
        client.invalidate(&refused);
        issuer.clock().advance_ms(100);
    }
    let asked = issuer.asked();
    assert!((10..=18).contains(&asked), "{asked}");
    eventually(async || client.token().await.is_ok()).await;
}
