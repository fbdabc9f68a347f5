//! What may befall a frame on a cable. One file a fault; a new one is a file here and a line below.
//!
//! A fault looks at each frame ([`FrameView`]) and gives a [`Verdict`]. Those built in act on the
//! frames that a [`Pick`] picks: by what they are, the n-th of them, by chance, between two moments.
//!
//! ```
//! use glasstack_sim::fault::{self, Fault, Pick};
//! use std::time::Duration;
//!
//! fault::loss(0.05);
//! fault::drop_nth(1, |frame| frame.is_syn()).named("drop_first_syn");
//! fault::delay(Pick::when(|frame| frame.is_udp()).first(3), Duration::from_millis(200));
//! ```

mod black_hole;
mod bursts;
mod corrupt;
mod delay;
mod drop;
mod duplicate;
mod outage;
mod pick;
mod reorder;

pub use black_hole::{BlackHole, blackhole_larger_than};
pub use bursts::{Bursts, GilbertElliott, bursts};
pub use corrupt::{Corrupt, corrupt, corrupt_bit};
pub use delay::{Delay, Jitter, delay, jitter};
pub use drop::{Lose, drop_first_syn, drop_nth, drop_when, lose, loss};
pub use duplicate::{Duplicate, duplicate};
pub use outage::{Outage, flapping, outage};
pub use pick::Pick;
pub use reorder::{Reorder, reorder};

use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;
use std::time::Duration;

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing happens to it.
    Pass,
    /// It is lost.
    Drop,
    /// It arrives later by this much; frames sent after it may overtake it, whatever the lane says of order.
    Delay(Duration),
    /// It is held back until the next frame of its direction has arrived, but no longer than this.
    Behind(Duration),
    /// That many copies arrive beside it.
    Duplicate(u8),
    /// A bit is flipped; nothing happens if the frame is shorter.
    Corrupt {
        /// Which, counted from the first bit of the Ethernet header, the most significant bit of a
        /// byte first.
        bit: usize,
    },
    /// Frames that no host has sent travel on the cable, too; each is a whole Ethernet frame. They are
    /// shown to no fault and wait in no queue.
    Inject {
        /// They arrive at the end that the judged frame goes to, right behind it.
        along: Vec<Vec<u8>>,
        /// They arrive at the end that it comes from.
        against: Vec<Vec<u8>>,
        /// Whether the judged frame itself goes on.
        pass: bool,
    },
}

/// Something wrong with a cable.
pub trait Fault: Send {
    /// Its name, as the journal tells it: `drop_first_syn`.
    fn name(&self) -> &str;

    /// What becomes of `frame`, which is about to leave on the cable. `rng` is this fault's own.
    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict;

    /// Whether it makes frames of its own ([`Verdict::Inject`]), as an attacker does. A world that is
    /// connected to a real network takes none of these.
    fn injects(&self) -> bool {
        false
    }

    /// The same fault under another name.
    fn named(self, name: &str) -> Named<Self>
    where
        Self: Sized,
    {
        Named { name: name.to_owned(), fault: self }
    }
}

/// A fault under a name of its own; see [`Fault::named`].
pub struct Named<F> {
    name: String,
    fault: F,
}

impl<F: Fault> Fault for Named<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        self.fault.judge(frame, now, rng)
    }

    fn injects(&self) -> bool {
        self.fault.injects()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A row of frames for the tests of single faults.

    use super::*;
    use glasstack_journal::event::FrameId;

    /// What `fault` makes of `frames`, sent a millisecond apart.
    pub(crate) fn verdicts(fault: &mut dyn Fault, frames: &[Vec<u8>]) -> Vec<Verdict> {
        let mut rng = Rng::new(1, "test");
        let judge = |(n, bytes): (u64, &Vec<u8>)| {
            fault.judge(&FrameView::new(FrameId(n), bytes), Instant::from_millis(n), &mut rng)
        };
        (0..).zip(frames).map(judge).collect()
    }

    /// A UDP frame with this much payload, in bytes.
    pub(crate) fn udp(payload: usize) -> Vec<u8> {
        let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(5_000, 53);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &vec![0; payload]).unwrap();
        bytes
    }

    /// A TCP SYN.
    pub(crate) fn syn() -> Vec<u8> {
        let builder = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(50_000, 80, 7, 65_535)
            .syn();
        let mut bytes = Vec::new();
        builder.write(&mut bytes, &[]).unwrap();
        bytes
    }
}
