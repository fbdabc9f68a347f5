//! What is remembered of zones between questions: their keys, or that they have none.

use crate::dnssec::Link;
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::reason::Reason;
use crate::name::DnsName;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a step down from one zone has found at a name.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A signed zone begins here.
    Zone(Arc<TrustedKeys>),
    /// No zone begins here; it is the same as above.
    SameZone,
    /// No zone begins here nor further down.
    Nothing,
    /// What is here and below is not signed.
    Insecure(Reason),
    /// What is here and below cannot be trusted.
    Bogus(Reason),
}

/// What was found, and how.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) found: Found,
    pub(crate) links: Vec<Link>,
    pub(crate) expires: Instant,
}

/// Entries by name, bounded: what would expire first gives way.
#[derive(Debug)]
pub(crate) struct Remembered {
    entries: BTreeMap<DnsName, Entry>,
    capacity: usize,
}

impl Remembered {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: BTreeMap::new(), capacity }
    }

    pub(crate) fn get(&self, name: &DnsName, now: Instant) -> Option<&Entry> {
        self.entries.get(name).filter(|entry| entry.expires > now)
    }

    pub(crate) fn put(&mut self, name: DnsName, entry: Entry, now: Instant) {
        if entry.expires <= now || self.capacity == 0 {
            return;
        }
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&name) {
            self.make_room(now);
        }
        self.entries.insert(name, entry);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// What has expired goes, and if that is nothing, the eighth part that would expire first: so the
    /// whole is looked through only once in a while.
    fn make_room(&mut self, now: Instant) {
        let mut times: Vec<Instant> = self.entries.values().map(|entry| entry.expires).collect();
        times.sort_unstable();
        let until = times.get(self.capacity / 8).copied().unwrap_or(now).max(now);
        self.entries.retain(|_, entry| entry.expires > until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::name;

    fn entry(seconds: u64) -> Entry {
        Entry { found: Found::SameZone, links: Vec::new(), expires: at(seconds) }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn so_many_are_remembered_and_no_longer_than_they_may() {
        let mut remembered = Remembered::new(16);
        for number in 0..40 {
            remembered.put(name(&format!("z{number}.test")), entry(100 + number), at(0));
            assert!(remembered.entries.len() <= 16);
        }
        assert!(remembered.get(&name("z39.test"), at(138)).is_some());
        assert!(remembered.get(&name("z39.test"), at(139)).is_none());
        assert!(remembered.get(&name("z0.test"), at(0)).is_none(), "it would have expired first");
        remembered.put(name("zero.test"), entry(50), at(50));
        assert!(remembered.get(&name("zero.test"), at(50)).is_none());
    }
}
