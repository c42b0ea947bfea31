//! The batch path: what is acknowledged is durable, once, in order.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Map, json};
use tokenhouse_protocol::id::{ApiId, ClientId, LogId, UserId};
use tokenhouse_store::{Change, LogBody, StoreError};

use crate::place::{Place, both};
use crate::samples::{entry, job, with_tenant};

both!(
    a_log_row_comes_back_as_it_was_written,
    what_was_acknowledged_is_there_after_a_crash,
    ids_grow_from_commit_to_commit_though_the_clock_stands,
    five_hundred_callers_at_once_get_a_row_each,
    a_job_larger_than_a_statement_is_one_job,
    strangers_words_cannot_fail_a_batch,
    a_caller_who_hangs_up_is_still_recorded,
    a_batch_waits_for_another_process_that_writes,
    a_caller_who_hangs_up_in_a_transaction_blocks_nobody,
    connections_that_were_lost_are_made_again,
    a_batch_that_fails_answers_its_callers_and_the_next_one_works,
    a_store_that_cannot_write_is_not_ready_and_finds_out_by_itself_when_it_can,
    a_refusal_is_recorded_without_waiting,
    a_log_is_read_in_pages_from_both_ends,
);

async fn a_log_row_comes_back_as_it_was_written(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut full = entry("c", place.clock.now());
    full.user_id = Some(UserId::new("auth0|1"));
    full.repeats = 7;
    let mut bare = full.clone();
    (bare.client_id, bare.api_id, bare.user_id, bare.grant, bare.address) = (None, None, None, None, None);
    bare.body = LogBody::of(&Map::new());
    let outcome = store
        .commit(job(&tenant, vec![full.clone(), bare.clone()]))
        .await
        .unwrap();
    assert_eq!(outcome.logs.len(), 2);
    for (id, written) in outcome.logs.iter().zip([full, bare]) {
        let read = store.log(&tenant, id).await.unwrap().unwrap();
        assert_eq!((&read.id, &read.node, read.at), (id, store.node(), written.at));
        assert_eq!(
            (read.kind.as_str(), read.tokens, read.repeats),
            (written.kind, written.tokens, written.repeats)
        );
        assert_eq!(
            (read.client_id, read.api_id, read.user_id),
            (written.client_id, written.api_id, written.user_id)
        );
        assert_eq!(
            (read.grant, read.address, LogBody::of(&read.body)),
            (written.grant, written.address, written.body)
        );
    }
    store.close().await;
}

async fn what_was_acknowledged_is_there_after_a_crash(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let outcome = store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    // No close: the process that held it is as good as dead.
    drop(store);
    let store = place.open().await;
    assert!(store.log(&tenant, &outcome.logs[0]).await.unwrap().is_some());
    assert_ne!(
        store.log(&tenant, &outcome.logs[0]).await.unwrap().unwrap().node,
        *store.node()
    );
    store.close().await;
}

async fn ids_grow_from_commit_to_commit_though_the_clock_stands(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut last = LogId::new("");
    for step in 0..20 {
        place.clock.advance_ms(if step % 3 == 0 { -50 } else { 1 });
        let outcome = store
            .commit(job(&tenant, vec![entry("c", place.clock.now()); 3]))
            .await
            .unwrap();
        for id in outcome.logs {
            assert_eq!(id.as_str().len(), 55);
            assert!(id > last, "{id} after {last}");
            last = id;
        }
    }
    store.close().await;
}

async fn five_hundred_callers_at_once_get_a_row_each(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let callers: Vec<_> = (0..500)
        .map(|number| {
            let (store, job) = (
                store.clone(),
                job(&tenant, vec![entry(&number.to_string(), place.clock.now())]),
            );
            tokio::spawn(async move { store.commit(job).await.unwrap().logs.remove(0) })
        })
        .collect();
    let mut answered = Vec::new();
    for (number, caller) in callers.into_iter().enumerate() {
        let id = caller.await.unwrap();
        let row = store.log(&tenant, &id).await.unwrap().unwrap();
        assert_eq!(
            row.client_id,
            Some(ClientId::new(number.to_string())),
            "each gets the id of their own row"
        );
        answered.push(id);
    }
    let stored: Vec<_> = store
        .logs_after(&tenant, None, 1000)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    answered.sort();
    assert_eq!(stored, answered);
    store.close().await;
}

async fn a_job_larger_than_a_statement_is_one_job(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let outcome = store
        .commit(job(&tenant, vec![entry("c", place.clock.now()); 6000]))
        .await
        .unwrap();
    assert_eq!(outcome.logs.iter().collect::<HashSet<_>>().len(), 6000);
    assert_eq!(store.logs_after(&tenant, None, 10_000).await.unwrap().len(), 6000);
    let nothing = store.commit(job(&tenant, Vec::new())).await.unwrap();
    assert_eq!(nothing.logs, []);
    store.close().await;
}

async fn strangers_words_cannot_fail_a_batch(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut hostile = entry("a\0b", place.clock.now());
    hostile.api_id = Some(ApiId::new("\0"));
    hostile.user_id = Some(UserId::new("'; drop table logs; --\0"));
    hostile.grant = Some("\0".into());
    hostile.address = Some("\0\u{1}\u{7f}".into());
    hostile.body = LogBody::of(&json!({ "a\0b": "\0" }));
    let id = store
        .commit(job(&tenant, vec![hostile.clone()]))
        .await
        .unwrap()
        .logs
        .remove(0);
    let row = store.log(&tenant, &id).await.unwrap().unwrap();
    assert_eq!(row.client_id, Some(ClientId::new("a\u{fffd}b")));
    assert_eq!(row.address.as_deref(), Some("\u{fffd}\u{1}\u{7f}"));
    assert_eq!(LogBody::of(&row.body), hostile.body);
    store.close().await;
}

