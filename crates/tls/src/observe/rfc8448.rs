//! RFC 8448's traces, read along: the records in the order in which they were sent, and the secrets at
//! once, as a key log file would give them.

use super::conversation::Conversation;
use super::primitives::{Cipher, Hash};
use super::protection::Protection;
use super::schedule::{Suite, next_secret, traffic_keys};
use glasstack_journal::event::{Event, Party, Tls, Verdict};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Instant, Journal, Scope, WallTime};
use std::collections::BTreeMap;
use std::sync::Arc;

struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::ZERO
    }
    fn wall(&self) -> WallTime {
        WallTime::default()
    }
}

/// A conversation whose facts are kept.
pub(super) fn listening(us: Party) -> (Conversation, Recorder) {
    let (journal, records) = (Journal::new(WallTime::default()), Recorder::new());
    journal.attach(Box::new(records.clone()));
    let node = journal.node(Instant::ZERO, "node");
    let mut conversation = Conversation::new(us);
    conversation.tell_in(Scope::new(journal, Arc::new(Still), node));
    (conversation, records)
}

/// What was told, a line each: messages (`*`: encrypted; `!`: a Finished that does not agree), alerts.
pub(super) fn told(records: &Recorder) -> Vec<String> {
    let line = |event| match event {
        Event::Tls(Tls::Message(message)) => {
            let star = if message.under.is_some() { "*" } else { "" };
            let wrong = message.name == "Finished" && message.finished != Some(Verdict::Passed);
            Some(format!("{} {}{star}{}", message.from, message.name, if wrong { "!" } else { "" }))
        }
        Event::Tls(Tls::Alert(alert)) => Some(format!("{} alert {}", alert.from, alert.name)),
        Event::Tls(Tls::ReadingGivenUp { why }) => Some(format!("given up: {why}")),
        Event::Tls(Tls::RecordsCounted { ranges, unread }) => {
            let data: u64 = ranges.iter().map(|range| range.data_bytes).sum();
            Some(format!("{data} bytes of data, {unread} records unread"))
        }
        _ => None,
    };
    records.records().into_iter().filter_map(|record| line(record.event)).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(pair).collect()
}

/// A trace: secrets, and the records in their order.
struct Trace {
    secrets: BTreeMap<String, Vec<u8>>,
    records: Vec<(Party, Vec<u8>)>,
    sealing: BTreeMap<String, Protection>,
}

const SUITE: Suite = Suite { hash: Hash::Sha256, cipher: Cipher::Aes128Gcm };

impl Trace {
    fn read(text: &str) -> Self {
        let mut trace = Self { secrets: BTreeMap::new(), records: Vec::new(), sealing: BTreeMap::new() };
        let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
        while let Some(line) = lines.next() {
            let words: Vec<&str> = line.split(' ').collect();
            let mut hex = String::new();
            while let Some(more) = lines.next_if(|line| line.starts_with("  ")) {
                hex.push_str(more.trim());
            }
            match words[..] {
                ["client"] => trace.records.push((Party::Client, unhex(&hex))),
                ["server"] => trace.records.push((Party::Server, unhex(&hex))),
                ["client", label, kind] => {
                    trace.seal(Party::Client, label, kind.parse().unwrap(), &unhex(&hex))
                }
                ["server", label, kind] => {
                    trace.seal(Party::Server, label, kind.parse().unwrap(), &unhex(&hex))
                }
                [label, secret] => drop(trace.secrets.insert(label.to_owned(), unhex(secret))),
                _ => panic!("{line}"),
            }
        }
        trace
    }

    /// One record more, sealed as `label`'s next.
    fn seal(&mut self, from: Party, label: &str, kind: u8, content: &[u8]) {
        let keys = traffic_keys(SUITE, &self.secrets[label]);
        let sealing = self.sealing.entry(label.to_owned());
        let sealing = sealing.or_insert_with(|| Protection::new(SUITE, &keys, true).unwrap());
        let record = sealing.seal(kind, content);
        self.records.push((from, record));
    }

    /// What `us` hears of it, who is told the secrets at once.
    fn play(&self, us: Party) -> Recorder {
        let (mut conversation, records) = self.hear(us);
        conversation.finish();
        records
    }

    fn hear(&self, us: Party) -> (Conversation, Recorder) {
        let (mut conversation, records) = listening(us);
        for (label, secret) in &self.secrets {
            conversation.on_secret(label, secret);
        }
        for (from, record) in &self.records {
            conversation.on_bytes(*from, record);
        }
        (conversation, records)
    }
}

fn play(trace: &str, us: Party) -> Recorder {
    Trace::read(trace).play(us)
}

