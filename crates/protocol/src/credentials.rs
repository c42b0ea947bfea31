//! Client authentication at the token endpoint: the Basic header and the body's parameters
//! (RFC 6749 §2.3.1; RFC 7521 §4.2 for assertions), read but not judged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bearer::credentials_of;
use crate::id::ClientId;
use crate::jose::claims::Claims;
use crate::jose::jws::Parts;
use crate::parameters::{ParameterError, Parameters, form_decoded};
use crate::secret::Secret;

/// Longest client id that is looked up, in bytes; ours have 32.
const MAX_CLIENT_ID_BYTES: usize = 255;

/// Who a request says it comes from, and what it shows for it.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// The application that is named.
    pub client_id: ClientId,
    /// What proves it.
    pub proof: Proof,
    /// Whether the Basic header was used: a refusal then carries a `WWW-Authenticate` (RFC 6749 §5.2).
    pub by_header: bool,
}

/// What a client shows to prove that it is itself.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing but its id: a public client.
    None,
    /// A client secret.
    Secret(Secret),
    /// A signed assertion (RFC 7523 §2.2), of which nothing is believed yet.
    Assertion(Secret),
}

/// Why no credentials could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CredentialsError {
    /// No client is named anywhere.
    Missing,
    /// The Basic header is not base64 of `id:secret`.
    MalformedBasic,
    /// Two ways of authenticating at once, or two client ids (RFC 6749 §2.3).
    Several,
    /// A client assertion that names no client or is of another kind; the text says what to send.
    Assertion(&'static str),
    /// A parameter has a shape it cannot have.
    Parameter(ParameterError),
}

/// The `client_assertion_type` of a signed JWT (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest client assertion, in bytes (CONTRACT §1.3).
pub const MAX_ASSERTION_BYTES: usize = 2048;

/// Reads the client's credentials from the `Authorization` headers and the body.
///
/// Schemes other than Basic are no client authentication and are passed over (CONTRACT §1.1).
pub fn read<'a>(
    headers: impl Iterator<Item = &'a [u8]>,
    body: &Parameters,
) -> Result<ClientCredentials, CredentialsError> {
    let mut basic = headers.filter_map(|header| credentials_of(header, "Basic"));
    let header = basic.next();
    if basic.next().is_some() {
        return Err(CredentialsError::Several);
    }
    let client_id = body.text("client_id").map_err(CredentialsError::Parameter)?;
    let secret = body.text("client_secret").map_err(CredentialsError::Parameter)?;
    let assertion = body.text("client_assertion").map_err(CredentialsError::Parameter)?;
    if usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(CredentialsError::Several);
    }
    if let Some(encoded) = header {
        let (id, secret) = basic_pair(encoded).ok_or(CredentialsError::MalformedBasic)?;
        if client_id.is_some_and(|named| named != id) {
            return Err(CredentialsError::Several);
        }
        let proof = if secret.is_empty() {
            Proof::None
        } else {
            Proof::Secret(Secret::new(secret))
        };
        return Ok(ClientCredentials {
            client_id: checked(id)?,
            proof,
            by_header: true,
        });
    }
    if let Some(assertion) = assertion {
        let named = client_of_assertion(body, assertion)?;
        return Ok(ClientCredentials {
            client_id: checked(client_id.map_or(named, str::to_owned))?,
            proof: Proof::Assertion(Secret::new(assertion)),
            by_header: false,
        });
    }
    let client_id = checked(client_id.ok_or(CredentialsError::Missing)?.to_owned())?;
    let proof = secret.map_or(Proof::None, |secret| Proof::Secret(Secret::new(secret)));
    Ok(ClientCredentials {
        client_id,
        proof,
        by_header: false,
    })
}

/// The client that an assertion says it is of: its `sub`. Whether that is so, the signature will tell.
fn client_of_assertion(body: &Parameters, assertion: &str) -> Result<String, CredentialsError> {
    let kind = body
        .text("client_assertion_type")
        .map_err(CredentialsError::Parameter)?;
    if kind != Some(JWT_BEARER) {
        return Err(CredentialsError::Assertion(
            "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
        ));
    }
    if assertion.len() > MAX_ASSERTION_BYTES {
        return Err(CredentialsError::Assertion(
            "client_assertion is longer than 2048 bytes.",
        ));
    }
    let subject = || {
        let claims = Claims::parse(&Parts::split(assertion).ok()?.claims).ok()?;
        claims.text("sub").ok()?.map(str::to_owned)
    };
    subject().ok_or(CredentialsError::Assertion(
        "client_assertion must be a signed JWT whose iss and sub are the client_id.",
    ))
}

