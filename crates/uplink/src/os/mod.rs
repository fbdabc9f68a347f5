//! Sockets of the operating system, for futures of a world: what a gateway carries flows on with.
//!
//! They are the kernel's own, nonblocking, and wait in the world's event queue
//! ([`Reactor`](crate::Reactor)). Each is opened for one flow that a program on the stack has asked
//! for, or for a port that was published; none binds a port that it need not.

pub(crate) mod complaint;
pub(crate) mod datagram;
pub(crate) mod ping;
pub(crate) mod tcp;

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, socket,
};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// A nonblocking socket that mio has no type for.
pub(crate) struct Descriptor(OwnedFd);

impl Descriptor {
    /// A datagram socket of the kernel's that sends to, and hears from, `peer` alone. Its port is
    /// the kernel's choice, and so is its address, if it is not `from`.
    fn connected(protocol: SockProtocol, peer: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let fd = open(SockType::Datagram, protocol, peer.ip(), from)?;
        connect(fd.as_raw_fd(), &SockaddrStorage::from(peer))?;
        Ok(Self(fd))
    }
}

/// Whether this machine lets its sockets have `address`.
pub(crate) fn is_ours(address: IpAddr) -> io::Result<()> {
    open(SockType::Datagram, SockProtocol::Udp, address, Some(address)).map(drop)
}

/// A nonblocking socket towards `to`, bound to the address `from` if that is said.
fn open(kind: SockType, protocol: SockProtocol, to: IpAddr, from: Option<IpAddr>) -> io::Result<OwnedFd> {
    let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(family, kind, flags, protocol)?;
    if let Some(from) = from {
        bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(from, 0)))?;
    }
    Ok(fd)
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl std::os::fd::AsFd for Descriptor {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Source for Descriptor {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).deregister(registry)
    }
}
