//! A router: it forwards IPv4 packets between its ports (RFC 1812 5), asks and answers ARP, and tells
//! senders by ICMP what it could not forward.
//!
//! ```text
//!   frame --> ours? --> addresses, options --> a service's? --> the router's own? --> whose? --> where to?
//!               |               |                 | RIP, DHCP       | echo reply,       |  NAT      |
//!           discarded       discarded,                              | reset, error   nobody's    no route
//!                        parameter problem
//!   --> TTL --> MTU --> filter --> follow, translate --> one hop less --> pieces --> ARP --> frame
//!        |       |        |               |                                           |
//!     exceeded  too big  forbidden     no room                                   nobody there
//! ```
//!
//! Read in this order: `config` (how a router is to be), this file (what it is), `forward` (the way of a
//! packet), `own` (what is for the router itself), `packet` (the bytes), `options`, `fragment`, `answers`
//! (what the router says itself), `routes` (the longest prefix), `arp` and `neighbours`. Those that follow
//! connections, for the NAT or the filter: `passage` (the way of a packet, once more), `tuple`, `conntrack`,
//! `mappings` and `nat`, `translate`, `pieces`, `filter`. Then `service`, `rip` and `dhcp`.
//!
//! # Beside Linux
//!
//! `crates/cli/tests/routers_and_the_kernel.rs` sends about a hundred packets through this router and
//! through a Linux namespace that forwards, and compares what comes out, byte for byte. The differences:
//!
//! | packet | Linux 6 | this router |
//! |---|---|---|
//! | a redirect | quotes the packet with its TTL decremented | as it came (RFC 1812 4.3.2.3) |
//! | TTL 1 and record route | writes into the option, quotes that with a checksum that is now wrong, returns the option in the error | quotes the packet as it came |
//! | echo to the router with record route or timestamps | registers twice | once (RFC 1812 4.3.3.6) |
//! | from network 0, from a directed broadcast | goes on | is discarded (RFC 1812 5.3.7) |
//! | to network 0, to class E | network unreachable | is discarded (RFC 1812 5.3.7) |
//! | ICMP timestamp request | is answered | is not (RFC 1812 4.3.3.8: may be) |
//!
//! Not compared: IP identifications of the routers' own packets, the rates of ICMP errors (Linux limits them
//! by destination, too), and what is told to the journal.
//!
//! # Services of its own
//!
//! What a router does besides forwarding, RIP or DHCP, is a `Service`: one file each. It has a UDP port,
//! gets the datagrams that come to it (to the router's addresses, to broadcasts, and to the groups it
//! names), is polled when its deadline comes, and answers through the `Desk` that it is lent: time, ports,
//! routing table, dice, journal, and `send`. Its configuration implements `ServiceConfig` and gets into
//! the router by a method of its own on [`RouterConfig`], which calls `RouterConfig::service`. See
//! `service`.

mod answers;
mod arp;
mod config;
mod conntrack;
mod dhcp;
mod filter;
mod forward;
mod fragment;
mod mappings;
mod nat;
mod neighbours;
mod options;
mod own;
mod packet;
mod passage;
mod pieces;
mod rip;
mod routes;
mod service;
mod translate;
mod tuple;

pub use config::RouterConfig;
pub use dhcp::DhcpConfig;
pub use filter::{Action, BadRule, Filter, Protocol, Rule, Side};
pub use nat::{Filtering, Forward, Forwarded, NatConfig, Timeouts};
pub use rip::{RipConfig, RipTimers};

use crate::arp::{ARP, ArpPacket, REQUEST};
use crate::entropy::Rng;
use crate::node::{Node, NodeContext, WireFrame};
use config::PortConfig;
use glasstack_journal::event::{
    Arp, Direction, DropReason, FrameId, InterfaceId, Link, MacAddress, Medium, RequestReason,
};
use glasstack_journal::{Event, Instant};
use glasstack_stack::{DeviceError, Prefix, Reassembly, TokenBucket};
use neighbours::{Due, Neighbours, NextHop};
use passage::Passages;
use routes::{Origin, Routes, Row};
use service::{Outgoing, Service};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The smallest MTU that every link must have (RFC 791 3.2).
const SMALLEST_MTU: usize = 68;

