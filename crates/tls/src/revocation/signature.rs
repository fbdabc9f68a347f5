//! Whether a list or an answer was signed by a key.

use super::DerError;
use super::der::{self, Reader};
use rustls::pki_types::SignatureVerificationAlgorithm;

/// The signatures that can be verified: a provider's `signature_verification_algorithms.all`.
pub type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// Something signed, as X.509 has it: what was signed, how, and the signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// What was signed, tag and length included.
    pub(crate) message: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// RFC 5280 4.1.1: `SEQUENCE { toBeSigned, AlgorithmIdentifier, BIT STRING }`, and the message as
    /// an element. What may follow is left in the reader.
    pub(crate) fn read(
        reader: &mut Reader<'a>,
        what: &'static str,
    ) -> Result<(Self, der::Element<'a>), DerError> {
        let message = reader.read(der::SEQUENCE, what)?;
        let algorithm = reader.read(der::SEQUENCE, "the signature's algorithm")?.contents;
        let bits = reader.read(der::BIT_STRING, "the signature")?;
        let signature = der::octets(&bits, "the signature")?;
        Ok((Self { message: message.whole, algorithm, signature }, message))
    }

    /// By the key of this SubjectPublicKeyInfo.
    pub(crate) fn verify(&self, key_info: &[u8], algorithms: Algorithms<'_>) -> Result<(), &'static str> {
        const UNREADABLE: &str = "cannot be verified: its issuer's key cannot be read";
        let key = KeyInfo::read(key_info).map_err(|_| UNREADABLE)?;
        let mut known = false;
        // One identifier of a signature stands for several algorithms, one for each kind of curve.
        for algorithm in algorithms {
            if algorithm.signature_alg_id().as_ref() != self.algorithm {
                continue;
            }
            known = true;
            if algorithm.public_key_alg_id().as_ref() == key.algorithm {
                return algorithm.verify_signature(key.bits, self.message, self.signature).map_err(
                    |_| "was not signed by the issuer's key (a forgery, or another key of the same name)",
                );
            }
        }
        Err(if known {
            "was not signed by the issuer's key, which is of another kind"
        } else {
            "is signed by an algorithm that is not accepted here (such as one with SHA-1)"
        })
    }
}

/// A SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
pub(crate) struct KeyInfo<'a> {
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) bits: &'a [u8],
}

impl<'a> KeyInfo<'a> {
    pub(crate) fn read(key_info: &'a [u8]) -> Result<Self, DerError> {
        const WHAT: &str = "the public key";
        let mut fields = Reader::only(key_info, der::SEQUENCE, WHAT)?.inside();
        let algorithm = fields.read(der::SEQUENCE, WHAT)?.contents;
        let bits = der::octets(&fields.read(der::BIT_STRING, WHAT)?, WHAT)?;
        fields.end(WHAT)?;
        Ok(Self { algorithm, bits })
    }
}
