//! Files that a page offers: CSV (RFC 4180), whose cells no spreadsheet runs, and how a browser is told to save one.

use axum::body::Body;
use axum::http::{Response, header};

use super::answer::Reply;
use crate::web::answer::{set, set_text};

/// A line of CSV.
pub(super) fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// A file that the browser saves under this name.
pub(super) fn attachment(text: String, kind: &'static str, name: &str) -> Reply {
    let mut response = Response::new(Body::from(text));
    set(&mut response, header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename=\"{name}\"");
    set_text(&mut response, header::CONTENT_DISPOSITION, &disposition);
    Reply::raw(response)
}

/// A cell: in quotes where it has to be, and behind an apostrophe where a spreadsheet would take it for a formula.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_taken_apart_nor_run() {
        assert_eq!(
            csv_line(["a", "b,c", "say \"x\"", "=cmd()", "-1", "@a\n"]),
            "a,\"b,c\",\"say \"\"x\"\"\",'=cmd(),-1,\"'@a\n\"\r\n"
        );
    }
}
