//! What the summary keeps of a TCP connection: when its packets passed.

use glasstack_journal::event::{Direction, Segment, TcpFlags};
use glasstack_journal::{Instant, SpanId};
use std::net::SocketAddr;
use std::time::Duration;

/// The packets of one connection that begin and end stages.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) remote: SocketAddr,
    /// The connection's own span.
    pub(super) span: Option<SpanId>,
    /// The first SYN.
    pub(super) opened: Instant,
    pub(super) established: bool,
    /// The first data sent since a stage began to wait for it.
    first_out: Option<Instant>,
    last_out: Option<Instant>,
    last_in: Option<Instant>,
    /// When the head of the response was complete.
    pub(super) head: Option<Instant>,
    fin: Option<Instant>,
    last: Instant,
    pub(super) time_wait: Option<Duration>,
}

impl Flow {
    pub(super) fn new(remote: SocketAddr, span: Option<SpanId>, at: Instant) -> Self {
        Self {
            remote,
            span,
            opened: at,
            established: false,
            first_out: None,
            last_out: None,
            last_in: None,
            head: None,
            fin: None,
            last: at,
            time_wait: None,
        }
    }

    /// A segment passed at `at`.
    pub(super) fn on_segment(&mut self, segment: &Segment, at: Instant) {
        let syn = segment.flags.has(TcpFlags::SYN) && segment.direction == Direction::Out;
        if syn && !self.established && self.last == self.opened {
            self.opened = at;
        }
        self.last = at;
        if segment.payload > 0 {
            match segment.direction {
                Direction::Out => {
                    self.first_out.get_or_insert(at);
                    self.last_out = Some(at);
                }
                Direction::In => self.last_in = Some(at),
            }
        }
        if segment.flags.has(TcpFlags::FIN) {
            self.fin.get_or_insert(at);
        }
    }

    /// From now on the next data sent is the first of a stage.
    pub(super) fn begin_stage(&mut self) {
        self.first_out = None;
    }

    /// From the first data sent since the stage began to the last data received; when it began.
    pub(super) fn until_answered(&self) -> Option<(Instant, Duration)> {
        let (out, back) = (self.first_out?, self.last_in?);
        Some((out, back.since(out)))
    }

    /// From the first data sent since the stage began to the last data either way.
    pub(super) fn until_quiet(&self) -> Option<(Instant, Duration)> {
        let out = self.first_out?;
        Some((out, self.last_in.max(self.last_out)?.since(out)))
    }

    /// When data was received last.
    pub(super) fn last_in(&self) -> Option<Instant> {
        self.last_in
    }

    /// From the first FIN to the last segment.
    pub(super) fn closing(&self) -> Option<(Instant, Duration)> {
        let fin = self.fin?;
        Some((fin, self.last.since(fin)))
    }
}
