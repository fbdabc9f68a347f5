//! Frames that arrive more than once.

use super::{Fault, Pick, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

/// Delivers frames more than once; see [`duplicate`].
pub struct Duplicate {
    pick: Pick,
    copies: u8,
}

/// The frames that `pick` picks arrive with `copies` copies right behind them.
pub fn duplicate(pick: Pick, copies: u8) -> Duplicate {
    Duplicate { pick, copies }
}

impl Fault for Duplicate {
    fn name(&self) -> &str {
        "duplicate"
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        if self.pick.picks(frame, now, rng) { Verdict::Duplicate(self.copies) } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{syn, udp, verdicts};

    #[test]
    fn what_is_picked_is_duplicated() {
        let mut fault = duplicate(Pick::when(|f| f.is_syn()), 2);
        assert_eq!(verdicts(&mut fault, &[syn(), udp(1)]), [Verdict::Duplicate(2), Verdict::Pass]);
    }
}
