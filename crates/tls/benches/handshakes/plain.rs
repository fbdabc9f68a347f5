//! rustls alone: its connections, with bytes carried between them in a vector, and its own verifiers.

use super::Kind;
use super::pki::{NAME, NOW, Owner, Pki};
use super::wrapped::entropy;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, version};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
struct Still;

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(now())
    }
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

/// A client and a server.
pub(crate) struct Ends {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    resumed: bool,
}

impl Ends {
    pub(crate) fn new(pki: &Pki, kind: Kind) -> Self {
        let provider = glasstack_tls::provider(&entropy());
        let versions = if kind.tls13 { [&version::TLS13] } else { [&version::TLS12] };
        let client = ClientConfig::builder_with_details(provider.clone(), Arc::new(Still))
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots(pki));
        let mut client = if kind.mutual {
            client.with_client_auth_cert(chain(&pki.client), key(&pki.client)).unwrap()
        } else {
            client.with_no_client_auth()
        };
        if !kind.resumed {
            client.resumption = Resumption::disabled();
        }
        let server = ServerConfig::builder_with_details(provider.clone(), Arc::new(Still))
            .with_protocol_versions(&versions)
            .unwrap();
        let server = if kind.mutual {
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(pki)), provider);
            server.with_client_cert_verifier(clients.build().unwrap())
        } else {
            server.with_no_client_auth()
        };
        let server = server.with_single_cert(chain(&pki.server), key(&pki.server)).unwrap();
        let ends = Self { client: Arc::new(client), server: Arc::new(server), resumed: kind.resumed };
        if kind.resumed {
            drop(ends.open());
        }
        ends
    }

    /// A handshake, and a byte from the server, so that its tickets have come.
    pub(crate) fn shake(&self) {
        let (client, _) = self.open();
        assert_eq!(client.handshake_kind() == Some(rustls::HandshakeKind::Resumed), self.resumed);
    }

    fn open(&self) -> (ClientConnection, ServerConnection) {
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::new(self.client.clone(), name).unwrap();
        let mut server = ServerConnection::new(self.server.clone()).unwrap();
        let mut buffer = Vec::new();
        while client.is_handshaking() || server.is_handshaking() {
            carry(&mut client, &mut server, &mut buffer);
            carry(&mut server, &mut client, &mut buffer);
        }
        server.writer().write_all(b"x").unwrap();
        carry(&mut server, &mut client, &mut buffer);
        let mut byte = [0];
        client.reader().read_exact(&mut byte).unwrap();
        (client, server)
    }
}

fn carry<A, B>(
    from: &mut rustls::ConnectionCommon<A>,
    to: &mut rustls::ConnectionCommon<B>,
    buffer: &mut Vec<u8>,
) where
    A: rustls::SideData,
    B: rustls::SideData,
{
    buffer.clear();
    while from.wants_write() {
        from.write_tls(buffer).unwrap();
    }
    let mut rest = buffer.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).unwrap();
        to.process_new_packets().unwrap();
    }
}

/// An open connection.
pub(crate) struct Open(ClientConnection, ServerConnection);

impl Open {
    pub(crate) fn new(pki: &Pki) -> Self {
        let (client, server) = Ends::new(pki, super::FULL).open();
        Self(client, server)
    }

    pub(crate) fn transfer(&mut self, bytes: usize) {
        let (chunk, mut heard, mut buffer) = (vec![7; 16 << 10], vec![0; 16 << 10], Vec::new());
        for _ in 0..bytes / chunk.len() {
            self.1.writer().write_all(&chunk).unwrap();
            carry(&mut self.1, &mut self.0, &mut buffer);
            self.0.reader().read_exact(&mut heard).unwrap();
        }
    }
}

/// A server's certificate judged by rustls' own verifier.
pub(crate) fn judge(pki: &Pki) -> impl Fn() {
    let provider = glasstack_tls::provider(&entropy());
    let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(pki)), provider).build().unwrap();
    let chain = chain(&pki.server);
    let name = ServerName::try_from(NAME).unwrap();
    move || assert!(webpki.verify_server_cert(&chain[0], &chain[1..], &name, &[], now()).is_ok())
}

fn roots(pki: &Pki) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(pki.root.clone().into()).unwrap();
    roots
}

fn chain(owner: &Owner) -> Vec<CertificateDer<'static>> {
    owner.chain.iter().cloned().map(Into::into).collect()
}

fn key(owner: &Owner) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(owner.key.clone()).into()
}
