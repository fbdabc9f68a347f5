//! What the name servers of a topology know: zones made of its names and addresses.
//!
//! ```text
//!   names of hosts, routers, `record`s --> the nearest zone above that is served     A, AAAA, ...
//!   addresses of those with a name     --> the nearest zone of in-addr.arpa          PTR
//!   every zone that is served          --> its servers' names; the zone above it:    NS, glue
//! ```

use crate::serve::Service;
use crate::signing::Signing;
use crate::sites;
use glasstack_dns::dnssec::TrustAnchors;
use glasstack_dns::hints::RootHints;
use glasstack_dns::name::NameError;
use glasstack_dns::record::Soa;
use glasstack_dns::server::Zones;
use glasstack_dns::{DnsName, RecordData};
use glasstack_dns::{Zone, ZoneError};
use glasstack_sim::topology::{HostAddress, Topology};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// How long what a zone says of its own names may be kept, in seconds.
const OWN_TTL: u32 = 300;
/// How long a referral may be kept, in seconds: two days, as those of the root and of com.
const REFERRAL_TTL: u32 = 172_800;
/// `in-addr.arpa` has two labels; a zone with more of them is of somebody's own addresses.
const REVERSE_LABELS: usize = 2;

/// Every zone that somebody serves. They are signed when they are asked for: keys take time, and most
/// runs ask few of them.
pub(crate) struct Book {
    /// The zones without DNSSEC's records.
    zones: BTreeMap<DnsName, Zone>,
    /// Which zones are delegated by which.
    below: BTreeMap<DnsName, Vec<DnsName>>,
    signing: Signing,
    said: Said,
    roots: Vec<(DnsName, IpAddr)>,
    trust_anchors: TrustAnchors,
}

/// Names and what is said of them, before they are in a zone.
type Said = Vec<(DnsName, RecordData)>;

/// A zone's servers: their names and addresses.
type Servers = BTreeMap<DnsName, Vec<(DnsName, Ipv4Addr)>>;

impl Book {
    /// Puts everything that the topology says where it belongs.
    pub(crate) fn new(
        topology: &Topology,
        services: &BTreeMap<String, Vec<Service>>,
        mut signing: Signing,
    ) -> Result<Self, ZonesError> {
        let servers = servers(topology, services)?;
        for service in services.values().flatten() {
            if let Service::Signing(zone, manner) = service {
                if !servers.contains_key(zone) {
                    return Err(ZonesError::NobodyServes(zone.clone()));
                }
                signing.by_the_topology(zone, *manner);
            }
        }
        let mut said = names_of_hosts(topology)?;
        for (zone, server, address) in
            servers.iter().flat_map(|(zone, all)| all.iter().map(move |(name, at)| (zone, name, at)))
        {
            said.push((zone.clone(), RecordData::Ns(server.clone())));
            said.push((server.clone(), RecordData::A(*address)));
        }
        said.extend(of_words(topology, services)?);
        let pointers = pointers(&said, &servers);
        said.extend(pointers);
        let mut zones = BTreeMap::new();
        for (origin, all) in &servers {
            zones.insert(origin.clone(), empty(origin, all)?);
        }
        for (owner, data) in &said {
            if let Some(zone) = nearest(&zones, owner).and_then(|origin| zones.get_mut(&origin)) {
                put(zone, owner, OWN_TTL, data.clone())?;
            }
        }
        let mut below: BTreeMap<DnsName, Vec<DnsName>> = BTreeMap::new();
        for (origin, all) in &servers {
            let above = origin.parent().and_then(|parent| nearest(&zones, &parent));
            if let Some(zone) = above.and_then(|above| zones.get_mut(&above)) {
                delegate(zone, origin, all)?;
                below.entry(zone.origin().clone()).or_default().push(origin.clone());
            }
        }
        let roots = servers.get(&DnsName::root()).into_iter().flatten();
        let roots = roots.map(|(name, address)| (name.clone(), IpAddr::V4(*address))).collect();
        let trust_anchors = signing.trust_anchors();
        Ok(Self { zones, below, signing, said, roots, trust_anchors })
    }

