//! Cables that carry nothing for a while: a schedule instead of a hand at the plug.

use super::{Fault, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;
use std::time::Duration;

/// Loses everything for a while; see [`outage`] and [`flapping`].
pub struct Outage {
    name: &'static str,
    from: Instant,
    until: Instant,
    /// Of each of these, the link is down for so long at the end; none if it is down all the time.
    every: Option<(Duration, Duration)>,
}

/// Every frame that leaves at `from` or later, and before `until`, is lost. What is on the cable already
/// arrives.
pub fn outage(from: Instant, until: Instant) -> Outage {
    Outage { name: "outage", from, until, every: None }
}

/// The link carries frames for `up`, loses them for `down`, and so on, from the world's beginning.
pub fn flapping(up: Duration, down: Duration) -> Outage {
    Outage { name: "flapping", from: Instant::ZERO, until: Instant::MAX, every: Some((up, down)) }
}

impl Fault for Outage {
    fn name(&self) -> &str {
        self.name
    }

    fn judge(&mut self, _frame: &FrameView<'_>, now: Instant, _rng: &mut Rng) -> Verdict {
        let is_down = self.every.is_none_or(|(up, down)| {
            let round = (up + down).as_nanos().max(1);
            now.since(self.from).as_nanos() % round >= up.as_nanos()
        });
        if is_down && now >= self.from && now < self.until { Verdict::Drop } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{udp, verdicts};

    /// When frames were lost, one sent each millisecond.
    fn lost(mut fault: Outage, frames: usize) -> Vec<usize> {
        let got = verdicts(&mut fault, &vec![udp(1); frames]);
        (0..).zip(got).filter(|(_, verdict)| *verdict == Verdict::Drop).map(|(at, _)| at).collect()
    }

    #[test]
    fn an_outage_has_a_beginning_and_an_end() {
        assert_eq!(lost(outage(Instant::from_millis(2), Instant::from_millis(4)), 6), [2, 3]);
    }

    #[test]
    fn a_link_that_flaps_is_up_first_and_then_down_again_and_again() {
        assert_eq!(lost(flapping(Duration::from_millis(3), Duration::from_millis(1)), 9), [3, 7]);
    }
}
