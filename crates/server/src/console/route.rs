//! The console's routes: what answers at a path, for whom, and what every request meets before it is answered. A form
//! must come from a page of this console, in the browser that it was shown in.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use axum::routing::{MethodRouter, get, post};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use tokenhouse_protocol::id::session_key;

use super::answer::{Done, Failure, KeyChange, Reply};
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::record::Record;
use super::visit::{Guest, Visit, parameters};
use super::{cookie, words};
use crate::accounts::session;
use crate::app::App;
use crate::caller::{Caller, Channel, SignedIn};
use crate::web::body::{self, BodyError};
use crate::web::door::admitted;

/// What every form says its page's key by.
pub(crate) const FORM_TOKEN: &str = "form_token";

/// A path of the console and what answers there.
pub struct Route {
    /// The path, as the router knows it.
    pub path: &'static str,
    /// Whether only those who are signed in get an answer; others are sent to sign in.
    pub needs_session: bool,
    /// Its methods, GET and POST at most.
    pub methods: Vec<Method>,
    /// What answers there.
    pub answers: MethodRouter<Arc<App>>,
}

impl Route {
    /// A page for those who are signed in.
    pub(crate) fn page<F, A>(path: &'static str, page: F) -> Self
    where
        F: Fn(Visit) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        Self::new(path, true).with(
            Method::GET,
            get(async move |State(app): State<Arc<App>>, request: Request| signed(app, request, shown(page)).await),
        )
    }

