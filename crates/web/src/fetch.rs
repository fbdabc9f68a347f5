//! A fetch: a request, the redirects that it meets, and one body at the end.

use crate::address_bar::{hide_password, without_password};
use crate::body::{Arrival, ResponseBody};
use crate::conditions::{self, PassedOver};
use crate::config::ClientConfig;
use crate::connector::Connector;
use crate::error::WebError;
use crate::exchange::{Exchange, Exchanger, tell_failure};
use crate::patience::Patience;
use crate::pool::Pool;
use crate::request::Request;
use crate::watch::Watch;
use glasstack_http::redirect::{self, Chain};
use glasstack_http::{
    Coding, Decoded, Method, Redirect, RedirectError, RedirectPolicy, ResponseHead, StatusCode,
};
use glasstack_journal::Note;
use glasstack_journal::event::Http;
use glasstack_stack::Host;
use std::fmt;
use std::sync::Arc;
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
        Self {
            host: host.clone(),
            pool: Arc::new(Pool::new(host.clone(), config.close_timeout)),
            connector: Arc::new(Connector::new(&config)),
            config: Arc::new(config),
        }
    }

    /// Sends a request, follows redirects if it should, and comes back with the head of the last
    /// response; the body follows as it arrives.
    pub async fn fetch(&self, request: Request) -> Result<Response, WebError> {
        let watch = request.watch.clone();
        watch.begin(self.host.now());
        let patience = Patience::begin(&self.host, &watch, self.config.max_time, self.config.low_speed);
        // Whoever holds this future in his own is spared the size of all that is inside.
        let following = Box::pin(self.follow(request, &patience));
        let fetched = patience.bound(0, following).await.and_then(|result| result);
        fetched.inspect_err(|error| {
            watch.end(self.host.now());
            tell_failure(&self.host, error);
        })
    }

    /// Closes all connections in order (close_notify where there is TLS, FIN), and waits until their
    /// servers have closed them too, or the patience for that is at its end.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn follow(&self, mut request: Request, patience: &Patience) -> Result<Response, WebError> {
        if !self.config.schemes.allow(&request.url) {
            return Err(WebError::SchemeNotAllowed { url: without_password(&request.url) });
        }
        let exchanger = Exchanger {
            host: &self.host,
            config: &self.config,
            connector: &self.connector,
            pool: &self.pool,
            patience,
        };
        let mut trail = Trail::new(&self.config, &request);
        let mut hops = Vec::new();
        loop {
            trail.on_request(&request);
            request.watch.learn(|facts| facts.referer.clone_from(&request.referer));
            let exchange = Box::pin(exchanger.exchange(&request)).await?;
            let redirect = match trail.next(&request, &exchange) {
                Ok(None) => return self.deliver(request, hops, exchange, patience.clone()),
                Ok(Some(redirect)) => redirect,
                Err(error) => {
                    exchange.discard(&self.pool).await;
                    return Err(error);
                }
            };
            tell_redirect(&exchange, &request, &redirect, self.config.location_trusted, trail.count());
            hops.push(Hop { url: request.url.clone(), head: exchange.head.clone() });
            exchange.discard(&self.pool).await;
            request.watch.on_redirect(self.host.now());
            let from = request.url.clone();
            request = request.redirected(redirect, self.config.location_trusted);
            if self.config.referer_auto {
                request.referer = Some(as_referer(from));
            }
        }
    }

    fn deliver(
        &self,
        request: Request,
        hops: Vec<Hop>,
        exchange: Exchange,
        patience: Patience,
    ) -> Result<Response, WebError> {
        let passed_over = conditions::judge(&request, &exchange.head, exchange.body.framing())?;
        let Exchange { head, body, lease, span, .. } = exchange;
        let Request { url, watch, .. } = request;
        // What has no body, as the answer to HEAD, needs no decoding; what is to stay raw gets none.
        let decodes = self.config.compressed && !self.config.reading.raw;
        let codings = if decodes && !body.is_complete() && passed_over.is_none() {
            Coding::of(&head.headers)?
        } else {
            Vec::new()
        };
        let mut body = ResponseBody {
            decoded: Decoded::new(body, codings, self.config.decode.clone()),
            lease: Some(lease),
            pool: Arc::clone(&self.pool),
            patience,
            span: Some(span),
            arrival: Arrival {
                host: self.host.clone(),
                url: url.clone(),
                status: head.status.as_u16(),
                watch: watch.clone(),
            },
        };
        if let Some(why) = passed_over {
            self.host.scope().record(|| Note::info(format!("the body is not looked at: {}", why.because())));
            if why == PassedOver::TimeCondition {
                // As curl has it: that is what the server should have said.
                watch.learn(|facts| facts.status = StatusCode::NOT_MODIFIED.as_u16());
            }
            body.pass_over();
        }
        Ok(Response { url, head, hops, body, watch, passed_over })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The redirects of one fetch: which one is followed, and how.
struct Trail<'a> {
    config: &'a ClientConfig,
    policy: RedirectPolicy,
    chain: Chain,
    followed: u32,
}

