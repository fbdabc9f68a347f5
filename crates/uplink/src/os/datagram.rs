//! UDP by the kernel: a socket connected to one peer, and one bound to a published port.

use super::Descriptor;
use super::complaint::{self, Complaint};
use crate::reactor::{Reactor, Registered, Side};
use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, SockProtocol, SockaddrStorage, getsockname, recv, send, setsockopt, sockopt,
};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

/// A UDP socket that speaks with one peer: what a gateway carries one UDP flow on with.
pub(crate) struct ConnectedUdp {
    io: Registered<Descriptor>,
    ttl: AtomicU8,
}

/// What came instead of a datagram, or of its being sent.
pub(crate) enum Trouble {
    /// The network complains, oldest first.
    Complaints(Vec<Complaint>),
    /// The kernel would not do it.
    Os(io::Error),
}

impl ConnectedUdp {
    /// A socket towards `peer`, with the address `from` if that is said. Nothing is sent by that.
    pub(crate) fn open(reactor: &Reactor, peer: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let mut socket = Descriptor::connected(SockProtocol::Udp, peer, from)?;
        // A port of this machine that nobody has may be the one that the kernel has just chosen;
        // while the first socket has it, the second gets another.
        if own_address(&socket)? == peer {
            socket = Descriptor::connected(SockProtocol::Udp, peer, from)?;
        }
        complaint::keep(&socket, peer.ip())?;
        Ok(Self { io: reactor.register(socket)?, ttl: AtomicU8::new(0) })
    }

    /// This machine's end.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        own_address(self.io.get())
    }

    /// Datagrams go this many hops from now on (IPv4 only).
    pub(crate) fn set_ttl(&self, ttl: u8) {
        let changed = self.ttl.swap(ttl, Ordering::Relaxed) != ttl;
        if changed {
            // It can fail for IPv6 only, where it means nothing.
            let _ = setsockopt(self.io.get(), sockopt::Ipv4Ttl, &i32::from(ttl));
        }
    }

    /// Sends a datagram, or loses it where the kernel has no room: it is UDP.
    pub(crate) fn send(&self, data: &[u8]) -> Result<(), Trouble> {
        // An earlier datagram's error comes out of the next call, whichever that is: note it, and
        // try again.
        let (mut earlier, mut failed) = (Vec::new(), None);
        for _ in 0..3 {
            let error = match send(self.io.get().as_raw_fd(), data, MsgFlags::MSG_DONTWAIT) {
                Ok(_) | Err(Errno::EAGAIN) => {
                    failed = None;
                    break;
                }
                Err(errno) => io::Error::from(errno),
            };
            match self.trouble(error) {
                Trouble::Complaints(complaints) => earlier.extend(complaints),
                Trouble::Os(error) => failed = Some(error),
            }
        }
        match failed {
            _ if !earlier.is_empty() => Err(Trouble::Complaints(earlier)),
            Some(error) => Err(Trouble::Os(error)),
            None => Ok(()),
        }
    }

    /// The next datagram from the peer, as much of it as `buffer` takes.
    pub(crate) fn poll_recv(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Trouble>> {
        let call = |socket: &Descriptor| Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?);
        self.io.poll_io(Side::Read, cx, call).map_err(|error| self.trouble(error))
    }

    /// [`poll_recv`](Self::poll_recv) as a future.
    pub(crate) async fn recv(&self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        poll_fn(|cx| self.poll_recv(cx, buffer)).await
    }

    fn trouble(&self, error: io::Error) -> Trouble {
        let complaints = complaint::complaints(self.io.get(), &error);
        if complaints.is_empty() { Trouble::Os(error) } else { Trouble::Complaints(complaints) }
    }
}

/// A UDP socket on a published port: it hears from everybody.
pub(crate) struct BoundUdp {
    io: Registered<mio::net::UdpSocket>,
}

impl BoundUdp {
    /// A socket on `local`; port 0 lets the kernel choose.
    pub(crate) fn bind(reactor: &Reactor, local: SocketAddr) -> io::Result<Self> {
        Ok(Self { io: reactor.register(mio::net::UdpSocket::bind(local)?)? })
    }

    /// Where it is bound.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get().local_addr()
    }

    /// Sends a datagram, or loses it.
    pub(crate) fn send_to(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
        match self.io.get().send_to(data, to) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// The next datagram and its sender.
    pub(crate) async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.io.poll_io(Side::Read, cx, |socket| socket.recv_from(buffer))).await
    }
}

fn own_address(socket: &Descriptor) -> io::Result<SocketAddr> {
    let storage = getsockname::<SockaddrStorage>(socket.as_raw_fd())?;
    let v4 = storage
        .as_sockaddr_in()
        .map(|address| SocketAddr::V4(SocketAddrV4::new(address.ip(), address.port())));
    let v6 = || {
        let address = storage.as_sockaddr_in6()?;
        Some(SocketAddr::V6(SocketAddrV6::new(
            address.ip(),
            address.port(),
            address.flowinfo(),
            address.scope_id(),
        )))
    };
    v4.or_else(v6).ok_or_else(|| io::Error::other("the kernel gave a socket an address of neither family"))
}
