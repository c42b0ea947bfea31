//! Client assertions: an application proves itself with a JWT that its own key signed (RFC 7523 §2.2, §3;
//! RFC 7521 §4.2; CONTRACT §1.3, Decision 13). Each is good once: phase 6 uses it up with what it granted.

use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::jose::claims::{ClaimError, Claims};
use tokenhouse_protocol::jose::jws::Parts;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::UsedAssertion;

use crate::directory::Application;
use crate::refusal::{Reason, Refusal};
use crate::registry::client_keys;
use crate::tenant::Tenant;

/// For how long an assertion may be good, in milliseconds.
const MAX_LIFETIME_MS: i64 = 300_000;
/// How far clocks may differ, in milliseconds.
const SKEW_MS: i64 = 10_000;
/// Longest `jti`, in characters.
const MAX_JTI_CHARS: usize = 64;

/// Checks an assertion in the name of `client`, which may not exist; what comes out is to be used up.
///
/// What the assertion says is checked first, since it tells the caller's mistakes and nothing of the tenant; then
/// its signature. An unknown client, one without keys and a wrong key get the same answer.
pub(super) fn verify(
    tenant: &Tenant,
    client: &ClientId,
    application: Option<&Application>,
    assertion: &str,
) -> Result<UsedAssertion, Refusal> {
    let parts = Parts::split(assertion).map_err(|error| refused(format!("The assertion cannot be read: {error}.")))?;
    let Some(algorithm) = client_keys::algorithm(&parts.header.alg) else {
        return Err(refused(
            "The assertion's alg must be RS256, RS384, PS256, ES256 or EdDSA.",
        ));
    };
    let is_typed =
        parts.header.typ.is_none() || parts.header.is_type("JWT") || parts.header.is_type("client-authentication+jwt");
    ensure(is_typed, "The assertion's typ must be JWT.")?;
    let now = tenant.house.clock.now();
    let claims = Claims::parse(&parts.claims).map_err(|error| unreadable(&error))?;
    let audience = audience(tenant, &claims)?;
    let used = checked(client, &claims, now)?;
    let keys = application.map_or(&[][..], |application| &application.keys);
    let proven = keys
        .iter()
        .filter(|key| key.verifying.algorithm() == algorithm)
        .filter(|key| parts.header.kid.as_ref().is_none_or(|kid| *kid == key.kid))
        .filter(|key| key.expires_at.is_none_or(|end| now < end))
        .any(|key| key.verifying.verify(parts.signing_input.as_bytes(), &parts.signature));
    ensure(
        proven,
        "No key of this client verifies the assertion. Check the client_id, that the key is registered for this alg \
         (and for the kid, if the header has one), and that it has not expired.",
    )?;
    // Only now, or a stranger would learn which clients may: see above.
    let may_name_endpoint = application.is_some_and(|application| application.may_name_token_endpoint);
    if audience == Audience::TokenEndpoint && !may_name_endpoint {
        return Err(wrong_audience(tenant));
    }
    Ok(used)
}

/// The refusal of an assertion that was good, once.
pub(super) fn replayed() -> Refusal {
    refused("The assertion was used before. Sign a new one, with a new jti, for each request.")
}

/// For whom an assertion is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Issuer,
    /// The token endpoint's URL, which older clients name; taken where the application may (CONTRACT Decision 13).
    TokenEndpoint,
}

/// The one audience of an assertion. An array might name another server, at which it would be good as well.
fn audience(tenant: &Tenant, claims: &Claims) -> Result<Audience, Refusal> {
    let named = claims.members().get("aud").and_then(|aud| aud.as_str());
    if named == Some(tenant.issuer.as_str()) {
        Ok(Audience::Issuer)
    } else if named == Some(&tenant.issuer.url("oauth/token")) {
        Ok(Audience::TokenEndpoint)
    } else {
        Err(wrong_audience(tenant))
    }
}

/// The other claims: RFC 7523 §3.
fn checked(client: &ClientId, claims: &Claims, now: Timestamp) -> Result<UsedAssertion, Refusal> {
    for name in ["iss", "sub"] {
        let is_client = claims.text(name).map_err(|error| unreadable(&error))? == Some(client.as_str());
        ensure(is_client, "The assertion's iss and sub must both be the client_id.")?;
    }
    let expires_at = claims
        .time("exp")
        .map_err(|error| unreadable(&error))?
        .ok_or_else(|| refused("The assertion has no exp."))?;
    let end = expires_at.plus_ms(SKEW_MS);
    ensure(now < end, "The assertion has expired. Check this machine's clock.")?;
    ensure(
        expires_at <= now.plus_ms(MAX_LIFETIME_MS + SKEW_MS),
        "The assertion's exp must be at most five minutes ahead.",
    )?;
    for name in ["nbf", "iat"] {
        let begins_at = claims.time(name).map_err(|error| unreadable(&error))?;
        ensure(
            begins_at.is_none_or(|begins_at| begins_at <= now.plus_ms(SKEW_MS)),
            "The assertion's iat or nbf is in the future. Check this machine's clock.",
        )?;
    }
    let jti = claims
        .text("jti")
        .map_err(|error| unreadable(&error))?
        .unwrap_or_default();
    let is_sound = (1..=MAX_JTI_CHARS).contains(&jti.chars().count()) && !jti.contains(char::is_control);
    ensure(
        is_sound,
        "The assertion needs a jti of 1 to 64 characters, a new one each time.",
    )?;
    Ok(UsedAssertion {
        client_id: client.clone(),
        jti: jti.to_owned(),
        expires_at: end,
    })
}

fn wrong_audience(tenant: &Tenant) -> Refusal {
    refused(format!(
        "The assertion's aud must be the issuer, {}, as one string.",
        tenant.issuer.as_str()
    ))
}

fn unreadable(error: &ClaimError) -> Refusal {
    refused(format!("The assertion cannot be read: {error}."))
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refused(otherwise)) }
}

fn refused(why: impl AsRef<str>) -> Refusal {
    let text = format!("Client authentication failed. {}", why.as_ref());
    Refusal::new(Reason::InvalidClient, text)
}
