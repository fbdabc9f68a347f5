//! Everything that can go wrong with a fetch, and curl's exit code for it.

use crate::address_bar::AddressError;
use crate::connector::ConnectFailure;
use crate::headers::BadHeader;
use glasstack_dns::ResolveError;
use glasstack_http::{DecodeError, HttpError, RedirectError};
use glasstack_tls::{TlsError, TlsErrorKind};
use std::io;
use std::time::Duration;

/// A URL could not be fetched. Each layer's own error is the source or the whole of it.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// What was typed makes no URL.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A header field that is none.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// The name has no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address could be connected to.
    #[error(transparent)]
    Connect(#[from] ConnectFailure),
    /// Name, TCP and TLS took too long together.
    #[error("no connection to {host} within {} ms (allow more with --connect-timeout)", limit.as_millis())]
    ConnectTimedOut {
        /// The host.
        host: String,
        /// How long it was given.
        limit: Duration,
    },
    /// No TLS session could be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The request or its response failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The body failed, or could not be decoded.
    #[error(transparent)]
    Decode(DecodeError),
    /// What is to be uploaded cannot be read.
    #[error("what is to be sent cannot be read: {0}")]
    Upload(#[source] io::Error),
    /// A redirect was not followed.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The whole took too long.
    #[error("not done within {} ms, {received} bytes of the body had come (allow more with --max-time)",
        limit.as_millis())]
    TimedOut {
        /// How long it was given.
        limit: Duration,
        /// Bytes of the body that had been received, decoded.
        received: u64,
    },
}

impl From<DecodeError> for WebError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Transfer(error) => Self::Http(error),
            error => Self::Decode(error),
        }
    }
}

impl WebError {
    /// Whether the layer that failed has told it to the journal itself.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Self::Resolve(_) | Self::Connect(_) | Self::Tls(_) | Self::Http(_) => true,
            // These are found before there is anything to decode.
            Self::Decode(DecodeError::UnknownCoding { .. } | DecodeError::TooManyCodings { .. }) => false,
            Self::Decode(_) => true,
            Self::Address(_)
            | Self::Header(_)
            | Self::Upload(_)
            | Self::ConnectTimedOut { .. }
            | Self::Redirect(_)
            | Self::TimedOut { .. } => false,
        }
    }

    /// The exit code that curl has for this.
    ///
    /// | code | meaning |
    /// |---|---|
    /// | 1 | unsupported scheme; a reply that is not HTTP/1 |
    /// | 2 | an argument that makes no request |
    /// | 3 | no URL |
    /// | 6 | the name cannot be resolved |
    /// | 7 | no connection: refused, unreachable, no ARP reply, no route |
    /// | 8 | a head that breaks the rules |
    /// | 18 | a message cut short |
    /// | 26 | what is to be uploaded cannot be read |
    /// | 28 | a time limit of the user's, or a peer that does not answer the SYN |
    /// | 35 | TLS: the handshake failed |
    /// | 47 | too many redirects, or a loop of them |
    /// | 52 | the server closed the connection without a word |
    /// | 56 | the connection was reset or failed, or the body broke the rules |
    /// | 60 | TLS: the certificate was refused |
    /// | 61 | a content coding that is unknown, or data that are not in it |
    /// | 63 | a body larger than allowed |
    /// | 100 | a head larger than allowed |
    ///
    /// 0 is not among them, nor 22 (`-f` and a status of 400 or more), which is no error here.
    pub fn curl_exit_code(&self) -> u8 {
        match self {
            Self::Address(error) => address_code(error),
            Self::Header(_) => 2,
            Self::Upload(_) => 26,
            Self::Resolve(_) => 6,
            Self::Connect(error) if error.is_timeout() => 28,
            Self::Connect(_) => 7,
            Self::ConnectTimedOut { .. } | Self::TimedOut { .. } => 28,
            Self::Tls(error) => tls_code(error),
            Self::Http(error) => http_code(error),
            Self::Decode(error) => decode_code(error),
            Self::Redirect(error) => redirect_code(error),
        }
    }
}

fn address_code(error: &AddressError) -> u8 {
    match error {
        AddressError::UnsupportedScheme { .. } => 1,
        _ => 3,
    }
}

fn tls_code(error: &TlsError) -> u8 {
    match error.kind() {
        TlsErrorKind::Certificate => 60,
        TlsErrorKind::PinnedKey => 90,
        TlsErrorKind::Handshake | TlsErrorKind::Transport => 35,
    }
}

fn http_code(error: &HttpError) -> u8 {
    error.curl_exit_code()
}

fn decode_code(error: &DecodeError) -> u8 {
    match error {
        DecodeError::Transfer(error) => http_code(error),
        other => other.curl_exit_code(),
    }
}

fn redirect_code(error: &RedirectError) -> u8 {
    match error {
        RedirectError::TooMany { .. } | RedirectError::Loop { .. } => 47,
        RedirectError::BadLocation { .. } => 3,
        RedirectError::UnsupportedScheme { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_stack::{ConnectError, TcpError};

    fn connect(error: ConnectError) -> WebError {
        let attempts = vec![("10.0.0.2:80".parse().unwrap(), error)];
        ConnectFailure { host: "h.test".to_owned(), attempts }.into()
    }

    #[test]
    fn exit_codes_are_curls() {
        let peer = "10.0.0.2:80".parse().unwrap();
        let reset = std::sync::Arc::new(std::io::Error::from(TcpError::Reset { peer }));
        let cases: [(WebError, u8); 12] = [
            (AddressError::Empty.into(), 3),
            (AddressError::UnsupportedScheme { scheme: "ftp".into() }.into(), 1),
            (connect(ConnectError::Refused { peer }), 7),
            (connect(ConnectError::TimedOut { peer, after: Duration::from_secs(1) }), 28),
            (HttpError::Truncated { received: 1, expected: Some(2) }.into(), 18),
            (WebError::TimedOut { limit: Duration::from_secs(1), received: 0 }, 28),
            (TlsError::CutShort.into(), 35),
            (RedirectError::TooMany { limit: 50, to: String::new() }.into(), 47),
            (HttpError::EmptyReply.into(), 52),
            (HttpError::Reset { received: 0, source: reset }.into(), 56),
            (DecodeError::UnknownCoding { coding: "x".into() }.into(), 61),
            (DecodeError::Transfer(HttpError::EmptyReply).into(), 52),
        ];
        for (error, code) in cases {
            assert_eq!(error.curl_exit_code(), code, "{error}");
        }
    }
}
