//! Packets made by hand, as a router or an attacker would.

#![allow(dead_code, reason = "each test uses its part")]

use super::forge::checksum;

/// The Ethernet header of a frame to host `side`.
fn ethernet(side: u8) -> [u8; 14] {
    [2, 0, 0, 0, 0, side + 1, 2, 0, 0, 0, 0, 2 - side, 8, 0]
}

/// A frame to host `to` (0: the client) with an IPv4 packet from `source`.
pub fn ipv4(to: u8, source: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend(u16::try_from(20 + payload.len()).unwrap().to_be_bytes());
    ip.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    ip.extend(source);
    ip.extend([10, 0, 0, to + 1]);
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    [&ethernet(to)[..], &ip, payload].concat()
}

/// An ICMP error to host `to`, from `source`, quoting the IP packet in the frame `about`.
pub fn icmp_error(to: u8, source: [u8; 4], (kind, code): (u8, u8), field: u16, about: &[u8]) -> Vec<u8> {
    let mut icmp = vec![kind, code, 0, 0, 0, 0];
    icmp.extend(field.to_be_bytes());
    icmp.extend(&about[14..14 + 28]);
    let sum = checksum(&icmp);
    icmp[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4(to, source, 1, &icmp)
}

/// A TCP segment without data between the two hosts, from the other host to `to`.
pub fn segment(to: u8, (source, destination): (u16, u16), seq: u32, ack: u32, flags: u8) -> Vec<u8> {
    let mut tcp = Vec::new();
    tcp.extend(source.to_be_bytes());
    tcp.extend(destination.to_be_bytes());
    tcp.extend(seq.to_be_bytes());
    tcp.extend(ack.to_be_bytes());
    tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    let from = [10, 0, 0, 2 - to];
    let mut pseudo = Vec::from(from);
    pseudo.extend([10, 0, 0, to + 1, 0, 6, 0, 20]);
    pseudo.extend(&tcp);
    let sum = checksum(&pseudo);
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    ipv4(to, from, 6, &tcp)
}
