//! What is known of a transfer: times, addresses, sizes, heads; and parts, conditions and limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use bytes::Bytes;
use futures_util::AsyncWriteExt;
use glasstack_http::{Answer, BodySource, Received, RequestBody, ServerOptions, StatusCode, header};
use glasstack_journal::WallTime;
use glasstack_journal::event::{Http, TcpFlags};
use glasstack_stack::World;
use glasstack_web::{
    Client, ClientConfig, ConnectTo, Credentials, Facts, KeepPost, LowSpeed, Netrc, NetrcUse, PassedOver,
    Request, Schemes, TcpOptions, TimeCondition, UploadBody,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use support::{Network, echo, get, read, serve, serve_tls};

fn facts_of(network: &mut Network, config: ClientConfig, request: Request) -> (Facts, Option<u8>) {
    let watch = request.watch.clone();
    let fetched = network.fetch(config, request);
    (watch.facts(), fetched.err().map(|error| error.curl_exit_code()))
}

#[test]
fn times_follow_each_other_and_a_redirect_is_in_them() {
    let mut network = Network::new();
    let away = |_: Received| Answer::redirect(StatusCode::FOUND, "https://www.one.test/b");
    serve(&network.one, 80, away, ServerOptions::default());
    serve_tls(&network.one, network.ca.identity("www.one.test"), |_: Received| {
        Answer::ok("text/plain", "hi")
    });
    let config = ClientConfig { follow: true, ..network.config() };
    let (facts, _) = facts_of(&mut network, config, get("http://www.one.test/a"));
    let times = facts.timings;
    let order = [times.namelookup, times.connect, times.pretransfer, times.starttransfer, times.total];
    // As in curl, the times of both requests are added up, and the first had no TLS.
    assert!(times.appconnect > Duration::ZERO && times.appconnect < times.pretransfer, "{times:?}");
    assert!(order.is_sorted() && times.namelookup > Duration::ZERO, "{times:?}");
    assert!(times.redirect > Duration::from_millis(8) && times.redirect < times.total, "{times:?}");
    assert_eq!((facts.connects, facts.redirects, facts.status), (2, 1, 200));
    assert_eq!(facts.remote, Some("10.0.0.2:443".parse().unwrap()));
    assert_eq!(facts.local.map(|local| local.ip()), Some("10.0.0.1".parse().unwrap()));
    assert_eq!(facts.url.unwrap().as_str(), "https://www.one.test/b");
    assert_eq!((facts.downloaded, facts.download_length), (2, Some(2)));
    assert_eq!(facts.certificates.len(), 1);
    assert_eq!(facts.content_type.as_deref(), Some("text/plain"));
    let heads: Vec<u16> = facts.heads.iter().map(|head| head.status).collect();
    assert_eq!(heads, [302, 200]);
    let bytes: usize = facts.heads.iter().map(|head| head.raw.len()).sum();
    assert_eq!(facts.header_bytes, bytes as u64);
    let agent = concat!("glasstack/", env!("CARGO_PKG_VERSION")).len() as u64;
    let request = "GET /a HTTP/1.1\r\nHost: www.one.test\r\nUser-Agent: \r\nAccept: */*\r\n\r\n".len() as u64;
    assert_eq!(facts.request_bytes, 2 * (request + agent));
}

#[test]
fn what_failed_is_known_as_far_as_it_came() {
    let mut network = Network::new();
    let config = network.config();
    let (facts, code) = facts_of(&mut network, config, get("http://www.one.test/"));
    assert_eq!((facts.status, facts.connects, code), (0, 0, Some(7)));
    assert!(facts.timings.namelookup > Duration::ZERO && facts.timings.connect == Duration::ZERO);
    assert!(facts.timings.total >= Duration::from_millis(2), "{:?}", facts.timings);
    let moved = |_: Received| Answer::redirect(StatusCode::FOUND, "/next");
    serve(&network.one, 80, moved, ServerOptions::default());
    let config = network.config();
    let (facts, code) = facts_of(&mut network, config, get("http://www.one.test/"));
    assert_eq!((facts.status, code), (302, None));
    assert_eq!(facts.redirect_url.unwrap().as_str(), "http://www.one.test/next");
}

/// Two pieces, whose length nobody knows.
struct Pieces(Vec<&'static str>);

impl BodySource for Pieces {
    fn poll_chunk(&mut self, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        Poll::Ready(self.0.pop().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))))
    }
}

