//! Revocation lists (RFC 5280 5, 6.3): every way in which one proves, refuses, or says nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use glasstack_tls::Link;
use glasstack_tls::revocation::{Demand, Kind, Known, Missing, RevocationLists, RevocationPolicy};
use rcgen::{CustomExtension, KeyUsagePurpose};
use revoked::{
    Authority, List, by_lists, entry, extension, integer, judge, leaf_params, point, reason, sequence, tlv,
    verdict,
};
use world::ca_params;

fn of_leaf(list: &List) -> (&'static str, String) {
    verdict(&by_lists(&Authority::root(), leaf_params(), &[list.der()]))
}

fn ours() -> List {
    List::of(&Authority::root())
}

#[test]
fn a_list_without_the_certificate_proves_it_good_and_says_how() {
    let (code, words) = of_leaf(&ours());
    assert_eq!(
        (code, words.as_str()),
        (
            "good",
            "the list of CN=Lab CA, number 0x07, of 2026-09-20T14:13:20Z, next due 2026-09-22T14:13:20Z (given) does \
             not have serial 0x2a"
        )
    );
}

#[test]
fn an_empty_list_proves_as_much() {
    assert_eq!(of_leaf(&List { entries: vec![], ..ours() }).0, "good");
}

#[test]
fn who_is_on_the_list_is_revoked_since_when_and_why() {
    for (code, words) in [
        (None, "no reason given"),
        (Some(1), "reason keyCompromise"),
        (Some(6), "reason certificateHold, for the time being"),
        (Some(99), "reason 99"),
    ] {
        let extensions: Vec<_> = code.map(reason).into_iter().collect();
        let (found, text) = of_leaf(&ours().and(entry(0x2a, &extensions)));
        assert_eq!(found, "revoked_by_crl");
        assert!(text.contains("has it since 2026-09-21T02:13:20Z") && text.contains(words), "{text}");
    }
}

#[test]
fn an_entry_that_was_removed_is_none_and_the_evidence_says_so() {
    let (code, words) = of_leaf(&ours().and(entry(0x2a, &[reason(8)])));
    assert_eq!(code, "good");
    assert!(words.ends_with("has serial 0x2a as taken off the list again (removeFromCRL)"), "{words}");
    // One that stands wins, wherever it stands.
    for codes in [[8, 1], [1, 8]] {
        let list = codes.into_iter().fold(ours(), |list, code| list.and(entry(0x2a, &[reason(code)])));
        assert_eq!(of_leaf(&list).0, "revoked_by_crl");
    }
}

#[test]
fn a_revoked_certificate_wins_over_another_list_that_lacks_it() {
    let ca = Authority::root();
    let lists = [ours().der(), ours().and(entry(0x2a, &[])).der()];
    assert_eq!(verdict(&by_lists(&ca, leaf_params(), &lists)).0, "revoked_by_crl");
}

#[test]
fn a_list_is_good_to_the_second() {
    assert_eq!(of_leaf(&List { next_update: Some(1), ..ours() }).0, "good");
    let (code, words) = of_leaf(&List { next_update: Some(0), ..ours() });
    assert_eq!(code, "crl_stale");
    assert!(words.contains("was good until 2026-09-21T14:13:20Z"), "{words}");
    assert_eq!(of_leaf(&List { this_update: 1, ..ours() }).0, "crl_not_yet_valid");
    assert_eq!(of_leaf(&List { next_update: None, ..ours() }).0, "crl_undated");
}

#[test]
fn a_list_signed_by_another_key_is_refused() {
    let (code, words) = of_leaf(&List { signer: 4, ..ours() });
    assert_eq!(code, "crl_bad_signature");
    assert!(words.contains("was not signed by the issuer's key"), "{words}");
}

#[test]
fn a_list_of_somebody_else_is_as_good_as_none() {
    let other = Authority::of(ca_params("Other CA"), 4);
    let (code, words) = of_leaf(&List::of(&other));
    assert_eq!(code, "no_crl");
    assert!(words.contains("no revocation list of CN=Lab CA is given"), "{words}");
}

