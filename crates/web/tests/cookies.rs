//! Cookies over a whole journey: set by one response, sent with the next request, told either way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use glasstack_http::{Answer, Received, ServerOptions, StatusCode, header};
use glasstack_journal::event::Http;
use glasstack_web::{ClientConfig, CookieJar, Request, SharedJar};
use std::sync::Arc;
use support::{Network, echo, get, serve, serve_tls};

fn setting(mut answer: Answer, cookies: &[&str]) -> Answer {
    for cookie in cookies {
        answer.headers.append(header::SET_COOKIE, cookie.parse().unwrap());
    }
    answer
}

fn with_jar(network: &Network, jar: &SharedJar) -> ClientConfig {
    ClientConfig { follow: true, cookies: Some(Arc::clone(jar)), ..network.config() }
}

#[test]
fn a_redirect_sets_a_cookie_and_the_next_request_brings_it_even_to_the_same_url() {
    let mut network = Network::new();
    let login = |request: Received| match request.headers.get(header::COOKIE) {
        None => {
            setting(Answer::redirect(StatusCode::FOUND, "/"), &["session=secret; HttpOnly", "a=b; Path=/x"])
        }
        Some(_) => echo(request),
    };
    serve(&network.one, 80, login, ServerOptions::default());
    let jar = SharedJar::default();
    let fetched = network.fetch(with_jar(&network, &jar), get("http://www.one.test/")).unwrap();
    assert!(fetched.text().contains("cookie: session=secret\n"), "{}", fetched.text());
    let told: Vec<(String, bool)> = network
        .told()
        .into_iter()
        .filter_map(|fact| match fact {
            Http::CookieReceived { name, kept, .. } => Some((name, kept)),
            Http::CookieChosen { name, sent, .. } => Some((name, sent)),
            _ => None,
        })
        .collect();
    let expected = [("session", true), ("a", true), ("session", true), ("a", false)];
    assert_eq!(told, expected.map(|(name, done)| (name.to_owned(), done)));
    let shown: Vec<String> = network
        .told()
        .iter()
        .filter(|fact| !matches!(fact, Http::RequestSent { .. } | Http::ResponseReceived { .. }))
        .map(|fact| format!("{fact:?}"))
        .collect();
    assert!(!shown.join("\n").contains("secret"), "a value is told where only the name should be");
}

#[test]
fn cookies_stay_with_their_site_and_secure_ones_with_tls() {
    let mut network = Network::new();
    let away = |_: Received| {
        let answer = Answer::redirect(StatusCode::FOUND, "http://www.two.test/");
        setting(answer, &["one=1; Secure", "two=2; Domain=two.test", "all=3; Domain=test"])
    };
    serve_tls(&network.one, network.ca.identity("www.one.test"), away);
    serve(&network.one, 80, echo, ServerOptions::default());
    serve(&network.two, 80, echo, ServerOptions::default());
    let jar = SharedJar::default();
    let fetched = network.fetch(with_jar(&network, &jar), get("https://www.one.test/")).unwrap();
    assert!(!fetched.text().contains("cookie"), "{}", fetched.text());
    let plain = network.fetch(with_jar(&network, &jar), get("http://www.one.test/")).unwrap();
    assert!(!plain.text().contains("cookie"), "{}", plain.text());
    let file = jar.lock().unwrap().to_netscape(network.client.wall());
    assert!(file.ends_with("\n\nwww.one.test\tFALSE\t/\tTRUE\t0\tone\t1\n"), "{file}");
}

#[test]
fn what_the_user_says_follows_the_jars_and_stays_with_its_origin() {
    let mut network = Network::new();
    let site = |request: Received| match request.path() {
        "/away" => Answer::redirect(StatusCode::FOUND, "http://www.two.test/"),
        _ => echo(request),
    };
    serve(&network.one, 80, site, ServerOptions::default());
    serve(&network.two, 80, echo, ServerOptions::default());
    let mut jar = CookieJar::new();
    jar.load(b"www.one.test\tFALSE\t/\tFALSE\t0\tkept\t1\n", true, network.client.wall());
    let jar = Arc::new(std::sync::Mutex::new(jar));
    let said = |url: &str| Request { cookie: Some("said=2".to_owned()), ..get(url) };
    let here = network.fetch(with_jar(&network, &jar), said("http://www.one.test/")).unwrap();
    assert!(here.text().contains("cookie: kept=1; said=2\n"), "{}", here.text());
    let there = network.fetch(with_jar(&network, &jar), said("http://www.one.test/away")).unwrap();
    assert!(!there.text().contains("cookie"), "{}", there.text());
    let trusted = ClientConfig { location_trusted: true, ..with_jar(&network, &jar) };
    let there = network.fetch(trusted, said("http://www.one.test/away")).unwrap();
    assert!(there.text().contains("cookie: said=2\n"), "{}", there.text());
    assert!(network.notes().iter().any(|note| note.contains("cookie sent on to another origin")));
}
