//! A frame's way along a cable.

use super::fate::{Fate, Teller, captured};
use super::lane::Line;
use super::{Cable, Carriers, FaultId};
use crate::entropy::Rng;
use crate::fault::{Fault, Verdict};
use crate::flight::{Flight, Flights, Load, Way};
use crate::node::WireFrame;
use glasstack_journal::event::{FrameId, InterfaceId, Link};
use glasstack_journal::{Instant, Scope};
use std::time::Duration;

const UNPLUGGED: &str = "unplugged";

/// A cable that is laid.
pub(super) struct Wire {
    pub(super) name: String,
    scope: Scope,
    seed: u64,
    /// Its number in the world.
    index: usize,
    pub(super) up: bool,
    pub(super) captured: Option<InterfaceId>,
    /// How often its plug has been pulled.
    unplugged: u64,
    carriers: Carriers,
    pub(super) lanes: [Line; 2],
    pub(super) faults: Vec<Attached>,
    next_fault: u64,
}

/// A fault of a cable.
pub(super) struct Attached {
    id: FaultId,
    way: Option<Way>,
    pub(super) fault: Box<dyn Fault>,
    rng: Rng,
}

impl Wire {
    pub(super) fn new(
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
        let mut wire = Self {
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
            wire.attach(way, fault);
        }
        if cable.captured {
            wire.capture();
        }
        wire
    }

    pub(super) fn capture(&mut self) {
        if self.captured.is_none() {
            let interface = self.scope.journal().next_interface();
            self.captured = Some(interface);
            self.scope.record(|| Link::CaptureUp { interface, cable: self.name.clone() });
        }
    }

    pub(super) fn attach(&mut self, way: Option<Way>, fault: Box<dyn Fault>) -> FaultId {
        let id = FaultId(self.next_fault);
        self.next_fault += 1;
        let rng = Rng::new(self.seed, &format!("{} fault {}", self.name, id.0));
        self.faults.push(Attached { id, way, fault, rng });
        id
    }

    /// False if there is no such fault.
    pub(super) fn detach(&mut self, id: FaultId) -> bool {
        let before = self.faults.len();
        self.faults.retain(|attached| attached.id != id);
        self.faults.len() < before
    }

    /// What is on the wire is lost.
    pub(super) fn unplug(&mut self) {
        self.set_carrier(false);
        self.unplugged += 1;
        for way in [Way::There, Way::Back] {
            for frame in self.lanes[way as usize].cut().into_frames() {
                self.lost(frame.id, UNPLUGGED);
            }
        }
    }

    pub(super) fn set_carrier(&mut self, up: bool) {
        if self.up != up {
            self.up = up;
            self.carriers.tell(self.index, up);
        }
    }

    /// Puts a frame on the wire.
    pub(super) fn transmit(&mut self, way: Way, frame: WireFrame, flights: &mut Flights) {
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
        for (key, due) in self.lanes[way as usize].release() {
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
        self.lanes[way as usize].hold(key, due, self.scope.now());
    }

    /// What was on its way is there.
    pub(super) fn arrive(&mut self, flight: Flight, flights: &mut Flights) -> Option<WireFrame> {
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
}