#[test]
fn an_issuer_whose_key_usage_lacks_crl_sign_makes_no_lists() {
    let root = Authority::root();
    let mut params = ca_params("Lab CA 2");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let middle = root.below(params, 2);
    let path = [middle.link(middle.issue(leaf_params(), 9)), root.link(middle.der.clone())];
    let lists = RevocationLists::from_file(&List::of(&middle).der()).unwrap();
    let lists = lists.and(&RevocationLists::from_file(&List::of(&root).der()).unwrap());
    let outcome = judge(&path, RevocationPolicy::default(), &Known::given(Some(&lists), &[]));
    assert_eq!(verdict(&outcome).0, "crl_key_usage");
    assert_eq!(outcome.checks.len(), 2);
}

#[test]
fn nor_does_a_root_whose_key_usage_lacks_it_as_far_as_its_certificate_is_known() {
    let mut params = ca_params("Lab CA");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root = Authority::of(params, 1);
    let list = List::of(&root).der();
    let (code, words) = verdict(&by_lists(&root, leaf_params(), std::slice::from_ref(&list)));
    assert_eq!(code, "crl_key_usage");
    assert!(words.contains("the key usage of CN=Lab CA lacks cRLSign"), "{words}");
    let unknown = Link { issuer_certificate: None, ..root.link(root.issue(leaf_params(), 9)) };
    let known = Known::given(Some(&RevocationLists::from_file(&list).unwrap()), &[]);
    assert_eq!(verdict(&judge(&[unknown], RevocationPolicy::default(), &known)).0, "good");
}

#[test]
fn a_delta_list_is_refused_in_words() {
    let (code, words) = of_leaf(&ours().with(&[0x55, 0x1d, 0x1b], true, &integer(6)));
    assert_eq!(code, "crl_delta");
    assert!(words.contains("delta lists are not supported"), "{words}");
}

#[test]
fn a_critical_extension_that_is_not_understood_spoils_the_list_and_another_does_not() {
    let strange = &[0x2a, 3, 4][..];
    let (code, words) = of_leaf(&ours().with(strange, true, &[5, 0]));
    assert_eq!(code, "crl_critical_extension");
    assert!(words.contains("extension 1.2.3.4,"), "{words}");
    assert_eq!(of_leaf(&ours().with(strange, false, &[5, 0])).0, "good");
    let of_entry = |critical| entry(3, &[extension(strange, critical, &[5, 0])]);
    assert_eq!(of_leaf(&ours().and(of_entry(true))).0, "crl_critical_extension");
    assert_eq!(of_leaf(&ours().and(of_entry(false))).0, "good");
}

#[test]
fn a_list_is_about_what_its_scope_says() {
    let flag = |number: u8| tlv(0x80 | number, &[&[0xff]]);
    // onlyContainsUserCerts, CACerts, AttributeCerts
    assert_eq!(of_leaf(&ours().scoped(&[&flag(1)])).0, "good");
    let (code, words) = of_leaf(&ours().scoped(&[&flag(2)]));
    assert_eq!(code, "crl_scope");
    assert!(words.contains("it is about CAs' certificates only"), "{words}");
    assert_eq!(of_leaf(&ours().scoped(&[&flag(5)])).0, "crl_scope");
    let users = ours().scoped(&[&flag(1)]).der();
    let outcome = by_lists(&Authority::root(), ca_params("Lab CA 2"), &[users]);
    assert_eq!(verdict(&outcome).0, "crl_scope");
}

#[test]
fn a_list_of_a_distribution_point_is_about_the_certificates_that_name_it() {
    assert_eq!(of_leaf(&ours().scoped(&[&point("http://crl.lab.test/ca.crl")])).0, "good");
    let (code, words) = of_leaf(&ours().scoped(&[&point("http://crl.lab.test/other.crl")]));
    assert_eq!(code, "crl_scope");
    assert!(words.contains("http://crl.lab.test/other.crl, which the certificate does not name"), "{words}");
    let mut params = leaf_params();
    params.crl_distribution_points.clear();
    let list = ours().scoped(&[&point("http://crl.lab.test/ca.crl")]).der();
    assert_eq!(verdict(&by_lists(&Authority::root(), params, &[list])).0, "crl_scope");
}

