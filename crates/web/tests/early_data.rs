//! Requests that are sent before the handshake is over, where that does no harm.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use glasstack_http::{Handler, ServerOptions, server};
use glasstack_stack::{Host, World};
use glasstack_tls::{Identity, TlsServer, TlsServerConfig};
use glasstack_web::{Client, ClientConfig, Request};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use support::{Network, echo, get, read};

fn serve(host: &Host, identity: Identity) {
    let mut config = TlsServerConfig::new([identity]);
    (config.alpn, config.early_data) = (vec!["http/1.1".to_owned()], 4096);
    let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
    let listener = host.listen(SocketAddr::new(host.address(), 443)).unwrap();
    let handler: Arc<dyn Handler> = Arc::new(echo);
    let host = host.clone();
    host.clone().spawn(async move {
        loop {
            let tcp = listener.accept().await;
            let (scope, peer) = (tcp.scope().clone(), tcp.peer_addr());
            if let Ok(stream) = tls.accept(&scope, tcp).await {
                let options = ServerOptions::default();
                server::serve(&host, &scope, stream, peer, Arc::clone(&handler), options).await;
            }
        }
    });
}

/// Two requests, each on a connection of its own, by one client; what the server heard in the second,
/// and how many requests were accepted early.
fn twice(early_data: bool, request: impl Fn() -> Request) -> (String, usize) {
    let mut network = Network::new();
    serve(&network.one, network.ca.identity("www.one.test"));
    let config = ClientConfig { early_data, ..network.config() };
    let client = Client::new(&network.client, config);
    let close = |request: Request| {
        let mut request = request;
        request.headers.push("Connection: close".parse().unwrap());
        request
    };
    let last = network
        .world
        .run(async {
            read(client.fetch(close(request())).await).await.unwrap();
            let last = read(client.fetch(close(request())).await).await.unwrap();
            client.close().await;
            last
        })
        .unwrap();
    network.world.drain(Duration::from_secs(10)).unwrap();
    let accepted = network.notes().iter().filter(|note| note.contains("bytes of early data came")).count();
    (last.text().to_owned(), accepted)
}

#[test]
fn the_second_get_goes_out_with_the_first_flight_when_it_may() {
    let plain = || get("https://www.one.test/early");
    let (usual, accepted) = twice(false, plain);
    assert_eq!(accepted, 0);
    assert!(usual.starts_with("GET /early\n"), "{usual}");
    assert_eq!(twice(true, plain), (usual, 1));
}

#[test]
fn what_changes_something_or_says_who_asks_waits_for_the_handshake() {
    let with = |field: &'static str| {
        move || {
            let mut request = get("https://www.one.test/");
            request.headers.push(field.parse().unwrap());
            request
        }
    };
    for field in ["Cookie: a=b", "Authorization: Bearer x"] {
        assert_eq!(twice(true, with(field)).1, 0, "{field}");
    }
    let post = || {
        let mut request = get("https://www.one.test/");
        request.method = glasstack_http::Method::POST;
        request
    };
    assert_eq!(twice(true, post).1, 0);
}
