use super::*;
use crate::testing::{Sink, Story, replay};
use glasstack_journal::Note;

fn narrate(records: &[Record], narration: impl FnOnce(Narration) -> Narration, level: Level) -> String {
    let sink = Sink::default();
    replay(records, narration(Narration::new(sink.writer(), level)));
    sink.text()
}

#[test]
fn the_client_alone_tells_the_story_from_address_bar_to_time_wait() {
    let text = narrate(&Story::journey().records(), |narration| narration.of("client"), Level::Normal);
    let mut from = 0;
    for part in [
        "client  address bar: \"www.example.test\" means https://www.example.test/",
        "DNS: www.example.test looked up in the cache: not found (no entry)",
        "ARP request: who has 10.0.0.3? (not in the ARP cache)",
        "ARP reply: 10.0.0.3 is at 02:00:00:00:00:03 (after 2.000 ms)",
        "DNS: www.example.test is 10.0.0.2 (from name server, good for 300 s)",
        " 0.024000 client  TCP SYN to 10.0.0.2:443, seq 0: opens the connection",
        "TCP SYN ACK from 10.0.0.2:443, seq 0, ack 1: answers the SYN",
        "TCP state SYN-SENT -> ESTABLISHED (TCP SYN ACK arrived)",
        "TLS handshake with www.example.test: offers TLS 1.3",
        "TLS certificate check, name: passed",
        "TLS established: TLS 1.3, TLS_AES_128_GCM_SHA256",
        "HTTP request: GET https://www.example.test/ HTTP/1.1",
        "HTTP response: 200 OK",
        "HTTP body complete: 5 bytes",
        "TCP FIN ACK to 10.0.0.2:443",
        "TCP TIME-WAIT for 60 s",
        "TCP closed: 23 bytes sent",
        "arrived at https://www.example.test/: status 200, 5 bytes",
    ] {
        let found = text[from..].find(part);
        from += found.unwrap_or_else(|| panic!("{part:?} is missing or out of order in\n{text}"));
    }
    assert!(!text.contains("server  "), "the server is told of as well:\n{text}");
    assert!(!text.contains("new data"), "plain data belongs to -v:\n{text}");
}

#[test]
fn silence_is_complete() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.tell(&client, None, Note::warning("something"));
    assert_eq!(narrate(&story.records(), |narration| narration, Level::Silent), "");
}

#[test]
fn verbose_tells_of_every_node_and_segment_and_header() {
    let text = narrate(&Story::journey().records(), |narration| narration.of("client"), Level::Verbose);
    for part in
        ["server  frame", "PSH ACK", "> Host: www.example.test", "< Content-Length: 5", "ns  DNS answer"]
    {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert!(text.contains("TLS secret derived: SERVER_HANDSHAKE_TRAFFIC_SECRET\n"), "secrets stay secret");
}

#[test]
fn a_peer_cannot_write_to_the_terminal() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.tell(&client, None, Note::info("\x1b]0;owned\x07\r\nfake line"));
    let text = narrate(&story.records(), |narration| narration, Level::Normal);
    assert!(text.ends_with("client  \\u{1b}]0;owned\\u{7}\\r\\nfake line\n"), "{text:?}");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.tell(&client, None, Note::warning("look"));
    let plain = narrate(&story.records(), |narration| narration.coloured(false), Level::Normal);
    assert!(!plain.contains('\x1b'));
    let coloured = narrate(&story.records(), |narration| narration.coloured(true), Level::Normal);
    assert!(coloured.contains("\x1b[33mwarning: look\x1b[0m"), "{coloured:?}");
}

/// A ServerHello that says why, and keys.
fn tls_story() -> Vec<Record> {
    use glasstack_journal::event::{
        Direction, Field, HandshakeMessage, Party, Place, Remark, Tls, TrafficKeys, Value,
    };
    let mut story = Story::new();
    let client = story.host("client", 1);
    let suite = Value::Code { code: 0x1301, name: "TLS_AES_128_GCM_SHA256" };
    let field = Field { name: "cipher_suite", at: 39, length: 2, value: Some(suite), fields: Vec::new() };
    let message = HandshakeMessage {
        from: Party::Server,
        direction: Direction::In,
        name: "ServerHello",
        place: Place::default(),
        under: None,
        fields: vec![Field { name: "body", at: 0, length: 41, value: None, fields: vec![field] }],
        remarks: vec![Remark { about: "version", text: "TLS 1.3 (the highest)".to_owned() }],
        finished: None,
        bytes: [2].as_slice().into(),
    };
    story.tell(&client, None, Tls::Message(Box::new(message)));
    let keys = TrafficKeys {
        writer: Party::Server,
        label: "SERVER_TRAFFIC_SECRET_0",
        derivation: "Derive-Secret(...)".to_owned(),
        secret: "5ec0".to_owned(),
        transcript_hash: None,
        hash: "SHA-256",
        cipher: "AES-128-GCM",
        key: "4e40".to_owned(),
        iv: "1400".to_owned(),
        finished_key: None,
    };
    story.tell(&client, None, Tls::KeysDerived(Box::new(keys)));
    story.records()
}

#[test]
fn what_a_message_decides_is_told_and_its_fields_to_those_who_ask() {
    let line = "client  TLS ServerHello received: TLS 1.3 (the highest)\n";
    let text = narrate(&tls_story(), |narration| narration, Level::Normal);
    assert!(text.contains(line) && !text.contains("cipher_suite"), "{text}");
    let text = narrate(&tls_story(), |narration| narration, Level::Verbose);
    assert!(text.contains(line), "{text}");
    assert!(text.contains("body\n"), "{text}");
    assert!(text.contains("  cipher_suite: TLS_AES_128_GCM_SHA256 (0x1301)\n"), "{text}");
}

#[test]
fn keys_are_told_to_nobody_who_has_not_asked_for_them() {
    for level in [Level::Normal, Level::Verbose] {
        let text = narrate(&tls_story(), |narration| narration, level);
        assert!(["5ec0", "4e40", "1400"].iter().all(|secret| !text.contains(secret)), "{text}");
    }
    let text = narrate(&tls_story(), |narration| narration.with_keys(true), Level::Normal);
    for line in
        ["TLS keys of the server from SERVER_TRAFFIC_SECRET_0", "secret 5ec0\n", "key 4e40\n", "IV 1400\n"]
    {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}
