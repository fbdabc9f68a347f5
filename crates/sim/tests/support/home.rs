//! A home router between two probes that play everybody: at the inside 192.168.1.0/24, at the outside
//! the Internet behind 203.0.113.1. They answer every ARP request of theirs but that for host 77.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

use etherparse::{ArpEthIpv4Packet, ArpOperation, ArpPacket, Icmpv4Slice, Ipv4HeaderSlice};
use glasstack_journal::event::{DropReason, Event, Link, Nat};
use glasstack_journal::journal::Recorder;
use glasstack_sim::router::{NatConfig, RouterConfig};
use glasstack_sim::{Cable, Probe, SimWorld};
use glasstack_stack::Prefix;
use glasstack_stack::checksum::{checksum, pseudo_header};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub const HOME: &str = "203.0.113.5";

pub struct Home {
    pub world: SimWorld,
    pub recorder: Recorder,
    inside: Probe,
    outside: Probe,
}

/// A router with NAT.
pub fn translating() -> RouterConfig {
    forwarding().nat(NatConfig::new(1))
}

/// The same without.
pub fn forwarding() -> RouterConfig {
    RouterConfig::new()
        .port(Ipv4Addr::new(192, 168, 1, 1), 24)
        .port(Ipv4Addr::new(203, 0, 113, 5), 24)
        .route(Prefix::DEFAULT, Ipv4Addr::new(203, 0, 113, 1))
}

impl Home {
    pub fn new(config: RouterConfig) -> Self {
        Self::with_seed(1, config)
    }

    pub fn with_seed(seed: u64, config: RouterConfig) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
        let router = world.add_router("home", config).unwrap();
        let probes = ["inside", "outside"].map(|name| world.add_probe(name).unwrap());
        for (port, (probe, network)) in probes.iter().zip([[192, 168, 1], [203, 0, 113]]).enumerate() {
            world.connect(probe, (router, port), Cable::new()).unwrap();
            probe.respond(move |frame, _| arp_answer(network, frame.bytes()).into_iter().collect());
        }
        let [inside, outside] = probes;
        Self { world, recorder, inside, outside }
    }

    /// Somebody inside sends.
    pub fn send(&mut self, packet: Packet) {
        self.inside.send(packet.frame([6, 0, 0, 0, 0, 1]));
        self.run(20);
    }

    /// Somebody inside sends to everybody on the link, whoever the packet is for.
    pub fn shout(&mut self, packet: Packet) {
        self.inside.send(packet.frame([0xff; 6]));
        self.run(20);
    }

    /// Somebody outside sends.
    pub fn receive(&mut self, packet: Packet) {
        self.outside.send(packet.frame([6, 0, 0, 0, 0, 2]));
        self.run(20);
    }

    pub fn run(&mut self, millis: u64) {
        self.world.run_for(Duration::from_millis(millis)).unwrap();
    }

    /// What has come out at the outside since the last call, with checksums checked.
    pub fn outside(&self) -> Vec<String> {
        seen(&self.outside)
    }

    /// What has come out at the inside since the last call.
    pub fn inside(&self) -> Vec<String> {
        seen(&self.inside)
    }

    /// Why packets went no further.
    pub fn drops(&self) -> Vec<DropReason> {
        let records = self.recorder.records().into_iter();
        let reason = |record: glasstack_journal::Record| match record.event {
            Event::Link(Link::Dropped { reason, .. }) => Some(reason),
            _ => None,
        };
        records.filter_map(reason).collect()
    }

    /// The last packet that went no further, with the evidence.
    pub fn last_drop(&self) -> (DropReason, String) {
        let records = self.recorder.records().into_iter().rev();
        let drop = |record: glasstack_journal::Record| match record.event {
            Event::Link(Link::Dropped { reason, detail, .. }) => Some((reason, detail)),
            _ => None,
        };
        records.filter_map(drop).next().unwrap()
    }

    /// What is told of the NAT: when, and what.
    pub fn told(&self) -> Vec<String> {
        let say = |record: glasstack_journal::Record| {
            let at = record.at.as_nanos() / 1_000_000_000;
            match record.event {
                Event::Nat(Nat::Mapped { protocol, inside, outside, .. }) => {
                    Some(format!("{at} s: {protocol} {inside} is {outside}"))
                }
                Event::Nat(Nat::Unmapped { protocol, inside, outside }) => {
                    Some(format!("{at} s: {protocol} {inside} is {outside} no more"))
                }
                _ => None,
            }
        };
        self.recorder.records().into_iter().filter_map(say).collect()
    }
}

