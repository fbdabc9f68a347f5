//! The transcript: the hash of the handshake messages so far (RFC 8446 4.4.1, RFC 5246 7.4.9).

use crate::observe::primitives::{Hash, Hashing};

/// Which hash it is, is known with the ServerHello only; until then the messages themselves are kept,
/// at most two ClientHellos.
pub(super) enum Transcript {
    Messages(Vec<u8>),
    Hashing(Hash, Box<Hashing>),
}

impl Default for Transcript {
    fn default() -> Self {
        Self::Messages(Vec::new())
    }
}

impl Transcript {
    pub(super) fn add(&mut self, message: &[u8]) {
        match self {
            Self::Messages(messages) => messages.extend_from_slice(message),
            Self::Hashing(_, hashing) => hashing.update(message),
        }
    }

    /// From now on it is this hash.
    pub(super) fn hash_with(&mut self, hash: Hash) {
        if let Self::Messages(messages) = self {
            let mut hashing = hash.start();
            hashing.update(messages);
            *self = Self::Hashing(hash, Box::new(hashing));
        }
    }

    /// RFC 8446 4.4.1: before a HelloRetryRequest, the hash of the ClientHello stands in its place.
    pub(super) fn retry(&mut self) {
        if let Self::Hashing(hash, hashing) = self {
            const MESSAGE_HASH: u8 = 254;
            let first = hashing.so_far();
            let length = u8::try_from(first.len()).unwrap_or(u8::MAX);
            let mut hashing = hash.start();
            hashing.update(&[MESSAGE_HASH, 0, 0, length]);
            hashing.update(&first);
            *self = Self::Hashing(*hash, Box::new(hashing));
        }
    }

    /// None until the hash function is known.
    pub(super) fn so_far(&self) -> Option<Vec<u8>> {
        match self {
            Self::Messages(_) => None,
            Self::Hashing(_, hashing) => Some(hashing.so_far()),
        }
    }
}
