//! An IPv4 packet as a router has it in hand (RFC 791 3.1): in its Ethernet frame, changed in place, every
//! checksum mended and none computed afresh, so that what was wrong before stays wrong.

use glasstack_journal::event::{DropReason, MacAddress};
use glasstack_stack::checksum::checksum;
use std::net::{Ipv4Addr, SocketAddrV4};

/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// Of an Ethernet frame, in bytes.
pub(super) const ETHERNET_HEADER: usize = 14;
/// Of an IPv4 packet without options, in bytes.
pub(super) const SHORTEST_HEADER: usize = 20;
/// The longest packet that the header's length can tell, in bytes.
const LONGEST: usize = 65_535;
/// What this router puts into packets of its own.
const TTL: u8 = 64;

/// Protocol numbers (IANA, "Assigned Internet Protocol Numbers").
pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// Where the fields are in the header, in bytes.
mod at {
    pub(super) const LENGTH: usize = 2;
    pub(super) const IDENTIFICATION: usize = 4;
    pub(super) const FLAGS: usize = 6;
    pub(super) const TTL: usize = 8;
    pub(super) const CHECKSUM: usize = 10;
    pub(super) const SOURCE: usize = 12;
    pub(super) const DESTINATION: usize = 16;
}

/// An IPv4 packet whose header is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// From the Ethernet header to the end of the packet: no padding.
    frame: Vec<u8>,
    header_len: usize,
}

/// What a packet of the router's own begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) type_of_service: u8,
    pub(super) identification: u16,
    pub(super) dont_fragment: bool,
}

impl Packet {
    /// The packet in an Ethernet frame, without the frame's padding (RFC 1812 5.2.2).
    pub(super) fn parse(mut frame: Vec<u8>) -> Result<Self, (DropReason, String)> {
        let bytes = frame.get(ETHERNET_HEADER..).unwrap_or_default();
        let malformed = |detail: String| Err((DropReason::BadIpHeader, detail));
        let Some(first) = bytes.first().filter(|_| bytes.len() >= SHORTEST_HEADER) else {
            return malformed(format!("{} bytes are less than a header", bytes.len()));
        };
        let (version, header_len) = (first >> 4, usize::from(first & 15) * 4);
        if version != 4 || header_len < SHORTEST_HEADER {
            return malformed(format!("version {version}, header of {header_len} bytes"));
        }
        let length = usize::from(word(bytes, at::LENGTH));
        if length < header_len || length > bytes.len() {
            return malformed(format!("total length {length}, but {} bytes are there", bytes.len()));
        }
        // RFC 1812 5.2.2 (2): over a header with the right checksum the sum is zero.
        let header = bytes.get(..header_len).unwrap_or_default();
        if checksum(&[header]) != 0 {
            let found = word(bytes, at::CHECKSUM);
            let right = update(found, checksum(&[header]), 0);
            return Err((DropReason::BadIpChecksum, format!("{found:#06x} should be {right:#06x}")));
        }
        frame.truncate(ETHERNET_HEADER + length);
        let packet = Self { frame, header_len };
        // RFC 791 3.1: no datagram is longer, so no fragment ends later; cut once more, its offset would not
        // fit its field.
        let end = header_len + packet.fragment_offset() + packet.payload().len();
        if end > LONGEST {
            return Err((DropReason::BadFragment, format!("a fragment that ends at byte {end}")));
        }
        Ok(packet)
    }

    /// A packet of the router's own, with a TTL of 64.
    pub(super) fn own(own: Own, payload: &[u8]) -> Self {
        Self::own_with_options(own, TTL, &[], payload)
    }

    /// The same with a TTL and options, which fill whole words.
    pub(super) fn own_with_options(own: Own, ttl: u8, options: &[u8], payload: &[u8]) -> Self {
        let header_len = SHORTEST_HEADER + options.len();
        let length = u16::try_from(header_len + payload.len()).unwrap_or(u16::MAX);
        let words = u8::try_from(header_len / 4).unwrap_or(5);
        let mut frame = vec![0; ETHERNET_HEADER];
        frame.extend([0x40 | words, own.type_of_service]);
        frame.extend(length.to_be_bytes());
        frame.extend(own.identification.to_be_bytes());
        frame.extend(if own.dont_fragment { DONT_FRAGMENT } else { 0 }.to_be_bytes());
        frame.extend([ttl, own.protocol, 0, 0]);
        frame.extend(own.source.octets());
        frame.extend(own.destination.octets());
        frame.extend(options);
        frame.extend(payload);
        let mut packet = Self { frame, header_len };
        packet.set(at::CHECKSUM, checksum(&[packet.header()]));
        packet
    }

