//! One statement with its binds, on either database: `execute!` changes, `all!` and `optional!` read.

/// Runs a statement in a transaction: how many rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::on!(tx: $tx, connection => {
            sqlx::query($sql)$(.bind($bind))*.execute(connection).await.map(|done| done.rows_affected())
        })
    };
}
pub(crate) use execute;

/// Reads every row, from the store or (`tx:`) inside a transaction.
macro_rules! all {
    (tx: $tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::on!(tx: $tx, connection => sqlx::query_as($sql)$(.bind($bind))*.fetch_all(connection).await)
            .map_err($crate::error::StoreError::from)
    };
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::on!($db, connection => sqlx::query_as($sql)$(.bind($bind))*.fetch_all(connection).await)
            .map_err($crate::error::StoreError::from)
    };
}
pub(crate) use all;

/// Reads a row if there is one, from the store or (`tx:`) inside a transaction.
macro_rules! optional {
    (tx: $tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::present(
            $crate::db::on!(tx: $tx, connection => sqlx::query_as($sql)$(.bind($bind))*.fetch_optional(connection).await)
        )
    };
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::db::present(
            $crate::db::on!($db, connection => sqlx::query_as($sql)$(.bind($bind))*.fetch_optional(connection).await)
        )
    };
}
pub(crate) use optional;
