//! The web server: many sites on one address, told apart by name.

use crate::pages;
use crate::pki::{Order, Pki, PkiError};
use crate::sites::{self, Certificate, Clients, Leads, OverHttp, Page, SITES};
use glasstack_http::server::{self, Places};
use glasstack_http::{Answer, Received, ServerOptions, StatusCode};
use glasstack_journal::{Clock, SpanKind};
use glasstack_stack::{Host, ListenError, TcpListener};
use glasstack_tls::{
    ClientAuth, ClientTrust, ConfigError, EarlyData, IdentityError, LazyIdentity, RevocationError,
    RevocationLists, TlsServer, TlsServerConfig, TlsVersion,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);

/// How much early data is taken, in bytes: a request without body.
const EARLY_DATA: u32 = 16 << 10;

/// Opens port 80, port 443, and one port for each version of TLS alone; all for these names.
pub(crate) fn start(host: &Host, names: &[String], pki: &Pki) -> Result<(), WebServerError> {
    let sites = Arc::new(Sites::new(names));
    let http = service(host, "http", 80)?;
    let over_http = {
        let sites = Arc::clone(&sites);
        Arc::new(move |request| sites.over_http(&request))
    };
    http.host.spawn(server::listen(http.host.clone(), http.listener, over_http, options()));
    let identities = sites.identities(pki, host.scope().clock());
    if identities.is_empty() {
        return Ok(());
    }
    let (tls12, tls13) = (TlsVersion::Tls12, TlsVersion::Tls13);
    for (port, lowest, highest) in [(443, tls12, tls13), (1012, tls12, tls12), (1013, tls13, tls13)] {
        let mut config = TlsServerConfig::new(identities.clone());
        config.alpn = vec!["http/1.1".to_owned()];
        config.client_auth = match sites.clients()? {
            Clients::NotAsked => ClientAuth::None,
            Clients::Asked => ClientAuth::Optional(whom_to_let_in(pki)?),
            Clients::Required => ClientAuth::Required(whom_to_let_in(pki)?),
        };
        (config.min_version, config.max_version) = (lowest, highest);
        // RFC 8446 2.3: taken where TLS 1.3 is alone, so that it can be watched, and nowhere else.
        config.early_data = if lowest == tls13 { EARLY_DATA } else { 0 };
        let tls = TlsServer::new(host.entropy(), host.scope().clock(), config)?;
        let https = service(host, "https", port)?;
        https.host.spawn(listen_for_tls(https.host.clone(), https.listener, tls, Arc::clone(&sites)));
    }
    Ok(())
}

/// Clients whose certificate comes from the lab's root, and was not taken back.
fn whom_to_let_in(pki: &Pki) -> Result<ClientTrust, WebServerError> {
    let lists = RevocationLists::from_pem(pki.lists_pem()?.as_bytes())?;
    Ok(ClientTrust { revocation: lists.into(), ..ClientTrust::new(pki.trust()?) })
}

async fn listen_for_tls(host: Host, listener: TcpListener, tls: TlsServer, sites: Arc<Sites>) {
    let mut places = Places::new(options().max_connections);
    loop {
        let place = places.take().await;
        let stream = listener.accept().await;
        let (host, tls, sites) = (host.clone(), tls.clone(), Arc::clone(&sites));
        host.clone().spawn(async move {
            let (scope, client) = (stream.scope().clone(), stream.peer_addr());
            // Why a handshake failed is in the journal already.
            if let Ok(Ok(stream)) = host.timeout(HANDSHAKE_LIMIT, tls.accept(&scope, stream)).await {
                let scope = stream.scope().clone();
                let shown = stream.session().peer_certificates.first().map(|certificate| certificate.label());
                let early = matches!(stream.session().early_data, EarlyData::Received(_));
                let options = ServerOptions { early, ..options() };
                let over_https = Arc::new(move |request| sites.over_https(&request, shown.as_deref()));
                server::serve(&host, &scope, stream, client, over_https, options).await;
            }
            drop(place);
        });
    }
}

/// The sites of one server, by name.
struct Sites {
    named: BTreeMap<String, Hosted>,
    /// Of a server without a name: what it answers to whatever it is called.
    unnamed: Option<Hosted>,
}

/// A site, as its server knows it.
struct Hosted {
    /// The name that the site itself goes by.
    host: String,
    http: OverHttp,
    page: Page,
    /// Its certificate; none: it shows the server's first.
    certificate: Option<Order>,
    clients: Clients,
}

