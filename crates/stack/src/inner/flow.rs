//! One TCP connection: its engine, the history that explains its segments, and what its program
//! waits for.

mod program;
mod trouble;

use self::trouble::BLACK_HOLE_MTUS;
use super::engine::Engine;
use super::port::Link;
use super::timers::Owner;
use super::tuple::Tuple;
use super::wire::{Wire, arp_target, is_arp};
use crate::config::ConnectOptions;
use crate::error::{ConnectError, TcpError};
use crate::ingress::{Ipv4Packet, TcpHeader};
use crate::route::RouteDecision;
use crate::why::{SegmentHistory, Trigger};
use glasstack_journal::event::{
    Arp, Direction, FlowId, FrameId, Medium, ResetReason, Retransmission, Role, SegmentReason, StateCause,
    Tcp, TcpFlags, TcpState,
};
use glasstack_journal::{Instant, Scope};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::task::Waker;
use std::time::Duration;

/// How often a flow is driven in one go: an ARP answer may let it go on.
const ROUNDS: usize = 4;
/// How many keep-alive intervals without an answer end a connection.
const KEEP_ALIVE_PROBES: u32 = 9;
/// More often than that nobody is asked whether he lives.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// One connection.
pub(crate) struct Flow {
    pub(crate) id: FlowId,
    pub(crate) tuple: Tuple,
    pub(crate) scope: Scope,
    /// The engine, until the connection is over or in TIME-WAIT.
    pub(crate) engine: Option<Engine>,
    pub(crate) history: SegmentHistory,
    pub(crate) role: Role,
    /// The state last told.
    pub(crate) state: TcpState,
    /// The last segment sent, for TIME-WAIT to say again.
    pub(crate) last_sent: Option<Vec<u8>>,
    /// What ended the connection, if it was not an orderly close.
    pub(crate) failure: Option<Failure>,
    /// No program holds it any more.
    pub(crate) orphan: bool,
    /// Half-open yet: the listener's port.
    pub(crate) waits_at: Option<u16>,
    /// This side has said that it sends no more.
    pub(crate) write_closed: bool,
    /// Reads, writes and the handshake wait here.
    pub(crate) wakers: Waiting,
    /// Received data that outlives the engine.
    leftover: VecDeque<u8>,
    next_hop: Ipv4Addr,
    /// Whom the engine's interface takes for the next hop.
    arp_target: Ipv4Addr,
    mtu: usize,
    /// An ICMP error, or a silent next hop, that a later timeout will name.
    said: Option<String>,
    reset_because: Option<ResetReason>,
    keep_alive: Option<Duration>,
    last_heard: Instant,
    progress: Progress,
    since_state: Instant,
    user_timeout: Duration,
    fin_wait_2: Duration,
    half_open: Duration,
}

/// Since when nothing that was sent has been acknowledged.
#[derive(Default)]
struct Progress {
    acked: u64,
    since: Option<Instant>,
}

/// Who is woken when something changes.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) read: Option<Waker>,
    pub(crate) write: Option<Waker>,
    pub(crate) open: Option<Waker>,
    pub(crate) broken: Option<Waker>,
    pub(crate) acknowledged: Option<Waker>,
}

/// Why a connection ended early.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Before it was established.
    Connect(ConnectError),
    /// Afterwards.
    Established(TcpError),
}

/// What is to become of a flow after something happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lives on.
    Lives,
    /// It is quiet: TIME-WAIT takes over.
    TimeWait,
    /// It is over.
    Over,
}

impl Flow {
    /// A connection on its way out (RFC 9293 3.10.1).
    pub(crate) fn open(
        wire: &mut Wire,
        id: FlowId,
        tuple: Tuple,
        scope: Scope,
        decision: &RouteDecision,
        options: &ConnectOptions,
        now: Instant,
    ) -> Self {
        let mut flow = Self::new(wire, id, tuple, scope, Role::Active, decision, now);
        flow.keep_alive = options.keep_alive.map(|interval| interval.max(SHORTEST_KEEP_ALIVE));
        if let Some(engine) = &mut flow.engine {
            engine.set_keep_alive(flow.keep_alive);
            engine.connect(tuple.local, tuple.remote);
        }
        flow.tell_opened();
        flow.note_state(StateCause::Application, now);
        flow
    }

