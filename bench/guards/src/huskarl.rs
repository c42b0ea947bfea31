//! `huskarl-resource-server`, whose adapter for axum is not released: its validator in an extractor.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::validator::custom::CustomValidator;

use crate::{Arguments, Outcome, message};

#[derive(Clone)]
struct Validator(Arc<CustomValidator>);

struct Caller(String);

pub(crate) async fn api(arguments: &Arguments) -> Outcome<Router> {
    let client = ReqwestClient::builder().build().await?;
    // Not the validator for RFC 9068: the tokens are typed as Auth0 types them.
    let validator = CustomValidator::builder()
        .authorization_server(&arguments.issuer)
        .iss(arguments.issuer.as_str())
        .aud(arguments.audience.as_str())
        .allowed_signing_algorithms(vec!["RS256".to_owned()])
        // Auth0's tokens have none.
        .require_jti(false)
        .jwks_uri(arguments.jwks_url().parse()?)
        .jwks_source(client)
        .build()
        .await?;
    let handler = get(async |Caller(subject)| Json(message(&subject)));
    let validator = Validator(Arc::new(validator));
    Ok(Router::new().route("/api/private", handler).with_state(validator))
}

impl FromRequestParts<Validator> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, Validator(validator): &Validator) -> Result<Self, Response> {
        let result = validator
            .validate_request(&parts.headers, &parts.method, &parts.uri, None)
            .await;
        if let Some(rejection) = result.rejection(&validator.validator_metadata(None), None) {
            let answer = rejection.apply(Response::builder()).body(axum::body::Body::empty());
            return Err(answer.unwrap_or_default());
        }
        let caller = result.outcome.ok().flatten().and_then(|caller| caller.sub);
        Ok(Self(caller.unwrap_or_default()))
    }
}
