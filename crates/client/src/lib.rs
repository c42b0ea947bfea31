//! Gets access tokens from any OAuth issuer (RFC 6749), keeps each until it expires, and never lets a bad day of the
//! issuer cost a valid one.
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
//! Make one client and clone it: clones share their tokens. For another API, or other scopes, see
//! [`TokenClient::for_audience`] and [`TokenClient::with_scope`].
//!
//! # Tokens in your requests
//!
//! With the feature `reqwest-middleware`, `TokenClient::middleware` puts the token into every request to one origin,
//! and with the feature `tower`, `TokenClient::layer` does so for a tower service. When the API answers 401, they
//! give up that token, get another, and repeat the request: once, and only if its body can be repeated. Whoever sends
//! requests otherwise calls [`TokenClient::token`] before each, and [`TokenClient::invalidate`] after a 401.
//!
//! # On a bad day
//!
//! | what happens | what the client does |
//! |---|---|
//! | a thousand tasks ask at once | one request is on its way, all wait for it |
//! | a caller gives up waiting | the request goes on for the others |
//! | a token nears its end | a new one is fetched in the background, ahead of need, at a time with chance in it |
//! | the issuer fails while the token is valid | the token is handed out until it expires |
//! | the issuer fails and there is no token | [`Error::Unavailable`], at once while a pause lasts; pauses grow to 30 s |
//! | 429 or 503 with `Retry-After`, 429 with `X-RateLimit-Reset` | nothing is asked before that time |
//! | three failures in a row, of whichever token | one request at a time tries whether the issuer is back |
//! | the token quota is low (`Auth0-Client-Quota-Limit`) | fetches are spread over the rest of its window |
//! | the quota is used up | one request tries after a minute, then after two, four, up to ten, until the window ends |
//! | the quota turns out to be counted and not enforced, or was raised | the client slows down no longer |
//! | the clock is set back | pauses are over, and the token is renewed |
//! | an API refuses every token | pauses between new tokens grow to a minute |
//! | an API refuses a token, and the issuer fails | that token is handed out again until another is to be had, or it expires |
//! | the token endpoint moves | its address is looked up anew every hour, and at once when nothing good answers there |
//! | the answer is huge, slow, redirected or no token | an error: each request ends after 10 s or 256 KiB |
//!
//! The issuer is asked only while somebody asks for tokens: a program that rests costs nothing.
//!
//! # In your tests
//!
//! With the feature `test-util`, the module `testing` has an issuer that fails as it is told, and a clock that is moved.
//!
//! The module `guide` has a page for each task.
#![cfg_attr(docsrs, feature(doc_cfg))]

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::crypto;
pub use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::secret::Secret;
pub use tokenhouse_protocol::time::{Clock, Timestamp};

pub use self::assertion::PrivateKey;
pub use self::builder::Builder;
use self::cache::Cache;
pub use self::error::{BuildError, Error};
#[cfg(feature = "tower")]
pub use self::layer::{TokenLayer, TokenOnceLayer, TokenOnceService, TokenService};
#[cfg(feature = "reqwest-middleware")]
pub use self::middleware::TokenMiddleware;
use self::slot::{Slot, Wanted};

mod answer;
mod assertion;
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod attach;
mod breaker;
mod builder;
mod cache;
mod endpoint;
mod error;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod pause;
mod quota;
mod request;
mod slot;
#[cfg(feature = "test-util")]
pub mod testing;

/// Gets and keeps the tokens for one API. Cloning is cheap and shares them.
#[derive(Clone)]
pub struct TokenClient {
    cache: Arc<Cache>,
    slot: Arc<Slot>,
}

impl TokenClient {
    /// Begins a client. Needed: where tokens are given, and credentials.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A valid token: the one that is kept, or a new one if none is.
    ///
    /// Must be called inside a tokio runtime. Fails if there is no valid token and none to be had; while the issuer asks
    /// for patience, or soon after a failure, it fails at once without asking again: see [`Error::retry_after_seconds`].
    /// Whoever stops waiting takes nothing from the others.
    pub async fn token(&self) -> Result<AccessToken, Error> {
        self.cache.token(&self.slot).await
    }

    /// The same application's tokens for another API, with all scopes that were granted.
    ///
    /// ```no_run
    /// # async fn run(client: tokenhouse_client::TokenClient) -> Result<(), tokenhouse_client::Error> {
    /// let reports = client.for_audience("https://reports.example.com").with_scope("read:reports");
    /// let token = reports.token().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// There is one token for each audience and set of scopes, however many clients were made for them.
    pub fn for_audience(&self, audience: impl Into<String>) -> Self {
        self.for_wanted(Wanted::new(Some(audience.into()), ""))
    }

    /// The tokens for the same API with these scopes, separated by spaces; their order is no matter.
    pub fn with_scope(&self, scope: &str) -> Self {
        self.for_wanted(Wanted::new(self.slot.wanted().audience.clone(), scope))
    }

    /// Gives `token` up, since an API refused it with 401, and says whether another try makes sense.
    ///
    /// Only that very token is given up: if another has taken its place, that one stays. An API that refuses one token
    /// after the other must not use up the issuer's patience or the quota: then the answer is `false`, for a second at
    /// first and for a minute at most, and the token stays. While the issuer has trouble giving another, the one that was
    /// given up is handed out again until it expires: an API that refuses it on one path may take it on others.
    ///
    /// ```no_run
    /// # async fn run(client: tokenhouse_client::TokenClient, http: reqwest::Client, url: &str)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// let token = client.token().await?;
    /// let mut response = http.get(url).bearer_auth(token.expose()).send().await?;
    /// if response.status() == 401 && client.invalidate(&token) {
    ///     let token = client.token().await?;
    ///     response = http.get(url).bearer_auth(token.expose()).send().await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn invalidate(&self, token: &AccessToken) -> bool {
        self.cache.invalidate(&self.slot, token)
    }

    /// Whether the issuer is being asked for this token: a test that moves the clock waits until it is not, since a
    /// request takes real time and none by that clock.
    pub fn is_asking(&self) -> bool {
        self.slot.lock().in_flight().is_some()
    }

    fn for_wanted(&self, wanted: Wanted) -> Self {
        Self {
            cache: Arc::clone(&self.cache),
            slot: self.cache.slot(wanted),
        }
    }
}

impl fmt::Debug for TokenClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient")
            .field("audience", &self.slot.wanted().audience)
            .finish_non_exhaustive()
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

    /// Whether both are the same text.
    pub(crate) fn is(&self, other: &Self) -> bool {
        crypto::equal(self.expose().as_bytes(), other.expose().as_bytes())
    }
}

/// What the crate's page shows first: compiled, as every example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
