//! Requests through proxies: forwarded, tunnelled, by SOCKS, over TLS; and those that proxies refuse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_http::{Answer, Received, ServerOptions};
use glasstack_journal::event::Http;
use glasstack_stack::{Host, TcpStream, World};
use glasstack_web::{ClientConfig, NoProxy, ProxyRules, WebError};
use std::net::SocketAddr;
use std::sync::Arc;
use support::{Network, echo, get, serve, serve_tls};

/// Carries bytes both ways until either side is done.
async fn carry(near: TcpStream, far: TcpStream) {
    let (near_read, mut near_write) = near.split();
    let (far_read, mut far_write) = far.split();
    let there = async {
        let _ = futures_util::io::copy(near_read, &mut far_write).await;
        let _ = far_write.close().await;
    };
    let back = async {
        let _ = futures_util::io::copy(far_read, &mut near_write).await;
        let _ = near_write.close().await;
    };
    futures_util::future::join(there, back).await;
}

async fn head_of(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte).await, Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A proxy on `host` that answers CONNECT with `answer`, and carries if that is a 200; what it was
/// asked is pushed to the list.
fn connect_proxy(host: &Host, answer: &'static str) -> Arc<std::sync::Mutex<Vec<String>>> {
    let asked = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let (listener, list) = (host.listen(SocketAddr::new(host.address(), 3128)).unwrap(), Arc::clone(&asked));
    let own = host.clone();
    host.spawn(async move {
        loop {
            let mut near = listener.accept().await;
            let head = head_of(&mut near).await;
            let port = head.split([' ', ':']).nth(2).unwrap().parse::<u16>().unwrap();
            list.lock().unwrap().push(head);
            near.write_all(answer.as_bytes()).await.unwrap();
            if answer.contains(" 200 ") {
                let far = own.connect(SocketAddr::new("10.0.0.2".parse().unwrap(), port)).await.unwrap();
                own.spawn(carry(near, far));
            } else {
                near.close().await.unwrap();
            }
        }
    });
    asked
}

fn through(network: &Network, proxy: &str) -> ClientConfig {
    let every = Some(proxy.parse().unwrap());
    let config = network.config();
    let proxy = ProxyRules { every, tls: Some(config.tls.clone()), ..ProxyRules::default() };
    ClientConfig { proxy, ..config }
}

fn tunnel(network: &Network) -> Option<(String, bool)> {
    network.told().into_iter().find_map(|fact| match fact {
        Http::TunnelAnswered { answer, open, .. } => Some((answer, open)),
        _ => None,
    })
}

