//! Why was this segment sent?
//!
//! A [`SegmentHistory`] watches every segment of one connection, in both directions, and infers
//! the reason for each from sequence numbers, windows and what went before: the sender's own
//! reasons exactly, the peer's as well as they can be told from here.
//!
//! ```text
//!   program --Application--+                        +-- received() --> what the peer meant,
//!   wire -----Segment------+--> engine --> sent()   |                  how it will be judged
//!   clock ----Timer--------+        \               |
//!                                    +--> Outgoing: what is in flight, and how often it was sent
//!                                    +--> Incoming: what has arrived, and what has been acknowledged
//! ```
//!
//! It only looks on: the engine decides, and where the two disagree the engine's own
//! acknowledgments put the history right. Read [`sent`](SegmentHistory::sent) first, then
//! [`received`](SegmentHistory::received), then the two halves that they look into.
//!
//! Positions in a stream are counted from its initial sequence number in 64 bits: 0 is the SYN, 1
//! the first byte. [`numbers`] translates, modulo 2^32 (RFC 9293 3.4).

mod incoming;
mod numbers;
mod outgoing;

use crate::ingress::TcpHeader;
use glasstack_journal::Instant;
use glasstack_journal::event::{
    AckReason, Direction, DropReason, FlowId, FrameId, ResetReason, Retransmission, Role, Segment,
    SegmentReason, TcpFlags, TcpOption,
};
use incoming::{Arrival, Incoming};
use numbers::{Span, scale};
use outgoing::Outgoing;

/// What made the engine send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The program wrote, read, closed or connected.
    Application,
    /// A segment had just been processed.
    Segment,
    /// A deadline of the engine had come.
    Timer,
    /// The path's MTU is smaller than was thought.
    MtuLowered {
        /// The new one, in bytes.
        mtu: usize,
    },
}

/// How a segment that arrived is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Why the peer sent it, as far as can be told from here.
    pub reason: SegmentReason,
    /// Why it will not be taken, if it brings nothing.
    pub discard: Option<DropReason>,
}

/// One connection's segments so far, in both directions.
#[derive(Debug)]
pub(crate) struct SegmentHistory {
    role: Role,
    outgoing: Outgoing,
    incoming: Incoming,
}

impl SegmentHistory {
    /// Before the first segment.
    pub(crate) fn new(role: Role) -> Self {
        Self { role, outgoing: Outgoing::default(), incoming: Incoming::default() }
    }

    /// A segment this host is sending, and what made the engine send it. The order of the
    /// questions matters: a probe looks like new data, a keep-alive like a retransmission.
    pub(crate) fn sent(&mut self, h: &TcpHeader<'_>, trigger: Trigger, now: Instant) -> SegmentReason {
        if h.flags.has(TcpFlags::RST) {
            return SegmentReason::Reset(self.why_reset(trigger));
        }
        if let Trigger::MtuLowered { mtu } = trigger {
            self.outgoing.mtu_lowered(mtu);
        }
        let syn = h.flags.has(TcpFlags::SYN);
        if syn || self.outgoing.isn.is_none() {
            self.outgoing.begin(if syn { h.seq } else { h.seq.wrapping_sub(1) }, h);
        }
        let span = self.outgoing.span(h);
        let reason = if self.outgoing.is_zero_window_probe(span, h) {
            self.outgoing.on_probe_sent(span, h);
            SegmentReason::ZeroWindowProbe
        } else if self.outgoing.is_keep_alive(span, h) {
            self.outgoing.awaits_probe_answer = true;
            SegmentReason::KeepAlive
        } else if span.is_empty() {
            SegmentReason::Ack(self.why_ack(h, trigger))
        } else if span.start < self.outgoing.next && !self.first_answer(h) {
            SegmentReason::Retransmission(self.outgoing.on_sent_again(span, h, trigger, now))
        } else {
            self.outgoing.on_sent_first(span, h, now);
            self.why_new(h)
        };
        if let Some(ack) = h.ack {
            self.incoming.on_ack_sent(ack, self.scaled_window(h, Direction::Out));
        }
        reason
    }

