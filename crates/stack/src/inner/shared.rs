//! The lock around a host's core. Wakers are called after it is released, and nothing is polled
//! under it.

use super::core::Core;
use crate::executor::Executor;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What handles and runner share.
pub(crate) struct Shared {
    core: Mutex<Core>,
    executor: Executor,
    wants_poll: AtomicBool,
    on_touch: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Shared {
    pub(crate) fn new(core: Core, executor: Executor) -> Self {
        Self {
            core: Mutex::new(core),
            executor,
            wants_poll: AtomicBool::new(true),
            on_touch: OnceLock::new(),
        }
    }

    /// A program touches the host: afterwards the runner is to look whether something has become
    /// due.
    pub(crate) fn touch<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let result = self.with(f);
        if !self.wants_poll.swap(true, Ordering::AcqRel) {
            if let Some(tell) = self.on_touch.get() {
                tell();
            }
            self.executor.ring();
        }
        result
    }

    /// Looks at the core, or drives it.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let (result, wakers) = {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            let result = f(&mut core);
            (result, core.take_wakers())
        };
        for waker in wakers {
            waker.wake();
        }
        result
    }

    /// Whether a program has touched the host since [`Self::begin_poll`].
    pub(crate) fn wants_poll(&self) -> bool {
        self.wants_poll.load(Ordering::Acquire)
    }

    /// From now on `tell` is called whenever the runner begins to want a poll. Only the first is kept.
    pub(crate) fn on_touch(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_touch.set(Box::new(tell));
    }

    pub(crate) fn begin_poll(&self) {
        self.wants_poll.store(false, Ordering::Release);
    }
}
