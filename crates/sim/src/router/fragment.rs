//! Packets too long for the next link, cut (RFC 791 3.2, "An Example Fragmentation Procedure").

use super::options;
use super::packet::Packet;

/// `packet` in pieces that fit `mtu`. Options that belong into the first piece alone are overwritten
/// with "no operation" in the others, as Linux does: the header stays as long as it was.
pub(super) fn fragments(packet: &Packet, mtu: usize) -> Vec<Packet> {
    let room = (mtu.saturating_sub(packet.header_len()) / 8 * 8).max(8);
    let later = options::of_later_fragments(packet.options());
    let pieces = packet.payload().len().div_ceil(room);
    let piece = |(n, payload): (usize, &[u8])| {
        let options = if n == 0 { packet.options() } else { &later };
        let more = n + 1 < pieces || packet.more_fragments();
        packet.piece(options, payload, packet.fragment_offset() + n * room, more)
    };
    packet.payload().chunks(room).enumerate().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::packet::{Own, UDP};
    use super::*;
    use std::net::Ipv4Addr;

    fn packet(options: &[u8], length: usize) -> Packet {
        let own = Own {
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
            protocol: UDP,
            type_of_service: 0,
            identification: 7,
            dont_fragment: false,
        };
        let payload: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        Packet::own_with_options(own, 9, options, &payload)
    }

    #[test]
    fn the_pieces_fit_and_make_up_the_whole_whatever_the_mtu() {
        let whole = packet(&[], 4_000);
        for mtu in [68, 69, 76, 500, 576, 1_499, 1_500, 4_019] {
            let pieces = fragments(&whole, mtu);
            assert!(pieces.iter().all(|piece| piece.len() <= mtu), "{mtu}");
            assert!(pieces.iter().rev().skip(1).all(|piece| piece.payload().len() % 8 == 0));
            let mut expected_offset = 0;
            let mut payload = Vec::new();
            for piece in &pieces {
                assert_eq!(piece.fragment_offset(), expected_offset);
                expected_offset += piece.payload().len();
                payload.extend_from_slice(piece.payload());
            }
            assert_eq!(payload, whole.payload());
            let more: Vec<bool> = pieces.iter().map(Packet::more_fragments).collect();
            assert_eq!(more.iter().filter(|more| !**more).count(), 1);
            assert_eq!(more.last(), Some(&false));
        }
    }

    #[test]
    fn a_piece_that_is_cut_again_keeps_its_place() {
        let middle = &fragments(&packet(&[], 3_000), 1_500)[1];
        let again = fragments(middle, 600);
        assert!(again.iter().all(Packet::is_fragment));
        assert_eq!(again[0].fragment_offset(), 1_480);
        assert_eq!(again[1].fragment_offset(), 1_480 + 576);
        assert_eq!(again.last().unwrap().more_fragments(), middle.more_fragments());
    }

    #[test]
    fn options_that_are_not_copied_stand_in_the_first_piece_alone() {
        // Record route (not copied) and the router alert (copied).
        let options = [7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0];
        let pieces = fragments(&packet(&options, 200), 100);
        assert_eq!(pieces[0].options(), options);
        assert_eq!(pieces[1].options(), [1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0]);
    }
}
