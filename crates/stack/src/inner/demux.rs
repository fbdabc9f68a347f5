//! The demultiplexer: what a frame from the wire is, and whose.

use super::backlog::Admission;
use super::core::Core;
use super::flow::Flow;
use super::time_wait::{Response, TimeWait};
use super::timers::Owner;
use super::tuple::Tuple;
use super::wire::{Wire, is_arp};
use crate::device::Frame;
use crate::dhcp::CLIENT_PORT;
use crate::icmp_error::{IcmpMessage, parse_icmp};
use crate::ingress::{
    ArpPacket, Ipv4Packet, LinkPacket, TcpHeader, Transport, UdpHeader, parse_link, parse_transport,
};
use crate::ping::PingReply;
use crate::transit::Unreachable;
use glasstack_journal::event::{
    AckReason, Arp, Direction, DropReason, FlowId, FrameId, Icmp, Ip, Link, MacAddress, ResetReason, Segment,
    SegmentReason, StateCause, Tcp, TcpFlags, Udp,
};
use glasstack_journal::{Instant, Scope, SpanKind};
use std::net::Ipv4Addr;

/// A packet's frame: its number, its bytes from the link header on, and who put it on the link.
pub(super) struct Carrier<'a> {
    pub(super) frame: FrameId,
    pub(super) bytes: &'a [u8],
    station: Option<MacAddress>,
    from_self: bool,
}

impl Core {
    /// A frame from the wire, or one that this host has sent to itself.
    pub(crate) fn on_frame(&mut self, frame: Frame, from_self: bool, now: Instant) {
        let scope = self.wire.scope.clone();
        let id = frame.id.unwrap_or_else(|| scope.journal().next_frame());
        let interface = self.wire.interface;
        self.wire.counters.frames_in += 1;
        scope.record(|| Link::Frame {
            frame: id,
            interface,
            direction: Direction::In,
            bytes: frame.bytes.as_slice().into(),
        });
        match parse_link(self.wire.medium, self.wire.mac, &frame.bytes) {
            Err(discard) => self.wire.discard(&scope, Some(id), discard.reason, discard.detail),
            Ok(LinkPacket::Arp(arp)) => self.on_arp(id, &arp, now),
            Ok(LinkPacket::Ipv4 { packet, source_mac }) => {
                let carrier = Carrier { frame: id, bytes: &frame.bytes, station: source_mac, from_self };
                self.on_ipv4(&carrier, &packet, now);
            }
        }
    }

    /// RFC 826, "Packet Reception".
    fn on_arp(&mut self, frame: FrameId, arp: &ArpPacket, now: Instant) {
        let scope = self.wire.scope.clone();
        let (from, mac, target) = (arp.sender_ip, arp.sender_mac, arp.target_ip);
        self.watch_arp(arp);
        let has_address = !self.wire.local.is_unspecified();
        let ours = has_address && target == self.wire.local;
        if has_address && from == self.wire.local {
            let detail = format!("{mac} claims {from}, which is this host's address (RFC 5227 2.4)");
            return self.drop_packet(&scope, frame, DropReason::BadArp, detail);
        }
        let learned = if from.is_unspecified() {
            // RFC 5227 1.1: a probe binds nothing.
            Default::default()
        } else {
            self.wire.neighbours.learn(from, mac, ours, now)
        };
        if arp.request {
            scope.record(|| Arp::RequestReceived { frame, from, target, ours });
        } else {
            scope.record(|| Arp::ReplyReceived { frame, from, mac, after: learned.after });
        }
        if let Some(before) = learned.changed {
            scope.record(|| Arp::Learned { ip: from, mac, before });
        }
        self.wire.timers.set(Owner::Neighbours, self.wire.neighbours.next_deadline());
        self.wire.wakers.extend(learned.wakers);
        let flows = match learned.changed {
            // The neighbour has moved: whoever sends to its old station must hear of it.
            Some(Some(_)) => {
                self.flows.values().filter(|flow| flow.goes_by(from)).map(|flow| flow.id).collect()
            }
            _ => learned.flows,
        };
        for id in flows {
            self.with_flow(id, now, |flow, wire| flow.on_arp_reply(wire, mac, now));
        }
        // RFC 5227 2.1.1: a probe is answered like any other request.
        if arp.request && ours {
            let frame = self.wire.reply(&scope, from, mac);
            scope.record(|| Arp::ReplySent { frame, to: from });
        }
    }

