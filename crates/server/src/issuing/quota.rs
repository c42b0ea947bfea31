//! Phase 6: what the application's quota leaves (CONTRACT §4.11). What is certain to be used up is refused here, before
//! anything is signed; the rest is decided where the token is recorded, since other nodes count as well.

use tokenhouse_protocol::grant::GrantType;
use tokenhouse_store::Quota;

use super::Authorization;
use crate::caller::Caller;
use crate::quota::Standing;
use crate::refusal::{Reason, Refusal};
use crate::tenant::{Settings, Tenant};

/// The quota that this token counts against: the application's own, or else the tenant's default one.
///
/// None for tokens on a user's behalf, for those of the Management API, so that whoever set a quota can always change
/// it, and for those that an administrator tries things out with.
pub(super) fn check(
    tenant: &Tenant,
    settings: &Settings,
    caller: &Caller,
    authorization: &Authorization,
) -> Result<Option<Quota>, Refusal> {
    let application = &authorization.application;
    let Some(quota) = application.quota.or(settings.default_quota) else {
        return Ok(None);
    };
    let is_of_the_house = authorization.api.as_ref().is_some_and(|api| api.is_system);
    if authorization.grant_type != GrantType::ClientCredentials || is_of_the_house || !caller.channel.is_counted() {
        return Ok(None);
    }
    match application.quota_seen.used_up(quota, tenant.house.clock.now()) {
        Some(standing) => Err(exceeded(standing)),
        None => Ok(Some(quota)),
    }
}

/// The refusal of a token that the quota does not leave.
pub(super) fn exceeded(standing: Standing) -> Refusal {
    let refusal = Refusal {
        quota: Some(Box::new(standing)),
        ..Refusal::new(Reason::QuotaExceeded, "Client quota exceeded")
    };
    match standing.used_up() {
        Some(bucket) => refusal
            .retry_after(bucket.resets_in_s)
            .over_limit(u32::try_from(bucket.quota).unwrap_or(u32::MAX)),
        None => refusal.retry_after(1),
    }
}
