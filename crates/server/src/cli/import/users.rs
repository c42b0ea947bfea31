//! A file of users: read a record at a time, written a batch at a time. What is not taken goes into a file of its own;
//! how far it went into another, so that an import that was stopped goes on.

use std::fs;
use std::future::ready;
use std::io::{self, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::progress::Progress;
use super::tally::{Rejected, Tally};
use crate::cli::Failure;
use crate::cli::output::{print, remark};
use crate::cli::place::Place;
use crate::cli::stop::Stop;
use crate::management::command::Command;
use crate::registry::connections::DEFAULT_CONNECTION;
use crate::registry::import::records::{Record, Records};
use crate::registry::import::users::{BATCH, Import, Outcome, Source};
use crate::tenant::Tenant;

/// Most of a file that is in memory at once, in bytes: records of one batch.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Rejected records whose reasons are shown.
const SHOWN: usize = 5;

/// What an import of users may be told.
#[derive(Args, Debug)]
#[command(next_help_heading = "Users")]
pub(super) struct Options {
    /// Where the users are kept
    #[arg(long, value_name = "NAME", default_value = DEFAULT_CONNECTION)]
    connection: String,
    /// Bring users who are here already up to date; otherwise those who differ are rejected
    #[arg(long)]
    upsert: bool,
    /// Where records go that are not taken, with their lines and reasons [default: FILE.rejects.ndjson, or -2 and so on
    /// where an earlier import left one]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Begin anew where an earlier import of the file was stopped
    #[arg(long)]
    restart: bool,
}

/// The file, and what is in it.
pub(super) struct File {
    path: PathBuf,
    source: Source,
    is_dry: bool,
}

impl File {
    /// The file at `path`.
    pub(super) fn new(path: PathBuf, source: Source, is_dry: bool) -> Self {
        Self { path, source, is_dry }
    }

    /// What the log says of its import.
    fn command(&self) -> Command {
        match self.source {
            Source::Auth0 => Command::change("import auth0", "Import users of Auth0"),
            Source::Django => Command::change("import django", "Import users of Django"),
        }
    }
}

/// Whether a path names a file of users, and not a tenant's configuration.
pub(super) fn are_in(path: &Path) -> Result<bool, Failure> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let metadata = fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
    match extension {
        _ if metadata.is_dir() => Ok(false),
        "yaml" | "yml" => Ok(false),
        "gz" | "zip" => Err(Failure(format!("{} is packed: unpack it first", path.display()))),
        _ => Ok(true),
    }
}

/// Brings the users of a file in.
pub(super) async fn import(tenant: &Tenant, place: &Place, file: File, options: Options) -> Result<(), Failure> {
    let kept = beside(&file.path, "progress.json");
    let opened = fs::File::open(&file.path).map_err(|error| cannot_read(&file.path, &error))?;
    let size = opened
        .metadata()
        .map_err(|error| cannot_read(&file.path, &error))?
        .len();
    let earlier = match file.is_dry || options.restart {
        true => None,
        false => Tally::kept(&kept)?,
    };
    let rejects = match (&options.rejects, earlier.as_ref().and_then(Tally::rejects)) {
        (Some(named), _) => named.clone(),
        (None, Some(begun)) => begun,
        (None, None) => free(&file.path),
    };
    let what = json!({
        "size": size, "connection": options.connection, "upsert": options.upsert, "tenant": tenant.id.as_str(),
        "rejects": rejects.display().to_string(),
    });
    if let Some(tally) = &earlier {
        tally.check_is_of(&what, &kept)?;
        let line = tally.reached.line;
        remark(&format!(
            "Going on at line {line}, where an earlier import was stopped; --restart begins anew."
        ));
    }
    let bytes = earlier.as_ref().map(|tally| tally.reject_bytes);
    let rejected = Rejected::after(&rejects, bytes, file.is_dry)?;
    let tally = earlier.unwrap_or_else(|| Tally::new(what));
    let mut reader = BufReader::with_capacity(256 * 1024, opened);
    let offset = reader.seek(SeekFrom::Start(tally.reached.offset));
    offset.map_err(|error| cannot_read(&file.path, &error))?;
    let import = Import::new(tenant, &options.connection, file.source).await?;
    let mut run = Run {
        records: Records::going_on(reader, tally.reached),
        import: import.upserting(options.upsert).dry(file.is_dry),
        tally,
        rejected,
        progress: Progress::new(size),
        shown: Vec::new(),
        kept: &kept,
        file: &file,
    };
    let ended = run.finish().await;
    run.progress.end();
    let Run { tally, shown, .. } = run;
    if !file.is_dry {
        let mut told = tally.to_json();
        told["file"] = json!(file.path.file_name().map(|name| name.to_string_lossy()));
        told["connection"] = json!(options.connection);
        if let Err(Failure(why)) = &ended {
            told["stopped"] = json!(why);
        }
        // What came in before it was stopped is in.
        file.command().done(tenant, told).await?;
    }
    ended?;
    if !file.is_dry {
        // Whether it is there or not: the import is over.
        fs::remove_file(&kept).ok();
    }
    report(place, &file, &tally, &shown, &rejects)
}

