//! `jwt-authorizer`, which wants the axum of its time.

use axum_of_2024::routing::get;
use axum_of_2024::{Json, Router, serve as serve_with};
use jwt_authorizer::{Authorizer, IntoLayer as _, JwtAuthorizer, JwtClaims, Validation};
use tokio::net::TcpListener;

use crate::{Arguments, Claims, Outcome, message};

pub(crate) async fn serve(arguments: &Arguments, listener: TcpListener) -> Outcome<()> {
    let validation = Validation::new()
        .iss(&[&arguments.issuer])
        .aud(&[&arguments.audience])
        .nbf(true);
    let authorizer: Authorizer<Claims> = JwtAuthorizer::from_jwks_url(&arguments.jwks_url())
        .validation(validation)
        .build()
        .await?;
    let handler = get(async |JwtClaims(claims): JwtClaims<Claims>| Json(message(&claims.sub)));
    let router = Router::new()
        .route("/api/private", handler)
        .layer(authorizer.into_layer());
    serve_with(listener, router).await?;
    Ok(())
}
