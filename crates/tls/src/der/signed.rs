//! What is signed as X.509 has it (certificates, lists, OCSP answers), the keys it is verified with, and
//! whether it holds.

use super::{BIT_STRING, DerError, Element, Reader, SEQUENCE};
use rustls::pki_types::SignatureVerificationAlgorithm;

/// The signatures that can be verified: a provider's `signature_verification_algorithms.all`.
pub type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// Something signed: what was signed, how, and the signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// What was signed, tag and length included.
    pub(crate) message: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// Whether a signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    No,
    /// Of all keys, not of one such as this.
    OtherKey,
    /// Nobody here verifies such signatures.
    UnknownAlgorithm,
}

impl<'a> Signed<'a> {
    /// RFC 5280 4.1.1: `SEQUENCE { toBeSigned, AlgorithmIdentifier, BIT STRING }`, and the message as
    /// an element. What may follow is left in the reader.
    pub(crate) fn read(reader: &mut Reader<'a>, what: &'static str) -> Result<(Self, Element<'a>), DerError> {
        let message = reader.read(SEQUENCE, what)?;
        let algorithm = reader.read(SEQUENCE, "the signature's algorithm")?.contents;
        let signature = octets(reader.read(BIT_STRING, "the signature")?, "the signature")?;
        Ok((Self { message: message.whole, algorithm, signature }, message))
    }

    /// Whether this key made it.
    pub(crate) fn held(&self, key: &KeyInfo<'_>, algorithms: Algorithms<'_>) -> Held {
        let mut held = Held::UnknownAlgorithm;
        // One identifier of a signature stands for several algorithms, one for each kind of curve.
        for algorithm in algorithms.iter().filter(|one| one.signature_alg_id().as_ref() == self.algorithm) {
            held = Held::OtherKey;
            if algorithm.public_key_alg_id().as_ref() == key.algorithm {
                return match algorithm.verify_signature(key.bits, self.message, self.signature) {
                    Ok(()) => Held::Yes,
                    Err(_) => Held::No,
                };
            }
        }
        held
    }
}

/// A SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyInfo<'a> {
    /// The contents of the AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    pub(crate) bits: &'a [u8],
}

impl<'a> KeyInfo<'a> {
    /// Of the whole of it.
    pub(crate) fn read(key_info: &'a [u8]) -> Result<Self, DerError> {
        Self::of_contents(Reader::only(key_info, SEQUENCE, WHAT)?.contents)
    }

    /// Of its contents, as trust anchors have them.
    pub(crate) fn of_contents(contents: &'a [u8]) -> Result<Self, DerError> {
        let mut fields = Reader::new(contents);
        let algorithm = fields.read(SEQUENCE, WHAT)?.contents;
        let bits = octets(fields.read(BIT_STRING, WHAT)?, WHAT)?;
        fields.end(WHAT)?;
        Ok(Self { algorithm, bits })
    }
}

const WHAT: &str = "the public key";

/// The bits of a BIT STRING that are whole octets.
fn octets<'a>(element: Element<'a>, what: &'static str) -> Result<&'a [u8], DerError> {
    match element.bits(what)? {
        (octets, 0) => Ok(octets),
        _ => Err(DerError::Value { what }),
    }
}
