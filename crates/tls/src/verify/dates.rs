//! Dates (RFC 5280 4.1.2.5): both ends belong to the time of validity.

use super::judgement::Check;
use super::reading::Reading;
use crate::certificate::rfc3339;
use crate::problem::{CertificateProblem, Rule};

pub(super) const CHECK: &str = "validity";
const RFC: &str = "RFC 5280 4.1.2.5";

pub(super) fn check(certificate: &Reading<'_>, now: i64) -> Check {
    let (info, named) = (&certificate.info, certificate.named());
    if certificate.x509.is_none() {
        return Check::skipped(CHECK, RFC, "no dates to be read").of(named);
    }
    let problem = if info.not_before > info.not_after {
        CertificateProblem::Rule {
            certificate: named.clone(),
            rule: Rule::BadValidity,
            why: format!("is valid at no time: from {} to {}", info.valid_from(), info.valid_until()),
        }
    } else if info.not_before < 0 {
        // webpki counts from 1970 on.
        CertificateProblem::Rule {
            certificate: named.clone(),
            rule: Rule::BadValidity,
            why: format!("is valid from {} on, and dates before 1970 are not taken", info.valid_from()),
        }
    } else if now > info.not_after {
        CertificateProblem::Expired { certificate: named.clone(), not_after: info.not_after, now }
    } else if now < info.not_before {
        CertificateProblem::NotYetValid { certificate: named.clone(), not_before: info.not_before, now }
    } else {
        let evidence = format!(
            "{} is valid from {} to {}, and it is now {}",
            info.label(),
            info.valid_from(),
            info.valid_until(),
            rfc3339(now)
        );
        return Check::passed(CHECK, RFC, evidence).of(named);
    };
    Check::failed(CHECK, RFC, problem).of(named)
}
