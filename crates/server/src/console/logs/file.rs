//! Lines of the log as a file: JSON lines, or CSV.

use serde_json::Value;

use tokenhouse_store::LogRow;

use crate::audit::event;
use crate::web::csv::csv_line;

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
    let mut text = csv_line(COLUMNS);
    for row in rows {
        let event = event::shown(row);
        let cells = COLUMNS.map(|name| match event.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        text += &csv_line(cells.iter().map(String::as_str));
    }
    text
}