    fn on_ipv4(&mut self, carrier: &Carrier<'_>, packet: &Ipv4Packet<'_>, now: Instant) {
        let scope = self.wire.scope.clone();
        let (source, destination) = (packet.source, packet.destination);
        let broadcast = destination.is_broadcast() || Some(destination) == self.wire.prefix.broadcast();
        // RFC 1122 3.2.1.3: what may not be a source. Whoever has no address yet may ask everybody
        // for one (RFC 2131 4.1).
        let martian = source.is_multicast()
            || source.is_broadcast()
            || source.is_loopback() && !self.wire.routes.carries_loopback()
            || source.is_unspecified() && !broadcast
            || source.octets()[0] >= 240
            || source == self.wire.local && !carrier.from_self && !source.is_unspecified()
            || Some(source) == self.wire.prefix.broadcast();
        if martian {
            return self.drop_packet(&scope, carrier.frame, DropReason::MartianSource, source.to_string());
        }
        // RFC 1122 3.3.6: what everybody on the link gets must be meant for everybody.
        let to_everybody =
            carrier.station.is_some() && carrier.bytes.first().is_some_and(|first| first & 1 == 1);
        let for_dhcp = self.is_for_dhcp(packet);
        let foreign = !broadcast && destination != self.wire.local && !for_dhcp;
        if !broadcast && !for_dhcp && to_everybody || foreign && !self.takes_foreign(destination) {
            let detail = format!("it is for {destination}");
            let detail = if to_everybody { detail + ", in a frame for everybody" } else { detail };
            return self.drop_packet(&scope, carrier.frame, DropReason::NotOurAddress, detail);
        }
        // RFC 1812 5.3.1: what passes loses one of its hops here, and may have none left.
        if foreign && packet.ttl <= 1 {
            self.drop_packet(&scope, carrier.frame, DropReason::TtlExpired, format!("for {destination}"));
            return self.turn_packet_away(packet, Unreachable::TimeExceeded, now);
        }
        if !packet.is_fragment() {
            return self.on_datagram(carrier, packet, broadcast, now);
        }
        scope.record(|| Ip::FragmentReceived {
            frame: carrier.frame,
            identification: packet.identification,
            offset: packet.fragment_offset,
            length: packet.payload.len(),
            more: packet.more_fragments,
        });
        let whole = self.reassembler.push(now, packet, carrier.frame);
        self.expire_fragments(now);
        match whole {
            Err(discard) => self.drop_packet(&scope, carrier.frame, discard.reason, discard.detail),
            Ok(None) => {}
            Ok(Some(whole)) => {
                let (fragments, after) = (whole.fragments, whole.after);
                let length = whole.packet.len();
                scope.record(|| Ip::Reassembled { frame: carrier.frame, fragments, length, after });
                let (link_header, _) = self.wire.split(carrier.bytes);
                let bytes = [link_header, &whole.packet].concat();
                let carrier = Carrier { bytes: &bytes, ..*carrier };
                match Ipv4Packet::parse(&whole.packet) {
                    Ok(packet) => self.on_datagram(&carrier, &packet, broadcast, now),
                    Err(discard) => self.drop_packet(&scope, carrier.frame, discard.reason, discard.detail),
                }
            }
        }
    }

