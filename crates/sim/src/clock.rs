//! The virtual clock: it stands still while things happen and jumps to the next event.

use glasstack_journal::{Clock, Instant, WallTime};
use std::sync::atomic::{AtomicU64, Ordering};

/// The wall time at which a virtual world begins unless it is told another: 2026-06-01T12:00:00Z.
/// It is part of what a seed means: certificates, dates and captures follow from it.
pub const DEFAULT_EPOCH: WallTime = WallTime::from_unix_seconds(1_780_315_200);

/// The clock of one virtual world.
#[derive(Debug)]
pub struct SimClock {
    nanos: AtomicU64,
    epoch: WallTime,
}

impl SimClock {
    pub(crate) fn new(epoch: WallTime) -> Self {
        Self { nanos: AtomicU64::new(0), epoch }
    }

    /// Moves on to `instant`; never back.
    pub(crate) fn advance_to(&self, instant: Instant) {
        self.nanos.fetch_max(instant.as_nanos(), Ordering::AcqRel);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.nanos.load(Ordering::Acquire))
    }

    fn wall(&self) -> WallTime {
        self.epoch + self.now().since(Instant::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_wall_clock_follows_the_virtual_one_from_the_epoch() {
        let clock = SimClock::new(DEFAULT_EPOCH);
        assert_eq!(clock.wall(), DEFAULT_EPOCH);
        clock.advance_to(Instant::from_millis(1_500));
        assert_eq!(clock.wall(), DEFAULT_EPOCH + Duration::from_millis(1_500));
    }

    #[test]
    fn it_never_goes_back() {
        let clock = SimClock::new(DEFAULT_EPOCH);
        clock.advance_to(Instant::from_millis(5));
        clock.advance_to(Instant::from_millis(3));
        assert_eq!(clock.now(), Instant::from_millis(5));
    }
}
