//! What faults make of a frame, and how it is told.

use crate::fault::Verdict;
use crate::flight::Way;
use crate::node::WireFrame;
use glasstack_journal::Scope;
use glasstack_journal::event::{Direction, FrameId, InterfaceId, Link};
use std::time::Duration;

/// What the faults have made of a frame.
#[derive(Default)]
pub(super) struct Fate {
    pub(super) delay: Duration,
    /// By which fault, and how long at most.
    pub(super) behind: Option<(String, Duration)>,
    pub(super) copies: usize,
    pub(super) is_corrupt: bool,
    pub(super) is_lost: bool,
    /// Frames that faults have put on the cable, the way of the frame and the other.
    pub(super) along: Vec<WireFrame>,
    pub(super) against: Vec<WireFrame>,
}

impl Fate {
    /// Adds what a fault has said of `frame`.
    pub(super) fn take(&mut self, verdict: Verdict, frame: FrameId, way: Way, teller: &Teller<'_>) {
        let (cable, by) = (|| teller.cable(), || teller.by());
        match verdict {
            Verdict::Pass | Verdict::Corrupt { .. } => {}
            Verdict::Drop => {
                teller.scope.record(|| Link::Lost { frame, cable: cable(), by: by() });
                self.is_lost = true;
            }
            Verdict::Delay(for_) => {
                self.delay = self.delay.saturating_add(for_);
                teller.scope.record(|| Link::Delayed { frame, cable: cable(), by: by(), for_ });
            }
            Verdict::Behind(patience) => self.behind = Some((by(), patience)),
            Verdict::Duplicate(copies) => {
                self.copies += usize::from(copies);
                teller.scope.record(|| Link::Duplicated { frame, cable: cable(), by: by(), copies });
            }
            Verdict::Inject { along, against, pass } => {
                self.along.extend(along.into_iter().map(|bytes| teller.made(way, bytes)));
                self.against.extend(against.into_iter().map(|bytes| teller.made(way.opposite(), bytes)));
                if !pass {
                    teller.scope.record(|| Link::Lost { frame, cable: cable(), by: by() });
                    self.is_lost = true;
                }
            }
        }
    }
}

/// Who tells what a fault does.
pub(super) struct Teller<'a> {
    pub(super) scope: &'a Scope,
    pub(super) captured: Option<InterfaceId>,
    pub(super) cable: &'a str,
    pub(super) by: &'a str,
}

impl Teller<'_> {
    pub(super) fn cable(&self) -> String {
        self.cable.to_owned()
    }

    pub(super) fn by(&self) -> String {
        self.by.to_owned()
    }

    /// A frame of the fault's own making.
    fn made(&self, way: Way, bytes: Vec<u8>) -> WireFrame {
        let made = WireFrame { id: self.scope.journal().next_frame(), bytes };
        self.scope.record(|| Link::Injected {
            frame: made.id,
            cable: self.cable(),
            by: self.by(),
            bytes: made.bytes.as_slice().into(),
        });
        if let Some(interface) = self.captured {
            captured(self.scope, interface, way, &made);
        }
        made
    }
}

/// A frame passes the capture on a cable.
pub(super) fn captured(scope: &Scope, interface: InterfaceId, way: Way, frame: &WireFrame) {
    let direction = match way {
        Way::There => Direction::Out,
        Way::Back => Direction::In,
    };
    let bytes = || frame.bytes.as_slice().into();
    scope.record(|| Link::Captured { frame: frame.id, interface, direction, bytes: bytes() });
}