    /// A connection that a SYN is about to make, at the listener on this port or at a gateway.
    pub(crate) fn accept(
        wire: &mut Wire,
        id: FlowId,
        tuple: Tuple,
        listener: Option<u16>,
        scope: Scope,
        decision: &RouteDecision,
        now: Instant,
    ) -> Self {
        let mut flow = Self::new(wire, id, tuple, scope, Role::Passive, decision, now);
        if let Some(engine) = &mut flow.engine {
            engine.listen(tuple.local);
        }
        flow.state = TcpState::Listen;
        flow.waits_at = listener;
        flow.tell_opened();
        flow
    }

    fn new(
        wire: &mut Wire,
        id: FlowId,
        tuple: Tuple,
        scope: Scope,
        role: Role,
        decision: &RouteDecision,
        now: Instant,
    ) -> Self {
        let mtu = wire.mtu_towards(*tuple.remote.ip(), now);
        let link = match *tuple.local.ip() {
            local if local == wire.local => wire.link_towards(decision),
            // In the name of another: such an interface takes everything for its neighbour.
            local => Link { local, prefix_len: 0, gateway: None },
        };
        let seed = wire.entropy.u64();
        let engine = Engine::new(wire.medium, wire.mac, link, mtu, &wire.tcp, seed, now);
        let next_hop = match decision.next_hop {
            IpAddr::V4(hop) => hop,
            IpAddr::V6(_) => *tuple.remote.ip(),
        };
        if wire.medium == Medium::Ip {
            scope.record(|| Arp::NotNeeded { interface: wire.name.clone() });
        }
        Self {
            id,
            tuple,
            scope,
            engine: Some(engine),
            history: SegmentHistory::new(role),
            role,
            state: TcpState::Closed,
            last_sent: None,
            failure: None,
            orphan: false,
            waits_at: None,
            write_closed: false,
            wakers: Waiting::default(),
            leftover: VecDeque::new(),
            next_hop,
            arp_target: next_hop,
            mtu,
            said: None,
            reset_because: None,
            keep_alive: None,
            last_heard: now,
            progress: Progress::default(),
            since_state: now,
            user_timeout: wire.tcp.user_timeout,
            fin_wait_2: wire.tcp.fin_wait_2,
            half_open: wire.tcp.half_open_timeout,
        }
    }

    fn tell_opened(&self) {
        let (flow, role) = (self.id, self.role);
        let (local, remote) = (self.tuple.local_addr(), self.tuple.remote_addr());
        self.scope.record(|| Tcp::Opened { flow, local, remote, role });
    }

    /// A segment for this connection has arrived, in `bytes` from the link header on.
    pub(crate) fn on_segment(
        &mut self,
        wire: &mut Wire,
        frame: FrameId,
        bytes: &[u8],
        header: &TcpHeader<'_>,
        now: Instant,
    ) -> Fate {
        let received = self.history.received(header, now);
        self.tell_segment(frame, Direction::In, header, received.reason);
        if let Some(reason) = received.discard {
            let detail = format!("seq {} of {}", header.seq, self.tuple.remote);
            wire.discard(&self.scope, Some(frame), reason, detail);
        } else {
            self.last_heard = now;
            // RFC 1122 4.2.2.17: a peer that answers may keep its window closed for as long as it
            // likes, but not to a connection that no program holds any more.
            if !self.orphan {
                self.progress.since = None;
            }
        }
        let before = self.state;
        // RFC 9293 3.6.1: data for a program that has gone is answered by a reset.
        let for_nobody = self.orphan && !header.payload.is_empty() && received.discard.is_none();
        if for_nobody {
            // What that program wrote goes first, as from a kernel, which sends while it is written.
            let fate = self.drive(wire, Trigger::Application, now);
            if fate != Fate::Lives {
                return fate;
            }
        }
        if let Some(engine) = &mut self.engine {
            if header.flags.has(TcpFlags::FIN) {
                // Nothing more will come: there is no company for the acknowledgment to wait for.
                engine.acknowledge_at_once();
            }
            if for_nobody && engine.state() != TcpState::Closed {
                self.reset_because = Some(ResetReason::DataAfterClose);
                engine.abort();
            } else {
                engine.receive(bytes, now);
            }
        }
        self.note_state(StateCause::SegmentReceived(frame), now);
        if header.flags.has(TcpFlags::RST) && self.state == TcpState::Closed && before != TcpState::Closed {
            self.fail_by_reset(before);
        }
        self.drive(wire, Trigger::Segment, now)
    }

