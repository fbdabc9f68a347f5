//! What both routers have around them: stations that answer ARP, and words for what they receive.

use std::fmt::Write;
use std::net::Ipv4Addr;

/// Ethernet addresses of the router's ports.
pub(crate) const ROUTER: [[u8; 6]; 2] = [[6, 0, 0, 0, 0, 1], [6, 0, 0, 0, 0, 2]];
/// The IP addresses of the router's ports.
pub(crate) const PORTS: [[u8; 4]; 2] = [[10, 0, 1, 1], [10, 0, 2, 1]];
/// Largest packets on both links.
pub(crate) const MTU: [usize; 2] = [1_500, 600];
/// The sides' names.
const SIDES: [&str; 2] = ["left", "right"];
/// Nobody has this address.
const DEAD: [u8; 4] = [10, 0, 2, 77];

/// The station that has an IP address.
pub(crate) fn station(address: [u8; 4]) -> [u8; 6] {
    let [_, _, net, host] = address;
    [2, 0, 0, 0, net, host]
}

/// The answer to an ARP request on a side, if somebody there answers it.
pub(crate) fn arp_answer(side: usize, frame: &[u8]) -> Option<Vec<u8>> {
    let (kind, arp) = (frame.get(12..14)?, frame.get(14..42)?);
    let wanted: [u8; 4] = arp.get(24..28)?.try_into().ok()?;
    let is_request = kind == [8, 6] && arp.get(6..8)? == [0, 1];
    let on_this_side = wanted[..3] == PORTS[side][..3] && wanted != PORTS[side] && wanted != DEAD;
    (is_request && on_this_side).then(|| {
        let (asker, own) = (&arp[8..18], station(wanted));
        [&asker[..6], &own, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2], &own, &wanted, asker].concat()
    })
}

/// What was received on a side, in words; none if it is no IPv4.
pub(crate) fn describe(side: usize, frame: &[u8]) -> Option<String> {
    let packet = frame.get(14..).filter(|_| frame.get(12..14) == Some(&[8, 0]))?;
    let header = usize::from(packet[0] & 15) * 4;
    let length = usize::from(word(packet, 2));
    let (header, payload) = (&packet[..header], &packet[header..length]);
    let mut words = format!("{} {} > {}", SIDES[side], mac(&frame[6..12]), mac(&frame[..6]));
    let (source, destination) = (&header[12..16], &header[16..20]);
    let is_own = PORTS.iter().any(|own| own == source);
    // What the router numbers itself it numbers as it likes.
    let id = if is_own { "*".to_owned() } else { word(header, 4).to_string() };
    let sum = sum(is_own || header.len() > 20, word(header, 10), checksum(&[header]) == 0);
    let (flags, options) = (word(header, 6), hex(&timeless(&header[20..])));
    let (tos, ttl, protocol) = (header[1], header[8], header[9]);
    let source_and_destination = format!("{} > {}", address(source), address(destination));
    write!(
        words,
        ", IP {source_and_destination} tos {tos:#04x} ttl {ttl} id {id} flags {flags:#06x} \
         protocol {protocol} length {length} options [{options}] checksum {sum}"
    )
    .unwrap();
    match protocol {
        1 if flags & 0x1fff == 0 && payload.len() >= 8 => {
            let right = checksum(&[payload]) == 0 || flags & 0x2000 != 0;
            let rest = hex(&payload[4..8]);
            let (kind, code, data) = (payload[0], payload[1], hex(&payload[8..]));
            write!(words, ", ICMP {kind}/{code} rest {rest} checksum right: {right}, {data}").unwrap();
        }
        _ => write!(words, ", {}", hex(payload)).unwrap(),
    }
    Some(words)
}

/// A checksum, or only whether it is right where its value depends on what is not compared.
fn sum(value_may_differ: bool, value: u16, right: bool) -> String {
    match (value_may_differ, right) {
        (true, right) => format!("right: {right}"),
        (false, right) => format!("{value:#06x} right: {right}"),
    }
}

/// Options without the times in them.
fn timeless(options: &[u8]) -> Vec<u8> {
    let mut options = options.to_vec();
    // The one timestamp option of the test begins the options.
    if options.first() == Some(&68) {
        let (full, with_addresses) = (usize::from(options[2]) - 1, options[3] & 15 != 0);
        let step = if with_addresses { 8 } else { 4 };
        for entry in options[4..full].chunks_mut(step) {
            entry[step - 4..].fill(0xff);
        }
    }
    options
}

/// The Internet checksum (RFC 1071).
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    glasstack::stack::checksum::checksum(parts)
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn address(bytes: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
