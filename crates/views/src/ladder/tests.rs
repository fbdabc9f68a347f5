use super::*;
use crate::testing::{Actor, Brief, EPOCH, Sink, Story, frames, replay};
use glasstack_journal::SpanKind;
use glasstack_journal::event::{
    AckReason, DropReason, FlowId, Retransmission, SegmentReason, StateCause, TcpFlags, TcpState,
};

/// STYLE's own example: the first SYN is lost, the second gets through.
fn first_syn_lost() -> Story {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let span = story.open(&client, None, SpanKind::Connection { remote: server.at(80) });
    let at_server = story.open(&server, None, SpanKind::Connection { remote: client.at(49152) });
    let syn = |why| Brief { ports: (49152, 80), flags: TcpFlags::SYN, seq: 0, ack: 0, payload: b"", why };
    story.at(21_000);
    let frame = story.segment(&client, &server, span, syn(SegmentReason::Open));
    story.tell(&client, None, lost(frame));
    story.at(721_000);
    let again = Retransmission::Timeout { after: Duration::from_millis(700), attempt: 1 };
    let frame = story.segment(&client, &server, span, syn(SegmentReason::Retransmission(again)));
    story.at(731_000);
    story.arrive(&server, Some(at_server), frame);
    let answer = Brief {
        ports: (80, 49152),
        flags: TcpFlags::SYN | TcpFlags::ACK,
        ack: 1,
        ..syn(SegmentReason::OpenAnswer)
    };
    let frame = story.segment(&server, &client, at_server, answer);
    story.at(741_000);
    story.arrive(&client, Some(span), frame);
    let (from, to, cause) = (TcpState::SynSent, TcpState::Established, StateCause::SegmentReceived(frame));
    story.tell(&client, Some(span), Tcp::StateChanged { flow: FlowId(1), from, to, cause });
    story
}

fn lost(frame: FrameId) -> Link {
    Link::Lost { frame, cable: "client <-> server".into(), by: "drop_first_syn".into() }
}

#[test]
fn a_lost_syn_and_its_successor_read_as_in_the_style_guide() {
    let expected = concat!(
        " 0.021000 client -> server  TCP SYN   x lost: drop_first_syn\n",
        " 0.721000 client -> server  TCP SYN\n",
        " 0.731000 server -> client  TCP SYN ACK\n",
        " 0.741000 client: connected\n",
    );
    assert_eq!(ladder(&first_syn_lost().records(), &LadderOptions::default()), expected);
}

#[test]
fn the_observer_writes_what_the_function_returns() {
    for records in [first_syn_lost().records(), Story::journey().records()] {
        let sink = Sink::default();
        replay(&records, Ladder::new(sink.writer(), LadderOptions::default()));
        assert_eq!(sink.text(), ladder(&records, &LadderOptions::default()));
    }
}

#[test]
fn lines_are_written_while_the_journey_goes_on() {
    let records = first_syn_lost().records();
    let sink = Sink::default();
    let mut view = Ladder::new(sink.writer(), LadderOptions::default());
    view.begin(EPOCH);
    let second_syn = records.iter().filter(|record| record.at < Instant::from_millis(731));
    second_syn.for_each(|record| view.observe(record));
    assert_eq!(sink.text(), " 0.021000 client -> server  TCP SYN   x lost: drop_first_syn\n");
}

