//! Other addresses and ports in a packet, and in what an ICMP error quotes (RFC 3022 4.1, 4.3). Every
//! checksum is mended by the difference alone (RFC 1624).

use super::answers::icmp;
use super::packet::{ICMP, Packet, TCP, UDP, byte, set_word, update, word};
use super::tuple::Tuple;
use std::net::Ipv4Addr;

/// Where addresses and the checksum stand in an IPv4 header.
const HEADER_CHECKSUM: usize = 10;
const SOURCE: usize = 12;
const DESTINATION: usize = 16;

/// Gives a packet that is whole or a first fragment the addresses and ports of `to`.
pub(super) fn translate(packet: &mut Packet, to: &Tuple) {
    rewrite(packet.bytes_mut(), to);
}

/// Gives a later fragment, which has no ports, other addresses.
pub(super) fn translate_addresses(packet: &mut Packet, source: Ipv4Addr, destination: Ipv4Addr) {
    packet.set_source(source);
    packet.set_destination(destination);
}

/// Gives an ICMP error other addresses, and the packet that it quotes those of `quoted`.
pub(super) fn translate_error(packet: &mut Packet, source: Ipv4Addr, destination: Ipv4Addr, quoted: &Tuple) {
    packet.set_source(source);
    packet.set_destination(destination);
    let message = packet.payload_mut();
    let changes = message.get_mut(8..).map(|quote| rewrite(quote, quoted)).unwrap_or_default();
    // The quotation begins at an even offset, and so does all that was changed in it.
    let sum = changes.into_iter().fold(word(message, 2), |sum, (before, after)| update(sum, before, after));
    set_word(message, 2, sum);
}

/// Changes a packet, from its header on, which may end anywhere behind its ports. Returns the words that
/// have changed, as they were and as they are.
fn rewrite(bytes: &mut [u8], to: &Tuple) -> Vec<(u16, u16)> {
    let mut changes = Vec::new();
    for (at, address) in [(SOURCE, *to.source.ip()), (DESTINATION, *to.destination.ip())] {
        let [a, b, c, d] = address.octets();
        change(bytes, at, u16::from_be_bytes([a, b]), &mut changes);
        change(bytes, at + 2, u16::from_be_bytes([c, d]), &mut changes);
    }
    let addresses = changes.clone();
    mend(bytes, HEADER_CHECKSUM, &addresses, &mut changes);
    let protocol = byte(bytes, 9);
    let header = usize::from(byte(bytes, 0) & 15) * 4;
    let Some(payload) = bytes.get_mut(header..) else { return changes };
    let mut ports = Vec::new();
    match protocol {
        TCP | UDP => {
            change(payload, 0, to.source.port(), &mut ports);
            change(payload, 2, to.destination.port(), &mut ports);
            changes.extend(&ports);
            // The addresses are in the checksum by the pseudo-header.
            ports.extend(addresses);
            mend_transport(payload, protocol, &ports, &mut changes);
        }
        ICMP => {
            let identifier = match byte(payload, 0) {
                icmp::ECHO | icmp::TIMESTAMP => to.source.port(),
                icmp::ECHO_REPLY | icmp::TIMESTAMP_REPLY => to.destination.port(),
                _ => return changes,
            };
            change(payload, 4, identifier, &mut ports);
            changes.extend(&ports);
            mend(payload, 2, &ports, &mut changes);
        }
        _ => {}
    }
    changes
}

fn mend_transport(payload: &mut [u8], protocol: u8, by: &[(u16, u16)], changes: &mut Vec<(u16, u16)>) {
    match protocol {
        TCP => mend(payload, 16, by, changes),
        // RFC 768: zero says that there is none; and one that comes out as zero is sent as all ones.
        UDP if word(payload, 6) != 0 => {
            let mut mended = Vec::new();
            let before = word(payload, 6);
            mend(payload, 6, by, &mut mended);
            if word(payload, 6) == 0 {
                set_word(payload, 6, 0xffff);
            }
            changes.push((before, word(payload, 6)));
        }
        _ => {}
    }
}

/// Writes a word, if it is there, and notes the change.
fn change(bytes: &mut [u8], at: usize, new: u16, changes: &mut Vec<(u16, u16)>) {
    let before = word(bytes, at);
    if at + 2 <= bytes.len() && before != new {
        set_word(bytes, at, new);
        changes.push((before, new));
    }
}

/// Mends the checksum at `at` by changes of what it covers.
fn mend(bytes: &mut [u8], at: usize, by: &[(u16, u16)], changes: &mut Vec<(u16, u16)>) {
    let sum = by.iter().fold(word(bytes, at), |sum, (before, after)| update(sum, *before, *after));
    change(bytes, at, sum, changes);
}

