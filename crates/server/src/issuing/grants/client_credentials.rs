//! Client credentials (RFC 6749 §4.4): the application's own proof, given in phase 1, is the grant.

use tokenhouse_protocol::grant::GrantType;

use super::{Redeemed, Subject};

/// The application speaks for itself.
pub(super) fn redeem() -> Redeemed {
    Redeemed {
        grant_type: GrantType::ClientCredentials,
        subject: Subject::Client,
    }
}
