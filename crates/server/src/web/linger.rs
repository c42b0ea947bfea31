//! Closing a connection so that the last answer is heard: whoever is refused before all of their request was read would
//! otherwise find their connection reset, and the answer gone with it (RFC 9112 §9.6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::oneshot;

use super::ending::Progress;

/// Most that is read and thrown away after the last answer, in bytes.
const MAX_UNREAD_BYTES: u64 = 4 * 1024 * 1024;
/// Longest time that the other end gets to stop sending.
const LINGER: Duration = Duration::from_secs(1);

/// A stream on loan to whoever speaks on it; it comes back when they are done.
pub struct Lent<S: Unpin> {
    /// There until it is dropped.
    stream: Option<S>,
    back: Option<oneshot::Sender<S>>,
    progress: Arc<Progress>,
}

/// Where the stream comes back.
pub struct Returned<S>(oneshot::Receiver<S>);

/// Lends a stream, and takes note of what goes over it.
pub fn lend<S: Unpin>(stream: S, progress: Arc<Progress>) -> (Lent<S>, Returned<S>) {
    let (back, returned) = oneshot::channel();
    let lent = Lent {
        stream: Some(stream),
        back: Some(back),
        progress,
    };
    (lent, Returned(returned))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Returned<S> {
    /// Says that nothing more will be said, and hears what was still being sent: a bounded amount, for a bounded time.
    pub async fn linger(self) {
        let Ok(mut stream) = self.0.await else { return };
        let unread = async {
            stream.shutdown().await?;
            tokio::io::copy(&mut stream.take(MAX_UNREAD_BYTES), &mut tokio::io::sink()).await
        };
        // Whatever goes wrong with it, the connection is over.
        let _ = tokio::time::timeout(LINGER, unread).await;
    }
}

impl<S: Unpin> Lent<S> {
    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut S>> {
        let stream = self.get_mut().stream.as_mut();
        stream.map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S: Unpin> Drop for Lent<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody may wait for it any more; then it closes here.
            let _ = back.send(stream);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.as_mut().stream()?.poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.hear();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream()?.poll_write(context, bytes);
        self.progress.send(&written);
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream()?.poll_write_vectored(context, slices);
        self.progress.send(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}
