//! An open TLS session: a stream of bytes each way, and what is known of it.

use crate::certificate::CertificateInfo;
use crate::client_auth::Asked;
use crate::error::{TlsError, rustls_within};
use crate::gather::Gather;
use crate::offer::{group_name, suite_name, version_name};
use crate::revocation::Staple;
use crate::sessions::EarlyData;
use futures_io::{AsyncRead, AsyncWrite};
use glasstack_journal::Scope;
use glasstack_journal::event::{Note, Tls};
use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker, ready};

/// A TLS session over `S`, as either end has it.
///
/// - A read returns 0 only after the peer's close_notify. A connection that ends without one gives an
///   error of kind `UnexpectedEof` ([`crate::is_truncation`]): who knows from elsewhere that all is
///   there (a satisfied Content-Length) may pass over it.
/// - `poll_close` sends close_notify and closes the stream below (a FIN). Reading goes on until the
///   peer closes, too (RFC 8446 6.1).
/// - Errors of TLS are [`TlsError`]s inside the I/O errors ([`TlsError::within`]); the stream's own
///   pass through.
pub struct TlsStream<S> {
    inner: futures_rustls::TlsStream<Gather<S>>,
    scope: Scope,
    session: SessionInfo,
    sent_close_notify: bool,
    ending: Option<Ending>,
    /// How the server asked for our certificate, if it did.
    asked: Option<Asked>,
    /// Bytes of the peer's that were read before anybody wanted them.
    ahead: VecDeque<u8>,
    /// Bytes that were sent before anybody wrote them.
    sent_early: VecDeque<u8>,
    /// Who reads meanwhile.
    waits_for_early: Option<Waker>,
}

/// How the peer's direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    CloseNotify,
    Truncated,
    Failed,
}

/// What was agreed on, and with whom.
#[derive(Clone, Debug, Default)]
pub struct SessionInfo {
    /// The version, as `TLS 1.3`.
    pub version: String,
    /// The cipher suite, as IANA's registry names it.
    pub suite: String,
    /// The key exchange group; none when TLS 1.2 resumed a session.
    pub group: Option<String>,
    /// The application protocol (ALPN).
    pub alpn: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// What became of data before the handshake (0-RTT).
    pub early_data: EarlyData,
    /// The peer's certificates, its own first; none if it showed none. Those of a client are here only
    /// once they were judged and accepted.
    pub peer_certificates: PeerCertificates,
    /// What the server stapled to its certificate (RFC 6066 8); nothing that was asked for on the
    /// server's side.
    pub staple: Staple,
}

/// The certificates of a peer. They are described once somebody looks: most do not.
#[derive(Clone, Debug)]
pub struct PeerCertificates {
    shown: Arc<[CertificateDer<'static>]>,
    read: OnceLock<Vec<CertificateInfo>>,
}

impl Deref for PeerCertificates {
    type Target = [CertificateInfo];

    fn deref(&self) -> &[CertificateInfo] {
        let read = |(index, der): (usize, &CertificateDer<'_>)| CertificateInfo::read(index, der);
        self.read.get_or_init(|| self.shown.iter().enumerate().map(read).collect())
    }
}

impl<'c> IntoIterator for &'c PeerCertificates {
    type Item = &'c CertificateInfo;
    type IntoIter = std::slice::Iter<'c, CertificateInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for PeerCertificates {
    fn default() -> Self {
        Self { shown: Arc::new([]), read: OnceLock::new() }
    }
}

impl SessionInfo {
    pub(crate) fn of(connection: &CommonState) -> Self {
        let certificates = connection.peer_certificates().unwrap_or_default();
        Self {
            version: connection.protocol_version().map(version_name).unwrap_or_default(),
            suite: connection
                .negotiated_cipher_suite()
                .map(|suite| suite_name(suite.suite()))
                .unwrap_or_default(),
            group: connection.negotiated_key_exchange_group().map(|group| group_name(group.name())),
            alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
            early_data: EarlyData::None,
            peer_certificates: PeerCertificates { shown: certificates.into(), read: OnceLock::new() },
            staple: Staple::NotAsked,
        }
    }

    /// As a client has it, which asks for a stapled answer whenever it is shown a certificate.
    pub(crate) fn with_staple(self, response: Option<Vec<u8>>) -> Self {
        let staple = match response {
            Some(der) => Staple::Present(der),
            None if self.resumed => Staple::Resumed,
            None => Staple::Absent,
        };
        Self { staple, ..self }
    }

    pub(crate) fn established(&self, server: bool) -> Tls {
        Tls::Established {
            server,
            version: self.version.clone(),
            suite: self.suite.clone(),
            group: self.group.clone(),
            alpn: self.alpn.clone(),
            resumed: self.resumed,
        }
    }
}

impl<S> TlsStream<S> {
    pub(crate) fn new(
        inner: futures_rustls::TlsStream<Gather<S>>,
        scope: Scope,
        session: SessionInfo,
    ) -> Self {
        Self {
            inner,
            scope,
            session,
            sent_close_notify: false,
            ending: None,
            asked: None,
            ahead: VecDeque::new(),
            sent_early: VecDeque::new(),
            waits_for_early: None,
        }
    }

    /// In TLS 1.3 a server judges our certificate after our handshake is over: what it asked for makes
    /// sense of what it then says.
    pub(crate) fn with_asked(mut self, asked: Option<Asked>) -> Self {
        self.asked = asked;
        self
    }

