//! Names (RFC 9525) and the limits of CAs on them (RFC 5280 4.2.1.10).

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod made;

use glasstack_tls::verify::{Name, Purpose};
use made::*;

/// What becomes of a certificate with these names when `asked` is asked for.
fn named(names: &[Vec<u8>], asked: &str) -> &'static str {
    let (key, root) = root();
    let leaf = Plan::leaf("Lab", &Key::new(9)).with(san(names)).signed(&key);
    code(&judge_for(&[root], &[leaf], asked))
}

/// The same, under a CA with these limits.
fn limited(permitted: &[Vec<u8>], excluded: &[Vec<u8>], names: &[Vec<u8>], asked: &str) -> &'static str {
    let (key, root) = root();
    let between = Key::new(2);
    let middle = Plan::ca("Between", "Lab", &between).with(limits(permitted, excluded)).signed(&key);
    let leaf = Plan::leaf("Between", &Key::new(9)).with(san(names)).signed(&between);
    let below = code(&judge_for(&[root], &[leaf, middle], asked));
    // And the same where the limits are the root's own.
    let root = Plan::ca("Lab", "Lab", &key).with(limits(permitted, excluded)).signed(&key);
    let leaf = Plan::leaf("Lab", &Key::new(9)).with(san(names)).signed(&key);
    assert_eq!(code(&judge_for(&[root], &[leaf], asked)), below);
    below
}

#[test]
fn hosts_are_compared_label_by_label_without_regard_to_case() {
    for asked in ["example.com", "EXAMPLE.com", "example.com."] {
        assert_eq!(named(&[dns("Example.com")], asked), "accept", "{asked}");
    }
    for asked in ["example2.com", "abc.example.com", "com", "notexample.com"] {
        assert_eq!(named(&[dns("example.com")], asked), "wrong_name", "{asked}");
    }
    assert_eq!(named(&[dns("a.test"), dns("b.test")], "b.test"), "accept");
}

#[test]
fn what_stands_as_another_kind_of_name_is_told_as_such() {
    let (key, root) = root();
    let told = |name: Vec<u8>, asked: &str| {
        let leaf = Plan::leaf("Lab", &Key::new(9)).with(san(&[name])).signed(&key);
        let judgement = judge_for(std::slice::from_ref(&root), &[leaf], asked);
        (code(&judgement), judgement.problem.unwrap().to_string())
    };
    let (code, why) = told(dns("192.0.2.7"), "192.0.2.7");
    assert_eq!(code, "wrong_name");
    assert!(why.contains("but for 192.0.2.7 (as a DNS name, which does not count for an address)"), "{why}");
    let (code, why) = told(tlv(0x81, b"user@example.com"), "www.example.com");
    assert_eq!(code, "no_names", "{why}");
}

#[test]
fn a_wildcard_is_the_whole_leftmost_label_and_stands_for_one() {
    assert_eq!(named(&[dns("*.example.com")], "foo.example.com"), "accept");
    for asked in ["example.com", "foo.bar.example.com"] {
        assert_eq!(named(&[dns("*.example.com")], asked), "wrong_name", "{asked}");
    }
    for (presented, asked) in [
        ("ba*.example.com", "baz.example.com"),
        ("foo.*.example.com", "foo.bar.example.com"),
        ("xn--*-1b3c148a.example.com", "xn--bliss-1b3c148a.example.com"),
        ("*", "com"),
        ("*.com", "example.com"),
        ("*.*.com", "a.b.com"),
        ("", "example.com"),
        (".example.com", "example.com"),
    ] {
        assert_ne!(named(&[dns(presented)], asked), "accept", "{presented} for {asked}");
    }
}

#[test]
fn an_address_is_compared_with_addresses_alone() {
    assert_eq!(named(&[ip(&[192, 0, 2, 1])], "192.0.2.1"), "accept");
    assert_eq!(named(&[ip(&[192, 0, 2, 1])], "192.0.2.2"), "wrong_name");
    assert_eq!(named(&[dns("192.0.2.1")], "192.0.2.1"), "wrong_name");
    let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(named(&[ip(&six)], "2001:db8::1"), "accept");
    assert_eq!(named(&[ip(&six)], "[2001:DB8:0::1]"), "accept");
    assert_eq!(named(&[ip(&six)], "2001:db8::2"), "wrong_name");
}

#[test]
fn a_name_in_other_letters_is_asked_for_in_ascii() {
    assert_eq!(named(&[dns("xn--bcher-kva.example")], "bücher.example"), "accept");
    assert_eq!(named(&[dns("bücher.example")], "bücher.example"), "wrong_name");
}

#[test]
fn a_common_name_does_not_count_and_that_is_said() {
    let (key, root) = root();
    let leaf = Plan::leaf("Lab", &Key::new(9)).without(SAN).signed(&key);
    let judgement = judge(&[root], &[leaf]);
    assert_eq!(code(&judgement), "no_names");
    assert!(judgement.to_string().contains("its common name www.lab.test would fit"), "{judgement}");
    assert_eq!(named(&[directory("www.lab.test")], "www.lab.test"), "no_names");
}

#[test]
fn without_a_name_it_is_not_checked_and_that_is_said() {
    let (key, root) = root();
    let leaf = Plan::leaf("Lab", &Key::new(9)).signed(&key);
    let judgement = verifier(&[root]).judge(&[leaf], &[], NOW);
    assert_eq!(code(&judgement), "accept");
    assert!(judgement.to_string().contains("not checked: no name was given"), "{judgement}");
}

