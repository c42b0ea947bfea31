//! The schema's history: which texts of `migrations/` have run, and running those that have not.
//!
//! A migration expands; what it makes unnecessary is contracted a release later (DESIGN §5).

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

/// Where the driver keeps which have run.
const TABLE: &str = "_sqlx_migrations";
/// Version, name and text, oldest first. A text that was released never changes: databases hold its checksum.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (
        20_261_123_000_001,
        "first",
        include_str!("../migrations/20261123_000001_first.sql"),
    ),
    (
        20_261_123_000_002,
        "permissions and roles",
        include_str!("../migrations/20261123_000002_permissions_and_roles.sql"),
    ),
    (
        20_261_123_000_003,
        "client keys",
        include_str!("../migrations/20261123_000003_client_keys.sql"),
    ),
    (
        20_261_124_000_004,
        "totals",
        include_str!("../migrations/20261124_000004_totals.sql"),
    ),
    (
        20_261_124_000_005,
        "quotas",
        include_str!("../migrations/20261124_000005_quotas.sql"),
    ),
    (
        20_261_124_000_006,
        "administrators",
        include_str!("../migrations/20261124_000006_administrators.sql"),
    ),
    (
        20_261_124_000_007,
        "transfers",
        include_str!("../migrations/20261124_000007_transfers.sql"),
    ),
    (
        20_261_124_000_008,
        "logins and forgotten users",
        include_str!("../migrations/20261124_000008_logins_and_forgotten_users.sql"),
    ),
    (
        20_261_124_000_010,
        "traffic",
        include_str!("../migrations/20261124_000010_traffic.sql"),
    ),
    (
        20_261_129_000_011,
        "names",
        include_str!("../migrations/20261129_000011_names.sql"),
    ),
    (
        20_261_130_000_012,
        "api traffic",
        include_str!("../migrations/20261130_000012_api_traffic.sql"),
    ),
];

/// The newest version this binary knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|(version, _, _)| *version).max().unwrap_or(0)
}

/// Brings the database up to [`newest`]. Writes nothing when the database holds a version unknown here.
pub(crate) async fn run<C: Migrate>(connection: &mut C) -> Result<(), MigrateError> {
    Migrator::with_migrations(migrations().collect())
        .run_direct(None, connection, false)
        .await
}

/// All of them as one text, for a database that nobody else has and that has nothing in it: each statement of its own is two
/// changes of threads, and tests begin with many such databases. [`skip`] notes that they have run.
pub(crate) fn text() -> String {
    MIGRATIONS.iter().map(|(_, _, text)| *text).collect()
}

/// Notes that all have run.
pub(crate) async fn skip<C: Migrate>(connection: &mut C) -> Result<(), MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    for migration in migrations() {
        connection.skip(TABLE, &migration).await?;
    }
    Ok(())
}

fn migrations() -> impl Iterator<Item = Migration> {
    MIGRATIONS.iter().map(|(version, name, text)| {
        Migration::new(
            *version,
            Cow::Borrowed(*name),
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        )
    })
}
