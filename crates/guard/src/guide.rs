//! One page for each task. All examples use axum; the layer is the same around any tower service of `http` requests.

#[cfg(doc)]
use crate::*;

/// Let requests with a valid token pass.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use tokenhouse_guard::{AccessToken, Guard};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let guard = Guard::new("https://tenant.example.com/", "https://api.example.com")?;
/// guard.ready().await?; // only if the program should not start without its issuer
/// let app: Router = Router::new()
///     .route("/profile", get(profile))
///     .route_layer(guard.layer())
///     .route("/health", get(|| async { "up" })); // added after the layer: open
/// # Ok(()) }
///
/// async fn profile(token: AccessToken) -> String {
///     format!("{} by {}", token.subject().unwrap_or("?"), token.client_id().unwrap_or("?"))
/// }
/// ```
///
/// The issuer is copied from a token's `iss`, byte for byte: Auth0's and Tokenhouse's end in `/`, Keycloak's do not. The
/// audience is the API's identifier, in the token's `aud`. A handler that takes an [`AccessToken`] on a route without a
/// guard answers 500 and says so in the log: a forgotten layer opens nothing.
///
/// Make one guard and clone it. Clones share the keys and the tokens that were verified.
pub mod protect_routes {}

/// What an application may do: the claim `scope`.
///
/// By the layer, for a route or a whole router, or by the handler's argument:
///
/// ```
/// use axum::{Router, routing::get};
/// use http::Method;
/// use tokenhouse_guard::axum::{Authorization, Authorized};
/// use tokenhouse_guard::{Guard, InvalidRequirement, Requirement};
///
/// struct ReadMessages;
///
/// impl Authorization for ReadMessages {
///     const SCOPES: &[&str] = &["read:messages"]; // what is no scope does not compile
/// }
///
/// async fn messages(token: Authorized<ReadMessages>) -> String {
///     format!("the messages of {}", token.subject().unwrap_or("?"))
/// }
///
/// fn app(guard: &Guard) -> Result<Router, InvalidRequirement> {
///     let by_method = guard
///         .layer()
///         .require_for(Method::GET, Requirement::nothing()) // any valid token
///         .require_for(Method::POST, Requirement::scopes(["write:messages"])?);
///     Ok(Router::new()
///         .route("/messages", get(messages).layer(guard.layer()))
///         .route("/drafts", get(|| async { "…" }).post(|| async { "…" }).layer(by_method))
///         .route("/all", get(|| async { "…" }).layer(guard.layer().any_scope(["admin", "audit"]))))
/// }
/// ```
///
/// Without the scope the answer is 403 and its challenge names the scopes to ask the issuer for. Once one method is
/// named, those that are not are closed.
pub mod scopes {}

/// What a user may do: the claim `permissions`, which Auth0 and Tokenhouse add when the API's setting "Add Permissions in
/// the Access Token" is on; and anything else that the claims can tell.
///
/// ```
/// use tokenhouse_guard::{AccessToken, Guard, GuardLayer, InvalidRequirement, Refusal, Requirement};
///
/// fn editors(guard: &Guard) -> Result<GuardLayer, InvalidRequirement> {
///     let press = Requirement::claims("Only the press may do this", |token| {
///         token.claims().get("https://example.com/team").is_some_and(|team| team == "press")
///     });
///     let may_edit = Requirement::any_permission(["edit:messages", "publish:messages"])?;
///     Ok(guard.layer().require(may_edit.or(Requirement::scopes(["admin"])?).and(press)))
/// }
///
/// /// A handler decides by what it finds.
/// async fn remove(token: AccessToken) -> Result<&'static str, Refusal> {
///     let owner = "auth0|64f0"; // from the database
///     if token.subject() != Some(owner) {
///         token.require_scope("delete:any-message")?;
///     }
///     Ok("removed")
/// }
/// ```
///
/// A scope says what the user let an application do, a permission what the user may do at all: where both matter, require
/// both. Claims of your own are read as a type by [`AccessToken::typed`], or by the argument `AccessToken<MyClaims>`.
pub mod permissions {}

