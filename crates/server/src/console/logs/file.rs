//! Lines of the log as a file, JSON lines or CSV, which is sent as it is read. `/console/logs/file`

use std::sync::Arc;

use serde_json::Value;

use tokenhouse_protocol::id::LogId;
use tokenhouse_store::{LogFilter, LogPage, LogRow, StoreError};

use super::super::answer::{Failure, Reply};
use super::super::file::streamed;
use super::super::visit::Visit;
use super::Wanted;
use crate::audit::event;
use crate::tenant::Tenant;
use crate::web::csv::csv_line;

/// Lines that are read at a time.
const STEP: u32 = 200;
/// Lines of a file.
pub(super) const MAX_ROWS: usize = 10_000;
/// Most reads of a file: where a filter lets little through, each looks at some thousand lines.
const MAX_READS: usize = 100;

/// What is left to be read.
struct Lines {
    tenant: Arc<Tenant>,
    filter: LogFilter,
    next: Option<LogId>,
    rows: usize,
    reads: usize,
    is_csv: bool,
}

/// `GET /console/logs/file`: the newest lines as JSON lines or CSV.
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let filter = Wanted::of(&visit.query).filter(&visit.tenant).await?;
    let filter = filter.map_err(Failure::bad_request)?;
    let is_csv = visit.query.text("format") == "csv";
    let mut lines = Lines {
        tenant: visit.tenant.clone(),
        filter,
        next: None,
        rows: 0,
        reads: 0,
        is_csv,
    };
    // The first ones now, so that a database that does not answer is a page that says so.
    let head = if is_csv {
        csv_line(event::COLUMNS)
    } else {
        String::new()
    };
    let first = head + &lines.read().await?;
    let (kind, name) = match is_csv {
        true => ("text/csv; charset=utf-8", "logs.csv"),
        false => ("application/x-ndjson", "logs.jsonl"),
    };
    let (reply, sender) = streamed(kind, name);
    tokio::spawn(async move {
        let mut text = first;
        while sender.piece(text).await && !lines.is_over() {
            match lines.read().await {
                Ok(more) => text = more,
                Err(error) => return sender.fail(error).await,
            }
        }
    });
    Ok(reply)
}

impl Lines {
    async fn read(&mut self) -> Result<String, StoreError> {
        let store = &self.tenant.house.store;
        let (tenant, before) = (&self.tenant.id, self.next.as_ref());
        let LogPage { rows, next, .. } = store.logs_back(tenant, &self.filter, before, STEP).await?;
        self.next = next;
        self.rows += rows.len();
        self.reads += 1;
        Ok(rows
            .iter()
            .map(|row| if self.is_csv { csv(row) } else { json(row) })
            .collect())
    }

    fn is_over(&self) -> bool {
        self.next.is_none() || self.rows >= MAX_ROWS || self.reads >= MAX_READS
    }
}

fn json(row: &LogRow) -> String {
    format!("{}\n", Value::Object(event::shown(row)))
}

fn csv(row: &LogRow) -> String {
    let event = event::shown(row);
    let cells = event::COLUMNS.map(|name| match event.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    });
    csv_line(cells.iter().map(String::as_str))
}
