//! Each check of an access token by itself. The list in [`super`] says in which order they are made.

use std::borrow::Cow;

use tokenhouse_protocol::jose::claims::Claims;

use super::{Examination, Profile};
use crate::error::{Denied, Reason};
use crate::keys::{Found, Key, KeySet};
use crate::policy::{Policy, Trusted};

/// RFC 8725 §3.1: only what this API allows; `none` is not even a name we know.
pub(super) fn algorithm(token: &Examination<'_>) -> Result<(), Denied> {
    let allowed = token
        .algorithm
        .is_some_and(|algorithm| token.trusted.algorithms.contains(&algorithm));
    ensure(allowed, || {
        let algorithms = token.trusted.algorithms.iter();
        let names: Vec<_> = algorithms.map(|algorithm| algorithm.as_str()).collect();
        unexpected("alg", format!("This API takes {}.", names.join(", ")))
    })
}

/// RFC 8725 §3.11: a token that is typed as something else, such as a logout token, is no access token. ID tokens may be typed
/// as access tokens are; they have another audience.
pub(super) fn token_type(token: &Examination<'_>) -> Result<(), Denied> {
    let header = &token.parts.header;
    let (allowed, names) = match token.trusted.profile {
        Profile::Auth0 => (header.is_type("JWT") || header.is_type("at+jwt"), "JWT or at+jwt"),
        Profile::Untyped => {
            let is_plain = header.typ.is_none() || header.is_type("JWT") || header.is_type("at+jwt");
            (is_plain, "JWT or at+jwt, or of none")
        }
        Profile::Rfc9068 => (header.is_type("at+jwt"), "at+jwt"),
    };
    ensure(allowed, || {
        unexpected("typ", format!("This API takes tokens of the type {names}."))
    })
}

/// RFC 8725 §3.8: byte for byte; a missing slash is another issuer.
pub(super) fn issuer<'p>(policy: &'p Policy, claims: &Claims) -> Result<&'p Trusted, Denied> {
    let named = claims.text("iss")?;
    let trusted = policy.issuers.iter().find(|issuer| named == Some(&issuer.name));
    trusted.ok_or_else(|| {
        let names: Vec<_> = policy.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
        unexpected("iss", format!("This API takes tokens of {} only.", names.join(" and ")))
    })
}

/// The key of this id and algorithm, never one that the token brings along (RFC 8725 §3.10).
pub(super) fn key_in<'k>(token: &Examination<'_>, keys: &'k KeySet) -> Found<'k> {
    match token.algorithm {
        Some(algorithm) => keys.find(token.parts.header.kid.as_deref(), algorithm),
        None => Found::Nothing,
    }
}

/// RFC 8725 §3.1: by the issuer's key of this id and algorithm. Answers with the key that it was.
pub(super) fn signature<'k>(token: &Examination<'_>, keys: &'k KeySet) -> Result<&'k Key, Denied> {
    let signed = token.parts.signing_input.as_bytes();
    let is_of = |key: &&Key| key.verify(signed, &token.parts.signature);
    let key = match key_in(token, keys) {
        Found::One(key) => Some(key).filter(is_of),
        Found::Namesakes(keys) => keys.into_iter().find(is_of),
        Found::Nothing | Found::Several => None,
    };
    key.ok_or_else(|| {
        invalid(
            "signature verification failed",
            "The token was altered, or signed with another key.",
        )
    })
}

/// RFC 8725 §3.9: required, and exactly one of this API's names.
pub(super) fn audience(token: &Examination<'_>) -> Result<(), Denied> {
    let audiences = &token.trusted.audiences;
    let is_ours = |name: &str| audiences.iter().any(|ours| ours == name);
    ensure(token.claims.has_text("aud", is_ours)?, || {
        unexpected(
            "aud",
            format!("Ask for a token with the audience {}.", audiences.join(" or ")),
        )
    })
}

/// RFC 7519 §4.1.4: required.
pub(super) fn expiry(token: &Examination<'_>) -> Result<(), Denied> {
    let expires_at = token.claims.time("exp")?;
    let expires_at =
        expires_at.ok_or_else(|| unexpected("exp", "A token without an expiry is not taken.".to_owned()))?;
    ensure(token.now < expires_at.plus_ms(token.policy.leeway_ms), || {
        invalid(
            "\"exp\" claim timestamp check failed",
            format!("The token expired at {expires_at}. Ask for a new one."),
        )
    })
}

/// RFC 7519 §4.1.5.
pub(super) fn not_before(token: &Examination<'_>) -> Result<(), Denied> {
    let Some(valid_from) = token.claims.time("nbf")? else {
        return Ok(());
    };
    ensure(token.now.plus_ms(token.policy.leeway_ms) >= valid_from, || {
        invalid(
            "\"nbf\" claim timestamp check failed",
            format!("The token is valid from {valid_from} on."),
        )
    })
}

/// RFC 7519 §4.1.6: a time if it is there.
pub(super) fn issued_at(token: &Examination<'_>) -> Result<(), Denied> {
    token.claims.time("iat")?;
    Ok(())
}

/// RFC 9068 §2.2: what that profile makes required; in either, names are texts.
pub(super) fn profile(token: &Examination<'_>) -> Result<(), Denied> {
    let required = match token.trusted.profile {
        Profile::Auth0 | Profile::Untyped => false,
        Profile::Rfc9068 => true,
    };
    for name in ["sub", "client_id", "jti"] {
        let named = token.claims.text(name)?;
        ensure(named.is_some() || !required, || {
            unexpected(
                name,
                format!("RFC 9068 wants the claim \"{name}\"; ask the issuer for that profile."),
            )
        })?;
    }
    ensure(token.claims.has("iat") || !required, || {
        unexpected(
            "iat",
            "RFC 9068 wants the claim \"iat\"; ask the issuer for that profile.".to_owned(),
        )
    })
}

/// RFC 7800 §3.1: a token for the holder of a key or certificate is worth nothing without that proof.
pub(super) fn binding(token: &Examination<'_>) -> Result<(), Denied> {
    ensure(!token.claims.has("cnf"), || {
        unexpected(
            "cnf",
            "The token is bound to a key or certificate, which this API cannot check.".to_owned(),
        )
    })
}

fn ensure(holds: bool, denied: impl FnOnce() -> Denied) -> Result<(), Denied> {
    if holds { Ok(()) } else { Err(denied()) }
}

pub(super) fn invalid(description: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Denied {
    Denied::InvalidToken(Reason::new(description, hint))
}

fn unexpected(name: &str, hint: String) -> Denied {
    invalid(format!("Unexpected '{name}' value"), hint)
}

/// `text` with a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}
