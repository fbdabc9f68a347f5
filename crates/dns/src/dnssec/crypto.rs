//! Signatures and digests: the only place of DNSSEC that knows hickory-proto and ring.

use crate::record::Dnskey;
use hickory_proto::dnssec::crypto::Digest;
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKey, PublicKeyBuf};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Ed25519's number among the algorithms (RFC 8080 5).
pub(crate) const ED25519: u8 = 15;
/// SHA-1's number among the digest types (RFC 3658 2.4).
pub(crate) const SHA_1: u8 = 1;
/// SHA-256's number among the digest types (RFC 4509 5).
pub(crate) const SHA_256: u8 = 2;
/// Shorter RSA moduli are not checked, in bytes: anybody could forge such a signature, and ring
/// refuses to look.
const SHORTEST_RSA: usize = 128;

/// Whether signatures of this algorithm can be checked: RSA with SHA-1, SHA-256 and SHA-512, ECDSA on
/// P-256 and P-384, Ed25519.
pub(crate) fn knows_algorithm(algorithm: u8) -> bool {
    Algorithm::from_u8(algorithm).is_supported()
}

/// Whether keys can be compared with digests of this type: SHA-1, SHA-256, SHA-384.
pub(crate) fn knows_digest(digest_type: u8) -> bool {
    DigestType::from(digest_type).is_supported()
}

/// Whether signatures of this very key can be checked.
pub(crate) fn knows_key(key: &Dnskey) -> bool {
    let is_rsa = matches!(key.algorithm, 5 | 7 | 8 | 10);
    knows_algorithm(key.algorithm) && (!is_rsa || rsa_modulus_len(&key.public_key) >= SHORTEST_RSA)
}

/// Whether `signature` is the key's over `data`.
pub(crate) fn verify(key: &Dnskey, data: &[u8], signature: &[u8]) -> bool {
    knows_key(key)
        && PublicKeyBuf::new(key.public_key.clone(), Algorithm::from_u8(key.algorithm))
            .verify(data, signature)
            .is_ok()
}

/// The digest of `data`; none if the type is unknown.
pub(crate) fn digest(digest_type: u8, data: &[u8]) -> Option<Vec<u8>> {
    Some(Digest::new(data, DigestType::from(digest_type)).ok()?.as_ref().to_vec())
}

/// The SHA-256 digest of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, data);
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, made)| *byte = *made);
    bytes
}

/// The hash of a name for NSEC3 (RFC 5155 5): SHA-1, `iterations` more times.
pub(crate) fn nsec3_hash(name: &[u8], salt: &[u8], iterations: u16) -> Vec<u8> {
    let digest = Digest::iterated(salt, name, DigestType::SHA1, iterations);
    digest.map(|digest| digest.as_ref().to_vec()).unwrap_or_default()
}

/// How long the modulus of an RSA key is, in bytes (RFC 3110 2).
fn rsa_modulus_len(key: &[u8]) -> usize {
    let exponent = match *key {
        [0, high, low, ..] => 3 + usize::from(u16::from_be_bytes([high, low])),
        [length, ..] => 1 + usize::from(length),
        [] => 0,
    };
    key.len().saturating_sub(exponent)
}

/// A private Ed25519 key: the same seed makes the same key, and the same key the same signatures.
pub(crate) struct PrivateKey(Option<Ed25519KeyPair>);

impl PrivateKey {
    /// The key that 32 bytes make.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        // ring refuses nothing but another length.
        Self(Ed25519KeyPair::from_seed_unchecked(seed).ok())
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.0.as_ref().map(|pair| pair.public_key().as_ref().to_vec()).unwrap_or_default()
    }

    pub(crate) fn sign(&self, data: &[u8]) -> Vec<u8> {
        self.0.as_ref().map(|pair| pair.sign(data).as_ref().to_vec()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_signed_it_verifies_and_nothing_else() {
        let private = PrivateKey::from_seed(&[7; 32]);
        let public = Dnskey { flags: 256, protocol: 3, algorithm: ED25519, public_key: private.public() };
        let signature = private.sign(b"data");
        assert!(verify(&public, b"data", &signature));
        assert!(!verify(&public, b"date", &signature));
        assert!(!verify(&public, b"data", &signature[1..]));
        assert!(!verify(&Dnskey { algorithm: 13, ..public.clone() }, b"data", &signature));
        assert!(!verify(&Dnskey { algorithm: 3, ..public.clone() }, b"data", &signature));
        assert!(!verify(&Dnskey { algorithm: 8, ..public }, b"data", &signature));
    }

    #[test]
    fn rsa_keys_that_anybody_could_break_count_as_unknown() {
        let key = |modulus: usize| Dnskey {
            flags: 256,
            protocol: 3,
            algorithm: 8,
            public_key: [vec![1, 3], vec![0xc5; modulus]].concat(),
        };
        assert!(knows_key(&key(128)));
        assert!(!knows_key(&key(64)));
        assert!(!knows_key(&Dnskey { public_key: Vec::new(), ..key(128) }));
    }
}
