//! A gate: the port by which a virtual network ends at a real one. Whoever holds the handle carries the
//! frames across, and lets time pass as it does outside ([`SimWorld::run_until`](crate::SimWorld::run_until)).

use crate::node::Plug;
use crate::probe::Probe;

/// The handle of a gate, made by [`SimWorld::add_gate`](crate::SimWorld::add_gate).
pub struct Gate {
    port: Probe,
}

impl Gate {
    pub(crate) fn new(port: Probe) -> Self {
        Self { port }
    }

    /// A frame from outside, from the first byte of its Ethernet header, comes in.
    pub fn deliver(&self, frame: Vec<u8>) {
        self.port.send(frame);
    }

    /// The frames that have come out since the last call, in their order.
    pub fn take(&self) -> Vec<Vec<u8>> {
        self.port.take_received().into_iter().map(|(_, frame)| frame.bytes).collect()
    }
}

impl From<&Gate> for Plug {
    fn from(gate: &Gate) -> Self {
        (&gate.port).into()
    }
}
