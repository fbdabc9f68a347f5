//! What has been learnt, for as long as it may be believed (RFC 1035 7.4, RFC 2308 5): answers, referrals, glue,
//! and that there is nothing, in one place and ranked (RFC 2181 5.4.1).
//!
//! ```text
//!   put, put_negative, put_failure          get, lookup, nearest_delegation
//!              |                                          ^
//!        may it replace what is there?          is it fresh, and believed enough?
//!        rank, security, ghosts                 NXDOMAIN above? DNAME above?
//!              |                                          |
//!              +----------> store: by name, bounded in bytes, least recently used goes first
//!                             |
//!                           file: the same as lines of text
//! ```
//!
//! Read in this order: `known` (what goes in and comes out), this file, `belief` (who is believed more), `store`,
//! `failures`, `proofs` (what denials say of other names), `file`.

mod belief;
mod date;
mod failures;
pub mod file;
mod known;
mod proofs;
mod store;

pub use failures::Failure;
pub use known::{
    CacheConfig, Delegation, Found, Kept, Known, Negative, Nothing, NxdomainCut, Put, Rank, RrSet,
    UnknownRank,
};

use crate::dnssec::Security;
use crate::message::Question;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use belief::{is_an_answer, is_outranked, outranks_denial, says_the_same, security_of};
use failures::Failures;
use glasstack_journal::Instant;
pub(crate) use known::are_among;
use known::{Denial, honest_ttl};
use proofs::Proofs;
use std::sync::Arc;
use std::time::Duration;
use store::{Entry, Kind, Place, Store, What};

/// What has been learnt. Times are the host's monotonic ones.
#[derive(Debug)]
pub struct Cache {
    config: CacheConfig,
    store: Store,
    failures: Failures,
    proofs: Proofs,
}

impl Cache {
    /// An empty cache.
    pub fn new(config: CacheConfig) -> Self {
        let store = Store::new(config.max_bytes);
        let proofs = Proofs::new(config.max_bytes / 8);
        Self { config, store, failures: Failures::default(), proofs }
    }

    /// How much is kept, and how long.
    pub fn config(&self) -> &CacheConfig {
        &self.config
    }

    /// Learns a set of records, unless something is known that is believed more.
    pub fn put(&mut self, set: &RrSet, rank: Rank, now: Instant) -> Put {
        if set.records.is_empty() || matches!(set.record_type, RecordType::Any) {
            // RFC 8482 3: what comes for ANY need not be all there is.
            return Put::NotKept;
        }
        let lifetime = self.lifetime(set);
        let mut expires = now + lifetime;
        let kind = Kind::Records(set.record_type);
        if let Some(known) = self.fresh(set.name.as_str(), kind, now) {
            if let What::Records(own, by) = &known.what
                && is_outranked(set, rank, own, *by)
            {
                return Put::Outranked { by: *by, security: own.security };
            }
            // A zone that its parent has taken away would live on for ever if its own servers could prolong it
            // ("ghost domain names", RFC 9499 7): only the parent's word does, once the last one has expired.
            if set.record_type == RecordType::Ns && !set.name.is_root() {
                expires = expires.min(known.expires);
            }
        }
        if is_an_answer(rank, set.security)
            && let Some(outranked) = self.exists_after_all(&set.name, set.record_type, set.security, now)
        {
            return outranked;
        }
        self.failures.forget(&set.name, set.record_type);
        let entry = Entry { what: What::Records(Arc::new(set.clone()), rank), learnt: now, expires };
        self.take(kind, entry)
    }

