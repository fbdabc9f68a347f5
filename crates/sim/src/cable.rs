//! Cables: latency, rate, a queue that may overflow, faults, and a plug that may be pulled.
//!
//! ```text
//!   frame --> queue full? --> wait for the line --> bits at the rate --> faults --> latency --> arrives
//!               | lost                                                    | lost, late, twice, corrupt
//! ```

use crate::entropy::Rng;
use crate::fault::{Fault, Verdict};
use crate::flight::{Flight, FlightKey, Flights, Way};
use crate::node::WireFrame;
use crate::view::FrameView;
use glasstack_journal::event::{FrameId, InterfaceId, Link};
use glasstack_journal::{Instant, Scope};
use std::collections::VecDeque;
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

/// One direction of a cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// How long a bit travels. 1 ms.
    pub latency: Duration,
    /// How much longer a bit may travel at most: each frame by a time between nothing and this, each
    /// equally likely. None.
    pub jitter: Duration,
    /// Whether a frame that jitter lets arrive early waits for those sent before it, as it would behind
    /// them in a queue. If not, it overtakes them. True.
    pub keeps_order: bool,
    /// Bits a second, counted over the frame as captured (without preamble, checksum and gap); none
    /// if sending takes no time. None.
    pub rate: Option<u64>,
    /// Who may wait for their turn, and who is lost instead. Without a rate nothing ever waits.
    /// Unlimited.
    pub queue: Queue,
}

/// What becomes of frames that must wait. The frame being sent is in no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Queue {
    /// All wait.
    #[default]
    Unlimited,
    /// So many frames wait; one more is lost (tail drop).
    Frames(usize),
    /// So many bytes wait; a frame that exceeds them is lost (tail drop).
    Bytes(usize),
    /// Controlled delay (RFC 8289): frames are lost when those that leave have waited too long for too
    /// long a time.
    CoDel {
        /// How long a frame may wait always. 5 ms in [`Queue::codel`].
        target: Duration,
        /// For how long they may wait longer before the first is lost; about a round trip. 100 ms.
        interval: Duration,
        /// So many frames wait whatever they have waited; one more is lost. 1 000.
        limit: usize,
    },
}

impl Queue {
    /// CoDel as RFC 8289 4.4 recommends it: a target of 5 ms, an interval of 100 ms, and 1 000 frames.
    pub const fn codel() -> Self {
        Self::CoDel { target: Duration::from_millis(5), interval: Duration::from_millis(100), limit: 1_000 }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            keeps_order: true,
            rate: None,
            queue: Queue::Unlimited,
        }
    }
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

