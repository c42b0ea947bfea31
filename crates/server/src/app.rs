//! The application as one value: what is configured, the house that all tenants share, and the tenants
//! that are loaded. A request's host finds its tenant; nothing else does (DESIGN §2, "Tenants").

use std::fmt;
use std::sync::{Arc, OnceLock};

use quick_cache::sync::Cache;

use tokenhouse_protocol::crypto::{Algorithm, Random, SealingKey};
use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Change, Database, OpenError, Options, Store, StoreError};

use crate::accounts::Accounts;
use crate::accounts::password::BadParameters;
use crate::audit::Audit;
use crate::config::{Console, Limits, Passwords};
use crate::console::trial::Trial;
use crate::console::usage::largest::Largest;
use crate::host::without_usual_port;
use crate::rate::Rate;
use crate::registry::given_keys::{self, GivenKey};
use crate::registry::secrets::{Secrets, UnlockError};
use crate::registry::tenants::NewTenant;
use crate::registry::{RegistryError, clients, keys, tenants};
use crate::tenant::{House, Issuer, Tenant, without_port};

/// Tenants that are held in memory at a time.
const MAX_LOADED_TENANTS: usize = 1000;
/// Hosts that are remembered, known and unknown, at a time.
const MAX_HOSTS: usize = 10_000;

/// What an [`App`] is opened with.
pub struct AppOptions {
    /// Where everything is kept.
    pub database: Database,
    /// Under which key its secrets are sealed.
    pub sealing: SealingKey,
    /// The default tenant's issuer.
    pub issuer: Issuer,
    /// Hosts that mean the default tenant, with or without a port, beside the issuer's, unless they are another tenant's.
    pub default_hosts: Vec<String>,
    /// Whether browsers may be told to use https alone, where a tenant does (RFC 6797; CONTRACT Decision 15).
    pub may_be_strict: bool,
    /// The clock.
    pub clock: Clock,
    /// Costs of passwords.
    pub passwords: Passwords,
    /// Limits on trying.
    pub limits: Limits,
    /// The console, for administrators.
    pub console: Console,
    /// Entries of each of a tenant's caches.
    pub cache_entries: usize,
}

/// The running application.
pub struct App {
    /// What all tenants share.
    pub house: House,
    /// Whether browsers may be told to use https alone, where a tenant does.
    pub may_be_strict: bool,
    /// The limit on requests to the Management API.
    pub management_rate: Rate,
    default_hosts: Vec<String>,
    trial: OnceLock<Trial>,
    /// What the console remembers of usage.
    pub(crate) largest: Largest,
    loaded: Cache<TenantId, Arc<Loaded>>,
    hosts: Cache<String, Option<TenantId>>,
}

/// A tenant in memory, and the revision of its configuration up to which it knows every change.
struct Loaded {
    tenant: Arc<Tenant>,
    seen: std::sync::atomic::AtomicI64,
}

/// The application cannot start: one sentence that says why and what to do.
#[derive(Debug)]
pub enum StartError {
    /// The database.
    Open(OpenError),
    /// The sealing key.
    Unlock(UnlockError),
    /// The costs of passwords.
    Passwords(BadParameters),
    /// The default tenant.
    Registry(RegistryError),
    /// The database, after it was opened.
    Store(StoreError),
    /// The host of the default tenant's issuer leads to another tenant.
    IssuerTaken {
        /// That issuer.
        issuer: Issuer,
        /// The other tenant.
        tenant: TenantId,
    },
}

impl App {
    /// Opens the database, its secrets and the default tenant, which is made in a new database.
    pub async fn open(options: AppOptions) -> Result<Arc<Self>, StartError> {
        Self::open_with_keys(options, &[]).await
    }