    /// What became of early data; tells it.
    pub(crate) fn set_early_data(&mut self, outcome: EarlyData) {
        self.session.early_data = outcome;
        self.scope.record(|| Note::info(outcome.to_string()));
    }

    /// For callers who write what [`crate::TlsClient::connect_early`] has sent already: it is taken, and not
    /// sent again. Whoever then writes something else gets an error of kind `InvalidInput`. The answer,
    /// which may have come with the handshake, is not read before all of it was written: no caller expects
    /// to hear before it has spoken.
    pub fn expect_early(&mut self, early: &[u8]) {
        self.sent_early = early.iter().copied().collect();
    }

    /// How many bytes of `data` were sent already.
    fn take_early(&mut self, data: &[u8]) -> io::Result<usize> {
        let same = self.sent_early.iter().zip(data).take_while(|(sent, byte)| sent == byte).count();
        self.sent_early.drain(..same);
        if same == 0 && !data.is_empty() {
            let why = "what is written is not what was sent early";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.wake_reader();
        Ok(same)
    }

    /// Whoever reads may go on once nothing is left to be written.
    fn wake_reader(&mut self) {
        if let Some(waker) = self.waits_for_early.take_if(|_| self.sent_early.is_empty()) {
            waker.wake();
        }
    }

    /// What a client sent early is read before everything else; tells it.
    pub(crate) fn received_early(&mut self, early: Vec<u8>) {
        if !early.is_empty() {
            self.set_early_data(EarlyData::Received(early.len()));
            self.ahead = early.into();
        }
    }

    /// What was agreed on, and with whom.
    pub fn session(&self) -> &SessionInfo {
        &self.session
    }

    /// The application protocol agreed on (ALPN).
    pub fn alpn(&self) -> Option<&str> {
        self.session.alpn.as_deref()
    }

    /// The session's own span: what is done over it belongs there.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.inner.get_ref().0.stream
    }

    /// Whether the peer has said that it will send no more, and all of it has been read.
    pub fn received_close_notify(&self) -> bool {
        self.ending == Some(Ending::CloseNotify)
    }

    /// The peer's direction has ended: tells it, the first time.
    fn end(&mut self, ending: Ending, fact: impl FnOnce() -> Tls) {
        if self.ending.is_none() {
            self.ending = Some(ending);
            self.scope.record(fact);
        }
    }

    /// Names what went wrong in this crate's terms, and tells it.
    fn explain(&mut self, error: io::Error) -> io::Error {
        match rustls_within(error) {
            Ok(error) => {
                let explained = self.asked.as_ref().and_then(|asked| asked.explain(&error));
                let error = explained.unwrap_or_else(|| TlsError::from_rustls(error, "the peer"));
                self.end(Ending::Failed, || Tls::Failed { why: error.to_string() });
                io::Error::new(io::ErrorKind::InvalidData, error)
            }
            // RFC 8446 6.1: without close_notify an attacker may have ended the connection.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.end(Ending::Truncated, || Tls::Truncated);
                io::Error::new(io::ErrorKind::UnexpectedEof, TlsError::Truncated)
            }
            Err(error) => error,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Why writing failed. A peer that refuses sends an alert and closes, and who then writes meets a
    /// reset first: the alert that waits behind it says why.
    fn explain_write(&mut self, cx: &mut Context<'_>, error: io::Error) -> io::Error {
        const LOOKED_AT: usize = 64 * 1024;
        let mut buffer = [0; 4096];
        while self.ending.is_none() && self.ahead.len() < LOOKED_AT && !is_of_rustls(&error) {
            match Pin::new(&mut self.inner).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.ahead.extend(buffer.get(..count).unwrap_or_default());
                }
                Poll::Ready(Err(alert)) if is_of_rustls(&alert) => return self.explain(alert),
                _ => break,
            }
        }
        self.explain(error)
    }
}

fn is_of_rustls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // The wrapper below would take the 0 that an empty buffer gives for the end.
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.ahead.is_empty() {
            return Poll::Ready(self.ahead.read(buffer));
        }
        if !self.sent_early.is_empty() {
            self.waits_for_early = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let result = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        Poll::Ready(match result {
            Ok(0) => {
                self.end(Ending::CloseNotify, || Tls::CloseNotifyReceived);
                Ok(0)
            }
            Ok(count) => Ok(count),
            Err(error) => Err(self.explain(error)),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if !self.sent_early.is_empty() {
            return Poll::Ready(self.take_early(data));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, data));
        Poll::Ready(result.map_err(|error| self.explain_write(cx, error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.sent_early.is_empty() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return Poll::Ready(self.take_early(first.map_or(&[], |slice| slice)));
        }
        let result = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, slices));
        Poll::Ready(result.map_err(|error| self.explain_write(cx, error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.inner).poll_flush(cx));
        Poll::Ready(result.map_err(|error| self.explain_write(cx, error)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was not written is not waited for any more.
        self.sent_early.clear();
        self.wake_reader();
        // RFC 8446 6.1: close_notify before closing the write side, so that the peer knows that it
        // has everything.
        if !self.sent_close_notify {
            self.inner.get_mut().1.send_close_notify();
            ready!(self.as_mut().poll_flush(cx))?;
            self.sent_close_notify = true;
            self.scope.record(|| Tls::CloseNotifySent);
        }
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl<S> Drop for TlsStream<S> {
    fn drop(&mut self) {
        self.inner.get_ref().0.finish();
        self.scope.close();
    }
}
