//! What users do for themselves: `/u/reset-password` and `/u/email-verification`, where they use the tickets that
//! `/api/v2/tickets` makes, without a session and without a script (CONTRACT §4.2). The ticket proves its bearer, so that a
//! form needs no other proof; it is in no log.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};

use tokenhouse_protocol::parameters::Parameters;
use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::{StoreError, User};

use crate::accounts::attempts::TooMany;
use crate::caller::Caller;
use crate::percent;
use crate::registry::connections::PasswordRules;
use crate::registry::tickets::{self, Opened, Purpose, Ticket};
use crate::registry::{RegistryError, clients};
use crate::tenant::Tenant;
use crate::web::answer::set_text;
use crate::web::body::{self, BodyError};

use page::{Form, Note, led_back};
use record::{Record, what};

mod page;
mod record;

/// What tickets are counted as among the failed logins of an address; no user's name ends in a blank.
const ACCOUNT: &str = "ticket ";
/// How a password is called in what the registry says of it: `PasswordStrengthError: Password is …`.
const NAMED: &str = ": ";

/// Somebody with a ticket of one kind.
struct Visit {
    tenant: Arc<Tenant>,
    caller: Arc<Caller>,
    purpose: Purpose,
}

/// Why a ticket does nothing.
enum Refused {
    /// It is none of this tenant's for this purpose, or there is none.
    Nothing,
    /// It was good once.
    Expired(Box<Ticket>),
    /// It was used, or its user may not use it any more.
    Used(Box<Ticket>),
    /// Too many that were none came from this address.
    TooMany(TooMany),
    /// The form cannot be read.
    Form(StatusCode),
    /// The database does not answer.
    Unavailable(String),
}

