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

use crate::cable::{Cable, CableHandle};
use crate::clock::{DEFAULT_EPOCH, SimClock};
use crate::entropy::{Rng, SeededEntropy};
use crate::error::{SimError, TopologyError};
use crate::flight::{Flights, Way};
use crate::gate::Gate;
use crate::nic::{HostNode, SimNic};
use crate::node::{Node, NodeContext, Plug, PlugNode, WireFrame};
use crate::probe::{Probe, ProbeNode};
use crate::router::{Router, RouterConfig};
use crate::schedule::Schedule;
use crate::switch::Switch;
use glasstack_journal::event::{Link, MacAddress};
use glasstack_journal::{Clock, Instant, Journal, NodeId, Observer, Scope, WallTime};
use glasstack_stack::executor::{MainTask, Progress};
use glasstack_stack::{Entropy, Environment, Executor, Host, HostConfig, World};
use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

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
    /// run fails with [`SimError::Spinning`]. A million.
    #[must_use]
    pub fn turns_an_instant(self, turns: usize) -> Self {
        Self { turns_an_instant: turns, ..self }
    }

    /// How much virtual time one [`run`](World::run) may take before it fails with
    /// [`SimError::TooLong`]. 30 days.
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
            outputs: Vec::new(),
            next_mac: 0,
            turns_an_instant: self.turns_an_instant,
            time_limit: self.time_limit,
            entropy: self.entropy,
            attackers: Vec::new(),
        }
    }
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
        SimWorldBuilder {
            seed,
            epoch: DEFAULT_EPOCH,
            observers: Vec::new(),
            turns_an_instant: 1_000_000,
            time_limit: Duration::from_secs(30 * 24 * 60 * 60),
            entropy: None,
        }
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

    /// A MAC address that no other call returns: `06:00:00:00:00:01` and on, locally
    /// administered. It leaves `02:...` to those who number their stations by hand.
    pub fn next_mac(&mut self) -> MacAddress {
        self.next_mac += 1;
        let [a, b, c, d] = self.next_mac.to_be_bytes();
        MacAddress([6, 0, a, b, c, d])
    }

    /// Puts a host into the world, with a card named `eth0` and an MTU of 1 500 bytes. Connect it
    /// before it is to reach anybody.
    pub fn add_host(&mut self, config: HostConfig) -> Result<Host, TopologyError> {
        self.add_host_with(config, SimNic::default())
    }

    /// Puts a host with a card of its own into the world.
    pub fn add_host_with(&mut self, config: HostConfig, nic: SimNic) -> Result<Host, TopologyError> {
        let name = self.free_name(&config.name)?;
        let (host, runner) = Host::new(&self.environment(&name), config, nic)
            .map_err(|source| TopologyError::Host { name: name.clone(), source })?;
        let scope = self.scope(host.scope().node());
        self.push_node(name, scope, Box::new(HostNode::new(runner)));
        Ok(host)
    }

    /// Puts a learning switch into the world, with as many ports as it gets cables.
    pub fn add_switch(&mut self, name: &str) -> Result<NodeId, TopologyError> {
        self.add_node(name, Switch::new())
    }

    /// Puts a bare port into the world that keeps what it receives and sends what it is told to.
    pub fn add_probe(&mut self, name: &str) -> Result<Probe, TopologyError> {
        let name = self.free_name(name)?;
        let scope = self.introduce(&name);
        let context = NodeContext { scope: &scope, plugged: &[], outputs: Vec::new() };
        let (node, probe) = ProbeNode::new(&name, &context);
        self.push_node(name, scope, Box::new(node));
        Ok(probe)
    }

    /// Puts a gate to a real network into the world: a port like a probe's, whose frames the caller
    /// carries across. Its world must not take its randomness from the seed, since a real peer could then
    /// foresee ports, sequence numbers and keys; and nobody in it may be an attacker.
    pub fn add_gate(&mut self, name: &str) -> Result<Gate, TopologyError> {
        let is_foreseeable = |entropy: &Arc<dyn Entropy>| entropy.is_reproducible();
        if self.entropy.as_ref().is_none_or(is_foreseeable) {
            return Err(TopologyError::SeededGate(name.to_owned()));
        }
        if let Some(attacker) = self.attackers.first() {
            return Err(TopologyError::NoAttacksOnARealNetwork(attacker.clone()));
        }
        let port = self.add_probe(name)?;
        self.flights.lead_outside = true;
        Ok(Gate::new(port))
    }

    /// Takes note of somebody who attacks, unless a real network is within reach.
    fn admit_attacker(&mut self, who: &str) -> Result<(), TopologyError> {
        if self.flights.lead_outside {
            return Err(TopologyError::NoAttacksOnARealNetwork(who.to_owned()));
        }
        self.attackers.push(who.to_owned());
        Ok(())
    }

    /// Puts an IPv4 router into the world. Its first port is `eth0`, and so on; which cable is on which
    /// port is what [`connect`](Self::connect) says: `connect((router, 1), &server, ..)`.
    pub fn add_router(&mut self, name: &str, config: RouterConfig) -> Result<NodeId, TopologyError> {
        let name = self.free_name(name)?;
        let scope = self.introduce(&name);
        let id = scope.node();
        let context = NodeContext { scope: &scope, plugged: &[], outputs: Vec::new() };
        let rng = Rng::new(self.seed, &format!("router {name}"));
        let router = Router::new(config, || self.next_mac(), rng, &context)
            .map_err(|why| TopologyError::Router { name: name.clone(), why })?;
        self.push_node(name, scope, Box::new(router));
        Ok(id)
    }

    /// Puts any other kind of node into the world.
    pub fn add_node(&mut self, name: &str, node: impl Node + 'static) -> Result<NodeId, TopologyError> {
        let name = self.free_name(name)?;
        if node.is_attacker() {
            self.admit_attacker(&name)?;
        }
        let scope = self.introduce(&name);
        let id = scope.node();
        self.push_node(name, scope, Box::new(node));
        Ok(id)
    }

    /// Lays a cable from `a` (its first end) to `b` (its second).
    pub fn connect(
        &mut self,
        a: impl Into<Plug>,
        b: impl Into<Plug>,
        cable: Cable,
    ) -> Result<CableHandle, TopologyError> {
        let a = self.find_port(&a.into(), None)?;
        let b = self.find_port(&b.into(), Some(a))?;
        let index = self.cables.len();
        let name = format!("{} <-> {}", self.nodes[a.0].name, self.nodes[b.0].name);
        // A second cable between the same two has faults and dice of its own.
        let twins = self.cable_names.entry(name.clone()).or_default();
        *twins += 1;
        let name = if *twins == 1 { name } else { format!("{name} #{twins}") };
        let scope = self.introduce(&name);
        let handle = CableHandle::new(cable, index, name, scope, self.seed);
        if handle.injects() {
            self.admit_attacker(&handle.name())?;
        }
        for ((node, port), way) in [(a, Way::There), (b, Way::Back)] {
            let slot = &mut self.nodes[node];
            slot.cables.insert(port, (index, way));
            slot.plugged = slot.cables.keys().copied().collect();
        }
        self.cables.push(Laid { handle: handle.clone(), ends: [a, b] });
        Ok(handle)
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
            while let Some(flight) = self.flights.land(now) {
                let Laid { handle, ends } = &self.cables[flight.cable];
                let (node, port) = ends[match flight.way {
                    Way::There => 1,
                    Way::Back => 0,
                }];
                if let Some(frame) = handle.arrive(flight) {
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

    fn free_name(&self, name: &str) -> Result<String, TopologyError> {
        if self.nodes.iter().any(|slot| slot.name == name) {
            return Err(TopologyError::NameTaken(name.to_owned()));
        }
        Ok(name.to_owned())
    }

    /// Tells the journal of a node or a cable.
    fn introduce(&self, name: &str) -> Scope {
        self.scope(self.journal.node(self.clock.now(), name))
    }

    fn scope(&self, node: NodeId) -> Scope {
        Scope::new(self.journal.clone(), Arc::clone(&self.clock) as Arc<dyn Clock>, node)
    }

    fn push_node(&mut self, name: String, scope: Scope, mut node: Box<dyn Node>) {
        node.attach(self.schedule.add());
        self.nodes.push(Slot { name, scope, node, cables: BTreeMap::new(), plugged: Vec::new() });
    }

    /// The node and the port that a plug fits into; `taken` is where the cable's first end is.
    fn find_port(&self, plug: &Plug, taken: Option<(usize, usize)>) -> Result<(usize, usize), TopologyError> {
        let is_meant = |slot: &Slot| match &plug.node {
            PlugNode::Id(id) => slot.scope.node() == *id,
            PlugNode::Name(name) => slot.name == *name,
        };
        let Some(index) = self.nodes.iter().position(is_meant) else {
            return Err(TopologyError::UnknownNode(match &plug.node {
                PlugNode::Id(id) => format!("number {}", id.0),
                PlugNode::Name(name) => format!("named {name}"),
            }));
        };
        let slot = &self.nodes[index];
        let ports = slot.node.ports();
        let is_free = |port: &usize| !slot.cables.contains_key(port) && taken != Some((index, *port));
        let bad = |port, why| TopologyError::BadPort { node: slot.name.clone(), port, why };
        match plug.port {
            Some(port) if port >= ports => Err(bad(port, "not there")),
            Some(port) if !is_free(&port) => Err(bad(port, "taken by another cable")),
            Some(port) => Ok((index, port)),
            None => match (0..ports).find(is_free) {
                Some(port) => Ok((index, port)),
                None => Err(TopologyError::NoFreePort { node: slot.name.clone(), ports }),
            },
        }
    }
}

impl Slot {
    /// A frame leaves by a port that has no cable.
    fn lose(&self, port: usize, frame: &WireFrame) {
        let cable = format!("{} port {port}", self.name);
        self.scope.record(|| Link::Lost { frame: frame.id, cable, by: "no cable".to_owned() });
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
