//! What a host takes from its world: clock, randomness, an executor, and somebody to tell.

use crate::executor::Executor;
use glasstack_journal::{Clock, Journal};
use std::sync::Arc;

/// A source of random bytes. In a real world they come from the operating system's CSPRNG, since a
/// remote peer must not guess ports, DNS ids or initial sequence numbers; in a virtual world from
/// the seed.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// Whether the same seed gives the same bytes again. Only a virtual world's source may say so:
    /// it makes TLS take its keys from here, too.
    fn is_reproducible(&self) -> bool;
}

impl dyn Entropy + '_ {
    /// A random number below `bound` (which must not be 0), without bias.
    pub fn below(&self, bound: u32) -> u32 {
        let zone = u32::MAX - u32::MAX % bound;
        loop {
            let n = self.u32();
            if n < zone {
                return n % bound;
            }
        }
    }

    /// Sixteen random bits.
    pub fn u16(&self) -> u16 {
        let mut bytes = [0; 2];
        self.fill(&mut bytes);
        u16::from_le_bytes(bytes)
    }

    /// Thirty-two random bits.
    pub fn u32(&self) -> u32 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Sixty-four random bits.
    pub fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Everything a host needs from the world it lives in. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// Where facts are told.
    pub journal: Journal,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Who polls futures, and wakes those that sleep.
    pub executor: Executor,
}
