//! Zones that whoever walks down the tree serves by himself (RFC 6303): what they are about means another thing in
//! every network, so nobody on the Internet can know, and nobody need learn that it was asked for.
//!
//! ```text
//!   3.2.1.10.in-addr.arpa PTR     10.0.0.0/8 is everybody's own: it does not exist
//!   1.0.0.127.in-addr.arpa PTR    localhost
//!   www.test A                    for tests (RFC 6761 6.2), which have a root of their own
//! ```

use crate::cache::{Found, Known, Negative, Nothing, Rank, RrSet};
use crate::dnssec::{Security, TrustAnchors};
use crate::hints::RootHints;
use crate::iterate::{IterateConfig, LocalZones};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType, Soa};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// RFC 6303 3: "@ 10800 IN SOA @ nobody.invalid. 1 3600 1200 604800 10800".
const TTL: u32 = 10_800;

/// RFC 6303 4.1 to 4.6; RFC 6761 6.2 (`test`); RFC 8375 (`home.arpa`). Those of whole ranges are made of numbers.
const ZONES: [&str; 17] = [
    "10.in-addr.arpa",
    "168.192.in-addr.arpa",
    "0.in-addr.arpa",
    "127.in-addr.arpa",
    "254.169.in-addr.arpa",
    "2.0.192.in-addr.arpa",
    "100.51.198.in-addr.arpa",
    "113.0.203.in-addr.arpa",
    "255.255.255.255.in-addr.arpa",
    "d.f.ip6.arpa",
    "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa",
    "a.e.f.ip6.arpa",
    "b.e.f.ip6.arpa",
    "8.b.d.0.1.0.0.2.ip6.arpa",
    "home.arpa",
    "test",
];

/// The zones that are served here.
#[derive(Debug, Default)]
pub(crate) struct ServedHere {
    zones: BTreeSet<String>,
    /// Zones that the configuration says where to ask for.
    elsewhere: Vec<DnsName>,
    /// Zones of which those above know nothing: these, and those that are not to be checked (RFC 7646).
    apart: Vec<DnsName>,
}

impl ServedHere {
    /// None.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Those of somebody who walks down from `hints`.
    pub(crate) fn of(hints: &RootHints, config: &IterateConfig) -> Self {
        let elsewhere: Vec<DnsName> = config.zones.iter().map(|zone| zone.zone().clone()).collect();
        let served = match config.local_zones {
            LocalZones::Never => false,
            LocalZones::Always => true,
            // A root of one's own may know what the Internet's does not.
            LocalZones::BelowTheInternetsRoot => {
                *hints == RootHints::iana() && !elsewhere.iter().any(DnsName::is_root)
            }
        };
        if !served {
            return Self { zones: BTreeSet::new(), apart: elsewhere.clone(), elsewhere };
        }
        let unspecified =
            [DnsName::reverse(Ipv6Addr::UNSPECIFIED.into()), DnsName::reverse(Ipv6Addr::LOCALHOST.into())];
        // RFC 1918: 172.16.0.0/12. RFC 7793: 100.64.0.0/10.
        let ranges = (16..32)
            .map(|number| format!("{number}.172.in-addr.arpa"))
            .chain((64..128).map(|number| format!("{number}.100.in-addr.arpa")));
        let zones = ZONES.iter().map(|zone| (*zone).to_owned()).chain(ranges);
        let zones = zones.chain(unspecified.iter().map(|zone| zone.as_str().to_owned())).collect();
        Self { zones, apart: elsewhere.clone(), elsewhere }
    }

    /// The same, where these are the anchors that answers are checked by.
    pub(crate) fn checked_by(mut self, anchors: Option<&TrustAnchors>) -> Self {
        self.apart.extend(anchors.into_iter().flat_map(TrustAnchors::unchecked).cloned());
        self
    }

    /// The zone that `name` lies in, if it is served here.
    pub(crate) fn zone(&self, name: &DnsName) -> Option<DnsName> {
        if self.zones.is_empty() {
            return None;
        }
        let zone = name.suffixes().find(|suffix| self.zones.contains(*suffix))?;
        // Who says where a zone is asked for knows better. That all is asked elsewhere says nothing of these.
        let knows_better = |other: &DnsName| !other.is_root() && name.is_within(other);
        let knows_better = self.elsewhere.iter().any(knows_better);
        DnsName::parse(zone).ok().filter(|_| !knows_better)
    }

    /// Whether `found` is what a zone above one says that is asked about elsewhere, or not checked, of a name in that
    /// one: above nobody knows of it.
    pub(crate) fn is_out_of_place(&self, name: &DnsName, found: &Found) -> bool {
        let says = match found {
            // Of the name itself it was said by whoever was asked about it.
            Found::Nothing(nothing) if nothing.by_others => nothing.soa().map(|soa| soa.owner),
            Found::Nothing(nothing) => Some(nothing.name.clone()).filter(|denied| denied != name),
            Found::Redirect(redirect) => Some(redirect.set.name.clone()),
            Found::Records(_) | Found::Alias(_) => None,
        };
        let Some(says) = says else { return false };
        let mut apart = self.apart.iter().filter(|zone| name.is_within(zone));
        apart.any(|zone| zone.is_within(&says) && *zone != says)
    }

