//! Whether a certificate of a path has been revoked: a pure function of the path, of what is known,
//! and of the time.

use super::facts::{self, Facts};
use super::known::{Found, Kind, Known, Origin, Staple};
use super::ocsp::Asked;
use super::policy::{Demand, RevocationPolicy};
use super::problem::{Cause, RevocationProblem};
use super::{DerError, by_list, by_ocsp};
use crate::certificate::printable;
use crate::der::Algorithms;
use crate::problem::CertificateProblem;
use crate::verify::{Check, Link, Purpose};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// What is asked about a path.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The path, the peer's own certificate first, the anchor not in it.
    pub path: &'a [Link],
    /// Whose certificates they are.
    pub purpose: Purpose,
    /// How much is demanded.
    pub policy: RevocationPolicy,
    /// The signatures that can be verified.
    pub algorithms: Algorithms<'a>,
    /// The time of the judgement (Unix seconds).
    pub now: i64,
}

/// How it came out.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every check, in order.
    pub checks: Vec<Check>,
    /// Why the path is refused: the first "revoked", or else the first check that failed.
    pub problem: Option<RevocationProblem>,
    /// What is still to be asked for, and would change the outcome.
    pub missing: Vec<Missing>,
    /// What was stapled, if it proves the server's certificate good.
    pub stapled: Option<Stapled>,
}

/// A stapled answer that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stapled {
    /// Until when it is (Unix seconds).
    pub until: i64,
    /// Whether the certificate is worth nothing without: by must-staple, or by the policy.
    pub is_needed: bool,
}

/// Something that could be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which certificate of the path it is about.
    pub index: usize,
    /// A list or an answer.
    pub kind: Kind,
    /// Where: each group stands for one of several lists, and is tried in its order.
    pub places: Vec<Vec<String>>,
}

impl Link {
    /// RFC 5280 4.2.1.3: whether cRLSign is among the issuer's key usages, if they are known.
    pub(crate) fn issuer_signs_lists(&self) -> Option<bool> {
        Facts::read(self.issuer_certificate.as_deref()?).ok()?.signs_lists
    }
}

/// One certificate of a path, read.
pub(crate) struct Subject<'a> {
    pub(crate) index: usize,
    pub(crate) link: &'a Link,
    pub(crate) facts: Facts<'a>,
    /// Its issuer's key usage, if known: whether cRLSign is among it.
    pub(crate) issuer_signs_lists: Option<bool>,
}

impl Subject<'_> {
    pub(crate) fn issuer_name(&self) -> String {
        name(&self.link.issuer)
    }
}

/// What one way says of one certificate.
pub(crate) enum Weighed {
    /// It is good, and this is the evidence.
    Good(String),
    /// It is not, or cannot be known.
    Bad(Cause),
    /// Nothing at all.
    Nothing,
}

const CRL: (&str, &str) = ("crl", "RFC 5280 6.3");
const OCSP: (&str, &str) = ("ocsp", "RFC 6960 3.2");
const STAPLE: (&str, &str) = ("staple", "RFC 6066 8");
const FEATURE: (&str, &str) = ("tls_feature", "RFC 7633 4.2");
/// RFC 7633 4.1: the number of the TLS extension status_request.
const STATUS_REQUEST: u16 = 5;

