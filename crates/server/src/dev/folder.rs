//! The data folder of `tokenhouse dev`: the database, the sealing key beside it, and `dev.json` while it
//! runs. One `dev` at a time works in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::id::row_id;

use crate::cli::Failure;

/// The SQLite database.
pub const DATABASE_FILE: &str = "tokenhouse.db";
/// The key under which the database's secrets are sealed: 32 bytes in base64, readable by its owner alone.
pub const SEALING_KEY_FILE: &str = "sealing.key";
/// Where a running `dev` says how to reach it.
pub const DEV_FILE: &str = "dev.json";
/// The issuer of a `dev` on its usual port.
pub const DEFAULT_ISSUER: &str = "http://localhost:4000/";
/// Says that `dev` made the folder, so that `--fresh` may delete it; locked while `dev` runs.
const MARK_FILE: &str = "made-by-tokenhouse-dev";
/// What the mark says to somebody who finds it.
const MARK: &str = "This folder was made by `tokenhouse dev`. `tokenhouse dev --fresh` deletes it and begins anew.\n";

/// A data folder in use; dropping it lets the next one in.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, making it if it is not there; refuses while another `dev` works in it.
    ///
    /// What an earlier one left that ended without saying goodbye is removed.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure(format!("cannot use the data folder {}: {error}", path.display()));
        let is_new = !path.exists();
        make_private(path).map_err(failed)?;
        let mark = path.join(MARK_FILE);
        let is_ours = mark.exists();
        if !is_new && !is_ours && fs::read_dir(path).map_err(failed)?.next().is_some() {
            let path = path.display();
            return Err(Failure(format!(
                "{path} is not empty and was not made by `tokenhouse dev`: name another folder with --data. If it is a \
                 restored copy of one, with its sealing key, make an empty file {MARK_FILE} in it"
            )));
        }
        let mut lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&mark)
            .map_err(failed)?;
        if lock.try_lock().is_err() {
            let path = path.display();
            return Err(Failure(format!(
                "another `tokenhouse dev` is running in {path}: stop it, or name another folder with --data"
            )));
        }
        if !is_ours {
            lock.write_all(MARK.as_bytes()).map_err(failed)?;
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        folder.remove_dev_file().map_err(failed)?;
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// The folder's sealing key. One is made only where nothing can have been sealed yet.
    pub fn sealing_key(&self, random: &Random, has_database: bool) -> Result<SealingKey, Failure> {
        if self.path.join(SEALING_KEY_FILE).exists() || has_database {
            sealing_key(&self.path)
        } else {
            make_sealing_key(&self.path, random)
        }
    }

    /// Writes `dev.json`, whole or not at all, readable by its owner alone.
    pub fn write_dev_file(&self, content: &str) -> Result<(), Failure> {
        let file = self.path.join(DEV_FILE);
        let written = write_private(&self.path, &file, content.as_bytes());
        written.map_err(|error| Failure(format!("cannot write {}: {error}", file.display())))
    }

    /// Removes `dev.json`, since nothing answers there any more.
    pub fn remove_dev_file(&self) -> io::Result<()> {
        remove_file(&self.path.join(DEV_FILE))
    }
}

/// A folder of the system's temporary ones that only its owner may look into; gone, with what is in it, when this is
/// dropped.
pub struct Temporary(PathBuf);

impl Temporary {
    /// Makes one.
    pub fn make(random: &Random) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("tokenhouse-dev-{}", row_id(random)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Not one that somebody else made.
        let made = builder.create(&path);
        made.map_err(|error| Failure(format!("cannot make the folder {}: {error}", path.display())))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is the system's to tidy up: it holds no secret.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes what `dev.json` says to a file of the caller's choice, whole or not at all, readable by its owner alone.
pub fn write_ready_file(file: &Path, content: &str) -> Result<(), Failure> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let written = write_private(folder.unwrap_or(Path::new(".")), file, content.as_bytes());
    written.map_err(|error| Failure(format!("cannot write {}: {error}", file.display())))
}

/// Removes a file that may be gone already.
pub fn remove_file(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Deletes a folder that `dev` made, and no other.
pub fn delete(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if !path.exists() {
        return Ok(());
    }
    if !path.join(MARK_FILE).is_file() {
        return Err(Failure(format!(
            "{shown} was not made by `tokenhouse dev`: --fresh leaves it alone"
        )));
    }
    // Whoever works in it keeps it.
    drop(Folder::open(path)?);
    fs::remove_dir_all(path).map_err(|error| Failure(format!("cannot delete {shown}: {error}")))
}

/// Reads the sealing key of a data folder.
pub fn sealing_key(folder: &Path) -> Result<SealingKey, Failure> {
    let file = folder.join(SEALING_KEY_FILE);
    let shown = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        Failure(format!(
            "cannot read the sealing key {shown}, without which the database is of no use: {error}"
        ))
    })?;
    SealingKey::parse(text.trim()).map_err(|_| Failure(format!("{shown} holds no sealing key: 32 bytes in base64")))
}

/// Makes a sealing key in a data folder that has none.
pub fn make_sealing_key(folder: &Path, random: &Random) -> Result<SealingKey, Failure> {
    let key = SealingKey::generate(random);
    let file = folder.join(SEALING_KEY_FILE);
    let written = write_private(folder, &file, format!("{}\n", key.to_base64().as_str()).as_bytes());
    written.map_err(|error| Failure(format!("cannot write {}: {error}", file.display())))?;
    Ok(key)
}

/// Makes a folder that only its owner may look into; one that exists keeps its rights.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file that only its owner may read, durably and whole: under another name first, then by rename.
pub(super) fn write_private(folder: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&draft)?;
    written.write_all(content)?;
    written.sync_all()?;
    fs::rename(&draft, file)?;
    File::open(folder)?.sync_all()
}
