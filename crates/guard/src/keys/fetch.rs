//! One fetch of an issuer's keys over HTTP: find the address by the issuer's metadata (OpenID Connect Discovery 1.0 §4,
//! or RFC 8414 §3), get the key set. Bounded in time and size, never redirected, conditional where the issuer allows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use tokenhouse_protocol::discovery::{Metadata, is_loopback_host};
use tokenhouse_protocol::error::causes;
use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::time::{Clock, Timestamp};

use super::KeySet;
use crate::BuildError;

/// How long one request may take, its body included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest document that is read.
const MAX_DOCUMENT_BYTES: usize = 512 * 1024;
/// How long the address from the metadata is used without looking again.
const ADDRESS_AGE_MS: i64 = 3_600_000;

/// Fetches one issuer's keys.
pub(super) struct Fetcher {
    client: Client,
    location: Location,
    clock: Clock,
}

enum Location {
    Fixed(Url),
    Metadata(Box<Documents>),
}

/// Where an issuer says where its keys are, and what it said last.
struct Documents {
    issuer: String,
    urls: [Url; 2],
    known: Mutex<Option<(Url, Timestamp)>>,
}

/// What a fetch found.
pub(super) struct Fetched {
    /// The keys; `None` if they are those held (304).
    pub(super) keys: Option<Arc<KeySet>>,
    /// To be sent with the next request.
    pub(super) etag: Option<HeaderValue>,
    /// How long the issuer says they may be kept.
    pub(super) max_age_seconds: Option<u64>,
}

impl Fetcher {
    /// From a fixed address.
    pub(super) fn at(url: &str, ca: Option<&[u8]>, clock: Clock) -> Result<Self, BuildError> {
        Ok(Self {
            client: client(&http_url(url)?, ca)?,
            location: Location::Fixed(http_url(url)?),
            clock,
        })
    }

    /// From where the issuer's metadata says.
    pub(super) fn discover(issuer: &str, ca: Option<&[u8]>, clock: Clock) -> Result<Self, BuildError> {
        let base = http_url(issuer)?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(BuildError::Address(issuer.to_owned()));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        // OpenID appends to the issuer's path, RFC 8414 inserts before it; without a path they are alike.
        let at = |path: &str| {
            let mut url = base.clone();
            url.set_path(path);
            url
        };
        let urls = [
            at(&format!("{path}/.well-known/openid-configuration")),
            at(&format!("/.well-known/oauth-authorization-server{path}")),
        ];
        let documents = Documents {
            issuer: issuer.to_owned(),
            urls,
            known: Mutex::new(None),
        };
        let location = Location::Metadata(Box::new(documents));
        Ok(Self {
            client: client(&base, ca)?,
            location,
            clock,
        })
    }

    /// Gets the keys, or learns that they are still those with `etag`. The error is a sentence for the log.
    pub(super) async fn fetch(&self, etag: Option<HeaderValue>) -> Result<Fetched, String> {
        let url = self.address().await?;
        let fetched = self.keys_at(&url, etag).await;
        if fetched.is_err() {
            // The issuer may have moved its keys: ask for the address again next time.
            self.remember(None);
        }
        fetched
    }

    async fn keys_at(&self, url: &Url, etag: Option<HeaderValue>) -> Result<Fetched, String> {
        let mut request = self
            .client
            .get(url.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json");
        if let Some(etag) = &etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|error| said(url, &error))?;
        let max_age_seconds = max_age(response.headers());
        if response.status() == StatusCode::NOT_MODIFIED && etag.is_some() {
            return Ok(Fetched {
                keys: None,
                etag,
                max_age_seconds,
            });
        }
        let etag = response.headers().get(ETAG).cloned();
        let keys = KeySet::from_json(&document(url, response).await?).map_err(|error| format!("{url}: {error}"))?;
        Ok(Fetched {
            keys: Some(Arc::new(keys)),
            etag,
            max_age_seconds,
        })
    }

    /// Where the keys are.
    async fn address(&self) -> Result<Url, String> {
        let Documents { issuer, urls, known } = match &self.location {
            Location::Fixed(url) => return Ok(url.clone()),
            Location::Metadata(documents) => documents.as_ref(),
        };
        let now = self.clock.now();
        if let Some((url, since)) = &*known.lock().unwrap_or_else(PoisonError::into_inner)
            && now < since.plus_ms(ADDRESS_AGE_MS)
        {
            return Ok(url.clone());
        }
        let mut response = self.document_at(&urls[0]).await?;
        let mut from = &urls[0];
        if response.status() == StatusCode::NOT_FOUND {
            from = &urls[1];
            response = self.document_at(from).await?;
        }
        let url = jwks_uri(&document(from, response).await?, issuer).map_err(|reason| format!("{from}: {reason}"))?;
        self.remember(Some((url.clone(), now)));
        Ok(url)
    }

