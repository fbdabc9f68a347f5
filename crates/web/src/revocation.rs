//! Fetches revocation lists and OCSP answers for `tls`, over the same stack and resolver as everything
//! else.
//!
//! It speaks plain HTTP only: a list over https would come over a connection whose certificate has to
//! be judged in turn, and what is fetched is signed anyway. No cookies, no credentials, no proxy, no
//! decoding go along: whoever stands in a certificate gets nothing but the question.

use glasstack_dns::Resolver;
use glasstack_http::header::LOCATION;
use glasstack_http::{Connection, HttpError, Limits, Method, Request, RequestBody, ResponseHead};
use glasstack_journal::{Note, Scope, SpanKind};
use glasstack_stack::{ConnectOptions, Host, TcpStream};
use glasstack_tls::revocation::{
    FetchBody, FetchError, FetchRequest, Fetching, RevocationSource, SharedSource,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How many redirects are followed.
const MAX_REDIRECTS: u32 = 3;
/// How long one address may be silent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a closing connection waits for its server's goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches from one host.
#[derive(Clone)]
pub struct HttpRevocationSource {
    host: Host,
    resolver: Resolver,
}

impl HttpRevocationSource {
    /// Fetches from `host`, whose names `resolver` knows; as a client's or server's configuration
    /// wants it.
    pub fn shared(host: &Host, resolver: &Resolver) -> SharedSource {
        Arc::new(Self { host: host.clone(), resolver: resolver.clone() })
    }
}

impl RevocationSource for HttpRevocationSource {
    fn fetch<'a>(&'a self, scope: &'a Scope, request: FetchRequest) -> Fetching<'a> {
        Box::pin(async move {
            let url = parse(&request.url)?;
            let limit = request.timeout;
            let errand = Errand { span: Span::open(&self.host, scope, &url), resolver: &self.resolver };
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
struct Errand<'a> {
    span: Span,
    resolver: &'a Resolver,
}

impl Errand<'_> {
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
        let limits = Limits { max_body: Some(limit as u64), ..Limits::default() };
        let tcp = self.dial(url).await?;
        tcp.set_nodelay(true);
        let mut connection = Connection::open(host, tcp, limits).await.map_err(|error| http(error, limit))?;
        let message = message(url, request.body.as_ref())?;
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

    /// Name and TCP, address by address.
    async fn dial(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let failed = |why: String| FetchError::Failed { why };
        let host = &self.span.host;
        let name = url.host_str().unwrap_or_default();
        let name = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(name);
        let port = url.port_or_known_default().unwrap_or(80);
        let lookup = self.resolver.within(host).resolve_port(name, port).await;
        let lookup = lookup.map_err(|error| failed(error.to_string()))?;
        let mut last = failed(format!("{name} has no address"));
        for address in &lookup.addresses {
            let usual = ConnectOptions::default();
            let options = ConnectOptions { timeout: CONNECT_TIMEOUT.min(usual.timeout), ..usual };
            match host.connect_with(SocketAddr::new(*address, port), &options).await {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    host.scope().record(|| Note::info(error.to_string()));
                    last = failed(error.to_string());
                }
            }
        }
        Err(last)
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
