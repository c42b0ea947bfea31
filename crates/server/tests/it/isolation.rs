//! Every route of a tenant, offered every credential of another tenant: refused, or answered as if nobody had offered
//! anything. The routes are those of the router, so that a new one is here on the day it is made. Then the headers by
//! which proxies say who is calling: a stranger who writes them is nobody else for it.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::http::{HeaderName, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use tokenhouse::dev::seed::{Applications, seed};
use tokenhouse::registry::tenants::{self, NewTenant};
use tokenhouse::router::{framed, requests, tenant_routes};
use tokenhouse::tenant::Issuer;
use tokenhouse::web::door::{Frame, Network, Peer};
use tokenhouse_protocol::id::TenantId;

use crate::house::{AUDIENCE, Answer, Ask, House, ISSUER, Jwt, PASSWORD, USERNAME, form, with_secret};

const OTHER_HOST: &str = "auth.other.example";
const OTHER_ISSUER: &str = "https://auth.other.example/";
/// Members of an answer that only somebody with a credential may read.
const PRIVATE_MEMBERS: [&str; 5] = ["access_token", "id_token", "refresh_token", "sub", "client_secret"];

/// Something that proves who its bearer is, at its own tenant.
struct Credential {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    /// The fields of a token request, with the client's secret in them.
    Fields(Vec<(String, String)>),
    /// A client's id and secret.
    Basic(String, String),
    /// An access token.
    Bearer(String),
}

/// How a route treats credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Route {
    /// It gives tokens for credentials.
    Token,
    /// It wants a token.
    Guarded,
    /// It wants an administrator's token.
    Management,
    /// It is the same for everybody.
    Public,
}

#[tokio::test]
async fn every_route_refuses_every_credential_of_another_tenant() {
    let (house, credentials) = two().await;
    let mut offered = 0;
    for (path, _) in tenant_routes() {
        for credential in &credentials {
            for ask in asks(path, credential) {
                let answer = house.ask(ask.clone()).await;
                let what = format!("{} {path} with {}: {answer:?}", ask.method, credential.name);
                assert!(!is_private(&answer), "{what}");
                match treats(path) {
                    Route::Token | Route::Guarded | Route::Management => {
                        assert!((400..500).contains(&answer.status), "{what}");
                    }
                    Route::Public => {
                        let plain = house.ask(Ask::new(ask.method.as_str(), &one_of(path))).await;
                        assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{what}");
                    }
                }
                offered += 1;
            }
        }
    }
    assert!(offered >= tenant_routes().len() * credentials.len(), "{offered}");
}

/// Without this the test above would pass with credentials that are good nowhere.
#[tokio::test]
async fn every_credential_is_good_at_its_own_tenant() {
    let (house, credentials) = two().await;
    let opens = |kind: Route| {
        tenant_routes()
            .into_iter()
            .map(|(path, _)| path)
            .filter(move |path| treats(path) == kind)
    };
    for credential in &credentials {
        let routes = match credential.kind {
            Kind::Fields(_) | Kind::Basic(..) => opens(Route::Token).collect::<Vec<_>>(),
            Kind::Bearer(_) if credential.name.contains("Management") => opens(Route::Management).collect(),
            // An API's own token opens no route here; its guard takes it, which `tenants` shows.
            Kind::Bearer(_) if credential.name.contains("API") => continue,
            Kind::Bearer(_) => opens(Route::Guarded).collect(),
        };
        for path in routes {
            let mut statuses = Vec::new();
            for ask in asks(path, credential) {
                statuses.push(house.ask(ask.host(OTHER_HOST)).await.status);
            }
            assert!(statuses.contains(&200), "{path} with {}: {statuses:?}", credential.name);
        }
    }
}

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

