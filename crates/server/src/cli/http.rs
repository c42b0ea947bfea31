//! HTTP as the command line speaks it: bounded in time and size, never redirected, since a redirect would carry a token to
//! another address.

use std::path::Path;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, RequestBuilder, Url};

use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::error::causes;

use super::Failure;

/// How long one request may take, its body included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read: a hundred users with all that is kept about them.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What sends requests to a host. It trusts the machine's authorities, and those in a file as well.
pub(super) fn client(url: &Url, ca_file: Option<&Path>) -> Result<Client, Failure> {
    let authorities = match ca_file {
        Some(file) => {
            let unusable =
                |why: String| Failure::because(format_args!("cannot use the CA file {}", file.display()), why);
            let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
            let found = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(causes(&error)))?;
            if found.is_empty() {
                return Err(unusable("it holds no certificate in PEM".into()));
            }
            found
        }
        None => Vec::new(),
    };
    let builder = match url.host_str().is_some_and(is_loopback_host) {
        // A proxy's localhost is another machine.
        true => Client::builder().no_proxy(),
        false => Client::builder(),
    };
    let client = builder
        .tls_certs_merge(authorities)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tokenhouse/", env!("CARGO_PKG_VERSION")))
        .build();
    client.map_err(|error| Failure::because("no HTTP client can be made", causes(&error)))
}

/// Sends a request and reads the answer; the error says what happened and names no address.
pub(super) async fn answer(request: RequestBuilder) -> Result<Answer, String> {
    let failed = |error: reqwest::Error| causes(&error.without_url());
    let mut response = request.send().await.map_err(failed)?;
    let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err("the answer is larger than any of Tokenhouse's".into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}
