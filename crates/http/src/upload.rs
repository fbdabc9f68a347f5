//! The body of a request, on its way out.

use bytes::Bytes;
use std::fmt;
use std::io;
use std::task::{Context, Poll};

/// What a request carries.
#[derive(Default)]
pub enum RequestBody {
    /// Nothing.
    #[default]
    Empty,
    /// What is here already.
    Bytes(Bytes),
    /// What comes piece by piece.
    Stream {
        /// Its length in bytes; none: known only at the end, and sent `chunked` (RFC 9112 7.1).
        length: Option<u64>,
        /// Where it comes from.
        source: Box<dyn BodySource>,
    },
}

/// Where a streamed body comes from.
pub trait BodySource: Send {
    /// The next piece, of whatever size; none at the end. After an error it is not asked again.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;
}

impl RequestBody {
    /// Its length in bytes, if that is known in advance.
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream { length, .. } => *length,
        }
    }

    /// Whether there is none at all; one whose length is 0 is empty too, but it is one.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl<B: Into<Bytes>> From<B> for RequestBody {
    fn from(bytes: B) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}
