//! What a key is, in values: its algorithm (RFC 7518 §3.1, RFC 8037 §3.1), its public half, why one is refused.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm of JOSE, by its `alg` (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not one.
#[expect(missing_docs, reason = "each variant is its name")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
    Hs256,
    Rs384,
    Rs512,
    Ps384,
    Ps512,
    Es384,
    Es512,
}

impl Algorithm {
    /// Those that Tokenhouse signs with, the default first.
    pub const SIGNING: [Self; 5] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa, Self::Hs256];

    /// Those whose signatures can be verified: other issuers sign with longer hashes and on larger curves, too.
    pub const VERIFIED: [Self; 11] = [
        Self::Rs256,
        Self::Ps256,
        Self::Es256,
        Self::EdDsa,
        Self::Hs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps384,
        Self::Ps512,
        Self::Es384,
        Self::Es512,
    ];

    /// The algorithm of an `alg`, of all whose signatures can be verified; exactly the registered spelling: `rs256` is
    /// nothing. `Ed25519` is what RFC 9864 calls `EdDSA` with the one curve that is here.
    pub fn named(alg: &str) -> Result<Self, KeyRejected> {
        let alg = if alg == "Ed25519" { "EdDSA" } else { alg };
        let found = Self::VERIFIED.into_iter().find(|algorithm| algorithm.as_str() == alg);
        found.ok_or(KeyRejected("the algorithm is none that signatures are verified by"))
    }

    /// The `alg` value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// Whether those who verify hold the key that signs: such a key is never published.
    pub fn is_symmetric(self) -> bool {
        self == Self::Hs256
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = KeyRejected;

    /// One that Tokenhouse signs with, as [`Algorithm::named`] reads it.
    fn from_str(text: &str) -> Result<Self, KeyRejected> {
        let found = Self::named(text).ok().filter(|found| Self::SIGNING.contains(found));
        found.ok_or(KeyRejected(
            "the algorithm is none of RS256, PS256, ES256, EdDSA, HS256",
        ))
    }
}

/// The size of a new RSA key.
#[expect(missing_docs, reason = "each variant is its name")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RsaBits {
    Bits2048,
    Bits3072,
    Bits4096,
}

/// A public key in numbers, big-endian, without leading zeros where the length is not fixed.
#[expect(missing_docs, reason = "each field is its name in RFC 7518 §6 and RFC 8037 §2")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256 { x: [u8; 32], y: [u8; 32] },
    P384 { x: [u8; 48], y: [u8; 48] },
    P521 { x: [u8; 66], y: [u8; 66] },
    Ed25519 { x: [u8; 32] },
}

impl PublicKey {
    /// Reads `RSAPublicKey ::= SEQUENCE { n INTEGER, e INTEGER }` (RFC 8017 §A.1.1) as the library writes it.
    pub(super) fn from_rsa_der(der: &[u8]) -> Option<Self> {
        let (sequence, _) = der_value(der)?;
        let (n, rest) = der_value(sequence)?;
        let (e, _) = der_value(rest)?;
        Some(Self::Rsa {
            n: without_leading_zeros(n).to_vec(),
            e: without_leading_zeros(e).to_vec(),
        })
    }
}

/// A key that cannot be used, and in words why. Never says anything of a private key's content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRejected(pub(super) &'static str);

impl KeyRejected {
    /// A key refused elsewhere in this crate.
    pub(crate) fn because(reason: &'static str) -> Self {
        Self(reason)
    }
}

impl fmt::Display for KeyRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for KeyRejected {}

/// The content of the first DER value in `der`, and what follows it.
fn der_value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    rest.split_at_checked(length)
}

/// A big-endian number at its shortest.
pub(super) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}
