//! Users: table `users`. What they are looked up by is stored normalised beside what they wrote.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};
use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ConnectionId, RoleId, TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, on, optional};
use crate::names::normalise;
use crate::totals::Counted;
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

mod lookups;

/// A user of one connection. No two of a connection share an e-mail address or a user name, however written.
#[derive(Clone, PartialEq)]
pub struct User {
    /// Their id, the `sub` of their tokens.
    pub id: UserId,
    /// Where they come from.
    pub connection_id: ConnectionId,
    /// Their e-mail address, as written.
    pub email: Option<String>,
    /// Whether the address was shown to be theirs.
    pub email_verified: bool,
    /// Their user name, as written.
    pub username: Option<String>,
    /// The hash of their password, in PHC form; `None` if they have none here.
    pub password_hash: Option<String>,
    /// Whether an administrator shut them out.
    pub blocked: bool,
    /// The fields that are only carried, as they were written.
    pub rest: Map<String, Value>,
    /// How they signed in; counted from the log ([`Store::fold_usage`]), never written with the other fields.
    pub logins: Logins,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// How a user signed in so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Logins {
    /// How often.
    pub count: i64,
    /// When they last did.
    pub last_at: Option<Timestamp>,
    /// Where from.
    pub last_address: Option<String>,
}

/// Only who it is: neither the hash nor what is personal belongs in a log.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("connection_id", &self.connection_id)
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, connection_id, email, email_verified, username, password_hash, blocked, rest, logins_count, \
         last_login_at, last_address, created_at, updated_at"
    };
}
pub(crate) use columns;

from_row!(User, row => User {
    id: UserId::new(row.text("id")?),
    connection_id: ConnectionId::new(row.text("connection_id")?),
    email: row.optional_text("email")?,
    email_verified: row.flag("email_verified")?,
    username: row.optional_text("username")?,
    password_hash: row.optional_text("password_hash")?,
    blocked: row.flag("blocked")?,
    rest: row.map("rest")?,
    logins: Logins {
        count: row.integer("logins_count")?,
        last_at: row.optional_time("last_login_at")?,
        last_address: row.optional_text("last_address")?,
    },
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

/// Behind an `or` SQLite might look at every user there is; see `lookups`.
const UPDATE: &str = "update users set email = $3, email_normalised = $4, email_verified = $5, username = $6, \
     username_normalised = $7, password_hash = $8, blocked = $9, rest = $10, updated_at = $11 \
     where tenant_id = $1 and id = $2 \
     and not exists (select 1 from users other where other.tenant_id = $1 and other.connection_id = users.connection_id \
     and other.id <> $2 and other.email_normalised = $4) \
     and not exists (select 1 from users other where other.tenant_id = $1 and other.connection_id = users.connection_id \
     and other.id <> $2 and other.username_normalised = $7)";
const ONE: &str = concat!("select ", columns!(), " from users where tenant_id = $1 and id = $2");

impl Store {
    /// A user by their id.
    pub async fn user(&self, tenant: &TenantId, id: &UserId) -> Result<Option<User>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// A page of users, by id.
    pub async fn users(&self, tenant: &TenantId, page: Page) -> Result<Vec<User>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from users where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }

    /// A page of the users who have a role, by id.
    pub async fn users_of_role(&self, tenant: &TenantId, role: &RoleId, page: Page) -> Result<Vec<User>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from user_roles join users on users.tenant_id = user_roles.tenant_id and users.id = user_roles.user_id \
             where user_roles.tenant_id = $1 and user_roles.role_id = $2 and user_roles.user_id > $3 \
             order by user_roles.user_id limit $4 offset $5"
        );
        all!(self.db(), sql, tenant.as_str(), role.as_str(), after, take, skip)
    }

    /// How many users signed in at `since` or later.
    pub async fn active_users_total(&self, tenant: &TenantId, since: Timestamp) -> Result<u64, StoreError> {
        let sql = "select count(*) from users where tenant_id = $1 and last_login_at >= $2";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str(), since.ms())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }

    /// Puts another hash of the same password in place of `old`; `false` if that is not the user's any more. No change of
    /// configuration: what fitted fits.
    pub async fn renew_password(
        &self,
        tenant: &TenantId,
        id: &UserId,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let sql = "update users set password_hash = $4 where tenant_id = $1 and id = $2 and password_hash = $3";
        let renewed = changed(execute!(tx, sql, tenant.as_str(), id.as_str(), old, new))?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// How many users have a role.
    pub async fn users_of_role_total(&self, tenant: &TenantId, role: &RoleId) -> Result<u64, StoreError> {
        let sql = "select count(*) from user_roles where tenant_id = $1 and role_id = $2";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str(), role.as_str())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }
}

