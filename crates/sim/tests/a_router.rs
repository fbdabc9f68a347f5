//! A router between two probes: `left` plays 10.0.1.2, `right` plays 10.0.2.2. Probes answer ARP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, Icmpv4Slice, Icmpv4Type, Ipv4Header, PacketBuilder, icmpv4,
};
use glasstack_journal::event::{Arp, DropReason, Event, Icmp, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, FrameView, Probe, RouterConfig, SimWorld, TopologyError, WireFrame};
use glasstack_stack::Prefix;
use std::net::Ipv4Addr;
use std::time::Duration;
use support::mac;

const LEFT: [u8; 4] = [10, 0, 1, 2];
const RIGHT: [u8; 4] = [10, 0, 2, 2];

struct Net {
    world: SimWorld,
    recorder: Recorder,
    left: Probe,
    right: Probe,
    router_mac: [u8; 6],
}

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn plain() -> RouterConfig {
    RouterConfig::new().port(address("10.0.1.1"), 24).port(address("10.0.2.1"), 24)
}

fn net(config: RouterConfig) -> Net {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let router = world.add_router("router", config).unwrap();
    let left = world.add_probe("left").unwrap();
    let right = world.add_probe("right").unwrap();
    world.connect(&left, (router, 0), Cable::new()).unwrap();
    world.connect(&right, (router, 1), Cable::new()).unwrap();
    left.respond(answer_arp(LEFT, mac(1)));
    right.respond(answer_arp(RIGHT, mac(2)));
    let router_mac = [6, 0, 0, 0, 0, 1];
    Net { world, recorder, left, right, router_mac }
}

fn answer_arp(
    ip: [u8; 4],
    mac: [u8; 6],
) -> impl FnMut(&FrameView<'_>, glasstack_journal::Instant) -> Vec<Vec<u8>> + Send {
    move |frame, _| {
        let Some(request) = frame.bytes().get(14..).and_then(|b| ArpPacket::from_slice(b).ok()) else {
            return Vec::new();
        };
        let Ok(request) = request.try_eth_ipv4() else { return Vec::new() };
        if !frame.is_arp_request() || request.target_ipv4 != ip {
            return Vec::new();
        }
        let reply = ArpEthIpv4Packet {
            operation: ArpOperation::REPLY,
            sender_mac: mac,
            sender_ipv4: ip,
            target_mac: request.sender_mac,
            target_ipv4: request.sender_ipv4,
        };
        vec![[&request.sender_mac[..], &mac, &[8, 6], &reply.to_bytes()].concat()]
    }
}

impl Net {
    fn packet(&self, to: [u8; 4], ttl: u8, dont_fragment: bool, payload: usize) -> Vec<u8> {
        let mut header =
            Ipv4Header::new(0, ttl, etherparse::IpNumber::UDP, LEFT, to).expect("an empty payload fits");
        header.dont_fragment = dont_fragment;
        header.identification = 77;
        let ip = etherparse::IpHeaders::Ipv4(header, Default::default());
        let builder = PacketBuilder::ethernet2(mac(1), self.router_mac).ip(ip).udp(5_000, 53);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &vec![b'x'; payload]).unwrap();
        bytes
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.left.send(bytes);
        self.world.run_until_idle(Duration::from_secs(60)).unwrap();
    }

    fn at_right(&self) -> Vec<WireFrame> {
        self.right.received().into_iter().map(|(_, f)| f).filter(|f| !f.view().is_arp()).collect()
    }

    /// The ICMP message that came back to the sender.
    fn answer(&self) -> Option<Icmpv4Type> {
        let frame = self.left.received().into_iter().map(|(_, f)| f).find(|f| f.view().is_icmp())?;
        let packet = &frame.bytes[14..];
        let (header, _) = Ipv4Header::from_slice(packet).unwrap();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        let icmp = &packet[header.header_len()..usize::from(header.total_len)];
        let message = Icmpv4Slice::from_slice(icmp).unwrap();
        assert_eq!(message.checksum(), message.icmp_type().calc_checksum(message.payload()));
        Some(message.icmp_type())
    }

    fn drops(&self) -> Vec<DropReason> {
        let reason = |record: glasstack_journal::Record| match record.event {
            Event::Link(Link::Dropped { reason, .. }) => Some(reason),
            _ => None,
        };
        self.recorder.records().into_iter().filter_map(reason).collect()
    }
}

