//! Protects an HTTP API with access tokens: answers 401 and 403 as RFC 6750 §3 says, checks tokens as RFC 8725 asks.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::get};
//! use tokenhouse_guard::Guard;
//!
//! let guard = Guard::new("https://tenant.example.com/", "https://api.example.com")?;
//! let app: Router = Router::new()
//!     .route("/messages", get(|| async { "…" }).layer(guard.layer().scope("read:messages")))
//!     .route("/profile", get(|| async { "…" }).layer(guard.layer()));
//! # Ok(()) }
//! ```
//!
//! The issuer's keys are discovered, fetched ahead of need in the background, and kept while the issuer is down.
//! A handler finds the caller's [`AccessToken`] in the request's extensions, or with the feature `axum` as an argument.
//!
//! A request without a valid token is answered 401, one without the scope 403 (RFC 6750), and 503 when no keys are to be
//! had. There is a page for each task, scopes and permissions, optional tokens, several issuers, other issuers, opaque
//! tokens, errors, MCP, testing, health, proxies, in the module `guide`.
//!
//! Features: `fetch` (default) gets keys over HTTP; without it, give the guard a [`KeySource`]. `axum` adds extractors,
//! `metrics` counts by the `metrics` facade.
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Uri};
use tokenhouse_protocol::bearer;

pub use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};
pub use tokenhouse_protocol::time::{Clock, Timestamp};

pub use self::authorization::{InvalidRequirement, Requirement};
pub use self::builder::{BuildError, Builder, Cold};
pub use self::error::{Denied, Reason};
#[cfg(feature = "fetch")]
pub use self::introspection::Introspection;
pub use self::issuer::Issuer;
pub use self::keys::{Key, KeySet, KeySource, LocalKeys, LookAgain, Unavailable};
pub use self::layer::{GuardFuture, GuardLayer, GuardService};
pub use self::refusal::{ErrorFormat, Refusal};
pub use self::resource_metadata::ResourceMetadata;
pub use self::status::{CacheStatus, FetchStatus, IssuerStatus, Status};
pub use self::token::{AccessToken, NoExtras};
pub use self::verify::{Check, Outcome, Profile};

use self::verify::Refused;

mod authorization;
#[cfg(feature = "axum")]
pub mod axum;
mod builder;
mod cache;
mod error;
#[cfg(all(any(doc, doctest), feature = "axum", feature = "fetch"))]
pub mod guide;
#[cfg(feature = "fetch")]
mod introspection;
mod issuer;
mod keys;
mod layer;
mod policy;
mod refusal;
mod resource_metadata;
mod seen;
mod status;
mod token;
#[cfg(feature = "fetch")]
mod transport;
mod verify;

/// Decides which requests may pass. Cloning is cheap and shares the keys.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: policy::Policy,
    answers: Arc<refusal::Answers>,
    resource: Option<ResourceMetadata>,
}

impl Guard {
    /// A guard for tokens that `issuer` made for `audience`, with keys found by the issuer's metadata.
    ///
    /// `issuer` must equal the tokens' `iss` byte for byte: Auth0's and Tokenhouse's end in `/`. Nothing is fetched
    /// before this returns; inside a tokio runtime the fetch begins at once. Fails only on what can be seen without it.
    #[cfg(feature = "fetch")]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder().issuer(Issuer::new(issuer)).audience(audience).build()
    }

    /// A guard with other settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A tower layer that lets requests with a valid token pass; add scopes with [`GuardLayer::scope`].
    pub fn layer(&self) -> GuardLayer {
        GuardLayer::new(self.clone())
    }

    /// Checks one token, the text after `Bearer `.
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Denied> {
        self.0.policy.verify(token).await
    }

    /// Makes the same checks, in the same order, and says how each went: for people who ask why a token is refused.
    pub async fn inspect(&self, token: &str) -> Vec<Check> {
        verify::inspect(&self.0.policy, token).await
    }

    /// Waits until keys are held for every issuer: for programs that should not start without.
    ///
    /// Fails if an issuer cannot be reached; the guard itself goes on trying.
    pub async fn ready(&self) -> Result<(), Unavailable> {
        for issuer in &self.0.policy.issuers {
            if issuer.keys.held().is_err() {
                issuer.keys.look_again().await?;
            }
        }
        Ok(())
    }

    /// The state of the keys and of the cache, for health pages.
    pub fn status(&self) -> Status {
        Status::of(&self.0.policy)
    }

    /// Finds the token of a request and checks it. A token in the query or body is not read; one in the query
    /// beside one in the `Authorization` header is refused (RFC 6750 §2).
    pub async fn authenticate(&self, parts: &Parts) -> Result<AccessToken, Denied> {
        let token = token_of(&parts.headers, &parts.uri).map_err(|Refused { check, denied }| {
            seen::refused(check, &denied);
            denied
        })?;
        self.verify(token).await
    }

    /// The token of a request, if it was verified before and still holds: found without waiting, and not yet counted.
    pub(crate) fn known(&self, headers: &HeaderMap, uri: &Uri) -> Option<AccessToken> {
        let token = bearer::sent(authorizations(headers)).ok()?;
        if has_token(uri) {
            return None;
        }
        self.0.policy.known(token)
    }

    /// The answer to a request that was denied: the guard's own, or the author's if one was given to the builder.
    pub fn refuse(&self, denied: Denied, parts: &Parts) -> http::Response<String> {
        self.refusal(denied).answer(parts)
    }

    /// What this API says of itself, to be routed (RFC 9728). Fails if the builder was given no [`Builder::resource`].
    pub fn resource_metadata(&self) -> Result<ResourceMetadata, BuildError> {
        self.0.resource.clone().ok_or(BuildError::NoResource)
    }

    pub(crate) fn refusal(&self, denied: Denied) -> Refusal {
        Refusal::new(denied, Arc::clone(&self.0.answers))
    }

    pub(crate) fn answers(&self) -> &Arc<refusal::Answers> {
        &self.0.answers
    }
}

/// The one token of a request, as it was sent.
fn token_of<'r>(headers: &'r HeaderMap, uri: &Uri) -> Result<&'r str, Refused> {
    let token = bearer::read(authorizations(headers)).map_err(|error| {
        let denied = Denied::from(error);
        let check = if denied == Denied::NoToken { "no_token" } else { "form" };
        Refused { check, denied }
    })?;
    if has_token(uri) {
        let denied = Denied::InvalidRequest(Reason::new(
            "More than one method used for authentication",
            "Send the token in the Authorization header only.",
        ));
        let check = "several_methods";
        return Err(Refused { check, denied });
    }
    Ok(token)
}

fn authorizations(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let headers = headers.get_all(http::header::AUTHORIZATION).iter();
    headers.map(http::HeaderValue::as_bytes)
}

/// Whether there is a token in the query (RFC 6750 §2.3), which is never read.
fn has_token(uri: &Uri) -> bool {
    let is_token = |pair: &str| pair.split('=').next() == Some("access_token");
    uri.query().is_some_and(|query| query.split('&').any(is_token))
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.0.policy)
            .field("answers", &self.0.answers)
            .finish_non_exhaustive()
    }
}

/// What the crate's page shows first: compiled, as every example.
#[cfg(all(doctest, feature = "axum", feature = "fetch"))]
#[doc = include_str!("../README.md")]
struct Readme;
