//! Trust anchors (RFC 4033 2): the keys that are believed without proof.

use crate::name::DnsName;
use crate::record::Record;
use std::collections::{BTreeMap, BTreeSet};

/// The keys that are believed without proof, by zone, and the zones that are not to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustAnchors {
    anchors: BTreeMap<DnsName, Vec<Record>>,
    unchecked: BTreeSet<DnsName>,
}

/// A text is not a list of trust anchors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}: write a DS or DNSKEY record, as in `. IN DS 20326 8 2 E06D...`")]
pub struct BadTrustAnchor {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: String,
}

impl TrustAnchors {
    /// These DS and DNSKEY records; others are left out.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut anchors: BTreeMap<DnsName, Vec<Record>> = BTreeMap::new();
        for record in records {
            anchors.entry(record.owner.clone()).or_default().push(record);
        }
        Self { anchors, unchecked: BTreeSet::new() }
    }

    /// The same, but what is at `zone` or below it is not to be checked (RFC 7646).
    #[must_use]
    pub fn without(mut self, zone: DnsName) -> Self {
        self.unchecked.insert(zone);
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }
}
