//! The one way in which a guard speaks to an issuer over HTTP: bounded in time and size, direct, never redirected.

use std::time::Duration;

use reqwest::{Certificate, Client, Response, StatusCode, Url};
use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::error::causes;

use crate::builder::BuildError;

/// The largest document that is read.
const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// How a guard fetches.
#[derive(Clone, Debug)]
pub(crate) struct FetchSettings {
    /// Authorities to trust beside the machine's own, in PEM.
    pub(crate) ca: Option<Vec<u8>>,
    /// How long one request may take, its body included.
    pub(crate) timeout: Duration,
    /// How long keys are served that the issuer no longer confirms.
    pub(crate) max_key_age: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            ca: None,
            timeout: Duration::from_secs(5),
            max_key_age: Duration::from_hours(24),
        }
    }
}

impl FetchSettings {
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        if !(Duration::from_millis(100)..=Duration::from_secs(30)).contains(&self.timeout) {
            return Err(BuildError::Bounds("a fetch may take 100 ms to 30 s"));
        }
        if !(Duration::from_mins(1)..=Duration::from_hours(30 * 24)).contains(&self.max_key_age) {
            return Err(BuildError::Bounds("the age of keys is between a minute and 30 days"));
        }
        Ok(())
    }
}

/// A client for `url`, which trusts the machine's authorities and those of the settings as well.
pub(crate) fn client(url: &Url, settings: &FetchSettings) -> Result<Client, BuildError> {
    let authorities = Certificate::from_pem_bundle(settings.ca.as_deref().unwrap_or_default());
    let authorities = authorities.map_err(|error| BuildError::Client(causes(&error)))?;
    if settings.ca.is_some() && authorities.is_empty() {
        return Err(BuildError::Client("the CA file holds no certificate in PEM".into()));
    }
    let builder = match url.host_str().is_some_and(is_loopback_host) {
        // A proxy's localhost is another machine.
        true => Client::builder().no_proxy(),
        false => Client::builder(),
    };
    builder
        .tls_certs_merge(authorities)
        .timeout(settings.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tokenhouse-guard/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| BuildError::Client(causes(&error)))
}

pub(crate) fn http_url(text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| BuildError::Address(text.to_owned()))
}

/// The body of a 200, if it is no longer than we read.
pub(crate) async fn document(url: &Url, mut response: Response) -> Result<Vec<u8>, String> {
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

/// What went wrong at an address: a sentence for the log.
pub(crate) fn said(url: &Url, error: &reqwest::Error) -> String {
    format!("{url}: {}", causes(error))
}
