//! Two tenants on one server, and everything that proves somebody at the second.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use tokenhouse::accounts::sign_in::{Purpose, make_link};
use tokenhouse::dev::seed::{Application, Applications, seed};
use tokenhouse::registry::administrators::{self, NewAdministrator};
use tokenhouse::registry::client_keys::{self, NewClientKey};
use tokenhouse::registry::tenants::{self, NewTenant};
use tokenhouse::registry::tickets::{self, NewTicket, Whose};
use tokenhouse::registry::users;
use tokenhouse::tenant::{Issuer, Tenant};
use tokenhouse_protocol::credentials::JWT_BEARER;
use tokenhouse_protocol::crypto::{Algorithm, Random, RsaBits, SigningKey};
use tokenhouse_protocol::id::{ClientId, TenantId, row_id};
use tokenhouse_protocol::jose::jws::Signer;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::Page;

use crate::console::browser::{self, Browser, MINUTE_MS};
use crate::house::{AUDIENCE, Ask, House, NOW_S, PASSWORD, USERNAME, with_secret};

pub(crate) const OTHER_HOST: &str = "other.example:4000";
pub(crate) const OTHER_ISSUER: &str = "http://other.example:4000/";

/// Something that proves who its bearer is, at its own tenant.
pub(super) struct Credential {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// The fields of a token request, with what proves the client in them.
    Fields(Vec<(String, String)>),
    /// A client's id and secret.
    Basic(String, String),
    /// An access token, and what it opens at its own tenant.
    Bearer(String, Opens),
    /// The cookie of an administrator's session.
    Cookie(String),
    /// The key of a link that signs an administrator in.
    Link(String),
    /// A ticket by which a user chooses a password.
    Ticket(String),
}

/// What a token opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opens {
    /// An API's own doors, which its guard keeps.
    Api,
    /// What a user may read of themselves.
    Userinfo,
    Management,
}

/// A house with a second tenant.
pub(super) async fn two() -> (House, Arc<Tenant>) {
    let house = House::with_faults().await;
    let tenant = other_tenant(&house).await;
    (house, tenant)
}

/// The second tenant of a house, made and furnished as the first is.
pub(crate) async fn other_tenant(house: &House) -> Arc<Tenant> {
    let id = TenantId::new("other");
    let issuer = Issuer::parse(OTHER_ISSUER).unwrap();
    let new = NewTenant {
        id: id.clone(),
        name: "Other".into(),
        issuer: Some(issuer.clone()),
        hosts: vec![OTHER_HOST.into()],
    };
    tenants::create(&house.app.house, new, issuer).await.unwrap();
    house.app.tenant(&id).await.unwrap().unwrap()
}

/// Everything that proves somebody at the second tenant, each of which it takes.
pub(super) async fn credentials(house: &House, tenant: &Arc<Tenant>) -> Vec<Credential> {
    let other = Box::pin(seed(tenant, &[])).await.unwrap();
    let mut credentials = tokens(house, &other).await;
    credentials.push(Credential {
        name: "a client's id and secret",
        kind: Kind::Basic(other.sample.client_id.clone(), other.sample.client_secret.clone()),
    });
    credentials.push(Credential {
        name: "an assertion that a client's key signed",
        kind: Kind::Fields(assertion(tenant, &other.reader).await),
    });
    let (cookie, link) = administrator(house, tenant).await;
    credentials.push(Credential {
        name: "the session of an administrator",
        kind: Kind::Cookie(cookie),
    });
    credentials.push(Credential {
        name: "a link that signs an administrator in",
        kind: Kind::Link(link),
    });
    credentials.push(Credential {
        name: "a ticket for a user's password",
        kind: Kind::Ticket(ticket(tenant).await),
    });
    credentials
}