impl Question<'_> {
    /// Answers it by what is known.
    pub fn judge(&self, known: &Known) -> Outcome {
        let mut outcome = Outcome::default();
        for (index, link) in self.path.iter().enumerate() {
            let issuer = self.path.get(index + 1).map(|issuer| Facts::read(&issuer.certificate));
            let facts = match Facts::read(&link.certificate) {
                Ok(facts) => facts,
                Err(error) => {
                    let must = facts::may_have_features(&link.certificate);
                    self.unreadable(CRL, (index, link), error, must, known, &mut outcome);
                    continue;
                }
            };
            // RFC 7633: what may say must-staple and cannot be read is no reason to pass over it.
            if let Err(error) = &facts.features {
                self.unreadable(FEATURE, (index, link), *error, true, known, &mut outcome);
            }
            if let Some(error) = facts.unreadable {
                self.unreadable(CRL, (index, link), error, false, known, &mut outcome);
            }
            let subject = Subject { index, link, facts, issuer_signs_lists: link.issuer_signs_lists() };
            if let Some(Ok(issuer)) = &issuer {
                self.features(&subject, issuer, &mut outcome);
            }
            let may_staple = index == 0 && self.purpose == Purpose::Server;
            let stapled = if may_staple { self.staple(&subject, known, &mut outcome) } else { None };
            self.lists(&subject, known, &mut outcome);
            self.responders(&subject, known, stapled, &mut outcome);
        }
        outcome
    }

    /// What cannot be read refuses where something is required of it, and else is told.
    fn unreadable(
        &self,
        label: (&'static str, &'static str),
        (index, link): (usize, &Link),
        error: DerError,
        must: bool,
        known: &Known,
        outcome: &mut Outcome,
    ) {
        let cause = Cause::Unreadable { why: error.to_string() };
        let policy = self.policy;
        let of_all = policy.crl == Demand::Require || policy.ocsp == Demand::Require;
        let of_own = known.has_given(Kind::Ocsp)
            || (policy.staple == Demand::Require && self.purpose == Purpose::Server);
        if must || of_all || known.has_given(Kind::Crl) || (index == 0 && of_own) {
            outcome.fail(label, link, cause, false);
        } else {
            outcome.pass_over(label, link, cause);
        }
    }

    /// RFC 7633 4.2.2: what an issuer demands of all that it issues.
    fn features(&self, subject: &Subject<'_>, issuer: &Facts<'_>, outcome: &mut Outcome) {
        let (Ok(demanded), Ok(own)) = (&issuer.features, &subject.facts.features) else { return };
        if let Some(feature) = demanded.iter().find(|feature| !own.contains(feature)) {
            let cause = Cause::MissingFeature { issuer: subject.issuer_name(), feature: *feature };
            outcome.fail(FEATURE, subject.link, cause, false);
        }
    }

    /// What the server stapled; how that proves its certificate good, if it does.
    fn staple(&self, subject: &Subject<'_>, known: &Known, outcome: &mut Outcome) -> Option<String> {
        let must = subject.facts.features.as_ref().is_ok_and(|all| all.contains(&STATUS_REQUEST));
        let demand = self.policy.staple;
        if demand == Demand::Off && !must {
            return None;
        }
        let weighed = match &known.staple {
            Staple::Present(der) => {
                let found = Found::new(der.as_slice().into(), Origin::Stapled).about(subject.index);
                let weighed = by_ocsp::weigh_one(subject, &found, false, self.algorithms, self.now);
                outcome.stapled = weighed.is_ok().then(|| Stapled {
                    until: by_ocsp::until(subject, der).unwrap_or(self.now),
                    is_needed: must || demand == Demand::Require,
                });
                weighed
            }
            // What was stapled when the session was made is remembered as long as it is good.
            Staple::Resumed if must || demand == Demand::Require => {
                match by_ocsp::weigh(subject, &known.answers, false, self.algorithms, self.now) {
                    Weighed::Good(evidence) => Ok(evidence),
                    Weighed::Bad(cause @ Cause::RevokedByOcsp { .. }) => Err(cause),
                    _ => Err(absent(
                        must,
                        "the answer that came when this session was made is good no longer: a new connection brings another",
                    )),
                }
            }
            Staple::Absent if must || demand == Demand::Require => {
                Err(absent(must, "the server stapled none"))
            }
            Staple::NotAsked if must => {
                let why = "it must come with a stapled answer (must-staple); no server was asked for one";
                outcome.checks.push(Check::skipped(STAPLE.0, STAPLE.1, why).of(&subject.link.label));
                return None;
            }
            _ => return None,
        };
        match weighed {
            Ok(evidence) => {
                let check = Check::passed(STAPLE.0, STAPLE.1, evidence.clone());
                outcome.checks.push(check.of(&subject.link.label));
                Some(evidence)
            }
            Err(cause) => {
                outcome.fail(STAPLE, subject.link, cause, true);
                None
            }
        }
    }

    fn lists(&self, subject: &Subject<'_>, known: &Known, outcome: &mut Outcome) {
        let given = known.has_given(Kind::Crl);
        let demand = if given { Demand::Require } else { self.policy.crl };
        if demand == Demand::Off {
            return;
        }
        let weighed = by_list::weigh(subject, &known.lists, self.algorithms, self.now);
        let may_ask = self.policy.crl != Demand::Off;
        let own = subject.facts.points.iter().filter(|point| point.keepers.is_empty());
        let uris = own.map(|point| point.uris.iter().map(|uri| (*uri).to_owned()).collect::<Vec<_>>());
        let places: Vec<_> = uris.filter(|uris| !uris.is_empty()).collect();
        let nothing = match subject.facts.points.iter().flat_map(|point| &point.keepers).next() {
            Some(keeper) => Cause::CrlIndirect { keeper: name(keeper) },
            None => Cause::NoCrl { issuer: subject.issuer_name(), names_place: !places.is_empty() },
        };
        let way = Way { kind: Kind::Crl, demand, may_ask, label: CRL, weighed, places, nothing };
        settle(way, subject, known, outcome);
    }

    fn responders(
        &self,
        subject: &Subject<'_>,
        known: &Known,
        stapled: Option<String>,
        outcome: &mut Outcome,
    ) {
        let demand = match (self.policy.ocsp, known.has_given(Kind::Ocsp)) {
            // An answer that is given must prove what it is given for: the peer's own certificate.
            (_, true) if subject.index == 0 => Demand::Require,
            (Demand::Off, true) => Demand::Try,
            (demand, _) => demand,
        };
        if demand == Demand::Off {
            return;
        }
        let weighed = by_ocsp::weigh(subject, &known.answers, self.policy.nonce, self.algorithms, self.now);
        let weighed = match (weighed, stapled) {
            (bad @ Weighed::Bad(Cause::RevokedByOcsp { .. }), _) => bad,
            // A nonce that is required was not in anything that nobody asked for.
            (Weighed::Bad(_) | Weighed::Nothing, Some(evidence)) if !self.policy.nonce => {
                Weighed::Good(evidence)
            }
            (weighed, _) => weighed,
        };
        let may_ask = self.policy.ocsp != Demand::Off;
        let uris: Vec<String> = subject.facts.responders.iter().map(|uri| (*uri).to_owned()).collect();
        let places = if uris.is_empty() { Vec::new() } else { vec![uris] };
        let (kind, nothing) = (Kind::Ocsp, Cause::NoOcsp { names_place: !places.is_empty() });
        settle(Way { kind, demand, may_ask, label: OCSP, weighed, places, nothing }, subject, known, outcome);
    }
}

