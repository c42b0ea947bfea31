//! A request as a test writes it, and the answer as it reads it.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use serde_json::Value;

use super::jwt::Jwt;

/// A request. It has a Host header unless that is taken away.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) address: IpAddr,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            headers: vec![("host".into(), b"localhost:4000".to_vec())],
            body: Vec::new(),
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A form for the token endpoint.
    pub(crate) fn token(fields: &[(&str, &str)]) -> Self {
        Self::new("POST", "/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields))
    }

    /// JSON for the token endpoint.
    pub(crate) fn token_json(body: &Value) -> Self {
        Self::new("POST", "/oauth/token")
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The same with a header more.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    pub(crate) fn host(self, host: &str) -> Self {
        self.without("host").header("host", host)
    }

    pub(crate) fn content_type(self, value: &str) -> Self {
        self.without("content-type").header("content-type", value)
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        crate::secrets::used(&encoded);
        self.header("authorization", format!("Basic {encoded}"))
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn from(mut self, address: [u8; 4]) -> Self {
        self.address = address.into();
        self
    }

    pub(super) fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.parse().unwrap();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_bytes(value).unwrap());
        }
        request
    }
}

impl Answer {
    pub(super) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.into()).unwrap(),
        };
        if let Ok(body) = serde_json::from_str(&answer.body) {
            note_secrets(&body);
        }
        answer
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// A member of the JSON that is a text; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// A header's one value; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        first
    }

    /// The access token of an answer that has one.
    pub(crate) fn token(&self) -> Jwt {
        assert_eq!(self.status, 200, "{}", self.body);
        Jwt::read(&self.text("access_token"))
    }
}

/// Notes what an answer says that nothing else may say.
fn note_secrets(value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_secret =
                    ["access_token", "id_token", "client_secret", "signing_secret"].contains(&name.as_str());
                value
                    .as_str()
                    .filter(|_| is_secret)
                    .into_iter()
                    .for_each(crate::secrets::used);
                note_secrets(value);
            }
        }
        Value::Array(items) => items.iter().for_each(note_secrets),
        _ => {}
    }
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", encoded(name), encoded(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

pub(crate) fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
