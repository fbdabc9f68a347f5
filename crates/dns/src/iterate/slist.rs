//! The servers of a zone (RFC 1034 5.3.3: SLIST): addresses that can be asked, and names whose addresses have to be
//! found first.

use crate::address_range::AddressRange;
use crate::cache::{Delegation, RrSet};
use crate::error::{ServerProblem, Tried};
use crate::hints::RootHints;
use crate::message::DNS_PORT;
use crate::name::DnsName;
use crate::record::{Record, RecordData};
use crate::response::name_server;
use crate::rounds::OfNoUse;
use glasstack_journal::Instant;
use glasstack_journal::event::ServerRole;
use glasstack_stack::Entropy;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The TTL of the root's NS records in IANA's hints, in seconds.
const HINTS_TTL: u32 = 3_600_000;

/// Who these servers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// They have authority over the zone.
    Authority,
    /// They find out for others.
    Forwarder,
}

/// The servers of a zone.
#[derive(Clone, Debug)]
pub(super) struct Slist {
    pub(super) zone: DnsName,
    pub(super) kind: Kind,
    /// Whether they are asked over TCP.
    pub(super) tcp: bool,
    /// Whether what they say has to be signed.
    pub(super) signed: bool,
    /// Whether the configuration names them.
    pub(super) configured: bool,
    /// Whether the zone above has named them, so that it need not be asked for other ones.
    pub(super) from_parent: bool,
    /// Whether it has been asked for them anew.
    pub(super) asked_anew: bool,
    /// Until when it is believed that they serve the zone.
    pub(super) until: Option<Instant>,
    /// Of the NS records, in seconds.
    ttl: u32,
    names: Vec<Name>,
    addresses: Vec<Address>,
    round: u32,
    /// Those that only know from others are asked at last, for what they know.
    recursive: bool,
}

/// A server's name.
#[derive(Clone, Debug)]
struct Name {
    name: DnsName,
    /// Whether its addresses have been looked for.
    sought: bool,
    why_not: Option<String>,
}

/// Where a server is.
#[derive(Clone, Debug)]
struct Address {
    at: SocketAddr,
    name: Option<DnsName>,
    /// In seconds.
    ttl: u32,
    tries: u32,
    only_recursive: bool,
    /// It is not expected to answer this question: once is enough.
    once: bool,
    failure: Option<OfNoUse>,
}

impl fmt::Display for Address {
    /// As `ns1.example.test (192.0.2.53:53)`; the address alone where the name is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.at),
            None => write!(f, "{}", self.at),
        }
    }
}

impl Address {
    /// It is asked as if it never had been.
    fn forgive(&mut self) {
        self.tries = 0;
        self.failure = None;
    }
}

/// Which addresses can be asked.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) ipv4: bool,
    pub(super) ipv6: bool,
    pub(super) nat64: Option<AddressRange>,
    pub(super) never: Vec<AddressRange>,
    pub(super) localhost: bool,
}

impl Reach {
    /// How to reach a server at this address; none if it cannot or must not be reached.
    fn way_to(&self, address: IpAddr) -> Option<IpAddr> {
        let allowed = |address: IpAddr| {
            !self.never.iter().any(|range| range.contains(address))
                && (self.localhost || !address.is_loopback())
                && !address.is_unspecified()
        };
        if !allowed(address) {
            return None;
        }
        match (address, self.nat64) {
            // RFC 6052 2.2: the IPv4 address is what the prefix leaves, of 96 bits.
            (IpAddr::V4(v4), Some(nat64)) => match nat64.address() {
                IpAddr::V6(prefix) => Some(IpAddr::V6((prefix.to_bits() | u128::from(v4.to_bits())).into())),
                IpAddr::V4(_) => None,
            },
            (IpAddr::V4(_), None) => self.ipv4.then_some(address),
            (IpAddr::V6(_), _) => self.ipv6.then_some(address),
        }
    }

    /// Whether A records help.
    pub(super) fn wants_ipv4(&self) -> bool {
        self.ipv4 || self.nat64.is_some()
    }
}

