//! Probes under way, and what comes back for them.

use super::core::Core;
use super::datagram::{ArpWait, packet};
use super::demux::Carrier;
use super::port::ETHERNET_HEADER;
use super::tuple::Tuple;
use super::wire::Wire;
use crate::error::ProbeError;
use crate::icmp_error::{IcmpError, IcmpErrorKind, Quote};
use crate::ingress::{Ipv4Packet as ReceivedPacket, TcpHeader, UdpHeader, protocol};
use crate::probe::{ProbeAnswer, ProbeKind, ProbeOptions, ProbeReply, Unreachability};
use crate::route::NoRoute;
use glasstack_journal::event::{
    Direction, FrameId, Icmp, MacAddress, Medium, ResetReason, SegmentReason, TcpFlags, Udp,
};
use glasstack_journal::{Instant, Scope};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, Ipv4Packet, TcpControl, TcpPacket, TcpRepr,
    TcpSeqNumber, UdpPacket, UdpRepr,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll, Waker};

/// The IP header and that of UDP or of an echo request, in bytes.
const HEADERS: usize = 28;
/// The IP header alone.
const IPV4_HEADER: usize = 20;

/// By what a probe is known: its protocol, and the port or identifier that is its own.
pub(crate) type ProbeKey = (u8, u16);

/// A probe that waits for its answer.
pub(crate) struct Probe {
    scope: Scope,
    remote: SocketAddrV4,
    /// A SYN's sequence number.
    seq: u32,
    sent_at: Instant,
    outcome: Option<Result<ProbeReply, ProbeError>>,
    waker: Option<Waker>,
}

/// What a program has begun.
pub(crate) struct ProbeCall {
    scope: Scope,
    destination: IpAddr,
    wait: Option<ArpWait>,
    /// Once it is sent.
    pub(crate) key: Option<ProbeKey>,
}

impl ProbeCall {
    pub(crate) fn new(scope: Scope, destination: IpAddr) -> Self {
        Self { scope, destination, wait: None, key: None }
    }
}

impl Probe {
    /// Whether an error that quotes this is about the probe.
    fn is_quoted(&self, key: ProbeKey, quote: &Quote) -> bool {
        let same = match key.0 {
            protocol::ICMP => quote.echo == Some((key.1, self.remote.port())),
            protocol::TCP => quote.tcp_seq == Some(self.seq) && quote.destination_port == self.remote.port(),
            _ => quote.destination_port == self.remote.port(),
        };
        same && quote.destination == *self.remote.ip()
    }
}

