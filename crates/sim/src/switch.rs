//! A learning switch (IEEE 802.1D): it remembers behind which port each address was last seen, and
//! sends a frame to that port alone, or out of every other port if it does not know.

use crate::node::{Node, NodeContext, WireFrame};
use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, Link, MacAddress};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an address is remembered after it was last heard of (IEEE 802.1D-2004, table 7-5).
const AGEING: Duration = Duration::from_secs(300);
/// How many addresses a switch remembers: what a small one on a desk does.
const CAPACITY: usize = 8_192;
/// Destination, source and EtherType, in bytes.
const ETHERNET_HEADER: usize = 14;

/// What a port of a switch carries (IEEE 802.1Q). A port of which nothing is said is an access port of
/// VLAN 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vlan {
    /// Untagged frames of one VLAN, 1 to 4094: a port for stations that know nothing of VLANs.
    Access(u16),
    /// Frames of several VLANs with tags: a port for another switch.
    Trunk {
        /// The VLAN whose frames have no tag here; none if all must have one.
        native: Option<u16>,
        /// Those whose frames have one.
        tagged: Vec<u16>,
    },
}

/// A switch with as many ports as are needed.
#[derive(Debug)]
pub struct Switch {
    ageing: Duration,
    vlans: BTreeMap<usize, Vlan>,
    capacity: usize,
    table: BTreeMap<MacAddress, Entry>,
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct Entry {
    port: usize,
    heard: Instant,
}

impl Switch {
    /// A switch that knows nobody yet.
    pub fn new() -> Self {
        Self { ageing: AGEING, vlans: BTreeMap::new(), capacity: CAPACITY, table: BTreeMap::new() }
    }

    /// How long an address is remembered after it was last heard of. 300 s.
    #[must_use]
    pub fn ageing(self, ageing: Duration) -> Self {
        Self { ageing, ..self }
    }

    /// How many addresses it remembers; when one more comes, the one not heard of for longest is
    /// forgotten. 8 192.
    #[must_use]
    pub fn capacity(self, addresses: usize) -> Self {
        Self { capacity: addresses, ..self }
    }

    /// What `port` carries; an access port of VLAN 1 if nothing is said.
    #[must_use]
    pub fn vlan(mut self, port: usize, vlan: Vlan) -> Self {
        self.vlans.insert(port, vlan);
        self
    }

    /// The Learning Process (IEEE 802.1D-2004, 7.8): a group address is never a source.
    fn learn(&mut self, source: MacAddress, port: usize, context: &NodeContext<'_>) {
        if source.is_multicast() {
            return;
        }
        let before = self.table.insert(source, Entry { port, heard: context.now() });
        if before.is_none_or(|entry| entry.port != port || self.is_old(&entry, context.now())) {
            context.record(|| Link::Learned { mac: source, port });
        }
    }

    fn port_of(&self, destination: MacAddress, now: Instant) -> Option<usize> {
        self.table.get(&destination).filter(|entry| !self.is_old(entry, now)).map(|entry| entry.port)
    }

    fn is_old(&self, entry: &Entry, now: Instant) -> bool {
        now.since(entry.heard) > self.ageing
    }
}

impl Node for Switch {
    fn ports(&self) -> usize {
        usize::MAX
    }

    fn on_frame(&mut self, port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        let addresses = {
            let view = frame.view();
            view.destination_mac().zip(view.source_mac()).filter(|_| view.len() >= ETHERNET_HEADER)
        };
        let Some((destination, source)) = addresses else {
            context.record(|| Link::Dropped {
                frame: Some(frame.id),
                reason: DropReason::Truncated,
                detail: format!("{} bytes are less than an Ethernet header", frame.bytes.len()),
            });
            return;
        };
        self.learn(source, port, context);
        let why = match self.port_of(destination, context.now()) {
            // The Filtering Process (7.7): the destination is on the side the frame came from.
            Some(known) if known == port => return,
            Some(known) => return context.send(known, frame),
            None if destination == MacAddress::BROADCAST => "broadcast",
            None if destination.is_multicast() => "multicast",
            None => "unknown destination",
        };
        context.record(|| Link::Flooded { frame: frame.id, why });
        for other in context.plugged().to_vec() {
            if other != port {
                context.send(other, frame.clone());
            }
        }
    }
}