#[test]
fn the_simple_handshake_of_rfc_8448_3_is_read_along() {
    for us in [Party::Client, Party::Server] {
        assert_eq!(
            told(&play(include_str!("rfc8448/simple_1_rtt.txt"), us)),
            [
                "client ClientHello",
                "server ServerHello",
                "server EncryptedExtensions*",
                "server Certificate*",
                "server CertificateVerify*",
                "server Finished*",
                "client Finished*",
                "server NewSessionTicket*",
                "client alert close_notify",
                "server alert close_notify",
                "100 bytes of data, 0 records unread",
            ]
        );
    }
}

/// RFC 8448 3 gives these keys, too.
#[test]
fn the_keys_are_those_of_rfc_8448_3() {
    let records = play(include_str!("rfc8448/simple_1_rtt.txt"), Party::Client).records();
    let keys: Vec<_> = records
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Tls(Tls::KeysDerived(keys)) => Some((keys.label, keys.key, keys.iv, keys.finished_key)),
            _ => None,
        })
        .collect();
    let expected = [
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"),
        ("CLIENT_TRAFFIC_SECRET_0", "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"),
        ("SERVER_TRAFFIC_SECRET_0", "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"),
    ];
    assert_eq!(
        keys.iter().map(|(label, key, iv, _)| (*label, key.as_str(), iv.as_str())).collect::<Vec<_>>(),
        expected
    );
    let finished = keys[1].3.as_deref();
    assert_eq!(finished, Some("008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"));
}

#[test]
fn the_retry_of_rfc_8448_5_is_read_along_with_its_transcript() {
    for us in [Party::Client, Party::Server] {
        assert_eq!(
            told(&play(include_str!("rfc8448/hello_retry_request.txt"), us)),
            [
                "client ClientHello",
                "server HelloRetryRequest",
                "client ClientHello",
                "server ServerHello",
                "server EncryptedExtensions*",
                "server Certificate*",
                "server CertificateVerify*",
                "server Finished*",
                "client Finished*",
                "client alert close_notify",
                "server alert close_notify",
                "0 bytes of data, 0 records unread",
            ]
        );
    }
}

#[test]
fn the_client_authentication_of_rfc_8448_6_is_read_along() {
    for us in [Party::Client, Party::Server] {
        assert_eq!(
            told(&play(include_str!("rfc8448/client_authentication.txt"), us)),
            [
                "client ClientHello",
                "server ServerHello",
                "server EncryptedExtensions*",
                "server CertificateRequest*",
                "server Certificate*",
                "server CertificateVerify*",
                "server Finished*",
                "client Certificate*",
                "client CertificateVerify*",
                "client Finished*",
                "client alert close_notify",
                "server alert close_notify",
                "0 bytes of data, 0 records unread",
            ]
        );
    }
}

#[test]
fn the_compatibility_mode_of_rfc_8448_7_is_read_along() {
    for us in [Party::Client, Party::Server] {
        assert_eq!(
            told(&play(include_str!("rfc8448/compatibility_mode.txt"), us)),
            [
                "client ClientHello",
                "server ServerHello",
                "server ChangeCipherSpec",
                "server EncryptedExtensions*",
                "server Certificate*",
                "server CertificateVerify*",
                "server Finished*",
                "client ChangeCipherSpec",
                "client Finished*",
                "client alert close_notify",
                "server alert close_notify",
                "0 bytes of data, 0 records unread",
            ]
        );
    }
}

const RESUMED: [&str; 9] = [
    "client ClientHello",
    "server ServerHello",
    "server EncryptedExtensions*",
    "server Finished*",
    "client EndOfEarlyData*",
    "client Finished*",
    "client alert close_notify",
    "server alert close_notify",
    "106 bytes of data, 0 records unread",
];

#[test]
fn the_early_data_of_rfc_8448_4_is_read_along() {
    let trace = Trace::read(include_str!("rfc8448/resumed_0_rtt.txt"));
    // RFC 8448 4 gives the record, too.
    let early = "1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0";
    assert_eq!(trace.records[1].1, unhex(early));
    for us in [Party::Client, Party::Server] {
        assert_eq!(told(&trace.play(us)), RESUMED);
    }
}

