//! Plugs that have been pulled or put back, until the world has told those at both ends.

use std::sync::{Arc, Mutex, PoisonError};

/// What the cables of a world have to tell; all clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carriers {
    changes: Arc<Mutex<Vec<(usize, bool)>>>,
}

impl Carriers {
    /// The cable of this number has, or has no, carrier now.
    pub(super) fn tell(&self, cable: usize, up: bool) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push((cable, up));
    }

    /// What has changed since the last call, in order.
    pub(crate) fn take(&self) -> Vec<(usize, bool)> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
