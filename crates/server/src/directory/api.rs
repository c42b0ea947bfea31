//! An API as the directory keeps it: what the token endpoint asks of it, read once from its row.

use std::collections::HashSet;
use std::sync::Arc;

use tokenhouse_protocol::crypto::{Algorithm, SigningKey};
use tokenhouse_protocol::id::ApiId;
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_store::StoreError;

use crate::registry::apis;
use crate::registry::token_dialect::TokenDialect;

/// An API as the token endpoint needs it.
#[derive(Debug)]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// Its identifier, the `aud` of its tokens.
    pub identifier: String,
    /// What people call it.
    pub name: Option<String>,
    /// How its tokens are signed.
    pub algorithm: Algorithm,
    /// The signer, if the key is the API's own: HS256.
    pub own_signer: Option<Signer>,
    /// Seconds that its tokens live.
    pub token_lifetime_s: i64,
    /// How its access tokens look.
    pub dialect: TokenDialect,
    /// Whether a user's scopes are limited to the user's permissions.
    pub enforces_policies: bool,
    /// Which applications get users' tokens for it.
    pub user_policy: UserPolicy,
    /// Whether applications get tokens for it on their own behalf at all: `subject_type_authorization.client.policy`.
    pub allows_clients: bool,
    /// Whether it is the Management API.
    pub is_system: bool,
    /// The scopes it has, in order.
    pub scopes: Vec<String>,
    /// The same, to look one up.
    scope_set: HashSet<String>,
}

/// `subject_type_authorization.user.policy` (CONTRACT §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserPolicy {
    /// Every application, every scope.
    AllowAll,
    /// Those with a client grant for users' tokens.
    RequireClientGrant,
    /// None.
    DenyAll,
}

impl Api {
    /// Whether `scope` is one of its scopes.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope_set.contains(scope)
    }
}

impl Api {
    /// The API of this row; `own_key` signs its tokens if they are HS256.
    pub(super) fn of(
        row: tokenhouse_store::Api,
        identifier: &str,
        own_key: Option<SigningKey>,
    ) -> Result<Self, StoreError> {
        let damaged = |what: &str, word: &str| StoreError::Damaged(format!("API {} has the {what} {word:?}", row.id));
        let algorithm = row
            .signing_alg
            .parse()
            .map_err(|_| damaged("algorithm", &row.signing_alg))?;
        let dialect: TokenDialect = match &row.token_dialect {
            Some(word) => word.parse().map_err(|_| damaged("token dialect", word))?,
            None => TokenDialect::default(),
        };
        let policy = |subject: &str| {
            let policies = row.rest.get("subject_type_authorization")?;
            policies.get(subject)?.get("policy")?.as_str()
        };
        let user_policy = match policy("user") {
            None | Some("allow_all") => UserPolicy::AllowAll,
            Some("require_client_grant") => UserPolicy::RequireClientGrant,
            Some(_) => UserPolicy::DenyAll,
        };
        let allows_clients = policy("client") != Some("deny_all");
        let scopes = apis::scopes(&row);
        Ok(Self {
            own_signer: own_key.map(|key| Signer::new(Arc::new(key), None, dialect.typ())),
            scope_set: scopes.iter().cloned().collect(),
            scopes,
            id: row.id,
            identifier: identifier.to_owned(),
            name: row.name,
            algorithm,
            token_lifetime_s: row.token_lifetime_s,
            dialect,
            enforces_policies: row.enforce_policies,
            user_policy,
            allows_clients,
            is_system: row.is_system,
        })
    }
}
