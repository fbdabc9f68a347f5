//! The explanation: every path and every check, and which of them decides.

use super::decide::{Refused, Taken};
use super::judgement::{Anchor, Check, Decision, Judgement, Link, PathTried};
use super::name_constraints::{Compared, Limits};
use super::names::Name;
use super::path::{self, MOST_ISSUERS, Path, Search};
use super::reading::{Place, Reading};
use super::rules::{self, Broken, Role};
use super::signature::Held;
use super::usage::Wanted;
use super::{Verifier, constraints, dates, name_constraints, names, signature, usage};
use crate::certificate::{contents, sequence};
use crate::digest::sha256;
use crate::hex::hex;
use crate::problem::{CertificateProblem, Rule};
use crate::trust::Root;
use glasstack_journal::event::Verdict;
use rustls::pki_types::CertificateDer;
use std::cell::RefCell;
use webpki::Error;
use x509_parser::extensions::{GeneralName, NameConstraints, ParsedExtension};
use x509_parser::prelude::FromDer;

const CHAIN: &str = "chain";
const CHAIN_RFC: &str = "RFC 5280 6.1";
/// What is only told, unless it is asked for.
const PROFILE: &str = "profile";
const PROFILE_RFC: &str = "RFC 5280 4";

/// Which failed check is the reason, where several failed: what says most about the certificate comes
/// first.
const RANK: [&str; 9] = [
    CHAIN,
    signature::CHECK,
    rules::CHECK,
    dates::CHECK,
    constraints::CHECK,
    usage::CHECK,
    name_constraints::CHECK,
    names::CHECK,
    PROFILE,
];

pub(super) fn explain(
    verifier: &Verifier,
    chain: &[CertificateDer<'_>],
    names: &[Name],
    now: i64,
    decision: Result<Taken, Refused>,
) -> Judgement {
    let shown = Reading::chain(verifier, chain);
    let name_checks = shown.first().map(|own| names::checks(own, names)).unwrap_or_default();
    let compared = RefCell::new(Compared::new());
    let explanation = Explanation { verifier, shown: &shown, now, name_checks, compared };
    let Search { paths, given_up } = path::search(&shown, verifier.trust.all(), &verifier.algorithms);
    let mut tried: Vec<Tried<'_>> = paths.into_iter().map(|path| explanation.try_out(path)).collect();
    let chosen = match &decision {
        Ok(taken) => match tried.iter().position(|tried| explanation.is_taken(&tried.path, taken)) {
            Some(position) => position,
            None => {
                tried.push(explanation.try_out(explanation.path_of(taken)));
                tried.len() - 1
            }
        },
        Err(_) => farthest(&tried),
    };
    let last_tried = if decision.is_ok() { chosen + 1 } else { tried.len() };
    let mut paths_tried: Vec<_> = tried
        .iter()
        .take(last_tried)
        .enumerate()
        .map(|(index, tried)| explanation.tell(tried, decision.is_ok() && index == chosen))
        .collect();
    if tried.is_empty() {
        return Judgement { problem: Some(nothing()), ..Judgement::default() };
    }
    let Tried { path, mut checks } = tried.swap_remove(chosen);
    if decision.is_err()
        && verifier.asks_about_revocation()
        && path.root.is_some()
        && first_failed(&checks).is_none()
    {
        // Then it was the lists that webpki has looked at.
        let path = links(&shown, &path.certificates, path.root.as_ref());
        checks.extend(verifier.revoked(&path, now, &verifier.staple).checks);
    }
    let problem = match &decision {
        Ok(_) => {
            checks = checks.into_iter().map(as_webpki_accepts).collect();
            None
        }
        Err(refused) => Some(explanation.reason(&checks, refused, given_up)),
    };
    if let (Some(problem), Some(tried)) = (&problem, paths_tried.get_mut(chosen)) {
        tried.why_not = Some(problem.to_string());
    }
    Judgement {
        verdict: if problem.is_none() { Decision::Accept } else { Decision::Reject },
        problem,
        checks,
        path: links(&shown, &path.certificates, path.root.as_ref()),
        paths_tried,
        anchor: path.root.as_ref().map(anchor),
    }
}

/// What is judged, and by what.
struct Explanation<'c> {
    verifier: &'c Verifier,
    shown: &'c [Reading<'c>],
    now: i64,
    /// Those of the name, which are the same for every path.
    name_checks: Vec<Check>,
    compared: RefCell<Compared>,
}

