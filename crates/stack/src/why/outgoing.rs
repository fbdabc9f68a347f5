//! What this side has sent: what is in flight, when each piece last left, and what was lost.

use super::Trigger;
use super::numbers::{self, Span};
use crate::ingress::TcpHeader;
use glasstack_journal::Instant;
use glasstack_journal::event::{Retransmission, TcpFlags, TcpOption};
use std::collections::VecDeque;

/// How many pieces are told apart; beyond that neighbours share one entry.
const MOST_PIECES: usize = 4_096;
/// IPv4 and TCP header without options, in bytes.
const HEADERS: i64 = 40;

/// The send side (RFC 9293 3.3.1), counted in positions.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// ISS; none before the first segment.
    pub isn: Option<u32>,
    /// SND.UNA.
    pub una: i64,
    /// SND.NXT; what a zero-window probe carries does not count.
    pub next: i64,
    /// Behind the last position that was ever on the wire.
    beyond: i64,
    /// Where the FIN stands.
    fin: Option<i64>,
    /// What is sent and not acknowledged, in order, without overlaps.
    flight: VecDeque<Piece>,
    /// The window scale that our SYN offered.
    pub shift: Option<u8>,
    /// The peer's window, in bytes.
    pub window: u32,
    /// Duplicate acknowledgments in a row (RFC 5681 2).
    pub dup_acks: u32,
    fast_retransmitted: bool,
    /// Timeouts in a row.
    timeouts: u32,
    /// Counts the losses that sent everything again; a piece of an older generation is still to go.
    generation: u32,
    /// SND.NXT at the last such loss.
    recover: i64,
    mtu: usize,
    /// A probe or a keep-alive has not been answered.
    pub awaits_probe_answer: bool,
    /// A SYN with an ACK has left.
    pub answered_syn: bool,
    pub retransmissions: u64,
}

/// Bytes that left in one segment.
#[derive(Clone, Copy, Debug)]
struct Piece {
    span: Span,
    sent_at: Instant,
    generation: u32,
    /// Larger than the path can carry, as was learnt since.
    too_big: bool,
}

impl Outgoing {
    /// The stream begins, unless it is this very SYN again.
    pub(super) fn begin(&mut self, isn: u32, h: &TcpHeader<'_>) {
        if self.isn == Some(isn) {
            return;
        }
        let syn = h.flags.has(TcpFlags::SYN);
        let start = if syn { 0 } else { 1 };
        *self = Self {
            isn: Some(isn),
            una: start,
            next: start,
            beyond: start,
            window: self.window,
            ..Self::default()
        };
        self.shift = offered_shift(h);
    }

    pub(super) fn position(&self, seq: u32) -> i64 {
        numbers::position(self.isn.unwrap_or(0), self.next, seq)
    }

    #[cfg(test)]
    pub(super) fn number(&self, position: i64) -> u32 {
        numbers::number(self.isn.unwrap_or(0), position)
    }

    pub(super) fn span(&self, h: &TcpHeader<'_>) -> Span {
        span_at(self.position(h.seq), h)
    }

    /// RFC 9293 3.8.6.1: one byte beyond a closed window.
    pub(super) fn is_zero_window_probe(&self, span: Span, h: &TcpHeader<'_>) -> bool {
        self.window == 0 && self.una > 0 && h.payload.len() == 1 && span.start >= self.next
    }

    pub(super) fn on_probe_sent(&mut self, span: Span, h: &TcpHeader<'_>) {
        self.awaits_probe_answer = true;
        self.beyond = self.beyond.max(span.end);
        self.note_fin(span, h);
    }

    /// RFC 9293 3.8.4: the position before SND.NXT, acknowledged long ago.
    pub(super) fn is_keep_alive(&self, span: Span, h: &TcpHeader<'_>) -> bool {
        self.una == self.next
            && self.una > 0
            && span.start == self.next - 1
            && h.payload.len() <= 1
            && !h.flags.has(TcpFlags::SYN)
            && !h.flags.has(TcpFlags::FIN)
    }

    pub(super) fn on_sent_first(&mut self, span: Span, h: &TcpHeader<'_>, now: Instant) {
        self.awaits_probe_answer = false;
        self.note_fin(span, h);
        let fresh = Span { start: self.next.max(span.start), end: span.end };
        self.next = self.next.max(span.end);
        self.beyond = self.beyond.max(span.end);
        if fresh.start >= fresh.end {
            return;
        }
        let full = self.flight.len() >= MOST_PIECES;
        match self.flight.back_mut() {
            Some(last) if full => last.span.end = fresh.end,
            _ => self.flight.push_back(Piece {
                span: fresh,
                sent_at: now,
                generation: self.generation,
                too_big: false,
            }),
        }
    }

    /// Something is sent again. Why?
    pub(super) fn on_sent_again(
        &mut self,
        span: Span,
        h: &TcpHeader<'_>,
        trigger: Trigger,
        now: Instant,
    ) -> Retransmission {
        self.retransmissions += 1;
        let before = self.flight.iter().find(|piece| piece.span.end > span.start).copied();
        let first = span.start <= self.una;
        let behind_a_loss = span.start < self.recover
            && before.is_some_and(|piece| piece.generation != self.generation)
            && !(first && trigger == Trigger::Timer);
        let why = if let Trigger::MtuLowered { mtu } = trigger {
            Retransmission::SmallerMtu { mtu }
        } else if before.is_some_and(|piece| piece.too_big) {
            Retransmission::SmallerMtu { mtu: self.mtu }
        } else if first && self.dup_acks >= 3 && !self.fast_retransmitted && trigger != Trigger::Timer {
            self.fast_retransmitted = true;
            Retransmission::DuplicateAcks { count: self.dup_acks }
        } else if behind_a_loss || !first {
            Retransmission::Recovery
        } else {
            self.timeouts += 1;
            let after = before.map_or(now, |piece| piece.sent_at);
            Retransmission::Timeout { after: now - after, attempt: self.timeouts }
        };
        // RFC 6298 5.4 to 5.6, and go-back-N: with the first segment begins a new pass over all.
        let new_pass = matches!(why, Retransmission::Timeout { .. } | Retransmission::SmallerMtu { .. });
        if first && new_pass {
            self.generation = self.generation.wrapping_add(1);
            self.recover = self.next;
        }
        self.replace(Piece { span, sent_at: now, generation: self.generation, too_big: false });
        self.on_sent_first(span, h, now);
        why
    }