impl Slist {
    fn empty(zone: DnsName, kind: Kind) -> Self {
        Self {
            zone,
            kind,
            tcp: false,
            signed: false,
            configured: false,
            from_parent: false,
            asked_anew: false,
            until: None,
            ttl: HINTS_TTL,
            names: Vec::new(),
            addresses: Vec::new(),
            round: 0,
            recursive: false,
        }
    }

    /// The root's, as the hints have them.
    pub(super) fn of_hints(hints: &RootHints, reach: &Reach) -> Self {
        let mut slist = Self::empty(DnsName::root(), Kind::Authority);
        for server in hints.servers() {
            slist.add_name(&server.name);
            slist.add_addresses(Some(&server.name), server.addresses.iter().copied(), HINTS_TTL, reach);
        }
        slist
    }

    /// Those that the configuration names.
    pub(super) fn of_configured(
        zone: &DnsName,
        kind: Kind,
        servers: &[SocketAddr],
        names: &[DnsName],
        tcp: bool,
        reach: &Reach,
    ) -> Self {
        let mut slist = Self { tcp, configured: true, ..Self::empty(zone.clone(), kind) };
        for server in servers {
            if let Some(way) = reach.way_to(server.ip()) {
                slist.add(None, SocketAddr::new(way, server.port()), HINTS_TTL);
            }
        }
        names.iter().for_each(|name| slist.add_name(name));
        slist
    }

    /// Those that the cache knows.
    pub(super) fn of_delegation(delegation: &Delegation, reach: &Reach, now: Instant) -> Self {
        let mut slist = Self::empty(delegation.zone.clone(), Kind::Authority);
        slist.until = Some(now + Duration::from_secs(delegation.name_servers.ttl.into()));
        slist.ttl = delegation.name_servers.ttl;
        slist.add_names(&delegation.name_servers.set);
        for known in &delegation.addresses {
            let addresses = known.set.records.iter().filter_map(Record::address);
            slist.add_addresses(Some(&known.set.name), addresses, known.ttl, reach);
        }
        slist
    }

    /// Those that a referral names, none of whose addresses is known.
    pub(super) fn of_referral(zone: &DnsName, servers: Option<&RrSet>, now: Instant) -> Self {
        let ttl = servers.map_or(0, RrSet::ttl);
        let until = Some(now + Duration::from_secs(ttl.into()));
        Self { until, ttl, ..Self::empty(zone.clone(), Kind::Authority) }
    }

    /// Those of the root may be named without their addresses (RFC 9609 3.3), which the hints have.
    pub(super) fn add_hints(&mut self, hints: &RootHints, reach: &Reach) {
        for server in hints.servers() {
            let missing = self.missing().any(|name| *name == server.name);
            if missing {
                let addresses = server.addresses.iter().copied();
                self.add_addresses(Some(&server.name), addresses, HINTS_TTL, reach);
            }
        }
    }

    /// Further servers of the zone.
    pub(super) fn add_names(&mut self, servers: &RrSet) {
        servers.records.iter().filter_map(name_server).for_each(|name| self.add_name(name));
    }

    fn add_name(&mut self, name: &DnsName) {
        if !self.names.iter().any(|own| own.name == *name) {
            self.names.push(Name { name: name.clone(), sought: false, why_not: None });
        }
    }

    /// Where one of the servers is; whether that was news.
    pub(super) fn add_addresses(
        &mut self,
        name: Option<&DnsName>,
        addresses: impl Iterator<Item = IpAddr>,
        ttl: u32,
        reach: &Reach,
    ) -> bool {
        let mut news = false;
        for way in addresses.filter_map(|address| reach.way_to(address)) {
            news |= self.add(name, SocketAddr::new(way, DNS_PORT), ttl);
        }
        news
    }

    fn add(&mut self, name: Option<&DnsName>, at: SocketAddr, ttl: u32) -> bool {
        let news = !self.addresses.iter().any(|address| address.at == at);
        if news {
            let name = name.cloned();
            self.addresses.push(Address {
                at,
                name,
                ttl,
                tries: 0,
                only_recursive: false,
                once: false,
                failure: None,
            });
        }
        news
    }