/// Routes for everybody that know their user where there is one.
///
/// ```
/// use axum::{Router, routing::get};
/// use tokenhouse_guard::{AccessToken, Guard};
///
/// async fn home(token: Option<AccessToken>) -> String {
///     format!("hello {}", token.as_ref().and_then(AccessToken::subject).unwrap_or("stranger"))
/// }
///
/// async fn account(token: AccessToken) -> String {
///     token.subject().unwrap_or("?").to_owned()
/// }
///
/// fn app(guard: &Guard) -> Router {
///     Router::new()
///         .route("/", get(home)) // with a token or without
///         .route("/account", get(account)) // 401 without
///         .route_layer(guard.layer().optional())
/// }
/// ```
///
/// Only a request without an `Authorization` header passes without a token. A bad token is refused with 401, never
/// ignored: its sender believes to be signed in. Where the layer requires a scope, a token is required too.
pub mod optional_tokens {}

/// One API, several issuers: a move from one to another, or partners with an issuer of their own.
///
/// ```no_run
/// use tokenhouse_guard::{BuildError, Guard, Issuer, Profile};
///
/// # fn run() -> Result<(), BuildError> {
/// let guard = Guard::builder()
///     .audience("https://api.example.com")
///     .issuer("https://new.example.com/")
///     .issuer("https://tenant.eu.auth0.com/")
///     .issuer(Issuer::new("https://partner.example.com").audience("messages").profile(Profile::Rfc9068))
///     .build()?;
/// # Ok(()) }
/// ```
///
/// A token's `iss` chooses the issuer before any key is looked up, and only that issuer's keys can verify it. Two issuers
/// may give different people the same `sub`: know a user by [`AccessToken::issuer`] and [`AccessToken::subject`] together.
pub mod several_issuers {}

/// Issuers that make their tokens otherwise: with longer hashes, on larger curves, or without a `typ`.
///
/// ```no_run
/// use tokenhouse_guard::{Algorithm, BuildError, Guard, Issuer, Profile};
///
/// # fn run() -> Result<(), BuildError> {
/// let guard = Guard::builder()
///     .audience("https://api.example.com")
///     .issuer(Issuer::new("https://tenant.eu.auth0.com/").algorithms([Algorithm::Rs512]))
///     .issuer(Issuer::new("https://example.okta.com/oauth2/default").profile(Profile::Untyped))
///     .build()?;
/// # Ok(()) }
/// ```
///
/// Unless it is told otherwise a guard takes RS256, PS256, ES256 and EdDSA, and tokens whose `typ` is `JWT` or `at+jwt`.
/// The answer to a token of another kind says which it takes, and the page for errors what that answer looks like.
///
/// Times are whole seconds: a token whose `exp`, `nbf` or `iat` has a fraction, which RFC 7519 would allow, is refused.
pub mod other_issuers {}

/// Tokens that are no JWTs: the issuer is asked what they are worth (RFC 7662).
///
/// ```no_run
/// use std::time::Duration;
/// use tokenhouse_guard::{BuildError, Guard, Introspection};
///
/// # fn run(client_secret: String) -> Result<(), BuildError> {
/// let asked = Introspection::new("https://tenant.example.com/introspect", "my-api", client_secret)
///     .remember_for(Duration::from_secs(10));
/// let guard = Guard::builder()
///     .issuer("https://tenant.example.com/")
///     .audience("https://api.example.com")
///     .introspection(asked)
///     .build()?;
/// # Ok(()) }
/// ```
///
/// The API needs an application of its own at the issuer, to prove itself with. JWTs are verified here as ever and never
/// sent. An answer is believed for 30 seconds unless said otherwise, 5 minutes at most: so long a token that was revoked
/// may still pass, and so long the issuer is not asked again, whatever the answer was. Whoever comes with the same token
/// meanwhile waits for the same answer; 64 questions are under way at most, and where the issuer does not answer the
/// request is 503. The answer must name this API in `aud`, unless [`Introspection::without_audience`] says that it need
/// not: then any token that the issuer calls active to this application is taken.
pub mod opaque_tokens {}

