//! `tokenhouse restore`: a backup becomes the database of an empty data folder, once it has proven to be whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Database, OpenError, Options, Store, StoreError};

use super::backup::{make_private_file, sync_folder_of};
use super::output::print;
use super::{Failure, serve};
use crate::app::StartError;
use crate::config::Config;
use crate::dev::folder;
use crate::registry::secrets::Secrets;

/// What `tokenhouse restore` may be told.
#[derive(Args, Debug)]
#[command(after_help = "\
The copy is read to its last page before it is put in place. Where a sealing key is configured, in [sealing] or in \
TOKENHOUSE_SEALING__KEY, it must fit.

Example:
  tokenhouse restore /var/backups/tokenhouse-monday.db \\
    --data /var/lib/tokenhouse --config /etc/tokenhouse/tokenhouse.toml")]
pub(super) struct Arguments {
    /// What `tokenhouse backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder to make; one that is there must be empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The configuration of `tokenhouse serve`, for its sealing key
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Copies, checks, and only then names the copy as a server looks for it.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, data, config } = arguments;
    let sealing = sealing(config.as_deref())?;
    let shown = data.display();
    let is_new = !data.exists();
    folder::make_private(&data).map_err(|error| Failure(format!("cannot use {shown}: {error}")))?;
    let mut found = fs::read_dir(&data).map_err(|error| Failure(format!("cannot read {shown}: {error}")))?;
    if found.next().is_some() {
        return Err(Failure(format!("{shown} is not empty: name another folder")));
    }
    let draft = data.join("restoring.db");
    let is_key_tried = sealing.is_some();
    let done = place(&file, &draft, &data, sealing).await;
    if done.is_err() {
        for leftover in ["restoring.db", "restoring.db-wal", "restoring.db-shm"] {
            // Most often there is none.
            let _ = fs::remove_file(data.join(leftover));
        }
        if is_new {
            // As it was; where it is not empty, it stays.
            let _ = fs::remove_dir(&data);
        }
    }
    done?;
    let key = if is_key_tried {
        "The sealing key fits."
    } else {
        "No sealing key is configured here, so none was tried: the server needs the one of the old place."
    };
    print(&format!("Restored {shown} from {}. {key}", file.display()))
}

/// The configured sealing key, if there is one.
fn sealing(config: Option<&Path>) -> Result<Option<SealingKey>, Failure> {
    let config = Config::load(config)?;
    if !config.database.url.is_empty() {
        return Err(Failure(
            "this configuration keeps its data in PostgreSQL: restore that with `pg_restore`".into(),
        ));
    }
    let sealing = &config.sealing;
    if sealing.key.is_empty() && sealing.key_file.is_none() && sealing.command.is_empty() {
        return Ok(None);
    }
    Ok(Some(serve::app_options(&config)?.sealing))
}

async fn place(file: &Path, draft: &Path, data: &Path, sealing: Option<SealingKey>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure(format!("cannot copy {}: {error}", file.display()));
    let mut from = File::open(file).map_err(failed)?;
    let mut to = make_private_file(draft).map_err(failed)?;
    io::copy(&mut from, &mut to).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    // Brings an older schema up to date and refuses a newer one; in the copy, so that the backup stays as it is.
    let opened = Store::open(Options {
        database: Database::File(draft.to_owned()),
        clock: Clock::system(),
        random: Random::system(),
    });
    let store = opened.await.map_err(|error| match error {
        OpenError::Damaged(_) => Failure(format!(
            "{} is no backup, or a damaged one: name what `tokenhouse backup` wrote, or take another backup",
            file.display()
        )),
        other => other.into(),
    })?;
    let checked = check(&store, file, sealing).await;
    store.close().await;
    checked?;
    let database = data.join(folder::DATABASE_FILE);
    fs::rename(draft, &database).map_err(failed)?;
    sync_folder_of(&database).map_err(failed)
}

async fn check(store: &Store, file: &Path, sealing: Option<SealingKey>) -> Result<(), Failure> {
    let shown = file.display();
    store.check_integrity().await.map_err(|error| match error {
        StoreError::Damaged(fault) => Failure(format!("{shown} is damaged ({fault}): take another backup")),
        error @ (StoreError::Busy | StoreError::Unavailable(_)) => error.into(),
    })?;
    if store.installation().await?.is_none() {
        return Err(Failure(format!("{shown} is a database, but not one of a Tokenhouse")));
    }
    if let Some(sealing) = sealing {
        let unlocked = Secrets::unlock(store, sealing, &Clock::system()).await;
        unlocked.map_err(StartError::from)?;
    }
    Ok(())
}