#[test]
fn http_is_forwarded_whole_and_one_connection_serves_every_host() {
    let mut network = Network::new();
    let asked = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let listener = network.two.listen(SocketAddr::new(network.two.address(), 3128)).unwrap();
    let list = Arc::clone(&asked);
    network.two.spawn(async move {
        let mut near = listener.accept().await;
        for _ in 0..2 {
            let head = head_of(&mut near).await;
            list.lock().unwrap().push(head);
            near.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
        }
        near.close().await.unwrap();
        let _ = near.read_to_end(&mut Vec::new()).await;
    });
    let mut config = through(&network, "http://me:pw@www.two.test:3128");
    config.proxy.headers = vec!["X-For-Proxy: 1".parse().unwrap()];
    let client = glasstack_web::Client::new(&network.client, config);
    network
        .world
        .run(async {
            for url in ["http://nowhere.test/a?b#c", "http://elsewhere.test:81/"] {
                assert_eq!(support::read(client.fetch(get(url)).await).await.unwrap().text(), "hi");
            }
            client.close().await;
        })
        .unwrap();
    let agent = concat!("glasstack/", env!("CARGO_PKG_VERSION"));
    let expected = |target: &str, host: &str| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic bWU6cHc=\r\nUser-Agent: \
             {agent}\r\nAccept: */*\r\nProxy-Connection: Keep-Alive\r\nX-For-Proxy: 1\r\n\r\n"
        )
    };
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], expected("http://nowhere.test/a?b", "nowhere.test"));
    assert_eq!(asked[1], expected("http://elsewhere.test:81/", "elsewhere.test:81"));
    let reused: Vec<bool> = network.chosen().iter().map(|(reused, _)| *reused).collect();
    assert_eq!(reused, [false, true]);
    let shown = format!("{:?}", network.recorder.records());
    assert!(shown.contains("http://www.two.test:3128") && !shown.contains("me:pw"));
}

#[test]
fn https_is_tunnelled_and_the_proxy_hears_nothing_but_connect() {
    let mut network = Network::new();
    serve_tls(&network.one, network.ca.identity("www.one.test"), |_: Received| {
        Answer::ok("text/plain", "hi")
    });
    let asked = connect_proxy(&network.two, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
    let request = get("https://www.one.test/");
    let watch = request.watch.clone();
    let fetched = network.fetch(through(&network, "http://www.two.test:3128"), request).unwrap();
    assert_eq!(fetched.text(), "hi");
    let agent = concat!("glasstack/", env!("CARGO_PKG_VERSION"));
    let expected = format!(
        "CONNECT www.one.test:443 HTTP/1.1\r\nHost: www.one.test:443\r\nUser-Agent: {agent}\r\nProxy-Connection: \
         Keep-Alive\r\n\r\n"
    );
    assert_eq!(*asked.lock().unwrap(), [expected]);
    let facts = watch.facts();
    assert_eq!((facts.connect_status, facts.status), (200, 200));
    assert_eq!(facts.remote, Some("10.0.0.3:3128".parse().unwrap()));
    assert!(facts.timings.appconnect > facts.timings.connect, "{:?}", facts.timings);
    assert_eq!(tunnel(&network), Some(("200 Connection established".to_owned(), true)));
}

#[test]
fn a_proxy_may_be_spoken_to_over_tls_and_its_certificate_counts() {
    let mut network = Network::new();
    serve_tls(&network.two, network.ca.identity("www.two.test"), echo);
    let proxy = through(&network, "https://www.two.test");
    let fetched = network.fetch(proxy.clone(), get("http://nowhere.test/")).unwrap();
    assert!(fetched.text().contains("host: nowhere.test\n"), "{}", fetched.text());
    let mut network = Network::new();
    serve_tls(&network.two, network.ca.identity("other.test"), echo);
    let error =
        network.fetch(through(&network, "https://www.two.test"), get("http://nowhere.test/")).unwrap_err();
    assert!(matches!(error, WebError::ProxyTls(_)), "{error:?}");
    assert_eq!(error.curl_exit_code(), 60);
}

#[test]
fn what_is_meant_for_servers_is_not_used_for_a_proxy_over_tls() {
    let mut network = Network::new();
    serve_tls(&network.two, network.ca.identity("www.two.test"), echo);
    let mut config = through(&network, "https://www.two.test");
    config.proxy.tls = None;
    let error = network.fetch(config, get("http://nowhere.test/")).unwrap_err();
    assert!(matches!(error, WebError::NoProxyTls { .. }), "{error:?}");
    assert!(error.to_string().contains("https://www.two.test:443"), "{error}");
}

#[test]
fn a_proxy_that_refuses_the_tunnel_is_56_and_one_that_is_not_there_5_or_7() {
    let mut network = Network::new();
    connect_proxy(&network.two, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let error =
        network.fetch(through(&network, "www.two.test:3128"), get("https://www.one.test/")).unwrap_err();
    assert!(matches!(error, WebError::Tunnel { status: 403, .. }), "{error:?}");
    assert_eq!(error.curl_exit_code(), 56);
    assert_eq!(tunnel(&network), Some(("403 Forbidden".to_owned(), false)));
    for (proxy, code) in [("unknown.test:3128", 5), ("www.one.test:3128", 7)] {
        let error = network.fetch(through(&network, proxy), get("https://www.one.test/")).unwrap_err();
        assert_eq!(error.curl_exit_code(), code, "{error}");
    }
}

#[test]
fn exceptions_are_reached_directly_and_that_is_told() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    let mut config = through(&network, "unknown.test:3128");
    config.proxy.except = NoProxy::parse("one.test");
    assert!(network.fetch(config, get("http://www.one.test/")).is_ok());
    let why = network.told().into_iter().find_map(|fact| match fact {
        Http::ProxyChosen { proxy: None, why } => Some(why),
        _ => None,
    });
    assert_eq!(
        why.unwrap(),
        "www.one.test is reached without a proxy: the list of exceptions says \"one.test\""
    );
}

#[test]
fn socks_carries_http_and_its_refusal_is_97() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    let listener = network.two.listen(SocketAddr::new(network.two.address(), 1080)).unwrap();
    let own = network.two.clone();
    network.two.spawn(async move {
        loop {
            let mut near = listener.accept().await;
            let mut greeting = [0; 3];
            near.read_exact(&mut greeting).await.unwrap();
            near.write_all(&[5, 0]).await.unwrap();
            let mut request = [0; 5];
            near.read_exact(&mut request).await.unwrap();
            // A name of so many letters, and a port.
            let mut rest = vec![0; usize::from(request[4]) + 2];
            near.read_exact(&mut rest).await.unwrap();
            if rest.starts_with(b"www.one.test") {
                near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let far = own.connect("10.0.0.2:80".parse().unwrap()).await.unwrap();
                own.spawn(carry(near, far));
            } else {
                near.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            }
        }
    });
    let proxy = "socks5h://www.two.test";
    let fetched = network.fetch(through(&network, proxy), get("http://www.one.test/a")).unwrap();
    assert!(fetched.text().starts_with("GET /a\nhost: www.one.test\n"), "{}", fetched.text());
    let error = network.fetch(through(&network, proxy), get("http://other.test/")).unwrap_err();
    assert_eq!(error.curl_exit_code(), 97, "{error}");
    assert!(error.to_string().contains("its rules forbid it"), "{error}");
}
