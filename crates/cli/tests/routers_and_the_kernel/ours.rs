//! Our router between two probes.

use super::cases::Case;
use super::wire::{MTU, PORTS, arp_answer, describe};
use glasstack::sim::{Cable, Probe, RouterConfig, SimWorld};
use glasstack::stack::Prefix;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is seen of each case.
pub(crate) fn run(cases: &[Case]) -> Vec<Vec<String>> {
    let mut world = SimWorld::new(1);
    let config = RouterConfig::new()
        .port_with_mtu(PORTS[0].into(), 24, MTU[0])
        .port_with_mtu(PORTS[1].into(), 24, MTU[1])
        .route(network([10, 0, 3, 0]), Ipv4Addr::new(10, 0, 2, 9))
        .route(network([10, 0, 4, 0]), Ipv4Addr::new(10, 0, 1, 9));
    let router = world.add_router("router", config).unwrap();
    let probes = ["left", "right"].map(|name| world.add_probe(name).unwrap());
    for (side, probe) in probes.iter().enumerate() {
        world.connect(probe, (router, side), Cable::new()).unwrap();
        probe.respond(move |frame, _| arp_answer(side, frame.bytes()).into_iter().collect());
    }
    cases.iter().map(|case| one(&mut world, &probes, case)).collect()
}

fn one(world: &mut SimWorld, probes: &[Probe; 2], case: &Case) -> Vec<String> {
    for frame in &case.frames {
        probes[0].send(frame.clone());
    }
    world.run_until_idle(Duration::from_secs(60)).unwrap();
    let mut seen = Vec::new();
    for (side, probe) in probes.iter().enumerate() {
        let received = probe.take_received();
        seen.extend(received.iter().filter_map(|(_, frame)| describe(side, &frame.bytes)));
    }
    seen
}

fn network(address: [u8; 4]) -> Prefix {
    Prefix::new(address.into(), 24).unwrap()
}