/// How the route treats credentials. A route that is not here yet fails the test that asks.
fn treats(path: &str) -> Route {
    match path {
        "/oauth/token" => Route::Token,
        "/userinfo" => Route::Guarded,
        "/api/v2/{*path}" => Route::Management,
        "/.well-known/jwks.json"
        | "/.well-known/openid-configuration"
        | "/.well-known/oauth-authorization-server"
        | "/api/v2/openapi.json"
        | "/exports/{id}"
        | "/avatars/{name}"
        | "/docs/errors"
        | "/docs/page.css" => Route::Public,
        new => panic!("{new} is a new route: say here how it treats credentials"),
    }
}

/// The credential, offered to the first tenant in each way that there is.
fn asks(path: &str, credential: &Credential) -> Vec<Ask> {
    let form_type = "application/x-www-form-urlencoded";
    let path = one_of(path);
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"].map(|method| Ask::new(method, &path));
    match &credential.kind {
        Kind::Bearer(token) => methods.map(|ask| ask.bearer(token)).into(),
        Kind::Basic(id, secret) => {
            let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
            methods
                .map(|ask| {
                    ask.basic(id, secret)
                        .header("content-type", form_type)
                        .body(form(&machine))
                })
                .into()
        }
        Kind::Fields(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let json: Value = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect();
            let as_form = methods
                .clone()
                .map(|ask| ask.header("content-type", form_type).body(form(&fields)));
            let as_json = methods.map(|ask| ask.header("content-type", "application/json").body(json.to_string()));
            as_form.into_iter().chain(as_json).collect()
        }
    }
}

/// A route for many paths is asked at one of them.
fn one_of(path: &str) -> String {
    path.replace("{*path}", "clients").replace("{name}", "a.svg")
}

fn is_private(answer: &Answer) -> bool {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    PRIVATE_MEMBERS.iter().any(|name| body.get(name).is_some())
}

/// A house with two tenants, and everything that proves somebody at the second.
async fn two() -> (House, Vec<Credential>) {
    let house = House::new().await;
    let id = TenantId::new("other");
    let issuer = Issuer::parse(OTHER_ISSUER).unwrap();
    let new = NewTenant {
        id: id.clone(),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: vec![OTHER_HOST.into()],
    };
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    let tenant = house.app.tenant(&id).await.unwrap().unwrap();
    let other = Box::pin(seed(&tenant, &[])).await.unwrap();
    let credentials = credentials(&house, &other).await;
    (house, credentials)
}

async fn credentials(house: &House, other: &Applications) -> Vec<Credential> {
    let fields = |application, fields: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = with_secret(application, fields);
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let system_api = format!("{OTHER_ISSUER}api/v2/");
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let administrator = [machine[0], ("audience", system_api.as_str())];
    let login = [
        ("grant_type", "password"),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let with_api = [login[0], login[1], login[2], machine[1], ("scope", "openid")];
    let asked: [(&'static str, Vec<(String, String)>); 5] = [
        ("the API token of a machine", fields(&other.sample, &machine)),
        (
            "the Management API token of an administrator",
            fields(&other.admin, &administrator),
        ),
        (
            "the opaque token of a user",
            fields(&other.password, &[&login[..], &[("scope", "openid")]].concat()),
        ),
        ("the JWT of a user", fields(&other.password, &with_api)),
        (
            "the API token of a user",
            fields(&other.password, &[&login[..], &[machine[1]]].concat()),
        ),
    ];
    let mut credentials = Vec::new();
    for (name, fields) in asked {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = house.ask(Ask::token(&pairs).host(OTHER_HOST)).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let token = answer.text("access_token");
        credentials.push(Credential {
            name,
            kind: Kind::Bearer(token),
        });
        credentials.push(Credential {
            name: "the request for one of the tokens",
            kind: Kind::Fields(fields),
        });
    }
    let (client, secret) = (other.sample.client_id.clone(), other.sample.client_secret.clone());
    credentials.push(Credential {
        name: "a client's id and secret",
        kind: Kind::Basic(client, secret),
    });
    credentials
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
