//! The front interface: what answers for the host where no socket does. smoltcp's interface with
//! no socket in it answers echo requests, segments for no connection (RST) and
//! datagrams for no port (ICMP port unreachable).

use super::port::{Link, Port, interface};
use super::wire::Wire;
use glasstack_journal::Instant;
use glasstack_journal::event::{MacAddress, Medium};
use smoltcp::iface::{Interface, SocketSet};
use std::net::Ipv4Addr;

/// The largest packet it may answer with; what exceeds the MTU is fragmented behind it.
const LARGEST: usize = 65_535;

/// The host's own voice.
pub(crate) struct Front {
    port: Port,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Front {
    pub(crate) fn new(wire: &Wire, now: Instant) -> Self {
        let mut port = Port::new(wire.medium, LARGEST);
        // Every address counts as a neighbour: an answer goes back to the station that asked.
        let link = Link { local: wire.local, prefix_len: 0, gateway: None };
        let interface = interface(&mut port, wire.mac, link, wire.entropy.u64(), now);
        Self { port, interface, sockets: SocketSet::new(Vec::new()) }
    }

    /// What this host answers to a frame. `asker` is who sent it, by IP and by MAC address: the
    /// interface is told beforehand, so that no answer waits for ARP.
    pub(crate) fn answer(
        &mut self,
        wire: &Wire,
        asker: Option<(Ipv4Addr, MacAddress)>,
        frame: &[u8],
        now: Instant,
    ) -> Vec<Vec<u8>> {
        if let (Medium::Ethernet, Some((ip, mac))) = (wire.medium, asker) {
            self.receive(&wire.reply_to_inner(wire.local, ip, mac), now);
        }
        self.receive(frame, now);
        std::iter::from_fn(|| self.port.take()).collect()
    }
    fn receive(&mut self, frame: &[u8], now: Instant) {
        self.port.deliver(frame, &mut self.interface, &mut self.sockets, now);
    }
}
