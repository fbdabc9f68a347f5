//! How long a fetch may take, and how slow it may be.

use crate::config::LowSpeed;
use crate::error::WebError;
use crate::watch::Watch;
use glasstack_journal::Instant;
use glasstack_stack::Host;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a fetch may take, and how slow it may be.
#[derive(Clone)]
pub(crate) struct Patience {
    host: Host,
    watch: Watch,
    limit: Option<(Instant, Duration)>,
    pace: Option<Arc<Mutex<Pace>>>,
}

impl Patience {
    pub(crate) fn begin(
        host: &Host,
        watch: &Watch,
        max_time: Option<Duration>,
        low_speed: Option<LowSpeed>,
    ) -> Self {
        Self {
            host: host.clone(),
            watch: watch.clone(),
            limit: max_time.map(|limit| (host.now() + limit, limit)),
            pace: low_speed
                .filter(|limit| limit.speed > 0 && !limit.time.is_zero())
                .map(|limit| Arc::new(Mutex::new(Pace::new(limit)))),
        }
    }

    /// Waits for `future` while there is time; `received` bytes of the body had come before.
    pub(crate) async fn bound<T>(
        &self,
        received: u64,
        future: impl Future<Output = T>,
    ) -> Result<T, WebError> {
        let Some((deadline, limit)) = self.limit else { return Ok(future.await) };
        let left = deadline.since(self.host.now());
        self.host.timeout(left, future).await.map_err(|_| WebError::TimedOut { limit, received })
    }

    /// The same for what moves bytes: it must not be too slow either.
    pub(crate) async fn bound_transfer<T>(
        &self,
        received: u64,
        future: impl Future<Output = T>,
    ) -> Result<T, WebError> {
        let Some(pace) = &self.pace else { return self.bound(received, future).await };
        let mut future = pin!(future);
        let lock = || pace.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = lock().until_next_look(self.host.now());
            let done = self.bound(received, self.host.timeout(left, future.as_mut())).await?;
            let now = self.host.now();
            let mut pace = lock();
            // What comes in drops is done before the time is up, each time.
            if pace.until_next_look(now).is_zero() {
                let progress = self.watch.progress();
                if pace.is_too_slow(now, progress.uploaded + progress.downloaded) {
                    return Err(WebError::TooSlow { limit: pace.limit });
                }
            }
            if let Ok(done) = done {
                return Ok(done);
            }
        }
    }
}

/// How fast it goes, as curl measures it: over the last five seconds.
struct Pace {
    limit: LowSpeed,
    samples: VecDeque<(Instant, u64)>,
    slow_since: Option<Instant>,
    next_look: Option<Instant>,
}

impl Pace {
    const INTERVAL: Duration = Duration::from_secs(1);
    const SAMPLES: usize = 6;

    fn new(limit: LowSpeed) -> Self {
        Self { limit, samples: VecDeque::new(), slow_since: None, next_look: None }
    }

    /// How long it is until the next look; looks are an interval apart, however often this is asked.
    fn until_next_look(&mut self, now: Instant) -> Duration {
        self.next_look.get_or_insert(now + Self::INTERVAL).since(now)
    }

    fn is_too_slow(&mut self, now: Instant, moved: u64) -> bool {
        self.next_look = Some(now + Self::INTERVAL);
        if self.samples.len() == Self::SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, moved));
        let Some((since, before)) = self.samples.front().copied() else { return false };
        let passed = now.since(since);
        if passed.is_zero() {
            self.slow_since.get_or_insert(now);
            return false;
        }
        let speed = u128::from(moved.saturating_sub(before)) * 1_000_000 / passed.as_micros().max(1);
        if speed >= u128::from(self.limit.speed) {
            self.slow_since = None;
            return false;
        }
        now.since(*self.slow_since.get_or_insert(now)) >= self.limit.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(speed: u64, seconds: u64) -> Pace {
        Pace::new(LowSpeed { speed, time: Duration::from_secs(seconds) })
    }

    /// After how many seconds it is too slow, when so many bytes come each second.
    fn too_slow_after(mut pace: Pace, bytes: impl Fn(u64) -> u64) -> Option<u64> {
        let mut moved = 0;
        (1..60).find(|second| {
            moved += bytes(*second);
            pace.is_too_slow(Instant::from_millis(second * 1000), moved)
        })
    }

    #[test]
    fn what_is_slow_for_long_enough_is_too_slow() {
        assert_eq!(too_slow_after(pace(100, 10), |_| 99), Some(11));
        assert_eq!(too_slow_after(pace(100, 10), |_| 100), None);
        assert_eq!(too_slow_after(pace(100, 3), |_| 0), Some(4));
    }

    #[test]
    fn a_burst_begins_the_count_anew() {
        let bursts = |second: u64| if second.is_multiple_of(5) { 500 } else { 0 };
        assert_eq!(too_slow_after(pace(100, 10), bursts), None);
        let one = |second: u64| if second == 4 { 10_000 } else { 0 };
        assert_eq!(too_slow_after(pace(100, 10), one), Some(19));
    }
}
