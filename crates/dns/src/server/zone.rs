//! A zone: the records of one part of the tree (RFC 1034 4.2), and how a name is found in it.

use crate::name::{DnsName, NameError};
use crate::record::{Record, RecordData, RecordType, Soa};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The TTL of records that are given none, in seconds.
pub const DEFAULT_TTL: u32 = 300;

/// A zone. Names are given relative to its origin, as in a zone file: `www`, `@` for the origin
/// itself, `*` for every name that has no records, `mail.other.test.` with a final dot for one that
/// is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    origin: DnsName,
    soa: Record,
    /// Every name that exists; those that exist only because others stand below them are empty
    /// (RFC 4592 2.2.2).
    nodes: BTreeMap<DnsName, Node>,
}

type Node = BTreeMap<RecordType, Vec<Record>>;

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
    /// There is one SOA, at the top.
    #[error("{0} is not the zone's origin, so it cannot have an SOA record")]
    SoaBelowOrigin(DnsName),
}

/// What a zone says about a name and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The records asked for; whether a wildcard made them.
    Records { records: Vec<Record>, wildcard: bool },
    /// The name is an alias.
    Alias { record: Record, target: DnsName },
    /// The name exists, but not with that type.
    NoData,
    /// The name does not exist.
    NoName,
    /// The name is in a zone below, of which these are the name servers.
    Delegated(Vec<Record>),
}

impl Zone {
    /// A zone with an SOA record and nothing else. Negative answers may be kept for a minute.
    pub fn new(origin: &str) -> Result<Self, ZoneError> {
        let parse = |text: &str| DnsName::parse(text).map_err(|e| ZoneError::Name(text.to_owned(), e));
        let origin = parse(origin)?;
        let soa = Soa {
            primary: below(&origin, "ns")?,
            mailbox: below(&origin, "hostmaster")?,
            serial: 1,
            refresh: 7200,
            retry: 3600,
            expire: 1_209_600,
            minimum: 60,
        };
        let soa = Record { owner: origin.clone(), ttl: DEFAULT_TTL, data: RecordData::Soa(soa) };
        let top = Node::from([(RecordType::Soa, vec![soa.clone()])]);
        Ok(Self { nodes: BTreeMap::from([(origin.clone(), top)]), origin, soa })
    }

