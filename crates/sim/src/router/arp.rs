//! ARP packets for Ethernet and IPv4 (RFC 826).

use super::packet::ETHERNET_HEADER;
use etherparse::{ArpEthIpv4Packet, ArpOperation, ArpPacket};
use glasstack_journal::event::MacAddress;
use std::net::Ipv4Addr;

/// EtherType of ARP.
pub(super) const ARP: u16 = 0x0806;

/// What an ARP packet says.
pub(super) struct ArpView {
    pub(super) is_request: bool,
    pub(super) sender_mac: MacAddress,
    pub(super) sender: Ipv4Addr,
    pub(super) target: Ipv4Addr,
}

/// None if it is malformed, for other protocols, or from a group (RFC 826, RFC 1812 3.3.2).
pub(super) fn parse(frame: &[u8]) -> Option<ArpView> {
    let arp = ArpPacket::from_slice(frame.get(ETHERNET_HEADER..)?).ok()?.try_eth_ipv4().ok()?;
    let sender_mac = MacAddress(arp.sender_mac);
    (!sender_mac.is_multicast()).then(|| ArpView {
        is_request: arp.operation == ArpOperation::REQUEST,
        sender_mac,
        sender: arp.sender_ipv4.into(),
        target: arp.target_ipv4.into(),
    })
}

/// The frame that asks everybody who has `wanted`.
pub(super) fn request(mac: MacAddress, address: Ipv4Addr, wanted: Ipv4Addr) -> Vec<u8> {
    let body = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: mac.0,
        sender_ipv4: address.octets(),
        target_mac: [0; 6],
        target_ipv4: wanted.octets(),
    };
    frame(mac, MacAddress::BROADCAST, &body)
}

/// The frame that answers `request`.
pub(super) fn reply(mac: MacAddress, address: Ipv4Addr, request: &ArpView) -> Vec<u8> {
    let body = ArpEthIpv4Packet {
        operation: ArpOperation::REPLY,
        sender_mac: mac.0,
        sender_ipv4: address.octets(),
        target_mac: request.sender_mac.0,
        target_ipv4: request.sender.octets(),
    };
    frame(mac, request.sender_mac, &body)
}

/// RFC 1112 6.4: the last 23 bits of a group's address in Ethernet's.
pub(super) fn group_mac(group: Ipv4Addr) -> MacAddress {
    let [_, b, c, d] = group.octets();
    MacAddress([1, 0, 0x5e, b & 0x7f, c, d])
}

fn frame(source: MacAddress, destination: MacAddress, body: &ArpEthIpv4Packet) -> Vec<u8> {
    let mut bytes = destination.0.to_vec();
    bytes.extend(source.0);
    bytes.extend(ARP.to_be_bytes());
    bytes.extend(body.to_bytes());
    bytes
}
