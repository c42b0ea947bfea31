//! On which data a command works: the folder of `tokenhouse dev`, what a configuration file names, or a server.
//! A server may be running on a folder: it sees each change within a quarter of a second.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use tokenhouse_protocol::id::TenantId;
use tokenhouse_store::Page;

use super::management::Management;
use super::output::{print, print_csv, print_json, print_json_line, quoted, table};
use super::remote::Remote;
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
    /// The server with this issuer, over its Management API, in place of data on this machine; who asks is in
    /// TOKENHOUSE_CLIENT_ID and TOKENHOUSE_CLIENT_SECRET, or in TOKENHOUSE_TOKEN
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["data", "config", "database", "tenant"])]
    server: Option<String>,
    /// The certificate authority of that server, if the machine does not know it
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["data", "config", "database"])]
    ca_file: Option<PathBuf>,
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
    json: bool,
    /// The same on one line
    #[arg(long, global = true)]
    json_compact: bool,
    /// Answer lists as CSV, for spreadsheets
    #[arg(long, global = true, conflicts_with_all = ["json", "json_compact"])]
    csv: bool,
}

impl Place {
    /// Works with the Management API of the tenant, or of the server.
    pub(super) async fn with_management<T>(
        &self,
        work: impl AsyncFnOnce(&Management) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match &self.server {
            Some(server) => {
                work(&Management::There(Box::new(Remote::new(
                    server,
                    self.ca_file.as_deref(),
                )?)))
                .await
            }
            None => {
                self.with_tenant(async |tenant| work(&Management::Here(tenant.clone())).await)
                    .await
            }
        }
    }

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
        if let Some(server) = &self.server {
            return Err(Failure(format!(
                "this is done where the database is: run it there with --data or --config, without --server {server}"
            )));
        }
        if let Some(file) = &self.ca_file {
            let file = file.display();
            return Err(Failure(format!(
                "--ca-file {file} is for --server URL, which is not named"
            )));
        }
        let app = App::open(self.options()?).await?;
        let done = work(&app).await;
        app.house.store.close().await;
        done
    }

    /// Chooses the tenant that a command names in place of --tenant.
    pub(super) fn choose_tenant(&mut self, id: Option<String>) -> Result<(), Failure> {
        match (id, &self.server) {
            (None, _) => Ok(()),
            (Some(id), None) => {
                self.tenant = id;
                Ok(())
            }
            (Some(id), Some(server)) => Err(Failure(format!(
                "{server} is one tenant, which need not be named {id}: each tenant has an issuer of its own"
            ))),
        }
    }

    /// The options that name this place, for commands to be pasted; each begins with a blank.
    pub(super) fn flags(&self) -> String {
        let mut flags = String::new();
        for (name, path) in [("--data", &self.data), ("--config", &self.config)] {
            if let Some(path) = path {
                flags.push_str(&format!(" {name} {}", quoted(&path.display().to_string())));
            }
        }
        if let Some(server) = &self.server {
            flags.push_str(&format!(" --server {}", quoted(server)));
        }
        if let Some(file) = &self.ca_file {
            flags.push_str(&format!(" --ca-file {}", quoted(&file.display().to_string())));
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

    /// Whether programs read the answer.
    pub(super) fn is_json(&self) -> bool {
        self.json || self.json_compact
    }

    /// Prints JSON for programs, over several lines or on one.
    pub(super) fn print_json(&self, value: &Value) -> Result<(), Failure> {
        match self.json_compact {
            true => print_json_line(value),
            false => print_json(value),
        }
    }

    /// Prints a list: for people a table, or `none` where it has no rows; for programs JSON or, without a word of what the
    /// list lacks, CSV.
    pub(super) fn print_list(
        &self,
        json: &Value,
        heading: &[&str],
        rows: &[Vec<String>],
        none: &str,
    ) -> Result<(), Failure> {
        if self.is_json() {
            return self.print_json(json);
        }
        if self.csv {
            return print_csv(heading, rows);
        }
        match rows.is_empty() {
            true => print(none),
            false => print(&table(heading, rows)),
        }
    }

    /// Whether a spreadsheet reads the answer.
    pub(super) fn is_csv(&self) -> bool {
        self.csv
    }

    /// Says what was deleted; programs that asked for JSON have nothing to read, as from the Management API's 204.
    pub(super) fn print_deleted(&self, text: &str) -> Result<(), Failure> {
        if self.is_json() { Ok(()) } else { print(text) }
    }

    /// The configuration of this place, from its file or as its folder implies.
    pub(super) fn configuration(&self) -> Result<Config, Failure> {
        match &self.config {
            Some(file) => {
                let mut config = Config::load(Some(file))?;
                config.database.url = self.database.clone().unwrap_or(config.database.url);
                Ok(config)
            }
            None => {
                let folder = self.data.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER));
                let running = Running::in_folder(folder);
                let mut config = Config::default();
                config.server.data = folder.to_owned();
                config.server.issuer =
                    running.map_or_else(|| folder::DEFAULT_ISSUER.to_owned(), |running| running.issuer);
                config.server.cache_entries = CACHE_ENTRIES;
                config.database.url = self.database.clone().unwrap_or_default();
                Ok(config)
            }
        }
    }

    /// Refuses where no database is: opening would make one, and a mistyped name would look like an empty house.
    pub(super) fn check_is_there(&self, config: &Config) -> Result<(), Failure> {
        if !config.database.url.is_empty() || config.server.data.join(folder::DATABASE_FILE).exists() {
            return Ok(());
        }
        let folder = config.server.data.display();
        let first = match self.config {
            Some(_) => "start `tokenhouse serve` once",
            None => "run `tokenhouse dev` first",
        };
        Err(Failure(format!(
            "there is no Tokenhouse data in {folder}; {first}, or name the folder with --data"
        )))
    }

    /// Whether a configuration file is named.
    pub(super) fn is_configured(&self) -> bool {
        self.config.is_some()
    }

    /// The server and its authority, if one is named.
    pub(super) fn server(&self) -> Option<(&str, Option<&Path>)> {
        Some((self.server.as_deref()?, self.ca_file.as_deref()))
    }

    fn options(&self) -> Result<AppOptions, Failure> {
        let config = self.configuration()?;
        self.check_is_there(&config)?;
        serve::app_options(&config)
    }
}

/// What a running `tokenhouse dev` says of itself in its folder.
#[derive(Debug, Deserialize)]
pub(super) struct Running {
    /// Its issuer.
    pub(super) issuer: String,
    /// The sample API's identifier.
    pub(super) audience: String,
    /// The authority of its certificate, where it serves https under one of its own.
    pub(super) ca_file: Option<PathBuf>,
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
