//! Phase 3: what each grant type redeems, and nothing else. One file a grant.

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_protocol::token::Grant;
use tokenhouse_store::User;

use crate::issuing::exchange::Exchange;
use crate::refusal::Refusal;
use crate::tenant::Tenant;

mod client_credentials;
mod password;

/// What a grant was redeemed for.
pub(super) struct Redeemed {
    /// The grant type.
    pub grant_type: GrantType,
    /// Whom the token speaks for.
    pub subject: Subject,
}

/// Whom a token speaks for; it decides by which rule its scopes are settled (CONTRACT §1.5).
pub(super) enum Subject {
    /// The application itself.
    Client,
    /// A user.
    User(Box<User>),
}

/// Redeems a grant. What reads the database is in a box: machines ask most, and hold no room for it.
pub(super) async fn redeem(tenant: &Tenant, exchange: &mut Exchange<'_>, grant: &Grant) -> Result<Redeemed, Refusal> {
    match grant {
        Grant::ClientCredentials => Ok(client_credentials::redeem()),
        Grant::Password(given) => Box::pin(password::redeem(tenant, exchange, given)).await,
    }
}