impl Tx<'_> {
    /// A user by their id, read inside this transaction.
    pub async fn user(&mut self, tenant: &TenantId, id: &UserId) -> Result<Option<User>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// At most `take` users of a connection, whichever.
    pub async fn users_of_connection(
        &mut self,
        tenant: &TenantId,
        connection: &ConnectionId,
        take: u32,
    ) -> Result<Vec<User>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from users where tenant_id = $1 and connection_id = $2 limit $3"
        );
        all!(tx: self, sql, tenant.as_str(), connection.as_str(), i64::from(take))
    }

    /// Adds a user; [`Added::Exists`] if their id, e-mail address or user name is taken.
    pub async fn add_user(&mut self, tenant: &TenantId, user: &User) -> Result<Added, StoreError> {
        let added = added(execute!(
            self,
            "insert into users (tenant_id, id, connection_id, email, email_normalised, email_verified, username, \
             username_normalised, password_hash, blocked, rest, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
            tenant.as_str(),
            user.id.as_str(),
            user.connection_id.as_str(),
            user.email.as_deref(),
            user.email.as_deref().map(normalise),
            user.email_verified,
            user.username.as_deref(),
            user.username.as_deref().map(normalise),
            user.password_hash.as_deref(),
            user.blocked,
            json(&user.rest),
            user.created_at.ms(),
            user.updated_at.ms(),
        ))?;
        if added == Added::Yes {
            self.count(tenant, Counted::Users, 1).await?;
            self.name(tenant, None, Some(user)).await?;
        }
        Ok(added)
    }

    /// Adds several users in one statement, 1 000 at most; answers the ids of those that were added. The others have an
    /// id, an e-mail address or a user name that is taken, maybe by another of them.
    pub async fn add_users(&mut self, tenant: &TenantId, users: &[User]) -> Result<HashSet<UserId>, StoreError> {
        if users.is_empty() {
            return Ok(HashSet::new());
        }
        let rows: Vec<(String,)> = on!(tx: self, connection => {
            let mut query = QueryBuilder::new(
                "insert into users (tenant_id, id, connection_id, email, email_normalised, email_verified, username, \
                 username_normalised, password_hash, blocked, rest, created_at, updated_at) ",
            );
            query.push_values(users, |mut row, user| {
                row.push_bind(tenant.as_str())
                    .push_bind(user.id.as_str())
                    .push_bind(user.connection_id.as_str())
                    .push_bind(user.email.as_deref())
                    .push_bind(user.email.as_deref().map(normalise))
                    .push_bind(user.email_verified)
                    .push_bind(user.username.as_deref())
                    .push_bind(user.username.as_deref().map(normalise))
                    .push_bind(user.password_hash.as_deref())
                    .push_bind(user.blocked)
                    .push_bind(json(&user.rest))
                    .push_bind(user.created_at.ms())
                    .push_bind(user.updated_at.ms());
            });
            query.push(" on conflict do nothing returning id");
            query.build_query_as().persistent(false).fetch_all(connection).await
        })?;
        let added: HashSet<UserId> = rows.into_iter().map(|(id,)| UserId::new(id)).collect();
        let count = i64::try_from(added.len()).unwrap_or(i64::MAX);
        self.count(tenant, Counted::Users, count).await?;
        self.name_all(tenant, users.iter().filter(|user| added.contains(&user.id)))
            .await?;
        Ok(added)
    }

    /// Overwrites a user but for their id, connection and age; `false` if there is none, or if their new e-mail
    /// address or user name is another's (which one it is, [`Tx::user`] tells).
    pub async fn update_user(&mut self, tenant: &TenantId, user: &User) -> Result<bool, StoreError> {
        let email = user.email.as_deref().map(normalise);
        let username = user.username.as_deref().map(normalise);
        let before = self.user(tenant, &user.id).await?;
        // Asked first, not found out: in PostgreSQL a statement that fails ends the transaction.
        let is_updated = changed(execute!(
            self,
            UPDATE,
            tenant.as_str(),
            user.id.as_str(),
            user.email.as_deref(),
            email,
            user.email_verified,
            user.username.as_deref(),
            username,
            user.password_hash.as_deref(),
            user.blocked,
            json(&user.rest),
            user.updated_at.ms(),
        ))?;
        if is_updated {
            self.name(tenant, before.as_ref(), Some(user)).await?;
        }
        Ok(is_updated)
    }

    /// Gives a user another password; `false` if there is no such user.
    pub async fn set_password(
        &mut self,
        tenant: &TenantId,
        id: &UserId,
        hash: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update users set password_hash = $3, updated_at = $4 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str(),
            hash,
            at.ms(),
        ))
    }

    /// Counts a user's further logins: how many, and when and where from the last one was. Nothing if there is no such user.
    pub(crate) async fn add_logins(
        &mut self,
        tenant: &str,
        id: &str,
        (count, last_at_ms, address): (i64, i64, &str),
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "update users set logins_count = logins_count + $3, \
             last_address = case when coalesce(last_login_at, 0) <= $4 then $5 else last_address end, \
             last_login_at = case when coalesce(last_login_at, 0) <= $4 then $4 else last_login_at end \
             where tenant_id = $1 and id = $2",
            tenant,
            id,
            count,
            last_at_ms,
            address,
        )?;
        Ok(())
    }

    /// Removes a user.
    pub async fn remove_user(&mut self, tenant: &TenantId, id: &UserId) -> Result<bool, StoreError> {
        let before = self.user(tenant, id).await?;
        let removed = changed(execute!(
            self,
            "delete from users where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))?;
        self.count(tenant, Counted::Users, -i64::from(removed)).await?;
        self.name(tenant, before.as_ref(), None).await?;
        Ok(removed)
    }
}
