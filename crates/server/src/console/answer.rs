//! What a page answers: itself, the address to look at next, or why not. The headers that every answer has are here.

use std::fmt;

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::Value;

use tokenhouse_protocol::secret::Secret;
use tokenhouse_store::StoreError;

use super::record::Record;
use super::visit::Guest;
use super::words;
use crate::accounts::session::keep_shown;
use crate::registry::RegistryError;
use crate::snippets::Language;
use crate::web::answer::{set, set_text};

/// Nothing from elsewhere, nothing inline, in nobody's frame (CSP3).
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// An answer.
pub(crate) struct Reply {
    pub(super) response: Response<Body>,
    /// What the next page tells, once.
    pub(super) notice: Option<String>,
    /// What the page that it leads to shows, once.
    pub(super) shown: Option<Value>,
    pub(super) key: KeyChange,
    /// The language that programs are shown in from now on.
    pub(super) language: Option<&'static str>,
}

/// What becomes of the key that the browser holds.
pub(super) enum KeyChange {
    Stays,
    Becomes(Secret),
    Goes,
}

/// What a form's sending did: the log's row of it, and the answer. There is no third way, so that no change is forgotten.
pub(crate) struct Done {
    pub(super) record: Option<Record>,
    pub(super) reply: Reply,
}

/// Why there is no such page, or why something was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(super) status: StatusCode,
    /// What it is about, as a heading.
    pub(super) heading: &'static str,
    /// What to do next.
    pub(super) text: String,
    /// What only the log reads.
    pub(super) cause: Option<String>,
}

impl Reply {
    /// A page.
    pub(crate) fn page(page: &impl Template) -> Result<Self, Failure> {
        Self::page_with(StatusCode::OK, page)
    }

    /// A page that shows a form again, with what is wrong in it.
    pub(crate) fn refused(page: &impl Template) -> Result<Self, Failure> {
        Self::page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// A page with another status than 200.
    pub(crate) fn page_with(status: StatusCode, page: &impl Template) -> Result<Self, Failure> {
        let mut response = Response::new(Body::from(page.render()?));
        *response.status_mut() = status;
        set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
        Ok(Self::raw(response))
    }

    /// The address to look at next, after a form was sent: a path of the console.
    pub(crate) fn see(path: &str) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        set_text(&mut response, header::LOCATION, path);
        Self::raw(response)
    }

    /// Any other answer, such as a file or a stream. What it says of caching stays.
    pub(crate) fn raw(response: Response<Body>) -> Self {
        Self {
            response,
            notice: None,
            shown: None,
            key: KeyChange::Stays,
            language: None,
        }
    }

    /// The same, and the next page tells this once. Never a secret: it waits in the database as it is.
    #[must_use]
    pub(crate) fn saying(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    /// The same, and the page that it leads to shows this once, where it asks for it (`Visit::shown`). It may be a secret:
    /// it waits sealed.
    #[must_use]
    pub(crate) fn showing(mut self, shown: Value) -> Self {
        self.shown = Some(shown);
        self
    }

    /// The same, and the browser remembers that programs are shown in this language.
    #[must_use]
    pub(crate) fn remembering(mut self, language: Language) -> Self {
        self.language = Some(language.about().id);
        self
    }

    /// The same, and the browser holds this key from now on.
    #[must_use]
    pub(super) fn with_key(mut self, key: KeyChange) -> Self {
        self.key = key;
        self
    }

    /// Leaves with the guest's session what the page that it leads to tells, and what that page shows.
    pub(super) async fn leave(&mut self, guest: &Guest, session: &str) -> Result<(), StoreError> {
        let tenant = &guest.tenant;
        if let Some(notice) = self.notice.take() {
            let store = &tenant.house.store;
            store
                .notice_administrator_session(&tenant.id, session, Some(&notice))
                .await?;
        }
        let path = self.response.headers().get(header::LOCATION);
        let path = path.and_then(|path| path.to_str().ok()).map(str::to_owned);
        if let (Some(shown), Some(path)) = (self.shown.take(), path) {
            keep_shown(tenant, &guest.key, &path, &shown).await?;
        }
        Ok(())
    }

    /// Sets the headers that every answer of the console has.
    pub(super) fn finish(mut self) -> Response<Body> {
        let response = &mut self.response;
        set(response, header::CONTENT_SECURITY_POLICY, POLICY);
        set(response, header::X_FRAME_OPTIONS, "DENY");
        // Not `no-referrer`: with it browsers send `Origin: null` with every form, and forms are checked by it.
        set(response, header::REFERRER_POLICY, "same-origin");
        if !response.headers().contains_key(header::CACHE_CONTROL) {
            set(response, header::CACHE_CONTROL, "no-store");
        }
        self.response
    }
}

impl Done {
    /// Something changed, or a secret was shown: this is its row in the log.
    pub(crate) fn recorded(record: Record, reply: Reply) -> Self {
        Self {
            record: Some(record),
            reply,
        }
    }

    /// Nothing changed.
    pub(crate) fn unchanged(reply: Reply) -> Self {
        Self { record: None, reply }
    }
}

impl Failure {
    pub(crate) fn new(status: StatusCode, heading: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            heading,
            text: text.into(),
            cause: None,
        }
    }

    /// There is no such page, or what it was about is gone.
    pub(crate) fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            words::failures::MISSING,
            words::failures::MISSING_TEXT,
        )
    }

    /// A fault of the server; the cause is for the log.
    pub(super) fn broken(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                words::failures::BROKEN,
                words::failures::BROKEN_TEXT,
            )
        }
    }

    /// The form was not one of this page's.
    pub(super) fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            words::failures::FORGED,
            words::failures::FORGED_TEXT,
        )
    }

    /// A request that no form of a page makes.
    pub(crate) fn bad_request(text: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words::failures::BAD_REQUEST, text)
    }

    fn unavailable(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                words::failures::UNAVAILABLE,
                words::failures::UNAVAILABLE_TEXT,
            )
        }
    }
}

/// What to tell the person who sent a form that the registry refused; what is not about the form goes on.
pub(crate) fn problem(error: RegistryError) -> Result<String, Failure> {
    match error {
        RegistryError::Invalid { text, .. } | RegistryError::Conflict(text) | RegistryError::Refused(text) => {
            let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
            Ok(format!("{}{rest}.", first.to_uppercase()).replace("..", "."))
        }
        error @ (RegistryError::NotFound(_) | RegistryError::Store(_)) => Err(error.into()),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::NotFound(_) => Self::missing(),
            RegistryError::Store(error) => error.into(),
            error @ (RegistryError::Invalid { .. } | RegistryError::Conflict(_) | RegistryError::Refused(_)) => {
                Self::new(StatusCode::CONFLICT, words::failures::REFUSED, error.to_string())
            }
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::broken(format_args!("a page cannot be written: {error}"))
    }
}
