//! The settings of a client, collected one by one and checked together.

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::time::Clock;

use crate::assertion::PrivateKey;
use crate::cache::Cache;
use crate::endpoint::{Endpoint, Http};
use crate::request::{Authentication, Grant, OnRotation, Request};
use crate::slot::Wanted;
use crate::{BuildError, TokenClient};

/// How many tokens are kept unless another number is asked for.
const MAX_TOKENS: usize = 256;

/// Collects the settings of a [`TokenClient`].
#[must_use]
pub struct Builder {
    issuer: Option<String>,
    token_url: Option<String>,
    client_id: Option<String>,
    proof: Proof,
    is_secret_in_header: bool,
    grant: Grant,
    audience: Option<String>,
    scope: String,
    ca: Option<Vec<u8>>,
    max_tokens: usize,
    heeds_quota: bool,
    clock: Clock,
}

/// What the application proves itself with.
enum Proof {
    None,
    Secret(Secret),
    Key(PrivateKey),
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            issuer: None,
            token_url: None,
            client_id: None,
            proof: Proof::None,
            is_secret_in_header: false,
            grant: Grant::ClientCredentials,
            audience: None,
            scope: String::new(),
            ca: None,
            max_tokens: MAX_TOKENS,
            heeds_quota: true,
            clock: Clock::system(),
        }
    }
}

impl Builder {
    /// Finds the token endpoint by this issuer's metadata. Auth0's and Tokenhouse's issuers end in `/`.
    ///
    /// It is also whom a private key's assertion is addressed to.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Asks at this token endpoint, without looking for metadata.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// The application's id and secret, sent in the body as Auth0's SDKs do (`client_secret_post`).
    pub fn credentials(mut self, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self.proof = Proof::Secret(Secret::new(client_secret));
        self
    }

    /// Sends the secret in the header instead (`client_secret_basic`), for issuers that want it there.
    pub fn secret_in_header(mut self) -> Self {
        self.is_secret_in_header = true;
        self
    }

    /// The application's id and private key, in place of a secret (`private_key_jwt`, RFC 7523 §2.2): the issuer knows
    /// the public half, and each request carries an assertion that is good for two minutes and one use.
    ///
    /// ```no_run
    /// use tokenhouse_client::{PrivateKey, TokenClient};
    ///
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = PrivateKey::from_pem(&std::fs::read_to_string("key.pem")?)?.with_key_id("my-key");
    /// let client = TokenClient::builder()
    ///     .issuer("https://tenant.example.com/")
    ///     .private_key("my-client-id", key)
    ///     .audience("https://api.example.com")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn private_key(mut self, client_id: impl Into<String>, key: PrivateKey) -> Self {
        self.client_id = Some(client_id.into());
        self.proof = Proof::Key(key);
        self
    }

    /// An application that has no secret, such as a command-line tool with a user's refresh token.
    pub fn public_client(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self.proof = Proof::None;
        self
    }

    /// Gets tokens with this refresh token (RFC 6749 §6), in place of client credentials.
    ///
    /// An issuer that rotates refresh tokens answers with another one, after which this one is worth nothing: `keep` is
    /// called with it, before the access token is handed out, and should store it where the program will find it after
    /// a restart. It is called in an async task and should not take long.
    ///
    /// ```no_run
    /// use tokenhouse_client::TokenClient;
    ///
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = TokenClient::builder()
    ///     .issuer("https://tenant.example.com/")
    ///     .public_client("my-client-id")
    ///     .refresh_token(std::fs::read_to_string("refresh-token")?, |rotated| {
    ///         if let Err(error) = std::fs::write("refresh-token", rotated) {
    ///             eprintln!("the refresh token was not kept: {error}");
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn refresh_token(
        mut self,
        refresh_token: impl Into<String>,
        keep: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        self.grant = Grant::refresh_token(Secret::new(refresh_token), Box::new(keep) as OnRotation);
        self
    }

    /// The API that the tokens are for; without one the issuer chooses.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The scopes to ask for, separated by spaces, in any order; without them the issuer gives all that it granted.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Trusts the authorities in this PEM file too, besides the machine's own.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// How many tokens are kept at most, one for each audience and set of scopes; 256 unless said otherwise. Beyond it
    /// the one that was not asked for the longest is forgotten.
    pub fn max_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = tokens.max(1);
        self
    }

    /// Asks on as if there were no `Auth0-Client-Quota-Limit` header. A quota that only counts needs no such thing: the
    /// client finds that out.
    pub fn ignore_quota(mut self) -> Self {
        self.heeds_quota = false;
        self
    }

    /// The clock to go by, for tests that move it.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The client. Nothing is sent before the first token is asked for.
    pub fn build(self) -> Result<TokenClient, BuildError> {
        let endpoint = match (&self.token_url, &self.issuer) {
            (Some(url), _) => Endpoint::at(url)?,
            (None, Some(issuer)) => Endpoint::discover(issuer.clone())?,
            (None, None) => return Err(BuildError::NoEndpoint),
        };
        let client_id = self.client_id.ok_or(BuildError::NoCredentials)?;
        let authentication = match self.proof {
            Proof::Secret(secret) if self.is_secret_in_header => Authentication::Header(secret),
            Proof::Secret(secret) => Authentication::Body(secret),
            Proof::Key(key) => {
                let audience = self.issuer.or(self.token_url).ok_or(BuildError::NoEndpoint)?;
                Authentication::Assertion(Box::new(key.for_client(&client_id, audience)))
            }
            Proof::None if matches!(self.grant, Grant::ClientCredentials) => return Err(BuildError::NoCredentials),
            Proof::None => Authentication::None,
        };
        let http = Http::new(&endpoint, self.ca.as_deref())?;
        let request = Request {
            http,
            endpoint,
            client_id,
            authentication,
            grant: self.grant,
            clock: self.clock.clone(),
        };
        let cache = Arc::new(Cache::new(request, self.clock, self.max_tokens, self.heeds_quota));
        let slot = cache.slot(Wanted::new(self.audience, &self.scope));
        Ok(TokenClient { cache, slot })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}