impl Core {
    /// Sends a probe once the next hop is known, and waits for the answer.
    pub(crate) fn poll_probe(
        &mut self,
        call: &mut ProbeCall,
        options: &ProbeOptions,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Result<ProbeReply, ProbeError>> {
        if let Some(probe) = call.key.and_then(|key| self.probes.get_mut(&key)) {
            if let Some(outcome) = probe.outcome.take() {
                return Poll::Ready(outcome);
            }
            probe.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let IpAddr::V4(destination) = call.destination else {
            return Poll::Ready(Err(NoRoute::Ipv6 { destination: call.destination }.into()));
        };
        let scope = call.scope.clone();
        let next_hop = match self.begin_wait(&scope, call.destination, &mut call.wait) {
            Ok(next_hop) => next_hop,
            Err(no_route) => return Poll::Ready(Err(no_route.into())),
        };
        let mac = match self.poll_next_hop(&scope, next_hop, &call.wait, cx, now) {
            Poll::Ready(Some(mac)) => mac,
            Poll::Ready(None) => {
                return Poll::Ready(Err(ProbeError::NoArpReply { next_hop: next_hop.into() }));
            }
            Poll::Pending => return Poll::Pending,
        };
        let mtu = self.wire.mtu;
        if options.dont_fragment && usize::from(options.length) > mtu {
            return Poll::Ready(Err(ProbeError::TooLarge { length: options.length, mtu }));
        }
        let remote = SocketAddrV4::new(destination, options.port);
        let Some(key) = self.free_probe_key(options.kind, remote) else {
            return Poll::Ready(Err(ProbeError::TooMany));
        };
        let seq = self.wire.entropy.u32();
        self.send_probe(&scope, mac, key, remote, seq, options);
        let waker = Some(cx.waker().clone());
        self.probes.insert(key, Probe { scope, remote, seq, sent_at: now, outcome: None, waker });
        call.key = Some(key);
        Poll::Pending
    }

    pub(crate) fn forget_probe(&mut self, key: ProbeKey) {
        self.probes.remove(&key);
    }

    /// The address that the probes were sent from is this host's no longer.
    pub(super) fn fail_probes(&mut self, address: Ipv4Addr) {
        for probe in self.probes.values_mut().filter(|probe| probe.outcome.is_none()) {
            let destination = (*probe.remote.ip()).into();
            probe.outcome = Some(Err(ProbeError::AddressLost { destination, address: address.into() }));
            self.wire.wakers.extend(probe.waker.take());
        }
    }

    /// Whether an ICMP error is about a probe: by the packet that it quotes.
    pub(super) fn is_about_probe(&self, quote: &Quote) -> bool {
        self.probes.get(&key_of(quote)).is_some_and(|probe| probe.is_quoted(key_of(quote), quote))
    }

    /// The probe is told, and its scope returned.
    pub(super) fn on_error_about_probe(
        &mut self,
        packet: &ReceivedPacket<'_>,
        error: &IcmpError,
        now: Instant,
    ) -> Option<Scope> {
        let key = key_of(&error.quote);
        self.answer_probe(key, packet.source.into(), packet.ttl, answer_of(error.kind), now);
        self.probes.get(&key).map(|probe| probe.scope.clone())
    }

    /// Whether an echo reply is a probe's.
    pub(super) fn on_echo_to_probe(
        &mut self,
        frame: FrameId,
        packet: &ReceivedPacket<'_>,
        (ident, seq): (u16, u16),
        now: Instant,
    ) -> bool {
        let key = (protocol::ICMP, ident);
        let asked = SocketAddrV4::new(packet.source, seq);
        let Some(probe) = self.probes.get(&key).filter(|probe| probe.remote == asked) else { return false };
        let rtt = Some(now - probe.sent_at);
        let (direction, peer) = (Direction::In, packet.source.into());
        probe.scope.record(|| Icmp::EchoReply { frame, direction, peer, ident, seq, rtt });
        self.answer_probe(key, peer, packet.ttl, ProbeAnswer::EchoReply, now);
        true
    }

    /// Whether a datagram answers a probe.
    pub(super) fn on_datagram_to_probe(&mut self, ttl: u8, datagram: &UdpHeader<'_>, now: Instant) -> bool {
        let key = (protocol::UDP, datagram.destination.port());
        let is_answer = self.probes.get(&key).is_some_and(|probe| probe.remote == datagram.source);
        if is_answer {
            let what = ProbeAnswer::Datagram(datagram.payload.len());
            self.answer_probe(key, (*datagram.source.ip()).into(), ttl, what, now);
        }
        is_answer
    }

    /// Whether a segment answers a probe. What would become a connection is reset.
    pub(super) fn on_segment_to_probe(
        &mut self,
        carrier: &Carrier<'_>,
        header: &TcpHeader<'_>,
        now: Instant,
    ) -> bool {
        let key = (protocol::TCP, header.destination.port());
        let Some(probe) = self.probes.get(&key).filter(|probe| probe.remote == header.source) else {
            return false;
        };
        // RFC 9293 3.10.7.3: only what acknowledges the SYN is an answer to it.
        if header.ack != Some(probe.seq.wrapping_add(1)) {
            return false;
        }
        let opens = header.flags.has(TcpFlags::SYN);
        let (what, why) = match header.flags.has(TcpFlags::RST) {
            true => (ProbeAnswer::Reset, SegmentReason::Reset(ResetReason::ByPeer)),
            false if opens => (ProbeAnswer::SynAck, SegmentReason::OpenAnswer),
            false => return false,
        };
        let scope = probe.scope.clone();
        let from = *header.source.ip();
        self.tell_stray(&scope, carrier.frame, header, why);
        let (_, packet) = self.wire.split(carrier.bytes);
        let ttl = packet.get(8).copied().unwrap_or_default();
        self.answer_probe(key, from.into(), ttl, what, now);
        if what == ProbeAnswer::SynAck {
            for (frame, bytes) in self.answer(carrier, from, now) {
                self.tell_sent(&scope, frame, &bytes, SegmentReason::Reset(ResetReason::Probed));
            }
        }
        true
    }

    fn answer_probe(&mut self, key: ProbeKey, from: IpAddr, ttl: u8, what: ProbeAnswer, now: Instant) {
        let Some(probe) = self.probes.get_mut(&key) else { return };
        // The first answer counts.
        if probe.outcome.is_none() {
            probe.outcome = Some(Ok(ProbeReply { from, what, rtt: now - probe.sent_at, ttl }));
            self.wire.wakers.extend(probe.waker.take());
        }
    }

    /// A port or identifier that no other probe, socket, connection or ping has.
    fn free_probe_key(&self, kind: ProbeKind, remote: SocketAddrV4) -> Option<ProbeKey> {
        let number = match kind {
            ProbeKind::Echo => self.free_ident(),
            ProbeKind::Udp => self.ephemeral_port(|core, port| {
                !core.udp.contains_key(&port) && !core.probes.contains_key(&(protocol::UDP, port))
            }),
            ProbeKind::TcpSyn => self.ephemeral_port(|core, port| {
                let tuple = Tuple { local: SocketAddrV4::new(core.wire.local, port), remote };
                !core.listeners.contains_key(&port)
                    && !core.probes.contains_key(&(protocol::TCP, port))
                    && !core.index.contains_key(&tuple)
                    && !core.time_wait.contains(&tuple)
            }),
        };
        Some((kind.protocol(), number?))
    }

    fn send_probe(
        &mut self,
        scope: &Scope,
        mac: MacAddress,
        (_, number): ProbeKey,
        remote: SocketAddrV4,
        seq: u32,
        options: &ProbeOptions,
    ) {
        let local = SocketAddrV4::new(self.wire.local, number);
        let payload = payload(usize::from(options.length).saturating_sub(HEADERS));
        let ttl = options.ttl;
        let mut bytes = match options.kind {
            ProbeKind::Udp => udp(&self.wire, mac, local, remote, ttl, &payload),
            ProbeKind::Echo => echo(&self.wire, mac, (number, remote), ttl, &payload),
            ProbeKind::TcpSyn => syn(&self.wire, mac, local, remote, ttl, seq),
        };
        if options.dont_fragment {
            forbid_fragments(&self.wire, &mut bytes);
        }
        let frame = self.wire.emit_packet(scope, bytes.clone());
        let (direction, length) = (Direction::Out, payload.len());
        match options.kind {
            ProbeKind::Udp => {
                let (local, remote): (SocketAddr, SocketAddr) = (local.into(), remote.into());
                scope.record(|| Udp::Datagram { frame, direction, local, remote, length });
            }
            ProbeKind::Echo => {
                let (peer, ident, seq) = ((*remote.ip()).into(), number, remote.port());
                scope.record(|| Icmp::EchoRequest { frame, direction, peer, ident, seq, length });
            }
            ProbeKind::TcpSyn => self.tell_sent(scope, frame, &bytes, SegmentReason::Open),
        }
    }
}

impl ProbeKind {
    fn protocol(self) -> u8 {
        match self {
            Self::Udp => protocol::UDP,
            Self::Echo => protocol::ICMP,
            Self::TcpSyn => protocol::TCP,
        }
    }
}

/// By what a probe would be known that is quoted so.
fn key_of(quote: &Quote) -> ProbeKey {
    (quote.protocol, quote.echo.map_or(quote.source_port, |(ident, _)| ident))
}

/// What an ICMP error says to a probe.
fn answer_of(kind: IcmpErrorKind) -> ProbeAnswer {
    let why = match kind {
        IcmpErrorKind::TtlExceeded => return ProbeAnswer::TimeExceeded,
        IcmpErrorKind::PortUnreachable => return ProbeAnswer::PortUnreachable,
        // RFC 1122 3.2.2.1: 8 and 11 are about a network, 12 is about a host.
        IcmpErrorKind::NetUnreachable
        | IcmpErrorKind::NetUnknown
        | IcmpErrorKind::OtherUnreachable(8 | 11) => Unreachability::Network,
        IcmpErrorKind::HostUnreachable | IcmpErrorKind::HostUnknown | IcmpErrorKind::OtherUnreachable(12) => {
            Unreachability::Host
        }
        IcmpErrorKind::ProtocolUnreachable => Unreachability::Protocol,
        IcmpErrorKind::FragmentationNeeded { next_hop_mtu } => {
            Unreachability::FragmentationNeeded { mtu: next_hop_mtu }
        }
        IcmpErrorKind::SourceRouteFailed => Unreachability::SourceRoute,
        IcmpErrorKind::Prohibited => Unreachability::Prohibited,
        IcmpErrorKind::OtherUnreachable(code) => Unreachability::Other { kind: 3, code },
        IcmpErrorKind::ReassemblyTimeExceeded => Unreachability::Other { kind: 11, code: 1 },
        IcmpErrorKind::ParameterProblem => Unreachability::Other { kind: 12, code: 0 },
    };
    ProbeAnswer::Unreachable(why)
}

/// `@ABC...`, as traceroute(8) fills its packets.
fn payload(length: usize) -> Vec<u8> {
    (0x40..0x80).cycle().take(length).collect()
}

fn udp(
    wire: &Wire,
    mac: MacAddress,
    local: SocketAddrV4,
    remote: SocketAddrV4,
    ttl: u8,
    data: &[u8],
) -> Vec<u8> {
    let udp = UdpRepr { src_port: local.port(), dst_port: remote.port() };
    let addresses = (*local.ip(), *remote.ip());
    packet(wire, mac, addresses, IpProtocol::Udp, ttl, udp.header_len() + data.len(), |room| {
        let (source, destination) = (IpAddress::Ipv4(addresses.0), IpAddress::Ipv4(addresses.1));
        let fill = |payload: &mut [u8]| payload.copy_from_slice(data);
        let checksums = ChecksumCapabilities::default();
        udp.emit(&mut UdpPacket::new_unchecked(room), &source, &destination, data.len(), fill, &checksums);
    })
}

fn echo(wire: &Wire, mac: MacAddress, (ident, remote): (u16, SocketAddrV4), ttl: u8, data: &[u8]) -> Vec<u8> {
    let echo = Icmpv4Repr::EchoRequest { ident, seq_no: remote.port(), data };
    let addresses = (wire.local, *remote.ip());
    packet(wire, mac, addresses, IpProtocol::Icmp, ttl, echo.buffer_len(), |room| {
        echo.emit(&mut Icmpv4Packet::new_unchecked(room), &ChecksumCapabilities::default());
    })
}

/// RFC 9293 3.5: the first segment of a handshake that will not go on.
fn syn(
    wire: &Wire,
    mac: MacAddress,
    local: SocketAddrV4,
    remote: SocketAddrV4,
    ttl: u8,
    seq: u32,
) -> Vec<u8> {
    let mss = wire.mtu.saturating_sub(2 * IPV4_HEADER);
    let syn = TcpRepr {
        src_port: local.port(),
        dst_port: remote.port(),
        control: TcpControl::Syn,
        seq_number: TcpSeqNumber(seq.cast_signed()),
        ack_number: None,
        window_len: u16::MAX,
        window_scale: None,
        max_seg_size: Some(u16::try_from(mss).unwrap_or(u16::MAX)),
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    };
    let addresses = (*local.ip(), *remote.ip());
    packet(wire, mac, addresses, IpProtocol::Tcp, ttl, syn.buffer_len(), |room| {
        let (source, destination) = (IpAddress::Ipv4(addresses.0), IpAddress::Ipv4(addresses.1));
        let checksums = ChecksumCapabilities::default();
        syn.emit(&mut TcpPacket::new_unchecked(room), &source, &destination, &checksums);
    })
}

/// Sets DF in the IP header of a frame.
fn forbid_fragments(wire: &Wire, frame: &mut [u8]) {
    let link_header = if wire.medium == Medium::Ethernet { ETHERNET_HEADER } else { 0 };
    let Some((_, packet)) = frame.split_at_mut_checked(link_header) else { return };
    let mut ip = Ipv4Packet::new_unchecked(packet);
    ip.set_dont_frag(true);
    ip.fill_checksum();
}
