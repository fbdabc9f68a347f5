//! A server that wants to know who the client is, over a whole network: what the fetch says when it is
//! refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use glasstack_http::{Answer, Handler, Received, ServerOptions, server};
use glasstack_journal::event::TcpFlags;
use glasstack_stack::Host;
use glasstack_tls::{
    ClientAuth, ClientTrust, Identity, TlsClient, TlsClientConfig, TlsServer, TlsServerConfig, TlsVersion,
    TrustStore,
};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use support::{Authority, Network, get};

/// A site for clients of `clients` only.
fn serve(host: &Host, identity: Identity, clients: &Authority) {
    let mut config = TlsServerConfig::new([identity]);
    let trust = TrustStore::from_pem(clients.pem.as_bytes()).unwrap();
    config.client_auth = ClientAuth::Required(ClientTrust::new(trust));
    let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
    let listener = host.listen(SocketAddr::new(host.address(), 443)).unwrap();
    let handler: Arc<dyn Handler> = Arc::new(|_: Received| Answer::ok("text/plain", "for friends"));
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

/// One fetch by a client that shows `identity`, and the whole of what its error says.
fn fetch(version: TlsVersion, shown: Option<Identity>) -> (Network, Result<String, (u8, String)>) {
    let mut network = Network::new();
    let clients = Authority::new("clients CA");
    serve(&network.one, network.ca.identity("www.one.test"), &clients);
    let mut tls = TlsClientConfig::new(TrustStore::from_pem(network.ca.pem.as_bytes()).unwrap());
    (tls.identity, tls.max_version) = (shown, version);
    let mut config = network.config();
    config.tls = TlsClient::new(network.client.entropy(), network.client.scope().clock(), tls).unwrap();
    let fetched =
        network.fetch(config, get("https://www.one.test/")).map(|fetched| fetched.text().to_owned());
    let fetched = fetched.map_err(|error| {
        let mut words = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            words.push_str(&format!(": {cause}"));
            next = cause.source();
        }
        (error.curl_exit_code(), words)
    });
    (network, fetched)
}

#[test]
fn a_fetch_without_the_certificate_that_is_required_says_so_and_is_tried_once() {
    // As curl with OpenSSL: 35 in the handshake, 56 behind it.
    for (version, code) in [(TlsVersion::Tls12, 35), (TlsVersion::Tls13, 56)] {
        let (network, fetched) = fetch(version, None);
        let (exit, words) = fetched.unwrap_err();
        assert!(
            words.contains("the server wants a client certificate, and none was given: --cert FILE"),
            "{words}"
        );
        assert!(words.contains("issued by CN=clients CA"), "{words}");
        assert_eq!(exit, code, "{version}");
        assert_eq!(network.sent(&network.client, TcpFlags::SYN), 1, "{version}");
    }
}

#[test]
fn a_fetch_with_a_certificate_of_a_stranger_says_that_it_was_refused() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (_, fetched) = fetch(version, Some(Authority::new("strangers CA").identity("mallory.test")));
        let (_, words) = fetched.unwrap_err();
        assert!(words.contains("refused the client certificate that it was shown"), "{version}: {words}");
        assert!(words.contains("does not trust its issuer"), "{version}: {words}");
    }
}
