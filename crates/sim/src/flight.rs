//! Frames that are on their way: in the order of their arrival, and of their sending if they arrive
//! together.

use crate::node::WireFrame;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which way along a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From its first end to its second, in the order of [`SimWorld::connect`](crate::SimWorld::connect).
    There,
    /// From its second end to its first.
    Back,
}

impl Way {
    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Self::There => Self::Back,
            Self::Back => Self::There,
        }
    }
}

/// A frame on a cable, or the cable's own next turn.
#[derive(Debug)]
pub(crate) struct Flight {
    /// Which cable, by its number in the world.
    pub(crate) cable: usize,
    /// Which way along it.
    pub(crate) way: Way,
    /// How often the cable had been unplugged when the frame left.
    pub(crate) unplugged: u64,
    pub(crate) load: Load,
}

/// What flies.
#[derive(Debug)]
pub(crate) enum Load {
    /// A frame.
    Frame {
        frame: WireFrame,
        /// Who holds it back and for how long, if that is told only when it arrives.
        held: Option<(String, Duration)>,
        /// It comes out as another than went in: a copy, or with a wrong bit.
        is_odd: bool,
    },
    /// Nothing: when this arrives the line is free for the next frame that waits to be sent.
    Turn,
}

impl Load {
    /// The same, as a copy or with a wrong bit.
    pub(crate) fn odd(self) -> Self {
        match self {
            Self::Frame { frame, held, .. } => Self::Frame { frame, held, is_odd: true },
            Self::Turn => Self::Turn,
        }
    }
}

/// Where a flight stands in the order.
pub(crate) type FlightKey = (Instant, u64);

/// All frames on all cables of a world.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    /// Some of the world's frames go out to a real network.
    pub(crate) lead_outside: bool,
    next_seq: u64,
    by_arrival: BTreeMap<FlightKey, Flight>,
}

impl Flights {
    /// Lets a frame fly, to arrive at `arrives`, after all that arrive then already.
    pub(crate) fn launch(&mut self, arrives: Instant, flight: Flight) -> FlightKey {
        let key = (arrives, self.next_seq);
        self.next_seq += 1;
        self.by_arrival.insert(key, flight);
        key
    }

    /// Lets a frame that is still flying arrive at `arrives` instead, `late` after its time.
    pub(crate) fn reschedule(&mut self, key: FlightKey, arrives: Instant, late: Duration) {
        if let Some(mut flight) = self.by_arrival.remove(&key) {
            if let Load::Frame { held: Some((_, for_)), .. } = &mut flight.load {
                *for_ = late;
            }
            self.launch(arrives, flight);
        }
    }

    /// When the next one arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.by_arrival.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next one that has arrived by `now`.
    pub(crate) fn land(&mut self, now: Instant) -> Option<Flight> {
        let first = self.by_arrival.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Whether none is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_arrival.is_empty()
    }
}
