//! Answers alone, without rank or security; for as long as they may be believed (RFC 1035 7.4, RFC 2308 5).

use super::Negative;
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use glasstack_journal::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Nothing is believed longer than a day (RFC 2181 8 leaves the limit to us; RFC 8767 4 would allow
/// a week).
const MAX_TTL: Duration = Duration::from_secs(24 * 3600);
/// "Values of one to three hours have been found to work well" (RFC 2308 5).
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(3 * 3600);

/// What the cache knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cached {
    /// Records, their TTL being what is left of it.
    Records(Vec<Record>),
    /// There is nothing.
    Nothing {
        /// What is not there.
        what: Negative,
        /// The SOA record that said so, its TTL being what is left of it (RFC 2308 5).
        soa: Record,
    },
}

/// Positive and negative answers, bounded: what would expire first gives way.
#[derive(Debug)]
pub struct Cache {
    capacity: usize,
    entries: BTreeMap<Key, Entry>,
    /// The same keys by the time they expire at.
    expiry: BTreeSet<(Instant, Key)>,
}

/// A name and a type; no type for a name that does not exist at all (RFC 2308 5).
type Key = (DnsName, Option<RecordType>);

#[derive(Debug)]
struct Entry {
    learnt: Instant,
    expires: Instant,
    /// The SOA record alone if there is nothing.
    records: Vec<Record>,
    nothing: Option<Negative>,
}

impl Cache {
    /// An empty cache for at most `capacity` answers.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: BTreeMap::new(), expiry: BTreeSet::new() }
    }

    /// What is known about `name` and `record_type` at `now`.
    pub fn get(&self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Cached> {
        let fresh = |name: &DnsName, record_type| {
            self.entries.get(&(name.clone(), record_type)).filter(|entry| entry.expires > now)
        };
        // RFC 8020 2: below a name that does not exist there is nothing.
        let nothing = with_all_above(name).find_map(|name| fresh(&name, None));
        let entry = nothing.or_else(|| fresh(name, Some(record_type)))?;
        let records = entry.at(now);
        match entry.nothing {
            Some(what) => Some(Cached::Nothing { what, soa: records.into_iter().next()? }),
            None => Some(Cached::Records(records)),
        }
    }

    /// The CNAME record of `name`, if one is known at `now`.
    pub fn get_alias(&self, name: &DnsName, now: Instant) -> Option<Cached> {
        self.get(name, RecordType::Cname, now).filter(|cached| matches!(cached, Cached::Records(_)))
    }

    /// Learns records of one name and type. They expire together, with the shortest TTL among them
    /// (RFC 2181 5.2).
    pub fn learn(&mut self, name: &DnsName, record_type: RecordType, records: &[Record], now: Instant) {
        let Some(ttl) = records.iter().map(|record| record.ttl).min() else { return };
        let lifetime = Duration::from_secs(ttl.into()).min(MAX_TTL);
        // Where there is a record, the name exists, and so do all above it.
        with_all_above(name).for_each(|name| self.forget(&(name, None)));
        let entry = Entry { learnt: now, expires: now + lifetime, records: records.to_vec(), nothing: None };
        self.insert((name.clone(), Some(record_type)), entry);
    }

    /// Learns that there is nothing, for as long as the TTL of the SOA that came with it.
    pub fn learn_nothing(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        what: Negative,
        soa: &Record,
        now: Instant,
    ) {
        let record_type = match what {
            Negative::NoName => None,
            Negative::NoData => Some(record_type),
        };
        let lifetime = Duration::from_secs(soa.ttl.into()).min(MAX_NEGATIVE_TTL);
        let records = vec![soa.clone()];
        let entry = Entry { learnt: now, expires: now + lifetime, records, nothing: Some(what) };
        self.insert((name.clone(), record_type), entry);
    }

    /// How many answers it holds, expired ones that have not given way included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        self.forget(&key);
        // RFC 1035 3.2.1: zero means for this transaction only.
        if entry.expires == entry.learnt || self.capacity == 0 {
            return;
        }
        while self.entries.len() >= self.capacity {
            let Some((_, first)) = self.expiry.pop_first() else { break };
            self.entries.remove(&first);
        }
        self.expiry.insert((entry.expires, key.clone()));
        self.entries.insert(key, entry);
    }

    fn forget(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.expiry.remove(&(entry.expires, key.clone()));
        }
    }
}

/// The name, and all that it is below of.
fn with_all_above(name: &DnsName) -> impl Iterator<Item = DnsName> {
    std::iter::successors(Some(name.clone()), DnsName::parent)
}

impl Entry {
    /// The records as they would be sent on at `now`: the time they were kept is taken off.
    fn at(&self, now: Instant) -> Vec<Record> {
        let kept = u32::try_from(now.since(self.learnt).as_secs()).unwrap_or(u32::MAX);
        let left = self.expires.since(now).as_secs();
        let counted_down = |record: &Record| Record {
            ttl: record.ttl.saturating_sub(kept).min(u32::try_from(left).unwrap_or(u32::MAX)),
            ..record.clone()
        };
        self.records.iter().map(counted_down).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordData, Soa};

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    fn address(owner: &str, ttl: u32, last: u8) -> Record {
        Record { owner: name(owner), ttl, data: RecordData::A([10, 0, 0, last].into()) }
    }

    fn soa(ttl: u32) -> Record {
        let (primary, mailbox) = (name("ns.test"), name("admin.test"));
        let soa = Soa { primary, mailbox, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 };
        Record { owner: name("test"), ttl, data: RecordData::Soa(soa) }
    }

