//! The words and seals that Tokenhouse's server, guard and client share: ids, scopes, requests,
//! errors, discovery, JOSE. No I/O and no async: what is here can be tested with values alone.

pub mod bearer;
pub mod credentials;
pub mod crypto;
pub mod discovery;
pub mod error;
pub mod grant;
pub mod id;
pub mod jose;
pub mod parameters;
pub mod scope;
pub mod secret;
pub mod time;
pub mod token;

/// What the crate's page shows first: compiled, as every example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
