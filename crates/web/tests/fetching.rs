//! Fetches that succeed: redirects, connections kept, header fields, content codings.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use glasstack_http::{Answer, Received, ServerOptions, StatusCode, header};
use glasstack_journal::event::{Event, Http, Tcp, TcpFlags, Tls};
use glasstack_sim::{Cable, fault};
use glasstack_stack::World;
use glasstack_web::{Client, ClientConfig, Request};
use std::time::Duration;
use support::{Network, echo, get, read, serve, serve_tls};
use url::Url;

fn to_https(request: Received) -> Answer {
    Answer::redirect(StatusCode::MOVED_PERMANENTLY, &format!("https://www.one.test{}", request.target))
}

#[test]
fn from_http_to_https_it_takes_two_connections_that_both_end_in_order() {
    let mut network = Network::new();
    serve(&network.one, 80, to_https, ServerOptions::default());
    serve_tls(&network.one, network.ca.identity("www.one.test"), |_: Received| {
        Answer::ok("text/html", "<h1>hi</h1>")
    });
    let fetched = network.follow("http://www.one.test/a?b#c").unwrap();
    assert_eq!((fetched.status, fetched.text()), (200, "<h1>hi</h1>"));
    assert_eq!(fetched.url, "https://www.one.test/a?b#c");
    assert_eq!(fetched.hops, ["http://www.one.test/a?b#c"]);
    for host in [&network.client, &network.one] {
        let sent = |flag| network.sent(host, flag);
        assert_eq!((sent(TcpFlags::SYN), sent(TcpFlags::FIN), sent(TcpFlags::RST)), (2, 2, 0));
    }
    let goodbyes = network
        .recorder
        .records()
        .iter()
        .filter(|record| matches!(record.event, Event::Tls(Tls::CloseNotifySent | Tls::CloseNotifyReceived)))
        .count();
    assert_eq!(goodbyes, 4, "each side says goodbye and hears it");
    let urls: Vec<String> = network
        .told()
        .into_iter()
        .filter_map(|fact| match fact {
            Http::RequestSent { url, .. } => Some(url),
            _ => None,
        })
        .collect();
    assert_eq!(urls, ["http://www.one.test/a?b", "https://www.one.test/a?b"]);
}

#[test]
fn a_redirect_is_a_response_like_any_other_unless_it_is_to_be_followed() {
    let mut network = Network::new();
    serve(&network.one, 80, to_https, ServerOptions::default());
    let fetched = network.get("http://www.one.test/").unwrap();
    assert_eq!((fetched.status, fetched.hops.len()), (301, 0));
    assert_eq!(fetched.text(), "see https://www.one.test/\n");
}

#[test]
fn a_second_fetch_from_the_same_origin_uses_the_same_connection() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    serve(&network.two, 80, echo, ServerOptions::default());
    let client = Client::new(&network.client, network.config());
    network
        .world
        .run(async {
            for url in [
                "http://www.one.test/a",
                "http://www.one.test/b",
                "http://www.two.test/",
                "http://www.one.test/c",
            ] {
                read(client.fetch(get(url)).await).await.unwrap();
            }
            let head = Request::head(Url::parse("http://www.one.test/d").unwrap());
            drop(client.fetch(head).await.unwrap());
            read(client.fetch(get("http://www.one.test/e")).await).await.unwrap();
            client.close().await;
        })
        .unwrap();
    assert!(network.world.drain(Duration::from_secs(5)).unwrap());
    let chosen = network.chosen();
    let reused: Vec<bool> = chosen.iter().map(|(reused, _)| *reused).collect();
    assert_eq!(reused, [false, true, false, true, true, true]);
    assert_eq!(chosen[0].1, "there is none to http://www.one.test yet");
    assert_eq!(network.sent(&network.client, TcpFlags::RST), 0);
}

