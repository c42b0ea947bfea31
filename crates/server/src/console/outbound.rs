//! The one way in which the console calls an address that somebody typed: every address is vetted before it is
//! connected to, and connected to as vetted; nothing is followed, and all is bounded.
//!
//! A name is looked up once, by the connection itself, and what comes out is vetted there: there is no second lookup
//! that could say something else (DNS rebinding).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Certificate, Client, Method, Response, Url};
use tokio::sync::Semaphore;

use tokenhouse_protocol::error::causes;

use super::words;
use crate::refusal::Reason;
use crate::snippets::Request;

pub use self::failure::Failure;
pub use self::reach::{Kind, Reach};

mod failure;
mod reach;
#[cfg(test)]
mod tests;

/// Longest URL that is called, in bytes.
const MAX_URL_BYTES: usize = 4096;
/// Most bytes of headers and of a body that are sent: a token takes 16 KiB at most.
const MAX_SENT_BYTES: usize = 64 * 1024;
/// Most bytes of a body that are read.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Most headers that are shown, and characters of each.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_CHARS: usize = 2048;
/// Longest time that a connection may take, and a call with everything.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most calls at a time, of all administrators.
const MAX_CALLS: usize = 16;
/// What the console calls itself.
const AGENT: &str = concat!("tokenhouse-console/", env!("CARGO_PKG_VERSION"));

/// Calls addresses for administrators.
pub struct Outbound {
    reach: Reach,
    /// Authorities trusted beside the machine's own, in PEM.
    authorities: Option<String>,
    lookup: Lookup,
    client: OnceLock<Result<Client, String>>,
    places: Semaphore,
}

/// What a call was answered with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status: 401.
    pub status: u16,
    /// What HTTP calls it: "Unauthorized"; empty where it has no name for it.
    pub reason: &'static str,
    /// The headers in their order, those of one name apart.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it was read.
    pub body: Content,
    /// Whether there was more of the body than is read.
    pub is_cut: bool,
    /// From the call to the last byte that was read.
    pub took: Duration,
    /// Whom the connection was to.
    pub address: Option<SocketAddr>,
    /// Why it says no, where this server itself answered.
    pub refused: Option<Reason>,
}

/// A body as it can be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// There was none.
    Empty,
    /// UTF-8.
    Text(String),
    /// Anything else, in base64.
    Bytes(String),
}

/// Looks up a host: asked once for each call.
type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;
type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Looks up names for the client's connections, and vets what comes out.
struct Vetted {
    reach: Reach,
    lookup: Lookup,
}

impl Outbound {
    /// Calls within `reach`; https is checked against the machine's authorities and these, in PEM.
    pub fn new(reach: Reach, authorities: Option<String>) -> Self {
        let lookup: Lookup =
            Arc::new(|host| Box::pin(async move { tokio::net::lookup_host((host, 0)).await.map(Iterator::collect) }));
        Self::with_lookup(reach, authorities, lookup)
    }

    fn with_lookup(reach: Reach, authorities: Option<String>, lookup: Lookup) -> Self {
        Self {
            reach,
            authorities,
            lookup,
            client: OnceLock::new(),
            places: Semaphore::new(MAX_CALLS),
        }
    }