    fn on_datagram(&mut self, carrier: &Carrier<'_>, packet: &Ipv4Packet<'_>, broadcast: bool, now: Instant) {
        let scope = self.wire.scope.clone();
        match parse_transport(packet) {
            Ok(Transport::Udp(datagram)) => self.on_udp(carrier, packet, &datagram, broadcast, now),
            Ok(_) if broadcast => {
                // RFC 1122 3.2.2.6, 4.2.3.10: only UDP is taken from a broadcast.
                let detail = "broadcast, but not UDP";
                self.drop_packet(&scope, carrier.frame, DropReason::NotOurAddress, detail);
            }
            Ok(Transport::Tcp(header)) => self.on_tcp(carrier, &header, now),
            Ok(Transport::Icmp(message)) => self.on_icmp(carrier, packet, message, now),
            Err(discard) => {
                let unknown = discard.reason == DropReason::UnknownProtocol;
                self.drop_packet(&scope, carrier.frame, discard.reason, discard.detail);
                if unknown && packet.destination != self.wire.local && !broadcast {
                    self.refuse_protocol(packet, now);
                } else if unknown && !broadcast {
                    self.answer_with_error(carrier, packet.source, "protocol unreachable", now);
                }
            }
        }
    }

    fn on_tcp(&mut self, carrier: &Carrier<'_>, header: &TcpHeader<'_>, now: Instant) {
        let tuple = Tuple { local: header.destination, remote: header.source };
        if let Some(id) = self.flow_at(&tuple) {
            let (frame, bytes) = (carrier.frame, carrier.bytes);
            return self.with_flow(id, now, |flow, wire| {
                if let Some(station) = carrier.station {
                    flow.confirm_next_hop(wire, station, now);
                }
                flow.on_segment(wire, frame, bytes, header, now)
            });
        }
        if let Some(memory) = self.time_wait.get(&tuple) {
            match TimeWait::judge(memory, header) {
                Response::Reopen if self.listens_at(&tuple) || self.undecided.is_some() => {
                    self.reopen(&tuple, carrier.frame)
                }
                response => return self.in_time_wait(&tuple, carrier, header, response, now),
            }
        }
        let opens = header.flags.has(TcpFlags::SYN)
            && !header.flags.has(TcpFlags::ACK)
            && !header.flags.has(TcpFlags::RST);
        if opens && self.listens_at(&tuple) {
            return self.on_syn(carrier, header, tuple, now);
        }
        if opens && self.undecided.is_some() {
            return self.on_knock(carrier, header, tuple);
        }
        if self.on_segment_to_probe(carrier, header, now) {
            return;
        }
        if header.flags.has(TcpFlags::RST) {
            self.on_reset_of_knock(&tuple);
        }
        self.on_stray_segment(carrier, header, now);
    }

    fn listens_at(&self, tuple: &Tuple) -> bool {
        *tuple.local.ip() == self.wire.local && self.listeners.contains_key(&tuple.local.port())
    }

    /// A SYN for a listener (RFC 9293 3.10.7.2).
    fn on_syn(&mut self, carrier: &Carrier<'_>, header: &TcpHeader<'_>, tuple: Tuple, now: Instant) {
        let port = tuple.local.port();
        let Some(listener) = self.listeners.get_mut(&port) else { return };
        let scope = listener.scope.clone();
        match listener.admit() {
            Admission::Welcome => {}
            Admission::Full => {
                self.tell_stray(&scope, carrier.frame, header, SegmentReason::Open);
                let detail = format!("from {}", header.source);
                return self.drop_packet(&scope, carrier.frame, DropReason::BacklogFull, detail);
            }
            Admission::Instead(oldest) => self.evict(oldest, carrier.frame, now),
        }
        let decision = match self.wire.routes.lookup((*tuple.remote.ip()).into()) {
            Ok(decision) => decision,
            Err(no_route) => {
                return self.drop_packet(&scope, carrier.frame, DropReason::NoRoute, no_route.to_string());
            }
        };
        let id = self.next_flow();
        let scope = scope.enter(SpanKind::Connection { remote: tuple.remote_addr() });
        let flow = Flow::accept(&mut self.wire, id, tuple, Some(port), scope, &decision, now);
        self.index.insert(tuple, id);
        self.flows.insert(id, flow);
        if let Some(listener) = self.listeners.get_mut(&port) {
            listener.begin(id);
        }
        let (frame, bytes) = (carrier.frame, carrier.bytes);
        self.with_flow(id, now, |flow, wire| flow.on_segment(wire, frame, bytes, header, now));
        if !self.flows.contains_key(&id) {
            let detail = format!("a SYN from {} that opens nothing", header.source);
            self.drop_packet(&self.wire.scope.clone(), frame, DropReason::BadTcpHeader, detail);
        }
    }

