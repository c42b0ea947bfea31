//! Tokens that are no JWTs: the issuer is asked about them (RFC 7662), once for each token and short time.

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::time::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::builder::BuildError;
use crate::error::{Denied, Reason};
use crate::keys::Unavailable;
use crate::policy::Policy;
use crate::seen;
use crate::token::{AccessToken, Lifetime};
use crate::transport::{FetchSettings, client, document, http_url, said};

/// How long an answer is believed if nothing is said, and at most.
const REMEMBER: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));
/// How many bytes of answers are remembered.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// What an answer takes in memory beside its token and claims.
const ANSWER_BYTES: usize = 128;
/// How many questions may be under way at once: strangers can invent as many tokens as they like.
const MAX_QUESTIONS: usize = 64;
/// How long nothing is asked after a question that was not answered.
const PAUSE_MS: i64 = 1_000;
/// The answers that say no more than that this token could not be read: it is too long, say, or of strange characters.
const ABOUT_THE_TOKEN: [StatusCode; 4] = [
    StatusCode::BAD_REQUEST,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::URI_TOO_LONG,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// Whom to ask about tokens that are no JWTs, and how this API proves itself there (RFC 7662 §2.1).
///
/// ```no_run
/// use tokenhouse_guard::{Guard, Introspection};
///
/// # fn run(client_secret: String) -> Result<(), tokenhouse_guard::BuildError> {
/// let guard = Guard::builder()
///     .issuer("https://tenant.example.com/")
///     .audience("https://api.example.com")
///     .introspection(Introspection::new("https://tenant.example.com/introspect", "my-api", client_secret))
///     .build()?;
/// # Ok(()) }
/// ```
///
/// A JWT is never sent: it is verified here. Where the issuer does not answer, the request gets 503.
#[must_use]
pub struct Introspection {
    url: String,
    client_id: String,
    client_secret: String,
    remember_for: Duration,
    is_audience_optional: bool,
}

impl Introspection {
    /// Asks at `url`, as this client (HTTP Basic, RFC 6749 §2.3.1).
    pub fn new(url: impl Into<String>, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            remember_for: REMEMBER.0,
            is_audience_optional: false,
        }
    }

    /// How long an answer is believed, never beyond the token's `exp`; 30 s if not set, 5 minutes at most. So long a
    /// revoked token may still pass.
    pub fn remember_for(mut self, time: Duration) -> Self {
        self.remember_for = time;
        self
    }

    /// Takes tokens of which the issuer does not say for which API they are: only for issuers that answer `active`
    /// to this client for none but its own.
    pub fn without_audience(mut self) -> Self {
        self.is_audience_optional = true;
        self
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The endpoint, and what it said.
pub(crate) struct Endpoint {
    settings: Introspection,
    url: Url,
    client: Client,
    audiences: Vec<String>,
    remember_ms: i64,
    timeout: Duration,
    answers: Cache<String, Answer, Bytes, RandomState>,
    questions: Semaphore,
    /// Until when nothing is asked, in milliseconds since the epoch.
    paused_until: AtomicI64,
}

/// What the issuer said of a token, and from when until when that is believed.
#[derive(Clone)]
struct Answer {
    outcome: Result<AccessToken, Reason>,
    since: Timestamp,
    until: Timestamp,
}

impl Endpoint {
    pub(crate) fn new(
        settings: Introspection,
        audiences: &[String],
        fetch: &FetchSettings,
    ) -> Result<Self, BuildError> {
        if settings.remember_for > REMEMBER.1 {
            return Err(BuildError::Bounds(
                "what an issuer says of a token is believed for 5 minutes at most",
            ));
        }
        if audiences.is_empty() && !settings.is_audience_optional {
            return Err(BuildError::NoAudience);
        }
        let url = http_url(&settings.url)?;
        let options = OptionsBuilder::new()
            .estimated_items_capacity(8192)
            .weight_capacity(CACHE_BYTES)
            .build()
            .expect("both capacities are set");
        Ok(Self {
            client: client(&url, fetch)?,
            url,
            audiences: audiences.to_vec(),
            remember_ms: i64::try_from(settings.remember_for.as_millis()).unwrap_or(0),
            timeout: fetch.timeout,
            settings,
            answers: Cache::with_options(options, Bytes, RandomState::new(), DefaultLifecycle::default()),
            questions: Semaphore::new(MAX_QUESTIONS),
            paused_until: AtomicI64::new(i64::MIN),
        })
    }

    /// The token, if the issuer says that it is active and for this API: now, or a short time ago.
    pub(crate) async fn ask(&self, token: &str, policy: &Policy) -> Result<AccessToken, Denied> {
        let now = policy.clock.now();
        self.answers
            .remove_if(token, |answer| !(answer.since..answer.until).contains(&now));
        // Whoever comes with the same token meanwhile waits for the same answer.
        let answer = self
            .answers
            .get_or_insert_async(token, self.question(token, policy))
            .await;
        let outcome = match answer {
            Ok(Answer { outcome, .. }) => outcome.map_err(Denied::InvalidToken),
            Err(unavailable) => Err(Denied::Unavailable(unavailable)),
        };
        match &outcome {
            Ok(_) => seen::verified(false),
            Err(denied) => seen::refused("introspection", denied),
        }
        outcome
    }

    async fn question(&self, token: &str, policy: &Policy) -> Result<Answer, Unavailable> {
        let now = policy.clock.now();
        let pause_ms = self.paused_until.load(Ordering::Relaxed).saturating_sub(now.ms());
        if (1..=PAUSE_MS).contains(&pause_ms) {
            return Err(Unavailable::for_seconds(1, "the introspection endpoint did not answer"));
        }
        let Ok(Ok(_permit)) = timeout(self.timeout, self.questions.acquire()).await else {
            return Err(Unavailable::for_seconds(1, "too many tokens are being asked about"));
        };
        match self.introspect(token).await {
            Ok(claims) => {
                let answer = self.judge(claims, policy);
                seen::asked(if answer.outcome.is_ok() { "active" } else { "inactive" });
                Ok(answer)
            }
            Err(Unanswered { cause, is_of_the_token }) => {
                seen::asked("failed");
                tracing::warn!(%cause, "the issuer could not be asked about a token");
                // Whoever sends what the issuer cannot read keeps nobody else waiting.
                if !is_of_the_token {
                    let until = policy.clock.now().plus_ms(PAUSE_MS);
                    self.paused_until.store(until.ms(), Ordering::Relaxed);
                }
                Err(Unavailable::for_seconds(1, cause))
            }
        }
    }

    /// What the issuer answers (RFC 7662 §2.2).
    async fn introspect(&self, token: &str) -> Result<Claims, Unanswered> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let request = self
            .client
            .post(self.url.clone())
            .basic_auth(
                encoded(&self.settings.client_id),
                Some(encoded(&self.settings.client_secret)),
            )
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("token={}&token_type_hint=access_token", encoded(token)));
        let response = request.send().await.map_err(|error| said(&self.url, &error))?;
        let is_of_the_token = ABOUT_THE_TOKEN.contains(&response.status());
        let document = document(&self.url, response).await;
        let document = document.map_err(|cause| Unanswered { cause, is_of_the_token })?;
        let claims = Claims::parse(&document).map_err(|error| format!("{}: {error}", self.url))?;
        match claims.members().get("active") {
            Some(Value::Bool(_)) => Ok(claims),
            _ => Err(format!("{} does not say whether the token is active", self.url).into()),
        }
    }

    /// Whether what the issuer says makes a token for this API.
    fn judge(&self, claims: Claims, policy: &Policy) -> Answer {
        let now = policy.clock.now();
        let until = now.plus_ms(self.remember_ms);
        match self.lifetime(&claims, policy, until) {
            Ok(lifetime) => Answer {
                since: now,
                until: until.min(lifetime.expires_at),
                outcome: Ok(AccessToken::new(claims, Arc::clone(&policy.answers), lifetime, None)),
            },
            Err(reason) => Answer {
                outcome: Err(reason),
                since: now,
                until,
            },
        }
    }

    fn lifetime(&self, claims: &Claims, policy: &Policy, until: Timestamp) -> Result<Lifetime, Reason> {
        let ensure = |holds: bool, name: &str, hint: &'static str| match holds {
            true => Ok(()),
            false => Err(Reason::new(format!("Unexpected '{name}' value"), hint)),
        };
        let no = |hint: &'static str| Reason::new("The token is not active", hint);
        let wrong = |_| no("The issuer describes it in a way that this API cannot read.");
        if claims.members().get("active") != Some(&Value::Bool(true)) {
            return Err(no(
                "It expired, was revoked, or is not of this API's issuer. Ask for a new one.",
            ));
        }
        let kind = claims.text("token_type").map_err(wrong)?;
        let is_bearer = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("Bearer"));
        ensure(is_bearer, "token_type", "This API takes bearer tokens.")?;
        let used_as = claims.text("token_use").map_err(wrong)?;
        let is_access = used_as.is_none_or(|word| word == "access_token");
        ensure(is_access, "token_use", "This API takes access tokens.")?;
        let issuer = claims.text("iss").map_err(wrong)?;
        let is_trusted = issuer.is_none_or(|name| policy.issuers.iter().any(|trusted| trusted.name == name));
        ensure(is_trusted, "iss", "This API takes tokens of its own issuers only.")?;
        let audience = claims.texts("aud").map_err(wrong)?;
        let is_ours = audience
            .iter()
            .any(|name| self.audiences.iter().any(|ours| ours == name));
        let is_unnamed = audience.is_empty() && self.settings.is_audience_optional;
        ensure(
            is_ours || is_unnamed,
            "aud",
            "Ask for a token with this API's audience.",
        )?;
        let is_plain = !claims.has("cnf");
        ensure(
            is_plain,
            "cnf",
            "The token is bound to a key or certificate, which this API cannot check.",
        )?;
        let lifetime = Lifetime {
            not_before: claims.time("nbf").map_err(wrong)?,
            expires_at: claims.time("exp").map_err(wrong)?.unwrap_or(until),
            leeway_ms: policy.leeway_ms,
        };
        match lifetime.contains(policy.clock.now()) {
            true => Ok(lifetime),
            false => Err(no("It expired, or is not valid yet.")),
        }
    }
}

/// A question without an answer, and why: a sentence for the log.
struct Unanswered {
    cause: String,
    /// The issuer answers others.
    is_of_the_token: bool,
}

impl From<String> for Unanswered {
    fn from(cause: String) -> Self {
        Self {
            cause,
            is_of_the_token: false,
        }
    }
}

/// Weighs an answer by the memory it takes.
#[derive(Clone)]
struct Bytes;

impl Weighter<String, Answer> for Bytes {
    fn weight(&self, token: &String, answer: &Answer) -> u64 {
        let inside = answer.outcome.as_ref().map_or(0, AccessToken::weight_bytes);
        (token.len() + ANSWER_BYTES + inside) as u64
    }
}
