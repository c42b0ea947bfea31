//! What anybody may know of an issuer: its metadata (RFC 8414 §3, OpenID Connect Discovery §4) and its
//! keys (RFC 7517). Cacheable, readable by pages of every origin.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};

use tokenhouse_protocol::crypto::{Algorithm, sha256};
use tokenhouse_protocol::discovery::Metadata;
use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::jose::base64url;

use crate::registry::client_keys::ALGORITHMS;
use crate::tenant::Tenant;
use crate::web::answer::{http_error, set, set_text};
use crate::web::cors;

/// How long a document may be kept: as `registry::keys::JWKS_MAX_AGE_S`, on which key rotation relies.
const CACHE_CONTROL: &str = "public, max-age=300, stale-while-revalidate=300";

/// `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`: one document.
pub async fn get(Extension(tenant): Extension<Arc<Tenant>>, headers: HeaderMap) -> Response<Body> {
    // Texts and lists of texts always serialise.
    let document = serde_json::to_string(&metadata(&tenant)).unwrap_or_default();
    let etag = format!("\"{}\"", base64url::encode(&sha256(document.as_bytes())[..12]));
    cacheable(&headers, &etag, document)
}

/// `/.well-known/jwks.json` (CONTRACT §3.1).
pub async fn jwks(Extension(tenant): Extension<Arc<Tenant>>, headers: HeaderMap) -> Response<Body> {
    match tenant.keyring.keys().await {
        Ok(keys) => cacheable(&headers, &keys.etag, keys.jwks.clone()),
        Err(error) => {
            let what = "the keys cannot be read";
            if tenant.house.store.outages().is_first(what, &error.to_string()) {
                tracing::error!(tenant = %tenant.id, %error, "{what}");
            }
            let text = "The keys cannot be read at the moment. Keep those you have and try again.";
            let mut response = http_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text);
            set(&mut response, header::RETRY_AFTER, "1");
            cors::allow_any(&mut response, "etag");
            response
        }
    }
}

/// Only what is implemented (CONTRACT Decision 10).
fn metadata(tenant: &Tenant) -> Metadata {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let issuer = &tenant.issuer;
    Metadata {
        issuer: issuer.as_str().to_owned(),
        authorization_endpoint: None,
        token_endpoint: Some(issuer.url("oauth/token")),
        userinfo_endpoint: Some(issuer.userinfo()),
        jwks_uri: issuer.url(".well-known/jwks.json"),
        scopes_supported: texts(&["openid", "profile", "email"]),
        response_types_supported: Vec::new(),
        grant_types_supported: GrantType::ALL.map(|grant| grant.as_str().to_owned()).to_vec(),
        subject_types_supported: texts(&["public"]),
        token_endpoint_auth_methods_supported: texts(&[
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ]),
        token_endpoint_auth_signing_alg_values_supported: ALGORITHMS
            .map(|algorithm| algorithm.as_str().to_owned())
            .to_vec(),
        claims_supported: texts(&[
            "aud",
            "email",
            "email_verified",
            "exp",
            "iat",
            "iss",
            "name",
            "nickname",
            "picture",
            "sub",
            "updated_at",
        ]),
        id_token_signing_alg_values_supported: Algorithm::SIGNING
            .iter()
            .map(|algorithm| algorithm.as_str().to_owned())
            .collect(),
    }
}

fn cacheable(headers: &HeaderMap, etag: &str, document: String) -> Response<Body> {
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|tags| {
            tags.split(',')
                .any(|tag| [etag, "*"].contains(&tag.trim().trim_start_matches("W/")))
        })
    });
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(document) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        set(&mut response, header::CONTENT_TYPE, "application/json");
    }
    set(&mut response, header::CACHE_CONTROL, CACHE_CONTROL);
    set_text(&mut response, header::ETAG, etag);
    cors::allow_any(&mut response, "etag");
    response
}
