//! One request for a token (RFC 6749 §4.4.2) and the reading of its answer. Bounded in time and size, never redirected:
//! a redirect would carry the secret to another address.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Map, Value};
use tokenhouse_protocol::discovery::{Metadata, OPENID_CONFIGURATION, is_loopback_host};
use tokenhouse_protocol::error::{causes, reflected};
use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::secret::Secret;

use crate::{BuildError, Error};

/// How long one request may take, its body included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// How long a token is valid whose issuer does not say.
const DEFAULT_LIFETIME_SECONDS: u64 = 300;
/// The longest lifetime and the longest wait that we believe: a year, and an hour.
const MAX_LIFETIME_SECONDS: u64 = 366 * 86_400;
const MAX_RETRY_AFTER_SECONDS: u64 = 3600;

/// The request that a client repeats.
pub(crate) struct Request {
    client: Client,
    endpoint: Endpoint,
    client_id: String,
    client_secret: Secret,
    audience: Option<String>,
    scope: Option<String>,
}

/// Where tokens are given.
pub(crate) enum Endpoint {
    At(Url),
    Issuer {
        issuer: String,
        metadata: Url,
        known: Mutex<Option<Url>>,
    },
}

/// A token, fresh from the issuer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) token: Arc<Secret>,
    pub(crate) scope: Option<Arc<str>>,
    pub(crate) lifetime_seconds: u64,
}

impl Endpoint {
    pub(crate) fn at(url: &str) -> Result<Self, BuildError> {
        http_url(url).map(Self::At)
    }

    pub(crate) fn discover(issuer: String) -> Result<Self, BuildError> {
        let mut metadata = http_url(&issuer)?;
        let path = format!("{}/{OPENID_CONFIGURATION}", metadata.path().trim_end_matches('/'));
        metadata.set_path(&path);
        Ok(Self::Issuer {
            issuer,
            metadata,
            known: Mutex::new(None),
        })
    }
}

impl Endpoint {
    /// Whether it is on this machine.
    fn is_loopback(&self) -> bool {
        let (Self::At(url) | Self::Issuer { metadata: url, .. }) = self;
        url.host_str().is_some_and(is_loopback_host)
    }
}

impl Request {
    pub(crate) fn new(
        endpoint: Endpoint,
        client_id: String,
        client_secret: Secret,
        audience: Option<String>,
        scope: Option<String>,
    ) -> Result<Self, BuildError> {
        let builder = match endpoint.is_loopback() {
            // A proxy's localhost is another machine.
            true => Client::builder().no_proxy(),
            false => Client::builder(),
        };
        let client = builder
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tokenhouse-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| BuildError::Client(causes(&error)))?;
        Ok(Self {
            client,
            endpoint,
            client_id,
            client_secret,
            audience,
            scope,
        })
    }

    /// Asks for a token. An error's `retry_after_seconds` is what the issuer said, or 0.
    pub(crate) async fn send(&self) -> Result<Answer, Error> {
        let url = self.token_url().await?;
        let request = self.client.post(url.clone()).header(ACCEPT, "application/json");
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(self.form(&url));
        let response = request.send().await.map_err(|error| unreachable_at(&url, &error))?;
        let status = response.status();
        let retry_after_seconds = retry_after(&response);
        let body = body(&url, response).await?;
        if status == StatusCode::OK {
            return read_answer(&body).map_err(|cause| Error::Answer {
                cause,
                retry_after_seconds: 0,
            });
        }
        Err(read_refusal(status, &body, retry_after_seconds))
    }

    fn form(&self, url: &Url) -> String {
        let mut form = url.clone();
        form.set_query(None);
        let mut pairs = form.query_pairs_mut();
        pairs.append_pair("grant_type", "client_credentials");
        pairs.append_pair("client_id", &self.client_id);
        pairs.append_pair("client_secret", self.client_secret.expose());
        for (name, value) in [("audience", &self.audience), ("scope", &self.scope)] {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        drop(pairs);
        form.query().unwrap_or_default().to_owned()
    }

    async fn token_url(&self) -> Result<Url, Error> {
        let (issuer, metadata, known) = match &self.endpoint {
            Endpoint::At(url) => return Ok(url.clone()),
            Endpoint::Issuer {
                issuer,
                metadata,
                known,
            } => (issuer, metadata, known),
        };
        if let Some(url) = &*known.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(url.clone());
        }
        let request = self.client.get(metadata.clone()).header(ACCEPT, "application/json");
        let response = request.send().await.map_err(|error| unreachable_at(metadata, &error))?;
        let (status, retry_after_seconds) = (response.status(), retry_after(&response));
        if status != StatusCode::OK {
            return Err(Error::Unavailable {
                cause: format!("{metadata} answered {status}"),
                retry_after_seconds,
            });
        }
        let document = body(metadata, response).await?;
        let url = token_endpoint(&document, issuer).map_err(|cause| Error::Answer {
            cause: format!("{metadata}: {cause}"),
            retry_after_seconds: 0,
        })?;
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.clone());
        Ok(url)
    }
}

