//! What a zone holds at one name.

use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};

/// A name of a zone and all its records. A name that exists only because others stand below it has
/// none ("empty non-terminal", RFC 4592 2.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    name: DnsName,
    /// By type.
    sets: Vec<Set>,
}

/// All records of one name and type (RFC 2181 5), and what signs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    record_type: RecordType,
    records: Vec<Record>,
    signatures: Vec<Record>,
}

impl Node {
    pub(super) fn new(name: DnsName) -> Self {
        Self { name, sets: Vec::new() }
    }

    /// The name.
    pub fn name(&self) -> &DnsName {
        &self.name
    }

    /// Whether it exists only because others stand below it.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Its sets, by the number of their type. Signatures are not among them: they are their sets'.
    pub fn sets(&self) -> impl Iterator<Item = &Set> {
        // Signatures over records that are not there make no set.
        self.sets.iter().filter(|set| !set.records.is_empty())
    }

    /// The set of one type.
    pub fn set(&self, record_type: RecordType) -> Option<&Set> {
        self.sets().find(|set| set.record_type == record_type)
    }

    /// All signatures at the name, by the type that they cover.
    pub fn signatures(&self) -> impl Iterator<Item = &Record> {
        self.sets.iter().flat_map(|set| &set.signatures)
    }

    /// Whether it has records of this type.
    pub fn has(&self, record_type: RecordType) -> bool {
        self.set(record_type).is_some()
    }

    /// Its records, the signatures of each set behind it.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.sets.iter().flat_map(|set| set.records.iter().chain(&set.signatures))
    }

    /// Adds a record, unless there is the same already. A set has one TTL, that of its first record
    /// (RFC 2181 5.2).
    pub(super) fn add(&mut self, mut record: Record) {
        let list = self.list_mut(&record);
        if let Some(first) = list.first() {
            record.ttl = first.ttl;
        }
        if !list.iter().any(|known| known.data == record.data) {
            list.push(record);
        }
    }

    /// The same with a record that is known not to be there.
    pub(super) fn push(&mut self, record: Record) {
        self.list_mut(&record).push(record);
    }

    /// The records that this one belongs to.
    fn list_mut(&mut self, record: &Record) -> &mut Vec<Record> {
        match &record.data {
            RecordData::Rrsig(signature) => &mut self.set_mut(signature.type_covered).signatures,
            data => &mut self.set_mut(data.record_type()).records,
        }
    }

    /// Puts a record in the place of all of its type.
    pub(super) fn replace(&mut self, record: Record) {
        let set = self.set_mut(record.record_type());
        set.records = vec![record];
    }

    fn set_mut(&mut self, record_type: RecordType) -> &mut Set {
        let at = self.sets.partition_point(|set| set.record_type.number() < record_type.number());
        if self.sets.get(at).is_none_or(|set| set.record_type != record_type) {
            self.sets.insert(at, Set { record_type, records: Vec::new(), signatures: Vec::new() });
        }
        &mut self.sets[at]
    }
}

impl Set {
    /// The type of all its records.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// The records, as they were added.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The RRSIG records over them that the zone holds.
    pub fn signatures(&self) -> &[Record] {
        &self.signatures
    }

    /// How long they may be kept, in seconds.
    pub fn ttl(&self) -> u32 {
        self.records.first().map_or(0, |record| record.ttl)
    }
}