    /// A form for those who are signed in, at a path without a page.
    pub(crate) fn action<F, A>(path: &'static str, action: F) -> Self
    where
        F: Fn(Visit) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Done, Failure>> + Send + 'static,
    {
        Self::new(path, true).posting(action)
    }

    /// The same route, whose page has a form that is sent to its own path.
    #[must_use]
    pub(crate) fn posting<F, A>(self, action: F) -> Self
    where
        F: Fn(Visit) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Done, Failure>> + Send + 'static,
    {
        self.with(
            Method::POST,
            post(async move |State(app): State<Arc<App>>, request: Request| signed(app, request, action).await),
        )
    }

    /// A page for everybody.
    pub(crate) fn open<F, A>(path: &'static str, page: F) -> Self
    where
        F: Fn(Guest) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Reply, Failure>> + Send + 'static,
    {
        let page = move |guest| {
            let answered = page(guest);
            async move { answered.await.map(Done::unchanged) }
        };
        Self::new(path, false).with(
            Method::GET,
            get(async move |State(app): State<Arc<App>>, request: Request| open(app, request, page).await),
        )
    }

    /// The same route, whose page has a form for everybody.
    #[must_use]
    pub(crate) fn opening<F, A>(self, action: F) -> Self
    where
        F: Fn(Guest) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Done, Failure>> + Send + 'static,
    {
        self.with(
            Method::POST,
            post(async move |State(app): State<Arc<App>>, request: Request| open(app, request, action).await),
        )
    }

    fn new(path: &'static str, needs_session: bool) -> Self {
        Self {
            path,
            needs_session,
            methods: Vec::new(),
            answers: MethodRouter::new(),
        }
    }

    fn with(mut self, method: Method, answers: MethodRouter<Arc<App>>) -> Self {
        self.methods.push(method);
        self.answers = self.answers.merge(answers);
        self
    }
}

/// A page that was asked for, as something that changed nothing.
fn shown<F, A>(page: F) -> impl Fn(Visit) -> std::pin::Pin<Box<dyn Future<Output = Result<Done, Failure>> + Send>>
where
    F: Fn(Visit) -> A,
    A: Future<Output = Result<Reply, Failure>> + Send + 'static,
{
    move |visit| {
        let answered = page(visit);
        Box::pin(async move { answered.await.map(Done::unchanged) })
    }
}

/// Answers those who are signed in, and sends others to sign in.
async fn signed<F, A>(app: Arc<App>, request: Request, answer: F) -> Response<Body>
where
    F: Fn(Visit) -> A,
    A: Future<Output = Result<Done, Failure>>,
{
    let (parts, body) = request.into_parts();
    let mut guest = match guest(app, parts.clone()).await {
        Ok(guest) => guest,
        Err(response) => return response,
    };
    let session = match session::find(&guest.tenant, &guest.key).await {
        Ok(Some(session)) => session,
        Ok(None) => return to_sign_in(&guest, &parts.method).finish(),
        Err(error) => return refused(&guest, None, error.into()),
    };
    let signed_in = SignedIn {
        id: session.administrator.id.clone(),
        email: session.administrator.email.clone(),
    };
    let who = Some(signed_in.email.clone());
    guest.caller = Arc::new(Caller {
        administrator: Some(signed_in),
        ..(*guest.caller).clone()
    });
    if let Err(failure) = take_form(&mut guest, &parts, body).await {
        return refused(&guest, who, failure);
    }
    let around = Around::of(&guest, who);
    let digest = session.row.digest.clone();
    let outcome = answer(Visit::new(guest, session)).await;
    around.end(outcome, &parts, Some(&digest)).await
}

/// Answers everybody.
async fn open<F, A>(app: Arc<App>, request: Request, answer: F) -> Response<Body>
where
    F: Fn(Guest) -> A,
    A: Future<Output = Result<Done, Failure>>,
{
    let (parts, body) = request.into_parts();
    let mut guest = match guest(app, parts.clone()).await {
        Ok(guest) => guest,
        Err(response) => return response,
    };
    if let Err(failure) = take_form(&mut guest, &parts, body).await {
        return refused(&guest, None, failure);
    }
    let around = Around::of(&guest, None);
    let outcome = answer(guest).await;
    around.end(outcome, &parts, None).await
}

/// What is still needed when a request has been answered.
struct Around {
    guest: Guest,
    who: Option<String>,
}

impl Around {
    fn of(guest: &Guest, who: Option<String>) -> Self {
        let guest = Guest {
            app: guest.app.clone(),
            tenant: guest.tenant.clone(),
            caller: guest.caller.clone(),
            target: guest.target.clone(),
            query: Fields::default(),
            form: Fields::default(),
            language: None,
            key: guest.key.clone(),
            key_is_new: guest.key_is_new,
            parameters: Vec::new(),
        };
        Self { guest, who }
    }

    /// Writes the log's row, leaves what the next page tells and shows, and sets the cookie.
    async fn end(self, outcome: Result<Done, Failure>, parts: &Parts, session: Option<&str>) -> Response<Body> {
        let Self { guest, who } = self;
        let done = match outcome {
            Ok(done) => done,
            Err(failure) => {
                if parts.method == Method::POST && who.is_some() {
                    let record = Record::refusal(words::log::REFUSED)
                        .with("path", parts.uri.path())
                        .with("error", failure.text.as_str());
                    record.write_refusal(&guest.tenant, &guest.caller, failure.status.as_u16());
                }
                return refused(&guest, who, failure);
            }
        };
        let Done { record, mut reply } = done;
        let status = reply.response.status().as_u16();
        // A page in answer to a change would make the change again when it is reloaded.
        let is_change = record.as_ref().is_some_and(Record::is_change);
        debug_assert!(!is_change || reply.response.status() == StatusCode::SEE_OTHER);
        if let Some(record) = record
            && let Err(error) = record.write(&guest.tenant, &guest.caller, status).await
        {
            return refused(&guest, who, error.into());
        }
        if let Some(digest) = session
            && let Err(error) = reply.leave(&guest, digest).await
        {
            return refused(&guest, who, error.into());
        }
        let is_page = reply.response.status() != StatusCode::SEE_OTHER
            && !reply.response.headers().contains_key(header::CACHE_CONTROL);
        let cookie = match &reply.key {
            KeyChange::Becomes(key) => Some(cookie::set(&guest.tenant.issuer, key.expose())),
            KeyChange::Goes => Some(cookie::remove(&guest.tenant.issuer)),
            KeyChange::Stays if guest.key_is_new && is_page => Some(cookie::set(&guest.tenant.issuer, &guest.key)),
            KeyChange::Stays => None,
        };
        let language = reply.language;
        let mut response = reply.finish();
        if let Some(language) = language {
            crate::web::answer::set_text(
                &mut response,
                header::SET_COOKIE,
                &cookie::set_language(&guest.tenant.issuer, language),
            );
        }
        if let Some(cookie) = cookie {
            crate::web::answer::set_text(&mut response, header::SET_COOKIE, &cookie);
        }
        response
    }
}

/// What a request says before its body is read. Fails where there is no console.
async fn guest(app: Arc<App>, mut parts: Parts) -> Result<Guest, Response<Body>> {
    let Some((tenant, caller)) = admitted(&parts.extensions) else {
        return Err(plain(StatusCode::INTERNAL_SERVER_ERROR, words::failures::BROKEN_TEXT));
    };
    if !tenant.house.console.enabled {
        return Err(plain(StatusCode::NOT_FOUND, words::failures::NO_CONSOLE));
    }
    let query = Fields::read(parts.uri.query().unwrap_or_default().as_bytes())
        .map_err(|unreadable| plain(StatusCode::BAD_REQUEST, unreadable.0))?;
    let raw = RawPathParams::from_request_parts(&mut parts, &()).await;
    let parameters = raw.map(|raw| parameters(&raw));
    let parameters = parameters.map_err(|_| plain(StatusCode::BAD_REQUEST, words::failures::MISSING_TEXT))?;
    let held = cookie::read(&parts.headers, &tenant.issuer);
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str())
        .to_owned();
    Ok(Guest {
        key_is_new: held.is_none(),
        key: held.unwrap_or_else(|| session_key(&tenant.house.random).expose().to_owned()),
        caller: Arc::new(Caller {
            channel: Channel::Console,
            ..(*caller).clone()
        }),
        app,
        tenant,
        target,
        query,
        form: Fields::default(),
        language: cookie::language(&parts.headers),
        parameters,
    })
}

/// Reads the form that a POST brings; refuses one that no page of this console sent.
async fn take_form(guest: &mut Guest, parts: &Parts, body: Body) -> Result<(), Failure> {
    if parts.method != Method::POST {
        return Ok(());
    }
    if !is_from_here(&parts.headers, &guest.caller.host) {
        return Err(Failure::forged());
    }
    let bytes = body::form(&parts.headers, body).await.map_err(|error| match error {
        BodyError::Http(status, text) => Failure::new(status, words::failures::REFUSED, text),
        BodyError::Parameters(_) => Failure::new(
            StatusCode::BAD_REQUEST,
            words::failures::REFUSED,
            words::failures::FORGED_TEXT,
        ),
    })?;
    let unreadable =
        |error: super::fields::Unreadable| Failure::new(StatusCode::BAD_REQUEST, words::failures::REFUSED, error.0);
    guest.form = Fields::read(&bytes).map_err(unreadable)?;
    if guest.key_is_new || !session::is_form_token(&guest.key, guest.form.raw(FORM_TOKEN)) {
        return Err(Failure::forged());
    }
    Ok(())
}

/// Whether a form was sent by a page of the host that is asked, as far as the browser says (Fetch Metadata; RFC 6454 §7).
/// An older browser says nothing: the form's token has to do.
fn is_from_here(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let by_site = text("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    let by_origin = text("origin").is_none_or(|origin| {
        let of = origin.split_once("://").map_or("", |(_, authority)| authority);
        of.eq_ignore_ascii_case(host)
    });
    by_site && by_origin
}

