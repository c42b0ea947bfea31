//! `custom_password_hash` of Auth0's user imports: an algorithm, its hash, and what belongs to it.

use serde_json::{Map, Value};

use tokenhouse_protocol::crypto::Hash;

use super::digest::{Digest, Function, Mac, PasswordText, unhex};
use super::{Check, Legacy, Unusable, argon2_of, base64_of, bcrypt_of, pbkdf2_of, scrypt_of};

/// What may stand beside the algorithm.
const MEMBERS: [&str; 8] = [
    "algorithm",
    "hash",
    "salt",
    "password",
    "keylen",
    "cost",
    "blockSize",
    "parallelization",
];
/// The most that an unsigned number of the object may be.
const MAX_NUMBER: u64 = u32::MAX as u64;

/// Reads one.
pub(super) fn read(value: &Value) -> Result<Legacy, Unusable> {
    let object = value.as_object().ok_or_else(|| Unusable::new("it is no object"))?;
    if let Some(other) = object.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(Unusable::new(format!(
            "it has no property {}",
            tokenhouse_protocol::error::reflected(other)
        )));
    }
    let hash = member(object, "hash")?.ok_or_else(|| Unusable::new("hash is missing"))?;
    let password = password_text(object)?;
    let algorithm = text(object, "algorithm")?.ok_or_else(|| Unusable::new("algorithm is missing"))?;
    let value = text(hash, "value")?.ok_or_else(|| Unusable::new("hash.value is missing"))?;
    let check = match algorithm {
        "bcrypt" => unsalted(object).and_then(|()| bcrypt_of(value, false))?,
        "argon2" => unsalted(object).and_then(|()| argon2_of(value))?,
        "pbkdf2" => unsalted(object).and_then(|()| pbkdf2(value))?,
        "ldap" => unsalted(object).and_then(|()| ldap(value))?,
        "scrypt" => scrypt(object, value, encoding(hash)?)?,
        "hmac" => {
            let name = text(hash, "digest")?.ok_or_else(|| Unusable::new("hash.digest is missing"))?;
            let key = member(hash, "key")?.ok_or_else(|| Unusable::new("hash.key is missing"))?;
            let key = decoded(key, "hash.key")?;
            Check::Mac(Mac::new(digest(object, hash, name)?, key))
        }
        "md4" | "md5" | "sha1" | "sha256" | "sha512" => Check::Digest(digest(object, hash, algorithm)?),
        other => {
            let other = tokenhouse_protocol::error::reflected(other);
            return Err(Unusable::new(format!(
                "algorithm is {other}, and argon2, bcrypt, hmac, ldap, md4, md5, sha1, sha256, sha512, pbkdf2 and \
                 scrypt are known"
            )));
        }
    };
    if let (Check::Argon2(_) | Check::Bcrypt { .. }, PasswordText::Utf16 | PasswordText::Bytes) = (&check, password) {
        // They are stored in their own form, which has no room for it.
        return Err(Unusable::new(format!(
            "password.encoding must be utf8 with {algorithm}"
        )));
    }
    Ok(Legacy { check, password })
}

