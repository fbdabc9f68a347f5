//! The way of a packet through the router (RFC 1812 5.2.1): admitted, routed, forwarded, sent.

use super::answers::{self, IcmpError};
use super::fragment::fragments;
use super::neighbours::{Enqueued, NextHop};
use super::options::{self, Found, Stamp};
use super::packet::{Packet, SHORTEST_HEADER};
use super::passage::Plan;
use super::pieces::Fate;
use super::routes::Row;
use super::{Port, Router, arp, discard};
use crate::arp::ArpPacket;
use crate::node::{NodeContext, WireFrame};
use glasstack_journal::event::{Arp, DropReason, FrameId, Icmp, Ip, MacAddress, RequestReason};
use std::net::Ipv4Addr;

/// Destinations whose route has been told and is not told again.
const MOST_TOLD: usize = 4_096;

/// A packet that has come in.
pub(super) struct Arrival {
    pub(super) frame: FrameId,
    /// By this port of the router.
    pub(super) port: usize,
    /// The frame was for this station alone.
    pub(super) is_for_us_alone: bool,
    /// What of its options concerns a router.
    pub(super) options: Found,
    pub(super) packet: Packet,
}

impl Router {
    /// RFC 1812 5.2.1: takes a packet in and does with it what is to be done.
    pub(super) fn on_packet(&mut self, port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        let id = frame.id;
        let destination_mac = frame.view().destination_mac();
        let packet = match Packet::parse(frame.bytes) {
            Ok(packet) => packet,
            Err((reason, detail)) => return discard(id, reason, detail, context),
        };
        let mut arrival = Arrival {
            frame: id,
            port,
            is_for_us_alone: destination_mac.is_some_and(|mac| !mac.is_multicast()),
            options: Found::default(),
            packet,
        };
        if let Err((reason, detail)) = self.judge_addresses(&arrival) {
            return discard(id, reason, detail, context);
        }
        if self.read_options(&mut arrival, context) && !self.serve(&arrival, context) {
            self.sort(arrival, context);
        }
    }

    /// RFC 1812 5.3.7: addresses that no packet on a network may have ("martians").
    fn judge_addresses(&self, arrival: &Arrival) -> Result<(), (DropReason, String)> {
        let (source, destination) = (arrival.packet.source(), arrival.packet.destination());
        let bad_source = |why: &str| Err((DropReason::MartianSource, format!("{source} {why}")));
        // RFC 1122 3.2.1.3 (a): only who does not know his address yet may say 0.0.0.0, to everybody.
        let asks_for_one = source.is_unspecified() && destination.is_broadcast();
        if source.is_loopback() || source.is_multicast() || source.is_broadcast() {
            return bad_source("is no single host's");
        }
        if source.octets()[0] == 0 && !asks_for_one {
            return bad_source("is on network 0");
        }
        if self.is_own(source) {
            return bad_source("is this router's own");
        }
        if self.is_directed_broadcast(source) {
            return bad_source("is a broadcast address");
        }
        let back = self.routes.lookup(source).map(|row| row.port);
        if self.checks_sources && !asks_for_one && back != Some(arrival.port) {
            // RFC 3704 2.2.
            return bad_source("is not reached by the port that it came in by");
        }
        // Class E was never given to anybody (RFC 1812 5.3.7); loopback stays where it is.
        let is_reserved = destination.octets()[0] >= 240 && !destination.is_broadcast();
        if destination.is_loopback() || destination.octets()[0] == 0 || is_reserved {
            return Err((DropReason::MartianDestination, format!("to {destination}")));
        }
        Ok(())
    }

    /// Reads the options (RFC 1812 4.2.2.6). False if the packet goes no further.
    fn read_options(&mut self, arrival: &mut Arrival, context: &mut NodeContext<'_>) -> bool {
        match options::read(arrival.packet.options()) {
            Ok(found) if found.source_route => {
                let detail = format!("from {}", arrival.packet.source());
                discard(arrival.frame, DropReason::SourceRoute, detail, context);
                false
            }
            Ok(found) => {
                arrival.options = found;
                true
            }
            Err(at) => {
                let pointer = u8::try_from(SHORTEST_HEADER + at).unwrap_or(u8::MAX);
                discard(arrival.frame, DropReason::BadIpOption, format!("at byte {pointer}"), context);
                // RFC 1812 4.3.3.5.
                self.tell(arrival, IcmpError::ParameterProblem { pointer }, context);
                false
            }
        }
    }

