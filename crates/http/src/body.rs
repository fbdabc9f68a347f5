//! A body that is arriving, and how its end is known (RFC 9112 6.3).

use crate::desk::Desk;
use crate::error::{HttpError, in_full};
use crate::framing::transfer_codings;
use crate::io::{Grip, Witness};
use crate::progress::Progress;
use crate::upload::Gate;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::future::poll_fn;
use glasstack_journal::Scope;
use glasstack_journal::event::{Framing, Http};
use http::HeaderMap;
use http_body::Body as _;
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// A body as transferred, chunk by chunk. To drop it before its end is to give up the connection
/// that it comes over.
pub struct Body {
    source: Source,
    framing: Framing,
    /// Transfer codings other than `chunked`, the first applied first.
    codings: Vec<String>,
    received: u64,
    limit: Option<u64>,
    trailers: Option<HeaderMap>,
    trailer_lines: Vec<u8>,
    /// Whether the connection goes on behind it, so that the request has to be complete first.
    outlived: bool,
    arrival: Arc<Arrival>,
}

/// Where a body comes from, and who else knows something about it.
pub(crate) struct Source {
    pub(crate) incoming: Incoming,
    pub(crate) desk: Arc<Desk>,
    /// The gate of the request's own body; none on the server's side.
    pub(crate) gate: Option<Arc<Gate>>,
    pub(crate) witness: Arc<Witness>,
    /// Keeps the connection's driver going; none where the driver does not ask.
    pub(crate) _grip: Option<Arc<Grip>>,
    pub(crate) scope: Option<Scope>,
    pub(crate) progress: Progress,
    /// Whether it is wanted as it came, chunk headers and all.
    pub(crate) is_raw: bool,
}

/// How far a body has come, for the connection that carries it.
#[derive(Debug, Default)]
pub(crate) struct Arrival(Mutex<Stage>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Arriving,
    Complete,
    Dropped,
    Failed,
}

impl Arrival {
    pub(crate) fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, stage: Stage) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == Stage::Arriving {
            *current = stage;
        }
    }
}

impl Body {
    pub(crate) fn new(
        source: Source,
        framing: Framing,
        headers: &HeaderMap,
        limit: Option<u64>,
        outlived: bool,
    ) -> Self {
        let mut codings = transfer_codings(headers);
        codings.retain(|coding| coding != "chunked" && coding != "identity");
        if source.is_raw || framing == Framing::None {
            codings.clear();
        }
        let arrival = Arc::<Arrival>::default();
        if source.incoming.is_end_stream() && (!outlived || source.is_request_over()) {
            arrival.reach(Stage::Complete);
        }
        let (trailers, trailer_lines) = (None, Vec::new());
        Self { source, framing, codings, received: 0, limit, trailers, trailer_lines, outlived, arrival }
    }

    /// How its end is known.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes received so far, without chunk headers.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether it has been read to its end, as an empty one has been from the beginning.
    pub fn is_complete(&self) -> bool {
        self.arrival.stage() == Stage::Complete
    }

    /// The trailer fields that followed the last chunk (RFC 9112 7.1.2); known at the end.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// The same as they came, each line with CRLF; empty on the server's side, and where the body is
    /// wanted raw: there they are part of it.
    pub fn trailer_lines(&self) -> &[u8] {
        &self.trailer_lines
    }

    /// The next chunk, of whatever size arrived; none at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The whole body, if it is no longer than `limit` bytes.
    pub async fn read_all(&mut self, limit: u64) -> Result<Bytes, HttpError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() as u64 + chunk.len() as u64 > limit {
                return Err(self.fail(HttpError::BodyTooLarge { limit }));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// The transfer codings that are still to be undone, by name, the first applied first: `gzip`
    /// where the head said `Transfer-Encoding: gzip, chunked` (RFC 9112 7.2). [`crate::Decoded`]
    /// undoes them.
    pub fn transfer_codings(&self) -> &[String] {
        &self.codings
    }

    pub(crate) fn arrival(&self) -> Arc<Arrival> {
        Arc::clone(&self.arrival)
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.source.scope.clone()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, HttpError>> {
        if self.arrival.stage() == Stage::Complete {
            return Poll::Ready(Ok(None));
        }
        loop {
            let next = ready!(Pin::new(&mut self.source.incoming).poll_frame(cx));
            let ended = next.is_none();
            let frame = match next {
                Some(Ok(frame)) => Some(frame),
                Some(Err(error)) => return Poll::Ready(Err(self.explain(&error))),
                None => None,
            };
            let data = frame.and_then(|frame| match frame.into_data() {
                Ok(data) => Some(data),
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    if !self.is_teed() {
                        self.trailer_lines = self.source.desk.trailer_lines();
                    }
                    None
                }
            });
            // Raw: what has come instead of what it means.
            let data = match self.is_teed() {
                true => Some(self.source.desk.take_raw().freeze()),
                false => data,
            };
            match data {
                Some(data) if !data.is_empty() => return Poll::Ready(self.on_data(data)),
                _ if ended => return self.poll_end(cx).map(|()| Ok(None)),
                _ => {}
            }
        }
    }

    fn is_teed(&self) -> bool {
        self.source.is_raw && self.framing == Framing::Chunked
    }

    /// All of it is here; it ends when the request has gone out too, if more requests may follow.
    fn poll_end(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.outlived
            && let Some(gate) = &self.source.gate
        {
            ready!(gate.poll_over(cx));
        }
        self.arrival.reach(Stage::Complete);
        Poll::Ready(())
    }

    fn on_data(&mut self, data: Bytes) -> Result<Option<Bytes>, HttpError> {
        self.received += data.len() as u64;
        let received = self.received;
        self.source.progress.change(|so_far| so_far.downloaded = received);
        match self.limit {
            Some(limit) if self.received > limit => Err(self.fail(HttpError::BodyTooLarge { limit })),
            _ => Ok(Some(data)),
        }
    }

    fn explain(&mut self, error: &hyper::Error) -> HttpError {
        let received = self.received;
        let failure = self.source.gate.as_ref().and_then(|gate| gate.failure());
        let why = if let Some(failure) = failure {
            failure
        } else if let Some(broken) = self.source.witness.error().filter(|_| !self.source.witness.ended()) {
            HttpError::broken(&broken, received)
        } else if self.source.witness.ended() && !error.is_parse() && !breaks_the_rules(error) {
            let expected = match self.framing {
                Framing::Length(length) => Some(length),
                _ => None,
            };
            HttpError::Truncated { received, expected }
        } else {
            HttpError::MalformedBody { received, why: in_full(error) }
        };
        self.fail(why)
    }

    fn fail(&mut self, error: HttpError) -> HttpError {
        self.arrival.reach(Stage::Failed);
        if let Some(scope) = &self.source.scope {
            scope.record(|| Http::Failed { why: in_full(&error) });
        }
        error
    }
}

impl Stream for Body {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.arrival.stage() == Stage::Failed {
            return Poll::Ready(None);
        }
        this.poll_chunk(cx).map(Result::transpose)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.arrival.reach(Stage::Dropped);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("framing", &self.framing)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl Source {
    fn is_request_over(&self) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.is_complete())
    }
}

/// Whether a chunk was wrong (RFC 9112 7.1), rather than missing: the two may come together.
fn breaks_the_rules(error: &hyper::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData
            );
        }
        next = source.source();
    }
    false
}
