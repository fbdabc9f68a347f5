//! The other end: HTTP/1.1 answered over any stream.

mod patience;
mod places;

use self::patience::{Activity, HeadWatch};
use crate::body::{Body, Source};
use crate::error::{HttpError, in_full};
use crate::framing::request_framing;
use crate::io::{HyperIo, Stream, Witness, close_in_order};
use crate::limits::Limits;
use crate::progress::Progress;
use bytes::Bytes;
use futures_util::future::{BoxFuture, Either, poll_fn, select};
use futures_util::stream::{self, BoxStream, StreamExt};
use glasstack_journal::event::{Framing, Http};
use glasstack_journal::{Scope, WallTime};
use glasstack_stack::{Host, TcpListener};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

pub use self::places::{Place, Places};

/// What answers requests. A closure from [`Received`] to [`Answer`] is one: it sees a request when
/// its body has arrived, and need not look at it.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Received) -> BoxFuture<'_, Answer>;
}

impl<F: Fn(Received) -> Answer + Send + Sync + 'static> Handler for F {
    fn handle(&self, request: Received) -> BoxFuture<'_, Answer> {
        let mut request = request;
        Box::pin(async move {
            // A client that does not listen while it sends would not hear an answer that comes before
            // its last byte.
            match request.read_body().await {
                Ok(()) => self(request),
                Err(refusal) => refusal,
            }
        })
    }
}

/// A request that has come in.
#[derive(Debug)]
pub struct Received {
    /// From whom.
    pub client: SocketAddr,
    /// The method.
    pub method: Method,
    /// The request target as sent, as `/path?query` (RFC 9112 3.2).
    pub target: String,
    /// The `Host` field, or the authority of an absolute target.
    pub host: Option<String>,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, as it arrives.
    pub body: Body,
    /// Whether it came before its client's TLS handshake was over (RFC 8470): to us, as
    /// [`ServerOptions::early`] says, or to whoever forwarded it with `Early-Data`. An answer of 425
    /// (Too Early) makes the client ask again, later; to other requests it means nothing.
    pub early: bool,
    /// Bytes of body that are accepted.
    limit: Option<u64>,
}

impl Received {
    /// The target's path, percent-encoded as sent.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Reads the body to its end and throws it away, or says what to answer instead.
    /// [`Body::received`] says how long it was.
    pub async fn read_body(&mut self) -> Result<(), Answer> {
        // RFC 9110 15.5.14. A length that is too large is refused before the first byte of it.
        let too_large = |limit| {
            let why = format!("the body is larger than {limit} bytes");
            Answer::text(StatusCode::PAYLOAD_TOO_LARGE, why.clone(), format!("{why}\n"))
        };
        if let (Framing::Length(length), Some(limit)) = (self.body.framing(), self.limit)
            && length > limit
        {
            return Err(too_large(limit));
        }
        loop {
            match self.body.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(HttpError::BodyTooLarge { limit }) => return Err(too_large(limit)),
                Err(error) => {
                    let why = in_full(&error);
                    return Err(Answer::text(StatusCode::BAD_REQUEST, why.clone(), format!("{why}\n")));
                }
            }
        }
    }

    /// The target's query, if it has one.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// An answer, and why it is the answer.
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields; `Date` and the body's framing are added.
    pub headers: HeaderMap,
    /// The body.
    pub body: AnswerBody,
    /// Why, in words, for the journal.
    pub why: String,
}

/// A body to be sent.
pub enum AnswerBody {
    /// All of it: sent with `Content-Length`.
    Whole(Bytes),
    /// Piece by piece: sent `chunked`. An error cuts the connection, so that the client notices.
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

impl Answer {
    /// An answer without a body.
    pub fn new(status: StatusCode, why: impl Into<String>) -> Self {
        let body = AnswerBody::Whole(Bytes::new());
        Self { status, headers: HeaderMap::new(), body, why: why.into() }
    }

