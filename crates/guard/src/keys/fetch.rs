//! One fetch of an issuer's keys over HTTP: find the address by the issuer's metadata (OpenID Connect Discovery 1.0 §4,
//! or RFC 8414 §3), get the key set. Bounded in time and size, never redirected, conditional where the issuer allows.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use tokenhouse_protocol::discovery::Metadata;
use tokenhouse_protocol::jose::json;
use tokenhouse_protocol::jose::jwk::JwkSet;
use tokenhouse_protocol::time::{Clock, Timestamp};

use super::{KeySet, MAX_KEYS};
use crate::BuildError;
use crate::transport::{FetchSettings, client, document, http_url, said};

/// How long the address from the metadata is used without looking again.
const ADDRESS_AGE_MS: i64 = 3_600_000;
/// How long it is used while the metadata is not to be had.
const OLD_ADDRESS_AGE_MS: i64 = 24 * ADDRESS_AGE_MS;

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
    known: Mutex<Option<Known>>,
}

/// Where the keys are, as the metadata said at some time.
#[derive(Clone)]
struct Known {
    url: Url,
    since: Timestamp,
    /// The keys were not there: the issuer may have moved them.
    is_doubted: bool,
}

/// What a conditional request sends. It says nothing at another address (RFC 9110 §8.8).
#[derive(Clone)]
pub(super) struct Validator {
    url: Url,
    etag: HeaderValue,
}

/// What a fetch found.
pub(super) struct Fetched {
    /// The keys; `None` if they are those held (304).
    pub(super) keys: Option<Arc<KeySet>>,
    /// To be sent with the next request.
    pub(super) validator: Option<Validator>,
    /// How long the issuer says they may be kept.
    pub(super) max_age_seconds: Option<u64>,
}

impl Fetcher {
    /// From a fixed address.
    pub(super) fn at(url: &str, settings: &FetchSettings, clock: Clock) -> Result<Self, BuildError> {
        Ok(Self {
            client: client(&http_url(url)?, settings)?,
            location: Location::Fixed(http_url(url)?),
            clock,
        })
    }

    /// From where the issuer's metadata says.
    pub(super) fn discover(issuer: &str, settings: &FetchSettings, clock: Clock) -> Result<Self, BuildError> {
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
            client: client(&base, settings)?,
            location,
            clock,
        })
    }

    /// Gets the keys, or learns that they are still those of `validator`; if it `is_asked` for by a token of a new key, past
    /// every cache on the way. The error is a sentence for the log.
    pub(super) async fn fetch(&self, validator: Option<Validator>, is_asked: bool) -> Result<Fetched, String> {
        let url = self.address().await?;
        let validator = validator.filter(|sent| sent.url == url);
        let fetched = self.keys_at(&url, validator, is_asked).await;
        if fetched.is_err() {
            self.doubt();
        }
        fetched
    }

    async fn keys_at(&self, url: &Url, validator: Option<Validator>, is_asked: bool) -> Result<Fetched, String> {
        let mut request = self
            .client
            .get(url.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json");
        if let Some(Validator { etag, .. }) = &validator {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if is_asked {
            // A cache would answer with the keys that we have (RFC 9111 §5.2.1.4).
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        let response = request.send().await.map_err(|error| said(url, &error))?;
        let max_age_seconds = freshness(response.headers());
        if response.status() == StatusCode::NOT_MODIFIED && validator.is_some() {
            return Ok(Fetched {
                keys: None,
                validator,
                max_age_seconds,
            });
        }
        let validator = response.headers().get(ETAG).map(|etag| Validator {
            url: url.clone(),
            etag: etag.clone(),
        });
        let document = document(url, response).await?;
        let jwks = JwkSet::parse(&document, MAX_KEYS).map_err(|error| format!("{url}: {error}"))?;
        let keys = KeySet::from_jwks(&jwks);
        // An issuer may have no key, but one that has keys has some that we can use.
        if keys.is_empty() && !is_empty_set(&document) {
            return Err(format!("{url}: the key set has no key that can be used"));
        }
        Ok(Fetched {
            keys: Some(Arc::new(keys)),
            validator,
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
        let last = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &last
            && !known.is_doubted
            && now < known.since.plus_ms(ADDRESS_AGE_MS)
        {
            return Ok(known.url.clone());
        }
        match (self.metadata(urls, issuer).await, last) {
            (Ok(url), _) => {
                self.remember(url.clone(), now);
                Ok(url)
            }
            // Without its metadata an issuer may still have its keys where they were.
            (Err(_), Some(known)) if now < known.since.plus_ms(OLD_ADDRESS_AGE_MS) => Ok(known.url),
            (Err(cause), _) => Err(cause),
        }
    }

    async fn metadata(&self, urls: &[Url; 2], issuer: &str) -> Result<Url, String> {
        let mut response = self.document_at(&urls[0]).await?;
        let mut from = &urls[0];
        if response.status() == StatusCode::NOT_FOUND {
            from = &urls[1];
            response = self.document_at(from).await?;
        }
        jwks_uri(&document(from, response).await?, issuer).map_err(|reason| format!("{from}: {reason}"))
    }

    async fn document_at(&self, url: &Url) -> Result<Response, String> {
        let request = self.client.get(url.clone()).header(ACCEPT, "application/json");
        request.send().await.map_err(|error| said(url, &error))
    }

    fn remember(&self, url: Url, since: Timestamp) {
        if let Location::Metadata(documents) = &self.location {
            let is_doubted = false;
            *documents.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { url, since, is_doubted });
        }
    }

    /// Asks for the address again next time; it is still the one to go to if nobody names another.
    fn doubt(&self) {
        if let Location::Metadata(documents) = &self.location
            && let Some(known) = &mut *documents.known.lock().unwrap_or_else(PoisonError::into_inner)
        {
            known.is_doubted = true;
        }
    }
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

/// Whether a key set says that there is no key at all.
fn is_empty_set(document: &[u8]) -> bool {
    json::parse_object(document).is_ok_and(|members| members.get("keys") == Some(&Value::Array(Vec::new())))
}

/// How long an answer stays fresh: `max-age` of `Cache-Control`, less the `Age` that it has already (RFC 9111 §4.2).
fn freshness(headers: &HeaderMap) -> Option<u64> {
    let age = headers
        .get(AGE)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Some(max_age(headers)?.saturating_sub(age.unwrap_or(0)))
}

/// `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1); nothing where it says that no copy may be used unasked.
fn max_age(headers: &HeaderMap) -> Option<u64> {
    let directives = || {
        let values = headers.get_all(CACHE_CONTROL).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.flat_map(|text| text.split(',')).map(str::trim)
    };
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    if directives().any(|directive| is(directive, "no-cache") || is(directive, "no-store")) {
        return Some(0);
    }
    directives().find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        is(name, "max-age")
            .then(|| seconds.trim_matches('"').parse().ok())
            .flatten()
    })
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
        let fetcher =
            Fetcher::discover("https://a.example/realms/x", &FetchSettings::default(), Clock::system()).unwrap();
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
            assert!(
                Fetcher::discover(bad, &FetchSettings::default(), Clock::system()).is_err(),
                "{bad}"
            );
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
        headers.insert(AGE, HeaderValue::from_static("5"));
        assert_eq!(freshness(&headers), Some(10));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=soon"));
        assert_eq!(max_age(&headers), None);
    }
}