    /// A segment that arrived, before the engine has processed it. RFC 9293 3.10.7.4 has the order
    /// of the checks.
    pub(crate) fn received(&mut self, h: &TcpHeader<'_>, _now: Instant) -> Received {
        self.incoming.answer_is_stale();
        if h.flags.has(TcpFlags::RST) {
            return self.on_reset(h);
        }
        if h.flags.has(TcpFlags::SYN) {
            return self.on_syn(h);
        }
        if self.incoming.isn.is_none() {
            // RFC 9293 3.5.1, figure 9: the peer has a connection that we know nothing of.
            return refused(SegmentReason::Ack(AckReason::Challenge), DropReason::UnacceptableAck);
        }
        let span = self.incoming.span(h);
        let arrival = self.incoming.judge(span, h);
        if matches!(arrival, Arrival::OutOfWindow) {
            self.incoming.must_answer(AckReason::Challenge);
            return refused(self.peers_reason(span, arrival, h), DropReason::OutOfWindow);
        }
        // RFC 9293 3.10.7.4, fifth: an ACK of something not yet sent is answered and dropped; a
        // segment without ACK is dropped.
        if !h.ack.is_some_and(|ack| self.outgoing.is_acceptable_ack(ack)) {
            if h.ack.is_some() {
                self.incoming.must_answer(AckReason::Challenge);
            }
            return refused(self.peers_reason(span, arrival, h), DropReason::UnacceptableAck);
        }
        let reason = self.peers_reason(span, arrival, h);
        let old_ack = h.ack.is_some_and(|ack| self.outgoing.is_old_ack(ack));
        let takes_ack = !matches!(arrival, Arrival::KeepAlive | Arrival::ZeroWindowProbe | Arrival::Old);
        if let Some(ack) = h.ack.filter(|_| takes_ack && !old_ack) {
            let window = self.scaled_window(h, Direction::In);
            self.outgoing.on_ack_received(ack, window, span.is_empty());
        }
        self.incoming.take(span, arrival, h);
        let discard = match arrival {
            Arrival::Old | Arrival::HeldAlready => Some(DropReason::OldDuplicate),
            Arrival::Nothing if old_ack => Some(DropReason::OldDuplicate),
            _ => None,
        };
        Received { reason, discard }
    }

    /// The path's MTU is smaller than was thought: whatever is in flight and too large for it will
    /// be sent again because of that.
    pub(crate) fn mtu_lowered(&mut self, mtu: usize) {
        self.outgoing.mtu_lowered(mtu);
    }

    /// Sequence and acknowledgment number counted from the initial ones, as Wireshark shows them;
    /// 0 where the initial one is unknown.
    pub(crate) fn relative(&self, h: &TcpHeader<'_>, direction: Direction) -> (u32, Option<u32>) {
        let (own, other) = match direction {
            Direction::Out => (self.outgoing.isn, self.incoming.isn),
            Direction::In => (self.incoming.isn, self.outgoing.isn),
        };
        let from = |isn: Option<u32>, number: u32| isn.map_or(0, |isn| number.wrapping_sub(isn));
        (from(own, h.seq), h.ack.map(|ack| from(other, ack)))
    }

    /// The window that a segment offers, in bytes. RFC 7323 2.2: a SYN's own window is never
    /// scaled, and others only if both SYNs offered to.
    pub(crate) fn scaled_window(&self, h: &TcpHeader<'_>, direction: Direction) -> u32 {
        if h.flags.has(TcpFlags::SYN) {
            return h.window.into();
        }
        let shift = match (direction, self.outgoing.shift, self.incoming.shift) {
            (Direction::Out, Some(ours), Some(_)) => ours,
            (Direction::In, Some(_), Some(theirs)) => theirs,
            _ => 0,
        };
        scale(h.window, shift)
    }

    /// A segment as the journal tells it.
    pub(crate) fn describe(
        &self,
        frame: FrameId,
        flow: FlowId,
        direction: Direction,
        h: &TcpHeader<'_>,
        why: SegmentReason,
    ) -> Segment {
        let (relative_seq, relative_ack) = self.relative(h, direction);
        Segment {
            frame,
            flow: Some(flow),
            direction,
            source: h.source.into(),
            destination: h.destination.into(),
            seq: h.seq,
            relative_seq,
            ack: h.ack,
            relative_ack,
            flags: h.flags,
            window: self.scaled_window(h, direction),
            payload: h.payload.len(),
            options: h.options.clone(),
            why,
        }
    }

    /// Payload that the peer has acknowledged, in bytes.
    pub(crate) fn bytes_sent_acked(&self) -> u64 {
        self.outgoing.bytes_acked()
    }

