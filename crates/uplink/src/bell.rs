//! The bell that wakes a world's loop.

use mio::Waker;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the loop, but only when it sleeps: most wakers are called by the loop itself, and a ring
/// is a system call.
pub(crate) struct Bell {
    asleep: AtomicBool,
    waker: Waker,
}

impl Bell {
    /// Of a loop that is awake, which `waker` wakes.
    pub(crate) fn new(waker: Waker) -> Self {
        Self { asleep: AtomicBool::new(false), waker }
    }

    /// The loop is about to sleep: from now on a ring wakes it.
    pub(crate) fn fall_asleep(&self) {
        // A swap and not a store: it synchronises with the ring that found the loop awake.
        self.asleep.swap(true, Ordering::SeqCst);
    }

    /// The loop is awake again.
    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// There is something to do. From any thread.
    pub(crate) fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            // Cannot fail while the world lives, and afterwards there is nobody to wake.
            let _ = self.waker.wake();
        }
    }
}
