//! Our resolver walks the tree of real name servers, and finds what unbound finds there: the same
//! outcomes, the same records, the same judgement of what is authentic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod dns;
mod support;

use dns::lookups::{self, Known, REFERS_TO_ITSELF};
use dns::ours::{OURS, recursor};
use dns::plan::UNBOUND;
use dns::{dig, with_the_tree};

/// Where ours finds something else, and should.
const ITSELF: Known = (
    "self.plain.test",
    "an alias of itself is all there is; unbound 1.17 takes it for a failure, later ones do not",
);

#[test]
fn our_resolver_finds_what_unbound_finds() {
    with_the_tree(|tree| {
        let _unbound = tree.unbound();
        let _ours = recursor(tree, &[]);
        let asks = lookups::all();
        let theirs = dig::ask_all(tree.network, UNBOUND, &asks);
        let ours = dig::ask_all(tree.network, OURS, &asks);
        lookups::agree(&asks, &ours, &theirs, &[&REFERS_TO_ITSELF[..], &[ITSELF]].concat());
        let again = dig::ask_all(tree.network, OURS, &asks);
        lookups::agree(&asks, &again, &ours, &[]);
    });
}
