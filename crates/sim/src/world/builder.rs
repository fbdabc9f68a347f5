//! A world before it is one.

use super::SimWorld;
use crate::cable::Carriers;
use crate::clock::{DEFAULT_EPOCH, SimClock};
use crate::flight::Flights;
use crate::schedule::Schedule;
use glasstack_journal::{Clock, Journal, Observer, WallTime};
use glasstack_stack::{Entropy, Executor};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How a world is to be.
pub struct SimWorldBuilder {
    seed: u64,
    epoch: WallTime,
    observers: Vec<Box<dyn Observer>>,
    turns_an_instant: usize,
    time_limit: Duration,
    entropy: Option<Arc<dyn Entropy>>,
}

impl SimWorldBuilder {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            epoch: DEFAULT_EPOCH,
            observers: Vec::new(),
            turns_an_instant: 1_000_000,
            time_limit: Duration::from_secs(30 * 24 * 60 * 60),
            entropy: None,
        }
    }

    /// The wall time at which the world begins; [`DEFAULT_EPOCH`] if none is said.
    #[must_use]
    pub fn epoch(self, epoch: WallTime) -> Self {
        Self { epoch, ..self }
    }

    /// Hosts and whoever else asks [`environment`](SimWorld::environment) take their randomness from here
    /// instead of from the seed, which then decides only about faults. The world does not repeat itself
    /// any more; only such a one may have a [gate](SimWorld::add_gate).
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy: Some(entropy), ..self }
    }

    /// Attaches an observer before anything exists that it could miss.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// How many frames, polls of nodes and polls of tasks may go by without time passing before the
    /// run fails with [`SimError::Spinning`](crate::SimError::Spinning). A million.
    #[must_use]
    pub fn turns_an_instant(self, turns: usize) -> Self {
        Self { turns_an_instant: turns, ..self }
    }

    /// How much virtual time one [`run`](glasstack_stack::World::run) may take before it fails with
    /// [`SimError::TooLong`](crate::SimError::TooLong). 30 days.
    #[must_use]
    pub fn time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    /// The world, empty.
    pub fn build(self) -> SimWorld {
        let clock = Arc::new(SimClock::new(self.epoch));
        let journal = Journal::new(self.epoch);
        for observer in self.observers {
            journal.attach(observer);
        }
        // The world asks for itself whether something is ready, so the bell has nobody to wake.
        let executor = Executor::new(Arc::clone(&clock) as Arc<dyn Clock>, || {});
        SimWorld {
            seed: self.seed,
            clock,
            journal,
            executor,
            nodes: Vec::new(),
            schedule: Schedule::default(),
            cables: Vec::new(),
            cable_names: BTreeMap::new(),
            flights: Flights::default(),
            carriers: Carriers::default(),
            outputs: Vec::new(),
            next_mac: 0,
            turns_an_instant: self.turns_an_instant,
            time_limit: self.time_limit,
            entropy: self.entropy,
            attackers: Vec::new(),
        }
    }
}
