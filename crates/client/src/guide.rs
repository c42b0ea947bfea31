//! One page for each task.

#[cfg(doc)]
use crate::*;

/// Send a token with each request.
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
/// let http = reqwest::Client::new();
/// for page in 0..10 {
///     let url = format!("https://api.example.com/messages?page={page}");
///     let token = tokens.token().await?; // one request to the issuer in all
///     let mut answer = http.get(&url).bearer_auth(token.expose()).send().await?;
///     if answer.status() == 401 && tokens.invalidate(&token) {
///         let token = tokens.token().await?;
///         answer = http.get(&url).bearer_auth(token.expose()).send().await?;
///     }
///     println!("{}", answer.text().await?);
/// }
/// # Ok(()) }
/// ```
///
/// Ask [`TokenClient::token`] before each request and keep no token of your own: it answers from memory, and renews in the
/// background, ahead of need. Make one client and clone it: clones share their tokens.
pub mod a_token_for_each_request {}

/// Several APIs, or fewer scopes: a token each.
///
/// ```no_run
/// # use tokenhouse_client::{Error, TokenClient};
/// # async fn run(tokens: TokenClient) -> Result<(), Error> {
/// let messages = tokens.for_audience("https://api.example.com");
/// let reports = tokens.for_audience("https://reports.example.com").with_scope("read:reports");
/// let (one, another) = (messages.token().await?, reports.token().await?);
/// assert_eq!(another.scope(), Some("read:reports"));
/// # Ok(()) }
/// ```
///
/// There is one token for each audience and set of scopes, however often these are called and in whichever order the
/// scopes stand. 256 are kept at most ([`Builder::max_tokens`]): the one that was unused for the longest goes first.
pub mod several_apis {}

/// A private key in place of a secret (`private_key_jwt`, RFC 7523): the issuer never holds what the application proves
/// itself with.
///
/// ```no_run
/// use tokenhouse_client::{PrivateKey, TokenClient};
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let pem = std::fs::read_to_string("key.pem")?;
/// let tokens = TokenClient::builder()
///     .issuer("https://tenant.example.com/")
///     .private_key("my-client-id", PrivateKey::from_pem(&pem)?.with_key_id("2026-11"))
///     .audience("https://api.example.com")
///     .build()?;
/// # Ok(()) }
/// ```
///
/// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem` makes a key, `openssl pkey -in key.pem
/// -pubout` its public half, which the issuer is given. Each request carries an assertion that is good for two minutes and
/// one use. Auth0 wants RS256, RS384 or PS256; Tokenhouse takes ES256 and EdDSA too.
pub mod private_keys {}

/// A user's refresh token, as a command-line tool or a background job has it (RFC 6749 §6).
///
/// ```no_run
/// use tokenhouse_client::TokenClient;
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = TokenClient::builder()
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
///
/// An issuer that rotates refresh tokens answers with another, and the one before is worth nothing: keep it at once, in
/// the function. One request at a time uses the refresh token, so that no two use the same one.
pub mod refresh_tokens {}

/// With reqwest-middleware: a token on every request to one origin, and one more try when the API refuses it.
///
/// ```no_run
/// # #[cfg(feature = "reqwest-middleware")]
/// # async fn run(tokens: tokenhouse_client::TokenClient) -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_middleware::ClientBuilder;
///
/// let http = ClientBuilder::new(reqwest::Client::new())
///     .with(tokens.middleware("https://api.example.com")?)
///     .build();
/// let answer = http.get("https://api.example.com/messages").send().await?;
/// # Ok(()) }
/// ```
///
/// Needs the feature `reqwest-middleware`. The token goes to that scheme, host and port and to no other. A request that
/// has an `Authorization` header keeps it. A body that is a stream cannot be repeated: then the 401 is the answer, and the
/// next request has another token.
pub mod with_reqwest {}

/// With tower: the same for any service of `http` requests.
///
/// ```no_run
/// # #[cfg(feature = "tower")]
/// # fn run<S>(tokens: &tokenhouse_client::TokenClient, service: S) -> Result<(), tokenhouse_client::BuildError>
/// # where S: Clone {
/// use tower::ServiceBuilder;
///
/// let layer = tokens.layer("https://api.example.com")?;
/// // Bodies that clone, such as `String` or `Full<Bytes>`: a refused request is repeated once.
/// let api = ServiceBuilder::new().layer(layer.clone()).service(service.clone());
/// // Any other, such as axum's `Body` or hyper's `Incoming`: nothing is repeated.
/// let streams = ServiceBuilder::new().layer(layer.once()).service(service);
/// # let _ = (api, streams);
/// # Ok(()) }
/// ```
///
/// Needs the feature `tower`. The request's URI says where it goes: one without scheme and host goes without a token.
pub mod with_tower {}

/// Live with quotas, limits and bad days.
///
/// ```no_run
/// use tokenhouse_client::{Error, TokenClient};
///
/// # async fn run(tokens: TokenClient) {
/// match tokens.token().await {
///     Ok(token) => println!("valid until {}", token.expires_at()),
///     // The issuer is down, asks for patience, or the quota leaves nothing: later it may work.
///     Err(error @ Error::Unavailable { .. }) => println!("again in {} s: {error}", error.retry_after_seconds()),
///     // The credentials, the grant or the scopes are wrong, or it is no issuer: somebody has to change something.
///     Err(error @ (Error::Refused { .. } | Error::Answer { .. })) => println!("{error}"),
/// }
/// # }
/// ```
///
/// Until [`Error::retry_after_seconds`] are over the client gives the same error without asking. `Retry-After` and
/// `X-RateLimit-Reset` are heeded for all tokens.
///
/// Where the issuer tells of a token quota (`Auth0-Client-Quota-Limit`), renewals are put off once it is low, and tokens
/// are spread over what is left of its window. When nothing is left, whoever has no valid token tries after a minute, then
/// after two, four, eight, and every ten minutes: that costs nothing of the quota, and finds one that was raised, or that
/// only counts, after which the client does not slow down for it any more. Tokens of the Management API count against no
/// quota. [`Builder::ignore_quota`] heeds none of this.
pub mod quotas_and_bad_days {}

/// Test your own program, with an issuer that fails as you say and a clock that you move.
///
/// ```
/// # #[cfg(feature = "test-util")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tokenhouse_client::testing::{Behaviour, TestIssuer};
///
/// let issuer = TestIssuer::start().await?;
/// let tokens = issuer.builder().audience("https://api.example.com").build()?;
/// tokens.token().await?;
/// issuer.behave(Behaviour::Hangs);
/// issuer.clock().advance_ms(86_300_000);
/// assert!(tokens.token().await.is_ok(), "still valid");
/// assert_eq!(issuer.given(), 1);
/// # Ok(()) }
/// # #[cfg(not(feature = "test-util"))]
/// # fn main() {}
/// ```
///
/// Needs the feature `test-util`, in `[dev-dependencies]`. Its tokens are `t1`, `t2` and so on. For tokens that an API
/// verifies, `tokenhouse dev --memory --port 0 --seed seed.toml --json` is a whole issuer for one test, with faults to ask
/// for: `docs/test-double.md` of Tokenhouse.
pub mod testing_your_program {}