    /// RFC 1812 5.2.3: for the router itself, for everybody on a link, or for somebody elsewhere.
    fn sort(&mut self, arrival: Arrival, context: &mut NodeContext<'_>) {
        let (id, destination) = (arrival.frame, arrival.packet.destination());
        let is_own = self.is_own(destination);
        if arrival.packet.is_to_a_group() || !is_own && self.is_directed_broadcast(destination) {
            // RFC 1812 5.3.5, RFC 2644; multicasts are not routed here.
            discard(id, DropReason::NotForwarded, format!("to {destination}"), context);
        } else if !is_own && !arrival.is_for_us_alone {
            // RFC 1812 5.3.4.
            discard(id, DropReason::LinkBroadcast, format!("to {destination}"), context);
        } else if self.passages.is_some() {
            self.sort_followed(arrival, context);
        } else if is_own {
            self.on_own_packet(arrival, context);
        } else {
            self.route(arrival, &Plan::Plain, context);
        }
    }

    /// RFC 1812 5.2.4: where to, if anywhere, and whether the packet may live on.
    pub(super) fn route(&mut self, arrival: Arrival, plan: &Plan, context: &mut NodeContext<'_>) -> Fate {
        let (id, ttl) = (arrival.frame, arrival.packet.ttl());
        let destination = plan.destination(&arrival.packet);
        let Some(row) = self.routes.lookup(destination) else {
            discard(id, DropReason::NoRoute, format!("to {destination}"), context);
            self.tell(&arrival, IcmpError::NetworkUnreachable, context);
            return Fate::Stays;
        };
        // RFC 1812 5.3.1: a packet whose TTL would reach zero is not forwarded.
        if ttl <= 1 {
            discard(id, DropReason::TtlExpired, format!("TTL {ttl}"), context);
            self.tell(&arrival, IcmpError::TimeExceeded, context);
            return Fate::Stays;
        }
        self.tell_route(destination, row, context);
        self.forward(arrival, plan, row, context)
    }

    /// Changes what a hop changes, and sends the packet on.
    fn forward(
        &mut self,
        mut arrival: Arrival,
        plan: &Plan,
        row: Row,
        context: &mut NodeContext<'_>,
    ) -> Fate {
        let keeps_its_way = plan.destination(&arrival.packet) == arrival.packet.destination();
        if self.is_too_big(&arrival, row, context) || !self.pass(&mut arrival, plan, row, context) {
            return Fate::Stays;
        }
        if keeps_its_way {
            self.tell_shorter_way(&arrival, row, context);
        }
        arrival.packet.decrement_ttl();
        self.write_options(&mut arrival, row, context);
        let (source, destination) = (arrival.packet.source(), arrival.packet.destination());
        self.emit(arrival.frame, arrival.packet, row.next_hop(destination), context);
        Fate::Goes { source, destination }
    }

    /// RFC 1812 4.2.2.7, RFC 1191 4: too long for the next link, and not to be cut.
    fn is_too_big(&mut self, arrival: &Arrival, row: Row, context: &mut NodeContext<'_>) -> bool {
        let Some(out) = self.ports.get(row.port) else { return false };
        let (length, mtu) = (arrival.packet.len(), out.mtu);
        if length <= mtu || !arrival.packet.dont_fragment() {
            return false;
        }
        let detail = format!("{length} bytes, the MTU of {} is {mtu}", out.name);
        discard(arrival.frame, DropReason::TooBig, detail, context);
        if !self.silent_when_too_big {
            self.tell(arrival, IcmpError::FragmentationNeeded { mtu }, context);
        }
        true
    }

    /// RFC 1812 5.2.7.2: a packet that leaves by the port it came in by, from a neighbour on that link,
    /// could have gone to the next hop at once. It is forwarded all the same.
    fn tell_shorter_way(&mut self, arrival: &Arrival, row: Row, context: &mut NodeContext<'_>) {
        let source = arrival.packet.source();
        let is_neighbour = |port: &Port| port.network.contains(source);
        if arrival.port == row.port && self.ports.get(row.port).is_some_and(is_neighbour) {
            let to = row.next_hop(arrival.packet.destination()).address;
            self.tell(arrival, IcmpError::Redirect { to }, context);
        }
    }

    /// RFC 1812 5.3.13: into those options that ask for it.
    fn write_options(&self, arrival: &mut Arrival, row: Row, context: &NodeContext<'_>) {
        let ports = (self.ports.get(arrival.port), self.ports.get(row.port));
        let (Some(by), Some(out), false) = (ports.0, ports.1, arrival.packet.options().is_empty()) else {
            return;
        };
        let mut options = arrival.packet.options().to_vec();
        let now = Stamp { by: by.address, millis: millis(context) };
        arrival.options.write(&mut options, out.address, now, |address| self.is_own(address));
        arrival.packet.set_options(&options);
    }

