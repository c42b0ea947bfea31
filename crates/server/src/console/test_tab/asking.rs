//! What is asked for at the Test tab: by which application, on whose behalf, with which scopes; and the request for it.

use std::fmt;

use serde_json::{Map, Value};

use tokenhouse_protocol::credentials::JWT_BEARER;
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::scope::Scopes;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_protocol::token::{Grant, PasswordGrant, TokenRequest};
use tokenhouse_store::Api;

use crate::console::answer::Failure;
use crate::console::applicants::Applicant;
use crate::console::fields::Fields;
use crate::console::visit::Visit;
use crate::console::words;
use crate::directory::Application;
use crate::issuing;
use crate::refusal::Refusal;
use crate::registry::{apis, clients};
use crate::snippets::{Body, MASKED_ASSERTION, MASKED_PASSWORD, MASKED_SECRET, Method, Request, RequestError};

/// Most scopes that one token is asked for.
const MAX_SCOPES: usize = 1000;
/// Where the sample API's protected route is.
const SAMPLE_ROUTE: &str = "/api/private";
/// Where the quickstart's API is.
const QUICKSTART_API: &str = "http://localhost:3010";

/// What the forms of the page say.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) application: String,
    /// Whether it is asked for a user.
    pub(super) for_user: bool,
    pub(super) scopes: Vec<String>,
    pub(super) username: String,
    /// The user's database, if it is not the tenant's default one.
    pub(super) realm: String,
    pub(super) access_token: String,
    pub(super) method: String,
    pub(super) url: String,
    /// What the call brings along, JSON; empty for nothing.
    pub(super) body: String,
    pub(super) language: String,
}

