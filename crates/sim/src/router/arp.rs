//! A router's ARP frames, and the MAC addresses that need no ARP.

use crate::arp::{ARP, ArpPacket};
use glasstack_journal::event::MacAddress;
use std::net::Ipv4Addr;

/// An ARP packet in its frame, from its sender to `destination`.
pub(super) fn framed(packet: &ArpPacket, destination: MacAddress) -> Vec<u8> {
    [&destination.0[..], &packet.sender.0.0, &ARP.to_be_bytes(), &packet.bytes()].concat()
}

/// RFC 1112 6.4: the last 23 bits of a group's address in Ethernet's.
pub(super) fn group_mac(group: Ipv4Addr) -> MacAddress {
    let [_, b, c, d] = group.octets();
    MacAddress([1, 0, 0x5e, b & 0x7f, c, d])
}
