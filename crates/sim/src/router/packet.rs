//! The bytes: IPv4 packets (RFC 791), the ICMP messages a router makes (RFC 792), ARP (RFC 826).

use super::service::Outgoing;
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, Icmpv4Header, Icmpv4Type, IpFragOffset, IpNumber, Ipv4Header,
    UdpHeader, UdpSlice, icmpv4,
};
use glasstack_journal::event::{DropReason, MacAddress};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// EtherType of ARP.
pub(super) const ARP: u16 = 0x0806;
/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;

const ETHERNET_HEADER: usize = 14;
/// What a router puts into packets of its own.
const TTL: u8 = 64;
/// How long an ICMP error may be with its IP header, in bytes (RFC 1812 4.3.2.3).
const LONGEST_ERROR: usize = 576;

/// An IPv4 packet whose header is sound.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    header: Ipv4Header,
    payload: Vec<u8>,
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
        }
    }
}

impl IcmpError {
    fn icmp_type(self) -> Icmpv4Type {
        use icmpv4::DestUnreachableHeader as Unreachable;
        Icmpv4Type::DestinationUnreachable(match self {
            Self::TimeExceeded => {
                return Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit);
            }
            Self::NetworkUnreachable => Unreachable::Network,
            Self::HostUnreachable => Unreachable::Host,
            Self::ProtocolUnreachable => Unreachable::Protocol,
            Self::PortUnreachable => Unreachable::Port,
            // RFC 1191 4: the MTU of the next hop in what used to be unused.
            Self::FragmentationNeeded { mtu } => {
                Unreachable::FragmentationNeeded { next_hop_mtu: u16::try_from(mtu).unwrap_or(u16::MAX) }
            }
        })
    }
}

impl Packet {
    /// The packet in an Ethernet frame, without the frame's padding (RFC 1812 5.2.2).
    pub(super) fn parse(frame: &[u8]) -> Result<Self, (DropReason, String)> {
        let bytes = frame.get(ETHERNET_HEADER..).unwrap_or_default();
        let (header, rest) =
            Ipv4Header::from_slice(bytes).map_err(|error| (DropReason::BadIpHeader, error.to_string()))?;
        if header.header_checksum != header.calc_header_checksum() {
            let detail =
                format!("{:#06x} should be {:#06x}", header.header_checksum, header.calc_header_checksum());
            return Err((DropReason::BadIpChecksum, detail));
        }
        let payload =
            usize::from(header.total_len).checked_sub(header.header_len()).and_then(|n| rest.get(..n));
        let Some(payload) = payload else {
            let detail = format!("total length {}, but {} bytes are there", header.total_len, bytes.len());
            return Err((DropReason::BadIpHeader, detail));
        };
        Ok(Self { payload: payload.to_vec(), header })
    }

    pub(super) fn source(&self) -> Ipv4Addr {
        self.header.source.into()
    }

    pub(super) fn destination(&self) -> Ipv4Addr {
        self.header.destination.into()
    }

    pub(super) fn ttl(&self) -> u8 {
        self.header.time_to_live
    }

    pub(super) fn protocol(&self) -> u8 {
        self.header.protocol.0
    }

    pub(super) fn is_udp(&self) -> bool {
        self.header.protocol == IpNumber::UDP
    }

    /// Source, destination and payload of a UDP datagram that is whole and whose length and checksum are
    /// right (RFC 768).
    pub(super) fn udp(&self) -> Option<(SocketAddrV4, SocketAddrV4, &[u8])> {
        if !self.is_udp() || self.header.is_fragmenting_payload() {
            return None;
        }
        let datagram = UdpSlice::from_slice(&self.payload).ok()?;
        let header = datagram.to_header();
        let sum =
            header.calc_checksum_ipv4_raw(self.header.source, self.header.destination, datagram.payload());
        if header.checksum != 0 && sum.ok()? != header.checksum {
            return None;
        }
        let source = SocketAddrV4::new(self.source(), header.source_port);
        Some((source, SocketAddrV4::new(self.destination(), header.destination_port), datagram.payload()))
    }

