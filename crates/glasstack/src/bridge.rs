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
        let world = self.network.as_mut();
        // The world has slept as long as nothing was to happen in it: what comes now comes now, not then.
        world.run_until(now).map_err(|error| broken(device, error))?;
        let mut more = true;
        for _ in 0..BATCH {
            let Some(frame) = device.recv()? else {
                more = false;
                break;
            };
            self.gate.deliver(frame.bytes);
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use glasstack_journal::event::{MacAddress, Medium};
    use glasstack_sim::Cable;
    use glasstack_stack::{Entropy, HostConfig};
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::Duration;

    /// Not of a seed.
    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }

        fn is_reproducible(&self) -> bool {
            false
        }
    }

    #[derive(Default)]
    struct Device {
        from_kernel: VecDeque<Vec<u8>>,
        to_kernel: Vec<Vec<u8>>,
    }

    impl FrameDevice for Device {
        fn name(&self) -> &str {
            "tap0"
        }

        fn medium(&self) -> Medium {
            Medium::Ethernet
        }

        fn mtu(&self) -> usize {
            1_500
        }

        fn recv(&mut self) -> Result<Option<Frame>, DeviceError> {
            Ok(self.from_kernel.pop_front().map(|bytes| Frame { id: None, bytes }))
        }

        fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
            self.to_kernel.push(frame.bytes);
            Ok(())
        }
    }

    /// 10.0.0.1 asks for 10.0.0.2 (RFC 826).
    fn question() -> Vec<u8> {
        let mut frame = [[0xff; 6], [2, 0, 0, 0, 0, 1]].concat();
        frame.extend([
            8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
        ]);
        frame
    }

    #[test]
    fn a_frame_travels_as_long_as_the_cable_says_however_long_nothing_happened_before() {
        let mut world = SimWorld::builder(1).entropy(Arc::new(Sevens)).build();
        let mac = MacAddress([2, 0, 0, 0, 0, 2]);
        let host = HostConfig::new("host", mac, "10.0.0.2".parse().unwrap(), 24, None).unwrap();
        let host = world.add_host(host).unwrap();
        let gate = world.add_gate("outside").unwrap();
        world.connect(&gate, &host, Cable::new().latency(Duration::from_millis(20))).unwrap();
        let (mut bridge, mut device) = (Bridge::new(world, gate), Device::default());
        let at = Instant::from_millis;
        bridge.poll(&mut device, at(0)).unwrap();
        for asked in [10_000, 25_000] {
            device.from_kernel.push_back(question());
            let next = bridge.poll(&mut device, at(asked)).unwrap();
            assert_eq!(next, Some(at(asked + 20)), "the question arrives");
            assert_eq!(
                bridge.poll(&mut device, at(asked + 20)).unwrap(),
                Some(at(asked + 40)),
                "and the answer"
            );
            assert!(device.to_kernel.is_empty());
            bridge.poll(&mut device, at(asked + 40)).unwrap();
            assert_eq!(std::mem::take(&mut device.to_kernel).len(), 1);
        }
    }
}
