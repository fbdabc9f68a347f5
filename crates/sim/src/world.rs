//! The world: it owns the nodes and the cables, and lets things happen one after the other.
//!
//! ```text
//!   at one instant, until nothing is left to do:
//!       fire timers -> poll tasks that are ready -> deliver frames that arrive -> poll nodes
//!   then jump the clock to the earliest of: a frame's arrival, a node's deadline, a task's timer
//! ```
//!
//! Whatever happens at the same instant happens in the order in which it was caused, and nodes are
//! polled in the order in which they were added, so a seed determines everything.

use crate::cable::{CableHandle, Carriers};
use crate::clock::SimClock;
use crate::entropy::SeededEntropy;
use crate::error::SimError;
use crate::flight::{Flights, Way};
use crate::node::{Node, NodeContext, WireFrame};
use crate::schedule::Schedule;
use glasstack_journal::event::Link;
use glasstack_journal::{Clock, Instant, Journal, Scope, WallTime};
use glasstack_stack::executor::{MainTask, Progress};
use glasstack_stack::{Entropy, Environment, Executor, World};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

mod builder;
mod wiring;

pub use builder::SimWorldBuilder;

/// Polls of tasks between two looks at the network.
const POLLS_A_TURN: usize = 256;

/// Hosts and what connects them, under a virtual clock.
pub struct SimWorld {
    seed: u64,
    clock: Arc<SimClock>,
    journal: Journal,
    executor: Executor,
    nodes: Vec<Slot>,
    schedule: Schedule,
    cables: Vec<Laid>,
    /// How many cables there are of each name.
    cable_names: BTreeMap<String, usize>,
    flights: Flights,
    carriers: Carriers,
    /// Where nodes put the frames that they send; kept for its room.
    outputs: Vec<(usize, WireFrame)>,
    next_mac: u32,
    turns_an_instant: usize,
    time_limit: Duration,
    /// Where randomness comes from if not from the seed.
    entropy: Option<Arc<dyn Entropy>>,
    /// Who must never come near a real network.
    attackers: Vec<String>,
}

/// A node and its place in the network.
struct Slot {
    name: String,
    scope: Scope,
    node: Box<dyn Node>,
    cables: BTreeMap<usize, (usize, Way)>,
    plugged: Vec<usize>,
}

/// A cable and its two ends: node and port.
struct Laid {
    handle: CableHandle,
    ends: [(usize, usize); 2],
}

/// How a run ended.
enum Outcome<T> {
    Done(T),
    Stopped,
    Idle,
    OutOfTime,
}

impl SimWorld {
    /// An empty world. The same seed and the same program give the same bytes at the same instants.
    pub fn new(seed: u64) -> Self {
        Self::builder(seed).build()
    }

