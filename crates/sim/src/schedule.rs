//! Which node is to be called when. A world of a thousand hosts must not ask each of them at every
//! instant, so what a node wants is asked once after it was called, and again only if it rings.

use glasstack_journal::Instant;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// By this a node that programs can reach from outside (a host, a probe) tells the world that it may
/// want something else than before.
#[derive(Clone, Debug)]
pub struct NodeBell {
    node: usize,
    rung: Arc<Mutex<Vec<usize>>>,
}

impl NodeBell {
    /// The world will ask the node anew for [`wants_poll`](crate::Node::wants_poll) and
    /// [`next_deadline`](crate::Node::next_deadline), before time passes.
    pub fn ring(&self) {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner).push(self.node);
    }
}

/// The nodes of a world, by number.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// What is known of each node's deadline.
    deadlines: Vec<Option<Instant>>,
    by_deadline: BTreeSet<(Instant, usize)>,
    /// To be polled at this instant, whatever their deadline.
    now: BTreeSet<usize>,
    rung: Arc<Mutex<Vec<usize>>>,
}

impl Schedule {
    /// The next node joins. It is polled at once.
    pub(crate) fn add(&mut self) -> NodeBell {
        let node = self.deadlines.len();
        self.deadlines.push(None);
        self.now.insert(node);
        NodeBell { node, rung: Arc::clone(&self.rung) }
    }

    /// The node wants to be polled at `deadline`.
    pub(crate) fn set(&mut self, node: usize, deadline: Option<Instant>) {
        let Some(known) = self.deadlines.get_mut(node) else { return };
        if *known == deadline {
            return;
        }
        if let Some(before) = std::mem::replace(known, deadline) {
            self.by_deadline.remove(&(before, node));
        }
        if let Some(at) = deadline {
            self.by_deadline.insert((at, node));
        }
    }

    /// The node is to be polled at this instant.
    pub(crate) fn poll_soon(&mut self, node: usize) {
        self.now.insert(node);
    }

    /// Who has rung since the last call, each once, in the order of the nodes.
    pub(crate) fn take_rung(&mut self) -> BTreeSet<usize> {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if rung.is_empty() { BTreeSet::new() } else { rung.drain(..).collect() }
    }

    /// Who is to be polled at `now`, in the order of the nodes.
    pub(crate) fn take_due(&mut self, now: Instant) -> BTreeSet<usize> {
        while let Some((at, node)) = self.by_deadline.first().copied() {
            if at > now {
                break;
            }
            self.set(node, None);
            self.now.insert(node);
        }
        std::mem::take(&mut self.now)
    }

    /// The earliest deadline; the beginning of time if somebody is to be polled at once.
    pub(crate) fn next(&self) -> Option<Instant> {
        if !self.now.is_empty() {
            return Some(Instant::ZERO);
        }
        self.by_deadline.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Instant = Instant::from_millis(5);

    #[test]
    fn whoever_is_due_is_called_in_the_order_of_joining() {
        let mut schedule = Schedule::default();
        for _ in 0..4 {
            schedule.add();
        }
        assert_eq!(schedule.take_due(Instant::ZERO), BTreeSet::from([0, 1, 2, 3]), "everybody begins");
        schedule.set(3, Some(LATER));
        schedule.set(1, Some(LATER));
        schedule.set(2, Some(Instant::from_millis(9)));
        assert_eq!(schedule.next(), Some(LATER));
        schedule.poll_soon(0);
        assert_eq!(schedule.take_due(LATER), BTreeSet::from([0, 1, 3]));
        assert_eq!(schedule.next(), Some(Instant::from_millis(9)));
    }

    #[test]
    fn a_deadline_that_changes_replaces_the_one_before() {
        let mut schedule = Schedule::default();
        schedule.add();
        schedule.take_due(Instant::ZERO);
        schedule.set(0, Some(Instant::from_millis(1)));
        schedule.set(0, Some(LATER));
        assert_eq!(schedule.next(), Some(LATER));
        schedule.set(0, None);
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn whoever_is_to_be_polled_at_once_comes_before_every_deadline() {
        let mut schedule = Schedule::default();
        schedule.add();
        assert_eq!(schedule.next(), Some(Instant::ZERO), "everybody begins");
        schedule.take_due(Instant::from_millis(1));
        schedule.set(0, Some(LATER));
        schedule.poll_soon(0);
        assert_eq!(schedule.next(), Some(Instant::ZERO));
    }

    #[test]
    fn a_node_that_rings_twice_is_asked_once() {
        let mut schedule = Schedule::default();
        let bell = schedule.add();
        bell.ring();
        bell.clone().ring();
        assert_eq!(schedule.take_rung(), BTreeSet::from([0]));
        assert!(schedule.take_rung().is_empty());
    }
}
