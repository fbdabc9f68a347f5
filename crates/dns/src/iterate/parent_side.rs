//! What the zones above have said of the servers of those below, apart from what these say themselves: where a
//! zone's own data leads nowhere, its parent's may not. And which name servers had no address a moment ago, whether
//! or not anybody may be told so.

use crate::cache::RrSet;
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use crate::response::name_server;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// How many sets are kept.
const CAPACITY: usize = 4_096;

/// How long a name server without address is left alone: even a denial that must not be kept (RFC 2308 5) is good for
/// that, as otherwise each of them would be asked for with every question (NXNSAttack).
const NOWHERE_LASTS: Duration = Duration::from_secs(5);

/// NS records and glue of referrals.
#[derive(Debug, Default)]
pub(super) struct ParentSide {
    sets: BTreeMap<(DnsName, RecordType), (RrSet, Instant)>,
    nowhere: BTreeMap<(DnsName, RecordType), Instant>,
}

impl ParentSide {
    /// Learns from a referral.
    pub(super) fn learn(&mut self, servers: &RrSet, glue: &[RrSet], now: Instant) {
        let named =
            |set: &&RrSet| servers.records.iter().filter_map(name_server).any(|name| *name == set.name);
        for set in std::iter::once(servers).chain(glue.iter().filter(named)) {
            let until = now + Duration::from_secs(set.ttl().into());
            if self.sets.len() >= CAPACITY {
                self.sets.retain(|_, (_, until)| *until > now);
            }
            if self.sets.len() >= CAPACITY {
                self.sets.pop_first();
            }
            self.sets.insert((set.name.clone(), set.record_type), (set.clone(), until));
        }
    }

    /// The NS records of a zone.
    pub(super) fn servers(&self, zone: &DnsName, now: Instant) -> Option<RrSet> {
        self.get(zone, RecordType::Ns, now).cloned()
    }

    /// The addresses of a name server.
    pub(super) fn addresses(&self, name: &DnsName, now: Instant) -> Vec<IpAddr> {
        let sets = [RecordType::A, RecordType::Aaaa].into_iter().filter_map(|of| self.get(name, of, now));
        sets.flat_map(|set| set.records.iter().filter_map(Record::address)).collect()
    }

    /// A name server has no addresses of this type.
    pub(super) fn note_nowhere(&mut self, name: &DnsName, record_type: RecordType, now: Instant) {
        self.nowhere.retain(|_, until| *until > now);
        if self.nowhere.len() >= CAPACITY {
            self.nowhere.pop_first();
        }
        self.nowhere.insert((name.clone(), record_type), now + NOWHERE_LASTS);
    }

    /// Whether that was so a moment ago.
    pub(super) fn is_nowhere(&self, name: &DnsName, record_type: RecordType, now: Instant) -> bool {
        self.nowhere.get(&(name.clone(), record_type)).is_some_and(|until| *until > now)
    }

    fn get(&self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<&RrSet> {
        let (set, until) = self.sets.get(&(name.clone(), record_type))?;
        (*until > now).then_some(set)
    }
}