    /// From the first byte of the header.
    pub(super) fn bytes(&self) -> &[u8] {
        self.frame.get(ETHERNET_HEADER..).unwrap_or_default()
    }

    pub(super) fn header(&self) -> &[u8] {
        self.bytes().get(..self.header_len).unwrap_or_default()
    }

    pub(super) fn options(&self) -> &[u8] {
        self.header().get(SHORTEST_HEADER..).unwrap_or_default()
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.bytes().get(self.header_len..).unwrap_or_default()
    }

    /// With its header, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(super) fn header_len(&self) -> usize {
        self.header_len
    }

    pub(super) fn source(&self) -> Ipv4Addr {
        address(self.bytes(), at::SOURCE)
    }

    pub(super) fn destination(&self) -> Ipv4Addr {
        address(self.bytes(), at::DESTINATION)
    }

    pub(super) fn type_of_service(&self) -> u8 {
        byte(self.bytes(), 1)
    }

    pub(super) fn ttl(&self) -> u8 {
        byte(self.bytes(), at::TTL)
    }

    pub(super) fn protocol(&self) -> u8 {
        byte(self.bytes(), 9)
    }

    pub(super) fn identification(&self) -> u16 {
        word(self.bytes(), at::IDENTIFICATION)
    }

    pub(super) fn dont_fragment(&self) -> bool {
        word(self.bytes(), at::FLAGS) & DONT_FRAGMENT != 0
    }

    pub(super) fn more_fragments(&self) -> bool {
        word(self.bytes(), at::FLAGS) & MORE_FRAGMENTS != 0
    }

    /// Where the payload belongs in that of the whole datagram, in bytes.
    pub(super) fn fragment_offset(&self) -> usize {
        usize::from(word(self.bytes(), at::FLAGS) & OFFSET) * 8
    }

    pub(super) fn is_fragment(&self) -> bool {
        self.more_fragments() || self.fragment_offset() != 0
    }

    /// Whether it is for more than one host, wherever it is.
    pub(super) fn is_to_a_group(&self) -> bool {
        self.destination().is_multicast() || self.destination().is_broadcast()
    }

    /// RFC 1812 5.3.1: one hop less to live.
    pub(super) fn decrement_ttl(&mut self) {
        let before = word(self.bytes(), at::TTL);
        if self.ttl() > 0 {
            // The TTL is the upper half of its word.
            self.mend(at::TTL, before - 0x0100);
        }
    }

    /// Another source, with the header's checksum mended.
    pub(super) fn set_source(&mut self, source: Ipv4Addr) {
        self.set_address(at::SOURCE, source);
    }

    /// Another destination, with the header's checksum mended.
    pub(super) fn set_destination(&mut self, destination: Ipv4Addr) {
        self.set_address(at::DESTINATION, destination);
    }

    fn set_address(&mut self, at: usize, address: Ipv4Addr) {
        let [a, b, c, d] = address.octets();
        self.mend(at, u16::from_be_bytes([a, b]));
        self.mend(at + 2, u16::from_be_bytes([c, d]));
    }

    /// Writes the options anew; they are as long as they were.
    pub(super) fn set_options(&mut self, options: &[u8]) {
        for (n, new) in options.chunks_exact(2).enumerate() {
            if let [high, low] = *new {
                self.mend(SHORTEST_HEADER + n * 2, u16::from_be_bytes([high, low]));
            }
        }
    }

    /// From the first byte of the header, to be changed; the checksums are the caller's business.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.frame.get_mut(ETHERNET_HEADER..).unwrap_or_default()
    }

    /// The payload, to be changed; its checksums are the caller's business.
    pub(super) fn payload_mut(&mut self) -> &mut [u8] {
        self.frame.get_mut(ETHERNET_HEADER + self.header_len..).unwrap_or_default()
    }

    /// A word of the header, and the header's checksum with it.
    fn mend(&mut self, at: usize, new: u16) {
        let before = word(self.bytes(), at);
        self.set(at::CHECKSUM, update(word(self.bytes(), at::CHECKSUM), before, new));
        self.set(at, new);
    }

    fn set(&mut self, at: usize, value: u16) {
        set_word(&mut self.frame, ETHERNET_HEADER + at, value);
    }

    /// One piece: this packet's header with other options, before a part of its payload.
    pub(super) fn piece(&self, options: &[u8], payload: &[u8], offset: usize, more: bool) -> Self {
        let mut frame = self.frame.get(..ETHERNET_HEADER + SHORTEST_HEADER).unwrap_or_default().to_vec();
        frame.extend(options);
        frame.extend(payload);
        let mut piece = Self { frame, header_len: SHORTEST_HEADER + options.len() };
        piece.set_options(options);
        let flags = word(self.bytes(), at::FLAGS) & !(OFFSET | MORE_FRAGMENTS);
        let offset = u16::try_from(offset / 8).unwrap_or(0) & OFFSET;
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        piece.set(at::LENGTH, length);
        piece.set(at::FLAGS, flags | offset | if more { MORE_FRAGMENTS } else { 0 });
        piece.set(at::CHECKSUM, 0);
        piece.set(at::CHECKSUM, checksum(&[piece.header()]));
        piece
    }

    /// Source, destination and payload of a UDP datagram that is whole and whose length and checksum are
    /// right (RFC 768).
    pub(super) fn udp(&self) -> Option<(SocketAddrV4, SocketAddrV4, &[u8])> {
        if self.protocol() != UDP || self.is_fragment() {
            return None;
        }
        let length = usize::from(word(self.payload(), 4));
        let datagram = self.payload().get(..length).filter(|_| length >= 8)?;
        let pseudo = glasstack_stack::checksum::pseudo_header(self.source(), self.destination(), UDP, length);
        if word(datagram, 6) != 0 && checksum(&[&pseudo, datagram]) != 0 {
            return None;
        }
        let source = SocketAddrV4::new(self.source(), word(datagram, 0));
        Some((source, SocketAddrV4::new(self.destination(), word(datagram, 2)), datagram.get(8..)?))
    }

    /// With a new Ethernet header, as a frame.
    pub(super) fn framed(self, source: MacAddress, destination: MacAddress) -> Vec<u8> {
        let mut frame = self.frame;
        let header = [&destination.0[..], &source.0, &IPV4.to_be_bytes()].concat();
        for (to, from) in frame.iter_mut().zip(header) {
            *to = from;
        }
        frame
    }
}

