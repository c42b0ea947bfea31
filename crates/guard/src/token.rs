//! What a handler learns of its caller: the claims of a token that was verified, and those of the API's own as a type.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::time::Timestamp;

use crate::authorization::Requirement;
use crate::error::{Denied, Reason};
use crate::refusal::{Answers, Refusal};
use crate::seen;

/// A verified access token. The guard puts it in the request's extensions. Cloning is cheap.
///
/// Claims that this API's issuer adds of its own are read as a type of the API's: see [`AccessToken::typed`].
pub struct AccessToken<C = NoExtras> {
    inner: Arc<Inner>,
    extras: PhantomData<fn() -> C>,
}

/// A token of which nobody asked for typed extras.
pub struct NoExtras(());

struct Inner {
    claims: Claims,
    /// Read when they are asked for, as a route does that wants any.
    scopes: OnceLock<Vec<String>>,
    permissions: OnceLock<Vec<String>>,
    answers: Arc<Answers>,
    lifetime: Lifetime,
    /// `None` of a token that the issuer was asked about.
    verified_by: Option<VerifiedBy>,
    weight_bytes: usize,
    extras: Extras,
}

/// The key that verified a token.
pub(crate) struct VerifiedBy {
    /// The place of its issuer in the guard's policy.
    pub(crate) issuer: usize,
    /// [`tokenhouse_protocol::crypto::VerifyingKey::fingerprint`].
    pub(crate) fingerprint: [u8; 32],
    /// The number of the key set in which the key was last seen.
    pub(crate) seen_in: AtomicU64,
}

/// From when to when a token is valid, the guard's leeway included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
    pub(crate) leeway_ms: i64,
}

impl Lifetime {
    pub(crate) fn contains(&self, now: Timestamp) -> bool {
        now < self.expires_at.plus_ms(self.leeway_ms)
            && self
                .not_before
                .is_none_or(|valid_from| now.plus_ms(self.leeway_ms) >= valid_from)
    }
}

impl AccessToken {
    /// A token whose claims are true from now on.
    pub(crate) fn new(
        claims: Claims,
        answers: Arc<Answers>,
        lifetime: Lifetime,
        verified_by: Option<VerifiedBy>,
    ) -> Self {
        let scope = claims.text("scope").ok().flatten().unwrap_or_default();
        let spaces = scope.bytes().filter(|byte| *byte == b' ').count();
        Self::of(Arc::new(Inner {
            weight_bytes: size_of::<Inner>() + claims.weight_bytes() + (spaces + 1) * WORD_BYTES,
            claims,
            scopes: OnceLock::new(),
            permissions: OnceLock::new(),
            answers,
            lifetime,
            verified_by,
            extras: Extras::default(),
        }))
    }

    /// Reads the token's claims as `C`, once for each token and type, however many requests come with it.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Extras {
    ///     #[serde(rename = "https://example.com/team")]
    ///     team: String,
    /// }
    /// # fn handler(token: tokenhouse_guard::AccessToken) -> Result<(), tokenhouse_guard::Denied> {
    /// let token = token.typed::<Extras>()?;
    /// println!("{} of {}", token.subject().unwrap_or_default(), token.extras().team);
    /// # Ok(()) }
    /// ```
    ///
    /// Refuses the token, 401, when a claim is missing or of another type.
    pub fn typed<C: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<AccessToken<C>, Denied> {
        if self.inner.extras.find::<C>().is_none() {
            let extras = C::deserialize(self.inner.claims.members()).map_err(|error| {
                Denied::InvalidToken(Reason::new(
                    "Unexpected claims",
                    format!("This API wants other claims in its tokens: {error}."),
                ))
            })?;
            self.inner.extras.keep(Box::new(extras));
        }
        Ok(AccessToken::of(Arc::clone(&self.inner)))
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.inner.lifetime
    }

    pub(crate) fn verified_by(&self) -> Option<&VerifiedBy> {
        self.inner.verified_by.as_ref()
    }

    /// About how many bytes the token takes in memory when all of it has been read, without typed extras.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.inner.weight_bytes
    }
}

