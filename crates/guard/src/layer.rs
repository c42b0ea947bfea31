//! The guard as a tower layer, for axum and for any service of `http` requests.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::Guard;
use crate::authorization::{Claim, Requirement, Wanted, check_names};
use crate::error::{Denied, Reason};
use crate::refusal::{Anonymous, Refusal};
use crate::seen;
use crate::token::AccessToken;

/// Lets requests with a valid token pass; made by [`Guard::layer`]. Each demand that is added must be met.
#[derive(Clone, Debug)]
pub struct GuardLayer(Arc<Demands>);

#[derive(Clone, Debug)]
struct Demands {
    guard: Guard,
    is_optional: bool,
    takes_preflights: bool,
    always: Vec<Requirement>,
    /// What single methods want beside; if there are any, the methods that are not named want what nobody has.
    by_method: Vec<(Method, Requirement)>,
    /// The scopes that [`GuardLayer::scope`] collects: one demand, so that a refusal names all of them.
    scopes: Vec<String>,
}

impl GuardLayer {
    pub(crate) fn new(guard: Guard) -> Self {
        Self(Arc::new(Demands {
            guard,
            is_optional: false,
            takes_preflights: true,
            always: Vec::new(),
            by_method: Vec::new(),
            scopes: Vec::new(),
        }))
    }

