//! Logins are counted from the log, each once, without touching anything else of the user.

use tokenhouse_protocol::id::{TenantId, UserId};
use tokenhouse_store::{Added, LogEntry, Logins, Store, User};

use crate::place::{Place, both};
use crate::samples::{connection, entry, job, user, with_tenant};

both!(
    logins_are_counted_once_and_the_last_is_kept,
    whoever_signed_in_lately_is_active,
);

/// A user of a new connection.
async fn with_user(store: &Store, tenant: &TenantId) -> User {
    let here = connection("here");
    let one = user(&here, Some("a@example.com"), None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(tenant, &here).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(tenant, &one).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    one
}

async fn logins_are_counted_once_and_the_last_is_kept(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let one = with_user(&store, &tenant).await;
    let now = place.clock.now();
    let login = |kind, seconds: i64, address: &str| LogEntry {
        kind,
        user_id: Some(one.id.clone()),
        address: Some(address.into()),
        ..entry("a", now.plus_ms(seconds * 1000))
    };
    let nobody = LogEntry {
        user_id: Some(UserId::new("auth0|gone")),
        ..login("sepft", 0, "192.0.2.7")
    };
    let first = vec![login("sepft", 5, "192.0.2.5"), login("fp", 9, "192.0.2.9"), nobody];
    store.commit(job(&tenant, first)).await.unwrap();
    store.fold_usage().await.unwrap();
    let second = vec![login("sepft", 6, "192.0.2.6"), login("s", 7, "2001:db8::1")];
    store.commit(job(&tenant, second)).await.unwrap();
    store.fold_usage().await.unwrap();
    store.fold_usage().await.unwrap();
    let expected = Logins {
        count: 3,
        last_at: Some(now.plus_ms(7000)),
        last_address: Some("2001:db8::1".into()),
    };
    let found = store.user(&tenant, &one.id).await.unwrap().unwrap();
    assert_eq!(
        found,
        User {
            logins: expected,
            ..one.clone()
        }
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.update_user(&tenant, &one).await.unwrap());
    tx.commit().await.unwrap();
    let kept = store.user(&tenant, &one.id).await.unwrap().unwrap();
    assert_eq!(kept.logins, found.logins, "a change of the user takes no login back");
    store.close().await;
}

async fn whoever_signed_in_lately_is_active(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let one = with_user(&store, &tenant).await;
    let now = place.clock.now();
    assert_eq!(store.active_users_total(&tenant, now).await.unwrap(), 0);
    let login = LogEntry {
        kind: "sepft",
        user_id: Some(one.id),
        ..entry("a", now)
    };
    store.commit(job(&tenant, vec![login])).await.unwrap();
    store.fold_usage().await.unwrap();
    assert_eq!(store.active_users_total(&tenant, now).await.unwrap(), 1);
    assert_eq!(store.active_users_total(&tenant, now.plus_ms(1)).await.unwrap(), 0);
    store.close().await;
}
