//! Revocation asked for over the network, behind the handshake and before the request: lists and
//! responders that are hosts of the same world.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use base64::Engine as _;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_http::{Answer, Handler, Method, Received, ServerOptions, StatusCode};
use glasstack_journal::SpanKind;
use glasstack_journal::event::{Event, Http, Span, Tls, Verdict};
use glasstack_stack::{Host, World};
use glasstack_tls::revocation::{Demand, RevocationCache, RevocationConfig, RevocationPolicy};
use glasstack_tls::{
    CertificateProblem, ClientAuth, ClientTrust, Identity, TlsClient, TlsClientConfig, TlsError, TlsServer,
    TlsServerConfig, TrustStore,
};
use glasstack_web::{Client, ClientConfig, HttpRevocationSource, ProxyRules, WebError};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CustomExtension, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SigningKey as _, date_time_ymd,
};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Fetched, Network, get, read, serve};

const SITE: &str = "https://www.one.test/";
const LIST: &str = "http://www.two.test/ca.crl";
const RESPONDER: &str = "http://www.two.test/ocsp";

// ---- a CA that publishes what it takes back; the world's clock begins at 2026-06-01T12:00:00Z

struct Ca {
    key: KeyPair,
    params: CertificateParams,
}

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Lab CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { key: KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap(), params }
    }

    fn trust(&self) -> TrustStore {
        let root = self.params.self_signed(&self.key).unwrap();
        TrustStore::from_der([root.der()]).unwrap()
    }

    /// Serial 42, with a distribution point and a responder.
    fn identity(&self, name: &str, lists: &[&str], responder: &str) -> Identity {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.serial_number = Some(42.into());
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 12, 1);
        params.crl_distribution_points =
            vec![CrlDistributionPoint { uris: lists.iter().map(|list| list.to_string()).collect() }];
        let access =
            tlv(0x30, &[&tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 48, 1]]), &tlv(0x86, &[responder.as_bytes()])]);
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], tlv(0x30, &[&access])));
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    /// A list of today, the next one due tomorrow.
    fn list(&self, revoked: &[u64]) -> Vec<u8> {
        let one = |serial: &u64| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 6, 1),
            next_update: date_time_ymd(2026, 6, 2),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(one).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec()
    }

    /// An answer to a request (RFC 6960), whose CertID and nonce are given back.
    fn answer(&self, request: &[u8], status: &[u8], nonce: Option<&[u8]>) -> Vec<u8> {
        let body = inner(inner(request));
        let id = inner(inner(body));
        let time = |text: &str| tlv(0x18, &[text.as_bytes()]);
        let next = tlv(0xa0, &[&time("20260602000000Z")]);
        let single = tlv(0x30, &[id, status, &time("20260601110000Z"), &next]);
        let root = self.params.self_signed(&self.key).unwrap();
        let name = subject_of(root.der());
        let nonce = nonce.map(|nonce| {
            let oid = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 48, 1, 2]]);
            let value = tlv(4, &[&tlv(4, &[nonce])]);
            tlv(0xa1, &[&tlv(0x30, &[&tlv(0x30, &[&oid, &value])])])
        });
        let data = tlv(
            0x30,
            &[
                &tlv(0xa1, &[&name]),
                &time("20260601110000Z"),
                &tlv(0x30, &[&single]),
                &nonce.unwrap_or_default(),
            ],
        );
        let signature = self.key.sign(&data).unwrap();
        let algorithm = tlv(0x30, &[&[6, 3, 0x2b, 0x65, 0x70]]);
        let basic = tlv(0x30, &[&data, &algorithm, &tlv(3, &[&[0], &signature])]);
        let oid = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]]);
        tlv(0x30, &[&[0x0a, 1, 0], &tlv(0xa0, &[&tlv(0x30, &[&oid, &tlv(4, &[&basic])])])])
    }
}