    /// Those of these zones that there are, signed.
    pub(crate) fn zones(&self, names: &[DnsName]) -> Result<Zones, ZoneError> {
        let zones = names.iter().filter_map(|name| self.zones.get(name));
        Ok(Zones::new(zones.map(|zone| self.signed(zone.clone())).collect::<Result<Vec<_>, _>>()?))
    }

    fn signed(&self, mut zone: Zone) -> Result<Zone, ZoneError> {
        let below = self.below.get(zone.origin()).into_iter().flatten();
        below.filter_map(|origin| self.signing.ds(origin)).try_for_each(|ds| zone.add_record(ds))?;
        self.signing.sign(zone)
    }

    /// The names of all zones.
    pub(crate) fn names(&self) -> Vec<DnsName> {
        self.zones.keys().cloned().collect()
    }

    /// All names, as if one server had authority over everything.
    pub(crate) fn everything(&self) -> Result<Zones, ZoneError> {
        let mut everything = Zone::new(".")?;
        for (owner, data) in self.said.iter().filter(|(_, data)| !matches!(data, RecordData::Ns(_))) {
            put(&mut everything, owner, OWN_TTL, data.clone())?;
        }
        Ok(Zones::from(everything))
    }

    /// Whom a validating resolver trusts.
    pub(crate) fn trust_anchors(&self) -> &TrustAnchors {
        &self.trust_anchors
    }

    /// Where a walk begins, if the topology has a root.
    pub(crate) fn hints(&self) -> Option<RootHints> {
        let roots = self.roots.iter().map(|(name, address)| (name.as_str(), *address));
        RootHints::new(roots).ok().filter(|hints| !hints.servers().is_empty())
    }
}

/// `NAME TYPE DATA` of a `record`.
pub(crate) fn record(text: &str) -> Result<(DnsName, RecordData), String> {
    const FORM: &str = "write `record NAME TYPE DATA`, for example `record www.example.test A 192.0.2.1`";
    let mut words = text.trim().splitn(3, char::is_whitespace);
    let (Some(owner), Some(kind), Some(data)) = (words.next(), words.next(), words.next()) else {
        return Err(FORM.to_owned());
    };
    let name = |text: &str| DnsName::parse(text).map_err(|e| format!("`{text}` is not a domain name: {e}"));
    let data = data.trim();
    let address = || format!("`{data}` is no address of this kind");
    let data = match kind.to_ascii_uppercase().as_str() {
        "A" => RecordData::A(data.parse().map_err(|_| address())?),
        "AAAA" => RecordData::Aaaa(data.parse().map_err(|_| address())?),
        "CNAME" => RecordData::Cname(name(data)?),
        "DNAME" => RecordData::Dname(name(data)?),
        "NS" => RecordData::Ns(name(data)?),
        "PTR" => RecordData::Ptr(name(data)?),
        "TXT" => RecordData::text(data),
        "MX" => {
            let (preference, exchange) = data.split_once(' ').unwrap_or((data, ""));
            let preference = preference.parse().map_err(|_| "write `MX 10 mail.example.test`".to_owned())?;
            RecordData::Mx { preference, exchange: name(exchange.trim())? }
        }
        _ => return Err(format!("`{kind}` is none of A, AAAA, CNAME, DNAME, MX, NS, PTR, TXT; {FORM}")),
    };
    Ok((name(owner)?, data))
}

/// Who serves which zone. A server without a name of its own is called after its node.
fn servers(topology: &Topology, services: &BTreeMap<String, Vec<Service>>) -> Result<Servers, ZonesError> {
    let mut servers = Servers::new();
    for (host, services) in services {
        let Some(spec) = topology.hosts.get(host) else { continue };
        if spec.address == HostAddress::Dhcp && services.contains(&Service::Resolver) {
            return Err(ZonesError::moves(host, "is a name server"));
        }
        let zones = services.iter().filter_map(|service| match service {
            Service::Zones(zones) => Some(zones),
            _ => None,
        });
        for zone in zones.flatten() {
            let HostAddress::Static(cidr) = spec.address else {
                return Err(ZonesError::moves(host, format!("serves {zone}")));
            };
            let name = match spec.names.first() {
                Some(name) => parse(name)?,
                None => parse(host)?.below(zone).map_err(|e| ZonesError::Name(host.clone(), e))?,
            };
            servers.entry(zone.clone()).or_default().push((name, cidr.address));
        }
    }
    Ok(servers)
}

