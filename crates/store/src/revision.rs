//! How a change of configuration reaches every node: a revision per tenant, the list of what changed, and a bell.
//! Tables `revisions` and `changes`; DESIGN §4, "A change reaches every node".

use std::future::pending;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{PgPool, QueryBuilder};

use tokenhouse_protocol::id::{AdministratorId, ApiId, ClientId, ConnectionId, RoleId, TenantId, UserId};

use crate::columns::{from_row, unknown_word};
use crate::db::{Backend, Db, all, execute, on, optional};
use crate::{Store, StoreError, Tx};

/// The channel that PostgreSQL rings on; the payload is the tenant's id.
const CHANNEL: &str = "tokenhouse";
/// How many changes of a tenant are kept at most.
const KEPT: i64 = 10_000;
/// For how long a change is kept at most.
const KEPT_MS: i64 = 3_600_000;
/// Tenants asked about in one statement.
const TENANTS_AT_ONCE: usize = 1000;
/// How long to wait before listening again after PostgreSQL went away.
const AGAIN: Duration = Duration::from_secs(1);

/// What changed, so that a node forgets no more than that.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// An application, its secrets or its grants.
    Client(ClientId),
    /// An API; its removal takes grants with it.
    Api(ApiId),
    /// A connection.
    Connection(ConnectionId),
    /// A user.
    User(UserId),
    /// A role, or what it gives.
    Role(RoleId),
    /// An administrator.
    Administrator(AdministratorId),
    /// The tenant's keys.
    Keys,
    /// The tenant itself, its settings or its hosts.
    Settings,
}

impl Change {
    /// Its kind and id as stored.
    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Client(id) => ("client", id.as_str()),
            Self::Api(id) => ("api", id.as_str()),
            Self::Connection(id) => ("connection", id.as_str()),
            Self::User(id) => ("user", id.as_str()),
            Self::Role(id) => ("role", id.as_str()),
            Self::Administrator(id) => ("administrator", id.as_str()),
            Self::Keys => ("keys", ""),
            Self::Settings => ("settings", ""),
        }
    }

    fn read(kind: &str, id: String) -> Result<Self, sqlx::Error> {
        Ok(match kind {
            "client" => Self::Client(ClientId::new(id)),
            "api" => Self::Api(ApiId::new(id)),
            "connection" => Self::Connection(ConnectionId::new(id)),
            "user" => Self::User(UserId::new(id)),
            "role" => Self::Role(RoleId::new(id)),
            "administrator" => Self::Administrator(AdministratorId::new(id)),
            "keys" => Self::Keys,
            "settings" => Self::Settings,
            other => return Err(unknown_word("kind", other)),
        })
    }
}

/// A row of `changes`.
struct Changed(i64, Change);

from_row!(Changed, row => Changed(
    row.integer("revision")?,
    Change::read(&row.text("kind")?, row.text("id")?)?,
));

/// A row of `revisions`.
struct Revision(TenantId, i64);

from_row!(Revision, row => Revision(TenantId::new(row.text("tenant_id")?), row.integer("revision")?));

