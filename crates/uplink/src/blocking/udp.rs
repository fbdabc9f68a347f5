//! UDP as in `std::net`.

use super::Reach;
use super::error::IntoIo;
use super::tcp::{checked, lock};
use glasstack_stack as stack;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

/// A bound UDP port, for as many threads as like to use it.
pub struct UdpSocket {
    socket: stack::UdpSocket,
    read_timeout: Mutex<Option<Duration>>,
    reach: Reach,
}

impl UdpSocket {
    pub(super) fn new(socket: stack::UdpSocket, reach: Reach) -> Self {
        Self { socket, read_timeout: Mutex::default(), reach }
    }

    /// Where it is bound.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.socket.local_addr())
    }

    /// Sends a datagram, and tells its length. Returns once it is on its way: the next hop's
    /// address is known by then.
    pub fn send_to(&self, data: &[u8], to: impl Into<SocketAddr>) -> io::Result<usize> {
        let to = to.into();
        let sent = async { self.socket.send_to(data, to).await.map_err(IntoIo::into_io) };
        self.reach.wait(None, sent).map(|()| data.len())
    }

    /// Waits for the next datagram: its length (what exceeds `buffer` is cut off) and its sender.
    /// An ICMP error about an earlier datagram is reported here.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let limit = *lock(&self.read_timeout);
        let received = async { self.socket.recv_from(buffer).await.map_err(IntoIo::into_io) };
        self.reach.wait(limit, received)
    }

    /// How long [`recv_from`](Self::recv_from) may wait before it fails with
    /// [`TimedOut`](io::ErrorKind::TimedOut); none, the default: for ever. Zero is an error.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        *lock(&self.read_timeout) = checked(limit)?;
        Ok(())
    }

    /// How long [`recv_from`](Self::recv_from) may wait.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(*lock(&self.read_timeout))
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UdpSocket({})", self.socket.local_addr())
    }
}
