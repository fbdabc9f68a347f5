//! Fetches revocation lists and OCSP answers for `tls`, over the same stack and resolver as everything
//! else.
//!
//! It speaks plain HTTP only: a list over https would come over a connection whose certificate has to
//! be judged in turn, and what is fetched is signed anyway. No cookies, no credentials, no decoding go
//! along: whoever stands in a certificate gets nothing but the question. Where requests go through a
//! proxy, so do these, for who must not be seen by servers must not be seen by responders either.

use crate::connector::{Connector, Way};
use crate::error::WebError;
use crate::headers::basic;
use crate::proxy::ProxyRules;
use crate::watch::Watch;
use glasstack_dns::Resolver;
use glasstack_http::header::LOCATION;
use glasstack_http::{HttpError, Limits, Method, Request, RequestBody, ResponseHead, Target};
use glasstack_journal::{Note, Scope, SpanKind};
use glasstack_stack::Host;
use glasstack_tls::revocation::{
    FetchBody, FetchError, FetchRequest, Fetching, RevocationSource, SharedSource,
};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How many redirects are followed.
const MAX_REDIRECTS: u32 = 3;
/// How long all addresses of one server may be silent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a closing connection waits for its server's goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches from one host.
#[derive(Clone)]
pub struct HttpRevocationSource {
    host: Host,
    resolver: Resolver,
    proxies: ProxyRules,
}

impl HttpRevocationSource {
    /// Fetches from `host`, whose names `resolver` knows; as a client's or server's configuration
    /// wants it.
    pub fn shared(host: &Host, resolver: &Resolver) -> SharedSource {
        Self::through(ProxyRules::default(), host, resolver)
    }

    /// The same, through the proxies that are for the `http` URLs in question. Whoever makes TLS
    /// sessions with those of them that want it must not fetch in turn.
    pub fn through(proxies: ProxyRules, host: &Host, resolver: &Resolver) -> SharedSource {
        Arc::new(Self { host: host.clone(), resolver: resolver.clone(), proxies })
    }
}

impl RevocationSource for HttpRevocationSource {
    fn fetch<'a>(&'a self, scope: &'a Scope, request: FetchRequest) -> Fetching<'a> {
        Box::pin(async move {
            let url = parse(&request.url)?;
            let limit = request.timeout;
            let limits = Limits { max_body: Some(request.max_bytes as u64), ..Limits::default() };
            let (resolver, proxies) = (self.resolver.clone(), self.proxies.clone());
            let connector = Connector::plain(resolver, proxies, limits, CONNECT_TIMEOUT);
            let errand = Errand { span: Span::open(&self.host, scope, &url), connector };
            match self.host.timeout(limit, errand.run(url, &request)).await {
                Ok(done) => done,
                Err(_) => Err(FetchError::TimedOut { limit }),
            }
        })
    }
}

/// A URL from a certificate, if it is one that is spoken.
fn parse(text: &str) -> Result<Url, FetchError> {
    let url = Url::parse(text).map_err(|_| FetchError::Url)?;
    let why = match url.scheme() {
        "http" if url.host().is_some() => return Ok(url),
        "http" => return Err(FetchError::Url),
        "https" => "the certificate of that server would have to be judged in turn",
        _ => "only http is",
    };
    Err(FetchError::Scheme { scheme: url.scheme().to_owned(), why })
}

/// One fetch, redirects and all.
struct Errand {
    span: Span,
    connector: Connector,
}

impl Errand {
    async fn run(&self, mut url: Url, request: &FetchRequest) -> Result<Vec<u8>, FetchError> {
        for _ in 0..=MAX_REDIRECTS {
            match self.ask(&url, request).await? {
                Reply::Body(body) => return Ok(body),
                Reply::Elsewhere(to) => {
                    self.span.host.scope().record(|| Note::info(format!("{url} leads to {to}")));
                    url = to;
                }
            }
        }
        Err(FetchError::Redirects { limit: MAX_REDIRECTS })
    }

    /// One request and its answer.
    async fn ask(&self, url: &Url, request: &FetchRequest) -> Result<Reply, FetchError> {
        let host = &self.span.host;
        let limit = request.max_bytes;
        let way = self.connector.way(host.scope(), url);
        let connected = self.connector.connect(host, &way, &Watch::default()).await;
        let mut connection = connected.map_err(unconnected)?.http;
        let mut message = message(url, request.body.as_ref())?;
        self.address(&mut message, &way)?;
        let mut response =
            connection.send(host.scope(), message).await.map_err(|error| http(error, limit))?;
        if let Some(to) = elsewhere(&response.head, url, request)? {
            return Ok(Reply::Elsewhere(to));
        }
        let status = response.head.status.as_u16();
        if status != 200 {
            return Err(FetchError::Status { status });
        }
        let body = response.body.read_all(limit as u64).await.map_err(|error| http(error, limit))?;
        let closer = host.clone();
        host.spawn(async move {
            // A server that does not close its side is left to TCP's own patience.
            let _ = closer.timeout(CLOSE_TIMEOUT, connection.close()).await;
        });
        Ok(Reply::Body(body.to_vec()))
    }

