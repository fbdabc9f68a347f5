//! What can go wrong with a message.

use glasstack_stack::TcpError;
use std::error::Error;
use std::io;
use std::sync::Arc;

/// A request could not be sent, or its response not be received.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The connection ended in order before the first byte of a response.
    #[error("empty reply: the server closed the connection without a word")]
    EmptyReply,
    /// The connection ended in order within the head of a response.
    #[error("the server closed the connection after {received} bytes, within the head of its response")]
    HeadTruncated {
        /// Bytes of the head that had come.
        received: u64,
        /// Whether the status line was among them.
        has_status: bool,
    },
    /// The connection ended in order within a body (RFC 9112 8).
    #[error("body cut short: {received} bytes came{}, then the connection was closed",
        expected.map(|e| format!(" of {e}")).unwrap_or_else(|| ", the last chunk did not".to_owned()))]
    Truncated {
        /// Bytes of the body that had come.
        received: u64,
        /// The body's length by its head; none when it is chunked.
        expected: Option<u64>,
    },
    /// The peer reset the connection.
    #[error("the connection was reset after {received} bytes of the message")]
    Reset {
        /// Bytes of the message that had come.
        received: u64,
        /// What the stream said.
        source: Arc<io::Error>,
    },
    /// The connection died of silence.
    #[error("the connection was lost")]
    Lost {
        /// What the stream said.
        source: Arc<io::Error>,
    },
    /// TLS ended without close_notify: the message may have been cut short by anybody on the way.
    #[error("the TLS connection ended without close_notify after {received} bytes of the message")]
    UnexpectedTlsEof {
        /// Bytes of the message that had come.
        received: u64,
        /// What the stream said.
        source: Arc<io::Error>,
    },
    /// The stream failed in any other way.
    #[error("the connection failed")]
    Io {
        /// What the stream said.
        source: Arc<io::Error>,
    },
    /// What came does not begin as HTTP/1.x does.
    #[error("not an HTTP/1 response: it begins with \"{beginning}\"")]
    NotHttp {
        /// Its first bytes, escaped.
        beginning: String,
    },
    /// A head that breaks the rules (RFC 9112 2.2).
    #[error("malformed head: {why}")]
    MalformedHead {
        /// Which rule.
        why: String,
    },
    /// A body that breaks the rules (RFC 9112 7.1).
    #[error("malformed body after {received} bytes: {why}")]
    MalformedBody {
        /// Bytes of the body that had come.
        received: u64,
        /// Which rule.
        why: String,
    },
    /// A status line that cannot be understood (RFC 9112 4).
    #[error("the status line \"{line}\" cannot be understood: {why}")]
    BadStatusLine {
        /// Its beginning, escaped.
        line: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// One line of a head is longer than allowed.
    #[error("a line of the response's head is longer than {max_bytes} bytes")]
    HeadLineTooLong {
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// More head than allowed.
    #[error("the heads of the response exceed {max_bytes} bytes or {max_headers} header fields")]
    HeadTooLarge {
        /// Bytes allowed.
        max_bytes: usize,
        /// Header fields allowed.
        max_headers: usize,
    },
    /// More body than allowed.
    #[error("the body exceeds the limit of {limit} bytes")]
    BodyTooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The connection had ended before the request was sent.
    #[error("the connection was closed before the request could be sent")]
    Closed,
    /// The server closed the connection while the request was on its way, and said nothing.
    #[error("the server closed the connection when {sent} bytes of the request's body had been sent")]
    ClosedWhileSending {
        /// Bytes of the request's body handed to the stream.
        sent: u64,
    },
    /// The request's body could not be read.
    #[error("the request's body could not be read: {source}")]
    Upload {
        /// What its source said.
        source: Arc<io::Error>,
    },
    /// A body of unknown length in HTTP/1.0, which has no chunks.
    #[error(
        "a body whose length is not known in advance cannot be sent in HTTP/1.0: it has no chunks (RFC 9112 \
         7.1); leave --http1.0 out, or send a file"
    )]
    NoChunksInHttp10,
    /// A proxy did not open a tunnel (RFC 9110 9.3.6).
    #[error("the proxy does not open a tunnel: {why}")]
    NoTunnel {
        /// What it did instead.
        why: String,
    },
    /// The request cannot be written down.
    #[error("the request cannot be sent: {why}")]
    BadRequest {
        /// Why not.
        why: String,
    },
}

