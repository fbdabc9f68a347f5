//! Which card has which address on its link.

use super::{HostAddress, Topology};
use glasstack_journal::event::MacAddress;
use std::collections::{BTreeMap, BTreeSet};

/// The second byte of what is made of an IP address, and of a name.
const OF_ADDRESS: u8 = 0x00;
const OF_NAME: u8 = 0xdc;

impl Topology {
    /// The MAC address of every host's card (its port is 0) and every router's port, by name and port.
    ///
    /// Whoever says none gets one that can be read: `02:00` and the IP address, so 192.168.1.10 is
    /// `02:00:c0:a8:01:0a`. Where two have the same IP address on different links, the second of them, in
    /// the order of names, gets `02:01`, and so on. A host that asks for its address gets `02:dc` and a
    /// number made of its name. So one more host or router changes no other's address.
    pub fn mac_addresses(&self) -> BTreeMap<(&str, usize), MacAddress> {
        let mut wanted = Vec::new();
        for (name, host) in &self.hosts {
            let from = match host.address {
                HostAddress::Static(cidr) => prefixed(OF_ADDRESS, cidr.address.octets()),
                HostAddress::Dhcp => prefixed(OF_NAME, fnv1a(name.as_bytes()).to_be_bytes()),
            };
            wanted.push(((name.as_str(), 0), host.mac, from));
        }
        for (name, router) in &self.routers {
            for (port, spec) in router.ports.iter().enumerate() {
                let from = prefixed(OF_ADDRESS, spec.address.address.octets());
                wanted.push(((name.as_str(), port), spec.mac, from));
            }
        }
        let mut taken: BTreeSet<MacAddress> = wanted.iter().filter_map(|(_, said, _)| *said).collect();
        let mut addresses = BTreeMap::new();
        for (socket, said, [first, a, b, c, d]) in wanted {
            // There are 256 of each; with all of them taken, the first is given again.
            let free = (0..=u8::MAX).map(|n| MacAddress([2, first.wrapping_add(n), a, b, c, d]));
            let made = || free.clone().find(|mac| !taken.contains(mac)).or_else(|| free.clone().next());
            if let Some(mac) = said.or_else(made) {
                taken.insert(mac);
                addresses.insert(socket, mac);
            }
        }
        addresses
    }
}

fn prefixed(first: u8, [a, b, c, d]: [u8; 4]) -> [u8; 5] {
    [first, a, b, c, d]
}

/// FNV-1a, 32 bits.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
