//! What a zone shows to prove that something does not exist (RFC 4035 3.1.3, RFC 5155 7.2), and that a
//! delegation is not signed.

use super::key::{Path, wildcard};
use super::{Node, Set, Zone};
use crate::dnssec::{next_closer, nsec3_hash};
use crate::name::DnsName;
use crate::record::{Nsec3Param, RecordData, RecordType};

/// How the zone proves it.
enum Chain<'z> {
    /// Its NSEC records name the names that exist.
    Nsec,
    /// Its NSEC3 records give their hashes.
    Nsec3(&'z Nsec3Param),
    /// It is not signed.
    None,
}

impl Zone {
    /// That `name` exists, but not with the type; `node` is what stands for it: a wildcard below
    /// `encloser`, or the name itself.
    pub(crate) fn prove_no_data(&self, name: &DnsName, node: &Node, encloser: Option<&Node>) -> Vec<&Set> {
        let mut proof = Vec::new();
        match (self.chain(), encloser) {
            // RFC 4035 3.1.3.1, 3.1.3.4
            (Chain::Nsec, encloser) => {
                proof.extend(self.nsec_before(Path::of(node.name()).key()));
                proof.extend(encloser.and_then(|_| self.nsec_before(Path::of(name).key())));
            }
            // RFC 5155 7.2.3; without a record for the name it is opted out: 7.2.4
            (Chain::Nsec3(param), None) => match self.nsec3_of(param, name) {
                Some(set) => proof.push(set),
                None => self.prove_encloser(param, name, name.parent(), &mut proof),
            },
            // RFC 5155 7.2.5
            (Chain::Nsec3(param), Some(encloser)) => {
                self.prove_encloser(param, name, Some(encloser.name().clone()), &mut proof);
                proof.extend(self.nsec3_of(param, node.name()));
            }
            (Chain::None, _) => {}
        }
        without_repetition(proof)
    }

    /// That neither `name` exists nor a wildcard for it below `encloser`.
    pub(crate) fn prove_no_name(&self, name: &DnsName, encloser: &Node) -> Vec<&Set> {
        let mut proof = Vec::new();
        match self.chain() {
            // RFC 4035 3.1.3.2
            Chain::Nsec => {
                proof.extend(self.nsec_before(Path::of(name).key()));
                proof.extend(self.nsec_before(&wildcard(Path::of(encloser.name()).key())));
            }
            // RFC 5155 7.2.2
            Chain::Nsec3(param) => {
                self.prove_encloser(param, name, Some(encloser.name().clone()), &mut proof);
                let wildcard = encloser.name().wildcard();
                proof.extend(wildcard.and_then(|wildcard| self.nsec3_over(param, &wildcard)));
            }
            Chain::None => {}
        }
        without_repetition(proof)
    }

    /// That a wildcard below `encloser` answers for `name`: nothing is nearer (RFC 4035 3.1.3.3,
    /// RFC 5155 7.2.6).
    pub(crate) fn prove_expansion(&self, name: &DnsName, encloser: &Node) -> Vec<&Set> {
        let proof = match self.chain() {
            Chain::Nsec => self.nsec_before(Path::of(name).key()),
            Chain::Nsec3(param) => {
                next_closer(name, encloser.name()).and_then(|nearer| self.nsec3_over(param, &nearer))
            }
            Chain::None => None,
        };
        proof.into_iter().collect()
    }

    /// What a referral says of the zone below: its DS records, or that it has none (RFC 4035 3.1.4,
    /// RFC 5155 7.2.7).
    pub(crate) fn prove_delegation<'z>(&'z self, cut: &'z Node) -> Vec<&'z Set> {
        let chain = self.chain();
        // Without signatures they prove nothing, and none has been asked for.
        let is_signed = self.signer.is_some() || !matches!(chain, Chain::None);
        if let Some(ds) = cut.set(RecordType::Ds).filter(|_| is_signed) {
            return vec![ds];
        }
        match chain {
            Chain::Nsec => cut.set(RecordType::Nsec).into_iter().collect(),
            Chain::Nsec3(_) => self.prove_no_data(cut.name(), cut, None),
            Chain::None => Vec::new(),
        }
    }

    fn chain(&self) -> Chain<'_> {
        let Some(top) = self.node(&self.origin) else { return Chain::None };
        if top.has(RecordType::Nsec) {
            return Chain::Nsec;
        }
        // RFC 5155 4: records whose flags are not zero are to be ignored.
        let params = top.set(RecordType::Nsec3Param).map(Set::records).unwrap_or_default();
        let param = params.iter().find_map(|record| match &record.data {
            RecordData::Nsec3Param(param) if param.flags == 0 => Some(param),
            _ => None,
        });
        param.map_or(Chain::None, Chain::Nsec3)
    }

    /// The NSEC record of the name with this key, or of the last one before it that has one.
    fn nsec_before(&self, key: &[u8]) -> Option<&Set> {
        use std::ops::Bound::{Included, Unbounded};
        let names = self.nodes.range::<[u8], _>((Unbounded, Included(key)));
        names.rev().find_map(|(_, node)| node.set(RecordType::Nsec))
    }

    /// RFC 5155 7.2.1: the closest encloser's record, and that over the next closer name. With opt-out
    /// the closest that has a record counts.
    fn prove_encloser<'z>(
        &'z self,
        param: &Nsec3Param,
        name: &DnsName,
        from: Option<DnsName>,
        proof: &mut Vec<&'z Set>,
    ) {
        let mut candidate = from;
        while let Some(encloser) = candidate.filter(|encloser| encloser.is_within(&self.origin)) {
            if let Some(set) = self.nsec3_of(param, &encloser) {
                proof.push(set);
                let nearer = next_closer(name, &encloser);
                proof.extend(nearer.and_then(|nearer| self.nsec3_over(param, &nearer)));
                return;
            }
            candidate = encloser.parent();
        }
    }

    /// The NSEC3 record of a name.
    fn nsec3_of(&self, param: &Nsec3Param, name: &DnsName) -> Option<&Set> {
        self.hashes.get(&hash(param, name))?.set(RecordType::Nsec3)
    }

    /// The NSEC3 record whose hash is the last before that of the name; the zone's last one is before
    /// the first. None if the name has one itself: that shows that it exists.
    fn nsec3_over(&self, param: &Nsec3Param, name: &DnsName) -> Option<&Set> {
        let hash = hash(param, name);
        let before = self.hashes.range(..=hash.clone()).next_back();
        let (at, node) = before.or_else(|| self.hashes.last_key_value())?;
        if *at == hash { None } else { node.set(RecordType::Nsec3) }
    }
}

fn hash(param: &Nsec3Param, name: &DnsName) -> Vec<u8> {
    nsec3_hash(&name.to_wire(), &param.salt, param.iterations)
}

/// One record may prove two things.
fn without_repetition(proof: Vec<&Set>) -> Vec<&Set> {
    let mut all: Vec<&Set> = Vec::with_capacity(proof.len());
    for set in proof {
        if !all.iter().any(|known| std::ptr::eq(*known, set)) {
            all.push(set);
        }
    }
    all
}
