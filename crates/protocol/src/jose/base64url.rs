//! Base64url as JOSE writes it (RFC 7515 §2): no padding, no other alphabet, one text for each value.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes `bytes` without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] writes and nothing else: no `=`, no `+` or `/`, no white space, no bits left over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn only_the_canonical_text_is_read() {
        assert_eq!(decode("_-8"), Some(vec![0xff, 0xef]));
        for text in ["_-8=", "/+8", "_-9", "_", "_-8\n", " _-8", "_-8ä"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_prints_back(text in "[A-Za-z0-9_+/=-]{0,12}") {
            if let Some(bytes) = decode(&text) {
                assert_eq!(encode(bytes), text);
            }
        }

        #[test]
        fn what_is_written_is_read(bytes in any::<Vec<u8>>()) {
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
