//! RFC 8448's traces, read along: the records in the order in which they were sent, and the secrets at
//! once, as a key log file would give them.

use super::conversation::Conversation;
use glasstack_journal::event::{Event, Party, Tls, Verdict};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Instant, Journal, Scope, WallTime};
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

/// Plays a trace to `us`.
fn play(trace: &str, us: Party) -> Recorder {
    let (mut conversation, records) = listening(us);
    let mut sent: Vec<(Party, String)> = Vec::new();
    for line in trace.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(' ') {
            _ if line == "client" => sent.push((Party::Client, String::new())),
            _ if line == "server" => sent.push((Party::Server, String::new())),
            Some(("", hex)) => sent.last_mut().unwrap().1.push_str(hex.trim()),
            Some((label, secret)) => conversation.on_secret(label, &unhex(secret)),
            None => panic!("{line}"),
        }
    }
    for (from, record) in sent {
        conversation.on_bytes(from, &unhex(&record));
    }
    conversation.finish();
    records
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
