//! Access tokens that are wrong in one way and right in every other, for tests of APIs. A token that was minted and
//! recorded is taken apart, changed and signed again; the decision "faults at the door" says why the second caller of the
//! signer is here, and the architecture test that it is the only one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jws::{Parts, Signer};
use tokenhouse_store::StoreError;

use crate::tenant::Tenant;

/// How far a wrong time is from a right one, in seconds: beyond every leeway.
const HOUR_S: i64 = 3600;
/// An audience that nobody has.
const OTHER_AUDIENCE: &str = "https://wrong-audience.example.com/";
/// An issuer that nobody is.
const OTHER_ISSUER: &str = "https://wrong-issuer.example.com/";

/// What is wrong with a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// It expired an hour ago.
    Expired,
    /// It has an `nbf` in an hour.
    NotYetValid,
    /// It is for another API.
    WrongAudience,
    /// It names another issuer.
    WrongIssuer,
    /// It names the right key, and another one signed it.
    WrongKey,
    /// It names a key that nobody publishes, which signed it.
    UnknownKey,
}

/// Whether a token is one that can be changed: a JWT.
pub(super) fn can_be_spoilt(token: &str) -> bool {
    Parts::split(token).is_ok()
}

/// The token with one thing wrong.
pub(super) async fn spoilt(tenant: &Tenant, token: &str, flaw: Flaw) -> Result<String, StoreError> {
    let damaged = |why: &str| StoreError::Damaged(format!("a token of our own {why}"));
    let parts = Parts::split(token).map_err(|_| damaged("cannot be read"))?;
    let mut claims: Map<String, Value> = serde_json::from_slice(&parts.claims).map_err(|_| damaged("has no claims"))?;
    let algorithm: Algorithm = parts.header.alg.parse().map_err(|_| damaged("has no algorithm"))?;
    let signer = match flaw {
        Flaw::WrongKey | Flaw::UnknownKey => {
            let published = parts.header.kid.clone().filter(|_| flaw == Flaw::WrongKey);
            let kid = published.map_or_else(|| KeyId::generate(&tenant.house.random), KeyId::new);
            let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm, RsaBits::Bits2048)).await;
            let key = Arc::new(made.map_err(|_| damaged("needs another key, and none could be made"))?);
            let kid = (!algorithm.is_symmetric()).then_some(&kid);
            Some(Signer::new(key, kid, parts.header.typ.as_deref().unwrap_or("JWT")))
        }
        Flaw::Expired | Flaw::NotYetValid | Flaw::WrongAudience | Flaw::WrongIssuer => {
            change(&mut claims, flaw, tenant.house.clock.now().seconds());
            let is_at_jwt = parts.header.is_type("at+jwt");
            right_signer(tenant, &parts.claims, algorithm, is_at_jwt).await?
        }
    };
    let signer = signer.ok_or_else(|| damaged("was signed by a key that is gone"))?;
    Ok(signer.sign(&serde_json::to_vec(&claims).map_err(|_| damaged("cannot be written"))?))
}

fn change(claims: &mut Map<String, Value>, flaw: Flaw, now_s: i64) {
    let seconds = |claims: &Map<String, Value>, name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or(now_s);
    let (issued, expires) = (seconds(claims, "iat"), seconds(claims, "exp"));
    match flaw {
        Flaw::Expired => {
            let back_s = expires - now_s + HOUR_S;
            claims.insert("iat".into(), json!(issued - back_s));
            claims.insert("exp".into(), json!(expires - back_s));
        }
        Flaw::NotYetValid => {
            claims.insert("nbf".into(), json!(now_s + HOUR_S));
            claims.insert("exp".into(), json!(expires + HOUR_S));
        }
        Flaw::WrongAudience => {
            claims.insert("aud".into(), json!(OTHER_AUDIENCE));
        }
        Flaw::WrongIssuer => {
            claims.insert("iss".into(), json!(OTHER_ISSUER));
        }
        Flaw::WrongKey | Flaw::UnknownKey => {}
    }
}

/// The signer that mint would take now: the API's own for HS256, else the tenant's current key.
async fn right_signer(
    tenant: &Tenant,
    claims: &[u8],
    algorithm: Algorithm,
    is_at_jwt: bool,
) -> Result<Option<Signer>, StoreError> {
    if algorithm.is_symmetric() {
        let claims: Value = serde_json::from_slice(claims).unwrap_or_default();
        let audience = claims["aud"].as_str().unwrap_or_default();
        let api = tenant.directory.api(audience).await?;
        return Ok(api.and_then(|api| api.own_signer.clone()));
    }
    let keys = tenant.keyring.keys().await?;
    let signer = match is_at_jwt {
        true => keys.at_jwt_signer(algorithm),
        false => keys.jwt_signer(algorithm),
    };
    Ok(signer.cloned())
}
