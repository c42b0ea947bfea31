//! The opaque access token of a request that named no API: good at the userinfo endpoint alone
//! (CONTRACT §1.6). It carries what it stands for under the sealing key, so that it needs no row.

use serde::{Deserialize, Serialize};

use tokenhouse_protocol::crypto::Place;
use tokenhouse_protocol::id::UserId;
use tokenhouse_protocol::scope::Scopes;
use tokenhouse_protocol::time::Timestamp;

use crate::tenant::Tenant;

/// What an opaque token stands for.
#[derive(Serialize, Deserialize)]
pub struct Sealed {
    /// The user.
    pub sub: UserId,
    /// The OpenID scopes.
    pub scope: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A token for `user`'s claims.
pub(super) fn seal(tenant: &Tenant, user: &UserId, scopes: &Scopes, expires_at: Timestamp) -> String {
    let content = Sealed {
        sub: user.clone(),
        scope: scopes.to_string(),
        expires_at,
    };
    // Three texts and a number always serialise.
    let content = serde_json::to_vec(&content).unwrap_or_default();
    let sealed = tenant.house.secrets.seal(place(tenant), &content);
    // The envelope's dots would make it look like a JWT.
    sealed.replace('.', "~")
}

/// What a token stands for; `None` if it is not one of ours, or has expired.
pub fn open(tenant: &Tenant, token: &str) -> Option<Sealed> {
    let content = tenant
        .house
        .secrets
        .open(place(tenant), &token.replace('~', "."))
        .ok()?;
    let content: Sealed = serde_json::from_slice(content.as_ref()).ok()?;
    (tenant.house.clock.now() < content.expires_at).then_some(content)
}

fn place(tenant: &Tenant) -> Place<'_> {
    Place {
        tenant: tenant.id.as_str(),
        table: "",
        row: "",
        column: "userinfo token",
    }
}
