//! JSON Object Signing: keys (RFC 7517), signatures (RFC 7515), claims (RFC 7519), each strict where RFC 8725 asks for it.

pub mod base64url;
pub mod claims;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod pem;
