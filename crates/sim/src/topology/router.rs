//! A router as data.

use super::service::{DhcpSpec, RipSpec};
use super::words::{self, Cidr, RouteSpec};
use crate::router::{Action, Filtering, Forward, Rule};
use glasstack_journal::event::MacAddress;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A router: ports in order, routes, and what it does besides forwarding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouterSpec {
    /// Its ports; the first is `NAME:0` in a cable, `eth0` in the journal.
    pub ports: Vec<PortSpec>,
    /// The ways to networks that are not its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSpec>,
    /// It discards packets that are too big without telling their senders (RFC 2923 2.1). No.
    #[serde(default, skip_serializing_if = "is_false")]
    pub silent_when_too_big: bool,
    /// It discards packets whose source it would not reach by the port they came in by (RFC 3704 2.2). No.
    #[serde(default, skip_serializing_if = "is_false")]
    pub checks_sources: bool,
    /// How many ICMP errors it sends (RFC 1812 4.3.2.8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_per_second: Option<ErrorRate>,
    /// Who leaves by the outside port takes its address (RFC 3022 2.2). None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatSpec>,
    /// Ports of the outside address that lead to hosts inside; they need `nat`. None.
    #[serde(default, with = "words::many", skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<Forward>,
    /// What passes, and what does not. Everything passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterSpec>,
    /// It tells its neighbours of its networks and learns of theirs (RFC 2453). It does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rip: Option<RipSpec>,
    /// Ports on which it gives hosts their addresses (RFC 2131). None.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dhcp: Vec<DhcpSpec>,
    /// A few words for drawings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A port of a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortSpec {
    /// Its address and the length of its network's prefix.
    pub address: Cidr,
    /// The largest IP packet that leaves by it, in bytes. 1 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// Its address on the link. Without one it is made of the IP address.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
}

impl RouterSpec {
    /// A router without ports.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next port, with everything but its address as is usual.
    #[must_use]
    pub fn port(self, address: Cidr) -> Self {
        self.port_with(PortSpec::new(address))
    }

    /// The next port.
    #[must_use]
    pub fn port_with(mut self, port: PortSpec) -> Self {
        self.ports.push(port);
        self
    }

    /// The way to a network.
    #[must_use]
    pub fn route(mut self, route: RouteSpec) -> Self {
        self.routes.push(route);
        self
    }

    /// It discards packets that are too big without telling their senders.
    #[must_use]
    pub fn silent_when_too_big(self) -> Self {
        Self { silent_when_too_big: true, ..self }
    }

    /// It discards packets whose source it would not reach by the port they came in by.
    #[must_use]
    pub fn checks_sources(self) -> Self {
        Self { checks_sources: true, ..self }
    }

    /// At most so many ICMP errors a second, and so many at once.
    #[must_use]
    pub fn errors_per_second(self, rate: u32, burst: u32) -> Self {
        Self { errors_per_second: Some(ErrorRate { rate, burst }), ..self }
    }

    /// Who leaves by the outside port takes its address.
    #[must_use]
    pub fn nat(self, nat: NatSpec) -> Self {
        Self { nat: Some(nat), ..self }
    }

    /// A port of the outside address leads to a host inside.
    #[must_use]
    pub fn forward(mut self, forward: Forward) -> Self {
        self.forwards.push(forward);
        self
    }

    /// What passes, and what does not.
    #[must_use]
    pub fn filter(self, filter: FilterSpec) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// It tells its neighbours of its networks and learns of theirs.
    #[must_use]
    pub fn rip(self, rip: RipSpec) -> Self {
        Self { rip: Some(rip), ..self }
    }

    /// On one more port it gives hosts their addresses.
    #[must_use]
    pub fn dhcp(mut self, dhcp: DhcpSpec) -> Self {
        self.dhcp.push(dhcp);
        self
    }

    /// A few words for drawings.
    #[must_use]
    pub fn about(self, about: &str) -> Self {
        Self { about: Some(about.to_owned()), ..self }
    }
}

impl PortSpec {
    /// A port with this address, and everything else as is usual.
    pub fn new(address: Cidr) -> Self {
        Self { address, mtu: None, mac: None }
    }

    /// The largest IP packet that leaves by it, in bytes.
    #[must_use]
    pub fn mtu(self, mtu: u16) -> Self {
        Self { mtu: Some(mtu), ..self }
    }

    /// Its address on the link.
    #[must_use]
    pub fn mac(self, mac: MacAddress) -> Self {
        Self { mac: Some(mac), ..self }
    }
}

/// How many ICMP errors a router sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRate {
    /// Messages a second. 1 000.
    #[serde(default = "usual_rate")]
    pub rate: u32,
    /// Messages at once. 50.
    #[serde(default = "usual_burst")]
    pub burst: u32,
}

fn usual_rate() -> u32 {
    1_000
}

fn usual_burst() -> u32 {
    50
}

/// How a router translates what leaves by its outside port; what is not said is as the RFCs recommend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatSpec {
    /// The port towards the Internet, from 0; its address is the one all share.
    pub outside: usize,
    /// The ports that mappings may have, if the inside port is taken already. 1024-65535.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub ports: Option<RangeInclusive<u16>>,
    /// Mappings at most. 4 096.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<usize>,
    /// Who from outside may use a mapping. Address-dependent.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub filtering: Option<Filtering>,
    /// How long a mapping lasts without use.
    #[serde(default, skip_serializing_if = "TimeoutsSpec::is_usual")]
    pub timeouts: TimeoutsSpec,
}

impl NatSpec {
    /// A translation to the address of port `outside`.
    pub fn new(outside: usize) -> Self {
        Self { outside, ports: None, most: None, filtering: None, timeouts: TimeoutsSpec::default() }
    }
}

/// How long a connection or mapping is kept without use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsSpec {
    /// An established TCP connection. 2 h 4 min.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub tcp_established: Option<Duration>,
    /// A TCP connection that opens or closes. 4 min.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub tcp_transitory: Option<Duration>,
    /// UDP. 120 s.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub udp: Option<Duration>,
    /// ICMP queries. 60 s.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Duration>,
}

impl TimeoutsSpec {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What passes a router: the first rule that fits decides, and the policy where none does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSpec {
    /// What becomes of what no rule fits.
    #[serde(with = "words::one")]
    pub policy: Action,
    /// The rules, in order.
    #[serde(default, with = "words::many", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl FilterSpec {
    /// A filter without rules.
    pub fn new(policy: Action) -> Self {
        Self { policy, rules: Vec::new() }
    }

    /// One more rule, behind the others.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
