//! Signed tokens in compact form (RFC 7515 §7.1): writing them, and taking them apart without believing them.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{base64url, json};
use crate::crypto::SigningKey;
use crate::id::KeyId;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = crate::bearer::MAX_TOKEN_BYTES;
/// The longest header that is looked at, in bytes of base64url.
pub const MAX_HEADER_BYTES: usize = 2 * 1024;

/// Signs claims with one key under one header, both made ready once. Cloning shares the key.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The encoded header and the dot that follows it.
    prefix: String,
    key: Arc<SigningKey>,
}

impl Signer {
    /// The header is `{"alg", "typ", "kid"}` in this order; an HS256 key has no `kid`, since nobody may look it up.
    pub fn new(key: Arc<SigningKey>, kid: Option<&KeyId>, typ: &str) -> Self {
        let mut header = format!(r#"{{"alg":"{}","typ":{}"#, key.algorithm(), Value::from(typ));
        if let Some(kid) = kid {
            header.push_str(&format!(r#","kid":{}"#, Value::from(kid.as_str())));
        }
        header.push('}');
        Self {
            prefix: base64url::encode(header) + ".",
            key,
        }
    }

    /// The token that holds `claims`, the bytes of a JSON object.
    pub fn sign(&self, claims: &[u8]) -> String {
        let mut token = self.prefix.clone();
        token.push_str(&base64url::encode(claims));
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        token.push_str(&base64url::encode(signature));
        token
    }
}

/// A token taken apart. Nothing in it is true until the signature was verified over [`Parts::signing_input`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts<'a> {
    /// What the sender says of the signature.
    pub header: Arc<Header>,
    /// The payload's bytes.
    pub claims: Vec<u8>,
    /// What is signed: the text before the second dot.
    pub signing_input: &'a str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

/// The members of a header that we use. Keys that a token brings along (`jwk`, `jku`, `x5u`, `x5c`) are never read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The algorithm's name as sent: perhaps one we do not have, perhaps `none`.
    pub alg: String,
    /// The type as sent.
    pub typ: Option<String>,
    /// The key's id as sent: to be compared, never to be used as a path or in a query.
    pub kid: Option<String>,
}

impl Header {
    /// Whether `typ` is the media type `application/<kind>`, which may be shortened (RFC 7515 §4.1.9), in any case.
    pub fn is_type(&self, kind: &str) -> bool {
        let Some(typ) = &self.typ else { return false };
        if typ == kind {
            return true;
        }
        let full = "application/";
        let short = match typ.get(..full.len()) {
            Some(start) if start.eq_ignore_ascii_case(full) => &typ[full.len()..],
            _ => typ,
        };
        short.eq_ignore_ascii_case(kind)
    }
}

impl<'a> Parts<'a> {
    /// Takes a token apart. Refused: what is not three parts of canonical base64url, a header that is not a JSON object
    /// with a text `alg`, and every extension we would have to understand (`crit`, `b64`, `zip`).
    pub fn split(token: &'a str) -> Result<Self, JwsError> {
        Self::split_knowing(token, |_| None)
    }

    /// The same, where headers may be known: `known` is given a header as it is encoded, and answers what [`Parts::split`]
    /// made of the same text before. The tokens of one key mostly have one header.
    pub fn split_knowing(token: &'a str, known: impl FnOnce(&str) -> Option<Arc<Header>>) -> Result<Self, JwsError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwsError::TooLong);
        }
        let mut dots = memchr::memchr_iter(b'.', token.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(JwsError::NotThreeParts);
        };
        let (header, claims, signature) = (&token[..first], &token[first + 1..second], &token[second + 1..]);
        if header.len() > MAX_HEADER_BYTES {
            return Err(JwsError::TooLong);
        }
        let read = || -> Result<_, JwsError> {
            let bytes = base64url::decode(header).ok_or(JwsError::NotBase64Url("header"))?;
            read_header(&bytes).map(Arc::new)
        };
        Ok(Self {
            header: known(header).map_or_else(read, Ok)?,
            claims: base64url::decode(claims).ok_or(JwsError::NotBase64Url("payload"))?,
            signing_input: &token[..second],
            signature: base64url::decode(signature).ok_or(JwsError::NotBase64Url("signature"))?,
        })
    }

    /// The header as it is encoded.
    pub fn encoded_header(&self) -> &'a str {
        let (header, _) = self.signing_input.split_once('.').unwrap_or_default();
        header
    }
}

fn read_header(bytes: &[u8]) -> Result<Header, JwsError> {
    let mut members = json::parse_object(bytes).map_err(|error| JwsError::HeaderNotJson(error.to_string()))?;
    for extension in ["crit", "b64", "zip"] {
        if members.contains_key(extension) {
            return Err(JwsError::Extension(extension));
        }
    }
    let mut text = |name| match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::NotText(name)),
    };
    Ok(Header {
        alg: text("alg")?.ok_or(JwsError::NotText("alg"))?,
        typ: text("typ")?,
        kid: text("kid")?,
    })
}

/// Why a text is no token of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JwsError {
    /// Longer than [`MAX_TOKEN_BYTES`], or its header than [`MAX_HEADER_BYTES`].
    TooLong,
    /// Not three parts: an opaque token, an encrypted one, or none.
    NotThreeParts,
    /// This part is not base64url without padding, or not the one text for its bytes.
    NotBase64Url(&'static str),
    /// The header is not a JSON object, for this reason.
    HeaderNotJson(String),
    /// The header uses this extension.
    Extension(&'static str),
    /// This member of the header is missing, or not a text.
    NotText(&'static str),
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the token or its header is too long"),
            Self::NotThreeParts => write!(f, "not a signed JWT: it has not three parts"),
            Self::NotBase64Url(part) => write!(f, "the token's {part} is not base64url"),
            Self::HeaderNotJson(reason) => write!(f, "the token's header is not a JSON object: {reason}"),
            Self::Extension(name) => write!(f, "the token's header has \"{name}\", which is not supported"),
            Self::NotText(name) => write!(f, "\"{name}\" in the token's header is missing or not a text"),
        }
    }
}

