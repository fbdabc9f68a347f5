//! A learning switch (IEEE 802.1D, with the VLANs of 802.1Q): it remembers behind which port each address
//! was last seen, and sends a frame to that port alone, or out of every other port of its VLAN if it does
//! not know.
//!
//! ```text
//!   frame --> which VLAN? --> learn its source --> destination known? --> that port, tagged or not
//!                 |                                       | no, or for all
//!             not of this port                            +--> too many lately? --> every other port
//! ```
//!
//! Read in this order: this file (a frame's way through the switch), `vlan` (tags), `table` (what it
//! remembers), `storm` (what bounds a loop).
//!
//! There is no spanning tree: in a loop of switches a broadcast goes round for ever, as with real switches
//! that have none. Where it multiplies on its way storm control bounds it: see [`Switch::storm_control`].

mod storm;
mod table;
mod vlan;

pub use vlan::Vlan;

use crate::node::{Node, NodeContext, WireFrame};
use glasstack_journal::event::{DropReason, FrameId, Link, MacAddress};
use std::collections::BTreeMap;
use std::time::Duration;
use storm::Storms;
use table::{Learnt, Table};
use vlan::Tag;

/// How long an address is remembered after it was last heard of (IEEE 802.1D-2004, table 7-5).
const AGEING: Duration = Duration::from_secs(300);
/// How many addresses a switch remembers: what a small one on a desk does.
const CAPACITY: usize = 8_192;
/// How many frames a second a port may send to everybody.
const FLOODS: u32 = 10_000;
/// What a port carries of which nothing is said (IEEE 802.1Q-2018, table 9-2: the default PVID).
const PLAIN: Vlan = Vlan::Access(1);
/// Destination, source and EtherType, in bytes.
const ETHERNET_HEADER: usize = 14;

/// A switch with as many ports as are needed.
#[derive(Debug)]
pub struct Switch {
    vlans: BTreeMap<usize, Vlan>,
    table: Table,
    storms: Storms,
}

impl Default for Switch {
    fn default() -> Self {
        Self::new()
    }
}

impl Switch {
    /// A switch that knows nobody yet.
    pub fn new() -> Self {
        Self { vlans: BTreeMap::new(), table: Table::new(AGEING, CAPACITY), storms: Storms::new(FLOODS) }
    }

    /// How long an address is remembered after it was last heard of. 300 s.
    #[must_use]
    pub fn ageing(mut self, ageing: Duration) -> Self {
        self.table.ageing = ageing;
        self
    }

    /// How many addresses it remembers. When all places are taken no other is learnt until one has aged,
    /// and frames to the others go out of every port. 8 192.
    #[must_use]
    pub fn capacity(mut self, addresses: usize) -> Self {
        self.table.capacity = addresses;
        self
    }

    /// How many frames a second that go out of every port it takes from each port; what exceeds them is
    /// discarded. This is what bounds a broadcast storm. 10 000.
    #[must_use]
    pub fn storm_control(mut self, frames_per_second: u32) -> Self {
        self.storms = Storms::new(frames_per_second);
        self
    }

    /// What `port` carries; an access port of VLAN 1 if nothing is said.
    #[must_use]
    pub fn vlan(mut self, port: usize, vlan: Vlan) -> Self {
        self.vlans.insert(port, vlan);
        self
    }

    fn vlan_of(&self, port: usize) -> &Vlan {
        self.vlans.get(&port).unwrap_or(&PLAIN)
    }

    /// The Learning Process (IEEE 802.1D-2004, 7.8): a group address is never a source.
    fn learn(&mut self, vlan: u16, source: MacAddress, port: usize, context: &NodeContext<'_>) {
        if source.is_multicast() {
            return;
        }
        match self.table.learn((vlan, source), port, context.now()) {
            Learnt::Known => {}
            Learnt::New => context.record(|| Link::Learned { mac: source, port, vlan, before: None }),
            Learnt::Moved { from } => {
                context.record(|| Link::Learned { mac: source, port, vlan, before: Some(from) });
            }
            Learnt::Full => context.record(|| Link::TableFull { mac: source, port, vlan }),
        }
    }

    /// The Forwarding Process (7.7): out of every port of the VLAN but the one it came from.
    fn flood(
        &mut self,
        from: usize,
        tag: &Tag,
        mut frame: WireFrame,
        why: &'static str,
        context: &mut NodeContext<'_>,
    ) {
        if !self.storms.admits(from, context.now()) {
            let detail = format!("more than {} a second to everybody from port {from}", self.storms.limit());
            return discard(frame.id, DropReason::StormControl, detail, context);
        }
        context.record(|| Link::Flooded { frame: frame.id, why });
        let ports = context.plugged;
        let mut last = None;
        for port in ports.iter().filter(|port| **port != from) {
            let Some(tagged) = self.vlan_of(*port).carries(tag.vlan) else { continue };
            if let Some((port, tagged)) = last.replace((*port, tagged)) {
                context.send(port, WireFrame { id: frame.id, bytes: tag.framed(&frame.bytes, tagged) });
            }
        }
        if let Some((port, tagged)) = last {
            tag.frame(&mut frame.bytes, tagged);
            context.send(port, frame);
        }
    }
}

impl Node for Switch {
    fn ports(&self) -> usize {
        usize::MAX
    }

    /// Who was behind the port may come back anywhere.
    fn on_carrier(&mut self, port: usize, up: bool, _context: &mut NodeContext<'_>) {
        if !up {
            self.table.forget(port);
        }
    }

    fn on_frame(&mut self, port: usize, mut frame: WireFrame, context: &mut NodeContext<'_>) {
        let addresses = {
            let view = frame.view();
            view.destination_mac().zip(view.source_mac()).filter(|_| view.len() >= ETHERNET_HEADER)
        };
        let Some((destination, source)) = addresses else {
            let detail = format!("{} bytes are less than an Ethernet header", frame.bytes.len());
            return discard(frame.id, DropReason::Truncated, detail, context);
        };
        let tag = match Tag::of(&frame.bytes).and_then(|tag| self.vlan_of(port).admits(tag)) {
            Ok(tag) => tag,
            Err((reason, detail)) => {
                return discard(frame.id, reason, format!("{detail} at port {port}"), context);
            }
        };
        self.learn(tag.vlan, source, port, context);
        let why = match self.table.port_of((tag.vlan, destination), context.now()) {
            // The Filtering Process (7.7): the destination is on the side the frame came from.
            Some(known) if known == port => {
                let detail = format!("{destination} is behind port {port}, too");
                return discard(frame.id, DropReason::SameSide, detail, context);
            }
            Some(known) => {
                // What was learnt at a port came in there, so the port carries its VLAN.
                let tagged = self.vlan_of(known).carries(tag.vlan).unwrap_or(false);
                tag.frame(&mut frame.bytes, tagged);
                return context.send(known, frame);
            }
            None if destination == MacAddress::BROADCAST => "broadcast",
            None if destination.is_multicast() => "multicast",
            None => "unknown destination",
        };
        self.flood(port, &tag, frame, why, context);
    }
}

fn discard(frame: FrameId, reason: DropReason, detail: String, context: &NodeContext<'_>) {
    context.record(|| Link::Dropped { frame: Some(frame), reason, detail });
}