    /// The same, the default tenant signing with these keys; none are made of an algorithm that is among them.
    pub async fn open_with_keys(options: AppOptions, given: &[GivenKey]) -> Result<Arc<Self>, StartError> {
        let AppOptions {
            database,
            sealing,
            issuer,
            default_hosts,
            may_be_strict,
            clock,
            passwords,
            limits,
            console,
            cache_entries,
        } = options;
        let random = Random::system();
        let store = Store::open(Options {
            database,
            clock: clock.clone(),
            random: random.clone(),
        })
        .await?;
        let secrets = Secrets::unlock(&store, sealing, &clock).await?;
        let house = House {
            accounts: Accounts::new(&passwords, &limits, clock.clone())?,
            audit: Arc::new(Audit::new(store.clone(), clock.clone())),
            secrets: Arc::new(secrets),
            store,
            random,
            clock,
            cache_entries: cache_entries.max(1),
            console,
            issuer,
        };
        let app = Self {
            management_rate: Rate::new(limits.management_requests_per_s, house.clock.clone()),
            house,
            may_be_strict,
            default_hosts,
            trial: OnceLock::new(),
            largest: Largest::default(),
            loaded: Cache::new(MAX_LOADED_TENANTS),
            hosts: Cache::new(MAX_HOSTS),
        };
        let default = TenantId::default_tenant();
        if app.house.store.tenant(&default).await?.is_none() {
            let new = NewTenant {
                id: default,
                name: "Default".into(),
                issuer: None,
                hosts: Vec::new(),
            };
            match tenants::create_with_keys(&app.house, new, app.house.issuer.clone(), given).await {
                // Another process made it at the same moment.
                Ok(_) | Err(RegistryError::Conflict(_)) => {}
                Err(error) => return Err(StartError::Registry(error)),
            }
        }
        // Also where a first start was cut short between the tenant and its keys.
        let tenant = app.default_tenant().await?;
        given_keys::add(&tenant, given).await?;
        keys::ensure(&tenant, Algorithm::Rs256).await?;
        clients::ensure_global(&tenant).await?;
        Ok(Arc::new(app))
    }