    /// A new question begins; who had no answer to the last one by what it said is not asked this one either.
    pub(super) fn begin(&mut self) {
        self.round = 0;
        self.addresses.iter_mut().for_each(|address| (address.tries, address.once) = (0, false));
    }

    /// Who can be asked in this round.
    pub(super) fn candidates(&self) -> Vec<SocketAddr> {
        let may = |address: &&Address| {
            address.tries <= if address.once { 0 } else { self.round }
                && (address.only_recursive == self.recursive)
                && address.failure.as_ref().is_none_or(OfNoUse::is_silence)
        };
        self.addresses.iter().filter(may).map(|address| address.at).collect()
    }

    /// Whether all have been silent or useless who can be.
    pub(super) fn begin_round(&mut self, rounds: u32) -> bool {
        if self.round + 1 < rounds {
            self.round += 1;
            // In vain where nobody was merely silent.
            if !self.candidates().is_empty() {
                return true;
            }
        }
        self.round = 0;
        let others = !self.recursive && self.addresses.iter().any(|address| address.only_recursive);
        if others {
            self.recursive = true;
            self.addresses.iter_mut().filter(|address| address.only_recursive).for_each(Address::forgive);
        }
        others || self.accept_unsigned()
    }

    /// Where nobody has signatures, those count who have answered without: what they say will be judged.
    fn accept_unsigned(&mut self) -> bool {
        let unsigned = |address: &&mut Address| {
            matches!(address.failure, Some(OfNoUse::Problem(ServerProblem::Unsigned { .. })))
        };
        self.signed = false;
        let forgiven = self.addresses.iter_mut().filter(unsigned).map(Address::forgive);
        forgiven.count() > 0
    }

    /// Which round this is, from 0 on.
    pub(super) fn round(&self) -> u32 {
        self.round
    }

    /// Whether servers are asked for what they know from others.
    pub(super) fn is_recursive(&self) -> bool {
        self.recursive || self.kind == Kind::Forwarder
    }

    /// A server whose addresses have to be looked for; the names are in an order that chance decides.
    pub(super) fn next_missing(&mut self) -> Option<DnsName> {
        // First those that can be found without asking this zone's own servers.
        let outside = self.missing().find(|name| !name.is_within(&self.zone));
        let name = outside.or_else(|| self.missing().next())?.clone();
        self.names.iter_mut().filter(|own| own.name == name).for_each(|own| own.sought = true);
        Some(name)
    }

    /// Servers whose addresses are not known and have not been looked for.
    pub(super) fn missing(&self) -> impl Iterator<Item = &DnsName> {
        let open = |name: &&Name| !name.sought && !self.is_located(&name.name);
        self.names.iter().filter(open).map(|name| &name.name)
    }

    /// Whether of one of the servers no address is known.
    pub(super) fn lacks_addresses(&self) -> bool {
        !self.zone.is_root() && self.names.iter().any(|name| !self.is_located(&name.name))
    }

    fn is_located(&self, name: &DnsName) -> bool {
        self.addresses.iter().any(|address| address.name.as_ref() == Some(name))
    }

    /// Why a server was not found.
    pub(super) fn not_found(&mut self, name: &DnsName, why: String) {
        if let Some(own) = self.names.iter_mut().find(|own| own.name == *name) {
            own.why_not = Some(why);
        }
    }

    /// A server that is not expected to answer is asked once, to see whether it does.
    pub(super) fn once(&mut self, at: SocketAddr) {
        self.of(at).for_each(|address| address.once = true);
    }

    /// A server is being asked.
    pub(super) fn try_one(&mut self, at: SocketAddr) {
        self.of(at).for_each(|address| address.tries += 1);
    }

    /// It was of no use.
    pub(super) fn failed(&mut self, at: SocketAddr, failure: OfNoUse) {
        self.of(at).for_each(|address| address.failure = Some(failure.clone()));
    }

