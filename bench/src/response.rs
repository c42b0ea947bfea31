//! Reads HTTP/1.1 responses with a `Content-Length`, which is all that the servers measured here send (RFC 9112 §6.3).

use std::fmt;
use std::ops::Range;

/// A response that has arrived whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Where its body lies in the bytes that were read.
    pub body: Range<usize>,
}

/// What arrived is no response that this reader knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// The response that `bytes` begins with; `None` while it is not whole.
pub fn read(bytes: &[u8]) -> Result<Option<Response>, Malformed> {
    let mut line_start = 0;
    let mut length = None;
    loop {
        let rest = &bytes[line_start..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        let line = rest[..end].trim_ascii_end();
        line_start += end + 1;
        if line.is_empty() {
            break;
        }
        if let Some(value) = header(line, b"content-length:") {
            length = Some(number(value)?);
        } else if header(line, b"transfer-encoding:").is_some() {
            return Err(Malformed);
        }
    }
    let status = bytes
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .ok_or(Malformed)?;
    let body = line_start..line_start + length.unwrap_or(0);
    if bytes.len() < body.end {
        return Ok(None);
    }
    Ok(Some(Response {
        status: u16::try_from(number(status)?).map_err(|_| Malformed)?,
        body,
    }))
}

/// The text of the string member `name` of a flat JSON object, when it holds no escapes.
pub fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"').map(|(text, _)| text)
}

fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (given, value) = line.split_at_checked(name.len())?;
    given.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Result<usize, Malformed> {
    let text = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    text.parse().map_err(|_| Malformed)
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server's answer is no HTTP/1.1 response with a Content-Length")
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-length: 5\r\n\r\nhello";

    #[test]
    fn a_response_is_read_when_its_last_byte_is_there() {
        for end in 0..WHOLE.len() {
            assert_eq!(read(&WHOLE[..end]), Ok(None), "{end}");
        }
        let Response { status, body } = read(WHOLE).unwrap().unwrap();
        assert_eq!((status, &WHOLE[body]), (200, b"hello".as_slice()));
    }

    #[test]
    fn what_it_cannot_read_is_malformed() {
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Err(Malformed)
        );
        assert_eq!(read(b"SSH-2.0\r\n\r\n"), Err(Malformed));
    }

    #[test]
    fn a_member_is_found_by_its_name() {
        assert_eq!(
            member(r#"{"access_token":"a.b.c","expires_in":1}"#, "access_token"),
            Some("a.b.c")
        );
        assert_eq!(member(r#"{"error":"x"}"#, "access_token"), None);
    }
}
