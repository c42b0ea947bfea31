//! Warnings of quotas that are nearly used: in the log, each of them once, whichever node issued the token.

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_store::{Quota, Store};

use crate::place::{Place, both};
use crate::quotas::{HOURLY, flood};
use crate::samples::with_tenant;

both!(
    what_is_only_counted_is_never_refused,
    warnings_are_logged_once_each_over_all_nodes,
    a_small_quota_warns_once_for_a_token_that_passes_several_marks,
);

async fn what_is_only_counted_is_never_refused(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let counted_only = Quota {
        is_enforced: false,
        ..HOURLY
    };
    assert_eq!(flood(&store, &tenant, "c", counted_only, place, 30).await, 30);
    assert_eq!(
        percents(&store, &tenant).await,
        ["per_hour 60", "per_hour 80", "per_hour 100"]
    );
    assert_eq!(
        flood(&store, &tenant, "c", HOURLY, place, 5).await,
        0,
        "and then enforced"
    );
    store.close().await;
}

async fn warnings_are_logged_once_each_over_all_nodes(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let tenant = with_tenant(&one, "acme").await;
    let quota = Quota {
        per_hour: Some(100),
        per_day: Some(200),
        is_enforced: true,
    };
    for _ in 0..3 {
        tokio::join!(
            flood(&one, &tenant, "c", quota, place, 90),
            flood(&two, &tenant, "c", quota, place, 90)
        );
        place.clock.advance_ms(3_600_000);
    }
    let hourly = ["per_hour 60", "per_hour 80", "per_hour 100"];
    let daily = ["per_day 60", "per_day 80", "per_day 100"];
    let mut wanted = [&hourly[..], &hourly, &daily].concat();
    wanted.sort_unstable();
    let mut found = percents(&one, &tenant).await;
    found.sort();
    assert_eq!(found, wanted, "two hours, and the day that ended both");
    let rows = one.logs_after(&tenant, None, 1000).await.unwrap();
    let first = rows.iter().find(|row| row.kind == "w").unwrap();
    let details = &first.body["details"];
    assert_eq!(
        details["used"].as_i64(),
        details["quota"]
            .as_i64()
            .zip(details["percent"].as_i64())
            .map(|(q, p)| q * p / 100)
    );
    assert_eq!((first.tokens, first.client_id.clone()), (0, Some(ClientId::new("c"))));
    assert!(
        first.body["description"]
            .as_str()
            .unwrap()
            .contains(" % of the application's token quota"),
        "{first:?}"
    );
    one.close().await;
    two.close().await;
}

async fn a_small_quota_warns_once_for_a_token_that_passes_several_marks(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let single = Quota {
        per_hour: Some(1),
        ..HOURLY
    };
    assert_eq!(flood(&store, &tenant, "c", single, place, 3).await, 1);
    assert_eq!(percents(&store, &tenant).await, ["per_hour 100"]);
    store.close().await;
}

/// The warnings in the log: bucket and percent.
async fn percents(store: &Store, tenant: &TenantId) -> Vec<String> {
    let rows = store.logs_after(tenant, None, 10_000).await.unwrap();
    let warnings = rows.iter().filter(|row| row.kind == "w");
    let text = |details: &serde_json::Value| format!("{} {}", details["bucket"].as_str().unwrap(), details["percent"]);
    warnings.map(|row| text(&row.body["details"])).collect()
}
