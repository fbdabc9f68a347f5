//! Private keys, each derived from the seed and the name of its owner, so that it does not matter who is
//! asked for first.

use super::PkiError;
use super::rsa::{self, RsaKey};
use super::terms::KeyKind;
use glasstack_tls::{ExternalKey, Identity};
use p256::ecdsa::signature::Signer;
use p256::pkcs8::{EncodePrivateKey, LineEnding};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData,
    SerialNumber, SignatureAlgorithm, SigningKey,
};
use sha2::{Digest, Sha256, Sha512};
use std::fmt;
use std::sync::Arc;

/// Signature schemes of TLS (RFC 8446 4.2.3).
const ECDSA_P256_SHA256: u16 = 0x0403;
const ECDSA_P384_SHA384: u16 = 0x0503;
const ED25519: u16 = 0x0807;
const RSA_PKCS1_SHA256: u16 = 0x0401;
const RSA_PSS_SHA256: u16 = 0x0804;

/// Where all keys and serial numbers come from.
pub(super) struct Secrets {
    seed: [u8; 32],
    /// The world is one of a seed: everything in it has to be the same again.
    is_reproducible: bool,
}

impl Secrets {
    pub(super) fn new(seed: [u8; 32], is_reproducible: bool) -> Self {
        Self { seed, is_reproducible }
    }

    /// The key of `owner`.
    pub(super) fn key(&self, owner: &str, kind: KeyKind) -> Result<Key, PkiError> {
        let kind = match (kind, self.is_reproducible) {
            (KeyKind::Usual, true) => return ed25519(&self.derive("Ed25519", owner)),
            // What browsers accept: they refuse Ed25519 (CA/Browser Forum, Baseline Requirements 6.1.5).
            (KeyKind::Usual, false) => KeyKind::P256,
            (kind, _) => kind,
        };
        let key = match kind {
            KeyKind::P384 => {
                let wide = Sha512::new().chain_update(self.derive("P-384", owner)).finalize();
                let secret = wide.get(..48).and_then(|bytes| p384::SecretKey::from_slice(bytes).ok());
                secret.map(|secret| {
                    let point = secret.public_key().to_sec1_bytes().to_vec();
                    Kind::P384(p384::ecdsa::SigningKey::from(&secret), secret, point)
                })
            }
            KeyKind::Rsa1024 => RsaKey::from_pem(rsa::RSA_1024).map(Kind::Rsa),
            KeyKind::Rsa2048 => RsaKey::from_pem(rsa::RSA_2048).map(Kind::Rsa),
            KeyKind::Rsa4096 => RsaKey::from_pem(rsa::RSA_4096).map(Kind::Rsa),
            KeyKind::Usual | KeyKind::P256 => {
                let secret = p256::SecretKey::from_slice(&self.derive("P-256", owner)).ok();
                secret.map(|secret| {
                    let point = secret.public_key().to_sec1_bytes().to_vec();
                    Kind::P256(p256::ecdsa::SigningKey::from(&secret), secret, point)
                })
            }
        };
        Ok(Key(key.ok_or(PkiError::Key)?))
    }

    /// The RSA key of an authority.
    pub(super) fn rsa_authority() -> Result<Key, PkiError> {
        Ok(Key(Kind::Rsa(RsaKey::from_pem(rsa::AUTHORITY).ok_or(PkiError::Key)?)))
    }

    /// The serial number of a certificate. RFC 5280 4.1.2.2: positive, at most 20 bytes; unpredictable, as the
    /// CA/Browser Forum asks.
    pub(super) fn serial(&self, owner: &str) -> Vec<u8> {
        let mut serial = self.derive("serial number", owner)[..16].to_vec();
        if let Some(first) = serial.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        serial
    }

    /// Secret bytes for one purpose and one owner.
    fn derive(&self, purpose: &str, owner: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.seed).chain_update(purpose).chain_update([0]);
        hash.chain_update(owner).finalize().into()
    }
}

/// RFC 8410 7: PKCS#8 around the 32 bytes of a private key.
fn ed25519(secret: &[u8; 32]) -> Result<Key, PkiError> {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend(secret);
    Ok(Key(Kind::Ed25519(KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_ED25519)?)))
}

/// The serial number as certificates and lists hold it.
pub(super) fn serial_number(bytes: &[u8]) -> SerialNumber {
    SerialNumber::from_slice(bytes)
}

/// A private key. All of its signatures are the same every time.
pub(super) struct Key(Kind);

