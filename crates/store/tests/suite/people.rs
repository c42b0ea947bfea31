//! Connections and the users in them: each comes back as written, and is found by what people type.

use tokenhouse_protocol::id::RoleId;
use tokenhouse_store::{Added, Page, Role, User, normalise};

use crate::place::{Place, both};
use crate::samples::{at, connection, rest, user, with_tenant};

both!(
    connections_come_back_and_their_names_are_unique,
    users_are_found_however_their_login_is_written,
    two_users_of_a_connection_share_no_login,
    users_are_found_by_address_name_and_role,
    who_is_like_a_user_is_found_among_many,
);

async fn connections_come_back_and_their_names_are_unique(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut one = connection("Users");
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(&tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_connection(&tenant, &connection("Users")).await.unwrap(),
        Added::Exists
    );
    one.options.clear();
    one.rest = rest();
    assert!(tx.update_connection(&tenant, &one).await.unwrap());
    assert_eq!(tx.connection(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    tx.commit().await.unwrap();
    assert_eq!(store.connection(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(
        store.connection_by_name(&tenant, "Users").await.unwrap(),
        Some(one.clone())
    );
    assert_eq!(store.connections(&tenant, Page::first(5)).await.unwrap(), [one]);
    store.close().await;
}

async fn users_are_found_however_their_login_is_written(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (here, there) = (connection("here"), connection("there"));
    let one = user(&here, Some(" Jürgen@Example.COM"), Some("JÜRGEN"));
    let namesake = user(&here, Some("jürgen"), None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(&tenant, &here).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_connection(&tenant, &there).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(&tenant, &one).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    assert_eq!(store.user(&tenant, &one.id).await.unwrap(), Some(one.clone()));
    for login in ["jürgen@example.com", "JÜRGEN@EXAMPLE.COM ", "jürgen", " Jürgen"] {
        assert_eq!(
            store.user_by_login(&tenant, &here.id, login).await.unwrap().as_ref(),
            Some(&one),
            "{login}"
        );
        assert_eq!(
            store.user_by_login(&tenant, &there.id, login).await.unwrap(),
            None,
            "{login}"
        );
    }
    assert_eq!(normalise(" JÜRGEN"), "jürgen");

    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_user(&tenant, &namesake).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    let found = store.user_by_login(&tenant, &here.id, "jürgen").await.unwrap();
    assert_eq!(found, Some(namesake), "an address comes before a user name");
    store.close().await;
}

async fn two_users_of_a_connection_share_no_login(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (here, there) = (connection("here"), connection("there"));
    let one = user(&here, Some("a@example.com"), None);
    let mut two = user(&here, None, Some("b"));
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(&tenant, &here).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_connection(&tenant, &there).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(&tenant, &one).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(&tenant, &two).await.unwrap(), Added::Yes);
    assert_eq!(
        tx.add_user(&tenant, &user(&here, Some("A@example.com "), None))
            .await
            .unwrap(),
        Added::Exists
    );
    assert_eq!(
        tx.add_user(&tenant, &user(&here, None, Some("B"))).await.unwrap(),
        Added::Exists
    );
    assert_eq!(
        tx.add_user(&tenant, &user(&there, Some("a@example.com"), Some("b")))
            .await
            .unwrap(),
        Added::Yes
    );
    two.email = Some("A@EXAMPLE.COM".into());
    assert!(!tx.update_user(&tenant, &two).await.unwrap());
    two.email = Some("c@example.com".into());
    two.blocked = true;
    assert!(tx.update_user(&tenant, &two).await.unwrap());
    assert!(tx.set_password(&tenant, &two.id, "new", at(20)).await.unwrap());
    two.password_hash = Some("new".into());
    two.updated_at = at(20);
    assert_eq!(tx.user(&tenant, &two.id).await.unwrap(), Some(two));
    assert!(tx.remove_user(&tenant, &one.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.users(&tenant, Page::first(5)).await.unwrap().len(), 2);
    store.close().await;
}

async fn users_are_found_by_address_name_and_role(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let stranger = with_tenant(&store, "other").await;
    let (here, there) = (connection("here"), connection("there"));
    let mut all = [
        user(&here, Some("Ada@Example.com"), Some("ada")),
        user(&there, Some("ada@example.com"), None),
        user(&here, Some("bob@example.com"), None),
    ];
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let role = Role {
        id: RoleId::new("rol_1"),
        name: "Reader".into(),
        description: None,
        created_at: at(1),
        updated_at: at(1),
    };
    let mut tx = store.begin().await.unwrap();
    for connection in [&here, &there] {
        assert_eq!(tx.add_connection(&tenant, connection).await.unwrap(), Added::Yes);
    }
    assert_eq!(tx.add_role(&tenant, &role).await.unwrap(), Added::Yes);
    for user in &all {
        assert_eq!(tx.add_user(&tenant, user).await.unwrap(), Added::Yes);
        assert_eq!(tx.add_user_role(&tenant, &user.id, &role.id).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
    let adas: Vec<User> = all
        .iter()
        .filter(|user| user.email.as_deref() != Some("bob@example.com"))
        .cloned()
        .collect();
    assert_eq!(store.users_by_email(&tenant, " ADA@example.com").await.unwrap(), adas);
    assert!(
        store
            .users_by_email(&stranger, "ada@example.com")
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.users_by_username(&tenant, "ADA").await.unwrap().len(), 1);
    let first = store.users_of_role(&tenant, &role.id, Page::first(2)).await.unwrap();
    assert_eq!(first, all[..2]);
    let after = Page::after(first[1].id.as_str(), 2);
    assert_eq!(store.users_of_role(&tenant, &role.id, after).await.unwrap(), all[2..]);
    assert_eq!(store.users_of_role_total(&tenant, &role.id).await.unwrap(), 3);
    assert_eq!(store.users_of_role_total(&stranger, &role.id).await.unwrap(), 0);
    assert_eq!(store.roles_total(&tenant).await.unwrap(), 1);
    assert_eq!(store.roles_total(&stranger).await.unwrap(), 0);
    store.close().await;
}

/// An import asks this for every user who is there already: looking at all of them for each took days for a million.
async fn who_is_like_a_user_is_found_among_many(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let (home, elsewhere) = (connection("Users"), connection("Others"));
    let mut tx = store.begin().await.unwrap();
    for one in [&home, &elsewhere] {
        assert_eq!(tx.add_connection(&tenant, one).await.unwrap(), Added::Yes);
    }
    let many: Vec<User> = (0..20_000)
        .map(|number| {
            let (email, name) = (format!("u{number}@example.org"), format!("name{number}"));
            user(&home, Some(&email), Some(&name))
        })
        .collect();
    for some in many.chunks(500) {
        assert_eq!(tx.add_users(&tenant, some).await.unwrap().len(), 500);
    }
    // By the id, the address and the name of three.
    let mut like = user(&home, Some("U7@example.org"), Some("NAME8"));
    like.id = many[9].id.clone();
    let mut found = tx.users_like(&tenant, &like).await.unwrap();
    found.sort_by(|a, b| a.email.cmp(&b.email));
    assert_eq!(found, many[7..10]);
    let other = user(&elsewhere, Some("u7@example.org"), Some("name7"));
    assert_eq!(tx.users_like(&tenant, &other).await.unwrap(), []);
    tx.commit().await.unwrap();
    // Without it PostgreSQL does not know yet that there are many, and chooses by chance.
    place.run("analyze users").await;
    let mut tx = store.begin().await.unwrap();
    let began = std::time::Instant::now();
    for known in &many[..300] {
        assert_eq!(tx.users_like(&tenant, known).await.unwrap().len(), 1);
    }
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    tx.commit().await.unwrap();
    store.close().await;
}
