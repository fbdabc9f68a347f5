//! `glasstack verify`: the judge that `get` has, on files, at a time that can be said. Nothing is
//! fetched, and no network is used.
//!
//! ```text
//!   mod        the judgement and the exit status
//!   material   what the options name: certificates, authorities, lists, answers
//!   batch      cases as lines of JSON, each answered by one
//! ```

mod batch;
mod material;

use crate::args::{PurposeChoice, VerifyOptions};
use crate::clock;
use crate::failure::{FAILED_INIT, coded, harmless};
use crate::output;
use anyhow::Context;
use glasstack::journal::event::Verdict;
use glasstack::tls::verify::{Check, Judgement, Name, Purpose, Verifier};
use glasstack::tls::{CertificateProblem, provider};
use material::Material;
use std::process::ExitCode;

/// The certificate is refused.
const REFUSED: u8 = 1;
/// What was given cannot be judged.
const UNUSABLE: u8 = FAILED_INIT;

pub(crate) fn run(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    if let Some(path) = &options.batch {
        return batch::run(path, options.time, options.strict);
    }
    // Whatever is wrong with what was given is 2, so that 1 means the certificate's refusal.
    let judgement = judge(options).map_err(|error| coded(UNUSABLE, error))?;
    if options.json {
        output::line(serde_json::to_string_pretty(&judgement)?)?;
    } else {
        print(&judgement)?;
    }
    Ok(if judgement.is_accepted() { ExitCode::SUCCESS } else { REFUSED.into() })
}

/// A judgement as it is read.
pub(crate) fn print(judgement: &Judgement) -> anyhow::Result<()> {
    output::line(harmless(judgement.to_string().trim_end()))
}

fn judge(options: &VerifyOptions) -> anyhow::Result<Judgement> {
    let path = options.chain.as_deref().context("which certificates are to be judged?")?;
    let material = Material::read(options, path)?;
    let names = match options.name.as_deref().map(Name::parse).transpose() {
        Ok(name) => Vec::from_iter(name),
        // No certificate can be for it.
        Err(problem) => return Ok(Judgement::refusal(problem)),
    };
    let purpose = match options.purpose {
        PurposeChoice::Server => Purpose::Server,
        PurposeChoice::Client => Purpose::Client,
    };
    let mut verifier = Verifier::new(material.trust.clone(), purpose, provider::signature_algorithms());
    verifier.strict = options.strict;
    verifier.shown_by_peer = Some(material.shown);
    let chain: Vec<_> = material.chain.iter().map(|der| der.as_slice().into()).collect();
    let now = options.time.unwrap_or_else(clock::now).unix_seconds();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let by = |revocation| verifier.clone().with_revocation(revocation).judge(&chain, &names, now);
    let required = by(material.required());
    if !required.is_accepted() {
        return Ok(required);
    }
    let Some(all) = material.required_and_tried() else { return Ok(required) };
    Ok(tolerant(required, by(all)))
}

/// Of what is only tried, a definite "revoked" refuses; everything else is told, and passes.
fn tolerant(required: Judgement, all: Judgement) -> Judgement {
    let is_revoked = |check: &Check| {
        check.problem.as_ref().is_some_and(|problem| problem.code().starts_with("revoked_by_"))
    };
    if all.is_accepted() || all.checks.iter().any(is_revoked) {
        return all;
    }
    let told = all.checks.iter().filter(|check| {
        let is_new = !required.checks.iter().any(|other| {
            (other.check, &other.certificate, &other.evidence)
                == (check.check, &check.certificate, &check.evidence)
        });
        is_new && matches!(check.check, "crl" | "ocsp")
    });
    let pass = |check: &Check| {
        if check.verdict != Verdict::Failed {
            return check.clone();
        }
        // How to have it passed is no advice any more.
        let what = match &check.problem {
            Some(CertificateProblem::Revocation(problem)) => {
                format!("whether {} has been revoked is unknown: {}", problem.certificate, problem.cause)
            }
            _ => check.evidence.clone(),
        };
        let evidence = format!("{what}; that passes, since nothing is required here");
        Check { verdict: Verdict::Skipped, evidence, problem: None, ..check.clone() }
    };
    let told: Vec<Check> = told.map(pass).collect();
    let mut judgement = required;
    judgement.checks.extend(told);
    judgement
}
