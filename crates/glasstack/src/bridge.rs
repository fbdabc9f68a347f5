//! A virtual network that ends on a real device: one side of it on a TAP, in real time.
//!
//! ```text
//!     Chromium, curl, dig, ping
//!     -------- kernel ----------
//!          lab0 (TAP)                      TapWorld: waits for frames and deadlines in real time
//!            |  Bridge
//!          Gate -- switch -- router -- ... SimWorld: its clock follows the real one
//! ```
//!
//! The network inside is the same as ever; only its clock and its randomness come from outside, so a run
//! is not deterministic: what the kernel sends, and when, is the kernel's business.

use glasstack_journal::Instant;
use glasstack_sim::{Gate, SimError, SimWorld};
use glasstack_stack::{DeviceError, Frame, FrameDevice};
use glasstack_uplink::Guest;
use std::io;

/// Frames taken in at one poll before those that go out get their turn.
const BATCH: usize = 64;

/// Joins a virtual network, by its gate, to the device that
/// [`TapWorld::add_guest`](glasstack_uplink::TapWorld::add_guest) gives it.
pub struct Bridge<W> {
    network: W,
    gate: Gate,
}

impl<W: AsMut<SimWorld>> Bridge<W> {
    /// `network` is, or holds, the world that `gate` belongs to. Its epoch should be the wall time at
    /// which the real world began, so that both agree on what time it is.
    pub fn new(network: W, gate: Gate) -> Self {
        Self { network, gate }
    }
}

impl<W: AsMut<SimWorld> + Send> Guest for Bridge<W> {
    fn poll(&mut self, device: &mut dyn FrameDevice, now: Instant) -> Result<Option<Instant>, DeviceError> {
        let mut more = true;
        for _ in 0..BATCH {
            let Some(frame) = device.recv()? else {
                more = false;
                break;
            };
            self.gate.deliver(frame.bytes);
        }
        let world = self.network.as_mut();
        world.run_until(now).map_err(|error| broken(device, error))?;
        for bytes in self.gate.take() {
            device.send(Frame { id: None, bytes })?;
        }
        Ok(if more { Some(now) } else { world.next_event() })
    }
}

fn broken(device: &dyn FrameDevice, error: SimError) -> DeviceError {
    DeviceError { device: device.name().to_owned(), source: io::Error::other(error) }
}
