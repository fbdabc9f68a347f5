//! What checking one answer may cost.

use crate::dnssec::crypto;
use crate::dnssec::good_signatures::GoodSignatures;
use crate::dnssec::reason::{Check, Reason};
use crate::dnssec::validator::Limits;
use crate::record::Dnskey;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts what one question has cost. Whoever makes an answer expensive to check (CVE-2023-50387, many
/// signatures and keys of one tag; CVE-2023-50868, many hashes) has it called bogus.
#[derive(Debug)]
pub(crate) struct Checks {
    signatures: Counter,
    wrong_signatures: Counter,
    digests: Counter,
    hash_rounds: Counter,
    fetches: Counter,
    taken_on_trust: BTreeSet<u8>,
    good: Arc<Mutex<GoodSignatures>>,
}

#[derive(Debug)]
struct Counter {
    left: u32,
    most: u32,
}

/// There is nothing left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    what: Check,
    most: u32,
}

impl From<Exceeded> for Reason {
    fn from(exceeded: Exceeded) -> Self {
        Self::ChecksExceeded { what: exceeded.what, most: exceeded.most }
    }
}

impl Checks {
    /// Of a question that stands alone.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self::remembering(limits, Arc::new(Mutex::new(GoodSignatures::new(0))))
    }

    /// Of one of many, which remember the signatures that were good.
    pub(crate) fn remembering(limits: &Limits, good: Arc<Mutex<GoodSignatures>>) -> Self {
        let counter = |most| Counter { left: most, most };
        Self {
            signatures: counter(limits.signatures),
            wrong_signatures: counter(limits.wrong_signatures),
            digests: counter(limits.digests),
            hash_rounds: counter(limits.hash_rounds),
            fetches: counter(limits.fetches),
            taken_on_trust: limits.taken_on_trust.clone(),
            good,
        }
    }

    /// Whether signatures of this algorithm can be checked.
    pub(crate) fn knows_algorithm(&self, algorithm: u8) -> bool {
        crypto::knows_algorithm(algorithm) || self.taken_on_trust.contains(&algorithm)
    }

    /// Whether signatures of this very key can be checked.
    pub(crate) fn knows_key(&self, key: &Dnskey) -> bool {
        crypto::knows_key(key) || self.taken_on_trust.contains(&key.algorithm)
    }

    /// Whether `signature` is the key's over `data`.
    pub(crate) fn verify(&self, key: &Dnskey, data: &[u8], signature: &[u8]) -> bool {
        if self.taken_on_trust.contains(&key.algorithm) {
            return true;
        }
        let digest = GoodSignatures::digest(key, data, signature);
        let good = || self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good().contains(&digest) {
            return true;
        }
        let fits = crypto::verify(key, data, signature);
        if fits {
            good().insert(digest);
        }
        fits
    }

    /// Spends `cost`; an error if there is not so much left.
    pub(crate) fn spend(&mut self, what: Check, cost: u32) -> Result<(), Exceeded> {
        let counter = match what {
            Check::Signatures => &mut self.signatures,
            Check::WrongSignatures => &mut self.wrong_signatures,
            Check::Digests => &mut self.digests,
            Check::HashRounds => &mut self.hash_rounds,
            Check::Fetches => &mut self.fetches,
        };
        counter.left = counter.left.checked_sub(cost).ok_or(Exceeded { what, most: counter.most })?;
        Ok(())
    }
}
