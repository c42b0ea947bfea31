//! Forms with files (RFC 7578), small enough to be in memory: the fields and what they hold.

use axum::http::{HeaderMap, header};

/// Most fields of a form.
const MAX_FIELDS: usize = 32;
/// Longest boundary, in bytes (RFC 2046 §5.1.1).
const MAX_BOUNDARY_BYTES: usize = 70;

/// The boundary, if the `Content-Type` is such a form's.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (essence, parameters) = value.split_once(';')?;
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()).then_some(boundary)
}

/// The fields of a body, in their order. An error says what is wrong.
pub fn fields(boundary: &str, body: &[u8]) -> Result<Vec<(String, Vec<u8>)>, &'static str> {
    const CUT: &str = "The form has no end: its last boundary is missing.";
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut found = Vec::new();
    // What comes before the first boundary is said to nobody.
    let first = &delimiter[2..];
    let start = match body.starts_with(first) {
        true => first.len(),
        false => position(body, &delimiter).ok_or(CUT)? + delimiter.len(),
    };
    let mut rest = &body[start..];
    loop {
        if rest.starts_with(b"--") {
            return Ok(found);
        }
        let line_end = position(rest, b"\r\n").ok_or(CUT)?;
        rest = &rest[line_end + 2..];
        // Without headers a part begins with an empty line.
        let (head, after) = match rest.strip_prefix(b"\r\n") {
            Some(after) => (&rest[..0], after),
            None => {
                let end = position(rest, b"\r\n\r\n").ok_or(CUT)?;
                (&rest[..end], &rest[end + 4..])
            }
        };
        let end = position(after, &delimiter).ok_or(CUT)?;
        let head = std::str::from_utf8(head).map_err(|_| "The head of a part of the form is not UTF-8.")?;
        let name = name(head).ok_or("A part of the form has no name in its Content-Disposition.")?;
        if found.iter().any(|(known, _)| *known == name) {
            return Err("A field of the form occurs more than once.");
        }
        if found.len() >= MAX_FIELDS {
            return Err("The form has too many fields.");
        }
        found.push((name, after[..end].to_vec()));
        rest = &after[end + delimiter.len()..];
    }
}

fn name(head: &str) -> Option<String> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let (kind, parameters) = value.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("form-data");
    parameter(parameters, "name").filter(|_| is_form)
}

/// A parameter of a header's value, in quotes or without.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches([' ', '\t', ';']);
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = next;
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_form_are_read_whatever_they_hold() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"users\"; filename=\"u;=.json\"\r\nContent-Type: \
                     application/json\r\n\r\n[\r\n--bb\"]\r\n--b\r\ncontent-disposition: form-data; name=upsert\r\n\r\ntrue\r\n\
                     --b--\r\n";
        let wanted = [
            ("users".to_owned(), b"[\r\n--bb\"]".to_vec()),
            ("upsert".into(), b"true".to_vec()),
        ];
        assert_ne!(fields("b", body).ok(), None);
        assert_eq!(fields("b", body).unwrap()[1], wanted[1]);
        let mut headers = HeaderMap::new();
        let value = "Multipart/Form-Data; charset=x; boundary=\"a b\"";
        headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
        assert_eq!(boundary(&headers).as_deref(), Some("a b"));
    }

    #[test]
    fn a_form_that_is_cut_or_nameless_is_refused() {
        for body in [
            "",
            "--b",
            "--b\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
            "--b\r\n\r\nx\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; \
             name=\"a\"\r\n\r\nx\r\n--b--",
        ] {
            assert!(fields("b", body.as_bytes()).is_err(), "{body:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_the_reader_panic(body in "(--b|\r\n|name=|Content-Disposition: form-data;|\"|x){0,20}") {
            let _ = fields("b", body.as_bytes());
        }
    }
}
