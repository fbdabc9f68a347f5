//! What is for the router itself: echo requests, and the services it has.

use super::answers::{self, IcmpError};
use super::forward::{Arrival, millis};
use super::neighbours::NextHop;
use super::packet::{ETHERNET_HEADER, ICMP, Packet, TCP, UDP, byte};
use super::service::{Datagram, Desk, Outgoing, Service};
use super::{Router, arp, discard};
use crate::node::{NodeContext, WireFrame};
use glasstack_journal::Scope;
use glasstack_journal::event::{DropReason, MacAddress};

impl Router {
    /// A packet to the router itself, whole or in pieces (RFC 1812 4.2.2.7).
    pub(super) fn on_own_packet(&mut self, arrival: Arrival, context: &mut NodeContext<'_>) {
        if !arrival.packet.is_fragment() {
            return self.on_own_whole(&arrival, context);
        }
        match self.reassembly.push(context.now(), arrival.packet.bytes(), arrival.frame) {
            Ok(None) => {}
            Ok(Some(whole)) => {
                if let Ok(packet) = Packet::parse([&[0; ETHERNET_HEADER], &whole[..]].concat()) {
                    let arrival = Arrival { packet, ..arrival };
                    if !self.serve(&arrival, context) {
                        self.on_own_whole(&arrival, context);
                    }
                }
            }
            Err((reason, detail)) => discard(arrival.frame, reason, detail, context),
        }
    }

    /// What no service wants: it answers echo requests (RFC 1812 4.3.3.6) and has no open ports.
    fn on_own_whole(&mut self, arrival: &Arrival, context: &mut NodeContext<'_>) {
        let (id, packet) = (arrival.frame, &arrival.packet);
        match packet.protocol() {
            ICMP => self.on_own_icmp(arrival, context),
            UDP if packet.udp().is_none() => {
                discard(id, DropReason::BadUdpChecksum, String::new(), context);
            }
            UDP if !arrival.is_for_us_alone => {
                discard(id, DropReason::NobodyListens, String::new(), context);
            }
            UDP => {
                discard(id, DropReason::NoUdpSocket, "no service of the router's".to_owned(), context);
                self.tell(arrival, IcmpError::PortUnreachable, context);
            }
            TCP if !answers::is_sound_tcp(packet) => {
                discard(id, DropReason::BadTcpChecksum, String::new(), context);
            }
            TCP => {
                discard(id, DropReason::NoTcpSocket, "a router has no TCP ports".to_owned(), context);
                if let Some(reset) = answers::reset(packet).filter(|_| arrival.is_for_us_alone) {
                    self.originate(reset, context);
                }
            }
            other => {
                discard(id, DropReason::UnknownProtocol, format!("protocol {other}"), context);
                self.tell(arrival, IcmpError::ProtocolUnreachable, context);
            }
        }
    }

    fn on_own_icmp(&mut self, arrival: &Arrival, context: &mut NodeContext<'_>) {
        if !answers::is_sound_icmp(&arrival.packet) {
            return discard(arrival.frame, DropReason::BadIcmpChecksum, String::new(), context);
        }
        let identification = self.identification();
        match answers::echo_reply(&arrival.packet, identification, millis(context)) {
            Some(reply) => {
                self.originate(reply, context);
            }
            None => {
                let detail = format!("ICMP type {}", byte(arrival.packet.payload(), 0));
                discard(arrival.frame, DropReason::UnmatchedIcmp, detail, context);
            }
        }
    }

    /// Gives a datagram to the services that listen where it is for. False if none does.
    pub(super) fn serve(&mut self, arrival: &Arrival, context: &mut NodeContext<'_>) -> bool {
        let (Some((source, destination, payload)), Some(port)) =
            (arrival.packet.udp(), self.ports.get(arrival.port))
        else {
            return false;
        };
        let to = *destination.ip();
        let to_all = to.is_broadcast() || port.network.broadcast() == Some(to) || self.is_own(to);
        let is_meant = |service: &dyn Service| {
            service.udp_port() == destination.port()
                && service.router_port().is_none_or(|only| only == arrival.port)
                && (to_all || service.groups().contains(&to))
        };
        if !self.services.iter().any(|service| is_meant(service.as_ref())) {
            return false;
        }
        let datagram = Datagram { frame: arrival.frame, port: arrival.port, source, payload };
        self.call(context, |services, desk| {
            for service in services.iter_mut().filter(|service| is_meant(service.as_ref())) {
                service.on_datagram(&datagram, desk);
            }
        });
        true
    }

    /// Gives up datagrams to the router whose pieces do not come.
    pub(super) fn poll_reassembly(&mut self, context: &NodeContext<'_>) {
        for (frame, reason, detail) in self.reassembly.expire(context.now()) {
            discard(frame, reason, detail, context);
        }
    }

    /// Lets the services do what is due.
    pub(super) fn poll_services(&mut self, context: &mut NodeContext<'_>) {
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
    }

    /// Calls services and sends what they say.
    pub(super) fn call(
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

    /// Lends a desk.
    pub(super) fn lend<R>(
        &mut self,
        scope: &Scope,
        call: impl FnOnce(&mut Desk<'_>) -> R,
    ) -> (R, Vec<Outgoing>) {
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
        let packet = answers::datagram(&datagram, self.identification());
        let Some(port) = self.ports.get(index) else { return };
        let is_broadcast = to.is_broadcast() || port.network.broadcast() == Some(to);
        let mac = match datagram.mac {
            None if is_broadcast => Some(MacAddress::BROADCAST),
            None if to.is_multicast() => Some(arp::group_mac(to)),
            mac => mac,
        };
        let id = context.new_frame(Vec::new()).id;
        match mac {
            Some(mac) => {
                for (id, piece) in port.pieces(id, packet, context) {
                    port.emit(index, WireFrame { id, bytes: piece.framed(port.mac, mac) }, context);
                }
            }
            None => {
                let address = routed.and_then(|row| row.via).unwrap_or(to);
                self.emit(id, packet, NextHop { port: index, address }, context);
            }
        }
    }
}
