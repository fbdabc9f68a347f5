//! Where a server's stream meets hyper, and the witness who remembers what came over a stream.
//!
//! hyper reports that a message was incomplete; only the stream knows whether the peer said
//! goodbye, reset the connection, or never said a word. The [`Witness`] keeps that apart from
//! hyper's own errors.

use futures_channel::oneshot;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use hyper::rt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

/// Any stream that HTTP can be spoken over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// Read at once: one TLS record (RFC 8446 5.1).
pub(crate) const SCRATCH: usize = 16 * 1024;

/// A stream as hyper wants it.
pub(crate) struct HyperIo<S> {
    stream: S,
    witness: Arc<Witness>,
    scratch: Box<[u8]>,
}

impl<S: Stream> HyperIo<S> {
    pub(crate) fn new(stream: S, witness: Arc<Witness>) -> Self {
        Self { stream, witness, scratch: vec![0; SCRATCH].into_boxed_slice() }
    }

    pub(crate) fn into_stream(self) -> S {
        self.stream
    }
}

impl<S: Stream> rt::Read for HyperIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = this.scratch.len().min(cursor.remaining());
        let Some(scratch) = this.scratch.get_mut(..room) else { return Poll::Ready(Ok(())) };
        match ready!(Pin::new(&mut this.stream).poll_read(cx, scratch)) {
            Ok(count) => {
                let data = scratch.get(..count).unwrap_or_default();
                this.witness.on_read(data);
                cursor.put_slice(data);
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(this.witness.on_error(error))),
        }
    }
}

impl<S: Stream> rt::Write for HyperIo<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.stream).poll_write(cx, data)) {
            Ok(count) => {
                this.witness.on_written(count);
                Poll::Ready(Ok(count))
            }
            Err(error) => Poll::Ready(Err(this.witness.on_error(error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.stream).poll_flush(cx));
        Poll::Ready(result.map_err(|error| this.witness.on_error(error)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}

/// As long as anybody holds it, a connection's driver goes on.
pub(crate) struct Grip {
    _let_go: oneshot::Sender<()>,
}

impl Grip {
    pub(crate) fn new(let_go: oneshot::Sender<()>) -> Arc<Self> {
        Arc::new(Self { _let_go: let_go })
    }
}

/// What has been seen of a stream since a message was awaited.
#[derive(Default)]
pub(crate) struct Witness {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    received: u64,
    moved: u64,
    ended: bool,
    error: Option<Arc<io::Error>>,
    write_error: Option<Arc<io::Error>>,
}

impl Witness {
    /// From now on a new message is awaited.
    pub(crate) fn await_message(&self) {
        self.lock().received = 0;
    }

    /// Bytes received since the message was awaited.
    pub(crate) fn received(&self) -> u64 {
        self.lock().received
    }

    /// Bytes that have passed in either direction since the beginning.
    pub(crate) fn moved(&self) -> u64 {
        self.lock().moved
    }

    /// Whether the peer has said that it sends no more.
    pub(crate) fn ended(&self) -> bool {
        self.lock().ended
    }

    /// What broke the stream; an error in reading says more than one in writing.
    pub(crate) fn error(&self) -> Option<Arc<io::Error>> {
        let seen = self.lock();
        seen.error.as_ref().or(seen.write_error.as_ref()).cloned()
    }

    pub(crate) fn on_read(&self, data: &[u8]) {
        let mut seen = self.lock();
        seen.ended |= data.is_empty();
        seen.received += data.len() as u64;
        seen.moved += data.len() as u64;
    }

    pub(crate) fn on_written(&self, count: usize) {
        self.lock().moved += count as u64;
    }

    /// Keeps the error and gives hyper one that has it as its source.
    pub(crate) fn on_error(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        let error = Arc::new(error);
        self.lock().error.get_or_insert_with(|| Arc::clone(&error));
        io::Error::new(kind, error)
    }

    /// Keeps an error in writing that nobody else hears of.
    pub(crate) fn on_write_error(&self, error: io::Error) {
        self.lock().write_error.get_or_insert_with(|| Arc::new(error));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Read at most, in bytes, from a peer that goes on talking after this side has said goodbye.
const LINGER_BYTES: usize = 1024 * 1024;

/// Says that this side sends no more (TLS close_notify where there is TLS, FIN), and listens until
/// the peer has said the same (RFC 9112 9.6): a stream that is dropped earlier answers the peer's
/// last words with a reset.
pub(crate) async fn close_in_order<S: Stream>(stream: &mut S) {
    if stream.close().await.is_err() {
        return;
    }
    let mut scratch = vec![0; SCRATCH];
    let mut heard = 0;
    while heard < LINGER_BYTES {
        match stream.read(&mut scratch).await {
            Ok(0) | Err(_) => return,
            Ok(count) => heard += count,
        }
    }
}