    /// What is said here of `name`; none if that is for others to say.
    pub(crate) fn lookup(&self, name: &DnsName, record_type: RecordType) -> Option<Found> {
        let zone = self.zone(name)?;
        let loopbacks =
            [DnsName::reverse(Ipv4Addr::LOCALHOST.into()), DnsName::reverse(Ipv6Addr::LOCALHOST.into())];
        let record = |owner: &DnsName, data| Record { owner: owner.clone(), ttl: TTL, data };
        let soa = soa_of(&zone)?;
        let data = match record_type {
            RecordType::Soa if *name == zone => Some(soa.data.clone()),
            RecordType::Ns if *name == zone => Some(RecordData::Ns(zone.clone())),
            // RFC 6303 4.2 names the zone; unbound and BIND say whose address it is.
            RecordType::Ptr if loopbacks.contains(name) => {
                DnsName::parse("localhost").ok().map(RecordData::Ptr)
            }
            _ => None,
        };
        if let Some(data) = data {
            let set = RrSet::new(name.clone(), record_type, vec![record(name, data)]);
            let set = Arc::new(RrSet { security: Security::Insecure, ..set });
            return Some(Found::Records(Known {
                set,
                rank: Rank::AnswerAuthoritative,
                ttl: TTL,
                stale: false,
            }));
        }
        let exists = *name == zone || loopbacks.iter().any(|loopback| loopback.is_within(name));
        let what = if exists { Negative::NoData } else { Negative::NoName };
        Some(Found::Nothing(Nothing::new(name, what, vec![soa], Security::Insecure, TTL)))
    }
}

/// The SOA record of a zone that is served here.
pub(crate) fn soa_of(zone: &DnsName) -> Option<Record> {
    let soa = Soa {
        primary: zone.clone(),
        mailbox: DnsName::parse("nobody.invalid").ok()?,
        serial: 1,
        refresh: 3600,
        retry: 1200,
        expire: 604_800,
        minimum: TTL,
    };
    Some(Record { owner: zone.clone(), ttl: TTL, data: RecordData::Soa(soa) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn served(hints: &RootHints, config: &IterateConfig, text: &str) -> Option<String> {
        Some(match ServedHere::of(hints, config).lookup(&name(text), RecordType::Ptr)? {
            Found::Records(known) => known.set.records[0].data.to_string(),
            Found::Nothing(nothing) => {
                format!("{:?} {}", nothing.what, nothing.soa().unwrap().owner)
            }
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_is_everybodys_own_is_asked_of_nobody_on_the_internet() {
        let said = |text: &str| served(&RootHints::iana(), &IterateConfig::default(), text);
        let no_name = |zone: &str| Some(format!("NoName {zone}"));
        assert_eq!(said("3.2.1.10.in-addr.arpa"), no_name("10.in-addr.arpa"));
        assert_eq!(said("1.1.31.172.in-addr.arpa"), no_name("31.172.in-addr.arpa"));
        assert_eq!(said("1.1.127.100.in-addr.arpa"), no_name("127.100.in-addr.arpa"));
        assert_eq!(said("www.example.test"), no_name("test"));
        assert_eq!(said("168.192.in-addr.arpa"), Some("NoData 168.192.in-addr.arpa".to_owned()));
        assert_eq!(said("1.0.0.127.in-addr.arpa"), Some("localhost.".to_owned()));
        assert_eq!(said("0.127.in-addr.arpa"), Some("NoData 127.in-addr.arpa".to_owned()));
        assert_eq!(said(DnsName::reverse("fe80::1".parse().unwrap()).as_str()), no_name("8.e.f.ip6.arpa"));
        assert_eq!(said(DnsName::reverse("::1".parse().unwrap()).as_str()), Some("localhost.".to_owned()));
        for others in
            ["8.8.8.8.in-addr.arpa", "1.1.32.172.in-addr.arpa", "1.1.63.100.in-addr.arpa", "in-addr.arpa"]
        {
            assert_eq!(said(others), None, "{others}");
        }
    }

    #[test]
    fn a_root_of_ones_own_and_who_is_said_to_serve_a_zone_know_better() {
        use crate::iterate::ZoneElsewhere;
        let own = RootHints::new([("a.root.test", "10.0.0.1".parse().unwrap())]).unwrap();
        let ten = "3.2.1.10.in-addr.arpa";
        assert_eq!(served(&own, &IterateConfig::default(), ten), None);
        let always = IterateConfig { local_zones: LocalZones::Always, ..IterateConfig::default() };
        assert!(served(&own, &always, ten).is_some());
        let never = IterateConfig { local_zones: LocalZones::Never, ..IterateConfig::default() };
        assert_eq!(served(&RootHints::iana(), &never, ten), None);
        let forward = |zone: &str| IterateConfig {
            local_zones: LocalZones::Always,
            zones: vec![ZoneElsewhere::Forward {
                zone: name(zone),
                servers: Vec::new(),
                names: Vec::new(),
                first: false,
                tcp: false,
            }],
            ..IterateConfig::default()
        };
        assert_eq!(served(&own, &forward("1.10.in-addr.arpa"), ten), None);
        assert_eq!(served(&own, &forward("in-addr.arpa"), ten), None);
        assert!(served(&own, &forward("2.10.in-addr.arpa"), ten).is_some());
        assert!(served(&own, &forward("."), ten).is_some());
    }
}
