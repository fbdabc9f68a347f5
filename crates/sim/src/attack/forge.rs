//! Frames made by hand: what attackers, and faults that put frames of their own on a cable, send.

use crate::arp::{ARP, ArpPacket};
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use glasstack_journal::event::{MacAddress, TcpFlags};
use glasstack_stack::checksum::checksum;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

/// EtherTypes (IANA, "IEEE 802 Numbers").
const IPV4: u16 = 0x0800;
const VLAN: u16 = 0x8100;
/// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// What a usual host puts into its packets.
const TTL: u8 = 64;
/// Where the checksum is in each header, in bytes (RFC 791 3.1, RFC 792, RFC 9293 3.1, RFC 768).
const IP_CHECKSUM: usize = 10;
const ICMP_CHECKSUM: usize = 2;
const TCP_CHECKSUM: usize = 16;
const UDP_CHECKSUM: usize = 6;

/// The link header of a forged frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who seems to send it.
    pub source: MacAddress,
    /// Who is to get it.
    pub destination: MacAddress,
    /// The VLAN of its tag (IEEE 802.1Q), if it has one.
    pub vlan: Option<u16>,
}

impl Header {
    /// A header without a tag.
    pub fn new(source: MacAddress, destination: MacAddress) -> Self {
        Self { source, destination, vlan: None }
    }

    /// The header of an answer.
    pub fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }

    fn bytes(self, ether_type: u16) -> Vec<u8> {
        let mut bytes = [self.destination.0, self.source.0].concat();
        if let Some(vlan) = self.vlan {
            bytes.extend(VLAN.to_be_bytes());
            bytes.extend((vlan & 0x0fff).to_be_bytes());
        }
        bytes.extend(ether_type.to_be_bytes());
        bytes
    }
}

/// What of a TCP segment is not its ports and data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// The sequence number.
    pub seq: u32,
    /// The acknowledgment number; it counts if the flags have ACK.
    pub ack: u32,
    /// The control bits.
    pub flags: TcpFlags,
    /// The window, as on the wire.
    pub window: u16,
}

/// An ARP packet for IPv4 (RFC 826): 1 asks, 2 replies.
pub fn arp(
    header: Header,
    operation: u16,
    sender: (MacAddress, Ipv4Addr),
    target: (MacAddress, Ipv4Addr),
) -> Vec<u8> {
    arp_packet(header, &ArpPacket { operation, sender, target })
}

/// An ARP packet behind its link header.
pub(super) fn arp_packet(header: Header, packet: &ArpPacket) -> Vec<u8> {
    let mut frame = header.bytes(ARP);
    frame.extend(packet.bytes());
    frame
}

/// A UDP datagram (RFC 768).
pub fn udp(header: Header, from: SocketAddrV4, to: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let head = [from.port(), to.port(), length, 0].map(u16::to_be_bytes).concat();
    packet(header, *from.ip(), *to.ip(), UDP, &[&head, payload])
}

/// A TCP segment without options (RFC 9293 3.1).
pub fn tcp(
    header: Header,
    from: SocketAddrV4,
    to: SocketAddrV4,
    control: Control,
    payload: &[u8],
) -> Vec<u8> {
    let ports = [from.port(), to.port()].map(u16::to_be_bytes).concat();
    let numbers = [control.seq, control.ack].map(u32::to_be_bytes).concat();
    let flags = [5 << 4, control.flags.0];
    let window = [control.window, 0, 0].map(u16::to_be_bytes).concat();
    packet(header, *from.ip(), *to.ip(), TCP, &[&ports, &numbers, &flags, &window, payload])
}

/// An ICMP message (RFC 792): type and code, the four bytes that depend on them, the rest.
pub fn icmp(
    header: Header,
    from: Ipv4Addr,
    to: Ipv4Addr,
    type_and_code: (u8, u8),
    four: [u8; 4],
    rest: &[u8],
) -> Vec<u8> {
    packet(header, from, to, ICMP, &[&[type_and_code.0, type_and_code.1, 0, 0], &four, rest])
}

fn packet(header: Header, from: Ipv4Addr, to: Ipv4Addr, protocol: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let mut frame = header.bytes(IPV4);
    frame.extend([0x45, 0]);
    frame.extend(u16::try_from(payload.len() + 20).unwrap_or(u16::MAX).to_be_bytes());
    frame.extend([0, 0, 0, 0, TTL, protocol, 0, 0]);
    frame.extend(from.octets());
    frame.extend(to.octets());
    frame.extend(payload);
    mend(&mut frame);
    frame
}