#[cfg(test)]
mod tests {
    use super::super::answers::{self, IcmpError};
    use super::super::packet::Own;
    use super::*;
    use glasstack_stack::checksum::{checksum, pseudo_header};
    use std::net::SocketAddrV4;

    const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);
    const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
    const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);

    fn tuple(protocol: u8, source: Ipv4Addr, port: u16, to_port: u16) -> Tuple {
        Tuple {
            protocol,
            source: SocketAddrV4::new(source, port),
            destination: SocketAddrV4::new(FAR, to_port),
        }
    }

    fn packet(protocol: u8, payload: Vec<u8>, sum_at: usize) -> Packet {
        let own = Own {
            source: INSIDE,
            destination: FAR,
            protocol,
            type_of_service: 0,
            identification: 7,
            dont_fragment: true,
        };
        let mut payload = payload;
        let pseudo = pseudo_header(INSIDE, FAR, protocol, payload.len());
        let sum = if protocol == ICMP { checksum(&[&payload]) } else { checksum(&[&pseudo, &payload]) };
        set_word(&mut payload, sum_at, sum);
        Packet::own(own, &payload)
    }

    fn tcp() -> Packet {
        let mut segment = vec![0x13, 0x88, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];
        segment.extend(b"hello");
        packet(TCP, segment, 16)
    }

    fn is_right(packet: &Packet) -> bool {
        let payload = packet.payload();
        let pseudo = pseudo_header(packet.source(), packet.destination(), packet.protocol(), payload.len());
        let transport =
            if packet.protocol() == ICMP { checksum(&[payload]) } else { checksum(&[&pseudo, payload]) };
        checksum(&[packet.header()]) == 0 && transport == 0
    }

    #[test]
    fn there_and_back_again_gives_the_same_bytes_with_right_checksums_between() {
        let udp = packet(UDP, [&[0x13, 0x88, 0, 53, 0, 12, 0, 0][..], b"what"].concat(), 6);
        let echo = packet(ICMP, [&[8, 0, 0, 0, 0x13, 0x88, 0, 1][..], b"ping!"].concat(), 2);
        for (original, far_port) in [(tcp(), 80), (udp, 53), (echo, 0)] {
            let protocol = original.protocol();
            for port in [1_024, 5_000, 40_000, 65_535] {
                let mut changed = original.clone();
                translate(&mut changed, &tuple(protocol, OUTSIDE, port, far_port));
                assert_eq!(changed.source(), OUTSIDE);
                assert!(is_right(&changed), "{protocol} to port {port}");
                translate(&mut changed, &tuple(protocol, INSIDE, 5_000, far_port));
                assert_eq!(changed, original);
            }
        }
    }

    #[test]
    fn a_datagram_whose_checksum_comes_out_as_zero_still_has_one() {
        // RFC 768.
        let original = packet(UDP, [&[0x13, 0x88, 0, 53, 0, 12, 0, 0][..], b"what"].concat(), 6);
        let sums = (0..=u16::MAX).map(|port| {
            let mut changed = original.clone();
            translate(&mut changed, &tuple(UDP, OUTSIDE, port, 53));
            word(changed.payload(), 6)
        });
        let sums: Vec<u16> = sums.collect();
        assert!(!sums.contains(&0) && sums.contains(&0xffff));
    }

    #[test]
    fn a_checksum_that_was_wrong_stays_wrong() {
        let mut bad = tcp();
        let sum = word(bad.payload(), 16);
        set_word(bad.payload_mut(), 16, sum ^ 0x0100);
        translate(&mut bad, &tuple(TCP, OUTSIDE, 40_000, 80));
        assert!(!is_right(&bad));
    }

    #[test]
    fn an_error_is_translated_with_what_it_quotes_whole_or_cut() {
        let mut sent = tcp();
        translate(&mut sent, &tuple(TCP, OUTSIDE, 40_000, 80));
        for length in [28, 45] {
            let quoted = sent.bytes()[..length].to_vec();
            let mut error = answers::error(&sent, IcmpError::HostUnreachable, FAR, 1);
            let mut message = error.payload()[..8 + length].to_vec();
            set_word(&mut message, 2, 0);
            let sum = checksum(&[&message]);
            set_word(&mut message, 2, sum);
            let own = Own {
                source: FAR,
                destination: OUTSIDE,
                protocol: ICMP,
                type_of_service: 0,
                identification: 1,
                dont_fragment: false,
            };
            error = Packet::own(own, &message);
            assert_eq!(&error.payload()[8..], quoted);
            translate_error(&mut error, FAR, INSIDE, &tuple(TCP, INSIDE, 5_000, 80));
            assert_eq!(&error.payload()[8..], &tcp().bytes()[..length], "the quotation is as it was sent");
            assert!(is_right(&error));
            assert_eq!(error.destination(), INSIDE);
        }
    }
}
