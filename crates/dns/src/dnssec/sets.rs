//! Sets of records of one owner and type (RFC 2181 5), each with the signatures over it, and the bytes
//! that a signature is made of.

use crate::message::CLASS_IN;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType, Rrsig};
use std::collections::BTreeMap;

/// Where records stand in a message (RFC 1035 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What answers.
    Answer,
    /// What an answer that there is nothing rests on, or who has authority.
    Authority,
    /// What may help.
    Additional,
}

/// The records of one owner and type, and the signatures that came with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedSet {
    pub(crate) section: Section,
    pub(crate) name: DnsName,
    pub(crate) record_type: RecordType,
    pub(crate) records: Vec<Record>,
    /// Each with the TTL of its record.
    pub(crate) signatures: Vec<(Rrsig, u32)>,
}

impl SignedSet {
    /// The sets of a section in the order in which they begin; signatures over nothing are left out.
    pub(crate) fn of(section: Section, records: &[Record]) -> Vec<Self> {
        let mut sets: Vec<Self> = Vec::new();
        let mut places: BTreeMap<(&DnsName, RecordType), usize> = BTreeMap::new();
        for record in records.iter().filter(|record| record.record_type() != RecordType::Rrsig) {
            let record_type = record.record_type();
            let place = *places.entry((&record.owner, record_type)).or_insert(sets.len());
            match sets.get_mut(place) {
                Some(set) => set.records.push(record.clone()),
                None => sets.push(Self {
                    section,
                    name: record.owner.clone(),
                    record_type,
                    records: vec![record.clone()],
                    signatures: Vec::new(),
                }),
            }
        }
        for record in records {
            let RecordData::Rrsig(signature) = &record.data else { continue };
            let place = places.get(&(&record.owner, signature.type_covered));
            if let Some(set) = place.and_then(|place| sets.get_mut(*place)) {
                set.signatures.push((signature.clone(), record.ttl));
            }
        }
        sets
    }

    pub(crate) fn is_of(&self, name: &DnsName, record_type: RecordType) -> bool {
        self.record_type == record_type && self.name == *name
    }

    /// Who may have signed it: the lowest zone that a signature names and that the records can be in.
    pub(crate) fn signer(&self) -> Option<&DnsName> {
        let signers = self.signatures.iter().map(|(signature, _)| &signature.signer);
        signers.filter(|signer| self.may_be_in(signer)).max_by_key(|signer| signer.label_count())
    }

    /// Whether a zone can hold such records. RFC 4034 5: DS records are the parent's.
    pub(crate) fn may_be_in(&self, zone: &DnsName) -> bool {
        self.name.is_within(zone) && (self.record_type != RecordType::Ds || self.name != *zone)
    }
}

/// What a signature over `records` of `owner` is made of (RFC 4034 3.1.8.1). None if the signature
/// claims more labels than there are.
pub(crate) fn signed_data(signature: &Rrsig, owner: &DnsName, records: &[Record]) -> Option<Vec<u8>> {
    let owner = signed_name(owner, usize::from(signature.labels))?.to_wire();
    let mut data = Vec::new();
    signature.write_unsigned(&mut data);
    // RFC 4034 6.3: in the order of their data, each once.
    let mut sorted: Vec<Vec<u8>> = records.iter().map(|record| record.data.canonical_bytes()).collect();
    sorted.sort_unstable();
    sorted.dedup();
    for bytes in sorted {
        data.extend(&owner);
        data.extend(signature.type_covered.number().to_be_bytes());
        data.extend(CLASS_IN.to_be_bytes());
        data.extend(signature.original_ttl.to_be_bytes());
        data.extend(u16::try_from(bytes.len()).ok()?.to_be_bytes());
        data.extend(bytes);
    }
    Some(data)
}

/// The name that was signed (RFC 4035 5.3.2): the owner's own, or the wildcard that it was made from.
pub(crate) fn signed_name(owner: &DnsName, labels: usize) -> Option<DnsName> {
    match owner.label_count().checked_sub(labels)? {
        0 => Some(owner.clone()),
        more => ancestor(owner, more)?.wildcard(),
    }
}

/// The name without its `labels` leftmost labels.
pub(crate) fn ancestor(name: &DnsName, labels: usize) -> Option<DnsName> {
    (0..labels).try_fold(name.clone(), |name, _| name.parent())
}

/// The lowest name that both are within.
pub(crate) fn common_ancestor(one: &DnsName, other: &DnsName) -> DnsName {
    let mut at = one.clone();
    while !other.is_within(&at) {
        match at.parent() {
            Some(parent) => at = parent,
            None => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::name;

    #[test]
    fn the_name_that_was_signed_may_be_a_wildcard() {
        let signed = |text, labels| signed_name(&name(text), labels).map(|name| name.to_string());
        assert_eq!(signed("a.z.w.example", 4), Some("a.z.w.example".to_owned()));
        assert_eq!(signed("a.z.w.example", 2), Some("*.w.example".to_owned()));
        assert_eq!(signed("*.w.example", 2), Some("*.w.example".to_owned()));
        assert_eq!(signed("a.example", 0), Some("*".to_owned()));
        assert_eq!(signed("example", 2), None);
    }

    #[test]
    fn names_have_a_lowest_ancestor_in_common() {
        let common = |one, other| common_ancestor(&name(one), &name(other)).to_string();
        assert_eq!(common("a.b.test", "c.b.test"), "b.test");
        assert_eq!(common("b.test", "c.b.test"), "b.test");
        assert_eq!(common("a.test", "a.example"), ".");
    }
}