/// A path with its checks.
struct Tried<'t> {
    path: Path<'t>,
    checks: Vec<Check>,
}

impl<'c> Explanation<'c> {
    fn at<'s>(&'s self, path: &'s Path<'_>) -> impl Iterator<Item = &'s Reading<'c>> {
        path.certificates.iter().filter_map(|index| self.shown.get(*index))
    }

    fn try_out<'t>(&self, path: Path<'t>) -> Tried<'t> {
        let mut checks = Vec::new();
        let mut profile = Vec::new();
        let own_is_root = self.own_is_root(&path);
        for (step, reading) in self.at(&path).enumerate() {
            let role = match step {
                0 if own_is_root => Role::TrustedOwn,
                0 => Role::Own,
                _ => Role::Issuer,
            };
            let broken = self.broken(reading, role);
            checks.push(rules::check(reading, role, &broken));
            checks.push(self.signature(&path, step, reading));
            checks.push(dates::check(reading, self.now));
            checks.push(constraints::check(reading, role, step.saturating_sub(1)));
            checks.push(self.usage(reading, role, &broken));
            profile.extend(self.profile(reading, broken));
        }
        if let Some(reading) = path.root.as_ref().filter(|_| !own_is_root).and_then(Reading::anchor) {
            let broken = self.broken(&reading, Role::Anchor);
            checks.push(rules::check(&reading, Role::Anchor, &broken));
            checks.push(dates::check(&reading, self.now));
            checks.push(constraints::check(&reading, Role::Anchor, path.certificates.len() - 1));
            checks.push(self.usage(&reading, Role::Anchor, &broken));
            profile.extend(self.profile(&reading, broken));
        }
        checks.insert(0, self.chain(&path));
        checks.extend(self.name_constraints(&path));
        checks.extend(self.name_checks.iter().cloned());
        checks.extend(profile);
        Tried { path, checks }
    }

    fn broken(&self, reading: &Reading<'_>, role: Role) -> Vec<Broken> {
        let x509 = reading.x509.as_ref();
        x509.map(|x509| rules::broken(x509, role, &self.verifier.algorithms)).unwrap_or_default()
    }

    fn own_is_root(&self, path: &Path<'_>) -> bool {
        let root = path.root.and_then(|root| root.certificate);
        path.certificates.len() == 1
            && root.is_some_and(|root| self.shown.first().is_some_and(|own| own.der == root))
    }

    /// Whether it leads to a root, and how far it is.
    fn chain(&self, path: &Path<'_>) -> Check {
        let story = self.story(path);
        let Some(last) = self.at(path).last() else {
            return Check::failed(CHAIN, CHAIN_RFC, nothing());
        };
        let certificate = last.named();
        let failed = |problem| Check::failed(CHAIN, CHAIN_RFC, problem).of(certificate.clone());
        let between = path.certificates.len() - 1;
        let most = self.verifier.max_depth.unwrap_or(MOST_ISSUERS).min(MOST_ISSUERS);
        if between > most {
            return failed(CertificateProblem::Rule {
                certificate: certificate.clone(),
                rule: Rule::ChainTooLong,
                why: format!(
                    "is the end of too long a path: {between} CAs between, and at most {most} are followed"
                ),
            });
        }
        if path.root.is_some() {
            return Check::passed(CHAIN, CHAIN_RFC, story);
        }
        if path.impostor.is_some() {
            let why = format!("not followed beyond {certificate}, the signature on which does not hold");
            return Check::skipped(CHAIN, CHAIN_RFC, why);
        }
        if last.x509.is_none() {
            return Check::skipped(CHAIN, CHAIN_RFC, "nothing to be read");
        }
        let issuer = last.info.issuer.clone();
        failed(if self.verifier.trust.is_empty() {
            CertificateProblem::NoRoots
        } else if last.info.is_self_issued() && between == 0 {
            CertificateProblem::SelfSigned { certificate: certificate.clone() }
        } else if last.info.is_self_issued() {
            CertificateProblem::UntrustedRoot { certificate: certificate.clone(), issuer }
        } else {
            let certificate = certificate.clone();
            match where_issuer_is(last) {
                // A CA that points to its issuer may well point to the root.
                Some(url) if between == 0 => {
                    CertificateProblem::MissingIntermediate { certificate, issuer, url }
                }
                url => CertificateProblem::UnknownIssuer { certificate, issuer, url },
            }
        })
    }

    fn story(&self, path: &Path<'_>) -> String {
        let mut story = self.at(path).map(|one| one.info.label()).collect::<Vec<_>>().join(", issued by ");
        let by_peer =
            self.shown.iter().enumerate().filter(|(_, one)| !matches!(one.place, Place::Beside(..)));
        let needless = by_peer.filter(|(index, _)| !path.certificates.contains(index)).count();
        match (&path.root, self.at(path).last()) {
            (Some(root), _) => {
                story.push_str(&format!(", issued by the trusted root {} ({})", root.label(), root.origin));
            }
            (None, Some(last)) => story.push_str(&format!(", issued by {} (not trusted)", last.info.issuer)),
            (None, None) => {}
        }
        match needless {
            0 => {}
            1 => story.push_str("; 1 more certificate was shown and is not needed"),
            more => story.push_str(&format!("; {more} more certificates were shown and are not needed")),
        }
        story
    }

    fn signature(&self, path: &Path<'_>, step: usize, reading: &Reading<'_>) -> Check {
        let Some(held) = path.held.get(step).copied() else {
            let itself = reading.info.is_self_issued();
            let algorithms = self.verifier.algorithms.all;
            if itself && signature::holds(reading.der, reading.key(), algorithms) == Held::Yes {
                let whose = "itself, which nobody here trusts";
                return signature::check(reading, Held::Yes, whose, &reading.info.key);
            }
            let why = format!("not checked: the key of {} is not known here", reading.info.issuer);
            return Check::skipped(signature::CHECK, "RFC 5280 4.1.1.3", why).of(reading.named());
        };
        let next = path.certificates.get(step + 1).copied().or(path.impostor);
        match (next.and_then(|index| self.shown.get(index)), &path.root) {
            (Some(issuer), _) => signature::check(reading, held, &issuer.info.label(), &issuer.info.key),
            (None, Some(root)) => {
                let key = Reading::anchor(root)
                    .map(|reading| reading.info.key)
                    .unwrap_or_else(|| "a known one".to_owned());
                signature::check(reading, held, &root.label(), &key)
            }
            (None, None) => signature::check(reading, held, &reading.info.issuer, "an unknown one"),
        }
    }

    fn usage(&self, reading: &Reading<'_>, role: Role, broken: &[Broken]) -> Check {
        let (purposes, key_usage) = (self.verifier.purposes(), self.verifier.key_usage());
        usage::check(reading, role, &Wanted { purposes: &purposes, key_usage: &key_usage }, broken)
    }

    fn profile(&self, reading: &Reading<'_>, broken: Vec<Broken>) -> Vec<Check> {
        let told = broken.into_iter().filter(|broken| !broken.always);
        told.map(|Broken { rule, why, .. }| {
            let certificate = reading.named();
            let problem = CertificateProblem::Rule { certificate: certificate.clone(), rule, why };
            if self.verifier.strict {
                Check::failed(PROFILE, PROFILE_RFC, problem).of(certificate)
            } else {
                Check::skipped(PROFILE, PROFILE_RFC, format!("not enforced: {problem}")).of(certificate)
            }
        })
        .collect()
    }

    /// The limits of each CA of the path, and of the root.
    fn name_constraints(&self, path: &Path<'_>) -> Vec<Check> {
        let readings: Vec<_> = self.at(path).collect();
        let mut checks = Vec::new();
        let mut compared = self.compared.borrow_mut();
        for (step, ca) in readings.iter().enumerate().skip(1) {
            if let Some(constraints) = ca.x509.as_ref().and_then(rules::constraints_of) {
                let (label, below) = (ca.info.label(), readings.get(..step).unwrap_or_default());
                let limits = Limits::new(&label, ca.der.as_ptr(), constraints);
                checks.push(name_constraints::check(&limits, below, &mut compared));
            }
        }
        let root = path.root.as_ref().filter(|_| !self.own_is_root(path));
        let limits = root
            .and_then(|root| root.anchor.name_constraints.as_ref().map(|limits| (root, sequence(limits))));
        if let Some((root, limits)) = &limits
            && let Ok((_, constraints)) = NameConstraints::from_der(limits)
        {
            let label = root.label();
            let limits = Limits::new(&label, root.anchor.subject.as_ptr(), &constraints);
            checks.push(name_constraints::check(&limits, &readings, &mut compared));
        }
        if checks.is_empty() {
            let why = "no CA of the path limits the names below it";
            checks.push(Check::passed(name_constraints::CHECK, "RFC 5280 4.2.1.10", why));
        }
        checks
    }

    /// Why a path was not taken: its first failed check, or webpki's word.
    fn reason(&self, checks: &[Check], refused: &Refused, given_up: bool) -> CertificateProblem {
        let whole = self.shown.first().map(Reading::named).unwrap_or_default();
        if let Refused::Webpki(
            Error::MaximumSignatureChecksExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumNameConstraintComparisonsExceeded,
        ) = refused
        {
            return too_much(whole);
        }
        if let Some(problem) = first_failed(checks) {
            return problem.clone();
        }
        match refused {
            Refused::Webpki(_) if given_up => too_much(whole),
            Refused::Webpki(error) => in_webpkis_words(whole, error),
            Refused::Name | Refused::Nothing => CertificateProblem::webpki(&"no reason was found"),
        }
    }

    fn is_taken(&self, path: &Path<'_>, taken: &Taken) -> bool {
        let root = self.verifier.trust.all().nth(taken.root);
        let same = |(one, other): (&Root<'_>, &Root<'_>)| {
            std::ptr::eq(one.anchor.subject.as_ref(), other.anchor.subject.as_ref())
        };
        path.root.as_ref().zip(root.as_ref()).is_some_and(same) && path.certificates == taken.certificates
    }

    /// The path that was taken, where the search did not come to it.
    fn path_of(&self, taken: &Taken) -> Path<'c> {
        Path {
            certificates: taken.certificates.clone(),
            held: vec![Held::Yes; taken.certificates.len()],
            root: self.verifier.trust.all().nth(taken.root),
            impostor: None,
        }
    }

    fn tell(&self, tried: &Tried<'_>, taken: bool) -> PathTried {
        let mut certificates: Vec<_> = self.at(&tried.path).map(|one| one.info.label()).collect();
        let impostor = tried.path.impostor.and_then(|index| self.shown.get(index));
        certificates.extend(impostor.map(|one| one.info.label()));
        certificates.extend(tried.path.root.as_ref().map(Root::label));
        let why_not = || match first_failed(&tried.checks) {
            Some(problem) => problem.to_string(),
            None => "webpki does not take it".to_owned(),
        };
        PathTried { certificates, why_not: (!taken).then(why_not) }
    }
}

