//! Tokens are counted exactly, whoever folds and whoever dies; the log is pruned after it was counted.

use tokenhouse_protocol::id::{ApiId, ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Api, LogEntry, Store, Traffic, Unexpired, UsageRow};

use crate::place::{Place, both};
use crate::samples::{api, entry, job, with_tenant};

both!(
    tokens_are_counted_by_hour_client_api_and_grant,
    what_was_issued_and_refused_is_counted_by_hour,
    what_may_still_be_valid_is_counted_by_api,
    two_folders_count_every_token_once,
    what_a_dead_node_issued_is_counted,
    a_node_that_was_forgotten_and_speaks_again_is_counted_once,
    the_log_is_pruned_only_where_it_was_counted,
);

const FAR: i64 = 4_000_000_000_000;
const HOUR_MS: i64 = 3_600_000;

async fn tokens_are_counted_by_hour_client_api_and_grant(place: &Place) {
    let store = place.open().await;
    let (tenant, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    let now = place.clock.now();
    let later = now.plus_ms(3_600_000);
    let refused = LogEntry {
        tokens: 0,
        ..entry("a", now)
    };
    let anonymous = LogEntry {
        client_id: None,
        api_id: None,
        grant: None,
        ..entry("", now)
    };
    let entries = vec![
        entry("a", now),
        entry("a", now),
        entry("b", now),
        entry("a", later),
        refused,
        anonymous,
    ];
    store.commit(job(&tenant, entries)).await.unwrap();
    store.commit(job(&other, vec![entry("a", now)])).await.unwrap();
    assert_eq!(store.fold_usage().await.unwrap(), 7);
    assert_eq!(store.fold_usage().await.unwrap(), 0);
    store.commit(job(&tenant, vec![entry("b", now)])).await.unwrap();
    assert_eq!(store.fold_usage().await.unwrap(), 1);

    let row = |hour: Timestamp, client: &str, tokens| UsageRow {
        hour: hour.hour(),
        client_id: Some(ClientId::new(client)),
        api_id: Some(ApiId::new("api")),
        grant: "client_credentials".into(),
        tokens,
    };
    let nobody = UsageRow {
        client_id: None,
        api_id: None,
        grant: String::new(),
        ..row(now, "", 1)
    };
    let usage = store
        .usage(&tenant, now.plus_ms(-1), Timestamp::from_ms(FAR))
        .await
        .unwrap();
    assert_eq!(usage, [nobody, row(now, "a", 2), row(now, "b", 2), row(later, "a", 1)]);
    for (at_most, expected) in [(100, 4), (1, 1)] {
        let counted = store.usage_rows(&tenant, now.plus_ms(-1), Timestamp::from_ms(FAR), at_most);
        assert_eq!(counted.await.unwrap(), expected);
    }
    assert_eq!(
        store.usage(&tenant, later, Timestamp::from_ms(FAR)).await.unwrap(),
        [row(later, "a", 1)]
    );
    assert_eq!(total(&store, &other).await, 1);
    let sums = store
        .usage_sums(&tenant, now, Timestamp::from_ms(FAR), 2)
        .await
        .unwrap();
    let sums: Vec<_> = sums
        .iter()
        .map(|sum| (sum.client_id.as_ref().map(ClientId::as_str), sum.tokens))
        .collect();
    assert_eq!(sums, [(Some("a"), 3), (Some("b"), 2)]);
    let of_a = store
        .usage_of(&tenant, &ClientId::new("a"), now, later.hour())
        .await
        .unwrap();
    assert_eq!(of_a, [row(now, "a", 2)]);
    store.close().await;
}

async fn what_was_issued_and_refused_is_counted_by_hour(place: &Place) {
    let store = place.open().await;
    let (tenant, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    let now = place.clock.now();
    let later = now.plus_ms(3_600_000);
    let of_kind = |kind: &'static str, at: Timestamp, repeats: i64| LogEntry {
        kind,
        tokens: 0,
        repeats,
        ..entry("a", at)
    };
    let for_a_user = LogEntry {
        grant: Some("password".into()),
        ..entry("a", now)
    };
    let first = vec![
        entry("a", now),
        entry("b", now),
        for_a_user,
        of_kind("feccft", now, 1),
        of_kind("fapi", now, 1),
    ];
    store.commit(job(&tenant, first)).await.unwrap();
    store.commit(job(&other, vec![entry("a", now)])).await.unwrap();
    store.fold_usage().await.unwrap();
    let second = vec![
        of_kind("feccft", now, 5),
        of_kind("fepft", later, 2),
        of_kind("sapi", later, 1),
    ];
    store.commit(job(&tenant, second)).await.unwrap();
    store.fold_usage().await.unwrap();

    let hour = |at: Timestamp, machine, people, refused| Traffic {
        hour: at.hour(),
        machine,
        people,
        refused,
    };
    let traffic = store.traffic(&tenant, now, Timestamp::from_ms(FAR)).await.unwrap();
    assert_eq!(traffic, [hour(now, 2, 1, 6), hour(later, 0, 0, 2)]);
    let traffic = store.traffic(&tenant, now, later.hour()).await.unwrap();
    assert_eq!(traffic, [hour(now, 2, 1, 6)]);
    store.close().await;
}

async fn what_may_still_be_valid_is_counted_by_api(place: &Place) {
    let (store, there) = (place.open().await, place.open().await);
    let (tenant, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    let mut tx = store.begin().await.unwrap();
    for (id, algorithm, hours) in [
        ("day", "RS256", 24),
        ("hour", "RS256", 1),
        ("never", "RS256", 24),
        ("other", "ES256", 24),
    ] {
        let api = Api {
            id: ApiId::new(id),
            signing_alg: algorithm.into(),
            token_lifetime_s: hours * 3600,
            ..api(Some(&format!("https://{id}")))
        };
        assert_eq!(tx.add_api(&tenant, &api).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let issue = async |store: &Store, tenant: &TenantId, id: &str, client: &str| {
        let one = LogEntry {
            api_id: Some(ApiId::new(id)),
            ..entry(client, place.clock.now())
        };
        let refused = LogEntry {
            kind: "feccft",
            tokens: 0,
            ..one.clone()
        };
        store.commit(job(tenant, vec![one, refused])).await.unwrap();
    };
    let begin = place.clock.now();
    for id in ["day", "hour", "other"] {
        issue(&store, &tenant, id, "a").await;
    }
    issue(&store, &other, "day", "a").await;
    store.fold_usage().await.unwrap();
    place.clock.advance_ms(2 * HOUR_MS);
    for (store, client) in [(&store, "a"), (&store, "b"), (&there, "c")] {
        issue(store, &tenant, "day", client).await;
    }
    issue(&there, &tenant, "hour", "a").await;
    there.fold_usage().await.unwrap();
    place.clock.advance_ms(60_000);

    let end = place.clock.now();
    let found = async |from: Timestamp, to: Timestamp| {
        let rows = store.unexpired_tokens(&tenant, "RS256", (from, to)).await.unwrap();
        let short = |row: Unexpired| (row.identifier.unwrap(), row.tokens);
        rows.into_iter().map(short).collect::<Vec<_>>()
    };
    let (day, hour) = (
        |tokens| ("https://day".to_owned(), tokens),
        ("https://hour".to_owned(), 1),
    );
    assert_eq!(
        found(begin, end).await,
        [day(4), hour.clone()],
        "of one, the first has expired"
    );
    assert_eq!(found(end, end).await, [day(3), hour], "an hour counts whole");
    assert_eq!(found(begin, begin.plus_ms(HOUR_MS).hour()).await, [day(1)]);
    let none = store.unexpired_tokens(&tenant, "PS256", (begin, end)).await.unwrap();
    assert_eq!(none, []);
    place.clock.advance_ms(24 * HOUR_MS - 1);
    assert_eq!(found(begin, end).await, [day(3)]);
    place.clock.advance_ms(1);
    assert_eq!(found(begin, end).await, [], "the last one has expired");
    store.close().await;
    there.close().await;
}

async fn two_folders_count_every_token_once(place: &Place) {
    let (here, there) = (place.open().await, place.open().await);
    let tenant = with_tenant(&here, "acme").await;
    let issue = |store: Store, count: usize| {
        let (tenant, now) = (tenant.clone(), place.clock.now());
        tokio::spawn(async move {
            for number in 0..count {
                store
                    .commit(job(&tenant, vec![entry(&(number % 7).to_string(), now); 11]))
                    .await
                    .unwrap();
            }
        })
    };
    let fold = |store: Store| {
        tokio::spawn(async move {
            for _ in 0..30 {
                store.fold_usage().await.unwrap();
            }
        })
    };
    let tasks = [
        issue(here.clone(), 100),
        issue(there.clone(), 100),
        fold(here.clone()),
        fold(there.clone()),
        fold(there.clone()),
    ];
    for task in tasks {
        task.await.unwrap();
    }
    here.fold_usage().await.unwrap();
    assert_eq!(total(&here, &tenant).await, 2200);
    assert_eq!(total(&there, &tenant).await, 2200);
    here.close().await;
    there.close().await;
}

async fn what_a_dead_node_issued_is_counted(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    // More than one folding step.
    for _ in 0..3 {
        store
            .commit(job(&tenant, vec![entry("c", place.clock.now()); 9000]))
            .await
            .unwrap();
    }
    drop(store);
    let store = place.open().await;
    assert_eq!(store.fold_usage().await.unwrap(), 27_000);
    assert_eq!(total(&store, &tenant).await, 27_000);
    store.close().await;
}

async fn a_node_that_was_forgotten_and_speaks_again_is_counted_once(place: &Place) {
    let (silent, folder) = (place.open().await, place.open().await);
    let tenant = with_tenant(&silent, "acme").await;
    silent
        .commit(job(&tenant, vec![entry("c", place.clock.now()); 5]))
        .await
        .unwrap();
    place.clock.advance_ms(3_700_000);
    assert_eq!(
        folder.fold_usage().await.unwrap(),
        5,
        "a silent node is counted before it is forgotten"
    );
    assert_eq!(folder.fold_usage().await.unwrap(), 0);
    silent
        .commit(job(&tenant, vec![entry("c", place.clock.now()); 3]))
        .await
        .unwrap();
    assert_eq!(folder.fold_usage().await.unwrap(), 3);
    assert_eq!(total(&folder, &tenant).await, 8);
    silent.close().await;
    folder.close().await;
}

async fn the_log_is_pruned_only_where_it_was_counted(place: &Place) {
    let store = place.open().await;
    let (one, two) = (with_tenant(&store, "one").await, with_tenant(&store, "two").await);
    for tenant in [&one, &two] {
        store
            .commit(job(tenant, vec![entry("c", place.clock.now()); 10]))
            .await
            .unwrap();
    }
    place.clock.advance_ms(10);
    let young = store
        .commit(job(&one, vec![entry("c", place.clock.now())]))
        .await
        .unwrap()
        .logs;
    let before = place.clock.now();
    assert_eq!(
        store.prune_logs(before, 100).await.unwrap(),
        0,
        "nothing is counted yet"
    );
    store.fold_usage().await.unwrap();
    assert_eq!(store.prune_logs(before, 4).await.unwrap(), 4);
    assert_eq!(store.prune_logs(before, 100).await.unwrap(), 16);
    assert_eq!(store.prune_logs(before, 100).await.unwrap(), 0);
    let left: Vec<_> = store
        .logs_after(&one, None, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(left, young);
    assert_eq!(total(&store, &one).await, 11);
    assert_eq!(total(&store, &two).await, 10);
    store.close().await;
}

/// All tokens of a tenant.
async fn total(store: &Store, tenant: &TenantId) -> i64 {
    let rows = store
        .usage(tenant, Timestamp::from_ms(0), Timestamp::from_ms(FAR))
        .await
        .unwrap();
    rows.iter().map(|row| row.tokens).sum()
}
