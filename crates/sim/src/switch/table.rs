//! The filtering database: which address is behind which port (IEEE 802.1D-2004, 7.9), for each VLAN by
//! itself (independent learning, IEEE 802.1Q-2018, 8.8.8).

use glasstack_journal::Instant;
use glasstack_journal::event::MacAddress;
use std::collections::BTreeMap;
use std::time::Duration;

/// A station of a VLAN.
pub(super) type Station = (u16, MacAddress);

/// What became of an address that was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learnt {
    /// Nothing new.
    Known,
    /// It was not known, or had been forgotten.
    New,
    /// It was behind another port.
    Moved { from: usize },
    /// There is no room for it.
    Full,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) ageing: Duration,
    pub(super) capacity: usize,
    entries: BTreeMap<Station, Entry>,
    /// Before this none of the entries can have aged.
    nobody_ages_before: Instant,
}

#[derive(Debug)]
struct Entry {
    port: usize,
    heard: Instant,
}

impl Table {
    pub(super) fn new(ageing: Duration, capacity: usize) -> Self {
        Self { ageing, capacity, entries: BTreeMap::new(), nobody_ages_before: Instant::ZERO }
    }

    /// `station` was heard of at `port`.
    pub(super) fn learn(&mut self, station: Station, port: usize, now: Instant) -> Learnt {
        let ageing = self.ageing;
        if let Some(entry) = self.entries.get_mut(&station) {
            let before = std::mem::replace(entry, Entry { port, heard: now });
            return match before {
                aged if is_old(&aged, ageing, now) => Learnt::New,
                same if same.port == port => Learnt::Known,
                moved => Learnt::Moved { from: moved.port },
            };
        }
        if self.entries.len() >= self.capacity && !self.make_room(now) {
            return Learnt::Full;
        }
        self.entries.insert(station, Entry { port, heard: now });
        Learnt::New
    }

    pub(super) fn port_of(&self, station: Station, now: Instant) -> Option<usize> {
        let entry = self.entries.get(&station)?;
        (!is_old(entry, self.ageing, now)).then_some(entry.port)
    }

    /// Forgets everybody behind `port`.
    pub(super) fn forget(&mut self, port: usize) {
        self.entries.retain(|_, entry| entry.port != port);
        self.nobody_ages_before = Instant::ZERO;
    }

    /// Forgets who has aged. Looks through the table only when somebody can have: a flood of new addresses
    /// costs nothing.
    fn make_room(&mut self, now: Instant) -> bool {
        if now < self.nobody_ages_before {
            return false;
        }
        let ageing = self.ageing;
        self.entries.retain(|_, entry| !is_old(entry, ageing, now));
        let oldest = self.entries.values().map(|entry| entry.heard).min();
        self.nobody_ages_before = oldest.map_or(Instant::ZERO, |heard| heard + ageing);
        self.entries.len() < self.capacity
    }
}

fn is_old(entry: &Entry, ageing: Duration, now: Instant) -> bool {
    now.since(entry.heard) > ageing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(n: u8) -> Station {
        (1, MacAddress([2, 0, 0, 0, 0, n]))
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_full_table_learns_nobody_until_somebody_has_aged() {
        let mut table = Table::new(Duration::from_secs(300), 2);
        assert_eq!(table.learn(station(1), 0, at(0)), Learnt::New);
        assert_eq!(table.learn(station(2), 0, at(100)), Learnt::New);
        assert_eq!(table.learn(station(3), 1, at(200)), Learnt::Full);
        assert_eq!(table.learn(station(2), 1, at(200)), Learnt::Moved { from: 0 });
        assert_eq!(table.port_of(station(3), at(200)), None);
        assert_eq!(table.learn(station(3), 1, at(301)), Learnt::New);
        assert_eq!(table.learn(station(1), 1, at(301)), Learnt::Full);
    }

    #[test]
    fn the_same_address_in_two_vlans_is_two_stations() {
        let mut table = Table::new(Duration::from_secs(300), 10);
        table.learn((1, station(1).1), 0, at(0));
        table.learn((2, station(1).1), 5, at(0));
        assert_eq!(table.port_of((1, station(1).1), at(1)), Some(0));
        assert_eq!(table.port_of((2, station(1).1), at(1)), Some(5));
    }
}
