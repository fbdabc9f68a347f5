//! UDP as a program sees it.

use crate::error::UdpError;
use glasstack_journal::Scope;
use std::net::SocketAddr;

/// A bound UDP port.
pub struct UdpSocket {
    local: SocketAddr,
    scope: Scope,
}

impl UdpSocket {
    /// Where it is bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The span it was made in.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Sends a datagram; fragmented if it is larger than the MTU. Resolves once it is on its way:
    /// the next hop's address is known by then.
    pub async fn send_to(&self, data: &[u8], to: SocketAddr) -> Result<(), UdpError> {
        todo!()
    }

    /// The next datagram: its length (what exceeds `buffer` is cut off) and its sender. An ICMP error about an
    /// earlier datagram is reported here.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), UdpError> {
        todo!()
    }
}
