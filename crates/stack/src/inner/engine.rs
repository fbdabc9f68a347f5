//! The engine of a TCP connection: smoltcp's socket behind a small interface of its own.
//!
//! Everything that a flow needs of its engine is a method here, so that another engine can take
//! its place: frames in, frames out, the next deadline, open, send, receive, close, the state.

use super::port::{Link, Port, interface, smol_time};
use crate::config::TcpConfig;
use glasstack_journal::Instant;
use glasstack_journal::event::{MacAddress, Medium, TcpState};
use smoltcp::iface::{Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Duration as SmolDuration;
use std::net::SocketAddrV4;
use std::time::Duration;

/// How often one connection may emit before others get their turn.
const EGRESS_BATCH: usize = 64;

/// smoltcp's TCP, one interface a connection.
pub(crate) struct Engine {
    port: Port,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    medium: Medium,
    mac: MacAddress,
    link: Link,
}

impl Engine {
    /// A closed connection on a link.
    pub(crate) fn new(
        medium: Medium,
        mac: MacAddress,
        link: Link,
        mtu: usize,
        tcp: &TcpConfig,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut socket = Socket::new(
            SocketBuffer::new(vec![0; tcp.receive_buffer]),
            SocketBuffer::new(vec![0; tcp.send_buffer]),
        );
        socket.set_congestion_control(CongestionControl::Cubic);
        socket.set_ack_delay(tcp.ack_delay.map(smol_duration));
        let mut port = Port::new(medium, mtu);
        let interface = interface(&mut port, mac, link, seed, now);
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let handle = sockets.add(socket);
        Self { port, interface, sockets, handle, medium, mac, link }
    }

    /// Active open (RFC 9293 3.9.1.1). False if the addresses make no connection.
    pub(crate) fn connect(&mut self, local: SocketAddrV4, remote: SocketAddrV4) -> bool {
        let socket = self.sockets.get_mut::<Socket<'_>>(self.handle);
        socket.connect(self.interface.context(), remote, local).is_ok()
    }

    /// Passive open: the next SYN fed makes the connection.
    pub(crate) fn listen(&mut self, local: SocketAddrV4) -> bool {
        self.socket_mut().listen(local).is_ok()
    }

    /// Takes in one frame and processes it.
    pub(crate) fn receive(&mut self, frame: &[u8], now: Instant) {
        self.port.deliver(frame, &mut self.interface, &mut self.sockets, now);
    }

    /// Lets the engine emit what is due, in a bounded batch.
    pub(crate) fn transmit(&mut self, now: Instant) {
        let now = smol_time(now);
        for _ in 0..EGRESS_BATCH {
            if self.interface.poll_egress(now, &mut self.port, &mut self.sockets) == PollResult::None {
                return;
            }
        }
    }

    /// The next frame emitted.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        self.port.take()
    }

    /// When it wants to [`transmit`](Self::transmit) again.
    pub(crate) fn next_deadline(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(smol_time(now), &self.sockets)?;
        Some(Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0)).max(now))
    }

    /// Sends smaller segments from now on; the next retransmission uses the new size. The socket
    /// stays, its interface is made anew.
    pub(crate) fn set_mtu(&mut self, mtu: usize, seed: u64, now: Instant) {
        self.port = Port::new(self.medium, mtu);
        self.interface = interface(&mut self.port, self.mac, self.link, seed, now);
    }

    /// Queues as much of `data` as there is room for.
    pub(crate) fn send(&mut self, data: &[u8]) -> usize {
        self.socket_mut().send_slice(data).unwrap_or(0)
    }

    /// Takes received data.
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> usize {
        self.socket_mut().recv_slice(buffer).unwrap_or(0)
    }

    /// Received bytes that nobody has read.
    pub(crate) fn unread(&self) -> usize {
        self.socket().recv_queue()
    }

    /// Whether there is something to read.
    pub(crate) fn can_recv(&self) -> bool {
        self.socket().can_recv()
    }

    /// Whether more may come.
    pub(crate) fn may_recv(&self) -> bool {
        self.socket().may_recv()
    }

    /// Whether there is room to write.
    pub(crate) fn can_send(&self) -> bool {
        self.socket().can_send()
    }

    /// Whether this side may still write.
    pub(crate) fn may_send(&self) -> bool {
        self.socket().may_send()
    }

    /// Bytes written that are not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.socket().send_queue()
    }

    /// No more data from this side: a FIN follows what is queued.
    pub(crate) fn close(&mut self) {
        self.socket_mut().close();
    }

    /// Ends the connection with a RST.
    pub(crate) fn abort(&mut self) {
        self.socket_mut().abort();
    }

    /// Acknowledgments wait for nothing any more.
    pub(crate) fn acknowledge_at_once(&mut self) {
        self.socket_mut().set_ack_delay(None);
    }

    /// Nagle's algorithm (RFC 9293 3.7.4).
    pub(crate) fn set_nodelay(&mut self, nodelay: bool) {
        self.socket_mut().set_nagle_enabled(!nodelay);
    }

    /// Keep-alive probes (RFC 9293 3.8.4).
    pub(crate) fn set_keep_alive(&mut self, interval: Option<Duration>) {
        self.socket_mut().set_keep_alive(interval.map(smol_duration));
    }

    /// The state (RFC 9293 3.3.2).
    pub(crate) fn state(&self) -> TcpState {
        match self.socket().state() {
            State::Closed => TcpState::Closed,
            State::Listen => TcpState::Listen,
            State::SynSent => TcpState::SynSent,
            State::SynReceived => TcpState::SynReceived,
            State::Established => TcpState::Established,
            State::FinWait1 => TcpState::FinWait1,
            State::FinWait2 => TcpState::FinWait2,
            State::CloseWait => TcpState::CloseWait,
            State::Closing => TcpState::Closing,
            State::LastAck => TcpState::LastAck,
            State::TimeWait => TcpState::TimeWait,
        }
    }

    fn socket(&self) -> &Socket<'static> {
        self.sockets.get(self.handle)
    }

    fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

/// In smoltcp's microseconds; a century at most, since it adds them to an instant without a check.
fn smol_duration(duration: Duration) -> SmolDuration {
    const CENTURY: u64 = 100 * 365 * 86_400 * 1_000_000;
    SmolDuration::from_micros(u64::try_from(duration.as_micros()).unwrap_or(CENTURY).min(CENTURY))
}
