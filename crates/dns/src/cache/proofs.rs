//! Proofs that there is nothing, of further use (RFC 8198): the NSEC and NSEC3 records that came with one denial
//! deny whatever else lies between the names that they name, and nobody need be asked about that.
//!
//! ```text
//!   b.example.test NSEC f.example.test A        learnt when c.example.test was denied
//!   d.example.test AAAA?                        denied: it lies between, and no *.example.test does
//!   b.example.test AAAA?                        denied: b has A and no more
//! ```

use super::known::Negative;
use super::known::RrSet;
use super::store::size_of_records;
use crate::dnssec::{Checks, Denial, HASH_SHA_1, Limits, OPT_OUT, Proved, hash_of_owner, next_closer};
use crate::name::DnsName;
use crate::record::{Nsec3, Record, RecordData, RecordType};
use glasstack_journal::Instant;
use std::collections::BTreeMap;

/// More rounds of hashing are not worth it (RFC 9276 3.1 wants none).
const MOST_ITERATIONS: u16 = 10;
/// Who signs more often, or has more types at a name, is not trying to save anybody work.
const MOST_SIGNATURES: usize = 4;
const MOST_TYPES: usize = 64;

/// What zones have proved, by zone.
#[derive(Debug)]
pub(super) struct Proofs {
    zones: BTreeMap<DnsName, Zone>,
    max_bytes: usize,
    bytes: usize,
}

/// That there is nothing, as follows from what was proved of other names.
#[derive(Debug)]
pub(super) struct Denied {
    pub(super) what: Negative,
    /// The SOA record, and what proves it, with signatures.
    pub(super) proof: Vec<Record>,
    pub(super) expires: Instant,
}

#[derive(Debug, Default)]
struct Zone {
    soa: Option<Proof>,
    /// NSEC records by owner, in canonical order (RFC 4034 6.1): its labels from the right.
    nsec: BTreeMap<Vec<Vec<u8>>, Proof>,
    /// NSEC3 records by the hash that their owner is.
    nsec3: BTreeMap<Vec<u8>, Proof>,
    /// How these are hashed: salt and iterations.
    hashing: (Vec<u8>, u16),
    bytes: usize,
}

/// One record with its signatures, all of them checked.
#[derive(Debug)]
struct Proof {
    record: Record,
    signatures: Vec<Record>,
    expires: Instant,
}

impl Proofs {
    /// None yet, and never more than so many bytes of them.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { zones: BTreeMap::new(), max_bytes, bytes: 0 }
    }

    /// Learns from the SOA, NSEC and NSEC3 records of a denial, all of which have been found secure.
    pub(super) fn learn(&mut self, proof: &[Record], now: Instant, expires: Instant) {
        for set in RrSet::group(proof) {
            let Some(zone) = signer(&set).cloned() else { continue };
            let [record] = set.records.as_slice() else { continue };
            if set.signatures.len() > MOST_SIGNATURES {
                continue;
            }
            let proof = Proof { record: record.clone(), signatures: set.signatures, expires };
            self.put(zone, proof);
        }
        self.make_room(now);
    }

    /// Whether what was proved of other names shows that `name` has no such records.
    pub(super) fn deny(&self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Denied> {
        // What is asked for by ANY may be anything.
        if self.zones.is_empty() || record_type == RecordType::Any {
            return None;
        }
        // RFC 4035 2.4: DS records lie on the parent's side of the cut.
        let mut at = Some(name.clone()).filter(|_| record_type != RecordType::Ds).or_else(|| name.parent());
        let (origin, zone) = loop {
            let candidate = at?;
            match self.zones.get_key_value(&candidate) {
                Some(found) => break found,
                None => at = candidate.parent(),
            }
        };
        let soa = zone.soa.as_ref().filter(|soa| now < soa.expires)?;
        let by_names = || zone.around(origin, name, now);
        let by_hashes = || zone.around_hash(origin, name, now);
        let (what, used) = prove(origin, name, record_type, by_names())
            .or_else(|| prove(origin, name, record_type, by_hashes()))?;
        let all = || std::iter::once(soa).chain(used.iter().copied());
        let expires = all().map(|proof| proof.expires).min()?;
        let records = all()
            .flat_map(|proof| std::iter::once(&proof.record).chain(&proof.signatures))
            .cloned()
            .collect();
        Some(Denied { what, proof: records, expires })
    }

    /// Forgets what zones have proved that `name` lies in, or that lie in it.
    pub(super) fn forget(&mut self, name: &DnsName) {
        self.zones.retain(|zone, _| !zone.is_within(name) && !name.is_within(zone));
        self.bytes = self.zones.values().map(|zone| zone.bytes).sum();
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.max_bytes);
    }

    fn put(&mut self, origin: DnsName, proof: Proof) {
        let bytes = proof.bytes();
        let zone = match &proof.record.data {
            RecordData::Soa(_) if proof.record.owner == origin => self.zones.entry(origin).or_default(),
            RecordData::Nsec(nsec) if nsec.types.len() <= MOST_TYPES => self.zones.entry(origin).or_default(),
            RecordData::Nsec3(nsec3) if is_useful(nsec3) => self.zones.entry(origin).or_default(),
            _ => return,
        };
        let before = match &proof.record.data {
            RecordData::Nsec(_) => zone.nsec.insert(reversed(&proof.record.owner), proof),
            RecordData::Nsec3(nsec3) => {
                let hashing = (nsec3.salt.clone(), nsec3.iterations);
                if zone.hashing != hashing {
                    zone.hashing = hashing;
                    let gone: usize = std::mem::take(&mut zone.nsec3).values().map(Proof::bytes).sum();
                    zone.bytes -= gone;
                    self.bytes -= gone;
                }
                let hash =
                    proof.record.owner.parent().and_then(|zone| hash_of_owner(&proof.record.owner, &zone));
                let Some(hash) = hash else { return };
                zone.nsec3.insert(hash, proof)
            }
            _ => zone.soa.replace(proof),
        };
        let gone = before.map_or(0, |before| before.bytes());
        zone.bytes = zone.bytes + bytes - gone;
        self.bytes = self.bytes + bytes - gone;
    }

    /// Where there is too much, what has expired goes, and then the zone that has most.
    fn make_room(&mut self, now: Instant) {
        if self.bytes <= self.max_bytes {
            return;
        }
        for zone in self.zones.values_mut() {
            zone.nsec.retain(|_, proof| now < proof.expires);
            zone.nsec3.retain(|_, proof| now < proof.expires);
            zone.bytes = zone.proofs().map(Proof::bytes).sum();
        }
        self.zones.retain(|_, zone| !zone.nsec.is_empty() || !zone.nsec3.is_empty());
        self.bytes = self.zones.values().map(|zone| zone.bytes).sum();
        while self.bytes > self.max_bytes {
            let largest =
                self.zones.iter().max_by_key(|(_, zone)| zone.bytes).map(|(origin, _)| origin.clone());
            let Some(zone) = largest.and_then(|largest| self.zones.remove(&largest)) else { return };
            self.bytes -= zone.bytes;
        }
    }
}