#[test]
fn lists_about_some_reasons_must_cover_all_of_them_together() {
    let about = |bits: &[u8]| ours().scoped(&[&tlv(0x83, &[bits])]).der();
    // keyCompromise alone, and then the seven others.
    let (one, others) = (about(&[6, 0x40]), about(&[7, 0x3f, 0x80]));
    let ca = Authority::root();
    let (code, words) = verdict(&by_lists(&ca, leaf_params(), std::slice::from_ref(&one)));
    assert_eq!(code, "crl_scope");
    let expected = "it is not covered by the list of CN=Lab CA, number 0x07, of 2026-09-20T14:13:20Z, next due \
                    2026-09-22T14:13:20Z (given): what is there is about some reasons only, and nothing about the \
                    others (give the list that covers it, too)";
    assert!(words.ends_with(expected), "{words}");
    assert_eq!(verdict(&by_lists(&ca, leaf_params(), &[one, others])).0, "good");
}

#[test]
fn in_an_indirect_list_an_entry_is_about_whom_it_names_and_so_are_those_behind_it() {
    let other = Authority::of(ca_params("Other CA"), 4);
    let names = |ca: &Authority| extension(&[0x55, 0x1d, 0x1d], true, &sequence(&[&tlv(0xa4, &[&ca.name])]));
    let indirect = || ours().scoped(&[&tlv(0x84, &[&[0xff]])]);
    let of_other = indirect().and(entry(5, &[names(&other)])).and(entry(0x2a, &[]));
    assert_eq!(of_leaf(&of_other).0, "good");
    let root = Authority::root();
    let of_us = indirect().and(entry(5, &[names(&other)])).and(entry(0x2a, &[names(&root)]));
    assert_eq!(of_leaf(&of_us).0, "revoked_by_crl");
    // Elsewhere the extension has no business.
    assert_eq!(of_leaf(&ours().and(entry(5, &[names(&other)]))).0, "crl_critical_extension");
}

#[test]
fn a_list_kept_by_somebody_else_than_the_issuer_is_refused_in_words() {
    let other = Authority::of(ca_params("CRL keeper"), 4);
    let mut params = leaf_params();
    params.crl_distribution_points.clear();
    let place = sequence(&[&point("http://crl.lab.test/"), &tlv(0xa2, &[&tlv(0xa4, &[&other.name])])]);
    params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 31], sequence(&[&place])));
    let ca = Authority::root();
    let path = [ca.link(ca.issue(params, 9))];
    let policy = RevocationPolicy { crl: Demand::Require, ..RevocationPolicy::default() };
    let outcome = judge(&path, policy, &Known::default());
    assert_eq!(outcome.missing, []);
    let (code, words) = verdict(&outcome);
    assert_eq!(code, "crl_indirect");
    assert!(words.contains("kept by CN=CRL keeper"), "{words}");
}

#[test]
fn what_is_not_known_and_could_be_fetched_is_named_with_its_place() {
    let ca = Authority::root();
    let path = [ca.link(ca.issue(leaf_params(), 9))];
    for (demand, code) in [(Demand::Try, "good"), (Demand::Require, "no_crl")] {
        let policy = RevocationPolicy { crl: demand, ..RevocationPolicy::default() };
        let outcome = judge(&path, policy, &Known::default());
        let places = vec![vec!["http://crl.lab.test/ca.crl".to_owned()]];
        assert_eq!(outcome.missing, [Missing { index: 0, kind: Kind::Crl, places }]);
        assert_eq!(verdict(&outcome).0, code);
    }
    let off = judge(&path, RevocationPolicy::default(), &Known::default());
    assert!(off.missing.is_empty() && off.checks.is_empty());
}

#[test]
fn a_list_that_was_revoked_against_refuses_even_where_nothing_is_required() {
    let ca = Authority::root();
    let mut params = leaf_params();
    params.crl_distribution_points.clear();
    let path = [ca.link(ca.issue(params, 9))];
    let policy = RevocationPolicy { crl: Demand::Try, ..RevocationPolicy::default() };
    let lists = RevocationLists::from_file(&ours().and(entry(0x2a, &[])).der()).unwrap();
    assert_eq!(verdict(&judge(&path, policy, &Known::given(Some(&lists), &[]))).0, "revoked_by_crl");
}

