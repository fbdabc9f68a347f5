//! TCP as a program sees it: a stream of bytes each way, and a listener.

use futures_io::{AsyncRead, AsyncWrite};
use glasstack_journal::Scope;
use glasstack_journal::event::{FlowId, TcpState};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An open connection. `poll_close` sends a FIN and leaves the other direction open (half-close).
/// Dropping it is close(2): FIN in the background, RST if data is unread.
pub struct TcpStream {
    local: SocketAddr,
    remote: SocketAddr,
    flow: FlowId,
    scope: Scope,
}

impl TcpStream {
    /// This end.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The other end.
    pub fn peer_addr(&self) -> SocketAddr {
        self.remote
    }

    /// The connection's number in the journal.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// The connection's own span: what is done over it belongs there.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The state (RFC 9293 3.3.2).
    pub fn state(&self) -> TcpState {
        todo!()
    }

    /// Whether small segments are sent at once instead of waiting for company (Nagle's algorithm
    /// off). They wait by default.
    pub fn set_nodelay(&self, nodelay: bool) {
        todo!()
    }

    /// Ends the connection at once with a RST.
    pub fn abort(&self) {
        todo!()
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        todo!()
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        todo!()
    }

    /// Waits until everything written has been acknowledged? No: as in a kernel, written is done.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
}

/// Accepts connections on a port. Dropping it stops listening and resets what was never accepted.
pub struct TcpListener {
    local: SocketAddr,
}

impl TcpListener {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next connection, established already.
    pub async fn accept(&self) -> TcpStream {
        todo!()
    }
}
