//! Frames that are overtaken by the next.

use super::{Fault, Pick, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;
use std::time::Duration;

/// Lets frames be overtaken; see [`reorder`].
pub struct Reorder {
    pick: Pick,
    patience: Duration,
}

/// The frames that `pick` picks arrive right after the next frame of their direction, or once
/// `patience` has passed without one.
pub fn reorder(pick: Pick, patience: Duration) -> Reorder {
    Reorder { pick, patience }
}

impl Fault for Reorder {
    fn name(&self) -> &str {
        "reorder"
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        if self.pick.picks(frame, now, rng) { Verdict::Behind(self.patience) } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{syn, udp, verdicts};

    #[test]
    fn what_is_picked_waits_for_the_next() {
        let patience = Duration::from_millis(50);
        let mut fault = reorder(Pick::when(|f| f.is_udp()), patience);
        assert_eq!(verdicts(&mut fault, &[syn(), udp(1)]), [Verdict::Pass, Verdict::Behind(patience)]);
    }
}
