//! What passes a transparent host: kept until its gateway has decided, and answered in the name of
//! whom it was for.

use super::core::Core;
use super::datagram::{ArpWait, packet, send_udp};
use super::demux::{Carrier, plain_segment, with_segment};
use super::flow::Flow;
use super::tuple::Tuple;
use crate::checksum::checksum;
use crate::error::{ConnectError, UdpError};
use crate::icmp_error::{DESTINATION_UNREACHABLE, is_icmp_error};
use crate::ingress::{Ipv4Packet, TcpHeader, Transport, UdpHeader, parse_transport, protocol};
use crate::route::NoRoute;
use crate::transit::{PassingDatagram, PassingEcho, TransitError, Unreachable};
use glasstack_journal::event::{
    Direction, DropReason, FlowId, FrameId, Icmp, MacAddress, ResetReason, SegmentReason, TcpFlags, Udp,
};
use glasstack_journal::{Instant, Scope, SpanKind};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, TcpControl, TcpPacket, TcpRepr, TcpSeqNumber,
};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker};

/// Datagrams and echo requests that wait for the gateway.
const WAITING: usize = 1024;
/// Their bytes.
const WAITING_BYTES: usize = 1 << 20;
/// RFC 1812 4.3.2.3: an error quotes as much as fits into 576 bytes.
const LONGEST_QUOTE: usize = 576 - 20 - 8;

/// What a gateway has not decided yet.
#[derive(Default)]
pub(crate) struct Undecided {
    queue: VecDeque<Passed>,
    /// Bytes of datagrams and echo requests in the queue, and how many they are.
    waiting: (usize, usize),
    knocks: BTreeMap<Tuple, PendingSyn>,
    waker: Option<Waker>,
}

/// Something for the gateway.
pub(crate) enum Passed {
    Knock(Knocking),
    Datagram(PassingDatagram),
    Echo(PassingEcho),
}

/// Who knocks. The frame of the first SYN tells one attempt from the next between the same ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Knocking {
    pub(crate) tuple: Tuple,
    first: FrameId,
}

/// The SYN of a connection that nobody has answered yet, in its frame.
struct PendingSyn {
    /// The frame that the attempt began with.
    first: FrameId,
    frame: FrameId,
    bytes: Vec<u8>,
    seq: u32,
}

impl Undecided {
    fn has_room(&self, length: usize) -> bool {
        let (bytes, count) = self.waiting;
        count < WAITING && bytes + length <= WAITING_BYTES
    }

    fn push(&mut self, passed: Passed) -> Option<Waker> {
        if let Some(length) = passed.length() {
            self.waiting = (self.waiting.0 + length, self.waiting.1 + 1);
        }
        self.queue.push_back(passed);
        self.waker.take()
    }

    fn pop(&mut self) -> Option<Passed> {
        let passed = self.queue.pop_front()?;
        if let Some(length) = passed.length() {
            self.waiting = (self.waiting.0 - length, self.waiting.1 - 1);
        }
        Some(passed)
    }

    fn is_pending(&self, knock: &Knocking) -> bool {
        self.knocks.get(&knock.tuple).is_some_and(|pending| pending.first == knock.first)
    }
}

impl Passed {
    /// Of what is bounded by its size; a knock is bounded by the number of those pending.
    fn length(&self) -> Option<usize> {
        match self {
            Self::Knock(_) => None,
            Self::Datagram(datagram) => Some(datagram.payload.len()),
            Self::Echo(echo) => Some(echo.payload.len()),
        }
    }
}

impl Core {
    pub(crate) fn begin_transit(&mut self) -> Result<(), TransitError> {
        match &self.undecided {
            _ if !self.wire.transparent => Err(TransitError::NotTransparent),
            Some(_) => Err(TransitError::Taken),
            None => {
                self.undecided = Some(Undecided::default());
                Ok(())
            }
        }
    }

    pub(crate) fn end_transit(&mut self) {
        self.undecided = None;
    }

