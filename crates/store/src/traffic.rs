//! What a tenant was issued and refused, by hour: table `traffic`, which holds one row for each hour and node however
//! many applications there are, so that a look at it costs the same in every house.

use std::collections::BTreeMap;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;

use crate::db::{all, execute};
use crate::{Store, StoreError, Tx};

/// One hour of a tenant, of all nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traffic {
    /// The hour's beginning, UTC.
    pub hour: Timestamp,
    /// Access tokens issued by client credentials.
    pub machine: i64,
    /// Access tokens issued for users.
    pub people: i64,
    /// Lines of the log whose type begins with `f`, but for changes of the configuration that were refused.
    pub refused: i64,
}

impl Store {
    /// A tenant's hours in which something was counted, oldest first: from the hour that `from` is in, through the last
    /// that began before `to`.
    pub async fn traffic(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<Traffic>, StoreError> {
        let sql = "select hour, machine, people, refused from traffic \
                   where tenant_id = $1 and hour >= $2 and hour < $3";
        let rows: Vec<(i64, i64, i64, i64)> = all!(self.db(), sql, tenant.as_str(), from.hour().ms(), to.ms())?;
        let mut hours: BTreeMap<i64, Traffic> = BTreeMap::new();
        for (hour, machine, people, refused) in rows {
            let sum = hours.entry(hour).or_insert(Traffic {
                hour: Timestamp::from_ms(hour),
                machine: 0,
                people: 0,
                refused: 0,
            });
            sum.machine += machine;
            sum.people += people;
            sum.refused += refused;
        }
        Ok(hours.into_values().collect())
    }
}

/// Counts a node's log rows after `old`, through `new`.
pub(crate) async fn count(tx: &mut Tx<'_>, node: &str, old: &str, new: &str) -> Result<(), StoreError> {
    execute!(
        tx,
        "insert into traffic (tenant_id, hour, node_id, machine, people, refused) \
         select tenant_id, (happened_at / 3600000) * 3600000, node_id, \
         sum(case when grant_type = 'client_credentials' then tokens else 0 end), \
         sum(case when grant_type = 'client_credentials' then 0 else tokens end), \
         sum(case when substr(kind, 1, 1) = 'f' and kind <> 'fapi' then repeats else 0 end) from logs \
         where node_id = $1 and id > $2 and id <= $3 and (tokens > 0 or substr(kind, 1, 1) = 'f') \
         group by tenant_id, (happened_at / 3600000) * 3600000, node_id \
         on conflict (tenant_id, hour, node_id) do update set machine = traffic.machine + excluded.machine, \
         people = traffic.people + excluded.people, refused = traffic.refused + excluded.refused",
        node,
        old,
        new,
    )?;
    Ok(())
}
