//! Datagrams and echo requests: UDP ports, pings, and the packets that they send.
//!
//! Neither has a state that an interface would have to keep, so they need none: the packet is
//! written with smoltcp's wire formats and goes out through the same [`Wire`] as everything else.

use super::port::ETHERNET_HEADER;
use super::wire::Wire;
use crate::error::{PingError, UdpError};
use crate::ping::PingReply;
use glasstack_journal::event::{DropReason, FrameId, MacAddress, Medium};
use glasstack_journal::{Instant, Scope};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol,
    Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::Waker;

/// The largest UDP payload in IPv4: 65535 less both headers.
pub(crate) const LARGEST_UDP: usize = 65_507;
/// Received bytes that a UDP port holds for its program.
const UDP_BUFFER: usize = 256 * 1024;
/// Received datagrams that a UDP port holds, however small.
const UDP_DATAGRAMS: usize = 1024;
/// ICMP errors that a UDP port holds for its program.
const UDP_ERRORS: usize = 16;
/// Length of an IPv4 header without options, in bytes.
const IPV4_HEADER: usize = 20;

/// A UDP port that somebody has.
pub(crate) struct UdpPort {
    pub(crate) scope: Scope,
    /// The address bound; none for all of the host's.
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) waker: Option<Waker>,
    received: VecDeque<(Vec<u8>, SocketAddr)>,
    bytes: usize,
    errors: VecDeque<UdpError>,
}

impl UdpPort {
    pub(crate) fn new(scope: Scope, address: Option<Ipv4Addr>) -> Self {
        Self { scope, address, waker: None, received: VecDeque::new(), bytes: 0, errors: VecDeque::new() }
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

/// Sends a datagram to `to`, whose next hop is at `mac`.
pub(crate) fn send_udp(
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
fn packet(
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
