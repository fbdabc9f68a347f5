//! Datagrams and echo requests: UDP ports, pings, and the packets that they send.
//!
//! Neither has a state that an interface would have to keep, so they need none: the packet is
//! written with smoltcp's wire formats and goes out through the same [`Wire`] as everything else.

use super::core::Core;
use super::port::ETHERNET_HEADER;
use super::wire::Wire;
use crate::dhcp::CLIENT_PORT;
use crate::error::{BindError, PingError, UdpError};
use crate::ingress::protocol;
use crate::ping::{PingOptions, PingReply};
use crate::route::NoRoute;
use glasstack_journal::event::{Direction, DropReason, FrameId, Icmp, MacAddress, Medium, Udp};
use glasstack_journal::{Instant, Scope};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol,
    Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker};

/// The largest UDP payload in IPv4: 65535 less both headers.
pub(crate) const LARGEST_UDP: usize = 65_507;
/// Received bytes that a UDP port holds for its program.
const UDP_BUFFER: usize = 256 * 1024;
/// Received datagrams that a UDP port holds, however small.
const UDP_DATAGRAMS: usize = 1024;
/// ICMP errors that a UDP port holds for its program.
const UDP_ERRORS: usize = 16;
/// Destinations that a UDP port remembers.
const UDP_DESTINATIONS: usize = 64;
/// Length of an IPv4 header without options, in bytes.
const IPV4_HEADER: usize = 20;

/// A UDP port that somebody has.
pub(crate) struct UdpPort {
    pub(crate) scope: Scope,
    /// Every task that waits for a datagram.
    pub(crate) wakers: Vec<Waker>,
    /// Where the last datagrams went: an ICMP error about anything else is not believed.
    sent_to: VecDeque<SocketAddrV4>,
    received: VecDeque<(Vec<u8>, SocketAddr)>,
    bytes: usize,
    errors: VecDeque<UdpError>,
}

impl UdpPort {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            wakers: Vec::new(),
            sent_to: VecDeque::new(),
            received: VecDeque::new(),
            bytes: 0,
            errors: VecDeque::new(),
        }
    }

    fn note_sent(&mut self, to: SocketAddrV4) {
        if self.sent_to.back() == Some(&to) {
            return;
        }
        if self.sent_to.len() >= UDP_DESTINATIONS {
            self.sent_to.pop_front();
        }
        self.sent_to.push_back(to);
    }

    /// Whether a datagram has gone there lately.
    pub(crate) fn has_sent_to(&self, to: SocketAddrV4) -> bool {
        self.sent_to.contains(&to)
    }

    /// Keeps a datagram for the program, if there is room.
    pub(crate) fn push(&mut self, data: &[u8], from: SocketAddr) -> Result<(), DropReason> {
        if self.bytes + data.len() > UDP_BUFFER || self.received.len() >= UDP_DATAGRAMS {
            return Err(DropReason::UdpBufferFull);
        }
        self.bytes += data.len();
        self.received.push_back((data.to_vec(), from));
        Ok(())
    }

    /// Keeps an error for the program; the oldest gives way.
    pub(crate) fn push_error(&mut self, error: UdpError) {
        if self.errors.len() >= UDP_ERRORS {
            self.errors.pop_front();
        }
        self.errors.push_back(error);
    }

    /// The next datagram, or the next error.
    pub(crate) fn pop(&mut self) -> Option<Result<(Vec<u8>, SocketAddr), UdpError>> {
        if let Some(error) = self.errors.pop_front() {
            return Some(Err(error));
        }
        let (data, from) = self.received.pop_front()?;
        self.bytes -= data.len();
        Some(Ok((data, from)))
    }
}

/// An echo request that waits for its reply.
pub(crate) struct Ping {
    pub(crate) scope: Scope,
    pub(crate) destination: Ipv4Addr,
    pub(crate) seq: u16,
    pub(crate) sent_at: Instant,
    pub(crate) outcome: Option<Result<PingReply, PingError>>,
    pub(crate) waker: Option<Waker>,
}

/// A wait for ARP: what the failures were when it began.
pub(crate) struct ArpWait {
    next_hop: Ipv4Addr,
    failures: u64,
}

/// A ping under way.
pub(crate) struct PingCall {
    pub(crate) scope: Scope,
    pub(crate) destination: IpAddr,
    pub(crate) ident: Option<u16>,
    pub(crate) wait: Option<ArpWait>,
}

impl Core {
    pub(crate) fn bind_udp(&mut self, scope: &Scope, local: SocketAddr) -> Result<SocketAddr, BindError> {
        self.own_address(local.ip()).map_err(BindError::NotOurs)?;
        let port = match local.port() {
            0 => self
                .ephemeral_port(|core, port| {
                    !core.udp.contains_key(&port) && !core.probes.contains_key(&(protocol::UDP, port))
                })
                .ok_or(BindError::PortsExhausted)?,
            port if self.udp.contains_key(&port) || self.has_dhcp() && port == CLIENT_PORT => {
                return Err(BindError::InUse(port));
            }
            port => port,
        };
        self.udp.insert(port, UdpPort::new(scope.clone()));
        let local = SocketAddr::new(self.wire.local.into(), port);
        scope.record(|| Udp::Bound { local });
        Ok(local)
    }

