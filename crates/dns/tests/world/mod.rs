//! A small network for the tests: a client, two name servers and somebody malicious on a switch.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

pub mod tree;

use glasstack_dns::{
    DnsName, Lookup, Message, NameServer, Question, Record, RecordData, RecordType, ResolveError, Resolver,
    ResolverConfig, Zone, Zones, serve,
};
use glasstack_journal::Event;
use glasstack_journal::event::{Dns, MacAddress};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, CableHandle, SimWorld};
use glasstack_stack::{Host, HostConfig, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub const DNS: &str = "10.0.0.53";
pub const DNS_2: &str = "10.0.0.54";
pub const MALLORY: &str = "10.0.0.66";

pub struct Net {
    pub world: SimWorld,
    pub recorder: Recorder,
    pub client: Host,
    pub dns: Host,
    pub dns_2: Host,
    pub mallory: Host,
    /// The cable between the client and the switch.
    pub cable: CableHandle,
}

impl Net {
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    pub fn with_seed(seed: u64) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
        let switch = world.add_switch("switch").unwrap();
        let hosts = [("client", "10.0.0.2"), ("dns", DNS), ("dns2", DNS_2), ("mallory", MALLORY)];
        let mut number = 0;
        let [client, dns, dns_2, mallory] = hosts.map(|(name, address)| {
            number += 1;
            let mac = MacAddress([2, 0, 0, 0, 0, number]);
            let config = HostConfig::new(name, mac, address.parse().unwrap(), 24, None).unwrap();
            world.add_host(config).unwrap()
        });
        let cable = world.connect(&client, switch, Cable::new()).unwrap();
        for host in [&dns, &dns_2, &mallory] {
            world.connect(host, switch, Cable::new()).unwrap();
        }
        Self { world, recorder, client, dns, dns_2, mallory, cable }
    }

    /// A resolver on the client that asks `servers`.
    pub fn resolver(&self, servers: &[&str]) -> Resolver {
        self.resolver_with(servers, |_| {})
    }

    pub fn resolver_with(&self, servers: &[&str], change: impl FnOnce(&mut ResolverConfig)) -> Resolver {
        let servers = servers.iter().map(|server| SocketAddr::new(server.parse().unwrap(), 53)).collect();
        let mut config = ResolverConfig { servers, ..ResolverConfig::default() };
        change(&mut config);
        Resolver::new(self.client.clone(), config)
    }

    pub fn resolve(&mut self, resolver: &Resolver, name: &str) -> Result<Lookup, ResolveError> {
        self.world.run(resolver.resolve(name)).unwrap()
    }

    pub fn query(
        &mut self,
        resolver: &Resolver,
        name: &str,
        record_type: RecordType,
    ) -> Result<Lookup, ResolveError> {
        self.world.run(resolver.query(name, record_type)).unwrap()
    }

    /// What the client told about names, a line each.
    pub fn story(&self) -> Vec<String> {
        story_of(&self.client, &self.recorder)
    }

    /// The datagrams and segments on the wire.
    pub fn ladder(&self, layers: &[Layer]) -> String {
        ladder(&self.recorder.records(), &LadderOptions { local: false, ..LadderOptions::only(layers) })
    }
}

/// What a host told about names, a line each.
pub fn story_of(host: &Host, recorder: &Recorder) -> Vec<String> {
    let node = host.scope().node();
    let records = recorder.records();
    records.iter().filter(|record| record.node == node).filter_map(|record| told(&record.event)).collect()
}

