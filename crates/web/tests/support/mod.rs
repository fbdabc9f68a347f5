//! Three hosts on a switch: a client, and two servers with sites over HTTP and HTTPS.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use glasstack_dns::{HostsFile, Resolver, ResolverConfig};
use glasstack_http::{Answer, Handler, Received, ServerOptions, StatusCode, server};
use glasstack_journal::event::{Direction, Event, Http, Segment, Tcp};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{NodeId, Note};
use glasstack_sim::{Cable, SimWorld};
use glasstack_stack::{Host, HostConfig, World};
use glasstack_tls::{Identity, TlsClient, TlsClientConfig, TlsServer, TlsServerConfig, TrustStore};
use glasstack_web::{Client, ClientConfig, Request, Response, WebError};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What the client's hosts file says. Nobody has the last address.
const HOSTS: &str = "10.0.0.2 www.one.test one.test\n10.0.0.3 www.two.test\n10.0.0.9 nobody.test\n";

pub(crate) struct Network {
    pub(crate) world: SimWorld,
    pub(crate) recorder: Recorder,
    pub(crate) client: Host,
    pub(crate) one: Host,
    pub(crate) two: Host,
    pub(crate) ca: Authority,
}

impl Network {
    pub(crate) fn new() -> Self {
        Self::with_cable(Cable::new().latency(Duration::from_millis(1)))
    }

    /// With this cable between the client and the switch.
    pub(crate) fn with_cable(cable: Cable) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(7).observe(recorder.clone()).build();
        let switch = world.add_switch("switch").unwrap();
        let mut host = |name: &str, address: &str| {
            let mac = world.next_mac();
            let config = HostConfig::new(name, mac, address.parse().unwrap(), 24, None).unwrap();
            world.add_host(config).unwrap()
        };
        let (client, one, two) =
            (host("client", "10.0.0.1"), host("one", "10.0.0.2"), host("two", "10.0.0.3"));
        world.connect(&client, switch, cable).unwrap();
        for server in [&one, &two] {
            world.connect(server, switch, Cable::new().latency(Duration::from_millis(1))).unwrap();
        }
        Self { world, recorder, client, one, two, ca: Authority::new("test CA") }
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let resolver = ResolverConfig { hosts: HostsFile::parse(HOSTS), ..ResolverConfig::default() };
        let mut tls = TlsClientConfig::new(TrustStore::from_pem(self.ca.pem.as_bytes()).unwrap());
        tls.alpn = vec!["http/1.1".to_owned()];
        let tls = TlsClient::new(self.client.entropy(), self.client.scope().clock(), tls).unwrap();
        ClientConfig::new(Resolver::new(self.client.clone(), resolver), tls)
    }

    /// One fetch with its body, and then everything is closed in order.
    pub(crate) fn fetch(&mut self, config: ClientConfig, request: Request) -> Result<Fetched, WebError> {
        let client = Client::new(&self.client, config);
        let fetched = self
            .world
            .run(async {
                let fetched = read(client.fetch(request).await).await;
                client.close().await;
                fetched
            })
            .unwrap();
        self.world.drain(Duration::from_secs(10)).unwrap();
        fetched
    }

    pub(crate) fn get(&mut self, url: &str) -> Result<Fetched, WebError> {
        let config = self.config();
        self.fetch(config, get(url))
    }

    /// The same, and redirects are followed.
    pub(crate) fn follow(&mut self, url: &str) -> Result<Fetched, WebError> {
        let config = ClientConfig { follow: true, ..self.config() };
        self.fetch(config, get(url))
    }

    /// The segments that `host` sent.
    pub(crate) fn sent(&self, host: &Host, flag: u8) -> usize {
        let node = host.scope().node();
        let is_it = |at: NodeId, segment: &Segment| {
            at == node && segment.direction == Direction::Out && segment.flags.has(flag)
        };
        let records = self.recorder.records();
        let matching = records
            .iter()
            .filter(|record| matches!(&record.event, Event::Tcp(Tcp::Segment(segment)) if is_it(record.node, segment)));
        matching.count()
    }

    /// What HTTP told at the client.
    pub(crate) fn told(&self) -> Vec<Http> {
        let node = self.client.scope().node();
        let http = |record: glasstack_journal::Record| match record.event {
            Event::Http(fact) if record.node == node => Some(fact),
            _ => None,
        };
        self.recorder.records().into_iter().filter_map(http).collect()
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let note = |record: glasstack_journal::Record| match record.event {
            Event::Note(Note { text, .. }) => Some(text),
            _ => None,
        };
        self.recorder.records().into_iter().filter_map(note).collect()
    }

    /// Which connections were chosen: whether an old one, and why.
    pub(crate) fn chosen(&self) -> Vec<(bool, String)> {
        let chosen = |fact| match fact {
            Http::ConnectionChosen { reused, why, .. } => Some((reused, why)),
            _ => None,
        };
        self.told().into_iter().filter_map(chosen).collect()
    }
}

#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) hops: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Fetched {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(crate) async fn read(response: Result<Response, WebError>) -> Result<Fetched, WebError> {
    let mut response = response?;
    let mut body = Vec::new();
    while let Some(chunk) = response.body.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched {
        url: response.url.into(),
        status: response.head.status.as_u16(),
        hops: response.hops.iter().map(|hop| hop.url.to_string()).collect(),
        body,
    })
}

pub(crate) fn get(url: &str) -> Request {
    Request::get(Url::parse(url).unwrap())
}

/// A site over HTTP.
pub(crate) fn serve(host: &Host, port: u16, handler: impl Handler, options: ServerOptions) {
    let listener = host.listen(SocketAddr::new(host.address(), port)).unwrap();
    host.spawn(server::listen(host.clone(), listener, Arc::new(handler), options));
}

/// A site over HTTPS.
pub(crate) fn serve_tls(host: &Host, identity: Identity, handler: impl Handler) {
    let mut config = TlsServerConfig::new(vec![identity]);
    config.alpn = vec!["http/1.1".to_owned()];
    let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
    let listener = host.listen(SocketAddr::new(host.address(), 443)).unwrap();
    let (host, handler): (Host, Arc<dyn Handler>) = (host.clone(), Arc::new(handler));
    host.clone().spawn(async move {
        loop {
            let tcp = listener.accept().await;
            let (scope, peer) = (tcp.scope().clone(), tcp.peer_addr());
            if let Ok(stream) = tls.accept(&scope, tcp).await {
                server::serve(&host, &scope, stream, peer, Arc::clone(&handler), ServerOptions::default())
                    .await;
            }
        }
    });
}

/// Answers with what was asked: method, path, and every field but the usual ones.
pub(crate) fn echo(request: Received) -> Answer {
    let mut text = format!("{} {}\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap_or("?")));
    }
    Answer::text(StatusCode::OK, "echo", text)
}

/// A certification authority, and what it signs.
pub(crate) struct Authority {
    key: KeyPair,
    params: CertificateParams,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { key, params, pem }
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, 2039)
    }

    /// Good until the beginning of this year.
    pub(crate) fn identity_until(&self, name: &str, year: i32) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2021, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }
}
