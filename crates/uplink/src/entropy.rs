//! The operating system's random numbers: what a remote peer must not be able to guess.

use glasstack_stack::Entropy;
use std::io;

/// Bytes from the kernel's CSPRNG (getrandom(2)).
#[derive(Debug)]
pub struct OsEntropy {
    _tried: (),
}

impl OsEntropy {
    /// Tries the source once, so that a system without one is told now and not in mid-journey.
    pub fn new() -> io::Result<Self> {
        getrandom::fill(&mut [0; 16]).map_err(io::Error::other)?;
        Ok(Self { _tried: () })
    }
}

impl Entropy for OsEntropy {
    #[expect(clippy::panic, reason = "to go on with bytes that can be guessed would be worse")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system's random number generator stopped working: {error}");
        }
    }

    fn is_reproducible(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_differ_and_nobody_may_take_them_for_a_seeds() {
        let entropy = OsEntropy::new().unwrap();
        let (mut first, mut second) = ([0; 32], [0; 32]);
        entropy.fill(&mut first);
        entropy.fill(&mut second);
        assert_ne!(first, second);
        assert!(!entropy.is_reproducible());
    }
}
