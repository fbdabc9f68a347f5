//! The rules of RFC 5280 that one certificate keeps or breaks by itself, which webpki does not look
//! at.
//!
//! Some are enforced always: nobody breaks them who does not mean to, or TLS could not use the key,
//! or curl and browsers refuse it, too. The others are told, and enforced only by
//! [`super::Verifier::strict`]: private CAs break them every day, and no browser minds. (Of the 144
//! roots of Debian 12, none breaks a rule of the first kind, and 17 break one of the second.)

use super::judgement::Check;
use super::reading::Reading;
use crate::certificate::key_kind;
use crate::der::KeyInfo;
use crate::problem::{CertificateProblem, Rule};
use rustls::crypto::WebPkiSupportedAlgorithms;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, NameConstraints, ParsedExtension, X509Extension};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Version;

pub(super) const CHECK: &str = "format";
const RFC: &str = "RFC 5280 4.1, 4.2";

/// What a certificate is in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The peer's own.
    Own,
    /// Of a CA that somebody vouches for.
    Issuer,
    /// Of a CA that is trusted.
    Anchor,
    /// The peer's own, which is trusted itself.
    TrustedOwn,
}

impl Role {
    fn issues(self) -> bool {
        matches!(self, Self::Issuer | Self::Anchor)
    }
}

/// A rule that is broken.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) why: String,
    /// Whether it refuses the certificate even where nobody asked for strictness.
    pub(super) always: bool,
}

impl Broken {
    /// Whether it is told with what the key is for.
    pub(super) fn is_of_use(&self) -> bool {
        matches!(self.rule, Rule::KeyUsage | Rule::OwnKeyUsage)
    }
}

fn always(rule: Rule, why: impl Into<String>) -> Broken {
    Broken { rule, why: why.into(), always: true }
}

fn strictly(rule: Rule, why: impl Into<String>) -> Broken {
    Broken { rule, why: why.into(), always: false }
}