impl<C> AccessToken<C> {
    fn of(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            extras: PhantomData,
        }
    }

    /// Who made the token, `iss`.
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// For whom: a user's id, or `<client_id>@clients` where an application acts for itself.
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// The application that asked for the token: `client_id` (RFC 9068 §2.2) or `azp`.
    pub fn client_id(&self) -> Option<&str> {
        self.text("client_id").or_else(|| self.text("azp"))
    }

    /// The APIs that the token is for; this one is among them.
    pub fn audience(&self) -> Vec<&str> {
        self.inner.claims.texts("aud").unwrap_or_default()
    }

    /// What the token allows, in its order.
    pub fn scopes(&self) -> &[String] {
        let words = || words(&self.inner.claims, "scope");
        self.inner.scopes.get_or_init(words)
    }

    /// Whether the token allows `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().iter().any(|held| held == scope)
    }

    /// Refuses with 403 unless the token allows `scope`: for handlers that decide by what they find.
    ///
    /// With the feature `axum` the error is an answer: `token.require_scope("read:messages")?`.
    pub fn require_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.has_scope(scope) {
            return Ok(());
        }
        let required = vec![scope.to_owned()];
        Err(self.refusal(Denied::InsufficientScope { required }))
    }

    /// Refuses with 403 unless the token allows what is required: for handlers that decide by what they find.
    pub fn require(&self, requirement: &Requirement) -> Result<(), Refusal> {
        let plain = AccessToken::of(Arc::clone(&self.inner));
        requirement.check(&plain).map_err(|denied| self.refusal(denied))
    }

    /// The answer to a token that is good, but not for what a handler does.
    pub(crate) fn refusal(&self, denied: Denied) -> Refusal {
        seen::refused("scope", &denied);
        Refusal::new(denied, Arc::clone(&self.inner.answers))
    }

    /// The user's permissions at this API, if the issuer puts them in (Auth0's "Add Permissions in the Access Token").
    pub fn permissions(&self) -> &[String] {
        let words = || words(&self.inner.claims, "permissions");
        self.inner.permissions.get_or_init(words)
    }

    /// When the token stops being valid; of an opaque token without an `exp`, when its issuer is asked again.
    pub fn expires_at(&self) -> Timestamp {
        self.inner.lifetime.expires_at
    }

    /// All claims, as the issuer sent them.
    pub fn claims(&self) -> &Map<String, Value> {
        self.inner.claims.members()
    }

    fn text(&self, name: &'static str) -> Option<&str> {
        self.inner.claims.text(name).ok().flatten()
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> AccessToken<C> {
    /// The claims as this API's type.
    pub fn extras(&self) -> &C {
        let found = self.inner.extras.find();
        found.expect("only `typed` makes a token with extras, and it keeps them first")
    }
}

impl<C> Clone for AccessToken<C> {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.inner))
    }
}

impl<C> fmt::Debug for AccessToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scopes", &self.scopes())
            .finish_non_exhaustive()
    }
}

/// Values of several types, each read once: a list that only grows, by as many types as the program has.
#[derive(Default)]
struct Extras(OnceLock<(Box<dyn Any + Send + Sync>, Box<Extras>)>);

impl Extras {
    fn find<C: 'static>(&self) -> Option<&C> {
        let (value, rest) = self.0.get()?;
        value.downcast_ref().or_else(|| rest.find())
    }

    fn keep(&self, value: Box<dyn Any + Send + Sync>) {
        let mut node = Some((value, Box::default()));
        let (_, rest) = self.0.get_or_init(|| node.take().expect("taken once, here"));
        // Another value was here first: this one comes behind it.
        if let Some((value, _)) = node {
            rest.keep(value);
        }
    }
}

/// About what a word of a claim takes once it is one.
const WORD_BYTES: usize = 2 * size_of::<String>();

/// The words of a claim. One that is not a text or a list of texts allows nothing.
fn words(claims: &Claims, name: &'static str) -> Vec<String> {
    let texts = claims.texts(name).unwrap_or_default();
    let words = texts.into_iter().flat_map(|text| text.split(' '));
    words.filter(|word| !word.is_empty()).map(Into::into).collect()
}
