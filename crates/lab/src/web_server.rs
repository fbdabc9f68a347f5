//! The web server: many sites on one address, told apart by name.

use crate::pki::{Pki, PkiError};
use crate::sites::{self, Leads, OverHttp, SITES};
use glasstack_http::server::{self, Places};
use glasstack_http::{Answer, Received, ServerOptions, StatusCode};
use glasstack_journal::SpanKind;
use glasstack_stack::{Host, ListenError, TcpListener};
use glasstack_tls::{ConfigError, Identity, TlsServer, TlsServerConfig, TlsVersion};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);

/// Opens port 80, port 443, and one port for each version of TLS alone.
pub(crate) fn start(host: &Host, pki: &Pki) -> Result<(), WebServerError> {
    let http = service(host, "http", 80)?;
    http.host.spawn(server::listen(http.host.clone(), http.listener, Arc::new(over_http), options()));
    let identities = identities(pki)?;
    let (tls12, tls13) = (TlsVersion::Tls12, TlsVersion::Tls13);
    for (port, lowest, highest) in [(443, tls12, tls13), (1012, tls12, tls12), (1013, tls13, tls13)] {
        let mut config = TlsServerConfig::new(identities.clone());
        config.alpn = vec!["http/1.1".to_owned()];
        (config.min_version, config.max_version) = (lowest, highest);
        let tls = TlsServer::new(host.entropy(), host.scope().clock(), config)?;
        let https = service(host, "https", port)?;
        https.host.spawn(listen_for_tls(https.host.clone(), https.listener, tls));
    }
    Ok(())
}

/// The certificates, each shown for its site's name.
fn identities(pki: &Pki) -> Result<Vec<Identity>, PkiError> {
    let mut identities = Vec::new();
    for site in SITES {
        if let Leads::Web { certificate, .. } = &site.leads {
            let own = [site.host];
            let names = if certificate.names.is_empty() { &own } else { certificate.names };
            identities.push(pki.identity(names, certificate.flaw)?.with_names([site.host]));
        }
    }
    Ok(identities)
}

async fn listen_for_tls(host: Host, listener: TcpListener, tls: TlsServer) {
    let mut places = Places::new(options().max_connections);
    loop {
        let place = places.take().await;
        let stream = listener.accept().await;
        let (host, tls) = (host.clone(), tls.clone());
        host.clone().spawn(async move {
            let (scope, client) = (stream.scope().clone(), stream.peer_addr());
            // Why a handshake failed is in the journal already.
            if let Ok(Ok(stream)) = host.timeout(HANDSHAKE_LIMIT, tls.accept(&scope, stream)).await {
                let scope = stream.scope().clone();
                server::serve(&host, &scope, stream, client, Arc::new(over_https), options()).await;
            }
            drop(place);
        });
    }
}

fn over_http(request: Received) -> Answer {
    let Some((host, over_http, page)) = site_of(&request) else { return unknown(&request) };
    match over_http {
        OverHttp::Redirect => {
            let location = format!("https://{host}{}", request.target);
            Answer::redirect(StatusCode::MOVED_PERMANENTLY, &location)
        }
        OverHttp::Answer => page(&request),
    }
}

fn over_https(request: Received) -> Answer {
    match site_of(&request) {
        Some((_, _, page)) => page(&request),
        None => unknown(&request),
    }
}

fn site_of(request: &Received) -> Option<(&'static str, OverHttp, sites::Page)> {
    let mut site = sites::find(request.host.as_deref()?)?;
    if let Leads::Alias(name) = site.leads {
        site = sites::find(name)?;
    }
    match site.leads {
        Leads::Web { http, page, .. } => Some((site.host, http, page)),
        Leads::Many => Some((site.host, OverHttp::Answer, crate::pages::example)),
        _ => None,
    }
}

/// RFC 9110 15.5.20: a request for somebody else.
fn unknown(request: &Received) -> Answer {
    let host = request.host.as_deref().unwrap_or("nobody");
    let why = format!("no site is called {host}");
    Answer::text(StatusCode::MISDIRECTED_REQUEST, why.clone(), format!("{why}\n"))
}

fn options() -> ServerOptions {
    ServerOptions { name: Some("glasstack-lab".to_owned()), ..ServerOptions::default() }
}

/// A listening port with a span of its own.
pub(crate) struct Service {
    pub(crate) host: Host,
    pub(crate) listener: TcpListener,
}

/// Opens `port`.
pub(crate) fn service(host: &Host, name: &str, port: u16) -> Result<Service, ListenError> {
    let local = SocketAddr::new(host.address(), port);
    let host = host.span(SpanKind::Service { name: name.to_owned(), local });
    let listener = host.listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))?;
    Ok(Service { host, listener })
}

/// The web server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WebServerError {
    /// A port cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Its TLS cannot be as configured.
    #[error(transparent)]
    Tls(#[from] ConfigError),
    /// Its certificates cannot be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
}
