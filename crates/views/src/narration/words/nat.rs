//! The words for what a translating router does.

use super::{Line, verbose};
use glasstack_journal::event::Nat;

/// Told of every packet, so only to those who ask for more.
pub(super) fn tell_nat(nat: &Nat) -> Line {
    verbose(match nat {
        Nat::Mapped { protocol, inside, outside, why } => {
            format!("{protocol} {inside} is {outside} outside: {why}")
        }
        Nat::Unmapped { protocol, inside, outside } => {
            format!("{protocol} {inside} is {outside} outside no more")
        }
        Nat::Translated { from, to, .. } => format!("translated: {from} goes on as {to}"),
    })
}
