//! What would keep a server that stops waiting for as long as somebody else likes: a request that is still arriving, which
//! gets a moment more, an answer that nobody reads, and events that are sent as they come, which are over.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Response, header};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{Notify, watch};

/// Longest time that what has not all arrived when the server stops gets to arrive.
const LAST_CALL: Duration = Duration::from_secs(1);
/// For how many last calls in a row nothing of an answer may be taken.
const MOST_IDLE: u32 = 4;

/// Waits until the watch says stop, or nobody is left to say it.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits as long as a client gets to send what is missing.
#[expect(clippy::disallowed_methods, reason = "what is waited for comes over the network")]
pub async fn last_call() {
    tokio::time::sleep(LAST_CALL).await;
}

/// How far a connection is with its request.
#[derive(Default)]
pub struct Progress {
    asked: Notify,
    is_answering: AtomicBool,
    heard_last: AtomicBool,
    sent_bytes: AtomicU64,
}

impl Progress {
    /// A request's head has arrived.
    pub fn ask(&self) {
        self.is_answering.store(true, Ordering::Relaxed);
        self.asked.notify_one();
    }

    /// Its answer is made, and goes out.
    pub fn answer(&self) {
        self.is_answering.store(false, Ordering::Relaxed);
    }

    /// Bytes came in.
    pub fn hear(&self) {
        self.heard_last.store(true, Ordering::Relaxed);
    }

    /// Bytes were to go out, and so many did.
    pub fn send(&self, written: &Poll<io::Result<usize>>) {
        self.heard_last.store(false, Ordering::Relaxed);
        if let Poll::Ready(Ok(bytes)) = written {
            self.sent_bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
    }

    /// Waits until a first request's head has arrived.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Waits until there is nothing to wait for once the server stops: a last call is over and all that came is a part of a
    /// head, or several are in which an answer was ready and nothing of it was taken.
    pub async fn given_up(&self) {
        let mut idle = 0;
        while idle < MOST_IDLE {
            let before = self.sent_bytes.load(Ordering::Relaxed);
            last_call().await;
            let is_waited_for = self.is_answering.load(Ordering::Relaxed);
            let is_taken = self.sent_bytes.load(Ordering::Relaxed) != before;
            idle = match () {
                () if is_waited_for || is_taken => 0,
                () if self.heard_last.load(Ordering::Relaxed) => return,
                () => idle + 1,
            };
        }
    }
}

/// The server stops, and the rest of a body did not come in time.
#[derive(Debug)]
pub struct Stopping;

impl fmt::Display for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server stops, and the body did not arrive")
    }
}

impl Error for Stopping {}

/// Whether this is what a body failed with.
pub fn is_stopping(error: &(dyn Error + 'static)) -> bool {
    error.is::<Stopping>() || error.source().is_some_and(is_stopping)
}

type End = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request's body.
pub struct Arriving<B> {
    body: B,
    stop: watch::Receiver<bool>,
    /// Made by who has to wait: most bodies come with their heads.
    end: Option<End>,
}

impl<B: HttpBody> Arriving<B> {
    /// This body, until `stop` and a moment longer.
    pub fn new(body: B, stop: watch::Receiver<bool>) -> Self {
        Self { body, stop, end: None }
    }
}

impl<B> HttpBody for Arriving<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let mut stop = self.stop.clone();
        let end = self.end.get_or_insert_with(|| {
            Box::pin(async move {
                stopped(&mut stop).await;
                last_call().await;
            })
        });
        ready!(end.as_mut().poll(context));
        Poll::Ready(Some(Err(Stopping.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that is over when the server stops, if it is a stream of events.
pub fn until_stopped(response: Response<Body>, stop: &watch::Receiver<bool>) -> Response<Body> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != EVENT_STREAM) {
        return response;
    }
    let mut stop = stop.clone();
    let end = Box::pin(async move { stopped(&mut stop).await });
    response.map(|body| Body::new(Events { body, end }))
}

/// The type of a stream of events (HTML, "server-sent events").
pub const EVENT_STREAM: &str = "text/event-stream";

struct Events {
    body: Body,
    end: End,
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        // Events that fail are over as well.
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.and_then(Result::ok).map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    struct Never;

    impl HttpBody for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    /// Lets what runs in the background get to where it waits.
    async fn meanwhile() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn events_end_at_once() {
        let (stop, stopping) = watch::channel(false);
        let mut response = Response::new(Body::new(Never));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, EVENT_STREAM.parse().unwrap());
        let body = tokio::spawn(until_stopped(response, &stopping).into_body().collect());
        meanwhile().await;
        assert!(!body.is_finished());
        stop.send_replace(true);
        assert!(body.await.unwrap().unwrap().to_bytes().is_empty());
    }

    #[tokio::test]
    async fn a_body_that_never_ends_gets_a_moment_more() {
        let (stop, stopping) = watch::channel(false);
        let body = tokio::spawn(Arriving::new(Never, stopping).collect());
        meanwhile().await;
        assert!(!body.is_finished());
        stop.send_replace(true);
        meanwhile().await;
        assert!(!body.is_finished());
        let error = body.await.unwrap().unwrap_err();
        assert!(is_stopping(&*error), "{error}");
    }
}
