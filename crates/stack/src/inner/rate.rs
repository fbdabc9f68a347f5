//! A token bucket: so many at once, so many a second (RFC 1812 4.3.2.8).

use glasstack_journal::Instant;

/// As many as Linux sends: net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst.
const PER_SECOND: u64 = 1000;
const BURST: u64 = 50;
/// Of a second.
const NANOS: u64 = 1_000_000_000;

/// What may still be sent.
pub(crate) struct TokenBucket {
    /// In thousand-millionths of a message.
    tokens: u64,
    filled: Instant,
}

impl TokenBucket {
    /// A full one.
    pub(crate) fn new(now: Instant) -> Self {
        Self { tokens: BURST * NANOS, filled: now }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let elapsed = u64::try_from((now - self.filled).as_nanos()).unwrap_or(u64::MAX);
        self.tokens = self.tokens.saturating_add(elapsed.saturating_mul(PER_SECOND)).min(BURST * NANOS);
        self.filled = now;
        let may = self.tokens >= NANOS;
        if may {
            self.tokens -= NANOS;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_one_a_millisecond() {
        let start = Instant::ZERO;
        let mut bucket = TokenBucket::new(start);
        assert_eq!((0..1000).filter(|_| bucket.take(start)).count(), 50);
        let next = start + Duration::from_millis(1);
        assert!(bucket.take(next) && !bucket.take(next));
        let much_later = next + Duration::from_secs(3600);
        assert_eq!((0..1000).filter(|_| bucket.take(much_later)).count(), 50);
    }
}
