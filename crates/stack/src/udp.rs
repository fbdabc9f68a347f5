//! UDP as a program sees it.

use crate::error::UdpError;
use crate::inner::shared::Shared;
use glasstack_journal::Scope;
use std::net::SocketAddr;
use std::sync::Arc;

/// A bound UDP port.
pub struct UdpSocket {
    shared: Arc<Shared>,
    local: SocketAddr,
    scope: Scope,
}

impl UdpSocket {
    pub(crate) fn new(shared: Arc<Shared>, local: SocketAddr, scope: Scope) -> Self {
        Self { shared, local, scope }
    }

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
        let mut wait = None;
        let port = self.local.port();
        std::future::poll_fn(|cx| {
            let now = self.scope.now();
            self.shared.touch(|core| core.poll_send_udp(port, data, to, &mut wait, cx, now))
        })
        .await
    }

    /// The next datagram, whole, and its sender. An ICMP error about an earlier datagram is reported here.
    pub async fn receive(&self) -> Result<(Vec<u8>, SocketAddr), UdpError> {
        let port = self.local.port();
        std::future::poll_fn(|cx| self.shared.with(|core| core.poll_recv_udp(port, cx))).await
    }

    /// The next datagram: its length (what exceeds `buffer` is cut off) and its sender. An ICMP
    /// error about an earlier datagram is reported here.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), UdpError> {
        let (data, from) = self.receive().await?;
        let length = data.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(data) {
            *slot = byte;
        }
        Ok((length, from))
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        let port = self.local.port();
        self.shared.with(|core| core.unbind_udp(port));
    }
}
