//! What a handler learns of its caller: the claims of a token that was verified.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokenhouse_protocol::jose::claims::Claims;
use tokenhouse_protocol::time::Timestamp;

use crate::error::{Denied, Refusal};

/// A verified access token. The guard puts it in the request's extensions. Cloning is cheap.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    claims: Claims,
    scopes: Vec<String>,
    permissions: Vec<String>,
    realm: Arc<str>,
}

impl AccessToken {
    pub(crate) fn new(claims: Claims, realm: Arc<str>) -> Self {
        // A `scope` or `permissions` that is not a text or a list of texts allows nothing.
        let words = |name| -> Vec<String> {
            let texts = claims.texts(name).unwrap_or_default();
            texts
                .into_iter()
                .flat_map(|text| text.split(' '))
                .filter(|word| !word.is_empty())
                .map(Into::into)
                .collect()
        };
        let (scopes, permissions) = (words("scope"), words("permissions"));
        Self(Arc::new(Inner {
            claims,
            scopes,
            permissions,
            realm,
        }))
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
        self.0.claims.texts("aud").unwrap_or_default()
    }

    /// What the token allows, in its order.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether the token allows `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|held| held == scope)
    }

    /// Refuses with 403 unless the token allows `scope`: for handlers that decide by what they find.
    ///
    /// With the feature `axum` the error is an answer: `token.require_scope("read:messages")?`.
    pub fn require_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.has_scope(scope) {
            return Ok(());
        }
        let denied = Denied::InsufficientScope {
            required: vec![scope.to_owned()],
        };
        Err(Refusal {
            denied,
            realm: Arc::clone(&self.0.realm),
        })
    }

    /// The user's permissions at this API, if the issuer puts them in (Auth0's "Add Permissions in the Access Token").
    pub fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// When the token stops being valid.
    pub fn expires_at(&self) -> Timestamp {
        self.0
            .claims
            .time("exp")
            .ok()
            .flatten()
            .unwrap_or(Timestamp::from_ms(0))
    }

    /// All claims, as the issuer sent them.
    pub fn claims(&self) -> &Map<String, Value> {
        self.0.claims.members()
    }

    fn text(&self, name: &'static str) -> Option<&str> {
        self.0.claims.text(name).ok().flatten()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .field("scopes", &self.scopes())
            .finish_non_exhaustive()
    }
}
