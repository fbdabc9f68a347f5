//! One request and the head of its response.

use crate::address_bar::without_password;
use crate::conditions::{condition_field, range_field};
use crate::config::ClientConfig;
use crate::connector::{Connected, Connector, Way};
use crate::cookies::SharedJar;
use crate::credentials::identity;
use crate::early_data::{Early, Waits};
use crate::error::WebError;
use crate::headers::{HeaderEdit, Said, basic, compose, host_field};
use crate::lesson::{Asked, Lesson};
use crate::patience::Patience;
use crate::pool::{Found, Lease, Pool};
use crate::request::Request;
use crate::watch::HeadKind;
use bytes::Bytes;
use glasstack_http::header::{COOKIE, EXPECT, SET_COOKIE};
use glasstack_http::{Body, HttpError, Method, RequestBody, ResponseHead, Target, Version};
use glasstack_journal::event::{Framing, Http};
use glasstack_journal::{Note, Scope, SpanKind};
use glasstack_stack::Host;
use glasstack_tls::TlsError;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use url::Url;

/// What makes exchanges.
pub(crate) struct Exchanger<'a> {
    pub(crate) host: &'a Host,
    pub(crate) config: &'a ClientConfig,
    pub(crate) connector: &'a Connector,
    pub(crate) pool: &'a Arc<Pool>,
    pub(crate) patience: &'a Patience,
}

/// One request and the head of its response, before anybody knows what becomes of it.
pub(crate) struct Exchange {
    pub(crate) head: ResponseHead,
    pub(crate) body: Body,
    pub(crate) lease: Lease,
    pub(crate) span: FetchSpan,
    /// Whether the response changed what the next request would say.
    pub(crate) set_cookies: bool,
}

