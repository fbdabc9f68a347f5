//! What is remembered of servers: how fast they answer, and whether they answer at all.

use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Servers that are remembered; the lowest address gives way.
const CAPACITY: usize = 4_096;
/// A server that was silent is asked after all others for so long.
const AVOIDED: Duration = Duration::from_secs(60);

/// What is remembered of servers.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    servers: BTreeMap<SocketAddr, Standing>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    lacks_edns: bool,
    /// The smoothed round-trip time (RFC 6298 2.3's formula, as name servers use it, too).
    srtt: Option<Duration>,
    avoided_until: Instant,
}

impl Standings {
    /// Whether a server was found not to understand EDNS.
    pub(crate) fn lacks_edns(&self, server: SocketAddr) -> bool {
        self.servers.get(&server).is_some_and(|standing| standing.lacks_edns)
    }

    pub(crate) fn note_lack_of_edns(&mut self, server: SocketAddr) {
        self.of(server).lacks_edns = true;
    }

    /// It has answered.
    pub(crate) fn note_answer(&mut self, server: SocketAddr, rtt: Duration) {
        let standing = self.of(server);
        standing.srtt = Some(standing.srtt.map_or(rtt, |srtt| (srtt * 7 + rtt) / 8));
        standing.avoided_until = Instant::ZERO;
    }

    /// It has been silent for too long, or could not be reached.
    pub(crate) fn note_silence(&mut self, server: SocketAddr, now: Instant) {
        self.of(server).avoided_until = now + AVOIDED;
    }

    /// The lower, the sooner it should be asked: who was silent lately comes last, who has never been
    /// asked first, so that everybody is measured once, and between them the fastest.
    pub(crate) fn rank(&self, server: SocketAddr, now: Instant) -> (bool, Duration) {
        let standing = self.servers.get(&server).copied().unwrap_or_default();
        (standing.avoided_until > now, standing.srtt.unwrap_or_default())
    }

    fn of(&mut self, server: SocketAddr) -> &mut Standing {
        if self.servers.len() >= CAPACITY && !self.servers.contains_key(&server) {
            self.servers.pop_first();
        }
        self.servers.entry(server).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 53))
    }

    fn order(standings: &Standings, now: Instant) -> Vec<u8> {
        let mut servers: Vec<u8> = (1..=4).collect();
        servers.sort_by_key(|last| standings.rank(server(*last), now));
        servers
    }

    #[test]
    fn the_unknown_come_first_then_the_fast_and_the_silent_last() {
        let mut standings = Standings::default();
        standings.note_silence(server(1), Instant::ZERO);
        standings.note_answer(server(2), Duration::from_millis(300));
        standings.note_answer(server(3), Duration::from_millis(20));
        assert_eq!(order(&standings, Instant::from_millis(1)), [4, 3, 2, 1]);
        assert_eq!(order(&standings, Instant::from_millis(60_000)), [1, 4, 3, 2], "silence is forgiven");
        standings.note_answer(server(1), Duration::from_millis(50));
        assert_eq!(order(&standings, Instant::from_millis(2)), [4, 3, 1, 2]);
    }

    #[test]
    fn times_are_smoothed() {
        let mut standings = Standings::default();
        standings.note_answer(server(1), Duration::from_millis(80));
        standings.note_answer(server(1), Duration::from_millis(160));
        assert_eq!(standings.rank(server(1), Instant::ZERO).1, Duration::from_millis(90));
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut standings = Standings::default();
        for port in 1..=5_000 {
            standings.note_lack_of_edns(SocketAddr::from(([10, 0, 0, 1], port)));
        }
        assert_eq!(standings.servers.len(), CAPACITY);
    }
}