#[test]
fn a_streamed_upload_is_opened_again_for_a_redirect_that_keeps_it() {
    let mut network = Network::new();
    let opened = Arc::new(AtomicUsize::new(0));
    let site = |request: Received| match request.path() {
        "/a" => Answer::redirect(StatusCode::TEMPORARY_REDIRECT, "/b"),
        _ => echo(request),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    let count = Arc::clone(&opened);
    let body = UploadBody::Reopen(Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(RequestBody::Stream { length: None, source: Box::new(Pieces(vec!["two", "one"])) })
    }));
    let request = Request::put(get("http://www.one.test/a").url, body);
    let watch = request.watch.clone();
    let config = ClientConfig { follow: true, ..network.config() };
    let fetched = network.fetch(config, request).unwrap();
    assert!(fetched.text().starts_with("PUT /b\n"), "{}", fetched.text());
    assert!(fetched.text().contains("transfer-encoding: chunked\n"), "{}", fetched.text());
    assert!(fetched.text().contains("expect: 100-continue\n"), "{}", fetched.text());
    assert!(opened.load(Ordering::Relaxed) >= 2);
    assert!(watch.facts().uploaded >= 6, "{:?}", watch.progress());
}

#[test]
fn a_server_that_does_not_understand_expect_is_asked_again_without_it() {
    let mut network = Network::new();
    let picky = |request: Received| match request.headers.contains_key(header::EXPECT) {
        true => Answer::text(StatusCode::EXPECTATION_FAILED, "picky", "no"),
        false => echo(request),
    };
    serve(&network.one, 80, picky, ServerOptions::default());
    let request = Request::put(get("http://www.one.test/").url, UploadBody::Bytes("abc".into()));
    let config = network.config();
    let fetched = network.fetch(config, request).unwrap();
    assert_eq!(fetched.status, 200, "{}", fetched.text());
    assert!(fetched.text().contains("content-length: 3\n"), "{}", fetched.text());
}

