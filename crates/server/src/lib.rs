//! Tokenhouse: an authorization server for HTTP APIs, as a library for its own binary and tests.
//!
//! `oauth` and the other doors turn HTTP into calls of rooms and their answers into HTTP; `issuing`,
//! `registry` and `accounts` are rooms, which know the house but no HTTP; the rest is the hall that both
//! share. See `ARCHITECTURE.md`.

pub mod accounts;
pub mod app;
pub mod audit;
pub mod caller;
pub mod cli;
pub mod config;
pub mod console;
pub mod dev;
pub mod directory;
pub mod gate;
pub mod host;
pub mod inspection;
pub mod issuing;
pub mod keyring;
pub mod management;
pub mod metrics;
pub mod oauth;
pub mod percent;
pub mod quota;
pub mod rate;
pub mod refusal;
pub mod registry;
pub mod router;
pub mod sample_api;
pub mod self_service;
pub mod serve;
pub mod snippets;
pub mod tenant;
pub mod tls;
pub mod watch;
pub mod web;
