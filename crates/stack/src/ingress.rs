//! What comes from the wire is checked here, layer by layer, before anybody else touches it.
//!
//! ```text
//!   frame --parse_link--> ARP | IPv4 packet --(reassembly)--> parse_transport --> TCP | UDP | ICMP
//!                  \                                                    /
//!                   +-------------- Discard { reason, detail } --------+
//! ```
//!
//! Whatever is not taken is discarded with a reason and its evidence. Nothing here panics,
//! allocates more than a segment's options, or looks beyond the lengths that the headers state.

use crate::checksum::{checksum, pseudo_header};
use glasstack_journal::event::{DropReason, MacAddress, Medium, TcpFlags, TcpOption};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
pub(crate) mod protocol {
    /// RFC 792.
    pub(crate) const ICMP: u8 = 1;
    /// RFC 9293.
    pub(crate) const TCP: u8 = 6;
    /// RFC 768.
    pub(crate) const UDP: u8 = 17;
}

/// Why a packet is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discard {
    /// The reason, to be counted.
    pub reason: DropReason,
    /// The evidence, in words.
    pub detail: String,
}

impl Discard {
    pub(crate) fn new(reason: DropReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// What a link delivers.
#[derive(Debug)]
pub(crate) enum LinkPacket<'a> {
    /// An ARP packet for Ethernet and IPv4.
    Arp(ArpPacket),
    /// An IPv4 packet, possibly a fragment, possibly for another host.
    Ipv4 {
        /// The packet, without the link's padding.
        packet: Ipv4Packet<'a>,
        /// Who put it on this link; none on [`Medium::Ip`].
        source_mac: Option<MacAddress>,
    },
}

/// An ARP request or reply (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArpPacket {
    /// A request; else a reply.
    pub request: bool,
    /// Never a group address.
    pub sender_mac: MacAddress,
    /// Unspecified in a probe (RFC 5227 2.1.1).
    pub sender_ip: Ipv4Addr,
    /// Meaningless in a request.
    pub target_mac: MacAddress,
    pub target_ip: Ipv4Addr,
}

/// An IPv4 packet whose header is sound (RFC 791 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ipv4Packet<'a> {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    /// The protocol of the payload.
    pub protocol: u8,
    /// Time to live, in hops.
    pub ttl: u8,
    /// What holds a datagram's fragments together.
    pub identification: u16,
    pub dont_fragment: bool,
    pub more_fragments: bool,
    /// Where the payload belongs in its datagram, in bytes.
    pub fragment_offset: usize,
    /// The header with its options, 20 to 60 bytes.
    pub header: &'a [u8],
    /// What follows the header, up to the total length.
    pub payload: &'a [u8],
    /// Header and payload, without padding.
    pub bytes: &'a [u8],
}

/// What an IPv4 packet carries, its checksum verified.
#[derive(Debug)]
pub(crate) enum Transport<'a> {
    /// A TCP segment.
    Tcp(TcpHeader<'a>),
    /// A UDP datagram.
    Udp(UdpHeader<'a>),
    /// A whole ICMP message, at least its 8 fixed bytes.
    Icmp(&'a [u8]),
}

/// A TCP segment (RFC 9293 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TcpHeader<'a> {
    pub source: SocketAddrV4,
    pub destination: SocketAddrV4,
    pub seq: u32,
    /// None without the ACK bit.
    pub ack: Option<u32>,
    pub flags: TcpFlags,
    /// As on the wire, unscaled.
    pub window: u16,
    /// The options up to the end of the list, or up to the first malformed one.
    pub options: Vec<TcpOption>,
    pub payload: &'a [u8],
}

/// A UDP datagram (RFC 768).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UdpHeader<'a> {
    pub source: SocketAddrV4,
    pub destination: SocketAddrV4,
    pub payload: &'a [u8],
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// Takes a frame apart, or a bare IP packet on [`Medium::Ip`]. Frames for other stations are
/// discarded; packets for other hosts are not, since a station may be asked to forward.
pub(crate) fn parse_link(
    medium: Medium,
    our_mac: MacAddress,
    bytes: &[u8],
) -> Result<LinkPacket<'_>, Discard> {
    match medium {
        Medium::Ip => Ok(LinkPacket::Ipv4 { packet: Ipv4Packet::parse(bytes)?, source_mac: None }),
        Medium::Ethernet => parse_ethernet(our_mac, bytes),
    }
}

