//! A zone: the records of one part of the tree (RFC 1034 4.2).
//!
//! Read in this order: this file (what is in a zone), `node` (what is at one name), `key` (the order of
//! names), `find` (how a name is found), `denial` (how it is proved that there is none), `text` (a zone as a file).

mod denial;
mod find;
mod key;
mod node;
#[cfg(test)]
mod tests;
mod text;

pub use find::Found;
pub use node::{Node, Set};

use crate::name::{DnsName, NameError};
use crate::record::{Record, RecordData, RecordType, Soa};
use data_encoding::BASE32HEX_NOPAD;
pub(crate) use key::Path;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The TTL of records that are given none, in seconds.
pub const DEFAULT_TTL: u32 = 300;

/// A zone. Names are given relative to its origin, as in a zone file: `www`, `@` for the origin
/// itself, `*` for every name that has no records, `mail.other.test.` with a final dot for one that
/// is complete.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: DnsName,
    soa: Record,
    /// Every name that exists, by its key: in canonical order (RFC 4034 6.1).
    nodes: BTreeMap<Box<[u8]>, Node>,
    /// The NSEC3 records by the hash in their owner's name (RFC 5155 7.1); these owners are no names of
    /// the zone.
    hashes: BTreeMap<Vec<u8>, Node>,
    signer: Option<Arc<dyn Sign>>,
}

/// Signs sets when they are asked for, for a zone that does not hold their signatures.
pub trait Sign: fmt::Debug + Send + Sync {
    /// The RRSIG records over `set`: all records of one owner and type, of which the zone is the
    /// authority.
    fn sign(&self, set: &[Record]) -> Vec<Record>;
}

/// A record cannot be in a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Not a name.
    #[error("{0:?} is not a domain name: {1}")]
    Name(String, #[source] NameError),
    /// Of another zone.
    #[error("{name} is not in the zone {origin}")]
    Outside {
        /// The name.
        name: DnsName,
        /// The zone.
        origin: DnsName,
    },
    /// RFC 1034 3.6.2: "If a CNAME RR is present at a node, no other data should be present".
    #[error("{0} is an alias, so it can have one CNAME record and no other")]
    AliasWithOthers(DnsName),
    /// RFC 6672 2.4: a name has one DNAME record at most.
    #[error("{0} has another DNAME record: there can be one")]
    SecondDname(DnsName),
    /// There is one SOA, at the top.
    #[error("{0} is not the zone's origin, so it cannot have an SOA record")]
    SoaBelowOrigin(DnsName),
}

impl Zone {
    /// A zone with an SOA record and nothing else. Negative answers may be kept for a minute.
    pub fn new(origin: &str) -> Result<Self, ZoneError> {
        let origin = DnsName::parse(origin).map_err(|error| ZoneError::Name(origin.to_owned(), error))?;
        let soa = Soa {
            primary: below(&origin, "ns")?,
            mailbox: below(&origin, "hostmaster")?,
            serial: 1,
            refresh: 7200,
            retry: 3600,
            expire: 1_209_600,
            minimum: 60,
        };
        Ok(Self::of_soa(Record { owner: origin, ttl: DEFAULT_TTL, data: RecordData::Soa(soa) }))
    }

    /// A zone with this SOA record, whose owner is its origin, and nothing else.
    pub(crate) fn of_soa(soa: Record) -> Self {
        let origin = soa.owner.clone();
        let mut top = Node::new(origin.clone());
        top.replace(soa.clone());
        let nodes = BTreeMap::from([(Path::of(&origin).key().into(), top)]);
        Self { origin, soa, nodes, hashes: BTreeMap::new(), signer: None }
    }

    /// The zone's topmost name.
    pub fn origin(&self) -> &DnsName {
        &self.origin
    }

    /// The zone's SOA record.
    pub fn soa(&self) -> &Record {
        &self.soa
    }

    /// The zone's version (RFC 1982 tells which of two is newer).
    pub fn serial(&self) -> u32 {
        match &self.soa.data {
            RecordData::Soa(soa) => soa.serial,
            _ => 0,
        }
    }

    /// The zone with one record more, of [`DEFAULT_TTL`].
    pub fn with(mut self, name: &str, data: impl Into<RecordData>) -> Result<Self, ZoneError> {
        self.add(name, DEFAULT_TTL, data)?;
        Ok(self)
    }

    /// The zone with the part below `name` cut off and left to `servers`: complete names, each with its
    /// address where whoever is referred could not find it otherwise ("glue", RFC 1034 4.2.1).
    pub fn delegating(mut self, name: &str, servers: &[(&str, Option<IpAddr>)]) -> Result<Self, ZoneError> {
        for (server, glue) in servers {
            let host = DnsName::host(server).map_err(|e| ZoneError::Name((*server).to_owned(), e))?;
            self.add(name, DEFAULT_TTL, RecordData::Ns(host))?;
            if let Some(address) = glue {
                self.add(&format!("{}.", server.trim_end_matches('.')), DEFAULT_TTL, *address)?;
            }
        }
        Ok(self)
    }

