//! A router: it forwards IPv4 packets between its ports (RFC 1812 5), asks and answers ARP, and tells
//! senders by ICMP what it could not forward.
//!
//! ```text
//!   frame --> ours? --> header sound? --> for the router itself? --> TTL --> route --> MTU --> ARP --> frame
//!               |            |                 | echo reply           |        |        |       |
//!            discarded    discarded                             time exceeded, no route, too big, nobody there
//! ```
//!
//! Read in this order: `config` (how a router is to be), this file (what it is, and the way of a packet),
//! `routes` (the longest prefix), `neighbours` (ARP), `packet` (the bytes), `nat` and `filter`.
//!
//! # Services of its own
//!
//! What a router does besides forwarding, RIP or DHCP, is a `Service`: one file each. It has a UDP port,
//! gets the datagrams that come to it (to the router's addresses, to broadcasts, and to the groups it
//! names), is polled when its deadline comes, and answers through the `Desk` that it is lent: time, ports,
//! routing table, dice, journal, and `send`. Its configuration implements `ServiceConfig` and gets into
//! the router by a method of its own on [`RouterConfig`], which calls `RouterConfig::service`. See
//! `service`.

mod config;
mod filter;
mod nat;
mod neighbours;
mod packet;
mod routes;
mod service;

pub use config::RouterConfig;
pub use filter::{Action, Filter, Protocol, Rule, Side};
pub use nat::{Filtering, Forward, Forwarded, NatConfig, Timeouts};

use crate::entropy::Rng;
use crate::node::{Node, NodeContext, WireFrame};
use config::PortConfig;
use glasstack_journal::event::{
    Arp, Direction, DropReason, FrameId, Icmp, InterfaceId, Ip, Link, MacAddress, Medium, RequestReason,
};
use glasstack_journal::{Event, Instant, Scope};
use glasstack_stack::{DeviceError, Prefix};
use neighbours::{Due, Enqueued, Neighbours, NextHop};
use packet::{IcmpError, Packet};
use routes::{Origin, Routes, Row};
use service::{Datagram, Desk, Outgoing, Service};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The smallest MTU that every link must have (RFC 791 3.2).
const SMALLEST_MTU: usize = 68;

