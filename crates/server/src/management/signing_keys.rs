//! `/keys/signing`: the keys that sign, with their certificates (CONTRACT §4.9). Those of RS256 unless `alg` names another
//! algorithm (CONTRACT Decision 3).

use axum::http::Method;
use serde_json::{Map, Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_store::{Key, KeyState};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Property, flag, word};
use crate::registry::{RegistryError, certificate, keys};

const READ: &[&str] = &["read:signing_keys"];
/// Which algorithm's keys.
const ALG: Property =
    word("alg", &["RS256", "PS256", "ES256", "EdDSA"]).note("The keys of this algorithm; RS256 unless set");
/// Whether to wait until every API knows the next key.
const GRACEFUL: Property = flag("graceful").note("Refuse while APIs that cache the keys may not know the next one yet");

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "keys/signing",
        scopes: READ,
        summary: "Get all application signing keys",
        status: 200,
        query: &[ALG],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "keys/signing/{kid}",
        scopes: READ,
        summary: "Get an application signing key",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::POST,
        path: "keys/signing/rotate",
        scopes: &["create:signing_keys", "update:signing_keys"],
        summary: "Rotate the application signing key",
        status: 201,
        query: &[ALG, GRACEFUL],
        body: Body::None,
        run: |call| Box::pin(rotate(call)),
    },
    Endpoint {
        method: Method::PUT,
        path: "keys/signing/{kid}/revoke",
        scopes: &["update:signing_keys"],
        summary: "Revoke an application signing key",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(revoke(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    let algorithm = algorithm(&call);
    let mut keys = keys::keys(&call.tenant).await?;
    keys.retain(|key| key.algorithm == algorithm.as_str());
    keys.sort_by_key(|key| (place(key.state), std::cmp::Reverse(key.created_at)));
    Ok(Reply::json(keys.iter().map(|key| Value::Object(shown(key))).collect()))
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let key = key(&call, call.parameter("kid")).await?;
    Ok(Reply::json(Value::Object(shown(&key))))
}

/// Rotates at once, as Auth0 does, unless asked to be graceful: whoever knows the keys for less than their cache's time
/// asks again for one that they do not know.
async fn rotate(call: Call) -> Result<Reply, Failure> {
    // Making a key and moving the others are both what a rotation is.
    for scope in ["create:signing_keys", "update:signing_keys"] {
        call.administrator.require(&[scope])?;
    }
    let at_once = call.query.flag("graceful") != Some(true);
    let current = keys::rotate(&call.tenant, algorithm(&call), at_once).await?;
    brief(&key(&call, current.as_str()).await?)
}

async fn revoke(call: Call) -> Result<Reply, Failure> {
    let key = key(&call, call.parameter("kid")).await?;
    keys::revoke(&call.tenant, &key.id).await?;
    brief(&key)
}

fn algorithm(call: &Call) -> Algorithm {
    let named = call.query.text("alg").and_then(|alg| alg.parse().ok());
    named.unwrap_or(Algorithm::Rs256)
}

async fn key(call: &Call, kid: &str) -> Result<Key, RegistryError> {
    let keys = keys::keys(&call.tenant).await?;
    let key = keys.into_iter().find(|key| key.id.as_str() == kid);
    key.ok_or_else(keys::not_found)
}

/// What is answered of a key that was moved.
fn brief(key: &Key) -> Result<Reply, Failure> {
    let mut shown = shown(key);
    shown.retain(|name, _| name == "kid" || name == "cert");
    Ok(Reply::json(Value::Object(shown)))
}

fn shown(key: &Key) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| drop(shown.insert(name.into(), value));
    put("kid", json!(key.id));
    if key.algorithm != Algorithm::Rs256.as_str() {
        put("alg", json!(key.algorithm));
    }
    if let Some(der) = certificate::of_jwk(&key.public) {
        let fingerprint = certificate::fingerprint(&der);
        put("cert", json!(certificate::pem(&der)));
        put("pkcs7", json!(certificate::pkcs7(&der)));
        put("thumbprint", json!(fingerprint.replace(':', "")));
        put("fingerprint", json!(fingerprint));
    }
    put("current", json!(key.state == KeyState::Current));
    put("next", json!(key.state == KeyState::Next));
    put("previous", json!(key.state == KeyState::Previous));
    put("revoked", json!(key.state == KeyState::Revoked));
    let times = [
        ("current_since", key.current_at),
        ("current_until", key.previous_at),
        ("revoked_at", key.revoked_at),
    ];
    for (name, at) in times {
        if let Some(at) = at {
            put(name, json!(at.to_string()));
        }
    }
    shown
}

/// Where a key stands in the list.
fn place(state: KeyState) -> u8 {
    match state {
        KeyState::Current => 0,
        KeyState::Next => 1,
        KeyState::Previous => 2,
        KeyState::Revoked => 3,
    }
}
