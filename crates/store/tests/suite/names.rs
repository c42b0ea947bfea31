//! Applications and users are found by how a word of their name, or their id, begins.

use serde_json::{Map, json};

use tokenhouse_protocol::id::{ClientId, TenantId, UserId};
use tokenhouse_store::{Added, Change, Client, Page, Store, User};

use crate::place::{Place, both};
use crate::samples::{client, connection, user, with_tenant};

both!(
    applications_are_found_by_the_beginning_of_any_word,
    applications_of_one_name_are_all_found_page_by_page,
    an_application_is_found_by_what_it_is_called_now,
    users_are_found_by_address_name_and_id,
    what_was_there_before_is_named_in_steps,
    names_of_changes_that_share_a_transaction_are_written,
);

async fn applications_are_found_by_the_beginning_of_any_word(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let other = with_tenant(&store, "other").await;
    let sample = called("Sample (M2M) Application");
    let über = called("Über uns");
    let global = Client {
        is_global: true,
        ..called("Sample of all")
    };
    add(&store, &tenant, &[&sample, &über, &global]).await;
    add(&store, &other, &[&called("Sample elsewhere")]).await;
    let id = sample.id.as_str();
    for (text, expected) in [
        ("Sample", Some(&sample)),
        ("sample (m2m) application", Some(&sample)),
        ("  SAMPLE \t (M2M) ", Some(&sample)),
        ("m2m", Some(&sample)),
        ("app", Some(&sample)),
        ("ÜBER", Some(&über)),
        ("u", Some(&über)),
        (id, Some(&sample)),
        (&id[..8], Some(&sample)),
        ("ample", None),
        ("sample app", None),
        ("sample (m2m) application of", None),
        ("Sample%", None),
        ("sample\0", None),
        (&"s".repeat(100_000), None),
    ] {
        let found = found(&store, &tenant, text).await;
        assert_eq!(found, expected.into_iter().cloned().collect::<Vec<_>>(), "{text:.40}");
    }
    assert_eq!(
        found(&store, &tenant, " ").await.len(),
        2,
        "all but the one that stands for all"
    );
    store.close().await;
}