/// An import on its way through a file.
struct Run<'a> {
    records: Records<BufReader<fs::File>>,
    import: Import<'a>,
    tally: Tally,
    rejected: Rejected<'a>,
    progress: Progress,
    /// The first reasons for which records were not taken.
    shown: Vec<String>,
    /// Where it is kept how far it is.
    kept: &'a Path,
    file: &'a File,
}

impl Run<'_> {
    /// Batch by batch, until there are no more or somebody asks it to stop.
    async fn finish(&mut self) -> Result<(), Failure> {
        let mut stop = Stop::listen();
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return Err(self.stopped("it was asked to stop")),
                () = ready(()) => {}
            }
            let batch = next_batch(&mut self.records).map_err(|error| cannot_read(&self.file.path, &error))?;
            if batch.is_empty() {
                return Ok(());
            }
            let places: Vec<(u64, u64)> = batch.iter().map(|record| (record.line, record.number)).collect();
            let done = self.import.batch(batch).await;
            let done = done.map_err(|error| self.stopped(&error.to_string()))?;
            self.tally.without_factors += done.without_factors;
            for (outcome, (line, number)) in done.outcomes.into_iter().zip(places) {
                self.tally.count(&outcome);
                if let Outcome::Rejected(problems, user) = outcome {
                    if self.shown.len() < SHOWN {
                        let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
                        self.shown.push(format!("line {line}: {}", reasons.join("; ")));
                    }
                    self.rejected.add(line, number, &problems, user.as_ref())?;
                }
            }
            self.tally.reached = self.records.place();
            self.tally.reject_bytes = self.rejected.flush()?;
            if !self.file.is_dry {
                self.tally.keep(self.kept)?;
            }
            self.progress.show(&self.tally);
        }
    }

    fn stopped(&self, why: &str) -> Failure {
        let line = self.tally.reached.line;
        Failure(match self.file.is_dry {
            true => format!("the dry run ended at line {line} ({why})"),
            false => format!("the users up to line {line} are in; run the same command again to go on ({why})"),
        })
    }
}

fn next_batch(records: &mut Records<BufReader<fs::File>>) -> io::Result<Vec<Record>> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(record) = records.next_record()? else { break };
        bytes += record.text.as_ref().map_or(0, Vec::len);
        batch.push(record);
    }
    Ok(batch)
}

fn report(place: &Place, file: &File, tally: &Tally, shown: &[String], rejects: &Path) -> Result<(), Failure> {
    let rejects = rejects.display();
    if place.is_json() {
        let mut said = tally.to_json();
        said["dry_run"] = json!(file.is_dry);
        said["rejects"] = match tally.rejected > 0 && !file.is_dry {
            true => json!(rejects.to_string()),
            false => Value::Null,
        };
        place.print_json(&said)?;
    } else {
        print(&tally.table(&file.path, file.is_dry))?;
        if tally.without_factors > 0 {
            remark(&format!(
                "{} users had second factors (mfa_factors), which are not taken over: they enrol again.",
                tally.without_factors
            ));
        }
    }
    match (tally.rejected, file.is_dry) {
        (0, _) => Ok(()),
        (count, is_dry) => {
            let mut text = format!("{count} records were not taken:\n  {}", shown.join("\n  "));
            if usize::try_from(count).unwrap_or(usize::MAX) > shown.len() {
                text.push_str("\n  …");
            }
            if !is_dry {
                text.push_str(&format!(
                    "\nAll of them are in {rejects}, which holds their password hashes too: correct them there, and import \
                     that file."
                ));
            }
            Err(Failure(text))
        }
    }
}

/// Where the records go that are not taken, unless it is said: no file of an earlier import.
fn free(path: &Path) -> PathBuf {
    let numbered = (2..).map(|number| beside(path, &format!("rejects-{number}.ndjson")));
    let mut names = std::iter::once(beside(path, "rejects.ndjson")).chain(numbered);
    let free = names.find(|name| !name.exists());
    free.unwrap_or_else(|| beside(path, "rejects.ndjson"))
}

/// `FILE.extension`.
fn beside(path: &Path, extension: &str) -> PathBuf {
    path.with_added_extension(extension)
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::because(format!("{} cannot be read", path.display()), error)
}
