//! A response as sets of records, which is what is believed or not (RFC 2181 5).

use crate::cache::RrSet;
use crate::message::{ExtendedError, Message, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use std::collections::BTreeMap;

/// A response, its sections as sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) code: ResponseCode,
    /// AA.
    pub(crate) authoritative: bool,
    /// RA.
    pub(crate) recursive: bool,
    /// TC.
    pub(crate) truncated: bool,
    pub(crate) answers: Vec<RrSet>,
    pub(crate) authorities: Vec<RrSet>,
    pub(crate) additionals: Vec<RrSet>,
    /// Names further along a chain of aliases that it says are aliases, too: they are asked for anew.
    pub(crate) announced: Vec<DnsName>,
    /// Why it says so.
    pub(crate) extended_errors: Vec<ExtendedError>,
}

impl Response {
    pub(crate) fn new(message: &Message, wanted: RecordType) -> Self {
        let mut response = Self {
            code: message.code,
            authoritative: message.authoritative,
            recursive: message.recursion_available,
            truncated: message.truncated,
            answers: group(&message.answers, wanted),
            authorities: RrSet::group(&message.authorities),
            additionals: RrSet::group(&message.additionals),
            announced: Vec::new(),
            extended_errors: message.extended_errors().to_vec(),
        };
        response.find_signatures(message);
        response
    }

    /// What of a set's signatures did not fit may stand in another section than the set (RFC 4035 3.1.1).
    fn find_signatures(&mut self, message: &Message) {
        let sections = [&message.answers, &message.authorities, &message.additionals];
        let mut signatures: BTreeMap<(&DnsName, RecordType), Vec<&Record>> = BTreeMap::new();
        for record in sections.into_iter().flatten() {
            if let RecordData::Rrsig(signature) = &record.data {
                signatures.entry((&record.owner, signature.type_covered)).or_default().push(record);
            }
        }
        let sets = self.answers.iter_mut().chain(&mut self.authorities).chain(&mut self.additionals);
        for set in sets.filter(|set| set.signatures.is_empty()) {
            let found = signatures.get(&(&set.name, set.record_type));
            set.signatures = found.into_iter().flatten().map(|record| (*record).clone()).collect();
        }
    }

    /// Whether anything in it is signed.
    pub(crate) fn is_signed(&self) -> bool {
        let mut sets = self.answers.iter().chain(&self.authorities).chain(&self.additionals);
        sets.any(|set| !set.signatures.is_empty())
    }

    /// The records of the answer section at one name, of one type.
    pub(crate) fn answer(&self, name: &DnsName, record_type: RecordType) -> Option<&RrSet> {
        self.answers.iter().find(|set| set.name == *name && set.record_type == record_type)
    }

    /// Whether there is nothing in it at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.authorities.is_empty() && self.additionals.is_empty()
    }

    /// The SOA record that a negative answer about `name` may carry (RFC 2308 2).
    pub(crate) fn soa(&self, name: &DnsName) -> Option<&RrSet> {
        self.authorities.iter().find(|set| set.record_type == RecordType::Soa && name.is_within(&set.name))
    }

    /// The NS records of its authority section; of one zone, once it is scrubbed.
    pub(crate) fn name_servers(&self) -> Option<&RrSet> {
        self.authorities.iter().find(|set| set.record_type == RecordType::Ns)
    }
}

/// The sets of a section; signatures alone are a set only where they were asked for.
fn group(records: &[Record], wanted: RecordType) -> Vec<RrSet> {
    let mut sets = RrSet::group(records);
    if matches!(wanted, RecordType::Rrsig | RecordType::Any) {
        for record in records.iter().filter(|record| matches!(record.data, RecordData::Rrsig(_))) {
            let own = |set: &&mut RrSet| set.record_type == RecordType::Rrsig && set.name == record.owner;
            match sets.iter_mut().find(own) {
                Some(set) => set.records.push(record.clone()),
                None if wanted == RecordType::Rrsig => {
                    sets.push(RrSet::new(record.owner.clone(), RecordType::Rrsig, vec![record.clone()]));
                }
                None => {}
            }
        }
    }
    sets
}

/// All records of some sets, each set's signatures behind it.
pub(crate) fn records_of(sets: &[RrSet]) -> Vec<Record> {
    sets.iter().flat_map(|set| set.records.iter().chain(&set.signatures)).cloned().collect()
}

/// The name in an NS record.
pub(crate) fn name_server(record: &Record) -> Option<&DnsName> {
    match &record.data {
        RecordData::Ns(name) => Some(name),
        _ => None,
    }
}
