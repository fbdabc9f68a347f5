//! What a connection and its wire have in common: the exchange that is under way, the head that goes
//! out, the heads that came in, and what hyper is told of them.

use crate::chunks::ChunkScanner;
use crate::error::HttpError;
use crate::fields::Fields;
use crate::framing::{NotReusable, persistence, response_framing};
use crate::head::{HeadReader, Step};
use crate::limits::Limits;
use crate::message::{Reading, ResponseHead};
use crate::progress::Progress;
use crate::upload::Gate;
use bytes::BytesMut;
use glasstack_journal::event::Framing;
use glasstack_journal::{Note, Scope};
use http::{HeaderMap, Method, StatusCode, Version};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What one exchange needs of the wire.
pub(crate) struct Exchange {
    pub(crate) scope: Scope,
    pub(crate) method: Method,
    pub(crate) request_fields: Fields,
    pub(crate) reading: Reading,
    pub(crate) progress: Progress,
    pub(crate) gate: Arc<Gate>,
}

/// A final head, and what follows from it.
pub(crate) struct Arrived {
    pub(crate) head: ResponseHead,
    pub(crate) framing: Framing,
    pub(crate) persistence: Result<(), NotReusable>,
}

/// What the connection and its wire have in common.
#[derive(Default)]
pub(crate) struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    exchange: Option<Exchange>,
    /// The request's head, until hyper writes its own.
    outgoing: Option<Vec<u8>>,
    incoming: Incoming,
    interim: Vec<ResponseHead>,
    arrived: Option<Arrived>,
    refused: Option<HttpError>,
    /// What came of a raw body, for whoever reads it.
    tee: Option<BytesMut>,
    excess: bool,
    /// Whether the lines of a head that will never be complete were kept.
    lines_kept: bool,
    reader: Option<Waker>,
}

#[derive(Default)]
enum Incoming {
    /// No request yet: what comes is left where it is.
    #[default]
    Nothing,
    Head(Box<HeadReader>),
    /// A body of known length, of which so many bytes are missing.
    Counted(u64),
    /// A body in chunks.
    Chunked(ChunkScanner),
    /// A body that lasts until the connection closes.
    UntilClose,
}

/// What becomes of bytes that came.
pub(crate) enum Verdict {
    /// hyper gets so many of them as they are.
    Pass(usize),
    /// hyper gets these instead.
    Give(Vec<u8>),
    /// hyper gets nothing yet.
    Hold,
    /// hyper gets nothing any more: this belongs to no response.
    Refuse,
}

