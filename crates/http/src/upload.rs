//! The body of a request, on its way out.

use crate::error::HttpError;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

/// What a request carries.
#[derive(Default)]
pub enum RequestBody {
    /// Nothing.
    #[default]
    Empty,
    /// What is here already.
    Bytes(Bytes),
    /// What comes piece by piece.
    Stream {
        /// Its length in bytes; none: known only at the end, and sent `chunked` (RFC 9112 7.1).
        length: Option<u64>,
        /// Where it comes from.
        source: Box<dyn BodySource>,
    },
}

/// Where a streamed body comes from.
pub trait BodySource: Send {
    /// The next piece, of whatever size; none at the end. After an error it is not asked again.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;
}

impl RequestBody {
    /// Its length in bytes, if that is known in advance.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream { length, .. } => *length,
        }
    }

    /// Whether there is none at all; one whose length is 0 is empty too, but it is one.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl<B: Into<Bytes>> From<B> for RequestBody {
    fn from(bytes: B) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

/// Handed to hyper at once, in bytes: what it has taken goes out even if nobody wants it any more.
const PIECE: usize = 64 * 1024;

/// A request's body as hyper takes it, through a gate.
pub(crate) struct Upload {
    body: RequestBody,
    /// Bytes that are still to come; none: nobody knows, and they go in chunks.
    left: Option<u64>,
    gate: Arc<Gate>,
}

impl Upload {
    /// Of this length, or in chunks if there is none.
    pub(crate) fn new(body: RequestBody, length: Option<u64>, gate: Arc<Gate>) -> Self {
        if length == Some(0) {
            gate.on_taken();
        }
        Self { body, left: length, gate }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut self.body {
            RequestBody::Empty => Poll::Ready(None),
            RequestBody::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            RequestBody::Bytes(bytes) => {
                let size = bytes.len().min(PIECE);
                Poll::Ready(Some(Ok(bytes.split_to(size))))
            }
            RequestBody::Stream { source, .. } => loop {
                match ready!(source.poll_chunk(cx)) {
                    Some(Ok(piece)) if piece.is_empty() => {}
                    next => return Poll::Ready(next),
                }
            },
        }
    }

    fn fail(&self, error: io::Error) -> io::Error {
        let source = Arc::new(error);
        self.gate.fail(HttpError::Upload { source: Arc::clone(&source) });
        io::Error::new(source.kind(), source)
    }
}

impl hyper::body::Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        ready!(this.gate.poll_open(cx));
        if this.left == Some(0) {
            this.gate.on_taken();
            return Poll::Ready(None);
        }
        let piece = match (ready!(this.poll_piece(cx)), this.left) {
            (Some(Ok(piece)), _) => piece,
            (Some(Err(error)), _) => return Poll::Ready(Some(Err(this.fail(error)))),
            (None, None) => {
                this.gate.on_taken();
                return Poll::Ready(None);
            }
            (None, Some(left)) => {
                let why = format!("it ended {left} bytes before its end");
                let error = io::Error::new(io::ErrorKind::UnexpectedEof, why);
                return Poll::Ready(Some(Err(this.fail(error))));
            }
        };
        if let Some(left) = &mut this.left {
            match left.checked_sub(piece.len() as u64) {
                Some(rest) => *left = rest,
                None => {
                    let error = io::Error::other("it is longer than it was said to be");
                    return Poll::Ready(Some(Err(this.fail(error))));
                }
            }
        }
        if this.left == Some(0) {
            this.gate.on_taken();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What decides whether a request's body flows.
#[derive(Default)]
pub(crate) struct Gate(Mutex<Flow>);

#[derive(Default)]
struct Flow {
    stage: Flowing,
    failure: Option<HttpError>,
    sender: Option<Waker>,
    watcher: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flowing {
    /// Until the server says that it wants it (RFC 9110 10.1.1).
    Waiting,
    #[default]
    Open,
    /// hyper has taken all of it.
    Taken,
    /// All of it has been handed to the stream.
    Complete,
    /// No more of it is wanted.
    Stopped,
}

impl Gate {
    pub(crate) fn waiting() -> Self {
        Self(Mutex::new(Flow { stage: Flowing::Waiting, ..Flow::default() }))
    }

    pub(crate) fn open(&self) {
        self.reach(Flowing::Open, |stage| stage == Flowing::Waiting);
    }

    /// Whoever waits for a body that will not come any further is not woken again.
    pub(crate) fn stop(&self) {
        self.reach(Flowing::Stopped, |stage| stage != Flowing::Complete);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.lock().stage == Flowing::Waiting
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.lock().stage == Flowing::Complete
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stage == Flowing::Stopped
    }

    /// Why the body could not be read, if it could not.
    pub(crate) fn failure(&self) -> Option<HttpError> {
        self.lock().failure.clone()
    }

    /// Ready when no more of the body will go out: all of it has gone, or it was stopped.
    pub(crate) fn poll_over(&self, cx: &Context<'_>) -> Poll<()> {
        let mut flow = self.lock();
        if matches!(flow.stage, Flowing::Complete | Flowing::Stopped) {
            return Poll::Ready(());
        }
        flow.watcher = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut flow = self.lock();
        match flow.stage {
            Flowing::Open | Flowing::Taken | Flowing::Complete => Poll::Ready(()),
            Flowing::Waiting | Flowing::Stopped => {
                flow.sender = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn on_taken(&self) {
        self.reach(Flowing::Taken, |stage| !matches!(stage, Flowing::Stopped | Flowing::Complete));
    }

    /// Everything that hyper has taken has been handed to the stream; true if that was the rest.
    pub(crate) fn on_flushed(&self) -> bool {
        let is_rest = self.lock().stage == Flowing::Taken;
        self.reach(Flowing::Complete, |stage| stage == Flowing::Taken);
        is_rest
    }

    fn fail(&self, failure: HttpError) {
        self.lock().failure = Some(failure);
        self.stop();
    }

    fn reach(&self, next: Flowing, allowed: impl Fn(Flowing) -> bool) {
        let mut flow = self.lock();
        if !allowed(flow.stage) {
            return;
        }
        flow.stage = next;
        let wakers = [flow.sender.take(), flow.watcher.take()];
        drop(flow);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