async fn applications_of_one_name_are_all_found_page_by_page(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    // Each under two of its words; and longer than what is kept of a name.
    let clients: Vec<Client> = (0..25)
        .map(|number| called(&format!("Twin twin {} {}", "x".repeat(60), number % 5)))
        .collect();
    add(&store, &tenant, &clients.iter().collect::<Vec<_>>()).await;
    for (text, expected) in [("twin", 25), ("", 25), (&format!("twin {} 3", "x".repeat(60)), 5)] {
        let mut ids: Vec<ClientId> = Vec::new();
        let mut after = None;
        let mut pages = 0;
        loop {
            let page = match &after {
                None => Page::first(4),
                Some(after) => Page::after(after, 4),
            };
            let found = store.clients_found(&tenant, text, page).await.unwrap();
            assert!(found.rows.len() <= 4);
            ids.extend(found.rows.into_iter().map(|client| client.id));
            pages += 1;
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert!(pages < 20, "{pages}");
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!((ids.len(), all), (expected, expected), "{text:.10}: each once");
    }
    let strange = store
        .clients_found(&tenant, "twin", Page::after("no checkpoint", 4))
        .await
        .unwrap();
    assert!(strange.rows.len() <= 4);
    store.close().await;
}

async fn an_application_is_found_by_what_it_is_called_now(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let mut client = called("Old name");
    add(&store, &tenant, &[&client]).await;
    client.name = "New name".into();
    let mut tx = store.change(&tenant, Change::Client(client.id.clone())).await.unwrap();
    assert!(tx.update_client(&tenant, &client).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(found(&store, &tenant, "old").await, []);
    assert_eq!(found(&store, &tenant, "new").await, [client.clone()]);
    assert_eq!(found(&store, &tenant, "name").await, [client.clone()]);
    let mut tx = store.change(&tenant, Change::Client(client.id.clone())).await.unwrap();
    assert!(tx.remove_client(&tenant, &client.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(found(&store, &tenant, "name").await, []);
    nothing_is_left_of(place, client.id.as_str()).await;
    store.close().await;
}

async fn users_are_found_by_address_name_and_id(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let home = connection("home");
    let with = |rest: serde_json::Value, user: User| User {
        rest: rest.as_object().cloned().unwrap_or_default(),
        ..user
    };
    let ada = with(
        json!({"name": "Ada Lovelace"}),
        user(&home, Some("Ada@Example.com"), None),
    );
    let bob = with(
        json!({"given_name": "Bob", "family_name": "O'Neill"}),
        user(&home, Some("x1@example.com"), Some("bobby")),
    );
    let eve = with(
        json!({"name": "eve@example.com"}),
        user(&home, Some("eve@example.com"), None),
    );
    let odd = User {
        id: UserId::new("legacy|77aa"),
        rest: Map::new(),
        ..user(&home, None, Some("Odd_One"))
    };
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(&tenant, &home).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(&tenant, &ada).await.unwrap(), Added::Yes);
    let added = tx
        .add_users(&tenant, &[bob.clone(), eve.clone(), odd.clone(), ada.clone()])
        .await
        .unwrap();
    assert_eq!(added.len(), 3);
    tx.commit().await.unwrap();
    let ada_id = ada.id.as_str().trim_start_matches("auth0|");
    for (text, expected) in [
        ("ADA", vec![&ada]),
        ("ada@example.com", vec![&ada]),
        ("love", vec![&ada]),
        ("ada lov", vec![&ada]),
        ("bob", vec![&bob]),
        ("neill", vec![&bob]),
        ("bob o'n", vec![&bob]),
        ("eve", vec![&eve]),
        ("odd_o", vec![&odd]),
        ("legacy|77", vec![&odd]),
        (&ada_id[..8], vec![&ada]),
        (ada.id.as_str(), vec![&ada]),
        ("lace", vec![]),
    ] {
        let found = store.users_found(&tenant, text, Page::first(10)).await.unwrap();
        assert_eq!(found.rows.iter().collect::<Vec<_>>(), expected, "{text}");
        assert_eq!(found.next, None);
    }
    assert_eq!(
        store.users_found(&tenant, "", Page::first(2)).await.unwrap().rows.len(),
        2
    );
    let mut renamed = ada.clone();
    renamed.email = Some("countess@example.com".into());
    let mut tx = store.change(&tenant, Change::User(ada.id.clone())).await.unwrap();
    assert!(tx.update_user(&tenant, &renamed).await.unwrap());
    assert!(tx.remove_user(&tenant, &eve.id).await.unwrap());
    tx.commit().await.unwrap();
    nothing_is_left_of(place, eve.id.as_str()).await;
    for (text, expected) in [
        ("ada@", vec![]),
        ("countess", vec![&renamed]),
        ("ada l", vec![&renamed]),
        ("eve", vec![]),
    ] {
        let found = store.users_found(&tenant, text, Page::first(10)).await.unwrap();
        assert_eq!(found.rows.iter().collect::<Vec<_>>(), expected, "{text}");
    }
    store.close().await;
}

async fn what_was_there_before_is_named_in_steps(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    assert!(!store.name_older().await.unwrap(), "a new tenant has nothing older");
    let clients: Vec<Client> = (0..450).map(|number| called(&format!("Older {number}"))).collect();
    let home = connection("home");
    let person = user(&home, Some("ada@example.com"), None);
    add(&store, &tenant, &clients.iter().collect::<Vec<_>>()).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.add_connection(&tenant, &home).await.unwrap(), Added::Yes);
    assert_eq!(tx.add_user(&tenant, &person).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    place.run("delete from names").await;
    for kind in ["client", "user"] {
        place
            .run(&format!(
                "insert into namings (tenant_id, kind, seen_to) values ('acme', '{kind}', '')"
            ))
            .await;
    }
    assert_eq!(found(&store, &tenant, "older").await, []);
    let mut steps = 0;
    while store.name_older().await.unwrap() {
        steps += 1;
        assert!(steps < 20);
    }
    // Three with applications and one that finds none left, and two of users.
    assert_eq!(steps, 6);
    assert_eq!(found(&store, &tenant, "older").await.len(), 100);
    assert_eq!(found(&store, &tenant, "older 449").await.len(), 1);
    assert_eq!(
        store.users_found(&tenant, "ada", Page::first(9)).await.unwrap().rows,
        [person]
    );
    store.close().await;
}

async fn names_of_changes_that_share_a_transaction_are_written(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let changes = (0..30).map(|number| {
        let (store, tenant) = (store.clone(), tenant.clone());
        tokio::spawn(async move {
            let mut client = called(&format!("Shared {number}"));
            let mut tx = store.change(&tenant, Change::Client(client.id.clone())).await.unwrap();
            assert_eq!(tx.add_client(&tenant, &client).await.unwrap(), Added::Yes);
            if number % 3 == 0 {
                client.name = format!("Renamed {number}");
                assert!(tx.update_client(&tenant, &client).await.unwrap());
            }
            match number % 2 {
                0 => tx.commit().await.unwrap(),
                _ => drop(tx),
            }
        })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap();
    }
    assert_eq!(found(&store, &tenant, "shared").await.len(), 10);
    assert_eq!(found(&store, &tenant, "renamed").await.len(), 5);
    store.close().await;
}

/// A row of the table about this id would be given to a tenant that is not there, which fails.
async fn nothing_is_left_of(place: &Place, id: &str) {
    let statement = format!(
        "insert into names (tenant_id, kind, beginning, named_id) \
         select 'nobody', kind, beginning, named_id from names where named_id = '{id}'"
    );
    place.run(&statement).await;
}

fn called(name: &str) -> Client {
    Client {
        name: name.into(),
        ..client()
    }
}

async fn add(store: &Store, tenant: &TenantId, clients: &[&Client]) {
    let mut tx = store.begin().await.unwrap();
    for client in clients {
        assert_eq!(tx.add_client(tenant, client).await.unwrap(), Added::Yes);
    }
    tx.commit().await.unwrap();
}

async fn found(store: &Store, tenant: &TenantId, text: &str) -> Vec<Client> {
    store.clients_found(tenant, text, Page::first(100)).await.unwrap().rows
}
