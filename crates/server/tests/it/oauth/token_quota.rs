//! Token quotas at `POST /oauth/token` (CONTRACT §4.11): headers, refusals, windows, nodes, and what does not count.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use tokenhouse::caller::{Caller, Channel};
use tokenhouse::issuing;
use tokenhouse::refusal::Reason;
use tokenhouse::registry::clients;
use tokenhouse::registry::tenants::update_settings;
use tokenhouse_protocol::credentials::{ClientCredentials, Proof};
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::token::{Grant, TokenRequest};

use crate::house::{AUDIENCE, Answer, House, ISSUER, NOW_S, with_secret};
use crate::management::Api;

const HEADER: &str = "auth0-client-quota-limit";

#[tokio::test]
async fn every_answer_says_how_the_quota_stands_and_the_one_too_many_is_refused() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 3, "per_day": 50})).await;
    house.advance_s(60);
    for left in [2, 1, 0] {
        let answer = ask(&house).await;
        let day = 47 + left;
        assert_eq!(answer.status, 200, "{}", answer.body);
        // The clock shows 10:01.
        let said = format!("b=per_hour;q=3;r={left};t=3540,b=per_day;q=50;r={day};t=50340");
        assert_eq!(answer.header(HEADER), said);
    }
    for _ in 0..2 {
        let refused = ask(&house).await;
        assert_eq!(refused.status, 429, "{}", refused.body);
        let body = json!({"error": "too_many_requests", "error_description": "Client quota exceeded"});
        assert_eq!(refused.json(), body);
        for (name, value) in [
            (HEADER, "b=per_hour;q=3;r=0;t=3540,b=per_day;q=50;r=47;t=50340"),
            ("retry-after", "3540"),
            ("x-ratelimit-limit", "3"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", &(NOW_S + 3600).to_string()),
        ] {
            assert_eq!(refused.header(name), value, "{name}");
        }
    }
    let kinds = counts(&house).await;
    assert_eq!((kinds["seccft"], kinds["feccft"]), (3, 2));
}

#[tokio::test]
async fn the_management_api_says_how_quotas_stand_until_their_windows_end() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 3, "per_day": 50})).await;
    house.advance_s(60);
    for _ in 0..2 {
        assert_eq!(ask(&house).await.status, 200);
    }
    let said = Api::of(&house).await.get("stats/quotas").await;
    let rows = said.as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|row| {
            (
                &row["bucket"],
                &row["quota"],
                &row["used"],
                &row["remaining"],
                &row["enforce"],
            )
        })
        .collect();
    let (day, hour, yes) = (json!("per_day"), json!("per_hour"), json!(true));
    assert_eq!(
        rows,
        [
            (&day, &json!(50), &json!(2), &json!(48), &yes),
            (&hour, &json!(3), &json!(2), &json!(1), &yes)
        ]
    );
    assert_eq!(said[1]["client_id"], house.samples.sample.client_id.as_str());
    assert!(
        said[1]["resets_at"].as_str().unwrap().ends_with(":00:00.000Z"),
        "{said}"
    );
    house.advance_s(3600);
    let said = Api::of(&house).await.get("stats/quotas").await;
    assert_eq!(said.as_array().unwrap().len(), 1, "the hour is over: {said}");
}

#[tokio::test]
async fn without_a_quota_nothing_is_said_and_nothing_counted() {
    let house = House::new().await;
    let answer = ask(&house).await;
    assert_eq!((answer.status, answer.header(HEADER)), (200, ""));
    set(&house, json!({"per_hour": 2})).await;
    assert!(
        ask(&house).await.header(HEADER).contains("r=1"),
        "it counts from now on"
    );
}

#[tokio::test]
async fn the_quota_begins_anew_with_the_hour_and_the_day() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 2, "per_day": 3})).await;
    assert_eq!(given(&house, 4).await, 2);
    house.advance_s(3599);
    assert_eq!(ask(&house).await.header("retry-after"), "1");
    house.advance_s(1);
    assert_eq!(given(&house, 4).await, 1, "the day's last");
    let refused = ask(&house).await;
    assert_eq!(
        refused.header(HEADER),
        "b=per_hour;q=2;r=1;t=3600,b=per_day;q=3;r=0;t=46800"
    );
    assert_eq!(refused.header("retry-after"), "46800", "the day is what is used up");
    house.advance_s(46_800);
    assert_eq!(given(&house, 4).await, 2);
}