    /// 200 with a body of this media type.
    pub fn ok(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, "found").with_body(media_type, body)
    }

    /// A short text under any status.
    pub fn text(status: StatusCode, why: impl Into<String>, text: impl Into<Bytes>) -> Self {
        Self::new(status, why).with_body("text/plain; charset=utf-8", text)
    }

    /// 404.
    pub fn not_found(why: impl Into<String>) -> Self {
        Self::text(StatusCode::NOT_FOUND, why, "not found\n")
    }

    /// A redirect (RFC 9110 15.4). A `location` that no header field can hold makes a 500.
    pub fn redirect(status: StatusCode, location: &str) -> Self {
        match HeaderValue::from_str(location) {
            Ok(value) => Self::text(status, format!("redirect to {location}"), format!("see {location}\n"))
                .with_header(header::LOCATION, value),
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a redirect to what is no field value"),
        }
    }

    /// 200 in chunks, of this media type.
    pub fn chunked(media_type: &'static str, chunks: Vec<Bytes>) -> Self {
        let body = AnswerBody::Stream(stream::iter(chunks.into_iter().map(Ok)).boxed());
        let mut answer = Self::new(StatusCode::OK, "found");
        answer.body = body;
        answer.with_header(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// With this body.
    #[must_use]
    pub fn with_body(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = AnswerBody::Whole(body.into());
        self.with_header(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// With this header field, instead of any of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// How a server behaves towards one connection.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// What it says in `Server`; none: nothing.
    pub name: Option<String>,
    /// How much a client may send.
    pub limits: Limits,
    /// How long a connection may be still: between requests, within one, within its answer. It is
    /// looked at this often, so that a still connection ends after one to two such periods, and after
    /// one more if it is in the middle of something. 60 s.
    pub idle: Duration,
    /// How long the head of a request may take from its first byte to its last, however they are
    /// spread. 30 s.
    pub head_patience: Duration,
    /// How many connections [`listen`] serves at once; the next ones wait in the listener's backlog.
    /// 256.
    pub max_connections: usize,
    /// How long to wait for the client's goodbye after ours (RFC 9112 9.6). 5 s.
    pub linger: Duration,
    /// After how many requests the connection is closed; none: never. None.
    pub max_requests: Option<u64>,
    /// Whether the connection began with early data (0-RTT), of which its first request is. False.
    ///
    /// It may ask for anything as long as it is heard behind the client's Finished, as `glasstack-tls`
    /// has it: then it is no replay (RFC 8470 3). One that somebody else forwarded from early data
    /// (`Early-Data`) may be, and is answered by 425 unless its method is safe.
    pub early: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            name: Some(concat!("glasstack/", env!("CARGO_PKG_VERSION")).to_owned()),
            limits: Limits {
                max_head: 32 * 1024,
                max_line: 32 * 1024,
                max_headers: 100,
                max_body: Some(16 * 1024 * 1024),
            },
            idle: Duration::from_secs(60),
            head_patience: Duration::from_secs(30),
            max_connections: 256,
            linger: Duration::from_secs(5),
            max_requests: None,
            early: false,
        }
    }
}

/// Answers on a port for as long as it is polled; each connection runs in the background.
pub async fn listen(host: Host, listener: TcpListener, handler: Arc<dyn Handler>, options: ServerOptions) {
    let mut places = Places::new(options.max_connections);
    loop {
        let place = places.take().await;
        let stream = listener.accept().await;
        let (host, handler, options) = (host.clone(), Arc::clone(&handler), options.clone());
        host.clone().spawn(async move {
            let (scope, client) = (stream.scope().clone(), stream.peer_addr());
            serve(&host, &scope, stream, client, handler, options).await;
            drop(place);
        });
    }
}

/// Answers the requests of one connection until either side has had enough, and closes it in order.
/// `scope` is where it is told.
pub async fn serve<S: Stream>(
    host: &Host,
    scope: &Scope,
    stream: S,
    client: SocketAddr,
    handler: Arc<dyn Handler>,
    options: ServerOptions,
) {
    serve_by(|duration| host.sleep(duration), scope, stream, client, handler, options).await;
}

/// As [`serve`], by any timer.
pub(crate) async fn serve_by<S: Stream, T: Future<Output = ()>>(
    sleep: impl Fn(Duration) -> T,
    scope: &Scope,
    stream: S,
    client: SocketAddr,
    handler: Arc<dyn Handler>,
    options: ServerOptions,
) {
    let witness = Arc::new(Witness::default());
    let (idle, head_patience, linger) = (options.idle, options.head_patience, options.linger);
    let activity = Arc::new(Activity::default());
    let wire = http1::Builder::new()
        .auto_date_header(false)
        .title_case_headers(true)
        .header_read_timeout(None)
        .max_buf_size(options.limits.buffer())
        .max_header_size(options.limits.max_head)
        .max_headers(options.limits.max_headers)
        .serve_connection(
            HyperIo::new(stream, Arc::clone(&witness)),
            Site {
                scope: scope.clone(),
                client,
                handler,
                options,
                witness: Arc::clone(&witness),
                activity: Arc::clone(&activity),
            },
        );
    let patience = (|| sleep(idle), || sleep(head_patience));
    let Some(mut stream) = run(wire, &activity, scope, &witness, patience).await else { return };
    select(pin!(close_in_order(&mut stream)), pin!(sleep(linger))).await;
}

/// Runs a connection to its end and gives its stream back; none if it was given up because nothing
/// came for too long, or a head took too long.
async fn run<S: Stream, T: Future<Output = ()>>(
    mut wire: http1::Connection<HyperIo<S>, Site>,
    activity: &Activity,
    scope: &Scope,
    witness: &Witness,
    (idle, head_patience): (impl Fn() -> T, impl Fn() -> T),
) -> Option<S> {
    let mut patience = true;
    let mut watch = HeadWatch::new();
    loop {
        let before = witness.moved();
        let next = poll_fn(|cx| match wire.poll_without_shutdown(cx) {
            Poll::Ready(ended) => Poll::Ready(Next::Ended(ended)),
            Poll::Pending => {
                watch.poll_late(cx, activity, witness, &head_patience).map(|()| Next::HeadIsLate)
            }
        });
        let next = match select(pin!(next), pin!(idle())).await {
            Either::Left((next, _)) => next,
            Either::Right(_) => Next::Still,
        };
        match next {
            Next::Ended(ended) => {
                if let Err(error) = ended {
                    tell_end(scope, witness, &error);
                }
                return Some(wire.into_parts().io.into_stream());
            }
            Next::HeadIsLate => {
                scope.record(|| Http::Failed { why: "the head of a request took too long".to_owned() });
                return None;
            }
            Next::Still if activity.is_answering() || witness.moved() != before => patience = true,
            Next::Still if patience => {
                patience = false;
                Pin::new(&mut wire).graceful_shutdown();
            }
            Next::Still => {
                scope.record(|| Http::Failed { why: "nothing came or went for too long".to_owned() });
                return None;
            }
        }
    }
}

/// What became of a connection, or of the patience with it.
enum Next {
    Ended(hyper::Result<()>),
    HeadIsLate,
    Still,
}

fn tell_end(scope: &Scope, witness: &Witness, error: &hyper::Error) {
    let why = witness
        .error()
        .map_or_else(|| in_full(error), |broken| in_full(&HttpError::broken(&broken, witness.received())));
    scope.record(|| Http::Failed { why });
}

/// What hyper asks for every request.
struct Site {
    scope: Scope,
    client: SocketAddr,
    handler: Arc<dyn Handler>,
    options: ServerOptions,
    witness: Arc<Witness>,
    activity: Arc<Activity>,
}

type OutBody = UnsyncBoxBody<Bytes, io::Error>;

impl Service<http::Request<Incoming>> for Site {
    type Response = http::Response<OutBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        let is_http10 = request.version() == Version::HTTP_10;
        let mut received = self.receive(request);
        let count = self.activity.on_request(received.body.arrival());
        received.early |= self.options.early && count == 1;
        let (handler, scope) = (Arc::clone(&self.handler), self.scope.clone());
        let (options, activity) = (self.options.clone(), Arc::clone(&self.activity));
        scope.record(|| Http::Received {
            client: received.client,
            method: received.method.to_string(),
            target: received.target.clone(),
            host: received.host.clone(),
        });
        Box::pin(async move {
            let answer = match refusal(&received, is_http10) {
                Some(refusal) => refusal,
                None => handler.handle(received).await,
            };
            let is_last = options.max_requests.is_some_and(|max| count >= max);
            let response = compose(answer, &scope, &options, is_last);
            activity.on_answer();
            Ok(response)
        })
    }
}

impl Site {
    fn receive(&self, request: http::Request<Incoming>) -> Received {
        let (parts, incoming) = request.into_parts();
        let framing = request_framing(&parts.headers);
        let limit = self.options.limits.max_body;
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        let source = Source {
            incoming,
            desk: Arc::default(),
            gate: None,
            witness: Arc::clone(&self.witness),
            _grip: None,
            scope: None,
            progress: Progress::new(),
            is_raw: false,
        };
        Received {
            client: self.client,
            method: parts.method,
            target: parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string),
            // RFC 9112 3.2.2: an absolute target's authority overrides Host.
            host: parts.uri.authority().map(ToString::to_string).or(named),
            body: Body::new(source, framing, &parts.headers, limit, false),
            early: parts.headers.contains_key(EARLY_DATA),
            headers: parts.headers,
            limit,
        }
    }
}

