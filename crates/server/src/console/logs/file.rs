//! Lines of the log as a file: JSON lines, or CSV (RFC 4180) that a spreadsheet can open without running anything.

use serde_json::Value;

use tokenhouse_store::LogRow;

use crate::audit::event;

/// The columns of a CSV file: fields of a log event.
const COLUMNS: [&str; 12] = [
    "date",
    "type",
    "description",
    "client_id",
    "client_name",
    "user_id",
    "user_name",
    "ip",
    "audience",
    "scope",
    "repeats",
    "log_id",
];

/// One JSON object a line.
pub(super) fn json_lines(rows: &[LogRow]) -> String {
    rows.iter()
        .map(|row| format!("{}\n", Value::Object(event::shown(row))))
        .collect()
}

/// A line of names, then a line for each row.
pub(super) fn csv(rows: &[LogRow]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for row in rows {
        let event = event::shown(row);
        let cells: Vec<String> = COLUMNS.iter().map(|name| cell(event.get(*name))).collect();
        text += &cells.join(",");
        text += "\r\n";
    }
    text
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => super::super::display::csv_cell(text),
        Some(other) => super::super::display::csv_cell(&other.to_string()),
    }
}
