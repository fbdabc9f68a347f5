//! What a server, or a client that is asked, shows of itself: a certificate chain, and the key that
//! proves it.

use crate::certificate::CertificateInfo;
use crate::external_key::{External, ExternalKey};
use crate::identity_files::{FileFormat, IdentityError, IdentityFiles};
use crate::pkcs12;
use crate::private_key;
use crate::provider::signing_key;
use rustls::SignatureAlgorithm;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// A certificate chain with its private key: Ed25519, ECDSA (P-256, P-384, P-521) or RSA (2048 bits
/// up).
#[derive(Clone)]
pub struct Identity {
    names: Vec<String>,
    certificate: Arc<CertificateInfo>,
    key: Arc<CertifiedKey>,
    fresh_ocsp: Option<FreshOcsp>,
    /// Its signatures are the same every time.
    reproducible: bool,
}

/// Gives the OCSP response to staple at this very handshake; none staples none.
pub type FreshOcsp = Arc<dyn Fn() -> Option<Vec<u8>> + Send + Sync>;

impl Identity {
    /// From PEM texts: the chain, its owner's own certificate first, and the key (PKCS#8, PKCS#1 or
    /// SEC1). Both may be the same text.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        Self::from_files(&IdentityFiles { key: Some(key), ..IdentityFiles::pem(chain) })
    }

    /// From files as curl's `--cert`, `--key`, `--pass`, `--cert-type` and `--key-type` describe them
    /// (curl exits with 58 when that fails).
    pub fn from_files(files: &IdentityFiles<'_>) -> Result<Self, IdentityError> {
        let chain = match files.certificate_format {
            FileFormat::Pem => chain_from_pem(files.certificate)?,
            FileFormat::Der => vec![CertificateDer::from(files.certificate.to_vec())],
            FileFormat::Pkcs12 => {
                let opened = pkcs12::open(files.certificate, files.password)?;
                let key = match files.key {
                    Some(key) => private_key::read(key, files.key_format, files.password)?,
                    None => opened.key,
                };
                return Self::new(opened.chain, key);
            }
        };
        let (key, format) = match files.key {
            Some(key) => (key, files.key_format),
            None => (files.certificate, files.certificate_format),
        };
        let key = private_key::read(key, format, files.password)?;
        Self::new(chain, key)
    }

    /// From DER: the chain, its owner's own certificate first, and the key (PKCS#8, PKCS#1 or SEC1).
    pub fn from_der(chain: Vec<Vec<u8>>, key: Vec<u8>) -> Result<Self, IdentityError> {
        let key = PrivateKeyDer::try_from(key).map_err(|_| IdentityError::KeyFormat)?;
        Self::new(chain.into_iter().map(CertificateDer::from).collect(), key)
    }

    /// A chain in DER, its owner's own certificate first, and a key that signs elsewhere. Whether the key
    /// belongs to the certificate is not looked at.
    pub fn from_external(chain: Vec<Vec<u8>>, key: Arc<dyn ExternalKey>) -> Result<Self, IdentityError> {
        let reproducible = key.is_deterministic();
        let key = External::new(key).ok_or(IdentityError::KeyFormat)?;
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        Self::shown(CertifiedKey::new(chain, Arc::new(key)), reproducible)
    }

    /// Shown for these names instead of those in the certificate. `*.example.test` stands for one
    /// label.
    #[must_use]
    pub fn with_names<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(|name| canonical(name.as_ref())).collect();
        self
    }

    /// Staples this OCSP response (RFC 6066 8), in DER, for clients that ask. It is not read here: what
    /// is wrong with it is for the client to find.
    #[must_use]
    pub fn with_ocsp(mut self, response: Vec<u8>) -> Self {
        Arc::make_mut(&mut self.key).ocsp = Some(response);
        self.fresh_ocsp = None;
        self
    }

    /// Staples at each handshake what `fresh` then gives.
    #[must_use]
    pub fn with_fresh_ocsp(mut self, fresh: FreshOcsp) -> Self {
        self.fresh_ocsp = Some(fresh);
        self
    }

    /// The names it is shown for: the certificate's subject alternative names, unless others were
    /// given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Its owner's own certificate.
    pub fn certificate(&self) -> &CertificateInfo {
        &self.certificate
    }

    pub(crate) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// What a server shows in a handshake now: with the OCSP response of this moment.
    pub(crate) fn shown_now(&self) -> Arc<CertifiedKey> {
        let Some(fresh) = &self.fresh_ocsp else {
            return self.key.clone();
        };
        let mut key = CertifiedKey::clone(&self.key);
        key.ocsp = fresh();
        Arc::new(key)
    }

    /// Whether its signatures are the same every time (see [`crate::provider()`]).
    pub(crate) fn signs_reproducibly(&self) -> bool {
        self.reproducible
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, IdentityError> {
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = signing_key(&key).map_err(IdentityError::UnsupportedKey)?;
        let reproducible = key.algorithm() == SignatureAlgorithm::ED25519;
        let identity = Self::shown(CertifiedKey::new(chain, key), reproducible)?;
        let subject = || identity.certificate.label();
        identity.key.keys_match().map_err(|_| IdentityError::Mismatch { subject: subject() })?;
        Ok(identity)
    }

    fn shown(key: CertifiedKey, reproducible: bool) -> Result<Self, IdentityError> {
        let own = key.cert.first().ok_or(IdentityError::NoCertificate)?;
        let certificate = CertificateInfo::read(0, own);
        if let Some(why) = certificate.unreadable() {
            return Err(IdentityError::Certificate { why: why.to_owned() });
        }
        let names = certificate.names.iter().map(|name| canonical(name)).collect();
        Ok(Self {
            names,
            certificate: Arc::new(certificate),
            key: Arc::new(key),
            fresh_ocsp: None,
            reproducible,
        })
    }
}

/// RFC 7468 5: the certificates of a PEM text, in their order.
fn chain_from_pem(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let mut chain = Vec::new();
    for section in CertificateDer::pem_slice_iter(text) {
        let position = chain.len() + 1;
        chain.push(section.map_err(|source| IdentityError::Pem { position, source })?);
    }
    // X.690 8.9: a file of DER begins with a sequence; PKCS#12's (RFC 7292 4) with version 3 in it.
    match (chain.is_empty(), text.first()) {
        (false, _) => Ok(chain),
        (true, Some(0x30)) if CertificateInfo::read(0, text).unreadable().is_none() => {
            Err(IdentityError::DerForPem)
        }
        (true, Some(0x30)) if text.get(4..7) == Some(&[2, 1, 3]) => Err(IdentityError::Pkcs12ForPem),
        (true, _) => Err(IdentityError::NoCertificate),
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate.label()).finish_non_exhaustive()
    }
}

/// RFC 6066 3: names are compared without case, and without a trailing dot.
pub(crate) fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}
