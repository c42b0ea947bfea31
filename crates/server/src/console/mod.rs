//! The console: where people meet Tokenhouse. For now only the requests that it shows as code.

pub mod outbound;
pub mod snippets;
