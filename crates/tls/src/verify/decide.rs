//! The decision: webpki's, with the rules that it leaves out asked of every path that it would take.

use super::Verifier;
use super::names::{Name, mailboxes};
use super::reading::{Place, Reading, read};
use super::rules::{self, Role};
use super::usage::{self, OneOf};
use super::{Purpose, constraints, ways};
use crate::certificate::sequence;
use crate::trust::Root;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use webpki::{
    EndEntityCert, Error, ExpirationPolicy, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, VerifiedPath,
};
use x509_parser::certificate::X509Certificate;

/// A path that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Indexes of its certificates among those shown, the peer's own first.
    pub(super) certificates: Vec<usize>,
    /// Which of the trusted it ends at.
    pub(super) root: usize,
}

/// Why none was taken, in webpki's words.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    Webpki(Error),
    /// The path holds, and the name is another.
    Name,
    /// Nothing was shown.
    Nothing,
}

/// webpki's word, and then no check that refuses what it accepts. What was seen on the way is not kept:
/// whoever wants to know why asks again.
pub(super) fn decide(
    verifier: &Verifier,
    chain: &[CertificateDer<'_>],
    names: &[Name],
    now: i64,
) -> Result<Taken, Refused> {
    let (own, others) = chain.split_first().ok_or(Refused::Nothing)?;
    let end_entity = EndEntityCert::try_from(own).map_err(Refused::Webpki)?;
    if ways::are_too_many(&end_entity, others) {
        return Err(Refused::Webpki(Error::MaximumPathBuildCallsExceeded));
    }
    let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now).unwrap_or_default()));
    let keeps_rules = |path: &VerifiedPath<'_>| {
        let root = root_of(verifier, path).ok_or(Error::UnknownIssuer)?;
        // Any error makes webpki go on with the next path.
        if keeps(verifier, own, path, &root.1, now) { Ok(()) } else { Err(Error::CertDistrusted) }
    };
    let shown = verifier.shown.at(now, |name| keys_of(verifier, chain, name), verifier.algorithms.all);
    let revocation = RevocationOptionsBuilder::new(&shown.lists).ok().map(|options| {
        // RFC 5280 6.3.3, strictly: a list out of date says nothing.
        let unknown = if shown.left { UnknownStatusPolicy::Allow } else { UnknownStatusPolicy::Deny };
        options
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(unknown)
            .with_expiration_policy(ExpirationPolicy::Enforce)
            .build()
    });
    let path = end_entity
        .verify_for_usage(
            verifier.algorithms.all,
            &verifier.trust.roots().roots,
            others,
            time,
            OneOf(&verifier.purposes()),
            revocation,
            Some(&keeps_rules),
        )
        .map_err(Refused::Webpki)?;
    let mailboxes = || mailboxes(&Reading::new(Place::Own(Purpose::Client), own));
    if names.iter().any(|name| !name.fits(&end_entity, mailboxes)) {
        return Err(Refused::Name);
    }
    let (root, _) = root_of(verifier, &path).ok_or(Refused::Nothing)?;
    let mut certificates = vec![0];
    for issuer in path.intermediate_certificates() {
        let der = issuer.der();
        // By identity: one that was sent twice is the one that webpki took.
        let same = |other: &CertificateDer<'_>| std::ptr::eq(other.as_ref(), der.as_ref());
        let index = others.iter().position(same).or_else(|| others.iter().position(|other| *other == der));
        certificates.push(index.ok_or(Refused::Nothing)? + 1);
    }
    Ok(Taken { certificates, root })
}

/// The keys of all who have this name (a whole Name), among those shown and those trusted.
fn keys_of(verifier: &Verifier, chain: &[CertificateDer<'_>], name: &[u8]) -> Vec<Vec<u8>> {
    let trusted = verifier.trust.all().filter(|root| sequence(&root.anchor.subject) == name);
    let trusted = trusted.map(|root| sequence(&root.anchor.subject_public_key_info));
    let shown = chain.iter().filter_map(read).filter(|x509| x509.subject().as_raw() == name);
    trusted.chain(shown.map(|x509| x509.public_key().raw.to_vec())).collect()
}

/// By identity, too: two roots may have one name and key, and differ in their dates.
fn root_of<'v>(verifier: &'v Verifier, path: &VerifiedPath<'_>) -> Option<(usize, Root<'v>)> {
    let anchor = path.anchor();
    let same = |root: &Root<'_>| {
        std::ptr::eq(root.anchor.subject.as_ref(), anchor.subject.as_ref())
            && std::ptr::eq(
                root.anchor.subject_public_key_info.as_ref(),
                anchor.subject_public_key_info.as_ref(),
            )
    };
    verifier.trust.all().enumerate().find(|(_, root)| same(root))
}

/// What is asked beyond webpki; nothing is written down.
fn keeps(
    verifier: &Verifier,
    own: &CertificateDer<'_>,
    path: &VerifiedPath<'_>,
    root: &Root<'_>,
    now: i64,
) -> bool {
    let trusted_own = root.certificate.is_some_and(|certificate| certificate == own);
    let role = if trusted_own { Role::TrustedOwn } else { Role::Own };
    let Some(own) = read(own) else {
        return false;
    };
    let issuers: Vec<_> = path.intermediate_certificates().map(|issuer| issuer.der()).collect();
    let issuers: Option<Vec<_>> = issuers.iter().map(read).collect();
    let Some(issuers) = issuers else {
        return false;
    };
    let flawless = |x509: &X509Certificate<'_>, role| {
        rules::broken(x509, role, &verifier.algorithms)
            .iter()
            .all(|broken| !broken.always && !verifier.strict)
    };
    flawless(&own, role)
        && usage::missing_bit(&own, &verifier.key_usage()).is_none()
        && issuers.iter().all(|issuer| flawless(issuer, Role::Issuer))
        && verifier.max_depth.is_none_or(|most| issuers.len() <= most)
        && (trusted_own || root.certificate.is_none_or(|root| root_keeps(root, issuers.len(), now, flawless)))
}

/// A root's own dates, limits and use, which webpki does not see. Of those that are compiled in only
/// name, key and name constraints are known.
fn root_keeps(
    root: &CertificateDer<'_>,
    below: usize,
    now: i64,
    flawless: impl Fn(&X509Certificate<'_>, Role) -> bool,
) -> bool {
    let Some(x509) = read(root) else {
        return false;
    };
    let validity = x509.validity();
    validity.not_before.timestamp() <= now
        && now <= validity.not_after.timestamp()
        && constraints::anchor_issues(&x509)
        && constraints::path_length(&x509).is_none_or(|most| below <= most)
        && flawless(&x509, Role::Anchor)
}