    /// Payload received in order, in bytes.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.incoming.bytes()
    }

    /// Segments that were sent again.
    pub(crate) fn retransmissions(&self) -> u64 {
        self.outgoing.retransmissions
    }

    /// Whether `SND.UNA <= seq < SND.NXT`: an ICMP error that quotes anything else is not about
    /// this connection's present (RFC 5927 4.1).
    pub(crate) fn in_flight_contains(&self, seq: u32) -> bool {
        self.outgoing.in_flight_contains(seq)
    }

    /// Whether an acknowledgment of the peer's FIN has left. A connection in TIME-WAIT is quiet only
    /// then: the last ACK may be delayed when data came along with the FIN.
    pub(crate) fn peers_fin_acked(&self) -> bool {
        self.incoming.fin_answered()
    }

    /// The next sequence number expected.
    pub(crate) fn rcv_nxt(&self) -> u32 {
        self.incoming.number(self.incoming.next)
    }

    /// RFC 9293 3.5: in a simultaneous open the SYN is sent once more, now with an ACK. That is an
    /// answer, not a repetition.
    fn first_answer(&self, h: &TcpHeader<'_>) -> bool {
        h.flags.has(TcpFlags::SYN | TcpFlags::ACK) && !self.outgoing.answered_syn
    }

    fn why_new(&mut self, h: &TcpHeader<'_>) -> SegmentReason {
        if h.flags.has(TcpFlags::SYN) {
            self.outgoing.answered_syn |= h.ack.is_some();
            return if h.ack.is_some() { SegmentReason::OpenAnswer } else { SegmentReason::Open };
        }
        if h.flags.has(TcpFlags::FIN) {
            let (with_data, answers_fin) = (!h.payload.is_empty(), self.incoming.fin_taken());
            return SegmentReason::Fin { with_data, answers_fin };
        }
        SegmentReason::NewData { acknowledges: h.ack.is_some_and(|ack| self.incoming.would_advance(ack)) }
    }

    /// Nothing but an acknowledgment: of what, and why now?
    fn why_ack(&self, h: &TcpHeader<'_>, trigger: Trigger) -> AckReason {
        let advances = h.ack.is_some_and(|ack| self.incoming.would_advance(ack));
        let window_grows = self.scaled_window(h, Direction::Out) > self.incoming.window;
        let at_once = trigger == Trigger::Segment;
        match self.incoming.answer {
            Some(AckReason::Handshake) if self.role == Role::Active => AckReason::Handshake,
            Some(AckReason::OutOfOrder) if at_once => AckReason::OutOfOrder,
            Some(AckReason::Fin) if h.ack.is_some_and(|ack| self.incoming.covers_fin(ack)) => AckReason::Fin,
            Some(AckReason::HoleFilled) if advances => AckReason::HoleFilled,
            Some(why @ (AckReason::Duplicate | AckReason::ProbeAnswer | AckReason::Challenge))
                if at_once && !advances =>
            {
                why
            }
            _ if advances && trigger == Trigger::Timer => AckReason::Delayed,
            // Delayed acknowledgments wait for their timer: what sends one now is the reading.
            _ if advances && !(trigger == Trigger::Application && window_grows) => AckReason::Data,
            _ if window_grows || trigger == Trigger::Application => AckReason::WindowUpdate,
            _ if at_once => AckReason::Challenge,
            _ => AckReason::Duplicate,
        }
    }

    fn why_reset(&self, trigger: Trigger) -> ResetReason {
        match trigger {
            Trigger::Timer => ResetReason::TimedOut,
            Trigger::Segment if self.incoming.last_had_data => ResetReason::DataAfterClose,
            Trigger::Segment => ResetReason::NoSocket,
            Trigger::Application | Trigger::MtuLowered { .. } => ResetReason::Aborted,
        }
    }

    /// RFC 9293 3.10.7.3, 3.10.7.4, RFC 5961 3.2.
    fn on_reset(&mut self, h: &TcpHeader<'_>) -> Received {
        let acceptable = if self.incoming.isn.is_none() {
            h.ack.is_some_and(|ack| self.outgoing.position(ack) == self.outgoing.next)
        } else {
            self.incoming.in_window(self.incoming.position(h.seq))
        };
        let discard = (!acceptable).then_some(DropReason::OutOfWindow);
        Received { reason: SegmentReason::Reset(ResetReason::ByPeer), discard }
    }

    fn on_syn(&mut self, h: &TcpHeader<'_>) -> Received {
        let step = if h.ack.is_some() { SegmentReason::OpenAnswer } else { SegmentReason::Open };
        let unacceptable = h.ack.is_some_and(|ack| !self.outgoing.is_acceptable_ack(ack));
        let acks_syn = h.ack.is_some_and(|ack| self.outgoing.una < 1 && self.outgoing.position(ack) == 1);
        match self.incoming.isn {
            // RFC 9293 3.10.7.3: an ACK of anything but our SYN.
            None if h.ack.is_some() && !acks_syn => return refused(step, DropReason::UnacceptableAck),
            None => {
                self.incoming.begin(h);
                self.outgoing.window = h.window.into();
            }
            // A simultaneous open: the SYN again, now with the ACK of ours.
            Some(isn) if isn == h.seq && acks_syn => {}
            Some(isn) if isn == h.seq && self.incoming.next == 1 && !unacceptable => {
                let why = if h.ack.is_some() { AckReason::Handshake } else { AckReason::Challenge };
                self.incoming.must_answer(why);
                let again = SegmentReason::Retransmission(Retransmission::SeenBefore);
                return refused(again, DropReason::OldDuplicate);
            }
            // RFC 5961 4.2: whatever its sequence number, it is challenged.
            Some(_) => {
                self.incoming.must_answer(AckReason::Challenge);
                return refused(step, DropReason::UnexpectedSyn);
            }
        }
        if let Some(ack) = h.ack {
            self.outgoing.on_ack_received(ack, h.window.into(), false);
            if !self.outgoing.answered_syn {
                self.incoming.must_answer(AckReason::Handshake);
            }
        }
        Received { reason: step, discard: None }
    }

    /// Why the peer sent it: the same vocabulary, seen from the other end.
    fn peers_reason(&self, span: Span, arrival: Arrival, h: &TcpHeader<'_>) -> SegmentReason {
        match arrival {
            Arrival::KeepAlive => SegmentReason::KeepAlive,
            Arrival::ZeroWindowProbe => SegmentReason::ZeroWindowProbe,
            Arrival::Old | Arrival::HeldAlready => SegmentReason::Retransmission(Retransmission::SeenBefore),
            Arrival::FillsHole => SegmentReason::Retransmission(Retransmission::FillsHole),
            _ if span.is_empty() => SegmentReason::Ack(self.peers_ack(h)),
            _ if h.flags.has(TcpFlags::FIN) => SegmentReason::Fin {
                with_data: !h.payload.is_empty(),
                answers_fin: h.ack.is_some_and(|ack| self.outgoing.covers_fin(ack)),
            },
            _ => {
                SegmentReason::NewData { acknowledges: h.ack.is_some_and(|ack| self.outgoing.advances(ack)) }
            }
        }
    }

    fn peers_ack(&self, h: &TcpHeader<'_>) -> AckReason {
        let Some(ack) = h.ack else { return AckReason::Data };
        let out = &self.outgoing;
        if !out.is_acceptable_ack(ack) {
            return AckReason::Challenge;
        }
        if out.advances(ack) {
            return match () {
                () if out.una == 0 && out.position(ack) == 1 => AckReason::Handshake,
                () if out.covers_fin(ack) && !out.fin_acked() => AckReason::Fin,
                () if out.dup_acks > 0 => AckReason::HoleFilled,
                () => AckReason::Data,
            };
        }
        let first_block = h.options.iter().find_map(|option| match option {
            TcpOption::Sack(blocks) => blocks.first().map(|(left, _)| out.position(*left)),
            _ => None,
        });
        // RFC 2883 4: a first block below the acknowledgment number reports a duplicate.
        let reports_duplicate = first_block.is_some_and(|left| left < out.position(ack));
        let reports_hole = first_block.is_some_and(|left| left > out.position(ack));
        match self.scaled_window(h, Direction::In) {
            _ if out.is_old_ack(ack) => AckReason::Data,
            _ if reports_hole => AckReason::OutOfOrder,
            window if window > out.window => AckReason::WindowUpdate,
            _ if out.awaits_probe_answer => AckReason::ProbeAnswer,
            _ if reports_duplicate => AckReason::Duplicate,
            _ if out.has_unacknowledged() => AckReason::OutOfOrder,
            _ => AckReason::Duplicate,
        }
    }
}

#[cfg(test)]
impl SegmentHistory {
    /// Whether the peer has acknowledged this side's FIN.
    pub(crate) fn fin_sent_and_acked(&self) -> bool {
        self.outgoing.fin_acked()
    }

    /// Whether the peer's FIN has come, and everything before it.
    pub(crate) fn fin_received(&self) -> bool {
        self.incoming.fin_taken()
    }

    /// The next sequence number to be sent.
    pub(crate) fn snd_nxt(&self) -> u32 {
        self.outgoing.number(self.outgoing.next)
    }
}

fn refused(reason: SegmentReason, discard: DropReason) -> Received {
    Received { reason, discard: Some(discard) }
}

#[cfg(test)]
mod tests;
