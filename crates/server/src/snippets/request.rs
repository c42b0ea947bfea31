//! The request that is written in every language: what it may hold is decided here, once, so that no language can be
//! handed what it cannot say.

use std::fmt::Write as _;
use std::fmt::{self, Display};

use serde_json::Value;

/// The largest integer that JavaScript holds exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// What may stand in a header's name besides letters and digits (RFC 9110 §5.6.2).
const TOKEN_SIGNS: &[u8] = b"!#$%&'*+-.^_`|~";
/// What stays as it is in a URL's path and query. Others are percent-encoded, `'` among them, since clients that
/// follow the URL standard would do it and others would not.
const URL_SIGNS: &[u8] = b"-._~:/?@!$&()*+,;=";
/// Headers that clients send by themselves, or that the body brings along.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "transfer-encoding",
    "upgrade",
];
/// Members of a body that are secrets.
const SECRETS: [&str; 4] = ["client_secret", "password", "client_assertion", "refresh_token"];

/// An HTTP request that every language can write.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    /// The access token of its `Authorization` header.
    pub(super) bearer: Option<String>,
    pub(super) body: Option<Body>,
    pub(super) ca_file: Option<String>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are HTTP's own")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What is sent after the headers.
#[derive(Clone)]
pub enum Body {
    /// The members of a JSON object, in their order.
    Json(Vec<(String, Value)>),
    /// Parameters as a form sends them.
    Form(Vec<(String, String)>),
}

/// A URL of printable ASCII, taken apart for languages that want its parts.
#[derive(Clone)]
pub(super) struct Url {
    pub(super) is_https: bool,
    /// A name or an address, an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path and the query.
    pub(super) path: String,
    text: String,
}

/// Why a request cannot be sent: one sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError(String);

impl Request {
    /// A request without headers and body. Whatever cannot stand in the path or query of `url` is percent-encoded;
    /// refuses what is no http or https URL, or has a user, a fragment or a host that is not ASCII.
    pub fn new(method: Method, url: &str) -> Result<Self, RequestError> {
        Ok(Self {
            method,
            url: Url::parse(url)?,
            headers: Vec::new(),
            bearer: None,
            body: None,
            ca_file: None,
        })
    }

