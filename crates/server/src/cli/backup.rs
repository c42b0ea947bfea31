//! `tokenhouse backup`: a copy of the database while servers use it, without the key that opens its secrets.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::{TenantId, row_id};
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Database, Job, Options, Store, StoreError};

use super::Failure;
use super::output::print;
use super::place::DEFAULT_FOLDER;
use crate::config::Config;
use crate::dev::folder;
use crate::management::command::Command;

/// What `tokenhouse backup` may be told.
#[derive(Args, Debug)]
#[command(after_help = "\
Servers go on meanwhile. Every token granted before it began is in the copy's log. The sealing key is not in the \
copy: keep it elsewhere, since without it the copy's secrets cannot be opened by anybody.

Examples:
  tokenhouse backup /var/backups/tokenhouse-monday.db \\
    --config /etc/tokenhouse/tokenhouse.toml
  tokenhouse backup tokenhouse.backup --data ./tokenhouse-data")]
pub(super) struct Arguments {
    /// The file to write; one that is there already is left alone
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder [default: ./tokenhouse-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration of `tokenhouse serve`, in place of a data folder
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
}

/// Writes the copy under another name, then gives it its own: whole or not at all.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let database = database(&arguments)?;
    let file = std::path::absolute(&arguments.file).map_err(|error| cannot_write(&arguments.file, &error))?;
    let shown = file.display();
    if file.exists() {
        return Err(Failure(format!("{shown} is there already: name another file")));
    }
    let random = Random::system();
    let draft = file.with_added_extension(format!("{}.draft", row_id(&random)));
    make_private_file(&draft).map_err(|error| cannot_write(&file, &error))?;
    let copied = copy(database, random, &draft, &file).await;
    if copied.is_err() {
        // What is left of it is of no use; that it could not be removed is the lesser news.
        let _ = fs::remove_file(&draft);
    }
    let (bytes, recorded) = copied?;
    print(&format!(
        "Wrote {shown}, {bytes} bytes. The sealing key is not in it: keep that elsewhere, without it this copy is of no use."
    ))?;
    match recorded {
        Ok(()) => Ok(()),
        // The copy is good all the same.
        Err(error) => print(&format!("The log has no row of it: {error}")),
    }
}

/// The SQLite file that is to be copied.
fn database(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let data = match &arguments.config {
        Some(file) => {
            let config = Config::load(Some(file))?;
            if !config.database.url.is_empty() {
                return Err(Failure(
                    "this data is in PostgreSQL: back it up with `pg_dump --format=custom`, which works while servers run"
                        .into(),
                ));
            }
            config.server.data
        }
        None => arguments.data.clone().unwrap_or_else(|| DEFAULT_FOLDER.into()),
    };
    let database = data.join(folder::DATABASE_FILE);
    if database.exists() {
        return Ok(database);
    }
    let data = data.display();
    Err(Failure(format!(
        "there is no Tokenhouse data in {data}; name its folder with --data, or the server's configuration with --config"
    )))
}

/// Copies; answers how many bytes there are then, and whether the log has its row. That is written once the copy is whole
/// and has its name, and needs no sealing key.
async fn copy(
    database: PathBuf,
    random: Random,
    draft: &Path,
    file: &Path,
) -> Result<(u64, Result<(), StoreError>), Failure> {
    let clock = Clock::system();
    let store = Store::open(Options {
        database: Database::File(database),
        clock: clock.clone(),
        random: random.clone(),
    })
    .await?;
    let work = async {
        store.copy_to(draft).await?;
        settle(draft, file).map_err(|error| cannot_write(file, &error))?;
        let bytes = fs::metadata(file).map_or(0, |written| written.len());
        let told = json!({ "file": file, "bytes": bytes });
        let command = Command::reading("backup", "Back up the database");
        let job = Job {
            tenant: TenantId::default_tenant(),
            entries: vec![command.done_without_key(clock.now(), &random, &told)],
            uses: None,
            counts: None,
        };
        Ok((bytes, store.commit(job).await.map(drop)))
    };
    let copied = work.await;
    store.close().await;
    copied
}

/// Makes the draft durable, and names it as it was asked for.
fn settle(draft: &Path, file: &Path) -> io::Result<()> {
    File::open(draft)?.sync_all()?;
    // Unlike a rename, a link does not replace what somebody else made meanwhile; some filesystems have none.
    match fs::hard_link(draft, file) {
        Ok(()) => fs::remove_file(draft)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => fs::rename(draft, file)?,
    }
    sync_folder_of(file)
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Makes an empty file that only its owner may read, where there is none.
pub(super) fn make_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    Failure(format!("cannot write {}: {error}", file.display()))
}