/// Where those go who are not signed in: a page brings them back to it.
fn to_sign_in(guest: &Guest, method: &Method) -> Reply {
    let ended = if guest.key_is_new { "" } else { "&ended" };
    match *method == Method::GET && guest.target != "/console/" {
        true => {
            let to = utf8_percent_encode(&guest.target, NON_ALPHANUMERIC);
            Reply::see(&format!("/console/sign-in?to={to}{ended}"))
        }
        false => Reply::see(&format!("/console/sign-in?to={ended}")),
    }
}

/// The page that says why not.
fn refused(guest: &Guest, who: Option<String>, failure: Failure) -> Response<Body> {
    let Failure {
        status,
        heading,
        text,
        cause,
    } = failure;
    let request_id = &guest.caller.request_id;
    let outages = guest.tenant.house.store.outages();
    if let Some(cause) = cause
        && outages.is_first("a page of the console was refused", &cause)
    {
        tracing::error!(%request_id, %status, cause, "a page of the console was refused");
    }
    let frame = Frame {
        administrator: who,
        form_token: session::form_token(&guest.key),
        ..Frame::new(&guest.tenant, Section::None, heading)
    };
    let page = Refused {
        frame,
        text,
        request_id: request_id.clone(),
    };
    match Reply::page_with(status, &page) {
        Ok(reply) => reply.finish(),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, words::failures::BROKEN_TEXT),
    }
}

/// An answer outside of any frame.
fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    crate::web::answer::set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    Reply::raw(response).finish()
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    frame: Frame,
    text: String,
    request_id: String,
}
