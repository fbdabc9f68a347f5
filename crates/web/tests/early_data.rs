//! Requests that are sent before the handshake is over, where that does no harm.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use glasstack_http::{Answer, Handler, Method, Received, ServerOptions, StatusCode, server};
use glasstack_stack::{Host, World};
use glasstack_tls::{
    EarlyData, RevocationConfig, RevocationPolicy, TlsClient, TlsClientConfig, TlsServer, TlsServerConfig,
    TlsVersion, TrustStore,
};
use glasstack_web::{Client, ClientConfig, Request};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Fetched, Network, get, read};

/// What the server heard: a line a request, which ends with `early` if it came so.
type Heard = Arc<Mutex<Vec<String>>>;

/// Each connection is for the next of these servers, and all others for the last.
fn serve(host: &Host, servers: Vec<TlsServer>, answer: fn(&Received) -> Answer) -> Heard {
    let heard = Heard::default();
    let told = Arc::clone(&heard);
    let handler: Arc<dyn Handler> = Arc::new(move |request: Received| {
        let early = if request.early { " early" } else { "" };
        told.lock().unwrap().push(format!("{} {}{early}", request.method, request.target));
        answer(&request)
    });
    let listener = host.listen(SocketAddr::new(host.address(), 443)).unwrap();
    let host = host.clone();
    host.clone().spawn(async move {
        for count in 0.. {
            let tcp = listener.accept().await;
            let tls = servers.get(count).or(servers.last()).unwrap();
            let (scope, peer) = (tcp.scope().clone(), tcp.peer_addr());
            if let Ok(stream) = tls.accept(&scope, tcp).await {
                let early = matches!(stream.session().early_data, EarlyData::Received(_));
                let options = ServerOptions { early, ..ServerOptions::default() };
                server::serve(&host, &scope, stream, peer, Arc::clone(&handler), options).await;
            }
        }
    });
    heard
}

fn fine(_: &Received) -> Answer {
    Answer::ok("text/plain", "fine\n")
}

fn too_early(request: &Received) -> Answer {
    match request.path() {
        "/" => Answer::new(StatusCode::TOO_EARLY, "always"),
        _ if request.early => Answer::new(StatusCode::TOO_EARLY, "it came early"),
        _ => fine(request),
    }
}

/// A server that takes so many bytes of early data, with sessions of its own.
fn takes(network: &Network, early_data: u32) -> TlsServer {
    let mut config = TlsServerConfig::new([network.ca.identity("www.one.test")]);
    (config.alpn, config.early_data) = (vec!["http/1.1".to_owned()], early_data);
    TlsServer::new(network.one.entropy(), network.one.scope().clock(), config).unwrap()
}

fn closing(mut request: Request) -> Request {
    request.headers.push("Connection: close".parse().unwrap());
    request
}

/// A first request, so that there is a session, and then this one by the same client. Its end.
fn second(network: &mut Network, config: ClientConfig, request: Request) -> Fetched {
    let client = Client::new(&network.client, config);
    let last = network
        .world
        .run(async {
            read(client.fetch(closing(get("https://www.one.test/first"))).await).await.unwrap();
            let last = read(client.fetch(request).await).await.unwrap();
            client.close().await;
            last
        })
        .unwrap();
    network.world.drain(Duration::from_secs(10)).unwrap();
    last
}

fn early(network: &Network) -> ClientConfig {
    ClientConfig { early_data: true, ..network.config() }
}

/// With a TLS client of its own.
fn early_with(network: &Network, edit: impl FnOnce(&mut TlsClientConfig)) -> ClientConfig {
    let mut tls = TlsClientConfig::new(TrustStore::from_pem(network.ca.pem.as_bytes()).unwrap());
    tls.alpn = vec!["http/1.1".to_owned()];
    edit(&mut tls);
    let tls = TlsClient::new(network.client.entropy(), network.client.scope().clock(), tls).unwrap();
    ClientConfig { tls, ..early(network) }
}

/// What a server hears of a second request, and what is told.
fn heard(edit: impl FnOnce(&Network) -> ClientConfig, request: Request) -> (Vec<String>, Vec<String>) {
    let mut network = Network::new();
    let heard = serve(&network.one, vec![takes(&network, 4096)], fine);
    let config = edit(&network);
    second(&mut network, config, request);
    let heard = heard.lock().unwrap().split_off(1);
    (heard, network.notes())
}

#[track_caller]
fn tells(notes: &[String], words: &str) {
    assert!(notes.iter().any(|note| note.contains(words)), "{words}: {notes:?}");
}

#[test]
fn the_second_get_goes_out_with_the_first_flight_when_it_may() {
    let plain = || get("https://www.one.test/a?b=c");
    assert_eq!(heard(Network::config, plain()).0, ["GET /a?b=c"]);
    let (heard, notes) = heard(early, plain());
    assert_eq!(heard, ["GET /a?b=c early"]);
    tells(&notes, "Whoever records them can send them once more");
}