    /// The zone with a pointer from an address to a name; for zones of `in-addr.arpa`.
    pub fn pointing(mut self, address: IpAddr, host: &str) -> Result<Self, ZoneError> {
        let host = DnsName::host(host).map_err(|error| ZoneError::Name(host.to_owned(), error))?;
        self.add(&format!("{}.", DnsName::reverse(address)), DEFAULT_TTL, RecordData::Ptr(host))?;
        Ok(self)
    }

    /// The zone with its sets signed by `signer` where it holds no signatures itself. The proofs of what
    /// does not exist (NSEC or NSEC3 records) have to be in the zone.
    #[must_use]
    pub fn signed_by(mut self, signer: Arc<dyn Sign>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Adds a record; `ttl` is in seconds. An SOA record takes the place of the one there is.
    pub fn add(&mut self, name: &str, ttl: u32, data: impl Into<RecordData>) -> Result<(), ZoneError> {
        let owner = self.absolute(name)?;
        self.add_record(Record { owner, ttl, data: data.into() })
    }

    /// Adds a record. An SOA record takes the place of the one there is; of any other set the first
    /// record's TTL is everyone's, and nothing is in it twice.
    pub fn add_record(&mut self, record: Record) -> Result<(), ZoneError> {
        self.insert(record, Node::add)
    }

    /// The same with a record that is not in the zone, of the TTL that its set has.
    pub(crate) fn add_new_record(&mut self, record: Record) -> Result<(), ZoneError> {
        self.insert(record, Node::push)
    }

    fn insert(&mut self, record: Record, put: fn(&mut Node, Record)) -> Result<(), ZoneError> {
        if !record.owner.is_within(&self.origin) {
            return Err(ZoneError::Outside { name: record.owner, origin: self.origin.clone() });
        }
        let record_type = record.record_type();
        if record_type == RecordType::Soa && record.owner != self.origin {
            return Err(ZoneError::SoaBelowOrigin(record.owner));
        }
        if let Some(hash) = hash_of_nsec3(&record) {
            put(self.hashes.entry(hash).or_insert_with(|| Node::new(record.owner.clone())), record);
            return Ok(());
        }
        let node = self.node_mut(&record.owner);
        if record_type == RecordType::Soa {
            node.replace(record.clone());
            self.soa = record;
            return Ok(());
        }
        check_company(node, &record)?;
        put(node, record);
        Ok(())
    }

    /// Every name of the zone in canonical order (RFC 4034 6.1), the origin first, empty ones and those
    /// below delegations included. The owners of NSEC3 records are no names (see [`Self::records`]).
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.nodes.values()
    }

    /// What the zone holds at a name.
    pub fn node(&self, name: &DnsName) -> Option<&Node> {
        self.nodes.get(Path::of(name).key())
    }

    /// The records of a name and a type, as the zone holds them: without wildcards, and glue as well.
    pub fn rrset(&self, name: &DnsName, record_type: RecordType) -> Option<&[Record]> {
        Some(self.node(name)?.set(record_type)?.records())
    }

