//! `/dev/…` of `tokenhouse dev`: tests ask for faults here, look at the state, and take everything back with one
//! `DELETE /dev/state`. Every request names itself with the header `Tokenhouse-Dev: 1` and none comes from a page: a
//! page can send neither without an `Origin` and a preflight that nobody answers. Only `router::with_faults` mounts it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use axum::{Extension, Json};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::KeyId;
use tokenhouse_store::{Key, KeyState};

use super::faults::{Endpoint, Fault, Faults, NextToken};
use crate::registry::{RegistryError, keys};
use crate::tenant::Tenant;
use crate::web::answer::{self, http_error, set};

/// The header that says: this is a test, and it means it.
const TOKENHOUSE_DEV: HeaderName = HeaderName::from_static("tokenhouse-dev");
/// Longest delay that can be asked for.
const MAX_DELAY_MS: u32 = 60_000;
/// Furthest that the clock can be moved, in seconds, in all: a year and a day.
const MAX_FORWARD_S: i64 = 366 * 86_400;

/// Which keys are meant; RS256's unless another algorithm is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    alg: Option<String>,
    /// The key that signs next was never published before.
    without_publishing: bool,
}

/// Which key is revoked: the one that signs, unless it is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocation {
    alg: Option<String>,
    kid: Option<String>,
}

/// How far the clock moves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    forward_s: i64,
}

/// A request that steers nothing: the status, and the sentence that says why.
struct Refused(StatusCode, String);

type Read<T> = Result<Json<T>, JsonRejection>;
/// A body that may be left out. What is there is read as JSON whatever its type is called: a request that asks for something
/// must not be taken for one that does not.
type Optional = Result<Bytes, BytesRejection>;

/// Lets only those through who may be here: programs that say so, and no page.
pub async fn admit(request: Request, next: Next) -> Response<Body> {
    let headers = request.headers();
    let mut response = if headers.contains_key(header::ORIGIN) {
        let text = "Pages may not steer tokenhouse dev: the request has an Origin header.";
        http_error(StatusCode::FORBIDDEN, "access_denied", text)
    } else if headers.get(TOKENHOUSE_DEV).is_none_or(|value| value != "1") {
        let text = "Send the header \"Tokenhouse-Dev: 1\" to steer tokenhouse dev.";
        http_error(StatusCode::FORBIDDEN, "access_denied", text)
    } else {
        next.run(request).await
    };
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// `GET /dev/state`: the faults in force, the requests since the last reset, the clock, the keys.
pub async fn state(State(faults): State<Faults>, Extension(tenant): Extension<Arc<Tenant>>) -> Response<Body> {
    let keys = match keys::keys(&tenant).await {
        Ok(keys) => keys,
        Err(error) => return refusal(&error).answer(),
    };
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| json!({ "kid": key.id, "alg": key.algorithm, "state": key.state.as_str() }))
        .collect();
    let asked = faults.asked();
    let clock = json!({ "now": tenant.house.clock.now().to_string(), "forward_s": asked.forward_ms / 1000 });
    answer::json(
        StatusCode::OK,
        &json!({ "faults": asked, "requests": asked.requests, "clock": clock, "keys": keys }),
    )
}

/// `DELETE /dev/state`: no faults, nothing counted, the machine's time, and the keys as they were when dev became ready.
pub async fn reset(State(faults): State<Faults>, Extension(tenant): Extension<Arc<Tenant>>) -> Response<Body> {
    tenant.house.clock.advance_ms(-faults.reset());
    let restored = match faults.kept_keys(&tenant.id) {
        Some(kept) => keys::restore(&tenant, &kept).await,
        None => Ok(()),
    };
    restored.map_or_else(|error| refusal(&error).answer(), |()| done())
}

/// `PUT /dev/faults/{jwks|metadata|token}`: the endpoint goes wrong from now on.
pub async fn fault(
    State(faults): State<Faults>,
    endpoint: Result<Path<Endpoint>, PathRejection>,
    body: Read<Fault>,
) -> Response<Body> {
    let Ok(Path(endpoint)) = endpoint else {
        return bad("There are faults of jwks, metadata and token, and next_token.").answer();
    };
    let fault = match read(body) {
        Ok(fault) => fault,
        Err(refused) => return refused.answer(),
    };
    if fault
        .status
        .is_some_and(|status| status != 429 && !(500..=599).contains(&status))
    {
        return bad("status is 429 or 500 to 599").answer();
    }
    if fault.delay_ms > MAX_DELAY_MS {
        return bad("delay_ms is at most 60000").answer();
    }
    if fault.times == Some(0) || (fault.status.is_none() && !fault.garbage && fault.delay_ms == 0) {
        return bad("a fault has a status, garbage or a delay_ms, and happens once or more").answer();
    }
    faults.set(endpoint, fault);
    done()
}

/// `PUT /dev/faults/next_token`: the next access token is wrong in one way.
pub async fn next_token(State(faults): State<Faults>, body: Read<NextToken>) -> Response<Body> {
    match read(body) {
        Ok(next) => {
            faults.set_next_token(next);
            done()
        }
        Err(refused) => refused.answer(),
    }
}