impl Sites {
    /// The sites of these names, and those that are aliases of one of them.
    fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        let mut sites: BTreeMap<String, Hosted> = names.map(|name| (name.clone(), hosted(&name))).collect();
        for site in SITES {
            if let Leads::Alias(target) = site.leads
                && sites.contains_key(target)
            {
                let hosted = Hosted { certificate: None, ..hosted(target) };
                sites.insert(site.host.to_owned(), hosted);
            }
        }
        let unnamed = sites.is_empty().then(|| hosted(""));
        Self { named: sites, unnamed }
    }

    /// Orders the certificates, each shown for its site's name. They are made when they are first shown.
    fn identities(&self, pki: &Pki, clock: &Arc<dyn Clock>) -> Vec<LazyIdentity> {
        let certified = self.named.iter().filter_map(|(name, site)| Some((name, site.certificate.as_ref()?)));
        let identity = |(name, order): (&String, &Order)| {
            pki.order(name, order.clone());
            let (site, pki, clock) = (name.clone(), pki.clone(), Arc::clone(clock));
            let is_stapled = order.staple;
            let make = move || {
                let not_made = |error: PkiError| IdentityError::NotMade { why: error.to_string() };
                let identity = pki.issue(&site).and_then(|issued| issued.identity()).map_err(not_made)?;
                let (site, pki, clock) = (site.clone(), pki.clone(), Arc::clone(&clock));
                // What cannot be made is not stapled, and a client that needs it will say so.
                let fresh = move || pki.staple(&site, clock.wall()).ok().flatten();
                Ok(if is_stapled { identity.with_fresh_ocsp(Arc::new(fresh)) } else { identity })
            };
            LazyIdentity::new([name], Arc::new(make))
        };
        certified.map(identity).collect()
    }

    /// Whether clients are asked for a certificate: all sites of a server have to agree, since it asks before
    /// it knows them.
    fn clients(&self) -> Result<Clients, WebServerError> {
        let mut sites = self.named.iter();
        let Some((first, site)) = sites.next() else { return Ok(Clients::NotAsked) };
        match sites.find(|(_, other)| other.clients != site.clients) {
            None => Ok(site.clients),
            Some((other, _)) => Err(WebServerError::Clients { first: first.clone(), other: other.clone() }),
        }
    }

    fn over_http(&self, request: &Received) -> Answer {
        match self.asked(request) {
            Some(Hosted { host, http: OverHttp::Redirect, .. }) => {
                let location = format!("https://{host}{}", request.target);
                Answer::redirect(StatusCode::MOVED_PERMANENTLY, &location)
            }
            Some(site) => (site.page)(request),
            None => unknown(request),
        }
    }

    /// `shown` is the client, if it has shown a certificate.
    fn over_https(&self, request: &Received, shown: Option<&str>) -> Answer {
        match (self.asked(request), shown) {
            (None, _) => unknown(request),
            (Some(site), None) if site.clients != Clients::NotAsked => {
                let why = format!("{} wants to see a client certificate, and none was shown", site.host);
                Answer::text(StatusCode::BAD_REQUEST, why.clone(), format!("{why}\n"))
            }
            (Some(site), Some(client)) if site.clients != Clients::NotAsked => {
                let text = format!("{} was believed, and so was {client}\n", site.host);
                Answer::text(StatusCode::OK, "its client certificate was accepted", text)
            }
            (Some(site), _) => (site.page)(request),
        }
    }

    fn asked(&self, request: &Received) -> Option<&Hosted> {
        let host = request.host.as_deref()?;
        let name = host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        self.named.get(&name).or(self.unnamed.as_ref())
    }
}

/// What is known of a name: what [`SITES`] says, or a greeting.
fn hosted(name: &str) -> Hosted {
    let usual = |page, certificate| Hosted {
        host: name.to_owned(),
        http: OverHttp::Answer,
        page,
        certificate,
        clients: Clients::NotAsked,
    };
    match sites::find(name).map(|site| &site.leads) {
        Some(Leads::Web { http, certificate, clients, page }) => {
            Hosted { http: *http, clients: *clients, ..usual(*page, Some(order(name, certificate))) }
        }
        Some(Leads::Many) => usual(pages::example, None),
        _ => usual(pages::greeting, Some(Order::good(&[name]))),
    }
}

/// What a site orders of the authorities.
fn order(name: &str, certificate: &Certificate) -> Order {
    let Certificate { names, flaw, key, must_staple, staple, by } = *certificate;
    let usual = if names.is_empty() { Order::good(&[name]) } else { Order::good(names) };
    Order { flaw, key, must_staple, staple, by, ..usual }
}

/// RFC 9110 15.5.20: a request for somebody else.
fn unknown(request: &Received) -> Answer {
    let host = request.host.as_deref().unwrap_or("nobody");
    let why = format!("no site is called {host}");
    Answer::text(StatusCode::MISDIRECTED_REQUEST, why.clone(), format!("{why}\n"))
}

pub(crate) fn options() -> ServerOptions {
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
pub(crate) enum WebServerError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Tls(#[from] ConfigError),
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Lists(#[from] RevocationError),
    #[error(
        "{first} and {other} do not agree on whether clients are asked for a certificate: give one of them another host"
    )]
    Clients { first: String, other: String },
}