    /// All records, the SOA first; the others by their names in canonical order, NSEC3 records last.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let others = self.nodes.values().chain(self.hashes.values()).flat_map(Node::records);
        std::iter::once(&self.soa).chain(others.filter(|record| record.record_type() != RecordType::Soa))
    }

    /// The names below which others have authority (RFC 1034 4.2), in canonical order. One that stands
    /// below another is not heard of.
    pub fn delegations(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(|node| self.is_cut(node) && !self.is_below_cut(node.name()))
    }

    /// Whether others have authority at this name (the zone keeps it over their DS and NSEC records) or
    /// above it: then what is here is glue.
    pub fn is_delegated(&self, name: &DnsName) -> bool {
        self.node(name).is_some_and(|node| self.is_cut(node)) || self.is_below_cut(name)
    }

    /// The zone as it is transferred: all records, the SOA first and once more at the end (RFC 5936 2.2).
    pub fn transfer(&self) -> impl Iterator<Item = Record> + '_ {
        self.records().cloned().chain(std::iter::once_with(|| self.soa.clone()))
    }

    /// The signatures over a set: those in the zone, or made now.
    pub(crate) fn signatures<'z>(&'z self, set: &'z Set) -> Cow<'z, [Record]> {
        match &self.signer {
            Some(signer) if set.signatures().is_empty() => Cow::Owned(signer.sign(set.records())),
            _ => Cow::Borrowed(set.signatures()),
        }
    }

    /// The set with the SOA record.
    pub(crate) fn soa_set(&self) -> Option<&Set> {
        self.node(&self.origin)?.set(RecordType::Soa)
    }

    /// How long a negative answer may be kept, in seconds: as long as the SOA record and no longer than
    /// it says (RFC 2308 5).
    pub(crate) fn negative_ttl(&self) -> u32 {
        match &self.soa.data {
            RecordData::Soa(soa) => soa.minimum.min(self.soa.ttl),
            _ => self.soa.ttl,
        }
    }

    /// The addresses that the zone has of a name, glue below a delegation included.
    pub(crate) fn addresses(&self, name: &DnsName) -> impl Iterator<Item = &Set> {
        let node = self.node(name);
        [RecordType::A, RecordType::Aaaa].into_iter().filter_map(move |record_type| node?.set(record_type))
    }

    /// Whether the node is a zone cut.
    fn is_cut(&self, node: &Node) -> bool {
        node.has(RecordType::Ns) && *node.name() != self.origin
    }

    fn is_below_cut(&self, name: &DnsName) -> bool {
        let path = Path::of(name);
        let above = self.origin.label_count() + 1..path.labels();
        above.into_iter().any(|labels| self.nodes.get(path.ancestor(labels)).is_some_and(|n| self.is_cut(n)))
    }

    /// The node of a name in the zone, made where there is none, with those above it.
    fn node_mut(&mut self, name: &DnsName) -> &mut Node {
        let path = Path::of(name);
        if !self.nodes.contains_key(path.key()) {
            let mut at = name.parent();
            for labels in (self.origin.label_count()..path.labels()).rev() {
                let Some(ancestor) = at.take_if(|_| !self.nodes.contains_key(path.ancestor(labels))) else {
                    break;
                };
                at = ancestor.parent();
                self.nodes.insert(path.ancestor(labels).into(), Node::new(ancestor));
            }
        }
        self.nodes.entry(path.key().into()).or_insert_with(|| Node::new(name.clone()))
    }

    fn absolute(&self, name: &str) -> Result<DnsName, ZoneError> {
        match name {
            "@" => Ok(self.origin.clone()),
            complete if complete.ends_with('.') => {
                DnsName::parse(complete).map_err(|error| ZoneError::Name(complete.to_owned(), error))
            }
            relative => below(&self.origin, relative),
        }
    }
}

impl PartialEq for Zone {
    /// Whether they hold the same records in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.origin == other.origin && self.nodes == other.nodes && self.hashes == other.hashes
    }
}

impl Eq for Zone {}

/// `name` below `origin`.
fn below(origin: &DnsName, name: &str) -> Result<DnsName, ZoneError> {
    DnsName::parse(name)
        .and_then(|name| name.below(origin))
        .map_err(|error| ZoneError::Name(name.to_owned(), error))
}

/// What may stand beside what.
fn check_company(node: &Node, record: &Record) -> Result<(), ZoneError> {
    let lone = [RecordType::Cname, RecordType::Dname];
    let record_type = record.record_type();
    let same = node.set(record_type).map(Set::records).unwrap_or_default();
    if lone.contains(&record_type) && same.iter().any(|known| known.data != record.data) {
        return Err(match record_type {
            RecordType::Cname => ZoneError::AliasWithOthers(record.owner.clone()),
            _ => ZoneError::SecondDname(record.owner.clone()),
        });
    }
    let is_alias = record_type == RecordType::Cname || node.has(RecordType::Cname);
    let others = node.sets().map(Set::record_type).chain([record_type]);
    if is_alias && others.into_iter().any(|other| other != RecordType::Cname && !may_join_an_alias(other)) {
        return Err(ZoneError::AliasWithOthers(record.owner.clone()));
    }
    Ok(())
}

/// RFC 4034 3 and 4, RFC 2535 2.3.5: the records of DNSSEC that a name has beside its CNAME record.
fn may_join_an_alias(record_type: RecordType) -> bool {
    const KEY: u16 = 25;
    matches!(record_type, RecordType::Rrsig | RecordType::Nsec) || record_type.number() == KEY
}

/// The hash in the owner's name of an NSEC3 record or its signature (RFC 5155 3).
fn hash_of_nsec3(record: &Record) -> Option<Vec<u8>> {
    match &record.data {
        RecordData::Nsec3(_) => {}
        RecordData::Rrsig(signature) if signature.type_covered == RecordType::Nsec3 => {}
        _ => return None,
    }
    let label = record.owner.as_str().split('.').next()?.to_ascii_uppercase();
    BASE32HEX_NOPAD.decode(label.as_bytes()).ok()
}