    fn fail_by_reset(&mut self, before: TcpState) {
        let peer = self.tuple.remote_addr();
        self.failure = Some(match (self.role, before) {
            (Role::Active, TcpState::SynSent | TcpState::SynReceived) => {
                Failure::Connect(ConnectError::Refused { peer })
            }
            _ => Failure::Established(TcpError::Reset { peer }),
        });
    }

    /// Lets the engine send what is due, and looks after the limits that are this host's own.
    pub(crate) fn drive(&mut self, wire: &mut Wire, trigger: Trigger, now: Instant) -> Fate {
        self.check_limits(now);
        let mut lowered = None;
        for _ in 0..ROUNDS {
            let Some(engine) = &mut self.engine else { break };
            engine.transmit(now);
            let mut answered = false;
            while let Some(bytes) = self.engine.as_mut().and_then(Engine::take) {
                if is_arp(wire.medium, &bytes) {
                    answered |= self.answer_arp(wire, &bytes, now);
                } else if let Some(mtu) = self.send_frame(wire, bytes, trigger, now) {
                    lowered = Some(mtu);
                }
            }
            if !answered {
                break;
            }
        }
        self.note_state(StateCause::Timeout, now);
        if let Some(mtu) = lowered {
            self.lower_mtu(
                wire,
                mtu,
                "full segments vanish without a word: a black hole (RFC 2923 2.1)",
                now,
            );
        }
        self.settle(wire, now)
    }

    /// The engine's interface asks who has an address: the host's table answers, at once or later.
    fn answer_arp(&mut self, wire: &mut Wire, request: &[u8], now: Instant) -> bool {
        let Some(target) = arp_target(request) else { return false };
        self.arp_target = target;
        let Some(mac) = wire.resolve(&self.scope, self.next_hop, Some(self.id), now) else { return false };
        let reply = wire.reply_to_inner(*self.tuple.local.ip(), target, mac);
        if let Some(engine) = &mut self.engine {
            engine.receive(&reply, now);
        }
        true
    }

    /// Sends what the engine has emitted. Returns the MTU to try next if the segment's history
    /// smells of a black hole.
    fn send_frame(
        &mut self,
        wire: &mut Wire,
        bytes: Vec<u8>,
        trigger: Trigger,
        now: Instant,
    ) -> Option<usize> {
        let frame = wire.emit_packet(&self.scope, bytes.clone());
        let (_, packet) = wire.split(&bytes);
        let packet_len = packet.len();
        let ip = Ipv4Packet::parse(packet).ok()?;
        let header = TcpHeader::read(&ip).ok()?;
        let mut why = self.history.sent(&header, trigger, now);
        if let (SegmentReason::Reset(_), Some(because)) = (&why, self.reset_because) {
            why = SegmentReason::Reset(because);
        }
        let black_hole = match why {
            SegmentReason::Retransmission(Retransmission::Timeout { attempt, .. }) if attempt >= 2 => {
                BLACK_HOLE_MTUS.into_iter().find(|mtu| *mtu < packet_len)
            }
            _ => None,
        };
        self.tell_segment(frame, Direction::Out, &header, why);
        self.last_sent = Some(bytes);
        black_hole
    }

    fn tell_segment(&self, frame: FrameId, direction: Direction, header: &TcpHeader<'_>, why: SegmentReason) {
        self.scope.record(|| Tcp::Segment(self.history.describe(frame, self.id, direction, header, why)));
    }

    /// Tells a change of the engine's state.
    pub(crate) fn note_state(&mut self, cause: StateCause, now: Instant) {
        let Some(engine) = &self.engine else { return };
        // smoltcp's socket listens again when its half-open connection is reset, or when it cannot
        // take the SYN. A flow is one connection: it is over.
        let to = match engine.state() {
            TcpState::Listen => TcpState::Closed,
            state => state,
        };
        let from = self.state;
        if from == to {
            return;
        }
        self.state = to;
        self.since_state = now;
        let flow = self.id;
        self.scope.record(|| Tcp::StateChanged { flow, from, to, cause });
    }

