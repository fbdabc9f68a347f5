//! The operating system's clocks. The only place in the project that reads them.

use glasstack_journal::{Clock, Instant, WallTime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Monotonic time since it was made (CLOCK_MONOTONIC), and the system's civil time.
#[derive(Clone, Copy, Debug)]
pub struct OsClock {
    start: std::time::Instant,
    epoch: WallTime,
}

impl OsClock {
    /// Starts counting.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now(), epoch: system_time() }
    }

    /// The civil time at [`Instant::ZERO`]: what a journal begins with.
    pub fn epoch(&self) -> WallTime {
        self.epoch
    }
}

impl Default for OsClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for OsClock {
    fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// Asked afresh each time, since somebody may set the system's clock while we run.
    fn wall(&self) -> WallTime {
        system_time()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
fn system_time() -> WallTime {
    // A clock set before 1970 counts as 1970.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    WallTime::default() + since_epoch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_at_zero_never_goes_back_and_knows_what_century_it_is() {
        let clock = OsClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert!(first < Instant::ZERO + Duration::from_secs(3600), "counts from when it was made");
        let year_2020 = WallTime::from_unix_seconds(1_577_836_800);
        assert!(clock.wall() > year_2020 && clock.epoch() > year_2020);
    }
}