#[test]
fn a_packet_goes_on_with_a_new_ethernet_header_and_one_hop_less_to_live() {
    let mut net = net(plain());
    let sent = net.packet(RIGHT, 64, true, 10);
    net.send(sent.clone());
    let got = net.at_right();
    assert_eq!(got.len(), 1);
    let view = got[0].view();
    assert_eq!(view.destination_mac().unwrap().0, mac(2));
    assert_eq!(view.source_mac().unwrap().0, [6, 0, 0, 0, 0, 2], "the router's second port");
    assert_eq!(view.ttl(), Some(63));
    assert_eq!(view.payload(), FrameView::new(got[0].id, &sent).payload());
    let (header, _) = Ipv4Header::from_slice(&got[0].bytes[14..]).unwrap();
    assert_eq!(header.header_checksum, header.calc_header_checksum());
}

#[test]
fn the_next_hop_is_asked_for_once_and_the_packets_wait_for_it() {
    let mut net = net(plain());
    net.left.send(net.packet(RIGHT, 64, true, 1));
    net.left.send(net.packet(RIGHT, 64, true, 2));
    net.send(net.packet(RIGHT, 64, true, 3));
    let lengths: Vec<usize> = net.at_right().iter().map(|frame| frame.view().payload().len()).collect();
    assert_eq!(lengths, [1, 2, 3]);
    let asked = |r: &glasstack_journal::Record| matches!(r.event, Event::Arp(Arp::RequestSent { .. }));
    assert_eq!(net.recorder.records().iter().filter(|r| asked(r)).count(), 1);
}

#[test]
fn a_packet_whose_time_is_up_is_answered_with_time_exceeded() {
    let mut net = net(plain());
    net.send(net.packet(RIGHT, 1, true, 10));
    assert!(net.at_right().is_empty());
    assert_eq!(net.answer(), Some(Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit)));
    assert_eq!(net.drops(), [DropReason::TtlExpired]);
}

#[test]
fn a_packet_too_big_for_the_next_link_is_answered_with_that_links_mtu() {
    let mut net =
        net(RouterConfig::new().port(address("10.0.1.1"), 24).port_with_mtu(address("10.0.2.1"), 24, 1_300));
    net.send(net.packet(RIGHT, 64, true, 1_300 - 28));
    assert_eq!(net.at_right().len(), 1, "what just fits goes on");
    net.send(net.packet(RIGHT, 64, true, 1_301 - 28));
    assert_eq!(net.at_right().len(), 1);
    let needed = icmpv4::DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: 1_300 };
    assert_eq!(net.answer(), Some(Icmpv4Type::DestinationUnreachable(needed)));
    let told = |r: &glasstack_journal::Record| matches!(&r.event, Event::Icmp(Icmp::ErrorSent { what, .. }) if what == "fragmentation needed, next-hop MTU 1300");
    assert!(net.recorder.records().iter().any(told));
}

#[test]
fn a_router_that_is_a_black_hole_says_nothing_of_what_is_too_big() {
    let config = RouterConfig::new()
        .port(address("10.0.1.1"), 24)
        .port_with_mtu(address("10.0.2.1"), 24, 1_300)
        .silent_when_too_big();
    let mut net = net(config);
    net.send(net.packet(RIGHT, 64, true, 1_400));
    assert!(net.at_right().is_empty());
    assert_eq!(net.answer(), None);
    assert_eq!(net.drops(), [DropReason::TooBig]);
}

#[test]
fn a_packet_that_may_be_fragmented_goes_on_in_pieces() {
    let mut net =
        net(RouterConfig::new().port(address("10.0.1.1"), 24).port_with_mtu(address("10.0.2.1"), 24, 576));
    let sent = net.packet(RIGHT, 64, false, 1_000);
    net.send(sent.clone());
    let mut whole = vec![0; sent.len() - 34];
    for frame in net.at_right() {
        let (header, payload) = Ipv4Header::from_slice(&frame.bytes[14..]).unwrap();
        assert!(usize::from(header.total_len) <= 576);
        assert_eq!(header.identification, 77);
        let at = usize::from(header.fragment_offset.value()) * 8;
        whole[at..at + payload.len()].copy_from_slice(payload);
        assert_eq!(header.more_fragments, at + payload.len() < whole.len());
    }
    assert_eq!(whole, sent[34..]);
}