    /// RFC 1812 5.2.7: out of a port, in pieces if need be.
    pub(super) fn emit(&mut self, id: FrameId, packet: Packet, to: NextHop, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(to.port) else { return };
        for (id, piece) in port.pieces(id, packet, context) {
            self.send(id, piece, to, context);
        }
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
    pub(super) fn ask(&self, to: NextHop, why: RequestReason, context: &mut NodeContext<'_>) {
        let Some(port) = self.ports.get(to.port) else { return };
        let request = ArpPacket::request((port.mac, port.address), to.address);
        let frame = context.new_frame(arp::framed(&request, MacAddress::BROADCAST));
        context.record(|| Arp::RequestSent { frame: frame.id, next_hop: to.address, why });
        port.emit(to.port, frame, context);
    }

    /// A packet that waited for an address that nobody has (RFC 1812 5.2.7.1).
    pub(super) fn give_up(&mut self, frame: WireFrame, to: NextHop, context: &mut NodeContext<'_>) {
        discard(frame.id, DropReason::NoArpReply, format!("{} does not answer", to.address), context);
        if let Ok(mut packet) = Packet::parse(frame.bytes) {
            self.restore(&mut packet);
            self.tell_of(frame.id, &packet, IcmpError::HostUnreachable, context);
        }
    }

    /// Sends an ICMP error about a packet to its sender, unless RFC 1812 4.3.2.7 forbids it.
    pub(super) fn tell(&mut self, arrival: &Arrival, error: IcmpError, context: &mut NodeContext<'_>) {
        if arrival.is_for_us_alone {
            self.tell_of(arrival.frame, &arrival.packet, error, context);
        }
    }

    fn tell_of(&mut self, frame: FrameId, packet: &Packet, error: IcmpError, context: &mut NodeContext<'_>) {
        let to = packet.source();
        if answers::forbids_errors(packet)
            || self.is_own(to)
            || self.is_directed_broadcast(packet.destination())
        {
            return;
        }
        // RFC 1812 4.3.2.4: the source is the address of the port that the message leaves by; but who
        // wrote to one of the router's addresses is answered by that one (RFC 1122 3.2.1.3).
        let Some(port) = self.routes.lookup(to).and_then(|row| self.ports.get(row.port)) else { return };
        let source = if self.is_own(packet.destination()) { packet.destination() } else { port.address };
        if !self.errors.take(context.now()) {
            let detail = format!("{error}, to {to}");
            return discard(frame, DropReason::IcmpRateLimited, detail, context);
        }
        let message = answers::error(packet, error, source, self.identification());
        if let Some(frame) = self.originate(message, context) {
            context.record(|| Icmp::ErrorSent { frame, to, what: error.to_string() });
        }
    }

    /// Sends a packet of the router's own.
    pub(super) fn originate(&mut self, packet: Packet, context: &mut NodeContext<'_>) -> Option<FrameId> {
        let next_hop = self.routes.lookup(packet.destination())?.next_hop(packet.destination());
        let id = context.new_frame(Vec::new()).id;
        self.emit(id, packet, next_hop, context);
        Some(id)
    }

    /// Tells once for every destination which row its packets take, and again after the table has changed.
    fn tell_route(&mut self, destination: Ipv4Addr, row: Row, context: &NodeContext<'_>) {
        let Some(port) = self.ports.get(row.port) else { return };
        if self.told.len() >= MOST_TOLD {
            self.told.clear();
        }
        if self.told.insert(destination, row) == Some(row) {
            return;
        }
        context.record(|| Ip::RouteChosen {
            destination: destination.into(),
            row: match row.via {
                Some(via) => format!("{} via {via} dev {}", row.prefix, port.name),
                None => format!("{} dev {}", row.prefix, port.name),
            },
            next_hop: row.next_hop(destination).address.into(),
            interface: port.name.clone(),
            source: port.address.into(),
            why: format!("longest prefix that matches (/{})", row.prefix.prefix_len()),
        });
    }

    pub(super) fn identification(&mut self) -> u16 {
        self.next_identification = self.next_identification.wrapping_add(1);
        self.next_identification
    }
}

impl Port {
    /// The packet in as many pieces as it takes to leave by this port, each with the number of its frame.
    pub(super) fn pieces(
        &self,
        id: FrameId,
        packet: Packet,
        context: &NodeContext<'_>,
    ) -> Vec<(FrameId, Packet)> {
        if packet.len() <= self.mtu {
            return vec![(id, packet)];
        }
        let number = |piece| (context.new_frame(Vec::new()).id, piece);
        let pieces: Vec<_> = fragments(&packet, self.mtu).into_iter().map(number).collect();
        context.record(|| Ip::Fragmented {
            frames: pieces.iter().map(|(id, _)| *id).collect(),
            length: packet.len(),
            mtu: self.mtu,
            identification: packet.identification(),
        });
        pieces
    }
}

/// Milliseconds since midnight UT (RFC 791 3.1, "Internet Timestamp").
pub(super) fn millis(context: &NodeContext<'_>) -> u32 {
    const A_DAY: u64 = 24 * 60 * 60 * 1_000;
    let since_epoch = context.scope().wall().unix_nanos() / 1_000_000;
    u32::try_from(since_epoch % A_DAY).unwrap_or(0)
}
