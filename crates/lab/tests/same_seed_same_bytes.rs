//! A seed determines everything: the capture and the journal, byte for byte, TLS included.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_journal::event::{Dns, Event, Tls};
use glasstack_lab::{Lab, LabBuilder};
use glasstack_sim::fault;
use glasstack_views::JsonLines;
use support::{Journey, Sink};

/// The capture and the journal of one journey.
struct Traces {
    pcapng: Vec<u8>,
    json: Vec<u8>,
}

fn traces(builder: LabBuilder, url: &str) -> Traces {
    let json = Sink::default();
    let mut journey = Journey::through(builder.observe(JsonLines::new(json.writer())));
    journey.get(url).unwrap();
    journey.end();
    Traces { pcapng: journey.capture(), json: json.bytes() }
}

/// Runs it twice, and says what came of the two when it was the same.
fn twice(builder: impl Fn() -> LabBuilder, url: &str) -> Traces {
    let (one, other) = (traces(builder(), url), traces(builder(), url));
    let both = |traces: &Traces| String::from_utf8(traces.json.clone()).unwrap();
    for (first, second) in both(&one).lines().zip(both(&other).lines()) {
        assert_eq!(first, second);
    }
    assert!(one.json == other.json && one.pcapng == other.pcapng);
    assert!(one.pcapng.len() > 10_000 && one.json.len() > 10_000);
    one
}

const PAGE: &str = "http://www.example.test/";
const LONG: &str = "https://bytes.test/100000";

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_gives_others() {
    let first = twice(|| Lab::builder(1), PAGE);
    let second = twice(|| Lab::builder(2), PAGE);
    assert!(first.pcapng != second.pcapng && first.json != second.json);
}

#[test]
fn so_it_is_under_loss() {
    let first = twice(|| Lab::builder(3).fault(fault::loss(0.05)), LONG);
    let second = twice(|| Lab::builder(4).fault(fault::loss(0.05)), LONG);
    assert!(first.pcapng != second.pcapng);
    let lost = |traces: &Traces| String::from_utf8_lossy(&traces.json).matches("\"lost\"").count();
    assert!(lost(&first) > 0 && lost(&second) > 0);
}

#[test]
fn the_seed_reaches_ports_sequence_numbers_query_ids_and_keys() {
    let chosen = |seed| {
        let mut journey = Journey::new(seed);
        journey.get("https://www.example.test/").unwrap();
        let syn = journey.segments_of_client().into_iter().next().unwrap();
        let find =
            |of: fn(&Event) -> Option<String>| journey.records().iter().find_map(|record| of(&record.event));
        let id = find(|event| match event {
            Event::Dns(Dns::QuerySent { id, .. }) => Some(id.to_string()),
            _ => None,
        });
        let secret = find(|event| match event {
            Event::Tls(Tls::Secret { line }) => Some(line.clone()),
            _ => None,
        });
        [syn.source.port().to_string(), syn.seq.to_string(), id.unwrap(), secret.unwrap()]
    };
    let (first, second) = (chosen(5), chosen(6));
    for (one, other) in first.iter().zip(&second) {
        assert_ne!(one, other, "{first:?} {second:?}");
    }
}
