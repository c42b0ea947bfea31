//! A list knows its length whatever happens to its rows, and filters let through what they say.

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_store::{Added, Client, ClientFilter, ClientGrantFilter, Page, Store};

use crate::place::{Place, both};
use crate::samples::{api, client, connection, grant, secret, user, with_tenant};

both!(
    what_is_added_and_removed_is_counted_with_what_goes_along,
    what_was_not_committed_is_not_counted,
    clients_are_filtered_and_counted,
    grants_are_filtered_and_counted,
    secrets_of_several_clients_come_newest_first,
);

async fn what_is_added_and_removed_is_counted_with_what_goes_along(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let other = with_tenant(&store, "other").await;
    let (a, b, x, y) = (client(), client(), api(Some("x")), api(Some("y")));
    let mut tx = store.begin().await.unwrap();
    for client in [&a, &b] {
        assert_eq!(tx.add_client(&tenant, client).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_client(&tenant, client).await.unwrap(), Added::Exists);
    }
    for api in [&x, &y] {
        assert_eq!(tx.add_api(&tenant, api).await.unwrap(), Added::Yes);
        for client in [&a, &b] {
            assert_eq!(
                tx.add_client_grant(&tenant, &grant(client, api)).await.unwrap(),
                Added::Yes
            );
            assert_eq!(
                tx.add_client_grant(&tenant, &grant(client, api)).await.unwrap(),
                Added::Exists
            );
        }
    }
    let home = connection("home");
    assert_eq!(tx.add_connection(&tenant, &home).await.unwrap(), Added::Yes);
    let person = user(&home, Some("a@example.com"), None);
    assert_eq!(tx.add_user(&tenant, &person).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    assert_eq!(totals(&store, &tenant).await, (2, 4, 1));
    assert_eq!(totals(&store, &other).await, (0, 0, 0));

    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_client(&tenant, &a.id).await.unwrap());
    assert!(!tx.remove_client(&tenant, &a.id).await.unwrap());
    assert!(tx.remove_user(&tenant, &person.id).await.unwrap());
    assert!(!tx.remove_user(&tenant, &person.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(totals(&store, &tenant).await, (1, 2, 0));
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_api(&tenant, &x.id).await.unwrap());
    assert!(!tx.remove_api(&tenant, &x.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(totals(&store, &tenant).await, (1, 1, 0));
    let last = store.client_grants(&tenant, Page::first(10)).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_client_grant(&tenant, &last[0].id).await.unwrap().is_some());
    assert!(tx.remove_client_grant(&tenant, &last[0].id).await.unwrap().is_none());
    tx.commit().await.unwrap();
    assert_eq!(totals(&store, &tenant).await, (1, 0, 0));
    store.close().await;
}

async fn what_was_not_committed_is_not_counted(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &client()).await.unwrap(), Added::Yes);
    drop(tx);
    assert_eq!(totals(&store, &tenant).await, (0, 0, 0));
    store.close().await;
}

