//! The packets: each case has a sender of its own, so that what the kernel limits per sender is no limit.

use super::wire::{ROUTER, checksum, station};

/// A host at the right.
const RIGHT: [u8; 4] = [10, 0, 2, 2];
const LEFT_ROUTER: [u8; 4] = [10, 0, 1, 1];
const RIGHT_ROUTER: [u8; 4] = [10, 0, 2, 1];

/// What is sent, from the left.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) frames: Vec<Vec<u8>>,
}

/// A packet to be.
#[derive(Clone)]
pub(crate) struct Packet {
    tos: u8,
    id: u16,
    flags: u16,
    ttl: u8,
    protocol: u8,
    source: [u8; 4],
    destination: [u8; 4],
    options: Vec<u8>,
    payload: Vec<u8>,
    to_mac: [u8; 6],
    /// Changes bytes of the packet after all sums have been made.
    bent: Vec<(usize, u8)>,
    /// Bytes that the frame is cut down to, or filled up to.
    frame_length: Option<usize>,
}

impl Packet {
    fn new(protocol: u8, source: [u8; 4], destination: [u8; 4], payload: Vec<u8>) -> Self {
        Self {
            tos: 0,
            id: 0x1234,
            flags: 0,
            ttl: 64,
            protocol,
            source,
            destination,
            options: Vec::new(),
            payload,
            to_mac: ROUTER[0],
            bent: Vec::new(),
            frame_length: None,
        }
    }

    fn ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }

    fn tos(self, tos: u8) -> Self {
        Self { tos, ..self }
    }

    fn flags(self, flags: u16) -> Self {
        Self { flags, ..self }
    }

    fn dont_fragment(self) -> Self {
        self.flags(0x4000)
    }

    fn options(self, options: &[u8]) -> Self {
        Self { options: options.to_vec(), ..self }
    }

    fn for_station(self, to_mac: [u8; 6]) -> Self {
        Self { to_mac, ..self }
    }

    fn bent(mut self, at: usize, value: u8) -> Self {
        self.bent.push((at, value));
        self
    }

    fn frame_length(self, length: usize) -> Self {
        Self { frame_length: Some(length), ..self }
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let header = 20 + self.options.len();
        let mut packet = vec![0x40 | (header / 4) as u8, self.tos];
        packet.extend(((header + self.payload.len()) as u16).to_be_bytes());
        packet.extend(self.id.to_be_bytes());
        packet.extend(self.flags.to_be_bytes());
        packet.extend([self.ttl, self.protocol, 0, 0]);
        packet.extend(self.source);
        packet.extend(self.destination);
        packet.extend(&self.options);
        let sum = checksum(&[&packet]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(&self.payload);
        for (at, value) in &self.bent {
            packet[*at] = *value;
        }
        let mut frame = [&self.to_mac[..], &station(self.source), &[8, 0], &packet].concat();
        if let Some(length) = self.frame_length {
            frame.resize(length, 0);
        }
        frame
    }
}

/// An echo request.
pub(crate) fn echo(source: [u8; 4], destination: [u8; 4], length: usize) -> Packet {
    icmp(source, destination, 8, 0, length)
}