impl HttpError {
    /// Sorts a stream's error.
    pub(crate) fn broken(error: &Arc<io::Error>, received: u64) -> Self {
        let source = Arc::clone(error);
        match (tcp_error(error), error.kind()) {
            (Some(TcpError::Reset { .. }), _) | (None, io::ErrorKind::ConnectionReset) => {
                Self::Reset { received, source }
            }
            (Some(TcpError::TimedOut { .. } | TcpError::NoArpReply { .. }), _)
            | (None, io::ErrorKind::TimedOut) => Self::Lost { source },
            (None, io::ErrorKind::UnexpectedEof) => Self::UnexpectedTlsEof { received, source },
            _ => Self::Io { source },
        }
    }

    /// What TCP said, if it was TCP that failed.
    pub fn tcp_error(&self) -> Option<&TcpError> {
        match self {
            Self::Reset { source, .. }
            | Self::Lost { source }
            | Self::UnexpectedTlsEof { source, .. }
            | Self::Io { source } => tcp_error(source),
            _ => None,
        }
    }

    /// The exit code that curl 7.88 has for this.
    pub fn curl_exit_code(&self) -> u8 {
        match self {
            Self::NotHttp { .. } | Self::BadStatusLine { .. } => 1,
            Self::BadRequest { .. } => 2,
            Self::MalformedHead { .. } => 8,
            Self::HeadTruncated { has_status: true, .. } | Self::Truncated { .. } => 18,
            Self::NoChunksInHttp10 => 25,
            Self::Upload { .. } => 26,
            Self::HeadLineTooLong { .. } => 27,
            Self::EmptyReply | Self::Closed | Self::HeadTruncated { has_status: false, .. } => 52,
            Self::ClosedWhileSending { .. } => 55,
            Self::Reset { .. }
            | Self::Lost { .. }
            | Self::UnexpectedTlsEof { .. }
            | Self::Io { .. }
            | Self::MalformedBody { .. }
            | Self::HeadTooLarge { .. }
            | Self::NoTunnel { .. } => 56,
            Self::BodyTooLarge { .. } => 63,
        }
    }

    /// Whether a kept-alive connection fails like this when the server closed it while the request
    /// was on its way: a fresh connection may do better (RFC 9112 9.3.1).
    pub fn is_stale_connection(&self) -> bool {
        match self {
            Self::EmptyReply | Self::Closed => true,
            Self::Reset { received, .. } | Self::UnexpectedTlsEof { received, .. } => *received == 0,
            _ => false,
        }
    }
}

/// The TCP error somewhere inside `error`, if there is one.
fn tcp_error(error: &io::Error) -> Option<&TcpError> {
    let mut next: Option<&(dyn Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(error) = next {
        if let Some(tcp) = error.downcast_ref::<TcpError>() {
            return Some(tcp);
        }
        // An io::Error shows its cargo's source as its own, not the cargo itself.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as _),
            None => error.source(),
        };
    }
    None
}

/// An error with all its sources, in one line.
pub(crate) fn in_full(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tcp_reset_is_found_inside_the_error_of_the_layer_above() {
        let peer = "10.0.0.2:443".parse().unwrap();
        let tls = io::Error::other(io::Error::from(TcpError::Reset { peer }));
        let error = HttpError::broken(&Arc::new(tls), 12);
        assert!(matches!(error, HttpError::Reset { received: 12, .. }), "{error:?}");
        assert_eq!(error.tcp_error(), Some(&TcpError::Reset { peer }));
    }

    #[test]
    fn silence_before_the_first_byte_of_a_response_means_a_stale_connection() {
        let reset = |received| HttpError::Reset {
            received,
            source: Arc::new(io::Error::from(io::ErrorKind::ConnectionReset)),
        };
        assert!(reset(0).is_stale_connection());
        assert!(!reset(1).is_stale_connection());
        assert!(HttpError::EmptyReply.is_stale_connection());
        assert!(!HttpError::HeadTruncated { received: 3, has_status: false }.is_stale_connection());
    }
}
