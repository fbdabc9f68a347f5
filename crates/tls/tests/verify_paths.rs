//! Paths: which were tried, why each failed, and that hostile certificates cost little.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod made;

use glasstack_tls::verify::Purpose;
use glasstack_tls::{TrustStore, Verifier};
use made::*;

/// A CA between, of this name, by this issuer.
fn between(subject: &str, key: &Key, issuer: &str, by: &Key) -> Der {
    Plan::ca(subject, issuer, key).signed(by)
}

#[test]
fn order_duplicates_and_certificates_that_are_not_needed_do_no_harm() {
    let (lab, root) = root();
    let (outer, inner, other) = (Key::new(2), Key::new(3), Key::new(4));
    let outer_cert = between("Outer", &outer, "Lab", &lab);
    let inner_cert = between("Inner", &inner, "Outer", &outer);
    let needless = between("Other", &other, "Nobody", &other);
    let leaf = Plan::leaf("Inner", &Key::new(9)).signed(&inner);
    let chain =
        [leaf, needless, outer_cert.clone(), root.clone(), inner_cert.clone(), inner_cert, outer_cert];
    let judgement = judge(&[root], &chain);
    assert_eq!(code(&judgement), "accept", "{judgement}");
    assert!(
        judgement.to_string().contains("4 more certificates were shown and are not needed"),
        "{judgement}"
    );
    let labels: Vec<_> = judgement.path.iter().map(|link| link.label.as_str()).collect();
    assert_eq!(labels.len(), 3, "{labels:?}");
}

#[test]
fn what_is_missing_at_the_end_of_the_path_is_told_by_its_kind() {
    let (lab, root) = root();
    let stranger = Key::new(5);
    let leaf = |issuer: &str, key: &Key| Plan::leaf(issuer, &Key::new(9)).signed(key);
    assert_eq!(code(&judge(std::slice::from_ref(&root), &[leaf("Stranger", &stranger)])), "unknown_issuer");
    let other_root = between("Stranger", &stranger, "Stranger", &stranger);
    let chain = [leaf("Stranger", &stranger), other_root];
    assert_eq!(code(&judge(std::slice::from_ref(&root), &chain)), "untrusted_root");
    let access = seq(&[&oid("1.3.6.1.5.5.7.48.2"), &tlv(0x86, b"http://ca.test/between.crt")]);
    let told =
        Plan::leaf("Between", &Key::new(9)).with(extension(AIA, false, seq(&[&access]))).signed(&stranger);
    let judgement = judge(std::slice::from_ref(&root), &[told]);
    assert_eq!(code(&judgement), "missing_intermediate");
    assert!(judgement.to_string().contains("http://ca.test/between.crt"), "{judgement}");
    assert_eq!(code(&judge(&[], &[leaf("Lab", &lab)])), "no_roots");
    assert_eq!(code(&judge(&[root], &[leaf("Lab", &stranger)])), "bad_signature");
}

