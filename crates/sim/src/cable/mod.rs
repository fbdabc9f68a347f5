//! Cables: latency, jitter, rate, a queue that may overflow, faults, a plug that may be pulled, and a
//! capture that listens.
//!
//! ```text
//!   frame --> capture --> line free? --> bits at the rate --> faults --> latency, jitter --> arrives
//!                             |                                | lost, late, twice, corrupt, forged
//!                             +--> queue: full, or stands? lost
//! ```
//!
//! Read in this order: this file (a frame's way along a cable), `lane` (one direction), `queue` and `codel`
//! (who waits, and who is lost instead), `fate` (what faults make of a frame).

mod carrier;
mod codel;
mod fate;
mod lane;
mod queue;

pub(crate) use carrier::Carriers;
pub use lane::Lane;
pub use queue::Queue;

use crate::entropy::Rng;
use crate::fault::{Fault, Verdict};
use crate::flight::{Flight, Flights, Load, Way};
use crate::node::WireFrame;
use fate::{Fate, Teller, captured};
use glasstack_journal::event::{FrameId, InterfaceId, Link};
use glasstack_journal::{Instant, Scope};
use lane::Line;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
}

/// A connected cable, to be changed while the world runs, from a program in it as well. Cheap to
/// clone; all clones are the same cable.
#[derive(Clone)]
pub struct CableHandle {
    inner: Arc<Mutex<Inner>>,
}

/// Names a fault of one cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultId(u64);

struct Inner {
    name: String,
    scope: Scope,
    seed: u64,
    index: usize,
    up: bool,
    captured: Option<InterfaceId>,
    unplugged: u64,
    carriers: Carriers,
    lanes: [Line; 2],
    faults: Vec<Attached>,
    next_fault: u64,
}

