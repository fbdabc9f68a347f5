//! Paths (RFC 5280 6.1, RFC 4158): from the peer's own certificate up to one that is trusted.
//!
//! Issuers are found by name, in the order in which they were sent, whatever order that is; the
//! trusted come first. A certificate sent twice counts once, one that is not needed does no harm, and
//! none comes twice in a path. A step whose signature does not hold is not followed further. The
//! search is bounded as webpki's is, so that hostile certificates cost little.

use super::reading::Reading;
use super::signature::{self, Held};
use crate::trust::Root;
use rustls::crypto::WebPkiSupportedAlgorithms;
use std::collections::BTreeSet;

/// Who issued a certificate, as far as is known.
#[derive(Clone, Copy)]
pub(super) enum Issuer<'t> {
    /// The certificate at this index of those shown.
    Shown(usize),
    /// One of the trusted.
    Root(Root<'t>),
}

/// A path, as far as it goes.
#[derive(Clone)]
pub(super) struct Path<'t> {
    /// Indexes into those shown, the peer's own first.
    pub(super) certificates: Vec<usize>,
    /// How the signature on each was found, by the next or by the root.
    pub(super) held: Vec<Held>,
    /// Where it ends.
    pub(super) root: Option<Root<'t>>,
    /// Who alleged to be the issuer of the last, where that signature does not hold.
    pub(super) impostor: Option<usize>,
}

/// What was found.
pub(super) struct Search<'t> {
    pub(super) paths: Vec<Path<'t>>,
    /// Whether there is more than was looked at.
    pub(super) given_up: bool,
}

/// webpki follows 6 CAs at most.
pub(super) const MOST_ISSUERS: usize = 6;
/// webpki verifies 100.
const MOST_SIGNATURES: usize = 100;
const MOST_PATHS: usize = 64;
const MOST_STEPS: usize = 2_000;

struct Seeker<'s, 't> {
    shown: &'s [Reading<'s>],
    roots: Vec<Root<'t>>,
    algorithms: &'s WebPkiSupportedAlgorithms,
    signatures: usize,
    steps: usize,
    /// What was verified already, so that one signature costs once.
    verified: Vec<((usize, Vec<u8>), Held)>,
    search: Search<'t>,
    /// Whether each of those shown can be an issuer: readable, and not sent before.
    usable: Vec<bool>,
}

/// All paths from the first of `shown`, those that lead nowhere included.
pub(super) fn search<'s, 't>(
    shown: &'s [Reading<'s>],
    roots: impl Iterator<Item = Root<'t>>,
    algorithms: &'s WebPkiSupportedAlgorithms,
) -> Search<'t> {
    let mut seen = BTreeSet::new();
    let usable = shown.iter().map(|one| one.x509.is_some() && seen.insert(one.der.as_ref())).collect();
    let mut seeker = Seeker {
        usable,
        shown,
        roots: roots.collect(),
        algorithms,
        signatures: MOST_SIGNATURES,
        steps: MOST_STEPS,
        verified: Vec::new(),
        search: Search { paths: Vec::new(), given_up: false },
    };
    if !shown.is_empty() {
        seeker.follow(&mut Path { certificates: vec![0], held: Vec::new(), root: None, impostor: None });
    }
    seeker.search
}

impl<'t> Seeker<'_, 't> {
    fn follow(&mut self, path: &mut Path<'t>) {
        let Some(last) = path.certificates.last().copied() else {
            return;
        };
        let Some(steps) = self.steps.checked_sub(1) else {
            self.search.given_up = true;
            return;
        };
        self.steps = steps;
        if path.certificates.len() > MOST_ISSUERS + 2 {
            self.search.paths.push(path.clone());
            return;
        }
        let mut led_on = false;
        for issuer in self.issuers(last, &path.certificates) {
            if self.search.paths.len() >= MOST_PATHS {
                self.search.given_up = true;
                return;
            }
            let Some(held) = self.verify(last, &issuer) else {
                self.search.given_up = true;
                return;
            };
            led_on = true;
            let mut next = path.clone();
            next.held.push(held);
            match issuer {
                Issuer::Root(root) => {
                    next.root = Some(root);
                    self.search.paths.push(next);
                }
                Issuer::Shown(index) if held != Held::Yes => {
                    next.impostor = Some(index);
                    self.search.paths.push(next);
                }
                Issuer::Shown(index) => {
                    next.certificates.push(index);
                    self.follow(&mut next);
                }
            }
        }
        if !led_on {
            self.search.paths.push(path.clone());
        }
    }

    /// Those who bear the name of the issuer: the trusted, then those shown that are not in the path
    /// yet, by subject and key.
    fn issuers(&self, of: usize, path: &[usize]) -> Vec<Issuer<'t>> {
        let Some(certificate) = self.shown.get(of).filter(|one| one.x509.is_some()) else {
            return Vec::new();
        };
        let name = certificate.issuer();
        let named = self.roots.iter().filter(|root| root.anchor.subject.as_ref() == name);
        let roots: Vec<_> = named.copied().collect();
        let mut found: Vec<_> = roots.iter().copied().map(Issuer::Root).collect();
        for (index, candidate) in self.shown.iter().enumerate() {
            let in_path = || {
                path.iter()
                    .filter_map(|one| self.shown.get(*one))
                    .any(|one| one.subject() == candidate.subject() && one.key() == candidate.key())
            };
            let usable = self.usable.get(index).copied().unwrap_or_default();
            // One that is trusted already leads nowhere but to itself.
            let is_root = || {
                candidate.subject() == candidate.issuer()
                    && roots
                        .iter()
                        .any(|root| root.anchor.subject_public_key_info.as_ref() == candidate.key())
            };
            if usable && candidate.subject() == name && !in_path() && !is_root() {
                found.push(Issuer::Shown(index));
            }
        }
        found
    }

    fn verify(&mut self, certificate: usize, issuer: &Issuer<'_>) -> Option<Held> {
        let signed = self.shown.get(certificate)?;
        let key = match issuer {
            Issuer::Shown(index) => self.shown.get(*index)?.key(),
            Issuer::Root(root) => root.anchor.subject_public_key_info.as_ref(),
        };
        let known = self.verified.iter().find(|((of, by), _)| *of == certificate && by == key);
        if let Some((_, held)) = known {
            return Some(*held);
        }
        self.signatures = self.signatures.checked_sub(1)?;
        let held = signature::holds(signed.der, key, self.algorithms.all);
        self.verified.push(((certificate, key.to_vec()), held));
        Some(held)
    }
}
