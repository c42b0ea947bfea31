//! A body that is made while it is sent: whoever makes it waits for whoever reads it, so that it is never in memory whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What is sent, a piece at a time; an error ends it, and the reader knows that something is missing.
pub type Pieces = Sender<io::Result<Bytes>>;

/// Pieces that may wait to be sent.
const WAITING: usize = 2;

/// A body, and where its pieces go. It ends when they are dropped.
pub fn body() -> (Pieces, Body) {
    let (sender, receiver) = channel(WAITING);
    (sender, Body::new(Stream(receiver)))
}

struct Stream(Receiver<io::Result<Bytes>>);

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