/// All rules that are broken, the first the one to be told. It allocates nothing for a certificate
/// that breaks none.
pub(super) fn broken(
    x509: &X509Certificate<'_>,
    role: Role,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Vec<Broken> {
    let mut found = Vec::new();
    extensions(x509, role, &mut found);
    names(x509, role, &mut found);
    name_constraints(x509, role, &mut found);
    usage(x509, role, &mut found);
    key(x509, role, algorithms, &mut found);
    serial(x509, &mut found);
    identifiers(x509, role, &mut found);
    found
}

/// RFC 5280 4.2: each extension once, readable, and critical as it must be.
fn extensions(x509: &X509Certificate<'_>, role: Role, found: &mut Vec<Broken>) {
    let all = x509.extensions();
    if all.len() > MANY_EXTENSIONS {
        found.push(always(Rule::BadExtension, format!("has {} extensions: too many to look at", all.len())));
        return;
    }
    for (index, extension) in all.iter().enumerate() {
        if all.iter().take(index).any(|earlier| earlier.oid == extension.oid) {
            let why = format!("has the extension {} twice", name_of(extension));
            found.push(always(Rule::DuplicateExtension, why));
        }
        extension_itself(extension, role, found);
    }
    // RFC 5280 4.2: "The extensions field can only appear in version 3".
    if x509.version() != X509Version::V3 && !all.is_empty() {
        found.push(always(Rule::BadVersion, "has extensions, and is not of version 3"));
    }
}

/// A certificate has ten.
const MANY_EXTENSIONS: usize = 256;

fn extension_itself(extension: &X509Extension<'_>, role: Role, found: &mut Vec<Broken>) {
    use ParsedExtension as Parsed;
    let parsed = extension.parsed_extension();
    if parsed.error().is_some() && is_read(extension) {
        let why = format!("has an extension that cannot be read: {}", name_of(extension));
        found.push(always(Rule::BadExtension, why));
    }
    let critical = extension.critical;
    let must_not = match parsed {
        // RFC 5280 4.2.1.1, 4.2.1.2, 4.2.2.1: "MUST mark this extension as non-critical".
        Parsed::AuthorityKeyIdentifier(_)
        | Parsed::SubjectKeyIdentifier(_)
        | Parsed::AuthorityInfoAccess(_) => true,
        _ => false,
    };
    if critical && must_not {
        let why = format!("marks {} as critical, which it must not be", name_of(extension));
        found.push(always(Rule::Criticality, why));
    }
    if role.issues() && !critical {
        // RFC 5280 4.2.1.9, 4.2.1.11; that name constraints are critical, CAs are excused from by the
        // CA/Browser Forum (7.1.2.5.2).
        if matches!(parsed, Parsed::BasicConstraints(_) | Parsed::PolicyConstraints(_)) {
            let why = format!("does not mark {} as critical", name_of(extension));
            found.push(strictly(Rule::Criticality, why));
        }
    }
    // webpki passes over them in what is trusted; elsewhere it refuses them.
    if matches!(role, Role::Anchor | Role::TrustedOwn) && critical && !is_known(extension) {
        let why = not_understood(extension);
        found.push(always(Rule::UnknownCriticalExtension, why));
    }
}

/// RFC 5280 4.1.2.4, 4.1.2.6, 4.2.1.6.
fn names(x509: &X509Certificate<'_>, role: Role, found: &mut Vec<Broken>) {
    if x509.issuer().as_raw() == EMPTY_NAME {
        found.push(always(Rule::EmptyIssuer, "names nobody as its issuer"));
    }
    let nameless = x509.subject().as_raw() == EMPTY_NAME;
    if role.issues() && nameless {
        found.push(always(Rule::EmptySubject, "is a CA's and has no subject"));
    }
    let names = x509
        .extensions()
        .iter()
        .find(|one| matches!(one.parsed_extension(), ParsedExtension::SubjectAlternativeName(_)));
    if let Some(extension) = names
        && !role.issues()
        && extension.critical != nameless
    {
        let why = if nameless {
            "has no subject, so its subject alternative names must be critical"
        } else {
            "has a subject, so its subject alternative names must not be critical"
        };
        found.push(strictly(Rule::Criticality, why));
    }
}

const EMPTY_NAME: &[u8] = &[0x30, 0];

/// RFC 5280 4.2.1.10: of CAs only, and not of nothing.
fn name_constraints(x509: &X509Certificate<'_>, role: Role, found: &mut Vec<Broken>) {
    let Some(constraints) = constraints_of(x509) else {
        return;
    };
    if !role.issues() && !is_ca(x509) {
        found.push(always(Rule::BadNameConstraint, "limits names, which only a CA's may"));
    }
    let permitted = constraints.permitted_subtrees.iter().flatten();
    let all: Vec<_> = permitted.chain(constraints.excluded_subtrees.iter().flatten()).collect();
    if all.is_empty() {
        found.push(always(Rule::BadNameConstraint, "has name constraints that name nothing"));
    }
    if all.iter().any(|subtree| matches!(subtree.base, GeneralName::DNSName(name) if name.starts_with('.'))) {
        found.push(strictly(
            Rule::BadNameConstraint,
            "has a name constraint that begins with a dot, which only those of URIs may",
        ));
    }
}

pub(super) fn constraints_of<'a>(x509: &'a X509Certificate<'_>) -> Option<&'a NameConstraints<'a>> {
    x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::NameConstraints(constraints) => Some(constraints),
        _ => None,
    })
}

pub(super) fn is_ca(x509: &X509Certificate<'_>) -> bool {
    x509.extensions().iter().any(
        |extension| matches!(extension.parsed_extension(), ParsedExtension::BasicConstraints(basic) if basic.ca),
    )
}

/// RFC 5280 4.2.1.3, 4.2.1.9.
fn usage(x509: &X509Certificate<'_>, role: Role, found: &mut Vec<Broken>) {
    let signs = x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::KeyUsage(usage) => Some(usage.key_cert_sign()),
        _ => None,
    });
    if role.issues() && signs == Some(false) {
        let why = "is not for signing certificates: its key usage lacks keyCertSign";
        found.push(always(Rule::KeyUsage, why));
    }
    if role == Role::Own && signs == Some(true) && !is_ca(x509) {
        let why =
            "may sign certificates by its key usage (keyCertSign), and is no CA's by its basic constraints";
        found.push(always(Rule::OwnKeyUsage, why));
    }
}

