//! What a request is for, read so that no two readers can take it for two things: the gate decides by one path, and the
//! API behind must not serve another. What could be read in two ways is refused, not repaired.

/// The path of a request, decoded; it has one meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    path: String,
}

/// Longest target that is read, in bytes.
const MAX_BYTES: usize = 16 * 1024;

impl Target {
    /// Reads a request target in origin form (RFC 9112 §3.2.1): a path and perhaps a query.
    ///
    /// Refuses dot segments and empty ones, encoded or not; encoded slashes and percent signs, backslashes, controls;
    /// path parameters (`;`); segments that end in a dot or a blank; what is not UTF-8; with a sentence that says which.
    pub fn read(target: &str) -> Result<Self, &'static str> {
        if target.len() > MAX_BYTES {
            return Err("The request's target is longer than 16 KiB.");
        }
        if !target.bytes().all(|b| b.is_ascii_graphic()) || target.contains(['#', '\\']) {
            return Err("The request's target holds characters that have to be percent-encoded.");
        }
        let path = target.split('?').next().unwrap_or_default();
        if !path.starts_with('/') {
            return Err("The request's target is not a path.");
        }
        let path = decoded(path)?;
        let mut segments = path[1..].split('/').peekable();
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err("The path has an empty segment (//).");
            }
            if segment.ends_with(['.', ' ']) {
                return Err("The path has a segment that is or ends in a dot or a blank.");
            }
        }
        Ok(Self { path })
    }

    /// The decoded path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same as a server sees it to which upper and lower case are one.
    pub fn folded(&self) -> String {
        folded(&self.path)
    }

    /// Whether `prefix` is this path or one above it: `/a` is above `/a/b` and `/a/`, not above `/ab`.
    pub fn is_below(&self, prefix: &str) -> bool {
        is_below(&self.path, prefix)
    }
}

/// Whether `prefix`, which ends in no slash unless it is the root, is `path` or one above it.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A text with upper and lower case made one, those letters too that have only one of them.
pub(super) fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

fn decoded(path: &str) -> Result<String, &'static str> {
    const MALFORMED: &str = "The path has a percent sign without two hexadecimal digits.";
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let (byte, is_encoded) = match byte {
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).ok_or(MALFORMED);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                (u8::try_from(high * 16 + low).map_err(|_| MALFORMED)?, true)
            }
            plain => (plain, false),
        };
        if byte == b';' {
            return Err("The path has a parameter (;).");
        }
        if is_encoded && (byte.is_ascii_control() || b"/\\%?#".contains(&byte)) {
            return Err("The path has an encoded slash, backslash, percent sign, ?, # or control character.");
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| "The path is not UTF-8.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_decoded_and_loses_its_query() {
        for (target, path) in [
            ("/", "/"),
            ("/a/b?c=/../d", "/a/b"),
            ("/a/", "/a/"),
            ("/%61dmin/%7Euser", "/admin/~user"),
            ("/caf%C3%A9/a%20b", "/café/a b"),
            ("/.well-known/a.json", "/.well-known/a.json"),
        ] {
            assert_eq!(Target::read(target).unwrap().path(), path, "{target}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for target in [
            "",
            "a",
            "http://a/b",
            "*",
            "//",
            "//a",
            "/a//b",
            "/a/../b",
            "/a/..",
            "/.",
            "/./a",
            "/%2e%2e/a",
            "/a/%2E./b",
            "/a/.%2e",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%252e",
            "/a%00",
            "/a%0d%0a",
            "/a;b",
            "/a;/../b",
            "/a%3bb",
            "/a%3Fb",
            "/a%23b",
            "/a#b",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%ff",
            "/a b",
            "/caf\u{e9}",
            "/a./b",
            "/a%20",
            "/a%20/b",
            "/...",
            "/a\tb",
            "/a%c0%ae%c0%ae/b",
        ] {
            assert!(Target::read(target).is_err(), "{target:?}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_segments_border() {
        let target = Target::read("/reports/2026").unwrap();
        for above in ["/", "/reports", "/reports/2026"] {
            assert!(target.is_below(above), "{above}");
        }
        for other in ["/report", "/reports/20", "/reports/2026/a", "/Reports"] {
            assert!(!target.is_below(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_has_no_second_meaning(target in "/[ -~]{0,30}") {
            if let Ok(read) = Target::read(&target) {
                prop_assert!(!read.path().contains("//") && !read.path().contains(['\\', ';', '%', '\0']));
                prop_assert!(read.path()[1..].split('/').all(|segment| segment != "." && segment != ".."));
            }
        }
    }
}
