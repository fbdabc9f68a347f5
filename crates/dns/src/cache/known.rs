//! What the cache takes and gives: sets of records, that there is nothing, and how far each is believed.

use crate::dnssec::Security;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How far data is to be believed, by where it stood in which response (RFC 2181 5.4.1); the later ones replace
/// the earlier. What DNSSEC has found secure stands above all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// In an additional section: glue, and what else came along.
    Additional,
    /// In the authority section of a referral.
    AuthorityOfReferral,
    /// In an answer section without the AA bit, as a recursive server has it.
    AnswerNotAuthoritative,
    /// In the authority section of an authoritative answer.
    AuthorityAuthoritative,
    /// In the answer section of an authoritative answer.
    AnswerAuthoritative,
}

const RANKS: [(Rank, &str); 5] = [
    (Rank::Additional, "additional"),
    (Rank::AuthorityOfReferral, "referral"),
    (Rank::AnswerNotAuthoritative, "answer"),
    (Rank::AuthorityAuthoritative, "authority-aa"),
    (Rank::AnswerAuthoritative, "answer-aa"),
];

impl Rank {
    /// What it is, to people.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Additional => "additional section",
            Self::AuthorityOfReferral => "referral",
            Self::AnswerNotAuthoritative => "answer without authority",
            Self::AuthorityAuthoritative => "authority section",
            Self::AnswerAuthoritative => "answer with authority",
        }
    }
}

impl fmt::Display for Rank {
    /// One word, as the cache's file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RANKS.iter().find(|(rank, _)| rank == self).map_or("", |(_, word)| word))
    }
}

/// A text is not the word of a rank.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rank (additional, referral, answer, authority-aa, answer-aa)")]
pub struct UnknownRank(pub String);

impl FromStr for Rank {
    type Err = UnknownRank;

    fn from_str(text: &str) -> Result<Self, UnknownRank> {
        let found = RANKS.iter().find(|(_, word)| *word == text);
        found.map(|(rank, _)| *rank).ok_or_else(|| UnknownRank(text.to_owned()))
    }
}

/// All records of one name and type (RFC 2181 5), and the signatures over them (RFC 4034 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrSet {
    /// Whom it is about.
    pub name: DnsName,
    /// The records' type.
    pub record_type: RecordType,
    /// The records, all of that name and type.
    pub records: Vec<Record>,
    /// RRSIG records that cover them.
    pub signatures: Vec<Record>,
    /// What validation has found.
    pub security: Security,
}

impl RrSet {
    /// A set that nobody has validated, without signatures.
    pub fn new(name: DnsName, record_type: RecordType, records: Vec<Record>) -> Self {
        Self { name, record_type, records, signatures: Vec::new(), security: Security::Unchecked }
    }

    /// The sets in a section of a message, in the order in which each begins, with the signatures that cover
    /// them. A signature over what is not there is left out.
    pub fn group(records: &[Record]) -> Vec<Self> {
        let mut sets: Vec<Self> = Vec::new();
        // A message has room for thousands of sets.
        let mut places: BTreeMap<(&DnsName, RecordType), usize> = BTreeMap::new();
        for record in records.iter().filter(|record| covered(record).is_none()) {
            let record_type = record.record_type();
            let place = *places.entry((&record.owner, record_type)).or_insert(sets.len());
            match sets.get_mut(place) {
                Some(set) => set.records.push(record.clone()),
                None => sets.push(Self::new(record.owner.clone(), record_type, vec![record.clone()])),
            }
        }
        for record in records {
            let Some(covered) = covered(record) else { continue };
            let place = places.get(&(&record.owner, covered));
            if let Some(set) = place.and_then(|place| sets.get_mut(*place)) {
                set.signatures.push(record.clone());
            }
        }
        sets
    }

    /// How long it may be kept, in seconds: the shortest TTL in it is that of all (RFC 2181 5.2). One with the
    /// highest bit set is zero (RFC 2181 8).
    pub fn ttl(&self) -> u32 {
        self.records.iter().map(|record| record.ttl).map(honest_ttl).min().unwrap_or_default()
    }

    /// Whether the records are the same, in whatever order and whatever their TTLs.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        same_records(&self.records, &other.records)
    }
}

/// Whether the records are the same, in whatever order, however often, and whatever their TTLs.
pub(crate) fn same_records(one: &[Record], other: &[Record]) -> bool {
    are_among(one, other) && are_among(other, one)
}

