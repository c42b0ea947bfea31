//! On which data a command works: the folder of `tokenhouse dev`, or what a configuration file names.
//! A server may be running on it: it sees each change within a quarter of a second.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::Page;

use super::output::{print, quoted};
use super::{Failure, serve};
use crate::app::{App, AppOptions};
use crate::config::Config;
use crate::dev::folder;
use crate::registry::RegistryError;
use crate::tenant::Tenant;

/// The data folder unless another is named.
pub(super) const DEFAULT_FOLDER: &str = "./tokenhouse-data";
/// Rows that are read at a time.
const PAGE_ROWS: u32 = 500;
/// A command reads each row once: a cache has nothing to give.
const CACHE_ENTRIES: usize = 100;

/// The options that every command on data has.
#[derive(Args, Debug)]
#[command(next_help_heading = "Data")]
pub(super) struct Place {
    /// The data folder of `tokenhouse dev` [default: ./tokenhouse-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration of `tokenhouse serve`, in place of a data folder
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// The PostgreSQL database that the server was given, postgres://…, in place of SQLite in the folder
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// The tenant, where there are several
    #[arg(
        long,
        global = true,
        value_name = "ID",
        default_value = "default",
        hide_default_value = true
    )]
    tenant: String,
    /// Answer with JSON for programs, its fields named as in Auth0's Management API
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Place {
    /// Opens the tenant, works on it, and closes the database.
    pub(super) async fn with_tenant<T>(
        &self,
        work: impl AsyncFnOnce(&Arc<Tenant>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with_app(async |app| {
            let unknown = || {
                Failure(format!(
                    "there is no tenant {}: see `tokenhouse tenants list`",
                    self.tenant
                ))
            };
            let tenant = app
                .tenant(&TenantId::new(self.tenant.as_str()))
                .await?
                .ok_or_else(unknown)?;
            work(&tenant).await
        })
        .await
    }

    /// The same with every tenant.
    pub(super) async fn with_app<T>(
        &self,
        work: impl AsyncFnOnce(&Arc<App>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let app = App::open(self.options()?).await?;
        let done = work(&app).await;
        app.house.store.close().await;
        done
    }

    /// The options that name this place, for commands to be pasted; each begins with a blank.
    pub(super) fn flags(&self) -> String {
        let mut flags = String::new();
        for (name, path) in [("--data", &self.data), ("--config", &self.config)] {
            if let Some(path) = path {
                flags.push_str(&format!(" {name} {}", quoted(&path.display().to_string())));
            }
        }
        if self.database.is_some() {
            // Not the address itself: it may hold a password.
            flags.push_str(" --database URL");
        }
        if self.tenant != TenantId::default_tenant().as_str() {
            flags.push_str(&format!(" --tenant {}", quoted(&self.tenant)));
        }
        flags
    }

    /// Says what was deleted; programs that asked for JSON have nothing to read, as from the Management API's 204.
    pub(super) fn print_deleted(&self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { print(text) }
    }

    fn options(&self) -> Result<AppOptions, Failure> {
        match &self.config {
            Some(file) => {
                let mut config = Config::load(Some(file))?;
                config.database.url = self.database.clone().unwrap_or(config.database.url);
                check_is_there(
                    &config.server.data,
                    &config.database.url,
                    "start `tokenhouse serve` once",
                )?;
                serve::app_options(&config)
            }
            None => {
                let folder = self.data.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER));
                let url = self.database.as_deref().unwrap_or_default();
                check_is_there(folder, url, "run `tokenhouse dev` first")?;
                options_of_folder(folder, url)
            }
        }
    }
}

/// What a running `tokenhouse dev` says of itself in its folder.
#[derive(Debug, Deserialize)]
pub(super) struct Running {
    /// Its issuer.
    pub(super) issuer: String,
    /// The sample API's identifier.
    pub(super) audience: String,
}

impl Running {
    /// The server running on `folder`, if one is.
    pub(super) fn in_folder(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(folder::DEV_FILE)).ok()?).ok()
    }
}

/// Reads every page of a list that is ordered by id.
pub(super) async fn all<T>(
    page: impl AsyncFn(Page) -> Result<Vec<T>, RegistryError>,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, Failure> {
    let mut found: Vec<T> = Vec::new();
    loop {
        let after = found.last().map(|last| id(last).to_owned());
        let next = page(Page::After { after, take: PAGE_ROWS }).await?;
        let is_last = next.len() < PAGE_ROWS as usize;
        found.extend(next);
        if is_last {
            return Ok(found);
        }
    }
}

/// Refuses where no database is: opening would make one, and a mistyped name would look like an empty house.
fn check_is_there(folder: &Path, database_url: &str, first: &str) -> Result<(), Failure> {
    if !database_url.is_empty() || folder.join(folder::DATABASE_FILE).exists() {
        return Ok(());
    }
    let folder = folder.display();
    Err(Failure(format!(
        "there is no Tokenhouse data in {folder}; {first}, or name the folder with --data"
    )))
}

fn options_of_folder(folder: &Path, database_url: &str) -> Result<AppOptions, Failure> {
    let issuer = Running::in_folder(folder).map_or_else(|| folder::DEFAULT_ISSUER.to_owned(), |running| running.issuer);
    let mut config = Config::default();
    config.server.data = folder.to_owned();
    config.server.issuer = issuer;
    config.server.cache_entries = CACHE_ENTRIES;
    config.database.url = database_url.to_owned();
    serve::app_options(&config)
}