    /// The oldest half-open connection gives way, without a word.
    fn evict(&mut self, oldest: FlowId, frame: FrameId, now: Instant) {
        let Some(flow) = self.flows.get(&oldest) else { return };
        let (scope, remote) = (flow.scope.clone(), flow.tuple.remote);
        let detail = format!("{remote} gave way");
        self.drop_packet(&scope, frame, DropReason::HalfOpenEvicted, detail);
        self.with_flow(oldest, now, |flow, wire| flow.give_up(wire, StateCause::SegmentReceived(frame), now));
    }

    /// RFC 9293 3.6.1, RFC 6191: a newer SYN takes the tuple over.
    fn reopen(&mut self, tuple: &Tuple, frame: FrameId) {
        if let Some(memory) = self.time_wait.forget(tuple) {
            let flow = memory.flow;
            memory.scope.record(|| Tcp::TimeWaitOver { flow, how: "gave way to a newer SYN".to_owned() });
            self.end_time_wait(&memory, StateCause::SegmentReceived(frame));
            self.wire.timers.set(Owner::TimeWait, self.time_wait.next_deadline());
        }
    }

    fn in_time_wait(
        &mut self,
        tuple: &Tuple,
        carrier: &Carrier<'_>,
        header: &TcpHeader<'_>,
        response: Response,
        now: Instant,
    ) {
        let Some(memory) = self.time_wait.get_mut(tuple) else { return };
        let (scope, last_ack, flow) = (memory.scope.clone(), memory.last_ack.clone(), memory.flow);
        let received = memory.history.received(header, now);
        let segment = memory.history.describe(carrier.frame, flow, Direction::In, header, received.reason);
        scope.record(|| Tcp::Segment(segment));
        self.drop_packet(&scope, carrier.frame, DropReason::TimeWait, format!("from {}", header.source));
        let (Response::SayAgain | Response::Reopen, Some(last_ack)) = (response, last_ack) else { return };
        let frame = self.wire.emit(&scope, last_ack.clone());
        let Some(memory) = self.time_wait.get(tuple) else { return };
        with_segment(&self.wire, &last_ack, |header| {
            let why = SegmentReason::Ack(AckReason::LastAckReplayed);
            let segment = memory.history.describe(frame, flow, Direction::Out, header, why);
            scope.record(|| Tcp::Segment(segment));
        });
        if header.flags.has(TcpFlags::FIN) {
            self.time_wait.restart(tuple, now + self.wire.tcp.time_wait);
            self.wire.timers.set(Owner::TimeWait, self.time_wait.next_deadline());
        }
    }

    /// A segment that belongs to nothing here: a RST answers it (RFC 9293 3.10.7.1).
    fn on_stray_segment(&mut self, carrier: &Carrier<'_>, header: &TcpHeader<'_>, now: Instant) {
        let scope = self.wire.scope.clone();
        self.tell_stray(&scope, carrier.frame, header, plain_reason(header));
        let detail = format!("{} -> {}", header.source, header.destination);
        // Whoever forges the sender's address would have this host reset others at his own pace.
        let answered = !header.flags.has(TcpFlags::RST);
        if answered && !carrier.from_self && !self.resets.take(now) {
            return self.drop_packet(&scope, carrier.frame, DropReason::ResetRateLimited, detail);
        }
        self.drop_packet(&scope, carrier.frame, DropReason::NoTcpSocket, detail);
        if *header.destination.ip() != self.wire.local {
            return self.reset_foreign(carrier.bytes, now);
        }
        for (frame, bytes) in self.answer(carrier, *header.source.ip(), now) {
            self.tell_sent(&scope, frame, &bytes, SegmentReason::Reset(ResetReason::NoSocket));
        }
    }

