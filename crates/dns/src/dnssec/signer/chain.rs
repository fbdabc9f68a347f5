//! The chain of the names that exist: NSEC records (RFC 4034 4), or NSEC3 records (RFC 5155 7.1).

use crate::dnssec::crypto;
use crate::dnssec::nsec3::{HASH_SHA_1, OPT_OUT, base32hex};
use crate::name::DnsName;
use crate::record::{Nsec, Nsec3, Nsec3Param, Record, RecordData, RecordType};
use crate::zone::{Node, Zone, ZoneError};
use std::collections::{BTreeMap, BTreeSet};

/// How a zone proves that something does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Denial {
    /// It names the names that exist: anybody can list the zone.
    #[default]
    Nsec,
    /// It gives their hashes.
    Nsec3(Nsec3Settings),
}

/// How names are hashed. RFC 9276 3.1 recommends the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nsec3Settings {
    /// How often a name is hashed again. 0.
    pub iterations: u16,
    /// What is hashed along. Nothing.
    pub salt: Vec<u8>,
    /// Whether delegations that are not signed are left out (RFC 5155 6). No.
    pub opt_out: bool,
}

/// Adds the chain to a zone.
pub(super) fn add(zone: &mut Zone, denial: &Denial) -> Result<(), ZoneError> {
    let records = match denial {
        Denial::Nsec => nsec(zone),
        Denial::Nsec3(settings) => {
            let owner = zone.origin().clone();
            let Nsec3Settings { iterations, salt, .. } = settings.clone();
            let param = Nsec3Param { hash_algorithm: HASH_SHA_1, flags: 0, iterations, salt };
            zone.add_record(Record { owner, ttl: 0, data: RecordData::Nsec3Param(param) })?;
            nsec3(zone, settings)?
        }
    };
    records.into_iter().try_for_each(|record| zone.add_record(record))
}

/// Whether the zone signs records of this name and type (RFC 4035 2.2): not glue, and at a delegation
/// nothing but what is the upper zone's.
pub(super) fn is_signed(zone: &Zone, name: &DnsName, record_type: RecordType) -> bool {
    match place(zone, name) {
        Place::Own => true,
        Place::Cut => matches!(record_type, RecordType::Ds | RecordType::Nsec),
        Place::Below => false,
    }
}

/// Where a name lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    /// A zone begins at it.
    Cut,
    /// It is in another zone.
    Below,
}

fn place(zone: &Zone, name: &DnsName) -> Place {
    match () {
        () if !zone.is_delegated(name) => Place::Own,
        () if name.parent().is_some_and(|parent| zone.is_delegated(&parent)) => Place::Below,
        () => Place::Cut,
    }
}

fn nsec(zone: &Zone) -> Vec<Record> {
    let ttl = negative_ttl(zone);
    let named: Vec<(&DnsName, BTreeSet<RecordType>)> = zone
        .nodes()
        .filter(|node| !node.is_empty() && place(zone, node.name()) != Place::Below)
        .map(|node| (node.name(), types(zone, node)))
        .collect();
    let next_ones = named.iter().map(|(name, _)| *name).cycle().skip(1);
    named
        .iter()
        .zip(next_ones)
        .map(|((owner, types), next)| {
            // RFC 4035 2.3: "The type bitmap of every NSEC resource record in a signed zone MUST indicate
            // the presence of both the NSEC record itself and its corresponding RRSIG record."
            let types = types.iter().copied().chain([RecordType::Nsec, RecordType::Rrsig]).collect();
            let data = RecordData::Nsec(Nsec { next: next.clone().into(), types });
            Record { owner: (*owner).clone(), ttl, data }
        })
        .collect()
}

fn nsec3(zone: &Zone, settings: &Nsec3Settings) -> Result<Vec<Record>, ZoneError> {
    let ttl = negative_ttl(zone);
    let mut hashed: BTreeMap<Vec<u8>, BTreeSet<RecordType>> = BTreeMap::new();
    for node in zone.nodes().filter(|node| is_hashed(zone, node, settings.opt_out)) {
        let hash = crypto::nsec3_hash(&node.name().to_wire(), &settings.salt, settings.iterations);
        let mut types = types(zone, node);
        // RFC 5155 3.1.8: RRSIG is set where something is signed.
        if types.iter().any(|record_type| is_signed(zone, node.name(), *record_type)) {
            types.insert(RecordType::Rrsig);
        }
        hashed.insert(hash, types);
    }
    let next_ones = hashed.keys().cycle().skip(1);
    let record = |(hash, types): (&Vec<u8>, &BTreeSet<RecordType>), next: &Vec<u8>| {
        let owner = base32hex(hash);
        let owner = DnsName::parse(&owner)
            .and_then(|label| label.below(zone.origin()))
            .map_err(|error| ZoneError::Name(owner, error))?;
        let data = RecordData::Nsec3(Nsec3 {
            hash_algorithm: HASH_SHA_1,
            flags: if settings.opt_out { OPT_OUT } else { 0 },
            iterations: settings.iterations,
            salt: settings.salt.clone(),
            next_hashed: next.clone(),
            types: types.clone(),
        });
        Ok(Record { owner, ttl, data })
    };
    hashed.iter().zip(next_ones).map(|(this, next)| record(this, next)).collect()
}

/// RFC 5155 7.1: every name of the zone, those without records too; with opt-out not the delegations
/// that are not signed, nor names that exist only because of these.
fn is_hashed(zone: &Zone, node: &Node, opt_out: bool) -> bool {
    if place(zone, node.name()) == Place::Below {
        return false;
    }
    let left_out =
        |node: &Node| opt_out && place(zone, node.name()) == Place::Cut && !node.has(RecordType::Ds);
    match node.is_empty() {
        false => !left_out(node),
        true if !opt_out => true,
        true => zone.nodes().any(|below| {
            below.name().is_within(node.name())
                && !below.is_empty()
                && place(zone, below.name()) != Place::Below
                && !left_out(below)
        }),
    }
}

/// The types that a zone has at a name as an authority: at a delegation NS and DS.
fn types(zone: &Zone, node: &Node) -> BTreeSet<RecordType> {
    let is_cut = place(zone, node.name()) == Place::Cut;
    let all = node.sets().map(|set| set.record_type());
    all.filter(|record_type| !is_cut || matches!(record_type, RecordType::Ns | RecordType::Ds)).collect()
}

/// RFC 9077 3: how long a negative answer may be kept.
fn negative_ttl(zone: &Zone) -> u32 {
    let soa = zone.soa();
    match &soa.data {
        RecordData::Soa(data) => data.minimum.min(soa.ttl),
        _ => soa.ttl,
    }
}
