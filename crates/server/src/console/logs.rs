//! The log: the newest lines that a filter lets through, one line in full, and files of them.

use askama::Template;

use tokenhouse_protocol::id::{ClientId, LogId, UserId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{LogFilter, LogRow};

use super::answer::{Failure, Reply};
use super::display::Moment;
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::visit::Visit;
use super::words;
use crate::audit::event;

pub(crate) mod file;
pub(crate) mod live;

/// Lines on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "logs.html")]
struct Page {
    frame: Frame,
    problem: Option<&'static str>,
    wanted: Wanted,
    rows: Vec<Line>,
    /// The filter as a query, for other addresses; empty or ending in `&`.
    query: String,
    is_first: bool,
    /// The line that the next page comes before.
    next: Option<String>,
    /// How far the search came, if it ended before the page was full.
    stopped_at: Option<Moment>,
    kinds: &'static [(&'static str, &'static str)],
    is_live: bool,
}

/// A line of the list.
struct Line {
    path: String,
    at: Moment,
    kind: String,
    meaning: String,
    is_refusal: bool,
    /// The application's name, or the administrator's.
    application: String,
    user: String,
    address: String,
    description: String,
    repeats: i64,
}

#[derive(Template)]
#[template(path = "log.html")]
struct EntryPage {
    frame: Frame,
    line: Line,
    json: String,
    id: String,
    application: Option<(String, String)>,
    user: Option<(String, String)>,
}

/// What is asked for, as it was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    kind: String,
    app: String,
    user: String,
    ip: String,
    from: String,
    to: String,
}

/// `GET /console/logs`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    let wanted = Wanted::of(&visit.query);
    let before = visit.query.filled("before").map(LogId::new);
    let (filter, problem) = match wanted.filter() {
        Ok(filter) => (filter, None),
        Err(problem) => (LogFilter::default(), Some(problem)),
    };
    let store = &visit.tenant.house.store;
    let found = store
        .logs_back(&visit.tenant.id, &filter, before.as_ref(), PAGE)
        .await?;
    Reply::page(&Page {
        frame: visit.frame(Section::Logs, "Logs").await?,
        problem,
        query: wanted.query(),
        rows: found.rows.iter().map(line).collect(),
        is_first: before.is_none(),
        next: found.next.map(|id| id.to_string()),
        stopped_at: found.stopped_at.map(Moment::of),
        kinds: event::KINDS,
        is_live: before.is_none() && wanted.to.is_empty() && problem.is_none(),
        wanted,
    })
}

/// `GET /console/logs/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let id = LogId::new(visit.parameter("id"));
    let Some(row) = visit.tenant.house.store.log(&visit.tenant.id, &id).await? else {
        return Err(Failure::missing());
    };
    let line = line(&row);
    let link = |name: &str, at: &str, id: &str| (name.to_owned(), format!("{at}{}", encoded(id)));
    Reply::page(&EntryPage {
        frame: visit
            .frame(Section::Logs, line.meaning.clone())
            .await?
            .below("Logs", "/console/logs"),
        json: serde_json::to_string_pretty(&event::shown(&row)).unwrap_or_default(),
        id: row.id.to_string(),
        application: row
            .client_id
            .as_ref()
            .map(|id| link(&line.application, "/console/applications/", id.as_str())),
        user: row
            .user_id
            .as_ref()
            .map(|id| link(&line.user, "/console/users/", id.as_str())),
        line,
    })
}

fn line(row: &LogRow) -> Line {
    let text = |name: &str| {
        row.body
            .get(name)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let or_id = |name: &str, id: Option<&str>| match text(name) {
        "" => id.unwrap_or_default().to_owned(),
        text => text.to_owned(),
    };
    Line {
        path: format!("/console/logs/{}", encoded(row.id.as_str())),
        at: Moment::of(row.at),
        kind: row.kind.clone(),
        meaning: event::meaning(&row.kind).to_owned(),
        is_refusal: row.kind.starts_with('f') || row.kind.starts_with("limit"),
        application: match or_id("client_name", row.client_id.as_ref().map(ClientId::as_str)) {
            name if name.is_empty() => administrator(row),
            name => name,
        },
        user: or_id("user_name", row.user_id.as_ref().map(UserId::as_str)),
        address: row.address.clone().unwrap_or_default(),
        description: text("description").to_owned(),
        repeats: row.repeats,
    }
}

/// The administrator who did it; empty if none did.
fn administrator(row: &LogRow) -> String {
    let email = row.body.get("administrator").and_then(|who| who.get("email"));
    email.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

impl Wanted {
    pub(super) fn of(query: &Fields) -> Self {
        let text = |name: &str| query.text(name).to_owned();
        Self {
            kind: text("type"),
            app: text("app"),
            user: text("user"),
            ip: text("ip"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// The store's filter; says what cannot be read.
    pub(super) fn filter(&self) -> Result<LogFilter, &'static str> {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let moment = |text: &str| match text {
            "" => Ok(None),
            text => moment(text).map(Some).ok_or(words::BAD_TIME),
        };
        Ok(LogFilter {
            kinds: filled(&self.kind).into_iter().collect(),
            kind_prefix: None,
            client_id: filled(&self.app).map(ClientId::new),
            user_id: filled(&self.user).map(UserId::new),
            address: filled(&self.ip),
            from: moment(&self.from)?,
            to: moment(&self.to)?,
        })
    }

    /// As a query; ends in `&` if it says anything.
    fn query(&self) -> String {
        let fields = [
            ("type", &self.kind),
            ("app", &self.app),
            ("user", &self.user),
            ("ip", &self.ip),
            ("from", &self.from),
            ("to", &self.to),
        ];
        fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}&", encoded(value)))
            .collect()
    }
}

/// A moment as a browser's field (`2026-01-31T09:30`) or we write it; a field's is in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00.000Z"),
        16 => format!("{text}:00.000Z"),
        19 => format!("{text}.000Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse(&whole)
}
