//! The quickstart's five requests, with the reader's own values in them.

use std::fmt::{self, Display};

use serde_json::Value;

use tokenhouse_protocol::secret::Secret;

use super::request::{Body, Method, Request, RequestError};

/// The scope that the sample API's scoped route asks for, and which the quickstart's user asks for.
const SCOPE: &str = "read:messages";

/// A request of the quickstart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quickstart {
    /// The API with an access token: 200.
    GetPrivate,
    /// The API without one: 401.
    GetPrivateNoToken,
    /// What needs a scope: 200 or 403.
    GetPrivateScoped,
    /// A token for an application.
    TokenClientCredentials,
    /// A token for a user who gave their password.
    TokenPassword,
}

/// What the reader's requests are made of. Each may be missing; a request says which it needs.
#[derive(Clone, Default)]
pub struct Values {
    /// The issuer, as in its tokens.
    pub issuer: Option<String>,
    /// The API's identifier.
    pub audience: Option<String>,
    /// Who asks for a token with client credentials.
    pub application: Application,
    /// Who asks for a token with a user's password.
    pub password_application: Application,
    /// The user's name.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// Scopes to ask for. Unless given, the password request asks for the sample API's and the other for none.
    pub scope: Option<String>,
    /// Where the API is, without the route: `http://localhost:3010`.
    pub api_url: Option<String>,
    /// What the API is called with.
    pub access_token: Option<Secret>,
    /// The file of the local authority that the issuer's certificate is from.
    pub ca_file: Option<String>,
}

/// An application's credentials.
#[derive(Clone, Default)]
pub struct Application {
    /// Its `client_id`.
    pub client_id: Option<String>,
    /// Its `client_secret`.
    pub client_secret: Option<Secret>,
}

/// One of the [`Values`] that a request cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are named as in Values")]
pub enum Field {
    Issuer,
    Audience,
    ClientId,
    ClientSecret,
    Username,
    Password,
    ApiUrl,
    AccessToken,
}

/// Why there is no such request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuickstartError {
    /// This request needs this value.
    Missing(Quickstart, Field),
    /// A value cannot stand in a request.
    Request(RequestError),
}

impl Quickstart {
    /// All of them, in the order in which they make sense.
    pub const ALL: [Self; 5] = [
        Self::GetPrivateNoToken,
        Self::TokenClientCredentials,
        Self::GetPrivate,
        Self::GetPrivateScoped,
        Self::TokenPassword,
    ];

    /// How it is named on the command line and in data.
    pub fn id(self) -> &'static str {
        match self {
            Self::GetPrivate => "get-private",
            Self::GetPrivateNoToken => "get-private-no-token",
            Self::GetPrivateScoped => "get-private-scoped",
            Self::TokenClientCredentials => "token-client-credentials",
            Self::TokenPassword => "token-password",
        }
    }

    /// What it does, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::GetPrivate => "The API with a token: 200",
            Self::GetPrivateNoToken => "The API without a token: 401",
            Self::GetPrivateScoped => "What needs the scope read:messages: 200 with it, 403 without",
            Self::TokenClientCredentials => "A token with client credentials",
            Self::TokenPassword => "A token with a user's password",
        }
    }

    /// The request named so, if it is one.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|request| request.id() == id)
    }

    /// The request with these values. Fails where one that it needs is missing or cannot be sent.
    pub fn request(self, values: &Values) -> Result<Request, QuickstartError> {
        match self {
            Self::GetPrivateNoToken => self.call(values, "/api/private"),
            Self::GetPrivate => self.call_with_token(values, "/api/private"),
            Self::GetPrivateScoped => self.call_with_token(values, "/api/private-scoped"),
            Self::TokenClientCredentials => self.token_client_credentials(values),
            Self::TokenPassword => self.token_password(values),
        }
    }

    fn call(self, values: &Values, route: &str) -> Result<Request, QuickstartError> {
        let api = self.need(values.api_url.as_ref(), Field::ApiUrl)?;
        Ok(Request::new(
            Method::Get,
            &format!("{}{route}", api.trim_end_matches('/')),
        )?)
    }

    fn call_with_token(self, values: &Values, route: &str) -> Result<Request, QuickstartError> {
        let token = self.need(values.access_token.as_ref(), Field::AccessToken)?;
        Ok(self.call(values, route)?.bearer(token.expose())?)
    }

    fn token_client_credentials(self, values: &Values) -> Result<Request, QuickstartError> {
        let (id, secret) = self.credentials(&values.application)?;
        let mut members = vec![
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("audience", self.need(values.audience.as_ref(), Field::Audience)?),
        ];
        members.extend(values.scope.as_ref().map(|scope| ("scope", scope.as_str())));
        self.token(values, &members)
    }

    fn token_password(self, values: &Values) -> Result<Request, QuickstartError> {
        let (id, secret) = self.credentials(&values.password_application)?;
        let password = self.need(values.password.as_ref(), Field::Password)?;
        let members = [
            ("grant_type", "password"),
            ("username", self.need(values.username.as_ref(), Field::Username)?),
            ("password", password.expose()),
            ("audience", self.need(values.audience.as_ref(), Field::Audience)?),
            ("scope", values.scope.as_deref().unwrap_or(SCOPE)),
            ("client_id", id),
            ("client_secret", secret),
        ];
        self.token(values, &members)
    }

    fn token(self, values: &Values, members: &[(&str, &str)]) -> Result<Request, QuickstartError> {
        let issuer = self.need(values.issuer.as_ref(), Field::Issuer)?;
        let url = format!("{}/oauth/token", issuer.trim_end_matches('/'));
        let members = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let request = Request::new(Method::Post, &url)?.body(Body::Json(members.collect()))?;
        Ok(match &values.ca_file {
            Some(path) => request.ca_file(path)?,
            None => request,
        })
    }

    fn credentials(self, application: &Application) -> Result<(&str, &str), QuickstartError> {
        let id = self.need(application.client_id.as_ref(), Field::ClientId)?;
        let secret = self.need(application.client_secret.as_ref(), Field::ClientSecret)?;
        Ok((id, secret.expose()))
    }

    fn need<T>(self, value: Option<&T>, field: Field) -> Result<&T, QuickstartError> {
        value.ok_or(QuickstartError::Missing(self, field))
    }
}

impl From<RequestError> for QuickstartError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Display for QuickstartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(request, field) => write!(f, "{} needs {}", request.id(), field.name()),
            Self::Request(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for QuickstartError {}

impl Field {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issuer => "the issuer's URL",
            Self::Audience => "the API's identifier",
            Self::ClientId => "the application's client ID",
            Self::ClientSecret => "the application's client secret",
            Self::Username => "the user's name",
            Self::Password => "the user's password",
            Self::ApiUrl => "the API's URL",
            Self::AccessToken => "an access token",
        }
    }
}