    /// It is asked again, in another way.
    pub(super) fn again(&mut self, at: SocketAddr) {
        self.of(at).for_each(|address| address.tries = address.tries.saturating_sub(1));
    }

    /// It only knows from others.
    pub(super) fn only_recursive(&mut self, at: SocketAddr) {
        self.of(at).for_each(|address| address.only_recursive = true);
    }

    fn of(&mut self, at: SocketAddr) -> impl Iterator<Item = &mut Address> {
        self.addresses.iter_mut().filter(move |address| address.at == at)
    }

    /// The name of the server at this address.
    pub(super) fn name_of(&self, at: SocketAddr) -> String {
        let address = self.addresses.iter().find(|address| address.at == at);
        address.and_then(|address| address.name.as_ref()).map_or_else(|| at.to_string(), ToString::to_string)
    }

    /// The servers' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &DnsName> {
        self.names.iter().map(|name| &name.name)
    }

    /// What makes them the zone's servers.
    pub(super) fn role(&self) -> ServerRole {
        match self.kind {
            Kind::Forwarder => ServerRole::Forwarder,
            Kind::Authority if self.configured => ServerRole::Configured,
            Kind::Authority => ServerRole::Authority,
        }
    }

    /// What came of each server that was tried, and of those that were not, as they are among `avoid`.
    pub(super) fn tried(&self, avoid: &[SocketAddr]) -> Vec<Tried> {
        let asked = self.addresses.iter().filter_map(|address| {
            let failure = address.failure.as_ref()?;
            let server = address.to_string();
            Some(Tried { server, why: failure.to_string(), brief: failure.brief() })
        });
        let sought = self.names.iter().filter_map(|name| {
            let brief = "its address is not known".to_owned();
            let why = format!("{brief} ({})", name.why_not.as_ref()?);
            Some(Tried { server: name.name.to_string(), why, brief })
        });
        let avoided = self.addresses.iter().filter(|address| avoid.contains(&address.at)).map(|address| {
            let why = "what it said before was bogus".to_owned();
            Tried { server: address.to_string(), brief: why.clone(), why }
        });
        asked.chain(sought).chain(avoided).collect()
    }

    /// What each server said that was of no use.
    pub(super) fn problems(&self) -> impl Iterator<Item = &OfNoUse> {
        self.addresses.iter().filter_map(|address| address.failure.as_ref())
    }

    /// Why a server is asked: because of what another one did.
    pub(super) fn last_failure(&self, at: SocketAddr) -> Option<&OfNoUse> {
        self.addresses.iter().find(|address| address.at == at)?.failure.as_ref()
    }

    /// The NS records, and the addresses that are known, as a referral has them.
    pub(super) fn to_records(&self) -> (Vec<Record>, Vec<Record>) {
        let record = |owner: &DnsName, ttl, data| Record { owner: owner.clone(), ttl, data };
        let name_servers = self.names.iter();
        let name_servers =
            name_servers.map(|name| record(&self.zone, self.ttl, RecordData::Ns(name.name.clone())));
        let glue = self.addresses.iter().filter_map(|address| {
            Some(record(address.name.as_ref()?, address.ttl, RecordData::from(address.at.ip())))
        });
        (name_servers.collect(), glue.collect())
    }

    /// Whether there is somebody to ask, or somebody who can be found without asking them.
    pub(super) fn can_be_reached(&self) -> bool {
        !self.addresses.is_empty() || self.names.iter().any(|name| !name.name.is_within(&self.zone))
    }

    /// Puts the servers into an order that chance decides: where nothing else does, each bears its share
    /// and nobody can foresee who is asked (RFC 5452 4.4).
    pub(super) fn shuffle(&mut self, entropy: &dyn Entropy) {
        shuffle(&mut self.names, entropy);
        shuffle(&mut self.addresses, entropy);
    }
}

/// Fisher and Yates.
fn shuffle<T>(list: &mut [T], entropy: &dyn Entropy) {
    for last in (1..list.len()).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        list.swap(last, usize::try_from(entropy.below(bound)).unwrap_or(last));
    }
}
