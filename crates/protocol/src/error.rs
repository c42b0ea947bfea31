//! OAuth error words and the body that carries them (RFC 6749 §5.2), and what may stand in a description.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Longest piece of a request that an error repeats to its sender, in characters (CONTRACT Decision 1).
const REFLECTED_CHARS: usize = 200;

/// The JSON of a refusal by an OAuth endpoint, in Auth0's and in RFC 6749's dialect alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The word that programs branch on.
    pub error: String,
    /// The sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// A page that says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
}

/// A value from a request, cut to 200 characters, to be repeated in an error's text.
pub fn reflected(value: &str) -> String {
    match value.char_indices().nth(REFLECTED_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// `text` with only the characters that RFC 6749 §5.2 allows in a description (and RFC 6750 §3 in a
/// quoted header value): `"` becomes `'`, anything else outside %x20-21 / 23-5B / 5D-7E becomes `?`.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' => '\'',
            '\u{20}'..='\u{21}' | '\u{23}'..='\u{5B}' | '\u{5D}'..='\u{7E}' => c,
            _ => '?',
        })
        .collect()
}

/// An error with everything it was caused by: the first line of a TLS or DNS failure says nothing.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_leave_its_quotes() {
        assert_eq!(plain("say \"é\\\r\n\""), "say '????'");
    }

    #[test]
    fn what_is_repeated_is_cut_on_a_character() {
        let long = "é".repeat(300);
        assert_eq!(reflected(&long).chars().count(), 201);
        assert_eq!(reflected("short"), "short");
    }
}
