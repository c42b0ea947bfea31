//! An issuer with a key of each kind, and an attacker beside it.

use std::sync::LazyLock;

use tokenhouse_guard::{Builder, Clock, Guard, KeySet, LocalKeys, Timestamp};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};

/// The moment at which all tests happen.
pub(crate) const NOW: i64 = 1_800_000_000;
/// The secret of the guard that takes HS256.
pub(crate) const SECRET: &[u8] = b"a secret of more than thirty-two bytes";

pub(crate) struct Issuer {
    pub(crate) rsa: SigningKey,
    pub(crate) pss: SigningKey,
    pub(crate) ec: SigningKey,
    pub(crate) ed: SigningKey,
    /// Published for encryption only.
    pub(crate) enc: SigningKey,
    /// A key that is in no set.
    pub(crate) attacker: SigningKey,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let key = |algorithm| SigningKey::generate(algorithm, RsaBits::Bits2048);
        Self {
            rsa: key(Algorithm::Rs256),
            pss: key(Algorithm::Ps256),
            ec: key(Algorithm::Es256),
            ed: key(Algorithm::EdDsa),
            enc: key(Algorithm::Rs256),
            attacker: key(Algorithm::Rs256),
        }
    }

    /// A guard that holds the published keys; `rsa-next` is a second RS256 key, as before a rotation.
    pub(crate) fn guard(&self) -> Builder {
        static NEXT: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::Rs256, RsaBits::Bits2048));
        let jwk = |key: &SigningKey, kid: &str| Jwk::from_signing_key(key, &KeyId::new(kid)).unwrap();
        let mut enc = jwk(&self.enc, "enc");
        enc.usage = Some("enc".into());
        let keys = vec![
            jwk(&self.rsa, "rsa"),
            jwk(&NEXT, "rsa-next"),
            jwk(&self.pss, "pss"),
            jwk(&self.ec, "ec"),
            jwk(&self.ed, "ed"),
            enc,
        ];
        let keys = KeySet::from_jwks(&JwkSet { keys });
        Guard::builder()
            .issuer("https://issuer.example.com/")
            .audience("https://api.example.com")
            .clock(Clock::set_to(Timestamp::from_seconds(NOW)))
            .keys(LocalKeys::fixed(keys))
    }

    pub(crate) fn rs256(&self, claims: &str) -> String {
        self.rs256_with(r#"{"alg":"RS256","typ":"JWT","kid":"rsa"}"#, claims)
    }

    /// Signed by the issuer's RS256 key, whatever the header says.
    pub(crate) fn rs256_with(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        signed(&self.rsa, header, claims)
    }

    pub(crate) fn ps256(&self, claims: &str) -> String {
        signed(&self.pss, r#"{"alg":"PS256","typ":"JWT","kid":"pss"}"#, claims)
    }

    pub(crate) fn es256(&self, claims: &str) -> String {
        signed(&self.ec, r#"{"alg":"ES256","typ":"JWT","kid":"ec"}"#, claims)
    }

    pub(crate) fn eddsa(&self, claims: &str) -> String {
        signed(&self.ed, r#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#, claims)
    }

    pub(crate) fn hs256(&self, secret: &[u8]) -> String {
        signed(
            &SigningKey::hs256(secret).unwrap(),
            r#"{"alg":"HS256","typ":"JWT","kid":"rsa"}"#,
            claims(),
        )
    }
}

/// A token of these parts, signed.
pub(crate) fn signed(key: &SigningKey, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = base64url::encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// Claims that pass.
pub(crate) fn claims() -> String {
    with("gty", r#""client-credentials""#)
}

/// The claims that pass, with one of them set to this JSON; an empty text leaves it out.
pub(crate) fn with(name: &str, json: &str) -> String {
    let mut members = vec![
        ("iss", r#""https://issuer.example.com/""#),
        ("sub", r#""reader@clients""#),
        ("aud", r#""https://api.example.com""#),
        ("iat", "1800000000"),
        ("exp", "1800086400"),
        ("scope", r#""read:messages""#),
        ("azp", r#""reader""#),
    ];
    members.retain(|(member, _)| *member != name);
    if !json.is_empty() {
        members.push((name, json));
    }
    let members: Vec<_> = members
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}
