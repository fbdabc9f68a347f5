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
    /// More head than allowed.
    #[error("the head of the message exceeds {max_bytes} bytes or {max_headers} header fields")]
    HeadTooLarge {
        /// Bytes allowed.
        max_bytes: usize,
        /// Header fields allowed.
        max_headers: usize,
    },
    /// Interim responses without end.
    #[error("more than {limit} interim (1xx) responses came, and no final one")]
    TooManyInterim {
        /// How many are allowed.
        limit: usize,
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
        assert!(!HttpError::HeadTruncated { received: 3 }.is_stale_connection());
    }
}
