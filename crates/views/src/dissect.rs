//! What a frame is, read from its bytes alone. Used where no record explains the frame, and for
//! what the records do not repeat (who asks whom, what a segment carries).
//!
//! Anything may be in the bytes: what cannot be read is called what it is, and nothing panics.

pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod payload;
mod rip;

use dns::Message;
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, Icmpv4Type, LaxNetSlice, LaxSlicedPacket, LinkSlice, TransportSlice,
};
use glasstack_journal::event::{MacAddress, Medium, TcpFlags};
use std::net::{IpAddr, Ipv4Addr};

/// A frame taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Packet<'a> {
    /// Source and destination on the link; none on [`Medium::Ip`].
    pub(crate) stations: Option<(MacAddress, MacAddress)>,
    /// Source and destination address; of an ARP packet the sender's and the target's.
    pub(crate) hosts: Option<(IpAddr, IpAddr)>,
    /// What is in it.
    pub(crate) what: What<'a>,
}

/// What a frame carries.
#[derive(Clone, Debug)]
pub(crate) enum What<'a> {
    /// Who has an address?
    ArpRequest { target: Ipv4Addr },
    /// This one has it.
    ArpReply { sender: Ipv4Addr, mac: MacAddress },
    /// A segment.
    Tcp(Segment<'a>),
    /// A datagram.
    Udp { source: u16, destination: u16, payload: &'a [u8] },
    /// Echo or error, in words.
    Icmp { words: String },
    /// A piece of a datagram that is not its beginning.
    Fragment { protocol: &'static str, offset: usize, more: bool },
    /// Anything else, in words.
    Other { words: String },
}

/// A TCP segment's fields as they are on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) source: u16,
    pub(crate) destination: u16,
    pub(crate) seq: u32,
    pub(crate) ack: Option<u32>,
    pub(crate) flags: TcpFlags,
    pub(crate) payload: &'a [u8],
}

/// Takes a frame apart.
pub(crate) fn dissect(medium: Medium, bytes: &[u8]) -> Packet<'_> {
    let sliced = match medium {
        Medium::Ethernet => LaxSlicedPacket::from_ethernet(bytes).ok(),
        Medium::Ip => LaxSlicedPacket::from_ip(bytes).ok(),
    };
    let Some(sliced) = sliced else {
        return Packet {
            stations: None,
            hosts: None,
            what: other(format!("{} bytes without a whole header", bytes.len())),
        };
    };
    let stations = match &sliced.link {
        Some(LinkSlice::Ethernet2(header)) => {
            Some((MacAddress(header.source()), MacAddress(header.destination())))
        }
        _ => None,
    };
    let hosts = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            Some((ip.header().source_addr().into(), ip.header().destination_addr().into()))
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            Some((ip.header().source_addr().into(), ip.header().destination_addr().into()))
        }
        Some(LaxNetSlice::Arp(arp)) => {
            arp.to_packet().try_eth_ipv4().ok().map(|arp| (ip4(arp.sender_ipv4), ip4(arp.target_ipv4)))
        }
        None => None,
    };
    Packet { stations, hosts, what: what(&sliced) }
}

fn what<'a>(sliced: &LaxSlicedPacket<'a>) -> What<'a> {
    match (&sliced.net, &sliced.transport) {
        (Some(LaxNetSlice::Arp(arp)), _) => match arp.to_packet().try_eth_ipv4() {
            Ok(arp) => arp_packet(&arp),
            Err(_) => other("ARP that is not about Ethernet and IPv4"),
        },
        (_, Some(TransportSlice::Tcp(tcp))) => What::Tcp(Segment {
            source: tcp.source_port(),
            destination: tcp.destination_port(),
            seq: tcp.sequence_number(),
            ack: tcp.ack().then(|| tcp.acknowledgment_number()),
            flags: TcpFlags(tcp.header_slice().get(13).map_or(0, |bits| bits & 0x3f)),
            payload: tcp.payload(),
        }),
        (_, Some(TransportSlice::Udp(udp))) => What::Udp {
            source: udp.source_port(),
            destination: udp.destination_port(),
            payload: udp.payload(),
        },
        (_, Some(TransportSlice::Icmpv4(icmp))) => What::Icmp { words: icmp_words(&icmp.icmp_type()) },
        (_, Some(TransportSlice::Icmpv6(_))) => other("ICMPv6"),
        (_, Some(TransportSlice::Igmp(_))) => other("IGMP"),
        (Some(LaxNetSlice::Ipv4(ip)), None) => {
            let header = ip.header();
            let protocol = header.protocol().keyword_str().unwrap_or("unknown protocol");
            let offset = usize::from(header.fragments_offset().value()) * 8;
            if offset > 0 || header.more_fragments() {
                What::Fragment { protocol, offset, more: header.more_fragments() }
            } else {
                other(format!("IPv4 with protocol {} ({protocol})", header.protocol().0))
            }
        }
        (Some(LaxNetSlice::Ipv6(_)), None) => other("IPv6"),
        (None, None) => match &sliced.link {
            Some(LinkSlice::Ethernet2(header)) => other(format!("EtherType 0x{:04x}", header.ether_type().0)),
            _ => other("a packet that is neither IPv4 nor IPv6"),
        },
    }
}

