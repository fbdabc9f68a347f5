//! The signature over the handshake (RFC 8446 4.4.3, RFC 5246 7.4.3) by a server's key alone: where any
//! certificate is taken, one that webpki does not load has a key all the same.

use crate::pin::key_of;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{DigitallySignedStruct, ProtocolVersion};
use webpki::RawPublicKeyEntity;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// How it came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It was made by the key.
    Holds,
    /// It was not, or there is no key.
    Fails,
    /// RSA of this many bits: too few for whoever verifies here.
    TooWeak(usize),
}

/// Whether `message` was signed by the key in `certificate`.
pub(crate) fn by_key(
    version: ProtocolVersion,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Proof {
    let key_info = key_of(certificate);
    if let Some(bits) = rsa_bits(key_info).filter(|bits| *bits < 2048) {
        return Proof::TooWeak(bits);
    }
    let key_info = SubjectPublicKeyInfoDer::from(key_info);
    let Ok(key) = RawPublicKeyEntity::try_from(&key_info) else { return Proof::Fails };
    let of_scheme = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
    // RFC 8446 4.2.3: a scheme names its curve, which in TLS 1.2 it does not.
    let most = if version == ProtocolVersion::TLSv1_3 { 1 } else { usize::MAX };
    let mut candidates = of_scheme.flat_map(|(_, candidates)| candidates.iter().take(most));
    let holds = candidates.any(|one| key.verify_signature(*one, message, signed.signature()).is_ok());
    if holds { Proof::Holds } else { Proof::Fails }
}

fn rsa_bits(key_info: &[u8]) -> Option<usize> {
    let (_, key) = SubjectPublicKeyInfo::from_der(key_info).ok()?;
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => Some(rsa.key_size()),
        _ => None,
    }
}
