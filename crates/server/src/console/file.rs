//! Files that a page offers: CSV (RFC 4180), whose cells no spreadsheet runs, and how a browser is told to save one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Response, header};
use hyper::body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use tokenhouse_store::StoreError;

use super::answer::Reply;
use crate::web::answer::{set, set_text};

/// What begins a formula, in wide letters too.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
/// What may end a cell: in many countries that is the semicolon.
const BORDERS: [char; 6] = [',', ';', '\t', '\r', '\n', '"'];

/// A line of CSV.
pub(super) fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// Pieces that wait to be sent: whoever reads slowly is not read for.
const WAITING: usize = 2;

/// A file that the browser saves under this name, sent in pieces as they are made.
pub(super) fn streamed(kind: &'static str, name: &str) -> (Reply, Pieces) {
    let (sender, receiver) = channel(WAITING);
    let mut response = Response::new(Body::new(Streamed(receiver)));
    set(&mut response, header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename=\"{name}\"");
    set_text(&mut response, header::CONTENT_DISPOSITION, &disposition);
    (Reply::raw(response), Pieces(sender))
}

/// Where the pieces of a file go; the file ends when it is dropped.
pub(super) struct Pieces(Sender<io::Result<String>>);

impl Pieces {
    /// Sends a piece: whether anybody reads on.
    pub(super) async fn piece(&self, text: String) -> bool {
        self.0.send(Ok(text)).await.is_ok()
    }

    /// Breaks the file off, so that the browser does not take it for whole.
    pub(super) async fn fail(&self, error: StoreError) {
        tracing::warn!(%error, "a file was broken off");
        // An error means that nobody reads any more.
        self.0.send(Err(io::Error::other(error))).await.ok();
    }
}

/// The body of a file that is sent in pieces.
struct Streamed(Receiver<io::Result<String>>);

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|piece| piece.map(|text| Frame::data(Bytes::from(text)))))
    }
}

/// A cell: in quotes where it has to be, and with an apostrophe before what a spreadsheet would take for a formula: at the
/// beginning, and wherever one that is set to another country would begin a new cell, whatever the quotes say.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 2);
    for piece in text.split_inclusive(BORDERS) {
        let said = piece.trim_end_matches(BORDERS).trim();
        if said.starts_with(FORMULAS) && said.parse::<f64>().is_err() {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    match safe.contains([',', ';', '"', '\t', '\r', '\n']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
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

    #[test]
    fn no_spreadsheet_finds_a_formula_behind_a_border() {
        for (text, line) in [
            ("curl;=1+cmd|' /C calc'!A0;b", "\"curl;'=1+cmd|' /C calc'!A0;b\"\r\n"),
            ("a,\"=b\"", "\"a,\"\"'=b\"\"\"\r\n"),
            ("\t=a", "\"\t'=a\"\r\n"),
            (" =a", "' =a\r\n"),
            ("\u{ff1d}a", "'\u{ff1d}a\r\n"),
            ("a;-1;+2.5", "\"a;-1;+2.5\"\r\n"),
            ("2026-11-24 a=b", "2026-11-24 a=b\r\n"),
        ] {
            assert_eq!(csv_line([text]), line);
        }
    }
}
