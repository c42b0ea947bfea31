//! The server through its front door: one test binary whose folders mirror the routes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

mod architecture;
mod cli;
mod console;
mod dev;
mod hostile_requests;
mod house;
mod isolation;
mod keys;
mod last_answers;
mod limits;
mod log;
mod management;
mod metrics;
mod moving;
mod oauth;
mod operate;
mod outage;
mod registry;
mod secrets;
mod story;
mod tenants;
mod tls;
