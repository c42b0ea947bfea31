//! Files that a page offers, and how a browser is told to save one.

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