    /// A UDP datagram of the router's own.
    pub(super) fn datagram(datagram: &Outgoing, identification: u16) -> Self {
        let (source, destination) = (datagram.source.ip().octets(), datagram.destination.ip().octets());
        let ports = (datagram.source.port(), datagram.destination.port());
        let length = u16::try_from(UdpHeader::LEN + datagram.payload.len()).unwrap_or(u16::MAX);
        let mut udp = UdpHeader { source_port: ports.0, destination_port: ports.1, length, checksum: 0 };
        udp.checksum = udp.calc_checksum_ipv4_raw(source, destination, &datagram.payload).unwrap_or(0);
        let header = Ipv4Header {
            identification,
            time_to_live: datagram.ttl,
            protocol: IpNumber::UDP,
            source,
            destination,
            ..Ipv4Header::default()
        };
        Self { header, payload: [&udp.to_bytes()[..], &datagram.payload].concat() }
    }

    pub(super) fn identification(&self) -> u16 {
        self.header.identification
    }

    pub(super) fn dont_fragment(&self) -> bool {
        self.header.dont_fragment
    }

    /// With its header, in bytes.
    pub(super) fn len(&self) -> usize {
        self.header.header_len() + self.payload.len()
    }

    /// Whether it is for more than one host.
    pub(super) fn is_to_a_group(&self) -> bool {
        self.destination().is_multicast() || self.destination().is_broadcast()
    }

    pub(super) fn with_ttl_decremented(mut self) -> Self {
        self.header.time_to_live = self.header.time_to_live.saturating_sub(1);
        self
    }

    /// In pieces that fit `mtu` (RFC 791 3.2, "An Example Fragmentation Procedure"). Options are copied
    /// into every piece, which wastes a few bytes with those that need not be.
    pub(super) fn fragments(&self, mtu: usize) -> Vec<Self> {
        let room = (mtu.saturating_sub(self.header.header_len()) / 8 * 8).max(8);
        let last = self.payload.len().div_ceil(room).saturating_sub(1);
        let first_offset = usize::from(self.header.fragment_offset.value()) * 8;
        let piece = |(n, payload): (usize, &[u8])| {
            let units = (first_offset + n * room) / 8;
            let offset = u16::try_from(units).ok().and_then(|units| IpFragOffset::try_new(units).ok())?;
            let mut header = self.header.clone();
            header.fragment_offset = offset;
            header.more_fragments = n < last || self.header.more_fragments;
            Some(Self { header, payload: payload.to_vec() })
        };
        self.payload.chunks(room).enumerate().filter_map(piece).collect()
    }

    /// RFC 1812 4.3.2.7: no error about an ICMP error, a later fragment, or a packet to or from more
    /// than one host.
    pub(super) fn forbids_errors(&self) -> bool {
        // RFC 1122 3.2.2: the types that are queries, not errors.
        const QUERIES: [u8; 8] = [0, 8, 13, 14, 15, 16, 17, 18];
        let is_error = self.header.protocol == IpNumber::ICMP
            && self.payload.first().is_none_or(|icmp_type| !QUERIES.contains(icmp_type));
        let source = self.source();
        is_error
            || self.header.fragment_offset.value() != 0
            || self.is_to_a_group()
            || source.is_unspecified()
            || source.is_loopback()
            || source.is_multicast()
            || source.is_broadcast()
    }

    /// The ICMP error about this packet, from `source` to this packet's sender. It quotes as much of the
    /// packet as fits (RFC 1812 4.3.2.3).
    pub(super) fn error_about(&self, error: IcmpError, source: Ipv4Addr, identification: u16) -> Self {
        let mut quoted = self.ip_bytes();
        quoted.truncate(LONGEST_ERROR - Ipv4Header::MIN_LEN - 8);
        let mut payload = Icmpv4Header::with_checksum(error.icmp_type(), &quoted).to_bytes().to_vec();
        payload.extend(quoted);
        Self::own(source, self.source(), identification, payload)
    }

