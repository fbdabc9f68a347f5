//! Signatures of certificates (RFC 5280 4.1.1.3): by which algorithm, by whose key, and whether they
//! hold.

use super::judgement::Check;
use super::reading::Reading;
pub(super) use crate::der::Held;
use crate::der::{self, Algorithms, KeyInfo, Reader, Signed};
use crate::problem::{CertificateProblem, Rule};

pub(super) const CHECK: &str = "certificate_signature";
const RFC: &str = "RFC 5280 4.1.1.3";

/// Whether `certificate` was signed by `key` (the contents of a SubjectPublicKeyInfo).
pub(super) fn holds(certificate: &[u8], key: &[u8], algorithms: Algorithms<'_>) -> Held {
    let signed = Reader::only(certificate, der::SEQUENCE, "the certificate")
        .and_then(|outer| Signed::read(&mut outer.inside(), "the certificate"));
    match (signed, KeyInfo::of_contents(key)) {
        (Ok((signed, _)), Ok(key)) => signed.held(&key, algorithms),
        _ => Held::UnknownAlgorithm,
    }
}

/// The signature on `certificate`, by the key of `issuer`, which is of this kind in words.
pub(super) fn check(certificate: &Reading<'_>, held: Held, issuer: &str, key_kind: &str) -> Check {
    let named = certificate.named();
    let algorithm = &certificate.info.signature;
    let failed = |problem| Check::failed(CHECK, RFC, problem).of(named.clone());
    let broken =
        |rule, why: String| failed(CertificateProblem::Rule { certificate: named.clone(), rule, why });
    let inner = certificate.x509.as_ref().map(|x509| &x509.tbs_certificate.signature);
    let outer = certificate.x509.as_ref().map(|x509| &x509.signature_algorithm);
    if inner != outer {
        return broken(
            Rule::AlgorithmMismatch,
            "names one signature algorithm inside what is signed and another outside".to_owned(),
        );
    }
    if let Some(weak) = weak_hash(certificate) {
        return broken(
            Rule::WeakSignature,
            format!("is signed with {weak}, for which forgeries have been made"),
        );
    }
    match held {
        Held::Yes => {
            Check::passed(CHECK, RFC, format!("{algorithm}, by the key ({key_kind}) of {issuer}")).of(named)
        }
        Held::No if is_weak_rsa(key_kind) => broken(
            Rule::WeakKey,
            format!(
                "is signed by a key that is too weak: {issuer} has {key_kind}, and fewer than 2048 bits are not taken"
            ),
        ),
        Held::No => {
            failed(CertificateProblem::BadSignature { certificate: named.clone(), issuer: issuer.to_owned() })
        }
        Held::OtherKey => broken(
            Rule::UnsupportedAlgorithm,
            format!(
                "is signed with {algorithm}, which the key ({key_kind}) of {issuer} cannot have made here"
            ),
        ),
        Held::UnknownAlgorithm => broken(
            Rule::UnsupportedAlgorithm,
            format!("is signed with {algorithm}, which nobody here verifies"),
        ),
    }
}

/// RFC 9155 and RFC 6151: MD2, MD5 and SHA-1.
fn weak_hash(certificate: &Reading<'_>) -> Option<&'static str> {
    let oid = certificate.x509.as_ref()?.signature_algorithm.algorithm.to_id_string();
    Some(match oid.as_str() {
        "1.2.840.113549.1.1.2" => "MD2",
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" | "1.3.14.3.2.29" => "SHA-1",
        _ => return None,
    })
}

fn is_weak_rsa(key_kind: &str) -> bool {
    let bits = key_kind.strip_prefix("RSA ").and_then(|rest| rest.strip_suffix(" bits"));
    bits.and_then(|bits| bits.parse::<usize>().ok()).is_some_and(|bits| bits < 2048)
}