impl Exchanger<'_> {
    /// Sends the request, and again if its answer asks for that.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Exchange, WebError> {
        let identity = identity::choose(request, self.config.netrc.as_ref());
        if let Some(identity) = &identity {
            self.host.scope().record(|| Http::CredentialsChosen {
                scheme: identity.scheme().to_owned(),
                why: identity.because.to_owned(),
            });
        }
        let mut lesson = Lesson::first(request, identity.as_ref());
        loop {
            let (exchange, asked) = self.attempt(request, &lesson).await?;
            let entropy = self.host.entropy().as_ref();
            let learnt = lesson.learn(request, identity.as_ref(), &exchange.head, asked, entropy);
            let Some((next, why)) = learnt else { return Ok(exchange) };
            exchange.span.host.scope().record(|| Note::info(why));
            exchange.discard(self.pool).await;
            lesson = next;
        }
    }

    /// One request and its answer, and how it was asked.
    async fn attempt(&self, request: &Request, lesson: &Lesson) -> Result<(Exchange, Asked), WebError> {
        let span = FetchSpan::open(self.host, &request.url);
        let scope = span.host.scope();
        request.watch.begin_request(self.host.now(), &request.method, &request.url);
        let mut way = self.connector.way(scope, &request.url);
        let words = self.words(scope, request, &way);
        way.early = self.early(request, &way, &words, lesson)?;
        let mut connection = self.connection(&span.host, &way, request).await?;
        let is_kept = connection.http.carried() > 0;
        let mut early = connection.began_early && !is_kept;
        let (message, mut expected) = self.message(request, &way, &words, lesson)?;
        let sent = self.send(&mut connection, scope, request, message).await?;
        let response = match sent {
            Err(error) if is_kept && may_retry(&request.method, &error) => {
                let why = format!("the kept one failed: {error}");
                connection = self.new_connection(&span.host, &way, request, why).await?;
                early = connection.began_early;
                let (message, again) = self.message(request, &way, &words, lesson)?;
                expected = again;
                self.send(&mut connection, scope, request, message).await??
            }
            sent => sent?,
        };
        for interim in &response.interim {
            request.watch.on_head(HeadKind::Interim, &request.url, interim);
        }
        request.watch.on_head(HeadKind::Response, &request.url, &response.head);
        if let Framing::Length(length) = response.body.framing() {
            request.watch.learn(|facts| facts.download_length = Some(length));
        }
        let set_cookies = self.keep_cookies(scope, request, &response.head);
        let lease = Lease { key: way.key, connection };
        let exchange = Exchange { head: response.head, body: response.body, lease, span, set_cookies };
        Ok((exchange, Asked { expected, early }))
    }

    async fn send(
        &self,
        connection: &mut Connected,
        scope: &Scope,
        request: &Request,
        message: glasstack_http::Request,
    ) -> Result<Result<glasstack_http::Response, HttpError>, WebError> {
        request.watch.reach(self.host.now(), |timings| &mut timings.pretransfer);
        request.watch.track(message.progress.clone());
        let sent = self.patience.bound_transfer(0, connection.http.send(scope, message)).await?;
        if sent.is_err() {
            request.watch.on_failure(&request.url);
        }
        Ok(sent)
    }

    /// A connection for this way: one that is there already, or a new one.
    async fn connection(&self, host: &Host, way: &Way, request: &Request) -> Result<Connected, WebError> {
        match self.pool.take(&way.key).await {
            Found::Reusable(connection) => {
                request.watch.reach(self.host.now(), |timings| &mut timings.namelookup);
                connection.shown_to(&request.watch);
                host.scope().record(|| Http::ConnectionChosen {
                    remote: connection.remote,
                    connection: connection.span,
                    reused: true,
                    why: format!("it is open, at rest, and leads to {}", way.key),
                });
                Ok(*connection)
            }
            Found::None(why) => self.new_connection(host, way, request, why).await,
        }
    }

    async fn new_connection(
        &self,
        host: &Host,
        way: &Way,
        request: &Request,
        why: String,
    ) -> Result<Connected, WebError> {
        let mut made = Box::pin(self.connector.connect(host, way, &request.watch)).await;
        if let Err(WebError::Tls(TlsError::EarlyDataInOldVersion)) = made {
            // RFC 8446 D.3: nothing of it was heard.
            host.scope().record(|| Note::info("the connection is made again without early data"));
            let mut way = way.clone();
            way.early = Early::NotWanted;
            made = Box::pin(self.connector.connect(host, &way, &request.watch)).await;
        }
        let connection = made?;
        connection.shown_to(&request.watch);
        host.scope().record(|| Http::ConnectionChosen {
            remote: connection.remote,
            connection: connection.span,
            reused: false,
            why,
        });
        Ok(connection)
    }

    /// What is said beside the body, decided and told once although it may be said twice.
    fn words(&self, scope: &Scope, request: &Request, way: &Way) -> Words {
        let mut edits = request.headers.clone();
        let rules = self.connector.proxy_rules();
        let mut proxy_authorization = None;
        if let (Some((proxy, _)), true) = (&way.proxy, way.is_forwarded()) {
            edits.extend(rules.headers.iter().cloned());
            proxy_authorization = rules
                .credentials_for(proxy)
                .map(|(user, password)| basic(user.as_bytes(), password.as_bytes()));
        }
        let cookie = self.cookie_field(scope, request);
        Words { proxy_authorization, cookie, edits }
    }

    /// What of the request may be sent before the handshake is over.
    fn early(&self, request: &Request, way: &Way, words: &Words, lesson: &Lesson) -> Result<Early, WebError> {
        if !self.config.early_data || !way.is_secure() {
            return Ok(Early::NotWanted);
        }
        if lesson.not_early {
            return Ok(Early::Waits(Waits::TooEarly));
        }
        let (message, _) = self.message(request, way, words, lesson)?;
        Ok(Early::of(&message, request.body.is_some(), self.connector.has_identity())?)
    }

    /// The request as it is sent, and whether its body waits for `100 Continue`.
    fn message(
        &self,
        request: &Request,
        way: &Way,
        words: &Words,
        lesson: &Lesson,
    ) -> Result<(glasstack_http::Request, bool), WebError> {
        let body = match &request.body {
            Some(_) if lesson.without_body => RequestBody::Bytes(Bytes::new()),
            Some(body) => body.open().map_err(WebError::Upload)?,
            None => RequestBody::Empty,
        };
        let length = request.body.as_ref().and_then(|_| body.length());
        let said = Said {
            host: host_field(&request.url),
            proxy_authorization: words.proxy_authorization.clone(),
            authorization: lesson.authorization.clone(),
            range: range_field(request, length),
            user_agent: self.config.user_agent.clone(),
            compressed: self.config.compressed,
            referer: request.referer.clone(),
            forwarded: way.is_forwarded(),
            cookie: words.cookie.clone(),
            condition: condition_field(request.time_condition),
            content_type: request.body.as_ref().and(request.body_type.clone()),
        };
        let expects = !lesson.without_expect
            && self.config.version == Version::HTTP_11
            && wants_to_be_asked(request, &words.edits, length);
        let mut headers = compose(said, &words.edits);
        if lesson.without_expect {
            headers.remove(&EXPECT);
        }
        let target = match &request.target {
            Some(target) => Target::Custom(target.clone()),
            None if way.is_forwarded() => Target::Absolute,
            None => Target::Origin,
        };
        let message = glasstack_http::Request {
            headers,
            body,
            target,
            version: self.config.version,
            expect_timeout: expects.then_some(self.config.expect_timeout),
            reading: self.config.reading,
            ..glasstack_http::Request::new(request.method.clone(), request.url.clone())
        };
        Ok((message, expects))
    }

    /// What goes into `Cookie`: those of the jar, and behind them what the user said.
    fn cookie_field(&self, scope: &Scope, request: &Request) -> Option<String> {
        let of_jar = self.config.cookies.as_ref().and_then(|jar| {
            let chosen = lock(jar).choose(&request.url, self.host.wall());
            for cookie in &chosen.sent {
                scope.record(|| Http::CookieChosen {
                    name: cookie.name.clone(),
                    sent: true,
                    why: format!("it is for {}{}", cookie.domain, cookie.path),
                });
            }
            for (name, why) in &chosen.withheld {
                scope.record(|| Http::CookieChosen { name: name.clone(), sent: false, why: why.to_string() });
            }
            chosen.field()
        });
        let is_edited = request.headers.iter().any(|edit| *edit.name() == COOKIE);
        match (of_jar, request.cookie.clone().filter(|_| !is_edited)) {
            (Some(of_jar), Some(said)) => Some(format!("{of_jar}; {said}")),
            (of_jar, said) => of_jar.or(said),
        }
    }

    /// Puts the response's cookies into the jar; whether anything changed there.
    fn keep_cookies(&self, scope: &Scope, request: &Request, head: &ResponseHead) -> bool {
        let Some(jar) = &self.config.cookies else { return false };
        let fields = head.headers.get_all(SET_COOKIE);
        let fields = fields.iter().map(|value| value.as_bytes());
        let judged = lock(jar).store_all(fields, &request.url, self.host.wall());
        for one in &judged {
            scope.record(|| Http::CookieReceived {
                name: one.name.clone(),
                host: request.url.host_str().unwrap_or_default().to_owned(),
                kept: one.verdict.is_kept(),
                why: one.verdict.to_string(),
            });
        }
        !judged.is_empty()
    }
}

