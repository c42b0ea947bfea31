//! Opening a database: new, old, newer, damaged, twice at once.

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::{Database, OpenError, Options, Store};

use crate::place::{Place, both, migrations};
use crate::samples::{entry, job, tenant, with_tenant};

both!(
    what_was_written_is_there_when_it_is_opened_again,
    a_newer_database_is_refused_in_one_sentence_and_left_alone,
    many_processes_may_migrate_at_once,
    two_nodes_may_bring_a_database_of_any_age_up_to_date_at_once,
    what_was_issued_before_an_update_is_counted_by_api_after_it,
    a_closed_store_takes_no_more_jobs,
);

async fn what_was_written_is_there_when_it_is_opened_again(place: &Place) {
    let store = place.open().await;
    let id = with_tenant(&store, "acme").await;
    store.close().await;

    let store = place.open().await;
    assert_eq!(store.tenant(&id).await.unwrap(), Some(tenant("acme")));
    store.ping().await.unwrap();
    assert!(store.schema().await.unwrap() >= 20_261_124_000_004);
    store.close().await;
}

async fn a_newer_database_is_refused_in_one_sentence_and_left_alone(place: &Place) {
    let store = place.open().await;
    let id = with_tenant(&store, "acme").await;
    store.close().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 select 99991231235959, 'later', success, checksum, 0 from _sqlx_migrations limit 1";
    place.run(newer).await;

    let Err(error) = place.try_open().await else {
        panic!("a newer database was opened")
    };
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 99_991_231_235_959,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("newer Tokenhouse"), "{error}");

    place
        .run("delete from _sqlx_migrations where version = 99991231235959")
        .await;
    let store = place.open().await;
    assert!(store.tenant(&id).await.unwrap().is_some());
    store.close().await;
}

async fn many_processes_may_migrate_at_once(place: &Place) {
    let (a, b, c, d) = tokio::join!(place.open(), place.open(), place.open(), place.open());
    with_tenant(&a, "acme").await;
    for store in [a, b, c, d] {
        assert_eq!(store.tenants(tokenhouse_store::Page::first(10)).await.unwrap().len(), 1);
        store.close().await;
    }
}

async fn two_nodes_may_bring_a_database_of_any_age_up_to_date_at_once(place: &Place) {
    let newest = migrations().len();
    assert!(newest > 8);
    for age in 1..newest {
        let old = place.another().await;
        old.migrate(age).await;
        old.run(
            "insert into tenants (id, name, issuer, settings, created_at, updated_at) \
             values ('acme', 'Acme', null, '{}', 1, 1)",
        )
        .await;
        let (first, second) = tokio::join!(old.open(), old.open());
        for store in [first, second] {
            let held = store.tenant(&TenantId::new("acme")).await.unwrap();
            assert_eq!(held.map(|tenant| tenant.name), Some("Acme".into()), "age {age}");
            let job = job(&TenantId::new("acme"), vec![entry("c", old.clock.now())]);
            store.commit(job).await.unwrap();
            store.close().await;
        }
        let again = old.open().await;
        let schema = again.schema().await.unwrap();
        assert_eq!(
            migrations().last().map(|(version, _)| *version),
            Some(schema),
            "age {age}"
        );
        assert_eq!(
            again.logs_after(&TenantId::new("acme"), None, 10).await.unwrap().len(),
            2
        );
        again.close().await;
        old.remove().await;
    }
}

