//! A world: the thread, the clock and the networks that hosts live in.

use glasstack_journal::{Instant, WallTime};
use std::future::Future;
use std::time::Duration;

/// Runs hosts until a future is done. `uplink::TapWorld` does so in real time, `sim::SimWorld`
/// under a virtual clock that jumps to the next event; nothing above can tell which.
pub trait World {
    /// Why a world may fail: a device is gone, nothing can ever happen again, it was interrupted.
    type Error;

    /// The monotonic clock.
    fn now(&self) -> Instant;

    /// The wall clock.
    fn wall(&self) -> WallTime;

    /// Drives everything until `until` is done.
    fn run<T>(&mut self, until: impl Future<Output = T>) -> Result<T, Self::Error>;

    /// Drives everything until every connection's FINs are acknowledged both ways (TIME-WAIT may
    /// still run), or until `limit` has passed. Tells whether the network is quiet.
    fn drain(&mut self, limit: Duration) -> Result<bool, Self::Error>;
}
