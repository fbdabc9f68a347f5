//! Certificates that somebody has changed, alone and in chains: whatever is accepted here is accepted by
//! webpki, and nothing that its issuer did not sign is accepted at all.

use super::chance::Chance;
use super::corpus::{Issued, Story, public, stories};
use super::signing::{self, verified};
use super::world::{DAY, NOW};
use super::{assert_harmless, fuzz};
use glasstack_journal::WallTime;
use glasstack_tls::describe::describe_certificate;
use glasstack_tls::verify::{Name, Purpose, Verifier};
use glasstack_tls::{CertificateProblem, Decision, Judgement, TrustStore};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// By us alone.
    pub(crate) webpki_accepts: u64,
    /// For a reason that no check of ours finds.
    pub(crate) unexplained: u64,
    /// Chains that are made to cost work.
    pub(crate) too_much_work: u64,
    pub(crate) most_signatures: u64,
    pub(crate) most_paths: usize,
    /// The longest judgement as JSON, in bytes.
    pub(crate) longest: usize,
}

/// What webpki verifies for one chain, and what is verified to explain it: 100 each, and 100 more to find
/// what each candidate for a root says.
const MOST_SIGNATURES: u64 = 300;
const MOST_PATHS: usize = 65;

#[test]
fn certificates() {
    let (stories, algorithms) = (stories(), signing::algorithms());
    fuzz("certificates", 2_000, |chance, tally: &mut Tally| {
        let story = chance.one_of(&stories);
        let mut chain = story.chain.clone();
        let genuine = chain[0].der.clone();
        let mut signed_again = false;
        for _ in 0..=chance.below(2) {
            signed_again |= change(&mut chain, chance, &stories);
        }
        let shown = Shown {
            root: &story.root,
            chain: chain.iter().map(|one| one.der.as_slice().into()).collect(),
            purpose: if chance.once_in(4) { Purpose::Client } else { Purpose::Server },
            name: if chance.once_in(4) { None } else { Some(story.name) },
            now: if chance.once_in(8) {
                NOW as i64 + 40 * DAY - 11 * DAY * chance.below(8) as i64
            } else {
                NOW as i64
            },
        };
        let judgement = judge(&shown, &algorithms, tally);
        // What nobody has signed again is accepted only as it was.
        let known = |der: &[u8]| stories.iter().any(|story| story.chain.iter().any(|one| one.der == der));
        if judgement.verdict == Decision::Accept && !signed_again {
            let first = shown.chain[0].as_ref();
            assert!(first == genuine || known(first), "accepted though it was changed: {judgement}");
        }
        let own = describe_certificate(&shown.chain[0], WallTime::from_unix_seconds(NOW));
        assert_harmless(&own.to_string());
        serde_json::from_str::<serde_json::Value>(&serde_json::to_string(&own).unwrap()).unwrap();
    });
}

/// Changes one certificate, or which of them are shown; whether something was signed again.
fn change(chain: &mut Vec<Issued>, chance: &mut Chance, stories: &[Story]) -> bool {
    let which = chance.below(chain.len());
    let other = chance.one_of(stories);
    let other = chance.one_of(&other.chain).clone();
    match chance.below(8) {
        0 | 1 => {
            chance.mutate(&mut chain[which].der, &[&[0x30, 0], &[0x05, 0], &[0x30, 0x80]]);
            false
        }
        2..=4 => {
            let mut tree = chain[which].tree.clone();
            let place = if chance.once_in(8) { &[][..] } else { &[0] };
            tree.at(place).mutate(chance, &other.tree);
            match (&chain[which].by, tree.clone().body) {
                (Some(by), super::tree::Body::Elements(elements)) if elements.len() == 3 => {
                    chain[which] = Issued::signed(tree, by.clone());
                    true
                }
                _ => {
                    chain[which].der = tree.write();
                    false
                }
            }
        }
        5 => {
            // By whoever it is not: a stranger's key, or another's of the chain.
            let mut tree = chain[which].tree.clone();
            let by = public(*chance.one_of(&[1, 2, 3, 9]));
            signing::sign_again(&mut tree, &by);
            chain[which].der = tree.write();
            true
        }
        6 => {
            chain.insert(chance.below(chain.len() + 1), other);
            false
        }
        _ => {
            let (one, two) = (chance.below(chain.len()), chance.below(chain.len()));
            chain.swap(one, two);
            if chance.once_in(2) {
                let twice = chain[one].clone();
                chain.push(twice);
            }
            false
        }
    }
}

