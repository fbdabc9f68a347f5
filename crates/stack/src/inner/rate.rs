//! A token bucket: so many at once, so many a second (RFC 1812 4.3.2.8).

use glasstack_journal::Instant;

/// As many as Linux sends: net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst.
const PER_SECOND: u32 = 1000;
const BURST: u32 = 50;
/// Of a second.
const NANOS: u64 = 1_000_000_000;

/// What may still be sent.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    /// In thousand-millionths of a message.
    tokens: u64,
    filled: Instant,
    per_second: u64,
    burst: u64,
}

impl TokenBucket {
    /// A full one, of the size that Linux has for ICMP errors: 1 000 a second, 50 at once.
    pub fn new(now: Instant) -> Self {
        Self::with_rate(now, PER_SECOND, BURST)
    }

    /// A full one for so many messages a second and so many at once.
    pub fn with_rate(now: Instant, per_second: u32, burst: u32) -> Self {
        let burst = u64::from(burst) * NANOS;
        Self { tokens: burst, filled: now, per_second: u64::from(per_second), burst }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let elapsed = u64::try_from((now - self.filled).as_nanos()).unwrap_or(u64::MAX);
        self.tokens = self.tokens.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.burst);
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

    #[test]
    fn a_bucket_of_size_nothing_never_gives() {
        let mut bucket = TokenBucket::with_rate(Instant::ZERO, 10, 0);
        assert!(!bucket.take(Instant::ZERO + Duration::from_secs(5)));
    }
}
