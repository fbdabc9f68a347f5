//! Chance from a seed: every node and every fault has a stream of its own, so that one more or
//! less of them changes nothing for the others.

use glasstack_stack::Entropy;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Random bytes that come again with the same seed. Only a [`SimWorld`](crate::SimWorld) makes
/// one: on a real network it would give keys and ports away.
pub struct SeededEntropy {
    rng: Mutex<ChaCha20Rng>,
}

impl SeededEntropy {
    /// The stream that belongs to `purpose` in the world of `seed`.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self { rng: Mutex::new(stream(seed, purpose)) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    fn is_reproducible(&self) -> bool {
        true
    }
}

/// The dice of a [`Fault`](crate::fault::Fault).
#[derive(Debug)]
pub struct Rng {
    rng: ChaCha20Rng,
}

impl Rng {
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self { rng: stream(seed, purpose) }
    }

    /// Sixty-four random bits.
    pub fn u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A random number below `bound`; 0 if `bound` is 0. Its bias, below 2^-32 for every `bound`
    /// that counts bits or nanoseconds of a second, is nothing to a fault.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.rng.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A duration from nothing to `limit`, each nanosecond equally likely.
    pub fn up_to(&mut self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.below(nanos.saturating_add(1)))
    }

    /// True with this probability, from 0.0 (never) to 1.0 (always).
    pub fn chance(&mut self, probability: f64) -> bool {
        // 53 bits are what an f64 between 0 and 1 can hold.
        let unit = (self.rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < probability
    }
}

fn stream(seed: u64, purpose: &str) -> ChaCha20Rng {
    let mut key = *b"glasstack-sim: a seeded network.";
    for (byte, seed) in key.iter_mut().zip(seed.to_le_bytes()) {
        *byte ^= seed;
    }
    let mut rng = ChaCha20Rng::from_seed(key);
    rng.set_stream(fnv1a(purpose.as_bytes()));
    rng
}

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): it only has to tell the names
/// within one world apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, purpose: &str) -> [u8; 16] {
        let mut bytes = [0; 16];
        SeededEntropy::new(seed, purpose).fill(&mut bytes);
        bytes
    }

    #[test]
    fn the_same_seed_and_name_give_the_same_bytes_and_any_other_different_ones() {
        assert_eq!(draw(7, "client"), draw(7, "client"));
        assert_ne!(draw(7, "client"), draw(8, "client"));
        assert_ne!(draw(7, "client"), draw(7, "server"));
    }

    #[test]
    fn chance_is_never_at_zero_always_at_one_and_about_right_between() {
        let mut rng = Rng::new(1, "dice");
        assert!((0..1_000).all(|_| !rng.chance(0.0)));
        assert!((0..1_000).all(|_| rng.chance(1.0)));
        let hits = (0..10_000).filter(|_| rng.chance(0.1)).count();
        assert!((900..1_100).contains(&hits), "{hits} of 10 000 at 10 %");
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(1, "dice");
        assert!((0..1_000).all(|_| rng.below(6) < 6));
        assert_eq!(rng.below(0), 0);
    }
}
