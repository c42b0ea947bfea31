//! Users who were removed, until the log knows them by a pseudonym alone: table `forgotten_users`, and the one place
//! where rows of `logs` are written again.
//!
//! Nothing in the log is indexed by user, which every token would pay for, so the log is walked: once at once, for all
//! who wait together, and once more over the time of the removal when the last request that knew the user is over.

use tokenhouse_protocol::id::{TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute};
use crate::log_id::prefix;
use crate::logs::{LogRow, columns};
use crate::{Store, StoreError, Tx, User};

/// Users whose rows are looked for in one walk.
const TOGETHER: i64 = 100;
/// Lines of one step.
const STEP: i64 = 1_000;
/// How long after the removal a request may still write about the user.
const LATE_MS: i64 = 10_000;
/// How long after the removal every such line is there, whichever node wrote it.
const SETTLED_MS: i64 = 30_000;
/// How long before the removal the second walk begins: the clocks of two nodes may be apart.
const EARLY_MS: i64 = 20_000;

/// A user who was removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForgottenUser {
    /// Who they were.
    pub id: UserId,
    /// Who they are in the log from now on.
    pub pseudonym: UserId,
    /// Their e-mail address and user name.
    pub names: Vec<String>,
    /// When they were removed.
    pub removed_at: Timestamp,
    due_at: i64,
    seen_to: String,
    tenant: TenantId,
}

/// A step of a walk: users of one tenant, and the lines in which they are looked for.
#[derive(Debug)]
pub struct Forgetting {
    /// The tenant.
    pub tenant: TenantId,
    /// The users.
    pub users: Vec<ForgottenUser>,
    /// The lines.
    pub rows: Vec<LogRow>,
}

from_row!(ForgottenUser, row => ForgottenUser {
    id: UserId::new(row.text("user_id")?),
    pseudonym: UserId::new(row.text("pseudonym")?),
    names: row.json("names")?,
    removed_at: row.time("removed_at")?,
    due_at: row.integer("due_at")?,
    seen_to: row.text("seen_to")?,
    tenant: TenantId::new(row.text("tenant_id")?),
});

impl Store {
    /// The next step, if there is anybody to be forgotten now.
    pub async fn forgetting(&self) -> Result<Option<Forgetting>, StoreError> {
        // Whoever is furthest first, so that a walk ends before the next one begins.
        let sql = "select tenant_id, pseudonym, user_id, names, removed_at, due_at, seen_to from forgotten_users \
                   where due_at <= $1 order by tenant_id, seen_to desc, pseudonym limit $2";
        let mut users: Vec<ForgottenUser> = all!(self.db(), sql, self.clock().now().ms(), TOGETHER)?;
        let Some(first) = users.first().cloned() else {
            return Ok(None);
        };
        users.retain(|user| user.tenant == first.tenant && user.seen_to == first.seen_to);
        let last = users
            .iter()
            .map(|user| user.removed_at)
            .max()
            .unwrap_or(first.removed_at);
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where tenant_id = $1 and id > $2 and id < $3 order by id limit $4"
        );
        let end = prefix(last.plus_ms(LATE_MS));
        let rows = all!(self.db(), sql, first.tenant.as_str(), first.seen_to, end, STEP)?;
        Ok(Some(Forgetting {
            tenant: first.tenant,
            users,
            rows,
        }))
    }

    /// Ends a step: writes its lines that tell of one of its users as they are now, `rewritten`.
    pub async fn forgotten(&self, step: &Forgetting, rewritten: &[LogRow]) -> Result<(), StoreError> {
        let is_end = i64::try_from(step.rows.len()).unwrap_or(STEP) < STEP;
        let last = step.rows.last().map(|row| row.id.as_str()).filter(|_| !is_end);
        let mut tx = self.begin().await?;
        for user in &step.users {
            if !tx.walked(user, last).await? {
                // Another process took this step.
                return Ok(());
            }
        }
        for row in rewritten {
            execute!(
                tx,
                "update logs set user_id = $3, address = $4, body = $5 where tenant_id = $1 and id = $2",
                step.tenant.as_str(),
                row.id.as_str(),
                row.user_id.as_ref().map(UserId::as_str),
                row.address.as_deref(),
                json(&row.body),
            )?;
        }
        tx.commit().await
    }
}

impl Tx<'_> {
    /// Has the log forget a user, who is removed in this transaction.
    pub async fn forget_user(
        &mut self,
        tenant: &TenantId,
        user: &User,
        pseudonym: &UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let names: Vec<&String> = [&user.email, &user.username].into_iter().flatten().collect();
        execute!(
            self,
            "insert into forgotten_users (tenant_id, pseudonym, user_id, names, removed_at, due_at, seen_to) \
             values ($1, $2, $3, $4, $5, $5, '')",
            tenant.as_str(),
            pseudonym.as_str(),
            user.id.as_str(),
            json(&names),
            at.ms(),
        )?;
        Ok(())
    }

    /// Notes that a user was looked for through `last`, or to the end; `false` if the user is not where the step found
    /// them.
    async fn walked(&mut self, user: &ForgottenUser, last: Option<&str>) -> Result<bool, StoreError> {
        let settled = user.removed_at.plus_ms(SETTLED_MS).ms();
        let is_second = user.due_at == settled;
        let (tenant, pseudonym) = (user.tenant.as_str(), user.pseudonym.as_str());
        let walked = if last.is_none() && is_second {
            let sql = "delete from forgotten_users where tenant_id = $1 and pseudonym = $2 and seen_to = $3";
            execute!(self, sql, tenant, pseudonym, user.seen_to.as_str())?
        } else {
            let (seen_to, due_at) = match last {
                Some(last) => (last.to_owned(), user.due_at),
                None => (prefix(user.removed_at.plus_ms(-EARLY_MS)), settled),
            };
            let sql = "update forgotten_users set seen_to = $4, due_at = $5 \
                       where tenant_id = $1 and pseudonym = $2 and seen_to = $3";
            execute!(self, sql, tenant, pseudonym, user.seen_to.as_str(), seen_to, due_at)?
        };
        Ok(walked > 0)
    }
}
