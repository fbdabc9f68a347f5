//! The tree of real name servers is as it should be: seen by dig, unbound and delv, before ours sees it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::dig::ask;
use dns::plan::{Place, UNBOUND};
use dns::with_the_tree;
use support::Ran;

#[test]
fn unbound_finds_in_the_tree_what_is_secure_what_is_not_and_what_is_bogus() {
    with_the_tree(|tree| {
        let _unbound = tree.unbound();
        for zone in ["rsa", "ecdsa", "p384", "ed25519", "optout"] {
            let www = ask(tree.network, UNBOUND, &format!("www.{zone}.test A +dnssec")).is("NOERROR");
            assert!(www.has("ad") && www.data("A").len() == 2, "{zone}: {www}");
        }
        for name in ["www.plain.test", "www.sub.plain.test", "www.other", "www.sub.other", "www.unknown.test"]
        {
            let www = ask(tree.network, UNBOUND, &format!("{name} A +dnssec")).is("NOERROR");
            assert!(!www.has("ad") && !www.answer.is_empty(), "{name}: {www}");
        }
        for zone in ["bogus", "expired", "early", "mismatch", "stripped"] {
            let www = ask(tree.network, UNBOUND, &format!("www.{zone}.test A +dnssec")).is("SERVFAIL");
            let unchecked = ask(tree.network, UNBOUND, &format!("www.{zone}.test A +cd")).is("NOERROR");
            assert!(!unchecked.answer.is_empty(), "{zone}: {www}");
        }
    });
}

#[test]
fn delv_believes_what_unbound_believes() {
    with_the_tree(|tree| {
        let _unbound = tree.unbound();
        let file = tree.delv_anchor_file();
        let delv = |name: &str| {
            let mut delv = std::process::Command::new("timeout");
            delv.args(["30", "delv", "-a", &file, "+root=.", &format!("@{UNBOUND}"), name, "A"]);
            Ran::of(&mut delv).out
        };
        assert!(delv("www.rsa.test").contains("; fully validated"));
        assert!(delv("www.plain.test").contains("; unsigned answer"));
        assert!(delv("nobody.ecdsa.test").contains("; negative response, fully validated"));
    });
}

#[test]
fn the_servers_answer_for_what_is_theirs_and_refer_for_what_is_not() {
    with_the_tree(|tree| {
        for place in [Place::NamedRoot, Place::NsdRoot] {
            for address in place.addresses() {
                let referral = ask(tree.network, address, "www.rsa.test A +norecurse +dnssec").is("NOERROR");
                assert!(!referral.has("aa") && referral.answer.is_empty(), "{address}: {referral}");
                assert!(referral.authority.iter().any(|ds| ds.starts_with("test. IN DS ")), "{referral}");
            }
        }
        let lame = ask(tree.network, Place::NsdLeaf.addresses()[0], "www.lame.test A +norecurse");
        assert_eq!(lame.status, "REFUSED");
    });
}
