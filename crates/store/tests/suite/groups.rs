//! Changes that come at the same time may share a transaction, and each is kept or dropped alone all the same.

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_store::{Added, Change, ClientFilter, Page, Store, StoreError};

use crate::place::{Place, both};
use crate::samples::{client, secret, with_tenant};

both!(
    each_of_fifty_changes_at_once_is_kept_or_dropped_alone,
    a_change_is_seen_from_elsewhere_once_it_is_answered,
    whoever_hangs_up_in_a_change_leaves_nothing_and_blocks_nobody,
    a_closed_store_refuses_changes,
);

/// What a writer does with its change.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Kept,
    /// It is dropped after it wrote.
    Dropped,
    /// A statement of it fails.
    Failed,
}

async fn each_of_fifty_changes_at_once_is_kept_or_dropped_alone(place: &Place) {
    let store = place.open().await;
    let tenants = [with_tenant(&store, "acme").await, with_tenant(&store, "other").await];
    let writers: Vec<_> = (0..50)
        .map(|number| {
            let (store, tenant) = (store.clone(), tenants[number % 2].clone());
            let end = [End::Kept, End::Kept, End::Dropped, End::Kept, End::Failed][number % 5];
            tokio::spawn(async move { (tenant.clone(), add(&store, &tenant, end).await, end) })
        })
        .collect();
    let mut ended = Vec::new();
    for writer in writers {
        ended.push(writer.await.unwrap());
    }
    for tenant in &tenants {
        let of_tenant = ended.iter().filter(|(of, _, end)| of == tenant && *end == End::Kept);
        let mut kept: Vec<_> = of_tenant.map(|(_, id, _)| id.clone()).collect();
        assert_eq!(kept.len(), 15);
        kept.sort();
        let found = store.clients(tenant, Page::first(100)).await.unwrap();
        assert_eq!(found.into_iter().map(|client| client.id).collect::<Vec<_>>(), kept);
        for id in &kept {
            let secrets = store.client_secrets(tenant, id).await.unwrap();
            assert_eq!(secrets.len(), 1, "the secret that it was made with");
        }
        let total = store.clients_total(tenant, &ClientFilter::default()).await.unwrap();
        assert_eq!(total, 15);
        let changes = store.changes_since(tenant, 0).await.unwrap().unwrap();
        let revisions: Vec<_> = changes.iter().map(|(revision, _)| *revision).collect();
        assert_eq!(revisions, (1..=15).collect::<Vec<i64>>());
        let mut changed: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
        changed.sort_by_key(|change| format!("{change:?}"));
        assert_eq!(changed, kept.into_iter().map(Change::Client).collect::<Vec<_>>());
    }
    store.close().await;
}

async fn a_change_is_seen_from_elsewhere_once_it_is_answered(place: &Place) {
    let (here, there) = (place.open().await, place.open().await);
    let tenant = with_tenant(&here, "acme").await;
    for revision in 1..=5 {
        let writer = if revision % 2 == 0 { &there } else { &here };
        let reader = if revision % 2 == 0 { &here } else { &there };
        let id = add(writer, &tenant, End::Kept).await;
        assert!(reader.client(&tenant, &id).await.unwrap().is_some());
        let changes = reader.changes_since(&tenant, revision - 1).await.unwrap();
        assert_eq!(changes, Some(vec![(revision, Change::Client(id))]));
    }
    here.close().await;
    there.close().await;
}

async fn whoever_hangs_up_in_a_change_leaves_nothing_and_blocks_nobody(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    for steps in 0..60 {
        let (store, tenant) = (store.clone(), tenant.clone());
        let change = tokio::spawn(async move {
            let made = client();
            let mut tx = store.change(&tenant, Change::Client(made.id.clone())).await.unwrap();
            let _new = tx.add_client(&tenant, &made).await.unwrap();
            std::future::pending::<()>().await;
        });
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        change.abort();
    }
    let id = add(&store, &tenant, End::Kept).await;
    let changes = store.changes_since(&tenant, 0).await.unwrap();
    assert_eq!(
        changes,
        Some(vec![(1, Change::Client(id))]),
        "nothing that was dropped was kept"
    );
    assert_eq!(store.clients(&tenant, Page::first(10)).await.unwrap().len(), 1);
    store.close().await;
}

async fn a_closed_store_refuses_changes(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    store.close().await;
    let refused = store.change(&tenant, Change::Settings).await;
    assert!(matches!(refused.err(), Some(StoreError::Unavailable(_))));
}

async fn add(store: &Store, tenant: &TenantId, end: End) -> ClientId {
    let made = client();
    let mut tx = store.change(tenant, Change::Client(made.id.clone())).await.unwrap();
    assert_eq!(tx.add_client(tenant, &made).await.unwrap(), Added::Yes);
    tx.add_secret_of_new_client(tenant, secret(&made, 0)).await.unwrap();
    match end {
        End::Kept => tx.commit().await.unwrap(),
        End::Dropped => drop(tx),
        End::Failed => {
            let of_nobody = secret(&client(), 1);
            assert!(tx.add_client_secret(tenant, &of_nobody).await.is_err());
        }
    }
    made.id
}
