//! What a router does besides forwarding, as data: RIP and DHCP.

use super::words;
use glasstack_stack::Prefix;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How a router speaks RIP (RFC 2453); `rip = {}` is on every port, as is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RipSpec {
    /// Ports on which it listens and says nothing. None.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub passive: BTreeSet<usize>,
    /// Ports on which it neither speaks nor believes. None.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub off: BTreeSet<usize>,
    /// What a hop by a port adds to the metric, 1 to 15. 1.
    #[serde(default, with = "words::numbers_by_port", skip_serializing_if = "BTreeMap::is_empty")]
    pub costs: BTreeMap<usize, u8>,
    /// Networks whose static routes it keeps to itself. None.
    #[serde(default, with = "words::many", skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Prefix>,
    /// What every message must carry, 16 bytes at most. Nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Its timers.
    #[serde(default, skip_serializing_if = "RipTimersSpec::is_usual")]
    pub timers: RipTimersSpec,
}

/// The timers of RFC 2453 3.8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RipTimersSpec {
    /// How often everything is told. 30 s.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub update: Option<Duration>,
    /// How long a route is believed that nobody tells of any more. 180 s.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How long it is told as unreachable after that. 120 s.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub garbage: Option<Duration>,
}

impl RipTimersSpec {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl RipSpec {
    /// RIP on every port.
    pub fn new() -> Self {
        Self::default()
    }

    /// On this port it listens and says nothing.
    #[must_use]
    pub fn passive(mut self, port: usize) -> Self {
        self.passive.insert(port);
        self
    }

    /// On this port it neither speaks nor believes.
    #[must_use]
    pub fn off(mut self, port: usize) -> Self {
        self.off.insert(port);
        self
    }

    /// What a hop by this port adds to the metric.
    #[must_use]
    pub fn cost(mut self, port: usize, cost: u8) -> Self {
        self.costs.insert(port, cost);
        self
    }

    /// The static route to this network it keeps to itself.
    #[must_use]
    pub fn untold(mut self, prefix: Prefix) -> Self {
        self.untold.push(prefix);
        self
    }

    /// What every message must carry.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        Self { password: Some(password.to_owned()), ..self }
    }

    /// Other timers.
    #[must_use]
    pub fn timers(self, timers: RipTimersSpec) -> Self {
        Self { timers, ..self }
    }
}

/// What a router's DHCP server gives on one port; network, gateway and MTU are the port's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DhcpSpec {
    /// The port, from 0.
    pub port: usize,
    /// The addresses to give, first and last.
    #[serde(with = "words::one")]
    pub pool: RangeInclusive<Ipv4Addr>,
    /// How long an address is the client's. A day.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub lease: Option<Duration>,
    /// The name servers, the best first. None.
    #[serde(default, with = "words::many", skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain for names without a dot. None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}

impl DhcpSpec {
    /// On `port`, addresses from `first` to `last`.
    pub fn new(port: usize, first: Ipv4Addr, last: Ipv4Addr) -> Self {
        Self { port, pool: first..=last, lease: None, name_servers: Vec::new(), domain: None }
    }

    /// How long an address is the client's; whole seconds.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// One more name server.
    #[must_use]
    pub fn name_server(mut self, address: Ipv4Addr) -> Self {
        self.name_servers.push(address);
        self
    }

    /// The domain for names without a dot.
    #[must_use]
    pub fn domain(self, domain: &str) -> Self {
        Self { domain: Some(domain.to_owned()), ..self }
    }
}