/// `POST /dev/rotate`: the next key signs at once.
pub async fn rotate(
    State(faults): State<Faults>,
    Extension(tenant): Extension<Arc<Tenant>>,
    body: Optional,
) -> Response<Body> {
    let rotate = async || {
        let Rotation {
            alg,
            without_publishing,
        } = read_or_none(body)?;
        let algorithm = algorithm(alg.as_deref())?;
        let _kept = settled(&faults, &tenant).await?;
        let mut kid = keys::rotate(&tenant, algorithm, true).await;
        if without_publishing && kid.is_ok() {
            // The key made by the first rotation has been published to nobody when the second lets it sign.
            kid = keys::rotate(&tenant, algorithm, true).await;
        }
        kid.map_err(|error| refusal(&error))
    };
    match rotate().await {
        Ok(kid) => answer::json(StatusCode::OK, &json!({ "kid": kid })),
        Err(refused) => refused.answer(),
    }
}

/// `POST /dev/revoke`: rotates and withdraws the key that was current, and every token with it; or a previous key, by its `kid`.
pub async fn revoke(
    State(faults): State<Faults>,
    Extension(tenant): Extension<Arc<Tenant>>,
    body: Optional,
) -> Response<Body> {
    let revoke = async || {
        let Revocation { alg, kid } = read_or_none(body)?;
        let algorithm = algorithm(alg.as_deref())?;
        let held = settled(&faults, &tenant).await?;
        let kid = match kid {
            Some(kid) => KeyId::new(kid),
            None => {
                let signs = held
                    .into_iter()
                    .find(|key| key.state == KeyState::Current && key.algorithm == algorithm.as_str());
                keys::rotate(&tenant, algorithm, true)
                    .await
                    .map_err(|error| refusal(&error))?;
                signs.map(|key| key.id).ok_or_else(|| bad("there is no such key"))?
            }
        };
        let revoked = keys::revoke(&tenant, &kid).await;
        revoked.map(|()| kid).map_err(|error| refusal(&error))
    };
    match revoke().await {
        Ok(kid) => answer::json(StatusCode::OK, &json!({ "kid": kid })),
        Err(refused) => refused.answer(),
    }
}

/// `POST /dev/clock`: the issuer's clock goes on from so many seconds later.
pub async fn clock(
    State(faults): State<Faults>,
    Extension(tenant): Extension<Arc<Tenant>>,
    body: Read<Forward>,
) -> Response<Body> {
    let forward_s = match read(body) {
        Ok(Forward { forward_s }) => forward_s,
        Err(refused) => return refused.answer(),
    };
    let so_far_s = faults.asked().forward_ms / 1000;
    if forward_s < 1 || forward_s > MAX_FORWARD_S - so_far_s {
        return bad("forward_s is at least 1, and 31622400 in all: DELETE /dev/state brings the clock back").answer();
    }
    tenant.house.clock.advance_ms(forward_s * 1000);
    faults.note_forward(forward_s * 1000);
    done()
}

/// The keys, every algorithm's next one among them; kept, if none were, for the reset to put back.
async fn settled(faults: &Faults, tenant: &Tenant) -> Result<Vec<Key>, Refused> {
    keys::ensure_next(tenant).await.map_err(|error| refusal(&error))?;
    let held = keys::keys(tenant).await.map_err(|error| refusal(&error))?;
    faults.keep_keys(&tenant.id, held.clone());
    Ok(held)
}

impl Refused {
    fn answer(&self) -> Response<Body> {
        http_error(self.0, "invalid_request", &self.1)
    }
}

fn algorithm(word: Option<&str>) -> Result<Algorithm, Refused> {
    let word = word.unwrap_or(Algorithm::Rs256.as_str());
    word.parse().map_err(|_| bad("alg is RS256, PS256, ES256 or EdDSA"))
}

fn read<T>(body: Read<T>) -> Result<T, Refused> {
    match body {
        Ok(Json(read)) => Ok(read),
        Err(rejected) => Err(Refused(rejected.status(), rejected.body_text())),
    }
}

fn read_or_none<T: Default + DeserializeOwned>(body: Optional) -> Result<T, Refused> {
    let body = body.map_err(|rejected| Refused(rejected.status(), rejected.body_text()))?;
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    read(Json::from_bytes(&body))
}

fn bad(text: &str) -> Refused {
    Refused(StatusCode::BAD_REQUEST, text.to_owned())
}

fn refusal(error: &RegistryError) -> Refused {
    match error {
        RegistryError::Store(error) => {
            tracing::error!(%error, "the state cannot be read or changed");
            Refused(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer.".into())
        }
        RegistryError::Invalid { .. }
        | RegistryError::Conflict(_)
        | RegistryError::NotFound(_)
        | RegistryError::Refused(_) => bad(&error.to_string()),
    }
}

fn done() -> Response<Body> {
    StatusCode::NO_CONTENT.into_response()
}
