//! Listeners: which connections are half-open, which wait to be accepted.
//!
//! smoltcp's listening socket becomes the connection, so the backlog is kept here: a SYN makes a
//! flow. When as many connections wait to be accepted as may, SYNs are ignored and counted, never
//! reset: the peer will try again. Half-open connections are bounded as well, and there the oldest
//! gives way, so that forgotten SYNs cannot keep new ones out.

use glasstack_journal::Scope;
use glasstack_journal::event::FlowId;
use std::collections::VecDeque;
use std::task::Waker;

/// One listening port.
pub(crate) struct Listener {
    pub(crate) scope: Scope,
    backlog: usize,
    half_open_limit: usize,
    half_open: VecDeque<FlowId>,
    ready: VecDeque<FlowId>,
    wakers: Vec<Waker>,
}

/// What a listener does with a SYN.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// A new connection may begin.
    Welcome,
    /// It may begin once this one has given way.
    Instead(FlowId),
    /// The backlog is full.
    Full,
}

impl Listener {
    pub(crate) fn new(scope: Scope, backlog: usize, half_open_limit: usize) -> Self {
        Self {
            scope,
            backlog: backlog.max(1),
            half_open_limit: half_open_limit.max(1),
            half_open: VecDeque::new(),
            ready: VecDeque::new(),
            wakers: Vec::new(),
        }
    }

    /// A SYN has come.
    pub(crate) fn admit(&mut self) -> Admission {
        if self.ready.len() >= self.backlog {
            return Admission::Full;
        }
        if self.half_open.len() >= self.half_open_limit
            && let Some(oldest) = self.half_open.pop_front()
        {
            return Admission::Instead(oldest);
        }
        Admission::Welcome
    }

    /// A connection is half-open now.
    pub(crate) fn begin(&mut self, flow: FlowId) {
        self.half_open.push_back(flow);
    }

    /// A half-open connection is established: whoever accepts is woken.
    pub(crate) fn established(&mut self, flow: FlowId) -> Vec<Waker> {
        self.half_open.retain(|known| *known != flow);
        self.ready.push_back(flow);
        std::mem::take(&mut self.wakers)
    }

    /// A connection that was never accepted is gone.
    pub(crate) fn gone(&mut self, flow: FlowId) {
        self.half_open.retain(|known| *known != flow);
        self.ready.retain(|known| *known != flow);
    }

    /// The next connection to accept.
    pub(crate) fn accept(&mut self) -> Option<FlowId> {
        self.ready.pop_front()
    }

    /// Wakes `waker` when there is one.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        if !self.wakers.iter().any(|known| known.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }

    /// Every connection that nobody has accepted.
    pub(crate) fn unaccepted(&self) -> Vec<FlowId> {
        self.half_open.iter().chain(&self.ready).copied().collect()
    }
}
