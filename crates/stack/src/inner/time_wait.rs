//! TIME-WAIT (RFC 9293 3.6.1): a connection that is over is remembered for twice the maximum
//! segment lifetime, so that its last ACK can be said again and its stray segments harm nobody.
//!
//! The engine is gone by then: what is left is the last ACK and two sequence numbers.

use super::tuple::Tuple;
use crate::ingress::TcpHeader;
use crate::why::SegmentHistory;
use glasstack_journal::event::{FlowId, TcpFlags};
use glasstack_journal::{Instant, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Connections remembered; beyond that the oldest is forgotten. Whoever opens connections and makes
/// this side close them fills the table.
const CAPACITY: usize = 16_384;

/// What is remembered of one connection.
pub(crate) struct Memory {
    pub(crate) flow: FlowId,
    pub(crate) scope: Scope,
    /// The frame of the last ACK.
    pub(crate) last_ack: Option<Vec<u8>>,
    /// The next sequence number expected from the peer.
    rcv_nxt: u32,
    /// What explains stray segments.
    pub(crate) history: SegmentHistory,
    /// Until when.
    until: Instant,
}

/// What to do with a segment for a connection in TIME-WAIT.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Response {
    /// The peer has not got the last ACK, or sends something that cannot be accepted.
    SayAgain,
    /// A newer SYN: the tuple may be used again (RFC 9293 3.6.1, RFC 6191).
    Reopen,
    /// It needs no answer. A RST is ignored as well (RFC 1337 3).
    Ignore,
}

/// Every connection in TIME-WAIT.
#[derive(Default)]
pub(crate) struct TimeWait {
    by_tuple: BTreeMap<Tuple, Memory>,
    by_time: BTreeSet<(Instant, Tuple)>,
}

impl TimeWait {
    pub(crate) fn remember(
        &mut self,
        tuple: Tuple,
        flow: FlowId,
        scope: Scope,
        last_ack: Option<Vec<u8>>,
        history: SegmentHistory,
        until: Instant,
    ) {
        let rcv_nxt = history.rcv_nxt();
        self.by_tuple.insert(tuple, Memory { flow, scope, last_ack, rcv_nxt, history, until });
        self.by_time.insert((until, tuple));
    }

    pub(crate) fn contains(&self, tuple: &Tuple) -> bool {
        self.by_tuple.contains_key(tuple)
    }

    pub(crate) fn get(&self, tuple: &Tuple) -> Option<&Memory> {
        self.by_tuple.get(tuple)
    }

    pub(crate) fn get_mut(&mut self, tuple: &Tuple) -> Option<&mut Memory> {
        self.by_tuple.get_mut(tuple)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Tuple, &Memory)> {
        self.by_tuple.iter()
    }

    pub(crate) fn forget(&mut self, tuple: &Tuple) -> Option<Memory> {
        let memory = self.by_tuple.remove(tuple)?;
        self.by_time.remove(&(memory.until, *tuple));
        Some(memory)
    }

    /// Begins the wait anew (RFC 9293 3.10.7.4: a retransmitted FIN restarts the timeout).
    pub(crate) fn restart(&mut self, tuple: &Tuple, until: Instant) {
        if let Some(memory) = self.by_tuple.get_mut(tuple) {
            self.by_time.remove(&(memory.until, *tuple));
            memory.until = until;
            self.by_time.insert((until, *tuple));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one connection whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Memory> {
        let (at, tuple) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.forget(&tuple)
    }

    /// Takes the oldest connection, if there are more than may be remembered.
    pub(crate) fn make_room(&mut self) -> Option<Memory> {
        let (_, oldest) = *self.by_time.first().filter(|_| self.by_tuple.len() > CAPACITY)?;
        self.forget(&oldest)
    }

    /// Judges a segment for a connection that is here (RFC 9293 3.10.7.4).
    pub(crate) fn judge(memory: &Memory, header: &TcpHeader<'_>) -> Response {
        if header.flags.has(TcpFlags::RST) {
            return Response::Ignore;
        }
        // Signed distance in sequence space (RFC 9293 3.4).
        let ahead = header.seq.wrapping_sub(memory.rcv_nxt).cast_signed();
        if header.flags.has(TcpFlags::SYN) && !header.flags.has(TcpFlags::ACK) {
            return if ahead > 0 { Response::Reopen } else { Response::SayAgain };
        }
        let occupies = header.flags.has(TcpFlags::FIN) || !header.payload.is_empty();
        if occupies || ahead != 0 { Response::SayAgain } else { Response::Ignore }
    }
}
