//! The general notion of a thing with ports: hosts, switches, routers and probes are nodes.

use crate::schedule::NodeBell;
use crate::view::FrameView;
use glasstack_journal::event::FrameId;
use glasstack_journal::{Event, Instant, NodeId, Scope};
use glasstack_stack::{DeviceError, Host};

/// An Ethernet frame on the virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireFrame {
    /// Its number in the journal. A frame keeps it on every cable, and so do its copies.
    pub id: FrameId,
    /// From the first byte of the Ethernet header.
    pub bytes: Vec<u8>,
}

impl WireFrame {
    /// What can be asked about it.
    pub fn view(&self) -> FrameView<'_> {
        FrameView::new(self.id, &self.bytes)
    }
}

/// Something with ports for cables. The world calls it, always on one thread: when a frame arrives,
/// and when it has something to do by itself. It never waits, and it never refuses a frame.
pub trait Node: Send {
    /// How many ports it has; they are counted from 0.
    fn ports(&self) -> usize;

    /// A frame has arrived at `port`. The node is polled right after the frames of this moment.
    fn on_frame(&mut self, port: usize, frame: WireFrame, context: &mut NodeContext<'_>);

    /// The plug of the cable at `port` was pulled (false) or put back (true).
    fn on_carrier(&mut self, _port: usize, _up: bool, _context: &mut NodeContext<'_>) {}

    /// Does what is due.
    fn poll(&mut self, _context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        Ok(())
    }

    /// The node joins a world. One that programs can reach by a handle keeps the bell, and rings it when
    /// [`next_deadline`](Self::next_deadline) or [`wants_poll`](Self::wants_poll) may have changed that way.
    fn attach(&mut self, _bell: NodeBell) {}

    /// When it wants to be polled although no frame has come. The world asks after every call of the node,
    /// and when it has rung.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// Whether a program has given it something to do since the last poll.
    fn wants_poll(&self) -> bool {
        false
    }

    /// Whether it does what only an attacker does. Such a node never comes near a real network.
    fn is_attacker(&self) -> bool {
        false
    }

    /// Whether it is done with what it was doing (a host: every FIN is acknowledged).
    fn is_quiet(&self) -> bool {
        true
    }
}

/// What the world lends to a node while it calls it.
pub struct NodeContext<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) plugged: &'a [usize],
    pub(crate) outputs: Vec<(usize, WireFrame)>,
}

impl NodeContext<'_> {
    /// What time it is.
    pub fn now(&self) -> Instant {
        self.scope.now()
    }

    /// Where the node speaks from.
    pub fn scope(&self) -> &Scope {
        self.scope
    }

    /// Records a fact at this node, now.
    pub fn record<E: Into<Event>>(&self, event: impl FnOnce() -> E) {
        self.scope.record(event);
    }

    /// The ports that have a cable, in ascending order.
    pub fn plugged(&self) -> &[usize] {
        self.plugged
    }

    /// A frame that has not existed before.
    pub fn new_frame(&self, bytes: Vec<u8>) -> WireFrame {
        WireFrame { id: self.scope.journal().next_frame(), bytes }
    }

    /// Sends a frame out of `port`.
    pub fn send(&mut self, port: usize, frame: WireFrame) {
        self.outputs.push((port, frame));
    }
}

/// One end of a cable: a node, and perhaps which of its ports. Made from a `&Host`, a
/// [`Probe`](crate::Probe), a node's [`NodeId`] or name, or a pair of one of the last two and a port;
/// without a port the lowest free one is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plug {
    pub(crate) node: PlugNode,
    pub(crate) port: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlugNode {
    Id(NodeId),
    Name(String),
}

impl From<NodeId> for Plug {
    fn from(id: NodeId) -> Self {
        Self { node: PlugNode::Id(id), port: None }
    }
}

impl From<(NodeId, usize)> for Plug {
    fn from((id, port): (NodeId, usize)) -> Self {
        Self { node: PlugNode::Id(id), port: Some(port) }
    }
}

impl From<&str> for Plug {
    fn from(name: &str) -> Self {
        Self { node: PlugNode::Name(name.to_owned()), port: None }
    }
}

impl From<(&str, usize)> for Plug {
    fn from((name, port): (&str, usize)) -> Self {
        Self { node: PlugNode::Name(name.to_owned()), port: Some(port) }
    }
}

impl From<&Host> for Plug {
    fn from(host: &Host) -> Self {
        host.scope().node().into()
    }
}
