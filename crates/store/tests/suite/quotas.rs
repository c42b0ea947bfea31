//! Tokens counted against quotas: as many as the limit, not one more, however many nodes, restarts and crashes.

use std::collections::BTreeMap;

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Change, Count, Counted, Job, LogEntry, Quota, Span, Store, UsedAssertion};

use crate::place::{Place, both};
use crate::samples::{entry, job, with_tenant};

both!(
    a_token_over_the_quota_writes_nothing_and_the_answer_says_how_it_stands,
    one_batch_gives_exactly_what_is_left_to_the_first,
    two_nodes_share_a_quota_to_the_last_token,
    a_node_that_dies_in_the_middle_costs_no_token_and_gives_none,
    windows_begin_with_the_hour_and_the_day_of_utc,
    a_token_counts_in_the_window_of_its_own_time,
    a_quota_that_is_changed_goes_on_from_what_was_used,
    clients_tenants_and_windows_are_counted_apart,
    a_replayed_assertion_uses_nothing_up,
    a_batch_that_fails_counts_nothing,
    counts_are_forgotten_when_their_windows_are_over,
    a_node_that_stands_still_in_a_transaction_is_not_waited_for_long,
);

pub(crate) const HOURLY: Quota = Quota {
    per_hour: Some(10),
    per_day: None,
    is_enforced: true,
};

async fn a_token_over_the_quota_writes_nothing_and_the_answer_says_how_it_stands(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    for used in 1..=10 {
        let outcome = store.commit(token(&tenant, "c", HOURLY, place)).await.unwrap();
        assert_eq!(outcome.counted, Some(counted(false, used)));
        assert_eq!((outcome.logs.len(), outcome.is_replay), (1, false));
    }
    for _ in 0..3 {
        let outcome = store.commit(token(&tenant, "c", HOURLY, place)).await.unwrap();
        assert_eq!(outcome.counted, Some(counted(true, 10)));
        assert_eq!((outcome.logs.len(), outcome.is_replay), (0, false));
    }
    assert_eq!(issued(&store, &tenant).await, 10);
    let free = store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    assert_eq!(
        (free.counted, free.logs.len()),
        (None, 1),
        "without a quota nothing is counted"
    );
    store.close().await;
}

async fn one_batch_gives_exactly_what_is_left_to_the_first(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let given = flood(&store, &tenant, "c", HOURLY, place, 300).await;
    assert_eq!((given, issued(&store, &tenant).await), (10, 10));
    store.close().await;
}

async fn two_nodes_share_a_quota_to_the_last_token(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let tenant = with_tenant(&one, "acme").await;
    let quota = Quota {
        per_hour: Some(500),
        per_day: Some(730),
        is_enforced: true,
    };
    for hour in [500, 230, 0] {
        let (first, second) = tokio::join!(
            flood(&one, &tenant, "c", quota, place, 400),
            flood(&two, &tenant, "c", quota, place, 400)
        );
        assert_eq!(first + second, hour);
        place.clock.advance_ms(3_600_000);
    }
    assert_eq!(issued(&one, &tenant).await, 730);
    one.close().await;
    two.close().await;
}

async fn a_node_that_dies_in_the_middle_costs_no_token_and_gives_none(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    store.close().await;
    let quota = Quota {
        per_hour: Some(150),
        ..HOURLY
    };
    for step in 0..5 {
        // A node with threads of its own: its tasks end wherever they are, as those of a process that is killed.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let node = tokio::runtime::Runtime::new().unwrap();
                node.block_on(async {
                    let store = place.open().await;
                    for number in 0..60 {
                        let (store, job) = (store.clone(), token(&tenant, "c", quota, place));
                        let asked = tokio::spawn(async move { store.commit(job).await });
                        // Several batches, and the last ones under way when it dies.
                        if number % 12 == step {
                            asked.await.unwrap().unwrap();
                        }
                    }
                });
                node.shutdown_background();
            });
        });
    }
    let store = place.open().await;
    flood(&store, &tenant, "c", quota, place, 150).await;
    assert_eq!(
        issued(&store, &tenant).await,
        150,
        "all were given, by the living or the dead"
    );
    store.close().await;
}

