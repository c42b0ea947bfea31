//! What this tenant's APIs would say of a token, by the guard's own checks, with the keys that are in force here.

use tokenhouse_guard::{BuildError, Check, Guard, Issuer};
use tokenhouse_protocol::id::ClientId;

use super::words::judgment::{self, SOME_API};
use crate::inspection;
use crate::issuing::userinfo_token;
use crate::registry::RegistryError;
use crate::registry::apis::{self, signing_secret};
use crate::tenant::Tenant;

/// Longest token that is judged, in bytes: the guard takes no longer one.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The guard's word on a token.
pub(crate) struct Judgment {
    /// The identifier of the API in whose place the guard stood.
    pub(crate) audience: String,
    /// The issuer whose tokens it takes.
    pub(crate) issuer: String,
    /// What the token says that it allows, believed in nothing.
    pub(crate) scopes: Vec<String>,
    /// Every check, in its order.
    pub(crate) checks: Vec<Check>,
    /// Whether all passed.
    pub(crate) is_accepted: bool,
    /// What an API would answer, in a sentence.
    pub(crate) verdict: String,
    /// What this looks like, where it is no access token for an API.
    pub(crate) note: Option<String>,
}

/// Judges a token as the API of this identifier would, or as the one that the token names; and these scopes.
pub(crate) async fn judge(
    tenant: &Tenant,
    token: &str,
    audience: Option<&str>,
    scopes: &[String],
) -> Result<Judgment, RegistryError> {
    let is_long = token.len() > MAX_TOKEN_BYTES;
    let token = if is_long { "" } else { token };
    let named = named_audiences(token);
    let audience = match audience.filter(|audience| !audience.is_empty()) {
        Some(audience) => audience.to_owned(),
        None => own_audience(tenant, &named).await?,
    };
    let checks = match guard(tenant, &audience).await? {
        Some(guard) => inspection::checks(&guard, token, scopes).await,
        None => inspection::checks(&tenant.userinfo_guard, token, scopes).await,
    };
    Ok(Judgment {
        is_accepted: inspection::is_accepted(&checks),
        verdict: match audience == SOME_API {
            true => judgment::NO_API.to_owned(),
            false => inspection::verdict(&checks, &audience),
        },
        note: match is_long {
            true => Some(judgment::TOO_LONG.to_owned()),
            false => note(tenant, token, &named).await?,
        },
        checks,
        audience,
        issuer: tenant.issuer.as_str().to_owned(),
        scopes: named_scopes(token),
    })
}

/// The guard of an API of this tenant; `None` where it is the userinfo endpoint's, which the tenant has.
async fn guard(tenant: &Tenant, audience: &str) -> Result<Option<Guard>, RegistryError> {
    if audience == tenant.issuer.userinfo() {
        return Ok(None);
    }
    let builder = Guard::builder().audience(audience).clock(tenant.house.clock.clone());
    let secret = match apis::api(tenant, audience).await {
        Ok(api) => signing_secret(tenant, &api)?,
        Err(RegistryError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let builder = match secret {
        Some(secret) => builder.issuer(Issuer::new(tenant.issuer.as_str()).secret(secret.expose().as_bytes())),
        None => builder.issuer(tenant.issuer.as_str()).keys(tenant.keyring.clone()),
    };
    let unusable = |error: BuildError| RegistryError::Refused(judgment::no_guard(&error));
    builder.build().map(Some).map_err(unusable)
}

/// The first of a token's audiences that is an API here.
async fn own_audience(tenant: &Tenant, named: &[String]) -> Result<String, RegistryError> {
    for audience in named {
        let is_api = tenant.directory.api(audience).await?.is_some();
        if is_api || *audience == tenant.issuer.userinfo() {
            return Ok(audience.clone());
        }
    }
    Ok(SOME_API.to_owned())
}

async fn note(tenant: &Tenant, token: &str, named: &[String]) -> Result<Option<String>, RegistryError> {
    if userinfo_token::open(tenant, token).is_some() {
        return Ok(Some(judgment::OPAQUE.to_owned()));
    }
    for audience in named {
        if let Some(application) = tenant.directory.client(&ClientId::new(audience)).await? {
            return Ok(Some(judgment::id_token(&application.name)));
        }
    }
    Ok(None)
}

/// What a token says that it allows.
fn named_scopes(token: &str) -> Vec<String> {
    let claims = inspection::part(token, 1).unwrap_or_default();
    let scope = claims
        .get("scope")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    scope.split_ascii_whitespace().take(100).map(str::to_owned).collect()
}

/// What a token says whom it is for, believed in nothing: at most eight.
fn named_audiences(token: &str) -> Vec<String> {
    let claims = inspection::part(token, 1).unwrap_or_default();
    let texts = match claims.get("aud") {
        Some(serde_json::Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let texts = texts.into_iter().filter_map(|text| text.as_str());
    texts.take(8).map(str::to_owned).collect()
}
