//! Public keys as JSON (RFC 7517; RFC 7518 §6, RFC 8037 §2) and their thumbprints (RFC 7638). A secret never becomes a
//! [`Jwk`], and private members of one that is read are not looked at.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{base64url, json};
use crate::crypto::{self, Algorithm, KeyRejected, PublicKey, SigningKey, VerifyingKey};
use crate::id::KeyId;

/// One public key. The members are in the order in which Auth0 writes them; others are ignored.
#[expect(
    missing_docs,
    reason = "each field is its member's name, RFC 7517 §4 and RFC 7518 §6"
)]
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Jwk {
    pub kty: String,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
}

impl Jwk {
    /// The public half of `key`, for signatures; `None` for an HS256 key, which has none.
    pub fn from_signing_key(key: &SigningKey, kid: &KeyId) -> Option<Self> {
        Some(Self::new(&key.public()?, key.algorithm(), kid.as_str()))
    }

    /// A public key that verifies signatures of one algorithm, which must be its kind's.
    pub fn new(key: &PublicKey, algorithm: Algorithm, kid: &str) -> Self {
        let mut jwk = Self {
            kty: String::new(),
            usage: Some("sig".into()),
            key_ops: None,
            n: None,
            e: None,
            crv: None,
            x: None,
            y: None,
            kid: Some(kid.into()),
            x5t: None,
            x5c: None,
            alg: Some(algorithm.as_str().into()),
        };
        match key {
            PublicKey::Rsa { n, e } => {
                jwk.kty = "RSA".into();
                jwk.n = Some(base64url::encode(n));
                jwk.e = Some(base64url::encode(e));
            }
            PublicKey::P256 { x, y } => jwk.set_point("P-256", x, y),
            PublicKey::P384 { x, y } => jwk.set_point("P-384", x, y),
            PublicKey::P521 { x, y } => jwk.set_point("P-521", x, y),
            PublicKey::Ed25519 { x } => {
                jwk.kty = "OKP".into();
                jwk.crv = Some("Ed25519".into());
                jwk.x = Some(base64url::encode(x));
            }
        }
        jwk
    }

    fn set_point(&mut self, curve: &str, x: &[u8], y: &[u8]) {
        self.kty = "EC".into();
        self.crv = Some(curve.into());
        self.x = Some(base64url::encode(x));
        self.y = Some(base64url::encode(y));
    }

    /// Adds the key's certificate, DER, as `x5c` and its SHA-1 as `x5t`.
    #[must_use]
    pub fn with_certificate(mut self, der: &[u8]) -> Self {
        self.x5t = Some(base64url::encode(crypto::sha1(der)));
        self.x5c = Some(vec![STANDARD.encode(der)]);
        self
    }

    /// The key in numbers. Certificates are not looked at: they prove nothing here.
    pub fn public_key(&self) -> Result<PublicKey, KeyRejected> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Ok(PublicKey::Rsa {
                n: member(self.n.as_deref())?,
                e: member(self.e.as_deref())?,
            }),
            ("EC", Some("P-256")) => Ok(PublicKey::P256 {
                x: coordinate(self.x.as_deref())?,
                y: coordinate(self.y.as_deref())?,
            }),
            ("EC", Some("P-384")) => Ok(PublicKey::P384 {
                x: coordinate(self.x.as_deref())?,
                y: coordinate(self.y.as_deref())?,
            }),
            ("EC", Some("P-521")) => Ok(PublicKey::P521 {
                x: coordinate(self.x.as_deref())?,
                y: coordinate(self.y.as_deref())?,
            }),
            ("OKP", Some("Ed25519")) => Ok(PublicKey::Ed25519 {
                x: coordinate(self.x.as_deref())?,
            }),
            _ => Err(KeyRejected::because(
                "the key is neither RSA nor on a curve that is known",
            )),
        }
    }

    /// The keys to verify signatures with: one, or for an RSA key without `alg` (RFC 7517 §4.4) one for each
    /// algorithm of RSA. Who uses them says which algorithms are taken.
    ///
    /// Refused: keys for something else (`use`, `key_ops`), of an algorithm we do not have or that is not their kind's.
    pub fn verifying_keys(&self) -> Result<Vec<VerifyingKey>, KeyRejected> {
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let may_verify = self
            .key_ops
            .as_ref()
            .is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        if !for_signatures || !may_verify {
            return Err(KeyRejected::because("the key is not for verifying signatures"));
        }
        let key = self.public_key()?;
        let algorithms = match (&self.alg, &key) {
            (Some(alg), _) => vec![Algorithm::named(alg)?],
            (None, PublicKey::Rsa { .. }) => RSA.to_vec(),
            (None, PublicKey::P256 { .. }) => vec![Algorithm::Es256],
            (None, PublicKey::P384 { .. }) => vec![Algorithm::Es384],
            (None, PublicKey::P521 { .. }) => vec![Algorithm::Es512],
            (None, PublicKey::Ed25519 { .. }) => vec![Algorithm::EdDsa],
        };
        algorithms
            .into_iter()
            .map(|algorithm| VerifyingKey::new(algorithm, &key))
            .collect()
    }
}

/// The algorithms of RSA keys (RFC 7518 §3.1).
const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// The SHA-256 thumbprint of a key (RFC 7638 §3), base64url: the same however its JWK was written.
pub fn thumbprint(key: &PublicKey) -> String {
    let members = match key {
        PublicKey::Rsa { n, e } => {
            format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                base64url::encode(e),
                base64url::encode(n)
            )
        }
        PublicKey::P256 { x, y } => point_members("P-256", x, y),
        PublicKey::P384 { x, y } => point_members("P-384", x, y),
        PublicKey::P521 { x, y } => point_members("P-521", x, y),
        PublicKey::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url::encode(x)),
    };
    base64url::encode(crypto::sha256(members.as_bytes()))
}