/// `GET /u/reset-password?ticket=…`: looking at a ticket does not use it up.
pub async fn get_password(
    uri: Uri,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Response<Body> {
    let visit = Visit::new(tenant, caller, Purpose::Password);
    let text = ticket_of(&uri);
    let shown = async {
        let (ticket, user) = visit.opened(&text).await?;
        visit.form(StatusCode::OK, (&text, &ticket), &user, None).await
    };
    match shown.await {
        Ok(response) => response,
        Err(refused) => visit.refused(&refused),
    }
}

/// `POST /u/reset-password`: `ticket`, and the password in `password` and `again`.
pub async fn post_password(
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(caller): Extension<Arc<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let visit = Visit::new(tenant, caller, Purpose::Password);
    match visit.chosen(&headers, body).await {
        Ok(response) => response,
        Err(refused) => {
            visit.record_refused(&refused);
            visit.refused(&refused)
        }
    }
}

/// `GET /u/email-verification?ticket=…`: following the link is all that is asked, as at Auth0. A `HEAD`, by which programs
/// look at links, uses nothing up.
pub async fn get_email(
    method: Method,
    uri: Uri,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Response<Body> {
    let visit = Visit::new(tenant, caller, Purpose::Email);
    let text = ticket_of(&uri);
    let is_head = method == Method::HEAD;
    let verified = async {
        let (ticket, _) = visit.opened(&text).await?;
        if is_head {
            return Ok(page::note(StatusCode::OK, &visit.note(page::VERIFYING)));
        }
        let user = match ticket.verify_email(&visit.tenant).await {
            Ok(user) => user,
            Err(RegistryError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(Refused::Used(Box::new(ticket))),
        };
        visit.done(&ticket, &user).await
    };
    match verified.await {
        Ok(response) => response,
        Err(refused) => {
            if !is_head && !text.is_empty() {
                visit.record_refused(&refused);
            }
            visit.refused(&refused)
        }
    }
}

impl Visit {
    fn new(tenant: Arc<Tenant>, caller: Arc<Caller>, purpose: Purpose) -> Self {
        Self {
            tenant,
            caller,
            purpose,
        }
    }

    /// A ticket that is good. Those that are none count as failed logins of the address do.
    async fn opened(&self, text: &str) -> Result<(Ticket, User), Refused> {
        if text.is_empty() {
            return Err(Refused::Nothing);
        }
        let attempts = &self.tenant.house.accounts.attempts;
        let attempt = attempts.begin(&self.tenant.id, ACCOUNT, self.caller.address).await;
        let attempt = attempt.map_err(Refused::TooMany)?;
        let opened = tickets::open(&self.tenant, self.purpose, text).await;
        if !matches!(opened, Ok(Opened::Nothing)) {
            attempt.withdrawn();
        }
        match opened? {
            Opened::Good(found) => Ok(*found),
            Opened::Expired(ticket) => Err(Refused::Expired(ticket)),
            Opened::Used(ticket) => Err(Refused::Used(ticket)),
            Opened::Nothing => Err(Refused::Nothing),
        }
    }

    /// Sets the password of a form that was sent.
    async fn chosen(&self, headers: &HeaderMap, body: Body) -> Result<Response<Body>, Refused> {
        let form = Parameters::from_form(&body::form(headers, body).await?);
        let said = form.map_err(|_| Refused::Form(StatusCode::BAD_REQUEST))?;
        let said = |name| said.text(name).ok().flatten().unwrap_or_default().to_owned();
        let (text, password) = (said("ticket"), Secret::new(said("password")));
        let (ticket, user) = self.opened(&text).await?;
        let again = |status, problem: &str| {
            let problem = Some(problem.to_owned());
            self.form(status, (&text, &ticket), &user, problem)
        };
        if password.expose() != said("again") {
            return again(StatusCode::UNPROCESSABLE_ENTITY, page::UNLIKE).await;
        }
        match ticket.choose_password(&self.tenant, &password).await {
            Ok(user) => self.done(&ticket, &user).await,
            Err(RegistryError::Invalid { text, .. }) => {
                let problem = text.split_once(NAMED).map_or(text.as_str(), |(_, rest)| rest);
                let record = Record::new(self.purpose, problem).about(&ticket, Some(&user));
                record.refused(&self.tenant, &self.caller);
                again(StatusCode::UNPROCESSABLE_ENTITY, problem).await
            }
            Err(RegistryError::Refused(busy)) => {
                let mut response = again(StatusCode::SERVICE_UNAVAILABLE, &busy).await?;
                set_text(&mut response, header::RETRY_AFTER, "1");
                Ok(response)
            }
            Err(RegistryError::Store(error)) => Err(error.into()),
            Err(RegistryError::Conflict(_) | RegistryError::NotFound(_)) => Err(Refused::Used(Box::new(ticket))),
        }
    }

    /// The form in which a password is chosen.
    async fn form(
        &self,
        status: StatusCode,
        (text, ticket): (&str, &Ticket),
        user: &User,
        problem: Option<String>,
    ) -> Result<Response<Body>, Refused> {
        let store = &self.tenant.house.store;
        let connection = store.connection(&self.tenant.id, &user.connection_id).await?;
        let form = Form {
            title: page::CHOOSE,
            tenant: self.tenant_name(),
            ticket: text.to_owned(),
            name: user.email.clone().or_else(|| user.username.clone()).unwrap_or_default(),
            rules: PasswordRules::of(connection.as_ref()).said(),
            problem,
        };
        Ok(page::form(status, &form, ticket.result_url.as_deref()))
    }

    /// Says that it is done: to the log, then where the ticket leads, or on a page.
    async fn done(&self, ticket: &Ticket, user: &User) -> Result<Response<Body>, Refused> {
        let (message, words) = match self.purpose {
            Purpose::Password => (
                "You can now login to the application with the new password.",
                page::CHANGED,
            ),
            Purpose::Email => (
                "Your email was verified. You can continue using the application.",
                page::VERIFIED,
            ),
        };
        let record = Record::new(self.purpose, what(self.purpose)).about(ticket, Some(user));
        record.done(&self.tenant, &self.caller).await?;
        if let Some(url) = &ticket.result_url {
            let email = user.email.as_deref().filter(|_| ticket.shows_email);
            return Ok(page::see(&led_back(url, true, message, email)));
        }
        let mut note = self.note(words);
        if let Some(id) = &ticket.client_id
            && let Ok(client) = clients::client(&self.tenant, id).await
        {
            let login = client.rest.get("initiate_login_uri").and_then(|uri| uri.as_str());
            note.next = login.map(|login| (client.name.clone(), login.to_owned()));
        }
        Ok(page::note(StatusCode::OK, &note))
    }

    /// Says why not: where the ticket leads, as far as it can be read, or on a page.
    fn refused(&self, refused: &Refused) -> Response<Body> {
        let (ticket, message) = match refused {
            Refused::Expired(ticket) => (Some(ticket), "Access expired."),
            Refused::Used(ticket) => (Some(ticket), "This URL can be used only once"),
            Refused::Nothing | Refused::TooMany(_) | Refused::Form(_) | Refused::Unavailable(_) => (None, ""),
        };
        if let Some(url) = ticket.and_then(|ticket| ticket.result_url.as_deref()) {
            return page::see(&led_back(url, false, message, None));
        }
        let (status, words, wait_s) = match refused {
            Refused::Nothing => (StatusCode::NOT_FOUND, page::NO_TICKET, None),
            Refused::Expired(_) => (StatusCode::GONE, page::EXPIRED, None),
            Refused::Used(_) => (StatusCode::GONE, page::USED, None),
            Refused::Form(status) => (*status, page::NO_FORM, None),
            Refused::TooMany(too_many) => {
                let wait_s = match too_many {
                    TooMany::Account { retry_after_s, .. } | TooMany::Address { retry_after_s, .. } => *retry_after_s,
                    TooMany::Waiting { .. } => 1,
                };
                (StatusCode::TOO_MANY_REQUESTS, page::TOO_MANY, Some(wait_s))
            }
            Refused::Unavailable(cause) => {
                let (tenant, request_id) = (&self.tenant.id, &self.caller.request_id);
                let what = "a ticket could not be used";
                if self.tenant.house.store.outages().is_first(what, cause) {
                    tracing::error!(%tenant, request_id, cause, "{what}");
                }
                (StatusCode::SERVICE_UNAVAILABLE, page::UNAVAILABLE, Some(1))
            }
        };
        let mut response = page::note(status, &self.note(words));
        if let Some(wait_s) = wait_s {
            set_text(&mut response, header::RETRY_AFTER, &wait_s.to_string());
        }
        response
    }

    /// Leaves a row of a ticket that was to be used and does nothing.
    fn record_refused(&self, refused: &Refused) {
        let (ticket, text) = match refused {
            Refused::Expired(ticket) => (Some(ticket), "The ticket has expired"),
            Refused::Used(ticket) => (Some(ticket), "The ticket was used, or its user may not use it any more"),
            Refused::Nothing => (None, "The ticket is none of this tenant's"),
            Refused::TooMany(_) => (None, "Too many tickets that were none came from this address"),
            Refused::Form(_) | Refused::Unavailable(_) => return,
        };
        let mut record = Record::new(self.purpose, text);
        if let Some(ticket) = ticket {
            record = record.about(ticket, None);
        }
        record.refused(&self.tenant, &self.caller);
    }

    fn note(&self, (title, text): (&'static str, &'static str)) -> Note {
        Note {
            title,
            text,
            tenant: self.tenant_name(),
            next: None,
        }
    }

    fn tenant_name(&self) -> String {
        let name = self.tenant.settings().friendly_name.clone();
        name.unwrap_or_else(|| self.tenant.id.to_string())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<BodyError> for Refused {
    fn from(error: BodyError) -> Self {
        Self::Form(match error {
            BodyError::Http(status, _) => status,
            BodyError::Parameters(_) => StatusCode::BAD_REQUEST,
        })
    }
}

/// The ticket of a link; what a mail program adds to the query is passed over.
fn ticket_of(uri: &Uri) -> String {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let raw = pairs.find_map(|pair| pair.strip_prefix("ticket="));
    raw.and_then(percent::decoded).unwrap_or_default()
}
