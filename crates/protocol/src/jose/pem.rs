//! Public keys as people hand them over: PEM (RFC 7468) of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), of an
//! RSAPublicKey (RFC 8017 §A.1.1) or of a certificate, whose key alone is looked at; and private keys in PKCS#8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::{KeyRejected, PublicKey};
use crate::secret::Secret;
use crate::time::Timestamp;

/// The longest text that is looked at, in bytes: a certificate of a large key has a third of it.
const MAX_BYTES: usize = 16 * 1024;

/// Characters of a line of PEM (RFC 7468 §2).
const LINE: usize = 64;

/// DER tags (X.690 §8).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// A certificate's version: context-specific, constructed, 0.
const VERSION: u8 = 0xa0;

/// rsaEncryption (RFC 8017 §A.1), id-ecPublicKey and prime256v1 (RFC 5480 §2.1.1), id-Ed25519 (RFC 8410 §3).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The public key of the one PEM block in `text`. Whether its numbers make a key that is safe to use,
/// [`crate::crypto::VerifyingKey::new`] says.
pub fn public_key(text: &str) -> Result<PublicKey, KeyRejected> {
    let (label, der) = block(text)?;
    let found = match label {
        "PUBLIC KEY" => Der(&der).only(SEQUENCE).and_then(subject_public_key),
        "RSA PUBLIC KEY" => Der(&der).only(SEQUENCE).and_then(rsa_public_key),
        "CERTIFICATE" => certificate_key(&der),
        private if private.ends_with("PRIVATE KEY") => {
            return Err(KeyRejected::because(
                "this is a private key, which belongs to the application alone: give its public half",
            ));
        }
        _ => None,
    };
    found.ok_or(KeyRejected::because(
        "not a PEM public key or certificate of an RSA, P-256 or Ed25519 key",
    ))
}

