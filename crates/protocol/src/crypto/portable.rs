//! Sealing that gives the same text for the same value under the same key, so that two exports of one tenant are the
//! same to the byte (docs/decisions/0014).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{Cipher, MacKey, OpenError, Place};

/// A key that secrets travel under: AES-256-GCM, its nonce a keyed digest of the place and the value (as in RFC 8452
/// and RFC 5297). It tells who sees two exports whether a secret is still the same, and nothing else.
pub struct PortableKey {
    cipher: Cipher,
    nonces: MacKey,
}

impl PortableKey {
    /// Takes 32 bytes that were derived from a passphrase; from them come one key for each of its two uses.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let root = MacKey::new(bytes);
        let cipher = Zeroizing::new(root.tag(&[b"tokenhouse export cipher"]));
        let nonces = Zeroizing::new(root.tag(&[b"tokenhouse export nonces"]));
        Self {
            cipher: Cipher::new(&cipher),
            nonces: MacKey::new(nonces.as_slice()),
        }
    }

    /// Seals `plain` for `place`: base64url of nonce, ciphertext, tag.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> String {
        let data = place.associated_data();
        let tag = self.nonces.tag(&[&data, plain]);
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&tag[..12]);
        URL_SAFE_NO_PAD.encode(self.cipher.seal(nonce, &data, plain))
    }

    /// Opens what was sealed with this key for the same `place`.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| OpenError::Damaged)?;
        let opened = self.cipher.open(&place.associated_data(), &bytes);
        opened.ok_or(OpenError::Damaged)
    }
}

impl fmt::Debug for PortableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortableKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: &str) -> Place<'_> {
        Place {
            tenant: "",
            table: "client_secrets",
            row,
            column: "sealed",
        }
    }

    #[test]
    fn a_value_is_sealed_alike_each_time_and_opens_in_its_place_alone() {
        let key = PortableKey::from_bytes(&[7; 32]);
        let sealed = key.seal(place("a"), b"secret");
        assert_eq!(sealed, PortableKey::from_bytes(&[7; 32]).seal(place("a"), b"secret"));
        assert_eq!(key.open(place("a"), &sealed).unwrap().as_slice(), b"secret");
        assert_ne!(sealed, key.seal(place("b"), b"secret"));
        assert!(key.open(place("b"), &sealed).is_err());
        assert!(PortableKey::from_bytes(&[8; 32]).open(place("a"), &sealed).is_err());
        assert!(key.open(place("a"), "no base64!").is_err());
    }

    #[test]
    fn other_values_have_other_nonces() {
        let key = PortableKey::from_bytes(&[7; 32]);
        let nonce = |plain: &[u8]| key.seal(place("a"), plain)[..16].to_owned();
        assert_ne!(nonce(b"one"), nonce(b"two"));
    }
}