/// The token endpoint in a metadata document that really is `issuer`'s (RFC 8414 §3.3).
fn token_endpoint(document: &[u8], issuer: &str) -> Result<Url, String> {
    let value = json::parse(document).map_err(|error| format!("no metadata: {error}"))?;
    let metadata: Metadata = serde_json::from_value(value).map_err(|error| format!("no metadata: {error}"))?;
    if metadata.issuer != issuer {
        return Err(format!(
            "the metadata is of the issuer {:?}, not {issuer:?}",
            metadata.issuer
        ));
    }
    let endpoint = metadata.token_endpoint.ok_or("the metadata names no token endpoint")?;
    let url = http_url(&endpoint).map_err(|error| error.to_string())?;
    // The secret goes there: never from an https issuer to a plain address.
    if issuer.starts_with("https:") && url.scheme() != "https" {
        return Err(format!("the token endpoint of an https issuer is {url}, without TLS"));
    }
    Ok(url)
}

fn read_answer(body: &[u8]) -> Result<Answer, String> {
    let members = json::parse_object(body).map_err(|error| error.to_string())?;
    let token = text(&members, "access_token")
        .filter(|token| !token.is_empty())
        .ok_or("it has no access_token")?;
    let kind = text(&members, "token_type").ok_or("it has no token_type")?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(format!("its token_type is {:?}, not Bearer", reflected(kind)));
    }
    let lifetime_seconds = match members.get("expires_in") {
        None | Some(Value::Null) => DEFAULT_LIFETIME_SECONDS,
        // Some issuers write the number as a text.
        Some(Value::String(seconds)) => seconds.parse().map_err(|_| "its expires_in is no number of seconds")?,
        Some(value) => value.as_u64().ok_or("its expires_in is no number of seconds")?,
    };
    Ok(Answer {
        token: Arc::new(Secret::new(token)),
        scope: text(&members, "scope").map(Into::into),
        lifetime_seconds: lifetime_seconds.min(MAX_LIFETIME_SECONDS),
    })
}

fn read_refusal(status: StatusCode, body: &[u8], retry_after_seconds: u64) -> Error {
    let members = json::parse_object(body).unwrap_or_default();
    let error = text(&members, "error").map(reflected);
    let description = text(&members, "error_description").map(reflected);
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let said = description
            .or(error)
            .map(|said| format!(": {said}"))
            .unwrap_or_default();
        return Error::Unavailable {
            cause: format!("the issuer answered {status}{said}"),
            retry_after_seconds,
        };
    }
    match error {
        Some(error) => Error::Refused {
            status: status.as_u16(),
            error,
            description,
            retry_after_seconds,
        },
        None => Error::Answer {
            cause: format!("it is a {status} without an error"),
            retry_after_seconds,
        },
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); a date, which nobody sends here, counts as nothing said.
fn retry_after(response: &Response) -> u64 {
    let value = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
        .min(MAX_RETRY_AFTER_SECONDS)
}

async fn body(url: &Url, mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable_at(url, &error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            let cause = format!("it is larger than {MAX_ANSWER_BYTES} bytes");
            return Err(Error::Answer {
                cause,
                retry_after_seconds: 0,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn http_url(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| BuildError::Address(text.to_owned()))
}

fn unreachable_at(url: &Url, error: &reqwest::Error) -> Error {
    Error::Unavailable {
        cause: format!("{url}: {}", causes(error)),
        retry_after_seconds: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_bearer_token_is_refused() {
        let good = br#"{"access_token":"a","token_type":"bearer","expires_in":60}"#;
        assert_eq!(read_answer(good).unwrap().lifetime_seconds, 60);
        assert_eq!(
            read_answer(br#"{"access_token":"a","token_type":"Bearer"}"#)
                .unwrap()
                .lifetime_seconds,
            300
        );
        for bad in [
            r#"{"token_type":"Bearer","expires_in":60}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"soon"}"#,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
            "<html>",
        ] {
            assert!(read_answer(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_keeps_the_issuers_words_and_not_its_pages() {
        let body = br#"{"error":"access_denied","error_description":"Client is not authorized."}"#;
        let error = read_refusal(StatusCode::FORBIDDEN, body, 0);
        assert_eq!(
            error.to_string(),
            "the issuer refuses a token: 403 access_denied: Client is not authorized."
        );
        assert!(matches!(
            read_refusal(StatusCode::NOT_FOUND, b"<html>", 0),
            Error::Answer { .. }
        ));
        assert!(matches!(
            read_refusal(StatusCode::BAD_GATEWAY, b"<html>", 7),
            Error::Unavailable {
                retry_after_seconds: 7,
                ..
            }
        ));
    }

    #[test]
    fn the_secret_goes_only_to_the_issuers_own_endpoint() {
        let metadata = |issuer: &str, endpoint: &str| {
            format!(r#"{{"issuer":"{issuer}","token_endpoint":"{endpoint}","jwks_uri":"{issuer}keys"}}"#).into_bytes()
        };
        let issuer = "https://a.example/";
        assert!(token_endpoint(&metadata(issuer, "https://a.example/oauth/token"), issuer).is_ok());
        assert!(token_endpoint(&metadata("https://b.example/", "https://a.example/oauth/token"), issuer).is_err());
        assert!(token_endpoint(&metadata(issuer, "http://a.example/oauth/token"), issuer).is_err());
    }
}