fn arp_packet(arp: &ArpEthIpv4Packet) -> What<'static> {
    match arp.operation {
        ArpOperation::REQUEST => What::ArpRequest { target: arp.target_ipv4.into() },
        ArpOperation::REPLY => {
            What::ArpReply { sender: arp.sender_ipv4.into(), mac: MacAddress(arp.sender_mac) }
        }
        ArpOperation(code) => other(format!("ARP operation {code}")),
    }
}

fn icmp_words(icmp: &Icmpv4Type) -> String {
    use etherparse::icmpv4::{DestUnreachableHeader, TimeExceededCode};
    match icmp {
        Icmpv4Type::EchoRequest(echo) => format!("echo request, id {}, seq {}", echo.id, echo.seq),
        Icmpv4Type::EchoReply(echo) => format!("echo reply, id {}, seq {}", echo.id, echo.seq),
        Icmpv4Type::DestinationUnreachable(why) => match why {
            DestUnreachableHeader::Network => "network unreachable".to_owned(),
            DestUnreachableHeader::Host => "host unreachable".to_owned(),
            DestUnreachableHeader::Protocol => "protocol unreachable".to_owned(),
            DestUnreachableHeader::Port => "port unreachable".to_owned(),
            DestUnreachableHeader::FragmentationNeeded { next_hop_mtu } => {
                format!("fragmentation needed, next hop's MTU {next_hop_mtu}")
            }
            other => format!("destination unreachable, code {}", other.code_u8()),
        },
        Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit) => {
            "time exceeded: TTL ran out".to_owned()
        }
        Icmpv4Type::TimeExceeded(_) => "time exceeded: fragments missing".to_owned(),
        Icmpv4Type::Redirect(_) => "redirect".to_owned(),
        Icmpv4Type::Unknown { type_u8, code_u8, .. } => format!("type {type_u8}, code {code_u8}"),
        _ => "message".to_owned(),
    }
}

fn other(words: impl Into<String>) -> What<'static> {
    What::Other { words: words.into() }
}

fn ip4(octets: [u8; 4]) -> IpAddr {
    Ipv4Addr::from(octets).into()
}

impl<'a> Packet<'a> {
    /// The DNS message inside, over UDP, or over TCP where the segment begins with one.
    pub(crate) fn dns(&self) -> Option<Message> {
        match &self.what {
            What::Udp { source: 53, payload, .. } | What::Udp { destination: 53, payload, .. } => {
                Message::parse(payload)
            }
            What::Tcp(segment) if segment.source == 53 || segment.destination == 53 => {
                // RFC 1035 4.2.2: over TCP a message is prefixed with its length.
                segment.payload.get(2..).and_then(Message::parse)
            }
            _ => None,
        }
    }

    /// The DHCP message inside.
    fn dhcp(&self) -> Option<dhcp::Message> {
        match &self.what {
            What::Udp { source: 67 | 68, destination: 67 | 68, payload } => dhcp::Message::parse(payload),
            _ => None,
        }
    }

    /// The RIP message inside.
    pub(crate) fn rip(&self) -> Option<rip::Message> {
        match &self.what {
            What::Udp { source: 520, payload, .. } | What::Udp { destination: 520, payload, .. } => {
                rip::Message::parse(payload)
            }
            _ => None,
        }
    }

    /// Short words for the ladder: `TCP SYN ACK`, `ARP who has 10.0.0.1?`, `DNS query A example.test`.
    pub(crate) fn label(&self) -> String {
        if let (What::Udp { .. }, Some(message)) = (&self.what, self.dns()) {
            return message.label();
        }
        if let Some(message) = self.dhcp() {
            return message.label();
        }
        if let Some(message) = self.rip() {
            return message.label();
        }
        match &self.what {
            What::ArpRequest { target } => match self.hosts {
                // RFC 5227 1.1: who asks from no address probes, who asks for its own announces it.
                Some((sender, _)) if sender.is_unspecified() => format!("ARP probe for {target}"),
                Some((sender, _)) if sender == *target => format!("ARP announces {target}"),
                _ => format!("ARP who has {target}?"),
            },
            What::ArpReply { sender, mac } => format!("ARP {sender} is at {mac}"),
            What::Tcp(segment) => format!("TCP {}", segment.flags),
            What::Udp { source, destination, .. } => format!("UDP {source} -> {destination}"),
            What::Icmp { words } => format!("ICMP {words}"),
            What::Fragment { protocol, offset, .. } => format!("IPv4 fragment of {protocol} at {offset}"),
            What::Other { words } => words.clone(),
        }
    }

