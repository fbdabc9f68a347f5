//! One direction of a cable: how it is, and what is on it.

use super::queue::{Queue, Waiting};
use crate::entropy::Rng;
use crate::flight::FlightKey;
use glasstack_journal::Instant;
use std::time::Duration;

/// One direction of a cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// How long a bit travels. 1 ms.
    pub latency: Duration,
    /// How much longer a bit may travel at most: each frame by a time between nothing and this, each
    /// equally likely. None.
    pub jitter: Duration,
    /// Whether a frame never arrives before one sent earlier, whatever jitter says: it waits for it, as
    /// it would behind it in a queue. If not, frames overtake one another. True.
    pub keeps_order: bool,
    /// Bits a second, counted over the frame as captured (without preamble, checksum and gap); none
    /// if sending takes no time. None.
    pub rate: Option<u64>,
    /// Who may wait for their turn, and who is lost instead. Without a rate nothing ever waits.
    /// Unlimited.
    pub queue: Queue,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            keeps_order: true,
            rate: None,
            queue: Queue::Unlimited,
        }
    }
}

impl Lane {
    /// How long `length` bytes take to leave, rounded up to whole nanoseconds.
    fn serialisation(&self, length: usize) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        // A rate of nothing is as good as one bit a second: the frame practically never leaves.
        let nanos = (length as u128 * 8 * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// A lane and what is on it.
pub(super) struct Line {
    pub(super) lane: Lane,
    /// When the last frame's last bit has left.
    busy_until: Instant,
    pub(super) waiting: Waiting,
    /// When the last frame arrives, faults not counted.
    last_arrival: Instant,
    /// Frames held back until the next one passes: where they stand, and when they were due.
    held: Vec<(FlightKey, Instant)>,
    /// The dice of its jitter, once there is any.
    rng: Option<Rng>,
}

impl Line {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            lane,
            busy_until: Instant::ZERO,
            waiting: Waiting::default(),
            last_arrival: Instant::ZERO,
            held: Vec::new(),
            rng: None,
        }
    }

    /// Whether a frame that comes now can leave at once.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        self.busy_until <= now && self.waiting.is_empty()
    }

    /// When the frame being sent has left.
    pub(super) fn busy_until(&self) -> Instant {
        self.busy_until
    }

    /// A frame of `length` bytes begins to leave: when it arrives.
    pub(super) fn leave(&mut self, length: usize, now: Instant, dice: impl FnOnce() -> Rng) -> Instant {
        self.busy_until = now + self.lane.serialisation(length);
        let mut arrival = self.busy_until + self.lane.latency;
        if !self.lane.jitter.is_zero() {
            arrival = arrival + self.rng.get_or_insert_with(dice).up_to(self.lane.jitter);
        }
        if self.lane.keeps_order {
            arrival = arrival.max(self.last_arrival);
        }
        self.last_arrival = arrival;
        arrival
    }

    /// A frame that is due at `due` flies as `key` until the next one passes.
    pub(super) fn hold(&mut self, key: FlightKey, due: Instant, now: Instant) {
        self.held.retain(|((arrives, _), _)| *arrives >= now);
        self.held.push((key, due));
    }

    /// The next one passes: who is held back no longer.
    pub(super) fn release(&mut self) -> Vec<(FlightKey, Instant)> {
        std::mem::take(&mut self.held)
    }

    /// The plug is pulled: nothing is on the line any more.
    pub(super) fn cut(&mut self) -> Waiting {
        self.busy_until = Instant::ZERO;
        self.last_arrival = Instant::ZERO;
        self.held.clear();
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_arrived_is_held_back_no_longer() {
        let mut line = Line::new(Lane::default());
        for n in 0..1_000 {
            let now = Instant::from_millis(n);
            line.hold((now + Duration::from_millis(3), n), now, now);
            assert!(line.held.len() <= 4);
        }
        assert_eq!(line.release().len(), 4);
        assert_eq!(line.release(), []);
    }
}