/// Ethernet II (RFC 894): destination, source, EtherType.
fn parse_ethernet(our_mac: MacAddress, bytes: &[u8]) -> Result<LinkPacket<'_>, Discard> {
    let Some((header, rest)) = bytes.split_first_chunk::<14>() else {
        return Err(truncated("an Ethernet header", 14, bytes.len()));
    };
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let destination = MacAddress([d0, d1, d2, d3, d4, d5]);
    if destination != our_mac && !destination.is_multicast() {
        return Err(Discard::new(DropReason::NotOurMac, format!("for {destination}, we are {our_mac}")));
    }
    match u16::from_be_bytes([t0, t1]) {
        ETHERTYPE_IPV4 => {
            let packet = Ipv4Packet::parse(rest)?;
            Ok(LinkPacket::Ipv4 { packet, source_mac: Some(MacAddress([s0, s1, s2, s3, s4, s5])) })
        }
        ETHERTYPE_ARP => ArpPacket::parse(rest).map(LinkPacket::Arp),
        ETHERTYPE_IPV6 => Err(Discard::new(DropReason::Ipv6, "EtherType 0x86dd")),
        ETHERTYPE_VLAN => Err(Discard::new(DropReason::UnknownEtherType, "0x8100, a VLAN tag (802.1Q)")),
        // IEEE 802.3 3.2.6: up to 1500 it is a length, and LLC follows.
        length @ 0..=1500 => {
            Err(Discard::new(DropReason::UnknownEtherType, format!("an 802.3 frame of {length} bytes")))
        }
        other => Err(Discard::new(DropReason::UnknownEtherType, format!("0x{other:04x}"))),
    }
}

impl ArpPacket {
    /// RFC 826, "Packet format"; padding behind it is ignored.
    fn parse(bytes: &[u8]) -> Result<Self, Discard> {
        let bad = |detail: String| Err(Discard::new(DropReason::BadArp, detail));
        let Some(fixed) = bytes.first_chunk::<28>() else {
            return Err(truncated("an ARP packet", 28, bytes.len()));
        };
        let [h0, h1, p0, p1, hardware_length, protocol_length, o0, o1, addresses @ ..] = *fixed;
        let hardware = u16::from_be_bytes([h0, h1]);
        let protocol = u16::from_be_bytes([p0, p1]);
        if (hardware, protocol, hardware_length, protocol_length) != (1, ETHERTYPE_IPV4, 6, 4) {
            return bad(format!(
                "hardware {hardware} ({hardware_length} bytes), protocol 0x{protocol:04x} \
                 ({protocol_length} bytes) is not Ethernet and IPv4"
            ));
        }
        let request = match u16::from_be_bytes([o0, o1]) {
            1 => true,
            2 => false,
            other => return bad(format!("operation {other} is neither request nor reply")),
        };
        let [a0, a1, a2, a3, a4, a5, i0, i1, i2, i3, b0, b1, b2, b3, b4, b5, j0, j1, j2, j3] = addresses;
        let sender_mac = MacAddress([a0, a1, a2, a3, a4, a5]);
        let sender_ip = Ipv4Addr::new(i0, i1, i2, i3);
        if sender_mac.is_multicast() || sender_mac == MacAddress([0; 6]) {
            return bad(format!("{sender_mac} cannot be a sender"));
        }
        if sender_ip.is_multicast() || sender_ip.is_broadcast() || sender_ip.is_loopback() {
            return bad(format!("{sender_ip} cannot be a sender"));
        }
        Ok(Self {
            request,
            sender_mac,
            sender_ip,
            target_mac: MacAddress([b0, b1, b2, b3, b4, b5]),
            target_ip: Ipv4Addr::new(j0, j1, j2, j3),
        })
    }
}

