//! What the peer has sent: what has arrived, in order or ahead of a hole, and what has been
//! acknowledged of it.

use super::numbers::{self, Span, scale};
use super::outgoing::{offered_shift, span_at};
use crate::ingress::TcpHeader;
use glasstack_journal::event::{AckReason, TcpFlags};

/// How many stretches beyond holes are remembered.
const MOST_AHEAD: usize = 64;

/// The receive side (RFC 9293 3.3.1), counted in positions.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// IRS; none before the peer's SYN.
    pub isn: Option<u32>,
    /// RCV.NXT.
    pub next: i64,
    /// What has come beyond a hole, in order, without overlaps.
    ahead: Vec<Span>,
    /// Where the peer's FIN stands; it may lie beyond a hole.
    fin: Option<i64>,
    /// The last acknowledgment that this side has sent.
    acked: i64,
    /// The window offered with it, in bytes.
    pub window: u32,
    /// The window scale that the peer's SYN offered.
    pub shift: Option<u8>,
    /// What has arrived and wants an acknowledgment.
    pub answer: Option<AckReason>,
    pub last_had_data: bool,
}

/// How a segment fits to what has come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It occupies no sequence numbers.
    Nothing,
    /// It is next in order.
    InOrder,
    /// Something is missing before it.
    BeyondHole,
    /// It lies before something that has come already.
    FillsHole,
    /// It has come before, and was acknowledged in order.
    Old,
    /// It has come before, and lies beyond a hole.
    HeldAlready,
    /// The position before RCV.NXT, one byte at most.
    KeepAlive,
    /// Data, or the keep-alive's form, while the window is closed.
    ZeroWindowProbe,
    /// RFC 9293 3.10.7.4, first: not acceptable.
    OutOfWindow,
}

impl Incoming {
    /// The peer's SYN.
    pub(super) fn begin(&mut self, h: &TcpHeader<'_>) {
        *self = Self {
            isn: Some(h.seq),
            next: 1,
            // Until the first ACK leaves, nobody has offered less than this.
            window: scale(u16::MAX, 0),
            shift: offered_shift(h),
            ..Self::default()
        };
    }

    pub(super) fn position(&self, seq: u32) -> i64 {
        numbers::position(self.isn.unwrap_or(0), self.next, seq)
    }

    pub(super) fn number(&self, position: i64) -> u32 {
        numbers::number(self.isn.unwrap_or(0), position)
    }

    pub(super) fn span(&self, h: &TcpHeader<'_>) -> Span {
        span_at(self.position(h.seq), h)
    }

    /// Behind the last position that the peer may send.
    fn edge(&self) -> i64 {
        (self.acked.max(1) + i64::from(self.window)).max(self.next)
    }

    /// RFC 9293 3.10.7.4, first, for a segment that occupies nothing.
    pub(super) fn in_window(&self, position: i64) -> bool {
        position == self.next || (self.next..self.edge()).contains(&position)
    }

    pub(super) fn judge(&self, span: Span, h: &TcpHeader<'_>) -> Arrival {
        let closed = self.window == 0 && self.acked > 0;
        let before_next = span.start == self.next - 1 && h.payload.len() <= 1 && !h.flags.has(TcpFlags::FIN);
        let highest = self.ahead.last().map_or(self.next, |last| last.end);
        if before_next && closed {
            // Linux probes a closed window so: nothing, at the position before.
            Arrival::ZeroWindowProbe
        } else if before_next {
            Arrival::KeepAlive
        } else if span.is_empty() {
            if self.in_window(span.start) { Arrival::Nothing } else { Arrival::OutOfWindow }
        } else if span.end <= self.next {
            Arrival::Old
        } else if closed && span.start == self.next && !h.payload.is_empty() {
            Arrival::ZeroWindowProbe
        } else if span.start >= self.edge() + i64::from(h.payload.is_empty()) {
            // A FIN alone needs no room.
            Arrival::OutOfWindow
        } else if self.ahead.iter().any(|held| held.start <= span.start && span.end <= held.end) {
            Arrival::HeldAlready
        } else if span.start < highest && !self.ahead.is_empty() {
            Arrival::FillsHole
        } else if span.start <= self.next {
            Arrival::InOrder
        } else {
            Arrival::BeyondHole
        }
    }

