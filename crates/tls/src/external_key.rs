//! A private key that is somebody else's business: it signs, and nobody here sees it.

use rustls::sign::{Signer, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// A key that signs elsewhere: in a device, in a service, or in ways that the provider does not know.
pub trait ExternalKey: fmt::Debug + Send + Sync {
    /// What it can do, best first: schemes by their numbers (RFC 8446 4.2.3), all of one kind of key.
    fn schemes(&self) -> &[u16];

    /// The signature of `message` in one of its schemes, as TLS sends it; none if that failed.
    fn sign(&self, scheme: u16, message: &[u8]) -> Option<Vec<u8>>;

    /// Whether the same message always has the same signature.
    fn is_deterministic(&self) -> bool {
        false
    }
}

/// As rustls wants it.
#[derive(Clone, Debug)]
pub(crate) struct External {
    key: Arc<dyn ExternalKey>,
    scheme: SignatureScheme,
}

impl External {
    /// None if the key can do nothing.
    pub(crate) fn new(key: Arc<dyn ExternalKey>) -> Option<Self> {
        let scheme = SignatureScheme::from(*key.schemes().first()?);
        Some(Self { key, scheme })
    }
}

impl SigningKey for External {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let mut schemes = self.key.schemes().iter().copied().map(SignatureScheme::from);
        let scheme = schemes.find(|scheme| offered.contains(scheme))?;
        Some(Box::new(Self { key: Arc::clone(&self.key), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match u16::from(self.scheme) {
            0x0403 | 0x0503 | 0x0603 => SignatureAlgorithm::ECDSA,
            0x0807 => SignatureAlgorithm::ED25519,
            0x0808 => SignatureAlgorithm::ED448,
            _ => SignatureAlgorithm::RSA,
        }
    }
}

impl Signer for External {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(u16::from(self.scheme), message);
        signature.ok_or_else(|| Error::General("the key did not sign".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
