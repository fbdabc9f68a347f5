//! A frame as a fault, a test or an odd node looks at it: parsed only as far as it is asked.

use etherparse::{LaxNetSlice, LaxSlicedPacket, TcpSlice, TransportSlice};
use glasstack_journal::event::{FrameId, MacAddress, TcpFlags};
use std::cell::OnceCell;
use std::net::{IpAddr, Ipv4Addr};

/// EtherType of a VLAN tag (IEEE 802.1Q-2018, table 9-1).
pub(crate) const VLAN_TAG: u16 = 0x8100;
/// EtherType of a provider's VLAN tag around it.
const SERVICE_TAG: u16 = 0x88a8;

/// An Ethernet frame to look at. Every question that does not apply to it, or to what is left of
/// it after a cut, is answered with `None` or `false`.
pub struct FrameView<'a> {
    id: FrameId,
    bytes: &'a [u8],
    parsed: OnceCell<Option<LaxSlicedPacket<'a>>>,
}

impl<'a> FrameView<'a> {
    /// A view of `bytes`, which begin with the Ethernet header.
    pub fn new(id: FrameId, bytes: &'a [u8]) -> Self {
        Self { id, bytes, parsed: OnceCell::new() }
    }

    /// The frame's number in the journal.
    pub fn id(&self) -> FrameId {
        self.id
    }

    /// The whole frame.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The frame's length, in bytes, with its Ethernet header.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Who sent it on this link.
    pub fn source_mac(&self) -> Option<MacAddress> {
        self.bytes.get(6..12)?.try_into().ok().map(MacAddress)
    }

    /// Who is to get it on this link.
    pub fn destination_mac(&self) -> Option<MacAddress> {
        self.bytes.get(..6)?.try_into().ok().map(MacAddress)
    }

    /// Whether it is for every station on the link.
    pub fn is_broadcast(&self) -> bool {
        self.destination_mac() == Some(MacAddress::BROADCAST)
    }

    /// What stands behind its addresses (IEEE 802 EtherType): what it carries, or that it has a VLAN tag
    /// (0x8100).
    pub fn ether_type(&self) -> Option<u16> {
        self.bytes.get(12..14)?.try_into().ok().map(u16::from_be_bytes)
    }

    /// The VLAN that its outermost tag names, 0 to 4095 (IEEE 802.1Q); none if it has no tag. All other
    /// questions look through tags.
    pub fn vlan(&self) -> Option<u16> {
        let tag: [u8; 2] = self.bytes.get(14..16)?.try_into().ok()?;
        let is_tagged = matches!(self.ether_type(), Some(VLAN_TAG | SERVICE_TAG));
        is_tagged.then(|| u16::from_be_bytes(tag) & 0x0fff)
    }

    /// Whether it is ARP.
    pub fn is_arp(&self) -> bool {
        self.arp().is_some()
    }

    /// Whether it is an ARP request.
    pub fn is_arp_request(&self) -> bool {
        self.arp().is_some_and(|arp| arp.operation().0 == 1)
    }

    /// Whether it is an ARP reply.
    pub fn is_arp_reply(&self) -> bool {
        self.arp().is_some_and(|arp| arp.operation().0 == 2)
    }

    /// Whether it is IPv4.
    pub fn is_ipv4(&self) -> bool {
        matches!(self.net(), Some(LaxNetSlice::Ipv4(_)))
    }

    /// The IP packet's length, in bytes, with its header: what an MTU limits.
    pub fn ip_len(&self) -> Option<usize> {
        match self.net()? {
            LaxNetSlice::Ipv4(ip) => Some(usize::from(ip.header().total_len())),
            LaxNetSlice::Ipv6(ip) => Some(usize::from(ip.header().payload_length()) + 40),
            LaxNetSlice::Arp(_) => None,
        }
    }

    /// The IP source address.
    pub fn source_ip(&self) -> Option<IpAddr> {
        match self.net()? {
            LaxNetSlice::Ipv4(ip) => Some(Ipv4Addr::from(ip.header().source()).into()),
            LaxNetSlice::Ipv6(ip) => Some(ip.header().source_addr().into()),
            LaxNetSlice::Arp(_) => None,
        }
    }