    /// Learns that `name` does not exist, or has no records of this type; `proof` is the SOA record, without which
    /// it must not be kept (RFC 2308 5), and whatever NSEC or NSEC3 records came along, with their signatures.
    pub fn put_negative(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        what: Negative,
        proof: &[Record],
        security: Security,
        now: Instant,
    ) -> Put {
        // RFC 2308 5: the lower of the SOA's own TTL and its MINIMUM field.
        let Some(ttl) = proof.iter().find_map(negative_ttl) else { return Put::NotKept };
        // Nor is any record of the proof good for longer than it says.
        let ttl = proof.iter().map(|record| honest_ttl(record.ttl)).fold(ttl, u32::min);
        let kind = Kind::from((what, record_type));
        let word = name.as_str();
        for denied in [Kind::Records(record_type), Kind::NoData(record_type), Kind::NoName] {
            let known = self.fresh(word, denied, now);
            // What was believed unseen, and turns out to be bogus, is not believed any more.
            let known = known.filter(|known| denied != kind || !says_the_same(known, proof));
            if let Some(outranked) = known.and_then(|known| outranks_denial(known, security)) {
                return outranked;
            }
        }
        // Who says that there is none says that there is no alias either.
        for gone in [Kind::Records(record_type), Kind::Records(RecordType::Cname), Kind::NoData(record_type)]
        {
            self.forget_answer(word, gone, security);
        }
        if what == Negative::NoData {
            self.names_above_exist(name, security);
        }
        self.failures.forget(name, record_type);
        let most =
            if security == Security::Bogus { self.config.bogus_ttl } else { self.config.max_negative_ttl };
        let lifetime = seconds(ttl).min(most);
        if security == Security::Secure && self.config.aggressive_nsec {
            self.proofs.learn(proof, now, now + lifetime);
        }
        let denial = Denial { name: name.clone(), what, proof: proof.to_vec(), security };
        let entry = Entry { what: What::Nothing(Arc::new(denial)), learnt: now, expires: now + lifetime };
        self.take(kind, entry)
    }

    /// What validation has found of a set that is known, and for how long; one with other data is left as it is.
    pub fn judged(&mut self, set: &RrSet, security: Security, now: Instant) {
        let Some(place) = self.store.find(set.name.as_str(), Kind::Records(set.record_type)) else { return };
        let most = now + self.config.bogus_ttl;
        let Some(entry) = self.store.entry_mut(place) else { return };
        if let What::Records(own, _) = &mut entry.what
            && own.says_the_same_as(set)
        {
            // As a part of an answer that is not secure as a whole it is no less what was signed.
            if own.security == Security::Secure && security != Security::Bogus {
                return;
            }
            Arc::make_mut(own).security = security;
            match security {
                Security::Bogus => entry.expires = entry.expires.min(most),
                // RFC 4035 5.3.3: no longer than the signature is good for.
                Security::Secure => entry.expires = entry.expires.min(now + seconds(set.ttl())),
                Security::Insecure | Security::Indeterminate | Security::Unchecked => {}
            }
        }
    }

    /// Learns that a question could not be answered; it is left alone for as long as what is returned says.
    pub fn put_failure(&mut self, question: &Question, why: &str, now: Instant) -> Failure {
        self.failures.put(question, why, false, now).clone()
    }

    /// The same where there may be an answer that is bogus.
    pub fn put_bogus(&mut self, question: &Question, why: &str, now: Instant) -> Failure {
        self.failures.put(question, why, true, now).clone()
    }

    /// The records of a name and type, if they are fresh and believed at least as much as `least`. What DNSSEC has
    /// proved is always believed enough.
    pub fn get(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        least: Rank,
        now: Instant,
    ) -> Option<Known> {
        self.known(name.as_str(), record_type, least, now, Age::Fresh)
    }

