//! Who may issue certificates, and how many CAs may follow (RFC 5280 4.2.1.9).

use super::judgement::Check;
use super::reading::Reading;
use super::rules::Role;
use crate::problem::{CertificateProblem, Rule};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::x509::X509Version;

pub(super) const CHECK: &str = "constraints";
const RFC: &str = "RFC 5280 4.2.1.9";

/// How many CAs may follow one in a path, if it says so.
pub(super) fn path_length(x509: &X509Certificate<'_>) -> Option<usize> {
    x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::BasicConstraints(basic) => {
            basic.path_len_constraint.map(|length| usize::try_from(length).unwrap_or(usize::MAX))
        }
        _ => None,
    })
}

/// Whether one that is trusted may issue: webpki does not ask. One of version 1, from before there
/// were extensions, may.
pub(super) fn anchor_issues(x509: &X509Certificate<'_>) -> bool {
    x509.version() != X509Version::V3 || super::rules::is_ca(x509)
}

/// `below` is the number of CAs between this one and the peer's own certificate. Those that issue
/// themselves (to change their key) count for webpki, though the RFC excuses them.
pub(super) fn check(certificate: &Reading<'_>, role: Role, below: usize) -> Check {
    let named = certificate.named();
    let Some(x509) = &certificate.x509 else {
        return Check::skipped(CHECK, RFC, "nothing to be read").of(named);
    };
    let failed = |rule, why: String| {
        let problem = CertificateProblem::Rule { certificate: named.clone(), rule, why };
        Check::failed(CHECK, RFC, problem).of(named.clone())
    };
    let ca = super::rules::is_ca(x509);
    match role {
        // RFC 5280 4.2.1.9 marks who may sign others; `openssl req -x509` marks every certificate.
        Role::Own | Role::TrustedOwn if ca => failed(
            Rule::CaCertificate,
            "is a CA's own (basic constraints: CA), which no server or client may show as its own".to_owned(),
        ),
        Role::Own | Role::TrustedOwn => Check::passed(CHECK, RFC, "not a CA's").of(named),
        Role::Issuer if !ca => failed(Rule::NotACa, not_a_ca(x509)),
        Role::Anchor if !anchor_issues(x509) => failed(Rule::NotACa, not_a_ca(x509)),
        Role::Issuer | Role::Anchor => match path_length(x509) {
            Some(most) if below > most => failed(
                Rule::PathTooLong,
                format!("lets at most {most} CAs follow (path length), and {below} do"),
            ),
            Some(most) => {
                Check::passed(CHECK, RFC, format!("a CA's; at most {most} CAs may follow, and {below} do"))
                    .of(named)
            }
            None => Check::passed(CHECK, RFC, "a CA's, without a limit to how many follow").of(named),
        },
    }
}

fn not_a_ca(x509: &X509Certificate<'_>) -> String {
    let has = x509
        .extensions()
        .iter()
        .any(|extension| matches!(extension.parsed_extension(), ParsedExtension::BasicConstraints(_)));
    let why = if has { "say that it is none (CA:FALSE)" } else { "are missing" };
    format!("issued another certificate and is no CA's: its basic constraints {why}")
}