    /// The IP destination address.
    pub fn destination_ip(&self) -> Option<IpAddr> {
        match self.net()? {
            LaxNetSlice::Ipv4(ip) => Some(Ipv4Addr::from(ip.header().destination()).into()),
            LaxNetSlice::Ipv6(ip) => Some(ip.header().destination_addr().into()),
            LaxNetSlice::Arp(_) => None,
        }
    }

    /// The IPv4 time to live, in hops.
    pub fn ttl(&self) -> Option<u8> {
        match self.net()? {
            LaxNetSlice::Ipv4(ip) => Some(ip.header().ttl()),
            _ => None,
        }
    }

    /// Whether routers must not fragment it (RFC 791).
    pub fn dont_fragment(&self) -> bool {
        matches!(self.net(), Some(LaxNetSlice::Ipv4(ip)) if ip.header().dont_fragment())
    }

    /// Whether it is a piece of a larger datagram.
    pub fn is_fragment(&self) -> bool {
        matches!(self.net(), Some(LaxNetSlice::Ipv4(ip)) if ip.is_payload_fragmented())
    }

    /// The IPv4 protocol number: 1 ICMP, 6 TCP, 17 UDP.
    pub fn protocol(&self) -> Option<u8> {
        match self.net()? {
            LaxNetSlice::Ipv4(ip) => Some(ip.header().protocol().0),
            _ => None,
        }
    }

    /// Whether it is TCP.
    pub fn is_tcp(&self) -> bool {
        self.tcp().is_some()
    }

    /// Whether it is UDP.
    pub fn is_udp(&self) -> bool {
        matches!(self.transport(), Some(TransportSlice::Udp(_)))
    }

    /// Whether it is ICMP.
    pub fn is_icmp(&self) -> bool {
        matches!(self.transport(), Some(TransportSlice::Icmpv4(_)))
    }

    /// ICMP type and code (RFC 792).
    pub fn icmp_type(&self) -> Option<(u8, u8)> {
        match self.transport()? {
            TransportSlice::Icmpv4(icmp) => Some((icmp.type_u8(), icmp.code_u8())),
            _ => None,
        }
    }

    /// The source port, of TCP or UDP.
    pub fn source_port(&self) -> Option<u16> {
        match self.transport()? {
            TransportSlice::Tcp(tcp) => Some(tcp.source_port()),
            TransportSlice::Udp(udp) => Some(udp.source_port()),
            _ => None,
        }
    }

    /// The destination port, of TCP or UDP.
    pub fn destination_port(&self) -> Option<u16> {
        match self.transport()? {
            TransportSlice::Tcp(tcp) => Some(tcp.destination_port()),
            TransportSlice::Udp(udp) => Some(udp.destination_port()),
            _ => None,
        }
    }

    /// Whether `port` is its source or its destination, of TCP or UDP.
    pub fn has_port(&self, port: u16) -> bool {
        self.source_port() == Some(port) || self.destination_port() == Some(port)
    }