impl<'a> Ipv4Packet<'a> {
    /// Checks version, header length, total length and header checksum; what lies behind the total
    /// length is the link's padding (RFC 791 3.1, RFC 1122 3.2.1).
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Discard> {
        let bad = |detail: String| Err(Discard::new(DropReason::BadIpHeader, detail));
        match bytes.first().map(|first| first >> 4) {
            Some(4) => {}
            Some(6) => return Err(Discard::new(DropReason::Ipv6, "version 6")),
            Some(other) => return bad(format!("version {other}")),
            None => return Err(truncated("an IPv4 header", 20, 0)),
        }
        let Some(fixed) = bytes.first_chunk::<20>() else {
            return Err(truncated("an IPv4 header", 20, bytes.len()));
        };
        let [first, _, l0, l1, n0, n1, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = *fixed;
        let header_length = usize::from(first & 0x0f) * 4;
        let total_length = usize::from(u16::from_be_bytes([l0, l1]));
        if header_length < 20 {
            return bad(format!("header length {header_length}, at least 20 bytes are needed"));
        }
        if total_length < header_length {
            return bad(format!("total length {total_length}, but the header alone has {header_length}"));
        }
        let Some(whole) = bytes.get(..total_length) else {
            return bad(format!("total length {total_length}, but only {} bytes came", bytes.len()));
        };
        let Some((header, payload)) = whole.split_at_checked(header_length) else {
            return bad(format!("header length {header_length} in {total_length} bytes"));
        };
        // RFC 1122 3.2.1.2: a bad checksum is discarded silently.
        let sum = checksum(&[header]);
        if sum != 0 {
            return Err(Discard::new(DropReason::BadIpChecksum, format!("off by 0x{sum:04x}")));
        }
        let fragment = u16::from_be_bytes([f0, f1]);
        Ok(Self {
            source: Ipv4Addr::new(s0, s1, s2, s3),
            destination: Ipv4Addr::new(d0, d1, d2, d3),
            protocol,
            ttl,
            identification: u16::from_be_bytes([n0, n1]),
            dont_fragment: fragment & 0x4000 != 0,
            more_fragments: fragment & 0x2000 != 0,
            fragment_offset: usize::from(fragment & 0x1fff) * 8,
            header,
            payload,
            bytes: whole,
        })
    }

    /// Whether this is only a piece of a datagram.
    pub(crate) fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset > 0
    }
}

/// Takes the payload of a whole datagram apart and verifies its checksum.
pub(crate) fn parse_transport<'a>(packet: &Ipv4Packet<'a>) -> Result<Transport<'a>, Discard> {
    if packet.is_fragment() {
        let detail = format!("a fragment at {} stands for no datagram", packet.fragment_offset);
        return Err(Discard::new(DropReason::BadFragment, detail));
    }
    match packet.protocol {
        protocol::TCP => TcpHeader::parse(packet).map(Transport::Tcp),
        protocol::UDP => UdpHeader::parse(packet).map(Transport::Udp),
        protocol::ICMP => check_icmp(packet.payload).map(Transport::Icmp),
        other => Err(Discard::new(DropReason::UnknownProtocol, format!("protocol {other}"))),
    }
}

impl<'a> TcpHeader<'a> {
    fn parse(packet: &Ipv4Packet<'a>) -> Result<Self, Discard> {
        let segment = packet.payload;
        if segment.len() < 20 {
            return Err(truncated("a TCP header", 20, segment.len()));
        }
        // RFC 9293 3.1: the checksum is never optional (MUST-2, MUST-3).
        let sum = transport_checksum(packet, segment);
        if sum != 0 {
            return Err(Discard::new(DropReason::BadTcpChecksum, format!("off by 0x{sum:04x}")));
        }
        Self::read(packet)
    }

    /// A segment that this host has just made itself: its checksum needs no second look.
    pub(crate) fn read(packet: &Ipv4Packet<'a>) -> Result<Self, Discard> {
        let segment = packet.payload;
        let Some((fixed, rest)) = segment.split_first_chunk::<20>() else {
            return Err(truncated("a TCP header", 20, segment.len()));
        };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, flags, w0, w1, ..] = *fixed;
        let header_length = usize::from(offset >> 4) * 4;
        let options_and_payload = header_length.checked_sub(20).and_then(|n| rest.split_at_checked(n));
        let Some((options, payload)) = options_and_payload else {
            let detail = format!("data offset {header_length} in a segment of {} bytes", segment.len());
            return Err(Discard::new(DropReason::BadTcpHeader, detail));
        };
        let flags = TcpFlags(flags);
        Ok(Self {
            source: SocketAddrV4::new(packet.source, u16::from_be_bytes([s0, s1])),
            destination: SocketAddrV4::new(packet.destination, u16::from_be_bytes([d0, d1])),
            seq: u32::from_be_bytes([q0, q1, q2, q3]),
            ack: flags.has(TcpFlags::ACK).then_some(u32::from_be_bytes([a0, a1, a2, a3])),
            flags,
            window: u16::from_be_bytes([w0, w1]),
            options: parse_tcp_options(options),
            payload,
        })
    }
}