#[test]
fn a_list_is_taken_in_pem_and_in_der_and_nothing_else_is() {
    let der = ours().der();
    assert_eq!(RevocationLists::from_file(&der).unwrap().len(), 1);
    let cut = RevocationLists::from_file(&der[..der.len() - 1]).unwrap_err().to_string();
    assert!(cut.starts_with("revocation list 1 cannot be read: the list ends too early"), "{cut}");
    assert!(RevocationLists::from_file(b"").is_err());
    assert!(RevocationLists::from_file(&[0x30; 10_000]).is_err());
}

#[test]
fn a_list_of_a_million_entries_costs_a_walk() {
    let entries: Vec<u8> = (0..1_000_000u64).flat_map(|serial| entry(serial + 1_000, &[])).collect();
    let (code, _) = of_leaf(&List { entries: vec![entries, entry(0x2a, &[])], ..ours() });
    assert_eq!(code, "revoked_by_crl");
}

#[test]
fn der_nested_without_end_costs_nothing() {
    let mut deep = vec![5, 0];
    for _ in 0..5_000 {
        deep = sequence(&[&deep]);
    }
    let list = ours().with(&[0x2a, 3, 4], false, &deep);
    assert_eq!(of_leaf(&list).0, "good");
    assert!(RevocationLists::from_file(&deep).is_err());
}

#[test]
fn bytes_cut_or_changed_anywhere_never_panic_and_never_prove() {
    let ca = Authority::root();
    let der = ours().and(entry(3, &[reason(1)])).scoped(&[&point("http://crl.lab.test/ca.crl")]).der();
    let path = [ca.link(ca.issue(leaf_params(), 9))];
    for place in 0..der.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut changed = der.clone();
            changed[place] ^= flip;
            if let Ok(lists) = RevocationLists::from_file(&changed) {
                let known = Known::given(Some(&lists), &[]);
                let outcome = judge(&path, RevocationPolicy::default(), &known);
                assert_ne!(verdict(&outcome).0, "good", "byte {place} ^ {flip:02x}");
            }
        }
        assert!(RevocationLists::from_file(&der[..place]).is_err());
    }
}

#[test]
fn a_list_covers_no_more_reasons_than_the_certificate_says_are_to_be_had_at_its_point() {
    let ca = Authority::root();
    // 6.3.3 (d): keyCompromise (1) and cACompromise (2) at this point; nothing of the others anywhere.
    let reasons = tlv(0x81, &[&[1, 0b0110_0000]]);
    let some = |place: &str| sequence(&[&point(place), &reasons]);
    let all = |place: &str| sequence(&[&point(place)]);
    let certificate = |points: &[Vec<u8>]| {
        let mut params = leaf_params();
        params.crl_distribution_points.clear();
        let value = sequence(&[&points.concat()]);
        params.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 31], value));
        params
    };
    let place = "http://crl.lab.test/some.crl";
    let other = "http://crl.lab.test/all.crl";
    let of = |place: &str| List::of(&ca).scoped(&[&point(place)]).der();
    let judged = |points: &[Vec<u8>], lists: &[Vec<u8>]| verdict(&by_lists(&ca, certificate(points), lists));
    let (code, words) = judged(&[some(place)], &[of(place)]);
    assert_eq!(code, "crl_scope", "{words}");
    assert!(words.contains("about some reasons only"), "{words}");
    assert_eq!(judged(&[all(place)], &[of(place)]).0, "good");
    assert_eq!(judged(&[some(place), all(other)], &[of(place)]).0, "crl_scope");
    assert_eq!(judged(&[some(place), all(other)], &[of(place), of(other)]).0, "good");
    // A list that is of no point is about all.
    assert_eq!(judged(&[some(place)], &[List::of(&ca).der()]).0, "good");
}

#[test]
fn that_a_list_is_to_be_had_where_nobody_fetches_it_is_said_as_it_is() {
    let ca = Authority::root();
    let other = Authority::of(ca_params("Other CA"), 4);
    let named = verdict(&by_lists(&ca, leaf_params(), &[List::of(&other).der()]));
    let unnamed = verdict(&by_lists(&ca, world::server_params(&["www.lab.test"]), &[List::of(&other).der()]));
    assert_eq!((named.0, unnamed.0), ("no_crl", "no_crl"));
    assert!(
        named.1.contains("nobody fetches it here from where the certificate says that it is"),
        "{}",
        named.1
    );
    assert!(
        unnamed.1.contains("does not say where one is to be had (give one with --crlfile"),
        "{}",
        unnamed.1
    );
}
