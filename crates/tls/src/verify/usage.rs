//! What a key is for: key usage (RFC 5280 4.2.1.3) and extended key usage (4.2.1.12).
//!
//! An extended key usage in a CA's certificate limits everything below it; one in a root limits
//! nothing, for webpki as for browsers. anyExtendedKeyUsage stands for no use in particular: webpki
//! does not take it for serverAuth or clientAuth.

use super::Purpose;
use super::judgement::Check;
use super::reading::Reading;
use super::rules::{Broken, Role};
use crate::problem::{CertificateProblem, Rule};
use webpki::{Error, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{KeyUsage, ParsedExtension};
use x509_parser::oid_registry::Oid;

pub(super) const CHECK: &str = "usage";
const RFC: &str = "RFC 5280 4.2.1.3, 4.2.1.12";

/// A use of a key, as extended key usages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPurpose {
    /// As RFC 5280 calls it.
    pub name: &'static str,
    oid: &'static [usize],
}

impl KeyPurpose {
    /// id-kp-serverAuth.
    pub const SERVER_AUTH: Self = Self { name: "serverAuth", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 1] };
    /// id-kp-clientAuth.
    pub const CLIENT_AUTH: Self = Self { name: "clientAuth", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 2] };
    /// All that are known by name.
    pub const KNOWN: [Self; 7] = [
        Self::SERVER_AUTH,
        Self::CLIENT_AUTH,
        Self { name: "codeSigning", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 3] },
        Self { name: "emailProtection", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 4] },
        Self { name: "timeStamping", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 8] },
        Self { name: "OCSPSigning", oid: &[1, 3, 6, 1, 5, 5, 7, 3, 9] },
        Self { name: "anyExtendedKeyUsage", oid: &[2, 5, 29, 37, 0] },
    ];

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|known| known.name == name)
    }

    /// What a peer's own certificate must be for.
    pub(super) fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Server => Self::SERVER_AUTH,
            Purpose::Client => Self::CLIENT_AUTH,
        }
    }

    fn dotted(self) -> String {
        self.oid.iter().map(usize::to_string).collect::<Vec<_>>().join(".")
    }
}

/// One of these, unless a certificate does not say what it is for.
pub(super) struct OneOf<'a>(pub(super) &'a [KeyPurpose]);

impl ExtendedKeyUsageValidator for OneOf<'_> {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut any = false;
        for purpose in purposes {
            any = true;
            let oid = purpose?.to_decoded_oid();
            if self.0.iter().any(|wanted| wanted.oid == oid) {
                return Ok(());
            }
        }
        // Which one is missing, the check below says.
        if any { Err(Error::EmptyEkuExtension) } else { Ok(()) }
    }
}

/// Names of key usage bits, in their order (RFC 5280 4.2.1.3).
const BITS: [&str; 9] = [
    "digitalSignature",
    "contentCommitment",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// Whether `name` is a key usage.
pub(super) fn is_bit(name: &str) -> bool {
    BITS.contains(&name)
}

fn bits(usage: &KeyUsage) -> Vec<&'static str> {
    let bits = (0..).zip(BITS);
    bits.filter(|(bit, _)| usage.flags & (1_u16 << bit) != 0).map(|(_, name)| name).collect()
}

fn key_usage<'a>(x509: &'a X509Certificate<'_>) -> Option<&'a KeyUsage> {
    x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::KeyUsage(usage) => Some(usage),
        _ => None,
    })
}

/// The key usage that the peer's own certificate lacks, if it says what its key is for. RFC 8446
/// 4.4.2.2, and for ECDHE in TLS 1.2 RFC 5246 7.4.2: "the digitalSignature bit MUST be set if the Key
/// Usage extension is present". webpki does not look.
pub(super) fn missing_bit<'a>(x509: &X509Certificate<'_>, wanted: &'a [String]) -> Option<&'a str> {
    let usage = key_usage(x509)?;
    let has = bits(usage);
    wanted.iter().map(String::as_str).find(|bit| !has.contains(bit))
}

/// The purposes of a certificate, by name or number; nothing where it is for any.
fn purposes(x509: &X509Certificate<'_>) -> Option<Vec<String>> {
    let extension = x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
        _ => None,
    })?;
    let named = [
        (extension.any, "anyExtendedKeyUsage"),
        (extension.server_auth, "serverAuth"),
        (extension.client_auth, "clientAuth"),
        (extension.code_signing, "codeSigning"),
        (extension.email_protection, "emailProtection"),
        (extension.time_stamping, "timeStamping"),
        (extension.ocsp_signing, "OCSPSigning"),
    ];
    let named = named.into_iter().filter(|(present, _)| *present).map(|(_, name)| name.to_owned());
    Some(named.chain(extension.other.iter().map(Oid::to_id_string)).collect())
}

/// What is wanted of the key.
pub(super) struct Wanted<'a> {
    pub(super) purposes: &'a [KeyPurpose],
    pub(super) key_usage: &'a [String],
}

pub(super) fn check(certificate: &Reading<'_>, role: Role, wanted: &Wanted<'_>, broken: &[Broken]) -> Check {
    let named = certificate.named();
    let Some(x509) = &certificate.x509 else {
        return Check::skipped(CHECK, RFC, "no uses to be read").of(named);
    };
    if let Some(first) = broken.iter().find(|one| one.always && one.is_of_use()) {
        let problem =
            CertificateProblem::Rule { certificate: named.clone(), rule: first.rule, why: first.why.clone() };
        return Check::failed(CHECK, RFC, problem).of(named);
    }
    let own = matches!(role, Role::Own | Role::TrustedOwn);
    if own && let Some(bit) = missing_bit(x509, wanted.key_usage) {
        let problem = CertificateProblem::Rule {
            certificate: named.clone(),
            rule: Rule::OwnKeyUsage,
            why: format!("has a key usage without {bit}"),
        };
        return Check::failed(CHECK, RFC, problem).of(named);
    }
    let purposes = purposes(x509);
    if role != Role::Anchor
        && let Some(purposes) = &purposes
        && !wanted
            .purposes
            .iter()
            .any(|one| purposes.iter().any(|purpose| purpose == one.name || *purpose == one.dotted()))
    {
        let names: Vec<_> = wanted.purposes.iter().map(|purpose| purpose.name).collect();
        let whose =
            if own { "its extended key usage is" } else { "it is a CA's, and limits what is below it to" };
        let why = format!("{whose} {}, without {}", list(purposes), names.join(" or "));
        let problem = CertificateProblem::WrongPurpose { certificate: named.clone(), why };
        return Check::failed(CHECK, RFC, problem).of(named);
    }
    let usage = match key_usage(x509) {
        Some(usage) => bits(usage).join(", "),
        None => "any key usage".to_owned(),
    };
    let purposes = match (&purposes, role) {
        (Some(purposes), Role::Anchor) => format!("{} (which in a root limits nothing)", list(purposes)),
        (Some(purposes), _) => list(purposes),
        (None, _) => "any purpose".to_owned(),
    };
    Check::passed(CHECK, RFC, format!("{} is good for {usage}; {purposes}", certificate.info.label()))
        .of(named)
}

fn list(purposes: &[String]) -> String {
    if purposes.is_empty() { "nothing".to_owned() } else { crate::problem::some_of(purposes) }
}