    /// A world with an epoch, observers or limits of its own.
    pub fn builder(seed: u64) -> SimWorldBuilder {
        SimWorldBuilder::new(seed)
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The journal. An observer attached to it misses the names of the nodes that exist already.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The executor.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// What somebody called `name` takes from the world: its clock, executor and journal, and a stream of
    /// random bytes that depends on the seed and the name alone, unless the world has
    /// [another source](SimWorldBuilder::entropy). Hosts get theirs by [`add_host`](Self::add_host).
    pub fn environment(&self, name: &str) -> Environment {
        Environment {
            journal: self.journal.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: match &self.entropy {
                Some(entropy) => Arc::clone(entropy),
                None => Arc::new(SeededEntropy::new(self.seed, name)),
            },
            executor: self.executor.clone(),
        }
    }

    /// Does all that can be done without time passing, then moves the clock on to the next event.
    /// False if there is none.
    pub fn step(&mut self) -> Result<bool, SimError> {
        let executor = self.executor.clone();
        self.settle(&mut executor.main(pending::<()>()))?;
        let Some(next) = self.next_event() else { return Ok(false) };
        self.clock.advance_to(next);
        Ok(true)
    }

    /// Lets things happen for `duration`; the clock has moved on by exactly that much afterwards.
    pub fn run_for(&mut self, duration: Duration) -> Result<(), SimError> {
        self.run_until(self.clock.now() + duration)
    }

    /// Lets things happen until it is `end`, as seen by the world's clock.
    pub fn run_until(&mut self, end: Instant) -> Result<(), SimError> {
        let executor = self.executor.clone();
        self.drive(&mut executor.main(pending::<()>()), end, |_| false)?;
        self.clock.advance_to(end);
        Ok(())
    }

    /// Lets things happen until nothing can any more, or until `limit` has passed. Tells whether
    /// it came to rest.
    pub fn run_until_idle(&mut self, limit: Duration) -> Result<bool, SimError> {
        let end = self.clock.now() + limit;
        let executor = self.executor.clone();
        let outcome = self.drive(&mut executor.main(pending::<()>()), end, |_| false)?;
        Ok(matches!(outcome, Outcome::Idle))
    }

    /// One instant after the other, until `main` is done, `stop` holds, nothing can happen any more, or
    /// the next event lies behind `end`.
    fn drive<T>(
        &mut self,
        main: &mut MainTask<'_, T>,
        end: Instant,
        stop: impl Fn(&Self) -> bool,
    ) -> Result<Outcome<T>, SimError> {
        loop {
            if let Some(done) = self.settle(main)? {
                return Ok(Outcome::Done(done));
            }
            if stop(self) {
                return Ok(Outcome::Stopped);
            }
            match self.next_event() {
                None => return Ok(Outcome::Idle),
                Some(next) if next > end => {
                    self.clock.advance_to(end);
                    return Ok(Outcome::OutOfTime);
                }
                Some(next) => self.clock.advance_to(next),
            }
        }
    }

    /// Everything that happens at this instant. The main task's result, if it ended.
    fn settle<T>(&mut self, main: &mut MainTask<'_, T>) -> Result<Option<T>, SimError> {
        let now = self.clock.now();
        let mut turns = 0;
        loop {
            let before = turns;
            self.executor.fire_timers(now);
            match self.executor.run_ready(main, POLLS_A_TURN) {
                Progress::Done(done) => return Ok(Some(done)),
                Progress::Idle(polls) => turns += polls,
                Progress::Busy => turns += POLLS_A_TURN,
            }
            self.check(now, turns, || "a task".to_owned())?;
            turns += self.tell_carriers();
            while let Some(flight) = self.flights.land(now) {
                let Laid { handle, ends } = &self.cables[flight.cable];
                let (node, port) = ends[match flight.way {
                    Way::There => 1,
                    Way::Back => 0,
                }];
                if let Some(frame) = handle.arrive(flight, &mut self.flights) {
                    self.with_node(node, |node, context| node.on_frame(port, frame, context));
                    self.schedule.poll_soon(node);
                }
                turns += 1;
                self.check(now, turns, || self.nodes[node].name.clone())?;
            }
            self.answer_bells();
            for index in self.schedule.take_due(now) {
                self.with_node(index, |node, context| node.poll(context))?;
                turns += 1;
                self.check(now, turns, || self.nodes[index].name.clone())?;
            }
            if turns == before {
                return Ok(None);
            }
        }
    }

    /// Tells both ends of each plug that was pulled or put back. How many were told.
    fn tell_carriers(&mut self) -> usize {
        let mut told = 0;
        for (cable, up) in self.carriers.take() {
            let Some(ends) = self.cables.get(cable).map(|laid| laid.ends) else { continue };
            for (node, port) in ends {
                self.with_node(node, |node, context| node.on_carrier(port, up, context));
                self.schedule.poll_soon(node);
                told += 1;
            }
        }
        told
    }

    /// The end of everything that happens without time passing.
    fn check(&self, at: Instant, turns: usize, by: impl FnOnce() -> String) -> Result<(), SimError> {
        if turns <= self.turns_an_instant { Ok(()) } else { Err(SimError::Spinning { at, turns, by: by() }) }
    }

    /// Asks the nodes that have rung what they want.
    fn answer_bells(&mut self) {
        for index in self.schedule.take_rung() {
            let node = &self.nodes[index].node;
            if node.wants_poll() {
                self.schedule.poll_soon(index);
            }
            self.schedule.set(index, node.next_deadline());
        }
    }

    /// Calls a node, sends off what it sends, and asks when it wants to be called again.
    fn with_node<R>(
        &mut self,
        index: usize,
        call: impl FnOnce(&mut dyn Node, &mut NodeContext<'_>) -> R,
    ) -> R {
        let slot = &mut self.nodes[index];
        let outputs = std::mem::take(&mut self.outputs);
        let mut context = NodeContext { scope: &slot.scope, plugged: &slot.plugged, outputs };
        let result = call(slot.node.as_mut(), &mut context);
        let mut outputs = context.outputs;
        for (port, frame) in outputs.drain(..) {
            match slot.cables.get(&port) {
                Some((cable, way)) => self.cables[*cable].handle.transmit(*way, frame, &mut self.flights),
                None => slot.lose(port, &frame),
            }
        }
        self.outputs = outputs;
        self.schedule.set(index, self.nodes[index].node.next_deadline());
        result
    }

    /// When the next thing happens; none if nothing ever does.
    pub fn next_event(&mut self) -> Option<Instant> {
        self.answer_bells();
        let others = [self.flights.next_arrival(), self.executor.next_timer(), self.schedule.next()];
        others.into_iter().flatten().min().filter(|at| *at < Instant::MAX)
    }

    fn is_quiet(&self) -> bool {
        self.flights.is_empty() && self.nodes.iter().all(|slot| slot.node.is_quiet())
    }

    fn stuck(&self) -> SimError {
        let mut waiting = "the program waits".to_owned();
        let mut say = |what: String| {
            waiting.push_str("; ");
            waiting.push_str(&what);
        };
        match self.executor.live_tasks() {
            0 => {}
            tasks => say(format!("{tasks} background tasks exist")),
        }
        for slot in &self.nodes {
            if !slot.node.is_quiet() {
                say(format!("{} is not done", slot.name));
            }
            if slot.cables.is_empty() {
                say(format!("{} has no cable", slot.name));
            }
        }
        for laid in self.cables.iter().filter(|laid| !laid.handle.is_plugged_in()) {
            say(format!("the cable {} is unplugged", laid.handle.name()));
        }
        SimError::Stuck { at: self.clock.now(), waiting }
    }
}

impl Slot {
    /// A frame leaves by a port that has no cable.
    fn lose(&self, port: usize, frame: &WireFrame) {
        let cable = format!("{} port {port}", self.name);
        self.scope.record(|| Link::Lost { frame: frame.id, cable, by: "no cable".to_owned() });
    }
}

impl AsMut<SimWorld> for SimWorld {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

impl Drop for SimWorld {
    /// Servers hold their hosts and hosts the executor: without this they would hold each other for
    /// ever.
    fn drop(&mut self) {
        self.executor.end();
    }
}

impl World for SimWorld {
    type Error = SimError;

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn wall(&self) -> WallTime {
        self.clock.wall()
    }

    fn run<T>(&mut self, until: impl Future<Output = T>) -> Result<T, SimError> {
        let executor = self.executor.clone();
        let end = self.clock.now() + self.time_limit;
        match self.drive(&mut executor.main(until), end, |_| false)? {
            Outcome::Done(done) => Ok(done),
            Outcome::OutOfTime => Err(SimError::TooLong { limit: self.time_limit }),
            Outcome::Idle | Outcome::Stopped => Err(self.stuck()),
        }
    }

    fn drain(&mut self, limit: Duration) -> Result<bool, SimError> {
        let end = self.clock.now() + limit;
        let executor = self.executor.clone();
        let outcome = self.drive(&mut executor.main(pending::<()>()), end, Self::is_quiet)?;
        Ok(matches!(outcome, Outcome::Stopped))
    }
}