impl std::error::Error for JwsError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;
    use crate::crypto::{Algorithm, RsaBits};

    fn token(header: &str) -> String {
        format!("{}.e30.AA", base64url::encode(header))
    }

    #[test]
    fn what_is_signed_comes_apart_and_verifies() {
        let key = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
        let token = Signer::new(Arc::clone(&key), Some(&KeyId::new("k\"1")), "JWT").sign(br#"{"sub":"a"}"#);
        let parts = Parts::split(&token).unwrap();
        assert_eq!(
            *parts.header,
            Header {
                alg: "ES256".into(),
                typ: Some("JWT".into()),
                kid: Some("k\"1".into())
            }
        );
        assert_eq!(parts.claims, br#"{"sub":"a"}"#);
        assert!(
            key.verifying_key()
                .verify(parts.signing_input.as_bytes(), &parts.signature)
        );
    }

    #[test]
    fn the_header_is_written_in_auth0s_order() {
        let key = Arc::new(SigningKey::hs256(&[1; 32]).unwrap());
        let with_kid = Signer::new(Arc::clone(&key), Some(&KeyId::new("k1")), "at+jwt").sign(b"{}");
        let without = Signer::new(key, None, "JWT").sign(b"{}");
        let header = |token: &str| base64url::decode(token.split('.').next().unwrap()).unwrap();
        assert_eq!(header(&with_kid), br#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#);
        assert_eq!(header(&without), br#"{"alg":"HS256","typ":"JWT"}"#);
    }

    #[test]
    fn what_is_not_a_plain_signed_token_is_refused() {
        let long = "a".repeat(MAX_HEADER_BYTES + 1);
        for (text, error) in [
            (String::new(), JwsError::NotThreeParts),
            ("a.b.c.d.e".into(), JwsError::NotThreeParts),
            ("e30=.e30.AA".into(), JwsError::NotBase64Url("header")),
            (
                format!("{}.e31.AA", base64url::encode(r#"{"alg":"RS256"}"#)),
                JwsError::NotBase64Url("payload"),
            ),
            (
                format!("{}.e30.A", base64url::encode(r#"{"alg":"RS256"}"#)),
                JwsError::NotBase64Url("signature"),
            ),
            (format!("{long}.e30.AA"), JwsError::TooLong),
            ("a".repeat(MAX_TOKEN_BYTES + 1), JwsError::TooLong),
            (token("{}"), JwsError::NotText("alg")),
            (token(r#"{"alg":["RS256"]}"#), JwsError::NotText("alg")),
            (token(r#"{"alg":"RS256","kid":1}"#), JwsError::NotText("kid")),
            (token(r#"{"alg":"RS256","typ":null}"#), JwsError::NotText("typ")),
            (token(r#"{"alg":"RS256","crit":["exp"]}"#), JwsError::Extension("crit")),
            (token(r#"{"alg":"RS256","b64":true}"#), JwsError::Extension("b64")),
            (token(r#"{"alg":"RS256","zip":"DEF"}"#), JwsError::Extension("zip")),
        ] {
            assert_eq!(Parts::split(&text), Err(error), "{text:.60}");
        }
        for header in ["[]", r#"{"alg":"RS256","alg":"none"}"#, r#"{"alg":"RS256"} {}"#] {
            assert!(
                matches!(Parts::split(&token(header)), Err(JwsError::HeaderNotJson(_))),
                "{header}"
            );
        }
    }

    #[test]
    fn a_header_that_is_known_is_not_read_again() {
        let token = token(r#"{"alg":"RS256"}"#);
        let first = Parts::split(&token).unwrap();
        let again = Parts::split_knowing(&token, |encoded| {
            (encoded == first.encoded_header()).then(|| Arc::clone(&first.header))
        });
        assert!(Arc::ptr_eq(&first.header, &again.unwrap().header));
    }

    #[test]
    fn a_type_may_be_written_in_full_and_in_any_case() {
        let typed = |typ: &str| {
            Header {
                alg: "RS256".into(),
                typ: Some(typ.into()),
                kid: None,
            }
            .is_type("at+jwt")
        };
        assert!(typed("at+jwt") && typed("AT+JWT") && typed("application/at+jwt") && typed("Application/at+JWT"));
        assert!(!typed("jwt") && !typed("at+jwt ") && !typed("text/at+jwt") && !typed("äöüäöüäöüäöü"));
    }

    proptest! {
        #[test]
        fn any_text_comes_apart_or_is_refused_and_then_prints_back(text in r"[A-Za-z0-9_=\-]{0,20}(\.[A-Za-z0-9_=\-é]{0,20}){0,3}") {
            for token in [text.clone(), format!("{}.{text}", base64url::encode(r#"{"alg":"RS256"}"#))] {
                if let Ok(parts) = Parts::split(&token) {
                    let payload = base64url::encode(&parts.claims);
                    prop_assert_eq!(format!("{}.{}", parts.signing_input, base64url::encode(&parts.signature)), token.clone());
                    prop_assert_eq!(parts.signing_input.split_once('.').unwrap().1, payload);
                }
            }
        }
    }
}
