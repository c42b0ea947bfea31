//! What became of a file's records so far: counted, kept beside the file between batches, and the rejected ones written
//! down.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::output::fields;
use crate::registry::import::Problem;
use crate::registry::import::records::Place;
use crate::registry::import::users::Outcome;

/// How far an import is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Which file, and into what: another import must not go on from here.
    what: Value,
    /// How far the file was read.
    pub(super) reached: Place,
    /// How long the file of rejected records is, in bytes.
    pub(super) reject_bytes: u64,
    inserted: u64,
    updated: u64,
    unchanged: u64,
    passed: u64,
    /// Records that were not taken.
    pub(super) rejected: u64,
    /// Users whose second factors were left behind.
    pub(super) without_factors: u64,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new(what: Value) -> Self {
        Self {
            what,
            reached: Place::beginning(),
            reject_bytes: 0,
            inserted: 0,
            updated: 0,
            unchanged: 0,
            passed: 0,
            rejected: 0,
            without_factors: 0,
        }
    }

    /// What an import that was stopped kept; `None` if there was none.
    pub(super) fn kept(path: &Path) -> Result<Option<Self>, Failure> {
        let Ok(text) = fs::read(path) else { return Ok(None) };
        match serde_json::from_slice(&text) {
            Ok(kept) => Ok(Some(kept)),
            Err(_) => Err(of_another(path)),
        }
    }

    /// Refuses to go on with another import than this one was.
    pub(super) fn check_is_of(&self, what: &Value, path: &Path) -> Result<(), Failure> {
        match self.what == *what {
            true => Ok(()),
            false => Err(of_another(path)),
        }
    }

    /// Where its rejected records are.
    pub(super) fn rejects(&self) -> Option<PathBuf> {
        self.what.get("rejects").and_then(Value::as_str).map(PathBuf::from)
    }

    /// Keeps it, whole or as it was.
    pub(super) fn keep(&self, path: &Path) -> Result<(), Failure> {
        let draft = path.with_added_extension("draft");
        let text = serde_json::to_vec(self).unwrap_or_default();
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, path));
        written.map_err(|error| Failure::because(format!("{} cannot be written", path.display()), error))
    }

    /// Counts a record.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Inserted => &mut self.inserted,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Passed => &mut self.passed,
            Outcome::Rejected(..) => &mut self.rejected,
        } += 1;
    }

    /// How many records were read.
    pub(super) fn read(&self) -> u64 {
        self.inserted + self.updated + self.unchanged + self.passed + self.rejected
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "read": self.read(), "inserted": self.inserted, "updated": self.updated, "unchanged": self.unchanged,
            "passed": self.passed, "rejected": self.rejected, "without_factors": self.without_factors,
        })
    }

    /// For people.
    pub(super) fn table(&self, path: &Path, is_dry: bool) -> String {
        let would = if is_dry { "would be " } else { "" };
        let count = |number: u64| match number {
            0 => String::new(),
            number => number.to_string(),
        };
        let rows = [
            ("inserted", self.inserted.to_string()),
            ("updated", count(self.updated)),
            ("unchanged", count(self.unchanged)),
            ("of other kinds", count(self.passed)),
            ("rejected", count(self.rejected)),
        ];
        let rows = rows.map(|(name, value)| (format!("{would}{name}"), value));
        let rows: Vec<(&str, String)> = rows
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        format!("{} records in {}\n{}", self.read(), path.display(), fields(&rows))
    }
}

/// The file of records that were not taken: a line each, readable by its owner alone, since it holds hashes.
pub(super) struct Rejected<'a> {
    path: &'a Path,
    /// Opened with the first of them; never in a dry run.
    file: Option<BufWriter<File>>,
    bytes: u64,
    is_dry: bool,
}

impl<'a> Rejected<'a> {
    /// After `bytes` that an earlier run wrote; a file of another import is left alone.
    pub(super) fn after(path: &'a Path, bytes: Option<u64>, is_dry: bool) -> Result<Self, Failure> {
        let rejected = Self {
            path,
            file: None,
            bytes: bytes.unwrap_or(0),
            is_dry,
        };
        if bytes.is_none() && !is_dry && path.exists() {
            let path = path.display();
            return Err(Failure(format!(
                "{path} is there already, from an earlier import: move it away, or name another with --rejects"
            )));
        }
        Ok(rejected)
    }

    /// Writes one down.
    pub(super) fn add(
        &mut self,
        line: u64,
        number: u64,
        problems: &[Problem],
        user: Option<&Value>,
    ) -> Result<(), Failure> {
        if self.is_dry {
            return Ok(());
        }
        let errors: Vec<Value> = problems.iter().map(Problem::to_json).collect();
        let text = format!(
            "{}\n",
            json!({ "line": line, "record": number, "errors": errors, "user": user })
        );
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(opened(self.path, self.bytes).map_err(|error| cannot_write(self.path, &error))?),
        };
        file.write_all(text.as_bytes())
            .map_err(|error| cannot_write(self.path, &error))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Makes sure that it is written; answers how long the file is.
    pub(super) fn flush(&mut self) -> Result<u64, Failure> {
        if let Some(file) = &mut self.file {
            file.flush().map_err(|error| cannot_write(self.path, &error))?;
        }
        Ok(self.bytes)
    }
}

/// Opens the file and cuts off what was written after the last batch that counts.
fn opened(path: &Path, bytes: u64) -> std::io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(BufWriter::new(file))
}

fn of_another(path: &Path) -> Failure {
    Failure(format!(
        "{} is of an import of another file, or with other options: repeat those, or begin anew with --restart",
        path.display()
    ))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::because(format!("{} cannot be written", path.display()), error)
}
