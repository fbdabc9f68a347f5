//! Frames that no host of ours would send: whatever a stranger on the client's end of the cable
//! can make up, with right checksums.

use super::{CLIENT, SERVER};
use std::net::{IpAddr, Ipv4Addr};

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// From the client's station to the server's, IPv4.
pub const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];

/// A TCP segment from `source`, port 1 by default, to the server's port 80.
#[derive(Clone, Debug)]
pub struct Segment {
    pub source: (Ipv4Addr, u16),
    pub port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub options: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Segment {
    pub fn new(flags: u8, seq: u32, ack: u32) -> Self {
        let source = (v4(CLIENT), 40_000);
        Self { source, port: 80, seq, ack, flags, window: 60_000, options: Vec::new(), payload: Vec::new() }
    }

    pub fn frame(&self) -> Vec<u8> {
        let mut tcp = Vec::new();
        tcp.extend(self.source.1.to_be_bytes());
        tcp.extend(self.port.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.push(u8::try_from((20 + self.options.len()) / 4 * 16).unwrap());
        tcp.push(self.flags);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(&self.options);
        tcp.extend(&self.payload);
        let mut summed = self.source.0.octets().to_vec();
        summed.extend(v4(SERVER).octets());
        summed.extend([0, 6]);
        summed.extend(u16::try_from(tcp.len()).unwrap().to_be_bytes());
        summed.extend(&tcp);
        tcp[16..18].copy_from_slice(&checksum(&summed).to_be_bytes());
        ipv4(self.source.0, 6, 0, &tcp)
    }
}

/// An IPv4 packet with a right header checksum around anything.
pub fn ipv4(source: Ipv4Addr, protocol: u8, flags_and_offset: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap();
    let mut header = vec![0x45, 0];
    header.extend(length.to_be_bytes());
    header.extend([0, 7]);
    header.extend(flags_and_offset.to_be_bytes());
    header.extend([64, protocol, 0, 0]);
    header.extend(source.octets());
    header.extend(v4(SERVER).octets());
    let sum = checksum(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [&ETHERNET[..], &header, payload].concat()
}

/// An ARP packet from the client's station, broadcast.
pub fn arp(operation: u8, sender: ([u8; 6], Ipv4Addr), target: Ipv4Addr) -> Vec<u8> {
    let mut bytes = vec![0xff; 6];
    bytes.extend(sender.0);
    bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, operation]);
    bytes.extend(sender.0);
    bytes.extend(sender.1.octets());
    bytes.extend([0; 6]);
    bytes.extend(target.octets());
    bytes
}

/// RFC 1071.
pub fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

pub fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(_) => panic!("IPv4 only"),
    }
}
