//! Fragmentation of outgoing packets (RFC 791 2.3, 3.2).

use crate::checksum::checksum;
use crate::ingress::{Discard, Ipv4Packet};
use glasstack_journal::event::DropReason;

/// More fragments follow.
const MORE: u16 = 0x2000;
/// Option types with this bit stand in every fragment (RFC 791 3.1, "Specific Option Definitions").
const COPIED: u8 = 0x80;
/// Ends the list of options; also the padding behind it.
const END: u8 = 0;
/// An option of one byte that means nothing.
const NO_OPERATION: u8 = 1;

/// Cuts a packet into pieces of at most `mtu` bytes. The identification holds them together; DF
/// is cleared, since whoever calls this has decided that the packet may be cut.
pub(crate) fn fragment(packet: &[u8], mtu: usize, identification: u16) -> Result<Vec<Vec<u8>>, Discard> {
    let whole = Ipv4Packet::parse(packet)?;
    let later_header = header_of_later_fragments(whole.header);
    // Every piece but the last is a multiple of 8 bytes, since offsets count in eights.
    let room = mtu.saturating_sub(whole.header.len()) / 8 * 8;
    if room == 0 {
        let detail =
            format!("an MTU of {mtu} bytes leaves no room behind a header of {}", whole.header.len());
        return Err(Discard::new(DropReason::TooBig, detail));
    }
    let mut pieces = Vec::new();
    let mut offset = whole.fragment_offset;
    for (index, payload) in whole.payload.chunks(room).enumerate() {
        let end = offset + payload.len() - whole.fragment_offset;
        let more = end < whole.payload.len() || whole.more_fragments;
        let header = if index == 0 { whole.header } else { &later_header };
        pieces.push(piece(header, payload, offset, more, identification));
        offset += payload.len();
    }
    Ok(pieces)
}

fn piece(header: &[u8], payload: &[u8], offset: usize, more: bool, identification: u16) -> Vec<u8> {
    let mut bytes = [header, payload].concat();
    // Offsets and lengths come from a packet that fits into 16 bits.
    let in_eights = u16::try_from(offset / 8).unwrap_or(0);
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    set(&mut bytes, 2, length);
    set(&mut bytes, 4, identification);
    set(&mut bytes, 6, in_eights | if more { MORE } else { 0 });
    seal(&mut bytes, header.len());
    bytes
}

/// The header with only those options that belong into every fragment.
fn header_of_later_fragments(header: &[u8]) -> Vec<u8> {
    let (fixed, mut options) = header.split_at(header.len().min(20));
    let mut copied = Vec::new();
    while let Some(&kind) = options.first() {
        let length = match kind {
            END => break,
            NO_OPERATION => 1,
            _ => options.get(1).map_or(options.len(), |length| usize::from(*length).max(2)),
        };
        let (option, rest) = options.split_at(length.min(options.len()));
        if kind & COPIED != 0 {
            copied.extend(option);
        }
        options = rest;
    }
    copied.resize(copied.len().next_multiple_of(4), END);
    let mut later = [fixed, &copied].concat();
    if let (Some(first), Ok(words)) = (later.first().copied(), u8::try_from(later.len() / 4)) {
        later[0] = first & 0xf0 | words;
    }
    later
}

/// Writes `value` at `at`, which lies in the fixed header.
pub(crate) fn set(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..at + 2) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

/// Computes the header checksum anew (RFC 791 3.1).
pub(crate) fn seal(bytes: &mut [u8], header_length: usize) {
    set(bytes, 10, 0);
    let sum = checksum(&[bytes.get(..header_length).unwrap_or(&[])]);
    set(bytes, 10, sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with `options`, DF set and `length` bytes behind the header.
    pub(crate) fn packet(options: &[u8], length: usize) -> Vec<u8> {
        let header_length = 20 + options.len();
        let mut bytes =
            vec![0x40 | u8::try_from(header_length / 4).unwrap(), 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0];
        bytes.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(options);
        bytes.extend((0..length).map(|n| u8::try_from(n % 251).unwrap()));
        let total = u16::try_from(bytes.len()).unwrap();
        set(&mut bytes, 2, total);
        seal(&mut bytes, header_length);
        bytes
    }

    #[test]
    fn pieces_fit_the_mtu_and_say_where_they_belong() {
        let pieces = fragment(&packet(&[], 3000), 1500, 99).unwrap();
        let parsed: Vec<_> = pieces.iter().map(|piece| Ipv4Packet::parse(piece).unwrap()).collect();
        let told: Vec<_> =
            parsed.iter().map(|p| (p.fragment_offset, p.payload.len(), p.more_fragments)).collect();
        assert_eq!(told, [(0, 1480, true), (1480, 1480, true), (2960, 40, false)]);
        assert!(parsed.iter().all(|p| p.identification == 99 && !p.dont_fragment));
    }

    #[test]
    fn only_options_with_the_copied_bit_stand_in_later_fragments() {
        // A record route (7, not copied) and a loose source route (131, copied).
        let options = [7, 3, 4, 131, 7, 4, 10, 0, 0, 9, 0, 0];
        let pieces = fragment(&packet(&options, 2000), 1500, 1).unwrap();
        let [first, second] = [&pieces[0], &pieces[1]].map(|piece| Ipv4Packet::parse(piece).unwrap());
        assert_eq!(first.header.len(), 32);
        assert_eq!(&second.header[20..], [131, 7, 4, 10, 0, 0, 9, 0]);
    }

    #[test]
    fn an_mtu_without_room_for_data_is_refused() {
        assert_eq!(fragment(&packet(&[], 100), 24, 1).unwrap_err().reason, DropReason::TooBig);
    }
}
