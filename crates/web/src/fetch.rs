//! A fetch: a request, the redirects that it meets, and one body at the end.

use crate::address_bar::without_password;
use crate::config::ClientConfig;
use crate::connector::{Connected, Connector};
use crate::error::WebError;
use crate::headers::{Defaults, compose};
use crate::pool::{Found, Origin, Pool, origin_of};
use crate::request::Request;
use crate::watch::Watch;
use bytes::Bytes;
use glasstack_http::redirect::Chain;
use glasstack_http::{
    Body, Coding, Decoded, HeaderMap, HttpError, Method, Redirect, RedirectPolicy, RequestBody, ResponseHead,
};
use glasstack_journal::event::{Http, Page};
use glasstack_journal::{Instant, Note, SpanKind};
use glasstack_stack::Host;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// One response that led on to another.
#[derive(Clone, Debug)]
pub struct Hop {
    /// What was asked for.
    pub url: Url,
    /// The response's head.
    pub head: ResponseHead,
}

/// The last response of a fetch.
#[derive(Debug)]
pub struct Response {
    /// What it is the response to, after redirects.
    pub url: Url,
    /// Its head.
    pub head: ResponseHead,
    /// The responses that led here, oldest first.
    pub hops: Vec<Hop>,
    /// Its body, as it arrives.
    pub body: ResponseBody,
    /// What there is to know of the transfer; the same watch as the request's.
    pub watch: Watch,
    /// Whether there is a body that nobody should see: the time condition does not hold, or there is
    /// nothing left of a transfer that was to go on. `body` gives none of it.
    pub passed_over: Option<PassedOver>,
}

/// Why a body is passed over, and that without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedOver {
    /// It has not changed since the time of `If-Modified-Since`, or has since that of
    /// `If-Unmodified-Since`, whatever the server thinks.
    TimeCondition,
    /// 416 to a transfer that was to go on: there is nothing left.
    NothingLeft,
}

/// Fetches, and keeps connections between fetches. Clones share them.
#[derive(Clone)]
pub struct Client {
    host: Host,
    config: Arc<ClientConfig>,
    connector: Arc<Connector>,
    pool: Arc<Pool>,
}

impl Client {
    /// A client on `host`, telling from the span that this handle stands in.
    pub fn new(host: &Host, config: ClientConfig) -> Self {
        let connector = Connector {
            resolver: config.resolver.clone(),
            tls: config.tls.clone(),
            limits: config.limits.clone(),
            timeout: config.connect_timeout,
        };
        Self {
            host: host.clone(),
            pool: Arc::new(Pool::new(host.clone(), config.close_timeout)),
            connector: Arc::new(connector),
            config: Arc::new(config),
        }
    }

    /// Sends a request, follows redirects if it should, and comes back with the head of the last
    /// response; the body follows as it arrives.
    pub async fn fetch(&self, request: Request) -> Result<Response, WebError> {
        let patience = Patience::begin(&self.host, self.config.max_time);
        let fetched = patience.bound(0, self.follow(request, &patience)).await.and_then(|result| result);
        fetched.inspect_err(|error| tell_failure(&self.host, error))
    }

