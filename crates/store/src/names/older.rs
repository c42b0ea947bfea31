//! Writing the names of what was there before the table was, or came in as rows: in small steps, in the background, each
//! of which goes on where the last one ended, whoever took it.

use tokenhouse_protocol::id::TenantId;

use super::{HasNames, Named};
use crate::db::{all, execute, optional};
use crate::{Client, Store, StoreError, Tx, User, clients, users};

/// Records of one step.
const STEP: i64 = 200;

impl Store {
    /// Takes the next step, of some hundred records: whether any may be left. For a background task; any number of
    /// processes may do so at once.
    pub async fn name_older(&self) -> Result<bool, StoreError> {
        // A read first: a house that has no older names must not take the write lock for it.
        let sql = "select tenant_id, kind from namings limit 1";
        let row: Option<(String, String)> = optional!(self.db(), sql)?;
        let Some((tenant, kind)) = row else { return Ok(false) };
        let tenant = TenantId::new(tenant);
        let mut tx = self.begin().await?;
        // What changes this tenant waits from here on, so that no name is written that it has just removed.
        execute!(
            tx,
            "update revisions set revision = revision where tenant_id = $1",
            tenant.as_str()
        )?;
        let sql = "select seen_to from namings where tenant_id = $1 and kind = $2";
        let row: Option<(String,)> = optional!(tx: tx, sql, tenant.as_str(), kind.as_str())?;
        let Some((seen_to,)) = row else { return Ok(true) };
        let last = match kind == Named::Client.as_str() {
            true => {
                let sql = concat!(
                    "select ",
                    clients::columns!(),
                    " from clients where tenant_id = $1 and id > $2 order by id limit $3"
                );
                let rows: Vec<Client> = all!(tx: tx, sql, tenant.as_str(), seen_to.as_str(), STEP)?;
                named(&mut tx, &tenant, &rows).await?
            }
            false => {
                let sql = concat!(
                    "select ",
                    users::columns!(),
                    " from users where tenant_id = $1 and id > $2 order by id limit $3"
                );
                let rows: Vec<User> = all!(tx: tx, sql, tenant.as_str(), seen_to.as_str(), STEP)?;
                named(&mut tx, &tenant, &rows).await?
            }
        };
        match last {
            Some(last) => execute!(
                tx,
                "update namings set seen_to = $3 where tenant_id = $1 and kind = $2",
                tenant.as_str(),
                kind.as_str(),
                last
            )?,
            None => execute!(
                tx,
                "delete from namings where tenant_id = $1 and kind = $2",
                tenant.as_str(),
                kind.as_str()
            )?,
        };
        tx.commit().await?;
        Ok(true)
    }
}

impl Tx<'_> {
    /// Lets the names of a tenant's rows be written anew in the background.
    pub(crate) async fn name_later(&mut self, tenant: &TenantId) -> Result<(), StoreError> {
        execute!(self, "delete from names where tenant_id = $1", tenant.as_str())?;
        execute!(self, "delete from namings where tenant_id = $1", tenant.as_str())?;
        let sql = "insert into namings (tenant_id, kind, seen_to) values ($1, $2, '')";
        for kind in [Named::Client, Named::User] {
            execute!(self, sql, tenant.as_str(), kind.as_str())?;
        }
        Ok(())
    }
}

/// Writes the records' names: the last one's id.
async fn named<T: HasNames>(tx: &mut Tx<'_>, tenant: &TenantId, rows: &[T]) -> Result<Option<String>, StoreError> {
    tx.name_all(tenant, rows.iter()).await?;
    Ok(rows.last().map(|row| row.named_id().to_owned()))
}
