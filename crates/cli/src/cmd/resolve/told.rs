//! What happened in DNS at the user's own host, as the journal has it.

use crate::net::Net;
use glasstack::journal::event::{Dns, Event};
use glasstack::journal::{NodeId, Observer, Record};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What has happened since it was asked last.
#[derive(Clone)]
pub(super) struct Told {
    node: NodeId,
    events: Arc<Mutex<Vec<Dns>>>,
}

impl Told {
    /// Listens from now on.
    pub(super) fn listen(net: &Net) -> Self {
        let scope = net.host.scope();
        let told = Self { node: scope.node(), events: Arc::default() };
        scope.journal().attach(Box::new(told.clone()));
        told
    }

    /// What has happened since.
    pub(super) fn take(&self) -> Vec<Dns> {
        std::mem::take(&mut *self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Dns>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Told {
    fn observe(&mut self, record: &Record) {
        if let Event::Dns(event) = &record.event
            && record.node == self.node
        {
            self.events().push(event.clone());
        }
    }
}
