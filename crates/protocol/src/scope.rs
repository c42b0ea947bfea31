//! Scopes: what an access token allows (RFC 6749 §3.3).

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

/// Most scopes that one list may hold: as many as an API may have.
pub const MAX_SCOPES: usize = 1000;

/// An ordered list of scopes without repetitions, as sent and as answered.
///
/// Parses from and prints as a space-separated text; several spaces count as one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scopes(Vec<String>);

/// The text holds a character that no scope may hold (RFC 6749 §3.3 allows %x21, %x23-5B, %x5D-7E), or more than
/// [`MAX_SCOPES`] scopes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidScope;

impl Scopes {
    /// No scope at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether `scope` is in the list.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|held| held == scope)
    }

    /// Adds `scope` at the end unless it is there.
    pub fn push(&mut self, scope: &str) {
        if !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those for which `keep` says yes, in order.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Whether `text` can be one scope: at least one character, each of RFC 6749 §3.3.
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl FromStr for Scopes {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let mut seen = HashSet::new();
        let mut scopes = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !is_scope_token(token) || seen.len() == MAX_SCOPES {
                return Err(InvalidScope);
            }
            if seen.insert(token) {
                scopes.push(token.to_owned());
            }
        }
        Ok(Self(scopes))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Collects scopes in order, dropping repetitions; the caller has checked each with [`is_scope_token`].
impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(items: I) -> Self {
        let mut seen = HashSet::new();
        Self(
            items
                .into_iter()
                .filter(|scope| seen.insert(*scope))
                .map(str::to_owned)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_is_kept_and_repetition_dropped() {
        let scopes: Scopes = "b  a b c".parse().unwrap();
        assert_eq!(scopes.to_string(), "b a c");
    }

    #[test]
    fn quotes_backslashes_controls_and_other_alphabets_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "a\nb", "é", "\u{0}"] {
            assert_eq!(bad.parse::<Scopes>(), Err(InvalidScope), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_prints_back(text in ".{0,80}") {
            if let Ok(scopes) = text.parse::<Scopes>() {
                prop_assert_eq!(scopes.to_string().parse::<Scopes>(), Ok(scopes));
            }
        }
    }
}
