//! Files that a page offers, and how a browser is told to save one.

use std::io;

use axum::body::Bytes;
use axum::http::{Response, header};

use tokenhouse_store::StoreError;

use super::answer::Reply;
use crate::web::answer::{set, set_text};
use crate::web::stream;

/// A file that the browser saves under this name, sent in pieces as they are made.
pub(super) fn streamed(kind: &'static str, name: &str) -> (Reply, Pieces) {
    let (pieces, body) = stream::body();
    let mut response = Response::new(body);
    set(&mut response, header::CONTENT_TYPE, kind);
    let disposition = format!("attachment; filename=\"{name}\"");
    set_text(&mut response, header::CONTENT_DISPOSITION, &disposition);
    (Reply::raw(response), Pieces(pieces))
}

/// Where the pieces of a file go; the file ends when it is dropped.
pub(super) struct Pieces(stream::Pieces);

impl Pieces {
    /// Sends a piece: whether anybody reads on.
    pub(super) async fn piece(&self, text: String) -> bool {
        self.0.send(Ok(Bytes::from(text))).await.is_ok()
    }

    /// Breaks the file off, so that the browser does not take it for whole.
    pub(super) async fn fail(&self, error: StoreError) {
        tracing::warn!(%error, "a file was broken off");
        // An error means that nobody reads any more.
        self.0.send(Err(io::Error::other(error))).await.ok();
    }
}