    /// What can be said of the purpose from the bytes alone.
    pub(crate) fn likely_reason(&self) -> &'static str {
        match &self.what {
            What::ArpRequest { .. } => "asks for a MAC address",
            What::ArpReply { .. } => "tells a MAC address",
            What::Tcp(segment) => segment.likely_reason(),
            What::Udp { .. } => match self.dns() {
                Some(message) if message.response => "answers a question",
                Some(_) => "asks for a name",
                None => match self.dhcp() {
                    Some(message) if message.from_server => "answers a client",
                    Some(_) => "asks for an address, or gives it back",
                    None => match self.rip() {
                        Some(message) if message.is_response => "tells where networks are",
                        Some(_) => "asks where networks are",
                        None => "carries a datagram",
                    },
                },
            },
            What::Icmp { .. } => "tells about the network",
            What::Fragment { .. } => "a piece of a datagram larger than the MTU",
            What::Other { .. } => "not spoken here",
        }
    }
}

impl Segment<'_> {
    fn likely_reason(&self) -> &'static str {
        if self.flags.has(TcpFlags::RST) {
            "resets the connection"
        } else if self.flags.has(TcpFlags::SYN | TcpFlags::ACK) {
            "answers a SYN"
        } else if self.flags.has(TcpFlags::SYN) {
            "asks to open a connection"
        } else if self.flags.has(TcpFlags::FIN) {
            "closes one direction"
        } else if self.payload.is_empty() {
            "acknowledges"
        } else {
            "carries data"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::frames;

    fn label(bytes: &[u8]) -> String {
        dissect(Medium::Ethernet, bytes).label()
    }

    #[test]
    fn the_usual_frames_are_named() {
        assert_eq!(label(&frames::arp_request(1, 2)), "ARP who has 10.0.0.2?");
        let mut probe = frames::arp_request(1, 2);
        probe[28..32].fill(0);
        assert_eq!(label(&probe), "ARP probe for 10.0.0.2");
        assert_eq!(label(&frames::arp_request(2, 2)), "ARP announces 10.0.0.2");
        assert_eq!(label(&frames::arp_reply(2, 1)), "ARP 10.0.0.2 is at 02:00:00:00:00:02");
        assert_eq!(label(&frames::tcp(1, 2, (49152, 80), TcpFlags::SYN, 7, 0, b"")), "TCP SYN");
        assert_eq!(label(&frames::udp(1, 2, (49152, 9), b"hi")), "UDP 49152 -> 9");
        assert_eq!(label(&frames::echo_request(1, 2, 5, 1)), "ICMP echo request, id 5, seq 1");
        let query = frames::dns_query(0x1a2b, "www.example.test");
        assert_eq!(label(&frames::udp(1, 2, (49152, 53), &query)), "DNS query A www.example.test");
    }

    #[test]
    fn a_bare_ip_packet_has_no_stations() {
        let frame = frames::tcp(1, 2, (49152, 80), TcpFlags::SYN, 7, 0, b"");
        let packet = dissect(Medium::Ip, &frame[14..]);
        assert!(packet.stations.is_none());
        assert_eq!(packet.label(), "TCP SYN");
    }

    #[test]
    fn no_prefix_of_a_frame_and_no_flipped_byte_panics() {
        let query = frames::dns_query(1, "www.example.test");
        for frame in [
            frames::arp_request(1, 2),
            frames::tcp(1, 2, (49152, 80), TcpFlags::PSH | TcpFlags::ACK, 7, 9, b"GET / HTTP/1.1\r\n"),
            frames::udp(1, 2, (49152, 53), &query),
            frames::echo_request(1, 2, 5, 1),
        ] {
            for end in 0..frame.len() {
                let packet = dissect(Medium::Ethernet, &frame[..end]);
                let _ = (packet.label(), packet.likely_reason());
                let _ = dissect(Medium::Ip, &frame[..end]).label();
            }
            for index in 0..frame.len() {
                for value in [0x00, 0x7f, 0xc0, 0xff] {
                    let mut frame = frame.clone();
                    frame[index] = value;
                    let packet = dissect(Medium::Ethernet, &frame);
                    let _ = (packet.label(), packet.likely_reason());
                }
            }
        }
    }
}