#[test]
fn early_data_that_the_server_refuses_is_passed_over() {
    let mut trace = Trace::read(include_str!("rfc8448/simple_1_rtt.txt"));
    // The hello of the simple handshake, with early_data (42) at its end: lengths grow by four.
    let hello = &mut trace.records[0].1;
    hello.extend([0, 42, 0, 0]);
    for (at, length) in [(4, 0xc8), (8, 0xc4), (55, 0x95)] {
        assert_eq!(hello[at] + 4, length, "{at}");
        hello[at] = length;
    }
    trace.secrets.insert("early".to_owned(), vec![7; 32]);
    trace.records.truncate(1);
    trace.seal(Party::Client, "early", 23, b"GET /");
    let hello = Trace::read(include_str!("rfc8448/simple_1_rtt.txt")).records.swap_remove(1);
    trace.records.push(hello);
    trace.seal(Party::Client, "early", 23, b"more");
    trace.seal(Party::Server, "SERVER_HANDSHAKE_TRAFFIC_SECRET", 22, &[8, 0, 0, 2, 0, 0]);
    trace.seal(Party::Client, "early", 23, b"and more");
    trace.seal(Party::Client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", 22, &[20, 0, 0, 0]);
    let expected = [
        "client ClientHello",
        "server ServerHello",
        "server EncryptedExtensions*",
        // What this Finished has is nothing.
        "client Finished*!",
        "0 bytes of data, 3 records unread",
    ];
    assert_eq!(told(&trace.play(Party::Server)), expected);
}

#[test]
fn new_keys_take_over_behind_a_key_update() {
    let mut trace = Trace::read(include_str!("rfc8448/resumed_0_rtt.txt"));
    trace.records.truncate(trace.records.len() - 2);
    trace.sealing.clear();
    let label = "CLIENT_TRAFFIC_SECRET_0";
    trace.records.truncate(trace.records.len() - 2);
    trace.seal(Party::Client, label, 22, &[24, 0, 0, 1, 1]);
    for generation in 1..=2 {
        let next = next_secret(Hash::Sha256, &trace.secrets[label]);
        trace.secrets.insert(label.to_owned(), next);
        trace.sealing.clear();
        trace.seal(Party::Client, label, 23, &vec![b'x'; generation]);
        trace.seal(Party::Client, label, 22, &[24, 0, 0, 1, 0]);
    }
    let first = Trace::read(include_str!("rfc8448/resumed_0_rtt.txt")).secrets;
    trace.secrets = first;
    let records = trace.play(Party::Server);
    assert_eq!(
        told(&records)[6..],
        ["client KeyUpdate*", "client KeyUpdate*", "client KeyUpdate*", "9 bytes of data, 0 records unread"]
    );
    let counted = records.records().into_iter().find_map(|record| match record.event {
        Event::Tls(Tls::RecordsCounted { ranges, .. }) => Some(ranges),
        _ => None,
    });
    let generations: Vec<_> = counted
        .unwrap()
        .into_iter()
        .filter(|range| range.under == Some(label))
        .map(|range| (range.generation, range.data_bytes))
        .collect();
    assert_eq!(generations, [(0, 0), (1, 1), (2, 2)]);
}

/// RFC 5246 7.4.1.1, RFC 5746: a new handshake within the session.
#[test]
fn a_request_for_a_new_handshake_is_told_as_refused() {
    let trace = Trace::read(include_str!("rfc8448/resumed_0_rtt.txt"));
    let (mut conversation, records) = trace.hear(Party::Client);
    let before = conversation.told();
    conversation.on_opened(Party::Server, 22, &[0, 0, 0, 0]);
    conversation.on_opened(Party::Client, 21, &[1, 100]);
    assert_eq!(conversation.told(), before + 2);
    let mut told = records.records().into_iter().rev().map(|record| record.event);
    let (Some(Event::Tls(Tls::Alert(alert))), Some(Event::Tls(Tls::Message(message)))) =
        (told.next(), told.next())
    else {
        panic!("neither")
    };
    assert_eq!((alert.name, alert.level), ("no_renegotiation", "warning"));
    assert_eq!(message.name, "HelloRequest");
    assert_eq!(message.remarks[0].text, "asks for a new handshake within the session, which is refused here");
}

/// A secret that is not the connection's opens nothing, and is said to, once.
#[test]
fn reading_ends_where_the_secret_does_not_fit() {
    let mut trace = Trace::read(include_str!("rfc8448/simple_1_rtt.txt"));
    trace.secrets.insert("SERVER_HANDSHAKE_TRAFFIC_SECRET".to_owned(), vec![7; 32]);
    assert_eq!(
        told(&trace.play(Party::Client)),
        [
            "client ClientHello",
            "server ServerHello",
            "given up: record 1 of the server does not open with its keys",
            "0 bytes of data, 1 records unread"
        ]
    );
}

/// Without a secret what is encrypted waits, and is counted at the end.
#[test]
fn what_no_secret_opens_is_counted() {
    let mut trace = Trace::read(include_str!("rfc8448/simple_1_rtt.txt"));
    trace.secrets.clear();
    assert_eq!(
        told(&trace.play(Party::Server)),
        ["client ClientHello", "server ServerHello", "0 bytes of data, 7 records unread"]
    );
}
