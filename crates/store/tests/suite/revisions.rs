//! Changes reach every node: in order, without a gap, with a bell where there is one.

use std::time::Duration;

use tokenhouse_protocol::id::{ApiId, ClientId, ConnectionId, TenantId, UserId};
use tokenhouse_store::{Change, Store};

use crate::place::{Place, both};
use crate::samples::with_tenant;

both!(
    every_kind_of_change_comes_back,
    twenty_writers_make_one_sequence,
    a_change_rolled_back_leaves_no_gap,
    what_is_not_kept_any_more_means_forget_everything,
    the_bell_rings_on_the_other_node,
);

async fn every_kind_of_change_comes_back(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let other = with_tenant(&store, "other").await;
    let changes = [
        Change::Client(ClientId::new("c")),
        Change::Api(ApiId::new("a")),
        Change::Connection(ConnectionId::new("o")),
        Change::User(UserId::new("u")),
        Change::Keys,
        Change::Settings,
    ];
    assert_eq!(store.revisions(&[]).await.unwrap(), []);
    assert_eq!(store.changes_since(&tenant, 0).await.unwrap(), Some(Vec::new()));
    for change in &changes {
        bump(&store, &tenant, change.clone()).await;
    }
    let expected: Vec<_> = (1..).zip(changes).collect();
    assert_eq!(store.changes_since(&tenant, 0).await.unwrap(), Some(expected.clone()));
    assert_eq!(
        store.changes_since(&tenant, 4).await.unwrap(),
        Some(expected[4..].to_vec())
    );
    assert_eq!(store.changes_since(&tenant, 6).await.unwrap(), Some(Vec::new()));
    assert_eq!(store.revisions(&[other, tenant.clone()]).await.unwrap(), [(tenant, 6)]);
    store.close().await;
}

async fn twenty_writers_make_one_sequence(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let (store, tenant) = (store.clone(), tenant.clone());
            tokio::spawn(async move { bump(&store, &tenant, Change::Client(ClientId::new(number.to_string()))).await })
        })
        .collect();
    // A reader that follows them sees every change once, in order.
    let (mut seen, mut followed) = (0, Vec::new());
    while followed.len() < 20 {
        for (revision, change) in store
            .changes_since(&tenant, seen)
            .await
            .unwrap()
            .expect("nothing was pruned")
        {
            assert_eq!(revision, seen + 1);
            seen = revision;
            followed.push(change);
        }
    }
    let mut revisions = Vec::new();
    for writer in writers {
        revisions.push(writer.await.unwrap());
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=20).collect::<Vec<i64>>());
    followed.dedup();
    assert_eq!(followed.len(), 20);
    store.close().await;
}

async fn a_change_rolled_back_leaves_no_gap(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    assert_eq!(bump(&store, &tenant, Change::Keys).await, 1);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.bump(&tenant, Change::Settings).await.unwrap(), 2);
    drop(tx);
    assert_eq!(bump(&store, &tenant, Change::Keys).await, 2);
    let changes = store.changes_since(&tenant, 0).await.unwrap();
    assert_eq!(changes, Some(vec![(1, Change::Keys), (2, Change::Keys)]));
    store.close().await;
}

async fn what_is_not_kept_any_more_means_forget_everything(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    bump(&store, &tenant, Change::Keys).await;
    place.clock.advance_ms(3_700_000);
    bump(&store, &tenant, Change::Settings).await;
    assert_eq!(store.prune_changes().await.unwrap(), 1);
    assert_eq!(store.changes_since(&tenant, 0).await.unwrap(), None);
    assert_eq!(
        store.changes_since(&tenant, 1).await.unwrap(),
        Some(vec![(2, Change::Settings)])
    );
    place.clock.advance_ms(3_700_000);
    assert_eq!(store.prune_changes().await.unwrap(), 1);
    assert_eq!(store.changes_since(&tenant, 1).await.unwrap(), None);
    assert_eq!(store.changes_since(&tenant, 2).await.unwrap(), Some(Vec::new()));
    assert_eq!(
        store.changes_since(&tenant, 3).await.unwrap(),
        None,
        "a restored backup is older than what was seen"
    );

    place.run("update revisions set revision = 10002").await;
    place
        .run(
            "insert into changes (tenant_id, revision, kind, id, changed_at) \
               select tenant_id, 2, 'keys', '', 9000000000000 from revisions",
        )
        .await;
    bump(&store, &tenant, Change::Keys).await;
    assert_eq!(store.prune_changes().await.unwrap(), 1, "the last 10 000 are kept");
    store.close().await;
}

async fn the_bell_rings_on_the_other_node(place: &Place) {
    let (here, there) = (place.open().await, place.open().await);
    let tenant = with_tenant(&here, "acme").await;
    let mut bell = there.doorbell().await;
    if place.rings() {
        let patience = Duration::from_secs(10);
        tokio::time::timeout(patience, bell.ring())
            .await
            .expect("the bell rings once when it is connected");
        bump(&here, &tenant, Change::Keys).await;
        tokio::time::timeout(patience, bell.ring())
            .await
            .expect("the bell rings for a change");
        // PostgreSQL ends the listener: it comes back by itself.
        place
            .run(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                   where datname = current_database() and query ilike 'listen%'",
            )
            .await;
        tokio::time::timeout(patience, bell.ring())
            .await
            .expect("the bell rings when it was disconnected");
        bump(&here, &tenant, Change::Keys).await;
        tokio::time::timeout(patience, bell.ring())
            .await
            .expect("the bell rings again");
    } else {
        bump(&here, &tenant, Change::Keys).await;
        assert!(
            tokio::time::timeout(Duration::from_millis(50), bell.ring())
                .await
                .is_err()
        );
    }
    assert_eq!(there.revisions(std::slice::from_ref(&tenant)).await.unwrap().len(), 1);
    drop(bell);
    here.close().await;
    there.close().await;
}

async fn bump(store: &Store, tenant: &TenantId, change: Change) -> i64 {
    let mut tx = store.begin().await.unwrap();
    let revision = tx.bump(tenant, change).await.unwrap();
    tx.commit().await.unwrap();
    revision
}