/// What only webpki has found: which rule it is, where its word says so.
fn in_webpkis_words(own: String, error: &Error) -> CertificateProblem {
    let rule = match error {
        Error::BadDer
        | Error::BadDerTime
        | Error::TrailingData(_)
        | Error::MalformedExtensions
        | Error::ExtensionValueInvalid => {
            let certificate = format!("{own}, or one above it,");
            return CertificateProblem::Malformed {
                certificate,
                why: format!("webpki does not take it ({error})"),
            };
        }
        Error::MalformedNameConstraint | Error::InvalidNetworkMaskConstraint => Rule::BadNameConstraint,
        Error::MalformedDnsIdentifier => Rule::BadNames,
        Error::SignatureAlgorithmMismatch => Rule::AlgorithmMismatch,
        _ => return CertificateProblem::webpki(error),
    };
    CertificateProblem::Rule {
        certificate: own,
        rule,
        why: format!("or one above it is not as it must be ({error})"),
    }
}

/// Each certificate of a path, with who vouches for it.
pub(super) fn links(shown: &[Reading<'_>], path: &[usize], root: Option<&Root<'_>>) -> Vec<Link> {
    let readings: Vec<_> = path.iter().filter_map(|index| shown.get(*index)).collect();
    let link = |(step, reading): (usize, &&Reading<'_>)| {
        let (issuer, issuer_key) = match (readings.get(step + 1), root) {
            (Some(issuer), _) => (issuer.info.subject_der.clone(), issuer.info.key_der.clone()),
            (None, Some(root)) => {
                (sequence(&root.anchor.subject), sequence(&root.anchor.subject_public_key_info))
            }
            (None, None) => (sequence(contents(&reading.info.issuer_der)), Vec::new()),
        };
        let issuer_certificate = match (readings.get(step + 1), root) {
            (Some(issuer), _) => Some(issuer.der.to_vec()),
            (None, root) => root.and_then(|root| root.certificate).map(|root| root.to_vec()),
        };
        let certificate = reading.der.to_vec();
        Link { label: reading.named(), certificate, issuer, issuer_key, issuer_certificate }
    };
    readings.iter().enumerate().map(link).collect()
}

/// Of paths that all fail, the one that says most: it reaches a root, or at least an alleged issuer,
/// and the fewest checks fail.
fn farthest(tried: &[Tried<'_>]) -> usize {
    let score = |tried: &Tried<'_>| {
        let end = match (&tried.path.root, tried.path.impostor) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2,
        };
        let failed = tried.checks.iter().filter(|check| check.verdict == Verdict::Failed).count();
        (end, failed, usize::MAX - tried.path.certificates.len())
    };
    let best = tried.iter().enumerate().min_by_key(|(_, tried)| score(tried));
    best.map(|(index, _)| index).unwrap_or_default()
}

