//! A client assertion signed here, with a private key that is pasted for one request and forgotten with it: not kept, not
//! logged, not shown again (RFC 7523 §2.2, §3; CONTRACT §1.3).

use std::sync::Arc;

use serde_json::json;

use tokenhouse_protocol::crypto::{Algorithm, SigningKey};
use tokenhouse_protocol::id::{self, KeyId};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::jose::pem;

use crate::console::visit::Visit;
use crate::console::words;
use crate::registry::client_keys::ALGORITHMS;

/// How long an assertion is good for, in seconds.
const LIFETIME_S: i64 = 60;
/// Longest private key that is read, in bytes: an RSA key of 16 384 bits has 13 KB.
const MAX_KEY_BYTES: usize = 16 * 1024;
/// Longest key id, in characters, as keys are registered with.
const MAX_KID_CHARS: usize = 64;

/// The algorithms that a form offers; the first is whichever the key is for.
pub(super) const CHOICES: [&str; 5] = ["", "RS256", "PS256", "ES256", "EdDSA"];

/// Signs an assertion of this application with the key of the form; none if there is no key in it. Otherwise says what
/// to change.
pub(super) fn sign(visit: &Visit, client_id: &str) -> Result<Option<String>, String> {
    let form = &visit.form;
    let text = form.text("private_key");
    if text.is_empty() {
        return Ok(None);
    }
    let kid = form.text("kid");
    if text.len() > MAX_KEY_BYTES || kid.chars().count() > MAX_KID_CHARS {
        return Err(words::assertion::KEY_TOO_LONG.to_owned());
    }
    if client_id.is_empty() {
        return Err(words::assertion::NEEDS_CLIENT.to_owned());
    }
    let key = key(text, form.text("algorithm"))?;
    let kid = Some(KeyId::new(kid)).filter(|kid| !kid.as_str().is_empty());
    let tenant = &visit.tenant;
    let now = tenant.house.clock.now().seconds();
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": tenant.issuer.as_str(),
        "iat": now,
        "exp": now + LIFETIME_S,
        "jti": id::row_id(&tenant.house.random),
    });
    let signer = Signer::new(Arc::new(key), kid.as_ref(), "JWT");
    Ok(Some(signer.sign(claims.to_string().as_bytes())))
}

/// The key in PEM, for the algorithm of this name or, without one, for the one that it is made for.
fn key(text: &str, algorithm: &str) -> Result<SigningKey, String> {
    let refused = |why: &dyn std::fmt::Display| words::assertion::key_refused(why);
    let der = pem::private_key(text).map_err(|error| refused(&error))?;
    if !algorithm.is_empty() {
        let named = ALGORITHMS.into_iter().find(|known| known.as_str() == algorithm);
        let named = named.ok_or_else(|| words::assertion::NO_ALGORITHM.to_owned())?;
        return SigningKey::from_pkcs8(named, &der).map_err(|error| refused(&error));
    }
    let natural = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];
    let found = natural
        .into_iter()
        .find_map(|algorithm| SigningKey::from_pkcs8(algorithm, &der).ok());
    found.ok_or_else(|| words::assertion::NO_KIND_OF_KEY.to_owned())
}
