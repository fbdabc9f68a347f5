//! Fragments at a router that looks at ports: only the first of a datagram has them, so the others follow
//! it, and wait for it if they are early (RFC 4787 REQ-14). Nothing is put together.

use super::forward::Arrival;
use glasstack_journal::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Datagrams whose first fragment is remembered.
const MOST_KNOWN: usize = 256;
/// Fragments that wait for their first.
const MOST_WAITING: usize = 64;
/// How long a datagram is remembered (RFC 1122 3.3.2 speaks of 60 to 120 s, Linux takes 30).
const LASTS: Duration = Duration::from_secs(30);

/// What fragments of one datagram have in common (RFC 791 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Datagram {
    port: usize,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    identification: u16,
}

impl Datagram {
    /// That which a fragment is a part of.
    pub(super) fn of(arrival: &Arrival) -> Self {
        Self {
            port: arrival.port,
            source: arrival.packet.source(),
            destination: arrival.packet.destination(),
            protocol: arrival.packet.protocol(),
            identification: arrival.packet.identification(),
        }
    }
}

/// What became of a first fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It went on, with these addresses.
    Goes { source: Ipv4Addr, destination: Ipv4Addr },
    /// It was for the router itself.
    IsOurs,
    /// It went no further.
    Stays,
}

/// What is remembered of datagrams in pieces.
#[derive(Default)]
pub(super) struct Pieces {
    known: BTreeMap<Datagram, (Fate, Instant)>,
    by_expiry: BTreeSet<(Instant, Datagram)>,
    waiting: BTreeMap<Datagram, (Instant, Vec<Arrival>)>,
}

impl Pieces {
    /// A first fragment has come and met its fate. Returns those that have waited for it.
    pub(super) fn decide(&mut self, datagram: Datagram, fate: Fate, now: Instant) -> Vec<Arrival> {
        self.forget(&datagram);
        let oldest = self.by_expiry.first().copied().filter(|_| self.known.len() >= MOST_KNOWN);
        if let Some((_, oldest)) = oldest {
            self.forget(&oldest);
        }
        self.known.insert(datagram, (fate, now + LASTS));
        self.by_expiry.insert((now + LASTS, datagram));
        self.waiting.remove(&datagram).map_or(Vec::new(), |(_, waiting)| waiting)
    }

    /// What became of the first fragment, if it has come.
    pub(super) fn fate(&self, datagram: &Datagram) -> Option<Fate> {
        self.known.get(datagram).map(|(fate, _)| *fate)
    }

    /// A later fragment waits for its first. It comes back if there is no room.
    pub(super) fn wait(&mut self, arrival: Arrival, now: Instant) -> Option<Arrival> {
        if self.waiting.values().map(|(_, waiting)| waiting.len()).sum::<usize>() >= MOST_WAITING {
            return Some(arrival);
        }
        let datagram = Datagram::of(&arrival);
        self.waiting.entry(datagram).or_insert_with(|| (now + LASTS, Vec::new())).1.push(arrival);
        None
    }

    /// Forgets what is too old, and returns the fragments whose first has never come.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Arrival> {
        while let Some((_, datagram)) = self.by_expiry.first().copied().filter(|(at, _)| *at <= now) {
            self.forget(&datagram);
        }
        let late = self.waiting.extract_if(.., |_, (until, _)| *until <= now);
        late.flat_map(|(_, (_, waiting))| waiting).collect()
    }

    /// Only who waits sets a timer: what is known is forgotten along the way.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|(until, _)| *until).min()
    }

    fn forget(&mut self, datagram: &Datagram) {
        if let Some((_, until)) = self.known.remove(datagram) {
            self.by_expiry.remove(&(until, *datagram));
        }
    }
}
