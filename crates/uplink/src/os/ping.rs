//! ICMP echo by the kernel, without privilege: a datagram socket of protocol ICMP (icmp(7)).
//!
//! The kernel chooses the identifier, computes the checksum and hands over nothing but replies to
//! this socket's own requests, so a program needs no right to raw sockets. Whose group lies
//! outside of `net.ipv4.ping_group_range` may not have one.

use super::Descriptor;
use super::complaint::{self, Complaint};
use crate::reactor::{Reactor, Registered, Side};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockProtocol, recv, send, setsockopt, sockopt};
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

/// An echo socket towards one host.
pub(crate) struct PingSocket {
    io: Registered<Descriptor>,
}

/// An echo request could not be sent on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PingSocketError {
    /// The system's administrator allows it to other groups, or to none.
    #[error(
        "this user may not ping: net.ipv4.ping_group_range leaves its group out; as root: `sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`"
    )]
    Forbidden,
    /// Anything else.
    #[error(transparent)]
    Os(#[from] io::Error),
}

/// What came back.
pub(crate) enum Echo {
    /// The reply to the request with this sequence number.
    Reply {
        /// The sequence number.
        seq: u16,
        /// What was echoed.
        payload: Vec<u8>,
    },
    /// Complaints, oldest first.
    Complaints(Vec<Complaint>),
}

/// RFC 792.
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

impl PingSocket {
    /// A socket towards `peer`, whose requests go `ttl` hops.
    pub(crate) fn open(reactor: &Reactor, peer: Ipv4Addr, ttl: u8) -> Result<Self, PingSocketError> {
        let peer = SocketAddr::new(peer.into(), 0);
        let socket = Descriptor::connected(SockProtocol::Icmp, peer, None).map_err(|error| {
            match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::EACCES | Errno::EPERM) => PingSocketError::Forbidden,
                _ => PingSocketError::Os(error),
            }
        })?;
        complaint::keep(&socket, peer.ip())?;
        setsockopt(&socket, sockopt::Ipv4Ttl, &i32::from(ttl)).map_err(io::Error::from)?;
        Ok(Self { io: reactor.register(socket)? })
    }

    /// Sends an echo request.
    pub(crate) fn send(&self, seq: u16, payload: &[u8]) -> io::Result<()> {
        let [high, low] = seq.to_be_bytes();
        // Type, code, checksum, identifier (both the kernel's), sequence number.
        let mut message = vec![ECHO_REQUEST, 0, 0, 0, 0, 0, high, low];
        message.extend_from_slice(payload);
        send(self.io.get().as_raw_fd(), &message, MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }

    /// The next thing that comes back.
    pub(crate) async fn recv(&self) -> io::Result<Echo> {
        let mut buffer = vec![0; 65_536];
        let call = |socket: &Descriptor, buffer: &mut [u8]| {
            Ok(recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
        };
        loop {
            let received =
                poll_fn(|cx| self.io.poll_io(Side::Read, cx, |socket| call(socket, &mut buffer))).await;
            let length = match received {
                Ok(length) => length,
                Err(error) => match complaint::complaints(self.io.get(), &error) {
                    complaints if complaints.is_empty() => return Err(error),
                    complaints => return Ok(Echo::Complaints(complaints)),
                },
            };
            if let Some(reply) = buffer.get(..length).and_then(reply) {
                return Ok(reply);
            }
        }
    }
}

/// The reply in an ICMP message, if it is one. (The kernel does not look at the code.)
fn reply(message: &[u8]) -> Option<Echo> {
    let &[ECHO_REPLY, 0, _, _, _, _, high, low, ref payload @ ..] = message else { return None };
    Some(Echo::Reply { seq: u16::from_be_bytes([high, low]), payload: payload.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_of_its_type_with_code_0_and_whole() {
        let mut message = [ECHO_REPLY, 0, 9, 9, 9, 9, 1, 2, b'x'];
        let Some(Echo::Reply { seq, payload }) = reply(&message) else { unreachable!("it is one") };
        assert_eq!((seq, payload), (0x0102, b"x".to_vec()));
        assert!(reply(&message[..7]).is_none());
        message[1] = 1;
        assert!(reply(&message).is_none(), "whoever answers can put any code there");
    }
}