enum Kind {
    Ed25519(KeyPair),
    P256(p256::ecdsa::SigningKey, p256::SecretKey, Vec<u8>),
    P384(p384::ecdsa::SigningKey, p384::SecretKey, Vec<u8>),
    Rsa(RsaKey),
}

impl Key {
    /// As PEM: PKCS#8, of RSA PKCS#1.
    pub(super) fn pem(&self) -> Result<String, PkiError> {
        let text = match &self.0 {
            Kind::Ed25519(key) => Ok(key.serialize_pem()),
            Kind::P256(_, key, _) => key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()),
            Kind::P384(_, key, _) => key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()),
            Kind::Rsa(key) => Ok(key.pem().to_owned()),
        };
        text.map_err(|_| PkiError::Key)
    }

    /// With the certificate of this key and the chain above it, what a server shows. The key signs itself: other
    /// libraries draw chance from the operating system, or refuse weak keys, or the certificates.
    pub(super) fn identity(self: &Arc<Self>, chain: Vec<Vec<u8>>) -> Result<Identity, PkiError> {
        Ok(Identity::from_external(chain, Arc::clone(self) as Arc<dyn ExternalKey>)?)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1; none of another kind of key.
    pub(super) fn sign_sha1(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Rsa(key) => Some(key.sign_sha1(message)),
            _ => None,
        }
    }

    /// The object identifier of what [`SigningKey::sign`] makes, and whether NULL stands behind it (RFC 8410 3,
    /// RFC 5758 3.2, RFC 4055 5).
    pub(super) fn algorithm_identifier(&self) -> (&'static [u64], bool) {
        match &self.0 {
            Kind::Ed25519(_) => (&[1, 3, 101, 112], false),
            Kind::P256(..) => (&[1, 2, 840, 10045, 4, 3, 2], false),
            Kind::P384(..) => (&[1, 2, 840, 10045, 4, 3, 3], false),
            Kind::Rsa(_) => (&[1, 2, 840, 113_549, 1, 1, 11], true),
        }
    }

    /// The signature of certificates, lists and OCSP answers.
    pub(super) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(match &self.0 {
            Kind::Ed25519(key) => key.sign(message)?,
            Kind::P256(key, ..) => p256_signature(key, message),
            Kind::P384(key, ..) => p384_signature(key, message),
            Kind::Rsa(key) => key.sign_sha256(message),
        })
    }
}

/// RFC 6979: no chance is needed.
fn p256_signature(key: &p256::ecdsa::SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

fn p384_signature(key: &p384::ecdsa::SigningKey, message: &[u8]) -> Vec<u8> {
    let signature: p384::ecdsa::Signature = key.sign(message);
    signature.to_der().as_bytes().to_vec()
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match &self.0 {
            Kind::Ed25519(key) => key.der_bytes(),
            Kind::P256(_, _, point) | Kind::P384(_, _, point) => point,
            Kind::Rsa(key) => key.public(),
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match &self.0 {
            Kind::Ed25519(_) => &PKCS_ED25519,
            Kind::P256(..) => &PKCS_ECDSA_P256_SHA256,
            Kind::P384(..) => &PKCS_ECDSA_P384_SHA384,
            Kind::Rsa(_) => &PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signature(message)
    }
}

impl ExternalKey for Key {
    fn schemes(&self) -> &[u16] {
        match &self.0 {
            Kind::Ed25519(_) => &[ED25519],
            Kind::P256(..) => &[ECDSA_P256_SHA256],
            Kind::P384(..) => &[ECDSA_P384_SHA384],
            Kind::Rsa(_) => &[RSA_PSS_SHA256, RSA_PKCS1_SHA256],
        }
    }

    fn sign(&self, scheme: u16, message: &[u8]) -> Option<Vec<u8>> {
        match (&self.0, scheme) {
            (Kind::Ed25519(key), ED25519) => key.sign(message).ok(),
            (Kind::P256(key, ..), ECDSA_P256_SHA256) => Some(p256_signature(key, message)),
            (Kind::P384(key, ..), ECDSA_P384_SHA384) => Some(p384_signature(key, message)),
            (Kind::Rsa(key), RSA_PSS_SHA256) => Some(key.sign_pss(message)),
            (Kind::Rsa(key), RSA_PKCS1_SHA256) => Some(key.sign_sha256(message)),
            _ => None,
        }
    }

    fn is_deterministic(&self) -> bool {
        true
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.algorithm_identifier().0).finish()
    }
}