/// A packet, made by hand.
#[derive(Clone)]
pub struct Packet {
    pub protocol: u8,
    pub source: SocketAddrV4,
    pub destination: SocketAddrV4,
    pub ttl: u8,
    pub identification: u16,
    /// Flags and offset, as they stand in the header.
    pub fragment: u16,
    pub payload: Vec<u8>,
}

/// A datagram: `udp("192.168.1.10:5000", "198.51.100.80:53", b"what")`.
pub fn udp(from: &str, to: &str, data: &[u8]) -> Packet {
    let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
    let mut datagram = ports(source, destination);
    datagram.extend(((8 + data.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    seal(17, source, destination, &mut datagram, 6);
    packet(17, source, destination, datagram)
}

/// A segment with these flags.
pub fn tcp(from: &str, to: &str, flags: u8) -> Packet {
    let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
    let mut segment = ports(source, destination);
    segment.extend([1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    seal(6, source, destination, &mut segment, 16);
    packet(6, source, destination, segment)
}

/// An ICMP message: `icmp("192.168.1.10", "198.51.100.80", [8, 0], [0, 7, 0, 1], b"ping")`.
pub fn icmp(from: &str, to: &str, kind: [u8; 2], rest: [u8; 4], data: &[u8]) -> Packet {
    let end = |address: &str| SocketAddrV4::new(address.parse().unwrap(), 0);
    let mut message = [&kind[..], &[0, 0], &rest, data].concat();
    let sum = checksum(&[&message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    packet(1, end(from), end(to), message)
}

/// An echo request with this identifier.
pub fn echo(from: &str, to: &str, ident: u16) -> Packet {
    let [high, low] = ident.to_be_bytes();
    icmp(from, to, [8, 0], [high, low, 0, 1], b"ping")
}

fn ports(source: SocketAddrV4, destination: SocketAddrV4) -> Vec<u8> {
    [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat()
}

fn seal(protocol: u8, source: SocketAddrV4, destination: SocketAddrV4, bytes: &mut [u8], at: usize) {
    let pseudo = pseudo_header(*source.ip(), *destination.ip(), protocol, bytes.len());
    let sum = checksum(&[&pseudo, bytes]);
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

fn packet(protocol: u8, source: SocketAddrV4, destination: SocketAddrV4, payload: Vec<u8>) -> Packet {
    Packet { protocol, source, destination, ttl: 64, identification: 7, fragment: 0, payload }
}

impl Packet {
    pub fn ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }

    /// In two fragments, the first with `length` bytes of payload.
    pub fn cut(&self, length: usize) -> [Self; 2] {
        let (first, last) = self.payload.split_at(length);
        let eights = (length / 8) as u16;
        [(0x2000, first), (eights, last)].map(|(fragment, part)| Self {
            fragment,
            payload: part.to_vec(),
            ..self.clone()
        })
    }

    /// From the IP header on.
    pub fn bytes(&self) -> Vec<u8> {
        let mut header = vec![0x45, 0];
        header.extend(((20 + self.payload.len()) as u16).to_be_bytes());
        header.extend(self.identification.to_be_bytes());
        header.extend(self.fragment.to_be_bytes());
        header.extend([self.ttl, self.protocol, 0, 0]);
        header.extend(self.source.ip().octets());
        header.extend(self.destination.ip().octets());
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [header, self.payload.clone()].concat()
    }

    fn frame(&self, to: [u8; 6]) -> Vec<u8> {
        [&to[..], &[2, 0, 0, 0, 0, 9], &[8, 0], &self.bytes()].concat()
    }
}

fn arp_answer(network: [u8; 3], frame: &[u8]) -> Option<Vec<u8>> {
    let arp = ArpPacket::from_slice(frame.get(14..)?).ok()?.try_eth_ipv4().ok()?;
    let wanted = arp.target_ipv4;
    if frame.get(12..14)? != [8, 6] || arp.operation != ArpOperation::REQUEST {
        return None;
    }
    let mac = [2, 0, 0, network[2], 0, wanted[3]];
    let reply = ArpEthIpv4Packet {
        operation: ArpOperation::REPLY,
        sender_mac: mac,
        sender_ipv4: wanted,
        target_mac: arp.sender_mac,
        target_ipv4: arp.sender_ipv4,
    };
    let is_there = wanted[..3] == network && wanted[3] != 77;
    is_there.then(|| [&arp.sender_mac[..], &mac, &[8, 6], &reply.to_bytes()].concat())
}

fn seen(probe: &Probe) -> Vec<String> {
    let received = probe.take_received().into_iter();
    received.filter(|(_, frame)| frame.bytes[12..14] == [8, 0]).map(|(_, f)| say(&f.bytes[14..])).collect()
}

/// A packet in words; a checksum that is wrong is a failure.
fn say(bytes: &[u8]) -> String {
    let header = Ipv4HeaderSlice::from_slice(bytes).unwrap();
    assert_eq!(checksum(&[header.slice()]), 0, "the header's checksum");
    let payload = &bytes[header.slice().len()..usize::from(header.total_len())];
    let (source, destination) = (header.source_addr(), header.destination_addr());
    if header.fragments_offset().value() != 0 {
        return format!("piece {source} > {destination} at {}", header.fragments_offset().value() * 8);
    }
    let whole = !header.more_fragments();
    let protocol = header.protocol().0;
    if protocol == 1 {
        return say_icmp(source, destination, payload, whole);
    }
    let ends = say_ends(source, destination, payload);
    let pseudo = pseudo_header(source, destination, protocol, payload.len());
    assert!(!whole || checksum(&[&pseudo, payload]) == 0, "the checksum of {ends}");
    match protocol {
        6 => format!("tcp {ends} flags {:#04x}", payload[13]),
        17 if whole => format!("udp {ends} {:?}", String::from_utf8_lossy(&payload[8..])),
        17 => format!("udp {ends} in pieces"),
        other => format!("protocol {other} {source} > {destination}"),
    }
}

fn say_ends(source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> String {
    let port = |at: usize| u16::from_be_bytes([payload[at], payload[at + 1]]);
    format!("{source}:{} > {destination}:{}", port(0), port(2))
}

fn say_icmp(source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8], whole: bool) -> String {
    assert!(!whole || checksum(&[payload]) == 0, "the ICMP checksum");
    let message = Icmpv4Slice::from_slice(payload).unwrap();
    let (kind, code) = (message.type_u8(), message.code_u8());
    let ident = u16::from_be_bytes([payload[4], payload[5]]);
    if [0, 8].contains(&kind) {
        let what = if kind == 8 { "echo" } else { "reply" };
        return format!("{what} {source} > {destination} ident {ident}");
    }
    let quoted = &payload[8..];
    let header = Ipv4HeaderSlice::from_slice(quoted).unwrap();
    assert_eq!(checksum(&[header.slice()]), 0, "the quoted header's checksum");
    let (from, to) = (header.source_addr(), header.destination_addr());
    let about = match header.protocol().0 {
        1 => format!("{from} > {to} ident {}", u16::from_be_bytes([quoted[24], quoted[25]])),
        protocol => {
            let transport = &quoted[20..];
            if [6, 17].contains(&protocol) && usize::from(header.total_len()) == quoted.len() {
                let pseudo = pseudo_header(from, to, protocol, transport.len());
                assert_eq!(checksum(&[&pseudo, transport]), 0, "the quoted packet's checksum");
            }
            say_ends(from, to, transport)
        }
    };
    format!("icmp {kind}/{code} {source} > {destination} about {about}")
}
