//! Sealing at rest: the key, the envelope, and the place that each value is tied to (DESIGN §5).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{Cipher, KeyRejected, Random, sha256};

/// Where a sealed value lies. It is sealed with the value, which therefore opens nowhere else.
#[expect(missing_docs, reason = "each field is its name")]
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub tenant: &'a str,
    pub table: &'a str,
    pub row: &'a str,
    pub column: &'a str,
}

impl Place<'_> {
    /// The associated data: a label, then each part after its length.
    pub(super) fn associated_data(self) -> Vec<u8> {
        let mut data = b"tokenhouse sealed v1".to_vec();
        for part in [self.tenant, self.table, self.row, self.column] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// The key that seals secrets at rest: AES-256-GCM with a random nonce for each value.
pub struct SealingKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
    cipher: Cipher,
}

impl SealingKey {
    /// Takes the key's 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let labelled = Zeroizing::new([b"tokenhouse sealing key id".as_slice(), bytes.as_slice()].concat());
        let id = sha256(&labelled)[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let cipher = Cipher::new(&bytes);
        Self { id, bytes, cipher }
    }

    /// A new key.
    pub fn generate(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice());
        Self::from_bytes(*bytes)
    }

    /// Reads what [`SealingKey::to_base64`] wrote; white space around it is no matter.
    pub fn parse(text: &str) -> Result<Self, KeyRejected> {
        let refused = KeyRejected("a sealing key is 32 bytes in base64, 44 characters");
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| refused.clone())?);
        Ok(Self::from_bytes(bytes.as_slice().try_into().map_err(|_| refused)?))
    }

    /// The key as text, for its file.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// The key's name, eight hexadecimal digits, which every value sealed with it carries. Says nothing of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals `plain` for `place`: `v1.<key id>.<base64url of nonce, ciphertext, tag>`.
    pub fn seal(&self, random: &Random, place: Place<'_>, plain: &[u8]) -> String {
        let mut nonce = [0; 12];
        random.fill(&mut nonce);
        let sealed = self.cipher.seal(nonce, &place.associated_data(), plain);
        format!("v1.{}.{}", self.id, URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what was sealed with this key for the same `place`.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (id, text) = sealed
            .strip_prefix("v1.")
            .and_then(|rest| rest.split_once('.'))
            .ok_or(OpenError::Damaged)?;
        if id != self.id {
            return Err(OpenError::WrongKey);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| OpenError::Damaged)?;
        self.cipher
            .open(&place.associated_data(), &bytes)
            .ok_or(OpenError::Damaged)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

/// Why a sealed value did not open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// It was sealed with another key: it carries another key id.
    WrongKey,
    /// It was altered, moved from its place, or is no sealed value.
    Damaged,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongKey => "sealed with another key",
            Self::Damaged => "damaged, or moved from where it was sealed",
        })
    }
}

impl std::error::Error for OpenError {}
