//! What belongs together goes together, and tenants do not see each other.

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Added, Change, KeyState, Page, Store, UsageRow};

use crate::place::{Place, both};
use crate::samples::{api, client, connection, entry, grant, job, key, secret, user, with_tenant};

both!(
    what_belongs_to_a_client_goes_with_it,
    what_belongs_to_an_api_goes_with_it,
    the_same_ids_in_two_tenants_are_two_records,
    a_removed_tenant_leaves_the_others_alone,
);

async fn what_belongs_to_a_client_goes_with_it(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (holder, target) = (client(), api(Some("a")));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &holder).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_api(&tenant, &target).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_client_secret(&tenant, &secret(&holder, 0)).await.unwrap(),
        Added::Yes
    );
    assert_eq!(
        tx.add_client_grant(&tenant, &grant(&holder, &target)).await.unwrap(),
        Added::Yes
    );
    assert!(tx.remove_client(&tenant, &holder.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.client_secrets(&tenant, &holder.id).await.unwrap(), []);
    assert_eq!(store.client_grants(&tenant, Page::first(5)).await.unwrap(), []);
    assert!(store.api(&tenant, &target.id).await.unwrap().is_some());
    store.close().await;
}

async fn what_belongs_to_an_api_goes_with_it(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (holder, target) = (client(), api(Some("a")));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &holder).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_api(&tenant, &target).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_client_grant(&tenant, &grant(&holder, &target)).await.unwrap(),
        Added::Yes
    );
    assert!(tx.remove_api(&tenant, &target.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.grants_of_client(&tenant, &holder.id).await.unwrap(), []);
    assert!(store.client(&tenant, &holder.id).await.unwrap().is_some());
    store.close().await;
}

async fn the_same_ids_in_two_tenants_are_two_records(place: &Place) {
    let store = place.open().await;
    let (one, two) = (with_tenant(&store, "one").await, with_tenant(&store, "two").await);
    let (holder, target, realm) = (client(), api(Some("a")), connection("Users"));
    let (permit, member, signing) = (
        grant(&holder, &target),
        user(&realm, Some("a@b"), None),
        key(KeyState::Current),
    );
    let mut tx = store.begin().await.unwrap();
    for tenant in [&one, &two] {
        assert_eq!(tx.add_client(tenant, &holder).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_api(tenant, &target).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_client_grant(tenant, &permit).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_connection(tenant, &realm).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_user(tenant, &member).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_key(tenant, &signing).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let mut renamed = holder.clone();
    renamed.name = "Only in one".into();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.update_client(&one, &renamed).await.unwrap());
    assert!(tx.remove_connection(&one, &realm.id).await.unwrap());
    assert!(tx.remove_key(&one, &signing.id).await.unwrap());
    assert!(tx.remove_api(&one, &target.id).await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(store.client(&one, &holder.id).await.unwrap(), Some(renamed));
    assert_eq!(store.user(&one, &member.id).await.unwrap(), None);
    assert_eq!(store.client(&two, &holder.id).await.unwrap(), Some(holder.clone()));
    assert_eq!(store.user(&two, &member.id).await.unwrap(), Some(member));
    assert_eq!(store.keys(&two).await.unwrap(), [signing]);
    assert_eq!(store.grants_of_client(&two, &holder.id).await.unwrap(), [permit]);
    assert_sees_nothing(&store, &TenantId::new("three")).await;
    store.close().await;
}

async fn a_removed_tenant_leaves_the_others_alone(place: &Place) {
    let store = place.open().await;
    let (gone, stays) = (with_tenant(&store, "gone").await, with_tenant(&store, "stays").await);
    let holder = client();
    let mut tx = store.begin().await.unwrap();
    for tenant in [&gone, &stays] {
        assert_eq!(tx.add_client(tenant, &holder).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_api(tenant, &api(Some("a"))).await.unwrap(), Added::Yes);
        assert_eq!(
            tx.add_connection(tenant, &connection("Users")).await.unwrap(),
            Added::Yes
        );
        assert_eq!(
            tx.add_host(tenant, &format!("{tenant}.test")).await.unwrap(),
            Added::Yes
        );
        tx.bump(tenant, Change::Settings).await.unwrap();
    }
    tx.commit().await.unwrap();
    for tenant in [&gone, &stays] {
        let entries = (0..5).map(|_| entry("c", place.clock.now())).collect();
        store.commit(job(tenant, entries)).await.unwrap();
    }
    store.fold_usage().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_hosts(&gone).await.unwrap());
    tx.commit().await.unwrap();
    let mut steps = Vec::new();
    loop {
        match store.remove_some_of_tenant(&gone, 3).await.unwrap() {
            0 => break,
            step => steps.push(step),
        }
    }
    // A client, an API, the log's lines, and their sums.
    assert_eq!(steps[..4], [1, 1, 3, 2]);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_tenant(&gone).await.unwrap());
    assert!(!tx.remove_tenant(&gone).await.unwrap());
    tx.commit().await.unwrap();

    assert_sees_nothing(&store, &gone).await;
    assert_eq!(store.tenant_by_host("gone.test").await.unwrap(), None);
    assert_eq!(store.client(&stays, &holder.id).await.unwrap(), Some(holder));
    assert_eq!(store.logs_latest(&stays, 9).await.unwrap().len(), 5);
    assert!(!usage(&store, &stays).await.is_empty());
    assert_eq!(usage(&store, &gone).await, []);
    assert_eq!(store.revisions(&[gone, stays.clone()]).await.unwrap(), [(stays, 1)]);
    store.close().await;
}

async fn usage(store: &Store, tenant: &TenantId) -> Vec<UsageRow> {
    let (from, to) = (Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX));
    store.usage(tenant, from, to).await.unwrap()
}

async fn assert_sees_nothing(store: &Store, tenant: &TenantId) {
    assert_eq!(store.tenant(tenant).await.unwrap(), None);
    assert_eq!(store.clients(tenant, Page::first(5)).await.unwrap(), []);
    assert_eq!(store.apis(tenant, Page::first(5)).await.unwrap(), []);
    assert_eq!(store.client_grants(tenant, Page::first(5)).await.unwrap(), []);
    assert_eq!(store.connections(tenant, Page::first(5)).await.unwrap(), []);
    assert_eq!(store.users(tenant, Page::first(5)).await.unwrap(), []);
    assert_eq!(store.keys(tenant).await.unwrap(), []);
    assert_eq!(store.hosts(tenant).await.unwrap(), [""; 0]);
    assert_eq!(store.logs_latest(tenant, 5).await.unwrap(), []);
}