/// `$pbkdf2-sha512$i=100000,l=64$salt$hash`, without padding.
fn pbkdf2(value: &str) -> Result<Check, Unusable> {
    let unreadable = || Unusable::new("hash.value is not $pbkdf2-<digest>$i=<iterations>,l=<length>$<salt>$<hash>");
    let parts: Vec<&str> = value.split('$').collect();
    let ["", name, parameters, salt, output] = parts.as_slice() else {
        return Err(unreadable());
    };
    let hash = match name.strip_prefix("pbkdf2-") {
        Some("sha1") => Hash::Sha1,
        Some("sha256") => Hash::Sha256,
        Some("sha384") => Hash::Sha384,
        Some("sha512") => Hash::Sha512,
        Some(_) | None => return Err(Unusable::new("PBKDF2's digest is sha1, sha256, sha384 or sha512")),
    };
    let parameter = |name: &str| {
        let mut pairs = parameters.split(',').filter_map(|pair| pair.split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    };
    let (salt, output) = (base64_of(salt), base64_of(output));
    let (Some(rounds), Some(salt), Some(output)) = (parameter("i"), salt, output) else {
        return Err(unreadable());
    };
    if parameter("l").is_some_and(|length| length.parse() != Ok(output.len())) {
        return Err(Unusable::new("PBKDF2's l is not the length of its hash"));
    }
    pbkdf2_of(hash, rounds, salt, output)
}

/// `{SSHA}…` and the like (RFC 2307 §5.3): base64 of the hash, the salt behind it.
fn ldap(value: &str) -> Result<Check, Unusable> {
    let unreadable = || Unusable::new("hash.value is not {SCHEME} with base64 behind it, as in {SSHA}…");
    let (scheme, rest) = value
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .ok_or_else(unreadable)?;
    let (name, is_salted) = match scheme.to_ascii_lowercase().as_str() {
        "md5" => ("md5", false),
        "smd5" => ("md5", true),
        "sha" => ("sha1", false),
        "ssha" => ("sha1", true),
        "sha224" => ("sha224", false),
        "ssha224" => ("sha224", true),
        "sha256" => ("sha256", false),
        "ssha256" => ("sha256", true),
        "sha384" => ("sha384", false),
        "ssha384" => ("sha384", true),
        "sha512" => ("sha512", false),
        "ssha512" => ("sha512", true),
        _ => {
            return Err(Unusable::new(
                "the LDAP scheme is none of md5, smd5, sha, ssha, sha224 to ssha512",
            ));
        }
    };
    let function = Function::named(name).ok_or_else(unreadable)?;
    let mut output = base64_of(rest).ok_or_else(unreadable)?;
    let salt = match is_salted && output.len() > function.length() {
        true => output.split_off(function.length()),
        false => Vec::new(),
    };
    Digest::new(function, b"", &salt, output).map(Check::Digest)
}

fn scrypt(object: &Map<String, Value>, value: &str, encoding: Option<&str>) -> Result<Check, Unusable> {
    let output = output(value, encoding, None)?;
    let salt = member(object, "salt")?.ok_or_else(|| Unusable::new("scrypt needs a salt"))?;
    let salt = decoded(salt, "salt")?;
    let length = number(object, "keylen")?;
    if length.is_some_and(|length| usize::try_from(length) != Ok(output.len())) {
        return Err(Unusable::new("keylen is not the length of the hash"));
    }
    let small = |name: &str, default: u32| {
        let given = number(object, name)?;
        Ok::<u32, Unusable>(given.map_or(default, |given| u32::try_from(given).unwrap_or(u32::MAX)))
    };
    let cost = number(object, "cost")?.unwrap_or(16_384);
    scrypt_of(cost, small("blockSize", 8)?, small("parallelization", 1)?, salt, output)
}

/// A hash of one round.
fn digest(object: &Map<String, Value>, hash: &Map<String, Value>, name: &str) -> Result<Digest, Unusable> {
    let function = Function::named(name).ok_or_else(|| Unusable::new("hash.digest is none that is known"))?;
    let value = text(hash, "value")?.unwrap_or_default();
    let output = output(value, encoding(hash)?, Some(function.length()))?;
    let Some(salt) = member(object, "salt")? else {
        return Digest::new(function, b"", b"", output);
    };
    let bytes = decoded(salt, "salt")?;
    match text(salt, "position")? {
        None | Some("prefix") => Digest::new(function, &bytes, b"", output),
        Some("suffix") => Digest::new(function, b"", &bytes, output),
        Some(_) => Err(Unusable::new("salt.position is prefix or suffix")),
    }
}

/// The hash's bytes; where the encoding is not said, hexadecimal if it looks like that.
fn output(value: &str, encoding: Option<&str>, length: Option<usize>) -> Result<Vec<u8>, Unusable> {
    let looks_hex = length.is_none_or(|length| value.len() == 2 * length);
    let bytes = match encoding {
        Some("hex") => unhex(value),
        None if looks_hex => unhex(value).or_else(|| base64_of(value)),
        Some("base64") | None => base64_of(value),
        Some(_) => None,
    };
    bytes.ok_or_else(|| Unusable::new("hash.value is not in its hash.encoding, which is hex or base64"))
}

/// Bytes of a salt or a key.
fn decoded(object: &Map<String, Value>, what: &str) -> Result<Vec<u8>, Unusable> {
    let value = text(object, "value")?.ok_or_else(|| Unusable::new(format!("{what}.value is missing")))?;
    let bytes = match encoding(object)? {
        None | Some("utf8") => Some(value.as_bytes().to_vec()),
        Some("hex") => unhex(value),
        Some("base64") => base64_of(value),
        Some(_) => None,
    };
    bytes.ok_or_else(|| {
        Unusable::new(format!(
            "{what}.value is not in its encoding, which is utf8, hex or base64"
        ))
    })
}

fn password_text(object: &Map<String, Value>) -> Result<PasswordText, Unusable> {
    let Some(password) = member(object, "password")? else {
        return Ok(PasswordText::Utf8);
    };
    match encoding(password)? {
        None | Some("utf8") => Ok(PasswordText::Utf8),
        Some("utf16le" | "ucs2") => Ok(PasswordText::Utf16),
        Some("ascii" | "latin1" | "binary") => Ok(PasswordText::Bytes),
        Some(_) => Err(Unusable::new(
            "password.encoding is ascii, utf8, utf16le, ucs2, latin1 or binary",
        )),
    }
}

/// What has its salt in the hash takes none beside it.
fn unsalted(object: &Map<String, Value>) -> Result<(), Unusable> {
    match object.get("salt") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(Unusable::new("this algorithm's hash holds its salt: leave salt out")),
    }
}

fn encoding(object: &Map<String, Value>) -> Result<Option<&str>, Unusable> {
    text(object, "encoding")
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, Unusable> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(member)) => Ok(Some(member)),
        Some(_) => Err(Unusable::new(format!("{name} is no object"))),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Unusable> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Unusable::new(format!("{name} is no text"))),
    }
}

fn number(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, Unusable> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().filter(|number| *number <= MAX_NUMBER) {
            Some(number) => Ok(Some(number)),
            None => Err(Unusable::new(format!("{name} is no whole number of its range"))),
        },
    }
}
