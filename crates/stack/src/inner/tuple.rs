//! The 4-tuple that names a connection, and the keyed hash that finds it.

use crate::environment::Entropy;
use std::hash::{BuildHasher, Hasher};
use std::net::{SocketAddr, SocketAddrV4};

/// This host's end and the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tuple {
    pub(crate) local: SocketAddrV4,
    pub(crate) remote: SocketAddrV4,
}

impl Tuple {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local.into()
    }

    pub(crate) fn remote_addr(&self) -> SocketAddr {
        self.remote.into()
    }
}

/// A hash that strangers cannot aim: whoever does not know the key cannot choose tuples that
/// collide. The key comes from the world's entropy, so a virtual world repeats itself.
#[derive(Clone)]
pub(crate) struct KeyedHash {
    key: [u64; 2],
}

impl KeyedHash {
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        Self { key: [entropy.u64(), entropy.u64() | 1] }
    }
}

impl BuildHasher for KeyedHash {
    type Hasher = KeyedHasher;
    fn build_hasher(&self) -> KeyedHasher {
        KeyedHasher { state: self.key[0], factor: self.key[1] }
    }
}

/// Multiplies each byte group into a secret odd factor and folds the high half down.
pub(crate) struct KeyedHasher {
    state: u64,
    factor: u64,
}

impl KeyedHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.state ^ word).wrapping_mul(u128::from(self.factor));
        #[allow(clippy::cast_possible_truncation, reason = "folding both halves together is the point")]
        let folded = (product >> 64) as u64 ^ product as u64;
        self.state = folded.rotate_left(23);
    }
}

impl Hasher for KeyedHasher {
    fn finish(&self) -> u64 {
        self.state ^ (self.state >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (slot, byte) in word.iter_mut().zip(chunk) {
                *slot = *byte;
            }
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.mix(n.into());
    }

    fn write_u32(&mut self, n: u32) {
        self.mix(n.into());
    }
}
