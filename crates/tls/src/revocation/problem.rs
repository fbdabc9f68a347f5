//! Why revocation refuses a certificate, or leaves its status unknown.

use crate::certificate::rfc3339;
use std::fmt;

/// What was found, or was not to be found, about whether a certificate has been revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationProblem {
    /// Which certificate.
    pub certificate: String,
    /// What is the matter.
    pub cause: Cause,
    /// Whether it is about the answer that the server stapled.
    pub stapled: bool,
}

/// The matter itself. `list` and `answer` say which one, with its number or time and where it came
/// from; times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// RFC 5280 6.3.3: it is on its issuer's list.
    RevokedByCrl {
        /// The list.
        list: String,
        /// Since when.
        since: i64,
        /// Why, as RFC 5280 5.3.1 names it.
        reason: Reason,
    },
    /// RFC 6960 2.2: the responder says so.
    RevokedByOcsp {
        /// The answer.
        answer: String,
        /// Since when.
        since: i64,
        /// Why, as RFC 5280 5.3.1 names it.
        reason: Reason,
    },
    /// No list covers it, and none is to be had.
    NoCrl {
        /// Who would have to issue it.
        issuer: String,
        /// Whether the certificate says where one is to be had, and nobody fetches it.
        names_place: bool,
    },
    /// No list could be fetched.
    CrlUnreachable {
        /// What was tried, and how it failed.
        attempts: Vec<String>,
    },
    /// A list cannot be read.
    CrlMalformed {
        /// The list.
        list: String,
        /// Why not.
        why: String,
    },
    /// RFC 5280 5.1.2.5: the next list was due.
    CrlStale {
        /// The list.
        list: String,
        /// When the next one was due.
        next_update: i64,
        /// The time of the judgement.
        now: i64,
    },
    /// RFC 5280 5.1.2.5: a list must say when the next one is due.
    CrlUndated {
        /// The list.
        list: String,
    },
    /// RFC 5280 5.1.2.4: it is from the future.
    CrlNotYetValid {
        /// The list.
        list: String,
        /// From when it is.
        this_update: i64,
        /// The time of the judgement.
        now: i64,
    },
    /// RFC 5280 6.3.3 (g): not signed by the issuer's key.
    CrlBadSignature {
        /// The list.
        list: String,
        /// What is wrong.
        why: &'static str,
    },
    /// RFC 5280 6.3.3 (f): the issuer's key usage lacks cRLSign.
    CrlKeyUsage {
        /// The list.
        list: String,
        /// Who issued it.
        issuer: String,
    },
    /// RFC 5280 6.3.3 (b): what was fetched as the issuer's list is another's.
    CrlWrongIssuer {
        /// The list.
        list: String,
        /// Whose it should be.
        issuer: String,
    },
    /// RFC 5280 5.2.4: it holds only what has changed.
    CrlDelta {
        /// The list.
        list: String,
    },
    /// RFC 5280 4.2.1.13: somebody else than the issuer keeps the list.
    CrlIndirect {
        /// Who.
        keeper: String,
    },
    /// RFC 5280 5.2.5: it is not about such a certificate.
    CrlScope {
        /// The list.
        list: String,
        /// Why not.
        why: String,
    },
    /// RFC 5280 5.2, 5.3: a critical extension that is not understood.
    CrlCritical {
        /// The list.
        list: String,
        /// Its object identifier.
        extension: String,
        /// Whether it is one of an entry, not of the list.
        of_entry: bool,
    },
    /// There is no answer, and nobody was asked.
    NoOcsp {
        /// Whether the certificate names a responder, and nobody asks it.
        names_place: bool,
    },
    /// No responder could be asked.
    OcspUnreachable {
        /// What was tried, and how it failed.
        attempts: Vec<String>,
    },
    /// An answer cannot be read.
    OcspMalformed {
        /// The answer.
        answer: String,
        /// Why not.
        why: String,
    },
    /// RFC 6960 4.2.1: the responder does not answer.
    OcspRefused {
        /// The answer.
        answer: String,
        /// Its status, as `tryLater`.
        status: &'static str,
        /// What that means.
        meaning: &'static str,
    },
    /// RFC 6960 2.7: the responder does not know it.
    OcspUnknown {
        /// The answer.
        answer: String,
    },
    /// RFC 6960 3.2: the answer is about other certificates.
    OcspWrongCertificate {
        /// The answer.
        answer: String,
    },
    /// RFC 6960 4.2.2.1: the next answer was due.
    OcspStale {
        /// The answer.
        answer: String,
        /// Until when it was good.
        until: i64,
        /// The time of the judgement.
        now: i64,
    },
    /// RFC 6960 4.2.2.1: it is from the future.
    OcspNotYetValid {
        /// The answer.
        answer: String,
        /// From when it is.
        this_update: i64,
        /// The time of the judgement.
        now: i64,
    },
    /// RFC 6960 3.2: the signature does not hold.
    OcspBadSignature {
        /// The answer.
        answer: String,
        /// What is wrong.
        why: &'static str,
    },
    /// RFC 6960 4.2.2.2: who signed it may not.
    OcspResponderNotAuthorized {
        /// The answer.
        answer: String,
        /// Why not.
        why: String,
    },
    /// RFC 9654 2.1: it answers another question.
    OcspNonce {
        /// The answer.
        answer: String,
        /// What is wrong.
        why: &'static str,
    },
    /// RFC 5280 4.2: a critical extension that is not understood.
    OcspCritical {
        /// The answer.
        answer: String,
        /// Its object identifier.
        extension: String,
    },
    /// RFC 7633 4.2.3: it must come with an answer stapled to it, and did not.
    MustStaple {
        /// What came instead.
        why: &'static str,
    },
    /// RFC 7633 4.2.2: its issuer's TLS features are not all among its own.
    MissingFeature {
        /// Who issued it.
        issuer: String,
        /// The feature's number; 5 is status_request.
        feature: u16,
    },
    /// A stapled answer was demanded, and none came.
    NoStaple {
        /// What came instead.
        why: &'static str,
    },
    /// The certificate's own fields about revocation cannot be read.
    Unreadable {
        /// Why not.
        why: String,
    },
}