/// A lane and what is on it.
struct Line {
    lane: Lane,
    /// When the last frame's last bit has left.
    busy_until: Instant,
    /// What has not begun to leave: when it will, and its length in bytes.
    waiting: VecDeque<(Instant, usize)>,
    /// Frames held back until the next one passes: where they stand, and when they were due.
    held: Vec<(FlightKey, Instant)>,
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
        inner.up = false;
        inner.unplugged += 1;
        for line in &mut inner.lanes {
            *line = Line::new(line.lane.clone());
        }
    }

    /// Puts the plug back.
    pub fn plug_in(&self) {
        self.lock().up = true;
    }

    /// Whether it is plugged in.
    pub fn is_plugged_in(&self) -> bool {
        self.lock().up
    }

    /// Changes latency, rate or queue of one direction, for frames sent from now on.
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

    pub(crate) fn new(cable: Cable, index: usize, name: String, scope: Scope, seed: u64) -> Self {
        let mut inner = Inner {
            name,
            scope,
            seed,
            index,
            up: cable.up,
            captured: None,
            unplugged: 0,
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

    /// A frame comes out at the other end, unless the plug was pulled meanwhile.
    pub(crate) fn arrive(&self, flight: Flight) -> Option<WireFrame> {
        let inner = self.lock();
        if flight.unplugged != inner.unplugged {
            inner.lost(flight.frame.id, UNPLUGGED);
            return None;
        }
        if let Some((by, for_)) = flight.held {
            let cable = inner.name.clone();
            inner.scope.record(|| Link::Delayed { frame: flight.frame.id, cable, by, for_ });
        }
        Some(flight.frame)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const UNPLUGGED: &str = "unplugged";

/// What the faults have made of a frame.
#[derive(Default)]
struct Fate {
    delay: Duration,
    /// By which fault, and how long at most.
    behind: Option<(String, Duration)>,
    copies: usize,
    /// Whether only what the faults have put on the cable travels on.
    swallowed: bool,
    along: Vec<WireFrame>,
    against: Vec<WireFrame>,
}

impl Inner {
    fn transmit(&mut self, way: Way, mut frame: WireFrame, flights: &mut Flights) {
        if !self.up {
            return self.lost(frame.id, UNPLUGGED);
        }
        let now = self.scope.now();
        let Some(sent) = self.lanes[way as usize].send(frame.bytes.len(), now) else {
            return self.lost(frame.id, "queue full");
        };
        let Some(mut fate) = self.judge(way, &mut frame, now) else { return };
        if flights.lead_outside {
            self.refuse_forgeries(&mut fate);
        }
        let due = sent + fate.delay;
        let (index, unplugged) = (self.index, self.unplugged);
        let injected = |way, frame| Flight { cable: index, way, unplugged, held: None, frame };
        let return_trip = now + self.lanes[way.opposite() as usize].lane.latency;
        for made in fate.against {
            flights.launch(return_trip, injected(way.opposite(), made));
        }
        if fate.swallowed {
            for made in fate.along {
                flights.launch(due, injected(way, made));
            }
            return;
        }
        let flight = Flight { cable: self.index, way, unplugged: self.unplugged, held: None, frame };
        let line = &mut self.lanes[way as usize];
        let patience = fate.behind.as_ref().map_or(Duration::ZERO, |(_, patience)| *patience);
        let arrives = due + patience;
        for _ in 0..fate.copies {
            let copy = Flight { held: None, frame: flight.frame.clone(), ..flight };
            flights.launch(arrives, copy);
        }
        let is_held = fate.behind.is_some();
        let key = flights.launch(arrives, Flight { held: fate.behind, ..flight });
        for made in fate.along {
            flights.launch(arrives, injected(way, made));
        }
        if is_held {
            line.held.push((key, due));
            return;
        }
        for (key, due) in line.held.drain(..) {
            if key.0 > arrives {
                flights.reschedule(key, arrives.max(due), arrives.since(due));
            }
        }
    }

    /// Asks every fault in turn. None if the frame is lost.
    fn judge(&mut self, way: Way, frame: &mut WireFrame, now: Instant) -> Option<Fate> {
        let mut fate = Fate::default();
        let id = frame.id;
        let cable = || self.name.clone();
        for attached in &mut self.faults {
            if attached.way.is_some_and(|only| only != way) {
                continue;
            }
            let verdict = attached.fault.judge(&FrameView::new(id, &frame.bytes), now, &mut attached.rng);
            let by = || attached.fault.name().to_owned();
            match verdict {
                Verdict::Pass => {}
                Verdict::Drop => {
                    self.scope.record(|| Link::Lost { frame: id, cable: cable(), by: by() });
                    return None;
                }
                Verdict::Delay(for_) => {
                    fate.delay = fate.delay.saturating_add(for_);
                    self.scope.record(|| Link::Delayed { frame: id, cable: cable(), by: by(), for_ });
                }
                Verdict::Behind(patience) => fate.behind = Some((by(), patience)),
                Verdict::Duplicate(copies) => {
                    fate.copies += usize::from(copies);
                    self.scope.record(|| Link::Duplicated { frame: id, cable: cable(), by: by(), copies });
                }
                Verdict::Inject { along, against, pass } => {
                    let inject = |bytes: Vec<u8>| {
                        let made = WireFrame { id: self.scope.journal().next_frame(), bytes };
                        let (frame, bytes) = (made.id, || made.bytes.as_slice().into());
                        self.scope.record(|| Link::Injected {
                            frame,
                            cable: cable(),
                            by: by(),
                            bytes: bytes(),
                        });
                        made
                    };
                    fate.along.extend(along.into_iter().map(inject));
                    fate.against.extend(against.into_iter().map(inject));
                    if !pass {
                        self.scope.record(|| Link::Lost { frame: id, cable: cable(), by: by() });
                        fate.swallowed = true;
                        break;
                    }
                }
                Verdict::Corrupt { bit } => {
                    if let Some(byte) = frame.bytes.get_mut(bit / 8) {
                        *byte ^= 0x80 >> (bit % 8);
                        self.scope.record(|| Link::Corrupted { frame: id, cable: cable(), by: by(), bit });
                    }
                }
            }
        }
        Some(fate)
    }

    fn lost(&self, frame: FrameId, by: &str) {
        self.scope.record(|| Link::Lost { frame, cable: self.name.clone(), by: by.to_owned() });
    }

    /// Frames that a fault has made do not leave where a real network is within reach.
    fn refuse_forgeries(&self, fate: &mut Fate) {
        for made in fate.along.drain(..).chain(fate.against.drain(..)) {
            self.lost(made.id, "forged: attacks exist in memory only");
        }
    }

    fn attach(&mut self, way: Option<Way>, fault: Box<dyn Fault>) -> FaultId {
        let id = FaultId(self.next_fault);
        self.next_fault += 1;
        let rng = Rng::new(self.seed, &format!("{} fault {}", self.name, id.0));
        self.faults.push(Attached { id, way, fault, rng });
        id
    }
}

impl Line {
    fn new(lane: Lane) -> Self {
        Self { lane, busy_until: Instant::ZERO, waiting: VecDeque::new(), held: Vec::new() }
    }

    /// Takes in a frame of `length` bytes: when it would arrive, or none if the queue is full.
    fn send(&mut self, length: usize, now: Instant) -> Option<Instant> {
        while self.waiting.front().is_some_and(|(leaves, _)| *leaves <= now) {
            self.waiting.pop_front();
        }
        let leaves = self.busy_until.max(now);
        if leaves > now {
            let fits = match self.lane.queue {
                Queue::Unlimited => true,
                Queue::Frames(limit) | Queue::CoDel { limit, .. } => self.waiting.len() < limit,
                Queue::Bytes(limit) => {
                    self.waiting.iter().map(|(_, bytes)| bytes).sum::<usize>() + length <= limit
                }
            };
            if !fits {
                return None;
            }
            self.waiting.push_back((leaves, length));
        }
        self.busy_until = leaves + self.lane.serialisation(length);
        Some(self.busy_until + self.lane.latency)
    }
}

impl Lane {
    /// How long `length` bytes take to leave, rounded up to whole nanoseconds.
    fn serialisation(&self, length: usize) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        // A rate of nothing is as good as one bit a second: the frame practically never leaves.
        let nanos = (length as u128 * 8 * 1_000_000_000).div_ceil(u128::from(rate.max(1)));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
