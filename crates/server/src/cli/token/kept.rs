//! Tokens kept between runs of `tokenhouse token`: a sealed file for each, locked while one is asked for, and beside them
//! a key, made once. All are readable by their owner alone. What seals a token is made of that key and of the secret that the
//! token is got with, which is not among them: who has the folder has no token.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use tokenhouse_protocol::crypto::{MacKey, Place, Random, SealingKey};
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Timestamp;

use crate::cli::environment::variable;
use crate::dev::folder::make_private;

/// The key of all files, or half of it: see [`Kept::open`].
const KEY_FILE: &str = "token.key";
/// Where the files are.
const TOKENS: &str = "tokens";
/// How much of its life a token must have left to be handed out: a tenth, a minute at most.
const MAX_MARGIN_MS: i64 = 60_000;
/// The longest file that is read, and for how many days one is left alone that nobody asked for.
const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_AGE_DAYS: u64 = 31;

/// A token as it is handed out.
pub(super) struct Token {
    pub(super) text: Secret,
    pub(super) expires_at: Timestamp,
    pub(super) scope: Option<String>,
}

/// A token as it is written.
#[derive(Deserialize, Serialize)]
struct Record {
    access_token: String,
    expires_at: Timestamp,
    /// From then on it is too old to be handed out.
    kept_until: Timestamp,
    scope: Option<String>,
}

/// The place of one token, locked: whoever wants the same one waits until this is dropped.
pub(super) struct Kept {
    folder: PathBuf,
    file: File,
    name: String,
    key: SealingKey,
}

impl Kept {
    /// Opens the place of the token that `parts` name, among them the secret that it is got with: who does not have that
    /// does not get the token. The error is a sentence that says why nothing is kept.
    pub(super) fn open(parts: &[&str]) -> Result<Self, String> {
        let folder = folder().ok_or("The token is not kept: neither XDG_CACHE_HOME nor HOME says where.")?;
        let failed = |error: io::Error| format!("The token is not kept: {}: {error}", folder.display());
        let tokens = folder.join(TOKENS);
        make_private(&folder).map_err(failed)?;
        make_private(&tokens).map_err(failed)?;
        let key = key(&folder.join(KEY_FILE)).map_err(failed)?;
        let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        let made_of = MacKey::new(key.to_base64().as_bytes());
        let tag = made_of.tag(&parts);
        let key = SealingKey::from_bytes(made_of.tag(&[&[b"sealing key".as_slice()], parts.as_slice()].concat()));
        let name: String = tag[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let file = open_private(&tokens.join(&name)).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self {
            folder: tokens,
            file,
            name,
            key,
        })
    }

    /// The token, if one is kept that is good for some time yet. What cannot be opened is as good as nothing.
    pub(super) fn token(&mut self, now: Timestamp) -> Option<Token> {
        let mut sealed = String::new();
        (&self.file).take(MAX_FILE_BYTES).read_to_string(&mut sealed).ok()?;
        let plain = self.key.open(self.place(), &sealed).ok()?;
        let record: Record = serde_json::from_slice(&plain).ok()?;
        (now < record.kept_until).then(|| Token {
            text: Secret::new(record.access_token),
            expires_at: record.expires_at,
            scope: record.scope,
        })
    }

    /// Keeps a token that was got at `now`, and forgets those that nobody asked for in a month.
    pub(super) fn keep(&mut self, token: &Token, now: Timestamp) -> Result<(), String> {
        let lifetime_ms = token.expires_at.ms() - now.ms();
        let record = Record {
            access_token: token.text.expose().to_owned(),
            expires_at: token.expires_at,
            kept_until: token.expires_at.plus_ms(-MAX_MARGIN_MS.min(lifetime_ms / 10)),
            scope: token.scope.clone(),
        };
        let plain = Secret::new(serde_json::to_string(&record).unwrap_or_default());
        let sealed = self
            .key
            .seal(&Random::system(), self.place(), plain.expose().as_bytes());
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(sealed.as_bytes()));
        self.forget_old();
        written.map_err(|error| format!("The token is not kept: {}: {error}", self.folder.display()))
    }

    fn place(&self) -> Place<'_> {
        Place {
            tenant: "",
            table: TOKENS,
            row: &self.name,
            column: "access_token",
        }
    }

    /// Best effort: a file that stays is found again next time.
    fn forget_old(&self) {
        let Ok(own) = self.file.metadata().and_then(|metadata| metadata.modified()) else {
            return;
        };
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|written| own.duration_since(written).ok());
            if age.is_some_and(|age| age.as_secs() > MAX_AGE_DAYS * 86_400) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// The user's folder for what may be lost (XDG Base Directory Specification).
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    caches.map(|caches| caches.join("tokenhouse"))
}

/// The key, made if there is none. The file is locked meanwhile, so that two who come at once make one.
fn key(path: &Path) -> io::Result<SealingKey> {
    let mut file = open_private(path)?;
    file.lock()?;
    let mut text = String::new();
    (&file).take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    let text = Secret::new(text);
    if text.expose().trim().is_empty() {
        let key = SealingKey::generate(&Random::system());
        file.write_all(key.to_base64().as_bytes())?;
        file.sync_all()?;
        return Ok(key);
    }
    let damaged = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is damaged: delete it", path.display()),
        )
    };
    SealingKey::parse(text.expose()).map_err(|_| damaged())
}

/// Opens or makes a file that only its owner may read; refuses one that others may.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        let path = path.display();
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("others may read {path}: delete it"),
        ));
    }
    Ok(file)
}