impl<'a> UdpHeader<'a> {
    fn parse(packet: &Ipv4Packet<'a>) -> Result<Self, Discard> {
        let bytes = packet.payload;
        let Some(fixed) = bytes.first_chunk::<8>() else {
            return Err(truncated("a UDP header", 8, bytes.len()));
        };
        let [s0, s1, d0, d1, l0, l1, c0, c1] = *fixed;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let Some((datagram, payload)) = bytes.get(..length).and_then(|all| Some((all, all.get(8..)?))) else {
            let detail = format!("length {length} in an IP payload of {} bytes", bytes.len());
            return Err(Discard::new(DropReason::BadUdpChecksum, detail));
        };
        // RFC 768: an all-zero checksum means that the sender generated none.
        let sum = if [c0, c1] == [0, 0] { 0 } else { transport_checksum(packet, datagram) };
        if sum != 0 {
            return Err(Discard::new(DropReason::BadUdpChecksum, format!("off by 0x{sum:04x}")));
        }
        Ok(Self {
            source: SocketAddrV4::new(packet.source, u16::from_be_bytes([s0, s1])),
            destination: SocketAddrV4::new(packet.destination, u16::from_be_bytes([d0, d1])),
            payload,
        })
    }
}

/// RFC 792: the checksum covers the whole message.
fn check_icmp(message: &[u8]) -> Result<&[u8], Discard> {
    if message.len() < 8 {
        return Err(truncated("an ICMP message", 8, message.len()));
    }
    let sum = checksum(&[message]);
    if sum != 0 {
        return Err(Discard::new(DropReason::BadIcmpChecksum, format!("off by 0x{sum:04x}")));
    }
    Ok(message)
}

/// RFC 9293 3.2: kind and, but for the first two, length, which counts itself and the kind
/// (RFC 9293 MUST-7: lengths that make no sense must not crash us, so the list ends there).
pub(crate) fn parse_tcp_options(mut rest: &[u8]) -> Vec<TcpOption> {
    let mut options = Vec::new();
    while let Some((&kind, behind)) = rest.split_first() {
        match kind {
            0 => break,
            1 => {
                rest = behind;
                continue;
            }
            _ => {}
        }
        let Some((&length, behind)) = behind.split_first() else { break };
        let Some((value, behind)) =
            usize::from(length).checked_sub(2).and_then(|n| behind.split_at_checked(n))
        else {
            break;
        };
        rest = behind;
        options.push(match (kind, value) {
            (2, [a, b]) => TcpOption::Mss(u16::from_be_bytes([*a, *b])),
            (3, [shift]) => TcpOption::WindowScale(*shift),
            (4, []) => TcpOption::SackPermitted,
            (5, blocks) if !blocks.is_empty() && blocks.len() % 8 == 0 => {
                TcpOption::Sack(sack_blocks(blocks))
            }
            (8, [a, b, c, d, e, f, g, h]) => TcpOption::Timestamps(
                u32::from_be_bytes([*a, *b, *c, *d]),
                u32::from_be_bytes([*e, *f, *g, *h]),
            ),
            // A known kind with a length that is not its own.
            (2..=5 | 8, _) => break,
            _ => TcpOption::Other(kind),
        });
    }
    options
}

/// RFC 2018 3: left and right edges.
fn sack_blocks(blocks: &[u8]) -> Vec<(u32, u32)> {
    let (blocks, _) = blocks.as_chunks::<8>();
    blocks
        .iter()
        .map(|[a, b, c, d, e, f, g, h]| {
            (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]))
        })
        .collect()
}

fn transport_checksum(packet: &Ipv4Packet<'_>, bytes: &[u8]) -> u16 {
    let pseudo = pseudo_header(packet.source, packet.destination, packet.protocol, bytes.len());
    checksum(&[&pseudo, bytes])
}

fn truncated(what: &str, needed: usize, came: usize) -> Discard {
    Discard::new(DropReason::Truncated, format!("{what} has at least {needed} bytes, {came} came"))
}

#[cfg(test)]
mod tests;