/// The subject of a certificate.
fn subject_of(certificate: &[u8]) -> Vec<u8> {
    // Self-signed: the issuer, which stands behind version, serial number and algorithm, is the subject.
    let mut fields = inner(inner(certificate));
    for _ in 0..3 {
        fields = &fields[whole(fields)..];
    }
    fields[..whole(fields)].to_vec()
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let header = match body.len() {
        0..=0x7f => vec![tag, length[1]],
        0x80..=0xff => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [header, body].concat()
}

/// What is in the first element.
fn inner(der: &[u8]) -> &[u8] {
    let header = if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) };
    &der[header..whole(der)]
}

/// How long the first element is.
fn whole(der: &[u8]) -> usize {
    match der[1] {
        short @ 0..=0x7f => 2 + usize::from(short),
        0x81 => 3 + usize::from(der[2]),
        _ => 4 + usize::from(u16::from_be_bytes([der[2], der[3]])),
    }
}

const GOOD: &[u8] = &[0x80, 0];

fn revoked() -> Vec<u8> {
    tlv(0xa1, &[&tlv(0x18, &[b"20260501000000Z"])])
}

// ---- hosts

/// A responder: answers what `say` makes of a request (RFC 6960 A), and counts.
struct Responder<F> {
    say: F,
}

impl<F: Fn(Method, Vec<u8>) -> Answer + Send + Sync + 'static> Handler for Responder<F> {
    fn handle(&self, request: Received) -> BoxFuture<'_, Answer> {
        let mut request = request;
        async move {
            let bytes = if request.method == Method::GET {
                let text = request.target.rsplit('/').next().unwrap_or_default();
                let text = text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
                base64::prelude::BASE64_STANDARD.decode(text).unwrap_or_default()
            } else {
                request.body.read_all(10_000).await.unwrap().to_vec()
            };
            (self.say)(request.method.clone(), bytes)
        }
        .boxed()
    }
}

fn ocsp(body: Vec<u8>) -> Answer {
    Answer::ok("application/ocsp-response", body)
}

/// Serves the site; what it is asked, and how its handshakes ended.
#[derive(Clone, Default)]
struct Site {
    asked: Arc<AtomicUsize>,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn on(host: &Host, config: TlsServerConfig) -> Self {
        let site = Self::default();
        let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
        let listener = host.listen(SocketAddr::new(host.address(), 443)).unwrap();
        let (host, told) = (host.clone(), site.clone());
        host.clone().spawn(async move {
            loop {
                let tcp = listener.accept().await;
                let (scope, peer) = (tcp.scope().clone(), tcp.peer_addr());
                let asked = told.asked.clone();
                let handler: Arc<dyn Handler> = Arc::new(move |_: Received| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    Answer::text(StatusCode::OK, "the site", "hello")
                });
                match tls.accept(&scope, tcp).await {
                    Ok(stream) => {
                        let options = ServerOptions::default();
                        glasstack_http::server::serve(&host, &scope, stream, peer, handler, options).await;
                    }
                    Err(error) => told.refusals.lock().unwrap().push(error.to_string()),
                }
            }
        });
        site
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Lab {
    network: Network,
    ca: Ca,
    site: Site,
}

impl Lab {
    fn new() -> Self {
        Self::with(LIST, RESPONDER)
    }

    /// With these places in the site's certificate.
    fn with(list: &str, responder: &str) -> Self {
        Self::with_places(&[list], responder)
    }

    fn with_places(lists: &[&str], responder: &str) -> Self {
        let (network, ca) = (Network::new(), Ca::new());
        let mut config = TlsServerConfig::new(vec![ca.identity("www.one.test", lists, responder)]);
        config.alpn = vec!["http/1.1".to_owned()];
        let site = Site::on(&network.one, config);
        Self { network, ca, site }
    }

    fn publish(&self, handler: impl Handler) {
        serve(&self.network.two, 80, handler, ServerOptions::default());
    }

    fn client(&self, policy: RevocationPolicy, cache: &RevocationCache) -> ClientConfig {
        let config = self.network.config();
        let mut tls = TlsClientConfig::new(self.ca.trust());
        tls.alpn = vec!["http/1.1".to_owned()];
        tls.revocation = RevocationConfig {
            policy,
            cache: cache.clone(),
            source: Some(HttpRevocationSource::shared(&self.network.client, &config.resolver)),
            ..RevocationConfig::default()
        };
        let client = &self.network.client;
        ClientConfig { tls: TlsClient::new(client.entropy(), client.scope().clock(), tls).unwrap(), ..config }
    }

