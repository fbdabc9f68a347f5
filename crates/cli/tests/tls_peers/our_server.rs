//! Our server at 192.0.2.2, which answers with what it knows of the session.

use crate::party::{NAME, Party};
use crate::support::pki::IdentityFiles;
use crate::support::{GATEWAY, OURS};
use glasstack::http::Answer;
use glasstack::http::server::{self, ServerOptions};
use glasstack::stack::{Host, TcpStream, World};
use glasstack::tls::{Identity, SessionInfo, TlsServer, TlsServerConfig};
use glasstack::uplink::{
    Addressing, InterfaceAddress, OpenError, TapConfig, TapDevice, TapWorld, WorldThread,
};
use glasstack::views::{Level, Narration};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(20);
const HTTPS: u16 = 443;

/// Our server on a thread of its own, while it is not ended.
pub(crate) struct OurServer {
    world: WorldThread,
    host: Host,
    /// Where its narration goes.
    told: String,
}

impl OurServer {
    /// A server of the party's, with a certificate that is good.
    pub(crate) fn start(party: &Party<'_>) -> Self {
        Self::with(party, TlsServerConfig::new([identity(party)]))
    }

    pub(crate) fn with(party: &Party<'_>, config: TlsServerConfig) -> Self {
        Self::on_host(party, |_| config)
    }

    /// A server whose configuration needs its host.
    pub(crate) fn on_host(party: &Party<'_>, config: impl FnOnce(&Host) -> TlsServerConfig) -> Self {
        let mut world = TapWorld::new().unwrap();
        let told = party.network.path("our-server.said");
        let file = Box::new(File::create(&told).unwrap());
        world.journal().attach(Box::new(Narration::new(file, Level::Verbose)));
        let address: InterfaceAddress = format!("{OURS}/24").parse().unwrap();
        let addressing = Addressing::choose(None, Some(address), Some(GATEWAY)).unwrap();
        let host = world.add_host(addressing.host_config("server").unwrap(), open()).unwrap();
        let config = TlsServerConfig { alpn: vec!["http/1.1".to_owned()], ..config(&host) };
        let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
        host.spawn(listen(host.clone(), tls));
        Self { world: WorldThread::start(world).unwrap(), host, told }
    }

    /// What it has told until now.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.told).unwrap()
    }

    /// It has told this, or does so soon.
    #[track_caller]
    pub(crate) fn tells(&self, words: &str) {
        let begun = Instant::now();
        while !self.said().contains(words) {
            assert!(begun.elapsed() < LIMIT, "no `{words}` in:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Every connection is closed in order.
    pub(crate) fn end(self) {
        let mut world = self.world.stop().unwrap();
        assert!(world.drain(LIMIT).unwrap(), "connections are open: {:?}", self.host.flows());
        world.journal().finish().unwrap();
    }
}

/// The device. That of a server which has just ended may still be in the hands of a process that another
/// test starts, until that becomes its program.
fn open() -> TapDevice {
    let config = TapConfig { name: Some("glass0".to_owned()), ..TapConfig::default() };
    let begun = Instant::now();
    loop {
        match TapDevice::open(&config) {
            Err(OpenError::Busy { .. }) if begun.elapsed() < LIMIT => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other.unwrap(),
        }
    }
}

/// A certificate with its key, for [`NAME`].
pub(crate) fn identity(party: &Party<'_>) -> Identity {
    read(&party.server_identity())
}

/// A certificate with its key.
pub(crate) fn read(files: &IdentityFiles) -> Identity {
    Identity::from_pem(&fs::read(&files.certificate).unwrap(), &fs::read(&files.key).unwrap()).unwrap()
}

async fn listen(host: Host, tls: TlsServer) {
    let listener = host.listen(SocketAddr::new(OURS, HTTPS)).unwrap();
    loop {
        let stream = listener.accept().await;
        host.spawn(serve(host.clone(), tls.clone(), stream));
    }
}

async fn serve(host: Host, tls: TlsServer, stream: TcpStream) {
    let (scope, client) = (stream.scope().clone(), stream.peer_addr());
    // Why not is in the narration.
    let Ok(stream) = tls.accept(&scope, stream).await else { return };
    let page = about(stream.session());
    let answer = Arc::new(move |_| Answer::ok("text/plain", page.clone()));
    server::serve(&host, &scope, stream, client, answer, ServerOptions::default()).await;
}

/// `TLS 1.3|TLS_AES_256_GCM_SHA384|x25519|http/1.1|new|CN=alice`
fn about(session: &SessionInfo) -> String {
    let none = || "-".to_owned();
    let client = session.peer_certificates.first().map_or_else(none, |first| first.label());
    let kind = if session.resumed { "resumed" } else { "new" };
    let (group, alpn) = (session.group.clone(), session.alpn.clone());
    let facts = [
        session.version.clone(),
        session.suite.clone(),
        group.unwrap_or_else(none),
        alpn.unwrap_or_else(none),
        kind.to_owned(),
        client,
    ];
    format!("{}\n", facts.join("|"))
}

/// What a client is told to ask.
pub(crate) fn request() -> String {
    format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n")
}
