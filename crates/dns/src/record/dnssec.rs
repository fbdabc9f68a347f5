//! The data of DNSSEC's records (RFC 4034, RFC 5155).

use super::RecordType;
use crate::name::{DnsName, SpelledName};
use std::collections::BTreeSet;

/// The digest of a key of the zone below (RFC 4034 5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ds {
    /// The key's tag (RFC 4034 B).
    pub key_tag: u16,
    /// The key's algorithm (IANA, "DNS Security Algorithm Numbers").
    pub algorithm: u8,
    /// How the digest was made: 2 is SHA-256.
    pub digest_type: u8,
    /// The digest of the key's owner and data.
    pub digest: Vec<u8>,
}

/// A key of a zone (RFC 4034 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dnskey {
    /// 256 says that it is a zone's key, 1 that it is an entry point, 128 that it is revoked (RFC 5011).
    pub flags: u16,
    /// 3.
    pub protocol: u8,
    /// The algorithm.
    pub algorithm: u8,
    /// The key, in the algorithm's own form.
    pub public_key: Vec<u8>,
}

/// A signature over all records of one owner and type (RFC 4034 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rrsig {
    /// The type of what is signed.
    pub type_covered: RecordType,
    /// The algorithm.
    pub algorithm: u8,
    /// How many labels the signed name has, the root and a wildcard's asterisk not counted.
    pub labels: u8,
    /// The records' TTL in the zone, in seconds.
    pub original_ttl: u32,
    /// Until when it holds, in seconds since 1970, modulo 2^32 (RFC 4034 3.1.5).
    pub expiration: u32,
    /// Since when.
    pub inception: u32,
    /// The tag of the key that made it.
    pub key_tag: u16,
    /// The zone whose key that is.
    pub signer: DnsName,
    /// The signature itself.
    pub signature: Vec<u8>,
}

/// The next name that exists in the zone, and the types that exist at this one (RFC 4034 4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsec {
    /// The next name in canonical order; after the last comes the zone's own. Its letters are signed as they are
    /// (RFC 6840 5.1).
    pub next: SpelledName,
    /// The types that the owner has.
    pub types: BTreeSet<RecordType>,
}

/// The next hash in the zone, and the types that exist at the name with this one (RFC 5155 3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsec3 {
    /// 1 is SHA-1, the only one.
    pub hash_algorithm: u8,
    /// 1 says opt-out: unsigned delegations may lie in between (RFC 5155 6).
    pub flags: u8,
    /// How often a name is hashed again.
    pub iterations: u16,
    /// What is hashed along.
    pub salt: Vec<u8>,
    /// The next hash, as bytes.
    pub next_hashed: Vec<u8>,
    /// The types that the name has.
    pub types: BTreeSet<RecordType>,
}

/// How a zone hashes names (RFC 5155 4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nsec3Param {
    /// 1 is SHA-1, the only one.
    pub hash_algorithm: u8,
    /// 0.
    pub flags: u8,
    /// How often a name is hashed again.
    pub iterations: u16,
    /// What is hashed along.
    pub salt: Vec<u8>,
}
