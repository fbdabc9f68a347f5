//! Who is believed: the root certificates, and where each came from.

use crate::certificate::CertificateInfo;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, TrustAnchor};
use std::sync::Arc;

/// A set of root certificates. Cheap to clone; empty at first, when nobody is believed.
#[derive(Clone, Debug)]
pub struct TrustStore {
    roots: Arc<RootCertStore>,
    /// What else is known of each, in the same order.
    known: Arc<Vec<Known>>,
}

/// What is known of a root beside its name and key.
#[derive(Clone, Debug)]
struct Known {
    /// Nothing where only the name and the key were compiled in.
    certificate: Option<CertificateDer<'static>>,
    origin: Arc<str>,
}

/// One of the believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    pub(crate) anchor: &'a TrustAnchor<'static>,
    pub(crate) certificate: Option<&'a CertificateDer<'static>>,
    pub(crate) origin: &'a str,
}

/// Of roots whose origin nobody has told.
const GIVEN: &str = "given as trusted";

impl TrustStore {
    /// Believes nobody.
    pub fn empty() -> Self {
        Self { roots: Arc::new(RootCertStore::empty()), known: Arc::default() }
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
            store.add_der(index + 1, certificate.as_ref(), GIVEN)?;
        }
        Ok(store)
    }

    /// Believes those of a system's DER certificates that can be roots, and returns what was wrong
    /// with the others: real stores hold a few ancient ones.
    pub fn from_system<C: AsRef<[u8]>>(certificates: impl IntoIterator<Item = C>) -> (Self, Vec<TrustError>) {
        let mut store = Self::empty();
        let mut refused = Vec::new();
        for (index, certificate) in certificates.into_iter().enumerate() {
            if let Err(error) = store.add_der(index + 1, certificate.as_ref(), "the system's store") {
                refused.push(error);
            }
        }
        (store, refused)
    }

    /// Believes whom Mozilla believed when this was compiled.
    #[cfg(feature = "webpki-roots")]
    pub fn mozilla() -> Self {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let known = Known { certificate: None, origin: "Mozilla's list, compiled in".into() };
        Self { known: Arc::new(vec![known; roots.len()]), roots: Arc::new(roots) }
    }

    /// Says where all of these came from, as `--cacert lab.pem`: judgements tell it.
    #[must_use]
    pub fn from_origin(mut self, origin: &str) -> Self {
        let origin: Arc<str> = origin.into();
        for known in Arc::make_mut(&mut self.known) {
            known.origin = origin.clone();
        }
        self
    }

    /// Believes also whom `other` believes.
    pub fn add(&mut self, other: &Self) {
        Arc::make_mut(&mut self.roots).roots.extend(other.roots.roots.iter().cloned());
        Arc::make_mut(&mut self.known).extend(other.known.iter().cloned());
    }

    /// Believes also the certificates in a PEM text, and tells how many they are. When one is bad,
    /// those before it have been added.
    pub fn add_pem(&mut self, text: &[u8]) -> Result<usize, TrustError> {
        let mut count = 0;
        for section in CertificateDer::pem_slice_iter(text) {
            let position = count + 1;
            let certificate = section.map_err(|source| TrustError::Pem { position, source })?;
            self.add_der(position, &certificate, GIVEN)?;
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

    /// Every one of the believed, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = Root<'_>> {
        let known = self.known.iter().map(Some).chain(std::iter::repeat(None));
        self.roots.roots.iter().zip(known).map(|(anchor, known)| Root {
            anchor,
            certificate: known.and_then(|known| known.certificate.as_ref()),
            origin: known.map_or(GIVEN, |known| &known.origin),
        })
    }

    fn add_der(&mut self, position: usize, certificate: &[u8], origin: &str) -> Result<(), TrustError> {
        let certificate = CertificateDer::from(certificate.to_vec());
        Arc::make_mut(&mut self.roots)
            .add(certificate.clone())
            .map_err(|source| TrustError::Certificate { position, source })?;
        let known = Known { certificate: Some(certificate), origin: origin.into() };
        Arc::make_mut(&mut self.known).push(known);
        Ok(())
    }
}

impl Root<'_> {
    /// What to call it.
    pub(crate) fn label(&self) -> String {
        match self.certificate {
            Some(certificate) => CertificateInfo::read(0, certificate).label(),
            None => crate::certificate::name_of(self.anchor.subject.as_ref()),
        }
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
