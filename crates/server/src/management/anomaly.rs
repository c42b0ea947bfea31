//! `/anomaly/blocks/ips/{ip}`: whether an address failed to sign in at too many accounts, and letting it try again
//! (CONTRACT §4.2).
//!
//! Failures are counted by each node for itself, so this is what the node that answers knows.

use std::net::IpAddr;

use axum::http::{Method, StatusCode};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Violation};

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "anomaly/blocks/ips/{ip}",
        scopes: &["read:anomaly_blocks"],
        summary: "Check if an IP address is blocked",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(async move { show(&call) }),
    },
    Endpoint {
        method: Method::DELETE,
        path: "anomaly/blocks/ips/{ip}",
        scopes: &["delete:anomaly_blocks"],
        summary: "Remove the blocked IP address",
        status: 204,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(async move { unblock(&call) }),
    },
];

fn show(call: &Call) -> Result<Reply, Failure> {
    let attempts = &call.tenant.house.accounts.attempts;
    match attempts.is_address_blocked(&call.tenant.id, address(call)?) {
        true => Ok(Reply::empty()),
        false => Err(Failure::new(
            StatusCode::NOT_FOUND,
            "The IP address is not blocked",
            Some("ip_not_blocked"),
        )),
    }
}

fn unblock(call: &Call) -> Result<Reply, Failure> {
    let attempts = &call.tenant.house.accounts.attempts;
    attempts.forgive_address(&call.tenant.id, address(call)?);
    Ok(Reply::empty())
}

fn address(call: &Call) -> Result<IpAddr, Failure> {
    let address = call.parameter("ip").parse();
    address.map_err(|_| Failure::path(&Violation::at("ip", "Write an address like 192.0.2.1 or 2001:db8::1")))
}