#[test]
fn what_changes_something_or_says_who_asks_waits_for_the_handshake_and_that_is_told() {
    let with = |field: &str| {
        let mut request = get("https://www.one.test/");
        request.headers.push(field.parse().unwrap());
        request
    };
    for (field, why) in [
        ("Cookie: a=b", "nothing is sent early, since Cookie says who asks"),
        ("Authorization: Bearer x", "nothing is sent early, since Authorization says who asks"),
    ] {
        let (heard, notes) = heard(early, with(field));
        assert_eq!(heard, ["GET /"], "{field}");
        tells(&notes, why);
    }
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        let request = Request { method: method.clone(), ..get("https://www.one.test/") };
        let (heard, notes) = heard(early, request);
        assert_eq!(heard, [format!("{method} /")]);
        tells(&notes, &format!("nothing is sent early, since {method} is neither GET nor HEAD"));
    }
}

#[test]
fn who_has_a_certificate_to_show_sends_nothing_early() {
    let shows = |network: &Network| {
        let identity = network.ca.identity("alice");
        early_with(network, |tls| tls.identity = Some(identity))
    };
    let (heard, notes) = heard(shows, get("https://www.one.test/"));
    assert_eq!(heard, ["GET /"]);
    tells(&notes, "nothing is sent early, since a client certificate says who asks");
}

#[test]
fn nothing_goes_early_where_revocation_is_to_be_judged_first() {
    let demands = |network: &Network| {
        let crl = glasstack_tls::Demand::Try;
        let policy = RevocationPolicy { crl, ..RevocationPolicy::default() };
        early_with(network, |tls| tls.revocation = RevocationConfig { policy, ..RevocationConfig::default() })
    };
    let (heard, notes) = heard(demands, get("https://www.one.test/"));
    assert_eq!(heard, ["GET /"]);
    tells(&notes, "early data was not sent early, since revocation is to be judged before anything is");
}

#[test]
fn a_request_that_was_too_early_is_sent_once_more_behind_the_handshake() {
    for (fields, connections) in [(None, 2), (Some("Connection: close"), 3)] {
        let mut network = Network::new();
        let heard = serve(&network.one, vec![takes(&network, 4096)], too_early);
        let mut request = get("https://www.one.test/a");
        request.headers.extend(fields.map(|field| field.parse().unwrap()));
        let config = early(&network);
        let fetched = second(&mut network, config, request);
        assert_eq!((fetched.status, fetched.text()), (200, "fine\n"));
        assert_eq!(*heard.lock().unwrap(), ["GET /first", "GET /a early", "GET /a"]);
        assert_eq!(network.chosen().iter().filter(|(reused, _)| !reused).count(), connections);
        tells(&network.notes(), "425: what was sent early was too early, and is sent once more");
        if connections == 3 {
            tells(&network.notes(), "nothing is sent early, since the server has said that it is too early");
        }
    }
}

#[test]
fn too_early_stands_when_it_was_not_early_and_when_it_comes_again() {
    for (early_data, all) in
        [(true, &["GET /first", "GET / early", "GET /"][..]), (false, &["GET /first", "GET /"])]
    {
        let mut network = Network::new();
        let heard = serve(&network.one, vec![takes(&network, 4096)], too_early);
        let config = ClientConfig { early_data, ..network.config() };
        let fetched = second(&mut network, config, get("https://www.one.test/"));
        assert_eq!(fetched.status, 425);
        assert_eq!(*heard.lock().unwrap(), all);
    }
}

#[test]
fn what_a_server_refuses_early_arrives_once() {
    // The second one knows nothing of the sessions of the first one; and takes early data, or takes none.
    for early_data in [4096, 0] {
        let mut network = Network::new();
        let servers = vec![takes(&network, 4096), takes(&network, early_data)];
        let heard = serve(&network.one, servers, too_early);
        let config = early(&network);
        let fetched = second(&mut network, config, get("https://www.one.test/a"));
        assert_eq!(fetched.status, 200);
        assert_eq!(*heard.lock().unwrap(), ["GET /first", "GET /a"]);
        tells(&network.notes(), "bytes of early data: they are sent once more, behind the handshake");
    }
}

#[test]
fn a_server_that_has_gone_back_to_tls_1_2_is_asked_again_without_early_data() {
    let mut network = Network::new();
    let mut config = TlsServerConfig::new([network.ca.identity("www.one.test")]);
    (config.alpn, config.max_version) = (vec!["http/1.1".to_owned()], TlsVersion::Tls12);
    let old = TlsServer::new(network.one.entropy(), network.one.scope().clock(), config).unwrap();
    let heard = serve(&network.one, vec![takes(&network, 4096), old], fine);
    let config = early(&network);
    assert_eq!(second(&mut network, config, get("https://www.one.test/a")).status, 200);
    assert_eq!(*heard.lock().unwrap(), ["GET /first", "GET /a"]);
    tells(&network.notes(), "the connection is made again without early data");
}
