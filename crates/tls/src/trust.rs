//! Who is believed: the root certificates.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use std::sync::Arc;

/// A set of root certificates. Cheap to clone; empty at first, when nobody is believed.
#[derive(Clone, Debug)]
pub struct TrustStore {
    roots: Arc<RootCertStore>,
}

impl TrustStore {
    /// Believes nobody.
    pub fn empty() -> Self {
        Self { roots: Arc::new(RootCertStore::empty()) }
    }

    /// Believes the certificates in a PEM text (RFC 7468), at least one. Other sections are passed
    /// over.
    pub fn from_pem(text: &[u8]) -> Result<Self, TrustError> {
        let mut store = Self::empty();
        store.add_pem(text)?;
        Ok(store)
    }

    /// Believes every one of these DER certificates, or says which of them cannot be a root.
    pub fn from_der<C: AsRef<[u8]>>(certificates: impl IntoIterator<Item = C>) -> Result<Self, TrustError> {
        let mut store = Self::empty();
        for (index, certificate) in certificates.into_iter().enumerate() {
            store.add_der(index + 1, certificate.as_ref())?;
        }
        Ok(store)
    }

    /// Believes those of a system's DER certificates that can be roots, and returns what was wrong
    /// with the others: real stores hold a few ancient ones.
    pub fn from_system<C: AsRef<[u8]>>(certificates: impl IntoIterator<Item = C>) -> (Self, Vec<TrustError>) {
        let mut store = Self::empty();
        let mut refused = Vec::new();
        for (index, certificate) in certificates.into_iter().enumerate() {
            if let Err(error) = store.add_der(index + 1, certificate.as_ref()) {
                refused.push(error);
            }
        }
        (store, refused)
    }

    /// Believes whom Mozilla believed when this was compiled.
    #[cfg(feature = "webpki-roots")]
    pub fn mozilla() -> Self {
        Self { roots: Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()) }
    }

    /// Believes also the certificates in a PEM text, and tells how many they are. When one is bad,
    /// those before it have been added.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<usize, TrustError> {
        let mut count = 0;
        for section in CertificateDer::pem_slice_iter(text) {
            let position = count + 1;
            let certificate = section.map_err(|source| TrustError::Pem { position, source })?;
            self.add_der(position, &certificate)?;
            count = position;
        }
        if count == 0 { Err(TrustError::NoCertificate) } else { Ok(count) }
    }

    /// How many are believed.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// Whether a believed certificate has this subject (a DER name, without the outer header, which
    /// is how the roots are kept).
    pub(crate) fn knows(&self, subject: &[u8]) -> bool {
        self.roots.roots.iter().any(|root| root.subject.as_ref() == subject)
    }

    fn add_der(&mut self, position: usize, certificate: &[u8]) -> Result<(), TrustError> {
        Arc::make_mut(&mut self.roots)
            .add(CertificateDer::from(certificate))
            .map_err(|source| TrustError::Certificate { position, source })
    }
}

impl Default for TrustStore {
    fn default() -> Self {
        Self::empty()
    }
}

/// Root certificates could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The text's framing is broken.
    #[error("certificate {position} is not valid PEM: {source}")]
    Pem {
        /// Which of the certificates, counted from 1.
        position: usize,
        /// What is wrong.
        source: pem::Error,
    },
    /// A certificate cannot be a root.
    #[error("certificate {position} cannot be a trusted root: {source}")]
    Certificate {
        /// Which of the certificates, counted from 1.
        position: usize,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The text holds no certificate.
    #[error("no certificate found: a PEM certificate begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
}