    pub(crate) fn poll_passing(&mut self, cx: &Context<'_>) -> Poll<Passed> {
        let Some(undecided) = &mut self.undecided else { return Poll::Pending };
        while let Some(passed) = undecided.pop() {
            // Whoever has reset its attempt meanwhile wants no decision any more.
            match &passed {
                Passed::Knock(knock) if !undecided.is_pending(knock) => {}
                _ => return Poll::Ready(passed),
            }
        }
        undecided.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    // ---- what comes from the wire

    /// Whether a packet for `destination`, which is not this host's address, is taken all the same.
    pub(super) fn takes_foreign(&self, destination: Ipv4Addr) -> bool {
        self.wire.transparent && !destination.is_multicast() && !destination.is_unspecified()
    }

    /// A SYN that none of this host's listeners wants.
    pub(super) fn on_knock(&mut self, carrier: &Carrier<'_>, header: &TcpHeader<'_>, tuple: Tuple) {
        let scope = self.wire.scope.clone();
        let limit = self.wire.tcp.half_open;
        let Some(undecided) = &mut self.undecided else { return };
        let frame = carrier.frame;
        let syn = PendingSyn { first: frame, frame, bytes: carrier.bytes.to_vec(), seq: header.seq };
        let is_full = undecided.knocks.len() >= limit;
        let refusal = match undecided.knocks.get_mut(&tuple) {
            Some(pending) => {
                // Another sequence number is another attempt, and takes the first one's place.
                if pending.seq != header.seq {
                    *pending = PendingSyn { first: pending.first, ..syn };
                }
                Some(DropReason::KnockPending)
            }
            None if is_full => Some(DropReason::TransitFull),
            None => {
                undecided.knocks.insert(tuple, syn);
                let knock = Knocking { tuple, first: frame };
                self.wire.wakers.extend(undecided.push(Passed::Knock(knock)));
                None
            }
        };
        if let Some(reason) = refusal {
            self.tell_stray(&scope, carrier.frame, header, SegmentReason::Open);
            self.drop_packet(&scope, carrier.frame, reason, format!("{} -> {}", tuple.remote, tuple.local));
        }
    }

    /// The caller takes its SYN back.
    pub(super) fn on_reset_of_knock(&mut self, tuple: &Tuple) {
        if let Some(undecided) = &mut self.undecided
            && undecided.knocks.remove(tuple).is_some()
        {
            // Else whoever knocks and takes it back could fill the queue.
            undecided.queue.retain(|passed| !matches!(passed, Passed::Knock(knock) if knock.tuple == *tuple));
        }
    }

    /// A datagram that none of this host's sockets wants. False: nobody takes it.
    pub(super) fn on_passing_datagram(
        &mut self,
        frame: FrameId,
        packet: &Ipv4Packet<'_>,
        datagram: &UdpHeader<'_>,
    ) -> bool {
        self.on_passing(frame, datagram.source, datagram.payload, |payload| {
            Passed::Datagram(PassingDatagram {
                from: datagram.source.into(),
                to: datagram.destination.into(),
                payload,
                ttl: packet.ttl,
                quote: quote(packet),
            })
        })
    }

    /// An echo request for somebody else. False: nobody takes it.
    pub(super) fn on_passing_echo(
        &mut self,
        frame: FrameId,
        packet: &Ipv4Packet<'_>,
        (ident, seq): (u16, u16),
        payload: &[u8],
    ) -> bool {
        self.on_passing(frame, packet.source, payload, |payload| {
            Passed::Echo(PassingEcho {
                from: packet.source.into(),
                to: packet.destination.into(),
                ident,
                seq,
                payload,
                ttl: packet.ttl,
                quote: quote(packet),
            })
        })
    }

    /// Something for the gateway, which is lost if too much waits already. False: there is none.
    fn on_passing(
        &mut self,
        frame: FrameId,
        from: impl Display,
        payload: &[u8],
        make: impl FnOnce(Vec<u8>) -> Passed,
    ) -> bool {
        let Some(undecided) = &mut self.undecided else { return false };
        if undecided.has_room(payload.len()) {
            self.wire.wakers.extend(undecided.push(make(payload.to_vec())));
        } else {
            let scope = self.wire.scope.clone();
            self.drop_packet(&scope, frame, DropReason::TransitFull, format!("from {from}"));
        }
        true
    }

    // ---- what the gateway decides

    /// Answers a pending SYN: the connection begins.
    pub(crate) fn accept_knock(
        &mut self,
        scope: &Scope,
        knock: &Knocking,
        now: Instant,
    ) -> Result<(FlowId, Scope), ConnectError> {
        let tuple = &knock.tuple;
        let given_up = ConnectError::GivenUp { peer: tuple.remote_addr() };
        let syn = self.take_knock(knock).ok_or_else(|| given_up.clone())?;
        // The gateway itself may have called the caller from there meanwhile.
        if self.flow_at(tuple).is_some() {
            return Err(given_up);
        }
        let decision = self.wire.routes.lookup(tuple.remote_addr().ip())?;
        let id = self.next_flow();
        let scope = scope.enter(SpanKind::Connection { remote: tuple.remote_addr() });
        let flow = Flow::accept(&mut self.wire, id, *tuple, None, scope.clone(), &decision, now);
        self.index.insert(*tuple, id);
        self.flows.insert(id, flow);
        self.with_flow(id, now, |flow, wire| {
            let (_, packet) = wire.split(&syn.bytes);
            match Ipv4Packet::parse(packet).and_then(|packet| TcpHeader::read(&packet)) {
                Ok(header) => flow.on_segment(wire, syn.frame, &syn.bytes, &header, now),
                // It has been read once.
                Err(_) => super::flow::Fate::Over,
            }
        });
        if self.flows.get(&id).is_some_and(|flow| flow.engine.is_some()) {
            return Ok((id, scope));
        }
        self.flows.remove(&id);
        Err(given_up)
    }

    /// Answers a pending SYN with a reset.
    pub(crate) fn refuse_knock(&mut self, knock: &Knocking, now: Instant) {
        let Some(syn) = self.take_knock(knock) else { return };
        self.tell_pending(&syn, DropReason::NoTcpSocket);
        self.reset_foreign(&syn.bytes, now);
    }

    /// Answers a pending SYN with an ICMP error.
    pub(crate) fn turn_knock_away(&mut self, knock: &Knocking, why: Unreachable, now: Instant) {
        let Some(syn) = self.take_knock(knock) else { return };
        self.tell_pending(&syn, DropReason::Unreachable);
        let (_, packet) = self.wire.split(&syn.bytes);
        self.turn_away(knock.tuple.remote_addr().ip(), packet, why, now);
    }

    pub(crate) fn forget_knock(&mut self, knock: &Knocking) {
        if let Some(syn) = self.take_knock(knock) {
            self.tell_pending(&syn, DropReason::Unreachable);
        }
    }

    /// None once the caller has taken it back, though he may have knocked again since.
    fn take_knock(&mut self, knock: &Knocking) -> Option<PendingSyn> {
        let undecided = self.undecided.as_mut().filter(|undecided| undecided.is_pending(knock))?;
        undecided.knocks.remove(&knock.tuple)
    }

    /// Tells of a SYN that has opened nothing, now that this is known.
    fn tell_pending(&mut self, syn: &PendingSyn, reason: DropReason) {
        let scope = self.wire.scope.clone();
        with_segment(&self.wire, &syn.bytes, |header| {
            scope.record(|| {
                glasstack_journal::event::Tcp::Segment(plain_segment(
                    syn.frame,
                    Direction::In,
                    header,
                    SegmentReason::Open,
                ))
            });
        });
        self.drop_packet(&scope, syn.frame, reason, String::new());
    }

    /// Answers the segment in `frame`, which is for another address than this host's, with a reset
    /// from there (RFC 9293 3.10.7.1). A reset is never answered.
    pub(super) fn reset_foreign(&mut self, frame: &[u8], now: Instant) {
        let (_, bytes) = self.wire.split(frame);
        let Ok(ip) = Ipv4Packet::parse(bytes) else { return };
        let Ok(Transport::Tcp(header)) = parse_transport(&ip) else { return };
        if header.flags.has(TcpFlags::RST) {
            return;
        }
        let length = header.payload.len()
            + usize::from(header.flags.has(TcpFlags::SYN))
            + usize::from(header.flags.has(TcpFlags::FIN));
        #[allow(clippy::cast_possible_truncation, reason = "a segment is shorter than 64 KiB")]
        let beyond = header.seq.wrapping_add(length as u32);
        #[allow(clippy::cast_possible_wrap, reason = "smoltcp writes sequence numbers as signed ones")]
        let number = |n: u32| TcpSeqNumber(n as i32);
        let (seq, ack) = match header.ack {
            Some(ack) => (number(ack), None),
            None => (number(0), Some(number(beyond))),
        };
        let reset = TcpRepr {
            src_port: header.destination.port(),
            dst_port: header.source.port(),
            control: TcpControl::Rst,
            seq_number: seq,
            ack_number: ack,
            window_len: 0,
            window_scale: None,
            max_seg_size: None,
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload: &[],
        };
        let (from, to) = (*header.destination.ip(), *header.source.ip());
        let Some(mac) = self.station_of(to, now) else { return };
        let answer = packet(&self.wire, mac, (from, to), IpProtocol::Tcp, 64, reset.buffer_len(), |room| {
            let (source, destination) = (IpAddress::Ipv4(from), IpAddress::Ipv4(to));
            let checksums = ChecksumCapabilities::default();
            reset.emit(&mut TcpPacket::new_unchecked(room), &source, &destination, &checksums);
        });
        let scope = self.wire.scope.clone();
        let number = self.wire.emit_packet(&scope, answer.clone());
        self.tell_sent(&scope, number, &answer, SegmentReason::Reset(ResetReason::NoSocket));
    }

    /// Tells `to`, from this host's own address, that the packet that begins with `quote` goes no
    /// further.
    pub(crate) fn turn_away(&mut self, to: IpAddr, quote: &[u8], why: Unreachable, now: Instant) {
        self.send_icmp_error(to, quote, why.type_and_code(), &why.to_string(), now);
    }

    /// RFC 792, RFC 1812 4.3.2.
    pub(super) fn send_icmp_error(
        &mut self,
        to: IpAddr,
        quote: &[u8],
        (kind, code): (u8, u8),
        what: &str,
        now: Instant,
    ) {
        let IpAddr::V4(to) = to else { return };
        if !self.icmp_errors.take(now) {
            let scope = self.wire.scope.clone();
            return self.wire.discard(&scope, None, DropReason::IcmpRateLimited, format!("{what}, to {to}"));
        }
        let Some(mac) = self.station_of(to, now) else { return };
        let quote = quote.get(..LONGEST_QUOTE).unwrap_or(quote);
        let mut message = [&[kind, code, 0, 0, 0, 0, 0, 0], quote].concat();
        let [high, low] = checksum(&[&message]).to_be_bytes();
        if let Some([_, _, a, b, ..]) = message.first_chunk_mut::<8>() {
            (*a, *b) = (high, low);
        }
        let addresses = (self.wire.local, to);
        let frame = packet(&self.wire, mac, addresses, IpProtocol::Icmp, 64, message.len(), |room| {
            room.copy_from_slice(&message);
        });
        let scope = self.wire.scope.clone();
        let frame = self.wire.emit_packet(&scope, frame);
        scope.record(|| Icmp::ErrorSent { frame, to, what: what.to_owned() });
    }

    /// The gateway cannot be asked: the protocol means nothing to it (RFC 1122 3.2.2.1).
    pub(super) fn refuse_protocol(&mut self, packet: &Ipv4Packet<'_>, now: Instant) {
        let kind = (DESTINATION_UNREACHABLE, 2);
        self.send_icmp_error(packet.source.into(), &quote(packet), kind, "protocol unreachable", now);
    }

    /// Tells the sender of `packet` why it goes no further. RFC 1122 3.2.2: never about an ICMP
    /// error, nor about a fragment that is not the first.
    pub(super) fn turn_packet_away(&mut self, packet: &Ipv4Packet<'_>, why: Unreachable, now: Instant) {
        let is_error = packet.protocol == protocol::ICMP && is_icmp_error(packet.payload);
        if packet.fragment_offset > 0 || is_error {
            return;
        }
        self.turn_away(packet.source.into(), &quote(packet), why, now);
    }

    /// Answers an echo request in the name of whom it was for.
    pub(crate) fn reply_echo(&mut self, echo: &PassingEcho, now: Instant) {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (echo.to, echo.from) else { return };
        let Some(mac) = self.station_of(to, now) else { return };
        let (ident, seq) = (echo.ident, echo.seq);
        let reply = Icmpv4Repr::EchoReply { ident, seq_no: seq, data: &echo.payload };
        let answer = packet(&self.wire, mac, (from, to), IpProtocol::Icmp, 64, reply.buffer_len(), |room| {
            reply.emit(&mut Icmpv4Packet::new_unchecked(room), &ChecksumCapabilities::default());
        });
        let scope = self.wire.scope.clone();
        let frame = self.wire.emit_packet(&scope, answer);
        let (direction, peer) = (Direction::Out, echo.from);
        scope.record(|| Icmp::EchoReply { frame, direction, peer, ident, seq, rtt: None });
    }

    /// Sends a datagram in the name of `from` once the next hop's address is known.
    pub(crate) fn poll_send_passing(
        &mut self,
        scope: &Scope,
        (from, to): (SocketAddr, SocketAddr),
        data: &[u8],
        wait: &mut Option<ArpWait>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Result<(), UdpError>> {
        let (SocketAddr::V4(source), SocketAddr::V4(destination)) = (from, to) else {
            return Poll::Ready(Err(NoRoute::Ipv6 { destination: to.ip() }.into()));
        };
        if data.len() > super::datagram::LARGEST_UDP {
            return Poll::Ready(Err(UdpError::TooLong(data.len())));
        }
        let mac = match self.poll_station(scope, destination, wait, cx, now) {
            Poll::Ready(Ok(mac)) => mac,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        };
        let frame = send_udp(&mut self.wire, scope, mac, source, destination, data);
        scope.record(|| Udp::Datagram {
            frame,
            direction: Direction::Out,
            local: from,
            remote: to,
            length: data.len(),
        });
        Poll::Ready(Ok(()))
    }

    fn poll_station(
        &mut self,
        scope: &Scope,
        destination: SocketAddrV4,
        wait: &mut Option<ArpWait>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Result<MacAddress, UdpError>> {
        if destination.ip().is_broadcast() {
            return Poll::Ready(Ok(MacAddress::BROADCAST));
        }
        if destination.port() == 0 {
            return Poll::Ready(Err(UdpError::PortZero));
        }
        let next_hop = match self.begin_wait(scope, IpAddr::V4(*destination.ip()), wait) {
            Ok(next_hop) => next_hop,
            Err(no_route) => return Poll::Ready(Err(no_route.into())),
        };
        self.poll_next_hop(scope, next_hop, wait, cx, now)
            .map(|mac| mac.ok_or(UdpError::NoArpReply { next_hop: next_hop.into() }))
    }

    /// The station on the way to `to`, if it is known: whoever has just sent something is. If it is
    /// not, it is asked for, and this once nothing is said.
    fn station_of(&mut self, to: Ipv4Addr, now: Instant) -> Option<MacAddress> {
        if self.wire.medium == glasstack_journal::event::Medium::Ip {
            return Some(MacAddress::BROADCAST);
        }
        let scope = self.wire.scope.clone();
        let IpAddr::V4(next_hop) = self.wire.routes.lookup(to.into()).ok()?.next_hop else { return None };
        self.wire.resolve(&scope, next_hop, None, now)
    }
}

/// The beginning of a packet, for an error to quote.
fn quote(packet: &Ipv4Packet<'_>) -> Vec<u8> {
    packet.bytes.get(..LONGEST_QUOTE).unwrap_or(packet.bytes).to_vec()
}