    /// Adds a header. Refuses a name that is none, that is there already or that clients write themselves; and a value
    /// that is empty, or has controls, characters outside ASCII, a backslash (which not every command line can say) or
    /// blanks around it.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, RequestError> {
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || TOKEN_SIGNS.contains(&b));
        if !is_name {
            return Err(RequestError::because(format_args!("{name:?} is no name of a header")));
        }
        let is_own = OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
        let is_there = self
            .all_headers()
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name));
        if is_own || is_there {
            return Err(RequestError::because(format_args!(
                "the header {name} is written already"
            )));
        }
        if value.is_empty() || !is_printable(value) || value.contains('\\') || value.trim() != value {
            return Err(RequestError::because(format_args!(
                "the header {name} holds what cannot be sent: use printable ASCII without backslashes"
            )));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Sends an access token (RFC 6750 §2.1). Refuses one that is not printable ASCII without blanks, and a second
    /// `Authorization` header.
    pub fn bearer(mut self, token: &str) -> Result<Self, RequestError> {
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RequestError::because(
                "the access token holds what cannot be sent in a header: use it as the token endpoint gave it",
            ));
        }
        let is_authorization = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
        if self.all_headers().iter().any(is_authorization) {
            return Err(RequestError::because("the header Authorization is written already"));
        }
        self.bearer = Some(token.to_owned());
        Ok(self)
    }

    /// Sends a body, and the header that says what it is. Refuses numbers that not every language holds exactly.
    pub fn body(mut self, body: Body) -> Result<Self, RequestError> {
        if let Body::Json(members) = &body
            && !members.iter().all(|(_, value)| is_exact(value))
        {
            return Err(RequestError::because(
                "a number of the body is not an integer that every language holds exactly: send it as text",
            ));
        }
        self.body = Some(body);
        Ok(self)
    }

    /// Names the file of a local authority, PEM, that the server's certificate is checked against; it is left out
    /// over http. Refuses a path with controls or signs that change the direction of text.
    pub fn ca_file(mut self, path: &str) -> Result<Self, RequestError> {
        let is_harmful = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if path.is_empty() || path.contains(is_harmful) {
            return Err(RequestError::because(
                "the path of the authority's file holds what cannot be shown: put the file elsewhere",
            ));
        }
        self.ca_file = self.url.is_https.then(|| path.to_owned());
        Ok(self)
    }

    /// What is done.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Where it goes.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The access token of its `Authorization` header.
    pub fn token(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// The text of its body.
    pub fn content(&self) -> Option<String> {
        self.body.as_ref().map(|body| body.text(&[]))
    }

    /// Every header in its order: what the body is, who calls, the others.
    pub fn all_headers(&self) -> Vec<(String, String)> {
        let content_type = self
            .body
            .as_ref()
            .map(|body| ("Content-Type", body.content_type().to_owned()));
        let bearer = self
            .bearer
            .as_ref()
            .map(|token| ("Authorization", format!("Bearer {token}")));
        let own = content_type.into_iter().chain(bearer);
        let own = own.map(|(name, value)| (name.to_owned(), value));
        own.chain(self.headers.iter().cloned()).collect()
    }

    /// Whether a secret of an application or a person is in it, which a page must not hold. An access token is not:
    /// a page has to have it.
    pub fn has_secret(&self) -> bool {
        let is_secret = |name: &str| SECRETS.contains(&name);
        let in_body = match &self.body {
            Some(Body::Json(members)) => members.iter().any(|(name, _)| is_secret(name)),
            Some(Body::Form(pairs)) => pairs.iter().any(|(name, _)| is_secret(name)),
            None => false,
        };
        let by_basic = |(name, value): &(String, String)| {
            let scheme = value.split(' ').next().unwrap_or_default();
            name.eq_ignore_ascii_case("authorization") && !scheme.eq_ignore_ascii_case("bearer")
        };
        in_body || self.headers.iter().any(by_basic)
    }
}

/// Never what it carries.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Method {
    /// As it is sent: `GET`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Body {
    /// Its media type.
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }
}

impl Url {
    /// The whole of it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    fn parse(text: &str) -> Result<Self, RequestError> {
        let refused = |why: &str| RequestError::because(format_args!("{text:?} cannot be called: {why}"));
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let is_https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(refused("a URL begins with http:// or https://")),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(refused("a URL must not hold a user"));
        }
        if path.contains('#') {
            return Err(refused("what follows # is never sent: write %23"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().map_err(|_| refused("its port is no number below 65536"))?;
                (host, Some(port))
            }
            Some(_) | None => (authority, None),
        };
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
                !host.is_empty() && host.bytes().all(is_sign)
            }
        };
        if !is_host {
            return Err(refused("its host is no name in ASCII and no address"));
        }
        let scheme = if is_https { "https" } else { "http" };
        let path = encoded(path);
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        };
        Ok(Self {
            is_https,
            host: bracketed.unwrap_or(host).to_owned(),
            port: port.unwrap_or(if is_https { 443 } else { 80 }),
            text: format!("{scheme}://{authority}{path}"),
            path,
        })
    }
}

impl RequestError {
    fn because(sentence: impl Display) -> Self {
        Self(sentence.to_string())
    }
}

impl Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RequestError {}

/// Percent-encodes what may not stand in a path or query; what is encoded already stays so.
fn encoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let is_escape = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut text = String::new();
    for (at, &b) in bytes.iter().enumerate() {
        if b.is_ascii_alphanumeric() || URL_SIGNS.contains(&b) || (b == b'%' && is_escape(at)) {
            text.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{b:02X}");
        }
    }
    text
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            magnitude.is_some_and(|magnitude| magnitude <= MAX_SAFE_INTEGER)
        }
        Value::Array(values) => values.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