/// One way of asking about one certificate: what is demanded of it, and what it says.
struct Way {
    kind: Kind,
    demand: Demand,
    may_ask: bool,
    label: (&'static str, &'static str),
    weighed: Weighed,
    /// Where more is to be had.
    places: Vec<Vec<String>>,
    /// What is the matter when it says nothing and nothing is to be had.
    nothing: Cause,
}

/// Makes a check of what one way says, and tells what to ask for.
fn settle(way: Way, subject: &Subject<'_>, known: &Known, outcome: &mut Outcome) {
    let ((check, rfc), index) = (way.label, subject.index);
    let mut cause = match way.weighed {
        Weighed::Good(evidence) => {
            outcome.checks.push(Check::passed(check, rfc, evidence).of(&subject.link.label));
            return;
        }
        Weighed::Bad(cause) => Some(cause),
        Weighed::Nothing => None,
    };
    let is_revoked = matches!(cause, Some(Cause::RevokedByCrl { .. } | Cause::RevokedByOcsp { .. }));
    if way.may_ask && !is_revoked {
        match known.attempts.get(&(index, way.kind)) {
            None if !way.places.is_empty() => {
                outcome.missing.push(Missing { index, kind: way.kind, places: way.places });
            }
            Some(attempts) if cause.is_none() => {
                let attempts = attempts.clone();
                cause = Some(match way.kind {
                    Kind::Crl => Cause::CrlUnreachable { attempts },
                    Kind::Ocsp => Cause::OcspUnreachable { attempts },
                });
            }
            _ => {}
        }
    }
    let cause = cause.unwrap_or(way.nothing);
    if is_revoked || way.demand == Demand::Require {
        outcome.fail(way.label, subject.link, cause, false);
    } else {
        outcome.pass_over(way.label, subject.link, cause);
    }
}

impl Outcome {
    /// Tells what is not known where that does not matter.
    fn pass_over(&mut self, (check, rfc): (&'static str, &'static str), link: &Link, cause: Cause) {
        let told = format!(
            "whether {} has been revoked is unknown: {cause}; that passes, since nothing is required here",
            link.label
        );
        self.checks.push(Check::skipped(check, rfc, told).of(&link.label));
    }

    fn fail(&mut self, (check, rfc): (&'static str, &'static str), link: &Link, cause: Cause, stapled: bool) {
        let problem = RevocationProblem { certificate: link.label.clone(), cause, stapled };
        let told = CertificateProblem::from(problem.clone());
        self.checks.push(Check::failed(check, rfc, told).of(&link.label));
        let is_worse = match &self.problem {
            None => true,
            Some(earlier) => problem.is_revoked() && !earlier.is_revoked(),
        };
        if is_worse {
            self.problem = Some(problem);
        }
    }
}

/// The OCSP request (RFC 6960 4.1) about a certificate, with a nonce (RFC 9654) or without.
pub fn ocsp_request(link: &Link, nonce: Option<&[u8]>) -> Result<Vec<u8>, DerError> {
    let facts = Facts::read(&link.certificate)?;
    let asked = Asked { issuer: &link.issuer, issuer_key: &link.issuer_key, serial: facts.serial };
    asked.request(nonce)
}

fn absent(must: bool, why: &'static str) -> Cause {
    if must { Cause::MustStaple { why } } else { Cause::NoStaple { why } }
}

/// A DER Name in words.
pub(crate) fn name(der: &[u8]) -> String {
    match X509Name::from_der(der) {
        Ok((_, name)) => printable(&name.to_string()),
        Err(_) => "(a name that cannot be read)".to_owned(),
    }
}