/// What callers are told, and how to say it otherwise.
///
/// | status | `error` | when |
/// |---|---|---|
/// | 401 | none in the challenge | no token was sent |
/// | 401 | `invalid_token` | the token is no good; its sender needs another one |
/// | 400 | `invalid_request` | a token in the header and one in the query |
/// | 403 | `insufficient_scope` | the token is good, but not for this |
/// | 503 | `temporarily_unavailable` | no keys are to be had; `Retry-After` says when to come back with the same token |
///
/// ```
/// use tokenhouse_guard::{Builder, ErrorFormat, Guard};
///
/// fn problem_details() -> Builder {
///     Guard::builder().error_format(ErrorFormat::Problem) // application/problem+json, RFC 9457
/// }
///
/// fn of_its_own() -> Builder {
///     Guard::builder().on_refusal(|refusal, request| {
///         let code = refusal.denied.error();
///         refusal.response_with(format!(r#"{{"code":"{code}","path":"{}"}}"#, request.uri.path()))
///     })
/// }
/// ```
///
/// Whatever the function answers, `WWW-Authenticate` and `Retry-After` are there: callers go by them. It answers the
/// refusals of handlers too ([`Refusal`] as their error, [`axum::Authorized`]).
///
/// Around a tower service of another body than `String`, such as one whose answers are boxed, the layer asks that the body
/// be `From<String>`. Where it is not, make it so on the way in and out:
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
/// use tokenhouse_guard::Guard;
/// use tower::{BoxError, Service, ServiceBuilder};
///
/// type Boxed = BoxBody<axum::body::Bytes, BoxError>;
///
/// /// An answer's body: the service's own, or a refusal's.
/// enum Answer {
///     Own(Boxed),
///     Refusal(String),
/// }
///
/// impl From<String> for Answer {
///     fn from(refusal: String) -> Self {
///         Self::Refusal(refusal)
///     }
/// }
///
/// fn guarded<S>(guard: &Guard, inner: S) -> impl Service<Request<Boxed>, Response = Response<Boxed>, Error = S::Error>
/// where
///     S: Service<Request<Boxed>, Response = Response<Boxed>> + Clone + Send + 'static,
///     S::Future: Send,
///     S::Error: Send,
/// {
///     ServiceBuilder::new()
///         .map_response(|response: Response<Answer>| {
///             response.map(|body| match body {
///                 Answer::Own(body) => body,
///                 Answer::Refusal(text) => Full::from(text).map_err(|never| match never {}).boxed(),
///             })
///         })
///         .layer(guard.layer())
///         .map_response(|response: Response<Boxed>| response.map(Answer::Own))
///         .service(inner)
/// }
/// ```
pub mod errors {}

/// Let clients that know only your API's address find its issuer (RFC 9728), as MCP clients do.
///
/// ```no_run
/// use axum::{Router, routing::post};
/// use tokenhouse_guard::{BuildError, Guard};
///
/// # fn run() -> Result<(), BuildError> {
/// let guard = Guard::builder()
///     .issuer("https://tenant.example.com/")
///     .resource("https://api.example.com/mcp")
///     .scopes_supported(["mcp:read", "mcp:write"])
///     .build()?;
/// let app: Router = Router::new()
///     .route("/mcp", post(|| async { "…" }).layer(guard.layer().scope("mcp:read")))
///     .merge(guard.resource_routes()?); // /.well-known/oauth-protected-resource/mcp
/// # Ok(()) }
/// ```
///
/// Without axum, route [`ResourceMetadata::path`] to [`Guard::resource_metadata`], which is a tower service. Every challenge then names the metadata, and a 401 the scopes that the route wants. The address must be exactly what
/// clients are given, and is taken as an audience: clients ask the issuer for it by the parameter `resource` (RFC 8707), so
/// register the API with this address as its identifier.
pub mod resource_metadata {}

