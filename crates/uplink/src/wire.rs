//! A wire inside the process: two devices joined back to back, no file descriptor, no kernel.
//!
//! ```text
//!   host A  --send-->  queue  --recv-->  host B
//!           <--recv--  queue  <--send--
//! ```
//!
//! A frame keeps its number along the way, so that what its sender and its receiver say of it can
//! be put together. Each direction holds a bounded number of bytes; what does not fit is lost and
//! counted, as on any wire, and TCP sends it again.

use crate::bell::Bell;
use glasstack_journal::event::Medium;
use glasstack_stack::{DeviceError, Frame, FrameDevice};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One end of a wire; see [`TapWorld::wire`](crate::TapWorld::wire).
pub struct WireEnd {
    name: String,
    mtu: usize,
    incoming: Arc<Lane>,
    outgoing: Arc<Lane>,
}

/// What one direction of a wire may hold, in bytes: some hundred connections' windows.
const CAPACITY: usize = 64 << 20;

impl WireEnd {
    /// Two ends of one wire, both called `name`. Whoever sends rings `bell`.
    pub(crate) fn pair(name: &str, mtu: usize, bell: &Arc<Bell>) -> (Self, Self) {
        let (there, back) = (Arc::new(Lane::new(bell)), Arc::new(Lane::new(bell)));
        let end = |incoming: &Arc<Lane>, outgoing: &Arc<Lane>| Self {
            name: name.to_owned(),
            mtu,
            incoming: Arc::clone(incoming),
            outgoing: Arc::clone(outgoing),
        };
        (end(&back, &there), end(&there, &back))
    }

    /// Frames sent from this end that were lost because the wire was full.
    pub fn lost(&self) -> u64 {
        self.outgoing.lost.load(Ordering::Relaxed)
    }

    /// Where frames for this end wait.
    pub(crate) fn incoming(&self) -> Arc<Lane> {
        Arc::clone(&self.incoming)
    }
}

impl FrameDevice for WireEnd {
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
        Ok(self.incoming.take())
    }

    fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
        self.outgoing.put(frame);
        Ok(())
    }
}

impl fmt::Debug for WireEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireEnd").field("name", &self.name).field("mtu", &self.mtu).finish_non_exhaustive()
    }
}

/// One direction: a queue of frames.
pub(crate) struct Lane {
    frames: Mutex<Frames>,
    /// Whether there is a frame: read by the loop at every turn, so it takes no lock.
    occupied: AtomicBool,
    lost: AtomicU64,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Frames {
    queue: VecDeque<Frame>,
    bytes: usize,
}

impl Lane {
    fn new(bell: &Arc<Bell>) -> Self {
        Self {
            frames: Mutex::default(),
            occupied: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            bell: Arc::clone(bell),
        }
    }

    /// Whether a frame waits here.
    pub(crate) fn is_occupied(&self) -> bool {
        self.occupied.load(Ordering::Acquire)
    }

    fn put(&self, frame: Frame) {
        let mut frames = self.lock();
        if frames.bytes + frame.bytes.len() > CAPACITY {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        frames.bytes += frame.bytes.len();
        frames.queue.push_back(frame);
        self.occupied.store(true, Ordering::Release);
        drop(frames);
        self.bell.ring();
    }

    fn take(&self) -> Option<Frame> {
        if !self.is_occupied() {
            return None;
        }
        let mut frames = self.lock();
        let frame = frames.queue.pop_front();
        frames.bytes -= frame.as_ref().map_or(0, |frame| frame.bytes.len());
        self.occupied.store(!frames.queue.is_empty(), Ordering::Release);
        frame
    }

    fn lock(&self) -> MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TapWorld;
    use glasstack_journal::event::FrameId;

    fn frame(number: u64, length: usize) -> Frame {
        Frame { id: Some(FrameId(number)), bytes: vec![0; length] }
    }

    #[test]
    fn frames_arrive_at_the_other_end_in_order_and_keep_their_numbers() {
        let (mut here, mut there) = TapWorld::new().unwrap().wire("wire0", 1_500);
        assert!(there.recv().unwrap().is_none());
        for number in 1..=3 {
            here.send(frame(number, 60)).unwrap();
        }
        let numbers: Vec<_> = std::iter::from_fn(|| there.recv().unwrap()).map(|frame| frame.id).collect();
        assert_eq!(numbers, [1, 2, 3].map(|number| Some(FrameId(number))));
        assert!(here.recv().unwrap().is_none(), "nothing comes back by itself");
    }

    #[test]
    fn a_wire_that_is_full_loses_frames_and_counts_them() {
        let (mut here, mut there) = TapWorld::new().unwrap().wire("wire0", 65_000);
        let fit = CAPACITY / 64_000;
        for number in 0..fit as u64 + 5 {
            here.send(frame(number, 64_000)).unwrap();
        }
        assert_eq!(here.lost(), 5);
        assert!(there.recv().unwrap().is_some());
        here.send(frame(0, 64_000)).unwrap();
        assert_eq!(here.lost(), 5, "there is room again");
    }
}