/// The node itself; made by [`SimWorld::add_router`](crate::SimWorld::add_router).
pub(crate) struct Router {
    ports: Vec<Port>,
    routes: Routes,
    neighbours: Neighbours,
    silent_when_too_big: bool,
    checks_sources: bool,
    /// What ICMP errors may still be sent.
    errors: TokenBucket,
    next_identification: u16,
    rng: Rng,
    /// What is for the router itself and has not come whole.
    reassembly: Reassembly,
    /// None: it follows no connections.
    passages: Option<Passages>,
    services: Vec<Box<dyn Service>>,
    /// What services have said before the first instant.
    early: Vec<Outgoing>,
    /// The route of every destination, as it was told to the journal.
    told: BTreeMap<Ipv4Addr, Row>,
}

struct Port {
    interface: InterfaceId,
    name: String,
    mac: MacAddress,
    address: Ipv4Addr,
    network: Prefix,
    mtu: usize,
}

impl Router {
    /// Checks the configuration and brings ports and services up, with MAC addresses from `next_mac` and
    /// the dice `rng`. The error says what is wrong.
    pub(crate) fn new(
        config: RouterConfig,
        mut next_mac: impl FnMut() -> MacAddress,
        rng: Rng,
        context: &NodeContext<'_>,
    ) -> Result<Self, String> {
        let mut ports = Vec::new();
        let mut routes = Routes::default();
        for PortConfig { address, prefix_len, mtu, mac } in config.ports {
            let network = Prefix::new(address, prefix_len).ok_or(format!("a prefix of {prefix_len} bits"))?;
            if mtu < SMALLEST_MTU {
                return Err(format!("an MTU of {mtu} bytes; {SMALLEST_MTU} is the least (RFC 791)"));
            }
            routes.add(Row { prefix: network, via: None, port: ports.len(), origin: Origin::Connected });
            let (interface, name) =
                (context.scope().journal().next_interface(), format!("eth{}", ports.len()));
            let mac = mac.unwrap_or_else(&mut next_mac);
            ports.push(Port { interface, name, mac, address, network, mtu });
        }
        for (prefix, via) in config.routes {
            let on_link = |port: &Port| port.network.contains(via);
            let port = ports.iter().position(on_link).ok_or(format!("{via} is on no port's network"))?;
            routes.add(Row { prefix, via: Some(via), port, origin: Origin::Static });
        }
        for port in &ports {
            context.record(|| port.up());
        }
        let mut router = Self {
            ports,
            routes,
            neighbours: Neighbours::default(),
            silent_when_too_big: config.silent_when_too_big,
            checks_sources: config.checks_sources,
            errors: TokenBucket::with_rate(context.now(), config.errors.0, config.errors.1),
            next_identification: 1,
            rng,
            reassembly: Reassembly::default(),
            passages: None,
            services: Vec::new(),
            early: Vec::new(),
            told: BTreeMap::new(),
        };
        for service in config.services {
            let (started, out) = router.lend(context.scope(), |desk| service.start(desk));
            router.services.push(started?);
            router.early.extend(out);
        }
        router.passages = router.passages(config.nat, &config.forwards, config.filter)?;
        Ok(router)
    }

