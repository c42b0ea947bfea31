//! `password` of Django's `auth_user`: `algorithm$…`, in each hasher's own order of parts.

use tokenhouse_protocol::crypto::Hash;

use super::digest::{Digest, Function};
use super::{Check, Unusable, argon2_of, base64_of, bcrypt_of, digest, pbkdf2_of, scrypt_of};

/// Reads one.
pub(super) fn read(text: &str) -> Result<Check, Unusable> {
    let unknown = || Unusable::new("the password has none of the forms that are known");
    let unreadable = || Unusable::new("the password has an algorithm of Django's and not its form");
    let (algorithm, rest) = text.split_once('$').ok_or_else(unknown)?;
    let parts: Vec<&str> = rest.split('$').collect();
    match (algorithm, parts.as_slice()) {
        ("pbkdf2_sha256" | "pbkdf2_sha1", [rounds, salt, output]) => {
            let hash = match algorithm {
                "pbkdf2_sha1" => Hash::Sha1,
                _ => Hash::Sha256,
            };
            let output = base64_of(output).ok_or_else(unreadable)?;
            pbkdf2_of(hash, rounds, salt.as_bytes().to_vec(), output)
        }
        ("argon2", _) => argon2_of(&format!("${rest}")),
        ("bcrypt_sha256", _) => bcrypt_of(rest, true),
        ("bcrypt", _) => bcrypt_of(rest, false),
        ("scrypt", [cost, salt, block_size, parallelism, output]) => {
            let number = |text: &str| text.parse().ok().ok_or_else(unreadable);
            let cost = cost.parse().ok().ok_or_else(unreadable)?;
            let output = base64_of(output).ok_or_else(unreadable)?;
            let salt = salt.as_bytes().to_vec();
            scrypt_of(cost, number(block_size)?, number(parallelism)?, salt, output)
        }
        ("md5" | "sha1", [salt, output]) => {
            let function = match algorithm {
                "sha1" => Function::Sha(Hash::Sha1),
                _ => Function::Md5,
            };
            let output = digest::unhex(output).ok_or_else(unreadable)?;
            Digest::new(function, salt.as_bytes(), b"", output).map(Check::Digest)
        }
        ("pbkdf2_sha256" | "pbkdf2_sha1" | "scrypt" | "md5" | "sha1", _) => Err(unreadable()),
        (other, _) if other.len() <= 32 && other.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            Err(Unusable::new(format!("the algorithm {other} is none that is known")))
        }
        _ => Err(unknown()),
    }
}
