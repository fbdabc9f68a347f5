//! Nodes and cables in a few words.

use crate::topology::words::Word;
use crate::topology::{CableSpec, HostAddress, HostSpec, LaneSpec, RouterSpec, SwitchSpec, Topology};

/// Both directions of a cable, as `40ms 100Gbit/s` or, where they differ, `5ms, to access 50Mbit/s, to home
/// 250Mbit/s`.
pub(super) fn cable(cable: &CableSpec) -> String {
    let [there, back] = directions(cable);
    let [first, second] = &cable.between;
    let both: Vec<_> = there.iter().filter(|word| back.contains(word)).cloned().collect();
    let only = |own: &[String]| own.iter().filter(|word| !both.contains(word)).cloned().collect::<Vec<_>>();
    let mut parts = vec![both.join(" ")];
    for (to, words) in [(second, only(&there)), (first, only(&back))] {
        if !words.is_empty() {
            parts.push(format!("to {} {}", to.node, words.join(" ")));
        }
    }
    if !cable.up {
        parts.push("unplugged".to_owned());
    }
    if cable.capture {
        parts.push("captured".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// What each direction is like, from the first end to the second and back.
pub(super) fn directions(cable: &CableSpec) -> [Vec<String>; 2] {
    [&cable.there, &cable.back].map(|own| lane(&cable.lanes.overridden_by(own)))
}

fn lane(lane: &LaneSpec) -> Vec<String> {
    let LaneSpec { latency, jitter, keeps_order, rate, queue, loss, bursts } = lane;
    let words = [
        Some(latency.map_or("1ms".to_owned(), |latency| latency.write())),
        jitter.map(|jitter| format!("+0-{}", jitter.write())),
        keeps_order.filter(|keeps| !keeps).map(|_| "reordering".to_owned()),
        rate.map(|rate| rate.write()),
        queue.map(|queue| format!("queue {}", queue.write())),
        loss.map(|loss| format!("loses {}", loss.write())),
        bursts.map(|bursts| format!("bursts p {} r {}", bursts.p, bursts.r)),
    ];
    words.into_iter().flatten().collect()
}

/// Whether it may lose, reorder or hold up frames beyond what every cable does.
pub(super) fn is_bad(cable: &CableSpec) -> bool {
    [&cable.there, &cable.back].into_iter().any(|own| {
        let lane = cable.lanes.overridden_by(own);
        lane.loss.is_some_and(|loss| loss.0 > 0.0) || lane.bursts.is_some()
    })
}

/// A host's address, or that it asks for one.
pub(super) fn address(host: &HostSpec) -> String {
    match host.address {
        HostAddress::Static(cidr) => cidr.to_string(),
        HostAddress::Dhcp => "by DHCP".to_owned(),
    }
}

/// What a host is there for: what it serves, else what is said about it, else its names.
pub(super) fn purpose(host: &HostSpec) -> String {
    let serve = host.serve.iter().map(|what| what.split_whitespace().next().unwrap_or_default());
    let mut serve: Vec<_> = serve.collect();
    serve.dedup();
    match (serve.is_empty(), &host.about) {
        (false, Some(about)) => format!("{}: {about}", serve.join(", ")),
        (false, None) => serve.join(", "),
        (true, Some(about)) => about.clone(),
        (true, None) => host.names.first().cloned().unwrap_or_default(),
    }
}

/// What a router does besides forwarding, as `NAT`, `filter`.
pub(super) fn duties(router: &RouterSpec) -> Vec<&'static str> {
    let duties = [
        (router.nat.is_some(), "NAT"),
        (!router.forwards.is_empty(), "forwarded ports"),
        (router.filter.is_some(), "filter"),
        (router.rip.is_some(), "RIP"),
        (!router.dhcp.is_empty(), "DHCP"),
        (router.silent_when_too_big, "black hole"),
        (router.checks_sources, "source check"),
    ];
    duties.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect()
}

/// `router, NAT: at home`, `switch, 3 VLANs`.
pub(super) fn role(kind: &str, duties: &[String], about: Option<&str>) -> String {
    let mut words = vec![kind.to_owned()];
    words.extend(duties.iter().cloned());
    match about {
        Some(about) => format!("{}: {about}", words.join(", ")),
        None => words.join(", "),
    }
}

/// The VLANs of a switch, in numbers.
pub(super) fn vlans(switch: &SwitchSpec) -> Vec<String> {
    let ids: std::collections::BTreeSet<u16> =
        switch.vlans.values().flat_map(crate::topology::check::vlan_ids).collect();
    if ids.is_empty() { Vec::new() } else { vec![format!("VLANs {}", crate::topology::problem::list(ids))] }
}

/// `33 hosts, 6 routers, 5 switches, 43 cables`.
pub(super) fn census(topology: &Topology) -> String {
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    [
        count(topology.hosts.len(), "host", "hosts"),
        count(topology.routers.len(), "router", "routers"),
        count(topology.switches.len(), "switch", "switches"),
        count(topology.cables.len(), "cable", "cables"),
    ]
    .join(", ")
}

/// What was written into a topology as a line that does nothing to a terminal: blanks and line ends are one
/// blank, and what cannot be seen is escaped.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// A word of such a line.
pub(super) fn word(word: &str) -> String {
    let mut shown = String::with_capacity(word.len());
    for c in word.chars() {
        if is_unseen(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Whether a terminal acts on it, or turns the direction of writing for it.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