/// Why a certificate was revoked (RFC 5280 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason(pub Option<u32>);

impl Reason {
    /// RFC 5280 5.3.1: removeFromCRL, which takes an entry of an earlier list back.
    pub(crate) fn takes_back(self) -> bool {
        self.0 == Some(8)
    }
}

impl RevocationProblem {
    /// The reason for programs: stable, in snake_case.
    pub fn code(&self) -> &'static str {
        match self.cause {
            Cause::RevokedByOcsp { .. } if self.stapled => "revoked_by_staple",
            Cause::OcspStale { .. } if self.stapled => "staple_stale",
            Cause::RevokedByCrl { .. } => "revoked_by_crl",
            Cause::RevokedByOcsp { .. } => "revoked_by_ocsp",
            Cause::NoCrl { .. } => "no_crl",
            Cause::CrlUnreachable { .. } => "crl_unreachable",
            Cause::CrlMalformed { .. } => "crl_malformed",
            Cause::CrlStale { .. } => "crl_stale",
            Cause::CrlUndated { .. } => "crl_undated",
            Cause::CrlNotYetValid { .. } => "crl_not_yet_valid",
            Cause::CrlBadSignature { .. } => "crl_bad_signature",
            Cause::CrlKeyUsage { .. } => "crl_key_usage",
            Cause::CrlWrongIssuer { .. } => "crl_wrong_issuer",
            Cause::CrlDelta { .. } => "crl_delta",
            Cause::CrlIndirect { .. } => "crl_indirect",
            Cause::CrlScope { .. } => "crl_scope",
            Cause::CrlCritical { .. } => "crl_critical_extension",
            Cause::NoOcsp { .. } => "no_ocsp",
            Cause::OcspUnreachable { .. } => "ocsp_unreachable",
            Cause::OcspMalformed { .. } => "ocsp_malformed",
            Cause::OcspRefused { .. } => "ocsp_refused",
            Cause::OcspUnknown { .. } => "ocsp_unknown",
            Cause::OcspWrongCertificate { .. } => "ocsp_wrong_certificate",
            Cause::OcspStale { .. } => "ocsp_stale",
            Cause::OcspNotYetValid { .. } => "ocsp_not_yet_valid",
            Cause::OcspBadSignature { .. } => "ocsp_bad_signature",
            Cause::OcspResponderNotAuthorized { .. } => "ocsp_responder_not_authorized",
            Cause::OcspNonce { .. } => "ocsp_nonce",
            Cause::OcspCritical { .. } => "ocsp_critical_extension",
            Cause::MustStaple { .. } => "must_staple",
            Cause::MissingFeature { .. } => "missing_tls_feature",
            Cause::NoStaple { .. } => "no_staple",
            Cause::Unreadable { .. } => "revocation_unreadable",
        }
    }

    /// Whether the issuer says that it has taken the certificate back: nothing makes up for that.
    pub fn is_revoked(&self) -> bool {
        matches!(self.cause, Cause::RevokedByCrl { .. } | Cause::RevokedByOcsp { .. })
    }

    /// Whether it is about what the server stapled, or did not.
    pub(crate) fn is_about_staple(&self) -> bool {
        self.stapled || matches!(self.cause, Cause::MustStaple { .. } | Cause::NoStaple { .. })
    }
}