/// Tokens of each kind, and the requests that they were asked by.
async fn tokens(house: &House, other: &Applications) -> Vec<Credential> {
    let system_api = format!("{OTHER_ISSUER}api/v2/");
    let machine = [("grant_type", "client_credentials"), ("audience", AUDIENCE)];
    let administrator = [machine[0], ("audience", system_api.as_str())];
    let login = [
        ("grant_type", "password"),
        ("username", USERNAME),
        ("password", PASSWORD),
    ];
    let with_api = [login[0], login[1], login[2], machine[1], ("scope", "openid")];
    let asked = [
        (
            "the API token of a machine",
            with_secret(&other.sample, &machine),
            Opens::Api,
        ),
        (
            "the Management API token of an administrator",
            with_secret(&other.admin, &administrator),
            Opens::Management,
        ),
        (
            "the opaque token of a user",
            with_secret(&other.password, &[&login[..], &[("scope", "openid")]].concat()),
            Opens::Userinfo,
        ),
        (
            "the JWT of a user",
            with_secret(&other.password, &with_api),
            Opens::Userinfo,
        ),
        (
            "the API token of a user",
            with_secret(&other.password, &[&login[..], &[machine[1]]].concat()),
            Opens::Api,
        ),
    ];
    let mut credentials = Vec::new();
    for (name, fields, opens) in asked {
        let answer = house.ask(Ask::token(&fields).host(OTHER_HOST)).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        credentials.push(Credential {
            name,
            kind: Kind::Bearer(answer.text("access_token"), opens),
        });
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        credentials.push(Credential {
            name: "the request for one of the tokens",
            kind: Kind::Fields(fields.into_iter().map(owned).collect()),
        });
    }
    credentials
}

/// A request by an application that proves itself by a key from now on.
async fn assertion(tenant: &Arc<Tenant>, application: &Application) -> Vec<(String, String)> {
    let id = ClientId::new(&application.client_id);
    let key = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
    let body = STANDARD.encode(key.public_spki().unwrap());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    client_keys::add(tenant, &id, NewClientKey::read(&pem).unwrap())
        .await
        .unwrap();
    let claims = json!({
        "iss": id, "sub": id, "aud": OTHER_ISSUER, "iat": NOW_S, "exp": NOW_S + 120, "jti": row_id(&Random::system()),
    });
    let signed = Signer::new(key, None, "JWT").sign(claims.to_string().as_bytes());
    crate::secrets::used(&signed);
    [
        ("grant_type", "client_credentials"),
        ("audience", AUDIENCE),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", signed.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A ticket by which the tenant's sample user chooses a password.
async fn ticket(tenant: &Tenant) -> String {
    let page = Page::first(1);
    let user = users::users(tenant, page).await.unwrap().remove(0);
    let new = NewTicket {
        purpose: tickets::Purpose::Password,
        whose: Whose::Id(user.id),
        lasts_s: tickets::LASTS_S,
        result_url: None,
        client_id: None,
        verifies_email: false,
        shows_email: false,
    };
    let (_, ticket) = tickets::make(tenant, new).await.unwrap();
    crate::secrets::used(ticket.expose());
    ticket.expose().to_owned()
}

/// An administrator of the tenant, with the password of `browser`: the cookie of their session, and the key of a link.
async fn administrator(house: &House, tenant: &Arc<Tenant>) -> (String, String) {
    let new = NewAdministrator {
        email: browser::EMAIL.into(),
        name: None,
        password: Some(Secret::new(browser::PASSWORD)),
    };
    let administrator = administrators::create(tenant, new).await.unwrap();
    let mut browser = Browser::new(house);
    browser.host = OTHER_HOST;
    browser.page("/console/sign-in").await;
    let fields = [("email", browser::EMAIL), ("password", browser::PASSWORD)];
    assert_eq!(browser.post("/console/sign-in", &fields).await.status, 200);
    let link = make_link(tenant, &administrator.id, Purpose::SignIn, MINUTE_MS)
        .await
        .unwrap();
    (browser.cookie.unwrap(), link.expose().to_owned())
}
