//! Which servers are known, of which zones (RFC 1034 5.3.3: SLIST and SBELT).

use super::judge::{Referral, name_server};
use crate::cache::Cached;
use crate::cache::plain::Cache;
use crate::config::DNS_PORT;
use crate::hints::RootHints;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use glasstack_journal::Instant;
use glasstack_stack::Entropy;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The TTL of the root's NS records in IANA's hints, in seconds.
const HINTS_TTL: u32 = 3_600_000;

/// What referrals have told. It is kept apart from answers: glue is good for finding a server, but
/// nothing that anybody may be told as an answer (RFC 2181 5.4.1).
pub(super) struct Delegations {
    hints: RootHints,
    told: Mutex<Cache>,
}

/// The servers of a zone.
#[derive(Clone, Debug)]
pub(super) struct Slist {
    pub(super) zone: DnsName,
    servers: Vec<Server>,
}

#[derive(Clone, Debug)]
struct Server {
    name: DnsName,
    /// Of the NS record, in seconds.
    ttl: u32,
    /// None: it is not known where it is.
    addresses: Vec<SocketAddr>,
    /// Of the addresses, in seconds.
    addresses_ttl: u32,
}

impl Delegations {
    pub(super) fn new(hints: RootHints, capacity: usize) -> Self {
        Self { hints, told: Mutex::new(Cache::new(capacity)) }
    }

    /// The servers of the nearest zone above `name` that can be asked, or found; those of the root if
    /// nothing is known.
    pub(super) fn nearest(&self, name: &DnsName, now: Instant) -> Slist {
        let told = self.told();
        let mut at = Some(name.clone());
        while let Some(zone) = at.filter(|zone| !zone.is_root()) {
            if let Some(Cached::Records(servers)) = told.get(&zone, RecordType::Ns, now) {
                let slist = Slist::new(&zone, &servers, &told, now);
                if slist.can_be_reached() {
                    return slist;
                }
            }
            at = zone.parent();
        }
        self.root()
    }

    /// Learns from a referral, and says whom it names.
    pub(super) fn learn(&self, referral: &Referral, now: Instant) -> Slist {
        let mut told = self.told();
        told.learn(&referral.zone, RecordType::Ns, &referral.servers, now);
        for name in referral.names() {
            for record_type in [RecordType::A, RecordType::Aaaa] {
                let of_server =
                    |record: &&Record| record.owner == *name && record.record_type() == record_type;
                let records: Vec<Record> = referral.glue.iter().filter(of_server).cloned().collect();
                told.learn(name, record_type, &records, now);
            }
        }
        let mut slist = Slist::new(&referral.zone, &referral.servers, &told, now);
        // Glue with a TTL of zero is good for this once.
        for record in &referral.glue {
            if let Some(address) = record.address().filter(|address| address.is_ipv4()) {
                slist.learn(&record.owner, SocketAddr::new(address, DNS_PORT));
            }
        }
        slist
    }

    /// Learns the addresses of a name server.
    pub(super) fn learn_addresses(&self, name: &DnsName, records: &[Record], now: Instant) {
        self.told().learn(name, RecordType::A, records, now);
    }

    fn root(&self) -> Slist {
        let server = |root: &crate::hints::RootServer| Server {
            name: root.name.clone(),
            ttl: HINTS_TTL,
            addresses: reachable(root.addresses.iter().copied()),
            addresses_ttl: HINTS_TTL,
        };
        Slist { zone: DnsName::root(), servers: self.hints.servers().iter().map(server).collect() }
    }

    fn told(&self) -> MutexGuard<'_, Cache> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slist {
    fn new(zone: &DnsName, servers: &[Record], told: &Cache, now: Instant) -> Self {
        let server = |record: &Record| {
            let name = name_server(record)?.clone();
            let known = match told.get(&name, RecordType::A, now) {
                Some(Cached::Records(records)) => records,
                _ => Vec::new(),
            };
            let addresses = reachable(known.iter().filter_map(Record::address));
            let addresses_ttl = known.first().map_or(0, |record| record.ttl);
            Some(Server { name, ttl: record.ttl, addresses, addresses_ttl })
        };
        Self { zone: zone.clone(), servers: servers.iter().filter_map(server).collect() }
    }

    /// Addresses that can be asked at once.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().flat_map(|server| server.addresses.iter().copied()).collect()
    }

    /// Servers that have to be found before they can be asked. One inside of the zone can only be
    /// found by asking one of the zone's servers.
    pub(super) fn missing(&self) -> Vec<DnsName> {
        let unknown = self.servers.iter().filter(|server| server.addresses.is_empty());
        unknown.map(|server| server.name.clone()).collect()
    }

    /// The name of the server at this address.
    pub(super) fn name_of(&self, address: SocketAddr) -> String {
        let server = self.servers.iter().find(|server| server.addresses.contains(&address));
        server.map_or_else(|| address.to_string(), |server| server.name.to_string())
    }

    /// Learns where one of the servers is.
    pub(super) fn learn(&mut self, name: &DnsName, address: SocketAddr) {
        for server in self.servers.iter_mut().filter(|server| server.name == *name) {
            if !server.addresses.contains(&address) {
                server.addresses.push(address);
            }
        }
    }

    /// Puts the servers into an order that chance decides: where nothing else does, each bears its share
    /// and nobody can foresee who is asked (RFC 5452 4.4).
    pub(super) fn shuffle(&mut self, entropy: &dyn Entropy) {
        // Fisher and Yates.
        for last in (1..self.servers.len()).rev() {
            let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
            self.servers.swap(last, usize::try_from(entropy.below(bound)).unwrap_or(last));
        }
    }

    /// The NS records, and the addresses that are known, as a referral has them.
    pub(super) fn to_records(&self) -> (Vec<Record>, Vec<Record>) {
        let record = |owner: &DnsName, ttl, data| Record { owner: owner.clone(), ttl, data };
        let (mut name_servers, mut glue) = (Vec::new(), Vec::new());
        for Server { name, ttl, addresses, addresses_ttl } in &self.servers {
            name_servers.push(record(&self.zone, *ttl, RecordData::Ns(name.clone())));
            let address = |at: &SocketAddr| record(name, *addresses_ttl, RecordData::from(at.ip()));
            glue.extend(addresses.iter().map(address));
        }
        (name_servers, glue)
    }

    /// Whether there is somebody to ask, or somebody who can be found without asking them.
    fn can_be_reached(&self) -> bool {
        let outside = |server: &Server| !server.name.is_within(&self.zone);
        self.servers.iter().any(|server| !server.addresses.is_empty() || outside(server))
    }
}

/// IPv6 is not spoken here yet.
fn reachable(addresses: impl Iterator<Item = std::net::IpAddr>) -> Vec<SocketAddr> {
    addresses.filter(std::net::IpAddr::is_ipv4).map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}
