//! A tenant's rows as they lie in their tables, to be carried into another database: every table that moves, its columns
//! and their order. A column added by a migration is added here too; a test holds the two together.

use serde_json::{Map, Value};
use sqlx::QueryBuilder;

use tokenhouse_protocol::id::TenantId;

use crate::columns::{Columns, json};
use crate::db::{execute, on};
use crate::{StoreError, Tenant, Tx};

/// A table whose rows move.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// The columns that tell its rows apart, in which order they are read.
    key: &'static [&'static str],
    select: &'static str,
    insert: &'static str,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Text,
    OptionalText,
    Integer,
    OptionalInteger,
    Flag,
}

/// Rows that are written in one statement: the widest table has seventeen columns, and SQLite binds 32 766 values.
pub const ROWS_AT_ONCE: usize = 500;

macro_rules! table {
    ($name:literal, after $after:literal, by $by:literal, key $key:expr, $first:literal $first_kind:ident
     $(, $column:literal $kind:ident)* $(,)?) => {
        Table {
            name: $name,
            columns: &[($first, Kind::$first_kind) $(, ($column, Kind::$kind))*],
            key: $key,
            select: concat!(
                "select ", $first $(, ", ", $column)*, " from ", $name, " where tenant_id = $1 and ", $after,
                " order by ", $by, " limit $5"
            ),
            insert: concat!("insert into ", $name, " (tenant_id, ", $first $(, ", ", $column)*, ") "),
        }
    };
    ($name:literal, $first:literal $first_kind:ident $(, $column:literal $kind:ident)* $(,)?) => {
        table!(
            $name, after "id > $2 and $3 = '' and $4 = ''", by "id", key &["id"],
            $first $first_kind $(, $column $kind)*
        )
    };
}

/// Every table that moves, each after those that it refers to. Of administrators neither sessions nor links do: they sign
/// in anew where they come.
pub static TABLES: &[Table] = &[
    table!(
        "connections", "id" Text, "name" Text, "strategy" Text, "options" Text, "rest" Text, "created_at" Integer,
        "updated_at" Integer,
    ),
    table!(
        "apis", "id" Text, "identifier" OptionalText, "name" OptionalText, "signing_alg" Text, "token_lifetime_s" Integer,
        "token_lifetime_for_web_s" Integer, "token_dialect" OptionalText, "enforce_policies" Flag,
        "allow_offline_access" Flag, "is_system" Flag, "signing_secret_sealed" OptionalText, "scopes" Text, "rest" Text,
        "created_at" Integer, "updated_at" Integer,
    ),
    table!(
        "clients", "id" Text, "name" Text, "app_type" OptionalText, "grant_types" Text,
        "token_endpoint_auth_method" OptionalText, "is_first_party" Flag, "is_global" Flag, "rest" Text,
        "created_at" Integer, "updated_at" Integer,
    ),
    table!(
        "client_secrets", "id" Text, "client_id" Text, "digest" Text, "sealed" OptionalText, "created_at" Integer,
        "expires_at" OptionalInteger,
    ),
    table!(
        "client_keys", "id" Text, "client_id" Text, "name" OptionalText, "kid" Text, "algorithm" Text, "jwk" Text,
        "created_at" Integer, "updated_at" Integer, "expires_at" OptionalInteger,
    ),
    table!(
        "client_grants", "id" Text, "client_id" Text, "api_id" Text, "subject_type" Text, "scopes" Text,
        "allow_all_scopes" Flag, "rest" Text, "created_at" Integer, "updated_at" Integer,
    ),
    table!(
        "keys", "id" Text, "algorithm" Text, "state" Text, "private_sealed" Text, "public_jwk" Text, "created_at" Integer,
        "current_at" OptionalInteger, "previous_at" OptionalInteger, "revoked_at" OptionalInteger,
    ),
    table!(
        "roles", "id" Text, "name" Text, "description" OptionalText, "created_at" Integer, "updated_at" Integer,
    ),
    table!(
        "role_permissions", after "(role_id, api_id, scope) > ($2, $3, $4)", by "role_id, api_id, scope",
        key &["role_id", "api_id", "scope"], "role_id" Text, "api_id" Text, "scope" Text,
    ),
    table!(
        "users", "id" Text, "connection_id" Text, "email" OptionalText, "email_normalised" OptionalText,
        "email_verified" Flag, "username" OptionalText, "username_normalised" OptionalText,
        "password_hash" OptionalText, "blocked" Flag, "rest" Text, "created_at" Integer, "updated_at" Integer,
        "logins_count" Integer, "last_login_at" OptionalInteger, "last_address" OptionalText,
    ),
    table!(
        "user_roles", after "(user_id, role_id) > ($2, $3) and $4 = ''", by "user_id, role_id",
        key &["user_id", "role_id"], "user_id" Text, "role_id" Text,
    ),
    table!(
        "user_permissions", after "(user_id, api_id, scope) > ($2, $3, $4)", by "user_id, api_id, scope",
        key &["user_id", "api_id", "scope"], "user_id" Text, "api_id" Text, "scope" Text,
    ),
    table!(
        "administrators", "id" Text, "email" Text, "email_normalised" Text, "name" OptionalText,
        "password_hash" OptionalText, "created_at" Integer, "updated_at" Integer, "signed_in_at" OptionalInteger,
    ),
];

