//! ARP packets for Ethernet and IPv4 (RFC 826), as routers and attackers read and write them.

use crate::view::FrameView;
use etherparse::{ArpEthIpv4Packet, ArpOperation};
use glasstack_journal::event::MacAddress;
use std::net::Ipv4Addr;

/// EtherType of ARP.
pub(crate) const ARP: u16 = 0x0806;
/// The operations (RFC 826).
pub(crate) const REQUEST: u16 = 1;
pub(crate) const REPLY: u16 = 2;

/// What an ARP packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArpPacket {
    pub(crate) operation: u16,
    pub(crate) sender: (MacAddress, Ipv4Addr),
    /// Of a request, the MAC address says nothing.
    pub(crate) target: (MacAddress, Ipv4Addr),
}

impl ArpPacket {
    /// The packet in a frame; none if it is malformed or for other protocols.
    pub(crate) fn of(frame: &FrameView<'_>) -> Option<Self> {
        let arp = frame.arp()?.to_packet().try_eth_ipv4().ok()?;
        Some(Self {
            operation: arp.operation.0,
            sender: (MacAddress(arp.sender_mac), arp.sender_ipv4.into()),
            target: (MacAddress(arp.target_mac), arp.target_ipv4.into()),
        })
    }

    /// Who has `wanted`?
    pub(crate) fn request(sender: (MacAddress, Ipv4Addr), wanted: Ipv4Addr) -> Self {
        Self { operation: REQUEST, sender, target: (MacAddress([0; 6]), wanted) }
    }

    /// The answer to this one: its target is behind `mac`.
    pub(crate) fn answer(&self, mac: MacAddress) -> Self {
        Self { operation: REPLY, sender: (mac, self.target.1), target: self.sender }
    }

    /// As it stands in a frame, behind the Ethernet header.
    pub(crate) fn bytes(&self) -> [u8; 28] {
        let packet = ArpEthIpv4Packet {
            operation: ArpOperation(self.operation),
            sender_mac: self.sender.0.0,
            sender_ipv4: self.sender.1.octets(),
            target_mac: self.target.0.0,
            target_ipv4: self.target.1.octets(),
        };
        packet.to_bytes()
    }
}
