//! A certificate as the checks read it.

use super::{Purpose, Verifier};
use crate::certificate::{CertificateInfo, contents};
use crate::trust::Root;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The peer's own.
    Own(Purpose),
    /// Shown beside it, counted from 1.
    Shown(usize),
    /// Not shown, but at hand: counted from 1, and its index behind all that are shown.
    Beside(usize, usize),
    /// One of those trusted.
    Anchor,
}

/// A certificate, read once for all checks.
pub(super) struct Reading<'a> {
    pub(super) place: Place,
    pub(super) der: &'a CertificateDer<'a>,
    pub(super) info: CertificateInfo,
    /// Nothing where it cannot be read.
    pub(super) x509: Option<X509Certificate<'a>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(place: Place, der: &'a CertificateDer<'a>) -> Self {
        let index = match place {
            Place::Shown(index) | Place::Beside(_, index) => index,
            Place::Own(_) | Place::Anchor => 0,
        };
        Self { place, der, info: CertificateInfo::read(index, der), x509: read(der) }
    }

    /// Those that a peer shows, its own first, and behind them what is at hand beside.
    pub(super) fn chain(verifier: &Verifier, chain: &'a [CertificateDer<'a>]) -> Vec<Self> {
        let shown = verifier.shown_by_peer.unwrap_or(chain.len());
        let place = |index: usize| match index.checked_sub(shown) {
            _ if index == 0 => Place::Own(verifier.purpose),
            Some(beside) => Place::Beside(beside + 1, index),
            None => Place::Shown(index),
        };
        chain.iter().enumerate().map(|(index, der)| Self::new(place(index), der)).collect()
    }

    pub(super) fn anchor(root: &Root<'a>) -> Option<Self> {
        root.certificate.map(|der| Self::new(Place::Anchor, der))
    }

    /// By its place and name.
    pub(super) fn named(&self) -> String {
        let label = self.info.label();
        match self.place {
            Place::Own(Purpose::Server) => format!("the server's own certificate ({label})"),
            Place::Own(Purpose::Client) => format!("the client's own certificate ({label})"),
            Place::Shown(index) => format!("certificate {index} of the chain ({label})"),
            Place::Beside(number, _) => format!("intermediate {number} ({label})"),
            Place::Anchor => format!("the trusted root ({label})"),
        }
    }

    /// As webpki reads it; nothing where webpki does not take it.
    pub(super) fn end_entity(&self) -> Option<EndEntityCert<'_>> {
        EndEntityCert::try_from(self.der).ok()
    }

    /// The subject's Name, without its outer header.
    pub(super) fn subject(&self) -> &[u8] {
        contents(&self.info.subject_der)
    }

    /// The issuer's Name, without its outer header.
    pub(super) fn issuer(&self) -> &[u8] {
        contents(&self.info.issuer_der)
    }

    /// The SubjectPublicKeyInfo, without its outer header.
    pub(super) fn key(&self) -> &[u8] {
        contents(&self.info.key_der)
    }
}

pub(super) fn read<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    }
}