    /// Closes all connections in order (close_notify where there is TLS, FIN), and waits until their
    /// servers have closed them too, or the patience for that is at its end.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn follow(&self, mut request: Request, patience: &Patience) -> Result<Response, WebError> {
        let policy = RedirectPolicy { limit: self.config.max_redirects, keep_method: request.method_by_name };
        let mut chain = Chain::default();
        let mut hops = Vec::new();
        loop {
            chain.on_request(&request.method, &request.url);
            let exchange = self.exchange(&request).await?;
            let next = if self.config.follow {
                let head = &exchange.head;
                chain.next(&request.method, &request.url, head.status, &head.headers, &policy)
            } else {
                Ok(None)
            };
            let redirect = match next {
                Ok(None) => return self.deliver(request, hops, exchange, patience.clone()),
                Ok(Some(redirect)) => redirect,
                Err(error) => {
                    exchange.discard(&self.pool).await;
                    return Err(error.into());
                }
            };
            tell_redirect(&exchange, &request, &redirect, (chain.followed() + 1, policy.limit));
            hops.push(Hop { url: request.url.clone(), head: exchange.head.clone() });
            exchange.discard(&self.pool).await;
            request = request.redirected(redirect, self.config.location_trusted);
        }
    }

    /// One request and the head of its response.
    async fn exchange(&self, request: &Request) -> Result<Exchange, WebError> {
        let span = FetchSpan::open(&self.host, &request.url);
        let defaults = Defaults {
            user_agent: self.config.user_agent.as_deref(),
            compressed: self.config.compressed,
            has_body: request.body.is_some(),
        };
        let origin = origin_of(&request.url);
        let mut connection = self.connection(&span.host, &request.url, &origin).await?;
        let is_kept = connection.http.carried() > 0;
        let sent = match connection.http.send(span.host.scope(), self.message(request, defaults)?).await {
            Err(error) if is_kept && may_retry(&request.method, &error) => {
                let why = format!("the kept one failed: {error}");
                connection = self.new_connection(&span.host, &request.url, why).await?;
                connection.http.send(span.host.scope(), self.message(request, defaults)?).await
            }
            sent => sent,
        };
        let response = sent?;
        Ok(Exchange { head: response.head, body: response.body, connection, origin, span })
    }

    fn message(
        &self,
        request: &Request,
        defaults: Defaults<'_>,
    ) -> Result<glasstack_http::Request, WebError> {
        Ok(glasstack_http::Request {
            headers: compose(&request.url, defaults, &request.headers),
            body: match &request.body {
                Some(body) => body.open().map_err(WebError::Upload)?,
                None => RequestBody::Empty,
            },
            reading: self.config.reading,
            ..glasstack_http::Request::new(request.method.clone(), request.url.clone())
        })
    }

    /// A connection to the URL's origin: one that is there already, or a new one.
    async fn connection(&self, host: &Host, url: &Url, origin: &Origin) -> Result<Connected, WebError> {
        match self.pool.take(origin).await {
            Found::Reusable(connection) => {
                host.scope().record(|| Http::ConnectionChosen {
                    remote: connection.remote,
                    connection: connection.span,
                    reused: true,
                    why: format!("it is open, at rest, and leads to {origin}"),
                });
                Ok(connection)
            }
            Found::None(why) => self.new_connection(host, url, why).await,
        }
    }

    async fn new_connection(&self, host: &Host, url: &Url, why: String) -> Result<Connected, WebError> {
        let connection = self.connector.connect(host, url).await?;
        host.scope().record(|| Http::ConnectionChosen {
            remote: connection.remote,
            connection: connection.span,
            reused: false,
            why,
        });
        Ok(connection)
    }

    fn deliver(
        &self,
        request: Request,
        hops: Vec<Hop>,
        exchange: Exchange,
        patience: Patience,
    ) -> Result<Response, WebError> {
        let Exchange { head, body, connection, origin, span } = exchange;
        let Request { url, watch, .. } = request;
        // What has no body, as the answer to HEAD, needs no decoding.
        let codings = if self.config.compressed && !body.is_complete() {
            Coding::of(&head.headers)?
        } else {
            Vec::new()
        };
        let body = ResponseBody {
            decoded: Decoded::new(body, codings, self.config.decode.clone()),
            lease: Some((origin, connection)),
            pool: Arc::clone(&self.pool),
            patience,
            span: Some(span),
            arrival: Arrival { host: self.host.clone(), url: url.clone(), status: head.status.as_u16() },
        };
        Ok(Response { url, head, hops, body, watch, passed_over: None })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The body of the last response, decoded if that was asked for. To drop it before its end is to
/// give its connection up.
pub struct ResponseBody {
    decoded: Decoded,
    lease: Option<(Origin, Connected)>,
    pool: Arc<Pool>,
    patience: Patience,
    span: Option<FetchSpan>,
    arrival: Arrival,
}

impl ResponseBody {
    /// The next chunk, of whatever size arrived; none at the end. After an error there is nothing
    /// more.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WebError> {
        if self.lease.is_none() {
            return Ok(None);
        }
        let received = self.decoded.decoded();
        let result = match self.patience.bound(received, self.decoded.chunk()).await {
            Ok(result) => result.map_err(WebError::from),
            Err(timed_out) => Err(timed_out),
        };
        match &result {
            Ok(Some(_)) => {}
            Ok(None) => self.arrive(),
            Err(error) => {
                tell_failure(&self.arrival.host, error);
                self.lease = None;
                self.span = None;
            }
        }
        result
    }

    /// Bytes of the body as transferred and as decoded, so far.
    pub fn received(&self) -> (u64, u64) {
        (self.decoded.transferred(), self.decoded.decoded())
    }

    /// The trailer fields that followed the last chunk (RFC 9112 7.1.2); known at the end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.decoded.trailers()
    }

    fn arrive(&mut self) {
        if let Some((origin, connection)) = self.lease.take() {
            self.pool.put(origin, connection);
            let length = self.decoded.decoded();
            self.arrival.tell(length);
        }
        self.span = None;
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.decoded).finish()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // What has no body needs no reading.
        if self.decoded.is_complete() {
            self.arrive();
        }
    }
}

