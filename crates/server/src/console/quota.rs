//! How an application's quota stands (CONTRACT §4.11), for the pages that show it.

use tokenhouse_store::{Client, Span};

use super::answer::Failure;
use super::display::{Moment, number};
use super::words;
use crate::quota;
use crate::tenant::Tenant;

/// One window of a quota.
pub(super) struct Window {
    /// Tokens issued in it.
    pub(super) used: String,
    /// Tokens that it allows.
    pub(super) limit: String,
    /// How much of it is used, at most 100.
    pub(super) percent: i64,
    /// Which window: words::time::THIS_HOUR.
    pub(super) span: &'static str,
    /// When the next one begins.
    pub(super) ends: Moment,
    pub(super) is_used_up: bool,
    /// Whether more is refused once it is used up.
    pub(super) is_enforced: bool,
}

/// The windows of an application's quota, or of the tenant's default one; none if neither is set.
pub(super) async fn windows(tenant: &Tenant, client: &Client) -> Result<Vec<Window>, Failure> {
    let own = quota::read(client.rest.get("token_quota"));
    let Some(quota) = own.or(tenant.settings().default_quota) else {
        return Ok(Vec::new());
    };
    let now = tenant.house.clock.now();
    let counted = tenant.house.store.quota_used(&tenant.id, &client.id, now).await?;
    let window = |span: Span| {
        let (limit, used) = (quota.limit(span)?, counted.used(span));
        Some(Window {
            used: number(used),
            limit: number(limit),
            percent: (used.saturating_mul(100) / limit.max(1)).min(100),
            span: match span {
                Span::Hour => words::time::THIS_HOUR,
                Span::Day => words::time::THIS_DAY,
            },
            ends: Moment::of(span.end(now)),
            is_used_up: used >= limit,
            is_enforced: quota.is_enforced,
        })
    };
    Ok(Span::ALL.into_iter().filter_map(window).collect())
}
