//! Faults by meaning, each struck in a journey through the lab: it ends with the page or with the right
//! error, and what was done to which frame is told. The sentences are those of docs/faults.md.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use Outcome::{Fails, Page};
use glasstack_journal::Record;
use glasstack_journal::event::{Dns, Event, Link, NoteLevel};
use glasstack_lab::fault::Kind;
use glasstack_lab::{FaultSpec, Lab};
use glasstack_sim::topology::Topology;
use glasstack_tls::{RevocationLists, TlsClient, TlsClientConfig};
use glasstack_web::{ClientConfig, Request, address_bar};
use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;
use support::Journey;

/// How a journey ends.
enum Outcome {
    /// With the page.
    Page,
    /// With an error that says this.
    Fails(&'static str),
}

/// The default journey: DNS, a redirect, TLS 1.3, a page of one segment.
const PAGE: &str = "http://www.example.test/";
/// A download in the clear.
const MUCH: &str = "http://bytes.test/30000";
/// What a journey may take, in virtual time, before it gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// What becomes of a journey under each fault.
const OUTCOMES: &[(&str, &str, Outcome)] = &[
    ("lose client SYN-ACK 1", PAGE, Page),
    ("lose the last ACK", PAGE, Page),
    ("lose 5%", PAGE, Page),
    ("lose 40% of DNS", PAGE, Page),
    ("lose in bursts 5% 50%", PAGE, Page),
    ("lose every ClientHello", PAGE, Fails("before the handshake was complete")),
    ("lose the first DNS query", PAGE, Page),
    ("lose the first 3 SYNs", PAGE, Page),
    ("lose DNS query A www.example.test 1", PAGE, Page),
    ("lose the SYN at home <-> access towards access on port 443", PAGE, Page),
    ("lose HTTP response 1", PAGE, Page),
    ("lose HTTP request GET / 1", PAGE, Page),
    ("lose frames from 300ms to 500ms", PAGE, Page),
    ("corrupt TCP payload of segment 3", PAGE, Page),
    ("corrupt IP header of packet 3", PAGE, Page),
    ("corrupt 10%", PAGE, Page),
    ("corrupt TLS record 2", PAGE, Page),
    ("corrupt encrypted record 1 keeping the checksum", PAGE, Fails("cannot decrypt peer's message")),
    ("delay DNS answers 3s", PAGE, Page),
    ("delay HTTP responses 2s", PAGE, Page),
    ("duplicate segment 2", PAGE, Page),
    ("duplicate SYNs 3 times", PAGE, Page),
    ("reorder 10%", PAGE, Page),
    ("black hole above 1400", MUCH, Page),
    ("reset after 10kB", MUCH, Fails("the connection was reset after")),
    ("close after 10kB", MUCH, Fails("body cut short")),
    ("answer NXDOMAIN for www.example.test", PAGE, Fails("does not exist (NXDOMAIN")),
    ("lie about www.example.test 198.51.100.66", PAGE, Fails("not an HTTP/1 response")),
    ("truncate DNS answers", PAGE, Page),
    ("kill resolver", PAGE, Fails("name server 203.0.113.53:53 cannot be reached")),
    ("kill root all but k", PAGE, Page),
    ("kill root all", PAGE, Fails("SERVFAIL")),
    ("unplug client at 20ms for 1s", PAGE, Page),
    ("unplug home <-> access at 20ms for 500ms", PAGE, Page),
    ("expire the intermediate", PAGE, Fails("expired on")),
    ("postdate the intermediate", PAGE, Fails("is valid only from")),
    // Nobody asks about revocation unless told to: see below, and revocation.rs.
    ("revoke the intermediate", PAGE, Page),
    ("omit the intermediate", PAGE, Fails("whose certificate is missing")),
    ("expire the leaf of www.example.test", PAGE, Fails("expired on")),
    ("postdate the leaf of www.example.test", PAGE, Fails("is valid only from")),
    ("revoke the leaf of www.example.test", PAGE, Page),
    ("wrong name on www.example.test", PAGE, Fails("it is not for www.example.test")),
    ("untrusted root on www.example.test", PAGE, Fails("a root that is not trusted here")),
    ("self-signed on www.example.test", PAGE, Fails("self-signed")),
    ("wrong purpose on www.example.test", PAGE, Fails("certificate")),
    ("bad signature on www.example.test", PAGE, Fails("signature")),
    // Whom nobody asks, nobody hears.
    ("stale list on www.example.test", PAGE, Page),
    ("stale OCSP answer on www.example.test", PAGE, Page),
    ("no OCSP answer on www.example.test", PAGE, Page),
    ("expire the signatures of example.test", PAGE, Fails("SERVFAIL")),
    ("postdate the signatures of example.test", PAGE, Fails("SERVFAIL")),
    ("omit the signatures of example.test", PAGE, Fails("SERVFAIL")),
    ("forge the signatures of example.test", PAGE, Fails("SERVFAIL")),
    ("wrong DS for example.test", PAGE, Fails("SERVFAIL")),
    ("unsign example.test", PAGE, Page),
    // ARP believes whoever speaks last (RFC 826): what goes to mallory is gone.
    ("duplicate ARP reply from mallory", PAGE, Fails("not done within")),
    ("spoof ARP for home from mallory", PAGE, Fails("not done within")),
    ("spoof ARP for home from mallory forwarding", PAGE, Page),
    ("forge DNS answers for www.example.test from mallory", PAGE, Page),
    ("forge RSTs of web from mallory", PAGE, Page),
    ("SYN flood web by mallory", PAGE, Page),
    ("redirect client by mallory", PAGE, Page),
];

fn parse(sentence: &str) -> FaultSpec {
    FaultSpec::parse(sentence).unwrap_or_else(|error| panic!("{error}"))
}

/// Fetches `url` under a fault: the journey and, if it failed, what the error says.
fn fetch(sentence: &str, url: &str) -> (Journey, Result<(), String>) {
    let mut journey = Journey::through(Lab::builder(1).faults([parse(sentence)]));
    let config = ClientConfig { max_time: Some(PATIENCE), ..journey.config() };
    let page = journey.fetch(config, Request::get(address_bar::parse(url).unwrap().url));
    let said = match page {
        Ok(page) if page.status == 200 => Ok(()),
        Ok(page) => Err(format!("status {}", page.status)),
        Err(error) => Err(chain(&error)),
    };
    (journey, said)
}

fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Whether some frame is told to have suffered from this fault.
fn is_told(journey: &Journey, fault: &FaultSpec) -> bool {
    let sentence = fault.to_string();
    journey.records().iter().any(|record| match (&record.event, fault) {
        (Event::Link(Link::Lost { by, .. }), FaultSpec::Unplug(_)) => by == "unplugged",
        (
            Event::Link(
                Link::Lost { by, .. }
                | Link::Delayed { by, .. }
                | Link::Duplicated { by, .. }
                | Link::Corrupted { by, .. }
                | Link::Injected { by, .. },
            ),
            FaultSpec::Cable(_) | FaultSpec::Kill(_),
        ) => *by == sentence,
        // Of these the outcome tells.
        (_, FaultSpec::Certificate(_) | FaultSpec::Signing(_) | FaultSpec::Attack(_)) => true,
        _ => false,
    })
}

#[test]
fn every_fault_strikes_is_told_and_the_journey_ends_as_it_should() {
    let mut wrong = Vec::new();
    for (sentence, url, outcome) in OUTCOMES {
        let (journey, said) = fetch(sentence, url);
        let is_right = match (outcome, &said) {
            (Page, Ok(())) => true,
            (Fails(why), Err(error)) => error.contains(why),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{sentence}: {said:?}"));
        }
        if journey.lab.faults.struck().iter().any(|(_, count)| *count == Some(0)) {
            wrong.push(format!("{sentence}: never struck"));
        }
        if !is_told(&journey, &parse(sentence)) {
            wrong.push(format!("{sentence}: no frame tells of it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_wrong_with_signatures_is_found_by_the_resolver() {
    for (sentence, is, why) in [
        ("expire the signatures of example.test", "bogus", "ended on 2026-05-02"),
        ("postdate the signatures of example.test", "bogus", "begins on 2026-07-31"),
        ("omit the signatures of example.test", "bogus", "has no signature, though example.test is signed"),
        ("forge the signatures of example.test", "bogus", "the records or it have been changed"),
        ("wrong DS for example.test", "bogus", "names the key 27600, but its digest is not of that one"),
        ("unsign example.test", "insecure", "test proves that it has no DS record"),
    ] {
        let (journey, _) = fetch(sentence, PAGE);
        let found: Vec<_> = journey.records().into_iter().filter_map(judgement).collect();
        let expected = format!("www.example.test A is {is}: ");
        assert!(
            found.iter().any(|it| it.starts_with(&expected) && it.contains(why)),
            "{sentence}: {found:?}"
        );
    }
}

/// What a resolver found of a name's signatures.
fn judgement(record: Record) -> Option<String> {
    match record.event {
        Event::Dns(Dns::Validated { name, record_type, security, reason, .. }) => {
            Some(format!("{name} {record_type} is {security}: {reason}"))
        }
        _ => None,
    }
}

#[test]
fn what_is_revoked_is_refused_by_whoever_has_the_lists() {
    for sentence in ["revoke the intermediate", "revoke the leaf of www.example.test"] {
        let mut journey = Journey::through(Lab::builder(1).faults([parse(sentence)]));
        let lists = RevocationLists::from_pem(journey.lab.pki.lists_pem().unwrap().as_bytes()).unwrap();
        let tls = TlsClientConfig {
            revocation: lists.into(),
            ..TlsClientConfig::new(journey.lab.trust().unwrap())
        };
        let host = journey.lab.client.clone();
        let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
        let config = ClientConfig { tls, ..journey.config() };
        let url = address_bar::parse("https://www.example.test/").unwrap().url;
        let error = chain(&journey.fetch(config, Request::get(url)).unwrap_err());
        assert!(error.contains("revoked"), "{sentence}: {error}");
    }
}

#[test]
fn a_fault_that_never_struck_is_told_at_the_end() {
    let (journey, said) = fetch("duplicate segment 400", PAGE);
    assert!(said.is_ok());
    journey.lab.faults.conclude(journey.lab.client.scope());
    let warning = journey.records().into_iter().find_map(|record| match record.event {
        Event::Note(note) if note.level == NoteLevel::Warning => Some(note.text),
        _ => None,
    });
    assert_eq!(warning.as_deref(), Some("the fault `duplicate segment 400` never struck"));
}

#[test]
fn a_fault_without_a_place_says_what_there_is() {
    let why = |sentence: &str| match Lab::builder(1).faults([parse(sentence)]).build() {
        Err(error) => chain(&error),
        Ok(_) => panic!("{sentence} has a place"),
    };
    for (sentence, said) in [
        ("lose clinet SYNs", "there is no clinet in this network; did you mean client?"),
        ("kill nobody", "there is no nobody in this network"),
        ("lose SYNs at home <-> web", "no cable connects home and web; theirs are home-switch <-> home"),
        ("lose SYNs towards web", "web is no end of the cable client <-> home-switch"),
        ("expire the leaf of nobody.test", "no server has a certificate for nobody.test;"),
        ("SYN flood web by mallory at access", "there is no switch beside access for mallory"),
    ] {
        assert!(why(sentence).contains(said), "{sentence}: {}", why(sentence));
    }
}

#[test]
fn a_certificate_is_spoilt_where_a_server_shows_one_and_refused_elsewhere() {
    let text = r#"
        [host.client]
        address = "10.0.0.1/24"
        [host.shop]
        address = "10.0.0.2/24"
        names = ["shop.test"]
        serve = ["web"]
        [[cable]]
        between = ["client", "shop"]
    "#;
    let built = |sentence: &str| {
        let topology = Topology::parse(text).unwrap();
        Lab::builder(1).topology(topology).faults([parse(sentence)]).build().map(drop)
    };
    built("expire the leaf of shop.test").unwrap();
    let error = chain(&built("expire the leaf of www.example.test").unwrap_err());
    assert!(error.contains("no server has a certificate for www.example.test"), "{error}");
}

#[test]
fn the_same_seed_and_fault_give_the_same_bytes() {
    for sentence in ["lose 5%", "corrupt 10%", "forge DNS answers for www.example.test from mallory"] {
        let [mut one, mut other] = [fetch(sentence, PAGE).0, fetch(sentence, PAGE).0];
        one.end();
        other.end();
        assert!(one.capture() == other.capture(), "{sentence}");
    }
}

/// Rows of the page's tables whose first column is called `column`.
fn rows(column: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut rows = Vec::new();
    let mut is_in = false;
    for line in page.lines() {
        let first = line.strip_prefix("| ").and_then(|rest| rest.split(" | ").next());
        match first {
            Some(heading) if !heading.starts_with('`') => is_in = heading == column,
            Some(cell) if is_in => rows.push(cell.to_owned()),
            _ => {}
        }
    }
    assert!(!rows.is_empty(), "no table of {column}s");
    rows
}

#[test]
fn the_page_has_every_fault_that_is_tried_here_and_no_other() {
    let written: Vec<String> =
        rows("sentence").iter().map(|cell| cell.trim_matches('`').to_owned()).collect();
    let tried: Vec<&str> = OUTCOMES.iter().map(|(sentence, ..)| *sentence).collect();
    assert_eq!(written, tried);
}

#[test]
fn the_page_shows_a_message_as_it_is() {
    let page = include_str!("../../../docs/faults.md");
    let shown = page.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    let sentence = shown.lines().next().unwrap();
    assert_eq!(FaultSpec::parse(sentence).unwrap_err().to_string(), shown);
}

#[test]
fn the_page_names_the_url_where_a_fault_strikes_that_needs_more_data() {
    let page = include_str!("../../../docs/faults.md");
    for (sentence, url, _) in OUTCOMES.iter().filter(|(_, url, _)| *url == MUCH) {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{sentence}`"))).unwrap();
        assert!(row.contains(&format!("(`{url}`)")), "{row}");
    }
}

#[test]
fn the_page_names_every_verb_and_every_kind_of_frame() {
    let sentences = rows("sentence");
    for verb in FaultSpec::VERBS {
        assert!(sentences.iter().any(|cell| cell.starts_with(&format!("`{verb}"))), "no example of {verb}");
    }
    let named: BTreeSet<String> = rows("kind")
        .iter()
        .flat_map(|cell| cell.split(", "))
        .map(|word| word.trim_matches('`').to_owned())
        .collect();
    for kind in Kind::ALL {
        assert!(named.contains(kind.singular()), "{} is not on the page", kind.singular());
    }
    for word in named {
        assert!(FaultSpec::parse(&format!("lose {word} 1")).is_ok(), "{word}");
    }
}
