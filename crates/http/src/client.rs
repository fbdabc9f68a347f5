//! One connection, as a client: many requests, one after the other.

use crate::body::{Arrival, Body, Source, Stage};
use crate::compose::{Composed, compose};
use crate::desk::{Arrived, Desk, Exchange};
use crate::error::{HttpError, in_full};
use crate::framing::NotReusable;
use crate::io::{Grip, Stream, Witness, close_in_order};
use crate::limits::Limits;
use crate::message::{Request, ResponseHead, as_pairs, as_sent};
use crate::upload::{Gate, Upload};
use crate::wire::Wire;
use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, pending, poll_fn, ready, select};
use glasstack_journal::Scope;
use glasstack_journal::event::{Framing, Http};
use glasstack_stack::Host;
use http::header::TRANSFER_ENCODING;
use http::{HeaderValue, Method, Version};
use hyper::client::conn::http1;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// An HTTP/1.1 connection over a stream. Dropping it, and the body that is arriving over it, closes
/// the stream; [`close`](Self::close) closes it and waits until the peer has closed its side too.
pub struct Connection {
    sender: http1::SendRequest<Upload>,
    desk: Arc<Desk>,
    witness: Arc<Witness>,
    sleep: Sleep,
    limits: Limits,
    carried: u32,
    last: Option<LastExchange>,
    grip: Arc<Grip>,
    /// Ends the driver's work for hyper, who would wait for the rest of an upload that was stopped.
    finish: oneshot::Sender<()>,
    closed: oneshot::Receiver<()>,
}

/// A response: its head, and a body that is still arriving.
#[derive(Debug)]
pub struct Response {
    /// The interim responses (1xx) that came before it, oldest first.
    pub interim: Vec<ResponseHead>,
    /// The head.
    pub head: ResponseHead,
    /// The body.
    pub body: Body,
}

/// Who waits for a time.
type Sleep = Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// What decides whether another request may follow.
struct LastExchange {
    persistence: Result<(), NotReusable>,
    arrival: Arc<Arrival>,
    gate: Arc<Gate>,
}

/// hyper's buffer for what comes and what goes, in bytes.
const BUFFER: usize = 256 * 1024;

impl Connection {
    /// Speaks HTTP over `stream`; the host runs the connection in the background.
    pub async fn open<S: Stream>(host: &Host, stream: S, limits: Limits) -> Result<Self, HttpError> {
        let clock = host.clone();
        let sleep = move |duration| {
            let host = clock.clone();
            async move { host.sleep(duration).await }
        };
        let (connection, driver) = Self::start(stream, limits, sleep).await?;
        host.spawn(driver);
        Ok(connection)
    }