    /// The token must also allow `scope`. Several calls want all of them.
    #[must_use]
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.with(|demands| demands.scopes.push(scope.into()))
    }

    /// The token must also allow one of `scopes`; of none, nothing passes.
    #[must_use]
    pub fn any_scope(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.require(Requirement::unchecked(Claim::Scope, Wanted::Any, scopes))
    }

    /// The token's user must also have `permission`. Several calls want all of them.
    #[must_use]
    pub fn permission(self, permission: impl Into<String>) -> Self {
        let names = vec![permission.into()];
        self.require(Requirement::unchecked(Claim::Permissions, Wanted::All, names))
    }

    /// The token must also meet this requirement.
    #[must_use]
    pub fn require(self, requirement: Requirement) -> Self {
        self.with(|demands| demands.always.push(requirement))
    }

    /// For requests of this method, the token must also meet this requirement.
    ///
    /// Once one method is named, those that are not are refused with 403, whatever the token: a route that is added later
    /// is not open by oversight. What holds for GET holds for HEAD, unless HEAD is named itself.
    ///
    /// ```
    /// # use http::Method;
    /// # use tokenhouse_guard::{Guard, GuardLayer, InvalidRequirement, Requirement};
    /// # fn layer(guard: &Guard) -> Result<GuardLayer, InvalidRequirement> {
    /// let layer = guard
    ///     .layer()
    ///     .require_for(Method::GET, Requirement::nothing())
    ///     .require_for(Method::POST, Requirement::scopes(["write:messages"])?);
    /// # Ok(layer) }
    /// ```
    #[must_use]
    pub fn require_for(self, method: Method, requirement: Requirement) -> Self {
        self.with(|demands| demands.by_method.push((method, requirement)))
    }

    /// Requests without an `Authorization` header pass as well, without a token, where nothing but a valid token is
    /// required. One that has the header must have it right: a bad token is refused, never ignored.
    #[must_use]
    pub fn optional(self) -> Self {
        self.with(|demands| demands.is_optional = true)
    }

    /// CORS preflights need a token like every other request: for handlers of any method, such as a proxy, that must see
    /// nothing without one. Browsers send none with them, so that no page of another origin can call such an API.
    #[must_use]
    pub fn guard_preflights(self) -> Self {
        self.with(|demands| demands.takes_preflights = false)
    }

    fn with(mut self, change: impl FnOnce(&mut Demands)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Demands {
    /// The token of a request that may pass, if it has one.
    async fn admit(&self, parts: &Parts) -> Result<Option<AccessToken>, Denied> {
        let is_free = || {
            let mut of_method = self.of_method(&parts.method);
            self.scopes.is_empty()
                && self.always.iter().all(Requirement::is_nothing)
                && self.names(&parts.method)
                && of_method.all(Requirement::is_nothing)
        };
        if self.takes_preflights && is_preflight(parts) {
            return Ok(None);
        }
        if self.is_optional && !parts.headers.contains_key(AUTHORIZATION) && is_free() {
            return Ok(None);
        }
        let token = self.guard.authenticate(parts).await?;
        self.authorize(&token, &parts.method)
            .inspect_err(|denied| seen::refused("scope", denied))?;
        Ok(Some(token))
    }

    /// The same for a token that was verified before, as most are: without waiting. `None` if it takes longer to say.
    fn admit_known<B>(&self, request: &Request<B>) -> Option<AccessToken> {
        let token = self.guard.known(request.headers(), request.uri())?;
        self.authorize(&token, request.method()).ok()?;
        seen::remembered();
        Some(token)
    }

    fn authorize(&self, token: &AccessToken, method: &Method) -> Result<(), Denied> {
        if !self.names(method) {
            return Err(Denied::Forbidden(Reason::new(
                "Insufficient Scope",
                format!("This API allows the method {method} to nobody."),
            )));
        }
        check_names(token, Claim::Scope, Wanted::All, &self.scopes)?;
        let mut required = self.always.iter().chain(self.of_method(method));
        required.try_for_each(|requirement| requirement.check(token))
    }

    /// Whether requests of this method may pass at all.
    fn names(&self, method: &Method) -> bool {
        self.by_method.is_empty() || self.of_method(method).next().is_some()
    }

    fn of_method<'a>(&'a self, method: &'a Method) -> impl Iterator<Item = &'a Requirement> {
        let is_named = self.by_method.iter().any(|(named, _)| named == method);
        // Routers answer HEAD by what they have for GET.
        let method = if *method == Method::HEAD && !is_named {
            &Method::GET
        } else {
            method
        };
        let of_it = self.by_method.iter().filter(move |(named, _)| named == method);
        of_it.map(|(_, requirement)| requirement)
    }

    fn refusal(&self, denied: Denied, parts: &Parts) -> Refusal {
        let of_layer = self.scopes.iter().map(String::as_str);
        let required = self.always.iter().chain(self.of_method(&parts.method));
        let scopes = of_layer.chain(required.flat_map(Requirement::scopes_to_ask_for));
        self.guard.refusal(denied).wanting(scopes)
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService {
            inner,
            demands: Arc::clone(&self.0),
        }
    }
}

/// A service behind a guard. It sees only requests that may pass, each with an [`AccessToken`] in its extensions (but see
/// [`GuardLayer::optional`]), and CORS preflights, which carry no token (Fetch §4.8): `OPTIONS` with the headers `Origin` and
/// `Access-Control-Request-Method`. Those are for a CORS layer or a router to answer. Anybody can send one, so a handler of any
/// method meets them without a token, as an extractor finds: [`GuardLayer::guard_preflights`] keeps them out.
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    inner: S,
    demands: Arc<Demands>,
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
    type Future = GuardFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // An author who answers refusals answers those of handlers too, and is shown the request.
        let is_shown = self.demands.guard.answers().are_rendered();
        if !is_shown && let Some(token) = self.demands.admit_known(&request) {
            request.extensions_mut().insert(token);
            return GuardFuture::passing(self.inner.call(request));
        }
        let (mut parts, body) = request.into_parts();
        // The service that was made ready is the one to call; its clone waits for the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let demands = Arc::clone(&self.demands);
        GuardFuture::checking(async move {
            match demands.admit(&parts).await {
                Ok(token) => {
                    match token {
                        Some(token) => drop(parts.extensions.insert(token)),
                        None => drop(parts.extensions.insert(Anonymous(Arc::clone(demands.guard.answers())))),
                    }
                    let shown = is_shown.then(|| parts.clone());
                    let mut response = inner.call(Request::from_parts(parts, body)).await?;
                    match (shown, response.extensions_mut().remove::<Refusal>()) {
                        (Some(parts), Some(refusal)) => Ok(refusal.answer(&parts).map(R::from)),
                        (_, _) => Ok(response),
                    }
                }
                Err(denied) => {
                    tracing::debug!(%denied, "request refused");
                    Ok(demands.refusal(denied, &parts).answer(&parts).map(R::from))
                }
            }
        })
    }
}

pin_project! {
    /// What a [`GuardService`] answers.
    pub struct GuardFuture<F, R, E> {
        #[pin]
        state: State<F, R, E>,
    }
}

pin_project! {
    /// The way of most requests takes no room of its own.
    #[project = Projected]
    enum State<F, R, E> {
        /// The request may pass, and was passed on.
        Passing { #[pin] answering: F },
        /// Its token is being verified.
        Checking { checking: Checking<R, E> },
    }
}

type Checking<R, E> = Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>;

impl<F, R, E> GuardFuture<F, R, E> {
    fn passing(answering: F) -> Self {
        Self {
            state: State::Passing { answering },
        }
    }

    fn checking(checking: impl Future<Output = Result<Response<R>, E>> + Send + 'static) -> Self {
        Self {
            state: State::Checking {
                checking: Box::pin(checking),
            },
        }
    }
}

impl<F, R, E> Future for GuardFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::Passing { answering } => answering.poll(context).map_ok(|mut response| {
                response.extensions_mut().remove::<Refusal>();
                response
            }),
            Projected::Checking { checking } => checking.as_mut().poll(context),
        }
    }
}

impl<F, R, E> fmt::Debug for GuardFuture<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFuture").finish_non_exhaustive()
    }
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
