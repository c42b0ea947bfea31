//! Every record comes back as it was written, and a conflict is an outcome.

use tokenhouse_protocol::id::{ApiId, ClientGrantId, ClientId, TenantId};
use tokenhouse_store::{Added, Installation, KeyState, Page};

use crate::place::{Place, both};
use crate::samples::{api, at, client, connection, grant, key, secret, tenant, with_tenant};

both!(
    tenants_come_back_and_are_found_by_host,
    an_installation_is_set_once,
    clients_come_back_and_change,
    a_rotated_secret_expires_and_the_newest_comes_first,
    apis_come_back_with_their_scopes_in_order,
    a_tenant_has_one_system_api,
    grants_come_back_and_are_one_per_client_api_and_subject,
    keys_move_through_their_states,
    a_page_goes_on_where_the_last_one_ended,
    a_name_with_u0000_is_the_name_of_nothing,
    connections_that_name_an_application_are_found,
);

async fn connections_that_name_an_application_are_found(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut tx = store.begin().await.unwrap();
    let [mut one, other] = ["one", "other"].map(connection);
    let listed = serde_json::json!(["first", "app_1"]);
    one.rest.insert("enabled_clients".into(), listed);
    for connection in [&one, &other] {
        assert_eq!(tx.add_connection(&tenant, connection).await.unwrap(), Added::Yes);
    }
    let naming = tx
        .connections_that_name(&tenant, &ClientId::new("app_1"))
        .await
        .unwrap();
    assert_eq!(naming, [one]);
    let strangers = TenantId::new("other");
    let naming = tx
        .connections_that_name(&strangers, &ClientId::new("app_1"))
        .await
        .unwrap();
    assert_eq!(naming, []);
    tx.commit().await.unwrap();
    store.close().await;
}

async fn tenants_come_back_and_are_found_by_host(place: &Place) {
    let store = place.open().await;
    let id = with_tenant(&store, "acme").await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_tenant(&tenant("acme")).await.unwrap(), Added::Exists);
    assert_eq!(tx.add_host(&id, "acme.test").await.unwrap(), Added::Yes);
    assert_eq!(tx.add_host(&id, "acme.test").await.unwrap(), Added::Exists);
    let mut changed = tenant("acme");
    changed.issuer = None;
    changed.settings.clear();
    assert!(tx.update_tenant(&changed).await.unwrap());
    assert!(!tx.update_tenant(&tenant("other")).await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(store.tenant(&id).await.unwrap(), Some(changed));
    assert_eq!(store.tenant_by_host("acme.test").await.unwrap(), Some(id.clone()));
    assert_eq!(store.tenant_by_host("other.test").await.unwrap(), None);
    assert_eq!(store.hosts(&id).await.unwrap(), ["acme.test"]);
    assert_eq!(store.all_hosts().await.unwrap(), ["acme.test"]);
    store.close().await;
}

async fn an_installation_is_set_once(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.installation().await.unwrap(), None);
    let first = Installation {
        seal_check: "a".into(),
        digest_key_sealed: "b".into(),
        created_at: at(0),
    };
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_installation(&first).await.unwrap(), Added::Yes);
    let second = Installation {
        seal_check: "c".into(),
        ..first.clone()
    };
    assert_eq!(tx.add_installation(&second).await.unwrap(), Added::Exists);
    tx.commit().await.unwrap();
    assert_eq!(store.installation().await.unwrap(), Some(first));
    store.close().await;
}

