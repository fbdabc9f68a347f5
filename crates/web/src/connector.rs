//! From a URL to an HTTP connection: name, addresses, TCP, TLS.

use crate::error::WebError;
use glasstack_dns::Resolver;
use glasstack_http::{Connection, Limits};
use glasstack_journal::{Note, SpanId};
use glasstack_stack::{ConnectError, ConnectOptions, Host, TcpStream};
use glasstack_tls::TlsClient;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// What makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) resolver: Resolver,
    pub(crate) tls: TlsClient,
    pub(crate) limits: Limits,
    /// For name, TCP and TLS together, as curl's `--connect-timeout`.
    pub(crate) timeout: Duration,
}

/// A connection, and where it leads.
pub(crate) struct Connected {
    pub(crate) http: Connection,
    pub(crate) remote: SocketAddr,
    /// The TCP connection's own span.
    pub(crate) span: Option<SpanId>,
}

/// None of a host's addresses could be connected to.
#[derive(Clone, Debug)]
pub struct ConnectFailure {
    /// The host.
    pub host: String,
    /// Every address tried, in order, and what became of it.
    pub attempts: Vec<(SocketAddr, ConnectError)>,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: ", self.host)?;
        for (index, (_, error)) in self.attempts.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectFailure {}

impl ConnectFailure {
    /// Whether the last address tried was silent until the time was up.
    pub fn is_timeout(&self) -> bool {
        matches!(self.attempts.last(), Some((_, ConnectError::TimedOut { .. })))
    }
}

impl Connector {
    /// Makes a connection for `url`; `host` speaks from the span of the fetch that needs it.
    pub(crate) async fn connect(&self, host: &Host, url: &Url) -> Result<Connected, WebError> {
        match host.timeout(self.timeout, self.connect_patiently(host, url)).await {
            Ok(result) => result,
            Err(elapsed) => Err(WebError::ConnectTimedOut {
                host: url.host_str().unwrap_or_default().to_owned(),
                limit: elapsed.limit,
            }),
        }
    }

    async fn connect_patiently(&self, host: &Host, url: &Url) -> Result<Connected, WebError> {
        let port = url.port_or_known_default().unwrap_or(80);
        let name = url.host_str().unwrap_or_default();
        let addresses = self.resolve(host, name, port).await?;
        let tcp = self.first_that_answers(host, name, &addresses).await?;
        let remote = tcp.peer_addr();
        let span = tcp.scope().span();
        // A request is one write, and its answer is waited for: Nagle's algorithm would only delay
        // the last piece of a long one.
        tcp.set_nodelay(true);
        let http = if url.scheme() == "https" {
            let scope = tcp.scope().clone();
            let tls = self.tls.connect(&scope, tcp, unbracketed(name)).await?;
            Connection::open(host, tls, self.limits.clone()).await?
        } else {
            Connection::open(host, tcp, self.limits.clone()).await?
        };
        Ok(Connected { http, remote, span })
    }

    async fn resolve(&self, host: &Host, name: &str, port: u16) -> Result<Vec<SocketAddr>, WebError> {
        let lookup = self.resolver.within(host).resolve_port(unbracketed(name), port).await?;
        Ok(lookup.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }

    /// Tries the addresses in the resolver's order. As in curl, one that is silent may use up half
    /// of the time that is left, and the last one all of it.
    async fn first_that_answers(
        &self,
        host: &Host,
        name: &str,
        addresses: &[SocketAddr],
    ) -> Result<TcpStream, WebError> {
        let deadline = host.now() + self.timeout;
        let mut attempts = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            let left = deadline.since(host.now());
            let is_last = index + 1 == addresses.len();
            let share = if is_last { left } else { left / 2 };
            let usual = ConnectOptions::default();
            let options = ConnectOptions { timeout: share.min(usual.timeout), ..usual };
            match host.connect_with(*address, &options).await {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    if !is_last {
                        host.scope().record(|| Note::info(format!("{error}: trying the next address")));
                    }
                    attempts.push((*address, error));
                }
            }
        }
        Err(ConnectFailure { host: name.to_owned(), attempts }.into())
    }
}

/// A URL's IPv6 host without its brackets.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}
