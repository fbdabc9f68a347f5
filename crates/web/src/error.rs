//! Everything that can go wrong with a fetch, and curl's exit code for it.

use crate::address_bar::AddressError;
use crate::config::LowSpeed;
use crate::headers::BadHeader;
use crate::proxy::SocksError;
use glasstack_dns::ResolveError;
use glasstack_http::{DecodeError, HttpError, RedirectError};
use glasstack_stack::ConnectError;
use glasstack_tls::{TlsError, TlsErrorKind};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
    /// The scheme is not allowed.
    #[error("{url}: its scheme is not among those allowed (--proto, --proto-redir)")]
    SchemeNotAllowed {
        /// Where it was to go.
        url: String,
    },
    /// Connections were to come from an address that is not this host's.
    #[error("--interface {wanted}: this host's only address is {own}")]
    Interface {
        /// What was wanted.
        wanted: IpAddr,
        /// What there is.
        own: IpAddr,
    },
    /// The proxy's name has no address.
    #[error("the proxy: {0}")]
    ProxyResolve(#[source] ResolveError),
    /// No address of the proxy could be connected to.
    #[error("the proxy: {0}")]
    ProxyConnect(#[source] ConnectFailure),
    /// No TLS session with the proxy could be made.
    #[error("the proxy: {0}")]
    ProxyTls(#[source] TlsError),
    /// Nobody is there who makes TLS sessions with proxies.
    #[error("{proxy} is spoken to over TLS, and the settings for that are missing (ProxyRules::tls)")]
    NoProxyTls {
        /// The proxy.
        proxy: String,
    },
    /// The proxy does not tunnel.
    #[error("{proxy} answered {status} to CONNECT {to}: no tunnel")]
    Tunnel {
        /// The proxy.
        proxy: String,
        /// Where it was to lead.
        to: String,
        /// The status of its answer.
        status: u16,
    },
    /// The SOCKS proxy does not lead there.
    #[error(transparent)]
    Socks(#[from] SocksError),
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
    /// The server sends the whole, and the beginning of it is not wanted.
    #[error(
        "the transfer was to go on at byte {offset}, and the server sends the whole: it does not do ranges (leave \
         -C out to begin again)"
    )]
    RangeIgnored {
        /// Where it was to go on.
        offset: u64,
    },
    /// It goes on, but too slowly.
    #[error("less than {} bytes a second for {} s: too slow (--speed-limit, --speed-time)", limit.speed,
        limit.time.as_secs())]
    TooSlow {
        /// What was asked for.
        limit: LowSpeed,
    },
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
    /// The same, of the connection to a proxy.
    pub(crate) fn of_proxy(self) -> Self {
        match self {
            Self::Resolve(error) => Self::ProxyResolve(error),
            Self::Connect(error) => Self::ProxyConnect(error),
            other => other,
        }
    }

    /// Whether a connection was refused: nothing listens there.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Connect(error) | Self::ProxyConnect(error) if error.is_refused())
    }

    /// Whether the layer that failed has told it to the journal itself.
    pub(crate) fn is_told(&self) -> bool {
        match self {
            Self::Resolve(_) | Self::Connect(_) | Self::Tls(_) | Self::Http(_) => true,
            Self::ProxyResolve(_) | Self::ProxyConnect(_) | Self::ProxyTls(_) => true,
            // These are found before there is anything to decode.
            Self::Decode(DecodeError::UnknownCoding { .. } | DecodeError::TooManyCodings { .. }) => false,
            Self::Decode(_) => true,
            Self::Address(_)
            | Self::Header(_)
            | Self::SchemeNotAllowed { .. }
            | Self::NoProxyTls { .. }
            | Self::Interface { .. }
            | Self::Tunnel { .. }
            | Self::Socks(_)
            | Self::Upload(_)
            | Self::ConnectTimedOut { .. }
            | Self::RangeIgnored { .. }
            | Self::TooSlow { .. }
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
    /// | 5 | the proxy's name cannot be resolved |
    /// | 6 | the name cannot be resolved |
    /// | 7 | no connection: refused, unreachable, no ARP reply, no route |
    /// | 8 | a head that breaks the rules |
    /// | 18 | a message cut short |
    /// | 26 | what is to be uploaded cannot be read |
    /// | 28 | a time limit of the user's, or a peer that does not answer the SYN |
    /// | 33 | the server ignored the range of a transfer that was to go on |
    /// | 35 | TLS: the handshake failed |
    /// | 45 | an address that is not this host's, or ports that are taken |
    /// | 47 | too many redirects, or a loop of them |
    /// | 52 | the server closed the connection without a word |
    /// | 56 | the connection was reset or failed, a head was larger than allowed, the body broke the rules, or a proxy refused CONNECT |
    /// | 60 | TLS: the certificate was refused |
    /// | 61 | a content coding that is unknown, or data that are not in it |
    /// | 63 | a body larger than allowed |
    /// | 90 | TLS: the server's key is not the pinned one |
    /// | 91 | TLS: the OCSP answer that the server stapled, or did not, refuses its certificate |
    /// | 97 | a SOCKS proxy refused, or spoke none |
    ///
    /// 0 is not among them, nor 22 (`-f` and a status of 400 or more), which is no error here.
    pub fn curl_exit_code(&self) -> u8 {
        match self {
            Self::Address(error) => address_code(error),
            Self::Header(_) | Self::NoProxyTls { .. } => 2,
            Self::Upload(_) => 26,
            Self::SchemeNotAllowed { .. } => 1,
            Self::ProxyResolve(_) => 5,
            Self::Resolve(_) => 6,
            Self::Connect(error) | Self::ProxyConnect(error) if error.is_timeout() => 28,
            Self::Connect(error) | Self::ProxyConnect(error) if error.is_port_taken() => 45,
            Self::Connect(_) | Self::ProxyConnect(_) => 7,
            Self::ConnectTimedOut { .. } | Self::TimedOut { .. } | Self::TooSlow { .. } => 28,
            Self::RangeIgnored { .. } => 33,
            Self::Interface { .. } => 45,
            Self::Tunnel { .. } => 56,
            Self::Socks(_) => 97,
            Self::ProxyTls(error) => tls_code(error),
            Self::Tls(error) => tls_code(error),
            Self::Http(error) => http_code(error),
            Self::Decode(error) => decode_code(error),
            Self::Redirect(error) => redirect_code(error),
        }
    }
}

/// None of a host's addresses could be connected to.
#[derive(Clone, Debug)]
pub struct ConnectFailure {
    /// The host.
    pub host: String,
    /// Every address tried, in order, and what became of it.
    pub attempts: Vec<(SocketAddr, ConnectError)>,
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: ", self.host)?;
        for (index, (_, error)) in self.attempts.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectFailure {}

impl ConnectFailure {
    /// Whether the last address tried was silent until the time was up.
    pub fn is_timeout(&self) -> bool {
        matches!(self.attempts.last(), Some((_, ConnectError::TimedOut { .. })))
    }

    /// Whether all the ports that it could have come from were taken.
    pub fn is_port_taken(&self) -> bool {
        matches!(self.attempts.last(), Some((_, ConnectError::PortTaken { .. })))
    }

    /// Whether the last address tried answered that nothing listens there.
    pub fn is_refused(&self) -> bool {
        matches!(self.attempts.last(), Some((_, ConnectError::Refused { .. })))
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
        TlsErrorKind::CertificateStatus => 91,
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
    use glasstack_stack::TcpError;

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