/// Whether each of `own` is among `others`, whatever their TTLs.
pub(crate) fn are_among(own: &[Record], others: &[Record]) -> bool {
    const FEW: usize = 16;
    let alike = |one: &Record, other: &Record| one.owner == other.owner && one.data == other.data;
    if own.len() <= others.len() && own.iter().zip(others).all(|(one, other)| alike(one, other)) {
        return true;
    }
    if own.len().min(others.len()) <= FEW {
        return own.iter().all(|one| others.iter().any(|other| alike(one, other)));
    }
    // A message has room for thousands of them.
    let key = |record: &Record| {
        (record.owner.clone(), record.record_type().number(), record.data.canonical_bytes())
    };
    let others: BTreeSet<_> = others.iter().map(key).collect();
    own.iter().all(|one| others.contains(&key(one)))
}

/// RFC 2181 8: "Implementations should treat TTL values received with the most significant bit set as if the entire
/// value received was zero".
pub(super) fn honest_ttl(ttl: u32) -> u32 {
    if ttl > u32::MAX >> 1 { 0 } else { ttl }
}

/// The type that a signature covers; none if the record is none.
fn covered(record: &Record) -> Option<RecordType> {
    match &record.data {
        RecordData::Rrsig(signature) => Some(signature.type_covered),
        _ => None,
    }
}

/// What is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Negative {
    /// The name does not exist, with any type (NXDOMAIN).
    NoName,
    /// The name exists, but not with this type (NODATA).
    NoData,
}

/// A set that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The set as it was learnt, its TTLs too; [`records`](Self::records) has them counted down.
    pub set: Arc<RrSet>,
    /// How far it is believed.
    pub rank: Rank,
    /// How many seconds it is good for from now on; 0 for a stale one.
    pub ttl: u32,
    /// Whether it has expired and is only given because nobody can be asked (RFC 8767).
    pub stale: bool,
}

impl Known {
    /// The records as they would be sent on now: the time they were kept is taken off their TTLs.
    pub fn records(&self) -> Vec<Record> {
        with_ttl(&self.set.records, self.ttl).collect()
    }

    /// The signatures, likewise.
    pub fn signatures(&self) -> Vec<Record> {
        with_ttl(&self.set.signatures, self.ttl).collect()
    }

    /// The set as it would be sent on now.
    pub fn to_set(&self) -> RrSet {
        let RrSet { name, record_type, security, .. } = self.set.as_ref();
        let (name, record_type, security) = (name.clone(), *record_type, *security);
        RrSet { name, record_type, records: self.records(), signatures: self.signatures(), security }
    }

    /// What validation has found.
    pub fn security(&self) -> Security {
        self.set.security
    }
}

/// That there is nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing {
    /// What is not there.
    pub what: Negative,
    /// The name that does not exist, or does not have the type. It may be one above the name asked for: below a
    /// name that does not exist there is nothing (RFC 8020).
    pub name: DnsName,
    /// The SOA record that says so, and the NSEC or NSEC3 records that prove it with their signatures, as they
    /// came; [`proof`](Self::proof) has their TTLs counted down.
    pub(super) denial: Arc<Denial>,
    /// What validation has found.
    pub security: Security,
    /// How many seconds it is good for from now on; 0 if it is stale.
    pub ttl: u32,
    /// Whether it has expired.
    pub stale: bool,
    /// Whether nobody has said so of this very name: it follows from what was proved of others (RFC 8198).
    pub by_others: bool,
}

impl Nothing {
    /// What is known here without anybody having said so; `proof` has an SOA record.
    pub(crate) fn new(
        name: &DnsName,
        what: Negative,
        proof: Vec<Record>,
        security: Security,
        ttl: u32,
    ) -> Self {
        let denial = Arc::new(Denial { name: name.clone(), what, proof, security });
        Self { what, name: name.clone(), denial, security, ttl, stale: false, by_others: false }
    }

    /// The SOA record and what else proves it, as they would be sent on now.
    pub fn proof(&self) -> Vec<Record> {
        with_ttl(&self.denial.proof, self.ttl).collect()
    }

    /// The SOA record, as it would be sent on now (RFC 2308 5).
    pub fn soa(&self) -> Option<Record> {
        self.proof().into_iter().find(|record| record.record_type() == RecordType::Soa)
    }
}

/// That there is nothing, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Denial {
    pub(super) name: DnsName,
    pub(super) what: Negative,
    pub(super) proof: Vec<Record>,
    pub(super) security: Security,
}