#[test]
fn a_packet_to_nowhere_is_answered_with_network_unreachable() {
    let mut net = net(plain());
    net.send(net.packet([192, 0, 2, 1], 64, true, 10));
    let unreachable = icmpv4::DestUnreachableHeader::Network;
    assert_eq!(net.answer(), Some(Icmpv4Type::DestinationUnreachable(unreachable)));
    assert_eq!(net.drops(), [DropReason::NoRoute]);
}

#[test]
fn a_packet_to_a_host_that_does_not_answer_arp_is_answered_with_host_unreachable_after_three_questions() {
    let mut net = net(plain());
    net.send(net.packet([10, 0, 2, 99], 64, true, 10));
    let unreachable = icmpv4::DestUnreachableHeader::Host;
    assert_eq!(net.answer(), Some(Icmpv4Type::DestinationUnreachable(unreachable)));
    let questions = net.right.received().iter().filter(|(_, frame)| frame.view().is_arp_request()).count();
    assert_eq!(questions, 3);
    assert_eq!(net.drops(), [DropReason::NoArpReply]);
}

#[test]
fn routes_lead_on_to_the_next_router_and_the_longest_prefix_wins() {
    let config = plain()
        .route(Prefix::DEFAULT, address("10.0.1.9"))
        .route(Prefix::new(address("192.0.2.0"), 24).unwrap(), address("10.0.2.2"));
    let mut net = net(config);
    net.send(net.packet([192, 0, 2, 1], 64, true, 10));
    assert_eq!(net.at_right().len(), 1);
    assert_eq!(net.at_right()[0].view().destination_ip(), Some("192.0.2.1".parse().unwrap()));
}

#[test]
fn the_router_answers_pings_and_arp_for_its_own_address() {
    let mut net = net(plain());
    let builder = PacketBuilder::ethernet2(mac(1), net.router_mac)
        .ipv4(LEFT, [10, 0, 2, 1], 64)
        .icmpv4_echo_request(1, 2);
    let mut ping = Vec::new();
    builder.write(&mut ping, b"there?").unwrap();
    let question = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: mac(1),
        sender_ipv4: LEFT,
        target_mac: [0; 6],
        target_ipv4: [10, 0, 1, 1],
    };
    net.left.send([&[0xff; 6][..], &mac(1), &[8, 6], &question.to_bytes()].concat());
    net.send(ping);
    assert!(net.left.received()[0].1.view().is_arp_reply());
    assert_eq!(net.answer(), Some(Icmpv4Type::EchoReply(etherparse::IcmpEchoHeader { id: 1, seq: 2 })));
}

#[test]
fn no_error_is_sent_about_an_error() {
    let mut net = net(plain());
    let builder = PacketBuilder::ethernet2(mac(1), net.router_mac)
        .ipv4(LEFT, [192, 0, 2, 1], 64)
        .icmpv4(Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Host));
    let mut error = Vec::new();
    builder.write(&mut error, &[0; 28]).unwrap();
    net.send(error);
    assert_eq!(net.answer(), None);
    assert_eq!(net.drops(), [DropReason::NoRoute]);
}

#[test]
fn a_damaged_header_is_discarded_in_silence() {
    let mut net = net(plain());
    let mut bytes = net.packet(RIGHT, 64, true, 10);
    bytes[22] ^= 1; // TTL
    net.send(bytes);
    assert!(net.at_right().is_empty());
    assert_eq!(net.answer(), None);
    assert_eq!(net.drops(), [DropReason::BadIpChecksum]);
}

#[test]
fn any_cut_and_any_flipped_bit_of_a_frame_is_survived() {
    let mut net = net(plain());
    let whole = net.packet(RIGHT, 64, false, 40);
    for length in 0..whole.len() {
        net.left.send(whole[..length].to_vec());
    }
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        net.left.send(bytes);
    }
    net.send(whole);
    assert!(net.at_right().iter().any(|frame| frame.view().payload() == [b'x'; 40]));
}

#[test]
fn a_router_that_cannot_be_is_refused() {
    let mut world = SimWorld::new(1);
    let off_link = plain().route(Prefix::DEFAULT, address("172.16.0.1"));
    assert!(matches!(world.add_router("r1", off_link), Err(TopologyError::Router { .. })));
    let tiny = RouterConfig::new().port_with_mtu(address("10.0.0.1"), 24, 60);
    assert!(matches!(world.add_router("r2", tiny), Err(TopologyError::Router { .. })));
    let wide = RouterConfig::new().port(address("10.0.0.1"), 33);
    assert!(matches!(world.add_router("r3", wide), Err(TopologyError::Router { .. })));
}