    /// Takes in what an acceptable segment brought, and notes what it wants answered.
    pub(super) fn take(&mut self, span: Span, arrival: Arrival, h: &TcpHeader<'_>) {
        self.last_had_data = !h.payload.is_empty();
        match arrival {
            Arrival::Nothing | Arrival::OutOfWindow => {}
            Arrival::KeepAlive | Arrival::ZeroWindowProbe => self.must_answer(AckReason::ProbeAnswer),
            Arrival::Old if self.fin.is_some_and(|fin| span.end > fin) => self.must_answer(AckReason::Fin),
            Arrival::Old | Arrival::HeldAlready => self.must_answer(AckReason::Duplicate),
            Arrival::InOrder | Arrival::BeyondHole | Arrival::FillsHole => {
                let before = self.next;
                self.insert(span, h);
                self.must_answer(match () {
                    () if self.next == before => AckReason::OutOfOrder,
                    () if self.fin_taken() => AckReason::Fin,
                    () if arrival == Arrival::FillsHole => AckReason::HoleFilled,
                    () => AckReason::Data,
                });
            }
        }
    }

    fn insert(&mut self, span: Span, h: &TcpHeader<'_>) {
        let fin = h.flags.has(TcpFlags::FIN);
        if fin {
            self.fin = Some(span.end - 1);
        }
        // A FIN beyond a hole is only noted: whether it was kept, the acknowledgment will show.
        let in_order = span.start <= self.next;
        let end = if fin && !in_order { span.end - 1 } else { span.end };
        // What does not fit into the window is not taken; the FIN needs no room.
        let room = self.edge() + i64::from(fin);
        let (mut start, mut end) = (span.start, end.min(room));
        if start >= end {
            return;
        }
        self.ahead.retain(|held| {
            let apart = held.end < start || held.start > end;
            if !apart {
                start = start.min(held.start);
                end = end.max(held.end);
            }
            apart
        });
        if start <= self.next {
            self.next = self.next.max(end);
        } else if self.ahead.len() < MOST_AHEAD {
            let at = self.ahead.partition_point(|held| held.start < start);
            self.ahead.insert(at, Span { start, end });
        }
    }

    /// A segment with this acknowledgment leaves. What the engine acknowledges is what it has: if
    /// that differs from what was thought here, the engine is right.
    pub(super) fn on_ack_sent(&mut self, ack: u32, window: u32) {
        if self.isn.is_none() {
            return;
        }
        let ack = self.position(ack);
        self.next = ack;
        self.ahead.retain(|held| held.end > ack);
        self.acked = ack;
        self.window = window;
        self.answer = None;
    }

    /// Something has arrived that is answered with this.
    pub(super) fn must_answer(&mut self, why: AckReason) {
        let outstanding =
            matches!(self.answer, Some(AckReason::Fin | AckReason::HoleFilled | AckReason::Handshake));
        if !(outstanding && why == AckReason::Data) {
            self.answer = Some(why);
        }
    }

    /// What is answered at once or never has not been answered: forget it.
    pub(super) fn answer_is_stale(&mut self) {
        let at_once =
            [AckReason::Duplicate, AckReason::ProbeAnswer, AckReason::Challenge, AckReason::OutOfOrder];
        self.answer = self.answer.filter(|why| !at_once.contains(why));
    }

    /// Whether an acknowledgment would say more than the last one.
    pub(super) fn would_advance(&self, ack: u32) -> bool {
        self.isn.is_some() && self.position(ack) > self.acked
    }

    pub(super) fn covers_fin(&self, ack: u32) -> bool {
        self.fin.is_some_and(|fin| self.position(ack) > fin)
    }

    pub(super) fn fin_taken(&self) -> bool {
        self.fin.is_some_and(|fin| self.next > fin)
    }

    pub(super) fn fin_answered(&self) -> bool {
        self.fin.is_some_and(|fin| self.acked > fin)
    }

    pub(super) fn bytes(&self) -> u64 {
        let control = 1 + i64::from(self.fin_taken());
        u64::try_from(self.next - control).unwrap_or(0)
    }
}
