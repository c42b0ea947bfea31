//! The token in the requests of a tower service.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::attach::{Attach, header};
use crate::{BuildError, TokenClient};

/// Whatever went wrong: [`crate::Error`], or the inner service's.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Puts tokens into requests to one origin; made by [`TokenClient::layer`].
#[derive(Clone, Debug)]
pub struct TokenLayer(Attach);

impl TokenClient {
    /// Puts a token into each `http` request to `origin`, such as `https://api.example.com`, and into no other: the
    /// request's URI says where it goes, so one without scheme and host goes without a token. A request that has an
    /// `Authorization` header keeps it.
    ///
    /// A 401 of the API, unless it names another error than `invalid_token`, gives that token up, and the request is
    /// repeated once with another, if there is any. For that, bodies are cloned: `Full<Bytes>` and `String` clone, a
    /// stream does not. Where no token is to be had at all, the request is not sent, and the service's error is
    /// [`crate::Error`].
    ///
    /// Put a layer that follows redirects outside of this one, so that each hop is looked at.
    ///
    /// ```
    /// # async fn run<S>(tokens: tokenhouse_client::TokenClient, service: S) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    /// # where S: tower::Service<http::Request<String>, Response = http::Response<String>> + Clone + Send + 'static,
    /// #       S::Error: Into<Box<dyn std::error::Error + Send + Sync>>, S::Future: Send {
    /// use tower::{ServiceBuilder, ServiceExt};
    ///
    /// let api = ServiceBuilder::new().layer(tokens.layer("https://api.example.com")?).service(service);
    /// let request = http::Request::get("https://api.example.com/reports").body(String::new())?;
    /// let response = api.oneshot(request).await?;
    /// # Ok(()) }
    /// ```
    pub fn layer(&self, origin: &str) -> Result<TokenLayer, BuildError> {
        Attach::new(self.clone(), origin).map(TokenLayer)
    }
}

impl TokenLayer {
    /// The same for bodies that do not clone: axum's `Body`, hyper's `Incoming`, boxed ones. A token that the API refuses is
    /// given up, so that the next request carries another; this one is not repeated, and its 401 is the answer.
    ///
    /// ```
    /// # async fn run<S>(tokens: tokenhouse_client::TokenClient, service: S, body: axum::body::Body)
    /// # -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    /// # where S: tower::Service<http::Request<axum::body::Body>, Response = http::Response<String>> + Clone + Send + 'static,
    /// #       S::Error: Into<Box<dyn std::error::Error + Send + Sync>>, S::Future: Send {
    /// use tower::{ServiceBuilder, ServiceExt};
    ///
    /// let api = ServiceBuilder::new().layer(tokens.layer("https://api.example.com")?.once()).service(service);
    /// let request = http::Request::post("https://api.example.com/reports").body(body)?;
    /// let response = api.oneshot(request).await?;
    /// # Ok(()) }
    /// ```
    pub fn once(self) -> TokenOnceLayer {
        TokenOnceLayer(self.0)
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> TokenService<S> {
        TokenService {
            inner,
            attach: self.0.clone(),
        }
    }
}

/// A service whose requests to one origin carry a token.
#[derive(Clone, Debug)]
pub struct TokenService<S> {
    inner: S,
    attach: Attach,
}

impl<S, B, R> Service<Request<B>> for TokenService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Clone + Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call; its clone waits for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let attach = self.attach.clone();
        Box::pin(async move {
            if !wants_token(&attach, &request) {
                return inner.call(request).await.map_err(Into::into);
            }
            let token = attach.client.token().await?;
            let mut again = request.clone();
            request.headers_mut().insert(AUTHORIZATION, header(&token)?);
            let response = inner.call(request).await.map_err(Into::into)?;
            if !Attach::is_refused(response.status(), response.headers()) || !attach.client.invalidate(&token) {
                return Ok(response);
            }
            let Some(another) = attach.another(&token).await else {
                return Ok(response);
            };
            again.headers_mut().insert(AUTHORIZATION, header(&another)?);
            poll_fn(|context| inner.poll_ready(context)).await.map_err(Into::into)?;
            inner.call(again).await.map_err(Into::into)
        })
    }
}

/// Puts tokens into requests to one origin, and repeats none; made by [`TokenLayer::once`].
#[derive(Clone, Debug)]
pub struct TokenOnceLayer(Attach);

impl<S> Layer<S> for TokenOnceLayer {
    type Service = TokenOnceService<S>;

    fn layer(&self, inner: S) -> TokenOnceService<S> {
        TokenOnceService {
            inner,
            attach: self.0.clone(),
        }
    }
}

/// A service whose requests to one origin carry a token, whatever their bodies.
#[derive(Clone, Debug)]
pub struct TokenOnceService<S> {
    inner: S,
    attach: Attach,
}

impl<S, B, R> Service<Request<B>> for TokenOnceService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // As above.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let attach = self.attach.clone();
        Box::pin(async move {
            if !wants_token(&attach, &request) {
                return inner.call(request).await.map_err(Into::into);
            }
            let token = attach.client.token().await?;
            request.headers_mut().insert(AUTHORIZATION, header(&token)?);
            let response = inner.call(request).await.map_err(Into::into)?;
            if Attach::is_refused(response.status(), response.headers()) {
                attach.client.invalidate(&token);
            }
            Ok(response)
        })
    }
}

/// Whether a request goes to the origin, and has no token of its own.
fn wants_token<B>(attach: &Attach, request: &Request<B>) -> bool {
    let uri = request.uri();
    attach.is_origin(uri.scheme_str(), uri.host(), uri.port_u16()) && !request.headers().contains_key(AUTHORIZATION)
}