    pub(crate) fn unbind_udp(&mut self, port: u16) {
        self.udp.remove(&port);
    }

    /// Sends a datagram once the next hop's address is known. `wait` remembers, between polls, that
    /// this sender has begun to wait.
    pub(crate) fn poll_send_udp(
        &mut self,
        port: u16,
        data: &[u8],
        to: SocketAddr,
        wait: &mut Option<ArpWait>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Result<(), UdpError>> {
        let Some(scope) = self.udp.get(&port).map(|socket| socket.scope.clone()) else {
            return Poll::Pending;
        };
        if data.len() > LARGEST_UDP {
            return Poll::Ready(Err(UdpError::TooLong(data.len())));
        }
        let SocketAddr::V4(remote) = to else {
            return Poll::Ready(Err(NoRoute::Ipv6 { destination: to.ip() }.into()));
        };
        if remote.port() == 0 {
            return Poll::Ready(Err(UdpError::PortZero));
        }
        let next_hop = match self.begin_wait(&scope, to.ip(), wait) {
            Ok(next_hop) => next_hop,
            Err(no_route) => return Poll::Ready(Err(no_route.into())),
        };
        let mac = match self.poll_next_hop(&scope, next_hop, wait, cx, now) {
            Poll::Ready(Some(mac)) => mac,
            Poll::Ready(None) => {
                return Poll::Ready(Err(UdpError::NoArpReply { next_hop: next_hop.into() }));
            }
            Poll::Pending => return Poll::Pending,
        };
        let local = SocketAddrV4::new(self.wire.local, port);
        let frame = send_udp(&mut self.wire, &scope, mac, local, remote, data);
        if let Some(socket) = self.udp.get_mut(&port) {
            socket.note_sent(remote);
        }
        scope.record(|| Udp::Datagram {
            frame,
            direction: Direction::Out,
            local: local.into(),
            remote: to,
            length: data.len(),
        });
        Poll::Ready(Ok(()))
    }

    pub(crate) fn poll_recv_udp(
        &mut self,
        port: u16,
        cx: &Context<'_>,
    ) -> Poll<Result<(Vec<u8>, SocketAddr), UdpError>> {
        let Some(socket) = self.udp.get_mut(&port) else { return Poll::Pending };
        match socket.pop() {
            Some(result) => Poll::Ready(result),
            None => {
                if !socket.wakers.iter().any(|known| known.will_wake(cx.waker())) {
                    socket.wakers.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// Sends an echo request once the next hop is known, and waits for the reply.
    pub(crate) fn poll_ping(
        &mut self,
        call: &mut PingCall,
        options: &PingOptions,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Result<PingReply, PingError>> {
        let IpAddr::V4(destination) = call.destination else {
            return Poll::Ready(Err(NoRoute::Ipv6 { destination: call.destination }.into()));
        };
        if let Some(ping) = call.ident.and_then(|ident| self.pings.get_mut(&ident)) {
            if let Some(outcome) = ping.outcome.take() {
                return Poll::Ready(outcome);
            }
            ping.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let scope = call.scope.clone();
        let next_hop = match self.begin_wait(&scope, call.destination, &mut call.wait) {
            Ok(next_hop) => next_hop,
            Err(no_route) => return Poll::Ready(Err(no_route.into())),
        };
        let mac = match self.poll_next_hop(&scope, next_hop, &call.wait, cx, now) {
            Poll::Ready(Some(mac)) => mac,
            Poll::Ready(None) => {
                return Poll::Ready(Err(PingError::NoArpReply { next_hop: next_hop.into() }));
            }
            Poll::Pending => return Poll::Pending,
        };
        let Some(ident) = self.free_ident() else {
            return Poll::Ready(Err(PingError::TooMany));
        };
        let data: Vec<u8> = (0..=u8::MAX).cycle().take(options.length).collect();
        let seq = options.seq;
        let frame = send_echo(&mut self.wire, &scope, mac, destination, options.ttl, (ident, seq), &data);
        scope.record(|| Icmp::EchoRequest {
            frame,
            direction: Direction::Out,
            peer: call.destination,
            ident,
            seq,
            length: data.len(),
        });
        let waker = Some(cx.waker().clone());
        self.pings.insert(ident, Ping { scope, destination, seq, sent_at: now, outcome: None, waker });
        call.ident = Some(ident);
        Poll::Pending
    }

    pub(crate) fn forget_ping(&mut self, ident: u16) {
        self.pings.remove(&ident);
    }

    /// An identifier that no ping or probe has.
    pub(super) fn free_ident(&self) -> Option<u16> {
        let first = self.wire.entropy.u16();
        (0..=u16::MAX).map(|n| first.wrapping_add(n)).find(|ident| {
            !self.pings.contains_key(ident) && !self.probes.contains_key(&(protocol::ICMP, *ident))
        })
    }

    /// The next hop towards `destination`; asked of the table, and told, once a wait.
    pub(super) fn begin_wait(
        &self,
        scope: &Scope,
        destination: IpAddr,
        wait: &mut Option<ArpWait>,
    ) -> Result<Ipv4Addr, NoRoute> {
        if let Some(wait) = wait {
            return Ok(wait.next_hop);
        }
        match self.route(scope, destination)?.next_hop {
            IpAddr::V4(next_hop) => {
                let failures = self.wire.neighbours.failures(next_hop);
                *wait = Some(ArpWait { next_hop, failures });
                Ok(next_hop)
            }
            IpAddr::V6(_) => Err(NoRoute::Ipv6 { destination }),
        }
    }

    /// The next hop's MAC address; none once it has failed to answer.
    pub(super) fn poll_next_hop(
        &mut self,
        scope: &Scope,
        next_hop: Ipv4Addr,
        wait: &Option<ArpWait>,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Option<MacAddress>> {
        if self.wire.medium == Medium::Ip {
            return Poll::Ready(Some(MacAddress::BROADCAST));
        }
        let failed = |wait: &ArpWait| self.wire.neighbours.failures(next_hop) > wait.failures;
        if wait.as_ref().is_some_and(failed) {
            return Poll::Ready(None);
        }
        match self.wire.resolve(scope, next_hop, None, now) {
            Some(mac) => Poll::Ready(Some(mac)),
            None => {
                self.wire.neighbours.wait(next_hop, cx.waker());
                Poll::Pending
            }
        }
    }
}

/// Sends a datagram to `to`, whose next hop is at `mac`.
pub(super) fn send_udp(
    wire: &mut Wire,
    scope: &Scope,
    mac: MacAddress,
    from: SocketAddrV4,
    to: SocketAddrV4,
    data: &[u8],
) -> FrameId {
    let udp = UdpRepr { src_port: from.port(), dst_port: to.port() };
    let length = udp.header_len() + data.len();
    let frame = packet(wire, mac, (*from.ip(), *to.ip()), IpProtocol::Udp, 64, length, |payload| {
        let (source, destination) = (IpAddress::Ipv4(*from.ip()), IpAddress::Ipv4(*to.ip()));
        let checksums = ChecksumCapabilities::default();
        udp.emit(
            &mut UdpPacket::new_unchecked(payload),
            &source,
            &destination,
            data.len(),
            |room| room.copy_from_slice(data),
            &checksums,
        );
    });
    wire.emit_packet(scope, frame)
}

/// Sends an echo request (RFC 792) to `to`, whose next hop is at `mac`.
pub(crate) fn send_echo(
    wire: &mut Wire,
    scope: &Scope,
    mac: MacAddress,
    to: Ipv4Addr,
    ttl: u8,
    (ident, seq): (u16, u16),
    data: &[u8],
) -> FrameId {
    let echo = Icmpv4Repr::EchoRequest { ident, seq_no: seq, data };
    let addresses = (wire.local, to);
    let frame = packet(wire, mac, addresses, IpProtocol::Icmp, ttl, echo.buffer_len(), |payload| {
        echo.emit(&mut Icmpv4Packet::new_unchecked(payload), &ChecksumCapabilities::default());
    });
    wire.emit_packet(scope, frame)
}

/// A frame around an IPv4 packet around what `emit` writes. Datagrams may be fragmented on their
/// way, so DF is clear and the identification unpredictable (RFC 6864 4.2, RFC 7739).
pub(super) fn packet(
    wire: &Wire,
    mac: MacAddress,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    protocol: IpProtocol,
    ttl: u8,
    length: usize,
    emit: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let link_header = if wire.medium == Medium::Ethernet { ETHERNET_HEADER } else { 0 };
    let mut bytes = vec![0; link_header + IPV4_HEADER + length];
    if wire.medium == Medium::Ethernet {
        let mut frame = EthernetFrame::new_unchecked(&mut bytes);
        frame.set_src_addr(EthernetAddress(wire.mac.0));
        frame.set_dst_addr(EthernetAddress(mac.0));
        frame.set_ethertype(EthernetProtocol::Ipv4);
    }
    let (_, room) = bytes.split_at_mut(link_header);
    let header = Ipv4Repr {
        src_addr: source,
        dst_addr: destination,
        next_header: protocol,
        payload_len: length,
        hop_limit: ttl,
    };
    let mut ip = Ipv4Packet::new_unchecked(room);
    header.emit(&mut ip, &ChecksumCapabilities::ignored());
    ip.set_dont_frag(false);
    ip.set_ident(wire.entropy.u16());
    ip.fill_checksum();
    emit(ip.payload_mut());
    bytes
}
