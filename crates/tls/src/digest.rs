//! Hashes by which people and pins tell certificates and keys apart (FIPS 180-4).

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// Nothing relies on it: it is the number that others show.
pub(crate) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
