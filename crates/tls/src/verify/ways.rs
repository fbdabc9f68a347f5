//! How many ways lead up from a certificate, by names alone.
//!
//! webpki bounds the signatures that it verifies and the steps that it makes, but at each of 200 000
//! steps it reads every certificate that was shown: a hundred CAs of one name, which fit into one
//! handshake, keep it busy for more than ten seconds. So the ways are counted first, which takes little more
//! than reading each certificate once.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// So few that webpki's steps cannot become many.
const FEW: usize = 5;
/// webpki follows 6 CAs.
const LONGEST: usize = 6;
/// Steps that webpki may make. Real chains take one a certificate.
const MOST_STEPS: usize = 2_000;

/// Whether webpki would have to make more steps than a certificate is worth.
pub(super) fn are_too_many(own: &EndEntityCert<'_>, others: &[CertificateDer<'_>]) -> bool {
    if others.len() <= FEW {
        return false;
    }
    let read: Vec<_> = others.iter().filter_map(|der| EndEntityCert::try_from(der).ok()).collect();
    let keys: Vec<_> = read.iter().map(|one| one.subject_public_key_info()).collect();
    let leads = |from: usize, to: usize| {
        // webpki takes no CA twice into a path.
        let same = read[from].subject() == read[to].subject() && keys[from] == keys[to];
        read[from].issuer() == read[to].subject() && !same
    };
    // How many ways come to each, of one length after the other.
    let mut ways: Vec<usize> = read.iter().map(|one| usize::from(one.subject() == own.issuer())).collect();
    let mut steps: usize = 0;
    for _ in 0..LONGEST {
        steps = ways.iter().fold(steps, |steps, ways| steps.saturating_add(*ways));
        if steps > MOST_STEPS {
            return true;
        }
        let mut next = vec![0_usize; read.len()];
        for (from, count) in ways.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (to, sum) in next.iter_mut().enumerate() {
                if leads(from, to) {
                    *sum = sum.saturating_add(*count);
                }
            }
        }
        ways = next;
    }
    false
}
