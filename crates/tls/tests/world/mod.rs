//! A small world for the tests: a wire in memory, a clock that stands still, a seeded entropy, and
//! certificates made at fixed dates.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use futures_io::{AsyncRead, AsyncWrite};
use futures_util::future::join;
use glasstack_journal::event::{Tls, Verdict};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Event, Instant, Journal, Scope, WallTime};
use glasstack_stack::Entropy;
use glasstack_tls::{
    Identity, TlsClient, TlsClientConfig, TlsError, TlsServer, TlsServerConfig, TlsStream, TrustStore,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// 2026-09-21T14:13:20Z: when everything in these tests happens.
pub const NOW: u64 = 1_790_000_000;
pub const DAY: i64 = 86_400;

// ---- time and chance

pub struct Still(pub u64);

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
    fn wall(&self) -> WallTime {
        WallTime::from_unix_seconds(self.0)
    }
}

pub struct SeededEntropy(Mutex<ChaCha20Rng>);

impl SeededEntropy {
    pub fn shared(seed: u64) -> Arc<dyn Entropy> {
        Arc::new(Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
    fn is_reproducible(&self) -> bool {
        true
    }
}

/// Runs `future` on this thread. A future that waits for something that can never happen is a bug of
/// the code or the test, and said at once.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(flag.clone());
    let mut future = pin!(future);
    while flag.0.swap(false, Ordering::SeqCst) {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
    }
    panic!("everybody waits, and nothing can happen any more");
}

// ---- the wire

#[derive(Default)]
struct Lane {
    queue: VecDeque<u8>,
    sent: Vec<u8>,
    closed: bool,
    waker: Option<Waker>,
}

/// One end of a wire; what it sends is kept for inspection.
pub struct End {
    reads: Arc<Mutex<Lane>>,
    writes: Arc<Mutex<Lane>>,
    /// The most bytes taken or given at once.
    portion: usize,
}

/// What went over the wire, from either end.
#[derive(Clone)]
pub struct Tap(Arc<Mutex<Lane>>, Arc<Mutex<Lane>>);

impl Tap {
    pub fn client_sent(&self) -> Vec<u8> {
        self.0.lock().unwrap().sent.clone()
    }
    pub fn server_sent(&self) -> Vec<u8> {
        self.1.lock().unwrap().sent.clone()
    }
    /// Somebody on the way sends in the server's name.
    pub fn inject_from_server(&self, bytes: &[u8]) {
        let mut lane = self.1.lock().unwrap();
        lane.queue.extend(bytes);
        if let Some(waker) = lane.waker.take() {
            waker.wake();
        }
    }
    /// Whatever the client writes from now on fails, as after a reset; what is on its way to it stays.
    pub fn cut_client_off(&self) {
        self.0.lock().unwrap().closed = true;
    }
    pub fn client_closed(&self) -> bool {
        self.0.lock().unwrap().closed
    }
}

pub fn wire(portion: usize) -> (End, End, Tap) {
    let (up, down) = (Arc::new(Mutex::new(Lane::default())), Arc::new(Mutex::new(Lane::default())));
    let client = End { reads: down.clone(), writes: up.clone(), portion };
    let server = End { reads: up.clone(), writes: down.clone(), portion };
    (client, server, Tap(up, down))
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut lane = self.reads.lock().unwrap();
        if lane.queue.is_empty() && !lane.closed {
            lane.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buffer.len().min(lane.queue.len()).min(self.portion);
        for (slot, byte) in buffer.iter_mut().zip(lane.queue.drain(..count)) {
            *slot = byte;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut lane = self.writes.lock().unwrap();
        if lane.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = &data[..data.len().min(self.portion)];
        lane.queue.extend(taken);
        lane.sent.extend(taken);
        if let Some(waker) = lane.waker.take() {
            waker.wake();
        }
        Poll::Ready(Ok(taken.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut lane = self.writes.lock().unwrap();
        lane.closed = true;
        if let Some(waker) = lane.waker.take() {
            waker.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut lane = self.writes.lock().unwrap();
        lane.closed = true;
        if let Some(waker) = lane.waker.take() {
            waker.wake();
        }
    }
}

// ---- certificates

/// An Ed25519 key: RFC 8410's PKCS#8 around 32 bytes.
pub fn key(seed: u8) -> KeyPair {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &rcgen::PKCS_ED25519).unwrap()
}

pub fn at(offset: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(NOW as i64 + offset).unwrap()
}

/// A certificate of a server called `names`, from yesterday for a month.
pub fn server_params(names: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(names.iter().map(|name| name.to_string()).collect::<Vec<_>>()).unwrap();
    params.serial_number = Some(0x2a.into());
    params.not_before = at(-DAY);
    params.not_after = at(30 * DAY);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, *names.first().unwrap_or(&"nobody"));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

pub fn ca_params(name: &str) -> CertificateParams {
    let mut params = server_params(&[name]);
    params.subject_alt_names.clear();
    params.extended_key_usages.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A CA: its certificate, and what signs for it.
pub struct Ca {
    pub der: Vec<u8>,
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub fn root(name: &str, seed: u8) -> Self {
        let certificate = ca_params(name).self_signed(&key(seed)).unwrap();
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { der, pem, issuer: Issuer::new(ca_params(name), key(seed)) }
    }

    /// A CA below this one.
    pub fn intermediate(&self, params: CertificateParams, seed: u8) -> Self {
        let certificate = params.signed_by(&key(seed), &self.issuer).unwrap();
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { der, pem, issuer: Issuer::new(params, key(seed)) }
    }

    pub fn issue(&self, params: CertificateParams, key: &KeyPair) -> Vec<u8> {
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    pub fn identity(&self, params: CertificateParams) -> Identity {
        Identity::from_der(vec![self.issue(params, &key(9))], key(9).serialize_der()).unwrap()
    }

    /// A revocation list (PEM) of yesterday, good until `next` seconds from now.
    pub fn revocation_list(&self, next: i64, revoked: Vec<RevokedCertParams>) -> String {
        let list = CertificateRevocationListParams {
            this_update: at(-DAY),
            next_update: at(next),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    pub fn trust(&self) -> TrustStore {
        TrustStore::from_der([&self.der]).unwrap()
    }
}

// ---- a client, a server, and what they told

pub struct World {
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    pub records: Recorder,
    pub client: Scope,
    pub server: Scope,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::at(seed, NOW)
    }

    pub fn at(seed: u64, now: u64) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(Still(now));
        let journal = Journal::new(clock.wall());
        let records = Recorder::new();
        journal.attach(Box::new(records.clone()));
        let scope = |name| Scope::new(journal.clone(), clock.clone(), journal.node(Instant::ZERO, name));
        let (client, server) = (scope("client"), scope("server"));
        Self { entropy: SeededEntropy::shared(seed), clock, records, client, server }
    }

    pub fn client(&self, config: TlsClientConfig) -> TlsClient {
        TlsClient::new(&self.entropy, &self.clock, config).unwrap()
    }

    pub fn server(&self, config: TlsServerConfig) -> TlsServer {
        TlsServer::new(&self.entropy, &self.clock, config).unwrap()
    }

    /// Both ends' handshakes with `name`, and the wire between them.
    pub fn shake(&self, client: &TlsClient, server: &TlsServer, name: &str) -> Shaken {
        let (near, far, tap) = wire(usize::MAX);
        let (client, server) =
            run(join(client.connect(&self.client, near, name), server.accept(&self.server, far)));
        Shaken { client, server, tap }
    }

    pub fn told(&self, scope: &Scope) -> Vec<Event> {
        let records = self.records.records().into_iter();
        records.filter(|record| record.node == scope.node()).map(|record| record.event).collect()
    }

    /// What `scope`'s node told of TLS, one word or two each, secrets left out.
    pub fn story(&self, scope: &Scope) -> Vec<String> {
        let told = |event: &Event| match event {
            Event::Tls(fact) => match fact {
                Tls::HandshakeStarted { .. } => Some("started".to_owned()),
                Tls::Secret { .. } => None,
                Tls::CertificateReceived { subject, .. } => Some(format!("received {subject}")),
                Tls::CertificateJudged { check, verdict, .. } => Some(format!("{check} {verdict}")),
                Tls::IdentityChosen { subject, .. } => Some(format!("chose {subject}")),
                Tls::ClientIdentityShown { subject, .. } => Some(format!("showed {subject}")),
                Tls::Established { resumed: false, .. } => Some("established".to_owned()),
                Tls::Established { resumed: true, .. } => Some("established, resumed".to_owned()),
                Tls::Failed { .. } => Some("failed".to_owned()),
                Tls::Message(_)
                | Tls::Alert(_)
                | Tls::KeysDerived(_)
                | Tls::RecordsCounted { .. }
                | Tls::ReadingGivenUp { .. } => None,
                Tls::CloseNotifySent => Some("close_notify sent".to_owned()),
                Tls::CloseNotifyReceived => Some("close_notify received".to_owned()),
                Tls::Truncated => Some("truncated".to_owned()),
            },
            _ => None,
        };
        self.told(scope).iter().filter_map(told).collect()
    }

    /// The evidence of the client's check called `wanted`.
    pub fn evidence(&self, wanted: &str) -> (Verdict, String) {
        let judged = |event: Event| match event {
            Event::Tls(Tls::CertificateJudged { check, verdict, evidence }) if check == wanted => {
                Some((verdict, evidence))
            }
            _ => None,
        };
        self.told(&self.client).into_iter().rev().find_map(judged).unwrap()
    }
}

pub struct Shaken {
    pub client: Result<TlsStream<End>, TlsError>,
    pub server: Result<TlsStream<End>, TlsError>,
    pub tap: Tap,
}

impl Shaken {
    pub fn both(self) -> (TlsStream<End>, TlsStream<End>) {
        (self.client.unwrap(), self.server.unwrap())
    }
}
