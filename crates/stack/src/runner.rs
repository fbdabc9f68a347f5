//! The runner: what the world touches.

use crate::device::{DeviceError, FrameDevice};
use glasstack_journal::Instant;

/// Drives one host. A world polls it when a frame arrived, when its deadline has come, or when a
/// program touched a socket ([`wants_poll`](Self::wants_poll)).
pub struct Runner<D: FrameDevice> {
    device: D,
}

impl<D: FrameDevice> Runner<D> {
    /// Does what is due: takes in a bounded batch of frames, fires timers, sends what may be sent.
    /// Returns when it wants to be polled again: `now` itself if there is more to do at once, none
    /// if only a frame or a program can make a difference.
    pub fn poll(&mut self, now: Instant) -> Result<Option<Instant>, DeviceError> {
        todo!()
    }

    /// Whether a program has touched a socket since the last poll.
    pub fn wants_poll(&self) -> bool {
        todo!()
    }

    /// Whether every connection's FINs are acknowledged both ways (TIME-WAIT may still run) and
    /// nothing waits to be sent.
    pub fn is_quiet(&self) -> bool {
        todo!()
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