    /// The zone's topmost name.
    pub fn origin(&self) -> &DnsName {
        &self.origin
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

    /// Adds a record; `ttl` is in seconds. An SOA record takes the place of the one there is.
    pub fn add(&mut self, name: &str, ttl: u32, data: impl Into<RecordData>) -> Result<(), ZoneError> {
        let owner = self.absolute(name)?;
        let data = data.into();
        if !owner.is_within(&self.origin) {
            return Err(ZoneError::Outside { name: owner, origin: self.origin.clone() });
        }
        let record_type = data.record_type();
        let record = Record { owner: owner.clone(), ttl, data };
        if record_type == RecordType::Soa {
            if owner != self.origin {
                return Err(ZoneError::SoaBelowOrigin(owner));
            }
            self.nodes.entry(owner).or_default().insert(RecordType::Soa, vec![record.clone()]);
            self.soa = record;
            return Ok(());
        }
        let mut ancestor = owner.parent();
        while let Some(name) = ancestor.filter(|name| name.is_within(&self.origin)) {
            ancestor = name.parent();
            self.nodes.entry(name).or_default();
        }
        let node = self.nodes.entry(owner.clone()).or_default();
        let is_alias = record_type == RecordType::Cname;
        if (is_alias && !node.is_empty()) || node.contains_key(&RecordType::Cname) {
            return Err(ZoneError::AliasWithOthers(owner));
        }
        let set = node.entry(record_type).or_default();
        if !set.contains(&record) {
            set.push(record);
        }
        Ok(())
    }

    /// The SOA record as a negative answer carries it: its TTL says how long that may be kept
    /// (RFC 2308 3).
    pub(super) fn negative_soa(&self) -> Record {
        let minimum = match &self.soa.data {
            RecordData::Soa(soa) => soa.minimum,
            _ => self.soa.ttl,
        };
        Record { ttl: self.soa.ttl.min(minimum), ..self.soa.clone() }
    }

    /// RFC 1034 4.3.2, step 3: down the tree label by label.
    pub(super) fn find(&self, name: &DnsName, record_type: RecordType) -> Found {
        // 3b: "If a match would take us out of the authoritative data, we have a referral."
        if let Some(servers) = self.delegation_above(name) {
            return Found::Delegated(servers);
        }
        // 3a: "If the whole of QNAME is matched, we have found the node."
        if let Some(node) = self.nodes.get(name) {
            return at_node(node, name, record_type, false);
        }
        // 3c: "look to see if the "*" label exists" below the closest encloser (RFC 4592 3.3.1).
        let mut encloser = name.parent();
        while let Some(candidate) = encloser {
            if self.nodes.contains_key(&candidate) {
                let source = candidate.wildcard().and_then(|source| self.nodes.get(&source));
                return source.map_or(Found::NoName, |node| at_node(node, name, record_type, true));
            }
            encloser = candidate.parent();
        }
        Found::NoName
    }

    /// The addresses that the zone has of a name, glue below a delegation included.
    pub(super) fn addresses(&self, name: &DnsName) -> impl Iterator<Item = &Record> {
        let node = self.nodes.get(name);
        [RecordType::A, RecordType::Aaaa]
            .into_iter()
            .filter_map(move |record_type| node?.get(&record_type))
            .flatten()
    }

    /// The name servers of the topmost zone cut at or above `name` and below the origin.
    fn delegation_above(&self, name: &DnsName) -> Option<Vec<Record>> {
        let mut found = None;
        let mut at = Some(name.clone());
        while let Some(name) = at.filter(|name| name.is_within(&self.origin) && *name != self.origin) {
            if let Some(servers) = self.nodes.get(&name).and_then(|node| node.get(&RecordType::Ns)) {
                found = Some(servers.clone());
            }
            at = name.parent();
        }
        found
    }

    fn absolute(&self, name: &str) -> Result<DnsName, ZoneError> {
        match name {
            "@" | "" => Ok(self.origin.clone()),
            complete if complete.ends_with('.') => {
                DnsName::parse(complete).map_err(|error| ZoneError::Name(complete.to_owned(), error))
            }
            relative => below(&self.origin, relative),
        }
    }
}

fn below(origin: &DnsName, name: &str) -> Result<DnsName, ZoneError> {
    DnsName::parse(name)
        .and_then(|name| name.below(origin))
        .map_err(|error| ZoneError::Name(name.to_owned(), error))
}

/// What a node says; `name` is who was asked for, which differs from the owner at a wildcard.
fn at_node(node: &Node, name: &DnsName, record_type: RecordType, wildcard: bool) -> Found {
    let owned = |record: &Record| Record { owner: name.clone(), ..record.clone() };
    if let Some(set) = node.get(&record_type) {
        return Found::Records { records: set.iter().map(owned).collect(), wildcard };
    }
    // RFC 8482 4.1: one set of records is an answer to ANY.
    if record_type == RecordType::Any
        && let Some(set) = node.values().next()
    {
        return Found::Records { records: set.iter().map(owned).collect(), wildcard };
    }
    let alias = node.get(&RecordType::Cname).and_then(|set| set.first());
    match alias.and_then(|record| Some((record, record.alias()?))) {
        Some((record, target)) => Found::Alias { record: owned(record), target: target.clone() },
        None => Found::NoData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn zone() -> Zone {
        Zone::new("example.test")
            .and_then(|zone| zone.with("@", RecordData::Ns(name("ns.example.test"))))
            .and_then(|zone| zone.with("ns", address(53)))
            .and_then(|zone| zone.with("www", address(80)))
            .and_then(|zone| zone.with("www", address(81)))
            .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.example.test"))))
            .and_then(|zone| zone.with("a.b.deep", address(1)))
            .and_then(|zone| zone.with("*.wild", address(9)))
            .and_then(|zone| zone.with("host.wild", RecordData::text("here")))
            .and_then(|zone| zone.with("sub", RecordData::Ns(name("ns.sub.example.test"))))
            .and_then(|zone| zone.with("ns.sub", address(54)))
            .unwrap()
    }

    fn find(text: &str, record_type: RecordType) -> Found {
        zone().find(&name(text), record_type)
    }

    fn addresses(found: Found) -> Vec<IpAddr> {
        match found {
            Found::Records { records, .. } => records.iter().filter_map(Record::address).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn records_are_found_by_name_and_type() {
        assert_eq!(addresses(find("www.example.test", RecordType::A)), [address(80), address(81)]);
        assert_eq!(find("www.example.test", RecordType::Aaaa), Found::NoData);
        assert_eq!(find("no.example.test", RecordType::A), Found::NoName);
        assert!(matches!(find("example.test", RecordType::Soa), Found::Records { .. }));
        assert!(matches!(find("www.example.test", RecordType::Any), Found::Records { .. }));
    }

    #[test]
    fn a_name_that_has_only_names_below_it_exists() {
        assert_eq!(find("deep.example.test", RecordType::A), Found::NoData);
        assert_eq!(find("b.deep.example.test", RecordType::A), Found::NoData);
        assert_eq!(find("c.deep.example.test", RecordType::A), Found::NoName);
    }

    #[test]
    fn a_wildcard_stands_for_names_that_do_not_exist() {
        let Found::Records { records, wildcard } = find("any.wild.example.test", RecordType::A) else {
            panic!()
        };
        assert!(wildcard);
        assert_eq!(records[0].owner, name("any.wild.example.test"));
        assert_eq!(addresses(find("x.y.wild.example.test", RecordType::A)), [address(9)]);
        // RFC 4592 2.2.1: a name that exists is not covered, even without that type.
        assert_eq!(find("host.wild.example.test", RecordType::A), Found::NoData);
        assert_eq!(find("x.host.wild.example.test", RecordType::A), Found::NoName);
        assert_eq!(find("any.wild.example.test", RecordType::Mx), Found::NoData);
    }

    #[test]
    fn an_alias_is_an_alias_unless_it_is_asked_for() {
        assert!(matches!(find("alias.example.test", RecordType::A), Found::Alias { .. }));
        assert!(matches!(find("alias.example.test", RecordType::Cname), Found::Records { .. }));
    }

    #[test]
    fn what_lies_below_a_zone_cut_is_delegated() {
        assert!(matches!(find("www.sub.example.test", RecordType::A), Found::Delegated(_)));
        assert!(matches!(find("sub.example.test", RecordType::Ns), Found::Delegated(_)));
        assert!(matches!(find("ns.sub.example.test", RecordType::A), Found::Delegated(_)));
        assert!(matches!(find("example.test", RecordType::Ns), Found::Records { .. }));
    }

    #[test]
    fn a_zone_refuses_what_cannot_be_in_it() {
        let add = |owner: &str, data: RecordData| zone().add(owner, 60, data).unwrap_err();
        let a = RecordData::from(address(1));
        let cname = RecordData::Cname(name("x.test"));
        assert!(matches!(add("www.other.test.", a.clone()), ZoneError::Outside { .. }));
        assert_eq!(add("alias", a), ZoneError::AliasWithOthers(name("alias.example.test")));
        assert_eq!(add("www", cname.clone()), ZoneError::AliasWithOthers(name("www.example.test")));
        assert_eq!(add("alias", cname), ZoneError::AliasWithOthers(name("alias.example.test")));
        assert!(matches!(add("a..b", RecordData::text("x")), ZoneError::Name(..)));
        let RecordData::Soa(soa) = zone().soa.data else { panic!() };
        assert!(matches!(add("www", RecordData::Soa(soa)), ZoneError::SoaBelowOrigin(_)));
    }
}
