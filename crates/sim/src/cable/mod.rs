//! Cables: latency, jitter, rate, a queue that may overflow, faults, a plug that may be pulled, and a
//! capture that listens.
//!
//! ```text
//!   frame --> capture --> line free? --> bits at the rate --> faults --> latency, jitter --> arrives
//!                             |                                | lost, late, twice, corrupt, forged
//!                             +--> queue: full, or stands? lost
//! ```
//!
//! Read in this order: this file (what a cable is to be, and the handle of one that is laid), `wire` (a frame's
//! way along it), `lane` (one direction), `queue` and `codel` (who waits, and who is lost instead), `fate` (what
//! faults make of a frame).

mod carrier;
mod codel;
mod fate;
mod lane;
mod queue;
mod wire;

pub(crate) use carrier::Carriers;
pub use lane::Lane;
pub use queue::Queue;

use crate::fault::Fault;
use crate::flight::{Flight, Flights, Way};
use crate::node::WireFrame;
use glasstack_journal::Scope;
use glasstack_journal::event::InterfaceId;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::Wire;

/// A cable before it is connected: what [`SimWorld::connect`](crate::SimWorld::connect) is told.
pub struct Cable {
    /// From its first end to its second.
    pub there: Lane,
    /// From its second end to its first.
    pub back: Lane,
    up: bool,
    captured: bool,
    faults: Vec<(Option<Way>, Box<dyn Fault>)>,
}

impl Default for Cable {
    fn default() -> Self {
        Self::new()
    }
}

impl Cable {
    /// A good cable: 1 ms each way, no limit, no fault.
    pub fn new() -> Self {
        Self::asymmetric(Lane::default(), Lane::default())
    }

    /// A cable whose two directions differ.
    pub fn asymmetric(there: Lane, back: Lane) -> Self {
        Self { there, back, up: true, captured: false, faults: Vec::new() }
    }

    /// How long a bit travels, both ways.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.there.latency = latency;
        self.back.latency = latency;
        self
    }

    /// Bits a second, both ways.
    #[must_use]
    pub fn rate(mut self, bits_per_second: u64) -> Self {
        self.there.rate = Some(bits_per_second);
        self.back.rate = Some(bits_per_second);
        self
    }

    /// What becomes of frames that must wait, both ways.
    #[must_use]
    pub fn queue(mut self, queue: Queue) -> Self {
        self.there.queue = queue;
        self.back.queue = queue;
        self
    }

    /// How much longer a bit may travel at most, both ways.
    #[must_use]
    pub fn jitter(mut self, up_to: Duration) -> Self {
        self.there.jitter = up_to;
        self.back.jitter = up_to;
        self
    }

    /// Whether frames keep their order in spite of jitter, both ways.
    #[must_use]
    pub fn keeps_order(mut self, keeps_order: bool) -> Self {
        self.there.keeps_order = keeps_order;
        self.back.keeps_order = keeps_order;
        self
    }

    /// How it is from its first end to its second.
    #[must_use]
    pub fn there(mut self, lane: Lane) -> Self {
        self.there = lane;
        self
    }

    /// How it is from its second end to its first.
    #[must_use]
    pub fn back(mut self, lane: Lane) -> Self {
        self.back = lane;
        self
    }

    /// It is laid with its plug pulled; see [`CableHandle::plug_in`].
    #[must_use]
    pub fn unplugged(mut self) -> Self {
        self.up = false;
        self
    }

    /// What passes it is captured from the beginning; see [`CableHandle::capture`].
    #[must_use]
    pub fn capture(mut self) -> Self {
        self.captured = true;
        self
    }

    /// A fault that sees the frames of both directions.
    #[must_use]
    pub fn fault(mut self, fault: impl Fault + 'static) -> Self {
        self.faults.push((None, Box::new(fault)));
        self
    }

    /// A fault that sees only frames from the first end to the second.
    #[must_use]
    pub fn fault_there(mut self, fault: impl Fault + 'static) -> Self {
        self.faults.push((Some(Way::There), Box::new(fault)));
        self
    }

    /// A fault that sees only frames from the second end to the first.
    #[must_use]
    pub fn fault_back(mut self, fault: impl Fault + 'static) -> Self {
        self.faults.push((Some(Way::Back), Box::new(fault)));
        self
    }

    /// Whether a fault on it makes frames of its own.
    pub(crate) fn injects(&self) -> bool {
        self.faults.iter().any(|(_, fault)| fault.injects())
    }
}

/// A connected cable, to be changed while the world runs, from a program in it as well. Cheap to
/// clone; all clones are the same cable.
#[derive(Clone)]
pub struct CableHandle {
    wire: Arc<Mutex<Wire>>,
}

/// Names a fault of one cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

impl CableHandle {
    /// Its name: `client <-> switch`.
    pub fn name(&self) -> String {
        self.lock().name.clone()
    }

    /// Adds a fault that sees both directions. It is asked after those that are there already.
    pub fn add_fault(&self, fault: impl Fault + 'static) -> FaultId {
        self.lock().attach(None, Box::new(fault))
    }

    /// Adds a fault that sees one direction.
    pub fn add_fault_to(&self, way: Way, fault: impl Fault + 'static) -> FaultId {
        self.lock().attach(Some(way), Box::new(fault))
    }

    /// Takes a fault away. False if it is gone already.
    pub fn remove_fault(&self, id: FaultId) -> bool {
        self.lock().detach(id)
    }

    /// Takes every fault away.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Pulls the plug: what is on the cable is lost, and so is what is sent until it is
    /// [plugged in](Self::plug_in) again.
    pub fn unplug(&self) {
        self.lock().unplug();
    }

    /// Puts the plug back.
    pub fn plug_in(&self) {
        self.lock().set_carrier(true);
    }

    /// Whether it is plugged in.
    pub fn is_plugged_in(&self) -> bool {
        self.lock().up
    }

    /// How many frames, and how many bytes, wait for their turn in one direction.
    pub fn backlog(&self, way: Way) -> (usize, usize) {
        self.lock().lanes[way as usize].waiting.backlog()
    }

    /// Changes one direction, for frames that leave from now on.
    pub fn set_lane(&self, way: Way, lane: Lane) {
        self.lock().lanes[way as usize].lane = lane;
    }

    /// From now on the journal is told of every frame that passes, and captures can show it. Calling
    /// it again changes nothing.
    pub fn capture(&self) {
        self.lock().capture();
    }

    /// The number of its capture in the journal; none if it is not captured.
    pub fn captured(&self) -> Option<InterfaceId> {
        self.lock().captured
    }

    /// Whether a fault on it makes frames of its own.
    pub fn injects(&self) -> bool {
        self.lock().faults.iter().any(|attached| attached.fault.injects())
    }

    pub(crate) fn new(
        cable: Cable,
        index: usize,
        name: String,
        scope: Scope,
        seed: u64,
        carriers: Carriers,
    ) -> Self {
        Self { wire: Arc::new(Mutex::new(Wire::new(cable, index, name, scope, seed, carriers))) }
    }

    /// Puts a frame on the cable.
    pub(crate) fn transmit(&self, way: Way, frame: WireFrame, flights: &mut Flights) {
        self.lock().transmit(way, frame, flights);
    }

    /// What was on its way is there: a frame comes out at the other end, unless the plug was pulled
    /// meanwhile; or the line is free for the next that waits.
    pub(crate) fn arrive(&self, flight: Flight, flights: &mut Flights) -> Option<WireFrame> {
        self.lock().arrive(flight, flights)
    }

    fn lock(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
