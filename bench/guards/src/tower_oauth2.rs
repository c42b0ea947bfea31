//! `tower-oauth2-resource-server` as a layer.

use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::Algorithm;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;

use crate::{Arguments, Claims, Outcome, message};

pub(crate) async fn api(arguments: &Arguments) -> Outcome<Router> {
    let tenant = TenantConfiguration::builder(&arguments.issuer)
        .audiences(&[&arguments.audience])
        .allowed_algorithms(&[Algorithm::RS256])
        .build()
        .await?;
    let server = OAuth2ResourceServer::<Claims>::builder()
        .add_tenant(tenant)
        .build()
        .await?;
    let handler = get(async |Extension(claims): Extension<Claims>| Json(message(&claims.sub)));
    Ok(Router::new().route("/api/private", handler).layer(server.into_layer()))
}