struct Attached {
    id: FaultId,
    way: Option<Way>,
    fault: Box<dyn Fault>,
    rng: Rng,
}

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
        let mut inner = self.lock();
        let before = inner.faults.len();
        inner.faults.retain(|attached| attached.id != id);
        inner.faults.len() < before
    }

    /// Takes every fault away.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Pulls the plug: what is on the cable is lost, and so is what is sent until it is
    /// [plugged in](Self::plug_in) again.
    pub fn unplug(&self) {
        let mut inner = self.lock();
        inner.set_carrier(false);
        inner.unplugged += 1;
        for way in [Way::There, Way::Back] {
            for frame in inner.lanes[way as usize].cut().into_frames() {
                inner.lost(frame.id, UNPLUGGED);
            }
        }
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
        let mut inner = self.lock();
        if inner.captured.is_none() {
            let interface = inner.scope.journal().next_interface();
            inner.captured = Some(interface);
            inner.scope.record(|| Link::CaptureUp { interface, cable: inner.name.clone() });
        }
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
        if !cable.up {
            carriers.tell(index, false);
        }
        let mut inner = Inner {
            name,
            scope,
            seed,
            index,
            up: cable.up,
            captured: None,
            unplugged: 0,
            carriers,
            lanes: [Line::new(cable.there), Line::new(cable.back)],
            faults: Vec::new(),
            next_fault: 0,
        };
        for (way, fault) in cable.faults {
            inner.attach(way, fault);
        }
        let handle = Self { inner: Arc::new(Mutex::new(inner)) };
        if cable.captured {
            handle.capture();
        }
        handle
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

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const UNPLUGGED: &str = "unplugged";

impl Inner {
    fn set_carrier(&mut self, up: bool) {
        if self.up != up {
            self.up = up;
            self.carriers.tell(self.index, up);
        }
    }

    fn transmit(&mut self, way: Way, frame: WireFrame, flights: &mut Flights) {
        self.tell_capture(way, &frame);
        if !self.up {
            return self.lost(frame.id, UNPLUGGED);
        }
        let now = self.scope.now();
        let (index, unplugged) = (self.index, self.unplugged);
        let line = &mut self.lanes[way as usize];
        if line.is_free(now) {
            return self.depart(way, frame, now, flights);
        }
        let is_first = line.waiting.is_empty();
        match line.waiting.enqueue(line.lane.queue, frame, now) {
            Ok(()) if is_first => {
                let turn = Flight { cable: index, way, unplugged, load: Load::Turn };
                flights.launch(line.busy_until(), turn);
            }
            Ok(()) => {}
            Err(frame) => self.lost(frame.id, "queue full"),
        }
    }

    /// The line is free: the next of those that wait leaves.
    fn next_turn(&mut self, way: Way, flights: &mut Flights) {
        let now = self.scope.now();
        let line = &mut self.lanes[way as usize];
        let turn = line.waiting.dequeue(line.lane.queue, now);
        for (frame, sojourn) in turn.dropped {
            self.lost(frame, &format!("CoDel, {:.1} ms in the queue", sojourn.as_secs_f64() * 1e3));
        }
        if let Some(frame) = turn.frame {
            self.depart(way, frame, now, flights);
        }
        let line = &self.lanes[way as usize];
        if !line.waiting.is_empty() {
            let turn = Flight { cable: self.index, way, unplugged: self.unplugged, load: Load::Turn };
            flights.launch(line.busy_until(), turn);
        }
    }

    /// The frame begins to leave.
    fn depart(&mut self, way: Way, mut frame: WireFrame, now: Instant, flights: &mut Flights) {
        let (seed, name) = (self.seed, &self.name);
        let dice = || Rng::new(seed, &format!("{name} jitter {way:?}"));
        let sent = self.lanes[way as usize].leave(frame.bytes.len(), now, dice);
        if self.faults.is_empty() {
            let flight = self.flight(way, frame);
            return self.launch(way, sent, flight, flights);
        }
        let mut fate = self.judge(way, &mut frame, now);
        if flights.lead_outside {
            self.refuse_forgeries(&mut fate);
        }
        for made in fate.against {
            let arrives = now + self.lanes[way.opposite() as usize].lane.latency;
            let flight = self.flight(way.opposite(), made);
            flights.launch(arrives, flight);
        }
        let due = sent + fate.delay;
        let patience = fate.behind.as_ref().map_or(Duration::ZERO, |(_, patience)| *patience);
        if !fate.is_lost {
            for _ in 0..fate.copies {
                let mut copy = self.flight(way, frame.clone());
                copy.load = copy.load.odd();
                flights.launch(due + patience, copy);
            }
            let mut flight = self.flight(way, frame);
            if fate.is_corrupt {
                flight.load = flight.load.odd();
            }
            match fate.behind {
                Some(by) => self.hold(way, due, flight, by, flights),
                None => self.launch(way, due, flight, flights),
            }
        }
        for made in fate.along {
            let flight = self.flight(way, made);
            flights.launch(due + patience, flight);
        }
    }

    fn flight(&self, way: Way, frame: WireFrame) -> Flight {
        let load = Load::Frame { frame, held: None, is_odd: false };
        Flight { cable: self.index, way, unplugged: self.unplugged, load }
    }

    /// Lets a frame fly, and those that were held back until it passes, behind it.
    fn launch(&mut self, way: Way, arrives: Instant, flight: Flight, flights: &mut Flights) {
        flights.launch(arrives, flight);
        for (key, due) in self.lanes[way as usize].held.drain(..) {
            if key.0 > arrives {
                flights.reschedule(key, arrives.max(due), arrives.since(due));
            }
        }
    }

    /// Lets a frame fly that arrives behind the next one, or after the patience that `by` says.
    fn hold(
        &mut self,
        way: Way,
        due: Instant,
        mut flight: Flight,
        by: (String, Duration),
        flights: &mut Flights,
    ) {
        let arrives = due + by.1;
        if let Load::Frame { held, .. } = &mut flight.load {
            *held = Some(by);
        }
        let key = flights.launch(arrives, flight);
        self.lanes[way as usize].held.push((key, due));
    }

    fn arrive(&mut self, flight: Flight, flights: &mut Flights) -> Option<WireFrame> {
        let was_cut = flight.unplugged != self.unplugged;
        match flight.load {
            Load::Turn => {
                if !was_cut {
                    self.next_turn(flight.way, flights);
                }
                None
            }
            Load::Frame { frame, .. } if was_cut => {
                self.lost(frame.id, UNPLUGGED);
                None
            }
            Load::Frame { frame, held, is_odd } => {
                if let Some((by, for_)) = held {
                    let cable = || self.name.clone();
                    self.scope.record(|| Link::Delayed { frame: frame.id, cable: cable(), by, for_ });
                }
                if is_odd {
                    self.tell_capture(flight.way, &frame);
                }
                Some(frame)
            }
        }
    }

    /// Asks every fault in turn what becomes of the frame.
    fn judge(&mut self, way: Way, frame: &mut WireFrame, now: Instant) -> Fate {
        let (mut fate, mut next) = (Fate::default(), 0);
        while let Some(bit) = self.ask(way, frame, now, &mut next, &mut fate) {
            if let Some(byte) = frame.bytes.get_mut(bit / 8) {
                *byte ^= 0x80 >> (bit % 8);
                fate.is_corrupt = true;
            }
        }
        fate
    }

    /// Asks the faults from number `next` on, which all look at one view so that the frame is parsed once.
    /// A bit if one is to be flipped before the others are asked.
    fn ask(
        &mut self,
        way: Way,
        frame: &WireFrame,
        now: Instant,
        next: &mut usize,
        fate: &mut Fate,
    ) -> Option<usize> {
        let view = frame.view();
        while let Some(attached) = self.faults.get_mut(*next) {
            *next += 1;
            if fate.is_lost {
                return None;
            }
            if attached.way.is_some_and(|only| only != way) {
                continue;
            }
            let verdict = attached.fault.judge(&view, now, &mut attached.rng);
            let (scope, captured) = (&self.scope, self.captured);
            let teller = Teller { scope, captured, cable: &self.name, by: attached.fault.name() };
            match verdict {
                Verdict::Corrupt { bit } if bit / 8 < view.len() => {
                    let (cable, by) = (|| teller.cable(), || teller.by());
                    scope.record(|| Link::Corrupted { frame: frame.id, cable: cable(), by: by(), bit });
                    return Some(bit);
                }
                verdict => fate.take(verdict, frame.id, way, &teller),
            }
        }
        None
    }

    /// Frames that a fault has made do not leave where a real network is within reach.
    fn refuse_forgeries(&self, fate: &mut Fate) {
        for made in fate.along.drain(..).chain(fate.against.drain(..)) {
            self.lost(made.id, "forged: attacks exist in memory only");
        }
    }

    /// A frame goes in, or comes out as another than went in.
    fn tell_capture(&self, way: Way, frame: &WireFrame) {
        if let Some(interface) = self.captured {
            captured(&self.scope, interface, way, frame);
        }
    }

    fn lost(&self, frame: FrameId, by: &str) {
        self.scope.record(|| Link::Lost { frame, cable: self.name.clone(), by: by.to_owned() });
    }

    fn attach(&mut self, way: Option<Way>, fault: Box<dyn Fault>) -> FaultId {
        let id = FaultId(self.next_fault);
        self.next_fault += 1;
        let rng = Rng::new(self.seed, &format!("{} fault {}", self.name, id.0));
        self.faults.push(Attached { id, way, fault, rng });
        id
    }
}