/// Makes the checksums of IPv4, ICMP, TCP and UDP right, whatever they were. Those of a fragment's payload
/// stay as they are: no fragment alone could tell.
pub fn mend(frame: &mut [u8]) {
    let Some(Layout { ip, transport, protocol, is_fragment, .. }) = Layout::of(frame) else { return };
    put(frame, ip.start + IP_CHECKSUM, 0);
    let sum = checksum(&[frame.get(ip.clone()).unwrap_or_default()]);
    put(frame, ip.start + IP_CHECKSUM, sum);
    let at = match protocol {
        ICMP => ICMP_CHECKSUM,
        TCP => TCP_CHECKSUM,
        UDP => UDP_CHECKSUM,
        _ => return,
    };
    if is_fragment || transport.len() < at + 2 {
        return;
    }
    put(frame, transport.start + at, 0);
    let body = frame.get(transport.clone()).unwrap_or_default();
    let addresses = frame.get(ip.start + 12..ip.start + 20).unwrap_or_default();
    let [length_high, length_low] = u16::try_from(transport.len()).unwrap_or(u16::MAX).to_be_bytes();
    let pseudo_header = [0, protocol, length_high, length_low];
    let sum = match protocol {
        ICMP => checksum(&[body]),
        // RFC 768: a sum of zero is sent as all ones, since zero says that there is none.
        UDP => Some(checksum(&[addresses, &pseudo_header, body])).filter(|sum| *sum != 0).unwrap_or(0xffff),
        _ => checksum(&[addresses, &pseudo_header, body]),
    };
    put(frame, transport.start + at, sum);
}

/// Where the parts of an IPv4 packet are in its frame, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The IP header.
    pub ip: Range<usize>,
    /// What is behind it: the header of TCP, UDP or ICMP, and what they carry.
    pub transport: Range<usize>,
    /// What TCP, UDP or ICMP carries; empty at the end if it is none of them.
    pub payload: Range<usize>,
    /// The protocol number.
    pub protocol: u8,
    /// Whether it is a piece of a larger packet.
    pub is_fragment: bool,
}

impl Layout {
    /// Of this frame; none if it is not IPv4.
    pub fn of(frame: &[u8]) -> Option<Self> {
        let sliced = LaxSlicedPacket::from_ethernet(frame).ok()?;
        let LaxNetSlice::Ipv4(packet) = sliced.net.as_ref()? else { return None };
        let header = packet.header();
        // Every part's slice lies inside the frame's.
        let begins = |part: &[u8]| (part.as_ptr() as usize).checked_sub(frame.as_ptr() as usize);
        let ip = begins(header.slice())?;
        let behind = ip + header.slice().len();
        let ends = (ip + usize::from(header.total_len())).clamp(behind, frame.len().max(behind));
        let payload = match sliced.transport.as_ref() {
            Some(TransportSlice::Tcp(tcp)) => begins(tcp.payload())?,
            Some(TransportSlice::Udp(udp)) => begins(udp.payload())?,
            Some(TransportSlice::Icmpv4(icmp)) => begins(icmp.payload())?,
            _ => ends,
        };
        Some(Self {
            ip: ip..behind,
            transport: behind..ends,
            payload: payload.min(ends)..ends,
            protocol: header.protocol().0,
            is_fragment: header.is_fragmenting_payload(),
        })
    }
}

fn put(frame: &mut [u8], at: usize, value: u16) {
    if let Some(two) = frame.get_mut(at..at + 2) {
        two.copy_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::FrameView;
    use glasstack_journal::event::FrameId;

    const HEADER: Header = Header {
        source: MacAddress([2, 0, 0, 0, 0, 1]),
        destination: MacAddress([2, 0, 0, 0, 0, 2]),
        vlan: None,
    };

    fn address(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    fn a_forged_frame_is_what_another_library_would_make() {
        let (from, to) = (address("10.0.0.1:5000"), address("10.0.0.2:53"));
        let builder = etherparse::PacketBuilder::ethernet2(HEADER.source.0, HEADER.destination.0);
        let builder = builder.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let mut theirs = Vec::new();
        builder.udp(5_000, 53).write(&mut theirs, b"hello").unwrap();
        let mut ours = udp(HEADER, from, to, b"hello");
        // Theirs forbids fragments.
        ours[20] = theirs[20];
        mend(&mut ours);
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_changed_byte_is_hidden_by_mending_and_a_cut_frame_is_left_alone() {
        let control = Control { seq: 7, ack: 9, flags: TcpFlags(TcpFlags::ACK | TcpFlags::RST), window: 0 };
        let whole = tcp(HEADER, address("10.0.0.1:80"), address("10.0.0.2:50000"), control, b"data");
        let view = FrameView::new(FrameId(1), &whole);
        assert!(view.is_rst());
        assert_eq!((view.tcp_seq(), view.tcp_ack(), view.payload()), (Some(7), Some(9), b"data".as_slice()));
        let mut changed = whole.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        mend(&mut changed);
        assert_ne!(changed[50..52], whole[50..52]);
        for length in 0..whole.len() {
            mend(&mut whole[..length].to_vec());
        }
    }

    #[test]
    fn a_tag_stands_before_the_type() {
        let tagged = Header { vlan: Some(10), ..HEADER };
        let frame =
            arp(tagged, 2, (HEADER.source, Ipv4Addr::LOCALHOST), (HEADER.destination, Ipv4Addr::LOCALHOST));
        let view = FrameView::new(FrameId(1), &frame);
        assert!(view.is_arp_reply() && view.vlan() == Some(10));
    }
}