    /// A connection, and the future that must be polled for it to live. `sleep` waits for a time:
    /// that of [`Request::expect_timeout`].
    pub async fn start<S: Stream, T: Future<Output = ()> + Send + 'static>(
        stream: S,
        limits: Limits,
        sleep: impl Fn(Duration) -> T + Send + Sync + 'static,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), HttpError> {
        let (desk, witness) = (Arc::<Desk>::default(), Arc::<Witness>::default());
        let wire = Wire::new(stream, Arc::clone(&desk), Arc::clone(&witness));
        let (sender, driven) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .handshake(wire)
            .await
            .map_err(|error| HttpError::BadRequest { why: in_full(&error) })?;
        let (let_go, abandoned) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let (done, closed) = oneshot::channel();
        let connection = Self {
            sender,
            desk,
            witness,
            sleep: Box::new(move |duration| sleep(duration).boxed()),
            limits,
            carried: 0,
            last: None,
            grip: Grip::new(let_go),
            finish,
            closed,
        };
        let driver = async move {
            drive(driven, finished, abandoned).await;
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
            match last.arrival.stage() {
                Stage::Complete => {}
                Stage::Failed => return Err(NotReusable::Failed),
                Stage::Arriving | Stage::Dropped => return Err(NotReusable::Unfinished),
            }
            poll_fn(|cx| last.gate.poll_over(cx)).await;
            if !last.gate.is_complete() {
                return Err(NotReusable::UploadStopped);
            }
            if self.desk.has_excess() {
                return Err(NotReusable::Excess);
            }
        }
        self.sender.ready().await.map_err(|_| self.why_closed())?;
        if self.sender.is_closed() { Err(self.why_closed()) } else { Ok(()) }
    }

    /// Why no other request can follow, if the last one was not sent to its end. Its server may wait
    /// for the rest of it, so there is no point in waiting for the server's goodbye.
    pub fn cut_short(&self) -> Option<NotReusable> {
        let is_stopped = self.last.as_ref().is_some_and(|last| last.gate.is_stopped());
        is_stopped.then_some(NotReusable::UploadStopped)
    }

    fn why_closed(&self) -> NotReusable {
        if self.desk.has_excess() { NotReusable::Excess } else { NotReusable::ClosedByServer }
    }

    /// Sends a request and waits for the head of its response; the body follows as it arrives, and
    /// a request's own body may still be on its way. Interim responses (1xx) are told and kept.
    /// `scope` is where it is told.
    ///
    /// As in curl, an answer that is no success (300 or more) ends the upload, and so does any
    /// final answer in the place of `100 Continue`; the connection is of no more use then. A server
    /// that answers and does not listen any more is heard all the same.
    pub async fn send(&mut self, scope: &Scope, request: Request) -> Result<Response, HttpError> {
        let result = self.exchange(scope, request).await;
        if let Err(error) = &result {
            scope.record(|| Http::Failed { why: in_full(error) });
        }
        result
    }

    /// Closes the connection in order: close_notify where there is TLS, FIN, and then waits for the
    /// peer's. Dropping this future ends the wait (use `Host::timeout`: a server need not ever
    /// close).
    pub async fn close(self) {
        let Self { sender, grip, finish, closed, last, .. } = self;
        drop(sender);
        if last.is_some_and(|last| last.arrival.stage() != Stage::Arriving && !last.gate.is_complete()) {
            // If nobody hears it, the driver is done already.
            let _ = finish.send(());
        }
        // The driver never sends; that it lets go of its end is the news.
        let _ = closed.await;
        drop(grip);
    }

    async fn exchange(&mut self, scope: &Scope, request: Request) -> Result<Response, HttpError> {
        let composed = compose(&request)?;
        self.reusable().await.map_err(|_| HttpError::Closed)?;
        tell_request(scope, &request, &composed);
        let gate = Arc::new(if composed.waits { Gate::waiting() } else { Gate::default() });
        let progress = request.progress.clone();
        progress.change(|so_far| so_far.upload_length = composed.length);
        let exchange = Exchange {
            scope: scope.clone(),
            method: request.method,
            request_fields: composed.fields,
            reading: request.reading,
            progress: progress.clone(),
            gate: Arc::clone(&gate),
        };
        self.witness.await_message();
        self.desk.begin(exchange, composed.head, &self.limits);
        self.carried += 1;
        // Until its response is there: who gives the request up gives the connection up.
        self.last = Some(LastExchange {
            persistence: Err(NotReusable::Unfinished),
            arrival: Arc::default(),
            gate: Arc::clone(&gate),
        });
        let patience = match request.expect_timeout {
            Some(patience) if composed.waits => Either::Left((self.sleep)(patience)),
            _ => Either::Right(pending()),
        };
        let upload = Upload::new(request.body, composed.length, Arc::clone(&gate));
        let response = {
            let sent = self.sender.send_request(for_hyper(upload, composed.length));
            match select(pin!(sent), patience).await {
                Either::Left((response, _)) => response,
                // RFC 9110 10.1.1: the client need not wait for ever.
                Either::Right(((), sent)) => {
                    gate.open();
                    sent.await
                }
            }
        };
        let incoming = match response {
            Ok(response) => response.into_body(),
            Err(error) => {
                if let Some(last) = &mut self.last {
                    last.persistence = Err(NotReusable::Failed);
                }
                return Err(self.explain(&error, &gate));
            }
        };
        let (interim, arrived) = self.desk.take_head().ok_or(HttpError::Closed)?;
        let source = Source {
            incoming,
            desk: Arc::clone(&self.desk),
            gate: Some(gate),
            witness: Arc::clone(&self.witness),
            _grip: Some(Arc::clone(&self.grip)),
            scope: Some(scope.clone()),
            progress,
            is_raw: request.reading.raw,
        };
        self.receive(scope, interim, arrived, source)
    }

    fn receive(
        &mut self,
        scope: &Scope,
        interim: Vec<ResponseHead>,
        arrived: Arrived,
        source: Source,
    ) -> Result<Response, HttpError> {
        let Arrived { head, framing, persistence } = arrived;
        scope.record(|| Http::ResponseReceived {
            status: head.status.as_u16(),
            reason: head.reason.clone(),
            version: head.version_text().to_owned(),
            headers: head.headers_as_sent(),
            framing,
        });
        if let (Framing::Length(length), Some(limit)) = (framing, self.limits.max_body)
            && length > limit
        {
            return Err(HttpError::BodyTooLarge { limit });
        }
        let gate = source.gate.clone().unwrap_or_default();
        let outlives = persistence.is_ok();
        let body = Body::new(source, framing, &head.headers, self.limits.max_body, outlives);
        self.last = Some(LastExchange { persistence, arrival: body.arrival(), gate });
        Ok(Response { interim, head, body })
    }

    /// What hyper's error means, by what the stream has seen.
    fn explain(&self, error: &hyper::Error, gate: &Gate) -> HttpError {
        let received = self.witness.received();
        if let Some(failure) = gate.failure().or_else(|| self.desk.refused()) {
            return failure;
        }
        if error.is_user() {
            return HttpError::BadRequest { why: in_full(error) };
        }
        let (unfinished, has_status) = self.desk.unfinished();
        if self.witness.ended() {
            return match unfinished as u64 {
                0 if gate.is_complete() => HttpError::EmptyReply,
                0 => HttpError::ClosedWhileSending { sent: self.desk.uploaded() },
                received => HttpError::HeadTruncated { received, has_status },
            };
        }
        if let Some(broken) = self.witness.error() {
            return HttpError::broken(&broken, received);
        }
        HttpError::Closed
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("carried", &self.carried).finish_non_exhaustive()
    }
}