/// The names that the topology gives to hosts.
fn names_of_hosts(topology: &Topology) -> Result<Said, ZonesError> {
    let mut said = Said::new();
    for (host, spec) in &topology.hosts {
        for name in &spec.names {
            let HostAddress::Static(cidr) = spec.address else {
                return Err(ZonesError::moves(host, format!("is called {name}")));
            };
            let owner = parse(name)?;
            let more = sites::find(name).map_or(1, |site| site.addresses());
            for n in 0..more {
                said.push((owner.clone(), RecordData::A(further(cidr.address, n))));
            }
        }
    }
    Ok(said)
}

/// The `n`-th address behind this one.
fn further(address: Ipv4Addr, n: u8) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d.saturating_add(n))
}

/// What the words `record` and `routers` say.
fn of_words(topology: &Topology, services: &BTreeMap<String, Vec<Service>>) -> Result<Said, ZonesError> {
    let mut said = Said::new();
    for service in services.values().flatten() {
        match service {
            Service::Record(owner, data) => said.push((owner.clone(), data.clone())),
            Service::Routers(zone, only) => {
                if let Some(unknown) = only.iter().find(|name| !topology.routers.contains_key(*name)) {
                    let known = topology.routers.keys().cloned().collect::<Vec<_>>().join(", ");
                    return Err(ZonesError::NoSuchRouter { name: unknown.clone(), known });
                }
                for (name, router) in &topology.routers {
                    if !only.is_empty() && !only.contains(name) {
                        continue;
                    }
                    let owner = parse(name)?.below(zone).map_err(|e| ZonesError::Name(name.clone(), e))?;
                    let addresses = router.ports.iter().map(|port| port.address.address);
                    // RFC 1918 3: what is private is not to be told abroad.
                    for address in addresses.filter(|address| !address.is_private()) {
                        said.push((owner.clone(), RecordData::A(address)));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(said)
}

/// From each address back to the first name that leads to it. Private addresses are only pointed back by
/// a zone of their own (RFC 6303 4.1).
fn pointers(said: &Said, servers: &Servers) -> Said {
    let mut first = BTreeMap::new();
    for (owner, data) in said {
        if let RecordData::A(address) = data {
            first.entry(*address).or_insert_with(|| owner.clone());
        }
    }
    let mut pointers = Said::new();
    for (address, name) in first {
        let owner = DnsName::reverse(address.into());
        let zone = nearest(servers, &owner);
        if zone.is_some_and(|zone| !address.is_private() || zone.label_count() > REVERSE_LABELS) {
            pointers.push((owner, RecordData::Ptr(name)));
        }
    }
    pointers
}

/// The zone that a name is in.
fn nearest<V>(zones: &BTreeMap<DnsName, V>, name: &DnsName) -> Option<DnsName> {
    let mut at = Some(name.clone());
    while let Some(name) = at {
        if zones.contains_key(&name) {
            return Some(name);
        }
        at = name.parent();
    }
    None
}

/// A zone with nothing in it but that its first server is the primary one.
fn empty(origin: &DnsName, servers: &[(DnsName, Ipv4Addr)]) -> Result<Zone, ZoneError> {
    let mut zone = Zone::new(&complete(origin))?;
    if let Some((primary, _)) = servers.first() {
        let mailbox = DnsName::parse("hostmaster").and_then(|name| name.below(origin));
        let mailbox = mailbox.map_err(|error| ZoneError::Name("hostmaster".to_owned(), error))?;
        let soa = Soa {
            primary: primary.clone(),
            mailbox,
            serial: 1,
            refresh: 7_200,
            retry: 3_600,
            expire: 1_209_600,
            minimum: 60,
        };
        zone.add("@", OWN_TTL, RecordData::Soa(soa))?;
    }
    Ok(zone)
}

/// RFC 1034 4.2.1: the names of the servers of a zone below, and the addresses of those that the zone
/// above may speak of.
fn delegate(above: &mut Zone, origin: &DnsName, servers: &[(DnsName, Ipv4Addr)]) -> Result<(), ZoneError> {
    for (server, address) in servers {
        put(above, origin, REFERRAL_TTL, RecordData::Ns(server.clone()))?;
        if server.is_within(above.origin()) {
            put(above, server, REFERRAL_TTL, RecordData::A(*address))?;
        }
    }
    Ok(())
}

fn put(zone: &mut Zone, owner: &DnsName, ttl: u32, data: RecordData) -> Result<(), ZoneError> {
    zone.add(&complete(owner), ttl, data)
}

/// With the final dot that says that nothing is missing.
fn complete(name: &DnsName) -> String {
    format!("{}.", name.as_str().trim_end_matches('.'))
}

fn parse(text: &str) -> Result<DnsName, ZonesError> {
    DnsName::host(text).map_err(|error| ZonesError::Name(text.to_owned(), error))
}

/// What a topology says of names does not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ZonesError {
    /// No name.
    #[error("`{0}` is not a host's name: {1}")]
    Name(String, #[source] NameError),
    /// `signing` of a zone that there is not.
    #[error("`signing {0}`: no name server has that zone")]
    NobodyServes(DnsName),
    /// A record cannot be where it belongs.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// Somebody whom others look for has no address of its own.
    #[error("host {host} {what} and asks for its address: others could not find it; give it an address")]
    Moves {
        /// The host.
        host: String,
        /// Why others look for it.
        what: String,
    },
    /// `routers` names none.
    #[error("`routers`: there is no router {name}; there are {known}")]
    NoSuchRouter {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}

impl ZonesError {
    fn moves(host: &str, what: impl Into<String>) -> Self {
        Self::Moves { host: host.to_owned(), what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve;
    use glasstack_dns::message::Question;
    use glasstack_dns::{Record, RecordType};
    use glasstack_journal::WallTime;
    use glasstack_sim::topology::{Cidr, HostSpec, RouterSpec};

    fn signing() -> Signing {
        Signing::new([7; 32], WallTime::from_unix_seconds(1_800_000_000), BTreeMap::new())
    }

    fn host(last: u8, name: &str) -> HostSpec {
        let host = HostSpec::new(Cidr::new([192, 0, 2, last].into(), 24));
        if name.is_empty() { host } else { host.name(name) }
    }

    fn small() -> Topology {
        let gate = RouterSpec::new()
            .port(Cidr::new([192, 0, 2, 254].into(), 24))
            .port(Cidr::new([10, 0, 0, 1].into(), 24));
        let authority = host(3, "ns.shop.test")
            .serve("authority shop.test")
            .serve("record mail.shop.test MX 10 www.shop.test")
            .serve("routers shop.test");
        let inside = HostSpec::new(Cidr::new([10, 0, 0, 4].into(), 24)).name("inside.shop.test");
        Topology::new()
            .host("root", host(1, "a.root.test").serve("root"))
            .host("tld", host(2, "").serve("tld test").serve("authority in-addr.arpa"))
            .host("ns", authority)
            .host("www", host(4, "www.shop.test").name("elsewhere.example"))
            .host("inside", inside)
            .router("gate", gate)
    }

    fn reply(zones: &[&str], name: &str, record_type: RecordType) -> [Vec<String>; 3] {
        let topology = small();
        let book = Book::new(&topology, &serve::read(&topology).unwrap(), signing()).unwrap();
        let zones: Vec<_> = zones.iter().map(|zone| DnsName::parse(zone).unwrap()).collect();
        let zones = if zones.is_empty() { book.everything().unwrap() } else { book.zones(&zones).unwrap() };
        let reply = zones.reply(&Question::new(DnsName::parse(name).unwrap(), record_type));
        let print = |records: Vec<Record>| records.iter().map(ToString::to_string).collect();
        [reply.answers, reply.authorities, reply.additionals].map(print)
    }

    #[test]
    fn a_zone_refers_to_the_servers_of_those_below_with_their_addresses() {
        let [answers, authorities, additionals] = reply(&["."], "www.shop.test", RecordType::A);
        assert!(answers.is_empty());
        assert_eq!(authorities, ["test. 172800 IN NS tld.test."]);
        assert_eq!(additionals, ["tld.test. 172800 IN A 192.0.2.2"]);
        let [_, authorities, additionals] = reply(&["test"], "www.shop.test", RecordType::A);
        assert_eq!(authorities, ["shop.test. 172800 IN NS ns.shop.test."]);
        assert_eq!(additionals, ["ns.shop.test. 172800 IN A 192.0.2.3"]);
    }

    #[test]
    fn names_are_in_the_nearest_zone_that_is_served() {
        let answers = |zone, name, kind| reply(&[zone], name, kind).into_iter().next().unwrap();
        assert_eq!(
            answers("shop.test", "www.shop.test", RecordType::A),
            ["www.shop.test. 300 IN A 192.0.2.4"]
        );
        assert_eq!(
            answers(".", "elsewhere.example", RecordType::A),
            ["elsewhere.example. 300 IN A 192.0.2.4"]
        );
        assert_eq!(
            answers("shop.test", "gate.shop.test", RecordType::A),
            ["gate.shop.test. 300 IN A 192.0.2.254"]
        );
        let mail = answers("shop.test", "mail.shop.test", RecordType::Mx);
        assert_eq!(mail, ["mail.shop.test. 300 IN MX 10 www.shop.test."]);
        let servers = answers("shop.test", "shop.test", RecordType::Ns);
        assert_eq!(servers, ["shop.test. 300 IN NS ns.shop.test."]);
    }

    #[test]
    fn addresses_point_back_to_the_first_name_unless_they_are_private() {
        let pointer = |name| reply(&["in-addr.arpa"], name, RecordType::Ptr).into_iter().next().unwrap();
        assert_eq!(pointer("4.2.0.192.in-addr.arpa"), ["4.2.0.192.in-addr.arpa. 300 IN PTR www.shop.test."]);
        assert_eq!(
            pointer("254.2.0.192.in-addr.arpa"),
            ["254.2.0.192.in-addr.arpa. 300 IN PTR gate.shop.test."]
        );
        assert!(pointer("4.0.0.10.in-addr.arpa").is_empty());
    }

    #[test]
    fn every_site_has_a_place_in_the_usual_internet() {
        let topology = crate::plan::internet().unwrap();
        let book = Book::new(&topology, &serve::read(&topology).unwrap(), signing()).unwrap();
        let everything = book.everything().unwrap();
        for site in sites::SITES {
            let question = Question::new(DnsName::parse(site.host).unwrap(), RecordType::Any);
            assert!(!everything.reply(&question).answers.is_empty(), "{}", site.host);
        }
        assert_eq!(book.hints().unwrap().servers().len(), 13);
    }

    #[test]
    fn whoever_knows_everything_refers_to_nobody() {
        let [answers, ..] = reply(&[], "inside.shop.test", RecordType::A);
        assert_eq!(answers, ["inside.shop.test. 300 IN A 10.0.0.4"]);
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let error = |topology: Topology| {
            Book::new(&topology, &serve::read(&topology).unwrap(), signing()).err().unwrap().to_string()
        };
        let moves = error(Topology::new().host("a", HostSpec::dhcp().serve("tld test")));
        assert!(moves.starts_with("host a serves test and asks for its address"), "{moves}");
        let nobody = error(small().host("b", host(9, "").serve("routers shop.test core")));
        assert!(nobody.contains("there is no router core; there are gate"), "{nobody}");
        let alias = error(small().host("b", host(9, "").serve("record www.shop.test CNAME a.test")));
        assert!(alias.contains("is an alias"), "{alias}");
    }
}
