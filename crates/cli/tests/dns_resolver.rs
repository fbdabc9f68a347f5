//! Our resolver walks the tree of real name servers, and finds what unbound finds there: the same
//! outcomes, the same records, the same judgement of what is authentic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::lookups::{self, Known};
use dns::plan::UNBOUND;
use dns::{dig, servers, with_the_tree};
use std::net::Ipv4Addr;

/// Another unbound.
const SECOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 55);

const KNOWN: &[Known] = &[];

#[test]
fn two_unbounds_one_with_minimised_questions_and_one_without_find_the_same() {
    with_the_tree(|tree| {
        tree.network.add_address(SECOND);
        let _unbound = tree.unbound();
        let (hints, anchor) = (tree.hints_file(), tree.anchor_file());
        let other = format!(
            "root-hints: \"{hints}\"\n    trust-anchor-file: \"{anchor}\"\n    qname-minimisation: no"
        );
        let _second = servers::unbound(tree.network, "second", SECOND, &other, "");
        let asks = lookups::all();
        let one = dig::ask_all(tree.network, UNBOUND, &asks);
        let two = dig::ask_all(tree.network, SECOND, &asks);
        lookups::agree(&asks, &one, &two, KNOWN);
    });
}