    fn ttls(cached: Option<Cached>) -> Vec<u32> {
        match cached {
            Some(Cached::Records(records)) => records.iter().map(|record| record.ttl).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_ttl_is_counted_down_by_the_worlds_clock() {
        let mut cache = Cache::new(10);
        cache.learn(&name("www.test"), RecordType::A, &[address("www.test", 300, 1)], at(100));
        assert_eq!(ttls(cache.get(&name("www.test"), RecordType::A, at(100))), [300]);
        assert_eq!(ttls(cache.get(&name("www.test"), RecordType::A, at(399))), [1]);
        assert_eq!(cache.get(&name("www.test"), RecordType::A, at(400)), None);
        assert_eq!(cache.get(&name("www.test"), RecordType::Aaaa, at(100)), None);
    }

    #[test]
    fn the_shortest_ttl_of_a_set_is_that_of_all() {
        let mut cache = Cache::new(10);
        let records = [address("www.test", 300, 1), address("www.test", 5, 2)];
        cache.learn(&name("www.test"), RecordType::A, &records, at(0));
        assert_eq!(ttls(cache.get(&name("www.test"), RecordType::A, at(1))), [4, 4]);
        assert_eq!(cache.get(&name("www.test"), RecordType::A, at(5)), None);
    }

    #[test]
    fn a_ttl_of_zero_is_not_kept_and_a_huge_one_is_cut() {
        let mut cache = Cache::new(10);
        cache.learn(&name("zero.test"), RecordType::A, &[address("zero.test", 0, 1)], at(0));
        assert!(cache.is_empty());
        cache.learn(&name("huge.test"), RecordType::A, &[address("huge.test", u32::MAX >> 1, 1)], at(0));
        assert_eq!(ttls(cache.get(&name("huge.test"), RecordType::A, at(0))), [86_400]);
        assert_eq!(cache.get(&name("huge.test"), RecordType::A, at(86_400)), None);
    }

    #[test]
    fn a_name_that_does_not_exist_does_not_exist_with_any_type() {
        let mut cache = Cache::new(10);
        cache.learn_nothing(&name("no.test"), RecordType::A, Negative::NoName, &soa(60), at(0));
        let expected = Some(Cached::Nothing { what: Negative::NoName, soa: soa(50) });
        assert_eq!(cache.get(&name("no.test"), RecordType::Mx, at(10)), expected);
        assert_eq!(cache.get(&name("no.test"), RecordType::A, at(60)), None);
    }

    #[test]
    fn below_a_name_that_does_not_exist_there_is_nothing_until_something_is_found() {
        let mut cache = Cache::new(10);
        cache.learn_nothing(&name("no.test"), RecordType::A, Negative::NoName, &soa(60), at(0));
        assert!(matches!(
            cache.get(&name("a.b.no.test"), RecordType::Mx, at(1)),
            Some(Cached::Nothing { .. })
        ));
        assert_eq!(cache.get(&name("test"), RecordType::A, at(1)), None, "above there may be more");
        cache.learn(&name("a.b.no.test"), RecordType::A, &[address("a.b.no.test", 60, 1)], at(1));
        assert_eq!(cache.get(&name("no.test"), RecordType::A, at(1)), None, "it is there after all");
        assert_eq!(ttls(cache.get(&name("a.b.no.test"), RecordType::A, at(1))), [60]);
    }

    #[test]
    fn no_data_is_about_one_type() {
        let mut cache = Cache::new(10);
        cache.learn_nothing(&name("v6.test"), RecordType::A, Negative::NoData, &soa(60), at(0));
        let expected = Some(Cached::Nothing { what: Negative::NoData, soa: soa(60) });
        assert_eq!(cache.get(&name("v6.test"), RecordType::A, at(0)), expected);
        assert_eq!(cache.get(&name("v6.test"), RecordType::Aaaa, at(0)), None);
    }

    #[test]
    fn a_negative_answer_is_believed_for_three_hours_at_most() {
        let mut cache = Cache::new(10);
        cache.learn_nothing(&name("no.test"), RecordType::A, Negative::NoName, &soa(86_400), at(0));
        assert!(cache.get(&name("no.test"), RecordType::A, at(3 * 3600 - 1)).is_some());
        assert!(cache.get(&name("no.test"), RecordType::A, at(3 * 3600)).is_none());
    }

    #[test]
    fn a_record_proves_that_the_name_exists_after_all() {
        let mut cache = Cache::new(10);
        cache.learn_nothing(&name("x.test"), RecordType::A, Negative::NoName, &soa(60), at(0));
        cache.learn(&name("x.test"), RecordType::A, &[address("x.test", 60, 1)], at(1));
        assert_eq!(ttls(cache.get(&name("x.test"), RecordType::A, at(1))), [60]);
    }

    #[test]
    fn a_full_cache_lets_go_of_what_expires_first() {
        let mut cache = Cache::new(2);
        for (owner, ttl) in [("a.test", 100), ("b.test", 10), ("c.test", 50)] {
            cache.learn(&name(owner), RecordType::A, &[address(owner, ttl, 1)], at(0));
        }
        assert_eq!(cache.len(), 2);
        assert!(cache.get(&name("b.test"), RecordType::A, at(0)).is_none());
        assert!(cache.get(&name("a.test"), RecordType::A, at(0)).is_some());
        cache.learn(&name("a.test"), RecordType::A, &[address("a.test", 1, 2)], at(1));
        assert_eq!(cache.len(), 2, "learning again replaces");
        assert_eq!(cache.expiry.len(), 2);
    }
}
