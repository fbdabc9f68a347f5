//! What a router does besides forwarding: RIP, DHCP. Each is a [`Service`] in one file of its own.
//!
//! ```text
//!   RouterConfig::rip(..)  --(a ServiceConfig)-->  start  --> Service
//!                                                               | on_datagram  UDP to its port
//!   the router's packets --> Desk { now, ports, routes, chance } | poll         next_deadline is due
//!                                  | send, record <-------------+
//! ```
//!
//! A service's file holds its configuration with a method on [`RouterConfig`](super::RouterConfig) that
//! hands it to `RouterConfig::service`, the implementation of [`ServiceConfig`], and that of [`Service`].

use super::Port;
use super::routes::Routes;
use crate::entropy::Rng;
use glasstack_journal::event::{FrameId, MacAddress};
use glasstack_journal::{Event, Instant, Scope};
use glasstack_stack::Prefix;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// How a service is to be; it is kept in the router's configuration until the router comes up.
pub(super) trait ServiceConfig: fmt::Debug + Send + Sync {
    /// Checks the configuration and brings the service up. The error says what is wrong, as `no port 3
    /// to serve DHCP on`. What it sends already now is sent at the world's first instant.
    fn start(&self, desk: &mut Desk<'_>) -> Result<Box<dyn Service>, String>;
}

/// Something that a router does by UDP. It is called on the world's thread, never waits, and answers
/// by [`Desk::send`].
pub(super) trait Service: Send {
    /// The UDP port where it listens. Two services may share one: both get what comes there.
    fn udp_port(&self) -> u16;

    /// The one port of the router that it is for; none: all of them.
    fn router_port(&self) -> Option<usize> {
        None
    }

    /// The groups it listens to besides the router's own addresses and broadcasts.
    fn groups(&self) -> &[Ipv4Addr] {
        &[]
    }

    /// A datagram to its port has come whole, with a right checksum.
    fn on_datagram(&mut self, datagram: &Datagram<'_>, desk: &mut Desk<'_>);

    /// The cable at a port of the router was unplugged (false) or plugged in (true).
    fn on_carrier(&mut self, _port: usize, _up: bool, _desk: &mut Desk<'_>) {}

    /// Does what is due.
    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    /// When it wants to be polled.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
}

/// A UDP datagram to the router itself, to a broadcast address or to a group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datagram<'a> {
    /// The frame it came in.
    pub(super) frame: FrameId,
    /// The port of the router it came in by.
    pub(super) port: usize,
    pub(super) source: SocketAddrV4,
    pub(super) payload: &'a [u8],
}

/// A UDP datagram of the router's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// The port of the router it leaves by; none: as the routing table says. Broadcasts and groups
    /// need one.
    pub(super) port: Option<usize>,
    /// The station it goes to; none: as ARP says, or as follows from a broadcast's or group's address.
    pub(super) mac: Option<MacAddress>,
    pub(super) source: SocketAddrV4,
    pub(super) destination: SocketAddrV4,
    pub(super) ttl: u8,
    pub(super) payload: Vec<u8>,
}

/// A port of the router, as a service sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortView {
    /// As `eth0`.
    pub(super) name: String,
    pub(super) address: Ipv4Addr,
    pub(super) network: Prefix,
    /// In bytes.
    pub(super) mtu: usize,
}

/// What the router lends to a service while it calls it.
pub(super) struct Desk<'a> {
    pub(super) scope: &'a Scope,
    pub(super) ports: &'a [Port],
    pub(super) routes: &'a mut Routes,
    pub(super) rng: &'a mut Rng,
    pub(super) out: Vec<Outgoing>,
}

impl Desk<'_> {
    /// What time it is.
    pub(super) fn now(&self) -> Instant {
        self.scope.now()
    }

    /// Records a fact at the router, now.
    pub(super) fn record<E: Into<Event>>(&self, event: impl FnOnce() -> E) {
        self.scope.record(event);
    }

    /// How many ports the router has; they are counted from 0.
    pub(super) fn ports(&self) -> usize {
        self.ports.len()
    }

    /// One of the router's ports.
    pub(super) fn port(&self, index: usize) -> Option<PortView> {
        self.ports.get(index).map(|port| PortView {
            name: port.name.clone(),
            address: port.address,
            network: port.network,
            mtu: port.mtu,
        })
    }

    /// The routing table, to read and to change.
    pub(super) fn routes(&mut self) -> &mut Routes {
        self.routes
    }

    /// The router's own dice.
    pub(super) fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// Sends a datagram once the service has returned.
    pub(super) fn send(&mut self, datagram: Outgoing) {
        self.out.push(datagram);
    }
}
