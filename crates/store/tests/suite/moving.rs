//! A tenant's rows on their way out: all of them, as they were at one moment.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};
use tokenhouse_store::{Added, TABLES};

use crate::place::{Place, both};
use crate::samples::{client, with_tenant};

/// Tables that stay where they are: what is counted or made anew, what is over soon, and what is no configuration.
const STAY: [&str; 16] = [
    "administrator_sessions",
    "api_traffic",
    "changes",
    "forgotten_users",
    "logs",
    // Made anew from what moves.
    "names",
    "namings",
    "quotas",
    "revisions",
    "sign_in_links",
    "tenant_hosts",
    "totals",
    "traffic",
    "transfers",
    "usage",
    "used_assertions",
];

both!(what_is_read_of_one_moment_has_nothing_that_came_later);

async fn what_is_read_of_one_moment_has_nothing_that_came_later(place: &Place) {
    let store = place.open().await;
    let tenant = with_tenant(&store, "acme").await;
    let other = place.open().await;
    let clients = TABLES.iter().find(|table| table.name == "clients").unwrap();
    let keys = TABLES.iter().find(|table| table.name == "client_secrets").unwrap();

    let mut snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.rows(&tenant, keys, None).await.unwrap(), []);
    let late = client();
    let mut tx = other.begin().await.unwrap();
    assert_eq!(tx.add_client(&tenant, &late).await.unwrap(), Added::Yes);
    tx.commit().await.unwrap();
    assert_eq!(snapshot.rows(&tenant, clients, None).await.unwrap(), []);
    drop(snapshot);

    let mut snapshot = store.snapshot().await.unwrap();
    let rows = snapshot.rows(&tenant, clients, None).await.unwrap();
    assert_eq!(rows[0]["id"], late.id.as_str());
    assert_eq!(rows.len(), 1);
    // It writes nothing.
    assert!(snapshot.remove_client(&tenant, &late.id).await.is_err());
    drop(snapshot);
    assert_eq!(store.client(&tenant, &late.id).await.unwrap(), Some(late));
    store.close().await;
    other.close().await;
}

/// A table or column that a migration adds must be named: whether it moves is for somebody to decide.
#[tokio::test]
async fn every_table_of_a_tenant_moves_with_every_column_or_is_known_to_stay() {
    let place = Place::sqlite();
    place.open().await.close().await;
    let address = format!("sqlite://{}", place.file().display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    let sql = "select name from sqlite_master where type = 'table' order by name";
    let tables = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    let mut found = BTreeSet::new();
    for table in tables {
        let name: String = table.get(0);
        let columns = format!("select name from pragma_table_info('{name}')");
        let columns = sqlx::query(AssertSqlSafe(columns))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let mut columns: BTreeSet<String> = columns.iter().map(|row| row.get(0)).collect();
        if !columns.remove("tenant_id") {
            continue;
        }
        if let Some(moving) = TABLES.iter().find(|table| table.name == name) {
            let moved: BTreeSet<String> = moving.columns().map(str::to_owned).collect();
            assert_eq!(moved, columns, "{name}");
        } else {
            assert!(STAY.contains(&name.as_str()), "does {name} move?");
        }
        found.insert(name);
    }
    let known: BTreeSet<String> = TABLES
        .iter()
        .map(|table| table.name)
        .chain(STAY)
        .map(str::to_owned)
        .collect();
    assert_eq!(found, known);
    connection.close().await.unwrap();
    place.remove().await;
}
