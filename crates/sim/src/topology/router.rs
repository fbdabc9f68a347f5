//! A router as data.

use super::words::{self, Cidr, RouteSpec};
use glasstack_journal::event::MacAddress;
use serde::{Deserialize, Serialize};

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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
