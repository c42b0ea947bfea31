//! The door frame: every request gets an id, its host finds its tenant, and the room behind is told who
//! is calling. An unknown host is 421 (RFC 9110 §15.5.20), never a default.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::id::request_id;

use super::answer::{X_AUTH0_REQUEST_ID, X_REQUEST_ID, http_error, set};
use crate::app::App;
use crate::caller::{Caller, Channel};
use crate::metrics::{Requests, Row};
use crate::refusal::Reason;
use crate::tenant::{Tenant, without_port};

/// Longest request id that is taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;
/// Longest `Auth0-Client` header that is decoded, in bytes.
const MAX_AUTH0_CLIENT_BYTES: usize = 2048;

/// Longest host that is looked up, in bytes: 255, a colon and a port.
const MAX_HOST_BYTES: usize = 261;

/// Which addresses a request came by, as proxies say it.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What the door frame stands on.
#[derive(Clone)]
pub struct Frame {
    /// The application.
    pub app: Arc<App>,
    /// Whose word about addresses is believed.
    pub proxies: Arc<[Network]>,
    /// Where requests are counted.
    pub requests: Arc<Requests>,
}

/// Names the request, times and counts it, and sets the headers that every answer has.
pub async fn name(State(frame): State<Frame>, mut request: Request, next: Next) -> Response<Body> {
    let began = Instant::now();
    let app = &frame.app;
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = given_id(request.headers()).unwrap_or_else(|| request_id(&app.house.random));
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let asked = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().clone());
    let mut response = next.run(request).await;
    // An id is short and plain, so it is a header's value.
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value.clone());
        response.headers_mut().insert(X_AUTH0_REQUEST_ID, value);
    }
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let (route, status) = (route.as_ref().map(MatchedPath::as_str), response.status().as_u16());
    match response.extensions().get::<Row>() {
        Some(row) => frame.requests.count_row(*row, &method, status),
        None => frame.requests.count(route, &method, status),
    }
    if let Some(reason) = response.extensions().get::<Reason>() {
        frame.requests.count_refusal(*reason);
    }
    if let Some(uri) = asked {
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let path = uri.path();
        tracing::debug!(request_id = %id, %method, path, status, took_us, "answered");
    }
    response
}

/// The request id, on its way to the rooms.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Finds the tenant of the request's host and tells who is calling.
pub async fn admit(State(frame): State<Frame>, mut request: Request, next: Next) -> Response<Body> {
    let Frame { app, proxies, .. } = &frame;
    let host = match host(request.uri(), request.headers(), request.version()) {
        Ok(host) => host,
        Err(why) => return http_error(StatusCode::BAD_REQUEST, "invalid_request", why),
    };
    let tenant = match app.tenant_of_host(&host).await {
        Ok(Some(tenant)) => tenant,
        Ok(None) => {
            let text = "This server does not answer for the host of the request. Use the issuer's address.";
            return http_error(StatusCode::MISDIRECTED_REQUEST, "invalid_request", text);
        }
        Err(error) => {
            let what = "the tenant of a request cannot be read";
            if app.house.store.outages().is_first(what, &error.to_string()) {
                tracing::error!(%error, "{what}");
            }
            let text = "The service is temporarily unavailable. Try again in a moment.";
            let mut response = http_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text);
            set(&mut response, header::RETRY_AFTER, "1");
            return response;
        }
    };
    let is_strict = app.may_be_strict && is_strict_host(&tenant, &host);
    let caller = caller(&request, host, proxies);
    request.extensions_mut().insert(tenant);
    request.extensions_mut().insert(Arc::new(caller));
    let mut response = next.run(request).await;
    if is_strict {
        set(&mut response, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Whether browsers shall ask this host over https alone from now on (RFC 6797; CONTRACT Decision 15): one of a tenant
/// that answers over https, and none of this machine's own names, which other servers have too.
fn is_strict_host(tenant: &Tenant, host: &str) -> bool {
    tenant.issuer.is_https() && !is_loopback_host(without_port(host))
}

/// The tenant and the caller of a request that came through.
pub fn admitted(extensions: &Extensions) -> Option<(Arc<Tenant>, Arc<Caller>)> {
    Some((
        extensions.get::<Arc<Tenant>>()?.clone(),
        extensions.get::<Arc<Caller>>()?.clone(),
    ))
}

fn caller(request: &Request, host: String, proxies: &[Network]) -> Caller {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical();
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    Caller {
        channel: Channel::Api,
        administrator: None,
        address: behind_proxies(peer, request.headers(), proxies),
        forwarded_for: text("auth0-forwarded-for").and_then(|address| address.trim().parse().ok()),
        user_agent: Caller::bounded_user_agent(text("user-agent").unwrap_or_default()),
        host,
        request_id: id.unwrap_or_default(),
        auth0_client: text("auth0-client").and_then(auth0_client),
    }
}

/// The host that is asked, in lower case: from the target if it is absolute, else from the one `Host` header (RFC 9112 §3.2).
fn host(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<String, &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err("The request has several Host headers.");
    }
    let named = first.map(|value| value.to_str().ok().and_then(|host| host.parse::<Authority>().ok()));
    match (
        uri.authority().cloned().map(Some).filter(|_| named.is_some()).or(named),
        version,
    ) {
        (Some(Some(host)), _) if host.as_str().len() <= MAX_HOST_BYTES && !host.as_str().contains('@') => {
            Ok(host.as_str().to_ascii_lowercase())
        }
        (Some(_), _) => Err("The Host header cannot be read."),
        (None, Version::HTTP_10) => Err("The request has no Host header; HTTP/1.0 callers must send one."),
        (None, _) => Err("The request has no Host header."),
    }
}

/// The caller's address: the peer's own, or, as far as proxies that are trusted say it in `X-Forwarded-For`, the last one
/// that is none of theirs. Whatever stands to its left was written by the caller.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| proxies.iter().any(|network| network.holds(address));
    let mut address = peer;
    let hops = headers.get_all(X_FORWARDED_FOR).iter().rev();
    for hop in hops.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',')) {
        if !is_trusted(address) {
            break;
        }
        // What cannot be read was not written by a proxy that is worth trusting: the hop before it has to do.
        let Some(said) = hop_address(hop.trim()) else { break };
        address = said;
    }
    address
}