    /// The reply to an echo request that came whole (RFC 792); none if it is anything else.
    pub(super) fn echo_reply(&self, identification: u16) -> Option<Self> {
        if self.header.protocol != IpNumber::ICMP || self.header.is_fragmenting_payload() {
            return None;
        }
        let (request, data) = Icmpv4Header::from_slice(&self.payload).ok()?;
        let Icmpv4Type::EchoRequest(echo) = request.icmp_type else { return None };
        if Icmpv4Header::with_checksum(request.icmp_type, data).checksum != request.checksum {
            return None;
        }
        let mut payload = Icmpv4Header::with_checksum(Icmpv4Type::EchoReply(echo), data).to_bytes().to_vec();
        payload.extend_from_slice(data);
        Some(Self::own(self.destination(), self.source(), identification, payload))
    }

    /// In an Ethernet frame, with its checksum computed afresh.
    pub(super) fn framed(&self, source: MacAddress, destination: MacAddress) -> Vec<u8> {
        let mut bytes = ethernet(source, destination, IPV4);
        bytes.extend(self.ip_bytes());
        bytes
    }

    fn own(source: Ipv4Addr, destination: Ipv4Addr, identification: u16, payload: Vec<u8>) -> Self {
        let header = Ipv4Header {
            identification,
            time_to_live: TTL,
            protocol: IpNumber::ICMP,
            source: source.octets(),
            destination: destination.octets(),
            ..Ipv4Header::default()
        };
        Self { header, payload }
    }

    fn ip_bytes(&self) -> Vec<u8> {
        let mut header = self.header.clone();
        header.total_len = u16::try_from(self.len()).unwrap_or(u16::MAX);
        header.header_checksum = header.calc_header_checksum();
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// An ARP packet for Ethernet and IPv4.
pub(super) struct ArpView {
    pub(super) is_request: bool,
    pub(super) sender_mac: MacAddress,
    pub(super) sender: Ipv4Addr,
    pub(super) target: Ipv4Addr,
}

/// None if it is malformed, for other protocols, or from a group (RFC 826, RFC 1812 3.3.2).
pub(super) fn parse_arp(frame: &[u8]) -> Option<ArpView> {
    let arp = ArpPacket::from_slice(frame.get(ETHERNET_HEADER..)?).ok()?.try_eth_ipv4().ok()?;
    let sender_mac = MacAddress(arp.sender_mac);
    (!sender_mac.is_multicast()).then(|| ArpView {
        is_request: arp.operation == ArpOperation::REQUEST,
        sender_mac,
        sender: arp.sender_ipv4.into(),
        target: arp.target_ipv4.into(),
    })
}

pub(super) fn arp_request(mac: MacAddress, address: Ipv4Addr, wanted: Ipv4Addr) -> Vec<u8> {
    let body = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: mac.0,
        sender_ipv4: address.octets(),
        target_mac: [0; 6],
        target_ipv4: wanted.octets(),
    };
    let mut bytes = ethernet(mac, MacAddress::BROADCAST, ARP);
    bytes.extend(body.to_bytes());
    bytes
}

pub(super) fn arp_reply(mac: MacAddress, address: Ipv4Addr, request: &ArpView) -> Vec<u8> {
    let body = ArpEthIpv4Packet {
        operation: ArpOperation::REPLY,
        sender_mac: mac.0,
        sender_ipv4: address.octets(),
        target_mac: request.sender_mac.0,
        target_ipv4: request.sender.octets(),
    };
    let mut bytes = ethernet(mac, request.sender_mac, ARP);
    bytes.extend(body.to_bytes());
    bytes
}

/// RFC 1112 6.4: the last 23 bits of the group's address in Ethernet's.
pub(super) fn group_mac(group: Ipv4Addr) -> MacAddress {
    let [_, b, c, d] = group.octets();
    MacAddress([1, 0, 0x5e, b & 0x7f, c, d])
}

fn ethernet(source: MacAddress, destination: MacAddress, ether_type: u16) -> Vec<u8> {
    let mut bytes = destination.0.to_vec();
    bytes.extend(source.0);
    bytes.extend(ether_type.to_be_bytes());
    bytes
}