/// RFC 1624 3, equation 3: the checksum after a word has changed from `before` to `after`.
pub(super) fn update(checksum: u16, before: u16, after: u16) -> u16 {
    let sum = u32::from(!checksum) + u32::from(!before) + u32::from(after);
    let sum = (sum >> 16) + (sum & 0xffff);
    // Two carries at most: the sum of three words is below three times 2^16.
    !(((sum >> 16) + (sum & 0xffff)) as u16)
}

/// The word at `at`; 0 behind the end.
pub(super) fn word(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some([high, low]) => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

/// Changes the word at `at`, if it is there.
pub(super) fn set_word(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(word) = bytes.get_mut(at..at + 2) {
        word.copy_from_slice(&value.to_be_bytes());
    }
}

/// The byte at `at`; 0 behind the end.
pub(super) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn address(bytes: &[u8], at: usize) -> Ipv4Addr {
    bytes.get(at..at + 4).map_or(Ipv4Addr::UNSPECIFIED, |octets| match octets {
        [a, b, c, d] => Ipv4Addr::new(*a, *b, *c, *d),
        _ => Ipv4Addr::UNSPECIFIED,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        Own {
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
            protocol: UDP,
            type_of_service: 0,
            identification: 7,
            dont_fragment: false,
        }
    }

    #[test]
    fn the_example_of_rfc_1624_comes_out() {
        // RFC 1624 4: 0xDD2F with 0x5555 changed to 0x3285 is 0x0000, not 0xFFFF.
        assert_eq!(update(0xdd2f, 0x5555, 0x3285), 0x0000);
    }

    #[test]
    fn every_change_of_a_header_keeps_its_checksum_right() {
        let mut packet = Packet::own(own(), b"12345678");
        for n in 0..=255_u8 {
            packet.set_source(Ipv4Addr::new(n, 255 - n, 0xff, n));
            packet.set_destination(Ipv4Addr::from_bits(u32::from(n) * 0x0101_0101));
            packet.decrement_ttl();
            assert_eq!(Packet::parse(packet.frame.clone()).as_ref(), Ok(&packet), "{n}");
        }
        assert_eq!(packet.ttl(), 0);
    }

    #[test]
    fn a_wrong_checksum_is_named_with_the_right_one() {
        let packet = Packet::own(own(), b"");
        let right = word(packet.bytes(), at::CHECKSUM);
        let mut bytes = packet.framed(MacAddress([0; 6]), MacAddress([0; 6]));
        set_word(&mut bytes, ETHERNET_HEADER + at::CHECKSUM, 0x1234);
        let (reason, detail) = Packet::parse(bytes).unwrap_err();
        assert_eq!(reason, DropReason::BadIpChecksum);
        assert_eq!(detail, format!("0x1234 should be {right:#06x}"));
    }
}
