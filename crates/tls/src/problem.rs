//! Why a certificate was refused, one variant a reason, each with a code that programs can rely on.
//!
//! What the peer hears of it is the alert (RFC 8446 6.2) of [`CertificateProblem::alert`]:
//!
//! | alert | codes |
//! |---|---|
//! | `certificate_expired` | `expired`, `not_yet_valid` |
//! | `certificate_revoked` | `revoked_by_crl`, `revoked_by_ocsp`, `revoked_by_staple` |
//! | `unknown_ca` | `no_roots`, `self_signed`, `untrusted_root`, `unknown_issuer`, `missing_intermediate`, `crl_unknown` and whatever else leaves revocation unknown |
//! | `unsupported_certificate` | `wrong_purpose`, `key_usage`, `ca_certificate` |
//! | `decrypt_error` | `bad_signature`, `bad_handshake_signature`, `weak_signature`, `unsupported_algorithm`, `algorithm_mismatch` |
//! | `bad_certificate_status_response` | a stapled answer that does not hold |
//! | `access_denied` | `not_pinned` |
//! | `certificate_required` | none was shown |
//! | `bad_certificate` | all others |

use crate::certificate::{printable, rfc3339};
use crate::revocation::RevocationProblem;
use rustls::{AlertDescription, CertificateError};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

/// Why a certificate was refused: which one, which check, which value, and what helps. Written as
/// JSON it is `{"code": ..., "message": ...}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// Its time is over.
    Expired {
        /// Which certificate.
        certificate: String,
        /// Its last second (Unix seconds).
        not_after: i64,
        /// The time of the judgement (Unix seconds).
        now: i64,
    },
    /// Its time has not come.
    NotYetValid {
        /// Which certificate.
        certificate: String,
        /// Its first second (Unix seconds).
        not_before: i64,
        /// The time of the judgement (Unix seconds).
        now: i64,
    },
    /// It is for others.
    WrongName {
        /// The name asked for.
        asked: String,
        /// The names it is for.
        valid_for: Vec<String>,
    },
    /// It is for nobody: it has no subject alternative name that could be the one asked for.
    NoNames {
        /// The name asked for.
        asked: String,
        /// The common name, where it would have matched: it has not counted since RFC 6125.
        common_name: Option<String>,
    },
    /// No certificate can be for what was asked.
    UnusableName {
        /// What was asked for.
        asked: String,
        /// Why.
        why: String,
    },
    /// The path ends at a self-signed certificate that is not trusted.
    UntrustedRoot {
        /// The last certificate on the way.
        certificate: String,
        /// Who issued that.
        issuer: String,
    },
    /// Who issued the last certificate of the path is neither trusted nor among those shown.
    UnknownIssuer {
        /// The last certificate on the way.
        certificate: String,
        /// Who issued that.
        issuer: String,
        /// Where the issuer's certificate is, if the last says so (RFC 5280 4.2.2.1): a root's, which is
        /// not to be sent, or that of one more CA between.
        url: Option<String>,
    },
    /// The peer has sent nothing but its own certificate, or nothing that helps, and that says where its
    /// issuer's certificate is to be had (RFC 5280 4.2.2.1).
    MissingIntermediate {
        /// The last certificate on the way.
        certificate: String,
        /// Who issued that.
        issuer: String,
        /// Where the issuer's certificate is.
        url: String,
    },
    /// It vouches for itself, and is not trusted.
    SelfSigned {
        /// Which certificate.
        certificate: String,
    },
    /// There is nobody who is trusted.
    NoRoots,
    /// It was not signed by the key of its alleged issuer.
    BadSignature {
        /// Which certificate, as far as known.
        certificate: String,
        /// Who is said to have signed it.
        issuer: String,
    },
    /// It is not for this use.
    WrongPurpose {
        /// Which certificate.
        certificate: String,
        /// What it lacks, or is.
        why: String,
    },
    /// The peer could not prove that it has the certificate's key.
    BadHandshakeSignature {
        /// Which certificate.
        certificate: String,
        /// Why.
        why: String,
    },
    /// It has been revoked, or whether it has is not known.
    Revocation(Box<RevocationProblem>),
    /// Its key is none of those pinned.
    NotPinned {
        /// Which certificate.
        certificate: String,
        /// The hash of its key, as one would pin it.
        hash: String,
    },
    /// It cannot be read.
    Malformed {
        /// Which certificate.
        certificate: String,
        /// Why.
        why: String,
    },
    /// It breaks one rule of those that a certificate must keep.
    Rule {
        /// Which certificate.
        certificate: String,
        /// Which rule.
        rule: Rule,
        /// What is amiss, with the value.
        why: String,
    },
    /// webpki refuses it, and no check here says why.
    Webpki {
        /// In webpki's words.
        why: String,
    },
}

