//! The `Authorization: Bearer` header: reading it (RFC 6750 §2.1) and writing a challenge (§3).

use std::fmt::Write as _;

use crate::error::plain;

/// Longest token that is looked at, in bytes: more than any header field a server would take.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Why a request carries no usable bearer token. Each is a 401 (CONTRACT Decision 12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BearerError {
    /// There is no `Authorization` header, or it is of another scheme: the challenge stays bare.
    Missing,
    /// There are several `Authorization` headers.
    Several,
    /// The credential is not one `b64token` (RFC 6750 §2.1).
    Malformed,
    /// The token is longer than [`MAX_TOKEN_BYTES`].
    TooLong,
}

/// Reads the one bearer token of a request from the values of its `Authorization` headers.
pub fn read<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Result<&'a str, BearerError> {
    let body = sent(headers)?;
    let unpadded = body.iter().rposition(|b| *b != b'=').map_or(0, |last| last + 1);
    // Every byte is looked at, many at a time: stopping at the first bad one would take ten times as long for a good one.
    let well_formed = body[..unpadded].iter().fold(true, |fine, b| fine & is_b64token(*b));
    if unpadded == 0 || !well_formed {
        return Err(BearerError::Malformed);
    }
    std::str::from_utf8(body).map_err(|_| BearerError::Malformed)
}

/// The same without a look at its characters, for whoever compares it with one that was read before.
pub fn sent<'a>(mut headers: impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8], BearerError> {
    let header = headers.next().ok_or(BearerError::Missing)?;
    if headers.next().is_some() {
        return Err(BearerError::Several);
    }
    let token = credentials_of(header, "Bearer").ok_or(BearerError::Missing)?;
    if token.len() > MAX_TOKEN_BYTES {
        return Err(BearerError::TooLong);
    }
    Ok(token.trim_ascii_end())
}

/// What follows `scheme` and its spaces in an `Authorization` header; `None` if the scheme is another (RFC 9110 §11.1).
pub(crate) fn credentials_of<'a>(header: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    // As nearly everybody writes it.
    if let Some([b' ', rest @ ..]) = header.strip_prefix(scheme.as_bytes())
        && !rest.first().is_some_and(u8::is_ascii_whitespace)
    {
        return Some(rest);
    }
    let header = header.trim_ascii_start();
    let (word, rest) = header.split_at(header.len().min(scheme.len()));
    if !word.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest.first() {
        None => Some(rest),
        Some(b' ') => Some(rest.trim_ascii_start()),
        Some(_) => None,
    }
}

/// Without a branch, so that it can be done to many bytes at once.
fn is_b64token(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-`, `.` and `/` stand before the digits.
    let is_digit = byte.wrapping_sub(b'-') < 13;
    is_letter | is_digit | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// A `WWW-Authenticate` value of the Bearer scheme, its parts in the order of RFC 6750 §3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge(String);

impl Challenge {
    /// `Bearer realm="…"` alone: for a request that showed no token.
    pub fn bare(realm: &str) -> Self {
        Self(format!("Bearer realm=\"{}\"", plain(realm)))
    }

    /// Adds a parameter, its value cleaned of what a quoted string may not hold.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, ", {name}=\"{}\"", plain(value));
        self
    }

    /// The header's value: visible ASCII only.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(header: &str) -> Result<&str, BearerError> {
        read([header.as_bytes()].into_iter())
    }

    #[test]
    fn one_well_formed_credential_is_read() {
        assert_eq!(one("Bearer abc.def-_~+/=="), Ok("abc.def-_~+/=="));
        assert_eq!(one("bEaReR   abc"), Ok("abc"));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(read(std::iter::empty()), Err(BearerError::Missing));
        assert_eq!(one("Basic abc"), Err(BearerError::Missing));
        assert_eq!(one("Bearerabc"), Err(BearerError::Missing));
        for malformed in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer =",
            "Bearer a=b",
            "Bearer \"a\"",
            "Bearer é",
        ] {
            assert_eq!(one(malformed), Err(BearerError::Malformed), "{malformed:?}");
        }
        assert_eq!(
            read([b"Bearer a".as_slice(), b"Bearer a"].into_iter()),
            Err(BearerError::Several)
        );
        assert_eq!(
            one(&format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1))),
            Err(BearerError::TooLong)
        );
    }

    #[test]
    fn every_character_of_a_b64token_is_one_and_no_other() {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        for byte in 0..=u8::MAX {
            assert_eq!(is_b64token(byte), named(byte), "{byte:#x}");
        }
    }

    #[test]
    fn a_challenge_keeps_its_quotes() {
        let challenge = Challenge::bare("api")
            .with("error", "invalid_token")
            .with("error_description", "a \"b\"\r\n");
        assert_eq!(
            challenge.as_str(),
            "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"a 'b'??\""
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_what_is_accepted_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut header = b"Bearer ".to_vec();
            header.extend(&bytes);
            if let Ok(token) = read([header.as_slice()].into_iter()) {
                let again = format!("Bearer {token}");
                prop_assert_eq!(read([again.as_bytes()].into_iter()), Ok(token));
            }
        }
    }
}