async fn clients_are_filtered_and_counted(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let kind = |kind: Option<&str>| Client {
        app_type: kind.map(str::to_owned),
        ..client()
    };
    let stranger = Client {
        is_first_party: false,
        ..kind(Some("native"))
    };
    let global = Client {
        is_global: true,
        ..kind(None)
    };
    let mut tx = store.begin().await.unwrap();
    for client in [
        &kind(Some("spa")),
        &kind(Some("spa")),
        &kind(Some("native")),
        &stranger,
        &global,
    ] {
        assert_eq!(tx.add_client(&tenant, client).await.unwrap(), Added::Yes);
    }
    let second = Client {
        is_global: true,
        ..client()
    };
    assert_eq!(
        tx.add_client(&tenant, &second).await.unwrap(),
        Added::Exists,
        "there is one"
    );
    tx.commit().await.unwrap();
    let filter = |is_global, is_first_party, kinds: &[&str]| ClientFilter {
        is_global,
        is_first_party,
        app_types: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    for (filter, expected) in [
        (filter(None, None, &[]), 5),
        (filter(Some(true), None, &[]), 1),
        (filter(Some(false), None, &[]), 4),
        (filter(None, Some(false), &[]), 1),
        (filter(None, Some(true), &["native"]), 1),
        (filter(None, None, &["spa"]), 2),
        (filter(Some(false), None, &["spa", "native", "regular_web"]), 4),
        (filter(None, None, &["none"]), 0),
    ] {
        let page = store.clients_matching(&tenant, &filter, Page::first(10)).await.unwrap();
        let total = store.clients_total(&tenant, &filter).await.unwrap();
        assert_eq!(
            (page.len(), total),
            (usize::try_from(expected).unwrap(), expected),
            "{filter:?}"
        );
        let (first, rest) = (Page::first(2), Page::Offset { offset: 2, take: 10 });
        let mut both = store.clients_matching(&tenant, &filter, first).await.unwrap();
        both.extend(store.clients_matching(&tenant, &filter, rest).await.unwrap());
        assert_eq!(both, page, "{filter:?}");
    }
    store.close().await;
}

async fn grants_are_filtered_and_counted(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (x, y) = (api(Some("x")), api(Some("y")));
    let mut tx = store.begin().await.unwrap();
    for api in [&x, &y] {
        assert_eq!(tx.add_api(&tenant, api).await.unwrap(), Added::Yes);
    }
    for number in 0..6 {
        let client = client();
        assert_eq!(tx.add_client(&tenant, &client).await.unwrap(), Added::Yes);
        let mut grant = grant(&client, if number < 4 { &x } else { &y });
        grant.subject_type = if number % 2 == 0 { "client" } else { "user" }.into();
        assert_eq!(tx.add_client_grant(&tenant, &grant).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    for (api_id, subject, expected) in [
        (None, None, 6),
        (Some(&x), None, 4),
        (Some(&x), Some("user"), 2),
        (None, Some("client"), 3),
        (Some(&y), Some("nobody"), 0),
    ] {
        let filter = ClientGrantFilter {
            api_id: api_id.map(|api| api.id.clone()),
            subject_type: subject.map(str::to_owned),
        };
        let rows = store
            .client_grants_matching(&tenant, &filter, Page::first(10))
            .await
            .unwrap();
        let total = store.client_grants_total(&tenant, &filter).await.unwrap();
        assert_eq!(
            (rows.len(), total),
            (usize::try_from(expected).unwrap(), expected),
            "{filter:?}"
        );
        assert!(rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| a.id < b.id));
    }
    store.close().await;
}

async fn secrets_of_several_clients_come_newest_first(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (a, b, c) = (client(), client(), client());
    let (old, new, other) = (secret(&a, 10), secret(&a, 5), secret(&b, 1));
    let mut tx = store.begin().await.unwrap();
    for client in [&a, &b, &c] {
        assert_eq!(tx.add_client(&tenant, client).await.unwrap(), Added::Yes);
    }
    for secret in [&old, &new, &other] {
        assert_eq!(tx.add_client_secret(&tenant, secret).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let ids: Vec<ClientId> = [&a, &b, &c].map(|client| client.id.clone()).into();
    let found = store.secrets_of_clients(&tenant, &ids).await.unwrap();
    assert_eq!(found.len(), 3);
    let of_a: Vec<_> = found.iter().filter(|secret| secret.client_id == a.id).collect();
    assert_eq!(of_a, [&new, &old]);
    assert!(store.secrets_of_clients(&tenant, &[]).await.unwrap().is_empty());
    store.close().await;
}

/// How many clients, client grants and users there are.
async fn totals(store: &Store, tenant: &TenantId) -> (u64, u64, u64) {
    (
        store.clients_total(tenant, &ClientFilter::default()).await.unwrap(),
        store
            .client_grants_total(tenant, &ClientGrantFilter::default())
            .await
            .unwrap(),
        store.users_total(tenant).await.unwrap(),
    )
}
