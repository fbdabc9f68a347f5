//! What judging a peer's certificate while shaking hands is at both ends: webpki's word decides, and the
//! explanation is made where it is refused, or where somebody watches.

use crate::case::Case;
use crate::certificate::CertificateInfo;
use crate::problem::CertificateProblem;
use crate::verify::{Check, Name, Verifier};
use glasstack_journal::Scope;
use glasstack_journal::event::Tls;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error};
use std::sync::Arc;

/// The certificates of a peer, its own first. They are borrowed: a copy would cost as much as reading
/// them.
pub(crate) fn chain<'c>(
    own: &'c CertificateDer<'_>,
    others: &'c [CertificateDer<'_>],
) -> Vec<CertificateDer<'c>> {
    std::iter::once(own).chain(others).map(|der| CertificateDer::from(der.as_ref())).collect()
}

pub(crate) fn seconds(now: UnixTime) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// What is being judged, if somebody watches.
pub(crate) fn watched() -> Option<Arc<Case>> {
    Case::current().filter(|case| case.scope().journal().is_watched())
}

/// Why the chain is refused, if it is. The path that was taken is kept for revocation, so that no
/// signature is verified twice.
pub(crate) fn judge(
    verifier: &Verifier,
    chain: &[CertificateDer<'_>],
    names: &[Name],
    now: UnixTime,
) -> Result<(), CertificateProblem> {
    let watched = watched();
    if let Some(case) = &watched {
        tell_shown(case.scope(), chain);
    }
    let decision = verifier.decide(chain, names, seconds(now));
    if let Ok(taken) = &decision {
        if let Some(case) = Case::current() {
            case.takes(taken.clone());
        }
        if watched.is_none() {
            return Ok(());
        }
    }
    let judgement = verifier.explain(chain, names, seconds(now), decision);
    if let Some(case) = watched {
        judgement.by_kind().into_iter().for_each(|check| tell(case.scope(), check));
    }
    judgement.problem.map_or(Ok(()), Err)
}

/// The error that makes rustls send the right alert; why is kept for the caller.
pub(crate) fn refuse(problem: CertificateProblem) -> Error {
    let error = Error::InvalidCertificate(problem.as_rustls());
    if let Some(case) = Case::current() {
        case.refuse(problem);
    }
    error
}

pub(crate) fn tell_shown(scope: &Scope, chain: &[CertificateDer<'_>]) {
    for (index, der) in chain.iter().enumerate() {
        scope.record(|| CertificateInfo::read(index, der).received());
    }
}

pub(crate) fn tell(scope: &Scope, check: Check) {
    scope.record(|| Tls::CertificateJudged {
        check: check.check,
        verdict: check.verdict,
        evidence: check.evidence,
    });
}

/// The check of the signature over the handshake.
pub(crate) const SIGNATURE: &str = "signature";
pub(crate) const SIGNATURE_RFC: &str = "RFC 8446 4.4.3";

/// Tells how the signature over the handshake came out (RFC 8446 4.4.3, RFC 5246 7.4.3 and 7.4.8). One
/// that holds and that nobody watches is passed on.
pub(crate) fn tell_signature(
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    result: Result<HandshakeSignatureValid, Error>,
) -> Result<HandshakeSignatureValid, Error> {
    match result {
        Ok(valid) => {
            if let Some(case) = watched() {
                let info = CertificateInfo::read(0, certificate);
                let scheme = scheme(signed);
                let evidence =
                    format!("{scheme} over the handshake, by the key ({}) of {}", info.key, info.label());
                tell(case.scope(), Check::passed(SIGNATURE, SIGNATURE_RFC, evidence));
            }
            Ok(valid)
        }
        Err(error) => {
            let why = format!("its {} signature over the handshake does not hold ({error})", scheme(signed));
            bad_signature(certificate, why);
            Err(error)
        }
    }
}

/// Refuses a signature over the handshake that cannot be checked, and says why.
pub(crate) fn unproved(
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    why: String,
) -> Result<HandshakeSignatureValid, Error> {
    let why = format!("its {} signature over the handshake cannot be checked: {why}", scheme(signed));
    bad_signature(certificate, why);
    Err(Error::InvalidCertificate(CertificateError::BadSignature))
}

fn bad_signature(certificate: &CertificateDer<'_>, why: String) {
    let Some(case) = Case::current() else { return };
    let certificate = CertificateInfo::read(0, certificate).label();
    let problem = CertificateProblem::BadHandshakeSignature { certificate, why };
    case.refuse(problem.clone());
    tell(case.scope(), Check::failed(SIGNATURE, SIGNATURE_RFC, problem));
}

fn scheme(signed: &DigitallySignedStruct) -> &'static str {
    signed.scheme.as_str().unwrap_or("an unknown scheme")
}
