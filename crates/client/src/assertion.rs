//! A private key in place of a secret: the assertion that a client signs of itself (`private_key_jwt`, RFC 7523 §2.2
//! and §3; CONTRACT §1.3). Each is addressed to the issuer, good for two minutes, and used once.

use std::fmt;
use std::sync::Arc;

use serde_json::json;
use tokenhouse_protocol::crypto::{Algorithm, Random, SigningKey};
use tokenhouse_protocol::id::{self, KeyId};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::jose::pem;
use tokenhouse_protocol::time::Timestamp;

use crate::BuildError;

/// How long an assertion is good for: as much as a clock may be slow.
const LIFETIME_SECONDS: i64 = 120;

/// A private key whose public half the issuer knows. `Debug` shows the algorithm and no more.
#[derive(Clone)]
pub struct PrivateKey {
    key: Arc<SigningKey>,
    key_id: Option<KeyId>,
}

/// A client's key, ready to sign.
pub(crate) struct Assertion {
    signer: Signer,
    client_id: String,
    audience: String,
    random: Random,
}

impl PrivateKey {
    /// Reads a private key from PEM (`-----BEGIN PRIVATE KEY-----`, PKCS#8). RSA keys of 2048 bits or more sign with
    /// RS256, P-256, P-384 and P-521 keys with ES256, ES384 and ES512, Ed25519 keys with EdDSA.
    pub fn from_pem(text: &str) -> Result<Self, BuildError> {
        let der = pem::private_key(text).map_err(|error| BuildError::Key(error.to_string()))?;
        let mut refused = String::new();
        for algorithm in [
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Es512,
            Algorithm::EdDsa,
            Algorithm::Rs256,
        ] {
            match SigningKey::from_pkcs8(algorithm, &der) {
                Ok(key) => return Ok(Self::of(key)),
                // The last one's reason is the one that says more than "of another kind".
                Err(error) => refused = error.to_string(),
            }
        }
        Err(BuildError::Key(format!(
            "no RSA, P-256, P-384, P-521 or Ed25519 private key: {refused}"
        )))
    }

    /// The key's id at the issuer (`kid`), which issuers that know several keys of this application want.
    #[must_use]
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(KeyId::new(key_id));
        self
    }

    /// Signs with this algorithm, if the key can: RSA keys can RS256, RS384, RS512, PS256, PS384 and PS512.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, BuildError> {
        if algorithm.is_symmetric() {
            return Err(BuildError::Key("HS256 signs with a secret, not with a key".into()));
        }
        let key = SigningKey::from_pkcs8(algorithm, &self.key.pkcs8());
        let key = key.map_err(|error| BuildError::Key(format!("it cannot sign with {algorithm}: {error}")))?;
        Ok(Self {
            key: Arc::new(key),
            ..self
        })
    }

    pub(crate) fn for_client(&self, client_id: &str, audience: String) -> Assertion {
        Assertion {
            signer: Signer::new(Arc::clone(&self.key), self.key_id.as_ref(), "JWT"),
            client_id: client_id.to_owned(),
            audience,
            random: Random::system(),
        }
    }

    fn of(key: SigningKey) -> Self {
        Self {
            key: Arc::new(key),
            key_id: None,
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.key.algorithm())
    }
}

impl Assertion {
    /// A new one, for one request.
    pub(crate) fn at(&self, now: Timestamp) -> String {
        let claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now.seconds(),
            "exp": now.seconds() + LIFETIME_SECONDS,
            "jti": id::row_id(&self.random),
        });
        let claims = claims.to_string().into_bytes();
        self.signer.sign(&claims)
    }
}
