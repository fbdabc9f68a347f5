//! What judging costs, counted in signatures, and that no certificate, however it was changed, is
//! accepted where webpki refuses it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_types, reason = "tests")]

mod made;

use glasstack_tls::verify::{Name, Purpose};
use glasstack_tls::{TrustStore, Verifier};
use made::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, ServerName, SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

// ---- counting

#[derive(Debug)]
struct Counting;

static VERIFIED: AtomicUsize = AtomicUsize::new(0);
static ALL: [&dyn SignatureVerificationAlgorithm; 1] = [&Counting];

impl SignatureVerificationAlgorithm for Counting {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        VERIFIED.fetch_add(1, Ordering::SeqCst);
        webpki::ring::ED25519.verify_signature(key, message, signature)
    }
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ED25519
    }
}

fn counted<T>(judge: impl FnOnce() -> T) -> (T, usize) {
    VERIFIED.store(0, Ordering::SeqCst);
    let result = judge();
    (result, VERIFIED.load(Ordering::SeqCst))
}

#[test]
fn accepting_without_an_audience_verifies_no_more_signatures_than_webpki_and_explaining_twice_as_many() {
    let (lab, root) = root();
    let between = Key::new(2);
    let middle = Plan::ca("Between", "Lab", &between).signed(&lab);
    let leaf = Plan::leaf("Between", &Key::new(9)).signed(&between);
    let chain = [leaf, middle];
    let algorithms = WebPkiSupportedAlgorithms { all: &ALL, mapping: &[] };
    let verifier = Verifier::new(TrustStore::from_der([&root]).unwrap(), Purpose::Server, algorithms);
    let names = [Name::parse("www.lab.test").unwrap()];
    let (accepted, ours) = counted(|| verifier.accepts_but_for_revocation(&chain, &names, NOW));
    assert!(accepted);
    let (accepted, webpkis) = counted(|| webpki_accepts(&root, &chain, "www.lab.test", &ALL));
    assert!(accepted);
    assert_eq!(ours, webpkis);
    assert_eq!(ours, 2);
    let (judgement, explained) = counted(|| verifier.judge(&chain, &names, NOW));
    assert!(judgement.is_accepted());
    assert_eq!(explained, 4);
}

fn webpki_accepts(
    root: &Der,
    chain: &[Der],
    name: &str,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> bool {
    let Ok(anchor) = anchor_from_trusted_cert(root) else { return false };
    let Ok(own) = EndEntityCert::try_from(&chain[0]) else { return false };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW as u64));
    let server_auth = KeyUsage::server_auth();
    own.verify_for_usage(algorithms, &[anchor], &chain[1..], now, server_auth, None, None).is_ok()
        && own.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap()).is_ok()
}

// ---- changed at random

/// A path of two, one of whose certificates is changed before it is signed: an extension left out,
/// doubled, garbled, or made critical or not; another serial, date or name.
fn changed(chance: &mut ChaCha20Rng) -> (Der, Vec<Der>) {
    let (lab, between) = (Key::new(1), Key::new(2));
    let mut plans = [
        Plan::leaf("Between", &Key::new(9)),
        Plan::ca("Between", "Lab", &between).with(limits(&[dns("lab.test")], &[dns("bad.lab.test")])),
        Plan::ca("Lab", "Lab", &lab),
    ];
    for _ in 0..=chance.next_u32() % 2 {
        let plan = &mut plans[chance.next_u32() as usize % 3];
        let which = chance.next_u32() as usize % plan.extensions.len().max(1);
        match (chance.next_u32() % 9, plan.extensions.get(which).cloned()) {
            (0, Some(_)) => drop(plan.extensions.remove(which)),
            (1, Some(extension)) => plan.extensions.push(extension),
            (2, Some(_)) => plan.extensions[which].critical ^= true,
            (3 | 4, Some(mut extension)) if !extension.value.is_empty() => {
                let at = chance.next_u32() as usize % extension.value.len();
                extension.value[at] = chance.next_u32() as u8;
                plan.extensions[which] = extension;
            }
            (5, _) => plan.serial = vec![chance.next_u32() as u8],
            (6, _) => plan.not_after = "260531000000Z",
            (7, _) => plan.version = [None, Some(0), Some(1), Some(2)][chance.next_u32() as usize % 4],
            _ => plan.extensions.push(extension("1.2.3.4", chance.next_u32().is_multiple_of(2), vec![5, 0])),
        }
    }
    let [leaf, middle, root] = plans;
    (root.signed(&lab), vec![leaf.signed(&between), middle.signed(&lab)])
}

#[test]
fn however_certificates_are_changed_what_webpki_refuses_is_refused_and_refusals_have_reasons() {
    let mut chance = ChaCha20Rng::seed_from_u64(6);
    let algorithms = algorithms();
    let names = [Name::parse("www.lab.test").unwrap()];
    let mut beyond: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unexplained = BTreeMap::new();
    for case in 0..3_000 {
        let (root, chain) = changed(&mut chance);
        let webpkis = webpki_accepts(&root, &chain, "www.lab.test", algorithms.all);
        let Ok(trust) = TrustStore::from_der([&root]) else {
            assert!(!webpkis);
            continue;
        };
        let verifier = Verifier::new(trust, Purpose::Server, algorithms);
        let judgement = verifier.judge(&chain, &names, NOW);
        assert_eq!(
            judgement.is_accepted(),
            verifier.accepts_but_for_revocation(&chain, &names, NOW),
            "{case}: {judgement}"
        );
        assert!(webpkis || !judgement.is_accepted(), "{case}: {judgement}");
        if webpkis && !judgement.is_accepted() {
            *beyond.entry(code(&judgement)).or_default() += 1;
        }
        if code(&judgement) == "webpki" {
            unexplained.insert(judgement.problem.unwrap().to_string(), case);
        }
    }
    // The rules that webpki leaves out, and no others.
    let rules: Vec<_> = beyond.into_keys().collect();
    let expected = [
        "bad_extension",
        "bad_name_constraint",
        "bad_version",
        "criticality",
        "duplicate_extension",
        "expired",
        "key_usage",
        "malformed",
        "not_a_ca",
        "unknown_critical_extension",
    ];
    for rule in &rules {
        assert!(expected.contains(rule), "{rules:?}");
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}
