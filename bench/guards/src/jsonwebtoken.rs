//! `jsonwebtoken` with a cached key, as people who take no guard use it: an extractor of their own.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};

use crate::{Arguments, Claims, Outcome, message};

#[derive(Clone)]
struct Verifier {
    keys: Arc<HashMap<String, DecodingKey>>,
    validation: Arc<Validation>,
}

struct Caller(Claims);

pub(crate) async fn api(arguments: &Arguments) -> Outcome<Router> {
    let jwks: JwkSet = reqwest::get(arguments.jwks_url()).await?.json().await?;
    let mut keys = HashMap::new();
    for jwk in &jwks.keys {
        if let Some(kid) = &jwk.common.key_id {
            keys.insert(kid.clone(), DecodingKey::from_jwk(jwk)?);
        }
    }
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&arguments.issuer]);
    validation.set_audience(&[&arguments.audience]);
    validation.validate_nbf = true;
    let verifier = Verifier {
        keys: Arc::new(keys),
        validation: Arc::new(validation),
    };
    let handler = get(async |Caller(claims)| Json(message(&claims.sub)));
    Ok(Router::new().route("/api/private", handler).with_state(verifier))
}

impl Verifier {
    fn verify(&self, token: &str) -> Option<Claims> {
        let kid = decode_header(token).ok()?.kid?;
        let verified = decode(token, self.keys.get(&kid)?, &self.validation);
        verified.ok().map(|token| token.claims)
    }
}

impl FromRequestParts<Verifier> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, verifier: &Verifier) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        let claims = token.and_then(|token| verifier.verify(token));
        claims.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}