/// The rules that need nothing but the words in which they are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// RFC 9155: MD5 and SHA-1 do not sign.
    WeakSignature,
    /// RSA of less than 2048 bits, and the like.
    WeakKey,
    /// A signature algorithm that nobody here verifies.
    UnsupportedAlgorithm,
    /// A key that nobody here uses.
    UnsupportedKey,
    /// RFC 5280 4.1.1.2: both places name the same algorithm.
    AlgorithmMismatch,
    /// RFC 5280 4.1.2.5: it ends before it begins.
    BadValidity,
    /// RFC 5280 4.2.1.9: only a CA issues certificates.
    NotACa,
    /// A CA's certificate where a server's or client's own belongs.
    CaCertificate,
    /// RFC 5280 4.2.1.9: how many CAs may be below.
    PathTooLong,
    /// Longer than was allowed by whoever asks.
    ChainTooLong,
    /// Judging it would take more work than a certificate is worth.
    TooMuchWork,
    /// RFC 5280 4.2.1.3: a CA's key is for signing certificates.
    KeyUsage,
    /// RFC 5280 4.2.1.3: the peer's own key is for what the peer does, and for nothing of a CA's.
    OwnKeyUsage,
    /// RFC 5280 4.2.1.10: outside of what is permitted.
    NameNotPermitted,
    /// RFC 5280 4.2.1.10: inside of what is excluded.
    NameExcluded,
    /// RFC 5280 4.2.1.10: a constraint on a kind of names that is not compared here.
    UnsupportedNameConstraint,
    /// RFC 5280 4.2.1.10: a constraint that cannot be read or must not be there.
    BadNameConstraint,
    /// RFC 5280 4.2: a critical extension that is not understood.
    UnknownCriticalExtension,
    /// RFC 5280 4.2: an extension twice.
    DuplicateExtension,
    /// RFC 5280 4.1.2.1: version 3.
    BadVersion,
    /// RFC 5280 4.1.2.2: a positive number of 20 bytes at most.
    BadSerial,
    /// RFC 5280 4.1.2.4: an issuer has a name.
    EmptyIssuer,
    /// RFC 5280 4.1.2.6: a CA has a name.
    EmptySubject,
    /// RFC 5280 4.2.1.6: names that cannot be read, or an extension without any.
    BadNames,
    /// RFC 5280 4.2: an extension that must be critical and is not, or the other way round.
    Criticality,
    /// RFC 5280 4.2: an extension whose content is not what it must be.
    BadExtension,
    /// RFC 5280 4.2.1.1, 4.2.1.2: key identifiers that must be there.
    KeyIdentifier,
}

impl Rule {
    /// The code of a certificate that breaks it.
    pub fn code(self) -> &'static str {
        match self {
            Self::WeakSignature => "weak_signature",
            Self::WeakKey => "weak_key",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedKey => "unsupported_key",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::BadValidity => "bad_validity",
            Self::NotACa => "not_a_ca",
            Self::CaCertificate => "ca_certificate",
            Self::PathTooLong => "path_too_long",
            Self::ChainTooLong => "chain_too_long",
            Self::TooMuchWork => "too_much_work",
            Self::KeyUsage | Self::OwnKeyUsage => "key_usage",
            Self::NameNotPermitted => "name_not_permitted",
            Self::NameExcluded => "name_excluded",
            Self::UnsupportedNameConstraint => "unsupported_name_constraint",
            Self::BadNameConstraint => "bad_name_constraint",
            Self::UnknownCriticalExtension => "unknown_critical_extension",
            Self::DuplicateExtension => "duplicate_extension",
            Self::BadVersion => "bad_version",
            Self::BadSerial => "bad_serial",
            Self::EmptyIssuer => "empty_issuer",
            Self::EmptySubject => "empty_subject",
            Self::BadNames => "bad_names",
            Self::Criticality => "criticality",
            Self::BadExtension => "bad_extension",
            Self::KeyIdentifier => "key_identifier",
        }
    }

    /// What would make a certificate that breaks it pass.
    fn cure(self) -> &'static str {
        match self {
            Self::WeakSignature => "its owner needs one signed with SHA-256 or better",
            Self::WeakKey => "another key is needed, of 2048 bits or more",
            Self::UnsupportedAlgorithm => "its CA must use another",
            Self::UnsupportedKey => "its owner needs one of ECDSA on P-256 or P-384, RSA, or Ed25519",
            Self::NotACa => "the certificate below it must be issued by a CA",
            Self::CaCertificate => {
                "a server or client shows its own, and shows it first; one that was made by openssl's `req -x509` needs \
                 `-addext basicConstraints=critical,CA:FALSE`"
            }
            Self::PathTooLong => "its owner must have the server's certificate issued by a CA nearer to it",
            Self::ChainTooLong => "its owner needs a certificate of a CA nearer to a root",
            Self::TooMuchWork => "the peer must send only what is needed",
            Self::KeyUsage | Self::OwnKeyUsage => "its owner needs another certificate",
            Self::NameNotPermitted => "its owner needs a certificate of another CA for it",
            Self::NameExcluded => "its owner needs one without that name",
            Self::UnsupportedNameConstraint => "its owner needs a certificate of a CA without such limits",
            Self::UnknownCriticalExtension => {
                "its owner needs one without it, or in which it is not critical"
            }
            Self::AlgorithmMismatch
            | Self::BadValidity
            | Self::BadNameConstraint
            | Self::DuplicateExtension
            | Self::BadVersion
            | Self::BadSerial
            | Self::EmptyIssuer
            | Self::EmptySubject
            | Self::BadNames
            | Self::Criticality
            | Self::BadExtension
            | Self::KeyIdentifier => "its CA must issue it anew",
        }
    }
}

