//! What a router says itself: ICMP errors and echo replies (RFC 792, RFC 1812 4.3), resets (RFC 9293), the
//! datagrams of its services.

use super::options::{self, Stamp};
use super::packet::{ICMP, Own, Packet, SHORTEST_HEADER, TCP, UDP, byte, set_word, word};
use super::service::Outgoing;
use glasstack_stack::checksum::{checksum, pseudo_header};
use std::fmt;
use std::net::Ipv4Addr;

/// How long an ICMP error may be with its IP header, in bytes (RFC 1812 4.3.2.3).
const LONGEST_ERROR: usize = 576;
/// Of every ICMP message, in bytes.
const ICMP_HEADER: usize = 8;
/// RFC 1812 4.3.2.5: errors travel with the precedence "internetwork control"; the type of service
/// is the packet's own.
const INTERNETWORK_CONTROL: u8 = 0xc0;
const TYPE_OF_SERVICE: u8 = 0x1e;

/// ICMP types (RFC 792).
pub(super) mod icmp {
    pub(in super::super) const ECHO_REPLY: u8 = 0;
    pub(in super::super) const UNREACHABLE: u8 = 3;
    pub(in super::super) const SOURCE_QUENCH: u8 = 4;
    pub(in super::super) const REDIRECT: u8 = 5;
    pub(in super::super) const ECHO: u8 = 8;
    pub(in super::super) const TIME_EXCEEDED: u8 = 11;
    pub(in super::super) const PARAMETER_PROBLEM: u8 = 12;
    pub(in super::super) const TIMESTAMP: u8 = 13;
    pub(in super::super) const TIMESTAMP_REPLY: u8 = 14;
}

/// TCP flags (RFC 9293 3.1).
pub(super) mod flag {
    pub(in super::super) const FIN: u8 = 0x01;
    pub(in super::super) const SYN: u8 = 0x02;
    pub(in super::super) const RST: u8 = 0x04;
    pub(in super::super) const ACK: u8 = 0x10;
}

/// What a router has to say about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IcmpError {
    TimeExceeded,
    NetworkUnreachable,
    HostUnreachable,
    ProtocolUnreachable,
    PortUnreachable,
    FragmentationNeeded { mtu: usize },
    Prohibited,
    Redirect { to: Ipv4Addr },
    ParameterProblem { pointer: u8 },
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeExceeded => f.write_str("time to live exceeded"),
            Self::NetworkUnreachable => f.write_str("network unreachable"),
            Self::HostUnreachable => f.write_str("host unreachable"),
            Self::ProtocolUnreachable => f.write_str("protocol unreachable"),
            Self::PortUnreachable => f.write_str("port unreachable"),
            Self::FragmentationNeeded { mtu } => write!(f, "fragmentation needed, next-hop MTU {mtu}"),
            Self::Prohibited => f.write_str("communication administratively prohibited"),
            Self::Redirect { to } => write!(f, "redirect to {to}"),
            Self::ParameterProblem { pointer } => write!(f, "parameter problem at byte {pointer}"),
        }
    }
}

impl IcmpError {
    /// Type, code, and the four bytes that follow the checksum.
    fn begins(self) -> (u8, u8, [u8; 4]) {
        match self {
            Self::NetworkUnreachable => (icmp::UNREACHABLE, 0, [0; 4]),
            Self::HostUnreachable => (icmp::UNREACHABLE, 1, [0; 4]),
            Self::ProtocolUnreachable => (icmp::UNREACHABLE, 2, [0; 4]),
            Self::PortUnreachable => (icmp::UNREACHABLE, 3, [0; 4]),
            // RFC 1191 4: the MTU of the next hop in what used to be unused.
            Self::FragmentationNeeded { mtu } => {
                let [high, low] = u16::try_from(mtu).unwrap_or(u16::MAX).to_be_bytes();
                (icmp::UNREACHABLE, 4, [0, 0, high, low])
            }
            Self::Prohibited => (icmp::UNREACHABLE, 13, [0; 4]),
            // RFC 1812 5.2.7.2: for the host, since the type of service chooses no route here.
            Self::Redirect { to } => (icmp::REDIRECT, 1, to.octets()),
            Self::TimeExceeded => (icmp::TIME_EXCEEDED, 0, [0; 4]),
            Self::ParameterProblem { pointer } => (icmp::PARAMETER_PROBLEM, 0, [pointer, 0, 0, 0]),
        }
    }
}

/// RFC 1812 4.3.2.7: no error about an ICMP error, a later fragment, a packet to more than one host, or
/// one whose source is no single host.
pub(super) fn forbids_errors(packet: &Packet) -> bool {
    let source = packet.source();
    packet.protocol() == ICMP && is_icmp_error(packet.payload())
        || packet.fragment_offset() != 0
        || packet.is_to_a_group()
        || source.is_unspecified()
        || source.is_loopback()
        || source.is_multicast()
        || source.is_broadcast()
}

/// RFC 1122 3.2.2: what is no query is an error.
fn is_icmp_error(message: &[u8]) -> bool {
    const QUERIES: [u8; 8] = [0, 8, 13, 14, 15, 16, 17, 18];
    message.first().is_none_or(|icmp_type| !QUERIES.contains(icmp_type))
}

