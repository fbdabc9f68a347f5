//! The runner: what the world touches.

use crate::device::{DeviceError, FrameDevice};
use crate::inner::shared::Shared;
use glasstack_journal::Instant;
use std::sync::Arc;

/// Frames taken in at one poll before frames are sent and others get their turn.
const BATCH: usize = 64;

/// Drives one host. A world polls it when a frame arrived, when its deadline has come, or when a
/// program touched a socket ([`wants_poll`](Self::wants_poll)).
pub struct Runner<D: FrameDevice> {
    shared: Arc<Shared>,
    device: D,
}

impl<D: FrameDevice> Runner<D> {
    pub(crate) fn new(shared: Arc<Shared>, device: D) -> Self {
        Self { shared, device }
    }

    /// Does what is due: takes in a bounded batch of frames, fires timers, sends what may be sent.
    /// Returns when it wants to be polled again: `now` itself if there is more to do at once, none
    /// if only a frame or a program can make a difference.
    pub fn poll(&mut self, now: Instant) -> Result<Option<Instant>, DeviceError> {
        self.shared.begin_poll();
        let device = &mut self.device;
        self.shared.with(|core| {
            let mut more = true;
            for _ in 0..BATCH {
                let own = core.wire_mut().loopback.pop_front();
                let from_self = own.is_some();
                let Some(frame) = own.map_or_else(|| device.recv(), |frame| Ok(Some(frame)))? else {
                    more = false;
                    break;
                };
                core.on_frame(frame, from_self, now);
            }
            core.on_time(now);
            core.drive_dirty(now);
            while let Some(frame) = core.wire_mut().outgoing.pop_front() {
                device.send(frame)?;
            }
            more |= !core.wire().loopback.is_empty();
            Ok(if more { Some(now) } else { core.next_deadline() })
        })
    }

    /// Whether a program has touched a socket since the last poll.
    pub fn wants_poll(&self) -> bool {
        self.shared.wants_poll()
    }

    /// Has `tell` called whenever a program's touch makes the runner want a poll, so that a world of many
    /// hosts need not ask each of them. `tell` must only take a note. A second call changes nothing.
    pub fn on_touch(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.shared.on_touch(tell);
    }

    /// Whether every connection's FINs are acknowledged both ways (TIME-WAIT may still run) and
    /// nothing waits to be sent.
    pub fn is_quiet(&self) -> bool {
        self.shared.with(|core| core.is_quiet())
    }

    /// The device.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// The device, to feed it frames.
    pub fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }
}
