//! Where entries lie: found by name without copying it, bounded in bytes, the least recently used goes first.

use super::known::{Denial, Negative, Rank, RrSet};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use glasstack_journal::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::size_of;
use std::sync::Arc;

/// What an entry says of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It has records of this type.
    Records(RecordType),
    /// It has none of this type.
    NoData(RecordType),
    /// It does not exist.
    NoName,
}

/// What is known.
#[derive(Clone, Debug)]
pub(super) enum What {
    Records(Arc<RrSet>, Rank),
    Nothing(Arc<Denial>),
}

/// What is known, and how long.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) what: What,
    pub(super) learnt: Instant,
    pub(super) expires: Instant,
}

impl Entry {
    pub(super) fn name(&self) -> &DnsName {
        match &self.what {
            What::Records(set, _) => &set.name,
            What::Nothing(denial) => &denial.name,
        }
    }

    /// RFC 1035 3.2.1: a TTL of zero is good for the transaction in progress, which is as much as the moment in
    /// which it was learnt.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.expires || now == self.learnt
    }

    /// The seconds it is good for.
    pub(super) fn left(&self, now: Instant) -> u32 {
        u32::try_from(self.expires.since(now).as_secs()).unwrap_or(u32::MAX)
    }
}

/// The place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// The entries.
#[derive(Debug)]
pub(super) struct Store {
    max_bytes: usize,
    bytes: usize,
    /// A name in presentation format, and what is known of it, by kind.
    names: BTreeMap<Box<str>, Vec<(Kind, Place)>>,
    slots: Vec<Option<Slot>>,
    free: Vec<Place>,
    /// Both ends of the order in which entries were used.
    newest: Option<Place>,
    oldest: Option<Place>,
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    bytes: usize,
    newer: Option<Place>,
    older: Option<Place>,
}

impl Store {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            bytes: 0,
            names: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            newest: None,
            oldest: None,
        }
    }

    /// What is known of a name in presentation format.
    pub(super) fn at(&self, name: &str) -> &[(Kind, Place)] {
        self.names.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn find(&self, name: &str, kind: Kind) -> Option<Place> {
        let known = self.at(name);
        let at = known.binary_search_by_key(&kind, |(own, _)| *own).ok()?;
        known.get(at).map(|(_, place)| *place)
    }

    pub(super) fn entry(&self, place: Place) -> Option<&Entry> {
        self.slot(place).map(|slot| &slot.entry)
    }

    pub(super) fn entry_mut(&mut self, place: Place) -> Option<&mut Entry> {
        self.slot_mut(place).map(|slot| &mut slot.entry)
    }

    /// It was of use just now.
    pub(super) fn touch(&mut self, place: Place) {
        if self.newest != Some(place) {
            self.unlink(place);
            self.link_newest(place);
        }
    }

    /// Puts an entry in place of the one of that kind; false if it is larger than everything may be together.
    pub(super) fn insert(&mut self, kind: Kind, entry: Entry) -> bool {
        if let Some(place) = self.find(entry.name().as_str(), kind) {
            self.remove(place);
        }
        let bytes = size_of_entry(&entry);
        if bytes > self.max_bytes {
            return false;
        }
        while self.bytes + bytes > self.max_bytes {
            let Some(oldest) = self.oldest else { break };
            self.remove(oldest);
        }
        let name: Box<str> = entry.name().as_str().into();
        let slot = Some(Slot { entry, bytes, newer: None, older: None });
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                let Ok(next) = u32::try_from(self.slots.len()) else { return false };
                self.slots.push(None);
                Place(next)
            }
        };
        if let Some(free) = self.slots.get_mut(place.0 as usize) {
            *free = slot;
        }
        self.bytes += bytes;
        let known = self.names.entry(name).or_default();
        if let Err(at) = known.binary_search_by_key(&kind, |(own, _)| *own) {
            known.insert(at, (kind, place));
        }
        self.link_newest(place);
        true
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.unlink(place);
        let Some(slot) = self.slots.get_mut(place.0 as usize).and_then(Option::take) else { return };
        self.free.push(place);
        self.bytes -= slot.bytes;
        let name = slot.entry.name().as_str();
        if let Some(known) = self.names.get_mut(name) {
            known.retain(|(_, other)| *other != place);
            if known.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// All entries, by name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Place, Kind, &Entry)> {
        let places = self.names.values().flatten();
        places.filter_map(|(kind, place)| Some((*place, *kind, self.entry(*place)?)))
    }

    /// How much memory they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn slot(&self, place: Place) -> Option<&Slot> {
        self.slots.get(place.0 as usize)?.as_ref()
    }

    fn slot_mut(&mut self, place: Place) -> Option<&mut Slot> {
        self.slots.get_mut(place.0 as usize)?.as_mut()
    }

    fn unlink(&mut self, place: Place) {
        let Some(slot) = self.slot_mut(place) else { return };
        let (newer, older) = (slot.newer.take(), slot.older.take());
        if let Some(newer) = newer.and_then(|newer| self.slot_mut(newer)) {
            newer.older = older;
        }
        if let Some(older) = older.and_then(|older| self.slot_mut(older)) {
            older.newer = newer;
        }
        if self.newest == Some(place) {
            self.newest = older;
        }
        if self.oldest == Some(place) {
            self.oldest = newer;
        }
    }

    fn link_newest(&mut self, place: Place) {
        let before = self.newest.replace(place);
        if let Some(slot) = self.slot_mut(place) {
            slot.older = before;
        }
        if let Some(before) = before.and_then(|before| self.slot_mut(before)) {
            before.newer = Some(place);
        } else {
            self.oldest = Some(place);
        }
    }
}