/// The request as hyper sees it: only how its body is framed is true of it.
fn for_hyper(upload: Upload, length: Option<u64>) -> http::Request<Upload> {
    let mut message = http::Request::new(upload);
    *message.method_mut() = Method::POST;
    if length.is_none() {
        message.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    message
}

fn tell_request(scope: &Scope, request: &Request, composed: &Composed) {
    scope.record(|| Http::RequestSent {
        method: request.method.to_string(),
        url: as_sent(&request.url).into(),
        version: if request.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }.to_owned(),
        headers: as_pairs(&composed.fields),
        body_length: composed.length.unwrap_or_default(),
    });
}

/// Runs the connection until there is nothing more to send or to receive, then closes it in order.
/// It goes on only as long as somebody holds the connection or a body of it.
async fn drive<S: Stream>(
    mut driven: http1::Connection<Wire<S>, Upload>,
    finished: oneshot::Receiver<()>,
    mut abandoned: oneshot::Receiver<()>,
) {
    // That nobody will ever say so is no reason to stop.
    let finished = finished.then(|said| match said {
        Ok(()) => Either::Left(ready(())),
        Err(_) => Either::Right(pending()),
    });
    {
        // Its error reaches whoever waits for a response; nobody else needs it.
        let exchanges = poll_fn(|cx| driven.poll_without_shutdown(cx)).map(drop);
        let work = select(exchanges, finished).map(drop);
        select(work, &mut abandoned).map(drop).await;
    }
    let mut stream = driven.into_parts().io.into_stream();
    // Closing comes first in the pair: polled once at least, it sends the goodbye even if nobody
    // waits for the answer.
    select(pin!(close_in_order(&mut stream)), abandoned).map(drop).await;
}
