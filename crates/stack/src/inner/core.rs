//! The core: everything that a host is, behind its lock. What programs ask for is here; what comes
//! from the wire is in `demux`.

use super::backlog::Listener;
use super::datagram::{Ping, UdpPort};
use super::dhcp::DhcpSlot;
use super::flow::{Failure, Fate, Flow};
use super::front::Front;
use super::neighbours::Due;
use super::passing::Undecided;
use super::probes::{Probe, ProbeKey};
use super::rate::TokenBucket;
use super::time_wait::TimeWait;
use super::timers::Owner;
use super::tuple::{KeyedHash, Tuple};
use super::wire::Wire;
use crate::config::{ConnectOptions, FlowInfo};
use crate::error::{ConnectError, ListenError, TcpError};
use crate::ingress::protocol;
use crate::reassembly::{Limits, Reassembler};
use crate::route::{NoRoute, RouteDecision};
use crate::why::{SegmentHistory, Trigger};
use glasstack_journal::event::{
    Arp, DropReason, FlowId, FrameId, Ip, RequestReason, ResetReason, StateCause, Tcp, TcpState,
};
use glasstack_journal::{Instant, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker};

/// Ephemeral ports (RFC 6335 6).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Resets for segments that belong to nothing here: a second, and at once. Linux has no limit,
/// FreeBSD 200 a second (net.inet.icmp.icmplim); a host that hundreds of connections find closed
/// should still say so to each.
const RESETS: (u32, u32) = (1_000, 1_000);
/// Echo replies: a second, and at once. As for resets; `ping -f` is told how much comes back.
const ECHO_REPLIES: (u32, u32) = (1_000, 1_000);

/// Only looked up, never iterated: order never reaches bytes.
#[allow(clippy::disallowed_types, reason = "the 4-tuple hash of the demultiplexer, never iterated")]
type FlowIndex = std::collections::HashMap<Tuple, FlowId, KeyedHash>;

/// A host, inside.
pub(crate) struct Core {
    pub(super) wire: Wire,
    pub(super) front: Front,
    pub(super) index: FlowIndex,
    pub(super) flows: BTreeMap<FlowId, Flow>,
    pub(super) listeners: BTreeMap<u16, Listener>,
    pub(super) time_wait: TimeWait,
    pub(super) udp: BTreeMap<u16, UdpPort>,
    pub(super) pings: BTreeMap<u16, Ping>,
    pub(super) probes: BTreeMap<ProbeKey, Probe>,
    pub(super) reassembler: Reassembler,
    /// On a transparent host with a gateway: what that has not decided yet.
    pub(super) undecided: Option<Undecided>,
    /// The DHCP client, if one is at work.
    pub(super) dhcp: Option<DhcpSlot>,
    /// ICMP errors that may still be sent.
    pub(super) icmp_errors: TokenBucket,
    /// Resets for no connection that may still be sent.
    pub(super) resets: TokenBucket,
    /// Echo replies that may still be sent.
    pub(super) echo_replies: TokenBucket,
    dirty: BTreeSet<FlowId>,
    next_flow: u64,
}

impl Core {
    pub(crate) fn new(wire: Wire, now: Instant) -> Self {
        let front = Front::new(&wire, now);
        let reassembler = Reassembler::new(Limits { lifetime: wire.reassembly_timeout, ..Limits::default() });
        let index = FlowIndex::with_hasher(KeyedHash::new(&*wire.entropy));
        Self {
            wire,
            front,
            index,
            flows: BTreeMap::new(),
            listeners: BTreeMap::new(),
            time_wait: TimeWait::default(),
            udp: BTreeMap::new(),
            pings: BTreeMap::new(),
            probes: BTreeMap::new(),
            reassembler,
            undecided: None,
            dhcp: None,
            icmp_errors: TokenBucket::new(now),
            resets: TokenBucket::with_rate(now, RESETS.0, RESETS.1),
            echo_replies: TokenBucket::with_rate(now, ECHO_REPLIES.0, ECHO_REPLIES.1),
            dirty: BTreeSet::new(),
            next_flow: 1,
        }
    }