/// What TLS can do with the key. RFC 8446 4.2.3; RSA of 2048 bits or more (NIST SP 800-131A), a whole
/// number of bytes (CA/Browser Forum 6.1.5).
fn key(
    x509: &X509Certificate<'_>,
    role: Role,
    algorithms: &WebPkiSupportedAlgorithms,
    found: &mut Vec<Broken>,
) {
    if let Ok(PublicKey::RSA(rsa)) = x509.public_key().parsed() {
        let modulus: &[u8] = rsa.modulus.strip_prefix(&[0]).unwrap_or(rsa.modulus);
        let unused = modulus.first().map_or(0, |first| first.leading_zeros());
        let bits = modulus.len() * 8 - usize::try_from(unused).unwrap_or_default();
        if bits < WEAKEST_RSA {
            let why = format!("has an RSA key of {bits} bits, and fewer than {WEAKEST_RSA} are too weak");
            found.push(always(Rule::WeakKey, why));
        } else if unused != 0 {
            let why = format!("has an RSA key of {bits} bits, which is not a whole number of bytes");
            found.push(always(Rule::UnsupportedKey, why));
        }
    }
    if matches!(role, Role::Own | Role::TrustedOwn) {
        let kind = KeyInfo::read(x509.public_key().raw).map(|key| key.algorithm).unwrap_or_default();
        if !algorithms.all.iter().any(|algorithm| algorithm.public_key_alg_id().as_ref() == kind) {
            let why =
                format!("has a key ({}) of a kind that TLS does not use here", key_kind(x509.public_key()));
            found.push(always(Rule::UnsupportedKey, why));
        }
    }
}

const WEAKEST_RSA: usize = 2048;

/// RFC 5280 4.1.2.2.
fn serial(x509: &X509Certificate<'_>, found: &mut Vec<Broken>) {
    let serial = x509.raw_serial();
    let length = serial.strip_prefix(&[0]).unwrap_or(serial).len();
    let why = if serial.first().is_some_and(|first| first & 0x80 != 0) {
        "has a negative serial number".to_owned()
    } else if serial.iter().all(|byte| *byte == 0) {
        "has the serial number zero".to_owned()
    } else if length > 20 {
        format!("has a serial number of {length} bytes, and 20 are the most")
    } else {
        return;
    };
    found.push(strictly(Rule::BadSerial, why));
}

/// RFC 5280 4.2.1.1, 4.2.1.2; what roots may say of their own issuer: CA/Browser Forum 7.1.2.1.3.
fn identifiers(x509: &X509Certificate<'_>, role: Role, found: &mut Vec<Broken>) {
    if x509.version() != X509Version::V3 {
        return;
    }
    let own = x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier),
        _ => None,
    });
    let issuers = x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(identifier) => Some(identifier),
        _ => None,
    });
    if role.issues() && own.is_none() {
        found.push(strictly(Rule::KeyIdentifier, "is a CA's and has no subject key identifier"));
    }
    let self_issued = x509.subject().as_raw() == x509.issuer().as_raw();
    match issuers {
        None if self_issued => {}
        None => found.push(strictly(Rule::KeyIdentifier, "has no authority key identifier")),
        Some(identifier) => {
            let why = match &identifier.key_identifier {
                None => "has an authority key identifier without the identifier",
                Some(key) if self_issued && own.is_some_and(|own| own != key) => {
                    "is its own issuer, and its two key identifiers differ"
                }
                Some(_) if role == Role::Anchor && identifier.authority_cert_issuer.is_some() => {
                    "is a root whose authority key identifier names an issuer"
                }
                Some(_) if role == Role::Anchor && identifier.authority_cert_serial.is_some() => {
                    "is a root whose authority key identifier names a serial number"
                }
                Some(_) => return,
            };
            found.push(strictly(Rule::KeyIdentifier, why));
        }
    }
}

/// The extensions that a decision here depends on.
fn is_read(extension: &X509Extension<'_>) -> bool {
    READ.contains(&extension.oid.to_id_string().as_str())
}

