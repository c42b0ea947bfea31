//! Headers of tokens that were verified: an issuer gives the tokens of one key the same header, so it is read once.

use std::sync::{Arc, PoisonError, RwLock};

use tokenhouse_protocol::jose::jws::{Header, Parts};

/// How many are remembered: keys change, and an issuer may have kinds of tokens.
const MOST: usize = 8;

/// The headers of one guard's tokens, each with the text that it was read from. Only verified tokens add to them.
#[derive(Default)]
pub(crate) struct KnownHeaders(RwLock<Vec<(Box<str>, Arc<Header>)>>);

impl KnownHeaders {
    pub(super) fn find(&self, encoded: &str) -> Option<Arc<Header>> {
        let headers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = headers.iter().find(|(text, _)| **text == *encoded);
        found.map(|(_, header)| Arc::clone(header))
    }

    /// Remembers the header of a token that was verified.
    pub(super) fn keep(&self, parts: &Parts<'_>) {
        // One that was found here is held here.
        if Arc::strong_count(&parts.header) > 1 {
            return;
        }
        let mut headers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = headers.iter().any(|(text, _)| **text == *parts.encoded_header());
        if !is_known {
            if headers.len() == MOST {
                headers.remove(0);
            }
            headers.push((parts.encoded_header().into(), Arc::clone(&parts.header)));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokenhouse_protocol::jose::base64url;

    use super::*;

    #[test]
    fn the_last_headers_of_verified_tokens_are_known() {
        let known = KnownHeaders::default();
        let token = |kid: usize| {
            format!(
                "{}.e30.AA",
                base64url::encode(format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#))
            )
        };
        for kid in (0..=MOST).chain([MOST]) {
            known.keep(&Parts::split(&token(kid)).unwrap());
        }
        let found = |kid: usize| {
            let token = token(kid);
            let header = known.find(Parts::split(&token).unwrap().encoded_header());
            header.and_then(|header| header.kid.clone())
        };
        assert_eq!(
            (found(0), found(1), found(MOST)),
            (None, Some("1".into()), Some(MOST.to_string()))
        );
    }
}