/// What an allocation costs beside what was asked for, in bytes.
const ALLOCATION: usize = 16;

/// The memory that an entry takes, in bytes: itself, its place, its share of the index, and all it points to.
fn size_of_entry(entry: &Entry) -> usize {
    let own = match &entry.what {
        What::Records(set, _) => {
            size_of::<RrSet>()
                + size_of_name(&set.name)
                + size_of_records(&set.records)
                + size_of_records(&set.signatures)
        }
        What::Nothing(denial) => {
            size_of::<Denial>() + size_of_name(&denial.name) + size_of_records(&denial.proof)
        }
    };
    // A node of a B-tree is two thirds full; a list of kinds has four places at first.
    let index = size_of::<(Box<str>, Vec<(Kind, Place)>)>() * 3 / 2
        + size_of_name(entry.name())
        + 4 * size_of::<(Kind, Place)>()
        + ALLOCATION;
    // A list of places doubles when it is full.
    2 * size_of::<Option<Slot>>() + 2 * ALLOCATION + index + own
}

fn size_of_name(name: &DnsName) -> usize {
    name.as_str().len() + ALLOCATION
}

pub(super) fn size_of_records(records: &[Record]) -> usize {
    let each =
        |record: &Record| size_of::<Record>() + size_of_name(&record.owner) + size_of_data(&record.data);
    ALLOCATION + records.iter().map(each).sum::<usize>()
}

/// What a record's data points to, in bytes.
fn size_of_data(data: &RecordData) -> usize {
    match data {
        RecordData::A(_) | RecordData::Aaaa(_) => 0,
        RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) | RecordData::Dname(name) => {
            size_of_name(name)
        }
        RecordData::Mx { exchange, .. } => size_of_name(exchange),
        RecordData::Srv { target, .. } => size_of_name(target),
        RecordData::Soa(soa) => size_of_name(&soa.primary) + size_of_name(&soa.mailbox),
        RecordData::Txt(strings) => {
            strings.iter().map(|one| one.len() + size_of::<Vec<u8>>() + ALLOCATION).sum()
        }
        RecordData::Ds(ds) => ds.digest.len() + ALLOCATION,
        RecordData::Dnskey(key) => key.public_key.len() + ALLOCATION,
        RecordData::Rrsig(rrsig) => size_of_name(&rrsig.signer) + rrsig.signature.len() + ALLOCATION,
        RecordData::Nsec(nsec) => 2 * size_of_name(&nsec.next) + size_of_types(&nsec.types),
        RecordData::Nsec3(nsec3) => {
            nsec3.salt.len() + nsec3.next_hashed.len() + 2 * ALLOCATION + size_of_types(&nsec3.types)
        }
        RecordData::Nsec3Param(parameters) => parameters.salt.len() + ALLOCATION,
        RecordData::Other { bytes, .. } => bytes.len() + ALLOCATION,
    }
}

/// A set of types is a B-tree; its nodes have eleven places.
fn size_of_types(types: &BTreeSet<RecordType>) -> usize {
    (types.len() / 6 + 1) * (11 * size_of::<RecordType>() + 2 * ALLOCATION)
}

/// Of a name that does not exist nothing else can be said.
impl From<(Negative, RecordType)> for Kind {
    fn from((what, record_type): (Negative, RecordType)) -> Self {
        match what {
            Negative::NoName => Self::NoName,
            Negative::NoData => Self::NoData(record_type),
        }
    }
}
