//! `/logs` and `/stats`: what happened, searched, followed and counted (CONTRACT §4.8, §4.10).

use serde_json::{Value, json};

use super::Api;
use crate::house::{AUDIENCE, House, encoded, member_names};

#[tokio::test]
async fn the_log_is_searched_by_page_newest_first() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    house.token(&house.samples.sample).await;
    let made = api.expect(201, "POST", "clients", json!({"name": "Made"})).await;
    let rows = api.get("logs").await;
    assert_eq!((&rows[0]["type"], &rows[1]["type"]), (&json!("sapi"), &json!("seccft")));
    assert_eq!(rows[0]["details"]["response"]["body"]["client_id"], made["client_id"]);
    let event = &rows[1];
    let names = member_names(&event.to_string());
    for name in [
        "_id",
        "log_id",
        "date",
        "type",
        "description",
        "connection",
        "connection_id",
        "client_id",
        "client_name",
        "ip",
        "hostname",
        "details",
        "user_id",
        "user_name",
        "user_agent",
        "audience",
        "scope",
        "strategy",
        "strategy_type",
        "isMobile",
        "location_info",
        "organization_id",
        "organization_name",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let id = event["log_id"].as_str().unwrap();
    assert_eq!(api.get(&format!("logs/{id}")).await, *event);
    let missing = api.expect(404, "GET", "logs/900", Value::Null).await;
    assert_eq!(missing["errorCode"], "inexistent_log");
    let sample = &house.samples.sample.client_id;
    let found = api
        .get(&format!(
            "logs?q=type:s*%20AND%20client_id:%22{sample}%22&include_totals=true"
        ))
        .await;
    assert_eq!(
        (&found["total"], &found["length"], &found["logs"]),
        (&json!(1), &json!(1), &json!([event]))
    );
    let upwards = api.get("logs?sort=date:1&per_page=1&fields=type").await;
    assert_eq!(upwards, json!([{"type": "seccft"}]));
    assert_eq!(
        api.get("logs?page=10&per_page=100&include_totals=true").await["logs"],
        json!([])
    );
    let refused = api.expect(400, "GET", "logs?q=no_such_field:x", Value::Null).await;
    assert_eq!(refused["errorCode"], "invalid_query_string");
    let text = refused["message"].as_str().unwrap();
    assert!(text.contains("client_name") && text.contains("on property q"), "{text}");
}

#[tokio::test]
async fn a_search_of_the_log_finds_what_it_asks_for_and_nothing_else() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    house.token(&house.samples.sample).await;
    api.expect(201, "POST", "clients", json!({"name": "Made"})).await;
    house.advance_s(60);
    api.expect(400, "POST", "clients", json!({})).await;
    house.advance_s(60);
    assert_eq!(house.password(&[("audience", AUDIENCE)]).await.status, 200);
    house.written().await;
    let sample = &house.samples.sample.client_id;
    let user = api.get("logs?q=type:sepft").await[0]["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (q, expected) in [
        ("type:sapi OR type:fapi".to_owned(), "fapi sapi"),
        ("type:zzz OR type:sapi".into(), "sapi"),
        (format!("type:sapi OR client_id:{sample}"), "sapi seccft"),
        (
            format!("type:sapi OR client_id:{}", sample.to_lowercase() + "x"),
            "sapi",
        ),
        ("description:\"Create a client\"".into(), "fapi sapi"),
        ("description:create*".into(), "fapi sapi"),
        ("client_name:\"Sample application\"".into(), "seccft"),
        ("NOT type:s*".into(), "fapi"),
        ("\"sample application\"".into(), "seccft"),
        (format!("user_id:\"{user}\" AND NOT type:fapi"), "sepft"),
        (
            format!("log_id:* AND user_name:* AND type:sepft AND user_id:\"{user}\""),
            "sepft",
        ),
        ("hostname:nowhere".into(), ""),
        ("ip:127.0.0.1 AND details.response.statusCode:400".into(), "fapi"),
        ("_exists_:user_id".into(), "sepft"),
        (
            "date:{2026-01-15T00:00:00.000Z TO 2026-01-16} AND type:(sapi OR sepft)".into(),
            "sepft sapi",
        ),
        ("date:{2026-01-15 TO *]".into(), ""),
        ("NOT date:{2026-01-15 TO *] AND type:fapi".into(), "fapi"),
        ("user_agent:* AND type:sapi AND strategy:none".into(), ""),
    ] {
        let path = format!("logs?include_totals=true&q={}", encoded(&q));
        let found = api.get(&path).await;
        let kinds: Vec<&str> = found["logs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            (kinds.join(" ").as_str(), &found["total"]),
            (expected, &json!(kinds.len())),
            "{q}"
        );
    }
    let pages =
        |page: u32, sort: &str| format!("logs?q=type:sapi%20OR%20ip:*&per_page=1&page={page}&sort={sort}&fields=type");
    assert_eq!(api.get(&pages(1, "date:-1")).await, json!([{"type": "fapi"}]));
    let total = api.get("logs?q=type:sapi%20OR%20ip:*&include_totals=true").await["total"]
        .as_u64()
        .unwrap();
    let last = u32::try_from(total).unwrap() - 1;
    assert_eq!(
        api.get(&pages(0, "date:1")).await,
        api.get(&pages(last, "date:-1")).await
    );
    assert_eq!(api.get(&pages(last + 1, "date:1")).await, json!([]));
}

