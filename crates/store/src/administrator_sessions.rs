//! The browsers in which administrators are signed in: table `administrator_sessions`. What a browser holds is not here,
//! only its digest. Sessions are not configuration: writing them counts no revision.

use tokenhouse_protocol::id::{AdministratorId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, execute, optional};
use crate::{Store, StoreError, changed};

/// An administrator's session in one browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdministratorSession {
    /// The digest of what the browser holds.
    pub digest: String,
    /// Whose it is.
    pub administrator_id: AdministratorId,
    /// The address it began from.
    pub address: String,
    /// The browser, as it called itself then.
    pub user_agent: String,
    /// What the next page tells them once, after something they did.
    pub notice: Option<String>,
    /// What one page is to show once, sealed under what the browser holds.
    pub shown_sealed: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub seen_at: Timestamp,
}

macro_rules! columns {
    () => {
        "digest, administrator_id, address, user_agent, notice, shown_sealed, created_at, seen_at"
    };
}

from_row!(AdministratorSession, row => AdministratorSession {
    digest: row.text("digest")?,
    administrator_id: AdministratorId::new(row.text("administrator_id")?),
    address: row.text("address")?,
    user_agent: row.text("user_agent")?,
    notice: row.optional_text("notice")?,
    shown_sealed: row.optional_text("shown_sealed")?,
    created_at: row.time("created_at")?,
    seen_at: row.time("seen_at")?,
});

impl Store {
    /// A session by its digest.
    pub async fn administrator_session(
        &self,
        tenant: &TenantId,
        digest: &str,
    ) -> Result<Option<AdministratorSession>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from administrator_sessions where tenant_id = $1 and digest = $2"
        );
        optional!(self.db(), sql, tenant.as_str(), digest)
    }

    /// An administrator's sessions, those that are over among them until they are pruned, newest first.
    pub async fn sessions_of_administrator(
        &self,
        tenant: &TenantId,
        id: &AdministratorId,
    ) -> Result<Vec<AdministratorSession>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from administrator_sessions where tenant_id = $1 and administrator_id = $2 order by created_at desc, digest"
        );
        all!(self.db(), sql, tenant.as_str(), id.as_str())
    }

    /// Adds a session and notes that its administrator signed in.
    pub async fn add_administrator_session(
        &self,
        tenant: &TenantId,
        session: &AdministratorSession,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        execute!(
            tx,
            "insert into administrator_sessions (tenant_id, digest, administrator_id, address, user_agent, notice, \
             shown_sealed, created_at, seen_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant.as_str(),
            session.digest.as_str(),
            session.administrator_id.as_str(),
            session.address.as_str(),
            session.user_agent.as_str(),
            session.notice.as_deref(),
            session.shown_sealed.as_deref(),
            session.created_at.ms(),
            session.seen_at.ms(),
        )?;
        execute!(
            tx,
            "update administrators set signed_in_at = $3 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            session.administrator_id.as_str(),
            session.created_at.ms(),
        )?;
        tx.commit().await
    }

    /// Notes that a session was used.
    pub async fn see_administrator_session(
        &self,
        tenant: &TenantId,
        digest: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "update administrator_sessions set seen_at = $3 where tenant_id = $1 and digest = $2";
        let mut tx = self.begin().await?;
        execute!(tx, sql, tenant.as_str(), digest, at.ms())?;
        tx.commit().await
    }

    /// Keeps what the session's next page is to say, or that it has been said.
    pub async fn notice_administrator_session(
        &self,
        tenant: &TenantId,
        digest: &str,
        notice: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "update administrator_sessions set notice = $3 where tenant_id = $1 and digest = $2";
        let mut tx = self.begin().await?;
        execute!(tx, sql, tenant.as_str(), digest, notice)?;
        tx.commit().await
    }

    /// Keeps what a page of the session is to show once, in place of what none has shown.
    pub async fn show_in_administrator_session(
        &self,
        tenant: &TenantId,
        digest: &str,
        sealed: &str,
    ) -> Result<(), StoreError> {
        let sql = "update administrator_sessions set shown_sealed = $3 where tenant_id = $1 and digest = $2";
        let mut tx = self.begin().await?;
        execute!(tx, sql, tenant.as_str(), digest, sealed)?;
        tx.commit().await
    }

    /// Takes away what a page is about to show: `true` for the first who comes.
    pub async fn take_from_administrator_session(
        &self,
        tenant: &TenantId,
        digest: &str,
        sealed: &str,
    ) -> Result<bool, StoreError> {
        let sql = "update administrator_sessions set shown_sealed = null \
                   where tenant_id = $1 and digest = $2 and shown_sealed = $3";
        let mut tx = self.begin().await?;
        let was_there = changed(execute!(tx, sql, tenant.as_str(), digest, sealed))?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Ends a session.
    pub async fn end_administrator_session(&self, tenant: &TenantId, digest: &str) -> Result<(), StoreError> {
        let sql = "delete from administrator_sessions where tenant_id = $1 and digest = $2";
        let mut tx = self.begin().await?;
        execute!(tx, sql, tenant.as_str(), digest)?;
        tx.commit().await
    }

    /// Removes the sessions that began before `began` or were last used before `seen`, and the links that have expired:
    /// how many. For a background task.
    pub async fn prune_administrator_sessions(&self, began: Timestamp, seen: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let old = "delete from administrator_sessions where created_at < $1 or seen_at < $2";
        let mut removed = execute!(tx, old, began.ms(), seen.ms())?;
        let now = self.clock().now().ms();
        removed += execute!(tx, "delete from sign_in_links where expires_at < $1", now)?;
        tx.commit().await?;
        Ok(removed)
    }
}
