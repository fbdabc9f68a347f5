//! The words for what routers tell one another.

use super::{Line, verbose};
use crate::text::count;
use glasstack_journal::event::Rip;

/// What routers do by themselves, so only for those who ask for more.
pub(super) fn tell_rip(rip: &Rip) -> Line {
    verbose(words(rip))
}

fn words(rip: &Rip) -> String {
    match rip {
        Rip::Asked { port } => format!("RIP: asks the neighbours on {port} for all they know"),
        Rip::Told { port, to, routes, why } => {
            format!("RIP: tells {to} on {port} of {}: {why}", count(*routes as u64, "route"))
        }
        Rip::Learned { prefix, via, port, metric } => {
            format!("RIP: {prefix} is behind {via} on {port}, {}", hops(*metric))
        }
        Rip::Changed { prefix, via, port, metric, via_before, metric_before } => {
            let before = if via == via_before {
                format!("no longer {metric_before}")
            } else {
                format!("no longer {via_before}, {}", hops(*metric_before))
            };
            format!("RIP: {prefix} is behind {via} on {port}, {}; {before}", hops(*metric))
        }
        Rip::Lost { prefix, via, why } => format!("RIP: no way to {prefix} by {via} any more: {why}"),
        Rip::Forgotten { prefix } => format!("RIP: {prefix} is forgotten"),
        Rip::EntryIgnored { entry, reason, .. } => format!("RIP: ignored {entry}: {reason}"),
    }
}

fn hops(metric: u8) -> String {
    count(u64::from(metric), "hop")
}
