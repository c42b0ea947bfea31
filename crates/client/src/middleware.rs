//! The token in the requests of `reqwest-middleware`.

use http::Extensions;
use http::header::AUTHORIZATION;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::attach::{Attach, header};
use crate::{BuildError, TokenClient};

/// Puts tokens into requests to one origin; made by [`TokenClient::middleware`].
#[derive(Clone, Debug)]
pub struct TokenMiddleware(Attach);

impl TokenClient {
    /// Puts a token into each request to `origin`, such as `https://api.example.com`, and into no other: neither into
    /// one for another scheme, host or port, nor where such a redirect leads. A request that has an `Authorization`
    /// header keeps it.
    ///
    /// A 401 of the API, unless it names another error than `invalid_token`, gives that token up, and the request is
    /// repeated once with another: not if its body is a stream, which cannot be sent twice, and not if there is no
    /// other token. Then the 401 is the answer. Where no token is to be had at all, the request is not sent, and the
    /// error is [`crate::Error`] in `reqwest_middleware::Error::Middleware`.
    ///
    /// ```no_run
    /// use tokenhouse_client::TokenClient;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let tokens = TokenClient::builder()
    ///     .issuer("https://tenant.example.com/")
    ///     .credentials("my-client-id", "my-client-secret")
    ///     .audience("https://api.example.com")
    ///     .build()?;
    /// let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(10)).build()?;
    /// let api = reqwest_middleware::ClientBuilder::new(http)
    ///     .with(tokens.middleware("https://api.example.com")?)
    ///     .build();
    /// let response = api.get("https://api.example.com/reports").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn middleware(&self, origin: &str) -> std::result::Result<TokenMiddleware, BuildError> {
        Attach::new(self.clone(), origin).map(TokenMiddleware)
    }
}

impl TokenMiddleware {
    fn is_origin(&self, url: &Url) -> bool {
        self.0.is_origin(Some(url.scheme()), url.host_str(), url.port())
    }
}

#[async_trait::async_trait]
impl Middleware for TokenMiddleware {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        if !self.is_origin(request.url()) || request.headers().contains_key(AUTHORIZATION) {
            return next.run(request, extensions).await;
        }
        let token = self.0.client.token().await.map_err(Error::middleware)?;
        let again = request.try_clone();
        let value = header(&token).map_err(Error::middleware)?;
        request.headers_mut().insert(AUTHORIZATION, value);
        let response = next.clone().run(request, extensions).await?;
        // Another origin's answer says nothing of the token, which it has not seen.
        let is_refused = Attach::is_refused(response.status(), response.headers()) && self.is_origin(response.url());
        if !is_refused || !self.0.client.invalidate(&token) {
            return Ok(response);
        }
        let Some(mut again) = again else { return Ok(response) };
        let Some(another) = self.0.another(&token).await else {
            return Ok(response);
        };
        let value = header(&another).map_err(Error::middleware)?;
        again.headers_mut().insert(AUTHORIZATION, value);
        next.run(again, extensions).await
    }
}