    /// RFC 826, "Packet Reception".
    fn on_arp(&mut self, index: usize, frame: &WireFrame, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(index) else { return };
        // RFC 1812 3.3.2: nobody is behind a group's address.
        let packet = ArpPacket::of(&frame.view()).filter(|packet| !packet.sender.0.is_multicast());
        let Some(packet) = packet else {
            return discard(frame.id, DropReason::BadArp, "not Ethernet and IPv4".to_owned(), context);
        };
        let ((mac, ip), ours) = (packet.sender, packet.target.1 == port.address);
        let sender = NextHop { port: index, address: ip };
        if port.network.contains(ip) && (ours || self.neighbours.knows(sender)) {
            let (before, waiting) = self.neighbours.learn(sender, mac, context.now());
            if before != Some(mac) {
                context.record(|| Arp::Learned { ip, mac, before });
            }
            for waited in waiting {
                port.emit(index, waited, context);
            }
        }
        if packet.operation == REQUEST && ours {
            let reply = context.new_frame(arp::framed(&packet.answer(port.mac), mac));
            context.record(|| Arp::ReplySent { frame: reply.id, to: ip });
            port.emit(index, reply, context);
        }
    }

    fn is_own(&self, address: Ipv4Addr) -> bool {
        self.ports.iter().any(|port| port.address == address)
    }

    fn is_directed_broadcast(&self, address: Ipv4Addr) -> bool {
        self.ports.iter().any(|port| port.network.broadcast() == Some(address))
    }
}

impl Node for Router {
    fn ports(&self) -> usize {
        self.ports.len()
    }

    fn on_frame(&mut self, index: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(index) else { return };
        context.record(|| port.passed(&frame, Direction::In));
        let (destination, ether_type) = {
            let view = frame.view();
            (view.destination_mac(), view.ether_type())
        };
        match (destination, ether_type) {
            (Some(to), Some(_)) if to != port.mac && !to.is_multicast() => {
                discard(frame.id, DropReason::NotOurMac, format!("to {to}"), context);
            }
            (_, Some(ARP)) => self.on_arp(index, &frame, context),
            (_, Some(packet::IPV4)) => self.on_packet(index, frame, context),
            (_, Some(other)) => {
                discard(frame.id, DropReason::UnknownEtherType, format!("EtherType {other:#06x}"), context);
            }
            (_, None) => {
                discard(frame.id, DropReason::Truncated, "no Ethernet header".to_owned(), context);
            }
        }
    }

    fn on_carrier(&mut self, port: usize, up: bool, context: &mut NodeContext<'_>) {
        self.call(context, |services, desk| {
            for service in services.iter_mut() {
                service.on_carrier(port, up, desk);
            }
        });
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        for due in self.neighbours.due(context.now()) {
            match due {
                Due::Ask { to, attempt } => self.ask(to, RequestReason::NoReply { attempt }, context),
                Due::Failed { to, attempts, waiting } => {
                    context.record(|| Arp::Failed { next_hop: to.address, attempts });
                    for frame in waiting {
                        self.give_up(frame, to, context);
                    }
                }
            }
        }
        self.poll_passages(context);
        self.poll_reassembly(context);
        self.poll_services(context);
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        if !self.early.is_empty() {
            return Some(Instant::ZERO);
        }
        let services = self.services.iter().filter_map(|service| service.next_deadline());
        let passages = self.passages.as_ref().and_then(Passages::next_deadline);
        let own = [self.neighbours.next_deadline(), self.reassembly.next_deadline(), passages];
        services.chain(own.into_iter().flatten()).min()
    }
}

impl Port {
    fn up(&self) -> Event {
        Event::Link(Link::InterfaceUp {
            interface: self.interface,
            name: self.name.clone(),
            medium: Medium::Ethernet,
            mtu: self.mtu,
            mac: Some(self.mac),
            address: self.address.into(),
            prefix_len: self.network.prefix_len(),
        })
    }

    fn passed(&self, frame: &WireFrame, direction: Direction) -> Link {
        let bytes = frame.bytes.as_slice().into();
        Link::Frame { frame: frame.id, interface: self.interface, direction, bytes }
    }

    fn emit(&self, index: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        context.record(|| self.passed(&frame, Direction::Out));
        context.send(index, frame);
    }
}

fn discard(frame: FrameId, reason: DropReason, detail: String, context: &NodeContext<'_>) {
    context.record(|| Link::Dropped { frame: Some(frame), reason, detail });
}