/// What is said beside the body.
struct Words {
    proxy_authorization: Option<String>,
    cookie: Option<String>,
    edits: Vec<HeaderEdit>,
}

/// From this length on, in bytes, curl asks whether a form is wanted.
const LARGE_FORM: u64 = 1024 * 1024;

/// Whether the body waits until the server wants it (RFC 9110 10.1.1), as curl decides it.
fn wants_to_be_asked(request: &Request, edits: &[HeaderEdit], length: Option<u64>) -> bool {
    if request.body.is_none() {
        return false;
    }
    match edits.iter().find(|edit| *edit.name() == EXPECT) {
        Some(HeaderEdit::Set { value, .. }) => value.as_bytes().eq_ignore_ascii_case(b"100-continue"),
        Some(HeaderEdit::Remove(_)) => false,
        // An upload always, unless it is empty.
        None if request.body_type.is_none() => length != Some(0),
        None => length.is_none_or(|length| length > LARGE_FORM),
    }
}

fn lock(jar: &SharedJar) -> std::sync::MutexGuard<'_, crate::cookies::CookieJar> {
    jar.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a response that leads on is read, so that its connection may be used again, up to this
/// many bytes.
const DISCARD: u64 = 64 * 1024;
/// And for this long.
const DISCARD_TIME: Duration = Duration::from_secs(5);

impl Exchange {
    /// Nobody wants the body.
    pub(crate) async fn discard(mut self, pool: &Pool) {
        let host = self.span.host.clone();
        let body = &mut self.body;
        let reading = async {
            while body.received() <= DISCARD {
                match body.chunk().await {
                    Ok(Some(_)) => {}
                    // Whether the connection is of any more use is asked when it is needed.
                    Ok(None) | Err(_) => return true,
                }
            }
            false
        };
        if host.timeout(DISCARD_TIME, reading).await == Ok(true) {
            return pool.put(self.lease);
        }
        host.scope().record(|| {
            Note::info("the response's body is too long to be read for nothing: its connection is given up")
        });
    }
}

/// The span of one request; it ends when this is dropped.
pub(crate) struct FetchSpan {
    pub(crate) host: Host,
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

/// RFC 9112 9.3.1: what failed on a kept connection because its server closed it meanwhile may be
/// sent again, if sending it twice does no harm (RFC 9110 9.2.2) or it was never sent.
fn may_retry(method: &Method, error: &HttpError) -> bool {
    matches!(error, HttpError::Closed) || (error.is_stale_connection() && method.is_idempotent())
}

/// Tells what no layer below has told.
pub(crate) fn tell_failure(host: &Host, error: &WebError) {
    if !error.is_told() {
        host.scope().record(|| Http::Failed { why: error.to_string() });
    }
}
