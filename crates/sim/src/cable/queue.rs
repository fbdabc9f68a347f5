//! What waits for its turn on a cable, and who is lost instead.

use super::codel::CoDel;
use crate::node::WireFrame;
use glasstack_journal::Instant;
use glasstack_journal::event::FrameId;
use std::collections::VecDeque;
use std::time::Duration;

/// What becomes of frames that must wait. The frame being sent is in no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Queue {
    /// All wait.
    #[default]
    Unlimited,
    /// So many frames wait; one more is lost (tail drop).
    Frames(usize),
    /// So many bytes wait; a frame that exceeds them is lost (tail drop).
    Bytes(usize),
    /// Controlled delay (RFC 8289): frames are lost when those that leave have waited too long for too
    /// long a time.
    CoDel {
        /// How long a frame may wait always. 5 ms in [`Queue::codel`].
        target: Duration,
        /// For how long they may wait longer before the first is lost; about a round trip. 100 ms.
        interval: Duration,
        /// So many frames wait whatever they have waited; one more is lost. 1 000.
        limit: usize,
    },
}

impl Queue {
    /// CoDel as RFC 8289 4.2 and 4.3 recommend it: a target of 5 ms, an interval of 100 ms; and 1 000
    /// frames.
    pub const fn codel() -> Self {
        Self::CoDel { target: Duration::from_millis(5), interval: Duration::from_millis(100), limit: 1_000 }
    }
}

/// The frames that wait.
#[derive(Default)]
pub(super) struct Waiting {
    frames: Fifo,
    codel: CoDel,
}

/// Frames in the order they came, with the time at which they came.
#[derive(Default)]
pub(super) struct Fifo {
    frames: VecDeque<(Instant, WireFrame)>,
    bytes: usize,
}

/// Who leaves, and who is lost for it.
#[derive(Debug, Default)]
pub(super) struct Dequeued {
    pub(super) frame: Option<WireFrame>,
    /// With the time they have waited (RFC 8289's sojourn time).
    pub(super) dropped: Vec<(FrameId, Duration)>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.frames.is_empty()
    }

    /// How many frames wait, and how many bytes they have.
    pub(super) fn backlog(&self) -> (usize, usize) {
        (self.frames.frames.len(), self.frames.bytes)
    }

    /// Takes a frame in; gives it back if there is no room.
    pub(super) fn enqueue(&mut self, queue: Queue, frame: WireFrame, now: Instant) -> Result<(), WireFrame> {
        let (frames, bytes) = self.backlog();
        let fits = match queue {
            Queue::Unlimited => true,
            Queue::Frames(limit) | Queue::CoDel { limit, .. } => frames < limit,
            Queue::Bytes(limit) => bytes + frame.bytes.len() <= limit,
        };
        if !fits {
            return Err(frame);
        }
        self.frames.push(frame, now);
        Ok(())
    }

    /// The line is free: whose turn it is.
    pub(super) fn dequeue(&mut self, queue: Queue, now: Instant) -> Dequeued {
        match queue {
            Queue::CoDel { target, interval, .. } => {
                self.codel.dequeue(&mut self.frames, target, interval, now)
            }
            _ => Dequeued { frame: self.frames.pop().map(|(_, frame)| frame), dropped: Vec::new() },
        }
    }

    /// All of them, in order.
    pub(super) fn into_frames(self) -> impl Iterator<Item = WireFrame> {
        self.frames.frames.into_iter().map(|(_, frame)| frame)
    }
}

impl Fifo {
    pub(super) fn push(&mut self, frame: WireFrame, now: Instant) {
        self.bytes += frame.bytes.len();
        self.frames.push_back((now, frame));
    }

    pub(super) fn pop(&mut self) -> Option<(Instant, WireFrame)> {
        let (since, frame) = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        Some((since, frame))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
