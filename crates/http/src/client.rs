//! One connection, as a client: many requests, one after the other.

use crate::body::{Body, Progress, Stage, response_framing};
use crate::error::{HttpError, in_full};
use crate::fields::Fields;
use crate::io::{HyperIo, Stream, Witness, close_in_order};
use crate::limits::Limits;
use crate::message::{Request, Response, ResponseHead, as_pairs, as_sent, final_head};
use crate::upload::RequestBody;
use bytes::Bytes;
use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Either, pending, poll_fn, ready, select};
use glasstack_journal::event::{Framing, Http};
use glasstack_journal::{Note, Scope};
use glasstack_stack::Host;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Version};
use http_body_util::Full;
use hyper::client::conn::http1;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Interim responses (1xx) before the final one: a peer that sends more never means to answer.
const MOST_INTERIM: usize = 64;

/// An HTTP/1.1 connection over a stream. Dropping it, and the body that is arriving over it, closes
/// the stream; [`close`](Self::close) closes it and waits until the peer has closed its side too.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    witness: Arc<Witness>,
    limits: Limits,
    carried: u32,
    last: Option<LastExchange>,
    grip: Arc<Grip>,
    closed: oneshot::Receiver<()>,
}

/// As long as anybody holds it, the connection's driver goes on.
pub(crate) struct Grip {
    _let_go: oneshot::Sender<()>,
}

/// What decides whether another request may follow.
struct LastExchange {
    persistence: Result<(), NotReusable>,
    progress: Arc<Progress>,
}

/// Why a connection cannot carry another request (RFC 9112 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReusable {
    /// It said `Connection: close`.
    #[error("the server said \"Connection: close\"")]
    ServerSaidClose,
    /// So did the request.
    #[error("the request said \"Connection: close\"")]
    ClientSaidClose,
    /// HTTP/1.0 closes unless it says `keep-alive`.
    #[error("the server speaks HTTP/1.0 and did not say \"Connection: keep-alive\"")]
    Http10,
    /// The end of the connection was the end of the body.
    #[error("the end of the body was the end of the connection")]
    UntilClose,
    /// The last response's body was not read to its end.
    #[error("the last response was not read to its end")]
    Unfinished,
    /// The last exchange failed.
    #[error("the last exchange failed")]
    Failed,
    /// The server has closed it since.
    #[error("the server has closed it in the meantime")]
    ClosedByServer,
}

impl Connection {
    /// Speaks HTTP over `stream`; the host runs the connection in the background.
    pub async fn open<S: Stream>(host: &Host, stream: S, limits: Limits) -> Result<Self, HttpError> {
        let (connection, driver) = Self::start(stream, limits).await?;
        host.spawn(driver);
        Ok(connection)
    }

    /// A connection, and the future that must be polled for it to live.
    pub async fn start<S: Stream>(
        stream: S,
        limits: Limits,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), HttpError> {
        let witness = Arc::new(Witness::default());
        let (sender, wire) = http1::Builder::new()
            .title_case_headers(true)
            .max_buf_size(limits.buffer())
            .max_header_size(limits.max_head)
            .max_headers(limits.max_headers)
            .handshake(HyperIo::new(stream, Arc::clone(&witness)))
            .await
            .map_err(|error| HttpError::BadRequest { why: in_full(&error) })?;
        let (let_go, abandoned) = oneshot::channel();
        let (done, closed) = oneshot::channel();
        let grip = Arc::new(Grip { _let_go: let_go });
        let connection = Self { sender, witness, limits, carried: 0, last: None, grip, closed };
        let driver = async move {
            drive(wire, abandoned).await;
            drop(done);
        };
        Ok((connection, driver))
    }

    /// How many requests it has carried.
    pub fn carried(&self) -> u32 {
        self.carried
    }

    /// Whether another request may be sent. After a response whose body was read to its end this
    /// waits until the connection is at rest, which takes no time that a user would notice.
    pub async fn reusable(&mut self) -> Result<(), NotReusable> {
        if let Some(last) = &self.last {
            last.persistence?;
            match last.progress.stage() {
                Stage::Complete => {}
                Stage::Failed => return Err(NotReusable::Failed),
                Stage::Arriving | Stage::Dropped => return Err(NotReusable::Unfinished),
            }
        }
        self.sender.ready().await.map_err(|_| NotReusable::ClosedByServer)?;
        if self.sender.is_closed() { Err(NotReusable::ClosedByServer) } else { Ok(()) }
    }

