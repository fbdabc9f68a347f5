//! The host's deadlines, ordered by time. Each owner has at most one.

use glasstack_journal::Instant;
use glasstack_journal::event::FlowId;
use std::collections::{BTreeMap, BTreeSet};

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// ARP requests that want an answer.
    Neighbours,
    /// Datagrams that want fragments.
    Reassembly,
    /// Connections in TIME-WAIT.
    TimeWait,
    /// One connection.
    Flow(FlowId),
}

/// Every deadline of a host.
#[derive(Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Instant, Owner)>,
    by_owner: BTreeMap<Owner, Instant>,
}

impl Timers {
    /// Sets, moves or clears the deadline of `owner`.
    pub(crate) fn set(&mut self, owner: Owner, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.by_owner.insert(owner, at),
            None => self.by_owner.remove(&owner),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, owner));
        }
        if let Some(at) = at {
            self.by_time.insert((at, owner));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one owner whose deadline has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Owner> {
        let (at, owner) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.remove(&(at, owner));
        self.by_owner.remove(&owner);
        Some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_one_deadline_and_the_earliest_comes_first() {
        let mut timers = Timers::default();
        let flow = Owner::Flow(FlowId(1));
        timers.set(flow, Some(Instant::from_millis(5)));
        timers.set(Owner::TimeWait, Some(Instant::from_millis(3)));
        timers.set(flow, Some(Instant::from_millis(2)));
        assert_eq!(timers.next(), Some(Instant::from_millis(2)));
        assert_eq!(timers.take_due(Instant::from_millis(4)), Some(flow));
        assert_eq!(timers.take_due(Instant::from_millis(4)), Some(Owner::TimeWait));
        assert_eq!(timers.take_due(Instant::MAX), None);
    }
}