    /// Refuses an issuer of the default tenant whose host leads to another tenant, which no request would find any more.
    ///
    /// Whoever serves asks this first; commands open such a database all the same, to put it right.
    pub async fn check_issuer(&self) -> Result<(), StartError> {
        let issuer = &self.house.issuer;
        match self.house.store.tenant_by_host(issuer.found_by()).await? {
            Some(tenant) if tenant != TenantId::default_tenant() => Err(StartError::IssuerTaken {
                issuer: issuer.clone(),
                tenant,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// What the console's pages try things with.
    pub fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| Trial::new(&self.house.console))
    }

    /// Gives them something else than what is configured, before they try anything.
    pub fn set_trial(&self, trial: Trial) {
        // Who comes first decides; nobody comes before the start.
        let _ = self.trial.set(trial);
    }

    /// The default tenant.
    pub async fn default_tenant(&self) -> Result<Arc<Tenant>, StoreError> {
        let id = TenantId::default_tenant();
        let gone = || StoreError::Damaged("the default tenant is not there".into());
        self.tenant(&id).await?.ok_or_else(gone)
    }

    /// The tenant with this id.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Arc<Tenant>>, StoreError> {
        if let Some(loaded) = self.loaded.get(id) {
            return Ok(Some(loaded.tenant.clone()));
        }
        // First the revision, then what it counts: what changes in between is looked at again.
        let seen = self
            .house
            .store
            .revisions(std::slice::from_ref(id))
            .await?
            .first()
            .map_or(0, |(_, seen)| *seen);
        let Some(row) = self.house.store.tenant(id).await? else {
            return Ok(None);
        };
        let issuer = match &row.issuer {
            Some(issuer) => Issuer::parse(issuer).map_err(StoreError::Damaged)?,
            None => self.house.issuer.clone(),
        };
        let tenant = Arc::new(Tenant::new(self.house.clone(), &row, issuer));
        self.loaded.insert(
            id.clone(),
            Arc::new(Loaded {
                tenant: tenant.clone(),
                seen: seen.into(),
            }),
        );
        Ok(Some(tenant))
    }

    /// The tenant of a `Host` header's value, in lower case; an unknown host has none, never a default.
    pub async fn tenant_of_host(&self, host: &str) -> Result<Option<Arc<Tenant>>, StoreError> {
        // Of a tenant that is not in memory nobody hears whether the host was taken from it.
        let is_heard_of = |known: &Option<TenantId>| known.as_ref().is_none_or(|id| self.loaded.peek(id).is_some());
        let id = match self.hosts.get(host).filter(is_heard_of) {
            Some(known) => known,
            None => {
                let found = self.find_host(host).await?;
                self.hosts.insert(host.to_owned(), found.clone());
                found
            }
        };
        match id {
            Some(id) => self.tenant(&id).await,
            None => Ok(None),
        }
    }

    /// Forgets which hosts are no tenant's own, since another process may have made their tenant; called about once a
    /// second.
    pub fn forget_unknown_hosts(&self) {
        let default = TenantId::default_tenant();
        let may_change = |id: &TenantId| *id == default && !self.default_hosts.is_empty();
        self.hosts
            .retain(|_, tenant| tenant.as_ref().is_some_and(|id| !may_change(id)));
    }

    /// Learns what other processes changed, and forgets it; called several times a second.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let loaded: Vec<_> = self.loaded.iter().collect();
        let ids: Vec<_> = loaded.iter().map(|(id, _)| id.clone()).collect();
        let revisions = self.house.store.revisions(&ids).await?;
        for (id, loaded) in &loaded {
            let seen = loaded.seen.load(std::sync::atomic::Ordering::SeqCst);
            match revisions.iter().find(|(other, _)| other == id) {
                None => self.forget_tenant(id),
                Some((_, revision)) if *revision > seen => self.catch_up_with(id, loaded, seen).await?,
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The tenants in memory.
    pub fn loaded_tenants(&self) -> Vec<Arc<Tenant>> {
        self.loaded.iter().map(|(_, loaded)| loaded.tenant.clone()).collect()
    }

    async fn catch_up_with(&self, id: &TenantId, loaded: &Loaded, seen: i64) -> Result<(), StoreError> {
        let changes = match self.house.store.changes_since(id, seen).await {
            Ok(Some(changes)) => changes,
            // Too long ago, or in words of a newer version: it is not known what changed.
            Ok(None) | Err(StoreError::Damaged(_)) => {
                self.forget_tenant(id);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (revision, change) in changes {
            loaded.tenant.forget(&change);
            if change == Change::Settings {
                self.forget_tenant(id);
            }
            loaded.seen.fetch_max(revision, std::sync::atomic::Ordering::SeqCst);
        }
        Ok(())
    }

    fn forget_tenant(&self, id: &TenantId) {
        if let Some((_, loaded)) = self.loaded.remove(id) {
            loaded.tenant.forget_all();
        }
        self.hosts.clear();
    }

    async fn find_host(&self, host: &str) -> Result<Option<TenantId>, StoreError> {
        let host = without_usual_port(host);
        let name = without_port(host);
        let default = Some(TenantId::default_tenant());
        if host == self.house.issuer.found_by() {
            return Ok(default);
        }
        // A host that was given to a tenant is its own, whatever else means the default one.
        let found = self.house.store.tenant_by_host(host).await?;
        let is_default = |known: &String| known == host || known == name;
        Ok(found.or_else(|| default.filter(|_| self.default_hosts.iter().any(is_default))))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Unlock(error) => error.fmt(f),
            Self::Passwords(error) => error.fmt(f),
            Self::Registry(error) => error.fmt(f),
            Self::Store(StoreError::Damaged(why)) => {
                write!(
                    f,
                    "the database is damaged ({why}): restore it from a backup, or begin with another folder"
                )
            }
            Self::Store(error) => error.fmt(f),
            Self::IssuerTaken { issuer, tenant } => write!(
                f,
                "the host of the issuer {} leads to the tenant {tenant} already: name another issuer, or take the host from \
                 that tenant; `tokenhouse tenants list` shows both",
                issuer.as_str()
            ),
        }
    }
}

impl std::error::Error for StartError {}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<UnlockError> for StartError {
    fn from(error: UnlockError) -> Self {
        Self::Unlock(error)
    }
}

impl From<BadParameters> for StartError {
    fn from(error: BadParameters) -> Self {
        Self::Passwords(error)
    }
}

impl From<RegistryError> for StartError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