    /// What is known that answers a question: records, an alias, or that there is nothing. Glue and referrals do not
    /// (RFC 2181 5.4.1).
    pub fn lookup(&mut self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Found> {
        self.find(name, record_type, now, Age::Fresh)
    }

    /// As [`lookup`](Self::lookup), with what has expired not too long ago (RFC 8767).
    pub fn lookup_stale(&mut self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Found> {
        self.find(name, record_type, now, Age::Stale)
    }

    /// The DNAME record of the nearest name above that has one (RFC 6672 2.2).
    pub fn redirect(&mut self, name: &DnsName, now: Instant) -> Option<Known> {
        let mut above = name.suffixes().chain(std::iter::once("")).skip(1);
        above.find_map(|name| {
            self.known(name, RecordType::Dname, Rank::AnswerNotAuthoritative, now, Age::Fresh)
        })
    }

    /// The nearest zone at or above `name` whose servers are known. Whoever asks for DS records, or has no use for
    /// that zone, goes on from its parent.
    pub fn nearest_delegation(&mut self, name: &DnsName, now: Instant) -> Option<Delegation> {
        let mut names = name.suffixes().chain(std::iter::once(""));
        let name_servers =
            names.find_map(|name| self.known(name, RecordType::Ns, Rank::Additional, now, Age::Fresh))?;
        let mut addresses = Vec::new();
        for record in &name_servers.set.records {
            if let RecordData::Ns(server) = &record.data {
                for record_type in [RecordType::A, RecordType::Aaaa] {
                    addresses.extend(self.get(server, record_type, Rank::Additional, now));
                }
            }
        }
        Some(Delegation { zone: name_servers.set.name.clone(), name_servers, addresses })
    }

    /// Whether a question could not be answered a moment ago (RFC 9520).
    pub fn failure(&self, question: &Question, now: Instant) -> Option<&Failure> {
        self.failures.get(question, now)
    }

    /// Forgets what is known of a name; with `below` of all names below it, too. How many entries that were.
    pub fn remove(&mut self, name: &DnsName, below: bool) -> usize {
        let places: Vec<Place> = if below {
            let within = |entry: &Entry| entry.name().is_within(name);
            self.store.entries().filter(|(.., entry)| within(entry)).map(|(place, ..)| place).collect()
        } else {
            self.store.at(name.as_str()).iter().map(|(_, place)| *place).collect()
        };
        places.iter().for_each(|place| self.store.remove(*place));
        self.proofs.forget(name);
        places.len()
    }

    /// Forgets what is known of a name and type, and that there is nothing.
    pub fn forget(&mut self, name: &DnsName, record_type: RecordType) {
        for kind in [Kind::Records(record_type), Kind::NoData(record_type), Kind::NoName] {
            if let Some(place) = self.store.find(name.as_str(), kind) {
                self.store.remove(place);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.store = Store::new(self.config.max_bytes);
        self.failures.clear();
        self.proofs.clear();
    }

    /// What is known and has not expired, by name (RFC 4034 6.1) and type; what does not exist comes first.
    pub fn entries(&self, now: Instant) -> Vec<Kept> {
        let fresh = |entry: &Entry| now < entry.expires;
        let known = self.store.entries().filter(|(.., entry)| fresh(entry)).map(|(_, kind, entry)| {
            match (&entry.what, kind) {
                (What::Records(set, rank), _) => {
                    let set = Arc::clone(set);
                    Kept::Records(Known { set, rank: *rank, ttl: entry.left(now), stale: false })
                }
                (What::Nothing(denial), Kind::NoData(of) | Kind::Records(of)) => {
                    Kept::Nothing(nothing(denial, entry.left(now), false), of)
                }
                (What::Nothing(denial), Kind::NoName) => {
                    Kept::Nothing(nothing(denial, entry.left(now), false), RecordType::Any)
                }
            }
        });
        let mut entries: Vec<Kept> = known.collect();
        entries.sort_by(|a, b| a.name().canonical_cmp(b.name()).then_with(|| a.order().cmp(&b.order())));
        entries
    }

    /// How many entries it holds, expired ones that have not given way included.
    pub fn len(&self) -> usize {
        self.store.entries().count()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.store.entries().next().is_none()
    }

    /// How much memory its entries take, in bytes; never more than [`CacheConfig::max_bytes`].
    pub fn bytes(&self) -> usize {
        self.store.bytes()
    }

    fn take(&mut self, kind: Kind, entry: Entry) -> Put {
        if self.store.insert(kind, entry) { Put::Taken } else { Put::NotKept }
    }

    /// Takes an entry as it was.
    fn restore(&mut self, kind: Kind, entry: Entry) {
        self.store.insert(kind, entry);
    }

    fn lifetime(&self, set: &RrSet) -> Duration {
        let said = seconds(set.ttl());
        // Zero stays zero: it says that it must not be kept.
        let least = if said.is_zero() { Duration::ZERO } else { self.config.min_ttl };
        let most = if set.security == Security::Bogus { self.config.bogus_ttl } else { self.config.max_ttl };
        said.max(least).min(most)
    }

    fn fresh(&self, name: &str, kind: Kind, now: Instant) -> Option<&Entry> {
        let place = self.store.find(name, kind)?;
        self.store.entry(place).filter(|entry| entry.is_fresh(now))
    }

    /// There is a record, so the name exists, and so do all above it; unless it is proved that there is none.
    fn exists_after_all(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        security: Security,
        now: Instant,
    ) -> Option<Put> {
        for kind in [Kind::NoData(record_type), Kind::NoName] {
            if let Some(denied) = self.fresh(name.as_str(), kind, now)
                && let Some(outranked) = outranks_denial(denied, security)
            {
                return Some(outranked);
            }
        }
        self.forget_answer(name.as_str(), Kind::NoData(record_type), security);
        if record_type == RecordType::Cname {
            // RFC 1034 3.6.2: an alias has no other data, so what is said of any type is said of the alias.
            let denied = |(kind, place): &(Kind, Place)| matches!(kind, Kind::NoData(_)).then_some(*place);
            let places: Vec<Place> = self.store.at(name.as_str()).iter().filter_map(denied).collect();
            places.into_iter().for_each(|place| self.remove_unless_proved(place, security));
        }
        self.names_above_exist(name, security);
        None
    }

    fn names_above_exist(&mut self, name: &DnsName, security: Security) {
        for name in name.suffixes() {
            self.forget_answer(name, Kind::NoName, security);
        }
    }

    /// Forgets an answer, as somebody who is as much to be believed says another thing. Glue stays: servers are found
    /// by it.
    fn forget_answer(&mut self, name: &str, kind: Kind, security: Security) {
        let Some(place) = self.store.find(name, kind) else { return };
        let is_answer = match self.store.entry(place).map(|entry| &entry.what) {
            Some(What::Records(set, rank)) => is_an_answer(*rank, set.security),
            _ => true,
        };
        if is_answer {
            self.remove_unless_proved(place, security);
        }
    }

    fn remove_unless_proved(&mut self, place: Place, security: Security) {
        let Some(entry) = self.store.entry(place) else { return };
        if security == Security::Secure || security_of(entry) != Security::Secure {
            self.store.remove(place);
        }
    }

    fn find(&mut self, name: &DnsName, record_type: RecordType, now: Instant, age: Age) -> Option<Found> {
        let word = name.as_str();
        let least = match record_type {
            // RFC 4035 3.1.4.1: what a referral says of the keys below is the parent's own data, and signed.
            RecordType::Ds if self.is_signed(word, record_type) => Rank::AuthorityOfReferral,
            _ => Rank::AnswerNotAuthoritative,
        };
        if let Some(known) = self.known(word, record_type, least, now, age) {
            return Some(Found::Records(known));
        }
        if !matches!(record_type, RecordType::Cname | RecordType::Any)
            && let Some(alias) = self.known(word, RecordType::Cname, least, now, age)
            // An alias that cannot be read is data for who asks for it, and leads nowhere.
            && alias.set.records.first().is_some_and(|record| record.alias().is_some())
        {
            return Some(Found::Alias(alias));
        }
        for kind in [Kind::NoData(record_type), Kind::NoName] {
            if let Some(nothing) = self.nothing(word, kind, now, age) {
                return Some(Found::Nothing(nothing));
            }
        }
        for above in name.suffixes().chain(std::iter::once("")).skip(1) {
            if self.store.at(above).is_empty() {
                continue;
            }
            if let Some(redirect) = self.known(above, RecordType::Dname, least, now, age) {
                return Some(Found::Redirect(redirect));
            }
            // RFC 8020 2: below a name that does not exist there is nothing.
            let cut = match self.config.nxdomain_cut {
                NxdomainCut::Off => None,
                NxdomainCut::Secure => self
                    .nothing(above, Kind::NoName, now, age)
                    .filter(|nothing| nothing.security == Security::Secure),
                NxdomainCut::Always => self.nothing(above, Kind::NoName, now, age),
            };
            if let Some(nothing) = cut {
                return Some(Found::Nothing(nothing));
            }
        }
        self.denied_by_others(name, record_type, now).map(Found::Nothing)
    }

    /// RFC 8198: what was proved when another name was asked for.
    fn denied_by_others(&self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Nothing> {
        let denied = self.proofs.deny(name, record_type, now)?;
        let ttl = u32::try_from(denied.expires.since(now).as_secs()).unwrap_or(u32::MAX);
        let (what, security) = (denied.what, Security::Secure);
        let denial = Arc::new(Denial { name: name.clone(), what, proof: denied.proof, security });
        Some(Nothing { by_others: true, ..nothing(&denial, ttl, false) })
    }

    fn is_signed(&self, name: &str, record_type: RecordType) -> bool {
        let place = self.store.find(name, Kind::Records(record_type));
        match place.and_then(|place| self.store.entry(place)).map(|entry| &entry.what) {
            Some(What::Records(set, _)) => !set.signatures.is_empty(),
            _ => false,
        }
    }

    fn known(
        &mut self,
        name: &str,
        record_type: RecordType,
        least: Rank,
        now: Instant,
        age: Age,
    ) -> Option<Known> {
        let (place, stale) = self.alive(name, Kind::Records(record_type), now, age)?;
        let entry = self.store.entry(place)?;
        let What::Records(set, rank) = &entry.what else { return None };
        if *rank < least && set.security != Security::Secure {
            return None;
        }
        let known = Known { set: Arc::clone(set), rank: *rank, ttl: entry.left(now), stale };
        self.store.touch(place);
        Some(known)
    }

    fn nothing(&mut self, name: &str, kind: Kind, now: Instant, age: Age) -> Option<Nothing> {
        let (place, stale) = self.alive(name, kind, now, age)?;
        let entry = self.store.entry(place)?;
        let What::Nothing(denial) = &entry.what else { return None };
        let nothing = nothing(denial, entry.left(now), stale);
        self.store.touch(place);
        Some(nothing)
    }

    /// An entry that may be given, and whether it is stale; one that never may again is forgotten.
    fn alive(&mut self, name: &str, kind: Kind, now: Instant, age: Age) -> Option<(Place, bool)> {
        let place = self.store.find(name, kind)?;
        let entry = self.store.entry(place)?;
        if entry.is_fresh(now) {
            return Some((place, false));
        }
        if now >= entry.expires + self.config.serve_stale_for {
            self.store.remove(place);
            return None;
        }
        (age == Age::Stale).then_some((place, true))
    }
}

/// How old an entry may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Fresh,
    Stale,
}

fn nothing(denial: &Arc<Denial>, ttl: u32, stale: bool) -> Nothing {
    let Denial { name, what, security, .. } = denial.as_ref();
    let (name, denial) = (name.clone(), Arc::clone(denial));
    Nothing { what: *what, name, security: *security, denial, ttl, stale, by_others: false }
}

/// For how many seconds an SOA record lets a negative answer be kept; none if it is another record.
fn negative_ttl(record: &Record) -> Option<u32> {
    match &record.data {
        RecordData::Soa(soa) => Some(honest_ttl(record.ttl).min(honest_ttl(soa.minimum))),
        _ => None,
    }
}

fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(ttl.into())
}

#[cfg(test)]
mod tests;