#[test]
fn a_transfer_goes_on_or_says_why_not() {
    let mut network = Network::new();
    let site = |request: Received| match (request.path(), request.headers.contains_key(header::RANGE)) {
        ("/ranges", true) => {
            let answer = Answer::text(StatusCode::PARTIAL_CONTENT, "a part", "lo");
            answer.with_header(header::CONTENT_RANGE, "bytes 3-4/5".parse().unwrap())
        }
        ("/all", true) => Answer::text(StatusCode::RANGE_NOT_SATISFIABLE, "nothing there", "no"),
        _ => Answer::ok("text/plain", "hello"),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    let resume = |path: &str| Request { resume: Some(3), ..get(&format!("http://www.one.test{path}")) };
    let config = network.config();
    assert_eq!(network.fetch(config.clone(), resume("/ranges")).unwrap().text(), "lo");
    assert_eq!(network.fetch(config.clone(), resume("/whole")).unwrap_err().curl_exit_code(), 33);
    let all = network.fetch(config, resume("/all")).unwrap();
    assert_eq!((all.status, all.text()), (416, ""));
}

#[test]
fn what_is_not_newer_is_not_looked_at_though_the_server_sends_it() {
    let mut network = Network::new();
    let old = |_: Received| {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        Answer::ok("text/plain", "old").with_header(header::LAST_MODIFIED, date)
    };
    serve(&network.one, 80, old, ServerOptions::default());
    let asked = |seconds| Request {
        time_condition: Some(TimeCondition::IfModifiedSince(WallTime::from_unix_seconds(seconds))),
        ..get("http://www.one.test/")
    };
    let client = Client::new(&network.client, network.config());
    let (passed, status, body) = network
        .world
        .run(async {
            let response = client.fetch(asked(784_111_777)).await.unwrap();
            let passed = response.passed_over;
            let status = response.watch.facts().status;
            let body = read(Ok(response)).await.unwrap().body;
            client.close().await;
            (passed, status, body)
        })
        .unwrap();
    assert_eq!((passed, status, body.as_slice()), (Some(PassedOver::TimeCondition), 304, &b""[..]));
    let config = network.config();
    assert_eq!(network.fetch(config, asked(784_111_776)).unwrap().text(), "old");
}

#[test]
fn a_file_that_says_it_is_too_large_is_63_and_nothing_of_it_is_taken() {
    let mut network = Network::new();
    serve(&network.one, 80, |_: Received| Answer::ok("text/plain", "hello"), ServerOptions::default());
    let config = ClientConfig { max_filesize: Some(4), ..network.config() };
    assert_eq!(network.fetch(config, get("http://www.one.test/")).unwrap_err().curl_exit_code(), 63);
    let config = ClientConfig { max_filesize: Some(5), ..network.config() };
    assert_eq!(network.fetch(config, get("http://www.one.test/")).unwrap().text(), "hello");
}

#[test]
fn a_server_that_drips_is_28_when_it_was_too_slow_for_too_long() {
    let mut network = Network::new();
    let listener = network.one.listen(SocketAddr::new(network.one.address(), 80)).unwrap();
    let own = network.one.clone();
    network.one.spawn(async move {
        let mut stream = listener.accept().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await.unwrap();
        while stream.write_all(b"..").await.is_ok() {
            own.sleep(Duration::from_secs(1)).await;
        }
    });
    let low_speed = Some(LowSpeed { speed: 10, time: Duration::from_secs(5) });
    let config = ClientConfig { low_speed, ..network.config() };
    let (facts, code) = facts_of(&mut network, config, get("http://www.one.test/"));
    assert_eq!(code, Some(28));
    assert!(facts.timings.total >= Duration::from_secs(6) && facts.timings.total < Duration::from_secs(9));
    assert!((10..20).contains(&facts.downloaded), "{}", facts.downloaded);
}

#[test]
fn connections_lead_elsewhere_come_from_where_they_must_and_keep_the_name() {
    let mut network = Network::new();
    serve(&network.two, 8080, echo, ServerOptions::default());
    let connect_to: ConnectTo = "www.one.test:80:www.two.test:8080".parse().unwrap();
    let tcp = TcpOptions {
        interface: Some("10.0.0.1".parse().unwrap()),
        local_ports: Some(2000..=2001),
        ..TcpOptions::default()
    };
    let config = ClientConfig { connect_to: vec![connect_to], tcp, ..network.config() };
    let request = get("http://www.one.test/");
    let watch = request.watch.clone();
    let fetched = network.fetch(config.clone(), request).unwrap();
    assert!(fetched.text().contains("host: www.one.test\n"), "{}", fetched.text());
    assert_eq!(watch.facts().local, Some("10.0.0.1:2000".parse().unwrap()));
    let tcp = TcpOptions { interface: Some("10.0.0.7".parse().unwrap()), ..TcpOptions::default() };
    let elsewhere = ClientConfig { tcp, ..config };
    let error = network.fetch(elsewhere, get("http://www.one.test/")).unwrap_err();
    assert_eq!(error.curl_exit_code(), 45, "{error}");
}

#[test]
fn schemes_that_are_not_allowed_are_not_asked_for_nor_redirected_to() {
    let mut network = Network::new();
    let down = |_: Received| Answer::redirect(StatusCode::FOUND, "http://www.one.test/");
    serve_tls(&network.one, network.ca.identity("www.one.test"), down);
    let https = Schemes::default().changed("=https").unwrap();
    let config = ClientConfig { schemes: https, ..network.config() };
    assert_eq!(network.fetch(config, get("http://www.one.test/")).unwrap_err().curl_exit_code(), 1);
    let config = ClientConfig { redirect_schemes: https, follow: true, ..network.config() };
    assert_eq!(network.fetch(config, get("https://www.one.test/")).unwrap_err().curl_exit_code(), 1);
}

#[test]
fn a_post_stays_one_if_it_is_asked_to_and_the_referer_says_where_it_comes_from() {
    let mut network = Network::new();
    let site = |request: Received| match request.path() {
        "/a" => Answer::redirect(StatusCode::FOUND, "/b"),
        _ => echo(request),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    let keep_post = KeepPost { on_302: true, ..KeepPost::default() };
    let config = ClientConfig { keep_post, referer_auto: true, follow: true, ..network.config() };
    let request = Request::post(get("http://me:pw@www.one.test/a#x").url, "a=b");
    let fetched = network.fetch(config, request).unwrap();
    assert!(fetched.text().starts_with("POST /b\n"), "{}", fetched.text());
    assert!(fetched.text().contains("referer: http://www.one.test/a\n"), "{}", fetched.text());
    assert!(fetched.text().contains("content-length: 3\n"), "{}", fetched.text());
}

#[test]
fn who_the_user_is_is_said_to_his_origin_alone_and_a_netrc_file_knows_others() {
    let mut network = Network::new();
    let site = |request: Received| match request.path() {
        "/away" => Answer::redirect(StatusCode::FOUND, "http://www.two.test/"),
        _ => echo(request),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    serve(&network.two, 80, echo, ServerOptions::default());
    let as_me = |url: &str| Request { credentials: Some(Credentials::basic("me:pw")), ..get(url) };
    let follow = ClientConfig { follow: true, ..network.config() };
    let here = network.fetch(follow.clone(), as_me("http://www.one.test/")).unwrap();
    assert!(here.text().contains("authorization: Basic bWU6cHc=\n"), "{}", here.text());
    let there = network.fetch(follow.clone(), as_me("http://www.one.test/away")).unwrap();
    assert!(!there.text().contains("authorization"), "{}", there.text());
    let trusted = ClientConfig { location_trusted: true, ..follow.clone() };
    let there = network.fetch(trusted, as_me("http://www.one.test/away")).unwrap();
    assert!(there.text().contains("authorization: Basic bWU6cHc=\n"), "{}", there.text());
    let netrc = Netrc::parse("machine www.two.test login you password x").unwrap();
    let known = ClientConfig { netrc: Some(NetrcUse { netrc, optional: false }), ..follow };
    let there = network.fetch(known, get("http://www.one.test/away")).unwrap();
    assert!(there.text().contains("authorization: Basic eW91Ong=\n"), "{}", there.text());
    let told = network
        .told()
        .into_iter()
        .any(|fact| matches!(fact, Http::CredentialsChosen { why, .. } if why == "as the netrc file says"));
    assert!(told);
}

#[test]
fn several_transfers_at_once_share_a_client_and_each_has_its_connection() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    let client = Client::new(&network.client, network.config());
    let texts = network
        .world
        .run(async {
            let fetches = (0..8).map(|number| {
                let client = client.clone();
                async move {
                    let url = format!("http://www.one.test/{number}");
                    read(client.fetch(get(&url)).await).await.unwrap().text().to_owned()
                }
            });
            let texts = futures_util::future::join_all(fetches).await;
            let again = read(client.fetch(get("http://www.one.test/again")).await).await;
            assert!(again.is_ok());
            client.close().await;
            texts
        })
        .unwrap();
    for (number, text) in texts.iter().enumerate() {
        assert!(text.starts_with(&format!("GET /{number}\n")), "{text}");
    }
    assert_eq!(network.sent(&network.client, TcpFlags::SYN), 8, "and the ninth uses one of these again");
}
