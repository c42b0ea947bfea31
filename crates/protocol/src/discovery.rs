//! The issuer's metadata document (OpenID Connect Discovery 1.0 §3, RFC 8414 §2): written by the
//! server, read by the guard.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Where an issuer's metadata is, relative to the issuer (which ends in `/`).
pub const OPENID_CONFIGURATION: &str = ".well-known/openid-configuration";
/// The same document by RFC 8414's name.
pub const OAUTH_AUTHORIZATION_SERVER: &str = ".well-known/oauth-authorization-server";

/// Whether a host, its brackets kept or not, names this machine itself (RFC 6761 §6.3).
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// What an issuer says of itself. Only what is implemented is listed (CONTRACT Decision 10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Metadata {
    /// The issuer, byte for byte as in a token's `iss`.
    pub issuer: String,
    /// Absent until there is an authorization endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where tokens are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where a user's claims are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_endpoint: Option<String>,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Scopes of OpenID Connect that have a meaning here; APIs have their own.
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    /// Empty while there is no authorization endpoint.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// The grant types of the token endpoint.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// Always `public`: every application sees the same `sub`.
    #[serde(default)]
    pub subject_types_supported: Vec<String>,
    /// How an application may authenticate.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// The algorithms of client assertions (RFC 7523).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// The claims that tokens and userinfo may hold.
    #[serde(default)]
    pub claims_supported: Vec<String>,
    /// Every algorithm that an API may use, since guards take their allow-list from here (CONTRACT §3.2).
    #[serde(default)]
    pub id_token_signing_alg_values_supported: Vec<String>,
}
