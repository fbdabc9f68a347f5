//! One set of records, the signatures over it, and the keys of the zone (RFC 4035 5.3).

use crate::dnssec::checks::{Checks, Exceeded};
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::link::SignedBy;
use crate::dnssec::reason::{Check, SignatureFault};
use crate::dnssec::sets::{SignedSet, signed_data, signed_name};
use crate::name::DnsName;
use crate::record::Rrsig;

/// A set whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) signed_by: SignedBy,
    /// The wildcard that the records were made from (RFC 4035 5.3.4).
    pub(crate) wildcard: Option<DnsName>,
    /// How long they may be believed, in seconds (RFC 4035 5.3.3).
    pub(crate) ttl: u32,
}

/// No signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotVerified {
    /// There is none.
    Unsigned,
    /// What is wrong with the one that came nearest.
    Fault(SignatureFault),
    /// It was not looked at to the end.
    Exceeded(Exceeded),
}

impl From<Exceeded> for NotVerified {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

/// Finds a signature over `set` by one of `keys` that holds at `now`, in seconds since 1970. One is
/// enough (RFC 6840 5.11).
pub(crate) fn verify(
    set: &SignedSet,
    keys: &TrustedKeys,
    now: u32,
    checks: &mut Checks,
) -> Result<Verified, NotVerified> {
    let mut nearest: Option<SignatureFault> = None;
    for (signature, ttl) in &set.signatures {
        match verify_one(set, signature, keys, now, checks)? {
            Ok(()) => return Ok(verified(set, signature, *ttl, now)),
            Err(fault) => nearest = nearest.max(Some(fault)),
        }
    }
    Err(nearest.map_or(NotVerified::Unsigned, NotVerified::Fault))
}

/// The outer error ends the search, the inner one is about this signature.
fn verify_one(
    set: &SignedSet,
    signature: &Rrsig,
    keys: &TrustedKeys,
    now: u32,
    checks: &mut Checks,
) -> Result<Result<(), SignatureFault>, Exceeded> {
    if let Err(fault) = precheck(set, signature, keys, now, checks) {
        return Ok(Err(fault));
    }
    let (key_tag, algorithm) = (signature.key_tag, signature.algorithm);
    // RFC 4035 5.3.1: "If more than one DNSKEY RR matches ..., the validator MUST try each".
    let mut fault = SignatureFault::NoKey { key_tag, algorithm };
    let mut data = None;
    for key in keys.candidates(key_tag, algorithm) {
        if !checks.knows_key(key) {
            fault = fault.max(SignatureFault::Algorithm { algorithm });
            continue;
        }
        checks.spend(Check::Signatures, 1)?;
        let data = data.get_or_insert_with(|| signed_data(signature, &set.name, &set.records));
        let fits = |data: &Vec<u8>| checks.verify(key, data, &signature.signature);
        if data.as_ref().is_some_and(fits) {
            return Ok(Ok(()));
        }
        checks.spend(Check::WrongSignatures, 1)?;
        fault = SignatureFault::Mismatch { key_tag, algorithm };
    }
    Ok(Err(fault))
}

/// RFC 4035 5.3.1, all that can be told without arithmetic.
fn precheck(
    set: &SignedSet,
    signature: &Rrsig,
    keys: &TrustedKeys,
    now: u32,
    checks: &Checks,
) -> Result<(), SignatureFault> {
    let (key_tag, algorithm) = (signature.key_tag, signature.algorithm);
    // "The RRSIG RR's Signer's Name field MUST be the name of the zone that contains the RRset."
    if signature.signer != keys.zone || !set.may_be_in(&keys.zone) {
        return Err(SignatureFault::Signer { signer: signature.signer.clone() });
    }
    // "The number of labels in the RRset owner name MUST be greater than or equal to the value in the
    // RRSIG RR's Labels field." And what it stands for must be in the zone.
    if usize::from(signature.labels) < keys.zone.label_count() {
        return Err(labels_fault(set, signature));
    }
    if signed_name(&set.name, usize::from(signature.labels)).is_none() {
        return Err(labels_fault(set, signature));
    }
    if !checks.knows_algorithm(algorithm) {
        return Err(SignatureFault::Algorithm { algorithm });
    }
    if keys.candidates(key_tag, algorithm).next().is_none() {
        return Err(match keys.revoked.contains(&key_tag) {
            true => SignatureFault::Revoked { key_tag },
            false => SignatureFault::NoKey { key_tag, algorithm },
        });
    }
    // "The validator's notion of the current time MUST be less than or equal to the time listed in the
    // RRSIG RR's Expiration field", and the like for Inception; in serial number arithmetic (RFC 1982).
    if is_before(signature.expiration, now) {
        return Err(SignatureFault::Expired { key_tag, expiration: signature.expiration, now });
    }
    if is_before(now, signature.inception) {
        return Err(SignatureFault::NotYetValid { key_tag, inception: signature.inception, now });
    }
    Ok(())
}

fn labels_fault(set: &SignedSet, signature: &Rrsig) -> SignatureFault {
    SignatureFault::Labels { claimed: signature.labels, labels: set.name.label_count() }
}

fn verified(set: &SignedSet, signature: &Rrsig, signature_ttl: u32, now: u32) -> Verified {
    let source = signed_name(&set.name, usize::from(signature.labels));
    let received = set.records.iter().map(|record| record.ttl).min().unwrap_or(0);
    let left = signature.expiration.wrapping_sub(now);
    Verified {
        signed_by: SignedBy {
            zone: signature.signer.clone(),
            key_tag: signature.key_tag,
            algorithm: signature.algorithm,
            expiration: signature.expiration,
        },
        wildcard: source.filter(|source| *source != set.name),
        // RFC 4035 5.3.3
        ttl: received.min(signature_ttl).min(signature.original_ttl).min(left),
    }
}

/// RFC 1982 3.2: whether `one` is before `other`, both modulo 2^32.
fn is_before(one: u32, other: u32) -> bool {
    one != other && other.wrapping_sub(one) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_around_the_end_of_32_bits() {
        assert!(is_before(1, 2));
        assert!(!is_before(2, 1));
        assert!(!is_before(2, 2));
        assert!(is_before(u32::MAX - 10, 5));
        assert!(!is_before(5, u32::MAX - 10));
    }
}
