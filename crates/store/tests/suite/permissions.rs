//! What users may do: roles, and permissions given directly and by roles.

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::{RoleId, TenantId};
use tokenhouse_store::{Added, Api, Page, Permission, Role, Store, User};

use crate::place::{Place, both};
use crate::samples::{api, at, connection, user, with_tenant};

both!(
    roles_come_back_and_their_names_are_unique,
    a_user_has_what_was_given_directly_and_by_roles_each_once,
    what_is_removed_takes_its_permissions_along,
    a_dropped_scope_leaves_every_user_and_role,
);

async fn roles_come_back_and_their_names_are_unique(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (mut one, two) = (role("Editor"), role("Reader"));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_role(&tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_role(&tenant, &two).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_role(&tenant, &role("Editor")).await.unwrap(), Added::Exists);
    one.name = "Reader".into();
    assert!(!tx.update_role(&tenant, &one).await.unwrap(), "the name is another's");
    one.name = "Author".into();
    one.description = None;
    assert!(tx.update_role(&tenant, &one).await.unwrap());
    assert_eq!(tx.role(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert!(!tx.update_role(&tenant, &role("Nobody")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.role(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.role_by_name(&tenant, "Author").await.unwrap(), Some(one));
    assert_eq!(store.role_by_name(&tenant, "Editor").await.unwrap(), None);
    assert_eq!(store.roles(&tenant, Page::first(5)).await.unwrap().len(), 2);
    let other = with_tenant(&store, "other").await;
    assert_eq!(store.roles(&other, Page::first(5)).await.unwrap(), []);
    store.close().await;
}

async fn a_user_has_what_was_given_directly_and_by_roles_each_once(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (one, somebody, role) = arranged(&store, &tenant).await;
    let (read, write) = (permission(&one, "read:messages"), permission(&one, "write:messages"));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.add_user_permission(&tenant, &somebody.id, &read).await.unwrap(),
        Added::Yes
    );
    assert_eq!(
        tx.add_user_permission(&tenant, &somebody.id, &read).await.unwrap(),
        Added::Exists
    );
    for given in [&read, &write] {
        assert_eq!(
            tx.add_role_permission(&tenant, &role.id, given).await.unwrap(),
            Added::Yes
        );
    }
    tx.commit().await.unwrap();
    assert_eq!(scopes(&store, &tenant, &somebody, &one).await, ["read:messages"]);

    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.add_user_role(&tenant, &somebody.id, &role.id).await.unwrap(),
        Added::Yes
    );
    assert_eq!(
        tx.add_user_role(&tenant, &somebody.id, &role.id).await.unwrap(),
        Added::Exists
    );
    tx.commit().await.unwrap();
    assert_eq!(
        scopes(&store, &tenant, &somebody, &one).await,
        ["read:messages", "write:messages"]
    );
    assert_eq!(
        store.roles_of_user(&tenant, &somebody.id).await.unwrap(),
        std::slice::from_ref(&role)
    );
    assert_eq!(
        store.permissions_of_user(&tenant, &somebody.id).await.unwrap(),
        std::slice::from_ref(&read)
    );
    assert_eq!(
        store.permissions_of_role(&tenant, &role.id).await.unwrap(),
        [read.clone(), write.clone()]
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_user_permission(&tenant, &somebody.id, &read).await.unwrap());
    assert!(!tx.remove_user_permission(&tenant, &somebody.id, &read).await.unwrap());
    assert!(tx.remove_role_permission(&tenant, &role.id, &write).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(scopes(&store, &tenant, &somebody, &one).await, ["read:messages"]);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_user_role(&tenant, &somebody.id, &role.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(scopes(&store, &tenant, &somebody, &one).await, [""; 0]);
    store.close().await;
}

async fn what_is_removed_takes_its_permissions_along(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (one, somebody, role) = arranged(&store, &tenant).await;
    let read = permission(&one, "read:messages");
    let mut tx = store.begin().await.unwrap();
    let _ = tx.add_user_permission(&tenant, &somebody.id, &read).await.unwrap();
    let _ = tx.add_role_permission(&tenant, &role.id, &read).await.unwrap();
    let _ = tx.add_user_role(&tenant, &somebody.id, &role.id).await.unwrap();
    assert!(tx.remove_role(&tenant, &role.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.roles_of_user(&tenant, &somebody.id).await.unwrap(), []);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_api(&tenant, &one.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.permissions_of_user(&tenant, &somebody.id).await.unwrap(), []);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.remove_user(&tenant, &somebody.id).await.unwrap());
    tx.commit().await.unwrap();
    store.close().await;
}

async fn a_dropped_scope_leaves_every_user_and_role(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (one, somebody, role) = arranged(&store, &tenant).await;
    let (read, write) = (permission(&one, "read:messages"), permission(&one, "write:messages"));
    let mut tx = store.begin().await.unwrap();
    let _ = tx.add_user_permission(&tenant, &somebody.id, &read).await.unwrap();
    let _ = tx.add_user_permission(&tenant, &somebody.id, &write).await.unwrap();
    let _ = tx.add_role_permission(&tenant, &role.id, &read).await.unwrap();
    assert_eq!(
        tx.remove_permissions(&tenant, &one.id, "read:messages").await.unwrap(),
        2
    );
    tx.commit().await.unwrap();
    assert_eq!(store.permissions_of_user(&tenant, &somebody.id).await.unwrap(), [write]);
    assert_eq!(store.permissions_of_role(&tenant, &role.id).await.unwrap(), []);
    store.close().await;
}

/// An API, a user and a role that gives nothing.
async fn arranged(store: &Store, tenant: &TenantId) -> (Api, User, Role) {
    let (one, here, role) = (api(Some("https://api.example.com")), connection("here"), role("Editor"));
    let somebody = user(&here, Some("a@example.com"), None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_api(tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_connection(tenant, &here).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(tenant, &somebody).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_role(tenant, &role).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    (one, somebody, role)
}

async fn scopes(store: &Store, tenant: &TenantId, user: &User, api: &Api) -> Vec<String> {
    let mut scopes = store.permitted_scopes(tenant, &user.id, &api.id).await.unwrap();
    scopes.sort();
    scopes
}

fn permission(api: &Api, scope: &str) -> Permission {
    Permission {
        api_id: api.id.clone(),
        scope: scope.into(),
    }
}

fn role(name: &str) -> Role {
    Role {
        id: RoleId::generate(&Random::system()),
        name: name.into(),
        description: Some("Ünïcode 'quoted'".into()),
        created_at: at(20),
        updated_at: at(21),
    }
}
