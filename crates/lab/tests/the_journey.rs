//! The main job on the virtual wire: what happens when somebody types a URL and presses Enter.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_journal::event::{Event, Http, Verdict};
use glasstack_web::{ClientConfig, HeaderEdit, Request, address_bar};
use support::{Journey, counting, is_snapshot};

#[test]
fn the_ladder_goes_from_the_first_arp_request_to_the_end_of_time_wait() {
    let mut journey = Journey::new(1);
    let page = journey.get("http://www.example.test/").unwrap();
    journey.end();
    assert_eq!(page.hops, ["301 http://www.example.test/"]);
    assert_eq!((page.url.as_str(), page.status), ("https://www.example.test/", 200));
    assert!(page.text().contains("<h1>It works</h1>"));
    is_snapshot("the_journey.ladder", &journey.ladder());
}

#[test]
fn every_stage_says_what_it_did_and_why() {
    let mut journey = Journey::new(1);
    journey.get("http://www.example.test/").unwrap();
    journey.end();
    is_snapshot("the_journey.told", &(journey.told().join("\n") + "\n"));
}

#[test]
fn every_check_of_the_certificate_is_told_with_its_evidence() {
    let mut journey = Journey::new(2);
    journey.get("https://www.example.test/").unwrap();
    let judgements = journey.judgements();
    let checks: Vec<_> = judgements.iter().map(|(check, verdict, _)| (*check, *verdict)).collect();
    let of_path =
        ["chain", "format", "certificate_signature", "validity", "constraints", "usage", "name_constraints"];
    let all = of_path.into_iter().chain(["name", "signature"]);
    assert_eq!(checks, all.map(|check| (check, Verdict::Passed)).collect::<Vec<_>>());
    assert!(judgements.iter().all(|(_, _, evidence)| !evidence.is_empty()), "{judgements:?}");
}

#[test]
fn both_versions_of_tls_carry_a_page() {
    for (url, version) in
        [("https://tls-v1-2.badssl.test:1012/", "TLS 1.2"), ("https://tls-v1-3.badssl.test:1013/", "TLS 1.3")]
    {
        let mut journey = Journey::new(1);
        assert!(journey.get(url).unwrap().text().ends_with("was believed\n"));
        journey.has_told(&[&format!("TLS established: {version}")]);
    }
}

#[test]
fn an_alias_and_a_name_with_many_addresses_lead_to_their_pages() {
    let mut journey = Journey::new(1);
    journey.get("http://alias.test/").unwrap();
    journey.has_told(&["alias.test", "codings.test"]);
    let mut journey = Journey::new(1);
    journey.get("http://many.test/").unwrap();
    journey.has_told(&["over UDP", "over TCP", "the UDP answer was truncated"]);
}

#[test]
fn one_text_arrives_the_same_in_every_coding() {
    let mut journey = Journey::new(1);
    let plain = journey.get("http://codings.test/chunked").unwrap().body;
    assert!(plain.starts_with(b"A text that says the same thing again and again"));
    for coding in ["gzip", "deflate", "br", "zstd"] {
        assert_eq!(journey.get(&format!("https://codings.test/{coding}")).unwrap().body, plain, "{coding}");
    }
    let trickled = journey.get("http://codings.test/trickle").unwrap().body;
    assert!(!trickled.is_empty() && plain.starts_with(&trickled));
}

#[test]
fn without_compressed_a_coded_body_is_given_as_it_came() {
    let mut journey = Journey::new(1);
    let config = ClientConfig { compressed: false, ..journey.config() };
    let request = Request::get(address_bar::parse("http://codings.test/gzip").unwrap().url);
    let page = journey.fetch(config, request).unwrap();
    // RFC 1952 2.3.1: how gzip begins.
    assert_eq!(page.body.get(..3), Some(&[0x1f, 0x8b, 8][..]));
}

#[test]
fn the_server_hears_what_was_to_be_said() {
    let mut journey = Journey::new(1);
    let mut request = Request::post(address_bar::parse("https://echo.test/a?b#c").unwrap().url, "x=1");
    request.headers = vec!["X-Mine: yes".parse::<HeaderEdit>().unwrap(), "Accept:".parse().unwrap()];
    let page = journey.fetch(journey.config(), request).unwrap();
    assert_eq!(
        page.text().lines().collect::<Vec<_>>(),
        [
            "POST /a?b",
            "host: echo.test",
            concat!("user-agent: glasstack/", env!("CARGO_PKG_VERSION")),
            "accept-encoding: deflate, gzip, br, zstd",
            "x-mine: yes",
            "content-length: 3",
            "content-type: application/x-www-form-urlencoded",
            "",
            "3 bytes of body",
        ]
    );
}

#[test]
fn the_requests_of_one_fetch_share_a_connection() {
    let mut journey = Journey::new(1);
    let page = journey.get("http://redirects.test/3").unwrap();
    assert_eq!((page.text(), page.hops.len()), ("arrived\n", 3));
    assert_eq!(journey.sent(|segment| segment.flags.has(glasstack_journal::event::TcpFlags::SYN)), 1);
    let reused = journey.records().into_iter().filter_map(|record| match record.event {
        Event::Http(Http::ConnectionChosen { reused, .. }) => Some(reused),
        _ => None,
    });
    assert_eq!(reused.collect::<Vec<_>>(), [false, true, true, true]);
}

#[test]
fn bodies_of_awkward_lengths_arrive_whole() {
    let mut journey = Journey::new(1);
    for length in [0, 1, 1459, 1460, 1461, 65_535, 65_536, 1_000_000] {
        let page = journey.get(&format!("https://bytes.test/{length}")).unwrap();
        assert!(page.body == counting(length), "{} of {length} bytes", page.body.len());
    }
}

#[test]
fn nothing_is_left_behind() {
    let mut journey = Journey::new(1);
    journey.get("http://www.example.test/").unwrap();
    journey.end();
    assert_eq!(journey.lab.client.held_flows(), 0);
    assert_eq!(journey.lab.host("web").unwrap().held_flows(), 0);
    let stays_open =
        |at: &support::Opened| at.closed.is_none() && at.node == journey.lab.client.scope().node();
    let spans = support::spans(&journey.records());
    assert!(!spans.is_empty());
    let open: Vec<_> = spans.iter().filter(|span| stays_open(span)).collect();
    assert!(open.is_empty(), "{open:?}");
}
