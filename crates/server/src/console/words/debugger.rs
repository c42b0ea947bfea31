//! What the Debugger says of private keys that cannot sign.

use std::fmt::Display;

pub(in crate::console) const KEY_TOO_LONG: &str = "That is longer than any private key or key id.";
pub(in crate::console) const NEEDS_CLIENT: &str =
    "Choose the application first: the assertion says its client ID, and its key signs it.";
pub(in crate::console) const NO_ALGORITHM: &str = "An assertion is signed with RS256, PS256, ES256 or EdDSA.";
pub(in crate::console) const NO_KIND_OF_KEY: &str =
    "The private key is no RSA key of 2048 bits or more, no P-256 key and no Ed25519 key.";

pub(in crate::console) fn key_refused(why: &dyn Display) -> String {
    format!("The private key cannot sign: {why}.")
}
