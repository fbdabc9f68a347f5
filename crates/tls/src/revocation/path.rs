//! The path of an accepted chain, found again by names and signatures.

use super::der;
use super::facts::Facts;
use super::signature::Algorithms;
use crate::certificate::CertificateInfo;
use crate::trust::TrustStore;
use crate::verify::{Link, Purpose};
use rustls::pki_types::CertificateDer;

/// How long a path can be, and how many signatures are verified in search of it: webpki's own bounds
/// are of this size.
const MAX_DEPTH: usize = 7;
const MAX_SIGNATURES: usize = 100;

/// The path from the first certificate to an anchor; none when there is no such path.
pub(crate) fn find(
    chain: &[CertificateDer<'_>],
    purpose: Purpose,
    trust: &TrustStore,
    algorithms: Algorithms<'_>,
) -> Option<Vec<Link>> {
    let facts: Vec<Option<Facts<'_>>> = chain.iter().map(|one| Facts::read(one).ok()).collect();
    let mut search = Search { chain, facts: &facts, purpose, trust, algorithms, left: MAX_SIGNATURES };
    let mut path = Vec::new();
    search.from(0, &mut path).then_some(path)
}

struct Search<'a> {
    chain: &'a [CertificateDer<'a>],
    facts: &'a [Option<Facts<'a>>],
    purpose: Purpose,
    trust: &'a TrustStore,
    algorithms: Algorithms<'a>,
    left: usize,
}

impl Search<'_> {
    /// Depth first from certificate `index`, whose links are appended; whether an anchor was reached.
    fn from(&mut self, index: usize, path: &mut Vec<Link>) -> bool {
        let Some(Some(own)) = self.facts.get(index) else { return false };
        for anchor in &self.trust.roots().roots {
            let subject = der::write(der::SEQUENCE, &[anchor.subject.as_ref()]);
            let key = der::write(der::SEQUENCE, &[anchor.subject_public_key_info.as_ref()]);
            if subject == own.issuer && self.signed(own, &key) {
                path.push(self.link(index, subject, key));
                return true;
            }
        }
        if path.len() + 1 >= MAX_DEPTH {
            return false;
        }
        for (place, issuer) in self.facts.iter().enumerate().skip(1) {
            let Some(issuer) = issuer else { continue };
            let is_new = path.iter().all(|link| link.certificate != self.chain[place].as_ref());
            if place != index && is_new && issuer.subject == own.issuer && self.signed(own, issuer.key) {
                path.push(self.link(index, issuer.subject.to_vec(), issuer.key.to_vec()));
                if self.from(place, path) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }

    fn signed(&mut self, own: &Facts<'_>, key: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        own.signed.verify(key, self.algorithms).is_ok()
    }

    fn link(&self, index: usize, issuer: Vec<u8>, issuer_key: Vec<u8>) -> Link {
        let certificate = &self.chain[index];
        let name = CertificateInfo::read(index, certificate).label();
        let label = match (index, self.purpose) {
            (0, Purpose::Server) => format!("the server's own certificate ({name})"),
            (0, Purpose::Client) => format!("the client's own certificate ({name})"),
            _ => format!("certificate {index} of the chain ({name})"),
        };
        Link { label, certificate: certificate.to_vec(), issuer, issuer_key }
    }
}
