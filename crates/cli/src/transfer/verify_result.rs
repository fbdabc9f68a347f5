//! What `-w` tells of certificates as curl does: OpenSSL's number of why one does not hold (X509_V_ERR_...), the
//! nearest there is.

use glasstack::tls::problem::Rule;
use glasstack::tls::{CertificateInfo, CertificateProblem, TlsError};
use glasstack::web::WebError;

/// The session ended before its certificate was judged, or its name is wrong: curl, which compares names
/// itself, tells neither apart (X509_V_ERR_UNSPECIFIED).
const UNSPECIFIED: u64 = 1;
const SELF_SIGNED: u64 = 18;
const SELF_SIGNED_ABOVE: u64 = 19;
const UNKNOWN_ISSUER: u64 = 20;
const UNSUITABLE: u64 = 26;

/// 0: nothing is wrong, or there was no TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VerifyResults {
    pub(crate) server: u64,
    pub(crate) proxy: u64,
}

impl VerifyResults {
    /// Of a transfer that ended so, in which the server has shown these certificates.
    pub(crate) fn of(error: Option<&WebError>, shown: &[CertificateInfo], insecure: bool) -> Self {
        // With -k curl believes nobody at all.
        let passed_over = match (insecure, shown) {
            (true, [_, ..]) => unbelieved(shown),
            _ => 0,
        };
        match error {
            Some(WebError::Tls(TlsError::Certificate { problem, .. })) => match problem {
                // That is judged when all the rest is, and what was shown is not kept: curl tells 18 or 19
                // where the chain ends in its own root.
                CertificateProblem::NotPinned { .. } if insecure => Self { server: UNKNOWN_ISSUER, proxy: 0 },
                problem => Self { server: number(problem), proxy: 0 },
            },
            Some(WebError::Tls(_)) => Self { server: UNSPECIFIED, proxy: 0 },
            Some(WebError::ProxyTls(TlsError::Certificate { problem, .. })) => {
                Self { server: 0, proxy: number(problem) }
            }
            Some(WebError::ProxyTls(_)) => Self { server: 0, proxy: UNSPECIFIED },
            _ => Self { server: passed_over, proxy: 0 },
        }
    }
}

/// What is wrong with a chain whose root nobody trusts.
fn unbelieved(shown: &[CertificateInfo]) -> u64 {
    let is_own_issuer = |certificate: &CertificateInfo| certificate.subject == certificate.issuer;
    match shown {
        [own, ..] if is_own_issuer(own) => SELF_SIGNED,
        [_, above @ ..] if above.iter().any(is_own_issuer) => SELF_SIGNED_ABOVE,
        _ => UNKNOWN_ISSUER,
    }
}

fn number(problem: &CertificateProblem) -> u64 {
    if let CertificateProblem::Rule { rule: Rule::OwnKeyUsage, .. } = problem {
        return UNSUITABLE;
    }
    match problem.code() {
        "not_pinned" => 0,
        "wrong_name" | "no_names" | "unusable_name" => UNSPECIFIED,
        "unknown_issuer" | "missing_intermediate" | "no_roots" => UNKNOWN_ISSUER,
        "self_signed" => SELF_SIGNED,
        "untrusted_root" => SELF_SIGNED_ABOVE,
        "bad_signature" | "bad_handshake_signature" => 7,
        "not_yet_valid" => 9,
        "expired" => 10,
        "revoked_by_crl" | "revoked_by_ocsp" => 23,
        "path_too_long" => 25,
        "wrong_purpose" | "ca_certificate" => UNSUITABLE,
        "not_a_ca" | "key_usage" => 79,
        "unknown_critical_extension" => 34,
        "name_not_permitted" => 47,
        "name_excluded" => 48,
        "weak_key" => 66,
        "weak_signature" => 68,
        _ => UNSPECIFIED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_usage_of_a_ca_and_one_of_the_server_have_numbers_of_their_own() {
        let problem = |rule| CertificateProblem::Rule {
            certificate: "the server's own certificate (CN=www.demo.test)".to_owned(),
            rule,
            why: "has a key usage without it".to_owned(),
        };
        // openssl verify: "invalid CA certificate", "unsuitable certificate purpose".
        assert_eq!([Rule::KeyUsage, Rule::OwnKeyUsage].map(|rule| number(&problem(rule))), [79, 26]);
    }
}
