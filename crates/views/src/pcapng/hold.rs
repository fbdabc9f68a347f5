//! The queue in which frames wait for their explanation and for the secrets that open them.

use glasstack_journal::event::{Direction, Event, FrameId, InterfaceId, Span, Tls};
use glasstack_journal::{Instant, NodeId, Record, SpanId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long a frame waits for what the upper layers and the cable say of it.
const SETTLED: Duration = Duration::from_millis(50);
/// A handshake that takes longer holds nothing back any more.
const HANDSHAKE: Duration = Duration::from_secs(60);
/// At most so many frames wait ...
const FRAMES: usize = 4_096;
/// ... and at most so many bytes.
const BYTES: usize = 8 << 20;
/// At most so many handshakes are watched.
const HANDSHAKES: usize = 4_096;

/// A looped frame comes back at most so many frames later.
const LOOPED: usize = 64;

/// A captured frame.
pub(super) struct Frame {
    pub(super) id: FrameId,
    pub(super) node: NodeId,
    pub(super) interface: InterfaceId,
    pub(super) direction: Direction,
    pub(super) at: Instant,
    pub(super) bytes: Arc<[u8]>,
}

/// The frames that wait, and the handshakes under way.
#[derive(Default)]
pub(super) struct Hold {
    frames: VecDeque<Frame>,
    bytes: usize,
    handshakes: BTreeMap<(NodeId, Option<SpanId>), Instant>,
}

impl Hold {
    /// Takes note of handshakes. While one is under way nothing behind its beginning is written: its
    /// secrets must come first.
    pub(super) fn observe(&mut self, record: &Record) {
        let key = (record.node, record.span);
        match &record.event {
            Event::Tls(Tls::HandshakeStarted { .. }) if self.handshakes.len() < HANDSHAKES => {
                self.handshakes.insert(key, record.at);
            }
            Event::Tls(Tls::Established { .. } | Tls::Failed { .. }) | Event::Span(Span::Closed) => {
                self.handshakes.remove(&key);
            }
            _ => {}
        }
    }

    /// A frame that a node sends to itself passes its interface twice and is kept once.
    pub(super) fn push(&mut self, frame: Frame) {
        let looped = frame.direction == Direction::In
            && self.frames.iter().rev().take(LOOPED).any(|sent| {
                (sent.id, sent.interface, sent.direction) == (frame.id, frame.interface, Direction::Out)
            });
        if !looped {
            self.push_all(frame);
        }
    }

    /// On a cable whatever passes is kept, whichever way.
    pub(super) fn push_all(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
    }

    /// The frames that need not wait any longer, in order.
    pub(super) fn ready(&mut self, now: Instant) -> Vec<Frame> {
        if self.frames.is_empty() {
            return Vec::new();
        }
        self.handshakes.retain(|_, began| now.since(*began) < HANDSHAKE);
        let barrier = self.handshakes.values().min().copied().unwrap_or(Instant::MAX);
        let mut ready = Vec::new();
        while let Some(front) = self.frames.front() {
            let settled = now.since(front.at) >= SETTLED && front.at < barrier;
            let full = self.frames.len() > FRAMES || self.bytes > BYTES;
            if !settled && !full {
                break;
            }
            ready.extend(self.pop());
        }
        ready
    }

    /// All frames, in order.
    pub(super) fn rest(&mut self) -> Vec<Frame> {
        self.bytes = 0;
        std::mem::take(&mut self.frames).into()
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        Some(frame)
    }
}
