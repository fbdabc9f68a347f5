//! A signature that costs nothing: SHA-256 over the key and the message, under the name of Ed25519.
//!
//! It forges nothing by chance and takes a microsecond, so that a million cases with hundreds of
//! signatures each are a matter of minutes. How often any signature is verified is counted.

use super::tree::{Body, Tree};
use ring::digest::{SHA256, digest};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use std::cell::Cell;

thread_local! {
    static VERIFIED: Cell<u64> = const { Cell::new(0) };
}

/// How many signatures have been verified since the last time.
pub(crate) fn verified() -> u64 {
    VERIFIED.take()
}

#[derive(Debug)]
struct Cheap;

impl SignatureVerificationAlgorithm for Cheap {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        VERIFIED.set(VERIFIED.get() + 1);
        if signature == sign(key, message) { Ok(()) } else { Err(InvalidSignature) }
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
}

/// A real one, counted.
#[derive(Debug)]
struct Counted(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        VERIFIED.set(VERIFIED.get() + 1);
        self.0.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

/// The real ones, with the cheap one in the place of Ed25519.
pub(crate) fn algorithms() -> WebPkiSupportedAlgorithms {
    let real = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let counted =
        |one: &'static dyn SignatureVerificationAlgorithm| -> &'static dyn SignatureVerificationAlgorithm {
            if one.signature_alg_id() == alg_id::ED25519 { &Cheap } else { Box::leak(Box::new(Counted(one))) }
        };
    let all: Vec<_> = real.all.iter().copied().map(counted).collect();
    WebPkiSupportedAlgorithms { all: Vec::leak(all), mapping: real.mapping }
}

/// The signature of `message` by the (public) `key`.
pub(crate) fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    digest(&SHA256, &[key, message].concat()).as_ref().to_vec()
}

/// Signs `SEQUENCE { what is signed, algorithm, signature }` anew.
pub(crate) fn sign_again(signed: &mut Tree, key: &[u8]) {
    let elements = signed.elements();
    let signature = sign(key, &elements[0].write());
    elements[2] = bit_string(&signature);
}

pub(crate) fn bit_string(bytes: &[u8]) -> Tree {
    Tree { tag: 3, body: Body::Bytes([&[0][..], bytes].concat()) }
}