async fn a_caller_who_hangs_up_is_still_recorded(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    {
        let caller = store.commit(job(&tenant, vec![entry("c", place.clock.now())]));
        let mut caller = std::pin::pin!(caller);
        // Polled once, which queues the job, then dropped.
        std::future::poll_fn(|context| {
            let _ = caller.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
    }
    store
        .commit(job(&tenant, vec![entry("d", place.clock.now())]))
        .await
        .unwrap();
    assert_eq!(store.logs_after(&tenant, None, 10).await.unwrap().len(), 2);
    store.close().await;
}

async fn a_batch_waits_for_another_process_that_writes(place: &Place) {
    let (store, other) = (place.open().await, place.open().await);
    let tenant = with_tenant(&store, "acme").await;
    let mut tx = other.begin().await.unwrap();
    tx.bump(&tenant, Change::Settings).await.unwrap();
    let waiting = tokio::spawn({
        let (store, job) = (store.clone(), job(&tenant, vec![entry("c", place.clock.now())]));
        async move { store.commit(job).await }
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    tx.commit().await.unwrap();
    waiting.await.unwrap().unwrap();
    store.close().await;
    other.close().await;
}

async fn a_caller_who_hangs_up_in_a_transaction_blocks_nobody(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    for steps in 0..60 {
        let (store, tenant) = (store.clone(), tenant.clone());
        let change = tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            tx.bump(&tenant, Change::Settings).await.unwrap();
            std::future::pending::<()>().await;
        });
        for _ in 0..steps {
            tokio::task::yield_now().await;
        }
        change.abort();
    }
    store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.bump(&tenant, Change::Settings).await.unwrap(),
        1,
        "nothing that was dropped was kept"
    );
    tx.commit().await.unwrap();
    store.close().await;
}

async fn connections_that_were_lost_are_made_again(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    if place.rings() {
        place
            .run(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await;
    }
    store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    assert_eq!(store.logs_after(&tenant, None, 10).await.unwrap().len(), 2);
    store.close().await;
}

async fn a_batch_that_fails_answers_its_callers_and_the_next_one_works(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    place.run("alter table logs rename to elsewhere").await;
    let failed = store.commit(job(&tenant, vec![entry("c", place.clock.now())])).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    place.run("alter table elsewhere rename to logs").await;
    store
        .commit(job(&tenant, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    assert_eq!(store.logs_after(&tenant, None, 10).await.unwrap().len(), 1);
    store.close().await;
}

async fn a_store_that_cannot_write_is_not_ready_and_finds_out_by_itself_when_it_can(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    store.ready().await.unwrap();
    place.run("alter table nodes rename to elsewhere").await;
    let failed = store.commit(job(&tenant, vec![entry("c", place.clock.now())])).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    store.ping().await.unwrap();
    assert!(store.ready().await.is_err(), "it reads, and did not write");
    place.run("alter table elsewhere rename to nodes").await;
    let ready = async {
        while store.ready().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.unwrap();
    assert!(
        store.logs_after(&tenant, None, 10).await.unwrap().is_empty(),
        "what was refused stays unwritten"
    );
    store.close().await;
}

async fn a_refusal_is_recorded_without_waiting(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    store.record(job(&tenant, vec![entry("c", place.clock.now())])).unwrap();
    store
        .commit(job(&tenant, vec![entry("d", place.clock.now())]))
        .await
        .unwrap();
    let rows = store.logs_after(&tenant, None, 10).await.unwrap();
    let clients: Vec<_> = rows.into_iter().map(|row| row.client_id.unwrap()).collect();
    assert_eq!(clients, [ClientId::new("c"), ClientId::new("d")]);
    store.close().await;
}

async fn a_log_is_read_in_pages_from_both_ends(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let ids = store
        .commit(job(&tenant, vec![entry("c", place.clock.now()); 25]))
        .await
        .unwrap()
        .logs;
    let mut read = Vec::new();
    loop {
        let page = store.logs_after(&tenant, read.last(), 10).await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(read, ids);
    let latest: Vec<_> = store
        .logs_latest(&tenant, 3)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(latest, [ids[24].clone(), ids[23].clone(), ids[22].clone()]);
    store.close().await;
}

mod crowded {
    use super::*;

    both!("current_thread": more_than_4096_waiting_are_refused_and_the_rest_is_written);

    async fn more_than_4096_waiting_are_refused_and_the_rest_is_written(place: &Place) {
        let store = place.open().await;
        let tenant = with_tenant(&store, "acme").await;
        // On one thread the writer does not run before this test awaits something.
        for _ in 0..4096 {
            store.record(job(&tenant, vec![entry("c", place.clock.now())])).unwrap();
        }
        assert_eq!(
            store.record(job(&tenant, vec![entry("c", place.clock.now())])),
            Err(StoreError::Busy)
        );
        let refused = store.commit(job(&tenant, vec![entry("c", place.clock.now())])).await;
        assert_eq!(refused, Err(StoreError::Busy));
        store.close().await;
        let store = place.open().await;
        assert_eq!(store.logs_after(&tenant, None, 10_000).await.unwrap().len(), 4096);
        store.close().await;
    }
}