fn with_ttl(records: &[Record], ttl: u32) -> impl Iterator<Item = Record> {
    records.iter().map(move |record| Record { ttl, ..record.clone() })
}

/// What is known about a name and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The records asked for.
    Records(Known),
    /// The name is an alias (RFC 1034 3.6.2): one CNAME record.
    Alias(Known),
    /// A name above is an alias with all that is below it (RFC 6672): one DNAME record.
    Redirect(Known),
    /// There is nothing.
    Nothing(Nothing),
}

/// One thing that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A set of records.
    Records(Known),
    /// That there is nothing, and of which type; [`RecordType::Any`] of a name that does not exist.
    Nothing(Nothing, RecordType),
}

impl Kept {
    /// Whom it is about.
    pub fn name(&self) -> &DnsName {
        match self {
            Self::Records(known) => &known.set.name,
            Self::Nothing(nothing, _) => &nothing.name,
        }
    }

    /// Of one name, what does not exist comes first, then by type.
    pub(super) fn order(&self) -> (bool, u16, bool) {
        match self {
            Self::Nothing(nothing, of) => (nothing.what == Negative::NoData, of.number(), false),
            Self::Records(known) => (true, known.set.record_type.number(), true),
        }
    }
}

/// The servers of a zone, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The zone.
    pub zone: DnsName,
    /// Its NS records.
    pub name_servers: Known,
    /// The addresses of those servers that are known: sets of A and AAAA records.
    pub addresses: Vec<Known>,
}

/// What became of data that was to be learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is known now.
    Taken,
    /// What is known already is believed more (RFC 2181 5.4.1).
    Outranked {
        /// How far that is believed.
        by: Rank,
        /// What validation has found about that.
        security: Security,
    },
    /// There is nothing in it, or a negative answer has no SOA record (RFC 2308 5), or it is larger than the
    /// whole cache may be.
    NotKept,
}

/// Which name that does not exist lets those below it not exist either (RFC 8020).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NxdomainCut {
    /// None: each name is asked for.
    Off,
    /// One for which DNSSEC has proved it; old servers deny names that have others below them.
    Secure,
    /// Each.
    Always,
}

/// How much is kept, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// How much memory it may take, in bytes. 8 MiB.
    pub max_bytes: usize,
    /// Nothing is believed longer. A day (RFC 8767 4 would allow a week).
    pub max_ttl: Duration,
    /// Records are believed at least so long, whatever they say. 0.
    pub min_ttl: Duration,
    /// That there is nothing is not believed longer: "values of one to three hours have been found to work well"
    /// (RFC 2308 5). 3 h.
    pub max_negative_ttl: Duration,
    /// How long what validation found bogus is remembered as such (RFC 4035 4.7). 60 s.
    pub bogus_ttl: Duration,
    /// How long after its end data may still be given where nobody can be asked (RFC 8767). 0: never.
    pub serve_stale_for: Duration,
    /// Below which names that do not exist nothing is looked for. All of them.
    pub nxdomain_cut: NxdomainCut,
    /// Whether what DNSSEC has proved of one name is used to deny others (RFC 8198). Yes; where nothing is
    /// validated nothing is proved.
    pub aggressive_nsec: bool,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_bytes: 8 << 20,
            max_ttl: Duration::from_secs(24 * 3600),
            min_ttl: Duration::ZERO,
            max_negative_ttl: Duration::from_secs(3 * 3600),
            bogus_ttl: Duration::from_secs(60),
            serve_stale_for: Duration::ZERO,
            nxdomain_cut: NxdomainCut::Always,
            aggressive_nsec: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_records_are_the_same_in_whatever_order() {
        let record = |number: u32| Record {
            owner: DnsName::parse("many.test").unwrap(),
            ttl: number,
            data: RecordData::A(std::net::Ipv4Addr::from_bits(number)),
        };
        for count in [1, 3, 16, 17, 3_000] {
            let set: Vec<Record> = (0..count).map(record).collect();
            let mut turned = set.clone();
            turned.rotate_left(1);
            assert!(same_records(&set, &turned), "{count}");
            assert!(are_among(&set[1..], &turned), "{count}");
            turned[0].data = RecordData::A(std::net::Ipv4Addr::BROADCAST);
            assert!(!same_records(&set, &turned), "{count}");
            assert!(!same_records(&set, &set[1..]), "{count}");
        }
    }
}
