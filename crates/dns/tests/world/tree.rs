//! A small tree of name servers for the tests, all on one switch:
//!
//! ```text
//!   .                  a.root.test 10.0.0.10, b.root.test 10.0.0.11
//!   +- test            a.nic.test 10.0.0.20
//!   |  +- example      ns1 10.0.0.30, ns2 10.0.0.31      a bit of everything
//!   |  +- far          ns.hoster.com, no glue
//!   |  +- lame         10.0.0.50, which knows nothing of it, and ns1.example.test
//!   |  +- dead         10.0.0.99, where nobody is
//!   |  +- one, two     each served by a name in the other
//!   +- 2.0.192.in-addr.arpa   ns1.example.test, no glue
//!   +- com             a.nic.com 10.0.0.21
//!      +- hoster       10.0.0.40
//! ```

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "each test file uses its own part")]

use super::story_of;
use glasstack_dns::cache::CacheConfig;
use glasstack_dns::server::Statistics;
use glasstack_dns::{
    DnsName, Lookup, Message, NameServer, RecordData, RecordType, RecursorConfig, ResolveError, Resolver,
    ResolverConfig, RootHints, Zone, Zones, serve, serve_recursive,
};
use glasstack_journal::event::MacAddress;
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, CableHandle, SimWorld};
use glasstack_stack::{Host, HostConfig, World};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

const HOSTS: [(&str, u8); 11] = [
    ("client", 2),
    ("resolver", 53),
    ("a-root", 10),
    ("b-root", 11),
    ("test-tld", 20),
    ("com-tld", 21),
    ("ns1-example", 30),
    ("ns2-example", 31),
    ("ns-hoster", 40),
    ("ns-lame", 50),
    ("spare", 60),
];

pub struct Tree {
    pub world: SimWorld,
    pub recorder: Recorder,
    pub hosts: BTreeMap<&'static str, Host>,
    pub cables: BTreeMap<&'static str, CableHandle>,
    servers: BTreeMap<&'static str, NameServer>,
    /// The client's: it asks the recursive server.
    pub stub: Resolver,
}

/// A cache that keeps nothing.
pub fn no_cache() -> CacheConfig {
    CacheConfig { max_bytes: 0, ..CacheConfig::default() }
}

pub fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

pub fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

pub fn hints() -> RootHints {
    RootHints::new([("a.root.test", address(10)), ("b.root.test", address(11))]).unwrap()
}

impl Tree {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, RecursorConfig::default())
    }

    pub fn with(seed: u64, config: RecursorConfig) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
        let switch = world.add_switch("switch").unwrap();
        let (mut hosts, mut cables) = (BTreeMap::new(), BTreeMap::new());
        for (host_name, last) in HOSTS {
            let mac = MacAddress([2, 0, 0, 0, 0, last]);
            let host = HostConfig::new(host_name, mac, [10, 0, 0, last].into(), 24, None).unwrap();
            let host = world.add_host(host).unwrap();
            cables.insert(host_name, world.connect(&host, switch, Cable::new()).unwrap());
            hosts.insert(host_name, host);
        }
        let stub = Resolver::new(
            hosts["client"].clone(),
            ResolverConfig { cache: no_cache(), ..ResolverConfig::with_server(address(53)) },
        );
        let mut tree = Self { world, recorder, hosts, cables, servers: BTreeMap::new(), stub };
        tree.serve("a-root", [root()]);
        tree.serve("b-root", [root()]);
        tree.serve("test-tld", [test()]);
        tree.serve("com-tld", [com()]);
        tree.serve("ns1-example", [example(), reverse()]);
        tree.serve("ns2-example", [example()]);
        tree.serve("ns-hoster", [hoster(), far()]);
        tree.serve("ns-lame", [Zone::new("something.else").unwrap()]);
        let local = SocketAddr::new(address(53), 53);
        let server = serve_recursive(&tree.hosts["resolver"], local, hints(), config).unwrap();
        tree.servers.insert("resolver", server);
        tree
    }

    pub fn serve(&mut self, host: &'static str, zones: impl IntoIterator<Item = Zone>) {
        let host_of = &self.hosts[host];
        let local = SocketAddr::new(host_of.address(), 53);
        let server = serve(host_of, local, Zones::new(zones)).unwrap();
        self.servers.insert(host, server);
    }

    /// The name server of this host stops: its port is closed.
    pub fn stop(&mut self, host: &str) {
        self.servers.remove(host);
        self.world.run_for(super::seconds(1)).unwrap();
    }

    /// The host is there no more.
    pub fn kill(&mut self, host: &str) {
        let fault = glasstack_sim::fault::loss(1.0);
        self.cables[host].add_fault(fault);
    }

    pub fn resolve(&mut self, name: &str) -> Result<Lookup, ResolveError> {
        self.world.run(self.stub.resolve(name)).unwrap()
    }

    pub fn query(&mut self, name: &str, record_type: RecordType) -> Result<Lookup, ResolveError> {
        self.world.run(self.stub.query(name, record_type)).unwrap()
    }

    /// What the recursive server says to a query made by hand.
    pub fn ask(&mut self, query: &Message) -> Message {
        let (client, request) = (self.hosts["client"].clone(), query.to_bytes().unwrap());
        let exchange = async move {
            let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
            socket.send_to(&request, SocketAddr::new(address(53), 53)).await.unwrap();
            let mut buffer = vec![0; 65_535];
            let received = client.timeout(super::seconds(20), socket.recv_from(&mut buffer)).await;
            let (length, _) = received.unwrap().unwrap();
            Message::parse(&buffer[..length]).unwrap()
        };
        self.world.run(exchange).unwrap()
    }

    /// What the recursive server has done so far.
    pub fn statistics(&self) -> Statistics {
        self.servers["resolver"].statistics()
    }

    /// How long the world has existed.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.hosts["client"].now().as_micros())
    }

    /// What the recursive server told.
    pub fn story(&self) -> Vec<String> {
        story_of(&self.hosts["resolver"], &self.recorder)
    }

    /// Whom the recursive server asked for what.
    pub fn asked(&self) -> Vec<String> {
        self.story().into_iter().filter(|line| line.starts_with("asked")).collect()
    }

    /// What the story says in lines that contain `text`.
    pub fn told(&self, text: &str) -> Vec<String> {
        self.story().into_iter().filter(|line| line.contains(text)).collect()
    }
}