/// One hop, with or without its port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse()
        .ok()
        .or_else(with_port)
        .map(|address: IpAddr| address.to_canonical())
}

/// A caller's own request id, if it is short and plain.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (!id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.bytes().all(is_plain)).then(|| id.to_owned())
}

/// Who wrote the SDK that calls: base64 of JSON, in whichever alphabet (CONTRACT §1.1). Anything else is passed over.
fn auth0_client(header: &str) -> Option<serde_json::Value> {
    if header.len() > MAX_AUTH0_CLIENT_BYTES {
        return None;
    }
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let decoded = engines.iter().find_map(|engine| engine.decode(header).ok())?;
    tokenhouse_protocol::jose::json::parse(&decoded)
        .ok()
        .filter(serde_json::Value::is_object)
}

/// A network, written `10.0.0.0/8`; an address alone is the network of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address is in it. An IPv4 address in IPv6's clothes is the IPv4 address.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                u32::from(self.bits) <= (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                u32::from(self.bits) <= (own.to_bits() ^ other.to_bits()).leading_zeros()
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || format!("{text:?} is neither an address nor a network like 10.0.0.0/8");
        let (address, bits) = text.split_once('/').map_or((&*text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| refused()))?;
        if bits > most {
            return Err(refused());
        }
        Ok(Self { address, bits })
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_the_callers() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "fd00::/8"]
            .map(|text| text.to_owned().try_into().unwrap())
            .into();
        let seen = |peer: &str, lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, line.parse().unwrap());
            }
            behind_proxies(peer.parse().unwrap(), &headers, &proxies).to_string()
        };
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"]), "192.0.2.1", "a stranger's word");
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.2.3.4"]),
            "203.0.113.9"
        );
        assert_eq!(seen("10.0.0.1", &["198.51.100.1", "203.0.113.9:55"]), "203.0.113.9");
        assert_eq!(seen("fd00::1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9, rubbish"]), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_network_holds_its_own_addresses_alone() {
        let network = |text: &str| Network::try_from(text.to_owned()).unwrap();
        for (text, address, expected) in [
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::1", "::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            assert_eq!(
                network(text).holds(address.parse().unwrap()),
                expected,
                "{text} {address}"
            );
        }
        for bad in ["", "10.0.0.0/", "10.0.0/8", "::/129", "10.0.0.0/-1", "host"] {
            assert!(Network::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_id_is_taken_over_only_if_it_is_plain() {
        let headers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, value.parse().unwrap());
            headers
        };
        assert_eq!(given_id(&headers("trace-1.2:3")).as_deref(), Some("trace-1.2:3"));
        assert_eq!(given_id(&headers("a b")), None);
        assert_eq!(given_id(&headers("")), None);
    }

    #[test]
    fn the_sdk_that_calls_is_decoded() {
        let value = auth0_client("eyJuYW1lIjoiYXV0aDAtanMifQ==").unwrap();
        assert_eq!(value["name"], "auth0-js");
        assert_eq!(auth0_client("not base64!"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_network_or_refused_and_a_network_prints_back(text in "[0-9a-f.:/]{0,24}") {
            if let Ok(network) = Network::try_from(text) {
                prop_assert_eq!(Network::try_from(String::from(network)), Ok(network));
            }
        }
    }
}