#[test]
fn numbers_and_reasons_are_shown_when_asked_for() {
    let options = LadderOptions { numbers: true, reasons: true, local: false, ..LadderOptions::default() };
    let text = ladder(&first_syn_lost().records(), &options);
    let expected = concat!(
        " 0.021000 client -> server  TCP SYN seq 0  (opens the connection)   x lost: drop_first_syn\n",
        " 0.721000 client -> server  TCP SYN seq 0  (retransmission: no acknowledgment for 700 ms)\n",
        " 0.731000 server -> client  TCP SYN ACK seq 0 ack 1  (answers the SYN, opens the other direction)\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn layers_can_be_chosen() {
    let records = Story::journey().records();
    let text = ladder(&records, &LadderOptions::only(&[Layer::Arp, Layer::Udp]));
    let expected = concat!(
        " 0.020000 client -> all  ARP who has 10.0.0.3?\n",
        " 0.021000 ns -> client  ARP 10.0.0.3 is at 02:00:00:00:00:03\n",
        " 0.022000 client -> ns  DNS query A www.example.test\n",
        " 0.023000 ns -> client  DNS response NOERROR A www.example.test\n",
        " 0.024000 client: www.example.test is 10.0.0.2\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn a_peer_seen_from_one_end_only_is_named_by_its_address_or_the_name_it_was_given() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.send(&client, None, frames::tcp(1, 9, (49152, 80), TcpFlags::SYN, 7, 0, b""));
    let stranger = Actor { node: client.node, interface: client.interface, number: 9 };
    let answer = frames::tcp(9, 1, (80, 49152), TcpFlags::RST | TcpFlags::ACK, 0, 8, b"");
    let frame = glasstack_journal::event::FrameId(77);
    story.after(2_000);
    let fact =
        Link::Frame { frame, interface: client.interface, direction: Direction::In, bytes: answer.into() };
    story.tell(&client, None, fact);
    let records = story.records();
    let plain = ladder(&records, &LadderOptions::default());
    let expected = " 0.000000 client -> 10.0.0.9  TCP SYN\n 0.002000 10.0.0.9 -> client  TCP RST ACK\n";
    assert_eq!(plain, expected);
    let names = BTreeMap::from([(stranger.ip(), "nginx".to_owned())]);
    let named = ladder(&records, &LadderOptions { names, ..LadderOptions::default() });
    assert_eq!(named, expected.replace("10.0.0.9", "nginx"));
}

#[test]
fn what_befell_a_frame_stands_on_its_rung() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let bystander = story.host("bystander", 3);
    let frame = story.send(&client, None, frames::udp(1, 2, (5, 9), b"x"));
    let (cable, by) = ("client <-> switch".to_owned(), "flip".to_owned());
    story.tell(&client, None, Link::Corrupted { frame, cable: cable.clone(), by, bit: 400 });
    let by = "jitter".to_owned();
    let for_ = Duration::from_millis(3);
    story.tell(&client, None, Link::Delayed { frame, cable, by, for_ });
    story.after(4_000);
    story.arrive(&bystander, None, frame);
    let not_ours = Link::Dropped { frame: Some(frame), reason: DropReason::NotOurMac, detail: String::new() };
    story.tell(&bystander, None, not_ours);
    story.arrive(&server, None, frame);
    let bad = Link::Dropped { frame: Some(frame), reason: DropReason::BadUdpChecksum, detail: String::new() };
    story.tell(&server, None, bad);
    assert_eq!(
        ladder(&story.records(), &LadderOptions::default()),
        " 0.000000 client -> server  UDP 5 -> 9   ! bit 400 flipped: flip   ~ delayed by 3.000 ms: jitter   \
         x dropped: bad UDP checksum\n"
    );
}

#[test]
fn a_whole_journey_is_a_ladder_from_arp_to_time_wait() {
    let text =
        ladder(&Story::journey().records(), &LadderOptions::only(&[Layer::Tcp, Layer::Tls, Layer::Http]));
    let expected = concat!(
        " 0.024000 client -> server  TCP SYN\n",
        " 0.025000 server -> client  TCP SYN ACK\n",
        " 0.026000 client: connected\n",
        " 0.026000 client -> server  TCP ACK\n",
        " 0.027000 client -> server  TCP PSH ACK\n",
        " 0.028000 server -> client  TCP PSH ACK\n",
        " 0.029000 client: TLS 1.3 established\n",
        " 0.029000 client -> server  TCP PSH ACK\n",
        " 0.030000 server: TLS 1.3 established\n",
        " 0.030000 client: GET https://www.example.test/\n",
        " 0.030000 client -> server  TCP PSH ACK\n",
        " 0.031500 server -> client  TCP PSH ACK\n",
        " 0.032500 client: 200 OK\n",
        " 0.032500 server -> client  TCP PSH ACK\n",
        " 0.033500 client -> server  TCP FIN ACK\n",
        " 0.034500 server -> client  TCP FIN ACK\n",
        " 0.035500 client -> server  TCP ACK\n",
        " 0.035500 client: TIME-WAIT for 60 s\n",
        "60.036500 client: TIME-WAIT over\n",
        "60.036500 client: closed\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn a_reason_inferred_by_the_receiver_gives_way_to_the_senders_own() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let span = story.open(&client, None, SpanKind::Connection { remote: server.at(80) });
    let why = SegmentReason::Ack(AckReason::Delayed);
    let brief = Brief { ports: (49152, 80), flags: TcpFlags::ACK, seq: 1, ack: 9, payload: b"", why };
    let frame = story.segment(&client, &server, span, brief);
    story.after(1_000);
    story.arrive(&server, Some(span), frame);
    let options = LadderOptions { reasons: true, ..LadderOptions::default() };
    assert!(ladder(&story.records(), &options).contains("(delayed ACK: nothing came along to carry it)"));
}

#[test]
fn a_second_copy_makes_no_second_rung() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let server = story.host("server", 2);
    let frame = story.send(&client, None, frames::udp(1, 2, (5, 9), b"x"));
    let (cable, by) = ("client <-> server".to_owned(), "echo".to_owned());
    story.tell(&client, None, Link::Duplicated { frame, cable, by, copies: 1 });
    story.after(10_000);
    story.arrive(&server, None, frame);
    story.after(90_000);
    story.arrive(&server, None, frame);
    let expected = " 0.000000 client -> server  UDP 5 -> 9   + delivered 1 more time: echo\n";
    assert_eq!(ladder(&story.records(), &LadderOptions::default()), expected);
}

#[test]
fn a_routed_frame_is_a_rung_a_hop_and_keeps_the_senders_reason() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    let router = story.host("router", 2);
    let server = story.host("server", 3);
    let span = story.open(&client, None, SpanKind::Connection { remote: server.at(80) });
    let why = SegmentReason::Open;
    let brief = Brief { ports: (49152, 80), flags: TcpFlags::SYN, seq: 0, ack: 0, payload: b"", why };
    // On the first hop the frame is for the router's station.
    let mut first_hop = frames::tcp(1, 3, (49152, 80), TcpFlags::SYN, 1_000, 0, b"");
    let second_hop = first_hop.clone();
    first_hop[..6].copy_from_slice(&frames::mac(2).0);
    let frame = story.segment_in(first_hop, &client, &server, span, brief);
    story.after(1_000);
    story.arrive_at_link(&router, frame);
    let on = Link::Frame {
        frame,
        interface: router.interface,
        direction: Direction::Out,
        bytes: second_hop.into(),
    };
    story.tell(&router, None, on);
    story.after(1_000);
    story.arrive(&server, Some(span), frame);
    let options = LadderOptions { reasons: true, ..LadderOptions::default() };
    let expected = concat!(
        " 0.000000 client -> router  TCP SYN  (opens the connection)\n",
        " 0.001000 router -> server  TCP SYN  (opens the connection)\n",
    );
    assert_eq!(ladder(&story.records(), &options), expected);
}

#[test]
fn a_frame_that_no_host_sent_has_a_rung_and_a_capture_on_a_cable_makes_none() {
    let mut story = Story::new();
    let (client, _server) = (story.host("client", 1), story.host("server", 2));
    let cable = story.cable("client <-> server");
    let bytes = frames::tcp(2, 1, (80, 49152), TcpFlags::RST, 0, 8, b"");
    let frame = glasstack_journal::event::FrameId(77);
    let (name, by) = ("client <-> server".to_owned(), "reset".to_owned());
    story.tell(&cable, None, Link::Injected { frame, cable: name, by, bytes: bytes.as_slice().into() });
    let direction = Direction::In;
    let bytes: std::sync::Arc<[u8]> = bytes.into();
    let seen = Link::Captured { frame, interface: cable.interface, direction, bytes: bytes.clone() };
    story.tell(&cable, None, seen);
    story.after(1_000);
    story.tell(&client, None, Link::Frame { frame, interface: client.interface, direction, bytes });
    assert_eq!(
        ladder(&story.records(), &LadderOptions::default()),
        " 0.000000 server -> client  TCP RST   + injected: reset\n"
    );
}
