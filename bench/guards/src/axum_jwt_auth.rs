//! `axum-jwt-auth` with remote keys.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::routing::get;
use axum::{Json, Router};
use axum_jwt_auth::{Decoder, RemoteJwksDecoder};
use jsonwebtoken_10::{Algorithm, Validation};

use crate::{Arguments, Claims, Outcome, message};

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Claims>,
}

pub(crate) async fn api(arguments: &Arguments) -> Outcome<Router> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&arguments.issuer]);
    validation.set_audience(&[&arguments.audience]);
    validation.validate_nbf = true;
    let decoder = RemoteJwksDecoder::builder()
        .jwks_url(arguments.jwks_url())
        .validation(validation)
        .build()?;
    // Dropping the token that ends its background task does not end it.
    decoder.initialize().await?;
    let state = State {
        decoder: Arc::new(decoder),
    };
    let handler = get(async |caller: axum_jwt_auth::Claims<Claims>| Json(message(&caller.claims.sub)));
    Ok(Router::new().route("/api/private", handler).with_state(state))
}