    /// Wakers to be called once the lock is released.
    pub(crate) fn take_wakers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wire.wakers)
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) fn wire_mut(&mut self) -> &mut Wire {
        &mut self.wire
    }

    // ---- the world

    /// Fires every deadline that has come. What is due again at once waits for the next poll, so
    /// that nobody spins under the lock.
    pub(crate) fn on_time(&mut self, now: Instant) {
        let due: Vec<Owner> = std::iter::from_fn(|| self.wire.timers.take_due(now)).collect();
        for owner in due {
            match owner {
                Owner::Flow(id) => {
                    self.with_flow(id, now, |flow, wire| flow.drive(wire, Trigger::Timer, now))
                }
                Owner::Neighbours => self.expire_neighbours(now),
                Owner::Reassembly => self.expire_fragments(now),
                Owner::TimeWait => self.expire_time_wait(now),
            }
        }
    }

    /// Drives every connection that a program has touched.
    pub(crate) fn drive_dirty(&mut self, now: Instant) {
        while let Some(id) = self.dirty.pop_first() {
            self.with_flow(id, now, |flow, wire| flow.drive(wire, Trigger::Application, now));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.wire.timers.next()
    }

    /// Whether every FIN is acknowledged both ways and nothing waits to be sent.
    pub(crate) fn is_quiet(&self) -> bool {
        self.wire.outgoing.is_empty()
            && self.wire.loopback.is_empty()
            && self.flows.values().all(|flow| flow.engine.is_none())
    }

    fn expire_neighbours(&mut self, now: Instant) {
        let scope = self.wire.scope.clone();
        let attempts = self.wire.neighbours.attempts();
        for due in self.wire.neighbours.expire(now) {
            match due {
                Due::Again { ip, attempt } => {
                    self.wire.request(&scope, ip, RequestReason::NoReply { attempt })
                }
                Due::Failed { ip, flows, wakers } => {
                    scope.record(|| Arp::Failed { next_hop: ip, attempts });
                    self.wire.wakers.extend(wakers);
                    for id in flows {
                        self.with_flow(id, now, |flow, wire| flow.on_no_arp_reply(wire, attempts, now));
                    }
                }
            }
        }
        self.wire.timers.set(Owner::Neighbours, self.wire.neighbours.next_deadline());
    }

    pub(super) fn expire_fragments(&mut self, now: Instant) {
        let scope = self.wire.scope.clone();
        for (frame, discard) in self.reassembler.expire(now) {
            self.wire.discard(&scope, Some(frame), discard.reason, discard.detail);
        }
        self.wire.timers.set(Owner::Reassembly, self.reassembler.next_deadline());
    }

    fn expire_time_wait(&mut self, now: Instant) {
        while let Some(memory) = self.time_wait.expire(now) {
            let flow = memory.flow;
            memory.scope.record(|| Tcp::TimeWaitOver { flow, how: "ran out".to_owned() });
            self.end_time_wait(&memory, StateCause::Timeout);
        }
        self.wire.timers.set(Owner::TimeWait, self.time_wait.next_deadline());
    }

    pub(super) fn end_time_wait(&mut self, memory: &super::time_wait::Memory, cause: StateCause) {
        let flow = memory.flow;
        let (from, to) = (TcpState::TimeWait, TcpState::Closed);
        memory.scope.record(|| Tcp::StateChanged { flow, from, to, cause });
        memory.scope.record(|| Tcp::Closed {
            flow,
            error: None,
            bytes_sent: memory.history.bytes_sent_acked(),
            bytes_received: memory.history.bytes_received(),
            retransmissions: memory.history.retransmissions(),
        });
        memory.scope.close();
        if let Some(flow) = self.flows.get_mut(&flow) {
            flow.state = TcpState::Closed;
        }
    }

    // ---- connections

    pub(super) fn flow_at(&self, tuple: &Tuple) -> Option<FlowId> {
        self.index.get(tuple).copied()
    }

    /// Does something to a connection, then to it what its fate asks for.
    pub(super) fn with_flow(
        &mut self,
        id: FlowId,
        now: Instant,
        f: impl FnOnce(&mut Flow, &mut Wire) -> Fate,
    ) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        if flow.engine.is_none() {
            return;
        }
        let fate = f(flow, &mut self.wire);
        self.follow(id, fate, now);
    }

    fn follow(&mut self, id: FlowId, fate: Fate, now: Instant) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        // A connection that has become established can be accepted.
        if let Some(port) = flow.waits_at
            && !matches!(flow.state, TcpState::Listen | TcpState::SynReceived | TcpState::Closed)
        {
            flow.waits_at = None;
            if let Some(listener) = self.listeners.get_mut(&port) {
                let woken = listener.established(id);
                self.wire.wakers.extend(woken);
            }
        }
        match fate {
            Fate::Lives => {}
            Fate::TimeWait => self.enter_time_wait(id, now),
            Fate::Over => self.bury(id),
        }
    }

    fn enter_time_wait(&mut self, id: FlowId, now: Instant) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let lasts = self.wire.tcp.time_wait;
        flow.scope.record(|| Tcp::TimeWaitEntered { flow: id, lasts });
        let history = std::mem::replace(&mut flow.history, SegmentHistory::new(flow.role));
        let (scope, last_ack) = (flow.scope.clone(), flow.last_sent.take());
        self.time_wait.remember(flow.tuple, id, scope, last_ack, history, now + lasts);
        self.index.remove(&flow.tuple);
        if flow.orphan {
            self.flows.remove(&id);
        }
        while let Some(memory) = self.time_wait.make_room() {
            let flow = memory.flow;
            memory.scope.record(|| Tcp::TimeWaitOver { flow, how: "gave way to newer ones".to_owned() });
            self.end_time_wait(&memory, StateCause::Timeout);
        }
        self.wire.timers.set(Owner::TimeWait, self.time_wait.next_deadline());
    }

    /// A connection is over. Its flow stays as long as a program holds it.
    fn bury(&mut self, id: FlowId) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        flow.engine = None;
        let error = flow.failure.as_ref().map(|failure| match failure {
            Failure::Connect(error) => error.to_string(),
            Failure::Established(error) => error.to_string(),
        });
        let history = &flow.history;
        let (bytes_sent, bytes_received) = (history.bytes_sent_acked(), history.bytes_received());
        let retransmissions = history.retransmissions();
        flow.scope.record(|| Tcp::Closed { flow: id, error, bytes_sent, bytes_received, retransmissions });
        flow.scope.close();
        self.index.remove(&flow.tuple);
        self.wire.timers.set(Owner::Flow(id), None);
        let never_accepted = flow.waits_at.take();
        if let Some(listener) = never_accepted.and_then(|port| self.listeners.get_mut(&port)) {
            listener.gone(id);
        }
        if flow.orphan || never_accepted.is_some() {
            self.flows.remove(&id);
        }
    }

    /// A number for a new connection.
    pub(super) fn next_flow(&mut self) -> FlowId {
        let id = FlowId(self.next_flow);
        self.next_flow += 1;
        id
    }

    /// Begins to open a connection. The scope is the connection's span.
    pub(crate) fn connect(
        &mut self,
        scope: &Scope,
        to: SocketAddr,
        options: &ConnectOptions,
        now: Instant,
    ) -> Result<(FlowId, SocketAddr), ConnectError> {
        let decision = self.route(scope, to.ip())?;
        let SocketAddr::V4(remote) = to else {
            return Err(NoRoute::Ipv6 { destination: to.ip() }.into());
        };
        if remote.port() == 0 {
            return Err(ConnectError::PortZero { peer: to });
        }
        let local = self.source_for(remote, options.from)?;
        let tuple = Tuple { local, remote };
        let id = self.next_flow();
        let flow = Flow::open(&mut self.wire, id, tuple, scope.clone(), &decision, options, now);
        self.index.insert(tuple, id);
        self.flows.insert(id, flow);
        self.dirty.insert(id);
        Ok((id, tuple.local_addr()))
    }

    /// The address and port to connect from: what is asked for, if it can be had.
    fn source_for(
        &self,
        remote: SocketAddrV4,
        wanted: Option<SocketAddr>,
    ) -> Result<SocketAddrV4, ConnectError> {
        let peer = remote.into();
        let ip = match wanted.map(|from| from.ip()) {
            None => self.wire.local,
            Some(IpAddr::V4(ip)) if ip == self.wire.local || self.wire.transparent => ip,
            Some(IpAddr::V4(ip)) if ip.is_unspecified() => self.wire.local,
            Some(other) => return Err(ConnectError::NotOurs { peer, from: other }),
        };
        let is_free = |core: &Self, port| {
            let tuple = Tuple { local: SocketAddrV4::new(ip, port), remote };
            !core.index.contains_key(&tuple)
                && !core.time_wait.contains(&tuple)
                && !core.probes.contains_key(&(protocol::TCP, port))
        };
        let port = match wanted.map_or(0, |from| from.port()) {
            0 => self.ephemeral_port(is_free).ok_or(ConnectError::PortsExhausted { peer })?,
            port if is_free(self, port) => port,
            port => return Err(ConnectError::PortTaken { peer, port }),
        };
        Ok(SocketAddrV4::new(ip, port))
    }

    /// Whether the handshake is done.
    pub(crate) fn poll_connected(&mut self, id: FlowId, cx: &Context<'_>) -> Poll<Result<(), ConnectError>> {
        let Some(flow) = self.flows.get_mut(&id) else {
            return Poll::Pending;
        };
        let peer = flow.tuple.remote_addr();
        match (&flow.failure, flow.state) {
            (Some(Failure::Connect(error)), _) => Poll::Ready(Err(error.clone())),
            (_, TcpState::SynSent | TcpState::SynReceived) => {
                flow.wakers.open = Some(cx.waker().clone());
                Poll::Pending
            }
            (Some(Failure::Established(TcpError::Reset { .. })), TcpState::Closed) => {
                Poll::Ready(Err(ConnectError::Refused { peer }))
            }
            // Whoever called never confirmed it.
            (None, TcpState::Closed) => Poll::Ready(Err(ConnectError::GivenUp { peer })),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// A connection, to be asked or waited at; nothing becomes due by it.
    pub(crate) fn flow_mut(&mut self, id: FlowId) -> Option<&mut Flow> {
        self.flows.get_mut(&id)
    }

    /// A program does something to its connection.
    pub(crate) fn on_stream<T>(&mut self, id: FlowId, f: impl FnOnce(&mut Flow) -> T) -> Option<T> {
        let flow = self.flows.get_mut(&id)?;
        let result = f(flow);
        if flow.engine.is_some() {
            self.dirty.insert(id);
        }
        Some(result)
    }

    /// A program lets go of its connection.
    pub(crate) fn release(&mut self, id: FlowId, now: Instant) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        flow.orphan = true;
        match flow.state {
            _ if flow.engine.is_none() => {
                self.flows.remove(&id);
            }
            // An attempt is given up without a word (RFC 9293 3.10.4).
            TcpState::SynSent => {
                self.with_flow(id, now, |flow, wire| flow.give_up(wire, StateCause::Application, now));
            }
            _ => {
                flow.release(now);
                self.dirty.insert(id);
            }
        }
    }

    pub(crate) fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(&id)
    }

    pub(crate) fn held_flows(&self) -> usize {
        self.flows.len()
    }

    pub(crate) fn flow_infos(&self) -> Vec<FlowInfo> {
        let living = self.flows.values().filter(|flow| flow.engine.is_some()).map(|flow| FlowInfo {
            flow: flow.id,
            local: flow.tuple.local_addr(),
            remote: flow.tuple.remote_addr(),
            state: flow.state,
        });
        let waiting = self.time_wait.iter().map(|(tuple, memory)| FlowInfo {
            flow: memory.flow,
            local: tuple.local_addr(),
            remote: tuple.remote_addr(),
            state: TcpState::TimeWait,
        });
        let mut infos: Vec<FlowInfo> = living.chain(waiting).collect();
        infos.sort_by_key(|info| info.flow);
        infos
    }

    // ---- listeners

    pub(crate) fn listen(&mut self, scope: &Scope, local: SocketAddr) -> Result<SocketAddr, ListenError> {
        self.own_address(local.ip()).map_err(ListenError::NotOurs)?;
        if local.port() == 0 {
            return Err(ListenError::PortZero);
        }
        if self.listeners.contains_key(&local.port()) {
            return Err(ListenError::InUse(local));
        }
        let (backlog, half_open) = (self.wire.tcp.backlog, self.wire.tcp.half_open);
        self.listeners.insert(local.port(), Listener::new(scope.clone(), backlog, half_open));
        scope.record(|| Tcp::Listening { local, backlog });
        Ok(local)
    }

    /// The next connection to accept, with its addresses and its span.
    pub(crate) fn poll_accept(&mut self, port: u16, cx: &Context<'_>) -> Poll<(FlowId, Tuple, Scope)> {
        let Some(listener) = self.listeners.get_mut(&port) else { return Poll::Pending };
        while let Some(id) = listener.accept() {
            if let Some(flow) = self.flows.get(&id) {
                return Poll::Ready((id, flow.tuple, flow.scope.clone()));
            }
        }
        listener.wait(cx.waker());
        Poll::Pending
    }

    /// Stops listening: what was never accepted is reset.
    pub(crate) fn unlisten(&mut self, port: u16, now: Instant) {
        let Some(listener) = self.listeners.remove(&port) else { return };
        for id in listener.unaccepted() {
            let Some(flow) = self.flows.get_mut(&id) else { continue };
            if flow.engine.is_none() {
                self.flows.remove(&id);
                continue;
            }
            flow.waits_at = None;
            flow.orphan = true;
            flow.abort(ResetReason::Aborted, now);
            self.dirty.insert(id);
        }
    }

    // ---- where to

    /// Asks the routing table and tells what it said.
    pub(crate) fn route(&self, scope: &Scope, destination: IpAddr) -> Result<RouteDecision, NoRoute> {
        let decision = self.wire.routes.lookup(destination)?;
        scope.record(|| Ip::RouteChosen {
            destination,
            row: self.wire.routes.describe(&decision.row),
            next_hop: decision.next_hop,
            interface: decision.interface.clone(),
            source: decision.source,
            why: decision.why.clone(),
        });
        Ok(decision)
    }

    /// Whether this host can be bound to at `address`: the error is the address that is not its own.
    pub(super) fn own_address(&self, address: IpAddr) -> Result<(), IpAddr> {
        if address.is_unspecified() || address == self.wire.local { Ok(()) } else { Err(address) }
    }

    /// A port that is free, at an unpredictable place (RFC 6056 3.3.1).
    pub(super) fn ephemeral_port(&self, is_free: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        let count = u32::from(EPHEMERAL.end() - EPHEMERAL.start()) + 1;
        let first = self.wire.entropy.below(count);
        (0..count)
            .filter_map(|n| u16::try_from((first + n) % count + u32::from(*EPHEMERAL.start())).ok())
            .find(|port| is_free(self, *port))
    }

    pub(super) fn drop_packet(
        &mut self,
        scope: &Scope,
        frame: FrameId,
        reason: DropReason,
        detail: impl Into<String>,
    ) {
        self.wire.discard(scope, Some(frame), reason, detail);
    }
}
