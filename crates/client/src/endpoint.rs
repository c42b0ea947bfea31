//! Where tokens are given, found by the issuer's metadata or told, and the HTTP client that goes there: bounded in time
//! and size, never redirected, since a redirect would carry the secret to another address.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, Url};
use tokenhouse_protocol::discovery::{Metadata, OPENID_CONFIGURATION, is_loopback_host};
use tokenhouse_protocol::error::causes;
use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::time::Timestamp;

use crate::answer::retry_after;
use crate::{BuildError, Error};

/// How long one request may take, its body included.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// How long an address is used that the metadata named.
const ADDRESS_AGE_MS: i64 = 3_600_000;

/// Where tokens are given.
pub(crate) enum Endpoint {
    At(Url),
    Issuer {
        issuer: String,
        metadata: Url,
        known: Mutex<Option<Known>>,
    },
}

/// The endpoint as the metadata named it.
pub(crate) struct Known {
    url: Url,
    /// Since when it is taken to be there.
    since: Timestamp,
    /// What answers there, if anything, is no token endpoint: it may have moved.
    is_doubted: bool,
}

impl Endpoint {
    pub(crate) fn at(url: &str) -> Result<Self, BuildError> {
        http_url(url).map(Self::At)
    }

    pub(crate) fn discover(issuer: String) -> Result<Self, BuildError> {
        let mut metadata = http_url(&issuer)?;
        if metadata.query().is_some() || metadata.fragment().is_some() {
            return Err(BuildError::Address(issuer));
        }
        let path = format!("{}/{OPENID_CONFIGURATION}", metadata.path().trim_end_matches('/'));
        metadata.set_path(&path);
        Ok(Self::Issuer {
            issuer,
            metadata,
            known: Mutex::new(None),
        })
    }

    /// The token endpoint; asks for the metadata if it is not known, doubted, or was named an hour ago. While the metadata is
    /// not to be had, the endpoint may still be where it was.
    pub(crate) async fn url(&self, http: &Http, now: Timestamp) -> Result<Url, Error> {
        let (issuer, metadata, known) = match self {
            Self::At(url) => return Ok(url.clone()),
            Self::Issuer {
                issuer,
                metadata,
                known,
            } => (issuer, metadata, known),
        };
        let last = {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            match &*known {
                Some(known) if !known.is_doubted && now < known.since.plus_ms(ADDRESS_AGE_MS) => {
                    return Ok(known.url.clone());
                }
                Some(known) => Some(known.url.clone()),
                None => None,
            }
        };
        let url = match (named(http, metadata, issuer, now).await, last) {
            (Ok(url), _) => url,
            // Its own answer will tell: a doubt returns if there is reason for it.
            (Err(_), Some(last)) => last,
            (Err(error), None) => return Err(error),
        };
        let found = Known {
            url: url.clone(),
            since: now,
            is_doubted: false,
        };
        *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(url)
    }

    /// Looks for the token endpoint anew next time: it may have moved.
    pub(crate) fn doubt(&self) {
        if let Self::Issuer { known, .. } = self
            && let Some(known) = &mut *known.lock().unwrap_or_else(PoisonError::into_inner)
        {
            known.is_doubted = true;
        }
    }

    fn host(&self) -> Option<&str> {
        let (Self::At(url) | Self::Issuer { metadata: url, .. }) = self;
        url.host_str()
    }
}

/// The one HTTP client.
pub(crate) struct Http(Client);

/// An answer, read to its end.
pub(crate) struct Document {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// It trusts the machine's authorities, and those in `ca` as well.
    pub(crate) fn new(endpoint: &Endpoint, ca: Option<&[u8]>) -> Result<Self, BuildError> {
        let authorities = Certificate::from_pem_bundle(ca.unwrap_or_default());
        let authorities = authorities.map_err(|error| BuildError::Client(causes(&error)))?;
        if ca.is_some() && authorities.is_empty() {
            return Err(BuildError::Client("the CA file holds no certificate in PEM".into()));
        }
        let builder = match endpoint.host().is_some_and(is_loopback_host) {
            // A proxy's localhost is another machine.
            true => Client::builder().no_proxy(),
            false => Client::builder(),
        };
        let client = builder
            .tls_certs_merge(authorities)
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tokenhouse-client/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(|error| BuildError::Client(causes(&error)))
    }

    pub(crate) fn post(&self, url: &Url) -> RequestBuilder {
        self.0.post(url.clone())
    }

    /// Sends a request to `url` and reads the answer, if it is no longer than we read.
    pub(crate) async fn answer(&self, url: &Url, request: RequestBuilder) -> Result<Document, Error> {
        let unreachable = |error: reqwest::Error| Error::Unavailable {
            cause: format!("{url}: {}", causes(&error.without_url())),
            retry_after_seconds: 0,
        };
        let sent = request.header(ACCEPT, "application/json").send().await;
        let mut response = sent.map_err(unreachable)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Error::Answer {
                    cause: format!("it is larger than {MAX_ANSWER_BYTES} bytes"),
                    retry_after_seconds: 0,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { status, headers, body })
    }
}

/// The token endpoint that the metadata names now.
async fn named(http: &Http, metadata: &Url, issuer: &str, now: Timestamp) -> Result<Url, Error> {
    let document = http.answer(metadata, http.0.get(metadata.clone())).await?;
    if document.status == StatusCode::NOT_FOUND {
        return Err(Error::Answer {
            cause: format!("{metadata} answered 404: is the issuer's name right?"),
            retry_after_seconds: 0,
        });
    }
    if document.status != StatusCode::OK {
        return Err(Error::Unavailable {
            cause: format!("{metadata} answered {}", document.status),
            retry_after_seconds: retry_after(document.status, &document.headers, now),
        });
    }
    token_endpoint(&document.body, issuer).map_err(|cause| Error::Answer {
        cause: format!("{metadata}: {cause}"),
        retry_after_seconds: 0,
    })
}

/// An http or https URL that holds no password, since errors name it.
pub(crate) fn http_url(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text).ok();
    if let Some(url) = &url
        && (url.password().is_some() || !url.username().is_empty())
    {
        return Err(BuildError::Password);
    }
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| BuildError::Address(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_address_with_a_password_is_refused_and_not_repeated() {
        let error = http_url("https://user:pw77@a.example/").unwrap_err();
        assert!(!error.to_string().contains("pw77"), "{error}");
        for bad in ["", "a.example", "file:///a", "https://"] {
            assert!(http_url(bad).is_err(), "{bad}");
        }
    }
}
