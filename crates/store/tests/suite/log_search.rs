//! The log, searched and followed.

use tokenhouse_protocol::id::{ClientId, LogId, TenantId, UserId};
use tokenhouse_store::{LogEntry, LogFilter, LogRow, Store};

use crate::place::{Place, both};
use crate::samples::{entry, job, with_tenant};

both!(
    the_log_is_searched_by_what_a_filter_names,
    a_page_of_the_log_comes_before_any_line_and_ends_early_where_little_is_found,
    whoever_follows_the_log_of_several_nodes_meets_every_line_once,
    logins_are_the_tokens_of_users,
);

async fn the_log_is_searched_by_what_a_filter_names(place: &Place) {
    let store = place.open().await;
    let (tenant, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    let now = place.clock.now();
    for (kind, client, user) in [
        ("seccft", "a", None),
        ("feccft", "b", None),
        ("sapi", "a", Some("u")),
        ("fapi", "b", Some("v")),
    ] {
        let line = LogEntry {
            kind,
            user_id: user.map(UserId::new),
            address: Some(format!("10.0.0.{}", kind.len())),
            ..entry(client, place.clock.now())
        };
        store.commit(job(&tenant, vec![line])).await.unwrap();
        place.clock.advance_ms(1000);
    }
    store.commit(job(&other, vec![entry("a", now)])).await.unwrap();
    let found = async |filter: LogFilter| {
        let rows = store.logs_matching(&tenant, &filter, (0, 10), false).await.unwrap();
        let total = store.logs_total(&tenant, &filter, 1000).await.unwrap();
        assert_eq!(u64::try_from(rows.len()).unwrap(), total);
        rows.into_iter().map(|row| row.kind).collect::<Vec<_>>().join(" ")
    };
    let all = LogFilter::default();
    assert_eq!(found(all.clone()).await, "fapi sapi feccft seccft");
    let kinds = vec!["seccft".into(), "fapi".into(), "none".into()];
    assert_eq!(found(LogFilter { kinds, ..all.clone() }).await, "fapi seccft");
    let kind_prefix = Some("s".into());
    assert_eq!(
        found(LogFilter {
            kind_prefix,
            ..all.clone()
        })
        .await,
        "sapi seccft"
    );
    let client_id = Some(ClientId::new("b"));
    assert_eq!(
        found(LogFilter {
            client_id,
            ..all.clone()
        })
        .await,
        "fapi feccft"
    );
    let user_id = Some(UserId::new("u"));
    assert_eq!(found(LogFilter { user_id, ..all.clone() }).await, "sapi");
    let address = Some("10.0.0.4".into());
    assert_eq!(found(LogFilter { address, ..all.clone() }).await, "fapi sapi");
    let (from, to) = (Some(now.plus_ms(1000)), Some(now.plus_ms(2000)));
    assert_eq!(
        found(LogFilter {
            from,
            to,
            ..all.clone()
        })
        .await,
        "sapi feccft"
    );
    assert_eq!(store.logs_total(&tenant, &all, 3).await.unwrap(), 3);
    let upwards = store.logs_matching(&tenant, &all, (1, 2), true).await.unwrap();
    assert_eq!((upwards[0].kind.as_str(), upwards[1].kind.as_str()), ("feccft", "sapi"));
    store.close().await;
}

async fn a_page_of_the_log_comes_before_any_line_and_ends_early_where_little_is_found(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut written = Vec::new();
    for number in 0..21 {
        place.clock.advance_ms(1000);
        let lines: Vec<_> = (0..500)
            .map(|line| {
                let name = match (number, line) {
                    (0, 7) => "oldest",
                    (20, 7..=9) => "newest",
                    _ => "c",
                };
                entry(name, place.clock.now())
            })
            .collect();
        written.extend(store.commit(job(&tenant, lines)).await.unwrap().logs);
    }
    written.reverse();
    let all = LogFilter::default();
    let first = store.logs_back(&tenant, &all, None, 40).await.unwrap();
    assert_eq!(ids(&first.rows), written[..40]);
    assert_eq!((first.next.as_ref(), first.stopped_at), (Some(&written[39]), None));
    let far = store
        .logs_back(&tenant, &all, Some(&written[10_470]), 40)
        .await
        .unwrap();
    assert_eq!((ids(&far.rows), far.next), (written[10_471..].to_vec(), None));

    let of = |client: &str| LogFilter {
        client_id: Some(ClientId::new(client)),
        ..LogFilter::default()
    };
    let some = store.logs_back(&tenant, &of("newest"), None, 2).await.unwrap();
    assert_eq!((some.rows.len(), some.stopped_at), (2, None), "a full page");
    let rest = store
        .logs_back(&tenant, &of("newest"), some.next.as_ref(), 2)
        .await
        .unwrap();
    assert_eq!(rest.rows.len(), 1);
    // 21 times 500 lines, of which 2 000 are looked at for a page: the oldest is on the sixth.
    let (mut pages, mut next, mut found) = (0, None, Vec::new());
    loop {
        let page = store
            .logs_back(&tenant, &of("oldest"), next.as_ref(), 40)
            .await
            .unwrap();
        pages += 1;
        found.extend(ids(&page.rows));
        assert_eq!(page.stopped_at.is_some(), page.next.is_some());
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!((pages, found), (6, vec![written[10_492].clone()]));
    let late = LogFilter {
        from: Some(place.clock.now()),
        ..of("oldest")
    };
    assert_eq!(store.logs_back(&tenant, &late, None, 40).await.unwrap().next, None);
    store.close().await;
}

fn ids(rows: &[LogRow]) -> Vec<LogId> {
    rows.iter().map(|row| row.id.clone()).collect()
}

async fn whoever_follows_the_log_of_several_nodes_meets_every_line_once(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let tenant = with_tenant(&one, "acme").await;
    let mut written = Vec::new();
    let mut met = Vec::new();
    for step in 0..40 {
        let node = if step % 3 == 0 { &two } else { &one };
        // The second node's batches take their time: their ids are older than lines that are there already.
        let late_ms = if step % 3 == 0 { 20_000 } else { 0 };
        place.clock.advance_ms(-late_ms);
        let lines = vec![entry("c", place.clock.now()); 2];
        written.extend(node.commit(job(&tenant, lines)).await.unwrap().logs);
        place.clock.advance_ms(late_ms + 1500);
        follow(&one, &tenant, &mut met).await;
    }
    assert!(met.len() < written.len(), "the youngest lines are held back");
    place.clock.advance_ms(30_000);
    follow(&one, &tenant, &mut met).await;
    written.sort();
    assert_eq!(met, written);
    one.close().await;
    two.close().await;
}

async fn logins_are_the_tokens_of_users(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let now = place.clock.now();
    let login = LogEntry {
        grant: Some("password".into()),
        ..entry("a", now)
    };
    let nobody = LogEntry {
        grant: None,
        ..entry("a", now)
    };
    let lines = vec![login.clone(), entry("a", now), login, nobody];
    store.commit(job(&tenant, lines)).await.unwrap();
    store.fold_usage().await.unwrap();
    let logins = store.logins(&tenant, now, now.plus_ms(1)).await.unwrap();
    assert_eq!(logins, [(now.hour(), 2)]);
    assert_eq!(
        store
            .logins(&tenant, now.plus_ms(3_600_000), now.plus_ms(7_200_000))
            .await
            .unwrap(),
        []
    );
    store.close().await;
}

async fn follow(store: &Store, tenant: &TenantId, met: &mut Vec<LogId>) {
    loop {
        let rows = store.logs_settled_after(tenant, met.last(), 3).await.unwrap();
        if rows.is_empty() {
            return;
        }
        met.extend(rows.into_iter().map(|row| row.id));
    }
}
