//! A server's Management API, with a token of an application that may use it. Who that is, the environment says.

use std::path::{Path, PathBuf};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Url};
use serde_json::Value;
use tokio::sync::Mutex;

use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::error::reflected;
use tokenhouse_protocol::secret::Secret;

use super::Failure;
use super::environment::variable;
use super::http::{self, Answer};
use super::management::Refused;
use super::token::Wanted;
use crate::tenant::Issuer;

/// The variable that may hold an access token.
const TOKEN_VARIABLE: &str = "TOKENHOUSE_TOKEN";
/// What to do where the server takes neither the application nor the token.
const WHO: &str = "Set TOKENHOUSE_CLIENT_ID and TOKENHOUSE_CLIENT_SECRET to those of an application that has a grant for \
                   the Management API, or TOKENHOUSE_TOKEN to an access token for it.";

/// A server, and who asks it.
pub(super) struct Remote {
    issuer: Issuer,
    http: Client,
    who: Who,
    /// The application's token, once it was wanted: it may be that none is kept between commands.
    held: Mutex<Option<Secret>>,
}

enum Who {
    /// Whoever this token speaks for.
    Token(Secret),
    /// An application, whose token is kept until it expires.
    Application(Wanted),
}

impl Remote {
    /// Makes ready to ask the server of an issuer; nothing is sent yet.
    pub(super) fn new(server: &str, ca_file: Option<&Path>) -> Result<Self, Failure> {
        let issuer = Issuer::parse(server).map_err(|why| Failure::because("--server", why))?;
        let url = Url::parse(issuer.as_str()).map_err(|error| Failure::because("--server", error))?;
        if url.scheme() != "https" && !url.host_str().is_some_and(is_loopback_host) {
            return Err(Failure(format!(
                "--server {server} has no TLS, and whoever listens on the way would have your token: write https://"
            )));
        }
        let http = http::client(&url, ca_file)?;
        let who = match variable(TOKEN_VARIABLE) {
            Some(token) => Who::Token(Secret::new(token.trim())),
            None => {
                let wanted = Wanted::for_management(issuer.as_str(), ca_file.map(PathBuf::from))?;
                Who::Application(wanted.ok_or_else(|| Failure(format!("who asks {server}? {WHO}")))?)
            }
        };
        Ok(Self {
            issuer,
            http,
            who,
            held: Mutex::new(None),
        })
    }

    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Asks for something: the answer's JSON, `null` where it has none.
    pub(super) async fn ask(&self, method: Method, path: &str, query: &str, body: Value) -> Result<Value, Refused> {
        let mut url = self.issuer.url(&format!("api/v2/{path}"));
        if !query.is_empty() {
            url = format!("{url}?{query}");
        }
        let mut answer = self.send(&method, &url, &body, false).await?;
        // A kept token may be older than the last change of its application's grant.
        if matches!(answer.status, 401 | 403) && matches!(self.who, Who::Application(_)) {
            answer = self.send(&method, &url, &body, true).await?;
        }
        let document: Value = match answer.body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&answer.body).unwrap_or_default(),
        };
        match answer.status {
            200..=299 => Ok(document),
            status => Err(self.refused(status, &answer, &document)),
        }
    }

    async fn send(&self, method: &Method, url: &str, body: &Value, is_anew: bool) -> Result<Answer, Refused> {
        let token = self.token(is_anew).await?;
        let unreachable = |message: String| Refused {
            status: 0,
            message: format!("{} cannot be reached: {message}", self.issuer.as_str()),
            hint: "Is the address right, does the server run, and is its certificate known here (--ca-file)?".into(),
        };
        let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
        let mut bearer = bearer.map_err(|_| unreachable("the token holds characters that none has".into()))?;
        bearer.set_sensitive(true);
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, bearer);
        if !body.is_null() {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        http::answer(request).await.map_err(unreachable)
    }

    async fn token(&self, is_anew: bool) -> Result<Secret, Refused> {
        let wanted = match &self.who {
            Who::Token(token) => return Ok(token.clone()),
            Who::Application(wanted) => wanted,
        };
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|_| !is_anew) {
            return Ok(token.clone());
        }
        let token = wanted.token(is_anew).await.map_err(not_given)?;
        *held = Some(token.clone());
        Ok(token)
    }

    fn refused(&self, status: u16, answer: &Answer, document: &Value) -> Refused {
        let server = self.issuer.as_str();
        let message = match document["message"].as_str() {
            Some(message) => message.to_owned(),
            None => format!("{server} answered {status}, and not as the Management API does: is --server its issuer?"),
        };
        let hint = match status {
            401 => format!("{server} does not take this token. {WHO}"),
            403 => {
                "Give the application the scope: `tokenhouse grants list --app CLIENT_ID` has its grant for the Management \
                 API, `tokenhouse grants update` changes it."
                    .into()
            }
            429 | 503 => match answer.headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()) {
                Some(seconds) => format!("Try again in {} s.", reflected(seconds)),
                None => "Try again in a moment.".into(),
            },
            _ => String::new(),
        };
        Refused { status, message, hint }
    }
}

/// Why there is no token: because of who asked, or for another reason that says itself what to do.
fn not_given(Failure(message): Failure) -> Refused {
    let is_about_who = ["invalid_client", "access_denied", "unauthorized_client"]
        .iter()
        .any(|word| message.contains(word));
    Refused {
        status: 401,
        hint: if is_about_who { WHO.into() } else { String::new() },
        message,
    }
}