impl Table {
    /// The columns' names.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }

    fn read<R: Columns>(&self, row: &R) -> Result<Map<String, Value>, sqlx::Error> {
        let mut read = Map::new();
        for (name, kind) in self.columns {
            let value = match kind {
                Kind::Text => row.text(name)?.into(),
                Kind::OptionalText => row.optional_text(name)?.into(),
                Kind::Integer => row.integer(name)?.into(),
                Kind::OptionalInteger => row.optional_integer(name)?.into(),
                Kind::Flag => row.flag(name)?.into(),
            };
            read.insert((*name).to_owned(), value);
        }
        Ok(read)
    }

    /// Whether a row has every column, each with what it holds, and no other.
    pub fn fits(&self, row: &Map<String, Value>) -> bool {
        let is_of = |kind: &Kind, value: &Value| match kind {
            Kind::Text => value.is_string(),
            Kind::OptionalText => value.is_string() || value.is_null(),
            Kind::Integer => value.is_i64(),
            Kind::OptionalInteger => value.is_i64() || value.is_null(),
            Kind::Flag => value.is_boolean(),
        };
        row.len() == self.columns.len()
            && self
                .columns
                .iter()
                .all(|(name, kind)| row.get(*name).is_some_and(|value| is_of(kind, value)))
    }
}

impl Tx<'_> {
    /// The rows of a table after `last`, at most [`ROWS_AT_ONCE`], in the order of their key.
    pub async fn rows(
        &mut self,
        tenant: &TenantId,
        table: &Table,
        last: Option<&Map<String, Value>>,
    ) -> Result<Vec<Map<String, Value>>, StoreError> {
        let part = |place: usize| {
            let value = table.key.get(place).zip(last).and_then(|(name, last)| last.get(*name));
            value.and_then(Value::as_str).unwrap_or_default()
        };
        let most = i64::try_from(ROWS_AT_ONCE).unwrap_or(i64::MAX);
        let rows = on!(tx: self, connection => {
            let query = sqlx::query(table.select).bind(tenant.as_str()).bind(part(0)).bind(part(1)).bind(part(2)).bind(most);
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(|row| table.read(row)).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(rows)
    }

    /// Takes everything out of a tenant but the tenant itself, and gives it the name, settings and times of `row`.
    pub async fn clear_for(&mut self, tenant: &TenantId, row: &Tenant) -> Result<(), StoreError> {
        for sql in [
            "delete from clients where tenant_id = $1",
            "delete from apis where tenant_id = $1",
            "delete from roles where tenant_id = $1",
            "delete from users where tenant_id = $1",
            "delete from connections where tenant_id = $1",
            "delete from keys where tenant_id = $1",
            "delete from administrators where tenant_id = $1",
            "delete from totals where tenant_id = $1",
        ] {
            execute!(self, sql, tenant.as_str())?;
        }
        execute!(
            self,
            "update tenants set name = $2, settings = $3, created_at = $4, updated_at = $5 where id = $1",
            tenant.as_str(),
            row.name.as_str(),
            json(&row.settings),
            row.created_at.ms(),
            row.updated_at.ms(),
        )?;
        self.name_later(tenant).await
    }

    /// Puts rows into a table, at most [`ROWS_AT_ONCE`], each of which fits it.
    pub async fn put_rows(
        &mut self,
        tenant: &TenantId,
        table: &Table,
        rows: &[Map<String, Value>],
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        on!(tx: self, connection => {
            let mut query = QueryBuilder::new(table.insert);
            query.push_values(rows, |mut values, row| {
                values.push_bind(tenant.as_str());
                for (name, kind) in table.columns {
                    let value = row.get(*name).unwrap_or(&Value::Null);
                    match kind {
                        Kind::Text => values.push_bind(value.as_str().unwrap_or_default()),
                        Kind::OptionalText => values.push_bind(value.as_str()),
                        Kind::Integer => values.push_bind(value.as_i64().unwrap_or_default()),
                        Kind::OptionalInteger => values.push_bind(value.as_i64()),
                        Kind::Flag => values.push_bind(value.as_bool().unwrap_or_default()),
                    };
                }
            });
            query.build().persistent(false).execute(connection).await.map(drop)
        })?;
        Ok(())
    }

    /// Counts what was put into a tenant, for its totals.
    pub async fn count_rows(&mut self, tenant: &TenantId) -> Result<(), StoreError> {
        for sql in [
            "insert into totals (tenant_id, kind, total) \
             select tenant_id, 'clients', count(*) from clients where tenant_id = $1 group by tenant_id",
            "insert into totals (tenant_id, kind, total) \
             select tenant_id, 'client_grants', count(*) from client_grants where tenant_id = $1 group by tenant_id",
            "insert into totals (tenant_id, kind, total) \
             select tenant_id, 'users', count(*) from users where tenant_id = $1 group by tenant_id",
        ] {
            execute!(self, sql, tenant.as_str())?;
        }
        Ok(())
    }
}
