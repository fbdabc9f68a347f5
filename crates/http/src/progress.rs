//! How far an exchange has come, for whoever wants to look while it goes on.

use bytes::Bytes;
use glasstack_journal::Instant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far one exchange has come. Clones look at the same exchange: give one to
/// [`Request::progress`](crate::Request::progress), keep one, and read it at any time.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<SoFar>>);

#[derive(Debug, Default)]
struct SoFar {
    /// But for the heads.
    figures: Snapshot,
    /// Apart, so that a storm of them costs no more than its bytes.
    heads: Vec<u8>,
}

/// What [`Progress`] says at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of the request's head.
    pub request_head: u64,
    /// Bytes of the request handed to the stream.
    pub written: u64,
    /// Bytes of the request's body handed to the stream, chunk headers included.
    pub uploaded: u64,
    /// The length of the request's body in bytes; none if it is known only at its end.
    pub upload_length: Option<u64>,
    /// When the last byte of the request had been handed to the stream; none: not yet.
    pub sent: Option<Instant>,
    /// When the first byte of a response arrived, interim or final; none: not yet.
    pub first_byte: Option<Instant>,
    /// The heads of the responses so far as they came, interim ones included. Where a head broke off
    /// or broke the rules, its lines up to there.
    pub heads: Bytes,
    /// Bytes received of the response's body as transferred, without chunk headers.
    pub downloaded: u64,
}

impl Progress {
    /// Of an exchange that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// How far it has come by now.
    pub fn look(&self) -> Snapshot {
        let so_far = self.lock();
        Snapshot { heads: Bytes::copy_from_slice(&so_far.heads), ..so_far.figures.clone() }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.lock().figures);
    }

    pub(crate) fn on_head(&self, raw: &[u8]) {
        self.lock().heads.extend_from_slice(raw);
    }

    fn lock(&self) -> MutexGuard<'_, SoFar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
