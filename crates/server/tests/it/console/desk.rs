//! An administrator at their desk: a house, a browser that is signed in to its console, and the sample API to call.

use std::net::SocketAddr;

use tokio::sync::watch;

use tokenhouse::accounts::session;
use tokenhouse::caller::{Caller, Channel};
use tokenhouse::console::trial::Trial;
use tokenhouse::registry::administrators::{self, NewAdministrator};
use tokenhouse::registry::apis::{self, NewApi};
use tokenhouse::registry::client_grants::{self, NewClientGrant};
use tokenhouse::registry::client_keys::{self, NewClientKey};
use tokenhouse::{sample_api, serve};
use tokenhouse_guard::Guard;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::secret::Secret;

use crate::house::{AUDIENCE, Answer, Ask, House, ISSUER, form};

/// Who is signed in.
pub(super) const EMAIL: &str = "ada@example.org";

/// A browser that is signed in.
pub(super) struct Desk {
    pub(super) house: House,
    key: String,
    /// Ends the sample API with the desk.
    _stop: watch::Sender<bool>,
    pub(super) sample_api: String,
}

impl Desk {
    /// A desk whose server may call the sample API on this machine, as in `dev`.
    pub(super) async fn new() -> Self {
        let desk = Self::that_calls_nobody().await;
        desk.house.app.set_trial(Trial::in_dev(desk.sample_api.clone(), None));
        desk
    }

    /// A desk whose server is configured as by default: nothing private is called.
    pub(super) async fn that_calls_nobody() -> Self {
        let house = House::new().await;
        let tenant = house.tenant().await;
        let new = NewAdministrator {
            email: EMAIL.to_owned(),
            name: None,
            password: Some(Secret::new("correct horse battery")),
        };
        let administrator = administrators::create(&tenant, new).await.unwrap();
        let caller = Caller {
            channel: Channel::Console,
            administrator: None,
            address: [127, 0, 0, 1].into(),
            forwarded_for: None,
            user_agent: String::new(),
            host: "localhost:4000".to_owned(),
            request_id: String::new(),
            auth0_client: None,
        };
        let key = session::begin(&tenant, &administrator, &caller, None).await.unwrap();
        let guard = Guard::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .clock(house.clock.clone())
            .keys(tenant.keyring.clone())
            .build()
            .unwrap();
        let listeners = serve::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listeners[0].local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        serve::spawn(listeners, sample_api::router(&guard), None, stopping);
        Self {
            house,
            key: key.expose().to_owned(),
            _stop: stop,
            sample_api: format!("http://{address}"),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.house.ask(Ask::get(path).header("cookie", self.cookie())).await
    }

    /// A page, which must be one.
    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Sends a form as a page of the console would.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = session::form_token(&self.key);
        let fields = [&[("form_token", token.as_str())], fields].concat();
        let ask = Ask::new("POST", path)
            .header("cookie", self.cookie())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "http://localhost:4000")
            .header("sec-fetch-site", "same-origin")
            .body(form(&fields));
        self.house.ask(ask).await
    }

    /// Gives an application a key, so that it proves itself by that alone: the private half, in PEM, and the key's id.
    pub(super) async fn with_key(&self, client_id: &str) -> (Secret, String) {
        let (new, private) = NewClientKey::generate("ES256", None).await.unwrap();
        let added = client_keys::add(&*self.house.tenant().await, &ClientId::new(client_id), new)
            .await
            .unwrap();
        (private, added.kid)
    }

    /// The path of the sample API's Test tab.
    pub(super) async fn test_tab(&self) -> String {
        let tenant = self.house.tenant().await;
        let api = apis::api(&tenant, AUDIENCE).await.unwrap();
        format!("/console/apis/{}/test", api.id)
    }

    /// The same page in a browser that holds another cookie besides.
    pub(super) async fn get_with(&self, path: &str, cookie: &str) -> Answer {
        let cookies = format!("{}; {cookie}", self.cookie());
        self.house.ask(Ask::get(path).header("cookie", cookies)).await
    }

    /// The path of the Test tab of an API whose tokens live for a minute; the sample application may use it.
    pub(super) async fn short_lived_api(&self) -> String {
        let tenant = self.house.tenant().await;
        let new = NewApi {
            token_lifetime_s: Some(60),
            ..NewApi::new("https://short.example.com")
        };
        let api = apis::create(&tenant, new).await.unwrap();
        let grant = NewClientGrant {
            client_id: ClientId::new(self.house.samples.sample.client_id.as_str()),
            audience: "https://short.example.com".to_owned(),
            scopes: Vec::new(),
            allow_all_scopes: true,
        };
        client_grants::create(&tenant, grant).await.unwrap();
        format!("/console/apis/{}/test", api.id)
    }

    fn cookie(&self) -> String {
        format!("tokenhouse-4000={}", self.key)
    }
}

/// The value of the first field of this name in a page, unescaped as far as tokens and addresses need it.
pub(super) fn value_of(page: &str, name: &str) -> String {
    let (_, after) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

/// A page's text: without its tags, its entities as the characters they stand for.
pub(super) fn text_of(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
    }
    for (entity, character) in [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}