#[tokio::test]
async fn a_change_is_told_with_its_query_and_the_scopes_that_opened_it() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    api.expect(201, "POST", "keys/signing/rotate?alg=RS256&other=1", Value::Null)
        .await;
    api.expect(204, "DELETE", "user-blocks?identifier=ada", Value::Null)
        .await;
    let rows = api.get("logs?q=type:sapi&per_page=2").await;
    let request = |row: usize| &rows[row]["details"]["request"];
    assert_eq!(request(0)["query"], json!({"identifier": "*****"}), "somebody's name");
    assert_eq!(request(0)["auth"]["credentials"]["scopes"], json!(["update:users"]));
    assert_eq!(request(1)["query"], json!({"alg": "RS256"}));
    let scopes = json!(["create:signing_keys", "update:signing_keys"]);
    assert_eq!(request(1)["auth"]["credentials"]["scopes"], scopes);
}

#[tokio::test]
async fn the_log_of_a_user_has_what_is_about_them() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    assert_eq!(house.password(&[("audience", AUDIENCE)]).await.status, 200);
    let login = api.get("logs?q=type:sepft").await[0].clone();
    let user = login["user_id"].as_str().unwrap().replace('|', "%7C");
    let found = api.get(&format!("users/{user}/logs?include_totals=true")).await;
    assert_eq!((&found["total"], &found["logs"]), (&json!(1), &json!([login])));
    assert_eq!(api.get("users/auth0%7Cnobody/logs").await, json!([]));
}

#[tokio::test]
async fn the_log_is_followed_by_checkpoint_and_every_line_comes_once() {
    let house = House::on_file().await;
    let api = Api::of(&house).await;
    let node = house.second_node().await;
    for _ in 0..3 {
        house.token(&house.samples.sample).await;
        node.token(&house.samples.sample).await;
        house.advance_s(1);
    }
    assert_eq!(
        api.get("logs?take=100").await,
        json!([]),
        "another node may yet write before them"
    );
    house.advance_s(40);
    let mut met = Vec::new();
    let mut path = "logs?take=2".to_owned();
    loop {
        let answer = api.ask("GET", &path, Value::Null).await;
        let rows = answer.json();
        met.extend(
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| row["log_id"].as_str().unwrap().to_owned()),
        );
        let link = answer.header("link").to_owned();
        let (next, relation) = link.split_once("; ").unwrap();
        assert_eq!(relation, "rel=\"next\"");
        let next = next
            .trim_matches(['<', '>'])
            .split_once("/api/v2/")
            .unwrap()
            .1
            .to_owned();
        if rows == json!([]) {
            assert_eq!(next, path, "the same place again");
            break;
        }
        path = next;
    }
    let mut all: Vec<String> = house.logs().await.into_iter().map(|row| row.id.to_string()).collect();
    all.sort();
    assert!(all.len() >= 7, "{all:?}");
    assert_eq!(met, all);
    api.expect(400, "GET", "logs?from=nothing", Value::Null).await;
}

#[tokio::test]
async fn days_on_which_users_got_in_are_counted() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for _ in 0..2 {
        assert_eq!(house.password(&[("audience", AUDIENCE)]).await.status, 200);
    }
    house.app.house.store.fold_usage().await.unwrap();
    let days = api.get("stats/daily?from=20260101&to=20260131").await;
    assert_eq!(days.as_array().unwrap().len(), 1, "{days}");
    let day = &days[0];
    assert_eq!(
        (&day["date"], &day["logins"], &day["signups"]),
        (&json!("2026-01-15T00:00:00.000Z"), &json!(2), &json!(0))
    );
    assert_eq!(api.get("stats/daily").await, days);
    assert_eq!(api.get("stats/daily?to=20260114").await, json!([]));
    for query in ["from=yesterday", "from=20260230", "from=20200101"] {
        api.expect(400, "GET", &format!("stats/daily?{query}"), Value::Null)
            .await;
    }
}

#[tokio::test]
async fn tokens_issued_are_told_by_day_application_api_and_grant() {
    let house = House::new().await;
    let api = Api::of(&house).await;
    for _ in 0..2 {
        house.token(&house.samples.sample).await;
    }
    house.token(&house.samples.reader).await;
    house.written().await;
    let usage = api.get("stats/usage?from=20260101&to=20260131").await;
    let of = |application: &str| {
        let rows = usage.as_array().unwrap().iter();
        let of: Vec<_> = rows.filter(|row| row["client_id"] == application).collect();
        assert_eq!(of.len(), 1, "{usage}");
        of[0].clone()
    };
    let row = of(&house.samples.sample.client_id);
    assert_eq!(
        (&row["date"], &row["audience"]),
        (&json!("2026-01-15"), &json!(AUDIENCE))
    );
    assert_eq!(row["client_name"], "Sample application");
    assert_eq!(row["tokens"], 2);
    assert_eq!(of(&house.samples.reader.client_id)["tokens"], 1);
    api.expect(
        204,
        "DELETE",
        &format!("clients/{}", house.samples.reader.client_id),
        Value::Null,
    )
    .await;
    let again = api.get("stats/usage").await;
    assert_eq!(
        again.as_array().unwrap().len(),
        usage.as_array().unwrap().len(),
        "counted still"
    );
    assert_eq!(api.get("stats/usage?to=20260114").await, json!([]));
}
