//! The log: the newest lines that a filter lets through, one line in full, and files of them.

use askama::Template;

use tokenhouse_protocol::id::{ClientId, LogId, UserId};
use tokenhouse_store::{LogFilter, LogRow};

use super::answer::{Failure, Reply};
use super::display::{Moment, number as number_of};
use super::frame::{Frame, Section};
use super::link::encoded;
use super::visit::Visit;
use super::words;
use crate::audit::event;

pub(crate) mod file;
pub(crate) mod live;
mod wanted;

use self::wanted::Wanted;

/// Lines on a page.
const PAGE: u32 = 50;
/// Types whose description names what was done.
const CHANGES: [&str; 3] = ["sapi", "fapi", "mgmt_api_read"];

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
    /// How many lines a page has at most: the script searches on until there are so many.
    page_rows: u32,
    kinds: &'static [(&'static str, &'static str)],
    is_live: bool,
    /// How many lines a file has at most.
    file_rows: String,
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
    /// What a filter names them by; empty where there is none.
    application_id: String,
    user_id: String,
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

/// `GET /console/logs`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Failure> {
    let wanted = Wanted::of(&visit.query);
    let before = visit.query.filled("before").map(LogId::new);
    let (filter, problem) = match wanted.filter(&visit.tenant).await? {
        Ok(filter) => (filter, None),
        Err(problem) => (LogFilter::default(), Some(problem)),
    };
    let store = &visit.tenant.house.store;
    let found = store
        .logs_back(&visit.tenant.id, &filter, before.as_ref(), PAGE)
        .await?;
    Reply::page(&Page {
        frame: visit.frame(Section::Logs, words::navigation::LOGS).await?,
        problem,
        query: wanted.query(),
        rows: found.rows.iter().map(line).collect(),
        is_first: before.is_none(),
        next: found.next.map(|id| id.to_string()),
        stopped_at: found.stopped_at.map(Moment::of),
        page_rows: PAGE,
        kinds: event::KINDS,
        is_live: before.is_none() && wanted.to.is_empty() && problem.is_none(),
        file_rows: number_of(file::MAX_ROWS as i64),
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
            .below(words::navigation::LOGS, "/console/logs"),
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
    // Of a change what was changed says more than that something was.
    let (meaning, description) = match (event::meaning(&row.kind), text("description")) {
        (kind, said) if !said.is_empty() && CHANGES.contains(&row.kind.as_str()) => (said, kind),
        both => both,
    };
    Line {
        path: format!("/console/logs/{}", encoded(row.id.as_str())),
        at: Moment::of(row.at),
        kind: row.kind.clone(),
        meaning: meaning.to_owned(),
        is_refusal: row.kind.starts_with('f') || row.kind.starts_with("limit"),
        application: match or_id("client_name", row.client_id.as_ref().map(ClientId::as_str)) {
            name if name.is_empty() => administrator(row),
            name => name,
        },
        user: or_id("user_name", row.user_id.as_ref().map(UserId::as_str)),
        address: row.address.clone().unwrap_or_default(),
        description: description.to_owned(),
        repeats: row.repeats,
        application_id: row.client_id.as_ref().map_or("", ClientId::as_str).to_owned(),
        user_id: row.user_id.as_ref().map_or("", UserId::as_str).to_owned(),
    }
}

/// The administrator who did it; empty if none did.
fn administrator(row: &LogRow) -> String {
    let email = row.body.get("administrator").and_then(|who| who.get("email"));
    email.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