async fn clients_come_back_and_change(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut one = client();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_client(&tenant, &one).await.unwrap(), Added::Exists);
    assert_eq!(tx.client(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    tx.commit().await.unwrap();
    assert_eq!(store.client(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(
        store.client_by_name(&tenant, "Sample application").await.unwrap(),
        Some(one.clone())
    );

    one.name = "Renamed".into();
    one.app_type = None;
    one.token_endpoint_auth_method = Some("none".into());
    one.grant_types.clear();
    one.is_first_party = false;
    one.is_global = true;
    one.updated_at = at(99);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.update_client(&tenant, &one).await.unwrap());
    assert!(!tx.update_client(&tenant, &client()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.client(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.client_by_name(&tenant, "Sample application").await.unwrap(), None);

    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_client(&tenant, &one.id).await.unwrap());
    assert!(!tx.remove_client(&tenant, &one.id).await.unwrap());
    drop(tx);
    assert!(
        store.client(&tenant, &one.id).await.unwrap().is_some(),
        "a dropped transaction leaves nothing"
    );
    store.close().await;
}

async fn a_rotated_secret_expires_and_the_newest_comes_first(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let owner = client();
    let (mut old, mut new) = (secret(&owner, 100), secret(&owner, 0));
    new.sealed = None;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &owner).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_client_secret(&tenant, &old).await.unwrap(), Added::Yes);
    assert_eq!(tx.expire_client_secrets(&tenant, &owner.id, at(50)).await.unwrap(), 1);
    assert_eq!(tx.expire_client_secrets(&tenant, &owner.id, at(60)).await.unwrap(), 0);
    assert_eq!(tx.add_client_secret(&tenant, &new).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    old.expires_at = Some(at(50));
    assert_eq!(
        store.client_secrets(&tenant, &owner.id).await.unwrap(),
        [new.clone(), old.clone()]
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_client_secret(&tenant, &owner.id, &old.id).await.unwrap());
    assert!(!tx.remove_client_secret(&tenant, &client().id, &new.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.client_secrets(&tenant, &owner.id).await.unwrap(), [new]);
    store.close().await;
}

async fn apis_come_back_with_their_scopes_in_order(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut one = api(Some("https://api.example.com"));
    let mut other = api(Some("https://API.example.com"));
    other.signing_alg = "ES256".into();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_api(&tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_api(&tenant, &other).await.unwrap(),
        Added::Yes,
        "identifiers are compared byte by byte"
    );
    assert_eq!(
        tx.add_api(&tenant, &api(Some("https://api.example.com")))
            .await
            .unwrap(),
        Added::Exists
    );
    one.scopes.reverse();
    one.name = None;
    one.token_dialect = None;
    one.signing_secret_sealed = Some("sealed".into());
    assert!(tx.update_api(&tenant, &one).await.unwrap());
    assert!(!tx.update_api(&tenant, &api(None)).await.unwrap());
    assert_eq!(tx.api(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    tx.commit().await.unwrap();
    assert_eq!(store.api(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(
        store
            .api_by_identifier(&tenant, "https://api.example.com")
            .await
            .unwrap(),
        Some(one)
    );
    assert_eq!(store.algorithms(&tenant).await.unwrap(), ["ES256", "RS256"]);
    store.close().await;
}

async fn a_tenant_has_one_system_api(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    assert_eq!(store.system_api(&tenant).await.unwrap(), None);
    let system = api(None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_api(&tenant, &system).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_api(&tenant, &api(None)).await.unwrap(), Added::Exists);
    assert_eq!(tx.add_api(&tenant, &api(Some("other"))).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    assert_eq!(store.system_api(&tenant).await.unwrap(), Some(system));
    store.close().await;
}

async fn grants_come_back_and_are_one_per_client_api_and_subject(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (holder, target) = (client(), api(Some("a")));
    let mut first = grant(&holder, &target);
    let mut about_users = grant(&holder, &target);
    about_users.subject_type = "user".into();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &holder).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_api(&tenant, &target).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_client_grant(&tenant, &first).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_client_grant(&tenant, &grant(&holder, &target)).await.unwrap(),
        Added::Exists
    );
    assert_eq!(tx.add_client_grant(&tenant, &about_users).await.unwrap(), Added::Yes);
    first.scopes.clear();
    first.allow_all_scopes = true;
    assert!(tx.update_client_grant(&tenant, &first).await.unwrap());
    assert_eq!(tx.client_grant(&tenant, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(
        tx.remove_client_grant(&tenant, &about_users.id).await.unwrap(),
        Some(about_users.clone())
    );
    assert_eq!(tx.remove_client_grant(&tenant, &about_users.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!(
        store.client_grant(&tenant, &first.id).await.unwrap(),
        Some(first.clone())
    );
    assert_eq!(
        store.grants_of_client(&tenant, &holder.id).await.unwrap(),
        [first.clone()]
    );
    assert_eq!(store.grants_of_api(&tenant, &target.id).await.unwrap(), [first.clone()]);
    assert_eq!(store.client_grants(&tenant, Page::first(5)).await.unwrap(), [first]);

    let mut tx = store.begin().await.unwrap();
    let orphan = grant(&client(), &target);
    assert!(
        tx.add_client_grant(&tenant, &orphan).await.is_err(),
        "a grant needs its client"
    );
    drop(tx);
    store.close().await;
}

async fn keys_move_through_their_states(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut old = key(KeyState::Current);
    let mut new = key(KeyState::Next);
    new.created_at = at(13);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_key(&tenant, &old).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_key(&tenant, &new).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_key(&tenant, &key(KeyState::Current)).await.unwrap(),
        Added::Exists
    );
    assert_eq!(tx.add_key(&tenant, &key(KeyState::Next)).await.unwrap(), Added::Exists);
    assert!(
        !tx.set_key_state(&tenant, &new.id, KeyState::Current, at(14))
            .await
            .unwrap(),
        "the old one signs"
    );
    assert!(
        tx.set_key_state(&tenant, &old.id, KeyState::Previous, at(14))
            .await
            .unwrap()
    );
    assert!(
        tx.set_key_state(&tenant, &new.id, KeyState::Current, at(14))
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    (old.state, old.previous_at) = (KeyState::Previous, Some(at(14)));
    (new.state, new.current_at) = (KeyState::Current, Some(at(14)));
    assert_eq!(store.keys(&tenant).await.unwrap(), [old.clone(), new.clone()]);

    let mut tx = store.begin().await.unwrap();
    assert!(
        tx.set_key_state(&tenant, &old.id, KeyState::Revoked, at(15))
            .await
            .unwrap()
    );
    (old.state, old.revoked_at) = (KeyState::Revoked, Some(at(15)));
    assert_eq!(tx.keys(&tenant, "RS256").await.unwrap(), [old.clone(), new.clone()]);
    assert_eq!(tx.keys(&tenant, "ES256").await.unwrap(), []);
    assert!(tx.remove_key(&tenant, &old.id).await.unwrap());
    assert!(!tx.remove_key(&tenant, &old.id).await.unwrap());
    tx.commit().await.unwrap();
    store.close().await;
}

async fn a_page_goes_on_where_the_last_one_ended(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut tx = store.begin().await.unwrap();
    for _ in 0..25 {
        assert_eq!(tx.add_client(&tenant, &client()).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let all = store.clients(&tenant, Page::first(100)).await.unwrap();
    assert_eq!(all.len(), 25);
    let (mut by_id, mut by_number) = (Vec::new(), Vec::new());
    let mut page = Page::first(10);
    for offset in [0, 10, 20, 30] {
        by_number.extend(store.clients(&tenant, Page::Offset { offset, take: 10 }).await.unwrap());
        by_id.extend(store.clients(&tenant, page).await.unwrap());
        page = Page::after(by_id.last().unwrap().id.as_str(), 10);
    }
    assert_eq!(by_id, all);
    assert_eq!(by_number, all);
    store.close().await;
}

async fn a_name_with_u0000_is_the_name_of_nothing(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    assert_eq!(store.client(&tenant, &ClientId::new("a\0b")).await.unwrap(), None);
    assert_eq!(
        store.client(&TenantId::new("\0"), &ClientId::new("a")).await.unwrap(),
        None
    );
    assert_eq!(store.api_by_identifier(&tenant, "a\0b").await.unwrap(), None);
    assert_eq!(store.api(&tenant, &ApiId::new("\0")).await.unwrap(), None);
    assert_eq!(
        store.client_grant(&tenant, &ClientGrantId::new("\0")).await.unwrap(),
        None
    );
    assert_eq!(store.tenant_by_host("\0").await.unwrap(), None);
    assert_eq!(
        store.user_by_login(&tenant, &connection("x").id, "\0").await.unwrap(),
        None
    );
    store.close().await;
}
