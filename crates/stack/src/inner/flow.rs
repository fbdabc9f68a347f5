//! One TCP connection: its engine, the history that explains its segments, and what its program
//! waits for.

use super::engine::Engine;
use super::timers::Owner;
use super::tuple::Tuple;
use super::wire::{Wire, arp_target, is_arp};
use crate::error::{ConnectError, TcpError};
use crate::host::ConnectOptions;
use crate::icmp_error::IcmpError;
use crate::ingress::{Ipv4Packet, TcpHeader, Transport, parse_transport};
use crate::route::RouteDecision;
use crate::why::{SegmentHistory, Trigger};
use glasstack_journal::event::{
    Arp, Direction, FlowId, FrameId, IcmpEffect, MacAddress, Medium, ResetReason, Retransmission, Role,
    SegmentReason, StateCause, Tcp, TcpFlags, TcpState,
};
use glasstack_journal::{Instant, Scope};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Waker};
use std::time::Duration;

/// How often a flow is driven in one go: an ARP answer may let it go on.
const ROUNDS: usize = 4;
/// The IP MTU below which nobody may push a connection (RFC 5927 7.2; RFC 1191 3 has 68).
const MTU_FLOOR: usize = 552;
/// What is tried when large segments vanish without a word (RFC 4821 7.1, RFC 2923 2.1).
const BLACK_HOLE_MTUS: [usize; 2] = [1280, MTU_FLOOR];
/// How many keep-alive intervals without an answer end a connection.
const KEEP_ALIVE_PROBES: u32 = 9;
/// More often than that nobody is asked whether he lives.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(1);
/// How long a connection may stay half-open.
const HALF_OPEN: Duration = Duration::from_secs(63);

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
    /// Not accepted yet: the listener's port.
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

    /// A connection that a SYN is about to make at the listener on its port.
    pub(crate) fn accept(
        wire: &mut Wire,
        id: FlowId,
        tuple: Tuple,
        scope: Scope,
        decision: &RouteDecision,
        now: Instant,
    ) -> Self {
        let mut flow = Self::new(wire, id, tuple, scope, Role::Passive, decision, now);
        if let Some(engine) = &mut flow.engine {
            engine.listen(tuple.local);
        }
        flow.state = TcpState::Listen;
        flow.waits_at = Some(tuple.local.port());
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
        let link = wire.link_towards(decision);
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
        bytes: Vec<u8>,
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
        let reply = wire.reply_to_inner(target, mac);
        if let Some(engine) = &mut self.engine {
            engine.receive(reply, now);
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
        let Ok(Transport::Tcp(header)) = parse_transport(&ip) else { return None };
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
                    self.failure = Some(Failure::Connect(ConnectError::TimedOut { peer, after: HALF_OPEN }));
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
            TcpState::SynReceived => Some(self.since_state + HALF_OPEN),
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
    fn retire(&mut self) {
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
    }

    /// The next hop has answered ARP, or has moved to another station.
    pub(crate) fn on_arp_reply(&mut self, wire: &mut Wire, mac: MacAddress, now: Instant) -> Fate {
        let target = self.arp_target;
        let reply = wire.reply_to_inner(target, mac);
        if let Some(engine) = &mut self.engine {
            engine.receive(reply, now);
        }
        self.drive(wire, Trigger::Application, now)
    }

    /// Whether its segments go to this neighbour.
    pub(crate) fn goes_by(&self, neighbour: Ipv4Addr) -> bool {
        self.next_hop == neighbour
    }

    /// A segment came from `station`: if that is the next hop, its ARP entry is still right.
    pub(crate) fn confirm_next_hop(&self, wire: &mut Wire, station: MacAddress, now: Instant) {
        wire.neighbours.confirm(self.next_hop, station, now);
    }

    /// The next hop has not answered ARP.
    pub(crate) fn on_no_arp_reply(&mut self, wire: &mut Wire, attempts: u8, now: Instant) -> Fate {
        let next_hop = IpAddr::V4(self.next_hop);
        if self.state == TcpState::SynSent {
            self.failure = Some(Failure::Connect(ConnectError::NoArpReply { next_hop, attempts }));
            return self.give_up(wire, StateCause::NoArpReply, now);
        }
        self.said = Some(format!("no ARP reply from {next_hop}"));
        self.drive(wire, Trigger::Timer, now)
    }

    /// An ICMP error about a segment of this connection. RFC 5927 4.1: only one that quotes a
    /// sequence number in flight is believed.
    pub(crate) fn on_icmp_error(
        &mut self,
        wire: &mut Wire,
        frame: FrameId,
        from: Ipv4Addr,
        error: &IcmpError,
        now: Instant,
    ) -> (IcmpEffect, Fate) {
        let in_flight = error.quote.tcp_seq.is_some_and(|seq| self.history.in_flight_contains(seq));
        if !in_flight {
            let why = "the quoted sequence number is not in flight (RFC 5927 4.1)".to_owned();
            return (IcmpEffect::Ignored { why }, Fate::Lives);
        }
        if let Some(next_hop_mtu) = error.kind.next_hop_mtu() {
            return self.on_fragmentation_needed(wire, next_hop_mtu, error.quote.total_length, from, now);
        }
        if self.state == TcpState::SynSent {
            let peer = self.tuple.remote_addr();
            let what = error.kind.to_string();
            self.failure =
                Some(Failure::Connect(ConnectError::Unreachable { peer, from: from.into(), what }));
            return (IcmpEffect::ConnectFailed, self.give_up(wire, StateCause::IcmpError(frame), now));
        }
        self.said = Some(format!("{}, says {from}", error.kind));
        (IcmpEffect::Remembered, Fate::Lives)
    }

    fn on_fragmentation_needed(
        &mut self,
        wire: &mut Wire,
        next_hop_mtu: u16,
        quoted_length: u16,
        from: Ipv4Addr,
        now: Instant,
    ) -> (IcmpEffect, Fate) {
        let before = self.mtu;
        // RFC 1191 5: an old router says 0; then the next plateau below the packet's size is taken.
        let told = match next_hop_mtu {
            0 => plateau_below(usize::from(quoted_length).min(before)),
            mtu => usize::from(mtu),
        };
        let mtu = told.max(MTU_FLOOR);
        if mtu >= before {
            let why = format!("an MTU of {told} is no less than the {before} in use");
            return (IcmpEffect::Ignored { why }, Fate::Lives);
        }
        self.lower_mtu(wire, mtu, &format!("fragmentation needed, says {from}"), now);
        let fate = self.drive(wire, Trigger::MtuLowered { mtu }, now);
        (IcmpEffect::MtuLowered { from: before, to: mtu }, fate)
    }

    fn lower_mtu(&mut self, wire: &mut Wire, to: usize, why: &str, now: Instant) {
        let (flow, from) = (self.id, self.mtu);
        if to >= from {
            return;
        }
        self.mtu = to;
        wire.lower_mtu_towards(*self.tuple.remote.ip(), to, now);
        let seed = wire.entropy.u64();
        if let Some(engine) = &mut self.engine {
            engine.set_mtu(to, seed, now);
        }
        self.history.mtu_lowered(to);
        self.scope.record(|| Tcp::MtuLowered { flow, from, to, why: why.to_owned() });
    }

    /// Ends an attempt without a word on the wire.
    pub(crate) fn give_up(&mut self, wire: &mut Wire, cause: StateCause, now: Instant) -> Fate {
        self.engine = None;
        let (flow, from, to) = (self.id, self.state, TcpState::Closed);
        self.state = to;
        self.since_state = now;
        if from != to {
            self.scope.record(|| Tcp::StateChanged { flow, from, to, cause });
        }
        wire.timers.set(Owner::Flow(self.id), None);
        self.wake(wire);
        Fate::Over
    }

    /// A program reads.
    pub(crate) fn read(&mut self, cx: &Context<'_>, buffer: &mut [u8]) -> Option<Result<usize, TcpError>> {
        if buffer.is_empty() {
            return Some(Ok(0));
        }
        if !self.leftover.is_empty() {
            let count = buffer.len().min(self.leftover.len());
            for (slot, byte) in buffer.iter_mut().zip(self.leftover.drain(..count)) {
                *slot = byte;
            }
            return Some(Ok(count));
        }
        match &mut self.engine {
            Some(engine) if engine.can_recv() => Some(Ok(engine.recv(buffer))),
            Some(engine) if engine.may_recv() => {
                self.wakers.read = Some(cx.waker().clone());
                None
            }
            _ => Some(self.established_failure().map_or(Ok(0), Err)),
        }
    }

    /// A program writes.
    pub(crate) fn write(&mut self, cx: &Context<'_>, data: &[u8]) -> Option<Result<usize, TcpError>> {
        if let Some(error) = self.established_failure() {
            return Some(Err(error));
        }
        match &mut self.engine {
            _ if self.write_closed => Some(Err(TcpError::Closed)),
            _ if data.is_empty() => Some(Ok(0)),
            Some(engine) if engine.can_send() => Some(Ok(engine.send(data))),
            Some(engine) if engine.may_send() => {
                self.wakers.write = Some(cx.waker().clone());
                None
            }
            _ => Some(Err(TcpError::Closed)),
        }
    }

    /// A program has no more to say: a FIN follows what is queued.
    pub(crate) fn close(&mut self, now: Instant) {
        self.write_closed = true;
        if let Some(engine) = &mut self.engine {
            engine.close();
        }
        self.note_state(StateCause::Application, now);
    }

    /// The connection ends with a RST.
    pub(crate) fn abort(&mut self, because: ResetReason, now: Instant) {
        self.reset_because = Some(because);
        if self.failure.is_none() {
            self.failure = Some(Failure::Established(TcpError::Aborted));
        }
        if let Some(engine) = &mut self.engine {
            engine.abort();
        }
        self.note_state(StateCause::Application, now);
    }

    /// A program lets go of the connection, as close(2) does: FIN, or RST if data is unread
    /// (RFC 1122 4.2.2.13).
    pub(crate) fn release(&mut self, now: Instant) {
        self.wakers = Waiting::default();
        let unread = self.engine.as_ref().map_or(0, Engine::unread);
        if unread > 0 {
            self.abort(ResetReason::Aborted, now);
        } else {
            self.close(now);
        }
    }

    fn established_failure(&self) -> Option<TcpError> {
        match &self.failure {
            Some(Failure::Established(error)) => Some(error.clone()),
            Some(Failure::Connect(_)) => Some(TcpError::Reset { peer: self.tuple.remote_addr() }),
            None => None,
        }
    }
}

/// The largest plateau below `size` (RFC 1191 7.1).
fn plateau_below(size: usize) -> usize {
    [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 576]
        .into_iter()
        .find(|plateau| *plateau < size)
        .unwrap_or(MTU_FLOOR)
}