#[tokio::test]
async fn a_quota_that_is_not_enforced_counts_says_and_warns_but_refuses_nobody() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 5, "enforce": false})).await;
    assert_eq!(given(&house, 9).await, 9);
    let answer = ask(&house).await;
    assert_eq!(answer.header(HEADER), "b=per_hour;q=5;r=0;t=3600");
    assert_eq!(answer.header("tokenhouse-quota-enforced"), "false");
    let warnings: Vec<_> = house.logs().await.into_iter().filter(|row| row.kind == "w").collect();
    let percents: Vec<_> = warnings
        .iter()
        .map(|row| row.body["details"]["percent"].clone())
        .collect();
    assert_eq!(percents, [60, 80, 100]);
    let details = json!({"bucket": "per_hour", "quota": 5, "used": 3, "percent": 60});
    assert_eq!(warnings[0].body["details"], details);
    assert_eq!(
        warnings[0].body["description"],
        "60 % of the application's token quota is used: 3 of 5 tokens of this hour (UTC)"
    );
    assert_eq!(
        warnings[0].client_id.as_ref().unwrap().as_str(),
        house.samples.sample.client_id
    );
    assert_eq!(warnings[0].tokens, 0);
}

#[tokio::test]
async fn the_tenants_quota_holds_for_whoever_has_none_of_their_own() {
    let house = House::new().await;
    default(&house, json!({"clients": {"client_credentials": {"per_hour": 2}}})).await;
    assert_eq!(given(&house, 4).await, 2);
    let other = &house.samples.reader;
    assert!(
        house.client_credentials(other).await.header(HEADER).contains("q=2;r=1"),
        "each its own"
    );
    set(&house, json!({"per_day": 5})).await;
    assert_eq!(
        ask(&house).await.header(HEADER),
        "b=per_day;q=5;r=2;t=50400",
        "in its place, not beside it"
    );
    set(&house, Value::Null).await;
    assert_eq!(ask(&house).await.status, 429);
    default(&house, Value::Null).await;
    let free = ask(&house).await;
    assert_eq!((free.status, free.header(HEADER)), (200, ""));
}

#[tokio::test]
async fn a_quota_that_is_changed_holds_at_once_here_and_at_the_next_look_elsewhere() {
    let here = House::on_file().await;
    let there = here.second_node().await;
    set(&here, json!({"per_hour": 2})).await;
    there.app.catch_up().await.unwrap();
    assert_eq!(
        (given(&here, 1).await, given(&there, 3).await, given(&here, 1).await),
        (1, 1, 0)
    );
    set(&here, json!({"per_hour": 4})).await;
    assert_eq!(ask(&there).await.status, 429, "it has not looked yet");
    assert_eq!(given(&here, 1).await, 1);
    there.app.catch_up().await.unwrap();
    assert_eq!((given(&there, 3).await, given(&here, 3).await), (1, 0));
    set(&here, json!({"per_hour": 1})).await;
    assert_eq!(ask(&here).await.header(HEADER), "b=per_hour;q=1;r=0;t=3600");
    set(&here, Value::Null).await;
    there.app.catch_up().await.unwrap();
    assert_eq!((given(&here, 2).await, given(&there, 2).await), (2, 2));
}

#[tokio::test]
async fn two_nodes_flooded_and_restarted_give_exactly_the_quota() {
    let one = Arc::new(House::on_file().await);
    set(&one, json!({"per_hour": 30, "per_day": 40})).await;
    let two = Arc::new(one.second_node().await);
    let (first, second) = tokio::join!(flood(&one, 25), flood(&two, 25));
    assert_eq!(first + second, 30);
    drop(two);
    let again = Arc::new(one.second_node().await);
    assert_eq!(flood(&again, 10).await, 0);
    one.advance_s(3600);
    let (first, second) = tokio::join!(flood(&one, 15), flood(&again, 15));
    assert_eq!(first + second, 10);
    assert_eq!(counts(&one).await["seccft"], 40);
}

