//! `/jobs/users-exports` (CONTRACT §4.2), and `/exports/{id}`, where its file is fetched by whoever has the ticket that
//! `/jobs/{id}` answers: JSON lines or CSV, made while it is sent.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path};
use axum::http::{Method, Response, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use tokenhouse_protocol::id::ConnectionId;
use tokenhouse_store::{Job, LogBody, LogEntry, Page, Transfer};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::jobs;
use super::schema::{Body as Document, Kind, Property, Shape, integer, list, text, word};
use super::users::shown_all;
use crate::caller::Caller;
use crate::registry::exports::{self, NewExport};
use crate::registry::users;
use crate::tenant::Tenant;
use crate::web::answer::{set, set_text};
use crate::web::csv::csv_line;
use crate::web::stream::{self, Pieces};

/// Who may have users' profiles in a file.
pub(super) const READ: &[&str] = &["read:users"];
/// What an export's file is fetched by.
const FIELD: Kind = Kind::Object(&[
    text("name", 1, 255)
        .required()
        .note("With dots for what is inside, as in user_metadata.team or identities[0].connection"),
    text("export_as", 1, 255).note("What it is called in the file"),
]);
static PROPERTIES: &[Property] = &[
    text("connection_id", 1, 64).note("Whose users; those of every connection if it is not said"),
    word("format", &["json", "csv"]).note("JSON lines, the default, or CSV"),
    integer("limit", 1, 100_000_000).note("How many users at most"),
    list("fields", &FIELD, 100),
];
/// The columns of a CSV file whose fields were not said.
const COLUMNS: [&str; 16] = [
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "name",
    "nickname",
    "given_name",
    "family_name",
    "identities[0].connection",
    "blocked",
    "created_at",
    "updated_at",
    "last_login",
    "last_ip",
    "logins_count",
];
/// Users that are read at once.
const STEP: u32 = 500;
/// Files that are sent at once; whoever asks for another one gets a 503.
const MAX_FILES: usize = 8;
/// How long a reader may take for one piece.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many files are being sent.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// The row of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[Endpoint {
    method: Method::POST,
    path: "jobs/users-exports",
    scopes: READ,
    summary: "Create a job to export users",
    status: 200,
    query: &[],
    body: Document::Create(Shape::of(PROPERTIES)),
    run: |call| Box::pin(export(call)),
}];

async fn export(mut call: Call) -> Result<Reply, Failure> {
    let said = call.members();
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let new = NewExport {
        connection_id: text("connection_id").map(ConnectionId::new),
        format: text("format").unwrap_or_else(|| "json".into()),
        fields: said.get("fields").filter(|fields| !fields.is_null()).cloned(),
        limit: said.get("limit").and_then(Value::as_u64),
    };
    let transfer = exports::note(&call.tenant, new).await?;
    Ok(Reply::json(jobs::begun(&transfer)))
}

/// Where the file of an export is, for some minutes.
pub(super) fn location(tenant: &Tenant, transfer: &Transfer) -> String {
    let ticket = exports::ticket(tenant, &transfer.id);
    tenant.issuer.url(&format!("exports/{}?ticket={ticket}", transfer.id))
}

/// `GET /exports/{id}`.
pub async fn get(
    Path(id): Path<String>,
    uri: Uri,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(caller): Extension<Arc<Caller>>,
) -> Response<Body> {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let ticket = pairs.find_map(|pair| pair.strip_prefix("ticket="));
    match file(&id, ticket.unwrap_or_default(), &tenant, &caller).await {
        Ok(response) => response,
        Err(failure) => failure.response(&tenant, &caller.request_id),
    }
}

async fn file(id: &str, ticket: &str, tenant: &Arc<Tenant>, caller: &Caller) -> Result<Response<Body>, Failure> {
    let Some(transfer) = exports::redeemed(tenant, id, ticket).await? else {
        let text = "The ticket of this file is none of ours, or too old: GET /api/v2/jobs/{id} answers a new location";
        return Err(Failure::new(StatusCode::FORBIDDEN, text, Some("invalid_ticket")));
    };
    let place = Place::take().ok_or_else(|| Failure::unavailable("as many files are being sent as may be"))?;
    record(tenant, caller, &transfer).await?;
    let (pieces, body) = stream::body();
    let is_csv = transfer.body.get("format").is_some_and(|format| format == "csv");
    let name = format!("{}.{}", transfer.id, if is_csv { "csv" } else { "ndjson" });
    let sending = tenant.clone();
    tokio::spawn(async move {
        let _place = place;
        if let Err(cause) = send(&sending, &transfer, is_csv, &pieces).await {
            tracing::warn!(job = %transfer.id, %cause, "an export was not sent whole");
            // The reader must not take what came for all there is; one who has gone does not hear it.
            drop(timeout(PATIENCE, pieces.send(Err(io::Error::other("the export failed")))).await);
        }
    });
    let mut response = Response::new(body);
    let kind = if is_csv {
        "text/csv; charset=utf-8"
    } else {
        "application/x-ndjson"
    };
    set(&mut response, header::CONTENT_TYPE, kind);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    let disposition = format!("attachment; filename=\"{name}\"");
    set_text(&mut response, header::CONTENT_DISPOSITION, &disposition);
    Ok(response)
}

