//! Frames that take longer.

use super::{Fault, Pick, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;
use std::time::Duration;

/// Holds frames back for a while; see [`delay`].
pub struct Delay {
    pick: Pick,
    by: Duration,
}

/// The frames that `pick` picks arrive later by `by`. Those sent after them may overtake them.
pub fn delay(pick: Pick, by: Duration) -> Delay {
    Delay { pick, by }
}

impl Fault for Delay {
    fn name(&self) -> &str {
        "delay"
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        if self.pick.picks(frame, now, rng) { Verdict::Delay(self.by) } else { Verdict::Pass }
    }
}

/// Holds every frame back by chance; see [`jitter`].
pub struct Jitter {
    up_to: Duration,
}

/// Every frame arrives later by a time between nothing and `up_to`, each equally likely. Frames may
/// overtake one another.
pub fn jitter(up_to: Duration) -> Jitter {
    Jitter { up_to }
}

impl Fault for Jitter {
    fn name(&self) -> &str {
        "jitter"
    }

    fn judge(&mut self, _frame: &FrameView<'_>, _now: Instant, rng: &mut Rng) -> Verdict {
        Verdict::Delay(rng.up_to(self.up_to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{udp, verdicts};

    #[test]
    fn what_is_picked_is_delayed_and_the_rest_is_not() {
        let by = Duration::from_millis(20);
        let got = verdicts(&mut delay(Pick::all().nth(2), by), &[udp(1), udp(1)]);
        assert_eq!(got, [Verdict::Pass, Verdict::Delay(by)]);
    }

    #[test]
    fn jitter_stays_within_its_limit_and_varies() {
        let got = verdicts(&mut jitter(Duration::from_millis(5)), &vec![udp(1); 50]);
        let delays: Vec<Duration> =
            got.iter().map(|v| if let Verdict::Delay(by) = v { *by } else { Duration::MAX }).collect();
        assert!(delays.iter().all(|by| *by <= Duration::from_millis(5)));
        assert!(delays.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