fn first_failed(checks: &[Check]) -> Option<&CertificateProblem> {
    let rank = |check: &&Check| RANK.iter().position(|name| *name == check.check).unwrap_or(RANK.len());
    let failed = checks.iter().filter(|check| check.problem.is_some());
    failed.min_by_key(rank).and_then(|check| check.problem.as_ref())
}

/// Where webpki accepts and only the explanation doubts, webpki counts.
fn as_webpki_accepts(check: Check) -> Check {
    if check.verdict != Verdict::Failed {
        return check;
    }
    let evidence = format!("not enforced, since webpki accepts it: {}", check.evidence);
    Check { verdict: Verdict::Skipped, evidence, problem: None, ..check }
}

fn anchor(root: &Root<'_>) -> Anchor {
    let place = root.certificate.map(|der| Reading::new(Place::Anchor, der));
    Anchor {
        subject: root.label(),
        origin: root.origin.to_owned(),
        fingerprint: root.certificate.map(|certificate| hex(&sha256(certificate))),
        not_after: place.map(|reading| reading.info.valid_until()),
    }
}

/// RFC 5280 4.2.2.1: caIssuers, by HTTP.
fn where_issuer_is(certificate: &Reading<'_>) -> Option<String> {
    let extensions = certificate.x509.as_ref()?.extensions();
    let access = extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    })?;
    access.accessdescs.iter().find_map(|access| match &access.access_location {
        GeneralName::URI(url) if access.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2" => {
            Some(crate::certificate::printable(url))
        }
        _ => None,
    })
}

fn too_much(certificate: String) -> CertificateProblem {
    let why = "comes with so many others, or names, that judging it would take more work than is allowed (100 \
               signatures, 200000 steps, 250000 comparisons)";
    CertificateProblem::Rule { certificate, rule: Rule::TooMuchWork, why: why.to_owned() }
}

fn nothing() -> CertificateProblem {
    CertificateProblem::Malformed {
        certificate: "the chain".to_owned(),
        why: "it holds no certificate".to_owned(),
    }
}
