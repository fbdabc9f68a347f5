//! Frames with a wrong bit. A real link's CRC catches nearly all of them; what is left, and what a
//! router's bad memory makes of a frame, is for the checksums of IP, TCP and UDP to find.

use super::{Fault, Pick, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

/// The Ethernet header, in bits: by chance only what is behind it is hit.
const LINK_HEADER_BITS: usize = 14 * 8;

/// Flips bits; see [`corrupt`].
pub struct Corrupt {
    pick: Pick,
    bit: Option<usize>,
}

/// In the frames that `pick` picks one bit behind the Ethernet header, whichever chance says, is
/// flipped.
pub fn corrupt(pick: Pick) -> Corrupt {
    Corrupt { pick, bit: None }
}

/// In the frames that `pick` picks the bit numbered `bit` is flipped, counted from the first bit of
/// the Ethernet header.
pub fn corrupt_bit(pick: Pick, bit: usize) -> Corrupt {
    Corrupt { pick, bit: Some(bit) }
}

impl Fault for Corrupt {
    fn name(&self) -> &str {
        "corrupt"
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        if !self.pick.picks(frame, now, rng) {
            return Verdict::Pass;
        }
        let by_chance = || {
            let behind = (frame.len() * 8).saturating_sub(LINK_HEADER_BITS);
            LINK_HEADER_BITS + usize::try_from(rng.below(behind as u64)).unwrap_or(0)
        };
        Verdict::Corrupt { bit: self.bit.unwrap_or_else(by_chance) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{udp, verdicts};

    #[test]
    fn a_random_bit_lies_behind_the_ethernet_header_and_inside_the_frame() {
        for verdict in verdicts(&mut corrupt(Pick::all()), &vec![udp(10); 200]) {
            let Verdict::Corrupt { bit } = verdict else { panic!("not corrupted: {verdict:?}") };
            assert!((14 * 8..udp(10).len() * 8).contains(&bit));
        }
    }

    #[test]
    fn a_chosen_bit_is_that_bit() {
        let got = verdicts(&mut corrupt_bit(Pick::all().nth(1), 300), &[udp(10), udp(10)]);
        assert_eq!(got, [Verdict::Corrupt { bit: 300 }, Verdict::Pass]);
    }
}
