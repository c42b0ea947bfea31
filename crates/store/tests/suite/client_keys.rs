//! The keys of applications, and the assertions signed with them: each is good once, whoever comes with it.

use std::collections::HashSet;

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::{ClientId, CredentialId, TenantId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Client, ClientKey, Job, UsedAssertion};

use crate::place::{Place, both};
use crate::samples::{at, client, entry, job, rest, with_tenant};

both!(
    keys_come_back_and_their_kids_are_unique_in_an_application,
    an_assertion_is_used_once_and_what_comes_late_writes_nothing,
    one_batch_settles_its_own_duplicates,
    two_nodes_use_an_assertion_once,
    the_same_jti_of_another_client_or_tenant_is_another,
    a_batch_that_fails_leaves_its_assertions_unused,
    assertions_are_forgotten_once_nobody_would_take_them,
);

async fn keys_come_back_and_their_kids_are_unique_in_an_application(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (one, two) = (client(), client());
    let first = key(&one, "k1", Some(at(99)));
    let mut tx = store.begin().await.unwrap();
    for client in [&one, &two] {
        assert_eq!(tx.add_client(&tenant, client).await.unwrap(), Added::Yes);
    }
    assert_eq!(tx.add_client_key(&tenant, &first).await.unwrap(), Added::Yes);
    for (key, added) in [
        (key(&one, "k1", None), Added::Exists),
        (key(&two, "k1", None), Added::Yes),
        (key(&one, "k2", None), Added::Yes),
    ] {
        assert_eq!(tx.add_client_key(&tenant, &key).await.unwrap(), added);
    }
    assert_eq!(tx.client_keys(&tenant, &one.id).await.unwrap().len(), 2);
    tx.commit().await.unwrap();
    assert!(store.client_keys(&tenant, &one.id).await.unwrap().contains(&first));
    let mut tx = store.begin().await.unwrap();
    assert!(!tx.remove_client_key(&tenant, &two.id, &first.id).await.unwrap());
    assert!(tx.remove_client_key(&tenant, &one.id, &first.id).await.unwrap());
    assert!(tx.remove_client(&tenant, &two.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.client_keys(&tenant, &one.id).await.unwrap().len(), 1);
    assert_eq!(store.client_keys(&tenant, &two.id).await.unwrap(), []);
    store.close().await;
}

async fn an_assertion_is_used_once_and_what_comes_late_writes_nothing(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let first = store
        .commit(using(&tenant, "c", "j1", place.clock.now()))
        .await
        .unwrap();
    assert_eq!((first.logs.len(), first.is_replay), (1, false));
    let again = store
        .commit(using(&tenant, "c", "j1", place.clock.now()))
        .await
        .unwrap();
    assert_eq!((again.logs.len(), again.is_replay), (0, true));
    let other = store
        .commit(using(&tenant, "c", "j2", place.clock.now()))
        .await
        .unwrap();
    assert!(!other.is_replay);
    let hostile = using(&tenant, "c", "a\0b", place.clock.now());
    assert!(!store.commit(hostile.clone()).await.unwrap().is_replay);
    assert!(store.commit(hostile).await.unwrap().is_replay);
    assert_eq!(store.logs_after(&tenant, None, 10).await.unwrap().len(), 3);
    store.fold_usage().await.unwrap();
    store.close().await;
}

async fn one_batch_settles_its_own_duplicates(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let callers: Vec<_> = (0..300)
        .map(|number: u32| {
            let used = using(&tenant, "c", &format!("j{}", number % 20), place.clock.now());
            let plain = job(&tenant, vec![entry("plain", place.clock.now())]);
            let (store, job) = (store.clone(), if number.is_multiple_of(3) { plain } else { used });
            tokio::spawn(async move { store.commit(job).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for caller in callers {
        let outcome = caller.await.unwrap();
        assert_eq!(outcome.is_replay, outcome.logs.is_empty());
        given.extend(outcome.logs);
    }
    assert_eq!(given.len(), 100 + 20, "those without an assertion, and one of each");
    let rows = store.logs_after(&tenant, None, 1000).await.unwrap();
    let written: HashSet<_> = rows.into_iter().map(|row| row.id).collect();
    assert_eq!(
        written,
        given.into_iter().collect(),
        "each caller has the id of their own row"
    );
    store.close().await;
}

async fn two_nodes_use_an_assertion_once(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let tenant = with_tenant(&one, "acme").await;
    for round in 0..20 {
        let names: Vec<String> = (0..5).map(|number| format!("{round}-{number}")).collect();
        let ask = |store: &tokenhouse_store::Store, names: Vec<String>| {
            let (store, tenant, now) = (store.clone(), tenant.clone(), place.clock.now());
            tokio::spawn(async move {
                let jobs = names.iter().map(|name| using(&tenant, "c", name, now));
                let jobs: Vec<_> = jobs
                    .map(|job| {
                        tokio::spawn({
                            let store = store.clone();
                            async move { store.commit(job).await.unwrap().is_replay }
                        })
                    })
                    .collect();
                let mut late = 0;
                for job in jobs {
                    late += usize::from(job.await.unwrap());
                }
                late
            })
        };
        // In opposite orders, so that two transactions could wait for each other.
        let backwards: Vec<String> = names.iter().rev().cloned().collect();
        let (first, second) = (ask(&one, names), ask(&two, backwards));
        assert_eq!(first.await.unwrap() + second.await.unwrap(), 5);
    }
    assert_eq!(one.logs_after(&tenant, None, 1000).await.unwrap().len(), 100);
    one.close().await;
    two.close().await;
}

async fn the_same_jti_of_another_client_or_tenant_is_another(place: &Place) {
    let store = place.open().await;
    let (acme, other) = (with_tenant(&store, "acme").await, with_tenant(&store, "other").await);
    for (tenant, client) in [(&acme, "a"), (&acme, "b"), (&other, "a")] {
        let outcome = store
            .commit(using(tenant, client, "j", place.clock.now()))
            .await
            .unwrap();
        assert!(!outcome.is_replay);
    }
    store.close().await;
}

async fn a_batch_that_fails_leaves_its_assertions_unused(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    place.run("alter table logs rename to elsewhere").await;
    assert!(store.commit(using(&tenant, "c", "j", place.clock.now())).await.is_err());
    place.run("alter table elsewhere rename to logs").await;
    let again = store.commit(using(&tenant, "c", "j", place.clock.now())).await.unwrap();
    assert!(!again.is_replay);
    store.close().await;
}

async fn assertions_are_forgotten_once_nobody_would_take_them(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let expires_at = place.clock.now();
    assert!(
        !store
            .commit(using(&tenant, "c", "j", expires_at))
            .await
            .unwrap()
            .is_replay
    );
    place.clock.advance_ms(600_000);
    assert_eq!(store.prune_assertions().await.unwrap(), 0);
    place.clock.advance_ms(1);
    assert_eq!(store.prune_assertions().await.unwrap(), 1);
    assert!(
        !store
            .commit(using(&tenant, "c", "j", expires_at))
            .await
            .unwrap()
            .is_replay
    );
    store.close().await;
}

/// A job with one row that uses an assertion up.
fn using(tenant: &TenantId, client: &str, jti: &str, expires_at: Timestamp) -> Job {
    Job {
        uses: Some(UsedAssertion {
            client_id: ClientId::new(client),
            jti: jti.into(),
            expires_at,
        }),
        ..job(tenant, vec![entry(client, expires_at)])
    }
}

fn key(client: &Client, kid: &str, expires_at: Option<Timestamp>) -> ClientKey {
    ClientKey {
        id: CredentialId::generate(&Random::system()),
        client_id: client.id.clone(),
        name: Some("Ünïcode 'quoted'".into()),
        kid: kid.into(),
        algorithm: "RS256".into(),
        jwk: rest(),
        created_at: at(30),
        updated_at: at(31),
        expires_at,
    }
}
