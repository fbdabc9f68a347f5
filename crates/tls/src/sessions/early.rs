//! Data before the handshake is over (0-RTT, RFC 8446 2.3), and what it costs.
//!
//! It saves a round trip, and whoever records it can send it once more: it is sealed with a key of the
//! earlier session, and nothing in it is the server's of today (RFC 8446 8). So a client sends it only
//! when it is told to and the bytes may arrive twice, and a server takes it only when it is told to.
//!
//! A server here takes each session up once, and hands early data on only behind the client's Finished:
//! a recording gets no farther than the handshake, since who plays it has not the keys to finish one.
//! Other servers may be less careful, and that is what the client must reckon with.

use std::fmt;

/// What became of data that was to be early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyData {
    /// There was none.
    #[default]
    None,
    /// There was no session of TLS 1.3 to send it in: it was sent behind the handshake, as usual.
    NoSession,
    /// There was one, whose ticket allows no early data (RFC 8446 4.2.10): the same.
    NotAllowed,
    /// There was one, whose ticket allows less: the same.
    TooMuch {
        /// So many were to go.
        bytes: usize,
        /// So many may.
        allowed: usize,
    },
    /// Revocation has to be judged before anything is sent, and cannot be before the handshake: it was
    /// sent behind that, as usual.
    Withheld,
    /// The server took so many bytes.
    Accepted(usize),
    /// The server refused it, and so many bytes were sent once more, behind the handshake.
    Refused(usize),
    /// So many bytes came early (of a server's session). They are the first that are read.
    Received(usize),
}

impl fmt::Display for EarlyData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no early data"),
            Self::NoSession => f.write_str(
                "early data could not be sent (there is no earlier session of TLS 1.3 with this server): sent behind \
                 the handshake",
            ),
            Self::NotAllowed => f.write_str(
                "early data could not be sent (this server's ticket allows none): sent behind the handshake",
            ),
            Self::TooMuch { bytes, allowed } => write!(
                f,
                "early data could not be sent ({bytes} bytes of early data are more than the {allowed} that this \
                 server's ticket allows): sent behind the handshake"
            ),
            Self::Withheld => f.write_str(
                "early data was not sent early, since revocation is to be judged before anything is: sent behind the \
                 handshake",
            ),
            Self::Accepted(bytes) => write!(f, "the server took the {bytes} bytes of early data"),
            Self::Refused(bytes) => write!(
                f,
                "the server refused the {bytes} bytes of early data: they are sent once more, behind the handshake"
            ),
            Self::Received(bytes) => write!(
                f,
                "{bytes} bytes of early data came before the handshake was over. They are handed on now that the \
                 client has finished it, so they are no recording played again (RFC 8446 8)"
            ),
        }
    }
}