impl fmt::Display for RevocationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificate, cause, .. } = self;
        match cause {
            Cause::RevokedByCrl { .. } | Cause::RevokedByOcsp { .. } => {
                write!(f, "{certificate} has been revoked: {cause}")
            }
            Cause::MustStaple { .. } | Cause::MissingFeature { .. } | Cause::NoStaple { .. } => {
                write!(f, "{certificate}: {cause}")
            }
            _ => write!(f, "whether {certificate} has been revoked is unknown: {cause}"),
        }?;
        write!(f, " ({})", self.cure())
    }
}

impl RevocationProblem {
    /// What would make it pass.
    fn cure(&self) -> &'static str {
        match &self.cause {
            Cause::RevokedByCrl { .. } | Cause::RevokedByOcsp { .. } => {
                "do not trust it until its owner has another"
            }
            Cause::NoCrl { .. } => "give one with --crlfile; in verify, with --crl",
            Cause::CrlUnreachable { .. } => "give one with --crlfile, or pass over it with --crl-check try",
            Cause::CrlMalformed { .. } => "get it anew; if that is the same, its issuer must publish another",
            Cause::CrlStale { .. } => "get the next one; if there is none, its issuer must publish it",
            Cause::CrlUndated { .. } => "its issuer must publish one that says so",
            Cause::CrlNotYetValid { .. } | Cause::OcspNotYetValid { .. } => "is the clock here right?",
            Cause::CrlBadSignature { .. } => "get the issuer's own list",
            Cause::CrlKeyUsage { .. } => "the issuer's certificate must be issued anew, with cRLSign",
            Cause::CrlWrongIssuer { .. } => "give the issuer's own list with --crlfile",
            Cause::CrlDelta { .. } => "give the complete one",
            Cause::CrlIndirect { .. } | Cause::CrlCritical { .. } => "ask by OCSP instead, with --ocsp-check",
            Cause::CrlScope { .. } => "give the list that covers it, too",
            Cause::NoOcsp { .. } => "pass over it with --ocsp-check try; verify takes answers with --ocsp",
            Cause::OcspUnreachable { .. } => "pass over it with --ocsp-check try",
            Cause::MustStaple { .. } => "the server's owner must switch OCSP stapling on",
            Cause::MissingFeature { .. } => "its owner must have it issued anew with that feature",
            Cause::NoStaple { .. } => {
                "the server's owner must switch OCSP stapling on; without --cert-status it passes"
            }
            Cause::Unreadable { .. } => "its owner must have it issued anew",
            Cause::OcspStale { .. } if self.stapled => {
                "the server must get the next one from the responder, and staple that"
            }
            Cause::OcspMalformed { .. }
            | Cause::OcspRefused { .. }
            | Cause::OcspUnknown { .. }
            | Cause::OcspWrongCertificate { .. }
            | Cause::OcspBadSignature { .. }
            | Cause::OcspResponderNotAuthorized { .. }
            | Cause::OcspNonce { .. }
            | Cause::OcspCritical { .. }
                if self.stapled =>
            {
                "the server's owner must see to it that it staples what the issuer's responder says of this \
                 certificate"
            }
            Cause::OcspStale { .. } | Cause::OcspNonce { .. } => "ask for a new one",
            Cause::OcspMalformed { .. } | Cause::OcspCritical { .. } => {
                "ask anew; if that is the same, the responder's owner must mend it"
            }
            Cause::OcspRefused { status: "tryLater" | "internalError", .. } => "ask again later",
            Cause::OcspRefused { .. } => "ask for a list instead, with --crl-check",
            Cause::OcspUnknown { .. } => "ask its issuer whether it has issued this certificate at all",
            Cause::OcspWrongCertificate { .. } => "get the answer about this one",
            Cause::OcspBadSignature { .. } => "get the issuer's own answer",
            Cause::OcspResponderNotAuthorized { .. } => {
                "get the answer of the issuer, or of whom it has given a certificate for OCSPSigning that is in time"
            }
        }
    }
}