impl CertificateProblem {
    /// The reason for programs: stable, in snake_case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::WrongName { .. } => "wrong_name",
            Self::NoNames { .. } => "no_names",
            Self::UnusableName { .. } => "unusable_name",
            Self::UntrustedRoot { .. } => "untrusted_root",
            Self::UnknownIssuer { .. } => "unknown_issuer",
            Self::MissingIntermediate { .. } => "missing_intermediate",
            Self::SelfSigned { .. } => "self_signed",
            Self::NoRoots => "no_roots",
            Self::BadSignature { .. } => "bad_signature",
            Self::WrongPurpose { .. } => "wrong_purpose",
            Self::BadHandshakeSignature { .. } => "bad_handshake_signature",
            Self::Revocation(problem) => problem.code(),
            Self::NotPinned { .. } => "not_pinned",
            Self::Malformed { .. } => "malformed",
            Self::Rule { rule, .. } => rule.code(),
            Self::Webpki { .. } => "webpki",
        }
    }

    /// What the peer is told (RFC 8446 6.2; see the table above).
    pub fn alert(&self) -> AlertDescription {
        self.as_rustls().into()
    }

    /// The nearest that rustls knows: it chooses the alert by it.
    pub(crate) fn as_rustls(&self) -> CertificateError {
        match self {
            Self::Expired { .. } => CertificateError::Expired,
            Self::NotYetValid { .. } => CertificateError::NotValidYet,
            Self::WrongName { .. } | Self::NoNames { .. } | Self::UnusableName { .. } => {
                CertificateError::NotValidForName
            }
            Self::UntrustedRoot { .. }
            | Self::UnknownIssuer { .. }
            | Self::MissingIntermediate { .. }
            | Self::SelfSigned { .. }
            | Self::NoRoots => CertificateError::UnknownIssuer,
            Self::BadSignature { .. } | Self::BadHandshakeSignature { .. } => CertificateError::BadSignature,
            Self::WrongPurpose { .. } => CertificateError::InvalidPurpose,
            Self::Revocation(problem) if problem.is_revoked() => CertificateError::Revoked,
            Self::Revocation(problem) if problem.is_about_staple() => CertificateError::InvalidOcspResponse,
            Self::Revocation(_) => CertificateError::UnknownRevocationStatus,
            Self::NotPinned { .. } => CertificateError::ApplicationVerificationFailure,
            Self::Rule { rule, .. } => match rule {
                Rule::KeyUsage | Rule::OwnKeyUsage | Rule::CaCertificate => CertificateError::InvalidPurpose,
                Rule::WeakSignature | Rule::UnsupportedAlgorithm | Rule::AlgorithmMismatch => {
                    CertificateError::BadSignature
                }
                Rule::UnknownCriticalExtension => CertificateError::UnhandledCriticalExtension,
                _ => CertificateError::BadEncoding,
            },
            Self::Malformed { .. } | Self::Webpki { .. } => CertificateError::BadEncoding,
        }
    }

    pub(crate) fn webpki(error: &impl fmt::Display) -> Self {
        Self::Webpki { why: printable(&error.to_string()) }
    }
}

impl From<RevocationProblem> for CertificateProblem {
    fn from(problem: RevocationProblem) -> Self {
        Self::Revocation(Box::new(problem))
    }
}