fn point_members(curve: &str, x: &[u8], y: &[u8]) -> String {
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#)
}

/// Several public keys (RFC 7517 §5).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct JwkSet {
    /// The keys, in the order of the document.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The document, as an issuer publishes it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and lists can always be written")
    }

    /// Reads an issuer's document. Keys that are no JWK of ours are left out (RFC 7517 §5); more than `max_keys` of
    /// any kind refuse the document, since no honest issuer has so many.
    pub fn parse(document: &[u8], max_keys: usize) -> Result<Self, JwkSetError> {
        let mut members = json::parse_object(document).map_err(|error| JwkSetError::NotJson(error.to_string()))?;
        let Some(Value::Array(keys)) = members.remove("keys") else {
            return Err(JwkSetError::NoKeys);
        };
        if keys.len() > max_keys {
            return Err(JwkSetError::TooMany {
                keys: keys.len(),
                max_keys,
            });
        }
        Ok(Self {
            keys: keys
                .into_iter()
                .filter_map(|key| serde_json::from_value(key).ok())
                .collect(),
        })
    }
}

/// Why a document is no key set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JwkSetError {
    /// It is not a JSON object, for this reason.
    NotJson(String),
    /// It has no array `keys`.
    NoKeys,
    /// It has more keys than the reader takes.
    TooMany {
        /// How many it has.
        keys: usize,
        /// How many would be taken.
        max_keys: usize,
    },
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(reason) => write!(f, "the key set is not a JSON object: {reason}"),
            Self::NoKeys => f.write_str("the key set has no array \"keys\""),
            Self::TooMany { keys, max_keys } => write!(f, "the key set has {keys} keys, more than {max_keys}"),
        }
    }
}

impl std::error::Error for JwkSetError {}

fn member(text: Option<&str>) -> Result<Vec<u8>, KeyRejected> {
    text.and_then(base64url::decode)
        .ok_or(KeyRejected::because("a member of the key is missing or not base64url"))
}

fn coordinate<const LENGTH: usize>(text: Option<&str>) -> Result<[u8; LENGTH], KeyRejected> {
    member(text)?
        .try_into()
        .map_err(|_| KeyRejected::because("a coordinate of the key has not the length of its curve's"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::crypto::RsaBits;

    fn jwk(algorithm: Algorithm) -> Option<Jwk> {
        Jwk::from_signing_key(&SigningKey::generate(algorithm, RsaBits::Bits2048), &KeyId::new("k1"))
    }

    #[test]
    fn a_published_key_verifies_what_its_private_half_signs() {
        for algorithm in Algorithm::VERIFIED.into_iter().filter(|one| !one.is_symmetric()) {
            let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
            let set = JwkSet {
                keys: vec![Jwk::from_signing_key(&key, &KeyId::new("k1")).unwrap()],
            };
            let read = JwkSet::parse(set.to_json().as_bytes(), 1).unwrap();
            assert_eq!(read, set);
            let verifying = read.keys[0].verifying_keys().unwrap();
            assert_eq!(verifying.len(), 1);
            assert!(verifying[0].verify(b"message", &key.sign(b"message")));
        }
        assert_eq!(jwk(Algorithm::Hs256), None);
    }

    #[test]
    fn members_come_in_auth0s_order() {
        let json = JwkSet {
            keys: vec![jwk(Algorithm::Rs256).unwrap().with_certificate(b"der")],
        }
        .to_json();
        let places = ["kty", "use", "n", "e", "kid", "x5t", "x5c", "alg"].map(|name| json.find(&format!("\"{name}\"")));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{json}");
    }

    #[test]
    fn the_thumbprint_is_rfc_7638s() {
        let jwk: Jwk = serde_json::from_str(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
        )
        .unwrap();
        assert_eq!(
            thumbprint(&jwk.public_key().unwrap()),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn keys_for_something_else_are_refused() {
        let good = jwk(Algorithm::Rs256).unwrap();
        assert_eq!(
            Jwk {
                alg: None,
                ..good.clone()
            }
            .verifying_keys()
            .unwrap()
            .len(),
            6
        );
        for bad in [
            Jwk {
                usage: Some("enc".into()),
                ..good.clone()
            },
            Jwk {
                key_ops: Some(vec!["sign".into()]),
                ..good.clone()
            },
            Jwk {
                alg: Some("ES512".into()),
                ..good.clone()
            },
            Jwk {
                alg: Some("ES256".into()),
                ..good.clone()
            },
            Jwk {
                alg: Some("HS256".into()),
                ..good.clone()
            },
            Jwk {
                kty: "oct".into(),
                ..good.clone()
            },
            Jwk {
                n: Some("AQAB".into()),
                ..good.clone()
            },
            Jwk {
                e: Some("AQ==".into()),
                ..good
            },
        ] {
            assert!(bad.verifying_keys().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_set_keeps_what_it_can_read() {
        let set = JwkSet::parse(
            br#"{"keys":[{"kty":"RSA"},{"kty":1},7,{"kty":"X","kid":"a"}],"more":1}"#,
            9,
        )
        .unwrap();
        assert_eq!(set.keys.len(), 2);
        assert_eq!(
            JwkSet::parse(br#"{"keys":[1,2]}"#, 1),
            Err(JwkSetError::TooMany { keys: 2, max_keys: 1 })
        );
        assert_eq!(JwkSet::parse(b"{}", 1), Err(JwkSetError::NoKeys));
        assert!(matches!(JwkSet::parse(b"<html>", 1), Err(JwkSetError::NotJson(_))));
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_refused(bytes in any::<Vec<u8>>()) {
            let _ = JwkSet::parse(&bytes, 10);
        }
    }
}
