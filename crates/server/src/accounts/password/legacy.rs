//! Passwords that were hashed elsewhere: read once, when they are imported, and checked until their owner signs in and
//! they are hashed anew. The formats are those of Auth0's user imports and of Django.
//!
//! What a hash costs is bounded when it is read, so that a hostile file can neither fill the memory nor stop the
//! password threads.

use std::fmt;
use std::num::NonZeroU32;

use argon2::Params;
use argon2::password_hash::phc::PasswordHash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use tokenhouse_protocol::crypto::{Hash, equal};

mod auth0;
mod digest;
mod django;

use digest::{Digest, Mac, PasswordText};

/// Longest hash with all that belongs to it, in bytes.
const MAX_BYTES: usize = 4096;
/// Most work of bcrypt, as the power of two of its rounds: about a second.
const MAX_BCRYPT_COST: u32 = 14;
/// Most rounds of PBKDF2, counted for each block of its output.
const MAX_PBKDF2_ROUNDS: u32 = 5_000_000;
/// Rounds of PBKDF2 that take less time than one of our hashes.
const QUICK_ROUNDS: u32 = 50_000;
/// Longest output of PBKDF2 and scrypt, in bytes.
const MAX_OUTPUT_BYTES: usize = 128;
/// Shortest output that says anything, in bytes.
const MIN_OUTPUT_BYTES: usize = 10;
/// Most memory of scrypt, in bytes, and with its parallelism most work.
const MAX_SCRYPT_BYTES: u64 = 64 * 1024 * 1024;
/// Most memory of argon2, in KiB.
const MAX_ARGON2_KIB: u32 = 256 * 1024;
/// Most memory of argon2 times its passes, in KiB.
const MAX_ARGON2_WORK: u64 = 1024 * 1024;

/// A password's hash from elsewhere, whose costs are bearable.
pub struct Legacy {
    check: Check,
    password: PasswordText,
}

enum Check {
    /// bcrypt; of the password's SHA-256 in hexadecimal digits, as in Django, or of the password.
    Bcrypt {
        hash: String,
        is_of_sha256: bool,
    },
    Pbkdf2 {
        hash: Hash,
        rounds: NonZeroU32,
        salt: Vec<u8>,
        output: Vec<u8>,
    },
    Scrypt {
        params: scrypt::Params,
        salt: Vec<u8>,
        output: Vec<u8>,
    },
    /// argon2 as a PHC string, which the password threads check as they check their own.
    Argon2(String),
    Digest(Digest),
    Mac(Mac),
}

/// Why a hash cannot be taken over; the text is public, and holds nothing of the hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unusable(pub String);

impl Legacy {
    /// Reads what is stored: Auth0's object, bcrypt, argon2, or Django's form.
    pub fn read(stored: &str) -> Result<Self, Unusable> {
        if stored.len() > MAX_BYTES {
            return Err(Unusable::new(format!("the hash is longer than {MAX_BYTES} bytes")));
        }
        if stored.starts_with('{') {
            let value: Value = serde_json::from_str(stored).map_err(|_| Unusable::new("the hash is no JSON object"))?;
            return auth0::read(&value);
        }
        let check = match stored {
            _ if stored.starts_with("$argon2") => argon2_of(stored)?,
            _ if stored.starts_with("$2") => bcrypt_of(stored, false)?,
            _ => django::read(stored)?,
        };
        Ok(Self {
            check,
            password: PasswordText::Utf8,
        })
    }

    /// The text by which an imported user's hash is stored: of `custom_password_hash`.
    pub fn of_auth0(value: &Value) -> Result<String, Unusable> {
        let legacy = auth0::read(value)?;
        let text = match legacy.check {
            Check::Argon2(hash) | Check::Bcrypt { hash, .. } => hash,
            Check::Pbkdf2 { .. } | Check::Scrypt { .. } | Check::Digest(_) | Check::Mac(_) => value.to_string(),
        };
        match text.len() > MAX_BYTES {
            true => Err(Unusable::new(format!("it is longer than {MAX_BYTES} bytes"))),
            false => Ok(text),
        }
    }

    /// The same of Django's `password`; `None` where Django says that there is none.
    pub fn of_django(text: &str) -> Result<Option<String>, Unusable> {
        if text.is_empty() || text.starts_with('!') {
            return Ok(None);
        }
        if text.starts_with(['$', '{']) {
            return Err(Unusable::new("the password has none of Django's forms"));
        }
        match Self::read(text)?.check {
            Check::Argon2(hash)
            | Check::Bcrypt {
                hash,
                is_of_sha256: false,
            } => Ok(Some(hash)),
            _ => Ok(Some(text.to_owned())),
        }
    }

    /// Whether a stored hash is checked sooner than any of argon2: a round or some thousands of a plain hash.
    pub fn is_quick(stored: &str) -> bool {
        !stored.starts_with('$')
            && Self::read(stored).is_ok_and(|legacy| match legacy.check {
                Check::Digest(_) | Check::Mac(_) => true,
                Check::Pbkdf2 { rounds, .. } => rounds.get() < QUICK_ROUNDS,
                Check::Bcrypt { .. } | Check::Scrypt { .. } | Check::Argon2(_) => false,
            })
    }

