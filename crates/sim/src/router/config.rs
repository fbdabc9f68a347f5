//! How a router is to be.

use super::filter::Filter;
use super::nat::{Forward, NatConfig};
use super::service::ServiceConfig;
use glasstack_journal::event::MacAddress;
use glasstack_stack::Prefix;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Messages a second and at once: what Linux sends (net.ipv4.icmp_msgs_per_sec, icmp_msgs_burst).
const ERRORS: (u32, u32) = (1_000, 50);

/// How a router is to be: its ports in order, the ways to networks that are not its own, and what it
/// does besides forwarding.
#[derive(Clone, Debug)]
pub struct RouterConfig {
    pub(super) ports: Vec<PortConfig>,
    pub(super) routes: Vec<(Prefix, Ipv4Addr)>,
    pub(super) silent_when_too_big: bool,
    pub(super) checks_sources: bool,
    pub(super) errors: (u32, u32),
    pub(super) nat: Option<NatConfig>,
    pub(super) forwards: Vec<Forward>,
    pub(super) filter: Option<Filter>,
    pub(super) services: Vec<Arc<dyn ServiceConfig>>,
}

#[derive(Clone, Debug)]
pub(super) struct PortConfig {
    pub(super) address: Ipv4Addr,
    pub(super) prefix_len: u8,
    pub(super) mtu: usize,
    /// None: one that the world gives.
    pub(super) mac: Option<MacAddress>,
}

impl Default for RouterConfig {
    fn default() -> Self {
        Self {
            ports: Vec::new(),
            routes: Vec::new(),
            silent_when_too_big: false,
            checks_sources: false,
            errors: ERRORS,
            nat: None,
            forwards: Vec::new(),
            filter: None,
            services: Vec::new(),
        }
    }
}

impl RouterConfig {
    /// A router without ports.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next port: its address, the length of the prefix in bits, and an MTU of 1 500 bytes.
    #[must_use]
    pub fn port(self, address: Ipv4Addr, prefix_len: u8) -> Self {
        self.port_with_mtu(address, prefix_len, 1_500)
    }

    /// The next port, with an MTU of its own, in bytes: larger packets do not leave by it.
    #[must_use]
    pub fn port_with_mtu(mut self, address: Ipv4Addr, prefix_len: u8, mtu: usize) -> Self {
        self.ports.push(PortConfig { address, prefix_len, mtu, mac: None });
        self
    }

    /// The address on its link of the port that was named last. As usual the world gives one.
    #[must_use]
    pub fn port_mac(mut self, mac: MacAddress) -> Self {
        if let Some(port) = self.ports.last_mut() {
            port.mac = Some(mac);
        }
        self
    }

    /// Packets to `prefix` go on to the router `via`, which must be on the network of a port.
    #[must_use]
    pub fn route(mut self, prefix: Prefix, via: Ipv4Addr) -> Self {
        self.routes.push((prefix, via));
        self
    }

    /// The router discards packets that are too big without telling their senders, as many that are
    /// badly set up do: an MTU black hole (RFC 2923 2.1).
    #[must_use]
    pub fn silent_when_too_big(self) -> Self {
        Self { silent_when_too_big: true, ..self }
    }

    /// A packet whose source the router would not reach by the port it came in by is discarded: strict
    /// reverse path forwarding (RFC 3704 2.2; Linux' `rp_filter=1`).
    #[must_use]
    pub fn checks_sources(self) -> Self {
        Self { checks_sources: true, ..self }
    }

    /// At most so many ICMP errors a second, and so many at once (RFC 1812 4.3.2.8). As usual 1 000
    /// and 50, as Linux.
    #[must_use]
    pub fn errors_per_second(self, rate: u32, burst: u32) -> Self {
        Self { errors: (rate, burst), ..self }
    }

    /// Who leaves by the outside port takes its address, and who answers finds back (RFC 3022 2.2).
    #[must_use]
    pub fn nat(self, nat: NatConfig) -> Self {
        Self { nat: Some(nat), ..self }
    }

    /// A port of the outside address leads to a host inside. It needs [`nat`](Self::nat).
    #[must_use]
    pub fn forward(mut self, forward: Forward) -> Self {
        self.forwards.push(forward);
        self
    }

    /// What passes, and what does not.
    #[must_use]
    pub fn filter(self, filter: Filter) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// Something that the router does besides forwarding. Services start in the order of these calls.
    #[must_use]
    pub(super) fn service(mut self, service: impl ServiceConfig + 'static) -> Self {
        self.services.push(Arc::new(service));
        self
    }
}