#[tokio::test]
async fn users_tokens_and_the_management_apis_are_outside() {
    let house = House::new().await;
    default(&house, json!({"clients": {"client_credentials": {"per_hour": 1}}})).await;
    for _ in 0..3 {
        let answer = house.password(&[("audience", AUDIENCE)]).await;
        assert_eq!((answer.status, answer.header(HEADER)), (200, ""));
        let system_api = format!("{ISSUER}api/v2/");
        let fields = [("grant_type", "client_credentials"), ("audience", system_api.as_str())];
        let answer = house.post_form(&with_secret(&house.samples.admin, &fields)).await;
        assert_eq!((answer.status, answer.header(HEADER)), (200, ""), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_an_administrator_tries_out_is_neither_counted_nor_billed() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 1})).await;
    let tenant = house.tenant().await;
    let sample = &house.samples.sample;
    let credentials = ClientCredentials {
        client_id: ClientId::new(sample.client_id.as_str()),
        proof: Proof::Secret(Secret::new(sample.client_secret.as_str())),
        by_header: false,
    };
    let request = TokenRequest {
        grant: Grant::ClientCredentials,
        audience: Some(AUDIENCE.into()),
        scope: None,
    };
    let by = |channel| Caller {
        channel,
        administrator: None,
        address: [127, 0, 0, 1].into(),
        forwarded_for: None,
        user_agent: String::new(),
        host: String::new(),
        request_id: String::new(),
        auth0_client: None,
    };
    for channel in [Channel::Console, Channel::Console, Channel::Api] {
        let issued = issuing::issue(&tenant, &by(channel), &credentials, &request)
            .await
            .unwrap();
        assert_eq!(issued.quota.is_some(), channel == Channel::Api);
    }
    let refused = issuing::issue(&tenant, &by(Channel::Api), &credentials, &request).await;
    assert_eq!(refused.err().unwrap().reason, Reason::QuotaExceeded);
    assert!(
        issuing::issue(&tenant, &by(Channel::Console), &credentials, &request)
            .await
            .is_ok()
    );
    let rows = house.logs().await;
    let of = |channel: &str| {
        rows.iter()
            .filter(|row| row.kind == "seccft" && row.body["channel"] == channel)
            .count()
    };
    assert_eq!((of("console"), of("api")), (3, 1));
    assert_eq!(rows.iter().map(|row| row.tokens).sum::<i64>(), 1);
}

#[tokio::test]
async fn a_quota_that_cannot_be_is_refused_with_its_name() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    let client = format!("clients/{}", house.samples.sample.client_id);
    for quota in [
        json!({}),
        json!({"per_hour": 0}),
        json!({"per_day": -1}),
        json!({"per_hour": 1.5}),
        json!({"per_hour": "1"}),
        json!({"per_day": 2_147_483_648_i64}),
        json!({"per_minute": 1}),
        json!({"enforce": "yes", "per_hour": 1}),
    ] {
        let said = json!({"client_credentials": quota});
        let refused = api.expect(400, "PATCH", &client, json!({"token_quota": said})).await;
        assert!(
            refused["message"].as_str().unwrap().contains("token_quota"),
            "{refused}"
        );
        for side in ["clients", "organizations"] {
            let settings = json!({"default_token_quota": {side: said}});
            let refused = api.expect(400, "PATCH", "tenants/settings", settings).await;
            assert!(
                refused["message"].as_str().unwrap().contains("default_token_quota"),
                "{refused}"
            );
        }
    }
    assert_eq!(api.get(&client).await.get("token_quota"), None);
    let most = json!({"client_credentials": {"per_hour": 1, "per_day": 2_147_483_647, "enforce": false}});
    let changed = api.expect(200, "PATCH", &client, json!({"token_quota": most})).await;
    assert_eq!(changed["token_quota"], most);
}

/// Gives the sample application a quota.
pub(super) async fn set(house: &House, quota: Value) {
    let quota = if quota.is_null() {
        quota
    } else {
        json!({"client_credentials": quota})
    };
    let tenant = house.tenant().await;
    let changes = json!({"token_quota": quota}).as_object().unwrap().clone();
    let id = ClientId::new(house.samples.sample.client_id.as_str());
    clients::update(&tenant, &id, changes, None).await.unwrap();
}

/// Gives the tenant a default quota.
async fn default(house: &House, quota: Value) {
    let changes = json!({"default_token_quota": quota}).as_object().unwrap().clone();
    update_settings(&*house.tenant().await, changes).await.unwrap();
}

async fn ask(house: &House) -> Answer {
    house.client_credentials(&house.samples.sample).await
}

/// How many of so many tokens were given, one after the other.
async fn given(house: &House, wanted: usize) -> usize {
    let mut given = 0;
    for _ in 0..wanted {
        given += usize::from(ask(house).await.status == 200);
    }
    given
}

/// How many of so many tokens were given, wanted at once.
async fn flood(house: &Arc<House>, wanted: usize) -> usize {
    let asking: Vec<_> = (0..wanted)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move { ask(&house).await.status })
        })
        .collect();
    let mut given = 0;
    for asked in asking {
        let status = asked.await.unwrap();
        assert!([200, 429].contains(&status), "{status}");
        given += usize::from(status == 200);
    }
    given
}

/// How many rows of each type the log has.
async fn counts(house: &House) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in house.logs().await {
        *counts.entry(row.kind).or_insert(0) += 1;
    }
    counts
}