    /// Puts a piece in the place of those that it covers, or covers in part.
    fn replace(&mut self, piece: Piece) {
        let span = Span { start: piece.span.start.max(self.una), end: piece.span.end.min(self.next) };
        if span.start >= span.end {
            return;
        }
        let from = self.flight.partition_point(|old| old.span.end <= span.start);
        let to = self.flight.partition_point(|old| old.span.start < span.end);
        let mut pieces = Vec::with_capacity(3);
        for old in self.flight.range(from..to.max(from)) {
            if old.span.start < span.start {
                pieces.push(Piece { span: Span { end: span.start, ..old.span }, ..*old });
            }
        }
        pieces.push(Piece { span, ..piece });
        for old in self.flight.range(from..to.max(from)) {
            if old.span.end > span.end {
                pieces.push(Piece { span: Span { start: span.end, ..old.span }, ..*old });
            }
        }
        let tail = self.flight.split_off(to.max(from));
        self.flight.truncate(from);
        self.flight.extend(pieces);
        self.flight.extend(tail);
    }

    fn note_fin(&mut self, span: Span, h: &TcpHeader<'_>) {
        if h.flags.has(TcpFlags::FIN) {
            self.fin = Some(span.end - 1);
        }
    }

    /// What is in flight and does not fit any more will be sent again because of that.
    pub(super) fn mtu_lowered(&mut self, mtu: usize) {
        if self.mtu == mtu {
            return;
        }
        self.mtu = mtu;
        let most = i64::try_from(mtu).unwrap_or(i64::MAX);
        for piece in &mut self.flight {
            piece.too_big |= piece.span.len().saturating_add(HEADERS) > most;
        }
    }

    /// An acceptable acknowledgment (RFC 9293 3.10.7.4, fifth). `bare` if nothing came with it.
    pub(super) fn on_ack_received(&mut self, ack: u32, window: u32, bare: bool) {
        let ack = self.position(ack);
        if ack > self.una {
            self.una = ack;
            self.next = self.next.max(ack);
            self.dup_acks = 0;
            self.fast_retransmitted = false;
            self.timeouts = 0;
            while self.flight.front().is_some_and(|piece| piece.span.end <= ack) {
                self.flight.pop_front();
            }
            if let Some(first) = self.flight.front_mut() {
                first.span.start = first.span.start.max(ack);
            }
        } else if bare && ack == self.una && window == self.window && self.has_unacknowledged() {
            // RFC 5681 2: outstanding data, no data, no SYN or FIN, the same number, the same window.
            self.dup_acks = self.dup_acks.saturating_add(1);
        }
        self.window = window;
        self.awaits_probe_answer = false;
    }

    /// Whether it acknowledges nothing that was never sent.
    pub(super) fn is_acceptable_ack(&self, ack: u32) -> bool {
        self.isn.is_some() && self.position(ack) <= self.beyond
    }

    /// Whether a later one has come before it.
    pub(super) fn is_old_ack(&self, ack: u32) -> bool {
        self.position(ack) < self.una
    }

    /// Whether it acknowledges something new.
    pub(super) fn advances(&self, ack: u32) -> bool {
        let ack = self.position(ack);
        ack > self.una && ack <= self.beyond
    }

    pub(super) fn has_unacknowledged(&self) -> bool {
        self.una < self.next
    }

    pub(super) fn in_flight_contains(&self, seq: u32) -> bool {
        self.isn.is_some() && (self.una..self.beyond).contains(&self.position(seq))
    }

    pub(super) fn covers_fin(&self, ack: u32) -> bool {
        let ack = self.position(ack);
        self.fin.is_some_and(|fin| ack > fin && ack <= self.beyond)
    }

    pub(super) fn fin_acked(&self) -> bool {
        self.fin.is_some_and(|fin| self.una > fin)
    }

    pub(super) fn bytes_acked(&self) -> u64 {
        let control = 1 + i64::from(self.fin_acked());
        u64::try_from(self.una - control).unwrap_or(0)
    }
}

/// The positions of a segment that begins at `start`.
pub(super) fn span_at(start: i64, h: &TcpHeader<'_>) -> Span {
    let control = i64::from(h.flags.has(TcpFlags::SYN)) + i64::from(h.flags.has(TcpFlags::FIN));
    let payload = i64::try_from(h.payload.len()).unwrap_or(i64::from(u16::MAX));
    Span { start, end: start + payload + control }
}

/// RFC 7323 2.2: only a SYN offers a window scale.
pub(super) fn offered_shift(h: &TcpHeader<'_>) -> Option<u8> {
    if !h.flags.has(TcpFlags::SYN) {
        return None;
    }
    h.options.iter().find_map(|option| match option {
        TcpOption::WindowScale(shift) => Some(*shift),
        _ => None,
    })
}