impl Zone {
    fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.soa.iter().chain(self.nsec.values()).chain(self.nsec3.values())
    }

    /// The NSEC records at or before `name`, and at or before the wildcard that could stand for it.
    fn around(&self, origin: &DnsName, name: &DnsName, now: Instant) -> Vec<&Proof> {
        let before = |name: &DnsName| {
            let (_, proof) = self.nsec.range(..=reversed(name)).next_back()?;
            Some(proof).filter(|proof| now < proof.expires)
        };
        let Some(first) = before(name) else { return Vec::new() };
        let records = std::slice::from_ref(&first.record);
        let wildcard = Denial::new(origin, records, 0).encloser(name).and_then(|closest| closest.wildcard());
        let second = wildcard.and_then(|wildcard| before(&wildcard));
        let second = second.filter(|second| second.record.owner != first.record.owner);
        std::iter::once(first).chain(second).collect()
    }

    /// The NSEC3 records that match the closest name above that exists, or `name` itself, and that cover the next
    /// closer name and the wildcard (RFC 5155 8.3, 8.4).
    fn around_hash(&self, origin: &DnsName, name: &DnsName, now: Instant) -> Vec<&Proof> {
        if self.nsec3.is_empty() {
            return Vec::new();
        }
        let (salt, iterations) = &self.hashing;
        let hash = |name: &DnsName| crate::dnssec::nsec3_hash(&name.to_wire(), salt, *iterations);
        let fresh = |proof: &&Proof| now < proof.expires;
        let at = |name: &DnsName| self.nsec3.get(&hash(name)).filter(fresh);
        // The last one leads back to the first.
        let before = |name: &DnsName| {
            let (_, proof) =
                self.nsec3.range(..=hash(name)).next_back().or_else(|| self.nsec3.last_key_value())?;
            Some(proof).filter(fresh)
        };
        if let Some(own) = at(name) {
            return vec![own];
        }
        let mut closest = name.parent();
        while let Some(candidate) = closest.filter(|candidate| candidate.is_within(origin)) {
            if let Some(encloser) = at(&candidate) {
                let covered = next_closer(name, &candidate).and_then(|next| before(&next));
                let wildcard = candidate.wildcard().and_then(|wildcard| before(&wildcard));
                return std::iter::once(encloser).chain(covered).chain(wildcard).collect();
            }
            closest = candidate.parent();
        }
        Vec::new()
    }
}

impl Proof {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_records(std::slice::from_ref(&self.record))
            + size_of_records(&self.signatures)
    }
}

/// What these records prove of `name`, as they would in an answer of the zone's own servers.
fn prove<'p>(
    origin: &DnsName,
    name: &DnsName,
    record_type: RecordType,
    mut used: Vec<&'p Proof>,
) -> Option<(Negative, Vec<&'p Proof>)> {
    if used.is_empty() {
        return None;
    }
    used.sort_by(|one, other| one.record.owner.cmp(&other.record.owner));
    used.dedup_by(|one, other| one.record.owner == other.record.owner);
    let records: Vec<Record> = used.iter().map(|proof| proof.record.clone()).collect();
    let mut denial = Denial::new(origin, &records, MOST_ITERATIONS);
    let mut checks = Checks::new(&Limits::default());
    if denial.no_name(name, &mut checks) == Ok(Proved::Yes) {
        return Some((Negative::NoName, used));
    }
    let no_data = denial.no_data(name, record_type, &mut checks) == Ok(Proved::Yes);
    no_data.then_some((Negative::NoData, used))
}

/// Opt-out says nothing for sure (RFC 8198 5.1 wants what does).
fn is_useful(nsec3: &Nsec3) -> bool {
    nsec3.hash_algorithm == HASH_SHA_1
        && nsec3.flags & OPT_OUT == 0
        && nsec3.iterations <= MOST_ITERATIONS
        && nsec3.types.len() <= MOST_TYPES
}

/// The zone whose signatures were checked: the lowest that one of them names.
fn signer(set: &RrSet) -> Option<&DnsName> {
    let signers = set.signatures.iter().filter_map(|record| match &record.data {
        RecordData::Rrsig(signature) => Some(&signature.signer),
        _ => None,
    });
    signers.filter(|signer| set.name.is_within(signer)).max_by_key(|signer| signer.label_count())
}

fn reversed(name: &DnsName) -> Vec<Vec<u8>> {
    let mut labels = name.to_labels();
    labels.reverse();
    labels
}
