//! Links that let an administrator in once: table `sign_in_links`. What the link says is not here, only its digest.

use tokenhouse_protocol::id::{AdministratorId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{execute, optional};
use crate::{Store, StoreError};

/// A link that was not used yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignInLink {
    /// The digest of what the link says.
    pub digest: String,
    /// Whom it lets in.
    pub administrator_id: AdministratorId,
    /// Whether they choose a password with it.
    pub sets_password: bool,
    /// When it stops working.
    pub expires_at: Timestamp,
}

macro_rules! columns {
    () => {
        "digest, administrator_id, sets_password, expires_at"
    };
}

from_row!(SignInLink, row => SignInLink {
    digest: row.text("digest")?,
    administrator_id: AdministratorId::new(row.text("administrator_id")?),
    sets_password: row.flag("sets_password")?,
    expires_at: row.time("expires_at")?,
});

impl Store {
    /// A link that works, by its digest; looking at it does not use it up.
    pub async fn sign_in_link(&self, tenant: &TenantId, digest: &str) -> Result<Option<SignInLink>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from sign_in_links where tenant_id = $1 and digest = $2 and expires_at > $3"
        );
        optional!(self.db(), sql, tenant.as_str(), digest, self.clock().now().ms())
    }

    /// Adds a link.
    pub async fn add_sign_in_link(&self, tenant: &TenantId, link: &SignInLink) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        execute!(
            tx,
            "insert into sign_in_links (tenant_id, digest, administrator_id, sets_password, expires_at) \
             values ($1, $2, $3, $4, $5)",
            tenant.as_str(),
            link.digest.as_str(),
            link.administrator_id.as_str(),
            link.sets_password,
            link.expires_at.ms(),
        )?;
        tx.commit().await
    }

    /// Uses a link up: the first who comes gets it, if it has not expired.
    pub async fn take_sign_in_link(&self, tenant: &TenantId, digest: &str) -> Result<Option<SignInLink>, StoreError> {
        let now = self.clock().now().ms();
        let mut tx = self.begin().await?;
        let sql = concat!(
            "delete from sign_in_links where tenant_id = $1 and digest = $2 and expires_at > $3 returning ",
            columns!()
        );
        let taken = optional!(tx: tx, sql, tenant.as_str(), digest, now)?;
        tx.commit().await?;
        Ok(taken)
    }
}
