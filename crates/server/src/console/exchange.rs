//! A request and what became of it, as text for people: the lines that went out and those that came back.

use super::outbound::{Answer, Content, Failure, sent_headers};
use super::words;
use crate::snippets::Request;

/// A request and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What was sent, its secrets masked.
    pub(crate) request: String,
    /// What came back.
    pub(crate) answer: Option<Shown>,
    /// Why nothing came back.
    pub(crate) failure: Option<String>,
}

/// An answer as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The status as a class of the stylesheet: `good`, `bad`.
    pub(crate) tone: &'static str,
    /// The status with its name.
    pub(crate) line: String,
    /// The headers, a line each.
    pub(crate) headers: String,
    /// The body.
    pub(crate) body: String,
    /// What is to be said of the body.
    pub(crate) note: Option<&'static str>,
    /// How long it took: "12 ms".
    pub(crate) took: String,
}

impl Exchange {
    /// Of a request, as it may be shown, and its outcome.
    pub(crate) fn new(shown: &Request, outcome: Result<&Answer, &Failure>) -> Self {
        Self {
            request: written(shown),
            answer: outcome.ok().map(Shown::of),
            failure: outcome.err().map(ToString::to_string),
        }
    }
}

impl Shown {
    fn of(answer: &Answer) -> Self {
        let headers = answer.headers.iter();
        let headers = headers.map(|(name, value)| format!("{}: {}\n", visible(name), visible(value)));
        let (body, is_text) = match &answer.body {
            Content::Empty => (String::new(), true),
            Content::Text(text) => (visible(text), true),
            Content::Bytes(encoded) => (encoded.clone(), false),
        };
        Self {
            tone: match answer.status {
                200..=299 => "good",
                400.. => "bad",
                _ => "accent",
            },
            line: format!("{} {}", answer.status, answer.reason).trim_end().to_owned(),
            headers: headers.collect(),
            body,
            note: match (is_text, answer.is_cut) {
                (true, false) => None,
                (true, true) => Some(words::code::IS_CUT),
                (false, false) => Some(words::code::NO_TEXT),
                (false, true) => Some(words::code::NO_TEXT_AND_CUT),
            },
            took: match answer.took.as_millis() {
                0 => words::time::UNDER_ONE_MS.to_owned(),
                ms => words::time::milliseconds(ms),
            },
        }
    }
}

/// A request as HTTP/1.1 sends it (RFC 9112 §3).
pub(crate) fn written(request: &Request) -> String {
    let (_, rest) = request.url().split_once("://").unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let content = request.content();
    let mut text = format!("{} {path} HTTP/1.1\nHost: {authority}\n", request.method().as_str());
    for (name, value) in sent_headers(request) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    if let Some(content) = content {
        text.push_str(&format!("Content-Length: {}\n\n{content}\n", content.len()));
    }
    text
}

/// Text whose controls are seen, but for those that lay it out.
fn visible(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snippets::{Body, Method};

    #[test]
    fn a_request_is_written_as_it_is_sent() {
        let body = vec![("grant_type".to_owned(), json!("client_credentials"))];
        let request = Request::new(Method::Post, "http://localhost:4000/oauth/token").unwrap();
        let request = request.body(Body::Json(body)).unwrap();
        let text = written(&request);
        assert!(text.starts_with("POST /oauth/token HTTP/1.1\nHost: localhost:4000\nContent-Type: application/json\n"));
        assert!(
            text.ends_with("Content-Length: 40\n\n{\n  \"grant_type\": \"client_credentials\"\n}\n"),
            "{text}"
        );
    }
}