#[test]
fn why_a_connection_was_not_used_again_is_told() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions { max_requests: Some(1), ..ServerOptions::default() });
    let client = Client::new(&network.client, network.config());
    network
        .world
        .run(async {
            for _ in 0..2 {
                read(client.fetch(get("http://www.one.test/")).await).await.unwrap();
            }
            client.close().await;
        })
        .unwrap();
    let (reused, why) = &network.chosen()[1];
    assert!(!reused);
    assert_eq!(why, "the one to 10.0.0.2:80 is of no use any more: the server said \"Connection: close\"");
}

#[test]
fn a_kept_connection_that_the_server_closed_meanwhile_is_replaced() {
    let mut network = Network::new();
    let idle = Duration::from_secs(3);
    serve(&network.one, 80, echo, ServerOptions { idle, ..ServerOptions::default() });
    let client = Client::new(&network.client, network.config());
    network
        .world
        .run(async {
            read(client.fetch(get("http://www.one.test/")).await).await.unwrap();
            network.client.sleep(3 * idle).await;
            read(client.fetch(get("http://www.one.test/")).await).await.unwrap();
            client.close().await;
        })
        .unwrap();
    let (reused, why) = &network.chosen()[1];
    assert!(!reused && why.contains("the server has closed it in the meantime"), "{why}");
}

#[test]
fn a_request_says_what_curls_would() {
    let mut network = Network::new();
    serve(&network.one, 8080, echo, ServerOptions::default());
    let agent = concat!("glasstack/", env!("CARGO_PKG_VERSION"));
    let fetched = network.get("http://www.one.test:8080/a?b#c").unwrap();
    assert_eq!(
        fetched.text(),
        format!("GET /a?b\nhost: www.one.test:8080\nuser-agent: {agent}\naccept: */*\n")
    );
}

#[test]
fn a_form_that_is_redirected_becomes_a_get_without_a_body_and_a_307_keeps_it() {
    let site = |request: Received| match request.path() {
        "/302" => Answer::redirect(StatusCode::FOUND, "/echo"),
        "/307" => Answer::redirect(StatusCode::TEMPORARY_REDIRECT, "/echo"),
        _ => echo(request),
    };
    for (path, expected) in [("302", "GET /echo\n"), ("307", "POST /echo\n")] {
        let mut network = Network::new();
        serve(&network.one, 80, site, ServerOptions::default());
        let post = Request::post(Url::parse("http://www.one.test").unwrap().join(path).unwrap(), "a=b");
        let config = ClientConfig { follow: true, ..network.config() };
        let fetched = network.fetch(config, post).unwrap();
        assert!(fetched.text().starts_with(expected), "{}", fetched.text());
        assert_eq!(fetched.text().contains("content-type: application/x-www-form-urlencoded"), path == "307");
        assert_eq!(
            network.chosen().iter().filter(|(reused, _)| *reused).count(),
            1,
            "one connection for both"
        );
    }
}

#[test]
fn credentials_stay_with_their_origin() {
    let mut network = Network::new();
    let away = |_: Received| Answer::redirect(StatusCode::FOUND, "http://www.two.test/");
    serve(&network.one, 80, away, ServerOptions::default());
    serve(&network.two, 80, echo, ServerOptions::default());
    let mut request = get("http://me:secret@www.one.test/");
    for field in ["Authorization: Bearer token", "Cookie: a=b", "Host: one.test", "X-Other: 1"] {
        request.headers.push(field.parse().unwrap());
    }
    let config = ClientConfig { follow: true, ..network.config() };
    let fetched = network.fetch(config, request).unwrap();
    for secret in ["authorization", "cookie", "one.test", "secret", "token"] {
        assert!(!fetched.text().contains(secret), "{}", fetched.text());
    }
    assert!(fetched.text().contains("x-other: 1"));
    assert!(network.notes().iter().any(|note| note.contains("authorization, cookie, host not sent on")));
    let shown = format!("{:?}", network.recorder.records());
    assert!(!shown.contains("me:secret"), "a password is in the journal");
}