impl Desk {
    /// A request is about to be sent, with this head.
    pub(crate) fn begin(&self, exchange: Exchange, head: Vec<u8>, limits: &Limits) {
        let mut state = self.lock();
        exchange.progress.change(|so_far| so_far.request_head += head.len() as u64);
        state.incoming = Incoming::Head(Box::new(HeadReader::new(limits.clone(), exchange.reading.http09)));
        state.outgoing = Some(head);
        state.exchange = Some(exchange);
        state.interim.clear();
        state.arrived = None;
        state.lines_kept = false;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// The final head, and the interim ones before it.
    pub(crate) fn take_head(&self) -> Option<(Vec<ResponseHead>, Arrived)> {
        let mut state = self.lock();
        let arrived = state.arrived.take()?;
        Some((std::mem::take(&mut state.interim), arrived))
    }

    /// What was wrong with what came, if anything was.
    pub(crate) fn refused(&self) -> Option<HttpError> {
        self.lock().refused.clone()
    }

    /// Whether more came than the last response has.
    pub(crate) fn has_excess(&self) -> bool {
        self.lock().excess
    }

    /// The bytes of an unfinished head, and whether its status line is among them.
    pub(crate) fn unfinished(&self) -> (usize, bool) {
        match &self.lock().incoming {
            Incoming::Head(reader) => (reader.unfinished(), reader.has_status()),
            _ => (0, false),
        }
    }

    /// Bytes of the request's body handed to the stream.
    pub(crate) fn uploaded(&self) -> u64 {
        self.lock().exchange.as_ref().map_or(0, |exchange| exchange.progress.look().uploaded)
    }

    /// What came of a raw body since the last call.
    pub(crate) fn take_raw(&self) -> BytesMut {
        self.lock().tee.as_mut().map(BytesMut::split).unwrap_or_default()
    }

    /// The trailer lines of a body in chunks, as far as they have come.
    pub(crate) fn trailer_lines(&self) -> Vec<u8> {
        match &self.lock().incoming {
            Incoming::Chunked(scanner) => scanner.trailers().to_vec(),
            _ => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody may look at what comes; if not yet, `cx` is woken when.
    pub(crate) fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if matches!(state.incoming, Incoming::Nothing) {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    pub(crate) fn on_bytes(&self, data: &[u8]) -> Result<Verdict, HttpError> {
        let mut state = self.lock();
        let result = state.on_bytes(data);
        if let Err(error) = &result {
            state.refused = Some(error.clone());
            state.keep_lines();
        }
        result
    }

    /// Nothing comes any more.
    pub(crate) fn on_end(&self) {
        let mut state = self.lock();
        state.keep_lines();
        if let Some(exchange) = &state.exchange {
            exchange.gate.stop();
        }
    }

    /// hyper writes; its head, if this is one, is replaced by ours.
    pub(crate) fn on_write(&self, data: &[u8]) -> Option<Vec<u8>> {
        let mut head = self.lock().outgoing.take()?;
        let end = data.windows(4).position(|four| four == b"\r\n\r\n").map_or(data.len(), |at| at + 4);
        head.extend_from_slice(data.get(end..).unwrap_or_default());
        Some(head)
    }

    pub(crate) fn on_written(&self, count: usize) {
        let state = self.lock();
        let Some(exchange) = &state.exchange else { return };
        exchange.progress.change(|so_far| {
            so_far.written += count as u64;
            so_far.uploaded = so_far.written.saturating_sub(so_far.request_head);
        });
    }

    /// Nothing is left in hyper that could be written.
    pub(crate) fn on_flushed(&self) {
        let state = self.lock();
        // Before hyper has written its head, what it flushes is nothing.
        if let (Some(exchange), None) = (&state.exchange, &state.outgoing)
            && exchange.gate.on_flushed()
        {
            let now = exchange.scope.now();
            exchange.progress.change(|so_far| so_far.sent = Some(now));
        }
    }

    /// The request cannot be sent on. What the server has to say may still arrive.
    pub(crate) fn stop_upload(&self) {
        if let Some(exchange) = &self.lock().exchange {
            exchange.gate.stop();
        }
    }
}

impl State {
    fn on_bytes(&mut self, data: &[u8]) -> Result<Verdict, HttpError> {
        match &mut self.incoming {
            Incoming::Head(_) => self.on_head_bytes(data),
            Incoming::Counted(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                *left -= passed as u64;
                Ok(self.pass(data, passed))
            }
            Incoming::Chunked(scanner) => {
                let passed = scanner.on_bytes(data);
                if let Some(tee) = &mut self.tee {
                    tee.extend_from_slice(data.get(..passed).unwrap_or_default());
                }
                Ok(self.pass(data, passed))
            }
            Incoming::UntilClose | Incoming::Nothing => Ok(Verdict::Pass(data.len())),
        }
    }

    /// So many of the bytes belong to the body. If there are more, the connection is of no use any
    /// more: nobody knows what they are.
    fn pass(&mut self, data: &[u8], passed: usize) -> Verdict {
        if passed < data.len() {
            self.excess = true;
            if let Some(exchange) = &self.exchange {
                exchange.gate.stop();
            }
        }
        if passed == 0 { Verdict::Refuse } else { Verdict::Pass(passed) }
    }

    fn on_head_bytes(&mut self, data: &[u8]) -> Result<Verdict, HttpError> {
        if let Some(exchange) = &self.exchange {
            let now = exchange.scope.now();
            exchange.progress.change(|so_far| {
                so_far.first_byte.get_or_insert(now);
            });
        }
        let mut rest = data;
        loop {
            let Incoming::Head(reader) = &mut self.incoming else { return Ok(Verdict::Hold) };
            match reader.on_bytes(rest)? {
                Step::More => return Ok(Verdict::Hold),
                Step::Body(body) => {
                    return self.on_final(without_head(), &body).map(Verdict::Give);
                }
                Step::Head(head, used) => {
                    rest = rest.get(used..).unwrap_or_default();
                    self.count_head(&head);
                    if !is_interim(head.status) {
                        return self.on_final(head, rest).map(Verdict::Give);
                    }
                    self.on_interim(head);
                    if rest.is_empty() {
                        return Ok(Verdict::Hold);
                    }
                }
            }
        }
    }

    fn count_head(&self, head: &ResponseHead) {
        if let Some(exchange) = &self.exchange {
            exchange.progress.on_head(&head.raw);
        }
    }

    /// RFC 9110 15.2: not the answer yet.
    fn on_interim(&mut self, head: ResponseHead) {
        if let Some(exchange) = &self.exchange {
            let status = head.status;
            exchange
                .scope
                .record(|| Note::detail(format!("interim response {status}: the final one follows")));
            // RFC 9110 10.1.1: the server wants the body.
            if status == StatusCode::CONTINUE {
                exchange.gate.open();
            }
        }
        self.interim.push(head);
    }

    /// The final head is there, and `rest` has come behind it: what hyper gets for them.
    fn on_final(&mut self, head: ResponseHead, rest: &[u8]) -> Result<Vec<u8>, HttpError> {
        let Some(exchange) = &self.exchange else { return Ok(Vec::new()) };
        let framing = match head.version {
            Version::HTTP_09 => Framing::UntilClose,
            _ => response_framing(&exchange.method, &head, exchange.reading),
        };
        // As curl has it: an answer that is no success ends the upload, and one that comes before
        // `100 Continue` means that the body is not wanted.
        if exchange.gate.is_waiting() || head.status.as_u16() >= 300 {
            exchange.gate.stop();
        }
        let persistence = persistence(&exchange.request_fields, &head, framing);
        let is_raw = exchange.reading.raw && framing == Framing::Chunked;
        let mut plain = plain_head(framing, persistence.is_ok()).into_bytes();
        self.arrived = Some(Arrived { head, framing, persistence });
        self.tee = is_raw.then(BytesMut::new);
        self.incoming = match framing {
            Framing::Length(length) => Incoming::Counted(length),
            Framing::None => Incoming::Counted(0),
            Framing::Chunked => Incoming::Chunked(ChunkScanner::default()),
            Framing::UntilClose => Incoming::UntilClose,
        };
        if !rest.is_empty()
            && let Verdict::Pass(count) = self.on_bytes(rest)?
        {
            plain.extend_from_slice(rest.get(..count).unwrap_or_default());
        }
        Ok(plain)
    }

    /// What came of a head that will never be complete is kept for whoever wants to show it.
    fn keep_lines(&mut self) {
        if let (Incoming::Head(reader), Some(exchange)) = (&self.incoming, &self.exchange)
            && !self.lines_kept
        {
            exchange.progress.on_head(reader.lines());
            self.lines_kept = true;
        }
    }
}

/// RFC 9110 15.2.2: after 101 comes no HTTP any more, and so no other head.
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// What hyper is told: a head that means the same to it, and nothing else.
fn plain_head(framing: Framing, persists: bool) -> String {
    let framing = match framing {
        Framing::None => "content-length: 0\r\n".to_owned(),
        Framing::Length(length) => format!("content-length: {length}\r\n"),
        Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::UntilClose => String::new(),
    };
    let connection = if persists { "" } else { "connection: close\r\n" };
    format!("HTTP/1.1 200 OK\r\n{framing}{connection}\r\n")
}

/// The head that an answer of HTTP/0.9 does not have.
fn without_head() -> ResponseHead {
    ResponseHead {
        version: Version::HTTP_09,
        status: StatusCode::OK,
        reason: String::new(),
        headers: HeaderMap::new(),
        raw: Vec::new(),
    }
}