#[test]
fn limits_on_hosts_hold_for_all_names_of_all_certificates_below() {
    let example = || [dns("example.com")];
    assert_eq!(limited(&example(), &[], &[dns("example.com")], "example.com"), "accept");
    assert_eq!(limited(&example(), &[], &[dns("a.b.example.com")], "a.b.example.com"), "accept");
    assert_eq!(limited(&example(), &[], &[dns("not-example.com")], "not-example.com"), "name_not_permitted");
    assert_eq!(limited(&[], &example(), &[dns("example.com")], "example.com"), "name_excluded");
    assert_eq!(limited(&example(), &example(), &[dns("example.com")], "example.com"), "name_excluded");
    let both = [dns("example.com"), dns("other.test")];
    assert_eq!(limited(&example(), &[], &both, "example.com"), "name_not_permitted");
    assert_eq!(limited(&example(), &[], &[ip(&[192, 0, 2, 1])], "192.0.2.1"), "accept");
    assert_eq!(limited(&[dns(".example.com")], &[], &[dns("a.example.com")], "a.example.com"), "accept");
    assert_ne!(limited(&[dns("*.example.com")], &[], &[dns("a.example.com")], "a.example.com"), "accept");
    let with_dot = [dns(".example.com"), dns("foo.example.com")];
    assert_ne!(limited(&example(), &[], &with_dot, "foo.example.com"), "accept");
    // CVE-2025-61727.
    let wild = [dns("*.example.com")];
    assert_eq!(limited(&example(), &[dns("bar.example.com")], &wild, "bar.example.com"), "name_excluded");
    assert_eq!(limited(&[dns("foo.example.com")], &[], &wild, "foo.example.com"), "name_not_permitted");
}

#[test]
fn limits_on_addresses_are_networks() {
    let network = || [ip(&[192, 0, 2, 0, 255, 255, 255, 0])];
    assert_eq!(limited(&network(), &[], &[ip(&[192, 0, 2, 1])], "192.0.2.1"), "accept");
    assert_eq!(limited(&network(), &[], &[ip(&[192, 0, 3, 1])], "192.0.3.1"), "name_not_permitted");
    assert_eq!(limited(&[], &network(), &[ip(&[192, 0, 2, 1])], "192.0.2.1"), "name_excluded");
    assert_eq!(limited(&network(), &[], &[dns("example.com")], "example.com"), "accept");
    let no_network = [ip(&[192, 0, 2, 1])];
    assert_eq!(limited(&no_network, &[], &[ip(&[192, 0, 2, 1])], "192.0.2.1"), "bad_name_constraint");
    let holes = [ip(&[192, 0, 2, 0, 255, 0, 255, 0])];
    assert_eq!(limited(&holes, &[], &[ip(&[192, 0, 2, 1])], "192.0.2.1"), "bad_name_constraint");
}

#[test]
fn limits_on_names_of_other_kinds_refuse_whatever_has_one() {
    let names = || [dns("example.com"), email("a@example.com")];
    assert_eq!(limited(&[email("example.com")], &[], &names(), "example.com"), "unsupported_name_constraint");
    assert_eq!(limited(&[email("example.com")], &[], &names()[..1], "example.com"), "accept");
    assert_eq!(
        limited(&[directory("www.lab.test")], &[], &names()[..1], "example.com"),
        "unsupported_name_constraint"
    );
}

#[test]
fn limits_of_one_ca_narrow_those_above_and_never_widen_them() {
    let path = |outer: &[&str], inner: &[&str]| {
        let (lab, root) = root();
        let keys = [Key::new(2), Key::new(3)];
        let hosts = |names: &[&str]| names.iter().map(|name| dns(name)).collect::<Vec<_>>();
        let one = Plan::ca("Outer", "Lab", &keys[0]).with(limits(&hosts(outer), &[])).signed(&lab);
        let two = Plan::ca("Inner", "Outer", &keys[1]).with(limits(&hosts(inner), &[])).signed(&keys[0]);
        let leaf = Plan::leaf("Inner", &Key::new(9)).with(san(&[dns("foo.test")])).signed(&keys[1]);
        code(&judge_for(&[root], &[leaf, two, one], "foo.test"))
    };
    assert_eq!(path(&["foo.test", "bar.test"], &["bar.test"]), "name_not_permitted");
    assert_eq!(path(&["bar.test"], &["foo.test", "bar.test"]), "name_not_permitted");
    assert_eq!(path(&["foo.test", "bar.test"], &["foo.test"]), "accept");
}

#[test]
fn limits_belong_in_a_cas_certificate_and_limit_something() {
    assert_eq!(leaf_code(|leaf| leaf.with(limits(&[dns("www.lab.test")], &[]))), "bad_name_constraint");
    assert_eq!(middle_code(|ca| ca.with(limits(&[], &[]))), "bad_name_constraint");
}

#[test]
fn a_clients_certificate_is_judged_by_its_own_purpose_and_mailboxes() {
    let (key, root) = root();
    let client = Plan::leaf("Lab", &Key::new(9))
        .with(purposes(&[CLIENT_AUTH]))
        .with(san(&[email("user@Example.com")]))
        .signed(&key);
    let mut verifier = verifier(&[root]);
    verifier.purpose = Purpose::Client;
    let judge = |name: &str| code(&verifier.judge(std::slice::from_ref(&client), &[Name::email(name)], NOW));
    assert_eq!(judge("user@example.com"), "accept");
    assert_eq!(judge("User@example.com"), "wrong_name");
    verifier.purpose = Purpose::Server;
    assert_eq!(code(&verifier.judge(&[client], &[], NOW)), "wrong_purpose");
}