/// The private key of the one PEM block in `text`: PKCS#8 (RFC 5958) in DER, for
/// [`crate::crypto::SigningKey::from_pkcs8`]. Refuses other forms, and says how to make this one of them.
pub fn private_key(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyRejected> {
    let (label, der) = block(text)?;
    match label {
        "PRIVATE KEY" => Ok(der),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => Err(KeyRejected::because(
            "this private key is encrypted or not PKCS#8: `openssl pkcs8 -topk8 -nodes -in KEY` writes it as needed",
        )),
        _ => Err(KeyRejected::because(
            "this is no private key: its PEM says something else",
        )),
    }
}

/// A private key in PKCS#8 as a PEM block, which [`private_key`] reads.
pub fn write_private_key(pkcs8: &[u8]) -> Secret {
    let text = Zeroizing::new(STANDARD.encode(pkcs8));
    // Room for all of it: a text that grows leaves copies behind.
    let mut pem = String::with_capacity(text.len() + text.len() / LINE + 64);
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_at_checked(LINE) {
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    Secret::new(pem)
}

/// When the one certificate in `text` stops being valid (RFC 5280 §4.1.2.5); `None` if there is no certificate.
pub fn expiry(text: &str) -> Option<Timestamp> {
    let (_, der) = block(text).ok().filter(|(label, _)| *label == "CERTIFICATE")?;
    let mut content = before_validity(&der)?;
    let mut validity = content.value(SEQUENCE)?;
    let _not_before = validity.time()?;
    validity.time()
}

/// The label and the bytes of the first block.
fn block(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyRejected> {
    let read = || {
        let (_, rest) = text.split_once("-----BEGIN ")?;
        let (label, rest) = rest.split_once("-----")?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        Some((label, Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?)))
    };
    if text.len() > MAX_BYTES {
        return Err(KeyRejected::because("the key's file is longer than 16 KiB"));
    }
    read().ok_or(KeyRejected::because("not PEM: no -----BEGIN … ----- block that ends"))
}

/// `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0]?, serial, signature, issuer, validity, subject, key, … } … }`.
fn certificate_key(der: &[u8]) -> Option<PublicKey> {
    let mut content = before_validity(der)?;
    for _validity_subject in 0..2 {
        content.value(SEQUENCE)?;
    }
    subject_public_key(content.value(SEQUENCE)?)
}

/// What of a certificate comes after its issuer.
fn before_validity(der: &[u8]) -> Option<Der<'_>> {
    let mut certificate = Der(der).only(SEQUENCE)?;
    let mut content = certificate.value(SEQUENCE)?;
    if content.0.first() == Some(&VERSION) {
        content.value(VERSION)?;
    }
    content.value(INTEGER)?;
    for _signature_issuer in 0..2 {
        content.value(SEQUENCE)?;
    }
    Some(content)
}

/// `SEQUENCE { algorithm SEQUENCE { oid, parameters? }, BIT STRING }`, without its own head.
fn subject_public_key(mut info: Der<'_>) -> Option<PublicKey> {
    let mut algorithm = info.value(SEQUENCE)?;
    let (oid, bits) = (algorithm.value(OBJECT_IDENTIFIER)?.0, info.value(BIT_STRING)?.0);
    // The first octet counts the bits left over at the end: none in a key.
    let key = bits.split_first().filter(|(unused, _)| **unused == 0)?.1;
    if !info.0.is_empty() {
        return None;
    }
    if oid == RSA {
        return rsa_public_key(Der(key).only(SEQUENCE)?);
    }
    if oid == EC && algorithm.value(OBJECT_IDENTIFIER)?.0 == P256 {
        let (x, y) = key.strip_prefix(&[4])?.split_at_checked(32)?;
        return Some(PublicKey::P256 {
            x: x.try_into().ok()?,
            y: y.try_into().ok()?,
        });
    }
    let x = key.try_into().ok().filter(|_| oid == ED25519)?;
    Some(PublicKey::Ed25519 { x })
}

/// `SEQUENCE { n INTEGER, e INTEGER }`, without its own head.
fn rsa_public_key(mut numbers: Der<'_>) -> Option<PublicKey> {
    let mut number = || {
        let bytes = numbers.value(INTEGER)?.0;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Some(bytes[zeros..].to_vec())
    };
    let (n, e) = (number()?, number()?);
    numbers.0.is_empty().then_some(PublicKey::Rsa { n, e })
}

/// DER values, one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value as a time: `YYMMDDhhmmssZ` from 1950 to 2049, else `YYYYMMDDhhmmssZ` (RFC 5280 §4.1.2.5).
    fn time(&mut self) -> Option<Timestamp> {
        let tag = *self.0.first()?;
        let text = std::str::from_utf8(self.value(tag)?.0).ok()?;
        let full = match tag {
            UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
            UTC_TIME => format!("19{text}"),
            GENERALIZED_TIME => text.to_owned(),
            _ => return None,
        };
        let part = |range| full.get(range);
        let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
        let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
        Timestamp::parse(&format!(
            "{year}-{month}-{day}T{hour}:{minute}:{second}{}",
            part(14..15)?
        ))
    }

    /// The content of the next value, which must have this tag.
    fn value(&mut self, tag: u8) -> Option<Der<'a>> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            ..=0x7f => (usize::from(first), rest),
            // Two octets of length are enough for what is looked at here.
            0x81 => (usize::from(*rest.first()?), &rest[1..]),
            0x82 => (
                usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?),
                &rest[2..],
            ),
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length).filter(|_| found == tag)?;
        self.0 = rest;
        Some(Der(content))
    }

    /// The content of the one value that there is.
    fn only(mut self, tag: u8) -> Option<Der<'a>> {
        let content = self.value(tag)?;
        self.0.is_empty().then_some(content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::crypto::{Algorithm, RsaBits, SigningKey};

    fn pem(label: &str, der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body
            .as_bytes()
            .chunks(64)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        format!(
            "A key:\r\n-----BEGIN {label}-----\r\n{}\r\n-----END {label}-----\r\n",
            lines.join("\r\n")
        )
    }

    #[test]
    fn the_public_half_of_every_kind_of_key_is_read() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
            for bits in [RsaBits::Bits2048, RsaBits::Bits4096] {
                let key = SigningKey::generate(algorithm, bits);
                let text = pem("PUBLIC KEY", &key.public_spki().unwrap());
                assert_eq!(public_key(&text), Ok(key.public().unwrap()), "{algorithm}");
            }
        }
    }

    #[test]
    fn a_private_key_is_refused_by_name() {
        let key = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048);
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            let refused = public_key(&pem(label, &key.pkcs8())).unwrap_err();
            assert!(refused.to_string().contains("private key"), "{refused}");
        }
    }

    #[test]
    fn a_private_key_is_read_as_pkcs8_alone() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
            let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
            let der = private_key(&pem("PRIVATE KEY", &key.pkcs8())).unwrap();
            assert_eq!(SigningKey::from_pkcs8(algorithm, &der).unwrap().public(), key.public());
            let refused = private_key(&pem("EC PRIVATE KEY", &key.pkcs8())).unwrap_err();
            assert!(refused.to_string().contains("openssl pkcs8"), "{refused}");
            assert!(private_key(&pem("PUBLIC KEY", &key.public_spki().unwrap())).is_err());
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let spki = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048)
            .public_spki()
            .unwrap();
        let mut longer = spki.clone();
        longer.push(0);
        for text in [
            String::new(),
            "ssh-rsa AAAA".into(),
            "-----BEGIN PUBLIC KEY-----\nMFkw\n".into(),
            pem("PUBLIC KEY", &spki[..spki.len() - 1]),
            pem("PUBLIC KEY", &longer),
            pem("CERTIFICATE", &spki),
            pem("DSA PARAMETERS", &spki),
            " ".repeat(MAX_BYTES + 1),
        ] {
            assert!(public_key(&text).is_err(), "{text:.80}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(der in any::<Vec<u8>>()) {
            for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"] {
                let _ = public_key(&pem(label, &der));
            }
        }

        #[test]
        fn a_key_with_one_byte_changed_is_read_or_refused(place in 0_usize..91, byte in any::<u8>()) {
            let mut spki = SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048).public_spki().unwrap();
            spki[place] = byte;
            let _ = public_key(&pem("PUBLIC KEY", &spki));
        }
    }
}