impl std::error::Error for CertificateProblem {}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { certificate, not_after, now } => write!(
                f,
                "{certificate} expired on {}, {} ago: it is now {} (its owner must renew it, unless the clock here is wrong)",
                rfc3339(*not_after),
                lasting(now.saturating_sub(*not_after)),
                rfc3339(*now)
            ),
            Self::NotYetValid { certificate, not_before, now } => write!(
                f,
                "{certificate} is valid only from {} on, in {}: it is now {} (is the clock here right?)",
                rfc3339(*not_before),
                lasting(not_before.saturating_sub(*now)),
                rfc3339(*now)
            ),
            Self::WrongName { asked, valid_for } => write!(
                f,
                "it is not for {asked} but for {} (use one of these names, or ask whether this is the right server)",
                some_of(valid_for)
            ),
            Self::NoNames { asked, common_name } => no_names(f, asked, common_name.as_deref()),
            Self::UnusableName { asked, why } => {
                write!(f, "no certificate can be for {asked}: {why} (ask for another name)")
            }
            Self::UntrustedRoot { certificate, issuer } => write!(
                f,
                "{certificate} was issued by {issuer}, a root that is not trusted here (trust it with --cacert FILE if \
                 you know it)"
            ),
            Self::UnknownIssuer { certificate, issuer, url } => {
                write!(
                    f,
                    "{certificate} was issued by {issuer}, who is not trusted here (trust that CA with --cacert FILE, \
                     or the peer must send the certificate that links it to a trusted one"
                )?;
                match url {
                    Some(url) => write!(
                        f,
                        "; its certificate, a root's or that of one more CA between, is to be had at {url}, and is \
                         not fetched from there)"
                    ),
                    None => f.write_str(")"),
                }
            }
            Self::MissingIntermediate { certificate, issuer, url } => write!(
                f,
                "{certificate} was issued by {issuer}, whose certificate is missing: the peer must send it along (it \
                 is to be had at {url}, and is not fetched from there)"
            ),
            Self::SelfSigned { certificate } => write!(
                f,
                "{certificate} is self-signed, and it is not trusted here (trust it with --cacert FILE if you know it)"
            ),
            Self::NoRoots => {
                f.write_str("no root certificate is trusted here at all (name some with --cacert FILE)")
            }
            Self::BadSignature { certificate, issuer } => write!(
                f,
                "the signature on {certificate} was not made by the key of {issuer} that is known here (a forgery, \
                 or another CA of the same name: then that CA's certificate must be sent, or trusted)"
            ),
            Self::WrongPurpose { certificate, why } => {
                write!(f, "{certificate} is not for this use: {why} (its owner needs another certificate)")
            }
            Self::BadHandshakeSignature { certificate, why } => {
                write!(
                    f,
                    "the peer did not prove that it has the key of {certificate}: {why} (its owner must give it the \
                     key that belongs to its certificate, unless this is somebody else)"
                )
            }
            Self::Revocation(problem) => problem.fmt(f),
            Self::NotPinned { certificate, hash } => write!(
                f,
                "the key of {certificate} is none of those pinned (--pinnedpubkey); its own hash is {hash} (pin that \
                 only if its owner says that it is the key)"
            ),
            Self::Malformed { certificate, why } => {
                write!(f, "{certificate} cannot be read: {why} (the peer must show one that can be)")
            }
            Self::Rule { certificate, rule, why } => write!(f, "{certificate} {why} ({})", rule.cure()),
            Self::Webpki { why } => write!(f, "webpki refuses it: {why}"),
        }
    }
}

fn no_names(f: &mut fmt::Formatter<'_>, asked: &str, common_name: Option<&str>) -> fmt::Result {
    write!(f, "it names no host at all (no subject alternative name of one), so it is not for {asked}")?;
    if let Some(common_name) = common_name {
        write!(f, "; its common name {common_name} would fit, but has not counted since RFC 6125")?;
    }
    f.write_str(" (its owner must have it issued anew with that name)")
}

impl Serialize for CertificateProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("CertificateProblem", 2)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

/// A span of time in its largest unit that is not zero.
fn lasting(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1, "second"));
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The first few of a list that a stranger may have made long.
pub(crate) fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_is_not_printed_whole() {
        let names: Vec<String> = (0..5_000).map(|n| format!("host{n}.test")).collect();
        let problem = CertificateProblem::WrongName { asked: "www.test".into(), valid_for: names };
        let text = problem.to_string();
        assert!(text.contains("host7.test and 4992 more"), "{text}");
    }

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let told = [0, 1, 59, 60, 7_200, 86_399, 86_400, 864_000].map(lasting);
        let expected =
            ["0 seconds", "1 second", "59 seconds", "1 minute", "2 hours", "23 hours", "1 day", "10 days"];
        assert_eq!(told, expected);
    }
}