/// Decodes the Basic scheme's `id:secret`, each part form-encoded (RFC 6749 §2.3.1).
fn basic_pair(encoded: &[u8]) -> Option<(String, String)> {
    let decoded = STANDARD.decode(encoded.trim_ascii_end()).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    Some((form_decoded(&decoded[..colon])?, form_decoded(&decoded[colon + 1..])?))
}

fn checked(id: String) -> Result<ClientId, CredentialsError> {
    if id.is_empty() {
        Err(CredentialsError::Missing)
    } else if id.len() > MAX_CLIENT_ID_BYTES || id.contains('\0') {
        Err(CredentialsError::Parameter(ParameterError::Unusable("client_id")))
    } else {
        Ok(ClientId::new(id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn form(body: &str) -> Parameters {
        Parameters::from_form(body.as_bytes()).unwrap()
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = basic("my%20id:a%2Bb+c");
        let read = read([header.as_bytes()].into_iter(), &form("")).unwrap();
        assert_eq!(read.client_id.as_str(), "my id");
        assert!(matches!(read.proof, Proof::Secret(secret) if secret.expose() == "a+b c"));
        assert!(read.by_header);
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let header = basic("id:secret");
        let both = read(
            [header.as_bytes()].into_iter(),
            &form("client_id=id&client_secret=secret"),
        );
        assert_eq!(both.err(), Some(CredentialsError::Several));
        let other = read([header.as_bytes()].into_iter(), &form("client_id=other"));
        assert_eq!(other.err(), Some(CredentialsError::Several));
        let two = read(
            std::iter::empty(),
            &form("client_id=id&client_secret=s&client_assertion=a"),
        );
        assert_eq!(two.err(), Some(CredentialsError::Several));
    }

    #[test]
    fn a_stray_bearer_header_is_passed_over() {
        let read = read(
            [b"Bearer x".as_slice()].into_iter(),
            &form("client_id=id&client_secret=s"),
        )
        .unwrap();
        assert!(!read.by_header);
    }

    #[test]
    fn an_assertion_names_its_client_unless_the_body_does() {
        let encode = |text: &str| crate::jose::base64url::encode(text);
        let jwt = |claims: &str| format!("{}.{}.AA", encode(r#"{"alg":"RS256"}"#), encode(claims));
        let body = |kind: &str, jwt: &str| form(&format!("client_assertion_type={kind}&client_assertion={jwt}"));
        let good = jwt(r#"{"sub":"me"}"#);
        let named = read(std::iter::empty(), &body(JWT_BEARER, &good)).unwrap();
        assert_eq!(named.client_id.as_str(), "me");
        assert!(matches!(named.proof, Proof::Assertion(_)));
        let both = form(&format!(
            "client_id=you&client_assertion_type={JWT_BEARER}&client_assertion={good}"
        ));
        assert_eq!(read(std::iter::empty(), &both).unwrap().client_id.as_str(), "you");
        let long = format!("{good}{}", "A".repeat(MAX_ASSERTION_BYTES));
        for (kind, jwt) in [
            ("", good.as_str()),
            ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", &good),
            (JWT_BEARER, &long),
            (JWT_BEARER, "a.b.c"),
            (JWT_BEARER, &jwt(r#"{"iss":"me"}"#)),
            (JWT_BEARER, &jwt(r#"{"sub":7}"#)),
        ] {
            let refused = read(std::iter::empty(), &body(kind, jwt));
            assert!(
                matches!(refused, Err(CredentialsError::Assertion(_))),
                "{kind} {jwt:.80}"
            );
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(header in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read([header.as_slice()].into_iter(), &form(""));
        }

        #[test]
        fn what_was_encoded_is_read(id in "[a-zA-Z0-9]{1,40}", secret in "[ -~]{1,64}") {
            let encoded: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
            let header = basic(&format!("{id}:{encoded}"));
            let read = read([header.as_bytes()].into_iter(), &form("")).unwrap();
            prop_assert_eq!(read.client_id.as_str(), id);
            let same = matches!(read.proof, Proof::Secret(read) if read.expose() == secret);
            prop_assert!(same);
        }
    }
}
