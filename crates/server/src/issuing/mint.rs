//! Phase 7, first half: tokens out of an authorization (CONTRACT §2; RFC 7519). The only caller of the signer.

use serde::Serialize;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id;
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_protocol::token::TokenResponse;

use super::Authorization;
use super::userinfo_token;
use crate::accounts::profile::Profile;
use crate::directory::Api;
use crate::keyring::Keys;
use crate::refusal::{Reason, Refusal};
use crate::tenant::Tenant;

/// Seconds that a token for the userinfo endpoint lives (CONTRACT §2.2).
const USERINFO_TOKEN_LIFETIME_S: i64 = 86_400;
/// Seconds that an ID token lives, unless the client says otherwise (CONTRACT §2.2).
const ID_TOKEN_LIFETIME_S: i64 = 36_000;

/// An access token's claims in Auth0's order; which of the last are there is its dialect's (CONTRACT §2.1, RFC 9068).
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<&'a str>>,
}

/// One audience is a string; a user's token that is also good for userinfo has two (CONTRACT §1.6).
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    WithUserinfo([&'a str; 2]),
}

/// An ID token's claims, in Auth0's order (CONTRACT §2.1; OpenID Connect Core §2).
#[derive(Serialize)]
struct IdTokenClaims<'a> {
    #[serde(flatten)]
    profile: Profile<'a>,
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// The tokens of an authorization, signed at `now`.
pub(super) async fn tokens(
    tenant: &Tenant,
    authorization: &Authorization,
    now: Timestamp,
) -> Result<TokenResponse, Refusal> {
    let keys = tenant.keyring.keys().await?;
    let scope = authorization.scope();
    let (access_token, expires_in) = match &authorization.api {
        Some(api) => {
            let token = access_token(tenant, authorization, api, &keys, scope.as_deref(), now)?;
            (token, api.token_lifetime_s)
        }
        None => (
            userinfo_access_token(tenant, authorization, now)?,
            USERINFO_TOKEN_LIFETIME_S,
        ),
    };
    let id_token = match authorization.is_openid() {
        true => Some(id_token(tenant, authorization, &keys, now)?),
        false => None,
    };
    Ok(TokenResponse {
        access_token,
        refresh_token: None,
        id_token,
        scope,
        expires_in,
        token_type: "Bearer".into(),
    })
}

fn access_token(
    tenant: &Tenant,
    authorization: &Authorization,
    api: &Api,
    keys: &Keys,
    scope: Option<&str>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let userinfo = tenant.issuer.userinfo();
    let subject = match &authorization.user {
        Some(user) => user.id.as_str().to_owned(),
        None => authorization.application.id.subject(),
    };
    let (client_id, is_rfc9068) = (authorization.application.id.as_str(), api.dialect.is_rfc9068());
    let with_userinfo = authorization.is_openid() && !api.algorithm.is_symmetric();
    let claims = AccessTokenClaims {
        iss: tenant.issuer.as_str(),
        sub: &subject,
        aud: match with_userinfo {
            true => Audience::WithUserinfo([&api.identifier, &userinfo]),
            false => Audience::One(&api.identifier),
        },
        iat: now.seconds(),
        exp: now.seconds() + api.token_lifetime_s,
        scope,
        gty: (!is_rfc9068).then(|| authorization.grant_type.gty()),
        azp: (!is_rfc9068).then_some(client_id),
        jti: is_rfc9068.then(|| id::row_id(&tenant.house.random)),
        client_id: is_rfc9068.then_some(client_id),
        permissions: authorization.permissions.as_ref().map(|held| held.iter().collect()),
    };
    let shared = match is_rfc9068 {
        true => keys.at_jwt_signer(api.algorithm),
        false => keys.jwt_signer(api.algorithm),
    };
    let signer = api.own_signer.as_ref().or(shared);
    sign(signer.ok_or_else(|| no_key(api.algorithm))?, &claims)
}

fn id_token(tenant: &Tenant, authorization: &Authorization, keys: &Keys, now: Timestamp) -> Result<String, Refusal> {
    let Some(user) = &authorization.user else {
        return Err(Refusal::new(Reason::Internal, "Internal error").because("an ID token without a user"));
    };
    let claims = IdTokenClaims {
        profile: Profile::of(&tenant.issuer, user, &authorization.scopes),
        iss: tenant.issuer.as_str(),
        sub: user.id.as_str(),
        aud: authorization.application.id.as_str(),
        iat: now.seconds(),
        exp: now.seconds() + ID_TOKEN_LIFETIME_S,
    };
    let signer = keys.jwt_signer(Algorithm::Rs256);
    sign(signer.ok_or_else(|| no_key(Algorithm::Rs256))?, &claims)
}

fn userinfo_access_token(tenant: &Tenant, authorization: &Authorization, now: Timestamp) -> Result<String, Refusal> {
    let Some(user) = &authorization.user else {
        return Err(Refusal::new(Reason::Internal, "Internal error").because("a userinfo token without a user"));
    };
    let expires_at = now.plus_ms(USERINFO_TOKEN_LIFETIME_S * 1000);
    Ok(userinfo_token::seal(
        tenant,
        &user.id,
        &authorization.scopes,
        expires_at,
    ))
}

fn no_key(algorithm: Algorithm) -> Refusal {
    Refusal::new(
        Reason::Unavailable,
        "The signing keys are being made. Try again in a moment.",
    )
    .retry_after(1)
    .because(format_args!("the tenant has no current {algorithm} key"))
}

fn sign(signer: &Signer, claims: &impl Serialize) -> Result<String, Refusal> {
    let claims =
        serde_json::to_vec(claims).map_err(|error| Refusal::new(Reason::Internal, "Internal error").because(error))?;
    Ok(signer.sign(&claims))
}
