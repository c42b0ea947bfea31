//! What one guard demands of tokens, and what it remembers of those that met it. Never shared between guards.

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::crypto::Algorithm;
#[cfg(feature = "fetch")]
use tokenhouse_protocol::jose::base64url;
use tokenhouse_protocol::time::Clock;
use tracing::Instrument as _;

use crate::cache::TokenCache;
use crate::error::Denied;
#[cfg(feature = "fetch")]
use crate::introspection::Endpoint;
use crate::keys::KeySource;
use crate::refusal::Answers;
use crate::seen;
use crate::token::AccessToken;
use crate::verify::{KnownHeaders, Profile, Refused, verify};

/// The demands of one guard.
pub(crate) struct Policy {
    pub(crate) issuers: Vec<Trusted>,
    pub(crate) leeway_ms: i64,
    /// Whether requests wait for keys where none are held.
    pub(crate) waits_when_cold: bool,
    pub(crate) clock: Clock,
    pub(crate) answers: Arc<Answers>,
    pub(crate) cache: Option<TokenCache>,
    pub(crate) headers: KnownHeaders,
    /// Who is asked about tokens that are no JWTs.
    #[cfg(feature = "fetch")]
    pub(crate) introspection: Option<Endpoint>,
}

/// An issuer, and what is demanded of its tokens.
pub(crate) struct Trusted {
    pub(crate) name: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) profile: Profile,
    pub(crate) keys: Arc<dyn KeySource>,
}

impl Policy {
    /// The token, if it meets the demands: as remembered, as verified now, or as its issuer says.
    pub(crate) async fn verify(&self, token: &str) -> Result<AccessToken, Denied> {
        if let Some(known) = self.known(token.as_bytes()) {
            seen::remembered();
            return Ok(known);
        }
        #[cfg(feature = "fetch")]
        if let Some(endpoint) = &self.introspection
            && !is_jwt(token)
        {
            return endpoint.ask(token, self).await;
        }
        let span = tracing::debug_span!("verify_token");
        match verify(self, token).instrument(span).await {
            Ok(verified) => {
                if let Some(cache) = &self.cache {
                    cache.keep(token, &verified);
                }
                seen::verified(self.cache.is_some());
                Ok(verified)
            }
            Err(Refused { check, denied }) => {
                seen::refused(check, &denied);
                Err(denied)
            }
        }
    }

    /// A token that was verified before, if it is still valid and the key that verified it is still held.
    pub(crate) fn known(&self, token: &[u8]) -> Option<AccessToken> {
        let cache = self.cache.as_ref()?;
        let known = cache.find(token)?;
        let verified_by = known.verified_by()?;
        // Without keys nothing is forgotten: the token may be good when they are back.
        let now = self.clock.now();
        let keys = self.issuers.get(verified_by.issuer)?.keys.held_at(now).ok()?;
        if known.lifetime().contains(now) && keys.holds(verified_by) {
            return Some(known);
        }
        cache.forget(token);
        None
    }

    /// The place of an issuer of this policy.
    pub(crate) fn place_of(&self, trusted: &Trusted) -> usize {
        let place = self.issuers.iter().position(|issuer| std::ptr::eq(issuer, trusted));
        place.unwrap_or(usize::MAX)
    }
}

/// Whether a token is a JWT or means to be one (RFC 7519 §3): such a token is never sent anywhere.
#[cfg(feature = "fetch")]
fn is_jwt(token: &str) -> bool {
    let head = token.split('.').next().unwrap_or_default();
    base64url::decode(head).is_some_and(|head| head.trim_ascii_start().starts_with(b"{"))
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("issuers", &self.issuers)
            .field("leeway_ms", &self.leeway_ms)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
