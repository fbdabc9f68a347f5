//! `--limit-rate`: how long to wait so that the average stays below the limit.

use glasstack::journal::Instant;
use glasstack::stack::Host;
use std::pin::Pin;
use std::time::Duration;

/// Keeps a transfer to a number of bytes a second.
pub(crate) struct Pace {
    host: Host,
    limit: u64,
    begun: Instant,
    moved: u64,
}

impl Pace {
    /// At most `limit` bytes a second from now on; a limit of 0 is none.
    pub(crate) fn new(host: &Host, limit: u64) -> Self {
        Self { host: host.clone(), limit, begun: host.now(), moved: 0 }
    }

    /// What to wait for after this many bytes more.
    pub(crate) fn after(&mut self, bytes: u64) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.moved += bytes;
        let passed = self.host.now() - self.begun;
        let pause = due(self.moved, self.limit)?.checked_sub(passed).filter(|pause| !pause.is_zero())?;
        let host = self.host.clone();
        Some(Box::pin(async move { host.sleep(pause).await }))
    }
}

/// How many bytes may go at once, so that a limit is kept in each second and not only in the end.
pub(crate) fn step(limit: Option<u64>, most: usize) -> usize {
    match limit {
        None | Some(0) => most,
        Some(limit) => usize::try_from(limit / 4).unwrap_or(most).clamp(1, most),
    }
}

/// How long so many bytes have to take.
fn due(bytes: u64, limit: u64) -> Option<Duration> {
    let micros = u128::from(bytes) * 1_000_000 / u128::from(limit.max(1));
    (limit > 0).then(|| Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_bytes_take_so_long() {
        assert_eq!(due(500, 1_000), Some(Duration::from_millis(500)));
        assert_eq!(due(500, 0), None);
        assert_eq!(due(u64::MAX, 1), Some(Duration::from_micros(u64::MAX)));
    }

    #[test]
    fn a_quarter_of_a_second_goes_at_once() {
        assert_eq!(step(Some(1_000), 65_536), 250);
        assert_eq!(step(Some(1), 65_536), 1);
        assert_eq!(step(Some(1 << 40), 65_536), 65_536);
        assert_eq!(step(Some(0), 65_536), 65_536);
    }
}