#[test]
fn a_ca_that_points_to_an_unknown_issuer_may_point_to_a_root_and_both_cures_are_told() {
    let (_, root) = root();
    let (inner, stranger) = (Key::new(3), Key::new(5));
    let access = seq(&[&oid("1.3.6.1.5.5.7.48.2"), &tlv(0x86, b"http://ca.test/root.crt")]);
    let ca = Plan::ca("Inner", "Stranger", &inner).with(extension(AIA, false, seq(&[&access])));
    let leaf = Plan::leaf("Inner", &Key::new(9)).signed(&inner);
    let judgement = judge(&[root], &[leaf, ca.signed(&stranger)]);
    assert_eq!(code(&judgement), "unknown_issuer");
    let told = judgement.problem.unwrap().to_string();
    for part in
        ["trust that CA with --cacert FILE", "a root's or that of one more CA", "http://ca.test/root.crt"]
    {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_root_that_is_shown_is_judged_once_and_as_the_trusted_one() {
    let (lab, root) = root();
    let leaf = Plan::leaf("Lab", &Key::new(9)).dated("200101000000Z", "250101000000Z").signed(&lab);
    let judgement = judge(std::slice::from_ref(&root), &[leaf, root.clone()]);
    assert_eq!(code(&judgement), "expired");
    assert_eq!(judgement.path.len(), 1, "{judgement}");
    assert_eq!(judgement.paths_tried.len(), 1, "{judgement}");
    assert!(!judgement.to_string().contains("certificate 1 of the chain"), "{judgement}");
}

#[test]
fn a_root_that_nobody_trusts_has_signed_itself_and_that_is_seen() {
    let (_, root) = root();
    let stranger = Key::new(5);
    let other = between("Stranger", &stranger, "Stranger", &stranger);
    let leaf = Plan::leaf("Stranger", &Key::new(9)).signed(&stranger);
    let judgement = judge(&[root], &[leaf, other]);
    assert_eq!(code(&judgement), "untrusted_root");
    assert!(judgement.to_string().contains("of itself, which nobody here trusts"), "{judgement}");
    assert!(!judgement.to_string().contains("is not known here"), "{judgement}");
}

#[test]
fn a_forged_certificate_in_the_middle_is_named() {
    let (_, root) = root();
    let (inner, stranger) = (Key::new(3), Key::new(5));
    let forged = between("Inner", &inner, "Lab", &stranger);
    let leaf = Plan::leaf("Inner", &Key::new(9)).signed(&inner);
    let judgement = judge(&[root], &[leaf, forged]);
    assert_eq!(code(&judgement), "bad_signature");
    assert!(
        judgement.problem.unwrap().to_string().contains("on certificate 1 of the chain (CN=Inner)"),
        "the leaf's own signature holds"
    );
}

#[test]
fn what_was_not_shown_but_put_beside_is_counted_apart() {
    let (lab, root) = root();
    let (outer, inner) = (Key::new(3), Key::new(4));
    let beside = between("Outer", &outer, "Lab", &lab);
    let over = Plan::ca("Inner", "Outer", &inner).dated("200101000000Z", "250101000000Z").signed(&outer);
    let leaf = Plan::leaf("Inner", &Key::new(9)).signed(&inner);
    let mut verifier = Verifier::new(TrustStore::from_der([&root]).unwrap(), Purpose::Server, algorithms());
    let stranger = between("Stranger", &Key::new(5), "Stranger", &Key::new(5));
    for (chain, shown, told) in [
        (
            vec![leaf.clone(), stranger.clone(), beside.clone(), over.clone()],
            1,
            "intermediate 3 (CN=Inner) expired",
        ),
        (vec![leaf, over, stranger, beside], 2, "certificate 1 of the chain (CN=Inner) expired"),
    ] {
        verifier.shown_by_peer = Some(shown);
        let judgement = verifier.judge(&chain, &[], NOW);
        assert!(judgement.problem.clone().unwrap().to_string().starts_with(told), "{judgement}");
        assert!(judgement.to_string().contains("intermediate 2 (CN=Outer)"), "{judgement}");
    }
}

#[test]
fn of_two_ways_the_one_that_holds_is_taken_and_the_other_is_told_with_its_reason() {
    // The same CA, once certified by a root that is out of date, once by one in time.
    let (old, new, shared) = (Key::new(1), Key::new(2), Key::new(3));
    let old_root = Plan::ca("Old", "Old", &old).dated("200101000000Z", "250101000000Z").signed(&old);
    let new_root = Plan::ca("New", "New", &new).signed(&new);
    let by_old = between("Shared", &shared, "Old", &old);
    let by_new = between("Shared", &shared, "New", &new);
    let leaf = Plan::leaf("Shared", &Key::new(9)).signed(&shared);
    let judgement = judge(&[old_root, new_root], &[leaf, by_old, by_new]);
    assert_eq!(code(&judgement), "accept", "{judgement}");
    let [first, second] = judgement.paths_tried.as_slice() else { panic!("{judgement}") };
    assert_eq!(first.certificates, ["CN=www.lab.test", "CN=Shared", "CN=Old"]);
    assert!(
        first.why_not.as_ref().unwrap().contains("the trusted root (CN=Old) expired on 2025"),
        "{first:?}"
    );
    assert_eq!(second.why_not, None);
    assert_eq!(judgement.anchor.unwrap().subject, "CN=New");
}

#[test]
fn a_trusted_ca_ends_the_path_even_when_it_is_no_root() {
    let (lab, root) = root();
    let key = Key::new(2);
    let middle = between("Between", &key, "Lab", &lab);
    let leaf = Plan::leaf("Between", &Key::new(9)).signed(&key);
    assert_eq!(code(&judge(&[middle], &[leaf, root])), "accept");
}

#[test]
fn cas_that_certify_each_other_in_a_circle_end_nowhere_and_cost_little() {
    let (_, root) = root();
    let (one, two) = (Key::new(2), Key::new(3));
    let chain = [
        Plan::leaf("One", &Key::new(9)).signed(&one),
        between("One", &one, "Two", &two),
        between("Two", &two, "One", &one),
    ];
    let judgement = judge(&[root], &chain);
    assert_eq!(code(&judgement), "unknown_issuer", "{judgement}");
}

#[test]
fn too_long_a_path_is_refused_by_its_length() {
    let chain = |count: u8| {
        let (lab, root) = root();
        let mut issuer = ("Lab".to_owned(), lab);
        let mut shown = Vec::new();
        for number in 0..count {
            let (name, key) = (format!("CA {number}"), Key::new(20 + number));
            shown.insert(0, between(&name, &key, &issuer.0, &issuer.1));
            issuer = (name, key);
        }
        shown.insert(0, Plan::leaf(&issuer.0, &Key::new(9)).signed(&issuer.1));
        (root, shown)
    };
    let (root, shown) = chain(6);
    assert_eq!(code(&judge(&[root], &shown)), "accept");
    let (root, shown) = chain(7);
    assert_eq!(code(&judge(&[root], &shown)), "chain_too_long");
    let (root, shown) = chain(2);
    let mut short = verifier(&[root]);
    short.max_depth = Some(1);
    assert_eq!(code(&short.judge(&shown, &[], NOW)), "chain_too_long");
    short.max_depth = Some(2);
    assert_eq!(code(&short.judge(&shown, &[], NOW)), "accept");
}

#[test]
fn a_hostile_set_of_certificates_costs_a_bounded_number_of_signatures_and_paths() {
    // Twelve CAs of one name, each certified by each: more paths than anybody could follow.
    let (_, root) = root();
    let keys: Vec<Key> = (0..12).map(|number| Key::new(100 + number)).collect();
    let mut chain = vec![Plan::leaf("Hydra", &Key::new(9)).signed(&keys[0])];
    for (number, key) in keys.iter().enumerate() {
        for by in &keys {
            let mut plan = Plan::ca("Hydra", "Hydra", key);
            plan.serial = vec![1, number as u8 + 1];
            chain.push(plan.signed(by));
        }
    }
    let judgement = judge(&[root], &chain);
    assert_eq!(code(&judgement), "too_much_work");
    assert!(judgement.paths_tried.len() <= 64);
}

#[test]
fn cas_of_one_name_are_refused_before_webpki_tries_every_way_between_them() {
    // 8 keys of one CA, each certified by each other, none by a root: 8 * 7 * 6 * 5 * 4 * 3 ways and more,
    // few enough for webpki to try them all, and say that the issuer is not known.
    let (_, root) = root();
    let keys: Vec<Key> = (0..8).map(|number| Key::new(100 + number)).collect();
    let mut chain = vec![Plan::leaf("Maze", &Key::new(9)).signed(&keys[0])];
    chain.extend(keys.iter().map(|key| between("Maze", key, "Maze", &keys[0])));
    assert_eq!(code(&judge(&[root], &chain)), "too_much_work");
}

#[test]
fn a_hostile_set_of_limits_and_names_costs_a_bounded_number_of_comparisons_in_all_its_paths_together() {
    // As many names and limits as one CA may have compared; five such CAs one above the other, and fifty
    // who may have issued the last.
    let (_, root) = root();
    let keys: Vec<Key> = (0..6).map(|number| Key::new(10 + number)).collect();
    let names: Vec<_> = (0..1_640).map(|number| dns(&format!("h{number}"))).collect();
    let excluded: Vec<_> = (0..150).map(|number| dns(&format!("x{number}"))).collect();
    let mut chain = vec![Plan::leaf("CA 0", &Key::new(9)).with(san(&names)).signed(&keys[0])];
    for number in 0..5 {
        let (own, issuer) = (format!("CA {number}"), format!("CA {}", number + 1));
        let plan = Plan::ca(&own, &issuer, &keys[number]).with(limits(&[], &excluded));
        chain.push(plan.signed(&keys[number + 1]));
    }
    for number in 0..50 {
        let mut plan = Plan::ca("CA 5", "Nobody", &keys[5]);
        plan.serial = vec![1, number];
        chain.push(plan.signed(&Key::new(200)));
    }
    let judgement = judge_for(&[root], &chain, "h7");
    assert!(!judgement.is_accepted());
    let too_much = |check: &glasstack_tls::Check| check.evidence.contains("more names than can be compared");
    assert_eq!(judgement.checks.iter().filter(|check| too_much(check)).count(), 4, "{judgement}");
}