/// Test your API without an issuer, or with a real one.
///
/// Without: give the guard a secret, and sign tokens with it by any JWT library. The clock is yours to move.
///
/// ```
/// use tokenhouse_guard::{BuildError, Clock, Guard, Timestamp};
///
/// fn guard_of_the_test(clock: &Clock) -> Result<Guard, BuildError> {
///     Guard::builder()
///         .issuer("https://issuer.test/")
///         .audience("https://api.example.com")
///         .secret(*b"a secret of the tests, 32 bytes.")
///         .clock(clock.clone())
///         .build()
/// }
///
/// let clock = Clock::set_to(Timestamp::from_seconds(1_800_000_000));
/// let guard = guard_of_the_test(&clock).unwrap();
/// clock.advance_ms(3_600_000); // an hour later, tokens have expired
/// # let _ = guard;
/// ```
///
/// Never build this guard outside a test: whoever knows the secret makes tokens.
///
/// With a real issuer:
///
/// ```sh
/// tokenhouse dev --memory --port 0 --seed seed.toml --json
/// ```
///
/// is ready in a moment, with the APIs, applications, users and keys of `seed.toml`, and prints on one line where it is and
/// who may ask it. Give the guard its `issuer` and `audience`. Then let it fail: under `dev_url` a test asks for a key set
/// that is down, slow or garbage, a rotation, a revocation, a token that has expired or is for another API, a clock that
/// is ahead; one `DELETE` takes all of it back. `docs/test-double.md` of Tokenhouse lists the faults, and its
/// `examples/guarded-api/tests/double.rs` is such a test.
pub mod testing {}

/// Know how the guard is.
///
/// ```
/// use axum::{Router, routing::get};
/// use http::StatusCode;
/// use tokenhouse_guard::Guard;
///
/// fn health(guard: Guard) -> Router {
///     Router::new().route(
///         "/health",
///         get(|| async move {
///             let status = guard.status();
///             let code = if status.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
///             (code, serde_json::to_string(&status).unwrap_or_default())
///         }),
///     )
/// }
/// ```
///
/// [`Status`] names each issuer, how many keys are held, how old they are, and why the last fetch failed: keep the page
/// from the public. With the feature `metrics` the guard counts by the `metrics` facade: `tokenhouse_guard_verified_total`,
/// `tokenhouse_guard_refused_total` by `reason`, `tokenhouse_guard_cache_hits_total` and `…_misses_total`,
/// `tokenhouse_guard_key_fetches_total` by `outcome`, `tokenhouse_guard_key_age_seconds` by `issuer`. Worth an alarm: a key
/// age over an hour, and fetches that fail. Refused requests are `tracing` events of the level `debug`.
pub mod health_and_metrics {}

/// Run behind a proxy.
///
/// - The proxy must pass the header `Authorization` on, and must not log it: an access token is as good as a password
///   while it lives.
/// - Nothing is taken from `Host` or `X-Forwarded-…`: issuer, audience and the API's address are what the builder was told.
/// - `/.well-known/oauth-protected-resource…` is routed to the program too, without a login before it.
/// - A proxy that caches answers must not share those of guarded routes: let handlers send `Cache-Control: private` or
///   `no-store`, as refusals do.
/// - The program needs a way out to its issuer over https; the environment's proxy settings are obeyed. Where the issuer
///   has a certificate of your own authority, give the builder [`Builder::ca_certificate`].
/// - Machines' clocks may differ by [`Builder::leeway_seconds`], 5 by default: run NTP.
/// - Preflights (CORS) pass without a token, as browsers send them; put the CORS layer outside the guard's, so that pages
///   can read refusals too, and expose `WWW-Authenticate`. A handler of any method, such as a proxy's, sees them, too: where
///   it must not, [`GuardLayer::guard_preflights`].
pub mod behind_a_proxy {}