    /// Limits that are the host's, not the engine's: an unresponsive peer, FIN-WAIT-2 without a
    /// program, keep-alives without an answer, half-open for too long.
    fn check_limits(&mut self, now: Instant) {
        let Some(at) = self.limit() else { return };
        if now < at {
            return;
        }
        let peer = self.tuple.remote_addr();
        match self.state {
            TcpState::FinWait2 if self.orphan => {}
            TcpState::SynReceived => {
                self.reset_because = Some(ResetReason::Evicted);
                if self.role == Role::Active {
                    self.failure =
                        Some(Failure::Connect(ConnectError::TimedOut { peer, after: self.half_open }));
                }
            }
            _ => {
                self.reset_because = Some(ResetReason::TimedOut);
                let said = self.said.clone();
                self.failure = Some(Failure::Established(TcpError::TimedOut { peer, said }));
            }
        }
        if let Some(engine) = &mut self.engine {
            engine.abort();
        }
        self.note_state(StateCause::Timeout, now);
    }

    /// When [`check_limits`](Self::check_limits) will strike.
    fn limit(&self) -> Option<Instant> {
        let user_timeout = self.progress.since.map(|since| since + self.user_timeout);
        let state = match self.state {
            TcpState::FinWait2 if self.orphan => Some(self.since_state + self.fin_wait_2),
            TcpState::SynReceived => Some(self.since_state + self.half_open),
            _ => None,
        };
        // An attempt to connect has a limit of its own.
        let synchronised = !matches!(self.state, TcpState::SynSent | TcpState::SynReceived);
        let keep_alive = self
            .keep_alive
            .filter(|_| synchronised)
            .map(|interval| self.last_heard + interval.saturating_mul(1 + KEEP_ALIVE_PROBES));
        [user_timeout, state, keep_alive].into_iter().flatten().min()
    }

    /// Takes stock after the engine has worked: wakes who can go on, sets the deadline, decides the
    /// flow's fate.
    fn settle(&mut self, wire: &mut Wire, now: Instant) -> Fate {
        let Some(engine) = &mut self.engine else {
            return Fate::Over;
        };
        let waits_for_ack = engine.unacknowledged() > 0
            || matches!(self.state, TcpState::FinWait1 | TcpState::Closing | TcpState::LastAck);
        let acked = self.history.bytes_sent_acked();
        if !waits_for_ack {
            self.progress.since = None;
        } else if self.progress.since.is_none() || acked != self.progress.acked {
            self.progress.since = Some(now);
        }
        self.progress.acked = acked;
        let engine_deadline = engine.next_deadline(now);
        let fate = match self.state {
            // Not before the last ACK is out: it may have been waiting for company.
            TcpState::TimeWait if self.history.peers_fin_acked() => Fate::TimeWait,
            TcpState::Closed => Fate::Over,
            _ => Fate::Lives,
        };
        let deadline = [engine_deadline, self.limit()].into_iter().flatten().min();
        let deadline = (fate == Fate::Lives).then_some(deadline).flatten();
        wire.timers.set(Owner::Flow(self.id), deadline);
        self.wake(wire);
        if fate != Fate::Lives {
            self.retire();
        }
        fate
    }

    /// The engine goes; what it had received stays.
    pub(super) fn retire(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let mut rest = vec![0; engine.unread()];
            let length = engine.recv(&mut rest);
            self.leftover.extend(rest.into_iter().take(length));
        }
    }

    fn wake(&mut self, wire: &mut Wire) {
        let readable = self.engine.as_ref().is_none_or(|e| e.can_recv() || !e.may_recv());
        let writable = self.engine.as_ref().is_none_or(|e| e.can_send() || !e.may_send());
        let opening = matches!(self.state, TcpState::SynSent | TcpState::SynReceived);
        if readable && !opening {
            wire.wakers.extend(self.wakers.read.take());
        }
        if writable && !opening {
            wire.wakers.extend(self.wakers.write.take());
        }
        if !opening {
            wire.wakers.extend(self.wakers.open.take());
        }
        let over = self.failure.is_some() || self.engine.is_none();
        if over {
            wire.wakers.extend(self.wakers.broken.take());
        }
        if over || self.unacknowledged() == 0 {
            wire.wakers.extend(self.wakers.acknowledged.take());
        }
    }
}
