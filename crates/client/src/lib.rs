//! Gets access tokens with client credentials (RFC 6749 §4.4) and keeps each until it expires.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use tokenhouse_client::TokenClient;
//!
//! let client = TokenClient::builder()
//!     .issuer("https://tenant.example.com/")
//!     .credentials("my-client-id", "my-client-secret")
//!     .audience("https://api.example.com")
//!     .build()?;
//! let token = client.token().await?; // asks the issuer
//! let again = client.token().await?; // does not
//! println!("Authorization: Bearer {}", token.expose());
//! # Ok(()) }
//! ```
//!
//! Make one client and clone it: clones share the token. However many tasks ask, one request is on its way at a time;
//! a token is renewed before it expires, and a failing issuer costs nothing while the token is still valid.

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::secret::Secret;
pub use tokenhouse_protocol::time::{Clock, Timestamp};

use self::cache::Cache;
pub use self::error::{BuildError, Error};
use self::request::{Endpoint, Request};

mod cache;
mod error;
mod request;

/// Gets and keeps the tokens for one API. Cloning is cheap and shares them.
#[derive(Clone)]
pub struct TokenClient(Arc<Cache>);

impl TokenClient {
    /// Begins a client. Needed: where tokens are given, and credentials.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A valid token: the one that is kept, or a new one if none is.
    ///
    /// Must be called inside a tokio runtime. Fails if there is no valid token and none to be had; while the issuer asks
    /// for patience, or soon after a failure, it fails at once without asking again: see [`Error::retry_after_seconds`].
    pub async fn token(&self) -> Result<AccessToken, Error> {
        Arc::clone(&self.0).token().await
    }
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient").finish_non_exhaustive()
    }
}

/// An access token and how long it is valid. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    text: Arc<Secret>,
    expires_at: Timestamp,
    scope: Option<Arc<str>>,
}

impl AccessToken {
    /// The token, for the header `Authorization: Bearer …`.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// When it stops being valid, as the issuer said.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The scopes that were granted, separated by spaces, if the issuer names them.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }
}

/// Collects the settings of a [`TokenClient`].
#[derive(Default)]
#[must_use]
pub struct Builder {
    endpoint: Option<Place>,
    credentials: Option<(String, Secret)>,
    audience: Option<String>,
    scope: Option<String>,
    clock: Option<Clock>,
}

enum Place {
    Issuer(String),
    TokenUrl(String),
}

impl Builder {
    /// Finds the token endpoint by this issuer's metadata. Auth0's and Tokenhouse's issuers end in `/`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.endpoint = Some(Place::Issuer(issuer.into()));
        self
    }

    /// Asks at this token endpoint, without looking for metadata.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Place::TokenUrl(url.into()));
        self
    }

    /// The application's id and secret, sent in the body as Auth0's SDKs do (`client_secret_post`).
    pub fn credentials(mut self, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        self.credentials = Some((client_id.into(), Secret::new(client_secret)));
        self
    }

    /// The API that the tokens are for; without one the issuer chooses.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The scopes to ask for, separated by spaces; without them the issuer gives all that it granted.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// The clock to go by, for tests that move it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The client. Nothing is sent before the first token is asked for.
    pub fn build(self) -> Result<TokenClient, BuildError> {
        let endpoint = match self.endpoint.ok_or(BuildError::NoEndpoint)? {
            Place::Issuer(issuer) => Endpoint::discover(issuer)?,
            Place::TokenUrl(url) => Endpoint::at(&url)?,
        };
        let (client_id, client_secret) = self.credentials.ok_or(BuildError::NoCredentials)?;
        let request = Request::new(endpoint, client_id, client_secret, self.audience, self.scope)?;
        let clock = self.clock.unwrap_or_else(Clock::system);
        Ok(TokenClient(Arc::new(Cache::new(request, clock))))
    }
}