    /// Sends a request and waits for the head of its response; the body follows as it arrives.
    /// Interim responses (1xx) are told and passed over. `scope` is where it is told.
    pub async fn send(&mut self, scope: &Scope, request: Request) -> Result<Response, HttpError> {
        let result = self.exchange(scope, &request).await;
        if let Err(error) = &result {
            scope.record(|| Http::Failed { why: in_full(error) });
        }
        result
    }

    /// Closes the connection in order: close_notify where there is TLS, FIN, and then waits for the
    /// peer's. Dropping this future ends the wait (use `Host::timeout`: a server need not ever
    /// close).
    pub async fn close(self) {
        let Self { sender, grip, closed, .. } = self;
        drop(sender);
        // The driver never sends; that it lets go of its end is the news.
        let _ = closed.await;
        drop(grip);
    }

    async fn exchange(&mut self, scope: &Scope, request: &Request) -> Result<Response, HttpError> {
        self.reusable().await.map_err(|_| HttpError::Closed)?;
        let mut message = self.compose(request)?;
        let flooded = count_interim(scope, &mut message);
        // An interim head may stand before the final one.
        self.witness.await_message(self.limits.max_head.saturating_mul(2));
        scope.record(|| Http::RequestSent {
            method: request.method.to_string(),
            url: as_sent(&request.url).into(),
            version: "HTTP/1.1".to_owned(),
            headers: as_pairs(message.headers()),
            body_length: request.body.length().unwrap_or_default(),
        });
        self.carried += 1;
        self.last = None;
        let response = match select(pin!(self.sender.send_request(message)), flooded).await {
            Either::Left((Ok(response), _)) => response,
            Either::Left((Err(error), _)) => return Err(self.explain(&error)),
            Either::Right(_) => return Err(HttpError::TooManyInterim { limit: MOST_INTERIM }),
        };
        let (parts, incoming) = response.into_parts();
        let head = ResponseHead {
            version: parts.version,
            status: parts.status,
            reason: reason_phrase(parts.status, parts.extensions.get()),
            headers: parts.headers,
            raw: final_head(&self.witness.take_head()),
        };
        self.receive(scope, request, head, incoming)
    }

    fn receive(
        &mut self,
        scope: &Scope,
        request: &Request,
        head: ResponseHead,
        incoming: hyper::body::Incoming,
    ) -> Result<Response, HttpError> {
        let framing = response_framing(&request.method, head.status, &head.headers);
        scope.record(|| Http::ResponseReceived {
            status: head.status.as_u16(),
            reason: head.reason.clone(),
            version: head.version_text().to_owned(),
            headers: head.headers_as_sent(),
            framing,
        });
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(HttpError::MalformedHead {
                why: "101 Switching Protocols, which was not asked for".to_owned(),
            });
        }
        if let (Framing::Length(length), Some(limit)) = (framing, self.limits.max_body)
            && length > limit
        {
            return Err(HttpError::BodyTooLarge { limit });
        }
        let body = Body::new(
            incoming,
            framing,
            self.limits.max_body,
            Arc::clone(&self.witness),
            Some(scope.clone()),
            Some(Arc::clone(&self.grip)),
        );
        self.last = Some(LastExchange {
            persistence: persistence(&compose_headers(&request.headers), &head, framing),
            progress: body.progress(),
        });
        Ok(Response { interim: Vec::new(), head, body })
    }

    fn compose(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, HttpError> {
        let bad = |error: http::Error| HttpError::BadRequest { why: error.to_string() };
        let body = match &request.body {
            RequestBody::Empty => Bytes::new(),
            RequestBody::Bytes(bytes) => bytes.clone(),
            RequestBody::Stream { .. } => {
                return Err(HttpError::BadRequest { why: "a streamed body cannot be sent".to_owned() });
            }
        };
        let length = body.len();
        let mut message = http::Request::builder()
            .method(request.method.clone())
            .uri(request.target_text())
            .body(Full::new(body))
            .map_err(bad)?;
        *message.headers_mut() = compose_headers(&request.headers);
        let says_length =
            [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|field| request.headers.contains(field));
        // RFC 9110 8.6: a method that gives content a meaning says so even when there is none.
        let needs_length = length > 0 || matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
        if needs_length && !says_length {
            message.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        Ok(message)
    }

    /// What hyper's error means, by what the stream has seen.
    fn explain(&self, error: &hyper::Error) -> HttpError {
        let received = self.witness.received();
        if error.is_user() {
            return HttpError::BadRequest { why: in_full(error) };
        }
        if error.is_parse_too_large() {
            return HttpError::HeadTooLarge {
                max_bytes: self.limits.max_head,
                max_headers: self.limits.max_headers,
            };
        }
        if error.is_parse() {
            return malformed(&self.witness.beginning(), error);
        }
        if let Some(broken) = self.witness.error() {
            return HttpError::broken(&broken, received);
        }
        match (self.witness.ended(), received) {
            (true, 0) => HttpError::EmptyReply,
            (true, _) => HttpError::HeadTruncated { received },
            (false, _) => HttpError::Closed,
        }
    }
}

/// Tells the interim responses to a request, and is done when there have been too many.
fn count_interim(
    scope: &Scope,
    message: &mut http::Request<Full<Bytes>>,
) -> impl Future<Output = ()> + Unpin + use<> {
    let (scope, count) = (scope.clone(), AtomicUsize::new(0));
    let (alarm, flooded) = oneshot::channel::<()>();
    let alarm = Mutex::new(Some(alarm));
    hyper::ext::on_informational(message, move |interim| {
        let status = interim.status();
        scope.record(|| Note::detail(format!("interim response {status}: the final one follows")));
        if count.fetch_add(1, Ordering::Relaxed) == MOST_INTERIM {
            alarm.lock().unwrap_or_else(PoisonError::into_inner).take().map(|alarm| alarm.send(()));
        }
    });
    // Without a flood it is never done: the request itself decides.
    flooded.then(|alarmed| match alarmed {
        Ok(()) => ready(()).left_future(),
        Err(_) => pending().right_future(),
    })
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("carried", &self.carried).finish_non_exhaustive()
    }
}

