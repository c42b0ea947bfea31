//! The header that says how an application's token quota stands (CONTRACT §4.11), on answers and refusals alike.

use axum::body::Body;
use axum::http::Response;

use crate::quota::{Bucket, Standing};
use crate::web::answer::{AUTH0_CLIENT_QUOTA_LIMIT, TOKENHOUSE_QUOTA_ENFORCED, set_text};

/// Says how a quota stands, as in `b=per_hour;q=10;r=7;t=3540,b=per_day;q=50;r=47;t=43200`: bucket, quota, remaining,
/// seconds to its renewal. Auth0 has the same header for quotas that refuse nobody; a header of our own says which it is,
/// so that a client need not slow down for it.
pub(super) fn say(response: &mut Response<Body>, standing: &Standing) {
    let part = |bucket: Bucket| {
        let Bucket {
            span,
            quota,
            remaining,
            resets_in_s,
        } = bucket;
        format!("b={};q={quota};r={remaining};t={resets_in_s}", span.bucket())
    };
    let parts: Vec<_> = standing.buckets().map(part).collect();
    set_text(response, AUTH0_CLIENT_QUOTA_LIMIT, &parts.join(","));
    if !standing.quota.is_enforced {
        set_text(response, TOKENHOUSE_QUOTA_ENFORCED, "false");
    }
}
