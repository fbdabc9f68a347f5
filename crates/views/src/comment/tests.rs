use super::*;
use crate::testing::{Story, frames};
use glasstack_journal::SpanKind;
use glasstack_journal::event::{DropReason, Event, Link, TcpFlags};

/// The comments on every frame that `node` saw, in order.
fn comments(records: &[Record], node: &str) -> Vec<Vec<String>> {
    let (mut explainer, mut names) = (Explainer::default(), Names::default());
    for record in records {
        names.observe(record);
        explainer.observe(record, &names);
    }
    let seen = records.iter().filter(|record| names.is_called(record.node, node));
    seen.filter_map(|record| match &record.event {
        Event::Link(Link::Frame { frame, bytes, interface, .. }) => {
            Some(explainer.comments(*frame, record.node, names.medium(*interface), bytes))
        }
        _ => None,
    })
    .collect()
}

fn first_lines(comments: Vec<Vec<String>>) -> Vec<String> {
    comments.into_iter().filter_map(|lines| lines.into_iter().next()).collect()
}

#[test]
fn every_frame_of_a_journey_says_what_it_is_and_why_it_was_sent() {
    let lines = first_lines(comments(&Story::journey().records(), "client"));
    let fetch = "fetch https://www.example.test/";
    let query = format!("query to 10.0.0.3:53, resolve www.example.test A, {fetch}");
    let connection = format!("connection to 10.0.0.2:443, {fetch}");
    let expected = [
        format!("ARP request: who has 10.0.0.3? not in the ARP cache (for {query})"),
        "ARP reply: 10.0.0.3 is at 02:00:00:00:00:03: answers 10.0.0.1".to_owned(),
        format!("DNS query A www.example.test, id 0x1a2b: the answer is not known here (for {query})"),
        format!(
            "DNS response NOERROR A www.example.test, id 0x1a2b, www.example.test. 300 IN A 10.0.0.2: \
             answers the query: the zone has it (for {query})"
        ),
        format!("TCP SYN 49152 -> 443, seq 0: opens the connection (for {connection})"),
        format!(
            "TCP SYN ACK 443 -> 49152, seq 0, ack 1: answers the SYN, opens the other direction (for {connection})"
        ),
        format!("TCP ACK 49152 -> 443, seq 1, ack 1: third step of the handshake (for {connection})"),
        format!(
            "TCP PSH ACK 49152 -> 443, seq 1, ack 1, 9 bytes, TLS ClientHello: \
             new data, and acknowledges what came (for {connection})"
        ),
    ];
    assert_eq!(lines[..expected.len()], expected);
    let last = lines.last().unwrap();
    assert!(last.starts_with("TCP ACK 49152 -> 443, seq 25, ack 25: acknowledges the peer's FIN"), "{last}");
}

#[test]
fn a_frame_that_nobody_explained_is_read_from_its_bytes() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.send(&client, None, frames::tcp(1, 2, (49152, 80), TcpFlags::RST, 7, 0, b""));
    story.send(&client, None, vec![1, 2, 3]);
    let lines = first_lines(comments(&story.records(), "client"));
    assert_eq!(lines[0], "TCP RST 49152 -> 80, seq 7: resets the connection");
    assert_eq!(lines[1], "3 bytes without a whole header: not spoken here");
}

#[test]
fn what_befell_a_frame_and_what_it_changed_are_further_comments() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let span = story.open(&client, None, SpanKind::Connection { remote: server.at(443) });
    story.connect(&client, &server, (span, span));
    let frame = story.send(&client, Some(span), frames::udp(1, 2, (5, 9), b"x"));
    story.tell(
        &client,
        None,
        Link::Lost { frame, cable: "client <-> server".into(), by: "10 % loss".into() },
    );
    let (reason, detail) = (DropReason::BadUdpChecksum, String::new());
    story.tell(&server, None, Link::Dropped { frame: Some(frame), reason, detail });
    let all = comments(&story.records(), "client");
    assert_eq!(all[1][1..], ["state of client: SYN-SENT -> ESTABLISHED"]);
    assert_eq!(
        all.last().unwrap()[1..],
        ["lost on client <-> server: 10 % loss", "discarded by server: bad UDP checksum"]
    );
}

#[test]
fn bytes_of_a_peer_cannot_break_the_comment() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.send(&client, None, frames::udp(1, 3, (5, 53), &frames::dns_query(1, "a\x1b[2J\nb.test")));
    let lines = first_lines(comments(&story.records(), "client"));
    assert!(lines[0].starts_with("DNS query A a\\u{1b}[2j\\nb.test, id 0x0001"), "{}", lines[0]);
}

#[test]
fn what_the_layers_above_say_stands_on_the_frames_that_carry_it_though_they_are_encrypted() {
    let all = comments(&Story::journey().records(), "client");
    let with = |remark: &str| {
        let found = all.iter().filter(|lines| lines[1..].iter().any(|line| line == remark));
        let found: Vec<&str> = found.map(|lines| lines[0].as_str()).collect();
        assert_eq!(found.len(), 1, "{remark:?} in {all:#?}");
        found[0]
    };
    let handshake = with("completes the TLS handshake for client: TLS 1.3, TLS_AES_128_GCM_SHA256");
    assert!(handshake.starts_with("TCP PSH ACK 443 -> 49152, seq 1,"), "{handshake}");
    let request = with("carries the request: GET https://www.example.test/");
    assert!(request.starts_with("TCP PSH ACK 49152 -> 443, seq 17,"), "{request}");
    let head = with("completes the head of the response: 200 OK");
    assert!(head.starts_with("TCP PSH ACK 443 -> 49152, seq 10,"), "{head}");
    let body = with("completes the body: 5 bytes");
    assert!(body.starts_with("TCP PSH ACK 443 -> 49152, seq 17,"), "{body}");
}

#[test]
fn the_messages_of_dhcp_say_what_they_are_for() {
    use glasstack_journal::event::{Dhcp, DhcpKind, Udp};
    let mut story = Story::new();
    let (client, server) = (story.host("client", 1), story.host("server", 2));
    let span = Some(story.open(&client, None, SpanKind::Dhcp { interface: "eth0".to_owned() }));
    let transaction = 0x1234;
    let sent = |kind, frame, attempt| Dhcp::Sent {
        frame,
        kind,
        transaction,
        to: "255.255.255.255".parse().unwrap(),
        about: None,
        attempt,
    };
    for attempt in [1, 2] {
        let frame = story.send(&client, span, frames::udp(1, 255, (68, 67), b"discover"));
        story.tell(&client, span, sent(DhcpKind::Discover, frame, attempt));
    }
    let frame = story.send(&server, None, frames::udp(2, 1, (67, 68), b"offer"));
    let (local, remote, length) = (server.at(67), client.at(68), 5);
    let direction = glasstack_journal::event::Direction::Out;
    story.tell(&server, None, Udp::Datagram { frame, direction, local, remote, length });
    story.arrive(&client, None, frame);
    let (kind, server, about) = (DhcpKind::Offer, "10.0.0.2".parse().unwrap(), None);
    story.tell(&client, span, Dhcp::Received { frame, kind, transaction, server, about, text: None });
    assert_eq!(
        first_lines(comments(&story.records(), "client")),
        [
            "DHCPDISCOVER, transaction 00001234: who has an address for this host? (for DHCP on eth0)",
            "DHCPDISCOVER, transaction 00001234: not answered yet, attempt 2 (for DHCP on eth0)",
            "DHCPOFFER, transaction 00001234: 10.0.0.2 answers (for DHCP on eth0)",
        ]
    );
}
