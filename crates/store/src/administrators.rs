//! The people who run a tenant: table `administrators`. Their sessions are rows of their own.

use std::fmt;

use tokenhouse_protocol::id::{AdministratorId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, execute, optional};
use crate::names::normalise;
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// An administrator. No two of a tenant share an e-mail address, however written.
#[derive(Clone, PartialEq)]
pub struct Administrator {
    /// Their id.
    pub id: AdministratorId,
    /// The e-mail address by which they sign in, as written.
    pub email: String,
    /// What people call them.
    pub name: Option<String>,
    /// The hash of their password, in PHC form; `None` until they have chosen one.
    pub password_hash: Option<String>,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
    /// When they last signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// Only who it is: neither the hash nor what is personal belongs in a log.
impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administrator")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, email, name, password_hash, created_at, updated_at, signed_in_at"
    };
}

from_row!(Administrator, row => Administrator {
    id: AdministratorId::new(row.text("id")?),
    email: row.text("email")?,
    name: row.optional_text("name")?,
    password_hash: row.optional_text("password_hash")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
    signed_in_at: row.optional_time("signed_in_at")?,
});

const ONE: &str = concat!(
    "select ",
    columns!(),
    " from administrators where tenant_id = $1 and id = $2"
);

impl Store {
    /// An administrator by their id.
    pub async fn administrator(
        &self,
        tenant: &TenantId,
        id: &AdministratorId,
    ) -> Result<Option<Administrator>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// An administrator by their e-mail address, however written.
    pub async fn administrator_by_email(
        &self,
        tenant: &TenantId,
        email: &str,
    ) -> Result<Option<Administrator>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from administrators where tenant_id = $1 and email_normalised = $2"
        );
        optional!(self.db(), sql, tenant.as_str(), normalise(email))
    }

    /// A page of administrators, by id.
    pub async fn administrators(&self, tenant: &TenantId, page: Page) -> Result<Vec<Administrator>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from administrators where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }
}

impl Tx<'_> {
    /// An administrator by their id, read inside this transaction.
    pub async fn administrator(
        &mut self,
        tenant: &TenantId,
        id: &AdministratorId,
    ) -> Result<Option<Administrator>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// Adds an administrator; [`Added::Exists`] if their id or e-mail address is taken.
    pub async fn add_administrator(
        &mut self,
        tenant: &TenantId,
        administrator: &Administrator,
    ) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into administrators (tenant_id, id, email, email_normalised, name, password_hash, created_at, \
             updated_at, signed_in_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
            tenant.as_str(),
            administrator.id.as_str(),
            administrator.email.as_str(),
            normalise(&administrator.email),
            administrator.name.as_deref(),
            administrator.password_hash.as_deref(),
            administrator.created_at.ms(),
            administrator.updated_at.ms(),
            administrator.signed_in_at.map(Timestamp::ms),
        ))
    }

    /// Gives an administrator another name and password; `false` if there is none of this id.
    pub async fn update_administrator(
        &mut self,
        tenant: &TenantId,
        administrator: &Administrator,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update administrators set name = $3, password_hash = $4, updated_at = $5 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            administrator.id.as_str(),
            administrator.name.as_deref(),
            administrator.password_hash.as_deref(),
            administrator.updated_at.ms(),
        ))
    }

    /// Removes an administrator; their sessions and links go with them.
    pub async fn remove_administrator(&mut self, tenant: &TenantId, id: &AdministratorId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from administrators where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))
    }

    /// Ends an administrator's sessions, but for the one of this digest, and makes their links worthless: for whoever
    /// changes their password.
    pub async fn end_administrator_sessions(
        &mut self,
        tenant: &TenantId,
        id: &AdministratorId,
        except: Option<&str>,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "delete from administrator_sessions where tenant_id = $1 and administrator_id = $2 and digest <> $3",
            tenant.as_str(),
            id.as_str(),
            except.unwrap_or_default(),
        )?;
        execute!(
            self,
            "delete from sign_in_links where tenant_id = $1 and administrator_id = $2",
            tenant.as_str(),
            id.as_str(),
        )?;
        Ok(())
    }
}
