//! The token quota: the client slows down before it is refused, and does not spend tokens on an API that refuses all.

use tokenhouse_client::testing::Behaviour;

use super::{DAY_MS, eventually, house, meanwhile, token};

/// A quota leaves nothing: the day is nearly a day long.
const OVER: Behaviour = Behaviour::TooManyRequests {
    retry_after_seconds: 80_000,
};

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
async fn a_quota_that_is_used_up_is_tried_now_and_then_until_it_is_renewed() {
    let (issuer, client) = house().await;
    issuer.give_for_seconds(600);
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=3600"));
    token(&client).await;
    issuer.behave(OVER);
    for second in 0..3600 {
        let left = 3600 - second;
        issuer.announce_quota(Some(&format!("b=per_hour;q=10;r=0;t={left}")));
        if let Err(error) = client.token().await {
            assert!(error.retry_after_seconds() <= 600, "{error}");
        }
        issuer.clock().advance_ms(1000);
    }
    let asked = issuer.asked();
    assert!(
        (5..=10).contains(&asked),
        "tries after 1, 2, 4, 8 and 10 minutes: {asked}"
    );
    issuer.behave(Behaviour::Gives);
    issuer.announce_quota(Some("b=per_hour;q=10;r=9;t=3600"));
    assert_eq!(token(&client).await, "t2", "the window is over");
}

#[tokio::test]
async fn a_quota_that_only_counts_starves_nobody() {
    let (issuer, client) = house().await;
    issuer.give_for_seconds(600);
    issuer.announce_quota(Some("b=per_day;q=10;r=0;t=80000"));
    for minute in 0..60 {
        assert!(client.token().await.is_ok(), "after {minute} minutes");
        meanwhile().await;
        issuer.clock().advance_ms(60_000);
    }
    let given = issuer.given();
    assert!((6..=8).contains(&given), "each for ten minutes: {given}");
}

#[tokio::test]
async fn a_quota_that_is_said_to_be_only_counted_slows_nobody_down() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::Answers {
        status: 200,
        headers: vec![
            ("auth0-client-quota-limit", "b=per_day;q=10;r=1;t=80000".into()),
            ("tokenhouse-quota-enforced", "false".into()),
        ],
        body: r#"{"access_token":"t","token_type":"Bearer","expires_in":4}"#.into(),
    });
    for _ in 0..10 {
        token(&client).await;
        issuer.clock().advance_ms(4000);
    }
    assert_eq!(issuer.asked(), 10);
}

#[tokio::test]
async fn a_quota_that_was_raised_is_found_within_ten_minutes() {
    let (issuer, client) = house().await;
    issuer.behave(OVER);
    issuer.announce_quota(Some("b=per_day;q=10;r=0;t=80000"));
    for _ in 0..300 {
        assert!(client.token().await.is_err());
        issuer.clock().advance_ms(10_000);
    }
    issuer.behave(Behaviour::Gives);
    issuer.announce_quota(Some("b=per_day;q=100;r=89;t=77000"));
    let wait_ms = client
        .token()
        .await
        .map_or_else(|error| error.retry_after_seconds() * 1000, |_| 0);
    assert!(wait_ms <= 600_000, "{wait_ms}");
    issuer.clock().advance_ms(i64::try_from(wait_ms).unwrap());
    assert_eq!(token(&client).await, "t1");
}

#[tokio::test]
async fn what_a_quota_leaves_is_no_matter_to_tokens_that_are_outside_of_it() {
    let (issuer, client) = house().await;
    let management = client.for_audience(format!("{}api/v2/", issuer.url()));
    issuer.behave(OVER);
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=3000"));
    assert!(client.token().await.is_err());
    issuer.behave(Behaviour::Gives);
    issuer.give_for_seconds(4);
    for number in 1..=10 {
        assert_eq!(token(&management).await, format!("t{number}"));
        issuer.clock().advance_ms(4000);
    }
    assert!(client.token().await.is_err(), "of the API there is no token yet");
    assert_eq!(issuer.asked(), 11);
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
async fn a_429_of_the_quota_holds_for_every_api_and_for_a_minute() {
    let (issuer, client) = house().await;
    issuer.behave(OVER);
    issuer.announce_quota(Some("b=per_hour;q=10;r=0;t=1800"));
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 60);
    assert!(client.for_audience("https://other.example.com").token().await.is_err());
    assert_eq!(issuer.asked(), 1);
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