async fn what_was_issued_before_an_update_is_counted_by_api_after_it(place: &Place) {
    let old = migrations();
    let before = old
        .iter()
        .position(|(version, _)| *version == 20_261_130_000_012)
        .unwrap();
    place.migrate(before).await;
    let now = place.clock.now();
    let hour = now.hour().ms();
    place
        .run(
            "insert into tenants (id, name, issuer, settings, created_at, updated_at) \
             values ('acme', 'Acme', null, '{}', 1, 1)",
        )
        .await;
    place
        .run(
            "insert into apis (tenant_id, id, identifier, signing_alg, token_lifetime_s, token_lifetime_for_web_s, \
             enforce_policies, allow_offline_access, is_system, scopes, rest, created_at, updated_at) \
             values ('acme', 'api', 'https://api', 'RS256', 86400, 7200, false, false, false, '[]', '{}', 1, 1)",
        )
        .await;
    place
        .run(&format!(
            "insert into traffic (tenant_id, hour, node_id, machine, people, refused) values ('acme', {hour}, 'n', 5, 0, 0)"
        ))
        .await;
    for (client, tokens) in [("a", 2), ("b", 3)] {
        let sql = format!(
            "insert into usage (tenant_id, hour, client_id, api_id, grant_type, node_id, tokens) \
             values ('acme', {hour}, '{client}', 'api', 'client_credentials', 'n', {tokens})"
        );
        place.run(&sql).await;
    }
    let store = place.open().await;
    let tenant = TenantId::new("acme");
    store.commit(job(&tenant, vec![entry("c", now)])).await.unwrap();
    store.fold_usage().await.unwrap();
    let found = store.unexpired_tokens(&tenant, "RS256", (now, now)).await.unwrap();
    assert_eq!(found.iter().map(|api| api.tokens).collect::<Vec<_>>(), [6]);
    store.close().await;
}

async fn a_closed_store_takes_no_more_jobs(place: &Place) {
    let store = place.open().await;
    let id = with_tenant(&store, "acme").await;
    for _ in 0..2000 {
        store.record(job(&id, vec![entry("c", place.clock.now())])).unwrap();
    }
    store.close().await;
    store.close().await;
    assert!(store.record(job(&id, vec![entry("c", place.clock.now())])).is_err());
    assert!(
        store
            .commit(job(&id, vec![entry("c", place.clock.now())]))
            .await
            .is_err()
    );

    let store = place.open().await;
    assert_eq!(store.logs_after(&id, None, 10_000).await.unwrap().len(), 2000);
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let place = Place::sqlite();
    let text = "These are the minutes of the last meeting. ".repeat(400);
    std::fs::write(place.file(), &text).unwrap();

    let Err(error) = place.try_open().await else {
        panic!("a text was opened as a database")
    };
    assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
    assert!(
        error.to_string().contains(&place.file().display().to_string()),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(place.file()).unwrap(), text);
    place.remove().await;
}

#[tokio::test]
async fn a_file_whose_pages_were_overwritten_is_damaged() {
    let place = Place::sqlite();
    let store = place.open().await;
    with_tenant(&store, "acme").await;
    store.close().await;
    let mut bytes = std::fs::read(place.file()).unwrap();
    bytes[100..].fill(0xff);
    std::fs::write(place.file(), &bytes).unwrap();

    let Err(error) = place.try_open().await else {
        panic!("a damaged file was opened")
    };
    assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
    assert_eq!(std::fs::read(place.file()).unwrap(), bytes);
    place.remove().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let place = Place::sqlite();
    // A folder in its place: root, who runs tests in containers, may write any file.
    std::fs::create_dir(place.file()).unwrap();
    let Err(error) = place.try_open().await else {
        panic!("a folder was opened as a database")
    };
    assert!(matches!(error, OpenError::NotWritable(_)), "{error:?}");
    assert!(error.to_string().contains("tokenhouse.db"), "{error}");
    place.remove().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::sqlite();
    let store = place.open().await;
    with_tenant(&store, "acme").await;
    for file in std::fs::read_dir(place.file().parent().unwrap()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
    store.close().await;
    place.remove().await;
}

#[tokio::test]
async fn a_database_in_memory_does_all_on_its_one_connection() {
    let place = Place::sqlite();
    let options = Options {
        database: Database::Memory,
        clock: place.clock.clone(),
        random: Random::system(),
    };
    let store = Store::open(options).await.unwrap();
    let id = with_tenant(&store, "acme").await;
    let outcome = store
        .commit(job(&id, vec![entry("c", place.clock.now())]))
        .await
        .unwrap();
    assert!(store.log(&id, &outcome.logs[0]).await.unwrap().is_some());
    assert_eq!(store.fold_usage().await.unwrap(), 1);
    store.close().await;
    place.remove().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let database = Database::Postgres("postgres://someone:hunter2@127.0.0.1:1/db".into());
    let clock = Place::sqlite().clock;
    let Err(error) = Store::open(Options {
        database,
        clock,
        random: Random::system(),
    })
    .await
    else {
        panic!("nothing was opened as a database")
    };
    assert!(matches!(error, OpenError::Unreachable(_)), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