#[test]
fn credentials_of_the_url_go_along_within_their_origin() {
    let mut network = Network::new();
    let site = |request: Received| match request.path() {
        "/a" => Answer::redirect(StatusCode::FOUND, "http://www.one.test/b"),
        _ => echo(request),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    let fetched = network.follow("http://me:secret@www.one.test/a").unwrap();
    assert!(fetched.text().contains("authorization: Basic bWU6c2VjcmV0\n"), "{}", fetched.text());
}

#[test]
fn a_body_is_decoded_if_compression_was_asked_for_and_given_as_it_came_otherwise() {
    // gzip of "hi\n"
    const GZIP: [u8; 23] = [
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0xc8, 0xe4, 0x02, 0, 0x7a, 0x7a, 0x6f, 0xed, 0x03, 0,
        0, 0,
    ];
    let site = |request: Received| {
        let value = header::HeaderValue::from_static("gzip");
        assert_eq!(request.headers.contains_key(header::ACCEPT_ENCODING), request.path() == "/asked");
        Answer::ok("text/plain", GZIP.to_vec()).with_header(header::CONTENT_ENCODING, value)
    };
    let mut network = Network::new();
    serve(&network.one, 80, site, ServerOptions::default());
    assert_eq!(network.get("http://www.one.test/").unwrap().body, GZIP);
    let config = ClientConfig { compressed: true, ..network.config() };
    assert_eq!(network.fetch(config, get("http://www.one.test/asked")).unwrap().text(), "hi\n");
    let decoded = network.told().into_iter().any(|fact| {
        matches!(fact, Http::BodyReceived { transferred: 23, decoded: 3, coding: Some(coding) } if coding == "gzip")
    });
    assert!(decoded);
}

#[test]
fn a_large_body_over_tls_survives_five_percent_loss_both_ways() {
    let lossy = Cable::new().latency(Duration::from_millis(10)).fault(fault::loss(0.05));
    let mut network = Network::with_cable(lossy);
    let large = |_: Received| Answer::ok("application/octet-stream", vec![b'x'; 200_000]);
    serve_tls(&network.one, network.ca.identity("www.one.test"), large);
    assert_eq!(network.get("https://www.one.test/").unwrap().body, vec![b'x'; 200_000]);
}

#[test]
fn an_address_needs_no_name_server() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    assert!(network.get("http://10.0.0.2/").unwrap().text().contains("host: 10.0.0.2\n"));
}

#[test]
fn every_span_that_was_opened_is_closed() {
    use glasstack_journal::event::Span;
    let mut network = Network::new();
    serve(&network.one, 80, to_https, ServerOptions::default());
    serve_tls(&network.one, network.ca.identity("www.one.test"), echo);
    network.follow("http://www.one.test/").unwrap();
    let node = network.client.scope().node();
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for record in network.recorder.records().into_iter().filter(|record| record.node == node) {
        match record.event {
            Event::Span(Span::Opened { kind, .. }) => open.push((record.span, kind.to_string())),
            Event::Span(Span::Closed) => closed.push(record.span),
            Event::Tcp(Tcp::TimeWaitEntered { .. }) => {}
            _ => {}
        }
    }
    // A connection's span lasts as long as its TIME-WAIT.
    open.retain(|(span, kind)| !closed.contains(span) && !kind.starts_with("connection"));
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn of_many_hosts_asked_one_after_the_other_only_so_many_connections_are_kept() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    let connect_to = vec!["::www.one.test:80".parse().unwrap()];
    let client = Client::new(&network.client, ClientConfig { connect_to, ..network.config() });
    let host = network.client.clone();
    let held = network.world.run(async {
        for number in 0..110 {
            read(client.fetch(get(&format!("http://h{number}.test/"))).await).await.unwrap();
        }
        host.sleep(Duration::from_secs(3)).await;
        host.held_flows()
    });
    assert_eq!(held.unwrap(), 100);
}
