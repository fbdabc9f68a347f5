//! Lists that the user gave (CRLs, RFC 5280 5), as curl's `--crlfile` takes them.

use super::crl::Crl;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::{self, PemObject};
use std::sync::Arc;

/// Lists of revoked certificates. Cheap to clone.
///
/// With them, every certificate of a chain but its root must be covered by a list of its issuer that
/// is in time, and must not be on it.
#[derive(Clone, Debug)]
pub struct RevocationLists {
    lists: Arc<Vec<Arc<[u8]>>>,
}

/// How long a list may be that is given, in bytes: 64 MiB, ten times the longest that are published.
pub const MAX_LIST: usize = 64 << 20;

impl RevocationLists {
    /// The lists in a file: one in DER, or at least one in PEM (`-----BEGIN X509 CRL-----`).
    pub fn from_file(bytes: &[u8]) -> Result<Self, RevocationError> {
        match bytes.first() {
            Some(0x30) => {
                check(1, bytes)?;
                Ok(Self { lists: Arc::new(vec![bytes.into()]) })
            }
            _ => Self::from_pem(bytes),
        }
    }

    /// The lists in a PEM text (`-----BEGIN X509 CRL-----`), at least one.
    pub fn from_pem(text: &[u8]) -> Result<Self, RevocationError> {
        let mut lists: Vec<Arc<[u8]>> = Vec::new();
        for section in CertificateRevocationListDer::pem_slice_iter(text) {
            let position = lists.len() + 1;
            let list = section.map_err(|source| RevocationError::Pem { position, source })?;
            check(position, &list)?;
            lists.push(list.as_ref().into());
        }
        if lists.is_empty() { Err(RevocationError::NoList) } else { Ok(Self { lists: Arc::new(lists) }) }
    }

    /// These lists and those.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self { lists: Arc::new(self.lists.iter().chain(others.lists.iter()).cloned().collect()) }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether there is none. There always is one.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Each of them (DER).
    pub(crate) fn ders(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        self.lists.iter()
    }
}

/// What can be known before anybody asks about a certificate.
fn check(position: usize, list: &[u8]) -> Result<(), RevocationError> {
    if list.len() > MAX_LIST {
        return Err(RevocationError::TooLong { position, bytes: list.len() });
    }
    match Crl::read(list) {
        Ok(_) => Ok(()),
        Err(error) => Err(RevocationError::List { position, why: error.to_string() }),
    }
}

/// Revocation lists could not be read (curl: 82).
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// The text's framing is broken.
    #[error("revocation list {position} is not valid PEM: {source}")]
    Pem {
        /// Which of the lists, counted from 1.
        position: usize,
        /// What is wrong.
        source: pem::Error,
    },
    /// One cannot be read.
    #[error("revocation list {position} cannot be read: {why}")]
    List {
        /// Which of the lists, counted from 1.
        position: usize,
        /// What is wrong.
        why: String,
    },
    /// One is longer than any that is published.
    #[error("revocation list {position} has {bytes} bytes: at most {MAX_LIST} are taken")]
    TooLong {
        /// Which of the lists, counted from 1.
        position: usize,
        /// How long it is.
        bytes: usize,
    },
    /// The text holds none.
    #[error(
        "no revocation list found: one in PEM begins with -----BEGIN X509 CRL-----, one in DER with the byte 0x30"
    )]
    NoList,
}
