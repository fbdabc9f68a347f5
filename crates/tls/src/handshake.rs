//! What both ends of a handshake have in common: it begins, and ends in one of three ways.

use crate::error::TlsError;
use crate::gather::Gather;
use crate::offer::Offer;
use futures_io::{AsyncRead, AsyncWrite};
use glasstack_journal::event::Tls;
use glasstack_journal::{Scope, SpanKind};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A handshake under way, in a span of its own. Given up (dropped), it is told as failed.
pub(crate) struct Attempt {
    scope: Scope,
    ended: bool,
}

impl Attempt {
    /// Opens the span and tells that the handshake begins: call it before the first byte is written.
    pub(crate) fn begin(scope: &Scope, server: bool, server_name: Option<&str>, offer: &Offer) -> Self {
        let scope = scope.enter(SpanKind::Tls { server_name: server_name.unwrap_or("(no name)").to_owned() });
        scope.record(|| Tls::HandshakeStarted {
            server,
            server_name: server_name.map(str::to_owned),
            versions: offer.versions.clone(),
            suites: offer.suites.clone(),
            groups: offer.groups.clone(),
            alpn: offer.alpn.clone(),
        });
        Self { scope, ended: false }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// It succeeded; the span goes on with the session.
    pub(crate) fn succeed(mut self) -> Scope {
        self.ended = true;
        self.scope.clone()
    }

    /// It failed; the span is closed.
    pub(crate) fn fail(mut self, error: TlsError) -> TlsError {
        self.end(|| error.to_string());
        error
    }

    fn end(&mut self, why: impl FnOnce() -> String) {
        self.ended = true;
        self.scope.record(|| Tls::Failed { why: why() });
        self.scope.close();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            self.end(|| {
                "given up before the handshake was complete (by a time limit, or by the user)".to_owned()
            });
        }
    }
}

/// The most that is read of what a peer had still sent, in bytes.
const LEFT_OVER: usize = 256 * 1024;

/// Closes a connection whose handshake failed, so that the alert is followed by an orderly end. Tried
/// once: nobody waits for a peer that did not get this far.
///
/// What has arrived by now is read, whatever it is: session tickets, say, or a request that was sent
/// right behind the handshake. RFC 2525 2.17: a connection that is dropped with data unread is reset, and
/// the alert with it.
pub(crate) async fn hang_up<S: AsyncRead + AsyncWrite + Unpin>(stream: Gather<S>) {
    let mut stream = stream;
    poll_fn(|cx| {
        // The handshake's error is what matters; one of closing adds nothing.
        let _ = Pin::new(&mut stream).poll_close(cx);
        let (mut left_over, mut buffer) = (LEFT_OVER, [0; 4096]);
        while let Poll::Ready(Ok(count @ 1..)) = Pin::new(&mut stream.stream).poll_read(cx, &mut buffer) {
            left_over = left_over.saturating_sub(count);
            if left_over == 0 {
                break;
            }
        }
        Poll::Ready(())
    })
    .await;
}
