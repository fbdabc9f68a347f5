//! Fetches that fail: what is told, and with which of curl's exit codes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_http::{Answer, HttpError, Received, RedirectError, ServerOptions, StatusCode};
use glasstack_journal::Instant;
use glasstack_journal::event::{Http, TcpFlags};
use glasstack_sim::{Cable, fault};
use glasstack_stack::{ConnectError, Host, TcpStream, World};
use glasstack_tls::TlsError;
use glasstack_web::{Client, ClientConfig, Request, UploadBody, WebError};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use support::{Authority, Network, echo, get, read, serve, serve_tls};

/// Does `script` with every connection.
fn script<F: Future<Output = ()> + Send>(
    host: &Host,
    port: u16,
    script: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) {
    let listener = host.listen(SocketAddr::new(host.address(), port)).unwrap();
    host.spawn(async move {
        loop {
            script(listener.accept().await).await;
        }
    });
}

/// Reads the request's head, and answers these bytes.
async fn answer(stream: &mut TcpStream, wire: &[u8]) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte).await, Ok(1)) {
        head.push(byte[0]);
    }
    stream.write_all(wire).await.unwrap();
}

fn says(wire: &'static [u8]) -> WebError {
    let mut network = Network::new();
    script(&network.one, 80, move |mut stream| async move {
        answer(&mut stream, wire).await;
        stream.close().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    network.get("http://www.one.test/").unwrap_err()
}

#[test]
fn a_refused_port_is_7() {
    let error = Network::new().get("http://www.one.test/").unwrap_err();
    assert_eq!(error.curl_exit_code(), 7);
    assert_eq!(
        error.to_string(),
        "cannot connect to www.one.test: connection refused by 10.0.0.2:80: nothing listens on port 80"
    );
}

#[test]
fn a_host_that_nobody_has_is_7_and_says_who_did_not_answer_arp() {
    let error = Network::new().get("http://nobody.test/").unwrap_err();
    assert_eq!(error.curl_exit_code(), 7);
    let WebError::Connect(failure) = &error else { panic!("{error:?}") };
    assert!(matches!(failure.attempts[0].1, ConnectError::NoArpReply { .. }), "{error}");
}

#[test]
fn a_name_that_cannot_be_resolved_is_6() {
    assert_eq!(Network::new().get("http://unknown.test/").unwrap_err().curl_exit_code(), 6);
}

#[test]
fn a_network_that_swallows_everything_is_28_when_the_connect_timeout_is_over() {
    let swallow = fault::drop_when(|frame| frame.is_tcp());
    let mut network = Network::with_cable(Cable::new().fault(swallow));
    serve(&network.one, 80, echo, ServerOptions::default());
    let config = ClientConfig { connect_timeout: Duration::from_secs(4), ..network.config() };
    let error = network.fetch(config, get("http://www.one.test/")).unwrap_err();
    assert_eq!(error.curl_exit_code(), 28, "{error}");
}

#[test]
fn a_server_that_never_answers_is_28_when_the_time_is_over() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let config = ClientConfig { max_time: Some(Duration::from_secs(5)), ..network.config() };
    let error = network.fetch(config, get("http://www.one.test/")).unwrap_err();
    assert!(matches!(error, WebError::TimedOut { received: 0, .. }), "{error:?}");
    assert_eq!(error.curl_exit_code(), 28);
    assert!(
        network.told().iter().any(|fact| matches!(fact, Http::Failed { why } if why.contains("5000 ms")))
    );
    assert_eq!(network.sent(&network.client, TcpFlags::FIN), 1, "the connection is closed all the same");
}

#[test]
fn a_body_that_stalls_is_28_and_says_how_much_had_come() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        answer(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let config = ClientConfig { max_time: Some(Duration::from_secs(5)), ..network.config() };
    let error = network.fetch(config, get("http://www.one.test/")).unwrap_err();
    assert!(matches!(error, WebError::TimedOut { received: 4, .. }), "{error:?}");
}

#[test]
fn replies_that_are_none_have_curls_codes() {
    assert_eq!(says(b"").curl_exit_code(), 52);
    assert_eq!(says(b"SSH-2.0-OpenSSH_9\r\n").curl_exit_code(), 1);
    assert_eq!(says(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n").curl_exit_code(), 8);
    assert_eq!(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").curl_exit_code(), 18);
    assert_eq!(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").curl_exit_code(), 56);
}

#[test]
fn a_server_that_resets_is_56() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        answer(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").await;
        stream.abort();
    });
    let error = network.get("http://www.one.test/").unwrap_err();
    assert!(matches!(error, WebError::Http(HttpError::Reset { .. })), "{error:?}");
    assert_eq!(error.curl_exit_code(), 56);
}

#[test]
fn a_content_coding_that_is_wrong_is_61() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        answer(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")
            .await;
    });
    let config = ClientConfig { compressed: true, ..network.config() };
    let error = network.fetch(config, get("http://www.one.test/")).unwrap_err();
    assert_eq!(error.curl_exit_code(), 61, "{error}");
}

#[test]
fn a_redirect_loop_and_too_many_redirects_are_47_and_end_in_order() {
    let site = |request: Received| {
        let next = match request.path() {
            "/a" => "/b".to_owned(),
            "/b" => "/a".to_owned(),
            number => format!("{number}1"),
        };
        Answer::redirect(StatusCode::FOUND, &next)
    };
    let mut network = Network::new();
    serve(&network.one, 80, site, ServerOptions::default());
    let error = network.follow("http://www.one.test/a").unwrap_err();
    assert!(matches!(error, WebError::Redirect(RedirectError::Loop { .. })), "{error:?}");
    let config = ClientConfig { follow: true, max_redirects: 5, ..network.config() };
    let too_many = network.fetch(config, get("http://www.one.test/1")).unwrap_err();
    assert!(matches!(too_many, WebError::Redirect(RedirectError::TooMany { limit: 5, .. })), "{too_many:?}");
    assert_eq!((error.curl_exit_code(), too_many.curl_exit_code()), (47, 47));
    for host in [&network.client, &network.one] {
        assert_eq!((network.sent(host, TcpFlags::FIN), network.sent(host, TcpFlags::RST)), (2, 0));
    }
}

#[test]
fn certificates_that_do_not_hold_are_60() {
    type Choose = fn(&Network) -> glasstack_tls::Identity;
    let cases: [(Choose, &str); 3] = [
        (|network| network.ca.identity("other.test"), "not for www.one.test but for other.test"),
        (|network| network.ca.identity_until("www.one.test", 2022), "expired"),
        (|_| Authority::new("a stranger").identity("www.one.test"), "not trusted"),
    ];
    for (choose, because) in cases {
        let mut network = Network::new();
        serve_tls(&network.one, choose(&network), echo);
        let error = network.get("https://www.one.test/").unwrap_err();
        assert_eq!(error.curl_exit_code(), 60, "{error}");
        assert!(error.to_string().contains(because), "{error}");
    }
}

#[test]
fn plain_http_where_tls_should_be_is_35() {
    let mut network = Network::new();
    serve(&network.one, 443, echo, ServerOptions::default());
    let error = network.get("https://www.one.test/").unwrap_err();
    assert!(matches!(error, WebError::Tls(TlsError::NotTls(_))), "{error:?}");
    assert_eq!(error.curl_exit_code(), 35);
}

#[test]
fn a_server_that_never_closes_is_waited_for_no_longer_than_the_patience_lasts() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        answer(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
        std::mem::forget(stream);
    });
    let client = Client::new(&network.client, network.config());
    network
        .world
        .run(async {
            assert_eq!(read(client.fetch(get("http://www.one.test/")).await).await.unwrap().text(), "hi");
            client.close().await;
        })
        .unwrap();
    let took = network.world.now().since(Instant::ZERO);
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(network.sent(&network.client, TcpFlags::FIN), 1);
}

#[test]
fn a_connection_whose_upload_was_refused_is_given_up_without_waiting_for_the_server_and_why_is_told() {
    let mut network = Network::new();
    script(&network.one, 80, |mut stream| async move {
        answer(&mut stream, b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n").await;
        // It hears the goodbye, and never says its own.
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        std::future::pending::<()>().await;
    });
    let client = Client::new(&network.client, network.config());
    let request = Request::put(get("http://www.one.test/").url, UploadBody::Bytes("abc".into()));
    let host = network.client.clone();
    let closing = network.world.run(async {
        let fetched = read(client.fetch(request).await).await.unwrap();
        assert_eq!(fetched.status, 405);
        let answered = host.now();
        client.close().await;
        host.now() - answered
    });
    let waited = closing.unwrap();
    assert!(waited < Duration::from_millis(10), "{waited:?}");
    let why = "the connection to 10.0.0.2:80 is given up: the last request was not sent to its end";
    assert!(network.notes().iter().any(|note| note == why), "{:?}", network.notes());
}