/// The ICMP error about `packet`, from `source` to the packet's sender. It quotes as much of the packet as
/// fits (RFC 1812 4.3.2.3).
pub(super) fn error(packet: &Packet, error: IcmpError, source: Ipv4Addr, identification: u16) -> Packet {
    let room = LONGEST_ERROR - SHORTEST_HEADER - ICMP_HEADER;
    let quoted = packet.bytes().get(..room).unwrap_or(packet.bytes());
    let (icmp_type, code, rest) = error.begins();
    let mut message = [&[icmp_type, code, 0, 0], &rest[..], quoted].concat();
    let sum = checksum(&[&message]);
    set_word(&mut message, 2, sum);
    let own = Own {
        source,
        destination: packet.source(),
        protocol: ICMP,
        type_of_service: INTERNETWORK_CONTROL | packet.type_of_service() & TYPE_OF_SERVICE,
        identification,
        dont_fragment: false,
    };
    Packet::own(own, &message)
}

/// Whether the packet is a whole ICMP message with a right checksum.
pub(super) fn is_sound_icmp(packet: &Packet) -> bool {
    packet.payload().len() >= ICMP_HEADER && checksum(&[packet.payload()]) == 0
}

/// The reply to a sound echo request (RFC 792); none if it is anything else. Options that record the way
/// are written on and returned (RFC 1812 4.3.3.6).
pub(super) fn echo_reply(packet: &Packet, identification: u16, millis: u32) -> Option<Packet> {
    if byte(packet.payload(), 0) != icmp::ECHO {
        return None;
    }
    let mut message = packet.payload().to_vec();
    *message.first_mut()? = icmp::ECHO_REPLY;
    set_word(&mut message, 2, 0);
    let sum = checksum(&[&message]);
    set_word(&mut message, 2, sum);
    let found = options::read(packet.options()).ok()?;
    let mut echoed = found.echoed(packet.options());
    if let Ok(found) = options::read(&echoed) {
        let own = packet.destination();
        found.write(&mut echoed, own, Stamp { by: own, millis }, |address| address == own);
    }
    let own = Own {
        source: packet.destination(),
        destination: packet.source(),
        protocol: ICMP,
        type_of_service: packet.type_of_service(),
        identification,
        dont_fragment: false,
    };
    Some(Packet::own_with_options(own, 64, &echoed, &message))
}

/// Whether the packet holds a whole TCP header and a right checksum (RFC 9293 3.1).
pub(super) fn is_sound_tcp(packet: &Packet) -> bool {
    let segment = packet.payload();
    let pseudo = pseudo_header(packet.source(), packet.destination(), TCP, segment.len());
    let header = usize::from(byte(segment, 12) >> 4) * 4;
    header >= 20 && header <= segment.len() && checksum(&[&pseudo, segment]) == 0
}

/// The reset that answers a segment to a port where nobody is (RFC 9293 3.10.7.1), as if from its
/// destination; none for a reset or a later fragment.
pub(super) fn reset(packet: &Packet) -> Option<Packet> {
    let segment = packet.payload();
    let (header, flags) = (usize::from(byte(segment, 12) >> 4) * 4, byte(segment, 13));
    if packet.protocol() != TCP || packet.fragment_offset() != 0 || flags & flag::RST != 0 {
        return None;
    }
    let payload = u32::try_from(segment.get(header..)?.len()).ok()?;
    let number = |at| u32::from(word(segment, at)) << 16 | u32::from(word(segment, at + 2));
    let (sequence, acknowledged, flags) = if flags & flag::ACK != 0 {
        (number(8), 0, flag::RST)
    } else {
        let controls = u32::from(flags & flag::SYN != 0) + u32::from(flags & flag::FIN != 0);
        (0, number(4).wrapping_add(payload).wrapping_add(controls), flag::RST | flag::ACK)
    };
    let mut reset = Vec::with_capacity(20);
    reset.extend(word(segment, 2).to_be_bytes());
    reset.extend(word(segment, 0).to_be_bytes());
    reset.extend(sequence.to_be_bytes());
    reset.extend(acknowledged.to_be_bytes());
    reset.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    let pseudo = pseudo_header(packet.destination(), packet.source(), TCP, reset.len());
    let sum = checksum(&[&pseudo, &reset]);
    set_word(&mut reset, 16, sum);
    let own = Own {
        source: packet.destination(),
        destination: packet.source(),
        protocol: TCP,
        type_of_service: packet.type_of_service(),
        identification: 0,
        dont_fragment: true,
    };
    Some(Packet::own(own, &reset))
}

/// A UDP datagram of a service.
pub(super) fn datagram(datagram: &Outgoing, identification: u16) -> Packet {
    let (source, destination) = (*datagram.source.ip(), *datagram.destination.ip());
    let length = u16::try_from(8 + datagram.payload.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(usize::from(length));
    for word in [datagram.source.port(), datagram.destination.port(), length, 0] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend_from_slice(&datagram.payload);
    let pseudo = pseudo_header(source, destination, UDP, bytes.len());
    // RFC 768: a checksum of zero is sent as all ones.
    let sum = checksum(&[&pseudo, &bytes]);
    set_word(&mut bytes, 6, if sum == 0 { 0xffff } else { sum });
    let own =
        Own { source, destination, protocol: UDP, type_of_service: 0, identification, dont_fragment: false };
    Packet::own_with_options(own, datagram.ttl, &[], &bytes)
}
