//! Everything that can go wrong between two ends that both mean well, and with servers that do not: the
//! exact error, curl's exit code, and what the user is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_dns::ResolveError;
use glasstack_http::{HttpError, RedirectError};
use glasstack_journal::event::{Tcp, TcpFlags, Verdict};
use glasstack_lab::plan;
use glasstack_stack::{ConnectError, TcpError, World};
use glasstack_tls::{CertificateProblem, TlsError};
use glasstack_web::{ClientConfig, Request, WebError, address_bar};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use support::{Journey, is_snapshot};

/// A journey that must fail, with this exit code.
fn fails(url: &str, exit_code: u8) -> (WebError, Journey) {
    let mut journey = Journey::new(1);
    let error = journey.get(url).expect_err(url);
    assert_eq!(error.curl_exit_code(), exit_code, "{url}: {error}");
    journey.end();
    assert_eq!(journey.lab.client.held_flows(), 0, "{url}");
    (error, journey)
}

/// A connection that must fail, and how.
fn cannot_connect(url: &str, exit_code: u8) -> (ConnectError, Journey) {
    match fails(url, exit_code) {
        (WebError::Connect(mut failure), journey) => {
            assert_eq!(failure.attempts.len(), 1, "{failure}");
            (failure.attempts.remove(0).1, journey)
        }
        (error, _) => panic!("{url}: {error:?}"),
    }
}

fn port_80(address: impl Into<IpAddr>) -> SocketAddr {
    SocketAddr::new(address.into(), 80)
}

// ---- names and addresses

#[test]
fn a_port_where_nothing_listens_refuses() {
    let (error, journey) = cannot_connect("http://refused.test/", 7);
    assert_eq!(error, ConnectError::Refused { peer: port_80(plan::NAME_SERVER) });
    is_snapshot("refused_port.segments", &journey.segments());
}

#[test]
fn an_address_that_does_not_answer_arp_is_given_up_after_three_requests() {
    let (error, journey) = cannot_connect("http://noarp.test/", 7);
    assert_eq!(error, ConnectError::NoArpReply { next_hop: plan::NOBODY.into(), attempts: 3 });
    is_snapshot("no_arp_reply.segments", &journey.segments());
}

