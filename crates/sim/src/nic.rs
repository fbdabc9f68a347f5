//! A host of the stack as a node: its network card, and its runner behind it.

use crate::node::{Node, NodeContext, WireFrame};
use crate::schedule::NodeBell;
use glasstack_journal::Instant;
use glasstack_journal::event::Medium;
use glasstack_stack::{DeviceError, Frame, FrameDevice, Runner};
use std::collections::VecDeque;

/// The network card of a virtual host: two queues without end. What limits a link is its
/// [`Cable`](crate::Cable).
#[derive(Debug)]
pub struct SimNic {
    name: String,
    mtu: usize,
    received: VecDeque<Frame>,
    sent: VecDeque<Frame>,
}

impl SimNic {
    /// A card that carries IP packets of up to `mtu` bytes.
    pub fn new(name: &str, mtu: usize) -> Self {
        Self { name: name.to_owned(), mtu, received: VecDeque::new(), sent: VecDeque::new() }
    }
}

/// `eth0` with an MTU of 1 500 bytes.
impl Default for SimNic {
    fn default() -> Self {
        Self::new("eth0", 1_500)
    }
}

impl FrameDevice for SimNic {
    fn name(&self) -> &str {
        &self.name
    }

    fn medium(&self) -> Medium {
        Medium::Ethernet
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn recv(&mut self) -> Result<Option<Frame>, DeviceError> {
        Ok(self.received.pop_front())
    }

    fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
        self.sent.push_back(frame);
        Ok(())
    }
}

/// A host: one port, and a runner that the world polls.
pub(crate) struct HostNode {
    runner: Runner<SimNic>,
    deadline: Option<Instant>,
}

impl HostNode {
    pub(crate) fn new(runner: Runner<SimNic>) -> Self {
        Self { runner, deadline: Some(Instant::ZERO) }
    }
}

impl Node for HostNode {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, frame: WireFrame, _context: &mut NodeContext<'_>) {
        let frame = Frame { id: Some(frame.id), bytes: frame.bytes };
        self.runner.device_mut().received.push_back(frame);
    }

    fn poll(&mut self, context: &mut NodeContext<'_>) -> Result<(), DeviceError> {
        self.deadline = self.runner.poll(context.now())?;
        while let Some(frame) = self.runner.device_mut().sent.pop_front() {
            let frame = match frame.id {
                Some(id) => WireFrame { id, bytes: frame.bytes },
                None => context.new_frame(frame.bytes),
            };
            context.send(0, frame);
        }
        Ok(())
    }

    fn attach(&mut self, bell: NodeBell) {
        self.runner.on_touch(move || bell.ring());
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }

    fn wants_poll(&self) -> bool {
        self.runner.wants_poll()
    }

    fn is_quiet(&self) -> bool {
        self.runner.is_quiet()
    }
}
