//! The OAuth and OpenID Connect door: HTTP in, HTTP out (RFC 6749, RFC 8414, OpenID Connect Discovery).

pub mod avatar;
pub mod error;
pub mod error_page;
pub mod metadata;
mod quota;
pub mod token;
pub mod userinfo;
