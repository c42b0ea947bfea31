//! Every cryptographic primitive of the house, and the one file that names `aws_lc_rs`: random bytes, digests,
//! comparison in constant time, sealing at rest (AES-256-GCM), signatures (RFC 7518 §3, RFC 8037 §3.1).
//! Keys are parsed once, when they are made, and never again for each message.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaPublicKeyComponents};
use aws_lc_rs::{constant_time, digest, hmac, pbkdf2, rand};
use zeroize::Zeroizing;

pub use self::kinds::{Algorithm, KeyRejected, PublicKey, RsaBits};
pub use self::old::Hash;
use self::parameters::{curve, padding, parsed};
pub use self::portable::PortableKey;
pub use self::seal::{OpenError, Place, SealingKey};

mod kinds;
mod old;
mod parameters;
mod portable;
mod seal;

/// The source of random bytes, handed to whatever needs chance. Cloning is free.
#[derive(Clone, Debug)]
pub struct Random(());

impl Random {
    /// The operating system's randomness, through the library's generator.
    pub fn system() -> Self {
        Self(())
    }

    /// Fills `bytes`, every bit fair.
    pub fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the generator fails only where the operating system has no randomness at all");
    }
}

/// Whether `a` and `b` are the same bytes, in a time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-1, for a JWK's `x5t` (RFC 7517 §4.8) and nothing else: it protects nothing.
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    array(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}

/// A key for keyed digests (HMAC-SHA-256) of what is looked up but must not be readable.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Takes the key's bytes; 32 of them are enough.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The keyed digest of `parts` in their order. Each is preceded by its length, so `["ab", "c"]` is not `["a", "bc"]`.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        array(context.sign().as_ref())
    }
}

/// A key that signs with one algorithm. Signing allocates the signature and parses nothing.
pub struct SigningKey {
    algorithm: Algorithm,
    private: Private,
}

enum Private {
    Rsa(RsaKeyPair, &'static signature::RsaSignatureEncoding),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Zeroizing<Vec<u8>>, Box<hmac::Key>),
}

impl SigningKey {
    /// A new key; `rsa_bits` matters to RSA alone. It takes a noticeable part of a second: keep it off async threads.
    pub fn generate(algorithm: Algorithm, rsa_bits: RsaBits) -> Self {
        const MADE: &str = "key generation fails only without memory or randomness";
        let private = match (padding(algorithm), curve(algorithm)) {
            (Some(padding), _) => {
                let size = match rsa_bits {
                    RsaBits::Bits2048 => KeySize::Rsa2048,
                    RsaBits::Bits3072 => KeySize::Rsa3072,
                    RsaBits::Bits4096 => KeySize::Rsa4096,
                };
                Private::Rsa(RsaKeyPair::generate(size).expect(MADE), padding)
            }
            (None, Some(curve)) => Private::Ec(EcdsaKeyPair::generate(curve).expect(MADE)),
            (None, None) if algorithm.is_symmetric() => {
                let mut secret = Zeroizing::new(vec![0; 64]);
                Random::system().fill(&mut secret);
                let key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret));
                Private::Hmac(secret, key)
            }
            (None, None) => Private::Ed25519(Ed25519KeyPair::generate().expect(MADE)),
        };
        Self { algorithm, private }
    }

    /// Reads what [`SigningKey::pkcs8`] wrote.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let private = match (padding(algorithm), curve(algorithm)) {
            (Some(padding), _) => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| KeyRejected("not an RSA key in PKCS#8"))?;
                if !(256..=1024).contains(&pair.public_modulus_len()) {
                    return Err(KeyRejected("an RSA key has 2048 to 8192 bits"));
                }
                Private::Rsa(pair, padding)
            }
            (None, Some(curve)) => Private::Ec(
                EcdsaKeyPair::from_pkcs8(curve, pkcs8)
                    .map_err(|_| KeyRejected("not a key in PKCS#8 on the algorithm's curve"))?,
            ),
            (None, None) if algorithm.is_symmetric() => return Self::hs256(pkcs8),
            (None, None) => Private::Ed25519(
                Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyRejected("not an Ed25519 key in PKCS#8"))?,
            ),
        };
        Ok(Self { algorithm, private })
    }

    /// An HS256 key from an API's signing secret, of 16 bytes or more as at Auth0; new secrets have far more.
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyRejected> {
        if secret.len() < 16 {
            return Err(KeyRejected("a signing secret has at least 16 characters"));
        }
        let key = Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Self {
            algorithm: Algorithm::Hs256,
            private: Private::Hmac(Zeroizing::new(secret.to_vec()), key),
        })
    }

    /// The private key as PKCS#8 (RFC 5958); of an HS256 key, the secret itself.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        const WRITTEN: &str = "a parsed key can always be written";
        Zeroizing::new(match &self.private {
            Private::Rsa(pair, _) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).expect(WRITTEN).as_ref().to_vec(),
            Private::Ec(pair) => pair.to_pkcs8v1().expect(WRITTEN).as_ref().to_vec(),
            Private::Ed25519(pair) => pair.to_pkcs8v1().expect(WRITTEN).as_ref().to_vec(),
            Private::Hmac(secret, _) => secret.to_vec(),
        })
    }

    /// The algorithm this key signs with, and no other.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half in numbers, as a JWK holds it; an HS256 key has none.
    pub fn public(&self) -> Option<PublicKey> {
        Some(match &self.private {
            Private::Rsa(pair, _) => {
                PublicKey::from_rsa_der(pair.public_key().as_ref()).expect("the library writes well-formed DER")
            }
            Private::Ec(pair) => {
                // Uncompressed: 4, and two coordinates of one length (SEC 1 §2.3.3).
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                match x.len() {
                    48 => PublicKey::P384 {
                        x: array(x),
                        y: array(y),
                    },
                    66 => PublicKey::P521 {
                        x: array(x),
                        y: array(y),
                    },
                    _ => PublicKey::P256 {
                        x: array(x),
                        y: array(y),
                    },
                }
            }
            Private::Ed25519(pair) => PublicKey::Ed25519 {
                x: array(pair.public_key().as_ref()),
            },
            Private::Hmac(..) => return None,
        })
    }

    /// The public half as a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7); an HS256 key has none.
    pub fn public_spki(&self) -> Option<Vec<u8>> {
        const WRITTEN: &str = "a parsed key can always be written";
        let der: PublicKeyX509Der<'_> = match &self.private {
            Private::Rsa(pair, _) => pair.public_key().as_der().expect(WRITTEN),
            Private::Ec(pair) => pair.public_key().as_der().expect(WRITTEN),
            Private::Ed25519(pair) => pair.public_key().as_der().expect(WRITTEN),
            Private::Hmac(..) => return None,
        };
        Some(der.as_ref().to_vec())
    }

    /// The key that verifies what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        let key = match (&self.private, self.public()) {
            (Private::Hmac(_, key), _) => Ok(VerifyingKey {
                algorithm: self.algorithm,
                public: Public::Hmac(key.clone()),
            }),
            (_, Some(public)) => VerifyingKey::new(self.algorithm, &public),
            (_, None) => Err(KeyRejected("no public half")),
        };
        key.expect("only an HS256 key has no public half, and a public half is of its key's algorithm")
    }

    /// Signs `message`: RSA of the modulus' length, ECDSA as `r || s` (RFC 7518 §3.4), EdDSA 64 bytes, HS256 32.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        const SIGNED: &str = "signing with a parsed key fails only without memory";
        match &self.private {
            Private::Rsa(pair, padding) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &SystemRandom::new(), message, &mut signed)
                    .expect(SIGNED);
                signed
            }
            Private::Ec(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect(SIGNED)
                .as_ref()
                .to_vec(),
            Private::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Hmac(_, key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm)
    }
}

