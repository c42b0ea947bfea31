//! The console: where people meet Tokenhouse. For now only the requests that it shows as code.

pub mod chart;
pub mod decoded;
pub mod judge;
pub mod outbound;
pub mod snippets;
