//! Signatures that have been found good: the arithmetic of one takes as long as all else about an answer.
//!
//! The same signatures come again and again: that of a wildcard with each name that it stands for (RFC 4034 3.1.8.1
//! signs the wildcard's own name), those of proofs with each name that they deny. When they hold, whose keys they are
//! made with and what they prove is looked at each time anew; remembered is only that they fit.

use crate::dnssec::crypto;
use crate::record::Dnskey;
use std::collections::{BTreeSet, VecDeque};

/// The digest of a key, a signature and what it is over.
type Digest = [u8; 32];

/// Good signatures, bounded: the oldest gives way.
#[derive(Debug)]
pub(crate) struct GoodSignatures {
    known: BTreeSet<Digest>,
    order: VecDeque<Digest>,
    capacity: usize,
}

impl GoodSignatures {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { known: BTreeSet::new(), order: VecDeque::new(), capacity }
    }

    /// What stands for this very signature.
    pub(crate) fn digest(key: &Dnskey, data: &[u8], signature: &[u8]) -> Digest {
        let mut all = Vec::with_capacity(17 + key.public_key.len() + signature.len() + data.len());
        all.push(key.algorithm);
        // With their lengths, so that nothing can be taken for a part of something else.
        for part in [&key.public_key[..], signature] {
            all.extend((part.len() as u64).to_be_bytes());
            all.extend(part);
        }
        all.extend(data);
        crypto::sha256(&all)
    }

    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.known.contains(digest)
    }

    pub(crate) fn insert(&mut self, digest: Digest) {
        if self.capacity == 0 || !self.known.insert(digest) {
            return;
        }
        self.order.push_back(digest);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::checks::Checks;
    use crate::dnssec::crypto::{ED25519, PrivateKey};
    use crate::dnssec::validator::Limits;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_good_signature_is_remembered_and_no_other_for_it() {
        let private = PrivateKey::from_seed(&[7; 32]);
        let key = Dnskey { flags: 256, protocol: 3, algorithm: ED25519, public_key: private.public() };
        let other = Dnskey { public_key: PrivateKey::from_seed(&[8; 32]).public(), ..key.clone() };
        let signature = private.sign(b"data");
        let good = Arc::new(Mutex::new(GoodSignatures::new(4)));
        let checks = Checks::remembering(&Limits::default(), Arc::clone(&good));
        assert!(!checks.verify(&key, b"date", &signature));
        assert!(good.lock().unwrap().known.is_empty());
        for _ in 0..2 {
            assert!(checks.verify(&key, b"data", &signature));
            assert_eq!(good.lock().unwrap().known.len(), 1);
            assert!(!checks.verify(&key, b"date", &signature));
            assert!(!checks.verify(&key, b"data", &signature[1..]));
            assert!(!checks.verify(&other, b"data", &signature));
        }
        for number in 0..9_u8 {
            assert!(checks.verify(&key, &[number], &private.sign(&[number])));
        }
        let (known, order) = {
            let good = good.lock().unwrap();
            (good.known.len(), good.order.len())
        };
        assert_eq!((known, order), (4, 4));
        let first = GoodSignatures::digest(&key, b"data", &signature);
        assert!(!good.lock().unwrap().contains(&first), "the oldest gives way");
    }

    #[test]
    fn where_one_part_ends_and_the_next_begins_makes_a_difference() {
        let key = |public_key: &[u8]| Dnskey {
            flags: 256,
            protocol: 3,
            algorithm: 15,
            public_key: public_key.to_vec(),
        };
        let one = GoodSignatures::digest(&key(b"ab"), b"e", b"cd");
        assert_ne!(one, GoodSignatures::digest(&key(b"a"), b"e", b"bcd"));
        assert_ne!(one, GoodSignatures::digest(&key(b"ab"), b"de", b"c"));
        assert_ne!(one, GoodSignatures::digest(&Dnskey { algorithm: 13, ..key(b"ab") }, b"e", b"cd"));
    }
}
