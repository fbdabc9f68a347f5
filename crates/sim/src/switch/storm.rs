//! Storm control: how many frames to everybody a port may send in a second. In a loop of switches each
//! such frame comes back, and with three ways between two switches each comes back twice: without a bound
//! they would fill the world.

use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Storms {
    limit: u32,
    /// Of each port: when the second began, and how many frames it had.
    ports: BTreeMap<usize, (Instant, u32)>,
}

impl Storms {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, ports: BTreeMap::new() }
    }

    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether `port` may send one more.
    pub(super) fn admits(&mut self, port: usize, now: Instant) -> bool {
        let (began, frames) = self.ports.entry(port).or_insert((now, 0));
        if now.since(*began) >= SECOND {
            (*began, *frames) = (now, 0);
        }
        *frames = frames.saturating_add(1);
        *frames <= self.limit
    }
}