/// What is told when the last byte is there.
struct Arrival {
    host: Host,
    url: Url,
    status: u16,
}

impl Arrival {
    fn tell(&self, length: u64) {
        self.host.scope().record(|| Page::Arrived {
            url: without_password(&self.url),
            status: self.status,
            length,
        });
    }
}

/// One request and the head of its response, before anybody knows what becomes of it.
struct Exchange {
    head: ResponseHead,
    body: Body,
    connection: Connected,
    origin: Origin,
    span: FetchSpan,
}

/// A redirect's body is read, so that its connection may be used again, up to this many bytes.
const DISCARD: u64 = 64 * 1024;

impl Exchange {
    /// Nobody wants the body.
    async fn discard(mut self, pool: &Pool) {
        while self.body.received() <= DISCARD {
            match self.body.chunk().await {
                Ok(Some(_)) => {}
                // Whether the connection is of any more use is asked when it is needed.
                Ok(None) | Err(_) => return pool.put(self.origin, self.connection),
            }
        }
        self.span.host.scope().record(|| {
            Note::info("the redirect's body is too long to be read for nothing: its connection is given up")
        });
    }
}

/// The span of one request; it ends when this is dropped.
struct FetchSpan {
    host: Host,
}

impl FetchSpan {
    fn open(host: &Host, url: &Url) -> Self {
        Self { host: host.span(SpanKind::Fetch { url: without_password(url) }) }
    }
}

impl Drop for FetchSpan {
    fn drop(&mut self) {
        self.host.scope().close();
    }
}

/// How long a fetch may take.
#[derive(Clone)]
struct Patience {
    host: Host,
    limit: Option<(Instant, Duration)>,
}

impl Patience {
    fn begin(host: &Host, limit: Option<Duration>) -> Self {
        Self { host: host.clone(), limit: limit.map(|limit| (host.now() + limit, limit)) }
    }

    async fn bound<T>(&self, received: u64, future: impl Future<Output = T>) -> Result<T, WebError> {
        let Some((deadline, limit)) = self.limit else { return Ok(future.await) };
        let left = deadline.since(self.host.now());
        self.host.timeout(left, future).await.map_err(|_| WebError::TimedOut { limit, received })
    }
}

/// RFC 9112 9.3.1: what failed on a kept connection because its server closed it meanwhile may be
/// sent again, if sending it twice does no harm (RFC 9110 9.2.2) or it was never sent.
fn may_retry(method: &Method, error: &HttpError) -> bool {
    matches!(error, HttpError::Closed) || (error.is_stale_connection() && method.is_idempotent())
}

/// Tells what no layer below has told.
fn tell_failure(host: &Host, error: &WebError) {
    if !error.is_told() {
        host.scope().record(|| Http::Failed { why: error.to_string() });
    }
}

fn tell_redirect(exchange: &Exchange, request: &Request, redirect: &Redirect, count: (u32, u32)) {
    let scope = exchange.span.host.scope();
    scope.record(|| Http::RedirectFollowed {
        status: exchange.head.status.as_u16(),
        from: without_password(&request.url),
        to: without_password(&redirect.url),
        method: redirect.method_because.clone(),
        count,
    });
    if redirect.downgrade {
        scope.record(|| {
            Note::warning("the redirect leads from https to http: from here on anybody may listen")
        });
    }
    let left_behind: Vec<&str> = request
        .headers
        .iter()
        .filter(|edit| redirect.cross_origin && edit.stays_with_origin())
        .map(|edit| edit.name().as_str())
        .collect();
    if !left_behind.is_empty() {
        scope.record(|| {
            Note::info(format!(
                "{} not sent on: the redirect leads to another origin",
                left_behind.join(", ")
            ))
        });
    }
}