/// A key that verifies signatures of one algorithm: the algorithm belongs to the key, never to the token.
pub struct VerifyingKey {
    algorithm: Algorithm,
    public: Public,
}

enum Public {
    Asymmetric(ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Takes a public key for `algorithm`. Refuses a key of another kind, RSA under 2048 or over 8192 bits, an RSA
    /// exponent that is even, 1 or over 32 bits, and a point off the curve.
    pub fn new(algorithm: Algorithm, key: &PublicKey) -> Result<Self, KeyRejected> {
        Ok(Self {
            algorithm,
            public: Public::Asymmetric(parsed(algorithm, key)?),
        })
    }

    /// An HS256 key, of 32 bytes or more (RFC 7518 §3.2).
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyRejected> {
        if secret.len() < 32 {
            return Err(KeyRejected("an HS256 secret has at least 32 bytes"));
        }
        Ok(Self {
            algorithm: Algorithm::Hs256,
            public: Public::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
        })
    }

    /// The algorithm this key verifies, and no other.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What tells this key from every other: SHA-256 over its algorithm and public bytes; of HS256, a keyed digest.
    pub fn fingerprint(&self) -> [u8; 32] {
        match &self.public {
            Public::Asymmetric(key) => sha256(&[self.algorithm.as_str().as_bytes(), b".", key.as_ref()].concat()),
            // No signing input: a JWS has a dot.
            Public::Hmac(key) => array(hmac::sign(key, b"fingerprint").as_ref()),
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Asymmetric(key) => key.verify_sig(message, signature).is_ok(),
            Public::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

/// AES-256-GCM with the nonce before each ciphertext; [`SealingKey`] is what the house uses.
struct Cipher(LessSafeKey);

impl Cipher {
    fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes"),
        ))
    }

    /// Nonce, ciphertext and tag. No two values of a key may have one nonce: it is random, or it is made of the value.
    fn seal(&self, nonce: [u8; 12], associated_data: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data),
                &mut sealed,
            )
            .expect("AES-GCM refuses only values of many gigabytes");
        [nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, associated_data: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<12>()?;
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .0
            .open_in_place(nonce, Aad::from(associated_data), plain.as_mut_slice())
            .ok()?
            .len();
        plain.truncate(length);
        Some(plain)
    }
}

/// The bytes as an array of a length that the caller knows.
fn array<const LENGTH: usize>(bytes: &[u8]) -> [u8; LENGTH] {
    bytes.try_into().expect("the primitive's output has this length")
}

#[cfg(test)]
mod tests;