    fn on_udp(
        &mut self,
        carrier: &Carrier<'_>,
        packet: &Ipv4Packet<'_>,
        datagram: &UdpHeader<'_>,
        broadcast: bool,
        now: Instant,
    ) {
        let (source, destination) = (datagram.source, datagram.destination);
        let ours = broadcast || *destination.ip() == self.wire.local;
        if destination.port() == CLIENT_PORT
            && (ours || self.is_for_dhcp(packet))
            && self.on_dhcp(carrier.frame, datagram)
        {
            return;
        }
        let port = self.udp.get_mut(&destination.port()).filter(|_| ours);
        let scope = port.as_ref().map_or_else(|| self.wire.scope.clone(), |port| port.scope.clone());
        scope.record(|| Udp::Datagram {
            frame: carrier.frame,
            direction: Direction::In,
            local: destination.into(),
            remote: source.into(),
            length: datagram.payload.len(),
        });
        match port {
            Some(port) => match port.push(datagram.payload, source.into()) {
                Ok(()) => self.wire.wakers.append(&mut port.wakers),
                Err(reason) => self.drop_packet(&scope, carrier.frame, reason, format!("from {source}")),
            },
            None => self.on_stray_datagram(carrier, packet, datagram, broadcast, now),
        }
    }

    /// A datagram that no socket here wants.
    fn on_stray_datagram(
        &mut self,
        carrier: &Carrier<'_>,
        packet: &Ipv4Packet<'_>,
        datagram: &UdpHeader<'_>,
        broadcast: bool,
        now: Instant,
    ) {
        if self.on_datagram_to_probe(packet.ttl, datagram, now) {
            return;
        }
        if !broadcast && self.on_passing_datagram(carrier.frame, packet, datagram) {
            return;
        }
        let scope = self.wire.scope.clone();
        let detail = format!("{} -> {}", datagram.source, datagram.destination);
        let reason = if broadcast { DropReason::NobodyListens } else { DropReason::NoUdpSocket };
        self.drop_packet(&scope, carrier.frame, reason, detail);
        if packet.destination != self.wire.local && !broadcast {
            self.turn_packet_away(packet, Unreachable::Port, now);
        } else if !broadcast {
            self.answer_with_error(carrier, packet.source, "port unreachable", now);
        }
    }

    fn on_icmp(&mut self, carrier: &Carrier<'_>, packet: &Ipv4Packet<'_>, message: &[u8], now: Instant) {
        let scope = self.wire.scope.clone();
        let peer = packet.source.into();
        match parse_icmp(message) {
            Ok(IcmpMessage::EchoRequest { ident, seq, payload }) => {
                let (frame, direction, length) = (carrier.frame, Direction::In, payload.len());
                scope.record(|| Icmp::EchoRequest { frame, direction, peer, ident, seq, length });
                if packet.destination != self.wire.local {
                    if !self.on_passing_echo(frame, packet, (ident, seq), payload) {
                        self.turn_packet_away(packet, Unreachable::Host, now);
                    }
                    return;
                }
                if !carrier.from_self && !self.echo_replies.take(now) {
                    let detail = format!("{length} bytes from {peer}");
                    return self.drop_packet(&scope, frame, DropReason::EchoRateLimited, detail);
                }
                for (frame, _) in self.answer(carrier, packet.source, now) {
                    let direction = Direction::Out;
                    scope.record(|| Icmp::EchoReply { frame, direction, peer, ident, seq, rtt: None });
                }
            }
            Ok(IcmpMessage::EchoReply { ident, seq, payload }) => {
                let frame = carrier.frame;
                let asked = self.pings.get_mut(&ident);
                match asked.filter(|ping| ping.seq == seq && ping.destination == packet.source) {
                    Some(ping) => {
                        let rtt = now - ping.sent_at;
                        let (length, ttl) = (payload.len(), packet.ttl);
                        ping.outcome = Some(Ok(PingReply { from: peer, seq, length, ttl, rtt }));
                        ping.scope.record(|| Icmp::EchoReply {
                            frame,
                            direction: Direction::In,
                            peer,
                            ident,
                            seq,
                            rtt: Some(rtt),
                        });
                        self.wire.wakers.extend(ping.waker.take());
                    }
                    None => {
                        if self.on_echo_to_probe(frame, packet, (ident, seq), now) {
                            return;
                        }
                        let detail = format!("echo reply from {peer} that nobody waits for");
                        self.drop_packet(&scope, frame, DropReason::UnmatchedIcmp, detail);
                    }
                }
            }
            Ok(IcmpMessage::Error(error)) => self.on_icmp_error(carrier.frame, packet, &error, now),
            Ok(IcmpMessage::Other { kind, code }) => {
                let detail = format!("type {kind} code {code} from {peer}");
                self.drop_packet(&scope, carrier.frame, DropReason::UnmatchedIcmp, detail);
            }
            Err(discard) => self.drop_packet(&scope, carrier.frame, discard.reason, discard.detail),
        }
    }

