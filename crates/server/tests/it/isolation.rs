//! Every route of the server, offered every credential of another tenant: refused, or answered as if nobody had offered
//! anything. The routes are those of the router, so that a new one is here on the day it is made.

use axum::http::Method;
use serde_json::Value;

use tokenhouse::router::{console_routes, dev_routes, tenant_routes};

use self::credentials::{Credential, Kind, OTHER_HOST, Opens, credentials, two};
use crate::console::browser::{Browser, EMAIL, PASSWORD};
use crate::house::{AUDIENCE, Answer, Ask, form};

pub(crate) mod credentials;
mod forwarded;

/// Members of an answer that only somebody with a credential may read.
const PRIVATE_MEMBERS: [&str; 5] = ["access_token", "id_token", "refresh_token", "sub", "client_secret"];
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// A path of the router, and how it treats credentials.
struct Route {
    path: &'static str,
    treats: Treats,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Treats {
    /// It gives tokens for credentials.
    Token,
    /// It wants a token.
    Guarded,
    /// It wants an administrator's token.
    Management,
    /// It wants an administrator's session, and has these methods.
    Console(Vec<Method>),
    /// It is the same for everybody who is not signed in.
    Public,
}

/// All routes of the server of `dev`, which has those of every other.
fn routes() -> Vec<Route> {
    let tenant = tenant_routes().into_iter().map(|(path, _)| Route {
        path,
        treats: treats(path),
    });
    let console = console_routes().into_iter().map(|route| Route {
        path: route.path,
        treats: match route.needs_session {
            true => Treats::Console(route.methods),
            false => Treats::Public,
        },
    });
    // They want a header that no credential brings: without it they refuse everybody alike.
    let dev = dev_routes().into_iter().map(|(path, _)| Route {
        path,
        treats: Treats::Public,
    });
    tenant.chain(console).chain(dev).collect()
}

#[tokio::test]
async fn every_route_refuses_every_credential_of_another_tenant() {
    let (house, tenant) = two().await;
    let credentials = credentials(&house, &tenant).await;
    let (routes, mut offered) = (routes(), 0);
    for route in &routes {
        for credential in &credentials {
            for ask in asks(route.path, credential) {
                let answer = house.ask(ask.clone()).await;
                let what = format!("{} {} with {}: {answer:?}", ask.method, route.path, credential.name);
                assert!(!is_private(&answer), "{what}");
                match &route.treats {
                    Treats::Token | Treats::Guarded | Treats::Management => {
                        assert!((400..500).contains(&answer.status), "{what}");
                    }
                    Treats::Console(methods) if methods.contains(&ask.method) => {
                        let is_sent_away = answer.header("location").starts_with("/console/sign-in?to=");
                        assert!(answer.status == 303 && is_sent_away, "{what}");
                    }
                    Treats::Console(_) => assert_eq!(answer.status, 405, "{what}"),
                    Treats::Public => {
                        let plain = house.ask(without(&ask, credential)).await;
                        assert_eq!((answer.status, shown(&answer)), (plain.status, shown(&plain)), "{what}");
                    }
                }
                offered += 1;
            }
        }
    }
    assert!(offered >= routes.len() * credentials.len(), "{offered}");
}

#[tokio::test]
async fn no_form_of_the_console_takes_a_password_or_a_link_of_another_tenant() {
    let (house, tenant) = two().await;
    let credentials = credentials(&house, &tenant).await;
    let links = credentials.iter().filter_map(|credential| match &credential.kind {
        Kind::Link(key) => Some(key.clone()),
        Kind::Fields(_) | Kind::Basic(..) | Kind::Bearer(..) | Kind::Cookie(_) | Kind::Ticket(_) => None,
    });
    let password = vec![("email", EMAIL.to_owned()), ("password", PASSWORD.to_owned())];
    let forms: Vec<_> = links.map(|key| vec![("key", key)]).chain([password]).collect();
    assert_eq!(forms.len(), 2);
    let mut signed_in = 0;
    for route in console_routes() {
        if !route.methods.contains(&Method::POST) {
            continue;
        }
        for fields in &forms {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            for (host, is_own) in [("localhost:4000", false), (OTHER_HOST, true)] {
                let mut browser = Browser::new(&house);
                browser.host = host;
                browser.page("/console/sign-in").await;
                let answer = browser.submit(&one_of(route.path), &fields).await;
                let is_in = browser.get("/console/").await.status == 200;
                assert!(is_own || !is_in, "{} at {host} with {fields:?}: {answer:?}", route.path);
                signed_in += usize::from(is_in);
            }
        }
    }
    // At their own tenant the password signs in by its form, and the link by its own, once.
    assert_eq!(signed_in, 2);
}

/// Without this the tests above would pass with credentials that are good nowhere.
#[tokio::test]
async fn every_credential_is_good_at_its_own_tenant() {
    let (house, tenant) = two().await;
    let mut opened = 0;
    for credential in &credentials(&house, &tenant).await {
        for route in routes() {
            let is_its_door = match (&credential.kind, &route.treats) {
                (Kind::Fields(_) | Kind::Basic(..), treats) => *treats == Treats::Token,
                // An API's own token opens no route here; its guard takes it, which `tenants` shows.
                (Kind::Bearer(_, Opens::Api), _) => false,
                (Kind::Bearer(_, Opens::Userinfo), treats) => *treats == Treats::Guarded,
                (Kind::Bearer(_, Opens::Management), treats) => *treats == Treats::Management,
                (Kind::Cookie(_), treats) => matches!(treats, Treats::Console(_)) && is_page(route.path),
                (Kind::Link(_), _) => route.path == "/console/link",
                (Kind::Ticket(_), _) => route.path == "/u/reset-password",
            };
            if !is_its_door {
                continue;
            }
            let mut statuses = Vec::new();
            for ask in asks(route.path, credential) {
                statuses.push(house.ask(ask.host(OTHER_HOST)).await.status);
            }
            assert!(
                statuses.contains(&200),
                "{} with {}: {statuses:?}",
                route.path,
                credential.name
            );
            opened += 1;
        }
    }
    assert!(opened > 20, "{opened}");
}

/// How a tenant's route treats credentials. One that is not here yet fails the test that asks.
fn treats(path: &str) -> Treats {
    match path {
        "/oauth/token" => Treats::Token,
        "/userinfo" => Treats::Guarded,
        "/api/v2/{*path}" => Treats::Management,
        "/.well-known/jwks.json"
        | "/.well-known/openid-configuration"
        | "/.well-known/oauth-authorization-server"
        | "/api/v2/openapi.json"
        | "/exports/{id}"
        | "/u/reset-password"
        | "/u/email-verification"
        | "/avatars/{name}"
        | "/docs/errors"
        | "/docs/page.css" => Treats::Public,
        new => panic!("{new} is a new route: say here how it treats credentials"),
    }
}

/// Whether it is a page of the console that is there whatever is registered and asked.
fn is_page(path: &str) -> bool {
    let others = ["sign-out", "rotate", "administrators", "endpoints"];
    !path.contains('{') && !others.iter().any(|end| path.ends_with(end))
}

/// The credential, offered to the first tenant in each way that there is.
fn asks(path: &str, credential: &Credential) -> Vec<Ask> {
    let form_type = "application/x-www-form-urlencoded";
    let path = one_of(path);
    let methods = METHODS.map(|method| Ask::new(method.as_str(), &path));
    match &credential.kind {
        Kind::Bearer(token, _) => methods.map(|ask| ask.bearer(token)).into(),
        Kind::Cookie(cookie) => methods.map(|ask| ask.header("cookie", cookie)).into(),
        Kind::Link(key) => METHODS
            .map(|method| Ask::new(method.as_str(), &format!("{path}?key={key}")))
            .into(),
        Kind::Ticket(ticket) => METHODS
            .map(|method| Ask::new(method.as_str(), &format!("{path}?ticket={ticket}")))
            .into(),
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

/// The same request with nothing, or with a link that there is not.
fn without(ask: &Ask, credential: &Credential) -> Ask {
    let plain = match &credential.kind {
        Kind::Link(key) => Ask::new(ask.method.as_str(), &ask.target.replace(key.as_str(), "AAAA")),
        Kind::Ticket(ticket) => Ask::new(ask.method.as_str(), &ask.target.replace(ticket.as_str(), "AAAA")),
        Kind::Fields(_) | Kind::Basic(..) | Kind::Bearer(..) | Kind::Cookie(_) => {
            Ask::new(ask.method.as_str(), &ask.target)
        }
    };
    let kind = ask.headers.iter().find(|(name, _)| name == "content-type");
    match kind {
        Some((name, value)) => plain.header(name, value),
        None => plain,
    }
}

/// What an answer shows, but for what is another in each: its id, and the key of a page's forms.
fn shown(answer: &Answer) -> String {
    let body = answer.body.replace(answer.header("x-request-id"), "ID");
    match body.split_once("name=\"form_token\" value=\"") {
        Some((before, rest)) => format!("{before}{}", rest.split_once('"').unwrap().1),
        None => body,
    }
}

/// A route for many paths is asked at one of them.
fn one_of(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{*path}" if path.starts_with("/api/") => "clients",
        "{name}" => "a.svg",
        "{file}" => "console.css",
        "{endpoint}" => "token",
        part if part.starts_with('{') => "anything",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn is_private(answer: &Answer) -> bool {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    PRIVATE_MEMBERS.iter().any(|name| body.get(name).is_some())
}
