//! Who is who: names of nodes, interfaces and addresses, learnt from the records.

use glasstack_journal::event::{Event, InterfaceId, Ip, Link, MacAddress, Medium};
use glasstack_journal::{NodeId, Record};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// What is known of an interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) medium: Medium,
    /// In bytes; none of a capture on a cable.
    pub(crate) mtu: Option<usize>,
    pub(crate) mac: Option<MacAddress>,
    pub(crate) address: IpAddr,
    pub(crate) prefix_len: u8,
}

/// The names told so far, and those the user gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    nodes: BTreeMap<NodeId, String>,
    interfaces: BTreeMap<InterfaceId, Interface>,
    stations: BTreeMap<MacAddress, NodeId>,
    hosts: BTreeMap<IpAddr, NodeId>,
    given: BTreeMap<IpAddr, String>,
}

impl Names {
    /// From now on `address` is called `name`, whatever the records say.
    pub(crate) fn give(&mut self, address: IpAddr, name: &str) {
        self.given.insert(address, name.to_owned());
    }

    pub(crate) fn observe(&mut self, record: &Record) {
        match &record.event {
            Event::Node { name } => {
                self.nodes.insert(record.node, name.clone());
            }
            Event::Link(Link::InterfaceUp { interface, name, medium, mtu, mac, address, prefix_len }) => {
                let (address, prefix_len) = (*address, *prefix_len);
                // A node without an address of its own (a probe) says 0.0.0.0.
                if !address.is_unspecified() {
                    self.hosts.insert(address, record.node);
                }
                if let Some(mac) = mac {
                    self.stations.insert(*mac, record.node);
                }
                let known = Interface {
                    node: record.node,
                    name: name.clone(),
                    medium: *medium,
                    mtu: Some(*mtu),
                    mac: *mac,
                    address,
                    prefix_len,
                };
                self.interfaces.insert(*interface, known);
            }
            Event::Link(Link::CaptureUp { interface, cable }) => {
                let known = Interface {
                    node: record.node,
                    name: cable.clone(),
                    medium: Medium::Ethernet,
                    mtu: None,
                    mac: None,
                    address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                    prefix_len: 0,
                };
                self.interfaces.insert(*interface, known);
            }
            // Whoever had the address before keeps the name until somebody else has it.
            Event::Ip(Ip::AddressSet { interface, address, prefix_len, mtu, .. }) => {
                self.hosts.insert(*address, record.node);
                if let Some(known) = self.interfaces.get_mut(interface) {
                    (known.address, known.prefix_len, known.mtu) = (*address, *prefix_len, Some(*mtu));
                }
            }
            _ => {}
        }
    }

    /// The name of a node.
    pub(crate) fn node(&self, node: NodeId) -> String {
        self.nodes.get(&node).cloned().unwrap_or_else(|| format!("node {}", node.0))
    }

    /// The name of whoever has an IP address, or the address itself.
    pub(crate) fn host(&self, address: IpAddr) -> String {
        match (self.given.get(&address), self.hosts.get(&address)) {
            (Some(name), _) => name.clone(),
            (None, Some(node)) => self.node(*node),
            (None, None) => address.to_string(),
        }
    }

    /// The node that has a MAC address.
    pub(crate) fn station(&self, mac: MacAddress) -> Option<NodeId> {
        self.stations.get(&mac).copied()
    }

    /// What an interface carries; Ethernet when it was never introduced.
    pub(crate) fn medium(&self, interface: InterfaceId) -> Medium {
        self.interfaces.get(&interface).map_or(Medium::Ethernet, |known| known.medium)
    }

    pub(crate) fn interface(&self, interface: InterfaceId) -> Option<&Interface> {
        self.interfaces.get(&interface)
    }

    /// Whether an interface is at `place`: its node's name, `NODE:INTERFACE`, or its cable's name,
    /// whichever end is named first.
    pub(crate) fn is_at(&self, interface: InterfaceId, place: &str) -> bool {
        let Some(known) = self.interfaces.get(&interface) else { return false };
        let is_node = |name: &str| self.is_called(known.node, name);
        let turned = || place.split_once(" <-> ").map(|(first, second)| format!("{second} <-> {first}"));
        is_node(place)
            || turned().is_some_and(|name| is_node(&name))
            || place.rsplit_once(':').is_some_and(|(node, name)| is_node(node) && known.name == name)
    }

    /// The node called `name`.
    pub(crate) fn is_called(&self, node: NodeId, name: &str) -> bool {
        self.nodes.get(&node).is_some_and(|known| known == name)
    }
}