/// The node itself; made by [`SimWorld::add_router`](crate::SimWorld::add_router).
pub(crate) struct Router {
    ports: Vec<Port>,
    routes: Routes,
    neighbours: Neighbours,
    silent_when_too_big: bool,
    next_identification: u16,
    rng: Rng,
    services: Vec<Box<dyn Service>>,
    /// What services have said before the first instant.
    early: Vec<Outgoing>,
    /// Destinations whose route has been told to the journal.
    told: BTreeSet<Ipv4Addr>,
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
        for PortConfig { address, prefix_len, mtu } in config.ports {
            let network = Prefix::new(address, prefix_len).ok_or(format!("a prefix of {prefix_len} bits"))?;
            if mtu < SMALLEST_MTU {
                return Err(format!("an MTU of {mtu} bytes; {SMALLEST_MTU} is the least (RFC 791)"));
            }
            routes.add(Row { prefix: network, via: None, port: ports.len(), origin: Origin::Connected });
            let (interface, name) =
                (context.scope().journal().next_interface(), format!("eth{}", ports.len()));
            ports.push(Port { interface, name, mac: next_mac(), address, network, mtu });
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
            next_identification: 1,
            rng,
            services: Vec::new(),
            early: Vec::new(),
            told: BTreeSet::new(),
        };
        for service in config.services {
            let (started, out) = router.lend(context.scope(), |desk| service.start(desk));
            router.services.push(started?);
            router.early.extend(out);
        }
        Ok(router)
    }

    /// RFC 1812 5.2.1: the way of a packet through the router.
    fn on_packet(&mut self, index: usize, frame: &WireFrame, context: &mut NodeContext<'_>) {
        let packet = match Packet::parse(&frame.bytes) {
            Ok(packet) => packet,
            Err((reason, detail)) => return discard(frame.id, reason, detail, context),
        };
        if self.serve(index, frame, &packet, context) {
            return;
        }
        if self.is_own(packet.destination()) {
            return self.on_own_packet(frame.id, &packet, context);
        }
        // RFC 1812 5.3.5 and 5.2.1: neither broadcasts nor, by this router, multicasts are forwarded.
        let is_broadcast = |port: &Port| port.network.broadcast() == Some(packet.destination());
        if packet.is_to_a_group() || self.ports.iter().any(is_broadcast) {
            let detail = format!("{} is not forwarded", packet.destination());
            return discard(frame.id, DropReason::NotOurAddress, detail, context);
        }
        // RFC 1812 5.3.1: a packet whose TTL would reach zero is not forwarded.
        if packet.ttl() <= 1 {
            discard(frame.id, DropReason::TtlExpired, format!("TTL {}", packet.ttl()), context);
            return self.tell(&packet, IcmpError::TimeExceeded, context);
        }
        let Some(row) = self.routes.lookup(packet.destination()) else {
            discard(frame.id, DropReason::NoRoute, format!("to {}", packet.destination()), context);
            return self.tell(&packet, IcmpError::NetworkUnreachable, context);
        };
        self.tell_route(&packet, row, context);
        self.forward(frame.id, packet.with_ttl_decremented(), row, context);
    }

    /// RFC 1812 5.2.7: out of the port of `row`, in pieces if need be.
    fn forward(&mut self, id: FrameId, packet: Packet, row: Row, context: &mut NodeContext<'_>) {
        let Some(out) = self.ports.get(row.port) else { return };
        let mtu = out.mtu;
        let next_hop = NextHop { port: row.port, address: row.via.unwrap_or(packet.destination()) };
        if packet.len() <= mtu {
            return self.send(id, packet, next_hop, context);
        }
        if packet.dont_fragment() {
            let detail = format!("{} bytes, the MTU of {} is {mtu}", packet.len(), out.name);
            discard(id, DropReason::TooBig, detail, context);
            if !self.silent_when_too_big {
                self.tell(&packet, IcmpError::FragmentationNeeded { mtu }, context);
            }
            return;
        }
        let pieces: Vec<_> =
            packet.fragments(mtu).into_iter().map(|p| (context.new_frame(Vec::new()).id, p)).collect();
        context.record(|| Ip::Fragmented {
            frames: pieces.iter().map(|(id, _)| *id).collect(),
            length: packet.len(),
            mtu,
            identification: packet.identification(),
        });
        for (id, piece) in pieces {
            self.send(id, piece, next_hop, context);
        }
    }

    /// Gives a datagram to the service whose port it is for. False if it is none's.
    fn serve(
        &mut self,
        index: usize,
        frame: &WireFrame,
        packet: &Packet,
        context: &mut NodeContext<'_>,
    ) -> bool {
        let (Some((source, destination, payload)), Some(port)) = (packet.udp(), self.ports.get(index)) else {
            return false;
        };
        let to = *destination.ip();
        let to_all = to.is_broadcast() || port.network.broadcast() == Some(to) || self.is_own(to);
        let is_meant = |service: &Box<dyn Service>| {
            service.udp_port() == destination.port() && (to_all || service.groups().contains(&to))
        };
        let Some(which) = self.services.iter().position(is_meant) else { return false };
        let datagram = Datagram {
            frame: frame.id,
            port: index,
            source_mac: frame.view().source_mac().unwrap_or(MacAddress([0; 6])),
            source,
            destination,
            ttl: packet.ttl(),
            payload,
        };
        self.call(context, |services, desk| {
            if let Some(service) = services.get_mut(which) {
                service.on_datagram(&datagram, desk);
            }
        });
        true
    }

    /// Calls services and sends what they say.
    fn call(
        &mut self,
        context: &mut NodeContext<'_>,
        call: impl FnOnce(&mut Vec<Box<dyn Service>>, &mut Desk<'_>),
    ) {
        let mut services = std::mem::take(&mut self.services);
        let ((), out) = self.lend(context.scope(), |desk| call(&mut services, desk));
        self.services = services;
        for datagram in out {
            self.send_datagram(datagram, context);
        }
    }

    fn lend<R>(&mut self, scope: &Scope, call: impl FnOnce(&mut Desk<'_>) -> R) -> (R, Vec<Outgoing>) {
        let (ports, routes, rng) = (self.ports.as_slice(), &mut self.routes, &mut self.rng);
        let mut desk = Desk { scope, ports, routes, rng, out: Vec::new() };
        let result = call(&mut desk);
        (result, desk.out)
    }

    /// Sends a datagram of a service.
    fn send_datagram(&mut self, datagram: Outgoing, context: &mut NodeContext<'_>) {
        let to = *datagram.destination.ip();
        let routed = self.routes.lookup(to).filter(|row| datagram.port.is_none_or(|port| port == row.port));
        let Some(index) = datagram.port.or(routed.map(|row| row.port)) else { return };
        let packet = Packet::datagram(&datagram, self.identification());
        let Some(port) = self.ports.get(index) else { return };
        let is_broadcast = to.is_broadcast() || port.network.broadcast() == Some(to);
        let mac = match datagram.mac {
            None if is_broadcast => Some(MacAddress::BROADCAST),
            None if to.is_multicast() => Some(packet::group_mac(to)),
            mac => mac,
        };
        let id = context.new_frame(Vec::new()).id;
        match mac {
            Some(mac) => port.emit(index, WireFrame { id, bytes: packet.framed(port.mac, mac) }, context),
            None => {
                let address = routed.and_then(|row| row.via).unwrap_or(to);
                self.send(id, packet, NextHop { port: index, address }, context);
            }
        }
    }

    /// A packet to the router itself: it answers echo requests (RFC 1812 4.3.3.6) and speaks nothing else.
    fn on_own_packet(&mut self, id: FrameId, packet: &Packet, context: &mut NodeContext<'_>) {
        match packet.echo_reply(self.identification()) {
            Some(reply) => {
                self.originate(reply, context);
            }
            None if packet.is_udp() => {
                discard(id, DropReason::NoUdpSocket, "a router has no UDP ports".to_owned(), context);
                self.tell(packet, IcmpError::PortUnreachable, context);
            }
            None => {
                let detail = format!("protocol {} to the router itself", packet.protocol());
                discard(id, DropReason::UnknownProtocol, detail, context);
                self.tell(packet, IcmpError::ProtocolUnreachable, context);
            }
        }
    }

    /// Sends an ICMP error about `packet` to its sender, unless RFC 1812 4.3.2.7 forbids it. The rate of
    /// errors is not limited (4.3.2.8 would let it be).
    fn tell(&mut self, packet: &Packet, error: IcmpError, context: &mut NodeContext<'_>) {
        if packet.forbids_errors() || self.is_own(packet.source()) {
            return;
        }
        // RFC 1812 4.3.2.4: the source is the address of the port that the message leaves by.
        let Some(port) = self.routes.lookup(packet.source()).and_then(|row| self.ports.get(row.port)) else {
            return;
        };
        let source = port.address;
        let message = packet.error_about(error, source, self.identification());
        let to = packet.source();
        if let Some(frame) = self.originate(message, context) {
            context.record(|| Icmp::ErrorSent { frame, to, what: error.to_string() });
        }
    }

    /// Sends a packet of the router's own.
    fn originate(&mut self, packet: Packet, context: &mut NodeContext<'_>) -> Option<FrameId> {
        let row = self.routes.lookup(packet.destination())?;
        let next_hop = NextHop { port: row.port, address: row.via.unwrap_or(packet.destination()) };
        let id = context.new_frame(Vec::new()).id;
        self.send(id, packet, next_hop, context);
        Some(id)
    }

    /// Puts an Ethernet header before the packet and sends it, once the next hop's address is known.
    fn send(&mut self, id: FrameId, packet: Packet, to: NextHop, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(to.port) else { return };
        let known = self.neighbours.lookup(to, context.now());
        let frame = WireFrame { id, bytes: packet.framed(port.mac, known.unwrap_or(MacAddress([0; 6]))) };
        if known.is_some() {
            return port.emit(to.port, frame, context);
        }
        match self.neighbours.enqueue(to, frame, context.now()) {
            Enqueued::First => self.ask(to, RequestReason::Unknown, context),
            Enqueued::Waits => {}
            Enqueued::Full => {
                discard(id, DropReason::ArpQueueFull, format!("waiting for {}", to.address), context);
            }
        }
    }

    /// Asks for the MAC address of `to` (RFC 826).
    fn ask(&self, to: NextHop, why: RequestReason, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(to.port) else { return };
        let frame = context.new_frame(packet::arp_request(port.mac, port.address, to.address));
        context.record(|| Arp::RequestSent { frame: frame.id, next_hop: to.address, why });
        port.emit(to.port, frame, context);
    }

    /// RFC 826, "Packet Reception".
    fn on_arp(&mut self, index: usize, frame: &WireFrame, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(index) else { return };
        let Some(arp) = packet::parse_arp(&frame.bytes) else {
            return discard(frame.id, DropReason::BadArp, "not Ethernet and IPv4".to_owned(), context);
        };
        let ours = arp.target == port.address;
        let sender = NextHop { port: index, address: arp.sender };
        if port.network.contains(arp.sender) && (ours || self.neighbours.knows(sender)) {
            let (before, waiting) = self.neighbours.learn(sender, arp.sender_mac, context.now());
            if before != Some(arp.sender_mac) {
                context.record(|| Arp::Learned { ip: arp.sender, mac: arp.sender_mac, before });
            }
            for waited in waiting {
                port.emit(index, waited, context);
            }
        }
        if arp.is_request && ours {
            let reply = context.new_frame(packet::arp_reply(port.mac, port.address, &arp));
            context.record(|| Arp::ReplySent { frame: reply.id, to: arp.sender });
            port.emit(index, reply, context);
        }
    }

    fn is_own(&self, address: Ipv4Addr) -> bool {
        self.ports.iter().any(|port| port.address == address)
    }

    /// Tells once for every destination which row its packets take.
    fn tell_route(&mut self, packet: &Packet, row: Row, context: &NodeContext<'_>) {
        let (Some(port), true) = (self.ports.get(row.port), self.told.insert(packet.destination())) else {
            return;
        };
        context.record(|| Ip::RouteChosen {
            destination: packet.destination().into(),
            row: match row.via {
                Some(via) => format!("{} via {via} dev {}", row.prefix, port.name),
                None => format!("{} dev {}", row.prefix, port.name),
            },
            next_hop: row.via.unwrap_or(packet.destination()).into(),
            interface: port.name.clone(),
            source: port.address.into(),
            why: format!("longest prefix that matches (/{})", row.prefix.prefix_len()),
        });
    }

    fn identification(&mut self) -> u16 {
        self.next_identification = self.next_identification.wrapping_add(1);
        self.next_identification
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
            (_, Some(packet::ARP)) => self.on_arp(index, &frame, context),
            (_, Some(packet::IPV4)) => self.on_packet(index, &frame, context),
            (_, Some(other)) => {
                discard(frame.id, DropReason::UnknownEtherType, format!("EtherType {other:#06x}"), context);
            }
            (_, None) => {
                discard(frame.id, DropReason::Truncated, "no Ethernet header".to_owned(), context);
            }
        }
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        for due in self.neighbours.due(context.now()) {
            match due {
                Due::Ask { to, attempt } => self.ask(to, RequestReason::NoReply { attempt }, context),
                Due::Failed { to, attempts, waiting } => {
                    context.record(|| Arp::Failed { next_hop: to.address, attempts });
                    for frame in waiting {
                        let detail = format!("{} does not answer", to.address);
                        discard(frame.id, DropReason::NoArpReply, detail, context);
                        if let Ok(packet) = Packet::parse(&frame.bytes) {
                            self.tell(&packet, IcmpError::HostUnreachable, context);
                        }
                    }
                }
            }
        }
        for datagram in std::mem::take(&mut self.early) {
            self.send_datagram(datagram, context);
        }
        let now = context.now();
        let is_due = |service: &dyn Service| service.next_deadline().is_some_and(|at| at <= now);
        if self.services.iter().any(|service| is_due(service.as_ref())) {
            self.call(context, |services, desk| {
                for service in services.iter_mut().filter(|service| is_due(service.as_ref())) {
                    service.poll(desk);
                }
            });
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        if !self.early.is_empty() {
            return Some(Instant::ZERO);
        }
        let services = self.services.iter().filter_map(|service| service.next_deadline());
        services.chain(self.neighbours.next_deadline()).min()
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