/// Runs the connection until there is nothing more to send or to receive, then closes it in order.
/// It goes on only as long as somebody holds the connection or a body of it.
async fn drive<S: Stream>(
    mut wire: http1::Connection<HyperIo<S>, Full<Bytes>>,
    mut abandoned: oneshot::Receiver<()>,
) {
    // Its error reaches whoever waits for a response; nobody else needs it.
    select(poll_fn(|cx| wire.poll_without_shutdown(cx)), &mut abandoned).map(drop).await;
    let mut stream = wire.into_parts().io.into_stream();
    // Closing comes first in the pair: polled once at least, it sends the goodbye even if nobody
    // waits for the answer.
    select(pin!(close_in_order(&mut stream)), abandoned).map(drop).await;
}

/// RFC 9112 9.3: whether the connection persists after this response.
fn persistence(
    request_headers: &HeaderMap,
    head: &ResponseHead,
    framing: Framing,
) -> Result<(), NotReusable> {
    if framing == Framing::UntilClose {
        Err(NotReusable::UntilClose)
    } else if says(&head.headers, "close") {
        Err(NotReusable::ServerSaidClose)
    } else if says(request_headers, "close") {
        Err(NotReusable::ClientSaidClose)
    } else if head.version == Version::HTTP_10 && !says(&head.headers, "keep-alive") {
        Err(NotReusable::Http10)
    } else {
        Ok(())
    }
}

/// Whether a `Connection` field has this option.
fn says(headers: &HeaderMap, option: &str) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|said| said.trim().eq_ignore_ascii_case(option))
}

/// The reason phrase as sent, or else as registered.
fn reason_phrase(status: StatusCode, sent: Option<&hyper::ext::ReasonPhrase>) -> String {
    match sent {
        Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    }
}

fn compose_headers(fields: &Fields) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter() {
        if let Ok(name) = http::HeaderName::from_bytes(name.as_bytes()) {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// RFC 9112 4: a status line begins with `HTTP/1.` and a digit, a space, three digits.
fn malformed(beginning: &[u8], error: &hyper::Error) -> HttpError {
    let is_status_line = match beginning.strip_prefix(b"HTTP/1.") {
        Some([b'0' | b'1', b' ', code @ ..]) => code.iter().take(3).all(u8::is_ascii_digit),
        _ => false,
    };
    if is_status_line {
        HttpError::MalformedHead { why: in_full(error) }
    } else {
        let first_line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        HttpError::NotHttp { beginning: first_line.escape_ascii().to_string() }
    }
}
