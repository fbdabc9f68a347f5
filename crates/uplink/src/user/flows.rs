//! The pairs of ends that exchange datagrams, each with its socket.

use crate::os::datagram::ConnectedUdp;
use glasstack_journal::Instant;
use glasstack_stack::PassingDatagram;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The flows there are, by their ends.
#[derive(Default)]
pub(super) struct Datagrams {
    flows: Mutex<BTreeMap<Ends, Arc<Flow>>>,
}

/// Who sends, and for whom.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// One pair of ends and its socket.
pub(super) struct Flow {
    pub(super) ends: Ends,
    pub(super) socket: ConnectedUdp,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) last_used: Instant,
    pub(super) up: u64,
    pub(super) down: u64,
    /// The latest datagram's beginning, for an ICMP error to quote.
    pub(super) latest: PassingDatagram,
    pub(super) gives_way: bool,
    pub(super) waker: Option<Waker>,
}

impl Datagrams {
    /// How many flows there are.
    pub(super) fn count(&self) -> usize {
        lock(&self.flows).len()
    }

    pub(super) fn get(&self, ends: Ends) -> Option<Arc<Flow>> {
        lock(&self.flows).get(&ends).cloned()
    }

    pub(super) fn insert(&self, flow: &Arc<Flow>, limit: usize) {
        let mut flows = lock(&self.flows);
        while flows.len() >= limit.max(1) {
            let idlest = flows.values().min_by_key(|flow| lock(&flow.state).last_used).cloned();
            let Some(idlest) = idlest else { break };
            flows.remove(&idlest.ends);
            idlest.give_way();
        }
        flows.insert(flow.ends, Arc::clone(flow));
    }

    pub(super) fn remove(&self, flow: &Arc<Flow>) {
        let mut flows = lock(&self.flows);
        // Another may have taken its place.
        if flows.get(&flow.ends).is_some_and(|present| Arc::ptr_eq(present, flow)) {
            flows.remove(&flow.ends);
        }
    }
}

impl Flow {
    /// The flow that `first` begins.
    pub(super) fn new(socket: ConnectedUdp, first: PassingDatagram, now: Instant) -> Self {
        let ends = (first.from, first.to);
        let state = State { last_used: now, up: 0, down: 0, latest: first, gives_way: false, waker: None };
        Self { ends, socket, state: Mutex::new(state) }
    }

    fn give_way(&self) {
        let waker = {
            let mut state = lock(&self.state);
            state.gives_way = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