/// What is judged.
pub(crate) struct Shown<'a> {
    pub(crate) root: &'a [u8],
    pub(crate) chain: Vec<CertificateDer<'a>>,
    pub(crate) purpose: Purpose,
    pub(crate) name: Option<&'a str>,
    pub(crate) now: i64,
}

/// Judges, and compares with webpki.
pub(crate) fn judge(
    shown: &Shown<'_>,
    algorithms: &WebPkiSupportedAlgorithms,
    tally: &mut Tally,
) -> Judgement {
    let trust = TrustStore::from_der([shown.root]).unwrap();
    let verifier = Verifier::new(trust, shown.purpose, *algorithms);
    let names: Vec<Name> = shown.name.iter().map(|name| Name::parse(name).unwrap()).collect();
    verified();
    let judgement = verifier.judge(&shown.chain, &names, shown.now);
    let signatures = verified();
    assert!(signatures <= MOST_SIGNATURES, "{signatures} signatures");
    assert!(judgement.paths_tried.len() <= MOST_PATHS, "{} paths", judgement.paths_tried.len());
    let accepted = judgement.verdict == Decision::Accept;
    // What stands in a certificate about its revocation is not webpki's to judge, nor what is asked first.
    let about_revocation = matches!(judgement.problem, Some(CertificateProblem::Revocation(_)));
    let accepts = verifier.accepts_but_for_revocation(&shown.chain, &names, shown.now);
    assert_eq!(accepts, accepted || about_revocation, "{judgement}");
    // What is too much work for us would be so for webpki, too.
    let too_much = judgement.problem.as_ref().is_some_and(|problem| problem.code() == "too_much_work");
    tally.too_much_work += u64::from(too_much);
    let webpki = if too_much { Err(webpki::Error::UnknownIssuer) } else { webpki_accepts(shown, algorithms) };
    match &judgement.problem {
        None => {
            assert!(accepted && webpki.is_ok(), "{webpki:?}, but {judgement}");
            assert!(judgement.anchor.is_some() && !judgement.path.is_empty(), "{judgement}");
            tally.accepted += 1;
        }
        Some(problem) => {
            assert!(!accepted);
            tally.webpki_accepts += u64::from(webpki.is_ok());
            tally.unexplained += u64::from(problem.code() == "webpki");
            tally.refused += 1;
        }
    }
    let json = serde_json::to_string(&judgement).unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["verdict"], if accepted { "accept" } else { "reject" });
    assert_eq!(read["code"].is_string(), !accepted);
    assert_harmless(&judgement.to_string());
    tally.most_signatures = tally.most_signatures.max(signatures);
    tally.most_paths = tally.most_paths.max(judgement.paths_tried.len());
    tally.longest = tally.longest.max(json.len());
    judgement
}

/// webpki's own word, asked without anything of ours.
fn webpki_accepts(shown: &Shown<'_>, algorithms: &WebPkiSupportedAlgorithms) -> Result<(), webpki::Error> {
    let root = CertificateDer::from(shown.root);
    let anchors = [anchor_from_trusted_cert(&root)?];
    let (own, others) = shown.chain.split_first().ok_or(webpki::Error::BadDer)?;
    let own = EndEntityCert::try_from(own)?;
    let usage = match shown.purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let time = UnixTime::since_unix_epoch(Duration::from_secs(shown.now.try_into().unwrap_or_default()));
    own.verify_for_usage(algorithms.all, &anchors, others, time, usage, None, None)?;
    match shown.name {
        Some(name) => own.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap()),
        None => Ok(()),
    }
}