/// A fact about names in a few words.
fn told(event: &Event) -> Option<String> {
    let Event::Dns(fact) = event else { return None };
    Some(match fact {
        Dns::LookedUp { source, hit, detail, .. } => {
            format!("{source}: {}: {detail}", if *hit { "hit" } else { "miss" })
        }
        Dns::QuerySent { name, record_type, server, transport, why, .. } => {
            format!("asked {} over {transport} for {name} {record_type}: {why}", server.ip())
        }
        Dns::ResponseReceived { server, code, answers, truncated, rtt, .. } => {
            let cut = if *truncated { ", truncated" } else { "" };
            format!(
                "{} answered {code}{cut} with {} records after {} ms",
                server.ip(),
                answers.len(),
                rtt.as_millis()
            )
        }
        Dns::ResponseIgnored { from, why } => format!("ignored what {from} sent: {why}"),
        Dns::AliasFollowed { from, to } => format!("{from} is {to}"),
        Dns::Resolved { name, addresses, ttl, source } => {
            format!("resolved {name} to {addresses:?} for {} s ({source})", ttl.as_secs())
        }
        Dns::Failed { name, why } => format!("failed {name}: {why}"),
        Dns::ReferralFollowed { server, from, to, name_servers, glue } => {
            let (names, glue) = (name_servers.join(" "), glue.len());
            format!("{} for {from} refers to {to}: {names}, {glue} addresses", server.ip())
        }
        Dns::GlueMissing { zone, name_server } => format!("{zone} needs the address of {name_server}"),
        Dns::ServerUseless { server, zone, why } => format!("{} is of no use for {zone}: {why}", server.ip()),
        Dns::RecordsIgnored { from, records, why } => {
            format!("ignored from {}: {}: {why}", from.ip(), records.join("; "))
        }
        Dns::Joined { name, record_type } => format!("joined {name} {record_type}"),
        Dns::Primed { zone, name_servers } => format!("{zone} is served by {}", name_servers.join(" ")),
        Dns::LastResort { zone } => format!("last resort for {zone}"),
        Dns::Validated { name, record_type, security, reason, .. } => {
            format!("{name} {record_type} is {security}: {reason}")
        }
        Dns::StaleServed { name, record_type } => format!("stale: {name} {record_type}"),
        Dns::Prefetched { name, record_type, .. } => format!("prefetch: {name} {record_type}"),
        Dns::Minimised { asked, instead_of, .. } => format!("minimised {instead_of} to {asked}"),
        Dns::ServerChosen { .. } | Dns::Believed { .. } => return None,
        Dns::Served { .. } | Dns::Withheld { .. } => return None,
    })
}

/// example.test, with a bit of everything.
pub fn example() -> Zones {
    let name = |text: &str| DnsName::parse(text).unwrap();
    let address = |last: u8| IpAddr::from([192, 0, 2, last]);
    let mut zone = Zone::new("example.test")
        .and_then(|zone| zone.with("@", address(80)))
        .and_then(|zone| zone.with("www", address(80)))
        .and_then(|zone| zone.with("blog", RecordData::Cname(name("web.example.test"))))
        .and_then(|zone| zone.with("web", RecordData::Cname(name("www.example.test"))))
        .and_then(|zone| zone.with("dangling", RecordData::Cname(name("no.example.test"))))
        .and_then(|zone| zone.with("one", RecordData::Cname(name("two.example.test"))))
        .and_then(|zone| zone.with("two", RecordData::Cname(name("one.example.test"))))
        .and_then(|zone| zone.with("v6", RecordData::Aaaa("2001:db8::80".parse().unwrap())))
        .and_then(|zone| zone.with("text", RecordData::text("only words")))
        .and_then(|zone| {
            zone.with("@", RecordData::Mx { preference: 10, exchange: name("www.example.test") })
        })
        .unwrap();
    for last in 0..100 {
        zone.add("many", 60, IpAddr::from([198, 51, 100, last])).unwrap();
    }
    zone.into()
}

/// The example zone, served by `host`.
pub fn serve_example(host: &Host) -> NameServer {
    serve(host, SocketAddr::new(host.address(), 53), example()).unwrap()
}

pub fn record(owner: &str, data: impl Into<RecordData>) -> Record {
    Record { owner: DnsName::parse(owner).unwrap(), ttl: 300, data: data.into() }
}

pub fn question(name: &str, record_type: RecordType) -> Question {
    Question::new(DnsName::parse(name).unwrap(), record_type)
}

/// What a scripted server does with a query.
pub type Script = Box<dyn FnMut(Message, SocketAddr) -> Vec<Vec<u8>> + Send>;

/// A server on UDP port 53 that answers each query with whatever `script` says, right or wrong.
pub fn scripted(host: &Host, script: impl FnMut(Message, SocketAddr) -> Vec<Vec<u8>> + Send + 'static) {
    let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
    let mut script: Script = Box::new(script);
    host.spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
            let query = Message::parse(&buffer[..length]).unwrap();
            for response in script(query, client) {
                let _ = socket.send_to(&response, client).await;
            }
        }
    });
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
