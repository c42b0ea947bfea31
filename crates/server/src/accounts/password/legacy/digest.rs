//! One round of a hash function, salted or keyed: how passwords were kept before it was known how they should be.

use hmac::digest::Digest as _;
use hmac::digest::common::BlockSizeUser;
use hmac::{Mac as _, SimpleHmac};

use tokenhouse_protocol::crypto::{Hash, equal};

use super::Unusable;

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Md4,
    Md5,
    Ripemd160,
    Whirlpool,
    Sha(Hash),
}

/// A hash of a password between two salts, of which one is mostly empty.
pub(super) struct Digest {
    function: Function,
    before: Vec<u8>,
    after: Vec<u8>,
    output: Vec<u8>,
}

/// A keyed hash of the same.
pub(super) struct Mac {
    digest: Digest,
    key: Vec<u8>,
}

/// How a password's characters became bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PasswordText {
    Utf8,
    Utf16,
    /// The low byte of each UTF-16 unit, which is what Node.js means by ascii, latin1 and binary.
    Bytes,
}

impl Digest {
    /// Refuses an output that the function cannot have.
    pub(super) fn new(function: Function, before: &[u8], after: &[u8], output: Vec<u8>) -> Result<Self, Unusable> {
        if output.len() != function.length() {
            let text = format!(
                "the hash has {} bytes, and its algorithm makes {}",
                output.len(),
                function.length()
            );
            return Err(Unusable::new(text));
        }
        Ok(Self {
            function,
            before: before.to_vec(),
            after: after.to_vec(),
            output,
        })
    }

    /// Whether a password's bytes have this hash.
    pub(super) fn verifies(&self, password: &[u8]) -> bool {
        equal(&self.function.of(&self.message(password)), &self.output)
    }

    fn message(&self, password: &[u8]) -> Vec<u8> {
        [&self.before, password, &self.after].concat()
    }
}

impl Mac {
    /// The same with a key.
    pub(super) fn new(digest: Digest, key: Vec<u8>) -> Self {
        Self { digest, key }
    }

    /// Whether a password's bytes have this keyed hash.
    pub(super) fn verifies(&self, password: &[u8]) -> bool {
        let message = self.digest.message(password);
        equal(&self.digest.function.hmac(&self.key, &message), &self.digest.output)
    }
}

impl Function {
    /// The function of a name, as Auth0 writes it.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "md4" => Self::Md4,
            "md5" => Self::Md5,
            "ripemd160" => Self::Ripemd160,
            "whirlpool" => Self::Whirlpool,
            "sha1" => Self::Sha(Hash::Sha1),
            "sha224" => Self::Sha(Hash::Sha224),
            "sha256" => Self::Sha(Hash::Sha256),
            "sha384" => Self::Sha(Hash::Sha384),
            "sha512" => Self::Sha(Hash::Sha512),
            _ => return None,
        })
    }

    /// Bytes of its output.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Md4 | Self::Md5 => 16,
            Self::Ripemd160 => 20,
            Self::Whirlpool => 64,
            Self::Sha(hash) => hash.length(),
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Md4 => md4::Md4::digest(bytes).to_vec(),
            Self::Md5 => md5::Md5::digest(bytes).to_vec(),
            Self::Ripemd160 => ripemd::Ripemd160::digest(bytes).to_vec(),
            Self::Whirlpool => whirlpool::Whirlpool::digest(bytes).to_vec(),
            Self::Sha(hash) => hash.of(bytes),
        }
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md4 => simple_hmac::<md4::Md4>(key, message),
            Self::Md5 => simple_hmac::<md5::Md5>(key, message),
            Self::Ripemd160 => simple_hmac::<ripemd::Ripemd160>(key, message),
            Self::Whirlpool => simple_hmac::<whirlpool::Whirlpool>(key, message),
            Self::Sha(hash) => hash.hmac(key, message),
        }
    }
}

impl PasswordText {
    /// A password's bytes.
    pub(super) fn bytes(self, password: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => password.as_bytes().to_vec(),
            Self::Utf16 => password.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Bytes => password.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect(),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits, however written.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn simple_hmac<D: hmac::digest::Digest + BlockSizeUser>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <SimpleHmac<D> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
