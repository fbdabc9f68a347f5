//! Lists of certificates that were taken back (CRLs, RFC 5280 5), as curl's `--crlfile` takes them.

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::{self, PemObject};
use std::sync::Arc;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

/// Lists of revoked certificates. Cheap to clone.
///
/// With them, every certificate of a chain but its root must be covered by a list of its issuer that
/// is in time, and must not be on it.
#[derive(Clone, Debug)]
pub struct RevocationLists {
    lists: Arc<Vec<CertificateRevocationListDer<'static>>>,
}

impl RevocationLists {
    /// The lists in a PEM text (`-----BEGIN X509 CRL-----`), at least one.
    pub fn from_pem(text: &[u8]) -> Result<Self, RevocationError> {
        let mut lists = Vec::new();
        for section in CertificateRevocationListDer::pem_slice_iter(text) {
            let position = lists.len() + 1;
            let list = section.map_err(|source| RevocationError::Pem { position, source })?;
            if let Err(error) = CertificateRevocationList::from_der(&list) {
                return Err(RevocationError::List { position, why: error.to_string() });
            }
            lists.push(list);
        }
        if lists.is_empty() { Err(RevocationError::NoList) } else { Ok(Self { lists: Arc::new(lists) }) }
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether there is none. There always is one.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = CertificateRevocationListDer<'static>> + '_ {
        self.lists.iter().cloned()
    }

    /// What the lists of `issuer` (a DER name) say of a serial number; none when there is no such
    /// list. For the explanation only: webpki decides, which also checks the lists' signatures.
    pub(crate) fn entry(&self, issuer: &[u8], serial: &str) -> Option<Entry> {
        let parsed = self.lists.iter().filter_map(|list| CertificateRevocationList::from_der(list).ok());
        let mut found = None;
        for (_, list) in parsed.filter(|(_, list)| list.issuer().as_raw() == issuer) {
            let next_update = list.next_update().map(|time| time.timestamp());
            let revoked = list.iter_revoked_certificates().find(|one| one.raw_serial_as_string() == serial);
            match revoked {
                Some(one) => {
                    return Some(Entry { revoked: Some(one.revocation_date.timestamp()), next_update });
                }
                None => found = Some(Entry { revoked: None, next_update }),
            }
        }
        found
    }
}

/// What an issuer's list says of a certificate.
pub(crate) struct Entry {
    /// When it was revoked (Unix seconds), if it was.
    pub(crate) revoked: Option<i64>,
    /// When the next list was due (Unix seconds).
    pub(crate) next_update: Option<i64>,
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
    /// The text holds none.
    #[error(
        "no revocation list found: one begins with -----BEGIN X509 CRL----- (one in DER is converted by \
         `openssl crl -inform DER -in FILE -out NEW.pem`)"
    )]
    NoList,
}
