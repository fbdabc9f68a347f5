use super::*;
use crate::testing::{Actor, EPOCH, Sink, Story, frames, replay};
use glasstack_journal::event::TcpFlags;
use glasstack_journal::{Instant, SpanKind};

/// A block as a reader finds it.
#[derive(Debug)]
struct Read {
    kind: u32,
    body: Vec<u8>,
}

const SHB: u32 = 0x0A0D_0D0A;
const IDB: u32 = 1;
const NRB: u32 = 4;
const EPB: u32 = 6;
const DSB: u32 = 10;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Reads a file block by block, checking what the draft demands of each; none if it ends within one.
fn parse(mut file: &[u8]) -> Option<Vec<Read>> {
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = if file.len() < 12 { return None } else { word(file, 4) as usize };
        assert!(length.is_multiple_of(4), "length {length} is not a multiple of 4");
        if file.len() < length {
            return None;
        }
        assert_eq!(word(file, length - 4) as usize, length, "the two lengths differ");
        blocks.push(Read { kind: word(file, 0), body: file[8..length - 4].to_vec() });
        file = &file[length..];
    }
    Some(blocks)
}

impl Read {
    /// The options from `at` on.
    fn options(&self, mut at: usize) -> Vec<(u16, Vec<u8>)> {
        let mut options = Vec::new();
        loop {
            let kind = (word(&self.body, at) & 0xffff) as u16;
            let length = (word(&self.body, at) >> 16) as usize;
            if kind == 0 {
                assert_eq!(at + 4, self.body.len(), "something stands behind the options");
                return options;
            }
            options.push((kind, self.body[at + 4..at + 4 + length].to_vec()));
            at += 4 + length.next_multiple_of(4);
        }
    }

    fn packet(&self) -> &[u8] {
        assert_eq!(self.kind, EPB);
        assert_eq!(word(&self.body, 12), word(&self.body, 16), "captured and original length");
        &self.body[20..20 + word(&self.body, 12) as usize]
    }

    fn packet_options(&self) -> Vec<(u16, Vec<u8>)> {
        self.options(20 + self.packet().len().next_multiple_of(4))
    }

