//! A browser as far as the console's tests need one: it keeps the cookie, fills in the form's token, follows the answer of
//! a form, and takes no script.

use tokenhouse::accounts::sign_in::{Purpose, link_url, make_link};
use tokenhouse::registry::administrators::{self, NewAdministrator};
use tokenhouse_protocol::secret::Secret;

use crate::house::{Answer, Ask, House, form};

/// Who is signed in where a test does not say.
pub(crate) const EMAIL: &str = "ada@example.org";
/// Their password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// A minute, for links.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// A browser with its cookie.
pub(crate) struct Browser<'a> {
    pub(crate) house: &'a House,
    pub(crate) host: &'static str,
    /// The cookie, as it is sent: name and value.
    pub(crate) cookie: Option<String>,
    /// The token of the page seen last.
    pub(crate) form_token: String,
}

impl<'a> Browser<'a> {
    /// A browser that has seen nothing yet.
    pub(crate) fn new(house: &'a House) -> Self {
        Self {
            house,
            host: "localhost:4000",
            cookie: None,
            form_token: String::new(),
        }
    }

    /// A browser in which an administrator is signed in, who is made for it.
    pub(crate) async fn signed_in(house: &'a House) -> Self {
        Self::signed_in_as(house, EMAIL).await
    }

    /// The same under another address.
    pub(crate) async fn signed_in_as(house: &'a House, email: &str) -> Self {
        let tenant = house.tenant().await;
        let new = NewAdministrator {
            email: email.into(),
            name: None,
            password: Some(Secret::new(PASSWORD)),
        };
        let administrator = administrators::create(&tenant, new).await.unwrap();
        let key = make_link(&tenant, &administrator.id, Purpose::SignIn, MINUTE_MS)
            .await
            .unwrap();
        let url = link_url(&tenant, &key);
        let mut browser = Self::new(house);
        let path = url.strip_prefix("http://localhost:4000").unwrap();
        assert_eq!(browser.get(path).await.status, 200);
        let answer = browser.post("/console/link", &[("key", key.expose())]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }

    /// Opens a page; answers it as it is.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send(Ask::get(path)).await;
        self.read(&answer);
        answer
    }

    /// Opens a page that must be there, and answers its text.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Sends a form with the token of the page seen last, and goes where the answer leads.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.submit(path, fields).await;
        match answer.status {
            303 => {
                let to = answer.header("location").to_owned();
                self.get(&to).await
            }
            _ => answer,
        }
    }

    /// Sends a form with the token of the page seen last, and answers what comes.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token.clone();
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        let ask = Ask::new("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", format!("http://{}", self.host))
            .header("sec-fetch-site", "same-origin")
            .body(form(&fields));
        let answer = self.send(ask).await;
        self.read(&answer);
        answer
    }

    /// Sends a request with the cookie, and keeps the one that comes back.
    pub(crate) async fn send(&mut self, ask: Ask) -> Answer {
        let ask = match &self.cookie {
            Some(cookie) => ask.header("cookie", cookie),
            None => ask,
        };
        let answer = self.house.ask(ask.host(self.host)).await;
        let set = answer.headers.get("set-cookie");
        let set = set.filter(|set| !set.as_bytes().starts_with(b"tokenhouse-language="));
        if let Some(set) = set {
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        answer
    }

    fn read(&mut self, answer: &Answer) {
        if let Some(token) = between(&answer.body, "name=\"form_token\" value=\"", "\"") {
            self.form_token = token.to_owned();
        }
    }
}

/// What stands between two texts, the first time.
pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}
