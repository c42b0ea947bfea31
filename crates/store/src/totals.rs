//! How many clients, client grants and users a tenant has: table `totals`, kept in the transaction of each change, so
//! that a list can name its length without being counted. Whoever adds a write that makes or removes such rows in
//! another way, by a cascade for example, counts them here.

use tokenhouse_protocol::id::TenantId;

use crate::db::{Backend, execute, optional};
use crate::{Store, StoreError, Tx};

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counted {
    Clients,
    ClientGrants,
    Users,
}

impl Counted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::ClientGrants => "client_grants",
            Self::Users => "users",
        }
    }
}

impl Store {
    /// How many users the tenant has.
    pub async fn users_total(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.total(tenant, Counted::Users).await
    }

    pub(crate) async fn total(&self, tenant: &TenantId, counted: Counted) -> Result<u64, StoreError> {
        let sql = "select total from totals where tenant_id = $1 and kind = $2";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str(), counted.as_str())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }
}

impl Tx<'_> {
    /// Counts `by` more, or fewer.
    pub(crate) async fn count(&mut self, tenant: &TenantId, counted: Counted, by: i64) -> Result<(), StoreError> {
        if by == 0 {
            return Ok(());
        }
        if let Backend::Turn(turn) = &mut self.backend {
            turn.count(tenant, counted, by);
            return Ok(());
        }
        let sql = "insert into totals (tenant_id, kind, total) values ($1, $2, $3) \
                   on conflict (tenant_id, kind) do update set total = totals.total + $3";
        execute!(self, sql, tenant.as_str(), counted.as_str(), by)?;
        Ok(())
    }
}
