//! A whole tenant in one file: every row with its id and times, secrets sealed under a passphrase (docs/decisions/0014).
//! The same tenant under the same passphrase gives the same file to the byte; it moves into a tenant that is empty.
//!
//! A line is a JSON object: the head, which says how the key was derived; the tenant; each row with its table; and at the
//! end a seal over everything before it, which only who knows the passphrase could have made.

use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{MacKey, Place, PortableKey, sha256};
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::secret::Secret;

use super::RegistryError;

mod read;
mod write;

pub use read::import;
pub use write::export;

/// What the head of a file calls itself.
const FORMAT: &str = "tokenhouse full export";
/// The version of the format.
const VERSION: u64 = 1;
/// Shortest passphrase, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 12;
/// What deriving the key costs (RFC 9106 §4, the second choice): memory in KiB, passes, lanes.
const COSTS: (u32, u32, u32) = (64 * 1024, 3, 4);
/// Columns whose values are sealed at rest: the table, the column, and what the column is called in its place.
const SEALED: [(&str, &str, &str); 3] = [
    ("client_secrets", "sealed", "sealed"),
    ("apis", "signing_secret_sealed", "signing_secret"),
    ("keys", "private_sealed", "private"),
];

/// How many rows went out or came in, by table.
pub type Counts = Vec<(&'static str, u64)>;

/// The keys of a file, derived from a passphrase.
struct FileKeys {
    secrets: PortableKey,
    /// Chains the lines.
    lines: MacKey,
    /// The seal over the lines so far.
    chain: [u8; 32],
}

impl FileKeys {
    /// Derives them; it takes a moment, and 64 MiB.
    fn derive(passphrase: &Secret, salt: &[u8; 16]) -> Result<Self, RegistryError> {
        if passphrase.expose().chars().count() < MIN_PASSPHRASE_CHARS {
            let text = format!("the passphrase has at least {MIN_PASSPHRASE_CHARS} characters");
            return Err(RegistryError::invalid("passphrase", text));
        }
        let (memory_kib, passes, lanes) = COSTS;
        let failed = |error: argon2::Error| RegistryError::Refused(format!("the key cannot be derived: {error}"));
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(failed)?;
        let mut bytes = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), salt, &mut bytes)
            .map_err(failed)?;
        Ok(Self {
            secrets: PortableKey::from_bytes(&bytes),
            lines: MacKey::new(&MacKey::new(&bytes).tag(&[b"tokenhouse export lines"])),
            chain: [0; 32],
        })
    }

    /// Takes a line into the seal.
    fn chain(&mut self, line: &str) {
        self.chain = self.lines.tag(&[&self.chain, line.as_bytes()]);
    }

    /// The seal over the lines so far, as text.
    fn seal(&self) -> String {
        base64url::encode(self.lines.tag(&[b"end", &self.chain]))
    }
}

/// The head of a file; `salt` is public, and each tenant's own.
fn head(salt: &[u8; 16]) -> Value {
    let (memory_kib, passes, lanes) = COSTS;
    json!({
        "format": FORMAT, "version": VERSION, "salt": base64url::encode(salt),
        "argon2id": { "m": memory_kib, "t": passes, "p": lanes },
    })
}

/// The salt of a tenant's files: made of its system API's id, which is random and moves with it, so that every export of
/// it has the same.
fn salt(system_api: &str) -> [u8; 16] {
    let digest = sha256(format!("tokenhouse export salt {system_api}").as_bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

/// The sealed column of a table, with what it is called in its place.
fn sealed_column(table: &str) -> Option<(&'static str, &'static str)> {
    let found = SEALED.iter().find(|(name, _, _)| *name == table);
    found.map(|(_, column, place)| (*column, *place))
}

/// Where a value lies, in the database of `tenant`, or in a file, which is no tenant's.
fn place<'a>(tenant: &'a str, table: &'a str, row: &'a Map<String, Value>, column: &'a str) -> Place<'a> {
    Place {
        tenant,
        table,
        row: row.get("id").and_then(Value::as_str).unwrap_or_default(),
        column,
    }
}
