//! HTTP (RFC 9110, RFC 9112).

use crate::span::SpanId;
use serde::Serialize;
use std::fmt;
use std::net::SocketAddr;

/// Header fields in their order on the wire.
pub type Headers = Vec<(String, String)>;

/// How the end of a body is known (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// `Content-Length`, in bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// When the connection closes.
    UntilClose,
    /// There is no body.
    None,
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "content-length {bytes}"),
            Self::Chunked => f.write_str("chunked"),
            Self::UntilClose => f.write_str("until the connection closes"),
            Self::None => f.write_str("no body"),
        }
    }
}

/// What happened in HTTP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Http {
    /// A connection was chosen for a request.
    ConnectionChosen {
        /// Where it leads.
        remote: SocketAddr,
        /// The connection's own span.
        connection: Option<SpanId>,
        /// Whether it had carried an earlier request.
        reused: bool,
        /// Why, in words.
        why: String,
    },
    /// A request was sent.
    RequestSent {
        /// The method.
        method: String,
        /// The absolute URL.
        url: String,
        /// The protocol version, as `HTTP/1.1`.
        version: String,
        /// The header fields.
        headers: Headers,
        /// The body's length in bytes.
        body_length: u64,
    },
    /// The head of a response arrived.
    ResponseReceived {
        /// The status code.
        status: u16,
        /// Its name.
        reason: String,
        /// The protocol version.
        version: String,
        /// The header fields.
        headers: Headers,
        /// How the end of the body is known.
        framing: Framing,
    },
    /// A body arrived completely.
    BodyReceived {
        /// As transferred, in bytes.
        transferred: u64,
        /// As decoded, in bytes.
        decoded: u64,
        /// The content codings undone, as `gzip`.
        coding: Option<String>,
    },
    /// A redirect was followed.
    RedirectFollowed {
        /// The status code.
        status: u16,
        /// From.
        from: String,
        /// To.
        to: String,
        /// The method of the next request, and why it changed if it did.
        method: String,
        /// How many redirects so far, and how many are allowed.
        count: (u32, u32),
    },
    /// It was decided whether a request goes through a proxy.
    ProxyChosen {
        /// The proxy, as a URL without user and password; none: none.
        proxy: Option<String>,
        /// Why, in words.
        why: String,
    },
    /// A proxy made a tunnel, or refused to (RFC 9110 9.3.6; RFC 1928 for SOCKS).
    TunnelAnswered {
        /// The proxy, as a URL without user and password.
        proxy: String,
        /// Where to, host and port.
        to: String,
        /// What it said, in words.
        answer: String,
        /// Whether the tunnel is there.
        open: bool,
    },
    /// A server set a cookie.
    CookieReceived {
        /// Its name; its value is nobody's business.
        name: String,
        /// The host that set it.
        host: String,
        /// Whether it is kept.
        kept: bool,
        /// What became of it, and why, in words.
        why: String,
    },
    /// A cookie of the site that is asked was sent, or was not.
    CookieChosen {
        /// Its name.
        name: String,
        /// Whether it was sent.
        sent: bool,
        /// Why, in words.
        why: String,
    },
    /// It was decided who the user is to a server.
    CredentialsChosen {
        /// How it is said, as `Basic`.
        scheme: String,
        /// Where it is known from, in words.
        why: String,
    },
    /// A request or response failed.
    Failed {
        /// Why, with cause.
        why: String,
    },
    /// A server of ours received a request.
    Received {
        /// From whom.
        client: SocketAddr,
        /// The method.
        method: String,
        /// The target, as sent.
        target: String,
        /// The `Host` field.
        host: Option<String>,
    },
    /// A server of ours answered.
    Answered {
        /// The status code.
        status: u16,
        /// The body's length in bytes, if known in advance.
        body_length: Option<u64>,
        /// Why this answer, in words.
        why: String,
    },
}
