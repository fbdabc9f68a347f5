//! From a URL to an HTTP connection: proxy, name, addresses, TCP, TLS.

use crate::config::{ClientConfig, ConnectTo, TcpOptions};
use crate::early_data::Early;
use crate::error::{ConnectFailure, WebError};
use crate::proxy::socks::{self, Destination, SocksError};
use crate::proxy::tunnel::{self, Gate};
use crate::proxy::{Proxy, ProxyRules, ProxyScheme, Wire};
use crate::watch::Watch;
use glasstack_dns::Resolver;
use glasstack_http::{Connection, Limits};
use glasstack_journal::event::Http;
use glasstack_journal::{Note, Scope, SpanId};
use glasstack_stack::{ConnectError, ConnectOptions, Host, TcpStream};
use glasstack_tls::{EarlyData, PeerCertificates, TlsClient};
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// What makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    resolver: Resolver,
    /// None: `http` alone.
    tls: Option<TlsClient>,
    limits: Limits,
    /// For name, TCP and TLS together, as curl's `--connect-timeout`.
    timeout: Duration,
    tcp: TcpOptions,
    connect_to: Vec<ConnectTo>,
    proxy: ProxyRules,
    user_agent: Option<String>,
}

/// A connection, and where it leads.
pub(crate) struct Connected {
    pub(crate) http: Connection,
    pub(crate) local: SocketAddr,
    /// A proxy's where there is one.
    pub(crate) remote: SocketAddr,
    /// The TCP connection's own span.
    pub(crate) span: Option<SpanId>,
    /// The server's, its own first.
    pub(crate) certificates: PeerCertificates,
    /// Whether the server took the first request before the TLS handshake was over.
    pub(crate) began_early: bool,
}

impl Connected {
    /// It can be used, new or kept.
    pub(crate) fn shown_to(&self, watch: &Watch) {
        watch.on_connection((self.local, self.remote), &self.certificates);
    }
}

/// How a URL's server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// What a connection made for it is good for: all that have the same.
    pub(crate) key: String,
    /// Where it ends: the URL's host and port, unless `--connect-to` says otherwise.
    host: String,
    port: u16,
    /// Whether TLS is spoken with the server.
    secure: bool,
    /// Whose certificate that has to be.
    server_name: String,
    pub(crate) proxy: Option<(Proxy, Means)>,
    /// What may be sent before the TLS handshake is over (0-RTT).
    pub(crate) early: Early,
}

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// It reads requests and sends them on.
    Forward,
    /// It carries bytes, once it was asked to by CONNECT.
    Tunnel,
    /// It carries bytes, by SOCKS.
    Socks,
}

impl Way {
    /// Whether TLS is spoken with the server.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether requests are read by a proxy that sends them on.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(self.proxy, Some((_, Means::Forward)))
    }
}

