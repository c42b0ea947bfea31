//! New lines of the log as they come, as server-sent events: each is a row of the table, ready to be put on top.
//!
//! A stream ends after half a minute, and the browser asks again from where it was: so nobody is followed for longer
//! than their session. A server that stops waits for no stream: see [`crate::web::ending`].

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use askama::Template;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Response, StatusCode, header};
use hyper::body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, interval, timeout_at};

use tokenhouse_protocol::id::{AdministratorId, LogId, NodeId, TenantId};
use tokenhouse_store::{LogFilter, LogRow, StoreError};

use super::super::answer::{Failure, Reply};
use super::super::visit::Guest;
use super::super::words;
use super::{Line, Wanted, line};
use crate::accounts::session;
use crate::tenant::Tenant;
use crate::web::answer::set;
use crate::web::ending::EVENT_STREAM;

/// How often new lines are looked for.
const POLL: Duration = Duration::from_secs(1);
/// How long a stream lasts.
const LASTS: Duration = Duration::from_secs(30);
/// Lines that are read at a time.
const STEP: u32 = 200;
/// Streams at once; whoever asks for another one gets a 503.
const MAX_STREAMS: usize = 64;

/// Those of one administrator, who must not leave the others without: a browser opens six connections to a host.
const MAX_OF_ONE: usize = 8;

/// Whose stream it is.
type Owner = (TenantId, AdministratorId);

/// How many streams are open, by whose they are.
static OPEN: Mutex<BTreeMap<Owner, usize>> = Mutex::new(BTreeMap::new());

/// `GET /console/logs/live`. It is no visit: a page that lies open must not keep its session from ending.
pub(crate) async fn get(guest: Guest) -> Result<Reply, Failure> {
    let Some(session) = session::peek(&guest.tenant, &guest.key).await? else {
        // Without content a browser does not ask again (HTML, "server-sent events").
        return Ok(Reply::raw(status(StatusCode::NO_CONTENT)));
    };
    let filter = Wanted::of(&guest.query).filter(&guest.tenant).await?;
    let filter = filter.map_err(Failure::bad_request)?;
    let Some(place) = Place::take((guest.tenant.id.clone(), session.administrator.id)) else {
        return Ok(Reply::raw(status(StatusCode::SERVICE_UNAVAILABLE)));
    };
    let latest = guest.tenant.house.store.logs_latest(&guest.tenant.id, 1).await?;
    let after = guest.query.filled("after").map(LogId::new);
    let after = after.or_else(|| latest.first().map(|row| row.id.clone()));
    let (sender, receiver) = channel(16);
    let tenant = guest.tenant.clone();
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = follow(&tenant, &filter, after, &sender).await {
            tracing::warn!(%error, "a page no longer follows the log");
        }
    });
    let mut response = Response::new(Body::new(Events(receiver)));
    set(&mut response, header::CONTENT_TYPE, EVENT_STREAM);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    Ok(Reply::raw(response))
}

/// Follows every node's rows, as long as a stream lasts and somebody reads.
async fn follow(
    tenant: &Arc<Tenant>,
    filter: &LogFilter,
    last: Option<LogId>,
    sender: &Sender<String>,
) -> Result<(), StoreError> {
    let store = &tenant.house.store;
    let mut places: HashMap<NodeId, LogId> = HashMap::new();
    let (mut poll, end) = (interval(POLL), Instant::now() + LASTS);
    let mut events = "retry: 1000\n\n".to_owned();
    while Instant::now() < end {
        // Whoever reads nothing has gone as well, when the time is over.
        if !matches!(
            timeout_at(end, sender.send(std::mem::take(&mut events))).await,
            Ok(Ok(()))
        ) {
            return Ok(());
        }
        poll.tick().await;
        for node in store.nodes().await? {
            let after = places.get(&node).or(last.as_ref());
            let rows = store.logs_of_node_after(&tenant.id, &node, after, STEP).await?;
            for row in rows.iter().filter(|row| is_wanted(filter, row)) {
                let html = Row { line: line(row) }.render().unwrap_or_default();
                let html = html.replace(['\r', '\n'], "");
                events += &format!("id: {}\ndata: {html}\n\n", row.id);
            }
            if let Some(row) = rows.into_iter().last() {
                places.insert(node, row.id);
            }
        }
        if events.is_empty() {
            // A comment: whoever has gone is noticed.
            events.push_str(":\n\n");
        }
    }
    Ok(())
}

fn is_wanted(filter: &LogFilter, row: &LogRow) -> bool {
    (filter.kinds.is_empty() || filter.kinds.contains(&row.kind))
        && (filter.client_id.is_none() || filter.client_id == row.client_id)
        && (filter.user_id.is_none() || filter.user_id == row.user_id)
        && (filter.address.is_none() || filter.address == row.address)
        && filter.from.is_none_or(|from| row.at >= from)
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The place of an open stream, given back when it is dropped.
struct Place(Owner);

impl Place {
    /// A place, if there is one left for them.
    fn take(owner: Owner) -> Option<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&owner).copied().unwrap_or(0);
        if all >= MAX_STREAMS || own >= MAX_OF_ONE {
            return None;
        }
        open.insert(owner.clone(), own + 1);
        Some(Self(owner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.0) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => drop(open.remove(&self.0)),
        }
    }
}

/// A row of the table by itself.
#[derive(Template)]
#[template(path = "log_row.html")]
struct Row {
    line: Line,
}

/// What is sent as it comes.
struct Events(Receiver<String>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.poll_recv(context);
        next.map(|text| text.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}