    /// What TCP, UDP or ICMP carries (without padding of the frame); empty if none of them.
    pub fn payload(&self) -> &'a [u8] {
        match self.transport() {
            Some(TransportSlice::Tcp(tcp)) => tcp.payload(),
            Some(TransportSlice::Udp(udp)) => udp.payload(),
            Some(TransportSlice::Icmpv4(icmp)) => icmp.payload(),
            _ => &[],
        }
    }

    /// The TCP control bits.
    pub fn tcp_flags(&self) -> Option<TcpFlags> {
        let tcp = self.tcp()?;
        let bits = [
            (tcp.fin(), TcpFlags::FIN),
            (tcp.syn(), TcpFlags::SYN),
            (tcp.rst(), TcpFlags::RST),
            (tcp.psh(), TcpFlags::PSH),
            (tcp.ack(), TcpFlags::ACK),
            (tcp.urg(), TcpFlags::URG),
        ];
        Some(TcpFlags(bits.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum()))
    }

    /// The TCP sequence number, as on the wire.
    pub fn tcp_seq(&self) -> Option<u32> {
        self.tcp().map(TcpSlice::sequence_number)
    }

    /// The TCP acknowledgment number, if it is significant.
    pub fn tcp_ack(&self) -> Option<u32> {
        self.tcp().filter(|tcp| tcp.ack()).map(TcpSlice::acknowledgment_number)
    }

    /// Whether it is a TCP SYN without ACK: the first step of a handshake.
    pub fn is_syn(&self) -> bool {
        self.tcp().is_some_and(|tcp| tcp.syn() && !tcp.ack())
    }

    /// Whether it is a TCP SYN with ACK: the second step.
    pub fn is_syn_ack(&self) -> bool {
        self.tcp().is_some_and(|tcp| tcp.syn() && tcp.ack())
    }

    /// Whether it is TCP with FIN.
    pub fn is_fin(&self) -> bool {
        self.tcp().is_some_and(TcpSlice::fin)
    }

    /// Whether it is TCP with RST.
    pub fn is_rst(&self) -> bool {
        self.tcp().is_some_and(TcpSlice::rst)
    }

    /// Whether it is TCP with data.
    pub fn is_tcp_data(&self) -> bool {
        self.tcp().is_some_and(|tcp| !tcp.payload().is_empty())
    }

    /// Whether it is TCP with nothing but an acknowledgment.
    pub fn is_pure_ack(&self) -> bool {
        self.tcp_flags() == Some(TcpFlags(TcpFlags::ACK)) && !self.is_tcp_data()
    }

    fn parsed(&self) -> Option<&LaxSlicedPacket<'a>> {
        self.parsed.get_or_init(|| LaxSlicedPacket::from_ethernet(self.bytes).ok()).as_ref()
    }

    fn net(&self) -> Option<&LaxNetSlice<'a>> {
        self.parsed()?.net.as_ref()
    }

    pub(crate) fn arp(&self) -> Option<&etherparse::ArpPacketSlice<'a>> {
        match self.net()? {
            LaxNetSlice::Arp(arp) => Some(arp),
            _ => None,
        }
    }

    fn transport(&self) -> Option<&TransportSlice<'a>> {
        self.parsed()?.transport.as_ref()
    }

    fn tcp(&self) -> Option<&TcpSlice<'a>> {
        match self.transport()? {
            TransportSlice::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::syn;

    #[test]
    fn a_syn_answers_every_question_about_itself() {
        let mut bytes = syn();
        bytes.resize(60, 0); // the padding of a short Ethernet frame
        let view = FrameView::new(FrameId(1), &bytes);
        assert!(view.is_syn() && view.is_tcp() && view.is_ipv4());
        assert!(!view.is_syn_ack() && !view.is_arp() && !view.is_udp() && !view.is_tcp_data());
        assert_eq!(view.ip_len(), Some(40));
        assert_eq!(view.tcp_flags().unwrap().to_string(), "SYN");
        assert_eq!((view.source_port(), view.destination_port()), (Some(50_000), Some(80)));
        assert_eq!(view.source_ip(), Some("10.0.0.1".parse().unwrap()));
        assert_eq!((view.tcp_seq(), view.tcp_ack(), view.ttl()), (Some(7), None, Some(64)));
        assert_eq!(view.destination_mac(), Some(MacAddress([2, 0, 0, 0, 0, 2])));
    }

    #[test]
    fn a_vlan_tag_hides_nothing() {
        let mut bytes = syn();
        assert_eq!(FrameView::new(FrameId(1), &bytes).vlan(), None);
        bytes.splice(12..12, [0x81, 0x00, 0xa0, 0x0a]); // priority 5, VLAN 10
        let tagged = FrameView::new(FrameId(1), &bytes);
        assert_eq!((tagged.vlan(), tagged.ether_type()), (Some(10), Some(0x8100)));
        assert!(tagged.is_syn() && tagged.is_ipv4() && !tagged.is_arp());
        assert_eq!((tagged.ip_len(), tagged.destination_port()), (Some(40), Some(80)));
    }

    #[test]
    fn any_cut_of_a_frame_can_be_looked_at() {
        let bytes = syn();
        for length in 0..bytes.len() {
            let view = FrameView::new(FrameId(1), &bytes[..length]);
            assert!(!view.is_syn());
            assert!(view.payload().is_empty());
            let _ = (view.ip_len(), view.source_ip(), view.is_fragment(), view.is_arp(), view.ether_type());
            let _ = view.vlan();
        }
    }
}