impl Connector {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        let limits =
            Limits { max_body: config.max_filesize.or(config.limits.max_body), ..config.limits.clone() };
        Self {
            resolver: config.resolver.clone(),
            tls: Some(config.tls.clone()),
            limits,
            timeout: config.connect_timeout,
            tcp: config.tcp.clone(),
            connect_to: config.connect_to.clone(),
            proxy: config.proxy.clone(),
            user_agent: config.user_agent.clone(),
        }
    }

    /// For `http` URLs alone, through these proxies.
    pub(crate) fn plain(resolver: Resolver, proxy: ProxyRules, limits: Limits, timeout: Duration) -> Self {
        Self {
            resolver,
            tls: None,
            limits,
            timeout,
            tcp: TcpOptions::default(),
            connect_to: Vec::new(),
            proxy,
            user_agent: Some(concat!("glasstack/", env!("CARGO_PKG_VERSION")).to_owned()),
        }
    }

    /// How `url` is reached; tells why through this proxy, or why through none although there are
    /// some.
    pub(crate) fn way(&self, scope: &Scope, url: &Url) -> Way {
        let name = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(80);
        let origin = url.origin().ascii_serialization();
        let elsewhere = self.connect_to.iter().find(|rule| rule.fits(unbracketed(name), port));
        let (host, to_port) = match elsewhere {
            Some(rule) => (rule.to_host.as_deref().unwrap_or(name), rule.to_port.unwrap_or(port)),
            None => (name, port),
        };
        let mut way = Way {
            key: origin.clone(),
            host: unbracketed(host).to_owned(),
            port: to_port,
            secure: url.scheme() == "https",
            server_name: unbracketed(name).to_owned(),
            proxy: None,
            early: Early::NotWanted,
        };
        if elsewhere.is_some() {
            way.key = format!("{origin} at {host}:{to_port}");
        }
        if self.proxy.is_empty() {
            return way;
        }
        let (proxy, why) = self.proxy.choose(url);
        scope.record(|| Http::ProxyChosen { proxy: proxy.map(Proxy::to_string), why });
        if let Some(proxy) = proxy {
            let means = match proxy.scheme {
                ProxyScheme::Http | ProxyScheme::Https => {
                    // As curl: what leads elsewhere must not be read on the way.
                    let carries = way.secure || self.proxy.tunnel || elsewhere.is_some();
                    if carries { Means::Tunnel } else { Means::Forward }
                }
                _ => Means::Socks,
            };
            way.key = match means {
                Means::Forward => format!("{proxy} for any http URL"),
                Means::Tunnel | Means::Socks => format!("{} through {proxy}", way.key),
            };
            way.proxy = Some((proxy.clone(), means));
        }
        way
    }

    /// Whether servers may be shown a certificate of ours.
    pub(crate) fn has_identity(&self) -> bool {
        self.tls.as_ref().is_some_and(TlsClient::has_identity)
    }

    /// User and password for a proxy that reads requests.
    pub(crate) fn proxy_rules(&self) -> &ProxyRules {
        &self.proxy
    }

    /// Makes a connection; `host` speaks from the span of the fetch that needs it.
    pub(crate) async fn connect(&self, host: &Host, way: &Way, watch: &Watch) -> Result<Connected, WebError> {
        match self.tcp.interface {
            Some(address) if address != host.address() => {
                return Err(WebError::Interface { wanted: address, own: host.address() });
            }
            _ => {}
        }
        match host.timeout(self.timeout, self.connect_patiently(host, way, watch)).await {
            Ok(result) => result,
            Err(elapsed) => Err(WebError::ConnectTimedOut { host: way.host.clone(), limit: elapsed.limit }),
        }
    }

    async fn connect_patiently(&self, host: &Host, way: &Way, watch: &Watch) -> Result<Connected, WebError> {
        let Some((proxy, means)) = &way.proxy else {
            let tcp = self.dial(host, &way.host, way.port, watch).await?;
            return self.speak(host, way, Ends::of(&tcp), tcp, watch).await;
        };
        let tcp = self.dial(host, &proxy.host, proxy.port, watch).await.map_err(WebError::of_proxy)?;
        let ends = Ends::of(&tcp);
        if proxy.scheme != ProxyScheme::Https {
            return self.pass(host, way, (proxy, *means), ends, tcp, watch).await;
        }
        // What is meant for servers (whom to believe or not, keys, a client's certificate) is none of a
        // proxy's business.
        let tls = self.proxy.tls.as_ref();
        let tls = tls.ok_or_else(|| WebError::NoProxyTls { proxy: proxy.to_string() })?;
        let scope = tcp.scope().clone();
        let stream = tls.connect(&scope, tcp, &proxy.host).await.map_err(WebError::ProxyTls)?;
        let boxed: Box<dyn Wire> = Box::new(stream);
        self.pass(host, way, (proxy, *means), ends, boxed, watch).await
    }

    /// Past a proxy.
    async fn pass<S: Wire + 'static>(
        &self,
        host: &Host,
        way: &Way,
        (proxy, means): (&Proxy, Means),
        ends: Ends,
        mut stream: S,
        watch: &Watch,
    ) -> Result<Connected, WebError> {
        let credentials = self.proxy.credentials_for(proxy);
        match means {
            Means::Forward => {
                let http = Connection::open(host, stream, self.limits.clone()).await?;
                Ok(ends.connected(http, PeerCertificates::default()))
            }
            Means::Tunnel => {
                let gate = Gate {
                    proxy,
                    to: authority(&way.host, way.port),
                    credentials,
                    user_agent: self.user_agent.as_deref(),
                    edits: &self.proxy.headers,
                    limits: &self.limits,
                };
                let stream = tunnel::open(&ends.scope, stream, gate, watch).await?;
                self.speak(host, way, ends, stream, watch).await
            }
            Means::Socks => {
                let to = self.socks_destination(host, proxy, way).await?;
                let asked = socks::ask(&mut stream, proxy, credentials, &to).await;
                host.scope().record(|| Http::TunnelAnswered {
                    proxy: proxy.to_string(),
                    to: authority(&way.host, way.port),
                    answer: asked.as_ref().map_or_else(SocksError::to_string, |()| "granted".to_owned()),
                    open: asked.is_ok(),
                });
                asked?;
                self.speak(host, way, ends, stream, watch).await
            }
        }
    }

    /// TLS where it is wanted, and HTTP.
    async fn speak<S: Wire + 'static>(
        &self,
        host: &Host,
        way: &Way,
        ends: Ends,
        stream: S,
        watch: &Watch,
    ) -> Result<Connected, WebError> {
        if !way.secure {
            let http = Connection::open(host, stream, self.limits.clone()).await?;
            return Ok(ends.connected(http, PeerCertificates::default()));
        }
        let Some(tls) = &self.tls else {
            return Err(WebError::SchemeNotAllowed { url: format!("https://{}", way.host) });
        };
        if let Early::Waits(why) = &way.early {
            ends.scope.record(|| Note::info(why.to_string()));
        }
        let early = way.early.bytes();
        let mut stream = tls.connect_early(&ends.scope, stream, &way.server_name, early).await?;
        stream.expect_early(early);
        watch.reach(host.now(), |timings| &mut timings.appconnect);
        let certificates = stream.session().peer_certificates.clone();
        let began_early = matches!(stream.session().early_data, EarlyData::Accepted(_));
        let http = Connection::open(host, stream, self.limits.clone()).await?;
        Ok(Connected { began_early, ..ends.connected(http, certificates) })
    }

    /// Name and TCP.
    async fn dial(&self, host: &Host, name: &str, port: u16, watch: &Watch) -> Result<TcpStream, WebError> {
        let addresses = self.resolve(host, name, port).await?;
        watch.reach(host.now(), |timings| &mut timings.namelookup);
        let tcp = self.first_that_answers(host, name, &addresses).await?;
        watch.reach(host.now(), |timings| &mut timings.connect);
        watch.on_dialled(tcp.local_addr(), tcp.peer_addr());
        // A request is one write, and its answer is waited for: Nagle's algorithm would only delay
        // the last piece of a long one.
        tcp.set_nodelay(self.tcp.nodelay);
        Ok(tcp)
    }

    async fn resolve(
        &self,
        host: &Host,
        name: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, glasstack_dns::ResolveError> {
        let lookup = self.resolver.within(host).resolve_port(name, port).await?;
        Ok(lookup.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }

    /// RFC 1928 leaves it to the client who resolves the name: curl's `socks5h` and `socks4a` leave it
    /// to the proxy.
    async fn socks_destination(
        &self,
        host: &Host,
        proxy: &Proxy,
        way: &Way,
    ) -> Result<Destination, SocksError> {
        if let Ok(address) = way.host.parse() {
            return Ok(Destination::Address(SocketAddr::new(address, way.port)));
        }
        if matches!(proxy.scheme, ProxyScheme::Socks4a | ProxyScheme::Socks5h) {
            return Ok(Destination::Name(way.host.clone(), way.port));
        }
        let addresses = self.resolve(host, &way.host, way.port).await.map_err(SocksError::Resolve)?;
        let first = addresses.first().copied();
        Ok(first.map_or_else(|| Destination::Name(way.host.clone(), way.port), Destination::Address))
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
            let timeout = share.min(usual.timeout);
            let options = ConnectOptions { timeout, keep_alive: self.tcp.keep_alive, ..usual };
            match self.connect_by_port(host, *address, options).await {
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

impl Connector {
    /// From the first free port of those that it must be, or from any.
    async fn connect_by_port(
        &self,
        host: &Host,
        to: SocketAddr,
        mut options: ConnectOptions,
    ) -> Result<TcpStream, ConnectError> {
        let Some(ports) = self.tcp.local_ports.clone() else { return host.connect_with(to, &options).await };
        let mut last = ConnectError::PortsExhausted { peer: to };
        for port in ports {
            options.from = Some(SocketAddr::new(host.address(), port));
            match host.connect_with(to, &options).await {
                Err(error @ ConnectError::PortTaken { .. }) => last = error,
                done => return done,
            }
        }
        Err(last)
    }
}

/// What is known of a TCP connection once it is inside other things.
struct Ends {
    local: SocketAddr,
    remote: SocketAddr,
    scope: Scope,
}

impl Ends {
    fn of(tcp: &TcpStream) -> Self {
        Self { local: tcp.local_addr(), remote: tcp.peer_addr(), scope: tcp.scope().clone() }
    }

    fn connected(self, http: Connection, certificates: PeerCertificates) -> Connected {
        let (local, remote, span) = (self.local, self.remote, self.scope.span());
        Connected { http, local, remote, span, certificates, began_early: false }
    }
}

/// Host and port, as `h.test:80` (RFC 3986 3.2).
fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// A URL's IPv6 host without its brackets.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}
