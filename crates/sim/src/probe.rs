//! A probe: a bare port that keeps what it receives and sends what it is told to, for tests and for
//! odd hosts made by hand.

use crate::node::{Node, NodeContext, Plug, WireFrame};
use crate::schedule::NodeBell;
use crate::view::FrameView;
use glasstack_journal::event::{Direction, InterfaceId, Link, Medium};
use glasstack_journal::{Instant, NodeId};
use glasstack_stack::DeviceError;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Responder = Box<dyn FnMut(&FrameView<'_>, Instant) -> Vec<Vec<u8>> + Send>;

/// The handle of a probe, made by [`SimWorld::add_probe`](crate::SimWorld::add_probe). Cheap to clone.
#[derive(Clone)]
pub struct Probe {
    node: NodeId,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    received: Vec<(Instant, WireFrame)>,
    outbox: BTreeMap<(Instant, u64), Vec<u8>>,
    next_seq: u64,
    responder: Option<Responder>,
    bell: Option<NodeBell>,
}

impl Probe {
    /// Sends a frame, given from its first header byte, as soon as the world runs.
    pub fn send(&self, bytes: Vec<u8>) {
        self.send_at(Instant::ZERO, bytes);
    }

    /// Sends a frame at `when`, or at once if that is past.
    pub fn send_at(&self, when: Instant, bytes: Vec<u8>) {
        let mut shared = self.lock();
        let key = (when, shared.next_seq);
        shared.next_seq += 1;
        shared.outbox.insert(key, bytes);
        if let Some(bell) = &shared.bell {
            bell.ring();
        }
    }

    /// From now on each frame received is shown to `responder`, and what that returns is sent at
    /// once. It must not touch this probe.
    pub fn respond(&self, responder: impl FnMut(&FrameView<'_>, Instant) -> Vec<Vec<u8>> + Send + 'static) {
        self.lock().responder = Some(Box::new(responder));
    }

    /// What has been received so far, and when.
    pub fn received(&self) -> Vec<(Instant, WireFrame)> {
        self.lock().received.clone()
    }

    /// Takes what has been received so far.
    pub fn take_received(&self) -> Vec<(Instant, WireFrame)> {
        std::mem::take(&mut self.lock().received)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&Probe> for Plug {
    fn from(probe: &Probe) -> Self {
        probe.node.into()
    }
}

pub(crate) struct ProbeNode {
    probe: Probe,
    interface: InterfaceId,
}

impl ProbeNode {
    /// The node and its handle. `context` is the node's own.
    pub(crate) fn new(name: &str, context: &NodeContext<'_>) -> (Self, Probe) {
        let interface = context.scope().journal().next_interface();
        context.record(|| Link::InterfaceUp {
            interface,
            name: name.to_owned(),
            medium: Medium::Ethernet,
            mtu: usize::from(u16::MAX),
            mac: None,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix_len: 0,
        });
        let probe = Probe { node: context.scope().node(), shared: Arc::default() };
        (Self { probe: probe.clone(), interface }, probe)
    }

    fn told(&self, frame: &WireFrame, direction: Direction, context: &NodeContext<'_>) {
        let (interface, bytes) = (self.interface, frame.bytes.as_slice());
        context.record(|| Link::Frame { frame: frame.id, interface, direction, bytes: bytes.into() });
    }

    fn emit(&self, bytes: Vec<u8>, context: &mut NodeContext<'_>) {
        let frame = context.new_frame(bytes);
        self.told(&frame, Direction::Out, context);
        context.send(0, frame);
    }
}

impl Node for ProbeNode {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, frame: WireFrame, context: &mut NodeContext<'_>) {
        self.told(&frame, Direction::In, context);
        let answers = match &mut self.probe.lock().responder {
            Some(responder) => responder(&frame.view(), context.now()),
            None => Vec::new(),
        };
        self.probe.lock().received.push((context.now(), frame));
        for bytes in answers {
            self.emit(bytes, context);
        }
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        loop {
            let due = {
                let mut shared = self.probe.lock();
                match shared.outbox.first_entry() {
                    Some(first) if first.key().0 <= context.now() => first.remove(),
                    _ => return Ok(()),
                }
            };
            self.emit(due, context);
        }
    }

    fn attach(&mut self, bell: NodeBell) {
        self.probe.lock().bell = Some(bell);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.probe.lock().outbox.keys().next().map(|(at, _)| *at)
    }
}