#[test]
fn a_name_that_does_not_exist_is_told_from_one_without_address() {
    let (error, journey) = fails("http://nobody.test/", 6);
    let WebError::Resolve(ResolveError::NotFound { name, said_by, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(
        (name.to_string().trim_end_matches('.'), said_by.as_str()),
        ("nobody.test", "NXDOMAIN from 203.0.113.53:53")
    );
    journey.has_told(&["DNS response from 203.0.113.53:53", "NXDOMAIN", "nobody.test does not exist"]);
    assert!(journey.segments_of_client().is_empty());
}

#[test]
fn a_name_with_an_ipv6_address_alone_is_an_error_that_says_so() {
    let (error, journey) = fails("http://ipv6only.test/", 6);
    let WebError::Resolve(ResolveError::AaaaOnly { address, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(address.to_string(), "2001:db8::80");
    journey.has_told(&["AAAA of ipv6only.test?", "IPv6 is not spoken here yet"]);
    assert!(journey.segments_of_client().is_empty());
}

#[test]
fn who_says_that_a_host_or_a_network_cannot_be_reached_is_named() {
    for (url, address, from, what) in [
        ("http://dead.test/", plan::NOBODY_THERE, plan::HOSTING, "host unreachable"),
        ("http://unreachable.test/", plan::NOWHERE, plan::EUROPE, "network unreachable"),
    ] {
        let from = IpAddr::from(from);
        let (error, journey) = cannot_connect(url, 7);
        assert_eq!(error, ConnectError::Unreachable { peer: port_80(address), from, what: what.to_owned() });
        journey.has_told(&[&format!("ICMP {what}"), "the connection attempt fails at once"]);
    }
}

#[test]
fn an_address_that_is_silent_is_given_up_in_time() {
    let (error, journey) = cannot_connect("http://silent.test/", 28);
    assert!(matches!(error, ConnectError::TimedOut { peer, .. } if peer == port_80(plan::SILENT)), "{error}");
    let syns = journey.sent(|segment| segment.flags.has(TcpFlags::SYN));
    assert!((5..=8).contains(&syns), "{syns} SYNs in two minutes");
}

#[test]
fn the_limit_for_connecting_is_the_users() {
    let mut journey = Journey::new(1);
    let limit = Duration::from_secs(3);
    let config = ClientConfig { connect_timeout: limit, ..journey.config() };
    let began = journey.lab.world.now();
    let request = Request::get(address_bar::parse("http://silent.test/").unwrap().url);
    let error = journey.fetch(config, request).unwrap_err();
    assert_eq!(error.curl_exit_code(), 28, "{error}");
    let took = journey.lab.world.now().since(began);
    assert!(took >= limit && took < limit + Duration::from_secs(1), "{took:?}");
}

// ---- certificates

/// A certificate that must be refused: its problem, the check that failed, and its evidence.
fn is_refused(host: &str, check: &str) -> (CertificateProblem, String) {
    let (error, journey) = fails(&format!("https://{host}/"), 60);
    let WebError::Tls(TlsError::Certificate { server_name, problem }) = error else { panic!("{error:?}") };
    assert_eq!(server_name, host);
    let judgements = journey.judgements();
    let failed: Vec<_> = judgements.iter().filter(|(_, verdict, _)| *verdict == Verdict::Failed).collect();
    let [(failed, _, evidence)] = failed.as_slice() else { panic!("{judgements:?}") };
    assert_eq!(*failed, check);
    journey.has_told(&[&format!("TLS certificate check, {check}: FAILED"), "TLS failed"]);
    // No byte of a request goes to whom is not believed.
    assert!(!journey.told().iter().any(|line| line.contains("HTTP request")));
    (problem, evidence.clone())
}

#[test]
fn a_certificate_for_other_names_is_refused() {
    let (problem, evidence) = is_refused("wrong.host.badssl.test", "name");
    let CertificateProblem::WrongName { asked, valid_for } = problem else { panic!("{problem:?}") };
    assert_eq!(asked, "wrong.host.badssl.test");
    assert_eq!(valid_for, ["*.badssl.test", "badssl.test"]);
    assert!(evidence.contains("*.badssl.test"), "{evidence}");
}

#[test]
fn an_expired_certificate_is_refused() {
    let (problem, evidence) = is_refused("expired.badssl.test", "validity");
    assert!(matches!(problem, CertificateProblem::Expired { not_after, now, .. } if not_after < now));
    assert!(evidence.contains("2026-05-02") && evidence.contains("2026-06-01"), "{evidence}");
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_refused() {
    let (problem, _) = is_refused("not-yet-valid.badssl.test", "validity");
    assert!(matches!(problem, CertificateProblem::NotYetValid { not_before, now, .. } if not_before > now));
}

#[test]
fn a_certificate_of_an_authority_that_nobody_trusts_is_refused() {
    let (problem, evidence) = is_refused("untrusted-root.badssl.test", "chain");
    assert!(matches!(problem, CertificateProblem::UntrustedRoot { .. }), "{problem:?}");
    assert!(evidence.contains("a root that nobody trusts"), "{evidence}");
}

#[test]
fn a_certificate_that_vouches_for_itself_is_refused() {
    let (problem, _) = is_refused("self-signed.badssl.test", "chain");
    assert!(matches!(problem, CertificateProblem::SelfSigned { .. }), "{problem:?}");
}

#[test]
fn a_server_that_speaks_no_tls_fails_the_handshake() {
    let (error, journey) = fails("https://plain-on-443.test/", 35);
    assert!(matches!(error, WebError::Tls(TlsError::NotTls(_))), "{error:?}");
    journey.has_told(&["what the peer sent is not TLS"]);
}

// ---- redirects and bodies

#[test]
fn a_redirect_loop_is_found_the_first_time_round() {
    let (error, journey) = fails("http://loop.test/", 47);
    let WebError::Redirect(RedirectError::Loop { url, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(url.to_string(), "http://loop.test/");
    journey.has_told(&["HTTP redirect 1 of at most 50: 301, to http://loop.test/again"]);
}

#[test]
fn too_many_redirects_are_too_many() {
    let (error, _) = fails("http://redirects.test/51", 47);
    assert!(matches!(error, WebError::Redirect(RedirectError::TooMany { limit: 50, .. })), "{error:?}");
    assert_eq!(Journey::new(1).get("http://redirects.test/50").unwrap().text(), "arrived\n");
}

#[test]
fn a_truncated_body_is_no_whole_one() {
    let (error, journey) = fails("http://truncated.test/", 18);
    let WebError::Http(HttpError::Truncated { received: 100, expected: Some(1000) }) = error else {
        panic!("{error:?}")
    };
    journey.has_told(&["body cut short: 100 bytes came of 1000"]);
    let (error, _) = fails("http://truncated-chunks.test/", 18);
    let WebError::Http(HttpError::Truncated { received: 14, expected: None }) = error else {
        panic!("{error:?}")
    };
}

#[test]
fn a_server_that_resets_is_named_with_how_much_had_come() {
    for (url, had_come) in [("http://reset.test/", 0), ("http://reset-midway.test/", 100)] {
        let (error, journey) = fails(url, 56);
        let WebError::Http(reset) = &error else { panic!("{error:?}") };
        assert!(matches!(reset, HttpError::Reset { received, .. } if *received == had_come), "{error:?}");
        assert_eq!(reset.tcp_error(), Some(&TcpError::Reset { peer: port_80(plan::ODD) }));
        assert_eq!(journey.received(|segment| segment.flags.has(TcpFlags::RST)), 1);
        assert_eq!(journey.sent(|segment| segment.flags.has(TcpFlags::RST)), 0);
    }
}

#[test]
fn the_ladder_of_a_reset() {
    let (_, journey) = fails("http://reset.test/", 56);
    is_snapshot("a_server_that_resets.segments", &journey.segments());
}

#[test]
fn a_server_that_closes_without_a_word_gave_an_empty_reply() {
    let (error, _) = fails("http://empty.test/", 52);
    assert!(matches!(error, WebError::Http(HttpError::EmptyReply)), "{error:?}");
}

#[test]
fn what_is_not_http_is_not_read_as_http() {
    let (error, _) = fails("http://garbage.test/", 1);
    let WebError::Http(HttpError::NotHttp { beginning }) = &error else { panic!("{error:?}") };
    assert!(beginning.starts_with("220 this is no web server"), "{beginning}");
}

#[test]
fn a_head_without_end_has_an_end() {
    let (error, _) = fails("http://endless-head.test/", 56);
    assert!(matches!(error, WebError::Http(HttpError::HeadTooLarge { .. })), "{error:?}");
}

// ---- patience

/// A fetch that is given this long, and must need it.
fn takes_too_long(url: &str, limit: Duration) -> (u64, Journey) {
    let mut journey = Journey::new(1);
    let config = ClientConfig { max_time: Some(limit), ..journey.config() };
    let began = journey.lab.world.now();
    let error = journey.fetch(config, Request::get(address_bar::parse(url).unwrap().url)).unwrap_err();
    assert_eq!(error.curl_exit_code(), 28, "{error}");
    let took = journey.lab.world.now().since(began);
    assert!(took >= limit && took < limit + Duration::from_secs(3), "{took:?}");
    let WebError::TimedOut { received, .. } = error else { panic!("{error:?}") };
    journey.end();
    assert_eq!(journey.lab.client.held_flows(), 0, "{url}");
    (received, journey)
}

#[test]
fn a_server_that_never_answers_is_left_when_the_time_is_up() {
    let (received, _) = takes_too_long("http://hang.test/", Duration::from_secs(5));
    assert_eq!(received, 0);
}

#[test]
fn a_server_that_never_closes_is_left_with_what_had_come() {
    let (received, journey) = takes_too_long("http://never-closes.test/", Duration::from_secs(5));
    assert_eq!(received, 22);
    is_snapshot("a_server_that_never_closes.segments", &journey.segments());
}

#[test]
fn a_slow_server_is_waited_for_and_left_when_the_time_is_up() {
    assert_eq!(Journey::new(1).get("http://slow.test/").unwrap().body, [b'.'; 50]);
    let (received, _) = takes_too_long("http://slow.test/", Duration::from_secs(5));
    assert!((20..=25).contains(&received), "{received} bytes in 5 s");
}

#[test]
fn a_failed_journey_does_not_spoil_the_next() {
    let mut journey = Journey::new(1);
    for url in
        ["http://reset.test/", "http://noarp.test/", "https://expired.badssl.test/", "http://empty.test/"]
    {
        journey.get(url).unwrap_err();
        assert_eq!(journey.get("http://www.example.test/").unwrap().status, 200, "after {url}");
    }
    let closed = journey.records().into_iter().filter_map(|record| match record.event {
        glasstack_journal::event::Event::Tcp(Tcp::Closed { error, .. }) => error,
        _ => None,
    });
    assert!(closed.count() >= 1);
}
