//! Pieces of addresses within the console.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A text as one segment of a path, or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
