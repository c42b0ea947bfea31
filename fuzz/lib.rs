//! What the fuzz targets share: keys that are always the same, so that a finding can be run again, and tokens made
//! from what the fuzzer wrote.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use tokenhouse_protocol::crypto::{Algorithm, SigningKey};

/// What every clock shows: 2026-01-15T10:00:00Z.
pub const NOW_S: i64 = 1_768_471_200;

/// An Ed25519 key whose seed is 32 times this byte.
pub fn key(seed: u8) -> SigningKey {
    // RFC 8410 §7: the same bytes before every seed.
    let mut pkcs8 = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    pkcs8.extend([seed; 32]);
    SigningKey::from_pkcs8(Algorithm::EdDsa, &pkcs8).expect("any seed makes a key")
}

/// A token of this header and these claims, whatever they are, signed with `key`.
pub fn signed(key: &SigningKey, header: &[u8], claims: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(claims));
    format!("{input}.{}", encode(&key.sign(input.as_bytes())))
}

/// A token and how its text was come by.
pub struct Made {
    /// The token.
    pub token: String,
    /// Who signed it.
    pub origin: Origin,
}

/// Who signed a token.
#[derive(PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody that we know: the fuzzer wrote the whole text.
    Text,
    /// The right key.
    Right,
    /// Another key, or the right one's public half as a secret.
    Wrong,
    /// The right key, for a text that was changed afterwards, or not.
    Edited {
        /// What was signed.
        signed: String,
    },
}

/// Makes a token from the fuzzer's bytes: the first says how. `good` is a header and claims that are accepted, and
/// `filled` puts into a text what the fuzzer cannot know.
pub fn make(bytes: &[u8], right: &SigningKey, good: [&str; 2], filled: impl Fn(&str) -> String) -> Option<Made> {
    let (how, rest) = bytes.split_first()?;
    if how % 5 == 0 {
        let token = str::from_utf8(rest).ok()?.to_owned();
        return Some(Made {
            token,
            origin: Origin::Text,
        });
    }
    if how % 5 == 4 {
        let [header, claims] = good;
        let signed = signed(right, header.as_bytes(), filled(claims).as_bytes());
        let token = edited(&signed, rest)?;
        return Some(Made {
            token,
            origin: Origin::Edited { signed },
        });
    }
    // A header ends at the first line break, which no JSON needs to hold.
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (header, claims) = (&rest[..end], &rest[end + 1..]);
    let claims = match str::from_utf8(claims) {
        Ok(text) => filled(text).into_bytes(),
        Err(_) => claims.to_vec(),
    };
    let public = right.public_spki()?;
    let (key, origin) = match how % 5 {
        1 => (None, Origin::Right),
        2 => (Some(key(2)), Origin::Wrong),
        // RFC 8725 §2.1: the public key taken for a shared secret.
        _ => (SigningKey::hs256(&public).ok(), Origin::Wrong),
    };
    Some(Made {
        token: signed(key.as_ref().unwrap_or(right), header, &claims),
        origin,
    })
}

/// What a token says, read without any of our own code: header and claims.
pub fn said(token: &str) -> Option<[Map<String, Value>; 2]> {
    let mut parts = token.split('.');
    let mut part = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
    Some([part()?, part()?])
}

/// Bytes as base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A text with some of its bytes replaced: three bytes of `edits` say where and by what. Only ASCII stays a text.
fn edited(text: &str, edits: &[u8]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % bytes.len();
        bytes[place] = edit[2];
    }
    String::from_utf8(bytes).ok()
}