    /// RFC 9112 3.2.2: to a proxy that reads requests, the whole URL, and who asks it.
    fn address(&self, message: &mut Request, way: &Way) -> Result<(), FetchError> {
        let (Some((proxy, _)), true) = (&way.proxy, way.is_forwarded()) else { return Ok(()) };
        message.target = Target::Absolute;
        if let Some((user, password)) = self.connector.proxy_rules().credentials_for(proxy) {
            let value = basic(user.as_bytes(), password.as_bytes());
            let value = value.parse().map_err(|_| FetchError::Url)?;
            message.headers.push("Proxy-Authorization", value).map_err(|_| FetchError::Url)?;
        }
        Ok(())
    }
}

enum Reply {
    Body(Vec<u8>),
    Elsewhere(Url),
}

/// RFC 9110 15.4: where an answer leads. A POST is repeated only where that is meant (307, 308).
fn elsewhere(head: &ResponseHead, url: &Url, request: &FetchRequest) -> Result<Option<Url>, FetchError> {
    let leads = match head.status.as_u16() {
        307 | 308 => true,
        301..=303 => request.body.is_none(),
        _ => false,
    };
    let location = head.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    match location.filter(|_| leads) {
        None => Ok(None),
        Some(location) => {
            let to = url.join(location).map_err(|_| FetchError::Url)?;
            parse(to.as_str()).map(Some)
        }
    }
}

/// RFC 6960 A.1, RFC 5280 4.2.1.13.
fn message(url: &Url, body: Option<&FetchBody>) -> Result<Request, FetchError> {
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::new(method, url.clone());
    let mut fields = vec![
        ("Host", crate::headers::host_field(url)),
        ("User-Agent", concat!("glasstack/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("Accept", "*/*".to_owned()),
        ("Connection", "close".to_owned()),
    ];
    if let Some(body) = body {
        fields.push(("Content-Type", body.media_type.to_owned()));
        request.body = RequestBody::Bytes(body.bytes.clone().into());
    }
    for (name, value) in fields {
        let value = value.parse().map_err(|_| FetchError::Url)?;
        request.headers.push(name, value).map_err(|_| FetchError::Url)?;
    }
    Ok(request)
}

/// One connection is told by what became of its last address.
fn unconnected(error: WebError) -> FetchError {
    let why = match &error {
        WebError::Connect(failure) => failure.attempts.last().map(|(_, error)| error.to_string()),
        _ => None,
    };
    FetchError::Failed { why: why.unwrap_or_else(|| error.to_string()) }
}

fn http(error: HttpError, limit: usize) -> FetchError {
    match error {
        HttpError::BodyTooLarge { .. } => FetchError::TooLong { limit },
        error => FetchError::Failed { why: error.to_string() },
    }
}

/// A span of its own below the connection that needs the answer.
struct Span {
    host: Host,
}

impl Span {
    fn open(host: &Host, scope: &Scope, url: &Url) -> Self {
        Self { host: host.within(scope.enter(SpanKind::Fetch { url: url.as_str().to_owned() })) }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.host.scope().close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_http::Version;

    #[test]
    fn only_http_is_spoken_and_what_is_not_says_why() {
        assert!(parse("http://crl.test/ca.crl").is_ok());
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(
            refused("https://crl.test/ca.crl").starts_with("https is not spoken for revocation: the cert")
        );
        assert!(refused("ldap://ldap.test/cn=CA").starts_with("ldap is not spoken for revocation"));
        assert_eq!(refused("ca.crl"), "it is no URL");
    }

    #[test]
    fn a_redirect_to_https_is_refused_and_a_post_is_repeated_only_where_that_is_meant() {
        let head = |status: u16, to: &str| ResponseHead {
            version: Version::HTTP_11,
            status: status.try_into().unwrap(),
            reason: String::new(),
            headers: [(LOCATION, to.parse().unwrap())].into_iter().collect(),
            raw: Vec::new(),
        };
        let url = Url::parse("http://ocsp.test/a/").unwrap();
        let get = FetchRequest { url: url.to_string(), body: None, max_bytes: 1, timeout: CONNECT_TIMEOUT };
        let body = FetchBody { media_type: "application/ocsp-request", bytes: vec![1] };
        let post = FetchRequest { body: Some(body), ..get.clone() };
        let leads = |status, to, request| elsewhere(&head(status, to), &url, request);
        assert_eq!(leads(302, "b", &get).unwrap().unwrap().as_str(), "http://ocsp.test/a/b");
        assert_eq!(leads(302, "b", &post), Ok(None));
        assert!(leads(307, "b", &post).unwrap().is_some());
        assert!(matches!(leads(302, "https://ocsp.test/", &get), Err(FetchError::Scheme { .. })));
    }
}
