//! The headers by which proxies say who is calling: a stranger who writes them is nobody else for it.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::http::{HeaderName, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use tokenhouse::router::{framed, requests};
use tokenhouse::web::door::{Frame, Network, Peer};

use crate::house::{AUDIENCE, Ask, House, ISSUER, Jwt, with_secret};

#[tokio::test]
async fn a_strangers_forwarded_header_changes_no_address() {
    for (peer, proxies, forwarded, expected) in [
        ("192.0.2.1", &[][..], "203.0.113.9", "192.0.2.1"),
        ("192.0.2.1", &["10.0.0.0/8"][..], "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", &["10.0.0.0/8"][..], "203.0.113.9", "203.0.113.9"),
        (
            "10.0.0.1",
            &["10.0.0.0/8"][..],
            "127.0.0.1, 203.0.113.9, 10.9.9.9",
            "203.0.113.9",
        ),
    ] {
        let (status, _, addresses) = forwarded_request(peer, proxies, &[("x-forwarded-for", forwarded)]).await;
        assert_eq!(
            (status, addresses),
            (200, vec![expected.to_owned()]),
            "{peer} {proxies:?} {forwarded}"
        );
    }
}

#[tokio::test]
async fn no_forwarded_header_changes_the_issuer_or_the_tenant() {
    let headers = [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=203.0.113.9;host=evil.example;proto=https"),
        ("x-original-host", "evil.example"),
    ];
    let (status, token, addresses) = forwarded_request("10.0.0.1", &["0.0.0.0/0"], &headers).await;
    assert_eq!((status, addresses), (200, vec!["10.0.0.1".to_owned()]));
    assert_eq!(Jwt::read(&token).text("iss"), ISSUER);
}

/// A token request from `peer` with further headers: its status, its token, and the addresses in the log.
async fn forwarded_request(peer: &str, proxies: &[&str], headers: &[(&str, &str)]) -> (u16, String, Vec<String>) {
    let house = House::new().await;
    let proxies: Vec<Network> = proxies
        .iter()
        .map(|text| Network::try_from((*text).to_owned()).unwrap())
        .collect();
    let router = framed(&Frame {
        app: house.app.clone(),
        proxies: proxies.into(),
        requests: requests(),
    });
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let ask = Ask::token(&with_secret(&house.samples.sample, &machine));
    let mut request = Request::post("/oauth/token").body(Body::from(ask.body)).unwrap();
    for (name, value) in &ask.headers {
        request.headers_mut().append(
            name.parse::<HeaderName>().unwrap(),
            value.as_slice().try_into().unwrap(),
        );
    }
    for (name, value) in headers {
        request
            .headers_mut()
            .append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    let peer: IpAddr = peer.parse().unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::new(peer, 50_000)));
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap()
        .to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let token = body["access_token"].as_str().unwrap_or_default().to_owned();
    crate::secrets::used(&token);
    let logged = house.logs().await.into_iter().filter_map(|row| row.address).collect();
    (status, token, logged)
}