fn icmp(source: [u8; 4], destination: [u8; 4], kind: u8, code: u8, length: usize) -> Packet {
    let mut message = vec![kind, code, 0, 0, 0x4d, 0x4d, 0, 1];
    message.extend(data(length));
    let sum = checksum(&[&message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    Packet::new(1, source, destination, message)
}

fn udp(source: [u8; 4], destination: [u8; 4], length: usize) -> Packet {
    let mut datagram = vec![0x13, 0x88, 0x82, 0x35];
    datagram.extend(((8 + length) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data(length));
    seal(17, source, destination, &mut datagram, 6);
    Packet::new(17, source, destination, datagram)
}

fn tcp(source: [u8; 4], destination: [u8; 4], flags: u8, length: usize) -> Packet {
    let mut segment = vec![0x13, 0x88, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
    segment.extend(data(length));
    seal(6, source, destination, &mut segment, 16);
    Packet::new(6, source, destination, segment)
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

fn seal(protocol: u8, source: [u8; 4], destination: [u8; 4], bytes: &mut [u8], at: usize) {
    let [high, low] = (bytes.len() as u16).to_be_bytes();
    let pseudo = [&source[..], &destination, &[0, protocol, high, low]].concat();
    let sum = checksum(&[&pseudo, bytes]);
    bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// All cases, in order.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Cases { cases: Vec::new() };
    forwarded(&mut cases);
    too_long(&mut cases);
    with_options(&mut cases);
    not_forwarded(&mut cases);
    malformed(&mut cases);
    to_the_router(&mut cases);
    no_errors_about(&mut cases);
    cases.cases
}

struct Cases {
    cases: Vec<Case>,
}

impl Cases {
    /// One packet, made for the sender that it is given.
    fn add(&mut self, name: &'static str, packet: impl Fn([u8; 4]) -> Packet) {
        let sender = [10, 0, 1, 100 + self.cases.len() as u8];
        self.cases.push(Case { name, frames: vec![packet(sender).frame()] });
    }
}

impl Cases {
    /// One packet in two pieces, the first with so many bytes; it comes last.
    fn pieces(&mut self, name: &'static str, packet: impl Fn([u8; 4]) -> Packet, first: usize) {
        let sender = [10, 0, 1, 100 + self.cases.len() as u8];
        let whole = packet(sender);
        let piece = |flags, payload: &[u8]| Packet { flags, payload: payload.to_vec(), ..whole.clone() };
        let (start, end) = whole.payload.split_at(first);
        let pieces = [piece((first / 8) as u16, end), piece(0x2000, start)];
        self.cases.push(Case { name, frames: pieces.iter().map(Packet::frame).collect() });
    }
}

fn forwarded(cases: &mut Cases) {
    cases.add("a datagram", |me| udp(me, RIGHT, 10));
    cases.add("an echo request", |me| echo(me, RIGHT, 56));
    cases.add("a segment", |me| tcp(me, RIGHT, 2, 0));
    cases.add("a protocol that nobody knows", |me| Packet::new(253, me, RIGHT, data(30)));
    cases.add("through another router", |me| udp(me, [10, 0, 3, 7], 10));
    cases.add("TTL 2", |me| udp(me, RIGHT, 10).ttl(2));
    cases.add("TTL 255, type of service", |me| udp(me, RIGHT, 10).ttl(255).tos(0xb9));
    cases.add("no payload at all", |me| Packet::new(253, me, RIGHT, Vec::new()));
    cases.add("padding of the link", |me| udp(me, RIGHT, 2).frame_length(60));
    cases.add("more padding than packet", |me| udp(me, RIGHT, 2).frame_length(200));
    cases.add("a bad UDP checksum is nobody's business on the way", |me| udp(me, RIGHT, 10).bent(26, 7));
    cases.add("back over the link it came from", |me| udp(me, [10, 0, 4, 7], 10));
    cases.add("back to a neighbour of the sender", |me| udp(me, [10, 0, 1, 9], 10));
    cases.add("the reserved flag", |me| udp(me, RIGHT, 10).flags(0x8000));
    cases.add("a later fragment", |me| udp(me, RIGHT, 40).flags(0x2010));
}

fn too_long(cases: &mut Cases) {
    cases.add("just as long as the link takes", |me| udp(me, RIGHT, 572));
    cases.add("one byte too long", |me| udp(me, RIGHT, 573));
    cases.add("in three pieces", |me| udp(me, RIGHT, 1_400));
    cases.add("a fragment in pieces", |me| udp(me, RIGHT, 1_400).flags(0x2010));
    cases.add("the last fragment in pieces", |me| udp(me, RIGHT, 1_399).flags(0x0010));
    cases.add("too long and not to be cut", |me| udp(me, RIGHT, 573).dont_fragment());
    cases.add("too long, not to be cut, type of service", |me| {
        udp(me, RIGHT, 1_400).dont_fragment().tos(0x14)
    });
    cases.add("in pieces with options", |me| {
        udp(me, RIGHT, 1_000).options(&[148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0])
    });
    cases.add("fits although it is not to be cut", |me| udp(me, RIGHT, 572).dont_fragment());
    cases.add("too long, and its time is up", |me| udp(me, RIGHT, 1_000).dont_fragment().ttl(1));
}

fn with_options(cases: &mut Cases) {
    cases.add("no operation", |me| udp(me, RIGHT, 10).options(&[1, 1, 1, 0]));
    cases.add("an option that nobody knows", |me| udp(me, RIGHT, 10).options(&[0x5e, 4, 1, 2]));
    cases.add("router alert", |me| udp(me, RIGHT, 10).options(&[148, 4, 0, 0]));
    cases.add("record route", |me| udp(me, RIGHT, 10).options(&[7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    cases.add("record route, full", |me| udp(me, RIGHT, 10).options(&[7, 7, 8, 1, 2, 3, 4, 0]));
    cases.add("timestamps", |me| udp(me, RIGHT, 10).options(&[68, 8, 5, 0, 0, 0, 0, 0]));
    cases.add("timestamps and addresses", |me| {
        udp(me, RIGHT, 10).options(&[68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    });
    cases.add("timestamps, full", |me| udp(me, RIGHT, 10).options(&[68, 8, 9, 0, 1, 2, 3, 4]));
    cases.add("timestamp of another", |me| {
        udp(me, RIGHT, 10).options(&[68, 12, 5, 3, 10, 0, 9, 9, 0, 0, 0, 0])
    });
    cases.add("timestamp of the router", |me| {
        udp(me, RIGHT, 10).options(&[68, 12, 5, 3, 10, 0, 2, 1, 0, 0, 0, 0])
    });
    cases.add("loose source route", |me| udp(me, LEFT_ROUTER, 10).options(&[131, 7, 4, 10, 0, 2, 2, 0]));
    cases.add("strict source route", |me| udp(me, LEFT_ROUTER, 10).options(&[137, 7, 4, 10, 0, 2, 2, 0]));
    cases.add("an option longer than the header", |me| udp(me, RIGHT, 10).options(&[7, 11, 4, 0]));
    cases.add("an option of length one", |me| udp(me, RIGHT, 10).options(&[7, 1, 4, 0]));
    cases.add("a pointer that points at itself", |me| udp(me, RIGHT, 10).options(&[7, 7, 3, 0, 0, 0, 0, 0]));
    cases.add("a pointer that points across the end", |me| {
        udp(me, RIGHT, 10).options(&[7, 7, 6, 0, 0, 0, 0, 0])
    });
    cases.add("record route, and its time is up", |me| {
        udp(me, RIGHT, 10).options(&[7, 7, 4, 0, 0, 0, 0, 0]).ttl(1)
    });
    cases.add("echo to the router with record route", |me| {
        echo(me, LEFT_ROUTER, 10).options(&[7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    });
    cases.add("echo to the router with timestamps", |me| {
        echo(me, LEFT_ROUTER, 10).options(&[68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    });
}

fn not_forwarded(cases: &mut Cases) {
    cases.add("TTL 1", |me| udp(me, RIGHT, 10).ttl(1));
    cases.add("TTL 0", |me| udp(me, RIGHT, 10).ttl(0));
    cases.add("TTL 1, long", |me| udp(me, RIGHT, 1_200).ttl(1).tos(0x10));
    cases.add("TTL 1, an echo request", |me| echo(me, RIGHT, 10).ttl(1));
    cases.add("TTL 1 and no route", |me| udp(me, [192, 0, 2, 1], 10).ttl(1));
    cases.add("no route", |me| udp(me, [192, 0, 2, 1], 10));
    cases.add("nobody there", |me| udp(me, [10, 0, 2, 77], 10));
    cases.add("limited broadcast", |me| udp(me, [255, 255, 255, 255], 10).for_station([0xff; 6]));
    cases.add("directed broadcast of the other link", |me| udp(me, [10, 0, 2, 255], 10));
    cases.add("directed broadcast of the own link", |me| udp(me, [10, 0, 1, 255], 10).for_station([0xff; 6]));
    cases.add("multicast", |me| udp(me, [239, 1, 2, 3], 10).for_station([1, 0, 0x5e, 1, 2, 3]));
    cases.add("all hosts, an echo request", |me| {
        echo(me, [224, 0, 0, 1], 10).for_station([1, 0, 0x5e, 0, 0, 1])
    });
    cases.add("for one host, but sent to every station", |me| udp(me, RIGHT, 10).for_station([0xff; 6]));
    cases.add("for another station", |me| udp(me, RIGHT, 10).for_station([2, 9, 9, 9, 9, 9]));
    cases.add("from loopback", |_| udp([127, 0, 0, 1], RIGHT, 10));
    cases.add("from network 0", |_| udp([0, 1, 2, 3], RIGHT, 10));
    cases.add("from a group", |_| udp([224, 0, 0, 5], RIGHT, 10));
    cases.add("from everybody", |_| udp([255, 255, 255, 255], RIGHT, 10));
    cases.add("from a broadcast address", |_| udp([10, 0, 1, 255], RIGHT, 10));
    cases.add("from the router itself", |_| udp(LEFT_ROUTER, RIGHT, 10));
    cases.add("from the wrong side", |_| udp([10, 0, 2, 50], RIGHT, 10));
    cases.add("to loopback", |me| udp(me, [127, 0, 0, 1], 10));
    cases.add("to network 0", |me| udp(me, [0, 1, 2, 3], 10));
    cases.add("to class E", |me| udp(me, [240, 1, 2, 3], 10));
}

fn malformed(cases: &mut Cases) {
    cases.add("a bad header checksum", |me| udp(me, RIGHT, 10).bent(10, 0x77));
    cases.add("IP version 5", |me| udp(me, RIGHT, 10).bent(0, 0x55));
    cases.add("a header of four words", |me| udp(me, RIGHT, 10).bent(0, 0x44));
    cases.add("a header cut short", |me| udp(me, RIGHT, 10).frame_length(14 + 19));
    cases.add("a packet cut short", |me| udp(me, RIGHT, 10).frame_length(14 + 30));
    cases.add("a total length below the header's", |me| udp(me, RIGHT, 10).bent(3, 19).bent(2, 0));
}

fn to_the_router(cases: &mut Cases) {
    cases.add("echo to the router", |me| echo(me, LEFT_ROUTER, 56));
    cases.add("echo to its other address", |me| echo(me, RIGHT_ROUTER, 56));
    cases.add("echo to the router, TTL 1", |me| echo(me, LEFT_ROUTER, 56).ttl(1));
    cases.add("echo to the router, type of service, DF", |me| {
        echo(me, LEFT_ROUTER, 56).tos(0xb8).dont_fragment()
    });
    cases.add("echo to the router, long", |me| echo(me, LEFT_ROUTER, 1_472));
    cases.add("echo to the router, bad checksum", |me| echo(me, LEFT_ROUTER, 56).bent(30, 0x55));
    cases.add("echo reply to the router", |me| icmp(me, LEFT_ROUTER, 0, 0, 10));
    cases.add("echo with a code", |me| icmp(me, LEFT_ROUTER, 8, 3, 10));
    cases.add("an ICMP type that nobody knows", |me| icmp(me, LEFT_ROUTER, 77, 0, 10));
    cases.add("timestamp request", |me| icmp(me, LEFT_ROUTER, 13, 0, 12));
    cases.add("a closed UDP port", |me| udp(me, LEFT_ROUTER, 10));
    cases.add("a closed UDP port of its other address", |me| udp(me, RIGHT_ROUTER, 10));
    cases.add("a closed UDP port, bad checksum", |me| udp(me, LEFT_ROUTER, 10).bent(26, 7));
    cases.add("a closed UDP port, cut short", |me| udp(me, LEFT_ROUTER, 10).bent(25, 40));
    cases.add("a protocol that the router does not know", |me| Packet::new(253, me, LEFT_ROUTER, data(30)));
    cases.add("SYN to the router", |me| tcp(me, LEFT_ROUTER, 0x02, 0));
    cases.add("ACK to the router", |me| tcp(me, LEFT_ROUTER, 0x10, 5));
    cases.add("SYN and FIN with data to the router", |me| tcp(me, LEFT_ROUTER, 0x03, 5));
    cases.add("RST to the router", |me| tcp(me, LEFT_ROUTER, 0x04, 0));
    cases.add("SYN to the router, bad checksum", |me| tcp(me, LEFT_ROUTER, 0x02, 0).bent(36, 7));
    cases.add("to the router, sent to every station", |me| udp(me, LEFT_ROUTER, 10).for_station([0xff; 6]));
    cases.pieces("echo to the router in pieces", |me| echo(me, LEFT_ROUTER, 100), 64);
    cases.pieces("a closed UDP port, in pieces", |me| udp(me, LEFT_ROUTER, 100), 48);
}

/// RFC 1812 4.3.2.7.
fn no_errors_about(cases: &mut Cases) {
    cases.add("an ICMP error, its time is up", |me| icmp(me, RIGHT, 3, 1, 28).ttl(1));
    cases.add("an unknown ICMP type, its time is up", |me| icmp(me, RIGHT, 42, 0, 28).ttl(1));
    cases.add("a timestamp reply, its time is up", |me| icmp(me, RIGHT, 14, 0, 28).ttl(1));
    cases.add("a later fragment, its time is up", |me| udp(me, RIGHT, 40).flags(0x0010).ttl(1));
    cases.add("a first fragment, its time is up", |me| udp(me, RIGHT, 40).flags(0x2000).ttl(1));
    cases.add("no route for an ICMP error", |me| icmp(me, [192, 0, 2, 1], 11, 0, 28));
    cases.add("from nowhere, its time is up", |_| udp([192, 0, 2, 9], RIGHT, 10).ttl(1));
}