async fn windows_begin_with_the_hour_and_the_day_of_utc(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let quota = Quota {
        per_day: Some(25),
        ..HOURLY
    };
    let now = place.clock.now().ms();
    let to_the_hour = 3_600_000 - now.rem_euclid(3_600_000);
    assert_eq!(flood(&store, &tenant, "c", quota, place, 20).await, 10);
    place.clock.advance_ms(to_the_hour - 1);
    assert_eq!(
        flood(&store, &tenant, "c", quota, place, 20).await,
        0,
        "the last millisecond"
    );
    place.clock.advance_ms(1);
    assert_eq!(flood(&store, &tenant, "c", quota, place, 20).await, 10, "the first");
    place.clock.advance_ms(3_600_000);
    assert_eq!(
        flood(&store, &tenant, "c", quota, place, 20).await,
        5,
        "what is left of the day"
    );
    place.clock.advance_ms(3_600_000);
    assert_eq!(flood(&store, &tenant, "c", quota, place, 20).await, 0);
    let now = place.clock.now();
    place.clock.advance_ms(Span::Day.end(now).ms() - now.ms());
    assert_eq!(flood(&store, &tenant, "c", quota, place, 20).await, 10, "a new day");
    store.close().await;
}

async fn a_token_counts_in_the_window_of_its_own_time(place: &Place) {
    let (store, behind) = (place.open().await, place.open().await);
    let tenant = with_tenant(&store, "acme").await;
    let now = place.clock.now();
    let (late, next) = (Span::Hour.end(now).plus_ms(-1), Span::Hour.end(now));
    let mut given = BTreeMap::new();
    for number in 0..40 {
        // Two nodes whose clocks differ by a moment, at the turn of the hour.
        let (node, at) = if number % 2 == 0 {
            (&store, next)
        } else {
            (&behind, late)
        };
        let outcome = node.commit(token_at(&tenant, "c", HOURLY, at)).await.unwrap();
        *given.entry(at).or_insert(0) += outcome.logs.len();
    }
    assert_eq!(given, BTreeMap::from([(late, 10), (next, 10)]));
    store.close().await;
    behind.close().await;
}

async fn a_quota_that_is_changed_goes_on_from_what_was_used(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let of = |limit| Quota {
        per_hour: Some(limit),
        ..HOURLY
    };
    assert_eq!(
        flood(&store, &tenant, "c", of(10), place, 50).await,
        10,
        "fifty were wanted"
    );
    assert_eq!(flood(&store, &tenant, "c", of(12), place, 50).await, 2);
    assert_eq!(flood(&store, &tenant, "c", of(5), place, 50).await, 0);
    let daily = Quota {
        per_hour: None,
        per_day: Some(15),
        is_enforced: true,
    };
    assert_eq!(
        flood(&store, &tenant, "c", daily, place, 50).await,
        3,
        "the day was counted too"
    );
    store.close().await;
}