impl<'a> Trail<'a> {
    fn new(config: &'a ClientConfig, request: &Request) -> Self {
        let policy = RedirectPolicy { limit: config.max_redirects, keep_method: request.method_by_name };
        Self { config, policy, chain: Chain::default(), followed: 0 }
    }

    fn on_request(&mut self, request: &Request) {
        self.chain.on_request(&request.method, &request.url);
    }

    /// How many so far, the one that is about to be followed included, and how many are allowed.
    fn count(&self) -> (u32, u32) {
        (self.followed, self.policy.limit)
    }

    /// The redirect that is followed; none: this is the last response.
    fn next(&mut self, request: &Request, exchange: &Exchange) -> Result<Option<Redirect>, WebError> {
        let head = &exchange.head;
        // RFC 9110 15.4.1: what 300 prefers may be followed, and keeps its method.
        let status = match head.status.as_u16() {
            300 => StatusCode::TEMPORARY_REDIRECT,
            _ => head.status,
        };
        let next = redirect::next(&request.method, &request.url, status, &head.headers, &self.policy);
        if !self.config.follow {
            let would = next.ok().flatten().map(|redirect| redirect.url);
            request.watch.learn(|facts| facts.redirect_url = would);
            return Ok(None);
        }
        let Some(mut redirect) = next? else { return Ok(None) };
        if self.followed >= self.policy.limit {
            let to = redirect.url;
            request.watch.learn(|facts| facts.redirect_url = Some(to.clone()));
            let to = without_password(&to);
            return Err(RedirectError::TooMany { limit: self.policy.limit, to }.into());
        }
        // Who has a cookie now is another than he was: the same question may get another answer.
        if exchange.set_cookies {
            self.chain = Chain::default();
            self.chain.on_request(&request.method, &request.url);
        } else {
            // The limit is looked at above.
            let endless = RedirectPolicy { limit: u32::MAX, ..self.policy.clone() };
            let seen = self.chain.next(&request.method, &request.url, status, &head.headers, &endless);
            seen.map_err(|error| match error {
                RedirectError::Loop { method, url } => {
                    RedirectError::Loop { method, url: hide_password(&url) }
                }
                error => error,
            })?;
        }
        if !self.config.redirect_schemes.allow(&redirect.url) {
            return Err(WebError::SchemeNotAllowed { url: without_password(&redirect.url) });
        }
        self.keep_post(request, head.status, &mut redirect);
        self.followed += 1;
        Ok(Some(redirect))
    }

    /// curl's `--post301` and its sisters.
    fn keep_post(&self, request: &Request, status: StatusCode, redirect: &mut Redirect) {
        let keep = match status.as_u16() {
            301 => self.config.keep_post.on_301,
            302 => self.config.keep_post.on_302,
            303 => self.config.keep_post.on_303,
            _ => false,
        };
        if keep && request.method == Method::POST && redirect.drop_body {
            redirect.method = Method::POST;
            redirect.drop_body = false;
            redirect.method_because =
                format!("POST, which a {} keeps because it was asked to", status.as_u16());
        }
    }
}

/// RFC 9110 10.1.3: a URL as `Referer` may say it, without fragment, user and password.
fn as_referer(mut url: Url) -> String {
    url.set_fragment(None);
    // These fail only for URLs that have no host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

fn tell_redirect(
    exchange: &Exchange,
    request: &Request,
    redirect: &Redirect,
    trusted: bool,
    count: (u32, u32),
) {
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
    if !redirect.cross_origin {
        return;
    }
    let edited = request.headers.iter().filter(|edit| edit.stays_with_origin());
    let mut concerned: Vec<&str> = edited.map(|edit| edit.name().as_str()).collect();
    if request.credentials.is_some() && !concerned.contains(&"authorization") {
        concerned.push("authorization");
    }
    if request.cookie.is_some() && !concerned.contains(&"cookie") {
        concerned.push("cookie");
    }
    if concerned.is_empty() {
        return;
    }
    let concerned = concerned.join(", ");
    scope.record(|| match trusted {
        false => Note::info(format!("{concerned} not sent on: the redirect leads to another origin")),
        true => Note::warning(format!("{concerned} sent on to another origin, because that is trusted")),
    });
}