impl fmt::Display for Cause {
    /// The matter without what would make it pass.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevokedByCrl { list, since, reason } => {
                write!(f, "{list} has it since {}, {reason}", rfc3339(*since))
            }
            Self::NoCrl { issuer, names_place } => write!(
                f,
                "no revocation list of {issuer} is given, and {}",
                if *names_place {
                    "nobody fetches it here from where the certificate says that it is"
                } else {
                    "the certificate does not say where one is to be had"
                }
            ),
            Self::CrlUnreachable { attempts } => {
                write!(f, "no revocation list could be fetched: {}", attempts.join("; "))
            }
            Self::CrlMalformed { list, why } => write!(f, "{list} cannot be read: {why}"),
            Self::CrlStale { list, next_update, now } => too_old(f, list, *next_update, *now),
            Self::CrlUndated { list } => {
                write!(f, "{list} does not say when the next one is due, as it must: it may be old")
            }
            Self::CrlNotYetValid { list, this_update, now } => too_new(f, list, *this_update, *now),
            Self::CrlBadSignature { list, why } => write!(f, "{list} {why}"),
            Self::CrlKeyUsage { list, issuer } => {
                write!(f, "{list} does not count, because the key usage of {issuer} lacks cRLSign")
            }
            Self::CrlWrongIssuer { list, issuer } => {
                write!(f, "{list} is not by {issuer}, who issued the certificate")
            }
            Self::CrlDelta { list } => write!(
                f,
                "{list} is a delta list, which says only what has changed since another: delta lists are not \
                 supported"
            ),
            Self::CrlIndirect { keeper } => write!(
                f,
                "its revocation list is kept by {keeper}, who did not issue it: such indirect lists are not supported"
            ),
            Self::CrlScope { list, why } => write!(f, "it is not covered by {list}: {why}"),
            Self::CrlCritical { list, extension, of_entry } => write!(
                f,
                "{list} has {} extension {extension}, which is not understood here and critical, so the list must \
                 not be used",
                if *of_entry { "an entry with the" } else { "the" }
            ),
            Self::Unreadable { why } => write!(f, "what it says about revocation cannot be read: {why}"),
            _ => self.about_ocsp(f),
        }
    }
}

fn too_old(f: &mut fmt::Formatter<'_>, what: &str, until: i64, now: i64) -> fmt::Result {
    write!(f, "{what} was good until {}, and it is now {}", rfc3339(until), rfc3339(now))
}

fn too_new(f: &mut fmt::Formatter<'_>, what: &str, from: i64, now: i64) -> fmt::Result {
    write!(f, "{what} is from {}, and it is now {}", rfc3339(from), rfc3339(now))
}

impl Cause {
    fn about_ocsp(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevokedByOcsp { answer, since, reason } => {
                write!(f, "{answer} says since {}, {reason}", rfc3339(*since))
            }
            Self::NoOcsp { names_place: true } => f.write_str(
                "no OCSP answer about it is given, and nobody asks the responder here that the certificate names",
            ),
            Self::NoOcsp { names_place: false } => {
                f.write_str("no OCSP answer about it is given, and the certificate names no responder")
            }
            Self::OcspUnreachable { attempts } => {
                write!(f, "no OCSP responder gave an answer: {}", attempts.join("; "))
            }
            Self::OcspMalformed { answer, why } => write!(f, "{answer} cannot be read: {why}"),
            Self::OcspRefused { answer, status, meaning } => {
                write!(f, "{answer} is the error {status}: {meaning}")
            }
            Self::OcspUnknown { answer } => {
                write!(f, "{answer} says \"unknown\": the responder does not know this certificate")
            }
            Self::OcspWrongCertificate { answer } => {
                write!(f, "{answer} is about other certificates, not this one")
            }
            Self::OcspStale { answer, until, now } => too_old(f, answer, *until, *now),
            Self::OcspNotYetValid { answer, this_update, now } => too_new(f, answer, *this_update, *now),
            Self::OcspBadSignature { answer, why } => write!(f, "{answer} {why}"),
            Self::OcspResponderNotAuthorized { answer, why } => {
                write!(f, "{answer} comes from a responder that may not speak for the issuer: {why}")
            }
            Self::OcspNonce { answer, why } => write!(f, "{answer} {why}"),
            Self::OcspCritical { answer, extension } => write!(
                f,
                "{answer} has the extension {extension}, which is not understood here and critical, so it must not \
                 be used"
            ),
            Self::MustStaple { why } => {
                write!(f, "it must come with a stapled OCSP answer (must-staple, RFC 7633), and {why}")
            }
            Self::MissingFeature { issuer, feature } => write!(
                f,
                "its issuer {issuer} demands the TLS feature {feature} of every certificate that it issues, and this \
                 one does not have it (RFC 7633 4.2.2)"
            ),
            Self::NoStaple { why } => {
                write!(f, "a stapled OCSP answer is demanded (--cert-status), and {why}")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Reason {
    /// RFC 5280 5.3.1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            None => return f.write_str("no reason given"),
            Some(0) => "unspecified",
            Some(1) => "keyCompromise",
            Some(2) => "cACompromise",
            Some(3) => "affiliationChanged",
            Some(4) => "superseded",
            Some(5) => "cessationOfOperation",
            Some(6) => "certificateHold, for the time being",
            Some(8) => "removeFromCRL",
            Some(9) => "privilegeWithdrawn",
            Some(10) => "aACompromise",
            Some(other) => return write!(f, "reason {other}"),
        };
        write!(f, "reason {name}")
    }
}