fn is_known(extension: &X509Extension<'_>) -> bool {
    is_read(extension) || POLICIES.contains(&extension.oid.to_id_string().as_str())
}

/// Key identifiers, key usage, names, basic constraints, name constraints, CRL distribution points,
/// extended key usage, authority information access.
const READ: [&str; 9] = [
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.31",
    "2.5.29.35",
    "2.5.29.37",
    "1.3.6.1.5.5.7.1.1",
];

/// Certificate policies, their mapping and constraints, and the issuer's other names: a root that has
/// them critical is no reason to doubt it.
const POLICIES: [&str; 5] = ["2.5.29.18", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54"];

fn name_of(extension: &X509Extension<'_>) -> String {
    let oid = extension.oid.to_id_string();
    let name = match oid.as_str() {
        "2.5.29.14" => "the subject key identifier",
        "2.5.29.15" => "the key usage",
        "2.5.29.17" => "the subject alternative names",
        "2.5.29.19" => "the basic constraints",
        "2.5.29.30" => "the name constraints",
        "2.5.29.31" => "the CRL distribution points",
        "2.5.29.32" => "the certificate policies",
        "2.5.29.35" => "the authority key identifier",
        "2.5.29.36" => "the policy constraints",
        "2.5.29.37" => "the extended key usage",
        "1.3.6.1.5.5.7.1.1" => "the authority information access",
        _ => return oid,
    };
    format!("{name} ({oid})")
}

fn not_understood(extension: &X509Extension<'_>) -> String {
    format!("has a critical extension that is not understood here: {}", name_of(extension))
}

/// What a certificate is like, and which of the rules that are enforced it breaks. webpki's own first.
pub(super) fn check(reading: &Reading<'_>, role: Role, broken: &[Broken]) -> Check {
    let named = reading.named();
    let Some(x509) = &reading.x509 else {
        let why = reading.info.unreadable().unwrap_or("it is no certificate").to_owned();
        let problem = CertificateProblem::Malformed { certificate: named.clone(), why };
        return Check::failed(CHECK, RFC, problem).of(named);
    };
    let failed = |rule, why: String| {
        let problem = CertificateProblem::Rule { certificate: named.clone(), rule, why };
        Check::failed(CHECK, RFC, problem).of(named.clone())
    };
    if role != Role::Anchor {
        if x509.version() != X509Version::V3 {
            let version = x509.version().0.saturating_add(1);
            return failed(Rule::BadVersion, format!("is of version {version}, and only version 3 is taken"));
        }
        let unknown = x509.extensions().iter().find(|one| one.critical && !webpki_knows(one));
        if let Some(unknown) = unknown {
            return failed(Rule::UnknownCriticalExtension, not_understood(unknown));
        }
    }
    if let Some(first) = broken.iter().find(|one| one.always && !one.is_of_use()) {
        return failed(first.rule, first.why.clone());
    }
    if role != Role::Anchor
        && webpki::EndEntityCert::try_from(reading.der)
            .is_err_and(|error| error != webpki::Error::SignatureAlgorithmMismatch)
    {
        let why = match webpki::EndEntityCert::try_from(reading.der) {
            Err(error) => format!("webpki does not take it ({error})"),
            Ok(_) => "webpki does not take it".to_owned(),
        };
        let problem = CertificateProblem::Malformed { certificate: named.clone(), why };
        return Check::failed(CHECK, RFC, problem).of(named);
    }
    let critical = x509.extensions().iter().filter(|extension| extension.critical).count();
    let evidence = format!(
        "version {}, serial {}, key {}, {} extensions, {critical} of them critical and all of those understood",
        x509.version().0.saturating_add(1),
        reading.info.serial,
        reading.info.key,
        x509.extensions().len()
    );
    Check::passed(CHECK, RFC, evidence).of(named)
}

/// What webpki 0.103 understands: the extensions that it processes.
fn webpki_knows(extension: &X509Extension<'_>) -> bool {
    ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.37", "1.3.6.1.4.1.11129.2.4.2"]
        .contains(&extension.oid.to_id_string().as_str())
}
