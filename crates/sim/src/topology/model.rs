//! The parts of a topology, as data: hosts and switches here, routers and cables in files of their own.

use super::cable::CableSpec;
use super::router::RouterSpec;
use super::words::{self, Cidr, HostAddress, RouteSpec};
use crate::switch::Vlan;
use glasstack_journal::event::MacAddress;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// A network as data: what there is, by name, and which cables are laid. [`parse`](Self::parse) reads one
/// from TOML, [`to_toml`](Self::to_toml) writes it; the methods here have the same words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// A title, for drawings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `[host.NAME]`.
    #[serde(default, rename = "host", skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, HostSpec>,
    /// `[switch.NAME]`.
    #[serde(default, rename = "switch", skip_serializing_if = "BTreeMap::is_empty")]
    pub switches: BTreeMap<String, SwitchSpec>,
    /// `[router.NAME]`.
    #[serde(default, rename = "router", skip_serializing_if = "BTreeMap::is_empty")]
    pub routers: BTreeMap<String, RouterSpec>,
    /// `[[cable]]`, in the order in which they are laid: an end without a port takes the lowest free one.
    #[serde(default, rename = "cable", skip_serializing_if = "Vec::is_empty")]
    pub cables: Vec<CableSpec>,
}

impl Topology {
    /// A network of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A title, for drawings.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        Self { title: Some(title.to_owned()), ..self }
    }

    /// A host. It takes the place of one that has the same name already, as do switches and routers.
    #[must_use]
    pub fn host(mut self, name: &str, host: HostSpec) -> Self {
        self.hosts.insert(name.to_owned(), host);
        self
    }

    /// A switch.
    #[must_use]
    pub fn switch(mut self, name: &str, switch: SwitchSpec) -> Self {
        self.switches.insert(name.to_owned(), switch);
        self
    }

    /// A router.
    #[must_use]
    pub fn router(mut self, name: &str, router: RouterSpec) -> Self {
        self.routers.insert(name.to_owned(), router);
        self
    }

    /// A cable, laid after those that are there already.
    #[must_use]
    pub fn cable(mut self, cable: CableSpec) -> Self {
        self.cables.push(cable);
        self
    }
}

/// A host: one card, one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Its address and the length of its network's prefix, or that it asks for one by DHCP.
    pub address: HostAddress,
    /// The router for everything that is not on its own link.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// Further routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSpec>,
    /// The largest IP packet its card sends, in bytes. 1 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// Its card's address. Without one it is made of the IP address, see
    /// [`Topology::mac_addresses`].
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
    /// The names that are to lead to it. What a name is, is for those to know who give names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What it serves, in words of whoever puts programs on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serve: Vec<String>,
    /// The name servers its programs ask.
    #[serde(default, with = "words::many", skip_serializing_if = "Vec::is_empty")]
    pub name_servers: Vec<Ipv4Addr>,
    /// A few words for drawings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl HostSpec {
    /// A host with this address, and everything else as is usual.
    pub fn new(address: Cidr) -> Self {
        Self::with(HostAddress::Static(address))
    }

    /// A host that asks for its address.
    pub fn dhcp() -> Self {
        Self::with(HostAddress::Dhcp)
    }

    fn with(address: HostAddress) -> Self {
        Self {
            address,
            gateway: None,
            routes: Vec::new(),
            mtu: None,
            mac: None,
            names: Vec::new(),
            serve: Vec::new(),
            name_servers: Vec::new(),
            about: None,
        }
    }

    /// The router for everything that is not on its own link.
    #[must_use]
    pub fn gateway(self, gateway: Ipv4Addr) -> Self {
        Self { gateway: Some(gateway), ..self }
    }

    /// A further route.
    #[must_use]
    pub fn route(mut self, route: RouteSpec) -> Self {
        self.routes.push(route);
        self
    }

    /// The largest IP packet its card sends, in bytes.
    #[must_use]
    pub fn mtu(self, mtu: u16) -> Self {
        Self { mtu: Some(mtu), ..self }
    }

    /// Its card's address.
    #[must_use]
    pub fn mac(self, mac: MacAddress) -> Self {
        Self { mac: Some(mac), ..self }
    }

    /// One more name that is to lead to it.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.names.push(name.to_owned());
        self
    }

    /// One more thing that it serves.
    #[must_use]
    pub fn serve(mut self, what: &str) -> Self {
        self.serve.push(what.to_owned());
        self
    }

    /// One more name server that its programs ask.
    #[must_use]
    pub fn name_server(mut self, server: Ipv4Addr) -> Self {
        self.name_servers.push(server);
        self
    }

    /// A few words for drawings.
    #[must_use]
    pub fn about(self, about: &str) -> Self {
        Self { about: Some(about.to_owned()), ..self }
    }
}

/// A switch with as many ports as it gets cables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchSpec {
    /// How long an address is remembered after it was last heard of. 300 s (IEEE 802.1D).
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub ageing: Option<Duration>,
    /// How many addresses it remembers. 8 192.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<usize>,
    /// How many frames a second that go out of every port it takes from each port. 10 000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm_control: Option<u32>,
    /// What its ports carry, by their numbers. Untagged frames of VLAN 1.
    #[serde(default, with = "words::by_port", skip_serializing_if = "BTreeMap::is_empty")]
    pub vlans: BTreeMap<usize, Vlan>,
    /// A few words for drawings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl SwitchSpec {
    /// A switch with everything as is usual.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long an address is remembered after it was last heard of.
    #[must_use]
    pub fn ageing(self, ageing: Duration) -> Self {
        Self { ageing: Some(ageing), ..self }
    }

    /// How many addresses it remembers.
    #[must_use]
    pub fn capacity(self, addresses: usize) -> Self {
        Self { capacity: Some(addresses), ..self }
    }

    /// How many frames a second that go out of every port it takes from each port.
    #[must_use]
    pub fn storm_control(self, frames_per_second: u32) -> Self {
        Self { storm_control: Some(frames_per_second), ..self }
    }

    /// What `port` carries.
    #[must_use]
    pub fn vlan(mut self, port: usize, vlan: Vlan) -> Self {
        self.vlans.insert(port, vlan);
        self
    }

    /// A few words for drawings.
    #[must_use]
    pub fn about(self, about: &str) -> Self {
        Self { about: Some(about.to_owned()), ..self }
    }
}
