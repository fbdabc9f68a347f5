//! Lists that are given: which of several of one issuer counts does not hang on their order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use glasstack_tls::revocation::{RevocationConfig, RevocationLists};
use glasstack_tls::{Judgement, Purpose, TrustStore, Verifier, provider};
use revoked::{Authority, HERE, List, entry, leaf_params, reason};
use world::DAY;

/// A certificate with serial 0x2a, judged with these lists of its issuer.
fn judged(lists: &[&List]) -> Judgement {
    let ca = Authority::root();
    let trust = TrustStore::from_der([&ca.der]).unwrap();
    let lists = lists.iter().map(|list| RevocationLists::from_file(&list.der()).unwrap());
    let config =
        RevocationConfig { lists: lists.reduce(|all, more| all.and(&more)), ..RevocationConfig::default() };
    let verifier = Verifier::new(trust, Purpose::Server, provider::signature_algorithms());
    verifier.with_revocation(config).judge(&[ca.issue(leaf_params(), 9).into()], &[], HERE)
}

/// The code of a refusal with them in this order, which is that in the other.
fn code(one: &List, other: &List) -> Option<&'static str> {
    let (first, second) = (judged(&[one, other]), judged(&[other, one]));
    let code = |judgement: &Judgement| judgement.problem.as_ref().map(|problem| problem.code());
    assert_eq!(code(&first), code(&second), "{:?} {:?}", first.problem, second.problem);
    code(&first)
}

fn ours() -> List {
    List::of(&Authority::root())
}

fn stale() -> List {
    List { this_update: -3 * DAY, next_update: Some(-DAY), ..ours() }
}

fn forged() -> List {
    List { signer: 77, ..ours() }
}

#[test]
fn a_list_in_time_counts_beside_one_that_is_stale_or_forged_or_from_the_future() {
    assert_eq!(code(&stale(), &ours()), None);
    assert_eq!(code(&forged(), &ours()), None);
    assert_eq!(code(&List { this_update: DAY, ..ours() }, &ours()), None);
}

#[test]
fn who_is_on_one_of_several_lists_is_revoked() {
    let with = ours().and(entry(0x2a, &[]));
    assert_eq!(code(&with, &ours()), Some("revoked_by_crl"));
    assert_eq!(code(&with, &forged()), Some("revoked_by_crl"));
    assert_eq!(code(&with, &stale()), Some("revoked_by_crl"));
}

#[test]
fn where_none_of_several_lists_counts_it_is_said_why() {
    let refused = judged(&[&stale(), &stale()]);
    assert_eq!(refused.problem.map(|problem| problem.code()), Some("crl_stale"));
    let refused = judged(&[&forged(), &forged()]);
    assert_eq!(refused.problem.map(|problem| problem.code()), Some("crl_bad_signature"));
    // What only a forged list, or an old one, says does not count, nor is anything known for good then.
    for lists in [[&forged(), &stale()], [&stale(), &forged()]] {
        let refused = judged(&lists).problem.unwrap();
        assert!(refused.code().starts_with("crl_"), "{refused}");
    }
}

#[test]
fn an_entry_that_was_taken_back_does_not_revoke() {
    let judged = judged(&[&ours().and(entry(0x2a, &[reason(8)]))]);
    assert_eq!(judged.problem, None);
}