impl Store {
    /// The revision of each of these tenants; a tenant that never changed, or is gone, is not in the answer.
    pub async fn revisions(&self, tenants: &[TenantId]) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let mut found = Vec::with_capacity(tenants.len());
        for some in tenants.chunks(TENANTS_AT_ONCE) {
            let rows: Vec<Revision> = on!(self.db(), connection => {
                let mut query = QueryBuilder::new("select tenant_id, revision from revisions where tenant_id in (");
                let mut list = query.separated(", ");
                for tenant in some {
                    list.push_bind(tenant.as_str());
                }
                query.push(")");
                query.build_query_as().persistent(false).fetch_all(connection).await
            })?;
            found.extend(rows.into_iter().map(|Revision(tenant, revision)| (tenant, revision)));
        }
        Ok(found)
    }

    /// What changed after revision `seen`, in order; `None` when that is not known any more and all must be
    /// forgotten. Revisions have no gaps, so the last one answered is the next `seen`.
    pub async fn changes_since(&self, tenant: &TenantId, seen: i64) -> Result<Option<Vec<(i64, Change)>>, StoreError> {
        // The revision is read first: a change that comes between the two reads is then one more, never a gap.
        let now: Option<(i64,)> = optional!(
            self.db(),
            "select revision from revisions where tenant_id = $1",
            tenant.as_str()
        )?;
        let now = now.map_or(0, |(revision,)| revision);
        if now == seen {
            return Ok(Some(Vec::new()));
        }
        let sql = "select revision, kind, id from changes where tenant_id = $1 and revision > $2 order by revision";
        let rows: Vec<Changed> = all!(self.db(), sql, tenant.as_str(), seen)?;
        let complete = now > seen && rows.first().is_some_and(|Changed(revision, _)| *revision == seen + 1);
        Ok(complete.then(|| {
            rows.into_iter()
                .map(|Changed(revision, change)| (revision, change))
                .collect()
        }))
    }

    /// Removes changes older than an hour, and all but the last 10 000 of a tenant: how many. For a background task.
    pub async fn prune_changes(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let old = self.clock().now().plus_ms(-KEPT_MS).ms();
        let mut removed = execute!(tx, "delete from changes where changed_at < $1", old)?;
        removed += execute!(
            tx,
            "delete from changes where revision <= \
             (select revisions.revision from revisions where revisions.tenant_id = changes.tenant_id) - $1",
            KEPT
        )?;
        tx.commit().await?;
        Ok(removed)
    }

    /// A bell that rings when another node may have changed something. Only PostgreSQL has one: poll as well.
    #[expect(
        clippy::unused_async,
        reason = "part of the agreed interface; a bell may need to connect one day"
    )]
    pub async fn doorbell(&self) -> Doorbell {
        match self.db() {
            Db::Postgres {
                options, rings: true, ..
            } => {
                // Its own pool of one: listening must not take a connection from those who work.
                let pool = PgPoolOptions::new()
                    .max_connections(1)
                    .max_lifetime(None)
                    .idle_timeout(None);
                Doorbell(Bell::Postgres {
                    pool: pool.connect_lazy_with((**options).clone()),
                    listener: None,
                })
            }
            Db::Postgres { .. } | Db::Sqlite { .. } => Doorbell(Bell::None),
        }
    }
}

impl Tx<'_> {
    /// Counts the tenant's revision up and notes what changed; the bell rings when this transaction commits.
    ///
    /// From here to the commit no other transaction can change this tenant, so whoever reads, decides and writes
    /// calls this first. Commit order is revision order: a reader skips nothing.
    pub async fn bump(&mut self, tenant: &TenantId, change: Change) -> Result<i64, StoreError> {
        self.bump_all(tenant, &[change]).await
    }

    /// The same for several changes at once, in their order; answers the last one's revision.
    pub(crate) async fn bump_all(&mut self, tenant: &TenantId, changes: &[Change]) -> Result<i64, StoreError> {
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let sql = "insert into revisions (tenant_id, revision) values ($1, $2) \
                   on conflict (tenant_id) do update set revision = revisions.revision + $2 returning revision";
        let row: Option<(i64,)> = optional!(tx: self, sql, tenant.as_str(), count)?;
        let Some((revision,)) = row else {
            return Err(StoreError::Damaged("a revision was counted but not returned".into()));
        };
        let now = self.clock.now().ms();
        on!(tx: self, connection => {
            let mut query = QueryBuilder::new("insert into changes (tenant_id, revision, kind, id, changed_at) ");
            query.push_values((revision - count + 1..).zip(changes), |mut values, (revision, change)| {
                let (kind, id) = change.words();
                values
                    .push_bind(tenant.as_str())
                    .push_bind(revision)
                    .push_bind(kind)
                    .push_bind(id)
                    .push_bind(now);
            });
            query.build().persistent(changes.len() == 1).execute(connection).await.map(drop)
        })?;
        if let Backend::Postgres {
            transaction,
            rings: true,
        } = &mut self.backend
        {
            let notify = sqlx::query("select pg_notify($1, $2)")
                .bind(CHANNEL)
                .bind(tenant.as_str());
            notify.execute(&mut **transaction).await?;
        }
        Ok(revision)
    }
}

/// Rings when another node may have changed something; see [`Store::doorbell`].
pub struct Doorbell(Bell);

enum Bell {
    None,
    Postgres { pool: PgPool, listener: Option<PgListener> },
}

impl Doorbell {
    /// Waits for the next ring, for ever where there is no bell. A ring may be one too many, as after PostgreSQL
    /// was away; what was missed shows in the revisions.
    pub async fn ring(&mut self) {
        let Bell::Postgres { pool, listener } = &mut self.0 else {
            return pending().await;
        };
        loop {
            if let Some(listening) = listener {
                // `None` is a lost connection: a ring may have been missed, so it counts as one.
                if listening.try_recv().await.is_ok() {
                    return;
                }
                *listener = None;
            } else if let Ok(listening) = listen(pool).await {
                *listener = Some(listening);
                return;
            }
            crate::db::pause(AGAIN).await;
        }
    }
}

async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