async fn clients_tenants_and_windows_are_counted_apart(place: &Place) {
    let store = place.open().await;
    let (acme, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    let mut wanted = Vec::new();
    for number in 0..200 {
        let tenant = if number % 3 == 0 { &acme } else { &other };
        let job = token(tenant, &format!("c{}", number % 4), HOURLY, place);
        wanted.push(tokio::spawn({
            let store = store.clone();
            async move { store.commit(job).await.unwrap() }
        }));
    }
    for outcome in wanted {
        outcome.await.unwrap();
    }
    assert_eq!((issued(&store, &acme).await, issued(&store, &other).await), (40, 40));
    store.close().await;
}

async fn a_replayed_assertion_uses_nothing_up(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let with_assertion = || Job {
        uses: Some(UsedAssertion {
            client_id: ClientId::new("c"),
            jti: "j".into(),
            expires_at: place.clock.now(),
        }),
        ..token(&tenant, "c", HOURLY, place)
    };
    assert_eq!(
        store.commit(with_assertion()).await.unwrap().counted,
        Some(counted(false, 1))
    );
    for _ in 0..20 {
        let again = store.commit(with_assertion()).await.unwrap();
        assert_eq!((again.is_replay, again.counted), (true, None));
    }
    let next = store.commit(token(&tenant, "c", HOURLY, place)).await.unwrap();
    assert_eq!(next.counted, Some(counted(false, 2)));
    store.close().await;
}

async fn a_batch_that_fails_counts_nothing(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    place.run("alter table logs rename to elsewhere").await;
    assert!(store.commit(token(&tenant, "c", HOURLY, place)).await.is_err());
    place.run("alter table elsewhere rename to logs").await;
    let outcome = store.commit(token(&tenant, "c", HOURLY, place)).await.unwrap();
    assert_eq!(outcome.counted, Some(counted(false, 1)));
    store.close().await;
}

async fn counts_are_forgotten_when_their_windows_are_over(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let quota = Quota {
        per_day: Some(12),
        ..HOURLY
    };
    flood(&store, &tenant, "c", quota, place, 10).await;
    let end_of_day = Span::Day.end(place.clock.now()).ms();
    place.clock.advance_ms(end_of_day - 1 - place.clock.now().ms());
    assert_eq!(store.prune_quotas().await.unwrap(), 0);
    assert_eq!(
        flood(&store, &tenant, "c", quota, place, 10).await,
        2,
        "the day goes on"
    );
    place.clock.advance_ms(3 * 86_400_000);
    assert_eq!(store.prune_quotas().await.unwrap(), 3, "two hours and the day");
    assert_eq!(flood(&store, &tenant, "c", quota, place, 20).await, 10);
    store.close().await;
}

async fn a_node_that_stands_still_in_a_transaction_is_not_waited_for_long(place: &Place) {
    if !place.rings() {
        // One file, one writer: there whoever stands still stops everybody, quotas or none.
        return;
    }
    let (store, still) = (place.open().await, place.open().await);
    let tenant = with_tenant(&store, "acme").await;
    let mut tx = still.begin().await.unwrap();
    tx.bump(&tenant, Change::Settings).await.unwrap();
    // It waits for the row that the other holds, and gets it once the server has given that one up.
    let mut second = store.begin().await.unwrap();
    second.bump(&tenant, Change::Settings).await.unwrap();
    second.commit().await.unwrap();
    assert!(tx.commit().await.is_err(), "it comes back, and has nothing left");
    store.close().await;
    still.close().await;
}

/// How many of so many tokens wanted at once were given.
pub(crate) async fn flood(
    store: &Store,
    tenant: &TenantId,
    client: &str,
    quota: Quota,
    place: &Place,
    wanted: usize,
) -> usize {
    let asking: Vec<_> = (0..wanted)
        .map(|_| {
            let (store, job) = (store.clone(), token(tenant, client, quota, place));
            tokio::spawn(async move { store.commit(job).await.unwrap() })
        })
        .collect();
    let mut given = 0;
    for asked in asking {
        let outcome = asked.await.unwrap();
        assert_eq!(outcome.counted.unwrap().is_over, outcome.logs.is_empty());
        given += outcome.logs.len();
    }
    given
}

fn token(tenant: &TenantId, client: &str, quota: Quota, place: &Place) -> Job {
    token_at(tenant, client, quota, place.clock.now())
}

fn token_at(tenant: &TenantId, client: &str, quota: Quota, at: Timestamp) -> Job {
    let warning = LogEntry {
        kind: "w",
        tokens: 0,
        ..entry(client, at)
    };
    Job {
        counts: Some(Box::new(Count {
            client_id: ClientId::new(client),
            quota,
            at,
            warning,
        })),
        ..job(tenant, vec![entry(client, at)])
    }
}

fn counted(is_over: bool, used: i64) -> Counted {
    Counted {
        is_over,
        in_hour: used,
        in_day: used,
    }
}

/// Tokens that the log says were issued.
async fn issued(store: &Store, tenant: &TenantId) -> i64 {
    let rows = store.logs_after(tenant, None, 10_000).await.unwrap();
    rows.iter().map(|row| row.tokens).sum()
}
