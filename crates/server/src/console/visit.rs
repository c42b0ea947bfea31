//! A request to the console as its pages see it: by somebody who is signed in, or at its door.

use std::sync::Arc;

use axum::extract::RawPathParams;
use serde_json::Value;

use tokenhouse_protocol::id::AdministratorId;
use tokenhouse_store::StoreError;

use super::fields::Fields;
use super::frame::{Frame, Section};
use crate::accounts::session::{self, Session};
use crate::app::App;
use crate::caller::Caller;
use crate::tenant::Tenant;

/// A request by whoever it is.
pub(crate) struct Guest {
    /// The application.
    pub(crate) app: Arc<App>,
    /// The tenant whose console it is.
    pub(crate) tenant: Arc<Tenant>,
    /// Who is at the door.
    pub(crate) caller: Arc<Caller>,
    /// The path that was asked, with its query.
    pub(crate) target: String,
    /// What the query says.
    pub(crate) query: Fields,
    /// What the form says; empty where none was sent.
    pub(crate) form: Fields,
    /// The language that programs are shown in, as the browser remembers it.
    pub(crate) language: Option<String>,
    /// What the browser holds: a session's key, or one that is worth nothing yet.
    pub(super) key: String,
    /// Whether the browser does not hold it yet.
    pub(super) key_is_new: bool,
    pub(super) parameters: Vec<(String, String)>,
}

/// A request by an administrator who is signed in; the caller names them.
pub(crate) struct Visit {
    /// The application.
    pub(crate) app: Arc<App>,
    /// The tenant whose console it is.
    pub(crate) tenant: Arc<Tenant>,
    /// Who is at the door: channel `console`, with the administrator.
    pub(crate) caller: Arc<Caller>,
    /// The session, with the administrator.
    pub(crate) session: Session,
    /// What the query says.
    pub(crate) query: Fields,
    /// What the form says; empty where none was sent.
    pub(crate) form: Fields,
    /// The language that programs are shown in, as the browser remembers it.
    pub(crate) language: Option<String>,
    key: String,
    parameters: Vec<(String, String)>,
}

impl Guest {
    /// A part of the path, as the route names it; empty if it has none of this name.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        named(&self.parameters, name)
    }

    /// The frame of a page for those who are not signed in.
    pub(crate) fn frame(&self, title: impl Into<String>) -> Frame {
        Frame {
            form_token: session::form_token(&self.key),
            ..Frame::new(&self.tenant, Section::None, title)
        }
    }
}

impl Visit {
    /// The visit of a guest who is signed in.
    pub(super) fn new(guest: Guest, session: Session) -> Self {
        let Guest {
            app,
            tenant,
            caller,
            query,
            form,
            language,
            key,
            parameters,
            ..
        } = guest;
        Self {
            app,
            tenant,
            caller,
            session,
            query,
            form,
            language,
            key,
            parameters,
        }
    }

    /// A part of the path, as the route names it; empty if it has none of this name.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        named(&self.parameters, name)
    }

    /// Who it is.
    pub(crate) fn administrator(&self) -> &AdministratorId {
        &self.session.administrator.id
    }

    /// What the page at `path`, this one, is to show once: see `Reply::showing`. Gone when it was asked for.
    pub(crate) async fn shown(&self, path: &str) -> Result<Option<Value>, StoreError> {
        session::take_shown(&self.tenant, &self.key, &self.session, path).await
    }

    /// The frame of a page; it tells what is to be told once, so it is asked for once, by a page that is shown.
    pub(crate) async fn frame(&self, section: Section, title: impl Into<String>) -> Result<Frame, StoreError> {
        let notice = self.session.row.notice.clone();
        if notice.is_some() {
            let store = &self.tenant.house.store;
            let digest = &self.session.row.digest;
            store
                .notice_administrator_session(&self.tenant.id, digest, None)
                .await?;
        }
        Ok(Frame {
            notice,
            administrator: Some(self.session.administrator.email.clone()),
            form_token: session::form_token(&self.key),
            ..Frame::new(&self.tenant, section, title)
        })
    }
}

/// The parts of a path.
pub(super) fn parameters(raw: &RawPathParams) -> Vec<(String, String)> {
    raw.iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn named<'a>(parameters: &'a [(String, String)], name: &str) -> &'a str {
    let found = parameters.iter().find(|(other, _)| other == name);
    found.map_or("", |(_, value)| value)
}