    async fn document_at(&self, url: &Url) -> Result<Response, String> {
        let request = self.client.get(url.clone()).header(ACCEPT, "application/json");
        request.send().await.map_err(|error| said(url, &error))
    }

    fn remember(&self, address: Option<(Url, Timestamp)>) {
        if let Location::Metadata(documents) = &self.location {
            *documents.known.lock().unwrap_or_else(PoisonError::into_inner) = address;
        }
    }
}

/// The one client of the guard: short, direct, never redirected; it trusts the machine's authorities, and `ca` as well.
fn client(url: &Url, ca: Option<&[u8]>) -> Result<Client, BuildError> {
    let authorities = Certificate::from_pem_bundle(ca.unwrap_or_default());
    let authorities = authorities.map_err(|error| BuildError::Client(causes(&error)))?;
    if ca.is_some() && authorities.is_empty() {
        return Err(BuildError::Client("the CA file holds no certificate in PEM".into()));
    }
    let builder = match url.host_str().is_some_and(is_loopback_host) {
        // A proxy's localhost is another machine.
        true => Client::builder().no_proxy(),
        false => Client::builder(),
    };
    builder
        .tls_certs_merge(authorities)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tokenhouse-guard/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| BuildError::Client(causes(&error)))
}

fn http_url(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| BuildError::Address(text.to_owned()))
}

/// The body of a 200, if it is no longer than we read.
async fn document(url: &Url, mut response: Response) -> Result<Vec<u8>, String> {
    if response.status() != StatusCode::OK {
        return Err(format!("{url} answered {}", response.status()));
    }
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| said(url, &error))? {
        if document.len() + chunk.len() > MAX_DOCUMENT_BYTES {
            return Err(format!("{url} is larger than {MAX_DOCUMENT_BYTES} bytes"));
        }
        document.extend_from_slice(&chunk);
    }
    Ok(document)
}

/// The address in a metadata document that really is `issuer`'s (RFC 8414 §3.3).
fn jwks_uri(document: &[u8], issuer: &str) -> Result<Url, String> {
    let value = json::parse(document).map_err(|error| format!("no metadata: {error}"))?;
    let metadata: Metadata = serde_json::from_value(value).map_err(|error| format!("no metadata: {error}"))?;
    if metadata.issuer != issuer {
        return Err(format!(
            "the metadata is of the issuer {:?}, not {issuer:?}",
            metadata.issuer
        ));
    }
    let url = http_url(&metadata.jwks_uri).map_err(|error| error.to_string())?;
    if issuer.starts_with("https:") && url.scheme() != "https" {
        return Err(format!("the keys of an https issuer are at {url}, without TLS"));
    }
    Ok(url)
}

/// `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1).
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let values = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|directive| {
        let (name, seconds) = directive.trim().split_once('=')?;
        name.eq_ignore_ascii_case("max-age")
            .then(|| seconds.trim_matches('"').parse().ok())
            .flatten()
    })
}

fn said(url: &Url, error: &reqwest::Error) -> String {
    format!("{url}: {}", causes(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        let document = br#"{"issuer":"https://a.example/","jwks_uri":"https://a.example/keys"}"#;
        assert_eq!(
            jwks_uri(document, "https://a.example/").unwrap().as_str(),
            "https://a.example/keys"
        );
        assert!(
            jwks_uri(document, "https://a.example")
                .unwrap_err()
                .contains("is of the issuer")
        );
        assert!(jwks_uri(br#"{"issuer":"https://a.example/"}"#, "https://a.example/").is_err());
        let plain = br#"{"issuer":"https://a.example/","jwks_uri":"http://a.example/keys"}"#;
        assert!(
            jwks_uri(plain, "https://a.example/")
                .unwrap_err()
                .contains("without TLS")
        );
        let file = br#"{"issuer":"http://a.example/","jwks_uri":"file:///etc/passwd"}"#;
        assert!(jwks_uri(file, "http://a.example/").is_err());
    }

    #[test]
    fn an_issuer_with_a_path_has_its_documents_where_the_standards_say() {
        let fetcher = Fetcher::discover("https://a.example/realms/x", None, Clock::system()).unwrap();
        let Location::Metadata(documents) = fetcher.location else {
            panic!("metadata")
        };
        assert_eq!(
            documents.urls[0].as_str(),
            "https://a.example/realms/x/.well-known/openid-configuration"
        );
        assert_eq!(
            documents.urls[1].as_str(),
            "https://a.example/.well-known/oauth-authorization-server/realms/x"
        );
        for bad in ["", "a.example", "file:///a", "https://a.example/?b", "https://"] {
            assert!(Fetcher::discover(bad, None, Clock::system()).is_err(), "{bad}");
        }
    }

    #[test]
    fn max_age_is_found_among_other_directives() {
        let mut headers = HeaderMap::new();
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, Max-Age=15, stale-while-revalidate=60"),
        );
        assert_eq!(max_age(&headers), Some(15));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=soon"));
        assert_eq!(max_age(&headers), None);
    }
}
