//! The guard as a tower layer, for axum and for any service of `http` requests.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::Guard;
use crate::error::Denied;
use crate::token::AccessToken;

/// Lets requests with a valid token pass; made by [`Guard::layer`]. Each demand that is added must be met.
#[derive(Clone, Debug)]
pub struct GuardLayer {
    guard: Guard,
    demands: Vec<Demand>,
}

#[derive(Clone, Debug)]
enum Demand {
    All(Vec<String>),
    Any(Vec<String>),
}

impl GuardLayer {
    pub(crate) fn new(guard: Guard) -> Self {
        Self {
            guard,
            demands: Vec::new(),
        }
    }

    /// The token must also allow `scope`. Several calls want all of them.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        match self.demands.last_mut() {
            Some(Demand::All(scopes)) => scopes.push(scope.into()),
            _ => self.demands.push(Demand::All(vec![scope.into()])),
        }
        self
    }

    /// The token must also allow one of `scopes`; of none, nothing passes.
    #[must_use]
    pub fn any_scope(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.demands
            .push(Demand::Any(scopes.into_iter().map(Into::into).collect()));
        self
    }

    /// The token of a request that may pass.
    async fn admit(&self, parts: &Parts) -> Result<AccessToken, Denied> {
        let token = self.guard.authenticate(parts).await?;
        for demand in &self.demands {
            let (met, required) = match demand {
                Demand::All(scopes) => (scopes.iter().all(|scope| token.has_scope(scope)), scopes),
                Demand::Any(scopes) => (scopes.iter().any(|scope| token.has_scope(scope)), scopes),
            };
            if !met {
                return Err(Denied::InsufficientScope {
                    required: required.clone(),
                });
            }
        }
        Ok(token)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a guard. It sees only requests that may pass, each with an [`AccessToken`] in its extensions, and
/// CORS preflights, which carry no token (Fetch §4.8).
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S, B, R> Service<Request<B>> for GuardService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call; its clone waits for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        if is_preflight(&request) {
            return Box::pin(inner.call(request));
        }
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.admit(&parts).await {
                Ok(token) => {
                    parts.extensions.insert(token);
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(denied) => {
                    tracing::debug!(%denied, "request refused");
                    Ok(layer.guard.refuse(denied, &parts).map(R::from))
                }
            }
        })
    }
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
