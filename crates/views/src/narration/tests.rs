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