/// Sends the users, a page at a time; the page that follows is read when this one has gone.
async fn send(tenant: &Tenant, transfer: &Transfer, is_csv: bool, pieces: &Pieces) -> Result<(), String> {
    let fields = Field::of(transfer, is_csv);
    let mut left = transfer.body.get("limit").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if let (true, Some(fields)) = (is_csv, &fields) {
        let names = csv_line(fields.iter().map(|field| field.shown_as.as_str()));
        put(pieces, names).await?;
    }
    let mut page = Page::first(STEP);
    while left > 0 {
        let rows = users::users(tenant, page).await.map_err(|error| format!("{error:?}"))?;
        let Some(last) = rows.last() else { break };
        page = Page::after(last.id.as_str(), STEP);
        let is_last = rows.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
        let wanted = transfer.connection_id.as_ref();
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|user| wanted.is_none_or(|wanted| user.connection_id == *wanted))
            .take(usize::try_from(left).unwrap_or(usize::MAX))
            .collect();
        left = left.saturating_sub(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        let shown = shown_all(tenant, &rows).await;
        let shown = shown.map_err(|failure| failure.message().to_owned())?;
        let lines: String = shown
            .into_iter()
            .map(|user| line(user, fields.as_deref(), is_csv))
            .collect();
        put(pieces, lines).await?;
        if is_last {
            break;
        }
    }
    Ok(())
}

async fn put(pieces: &Pieces, text: String) -> Result<(), String> {
    match timeout(PATIENCE, pieces.send(Ok(Bytes::from(text)))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("its reader has gone".into()),
        Err(_) => Err("its reader takes too long".into()),
    }
}

/// A field of the file.
struct Field {
    path: String,
    shown_as: String,
}

impl Field {
    /// Those that were asked for; for JSON none if the whole of each user is.
    fn of(transfer: &Transfer, is_csv: bool) -> Option<Vec<Self>> {
        let said = transfer.body.get("fields").and_then(Value::as_array);
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            let text = |field: &Value, name: &str| field.get(name).and_then(Value::as_str).map(str::to_owned);
            let fields = said.iter().filter_map(|field| {
                let path = text(field, "name")?;
                let shown_as = text(field, "export_as").unwrap_or_else(|| path.clone());
                Some(Self { path, shown_as })
            });
            return Some(fields.collect());
        }
        let usual = |path: &str| Self {
            path: path.to_owned(),
            shown_as: path.to_owned(),
        };
        is_csv.then(|| COLUMNS.map(usual).into())
    }

    /// What a user has there.
    fn value<'a>(&self, user: &'a Map<String, Value>) -> Option<&'a Value> {
        let mut names = self.path.split(['.', '[', ']']).filter(|name| !name.is_empty());
        let first = user.get(names.next()?)?;
        names.try_fold(first, |value, name| match value {
            Value::Object(members) => members.get(name),
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }
}

fn line(user: Map<String, Value>, fields: Option<&[Field]>, is_csv: bool) -> String {
    let Some(fields) = fields else {
        return format!("{}\n", Value::Object(user));
    };
    if is_csv {
        let cells: Vec<String> = fields
            .iter()
            .map(|field| match field.value(&user) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            })
            .collect();
        return csv_line(cells.iter().map(String::as_str));
    }
    let kept: Map<String, Value> = fields
        .iter()
        .filter_map(|field| Some((field.shown_as.clone(), field.value(&user)?.clone())))
        .collect();
    format!("{}\n", Value::Object(kept))
}

/// What is personal leaves the house: the log says so, whoever the ticket was given to.
async fn record(tenant: &Tenant, caller: &Caller, transfer: &Transfer) -> Result<(), Failure> {
    let body = json!({
        "description": "Fetch exported users",
        "hostname": caller.host,
        "user_agent": caller.user_agent,
        "request_id": caller.request_id,
        "channel": caller.channel.as_str(),
        "details": { "job": transfer.id },
    });
    let entry = LogEntry {
        at: tenant.house.clock.now(),
        kind: "mgmt_api_read",
        client_id: None,
        api_id: None,
        user_id: None,
        grant: None,
        address: Some(caller.address.to_string()),
        tokens: 0,
        repeats: 1,
        body: LogBody::of(&body),
    };
    let job = Job {
        tenant: tenant.id.clone(),
        entries: vec![entry],
        uses: None,
        counts: None,
    };
    tenant.house.audit.record(job).await?;
    Ok(())
}

/// Leave to send a file.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |open: usize| (open < MAX_FILES).then_some(open + 1);
        OPEN.fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::AcqRel);
    }
}