    /// Whether `password` is the one that was hashed. Takes up to a second: for the password threads.
    pub fn verifies(&self, password: &str) -> bool {
        let password = self.password.bytes(password);
        match &self.check {
            Check::Bcrypt { hash, is_of_sha256 } => {
                let inner = is_of_sha256.then(|| digest::hex(&Hash::Sha256.of(&password)).into_bytes());
                bcrypt::verify(inner.unwrap_or(password), hash).unwrap_or(false)
            }
            Check::Pbkdf2 {
                hash,
                rounds,
                salt,
                output,
            } => {
                let mut made = vec![0; output.len()];
                hash.pbkdf2(*rounds, salt, &password, &mut made).is_some() && equal(&made, output)
            }
            Check::Scrypt { params, salt, output } => {
                let mut made = vec![0; output.len()];
                scrypt::scrypt(&password, salt, params, &mut made).is_ok() && equal(&made, output)
            }
            // Stored in its own form, which the password threads check as they check theirs.
            Check::Argon2(_) => false,
            Check::Digest(digest) => digest.verifies(&password),
            Check::Mac(mac) => mac.verifies(&password),
        }
    }
}

/// bcrypt's own form: version, cost, salt and hash.
fn bcrypt_of(text: &str, is_of_sha256: bool) -> Result<Check, Unusable> {
    let is_known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
    let parts: Result<bcrypt::HashParts, _> = text.parse();
    match parts {
        Ok(parts) if is_known && text.len() == 60 => match parts.get_cost() {
            4..=MAX_BCRYPT_COST => Ok(Check::Bcrypt {
                hash: text.to_owned(),
                is_of_sha256,
            }),
            cost => Err(Unusable::new(format!(
                "bcrypt's cost is {cost}, and 4 to {MAX_BCRYPT_COST} are taken"
            ))),
        },
        Ok(_) | Err(_) => Err(Unusable::new("the hash is not bcrypt's $2a$, $2b$ or $2y$ form")),
    }
}

/// argon2 as a PHC string.
fn argon2_of(text: &str) -> Result<Check, Unusable> {
    let unreadable =
        || Unusable::new("the hash is not argon2's PHC string, as in $argon2id$v=19$m=…,t=…,p=…$salt$hash");
    let parsed = PasswordHash::new(text).map_err(|_| unreadable())?;
    if parsed.salt.is_none() || parsed.hash.is_none() {
        return Err(unreadable());
    }
    let params = Params::try_from(&parsed).map_err(|_| unreadable())?;
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    if params.m_cost() > MAX_ARGON2_KIB || work > MAX_ARGON2_WORK {
        let text = format!(
            "argon2 has m={} and t={}, and m up to {MAX_ARGON2_KIB}, m times t up to {MAX_ARGON2_WORK} are taken",
            params.m_cost(),
            params.t_cost()
        );
        return Err(Unusable::new(text));
    }
    Ok(Check::Argon2(text.to_owned()))
}

/// PBKDF2 with its parts.
fn pbkdf2_of(hash: Hash, rounds: &str, salt: Vec<u8>, output: Vec<u8>) -> Result<Check, Unusable> {
    check_output(&output)?;
    let blocks = u32::try_from(output.len().div_ceil(hash.length())).unwrap_or(u32::MAX);
    let most = MAX_PBKDF2_ROUNDS / blocks;
    let rounds = rounds.parse().ok().filter(|rounds: &NonZeroU32| rounds.get() <= most);
    let rounds =
        rounds.ok_or_else(|| Unusable::new(format!("PBKDF2 takes 1 to {most} iterations for such an output")))?;
    Ok(Check::Pbkdf2 {
        hash,
        rounds,
        salt,
        output,
    })
}

/// scrypt with its parts.
fn scrypt_of(cost: u64, block_size: u32, parallelism: u32, salt: Vec<u8>, output: Vec<u8>) -> Result<Check, Unusable> {
    check_output(&output)?;
    let bytes = cost
        .checked_mul(128)
        .and_then(|bytes| bytes.checked_mul(u64::from(block_size)));
    let is_bearable = bytes.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES && parallelism <= 16);
    let work = bytes.unwrap_or(u64::MAX).saturating_mul(u64::from(parallelism));
    if !is_bearable || work > 4 * MAX_SCRYPT_BYTES {
        return Err(Unusable::new(
            "scrypt takes 64 MiB at most, and not more than four times that in all",
        ));
    }
    let log_n = u8::try_from(cost.trailing_zeros()).unwrap_or(u8::MAX);
    let params = scrypt::Params::new(log_n, block_size, parallelism).ok();
    let params = params.filter(|_| cost.is_power_of_two() && cost > 1);
    let params = params.ok_or_else(|| Unusable::new("scrypt's cost is a power of two above 1"))?;
    Ok(Check::Scrypt { params, salt, output })
}

fn check_output(output: &[u8]) -> Result<(), Unusable> {
    match (MIN_OUTPUT_BYTES..=MAX_OUTPUT_BYTES).contains(&output.len()) {
        true => Ok(()),
        false => Err(Unusable::new(format!(
            "the hash has {MIN_OUTPUT_BYTES} to {MAX_OUTPUT_BYTES} bytes"
        ))),
    }
}

/// Base64 as it is met: standard, with or without its padding.
fn base64_of(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

impl Unusable {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// Which it is, and nothing of the hash.
impl fmt::Debug for Legacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.check {
            Check::Bcrypt { .. } => "Legacy(bcrypt)",
            Check::Pbkdf2 { .. } => "Legacy(pbkdf2)",
            Check::Scrypt { .. } => "Legacy(scrypt)",
            Check::Argon2(_) => "Legacy(argon2)",
            Check::Digest(_) => "Legacy(digest)",
            Check::Mac(_) => "Legacy(hmac)",
        })
    }
}

#[cfg(test)]
mod tests;
