//! The same by this crate's client and server, over a pipe in memory.

use super::Kind;
use super::pki::{NAME, NOW, Owner, Pki};
use futures_util::future::join;
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use glasstack_journal::journal::Observer;
use glasstack_journal::{Clock, Instant, Journal, Record, Scope, WallTime};
use glasstack_stack::Entropy;
use glasstack_tls::verify::{Name, Verifier};
use glasstack_tls::{
    ClientAuth, ClientTrust, Identity, Purpose, TlsClient, TlsClientConfig, TlsServer, TlsServerConfig,
    TlsStream, TlsVersion, TrustStore,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
    fn wall(&self) -> WallTime {
        WallTime::from_unix_seconds(NOW)
    }
}

struct System(SystemRandom);

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).unwrap();
    }
    fn is_reproducible(&self) -> bool {
        false
    }
}

/// That of the real world.
pub(crate) fn entropy() -> Arc<dyn Entropy> {
    Arc::new(System(SystemRandom::new()))
}

/// Looks at everything, and keeps nothing.
struct Looking;

impl Observer for Looking {
    fn observe(&mut self, record: &Record) {
        std::hint::black_box(record);
    }
}

/// A client and a server.
pub(crate) struct Ends {
    client: TlsClient,
    server: TlsServer,
    scope: Scope,
    resumed: bool,
}

impl Ends {
    pub(crate) fn new(pki: &Pki, kind: Kind) -> Self {
        let (entropy, clock): (_, Arc<dyn Clock>) = (entropy(), Arc::new(Still));
        let journal = Journal::new(clock.wall());
        if kind.watched {
            journal.attach(Box::new(Looking));
        }
        let scope = Scope::new(journal.clone(), clock.clone(), journal.node(Instant::ZERO, "bench"));
        let version = if kind.tls13 { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
        let trust = TrustStore::from_der([&pki.root]).unwrap();
        let mut client = TlsClientConfig::new(trust.clone());
        (client.min_version, client.max_version, client.resume) = (version, version, kind.resumed);
        let mut server = TlsServerConfig::new([identity(&pki.server)]);
        if kind.mutual {
            client.identity = Some(identity(&pki.client));
            server.client_auth = ClientAuth::Required(ClientTrust::new(trust));
        }
        let client = TlsClient::new(&entropy, &clock, client).unwrap();
        let server = TlsServer::new(&entropy, &clock, server).unwrap();
        let ends = Self { client, server, scope, resumed: kind.resumed };
        if kind.resumed {
            drop(ends.open());
        }
        ends
    }

    /// A handshake, and a byte from the server, so that its tickets have come.
    pub(crate) fn shake(&self) {
        let (client, _) = self.open();
        assert_eq!(client.session().resumed, self.resumed);
    }

    fn open(&self) -> (TlsStream<End>, TlsStream<End>) {
        let (near, far) = pipe();
        let client = async {
            let mut stream = self.client.connect(&self.scope, near, NAME).await.unwrap();
            stream.read_exact(&mut [0]).await.unwrap();
            stream
        };
        let server = async {
            let mut stream = self.server.accept(&self.scope, far).await.unwrap();
            stream.write_all(b"x").await.unwrap();
            stream.flush().await.unwrap();
            stream
        };
        run(join(client, server))
    }
}

fn identity(owner: &Owner) -> Identity {
    Identity::from_der(owner.chain.clone(), owner.key.clone()).unwrap()
}

/// An open connection.
pub(crate) struct Open(TlsStream<End>, TlsStream<End>);

impl Open {
    pub(crate) fn new(pki: &Pki) -> Self {
        let (client, server) = Ends::new(pki, super::FULL).open();
        Self(client, server)
    }

    pub(crate) fn transfer(&mut self, bytes: usize) {
        let (chunk, mut heard) = (vec![7; 16 << 10], vec![0; 16 << 10]);
        for _ in 0..bytes / chunk.len() {
            let send = async {
                self.1.write_all(&chunk).await.unwrap();
                self.1.flush().await.unwrap();
            };
            run(join(send, self.0.read_exact(&mut heard))).1.unwrap();
        }
    }
}

/// A server's certificate judged, and nobody watching.
pub(crate) fn judge(pki: &Pki) -> impl Fn() {
    let algorithms = glasstack_tls::provider(&entropy()).signature_verification_algorithms;
    let verifier = Verifier::new(TrustStore::from_der([&pki.root]).unwrap(), Purpose::Server, algorithms);
    let chain: Vec<CertificateDer<'static>> = pki.server.chain.iter().cloned().map(Into::into).collect();
    let names = [Name::parse(NAME).unwrap()];
    move || assert!(verifier.accepts_but_for_revocation(&chain, &names, NOW.try_into().unwrap()))
}

/// Polls until it is done: both ends are in it, so that nobody else could wake it.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

type Lane = Arc<Mutex<VecDeque<u8>>>;

/// One end of a pipe.
pub(crate) struct End {
    reads: Lane,
    writes: Lane,
}

fn pipe() -> (End, End) {
    let (up, down) = (Lane::default(), Lane::default());
    (End { reads: down.clone(), writes: up.clone() }, End { reads: up, writes: down })
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut lane = self.reads.lock().unwrap();
        if lane.is_empty() { Poll::Pending } else { Poll::Ready(io::Read::read(&mut *lane, buffer)) }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.lock().unwrap().extend(data);
        Poll::Ready(Ok(data.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