    fn nanos(&self) -> u64 {
        u64::from(word(&self.body, 4)) << 32 | u64::from(word(&self.body, 8))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn capture(records: &[Record], points: Points) -> Vec<u8> {
    let sink = Sink::default();
    replay(records, PcapngCapture::new(sink.writer(), points));
    sink.bytes()
}

fn client() -> Points {
    Points::Nodes(vec!["client".into()])
}

fn frames_of(records: &[Record], node: NodeId) -> usize {
    let own = records.iter().filter(|record| record.node == node);
    own.filter(|record| matches!(record.event, Event::Link(Link::Frame { .. }))).count()
}

#[test]
fn a_journey_becomes_a_section_with_interface_names_and_commented_packets() {
    let records = Story::journey().records();
    let blocks = parse(&capture(&records, client())).unwrap();
    assert_eq!(blocks[0].kind, SHB);
    assert_eq!(word(&blocks[0].body, 0), 0x1A2B_3C4D);
    assert_eq!(blocks[1].kind, IDB);
    assert_eq!(word(&blocks[1].body, 0), 1, "Ethernet");
    let options = blocks[1].options(8);
    assert!(options.contains(&(2, b"eth0".to_vec())), "{options:?}");
    assert!(options.contains(&(9, vec![9])), "nanoseconds: {options:?}");
    assert!(options.contains(&(4, vec![10, 0, 0, 1, 255, 255, 255, 0])), "{options:?}");
    let packets: Vec<&Read> = blocks.iter().filter(|block| block.kind == EPB).collect();
    assert_eq!(packets.len(), frames_of(&records, NodeId(1)));
    for packet in &packets {
        let options = packet.packet_options();
        let comment = options.iter().find(|(kind, _)| *kind == 1);
        assert!(comment.is_some_and(|(_, text)| text.len() > 20), "a packet without a comment");
        assert!(options.iter().any(|(kind, _)| *kind == 5), "a packet without an id");
    }
    let first = packets[0];
    assert_eq!(first.nanos(), EPOCH.unix_nanos() + 20_000_000);
    assert_eq!(first.packet(), frames::arp_request(1, 3));
    let flags =
        |packet: &Read| packet.packet_options().iter().find(|(kind, _)| *kind == 2).cloned().unwrap().1;
    assert_eq!(flags(first), [0b01110, 0, 0, 0], "outbound broadcast");
    assert_eq!(flags(packets[1]), [0b00101, 0, 0, 0], "inbound unicast");
}

#[test]
fn host_names_stand_before_the_packets_that_follow_their_discovery() {
    let blocks = parse(&capture(&Story::journey().records(), client())).unwrap();
    let names: Vec<(usize, &Read)> =
        blocks.iter().enumerate().filter(|(_, block)| block.kind == NRB).collect();
    let all: String = names.iter().map(|(_, block)| block.text()).collect();
    for name in ["client\0", "server\0", "ns\0", "www.example.test\0"] {
        assert!(all.contains(name), "{name:?} is missing in {all:?}");
    }
    let first_packet = blocks.iter().position(|block| block.kind == EPB).unwrap();
    assert!(names[0].0 < first_packet);
    for (_, block) in names {
        block.options(0);
    }
}

#[test]
fn a_secret_stands_before_the_frames_it_opens_and_only_once_though_both_ends_tell_it() {
    let blocks = parse(&capture(&Story::journey().records(), client())).unwrap();
    let secrets: Vec<usize> =
        blocks.iter().enumerate().filter(|(_, b)| b.kind == DSB).map(|(at, _)| at).collect();
    assert_eq!(secrets.len(), 1);
    let secret = &blocks[secrets[0]];
    assert_eq!(word(&secret.body, 0), 0x544c_534b);
    let line = "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 01\n";
    assert_eq!(word(&secret.body, 4) as usize, line.len());
    assert_eq!(&secret.body[8..8 + line.len()], line.as_bytes());
    let of = |part: &str| {
        let holds = |block: &Read| block.kind == EPB && block.text().contains(part);
        blocks.iter().position(holds).unwrap_or_else(|| panic!("no packet with {part:?}"))
    };
    assert!(secrets[0] < of("TLS ServerHello"));
}

#[test]
fn what_is_written_at_any_moment_is_a_file_of_whole_blocks() {
    let sink = Sink::default();
    let mut view = PcapngCapture::new(sink.writer(), client());
    view.begin(EPOCH);
    for record in &Story::journey().records() {
        view.observe(record);
        assert!(parse(&sink.bytes()).is_some_and(|blocks| blocks[0].kind == SHB));
    }
    view.finish().unwrap();
    for write in sink.writes() {
        assert_eq!(parse(&write).map(|blocks| blocks.len()), Some(1), "one write is one block");
    }
}

#[test]
fn same_records_same_bytes() {
    let records = Story::journey().records();
    assert_eq!(capture(&records, client()), capture(&records, client()));
}

#[test]
fn points_choose_whose_frames_are_captured() {
    let records = Story::journey().records();
    let packets = |points| {
        let blocks = parse(&capture(&records, points)).unwrap();
        blocks.iter().filter(|block| block.kind == EPB).count()
    };
    let of = |node: u32| frames_of(&records, NodeId(node));
    assert_eq!(packets(Points::default()), of(1));
    assert_eq!(packets(Points::Nodes(vec!["server".into()])), of(2));
    assert_eq!(packets(Points::Nodes(vec!["server".into(), "ns".into()])), of(2) + of(3));
    assert_eq!(packets(Points::Everywhere), of(1) + of(2) + of(3));
    assert_eq!(packets(Points::Nodes(vec!["nobody".into()])), 0);
}

#[test]
fn a_tun_is_described_as_raw_ip() {
    let mut story = Story::new();
    let client = story.host_on("client", 1, Medium::Ip);
    let packet = frames::tcp(1, 2, (49152, 80), TcpFlags::SYN, 7, 0, b"")[14..].to_vec();
    story.send(&client, None, packet);
    let blocks = parse(&capture(&story.records(), Points::FirstNode)).unwrap();
    assert_eq!(word(&blocks[1].body, 0), 101);
    assert!(blocks.last().unwrap().text().contains("TCP SYN 49152 -> 80"));
}

#[test]
fn an_interface_that_came_up_before_the_capture_is_described_all_the_same() {
    let mut story = Story::new();
    let client = story.host("client", 1);
    story.send(&client, None, frames::arp_request(1, 2));
    let late: Vec<Record> = story.records().into_iter().filter(|r| r.seq >= 2).collect();
    let blocks = parse(&capture(&late, Points::FirstNode)).unwrap();
    assert_eq!(blocks.iter().map(|block| block.kind).collect::<Vec<_>>(), [SHB, IDB, EPB]);
}

fn start_handshake(story: &mut Story, client: &Actor) -> glasstack_journal::SpanId {
    let span = story.open(client, None, SpanKind::Tls { server_name: "www.example.test".into() });
    let started = Tls::HandshakeStarted {
        server: false,
        server_name: None,
        versions: vec![],
        suites: vec![],
        groups: vec![],
        alpn: vec![],
    };
    story.tell(client, Some(span), started);
    span
}

#[test]
fn a_handshake_that_never_ends_holds_back_a_bounded_number_of_frames() {
    let mut story = Story::new();
    let actor = story.host("client", 1);
    start_handshake(&mut story, &actor);
    for _ in 0..5_000 {
        story.after(1_000);
        story.send(&actor, None, frames::udp(1, 2, (5, 9), b"x"));
    }
    let sink = Sink::default();
    let mut view = PcapngCapture::new(sink.writer(), client());
    view.begin(EPOCH);
    story.records().iter().for_each(|record| view.observe(record));
    let packets = |sink: &Sink| parse(&sink.bytes()).unwrap().iter().filter(|b| b.kind == EPB).count();
    assert_eq!(packets(&sink), 5_000 - 4_096);
    view.finish().unwrap();
    assert_eq!(packets(&sink), 5_000);
}

#[test]
fn a_handshake_given_up_after_a_minute_lets_the_frames_go() {
    let mut story = Story::new();
    let actor = story.host("client", 1);
    start_handshake(&mut story, &actor);
    story.after(1_000);
    story.send(&actor, None, frames::udp(1, 2, (5, 9), b"x"));
    let sink = Sink::default();
    let mut view = PcapngCapture::new(sink.writer(), client());
    view.begin(EPOCH);
    story.records().iter().for_each(|record| view.observe(record));
    let written = sink.bytes().len();
    let late = Record {
        seq: 99,
        at: Instant::from_millis(61_000),
        node: actor.node,
        span: None,
        event: glasstack_journal::Note::info("later").into(),
    };
    view.observe(&late);
    assert!(sink.bytes().len() > written);
}

#[test]
fn a_frame_that_a_node_sends_to_itself_is_captured_once() {
    let mut story = Story::new();
    let actor = story.host("client", 1);
    let frame = story.send(&actor, None, frames::udp(1, 1, (5, 9), b"x"));
    story.arrive(&actor, None, frame);
    let blocks = parse(&capture(&story.records(), client())).unwrap();
    assert_eq!(blocks.iter().filter(|block| block.kind == EPB).count(), 1);
}

mod in_tshark;

/// A cable between client and server that is captured: a datagram each way, and one that is lost.
fn captured_cable() -> Vec<Record> {
    let mut story = Story::new();
    let (client, server) = (story.host("client", 1), story.host("server", 2));
    let cable = story.cable("client <-> server");
    for (from, to, direction) in [(&client, &server, Direction::Out), (&server, &client, Direction::In)] {
        let bytes = frames::udp(from.number, to.number, (5_000, 7), b"hello");
        let frame = story.send(from, None, bytes.clone());
        let passed =
            Link::Captured { frame, interface: cable.interface, direction, bytes: bytes.as_slice().into() };
        story.tell(&cable, None, passed);
        story.after(1_000);
        if from.number == 1 {
            story.arrive_at_link(to, frame);
        } else {
            let lost = Link::Lost { frame, cable: "client <-> server".into(), by: "loss 5 %".into() };
            story.tell(&cable, None, lost);
        }
    }
    story.records()
}

#[test]
fn a_capture_on_a_cable_has_an_interface_with_its_name_and_says_which_frames_were_lost() {
    let records = captured_cable();
    let at = |place: &str| parse(&capture(&records, Points::Only(vec![place.into()]))).unwrap();
    let blocks = at("client <-> server");
    let interfaces: Vec<&Read> = blocks.iter().filter(|block| block.kind == IDB).collect();
    let options = interfaces[0].options(8);
    assert_eq!(interfaces.len(), 1);
    assert!(options.contains(&(2, b"client <-> server".to_vec())), "{options:?}");
    assert!(options.iter().all(|(kind, _)| *kind != 4), "a cable has no address: {options:?}");
    let packets: Vec<&Read> = blocks.iter().filter(|block| block.kind == EPB).collect();
    assert_eq!(packets.len(), 2);
    let flags = |packet: &Read| {
        packet.packet_options().iter().find(|(kind, _)| *kind == 2).map(|(_, flags)| flags[0] & 0b11)
    };
    assert_eq!((flags(packets[0]), flags(packets[1])), (Some(2), Some(1)), "there, and back");
    let lost = b"lost on client <-> server: loss 5 %".to_vec();
    assert!(!packets[0].packet_options().contains(&(1, lost.clone())));
    assert!(packets[1].packet_options().contains(&(1, lost)));
    assert_eq!(at("server <-> client").len(), blocks.len(), "the ends may be turned");
}

#[test]
fn only_the_places_that_were_asked_for_are_captured() {
    let records = captured_cable();
    let count = |points| {
        let blocks = parse(&capture(&records, points)).unwrap();
        blocks.iter().filter(|block| block.kind == EPB).count()
    };
    let only = |places: &[&str]| Points::Only(places.iter().map(|place| (*place).to_owned()).collect());
    assert_eq!(count(only(&["server"])), 2);
    assert_eq!(count(only(&["server:eth0"])), 2);
    assert_eq!(count(only(&["server:eth1"])), 0);
    assert_eq!(count(only(&["client", "client <-> server"])), 1 + 2);
    assert_eq!(count(Points::Nodes(vec!["client".into()])), 1, "cables are nobody's");
    assert_eq!(count(Points::Everywhere), 1 + 2 + 2);
}