/// RFC 8470 5.1: a field of intermediaries. Whatever it says, and however often, it means 1.
const EARLY_DATA: &str = "early-data";

/// What is refused before any handler sees it.
fn refusal(request: &Received, is_http10: bool) -> Option<Answer> {
    let hosts = request.headers.get_all(header::HOST).iter().count();
    // RFC 9112 3.2: a request of HTTP/1.1 has exactly one Host field.
    if hosts > 1 || (hosts == 0 && !is_http10) {
        let why = format!("{hosts} Host fields where RFC 9112 3.2 asks for one");
        return Some(Answer::text(StatusCode::BAD_REQUEST, why.clone(), format!("{why}\n")));
    }
    // RFC 8470 5.2: who forwarded it did not wait for its client's Finished.
    if request.headers.contains_key(EARLY_DATA) && !request.method.is_safe() {
        let why = format!("a {} forwarded from early data may be a replay (RFC 8470 5.1)", request.method);
        return Some(Answer::text(StatusCode::TOO_EARLY, why.clone(), format!("{why}\n")));
    }
    None
}

fn compose(answer: Answer, scope: &Scope, options: &ServerOptions, is_last: bool) -> http::Response<OutBody> {
    let body_length = match &answer.body {
        AnswerBody::Whole(bytes) => Some(bytes.len() as u64),
        AnswerBody::Stream(_) => None,
    };
    scope.record(|| Http::Answered { status: answer.status.as_u16(), body_length, why: answer.why.clone() });
    let body = match answer.body {
        AnswerBody::Whole(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        AnswerBody::Stream(chunks) => {
            StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync()
        }
    };
    let mut response = http::Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    // RFC 9110 6.6.1: an origin server with a clock sends Date.
    insert(headers, header::DATE, &http_date(scope.wall()));
    if let Some(name) = &options.name {
        insert(headers, header::SERVER, name);
    }
    for (name, value) in &answer.headers {
        headers.append(name, value.clone());
    }
    if is_last {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A wall time as HTTP writes it, as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 5.6.7).
pub fn http_date(at: WallTime) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_nanos(at.unix_nanos()))
}
