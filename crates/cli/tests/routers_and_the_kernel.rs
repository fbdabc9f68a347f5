//! The same packets through our router and through a Linux namespace that forwards: the same comes out,
//! byte for byte, or the difference stands in [`KNOWN`] with its reason.
//!
//! ```text
//!   10.0.1.1xx, each test packet its own sender            10.0.2.2 (any host but .77)
//!   10.0.1.9, a router to 10.0.4.0/24                      10.0.2.9, a router to 10.0.3.0/24
//!        == left, MTU 1500 == 10.0.1.1 [router] 10.0.2.1 == right, MTU 600 ==
//! ```
//!
//! Needs root, or user namespaces; without either it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "the kernel answers in real time")]

#[path = "routers_and_the_kernel/cases.rs"]
mod cases;
#[path = "routers_and_the_kernel/linux.rs"]
mod linux;
#[path = "routers_and_the_kernel/ours.rs"]
mod ours;
#[path = "routers_and_the_kernel/wire.rs"]
mod wire;

use std::collections::BTreeMap;

/// Where our router does something else than Linux 6, by the names of the cases, and why.
const KNOWN: &[(&str, &str)] = &[
    ("back over the link it came from", REDIRECT_QUOTES),
    ("back to a neighbour of the sender", REDIRECT_QUOTES),
    (
        "record route, and its time is up",
        "Linux writes into the option before it looks at the TTL, quotes the packet so, with a checksum that is \
         wrong now, and returns the option in the error's own header; ours quotes the packet as it came \
         (RFC 1812 4.3.2.3)",
    ),
    ("echo to the router with record route", TWICE),
    ("echo to the router with timestamps", TWICE),
    (
        "from network 0",
        "RFC 1812 5.3.7: should not be forwarded; Linux has taken network 0 for ordinary since 5.3",
    ),
    (
        "from a broadcast address",
        "RFC 1812 5.3.7: no such source is forwarded; Linux looks only with rp_filter",
    ),
    ("to network 0", INVALID_DESTINATION),
    ("to class E", INVALID_DESTINATION),
    ("timestamp request", "RFC 1812 4.3.3.8: a router may answer; ours does not"),
];

const REDIRECT_QUOTES: &str =
    "Linux quotes the packet with its TTL decremented already; ours as it came (RFC 1812 4.3.2.3)";
const TWICE: &str =
    "Linux registers itself twice, at the request's coming and at the reply's going; ours once";
const INVALID_DESTINATION: &str =
    "RFC 1812 5.3.7: no such destination, so it is discarded; to Linux it is one without a route";

#[test]
fn our_router_does_with_every_packet_what_a_linux_that_forwards_does() {
    let cases = cases::all();
    let ours = ours::run(&cases);
    let mut theirs = Vec::new();
    glasstack::netns::in_a_private_network(|ns| theirs = linux::run(ns, &cases, &ours)).unwrap();
    if theirs.is_empty() {
        // Everything has happened in the test's second start, in a user namespace.
        return;
    }
    let mut known: BTreeMap<&str, &str> = KNOWN.iter().copied().collect();
    let mut wrong = String::new();
    for ((case, ours), theirs) in cases.iter().zip(&ours).zip(&theirs) {
        match (ours == theirs, known.remove(case.name)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(why)) => wrong += &format!("\n{}: no difference any more ({why})\n", case.name),
            (false, None) => {
                wrong += &format!("\n{}:\n  ours:  {}\n  Linux: {}\n", case.name, told(ours), told(theirs));
            }
        }
    }
    for name in known.keys() {
        wrong += &format!("\n{name}: there is no such case\n");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn told(seen: &[String]) -> String {
    if seen.is_empty() { "nothing".to_owned() } else { seen.join("\n         ") }
}
