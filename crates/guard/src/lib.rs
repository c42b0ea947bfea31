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
//! Features: `fetch` (default) gets keys over HTTP; without it, give the guard a [`KeySource`]. `axum` adds extractors.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use tokenhouse_protocol::bearer;

pub use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};
pub use tokenhouse_protocol::time::{Clock, Timestamp};

pub use self::builder::{BuildError, Builder};
pub use self::error::{Denied, Reason, Refusal};
pub use self::keys::{Key, KeySet, KeySource, LocalKeys, LookAgain, Unavailable};
pub use self::layer::{GuardLayer, GuardService};
pub use self::token::AccessToken;
pub use self::verify::{Check, Outcome, Profile};

#[cfg(feature = "axum")]
pub mod axum;
mod builder;
mod error;
mod keys;
mod layer;
mod token;
mod verify;

/// Decides which requests may pass. Cloning is cheap and shares the keys.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: verify::Policy,
    realm: Arc<str>,
    render: Option<Arc<error::Render>>,
}

impl Guard {
    /// A guard for tokens that `issuer` made for `audience`, with keys found by the issuer's metadata.
    ///
    /// `issuer` must equal the tokens' `iss` byte for byte: Auth0's and Tokenhouse's end in `/`. Nothing is fetched
    /// before this returns; inside a tokio runtime the fetch begins at once. Fails only on what can be seen without it.
    #[cfg(feature = "fetch")]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder().issuer(issuer).audience(audience).build()
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
        let claims = self.0.policy.verify(token).await?;
        Ok(AccessToken::new(claims, Arc::clone(&self.0.realm)))
    }

    /// Makes the same checks, in the same order, and says how each went: for people who ask why a token is refused.
    pub async fn inspect(&self, token: &str) -> Vec<Check> {
        self.0.policy.inspect(token).await
    }

    /// Finds the token of a request and checks it. A token in the query or body is not read; one there beside one in the
    /// `Authorization` header is refused (RFC 6750 §2).
    pub async fn authenticate(&self, parts: &Parts) -> Result<AccessToken, Denied> {
        let headers = parts.headers.get_all(http::header::AUTHORIZATION);
        let token = bearer::read(headers.iter().map(http::HeaderValue::as_bytes))?;
        let query = parts.uri.query().unwrap_or_default();
        if query
            .split('&')
            .any(|pair| pair.split('=').next() == Some("access_token"))
        {
            return Err(Denied::InvalidRequest(Reason::new(
                "More than one method used for authentication",
                "Send the token in the Authorization header only.",
            )));
        }
        self.verify(token).await
    }

    /// The answer to a request that was denied: the guard's own, or the author's if one was given to the builder.
    pub fn refuse(&self, denied: Denied, parts: &Parts) -> http::Response<String> {
        let refusal = Refusal {
            denied,
            realm: Arc::clone(&self.0.realm),
        };
        match &self.0.render {
            Some(render) => render(&refusal, parts),
            None => refusal.response(),
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.0.policy)
            .field("realm", &self.0.realm)
            .finish_non_exhaustive()
    }
}