    fn fetch(&mut self, policy: RevocationPolicy) -> Result<Fetched, WebError> {
        let config = self.client(policy, &RevocationCache::default());
        self.network.fetch(config, get(SITE))
    }

    fn refused(&mut self, policy: RevocationPolicy) -> CertificateProblem {
        problem(self.fetch(policy).unwrap_err())
    }

    /// The client's checks called `wanted`.
    fn checks(&self, wanted: &str) -> Vec<(Verdict, String)> {
        let judged = |record: glasstack_journal::Record| match record.event {
            Event::Tls(Tls::CertificateJudged { check, verdict, evidence, .. }) if check == wanted => {
                Some((verdict, evidence))
            }
            _ => None,
        };
        self.network.recorder.records().into_iter().filter_map(judged).collect()
    }
}

fn problem(error: WebError) -> CertificateProblem {
    match error {
        WebError::Tls(TlsError::Certificate { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

fn crl(demand: Demand) -> RevocationPolicy {
    RevocationPolicy { crl: demand, ..RevocationPolicy::default() }
}

fn by_ocsp(demand: Demand) -> RevocationPolicy {
    RevocationPolicy { ocsp: demand, ..RevocationPolicy::default() }
}

// ---- lists

#[test]
fn a_list_is_fetched_behind_the_handshake_and_before_the_request_and_kept() {
    let mut lab = Lab::new();
    let list = lab.ca.list(&[7]);
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = fetched.clone();
    lab.publish(move |request: Received| {
        count.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.target, "/ca.crl");
        assert!(request.headers.get("cookie").is_none());
        // The type that it says is not looked at.
        Answer::ok("text/plain", list.clone())
    });
    let cache = RevocationCache::default();
    for _ in 0..2 {
        let config = lab.client(crl(Demand::Require), &cache);
        assert_eq!(lab.network.fetch(config, get(SITE)).unwrap().text(), "hello");
    }
    assert_eq!((fetched.load(Ordering::SeqCst), cache.len(), lab.site.asked()), (1, 1, 2));
    let checks = lab.checks("crl");
    assert!(checks[0].1.contains("(http://www.two.test/ca.crl) does not have serial 0x2a"), "{checks:?}");
    assert!(checks[1].1.contains("(cached) does not have serial 0x2a"), "{checks:?}");
    // In a span of its own below the session.
    let spans = lab.network.recorder.records().into_iter().filter_map(|record| match record.event {
        Event::Span(Span::Opened { kind: SpanKind::Fetch { url }, .. }) => Some(url),
        _ => None,
    });
    assert!(spans.collect::<Vec<_>>().contains(&LIST.to_owned()));
}

#[test]
fn a_list_is_fetched_through_the_proxy_that_requests_go_through_and_never_past_it() {
    // A name that only the proxy knows.
    let mut lab = Lab::with("http://crl.nowhere.test/ca.crl", RESPONDER);
    let list = lab.ca.list(&[7]);
    let asked = Arc::<Mutex<Vec<(String, Option<String>)>>>::default();
    let heard = asked.clone();
    let proxy = move |request: Received| {
        let credentials =
            request.headers.get("proxy-authorization").map(|it| it.to_str().unwrap().to_owned());
        let host = request.headers.get("host").unwrap().to_str().unwrap().to_owned();
        heard.lock().unwrap().push((format!("{host}{}", request.target), credentials));
        Answer::ok("application/pkix-crl", list.clone())
    };
    serve(&lab.network.two, 3128, proxy, ServerOptions::default());
    let every = Some("http://me:pw@www.two.test:3128".parse().unwrap());
    let proxies = ProxyRules { every, ..ProxyRules::default() };
    let config = lab.network.config();
    let mut tls = TlsClientConfig::new(lab.ca.trust());
    let host = lab.network.client.clone();
    tls.revocation = RevocationConfig {
        policy: crl(Demand::Require),
        source: Some(HttpRevocationSource::through(proxies.clone(), &host, &config.resolver)),
        ..RevocationConfig::default()
    };
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
    // What requests themselves go through is another's affair.
    let direct = ClientConfig { tls, ..config };
    assert_eq!(lab.network.fetch(direct, get(SITE)).unwrap().text(), "hello");
    let through_it = ("crl.nowhere.test/ca.crl".to_owned(), Some("Basic bWU6cHc=".to_owned()));
    assert_eq!(*asked.lock().unwrap(), [through_it]);
}

#[test]
fn what_the_list_has_is_refused_by_an_alert_and_the_site_is_never_asked() {
    for demand in [Demand::Try, Demand::Require] {
        let mut lab = Lab::new();
        let list = lab.ca.list(&[42]);
        lab.publish(move |_: Received| Answer::ok("application/pkix-crl", list.clone()));
        let cache = RevocationCache::default();
        let config = lab.client(crl(demand), &cache);
        let client = Client::new(&lab.network.client, config);
        for _ in 0..2 {
            let fetch = async { read(client.fetch(get(SITE)).await).await };
            let refused = problem(lab.network.world.run(fetch).unwrap().unwrap_err());
            assert_eq!(refused.code(), "revoked_by_crl");
        }
        lab.network.world.drain(Duration::from_secs(10)).unwrap();
        assert_eq!(lab.site.asked(), 0);
    }
}

#[test]
fn a_list_that_cannot_be_had_refuses_where_it_is_required_and_is_told_where_it_is_not() {
    let mut lab = Lab::new();
    let refused = lab.refused(crl(Demand::Require));
    assert_eq!(refused.code(), "crl_unreachable");
    assert!(refused.to_string().contains("http://www.two.test/ca.crl: connection refused"), "{refused}");
    assert_eq!(lab.site.asked(), 0);
    assert_eq!(lab.fetch(crl(Demand::Try)).unwrap().text(), "hello");
    let (verdict, evidence) = lab.checks("crl").pop().unwrap();
    assert_eq!(verdict, Verdict::Skipped);
    assert!(evidence.contains("that passes, since nothing is required here"), "{evidence}");
}

#[test]
fn https_and_ldap_are_not_spoken_and_a_redirect_to_https_is_not_followed() {
    for (place, words) in [
        ("https://www.two.test/ca.crl", "https is not spoken for revocation"),
        ("ldap://www.two.test/cn=CA", "ldap is not spoken for revocation"),
    ] {
        let refused = Lab::with(place, RESPONDER).refused(crl(Demand::Require)).to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let mut lab = Lab::new();
    lab.publish(|_: Received| Answer::redirect(StatusCode::FOUND, "https://www.two.test/ca.crl"));
    let refused = lab.refused(crl(Demand::Require)).to_string();
    assert!(refused.contains("https is not spoken for revocation"), "{refused}");
}

#[test]
fn redirects_are_followed_to_an_end() {
    let mut lab = Lab::new();
    let list = lab.ca.list(&[]);
    lab.publish(move |request: Received| match request.path() {
        "/ca.crl" => Answer::redirect(StatusCode::MOVED_PERMANENTLY, "/new.crl"),
        _ => Answer::ok("application/pkix-crl", list.clone()),
    });
    assert!(lab.fetch(crl(Demand::Require)).is_ok());
    let mut lab = Lab::new();
    lab.publish(|_: Received| Answer::redirect(StatusCode::FOUND, "/ca.crl"));
    let refused = lab.refused(crl(Demand::Require)).to_string();
    assert!(refused.contains("more than 3 redirects"), "{refused}");
}

#[test]
fn a_list_without_end_and_a_server_without_an_answer_are_given_up() {
    let mut lab = Lab::new();
    lab.publish(|_: Received| Answer::ok("application/pkix-crl", vec![0; (16 << 20) + 1]));
    let refused = lab.refused(crl(Demand::Require)).to_string();
    assert!(refused.contains("the answer is longer than 16777216 bytes"), "{refused}");
    let mut lab = Lab::new();
    let silent = lab.network.two.listen(SocketAddr::new(lab.network.two.address(), 80)).unwrap();
    lab.network.two.spawn(async move {
        let _held = silent.accept().await;
        std::future::pending::<()>().await;
    });
    let began = lab.network.client.now();
    let refused = lab.refused(crl(Demand::Require)).to_string();
    assert!(refused.contains("no whole answer within 10 s"), "{refused}");
    assert!(lab.network.client.now().since(began) < Duration::from_secs(60));
}

#[test]
fn what_is_no_list_says_so() {
    let mut lab = Lab::new();
    lab.publish(|_: Received| Answer::ok("application/pkix-crl", "hello"));
    assert_eq!(lab.refused(crl(Demand::Require)).code(), "crl_malformed");
    let mut lab = Lab::new();
    lab.publish(|_: Received| Answer::not_found("there is none"));
    let refused = lab.refused(crl(Demand::Require)).to_string();
    assert!(refused.contains("the answer's status is 404, not 200"), "{refused}");
}

#[test]
fn a_cache_from_elsewhere_is_not_believed_but_verified() {
    let mut lab = Lab::new();
    let list = lab.ca.list(&[]);
    // Somebody has put a list of another key where ours should be.
    let forged = Ca::new().list(&[]);
    let now = Arc::new(Mutex::new(list.clone()));
    let published = now.clone();
    lab.publish(move |_: Received| Answer::ok("application/pkix-crl", published.lock().unwrap().clone()));
    let cache = RevocationCache::default();
    let config = lab.client(crl(Demand::Require), &cache);
    assert!(lab.network.fetch(config, get(SITE)).is_ok());
    let mut bytes = cache.to_bytes();
    let place = bytes.windows(list.len()).position(|window| window == list).unwrap();
    assert_eq!(forged.len(), list.len());
    bytes[place..place + list.len()].copy_from_slice(&forged);
    let other = RevocationCache::default();
    assert_eq!(other.add_bytes(&bytes), Ok(0));
    *now.lock().unwrap() = lab.ca.list(&[42]);
    let config = lab.client(crl(Demand::Require), &other);
    let refused = problem(lab.network.fetch(config, get(SITE)).unwrap_err());
    assert_eq!(refused.code(), "revoked_by_crl");
    assert!(refused.to_string().contains(LIST), "fetched anew: {refused}");
}

#[test]
fn of_several_places_the_next_is_tried_when_one_gives_nothing_of_use() {
    let places = ["ldap://www.two.test/cn=CA", "http://www.two.test/old.crl", LIST];
    let mut lab = Lab::with_places(&places, RESPONDER);
    let (list, forged) = (lab.ca.list(&[]), Ca::new().list(&[]));
    lab.publish(move |request: Received| {
        let list = if request.path() == "/old.crl" { &forged } else { &list };
        Answer::ok("application/pkix-crl", list.clone())
    });
    assert!(lab.fetch(crl(Demand::Require)).is_ok());
    let (_, evidence) = lab.checks("crl").pop().unwrap();
    assert!(evidence.contains("(http://www.two.test/ca.crl)"), "{evidence}");
}

#[test]
fn all_fetches_of_one_connection_are_given_up_after_half_a_minute() {
    let places: Vec<String> = (0..8).map(|place| format!("http://www.two.test/{place}.crl")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let mut lab = Lab::with_places(&places, RESPONDER);
    let silent = lab.network.two.listen(SocketAddr::new(lab.network.two.address(), 80)).unwrap();
    lab.network.two.spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(silent.accept().await);
        }
    });
    let began = lab.network.client.now();
    let config = lab.client(crl(Demand::Require), &RevocationCache::default());
    let client = Client::new(&lab.network.client, config);
    let fetch = async { read(client.fetch(get(SITE)).await).await };
    let refused = problem(lab.network.world.run(fetch).unwrap().unwrap_err());
    assert_eq!(refused.code(), "crl_unreachable");
    let took = lab.network.client.now().since(began);
    assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(31), "{took:?}");
}

// ---- responders

#[test]
fn a_responder_is_asked_by_get_first_and_its_answer_kept() {
    let mut lab = Lab::new();
    let ca =
        Ca { key: KeyPair::from_pem(&lab.ca.key.serialize_pem()).unwrap(), params: lab.ca.params.clone() };
    let methods = Arc::new(Mutex::new(Vec::new()));
    let seen = methods.clone();
    lab.publish(Responder {
        say: move |method, request: Vec<u8>| {
            seen.lock().unwrap().push(method);
            ocsp(ca.answer(&request, GOOD, None))
        },
    });
    let cache = RevocationCache::default();
    for _ in 0..2 {
        let config = lab.client(by_ocsp(Demand::Require), &cache);
        assert_eq!(lab.network.fetch(config, get(SITE)).unwrap().text(), "hello");
    }
    assert_eq!(*methods.lock().unwrap(), [Method::GET]);
    // What was kept can be put away, and taken up by another.
    let other = RevocationCache::default();
    assert_eq!(other.add_bytes(&cache.to_bytes()), Ok(0));
    let config = lab.client(by_ocsp(Demand::Require), &other);
    assert!(lab.network.fetch(config, get(SITE)).is_ok());
    assert_eq!(methods.lock().unwrap().len(), 1);
}

#[test]
fn a_responder_that_knows_no_get_is_asked_by_post_with_a_nonce_that_must_come_back_unchanged() {
    for (echoed, code) in [(None, "good"), (Some(true), "good"), (Some(false), "ocsp_nonce")] {
        let mut lab = Lab::new();
        let ca = Ca {
            key: KeyPair::from_pem(&lab.ca.key.serialize_pem()).unwrap(),
            params: lab.ca.params.clone(),
        };
        lab.publish(Responder {
            say: move |method, request: Vec<u8>| {
                if method == Method::GET {
                    return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "by POST", "");
                }
                // RFC 9654: 32 bytes, at the request's end.
                let nonce = request[request.len() - 32..].to_vec();
                let other = vec![7; 32];
                let echo = echoed.map(|same| if same { nonce.as_slice() } else { other.as_slice() });
                ocsp(ca.answer(&request, GOOD, echo))
            },
        });
        match lab.fetch(by_ocsp(Demand::Require)) {
            Ok(_) => assert_eq!(code, "good"),
            Err(error) => assert_eq!(problem(error).code(), code),
        }
    }
}

#[test]
fn a_nonce_that_is_required_and_not_repeated_refuses() {
    let mut lab = Lab::new();
    let ca =
        Ca { key: KeyPair::from_pem(&lab.ca.key.serialize_pem()).unwrap(), params: lab.ca.params.clone() };
    lab.publish(Responder {
        say: move |method, request: Vec<u8>| {
            assert_eq!(method, Method::POST);
            ocsp(ca.answer(&request, GOOD, None))
        },
    });
    let policy = RevocationPolicy { nonce: true, ..by_ocsp(Demand::Require) };
    assert_eq!(lab.refused(policy).code(), "ocsp_nonce");
}

#[test]
fn what_the_responder_says_is_revoked_is_refused_even_where_nothing_is_required() {
    let mut lab = Lab::new();
    let ca =
        Ca { key: KeyPair::from_pem(&lab.ca.key.serialize_pem()).unwrap(), params: lab.ca.params.clone() };
    lab.publish(Responder { say: move |_, request: Vec<u8>| ocsp(ca.answer(&request, &revoked(), None)) });
    assert_eq!(lab.refused(by_ocsp(Demand::Try)).code(), "revoked_by_ocsp");
    assert_eq!(lab.site.asked(), 0);
}

#[test]
fn a_responder_that_is_busy_or_broken_is_told_apart() {
    for (body, code) in [(vec![0x30, 3, 0x0a, 1, 3], "ocsp_refused"), (vec![1, 2, 3], "ocsp_malformed")] {
        let mut lab = Lab::new();
        lab.publish(Responder { say: move |_, _| ocsp(body.clone()) });
        assert_eq!(lab.refused(by_ocsp(Demand::Require)).code(), code);
        assert!(lab.fetch(by_ocsp(Demand::Try)).is_ok());
    }
    assert_eq!(Lab::new().refused(by_ocsp(Demand::Require)).code(), "ocsp_unreachable");
}

// ---- the other role, and sessions that are taken up again

#[test]
fn a_server_asks_about_its_clients_before_it_reads_their_request() {
    for (serials, accepted) in [(&[7][..], true), (&[42], false)] {
        let (mut network, ca) = (Network::new(), Ca::new());
        let list = ca.list(serials);
        let handler = move |_: Received| Answer::ok("application/pkix-crl", list.clone());
        serve(&network.two, 80, handler, ServerOptions::default());
        let mut config = TlsServerConfig::new(vec![ca.identity("www.one.test", &[LIST], RESPONDER)]);
        config.alpn = vec!["http/1.1".to_owned()];
        let resolver = glasstack_dns::Resolver::new(
            network.one.clone(),
            glasstack_dns::ResolverConfig {
                hosts: glasstack_dns::HostsFile::parse("10.0.0.3 www.two.test\n"),
                ..glasstack_dns::ResolverConfig::default()
            },
        );
        config.client_auth = ClientAuth::Required(ClientTrust {
            revocation: RevocationConfig {
                policy: crl(Demand::Require),
                source: Some(HttpRevocationSource::shared(&network.one, &resolver)),
                ..RevocationConfig::default()
            },
            ..ClientTrust::new(ca.trust())
        });
        let site = Site::on(&network.one, config);
        let mut tls = TlsClientConfig::new(ca.trust());
        tls.alpn = vec!["http/1.1".to_owned()];
        tls.identity = Some(ca.identity("alice", &[LIST], RESPONDER));
        let client = &network.client;
        let tls = TlsClient::new(client.entropy(), client.scope().clock(), tls).unwrap();
        let fetched = network.fetch(ClientConfig { tls, ..network.config() }, get(SITE));
        assert_eq!(fetched.is_ok(), accepted);
        assert_eq!(site.asked(), usize::from(accepted));
        if let Err(error) = fetched {
            let mut causes = vec![error.to_string()];
            let mut cause = std::error::Error::source(&error);
            while let Some(next) = cause {
                causes.push(next.to_string());
                cause = next.source();
            }
            assert!(causes.concat().contains("(alert certificate_revoked)"), "{causes:?}");
            let refusals = site.refusals.lock().unwrap().join("\n");
            assert!(
                refusals.contains("the client's own certificate") && refusals.contains("has been revoked")
            );
        }
    }
}

#[test]
fn a_resumed_session_is_judged_again() {
    let mut lab = Lab::new();
    let lists = [lab.ca.list(&[]), lab.ca.list(&[42])];
    let turn = Arc::new(AtomicUsize::new(0));
    let now = turn.clone();
    lab.publish(move |_: Received| {
        Answer::ok("application/pkix-crl", lists[now.load(Ordering::SeqCst)].clone())
    });
    // Nothing is kept: every session asks.
    let config = lab.client(crl(Demand::Require), &RevocationCache::with_capacity(0));
    let mut outcomes = Vec::new();
    for (list, _) in [(0, ()), (0, ()), (1, ()), (1, ())] {
        turn.store(list, Ordering::SeqCst);
        outcomes.push(lab.network.fetch(config.clone(), get(SITE)).is_ok());
    }
    assert_eq!(outcomes, [true, true, false, false]);
    let resumed = lab.network.recorder.records().into_iter().filter_map(|record| match record.event {
        Event::Tls(Tls::Established { server: false, resumed, .. }) => Some(resumed),
        _ => None,
    });
    assert_eq!(resumed.collect::<Vec<_>>(), [false, true]);
}

#[test]
fn the_site_is_asked_as_ever_where_nothing_is_demanded() {
    let mut lab = Lab::new();
    assert!(lab.fetch(RevocationPolicy::default()).is_ok());
    let requests = lab.network.told().into_iter().filter(|fact| matches!(fact, Http::RequestSent { .. }));
    assert_eq!(requests.count(), 1);
}