    /// Makes a call and says what came back, whatever its status; a redirection is an answer like any other.
    pub async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Busy)?;
        let url = address(request.url())?;
        if let Some(literal) = literal(&url) {
            vet(self.reach, url.host_str().unwrap_or_default(), literal)?;
        }
        let headers = headers(request)?;
        let content = request.content().unwrap_or_default();
        if content.len() > MAX_SENT_BYTES {
            return Err(Failure::TooLong);
        }
        let method = method(request)?;
        let mut call = self.client()?.request(method, url).headers(headers);
        if !content.is_empty() {
            call = call.body(content);
        }
        let began = Instant::now();
        let answered = tokio::time::timeout(TIMEOUT, async { Box::pin(read(call.send().await?)).await });
        let answered = answered.await.map_err(|_| Failure::Timeout)?;
        let mut answer = answered.map_err(|error| Failure::of(&error))?;
        answer.took = began.elapsed();
        Ok(answer)
    }

    fn client(&self) -> Result<&Client, Failure> {
        let client = self.client.get_or_init(|| self.build().map_err(|error| causes(&error)));
        client.as_ref().map_err(|why| Failure::Unusable(why.clone()))
    }

    fn build(&self) -> Result<Client, reqwest::Error> {
        let authorities = self.authorities.as_deref().unwrap_or_default();
        Client::builder()
            .tls_certs_merge(Certificate::from_pem_bundle(authorities.as_bytes())?)
            // A proxy would look the name up itself.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .dns_resolver(Vetted {
                reach: self.reach,
                lookup: self.lookup.clone(),
            })
            .build()
    }
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, host) = (self.reach, name.as_str().to_owned());
        let looking = (self.lookup)(host.clone());
        Box::pin(async move {
            let found = looking.await.map_err(|error| Failure::Unknown {
                host: host.clone(),
                why: error.to_string(),
            })?;
            if found.is_empty() {
                let why = words::no_answer::NO_ADDRESS.to_owned();
                return Err(Failure::Unknown { host, why }.into());
            }
            // One bad address among good ones is reason enough: which is tried first is chance.
            for address in &found {
                vet(reach, &host, address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The headers that a call goes out with, in their order, besides what HTTP itself needs.
pub fn sent_headers(request: &Request) -> Vec<(String, String)> {
    let of_ours = [("Accept", "*/*"), ("User-Agent", AGENT)];
    let theirs = request.all_headers();
    let is_theirs = |name: &str| theirs.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let of_ours = of_ours.into_iter().filter(|(name, _)| !is_theirs(name));
    let of_ours: Vec<_> = of_ours
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    theirs.into_iter().chain(of_ours).collect()
}

fn address(text: &str) -> Result<Url, Failure> {
    if text.len() > MAX_URL_BYTES {
        return Err(Failure::TooLong);
    }
    let url = Url::parse(text).map_err(|error| Failure::Address(error.to_string()))?;
    let refused = |why: &str| Err(Failure::Address(why.to_owned()));
    if !matches!(url.scheme(), "http" | "https") {
        return refused(words::no_answer::ONLY_HTTP);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused(words::no_answer::HOLDS_USER);
    }
    if !url.has_host() {
        return refused(words::no_answer::NO_HOST);
    }
    Ok(url)
}

/// The address that a URL names itself, in whatever notation: its parser has written it in the usual one.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

fn vet(reach: Reach, host: &str, address: IpAddr) -> Result<(), Failure> {
    let kind = Kind::of(address);
    if reach.allows(kind) {
        return Ok(());
    }
    Err(Failure::Forbidden {
        host: host.to_owned(),
        address,
        kind,
        // Whether the configuration could allow it.
        is_negotiable: Reach::Private.allows(kind),
    })
}

fn method(request: &Request) -> Result<Method, Failure> {
    Method::from_bytes(request.method().as_str().as_bytes()).map_err(|error| Failure::Address(error.to_string()))
}

fn headers(request: &Request) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    let mut bytes = 0;
    for (name, value) in sent_headers(request) {
        bytes += name.len() + value.len();
        let unsendable = |why: &dyn std::fmt::Display| Failure::Address(words::no_answer::header(&name, why));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| unsendable(&error))?;
        let value = HeaderValue::from_str(&value).map_err(|error| unsendable(&error))?;
        headers.append(name, value);
    }
    if bytes > MAX_SENT_BYTES || headers.len() > MAX_HEADERS {
        return Err(Failure::TooLong);
    }
    debug_assert!(
        headers.contains_key(ACCEPT) && headers.contains_key(USER_AGENT),
        "they are always sent"
    );
    Ok(headers)
}

async fn read(mut response: Response) -> Result<Answer, reqwest::Error> {
    let status = response.status();
    let shown = |value: &HeaderValue| -> String {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().take(MAX_HEADER_CHARS).collect()
    };
    let headers = response.headers().iter().take(MAX_HEADERS);
    let headers = headers
        .map(|(name, value)| (name.as_str().to_owned(), shown(value)))
        .collect();
    let address = response.remote_addr();
    let mut body = Vec::new();
    let mut is_cut = false;
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            is_cut = true;
            break;
        }
    }
    Ok(Answer {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default(),
        headers,
        body: Content::of(body),
        is_cut,
        took: Duration::ZERO,
        address,
        refused: None,
    })
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Content {
    pub(super) fn of(body: Vec<u8>) -> Self {
        if body.is_empty() {
            return Self::Empty;
        }
        match String::from_utf8(body) {
            Ok(text) => Self::Text(text),
            Err(error) => match error.utf8_error() {
                // Cut in the middle of a character, of which there are at most three bytes.
                cut if cut.error_len().is_none() && cut.valid_up_to() > 0 => {
                    let whole = &error.as_bytes()[..cut.valid_up_to()];
                    Self::Text(String::from_utf8_lossy(whole).into_owned())
                }
                _ => Self::Bytes(STANDARD.encode(error.as_bytes())),
            },
        }
    }

    /// The body, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Empty | Self::Bytes(_) => None,
        }
    }
}