fn root() -> Zone {
    Zone::new(".")
        .and_then(|zone| zone.delegating("@", &[("a.root.test", None), ("b.root.test", None)]))
        .and_then(|zone| zone.delegating("test", &[("a.nic.test", Some(address(20)))]))
        .and_then(|zone| zone.delegating("com", &[("a.nic.com", Some(address(21)))]))
        .and_then(|zone| zone.delegating("2.0.192.in-addr.arpa", &[("ns1.example.test", None)]))
        .unwrap()
}

fn test() -> Zone {
    let ns1 = ("ns1.example.test", Some(address(30)));
    Zone::new("test")
        .and_then(|zone| zone.with("a.nic", address(20)))
        .and_then(|zone| zone.delegating("example", &[ns1, ("ns2.example.test", Some(address(31)))]))
        .and_then(|zone| zone.delegating("far", &[("ns.hoster.com", None)]))
        .and_then(|zone| zone.delegating("lame", &[("ns.lame.test", Some(address(50)))]))
        .and_then(|zone| zone.delegating("dead", &[("ns.dead.test", Some(address(99)))]))
        .and_then(|zone| zone.delegating("one", &[("ns.two.test", None)]))
        .and_then(|zone| zone.delegating("two", &[("ns.one.test", None)]))
        .unwrap()
}

fn com() -> Zone {
    Zone::new("com")
        .and_then(|zone| zone.delegating("hoster", &[("ns.hoster.com", Some(address(40)))]))
        .unwrap()
}

fn hoster() -> Zone {
    Zone::new("hoster.com")
        .and_then(|zone| zone.with("ns", address(40)))
        .and_then(|zone| zone.with("www", IpAddr::from([192, 0, 2, 40])))
        .unwrap()
}

fn far() -> Zone {
    Zone::new("far.test").and_then(|zone| zone.with("www", IpAddr::from([192, 0, 2, 41]))).unwrap()
}

fn reverse() -> Zone {
    Zone::new("2.0.192.in-addr.arpa")
        .and_then(|zone| zone.pointing(IpAddr::from([192, 0, 2, 80]), "www.example.test"))
        .unwrap()
}

/// example.test, with a bit of everything.
pub fn example() -> Zone {
    let mut zone = Zone::new("example.test")
        .and_then(|zone| zone.with("@", RecordData::Ns(name("ns1.example.test"))))
        .and_then(|zone| zone.with("@", RecordData::Ns(name("ns2.example.test"))))
        .and_then(|zone| zone.with("ns1", address(30)))
        .and_then(|zone| zone.with("ns2", address(31)))
        .and_then(|zone| zone.with("www", IpAddr::from([192, 0, 2, 80])))
        .and_then(|zone| zone.with("shop", RecordData::Cname(name("www.hoster.com"))))
        .and_then(|zone| zone.with("here", RecordData::Cname(name("www.example.test"))))
        .and_then(|zone| zone.with("round", RecordData::Cname(name("about.example.test"))))
        .and_then(|zone| zone.with("about", RecordData::Cname(name("round.example.test"))))
        .and_then(|zone| zone.with("gone", RecordData::Cname(name("no.hoster.com"))))
        .unwrap();
    for last in 0..100 {
        zone.add("many", 60, IpAddr::from([198, 51, 100, last])).unwrap();
    }
    zone
}