/// Why no token was issued.
pub(super) enum NotIssued {
    /// The form is not complete: what to fill in.
    Incomplete(&'static str),
    /// The token endpoint would refuse it.
    Refused(Box<Refusal>),
}

/// Issues a token as the token endpoint would, but for the administrator: or says why it would not.
pub(super) async fn issue(visit: &Visit, api: &Api, asked: &Asked) -> Result<String, NotIssued> {
    let tenant = &visit.tenant;
    let scope = asked.scopes.join(" ");
    let scopes = scope
        .parse::<Scopes>()
        .map_err(|_| NotIssued::Incomplete(words::problems::NO_SCOPE))?;
    let grant = match asked.for_user {
        false => Grant::ClientCredentials,
        true => Grant::Password(PasswordGrant {
            username: asked.username.clone(),
            password: Secret::new(visit.form.raw("password")),
            realm: Some(asked.realm.clone()).filter(|realm| !realm.is_empty()),
        }),
    };
    if asked.for_user && (asked.username.is_empty() || visit.form.raw("password").is_empty()) {
        return Err(NotIssued::Incomplete(words::problems::NEEDS_USER));
    }
    let request = TokenRequest {
        grant,
        audience: Some(apis::identifier(tenant, api)),
        scope: Some(scopes).filter(|scopes| !scopes.is_empty()),
    };
    let client = ClientId::new(asked.application.as_str());
    let issued = Box::pin(issuing::issue_for_administrator(
        tenant,
        &visit.caller,
        &client,
        &request,
    ))
    .await;
    issued
        .map(|response| response.access_token)
        .map_err(|refusal| NotIssued::Refused(Box::new(refusal)))
}

/// Whether the application has a secret that could be shown: one that signs, or is public, has none.
pub(super) async fn has_secret(visit: &Visit, asked: &Asked) -> Result<bool, Failure> {
    let id = ClientId::new(asked.application.as_str());
    let application = visit.tenant.directory.client(&id).await?;
    Ok(application.is_some_and(|application| !application.uses_assertions && !application.is_public()))
}

/// The request to the token endpoint for the same; its secrets are masked unless they are to be shown.
pub(super) async fn token_request(
    visit: &Visit,
    api: &Api,
    asked: &Asked,
    shows_secret: bool,
) -> Result<Result<Request, String>, Failure> {
    let tenant = &visit.tenant;
    let id = ClientId::new(asked.application.as_str());
    let Some(application) = tenant.directory.client(&id).await? else {
        return Ok(Err(words::problems::CHOOSE_APPLICATION.to_owned()));
    };
    let secret = match shows_secret && !application.uses_assertions {
        true => clients::secret(tenant, &id).await?,
        false => Some(Secret::new(MASKED_SECRET)),
    };
    let Some(secret) = secret else {
        return Ok(Err(words::problems::SECRET_NOT_KEPT.to_owned()));
    };
    let request = request_of(visit, &application, &secret, asked, &apis::identifier(tenant, api));
    Ok(request.map_err(|error| format!("{error}.")))
}

fn request_of(
    visit: &Visit,
    application: &Application,
    secret: &Secret,
    asked: &Asked,
    identifier: &str,
) -> Result<Request, RequestError> {
    let mut members = Vec::new();
    let mut put = |name: &str, value: &str| members.push((name.to_owned(), Value::from(value)));
    match asked.for_user {
        false => put("grant_type", "client_credentials"),
        true if asked.realm.is_empty() => put("grant_type", "password"),
        true => put("grant_type", "http://auth0.com/oauth/grant-type/password-realm"),
    }
    if asked.for_user {
        put("username", &asked.username);
        put("password", MASKED_PASSWORD);
    }
    if asked.for_user && !asked.realm.is_empty() {
        put("realm", &asked.realm);
    }
    put("client_id", application.id.as_str());
    if application.uses_assertions {
        put("client_assertion_type", JWT_BEARER);
        put("client_assertion", MASKED_ASSERTION);
    } else if !application.is_public() {
        put("client_secret", secret.expose());
    }
    put("audience", identifier);
    if !asked.scopes.is_empty() {
        put("scope", &asked.scopes.join(" "));
    }
    let request = Request::new(Method::Post, &visit.tenant.issuer.url("oauth/token"))?.body(Body::Json(members))?;
    match &visit.app.trial().ca_file {
        Some(file) => request.ca_file(file),
        None => Ok(request),
    }
}

impl Asked {
    /// What a page says that nobody has filled in yet.
    pub(super) fn at_first(visit: &Visit, api: &Api, named: &str, applicants: &[Applicant]) -> Self {
        let named = Some(named.to_owned()).filter(|named| !named.is_empty());
        let first = applicants.first().map(|applicant| applicant.id.clone());
        let sample = visit.app.trial().sample_api.as_deref();
        let url = match api.is_system {
            true => visit.tenant.issuer.url("api/v2/clients"),
            false => format!("{}{SAMPLE_ROUTE}", sample.unwrap_or(QUICKSTART_API)),
        };
        Self {
            application: named.or(first).unwrap_or_default(),
            method: "GET".to_owned(),
            url,
            ..Self::default()
        }
    }

    pub(super) fn of(form: &Fields) -> Self {
        Self {
            application: form.text("application").to_owned(),
            for_user: form.text("for") == "user",
            scopes: form.all("scope").take(MAX_SCOPES).map(str::to_owned).collect(),
            username: form.text("username").to_owned(),
            realm: form.text("realm").to_owned(),
            access_token: form.text("access_token").to_owned(),
            method: form.text("method").to_owned(),
            url: form.text("url").to_owned(),
            body: form.text("body").to_owned(),
            language: form.text("language").to_owned(),
        }
    }

    /// The call to the API; its body where the method has one.
    pub(super) fn call(&self) -> Result<Request, CallError> {
        let methods = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
        let method = methods.into_iter().find(|method| method.as_str() == self.method);
        let method = method.unwrap_or(Method::Get);
        let mut request = Request::new(method, &self.url)?;
        if !self.access_token.is_empty() {
            request = request.bearer(&self.access_token)?;
        }
        let takes_body = matches!(method, Method::Post | Method::Put | Method::Patch);
        if takes_body && !self.body.is_empty() {
            let members: Map<String, Value> = serde_json::from_str(&self.body).map_err(|_| CallError::Body)?;
            request = request.body(Body::Json(members.into_iter().collect()))?;
        }
        Ok(request)
    }
}

/// Why there is no such call.
pub(super) enum CallError {
    /// Its body is no JSON object.
    Body,
    /// It cannot be sent.
    Request(RequestError),
}

impl From<RequestError> for CallError {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str(words::problems::NO_JSON_OBJECT),
            Self::Request(error) => error.fmt(f),
        }
    }
}
