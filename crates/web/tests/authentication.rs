//! Who the user is, said when it is asked for: Digest, and whatever the server wants.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod support;

use glasstack_http::{Answer, Method, Received, ServerOptions, StatusCode, header};
use glasstack_journal::event::Http;
use glasstack_web::{Credentials, PasswordScheme, Request};
use support::{Fetched, Network, echo, get, serve};

fn as_me(scheme: PasswordScheme, request: Request) -> Request {
    let credentials = Credentials::Password { user: "me".to_owned(), password: "pw".to_owned(), scheme };
    Request { credentials: Some(credentials), ..request }
}

/// A site that says `challenge` to whoever does not say who he is, and never believes `nobody`.
fn challenging(network: &Network, challenge: &'static str) {
    let site = move |request: Received| {
        let known = request.headers.get(header::AUTHORIZATION).filter(|_| request.path() != "/nobody");
        match known {
            Some(_) => echo(request),
            None => {
                let answer = Answer::text(StatusCode::UNAUTHORIZED, "a challenge", "who?");
                answer.with_header(header::WWW_AUTHENTICATE, challenge.parse().unwrap())
            }
        }
    };
    serve(&network.one, 80, site, ServerOptions::default());
}

/// Method and body's length of every request.
fn asked(network: &Network) -> Vec<(String, u64)> {
    let asked = |fact| match fact {
        Http::RequestSent { method, body_length, .. } => Some((method, body_length)),
        _ => None,
    };
    network.told().into_iter().filter_map(asked).collect()
}

fn fetch(network: &mut Network, request: Request) -> Fetched {
    let config = network.config();
    network.fetch(config, request).unwrap()
}

const DIGEST: &str = "Digest realm=\"r\", nonce=\"abc\", qop=\"auth\", Basic realm=\"r\"";

#[test]
fn a_digest_is_said_once_it_is_known_over_what_and_the_body_waits_for_that() {
    let mut network = Network::new();
    challenging(&network, DIGEST);
    let post = Request::post(get("http://www.one.test/a?b").url, "a=b");
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, post));
    let said = "authorization: Digest username=\"me\", realm=\"r\", nonce=\"abc\", uri=\"/a?b\", cnonce=\"";
    assert!(fetched.text().contains(said), "{}", fetched.text());
    assert_eq!(asked(&network), [("POST".to_owned(), 0), ("POST".to_owned(), 3)]);
    assert_eq!(network.chosen().iter().filter(|(reused, _)| *reused).count(), 1, "one connection for both");
    assert!(network.notes().iter().any(|note| note == "401: the server's challenge is answered by Digest"));
}

#[test]
fn whatever_is_asked_for_is_said_and_a_digest_rather_than_the_password() {
    for (challenge, said) in
        [(DIGEST, "authorization: Digest "), ("Basic realm=x", "authorization: Basic bWU6cHc=")]
    {
        let mut network = Network::new();
        challenging(&network, challenge);
        let fetched = fetch(&mut network, as_me(PasswordScheme::Any, get("http://www.one.test/")));
        assert!(fetched.text().contains(said), "{}", fetched.text());
    }
}

#[test]
fn a_password_is_not_said_plainly_to_who_asks_for_it_when_it_was_to_be_hashed() {
    let mut network = Network::new();
    challenging(&network, "Basic realm=x");
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, get("http://www.one.test/")));
    assert_eq!(fetched.status, 401);
    assert_eq!(asked(&network).len(), 1);
    let of_url = Request { password_scheme: PasswordScheme::Digest, ..get("http://me:pw@www.one.test/") };
    assert_eq!(fetch(&mut network, of_url).status, 401);
    let all = format!("{:?}", network.recorder.records());
    assert!(!all.contains("bWU6cHc="), "the password went out");
}

#[test]
fn who_is_not_believed_is_not_asked_a_third_time() {
    let mut network = Network::new();
    challenging(&network, DIGEST);
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, get("http://www.one.test/nobody")));
    assert_eq!((fetched.status, asked(&network).len()), (401, 2));
}

#[test]
fn a_server_that_asks_for_nothing_gets_the_body_all_the_same() {
    let mut network = Network::new();
    serve(&network.one, 80, echo, ServerOptions::default());
    let put = Request { method: Method::PUT, ..Request::post(get("http://www.one.test/").url, "abc") };
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, put));
    assert!(fetched.text().contains("content-length: 3\n"), "{}", fetched.text());
    assert_eq!(asked(&network), [("PUT".to_owned(), 0), ("PUT".to_owned(), 3)]);
}

#[test]
fn an_answer_that_came_too_late_is_given_once_more_and_no_more_than_that() {
    let mut network = Network::new();
    let site = |request: Received| {
        let said = request.headers.get(header::AUTHORIZATION).map(|said| said.to_str().unwrap_or_default());
        if request.path() == "/now" && said.is_some_and(|said| said.contains("nonce=\"new\"")) {
            return echo(request);
        }
        let challenge = match said {
            None => "Digest realm=\"r\", nonce=\"old\", qop=\"auth\"",
            Some(_) => "Digest realm=\"r\", nonce=\"new\", qop=\"auth\", stale=TRUE",
        };
        let answer = Answer::text(StatusCode::UNAUTHORIZED, "a challenge", "who?");
        answer.with_header(header::WWW_AUTHENTICATE, challenge.parse().unwrap())
    };
    serve(&network.one, 80, site, ServerOptions::default());
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, get("http://www.one.test/now")));
    assert!(fetched.text().contains("nonce=\"new\""), "{}", fetched.text());
    assert_eq!(asked(&network).len(), 3);
    let fetched = fetch(&mut network, as_me(PasswordScheme::Digest, get("http://www.one.test/never")));
    assert_eq!(fetched.text(), "who?");
    assert_eq!(asked(&network).len(), 6);
}