    /// Lets the front interface answer, and sends what it says.
    pub(super) fn answer(
        &mut self,
        carrier: &Carrier<'_>,
        asker: Ipv4Addr,
        now: Instant,
    ) -> Vec<(FrameId, Vec<u8>)> {
        let scope = self.wire.scope.clone();
        let asker = carrier.station.map(|station| (asker, station));
        let answers = self.front.answer(&self.wire, asker, carrier.bytes, now);
        answers
            .into_iter()
            .filter(|bytes| !is_arp(self.wire.medium, bytes))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|bytes| (self.wire.emit_packet(&scope, bytes.clone()), bytes))
            .collect()
    }

    fn answer_with_error(&mut self, carrier: &Carrier<'_>, to: Ipv4Addr, what: &str, now: Instant) {
        if !self.icmp_errors.take(now) {
            let scope = self.wire.scope.clone();
            let detail = format!("{what}, to {to}");
            return self.drop_packet(&scope, carrier.frame, DropReason::IcmpRateLimited, detail);
        }
        for (frame, _) in self.answer(carrier, to, now) {
            self.wire.scope.record(|| Icmp::ErrorSent { frame, to, what: what.to_owned() });
        }
    }

    /// Tells of a segment received outside every living connection.
    pub(super) fn tell_stray(
        &self,
        scope: &Scope,
        frame: FrameId,
        header: &TcpHeader<'_>,
        why: SegmentReason,
    ) {
        scope.record(|| Tcp::Segment(plain_segment(frame, Direction::In, header, why)));
    }

    /// Tells of a segment sent outside every living connection.
    pub(super) fn tell_sent(&self, scope: &Scope, frame: FrameId, bytes: &[u8], why: SegmentReason) {
        with_segment(&self.wire, bytes, |header| {
            scope.record(|| Tcp::Segment(plain_segment(frame, Direction::Out, header, why)));
        });
    }
}

/// Reads a segment back out of a frame of this host's own.
pub(super) fn with_segment(wire: &Wire, bytes: &[u8], f: impl FnOnce(&TcpHeader<'_>)) {
    let (_, packet) = wire.split(bytes);
    let Ok(packet) = Ipv4Packet::parse(packet) else { return };
    if let Ok(Transport::Tcp(header)) = parse_transport(&packet) {
        f(&header);
    }
}

/// A segment without a history: relative numbers are unknown, the window unscaled.
pub(super) fn plain_segment(
    frame: FrameId,
    direction: Direction,
    header: &TcpHeader<'_>,
    why: SegmentReason,
) -> Segment {
    Segment {
        frame,
        flow: None,
        direction,
        source: header.source.into(),
        destination: header.destination.into(),
        seq: header.seq,
        relative_seq: 0,
        ack: header.ack,
        relative_ack: None,
        flags: header.flags,
        window: header.window.into(),
        payload: header.payload.len(),
        options: header.options.clone(),
        why,
    }
}

/// What a segment says of itself.
fn plain_reason(header: &TcpHeader<'_>) -> SegmentReason {
    let flags = header.flags;
    if flags.has(TcpFlags::RST) {
        SegmentReason::Reset(ResetReason::ByPeer)
    } else if flags.has(TcpFlags::SYN) && header.ack.is_some() {
        SegmentReason::OpenAnswer
    } else if flags.has(TcpFlags::SYN) {
        SegmentReason::Open
    } else if flags.has(TcpFlags::FIN) {
        SegmentReason::Fin { with_data: !header.payload.is_empty(), answers_fin: false }
    } else if header.payload.is_empty() {
        SegmentReason::Ack(AckReason::Data)
    } else {
        SegmentReason::NewData { acknowledges: false }
    }
}
