//! TCP as a program sees it: a stream of bytes each way, and a listener.

use crate::error::TcpError;
use crate::inner::flow::Flow;
use crate::inner::shared::Shared;
use futures_io::{AsyncRead, AsyncWrite};
use glasstack_journal::Scope;
use glasstack_journal::event::{FlowId, ResetReason, TcpState};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An open connection. `poll_close` sends a FIN and leaves the other direction open (half-close).
/// Dropping it is close(2): FIN in the background, RST if data is unread.
pub struct TcpStream {
    shared: Arc<Shared>,
    local: SocketAddr,
    remote: SocketAddr,
    flow: FlowId,
    scope: Scope,
}

impl TcpStream {
    pub(crate) fn new(
        shared: Arc<Shared>,
        local: SocketAddr,
        remote: SocketAddr,
        flow: FlowId,
        scope: Scope,
    ) -> Self {
        Self { shared, local, remote, flow, scope }
    }

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
        self.shared.with(|core| {
            let in_time_wait = || core.flow_infos().iter().any(|info| info.flow == self.flow);
            match core.flow(self.flow) {
                Some(flow) if flow.engine.is_some() => flow.state,
                _ if in_time_wait() => TcpState::TimeWait,
                _ => TcpState::Closed,
            }
        })
    }

    /// Whether small segments are sent at once instead of waiting for company (Nagle's algorithm
    /// off). They wait by default.
    pub fn set_nodelay(&self, nodelay: bool) {
        self.touch(|flow| {
            if let Some(engine) = &mut flow.engine {
                engine.set_nodelay(nodelay);
            }
        });
    }

    /// Ends the connection at once with a RST.
    pub fn abort(&self) {
        let now = self.scope.now();
        self.touch(|flow| flow.abort(ResetReason::Aborted, now));
    }

    /// Waits until the connection breaks, whatever is still to be read: for who neither reads nor
    /// writes for a while, as when the other side of a relay stalls.
    pub fn poll_broken(&self, cx: &Context<'_>) -> Poll<TcpError> {
        let failure = self.shared.with(|core| core.flow_mut(self.flow).map(|flow| flow.broken(cx)));
        match failure {
            Some(Some(error)) => Poll::Ready(error),
            Some(None) => Poll::Pending,
            None => Poll::Ready(TcpError::Closed),
        }
    }

    /// Waits until the peer has acknowledged everything that was written, or never will because
    /// the connection is broken: who means to [`abort`](Self::abort) afterwards loses no data.
    pub fn poll_acknowledged(&self, cx: &Context<'_>) -> Poll<()> {
        let done = self.shared.with(|core| core.flow_mut(self.flow).map(|flow| flow.acknowledged(cx)));
        if done.unwrap_or(true) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn touch<T>(&self, f: impl FnOnce(&mut Flow) -> T) -> Option<T> {
        self.shared.touch(|core| core.on_stream(self.flow, f))
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.touch(|flow| flow.read(cx, buffer)) {
            Some(Some(result)) => Poll::Ready(result.map_err(Into::into)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(Ok(0)),
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.touch(|flow| flow.write(cx, data)) {
            Some(Some(result)) => Poll::Ready(result.map_err(Into::into)),
            Some(None) => Poll::Pending,
            None => Poll::Ready(Err(TcpError::Closed.into())),
        }
    }

    /// Written is done, as in a kernel: there is nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Sends a FIN behind what is queued; does not wait for its acknowledgment.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.scope.now();
        self.touch(|flow| flow.close(now));
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let now = self.scope.now();
        self.shared.touch(|core| core.release(self.flow, now));
    }
}

impl std::fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TcpStream({} -> {})", self.local, self.remote)
    }
}

/// Accepts connections on a port. Dropping it stops listening and resets what was never accepted.
pub struct TcpListener {
    shared: Arc<Shared>,
    local: SocketAddr,
    scope: Scope,
}

impl TcpListener {
    pub(crate) fn new(shared: Arc<Shared>, local: SocketAddr, scope: Scope) -> Self {
        Self { shared, local, scope }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next connection, established already.
    pub async fn accept(&self) -> TcpStream {
        let port = self.local.port();
        let (flow, tuple, scope) =
            std::future::poll_fn(|cx| self.shared.with(|core| core.poll_accept(port, cx))).await;
        let (local, remote) = (tuple.local_addr(), tuple.remote_addr());
        TcpStream::new(Arc::clone(&self.shared), local, remote, flow, scope)
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let (port, now) = (self.local.port(), self.scope.now());
        self.shared.touch(|core| core.unlisten(port, now));
    }
}

#[cfg(feature = "tokio")]
mod for_tokio {
    //! The same stream under tokio's traits.

    use super::TcpStream;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    impl AsyncRead for TcpStream {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let room = buffer.initialize_unfilled();
            let count = ready!(futures_io::AsyncRead::poll_read(self, cx, room))?;
            buffer.advance(count);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for TcpStream {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
            futures_io::AsyncWrite::poll_write(self, cx, data)
        }
        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            futures_io::AsyncWrite::poll_flush(self, cx)
        }
        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            futures_io::AsyncWrite::poll_close(self, cx)
        }
    }
}
