//! Routers that learn from one another (RFC 2453).
//!
//! ```text
//!    h1 -- r1 ---- r2 -- h2        LAN of rN: 10.0.N.0/24, its port 0
//!          |        |
//!    h4 -- r4 ---- r3 -- h3        link from rN to the next: 10.1.N.0/24, its port 1
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::event::{Direction, Event, Link, Rip, RipLoss, RipReason};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Instant, Record};
use glasstack_sim::fault::{self, Pick};
use glasstack_sim::{Cable, CableHandle, FrameView, RipConfig, RouterConfig, SimWorld};
use glasstack_stack::{Host, PingOptions, Prefix, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::collections::BTreeMap;
use std::time::Duration;
use support::two::host;
use support::wireshark::Memory;

const ROUTERS: u8 = 4;

struct Ring {
    world: SimWorld,
    recorder: Recorder,
    hosts: Vec<Host>,
    /// From each router to the next.
    cables: Vec<CableHandle>,
}

fn router(n: u8) -> RouterConfig {
    let before = if n == 1 { ROUTERS } else { n - 1 };
    RouterConfig::new()
        .port([10, 0, n, 1].into(), 24)
        .port([10, 1, n, 1].into(), 24)
        .port([10, 1, before, 2].into(), 24)
        .rip(RipConfig::new().passive(0))
}

fn ring(seed: u64) -> Ring {
    ring_with(SimWorld::builder(seed), Cable::new)
}

fn ring_with(builder: glasstack_sim::SimWorldBuilder, cable: impl Fn() -> Cable) -> Ring {
    let recorder = Recorder::new();
    let mut world = builder.observe(recorder.clone()).build();
    let routers: Vec<_> =
        (1..=ROUTERS).map(|n| world.add_router(&format!("r{n}"), router(n)).unwrap()).collect();
    let mut hosts = Vec::new();
    let mut cables = Vec::new();
    for (n, id) in (1..=ROUTERS).zip(&routers) {
        let (address, gateway) = (format!("10.0.{n}.10"), format!("10.0.{n}.1"));
        hosts.push(world.add_host(host(&format!("h{n}"), n, &address, Some(&gateway))).unwrap());
        world.connect(&hosts[usize::from(n) - 1], (*id, 0), Cable::new()).unwrap();
        let next = routers[usize::from(n % ROUTERS)];
        cables.push(world.connect((*id, 1), (next, 2), cable()).unwrap());
    }
    Ring { world, recorder, hosts, cables }
}

impl Ring {
    fn pings(&mut self, from: usize, to: usize) -> bool {
        let (from, to) = (self.hosts[from - 1].clone(), self.hosts[to - 1].address());
        self.world.run(async move { from.ping(to, &PingOptions::default()).await.is_ok() }).unwrap()
    }

    fn run(&mut self, seconds: u64) {
        self.world.run_for(Duration::from_secs(seconds)).unwrap();
    }

    /// What RIP has told, with the router's name.
    fn told(&self) -> Vec<(Instant, String, Rip)> {
        told(&self.recorder)
    }

    /// The metric of a network as `router` knows it now; 16 if not at all.
    fn metric(&self, router: &str, network: &str) -> u8 {
        let mut known = 16;
        for (_, name, rip) in self.told() {
            match rip {
                _ if name != router => {}
                Rip::Learned { prefix, metric, .. } | Rip::Changed { prefix, metric, .. }
                    if prefix == network =>
                {
                    known = metric;
                }
                Rip::Lost { prefix, .. } if prefix == network => known = 16,
                _ => {}
            }
        }
        known
    }
}

fn told(recorder: &Recorder) -> Vec<(Instant, String, Rip)> {
    let mut names = BTreeMap::new();
    let mut told = Vec::new();
    for Record { at, node, event, .. } in recorder.records() {
        match event {
            Event::Node { name } => drop(names.insert(node, name)),
            Event::Rip(rip) => told.push((at, names[&node].clone(), rip)),
            _ => {}
        }
    }
    told
}

fn seconds(at: Instant) -> f64 {
    at.since(Instant::ZERO).as_secs_f64()
}

#[test]
fn two_routers_tell_one_another_at_once() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    for n in [1, 2] {
        let config = RouterConfig::new()
            .port([10, 0, n, 1].into(), 24)
            .port([10, 1, 0, n].into(), 24)
            .rip(RipConfig::new().passive(0));
        world.add_router(&format!("r{n}"), config).unwrap();
    }
    world.connect(("r1", 1), ("r2", 1), Cable::new()).unwrap();
    world.run_for(Duration::from_millis(500)).unwrap();
    let options = LadderOptions::only(&[Layer::Routing]);
    assert_eq!(
        ladder(&recorder.records(), &options).lines().map(str::trim).collect::<Vec<_>>(),
        [
            "0.000000 r1 -> all  RIP request for everything",
            "0.000000 r2 -> all  RIP request for everything",
            "0.002000 r1 -> r2  RIP response, 1 route",
            "0.002000 r2 -> r1  RIP response, 1 route",
            "0.003000 r2: 10.0.1.0/24 via 10.1.0.1, metric 2",
            "0.003000 r2 -> all  RIP response, 1 route",
            "0.003000 r1: 10.0.2.0/24 via 10.1.0.2, metric 2",
            "0.003000 r1 -> all  RIP response, 1 route",
        ]
    );
}

#[test]
fn a_static_route_is_told_unless_it_is_to_be_kept() {
    let [told, kept] = ["192.0.2.0/24", "198.51.100.0/24"].map(|text| {
        let (address, len) = text.split_once('/').unwrap();
        Prefix::new(address.parse().unwrap(), len.parse().unwrap()).unwrap()
    });
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    for n in [1, 2] {
        let mut config = RouterConfig::new().port([10, 0, n, 1].into(), 24).port([10, 1, 0, n].into(), 24);
        let mut rip = RipConfig::new().passive(0);
        if n == 1 {
            config = config.route(told, [10, 0, 1, 9].into()).route(kept, [10, 0, 1, 9].into());
            rip = rip.untold(kept);
        }
        world.add_router(&format!("r{n}"), config.rip(rip)).unwrap();
    }
    world.connect(("r1", 1), ("r2", 1), Cable::new()).unwrap();
    world.run_for(Duration::from_secs(40)).unwrap();
    let learnt = recorder.records().into_iter().filter_map(|record| match record.event {
        Event::Rip(Rip::Learned { prefix, .. }) => Some(prefix),
        _ => None,
    });
    let mut learnt: Vec<String> = learnt.collect();
    learnt.sort();
    learnt.dedup();
    assert_eq!(learnt, ["10.0.1.0/24", "10.0.2.0/24", "192.0.2.0/24"]);
}

#[test]
fn a_ring_of_four_converges_within_the_damping_of_triggered_updates() {
    let mut ring = ring(1);
    ring.run(12);
    for n in 1..=ROUTERS {
        for (far, metric) in [(n % 4 + 1, 2), ((n + 1) % 4 + 1, 3), ((n + 2) % 4 + 1, 2)] {
            let network = format!("10.0.{far}.0/24");
            assert_eq!(ring.metric(&format!("r{n}"), &network), metric, "r{n} to {network}");
        }
    }
    for (from, to) in [(1, 2), (1, 3), (1, 4), (2, 4), (4, 3)] {
        assert!(ring.pings(from, to), "h{from} -> h{to}");
    }
}

#[test]
fn routes_heal_within_the_timers_when_a_link_falls_silent() {
    let mut ring = ring(2);
    ring.run(100);
    assert!(ring.pings(1, 2));
    // The link loses everything, but there is a carrier: something beyond the plug is broken.
    let silence = ring.cables[0].add_fault(fault::lose(Pick::all()));
    let pulled = ring.world.now();
    assert!(!ring.pings(1, 2), "nobody has told the routers");
    let healed = loop {
        ring.run(1);
        if ring.pings(1, 2) {
            break ring.world.now();
        }
        assert!(ring.world.now().since(pulled) < Duration::from_secs(300), "never");
    };
    // 180 s of silence, of which up to 35 had passed; then a neighbour's next update, 35 s at most.
    let took = healed.since(pulled).as_secs();
    assert!((140..=220).contains(&took), "{took} s");
    let timed_out = ring.told().into_iter().filter(|(at, name, rip)| {
        let is_silence = matches!(rip, Rip::Lost { why: RipLoss::TimedOut, .. });
        name == "r1" && *at > pulled && is_silence
    });
    assert!(timed_out.count() > 0);
    assert_eq!(ring.metric("r1", "10.0.2.0/24"), 4, "the other way round");
    ring.cables[0].remove_fault(silence);
    ring.run(40);
    assert_eq!(ring.metric("r1", "10.0.2.0/24"), 2, "and back again with the next update");
}

#[test]
fn when_a_cable_is_unplugged_nobody_waits_for_the_timeout() {
    let mut ring = ring(2);
    ring.run(100);
    assert!(ring.pings(1, 2));
    ring.cables[0].unplug();
    let pulled = ring.world.now();
    while !ring.pings(1, 2) {
        // What r4 knows has not changed: it tells r1 at its next regular update.
        assert!(ring.world.now().since(pulled) < Duration::from_secs(36));
    }
    assert_eq!(ring.metric("r1", "10.0.2.0/24"), 4, "the other way round");
    assert_eq!(ring.metric("r3", "10.1.1.0/24"), 16, "the link itself is nowhere");
    ring.cables[0].plug_in();
    ring.run(6);
    assert_eq!(ring.metric("r1", "10.0.2.0/24"), 2, "the neighbour is asked");
    assert!(ring.pings(1, 2));
}

#[test]
fn a_second_static_route_takes_over_when_the_cable_of_the_first_is_unplugged() {
    let mut world = SimWorld::new(1);
    let config = RouterConfig::new()
        .port([10, 0, 1, 1].into(), 24)
        .port([10, 0, 2, 1].into(), 24)
        .port([10, 0, 3, 1].into(), 24)
        .route(Prefix::DEFAULT, [10, 0, 2, 9].into())
        .route(Prefix::DEFAULT, [10, 0, 3, 9].into())
        .rip(RipConfig::new());
    let router = world.add_router("router", config).unwrap();
    let probes = ["inside", "first", "second"].map(|name| world.add_probe(name).unwrap());
    let cables: Vec<CableHandle> =
        (0..3).map(|n| world.connect(&probes[n], (router, n), Cable::new()).unwrap()).collect();
    cables[1].unplug();
    world.run_for(Duration::from_secs(40)).unwrap();
    let told: Vec<u8> = probes[0]
        .received()
        .iter()
        .filter(|(_, frame)| frame.view().payload().first() == Some(&2))
        .flat_map(|(_, frame)| {
            let entries = frame.view().payload()[4..].chunks(20).map(<[u8]>::to_vec).collect::<Vec<_>>();
            entries.into_iter().filter(|entry| entry[4..8] == [0; 4]).map(|entry| entry[19])
        })
        .collect();
    assert!(!told.is_empty() && told.iter().all(|metric| *metric == 1), "{told:?}");
}

#[test]
fn what_was_learnt_by_a_port_is_told_there_as_unreachable() {
    let recorder = ring_with(SimWorld::builder(3), || Cable::new().capture());
    let mut ring = recorder;
    ring.run(70);
    // The link from r1 to r2: r1 tells of LAN 2 with 16, of LAN 1 with 1.
    let mut metrics = BTreeMap::new();
    for record in
        ring.recorder.records().into_iter().filter(|record| record.at > Instant::from_millis(20_000))
    {
        if let Event::Link(Link::Captured { frame, bytes, direction: Direction::Out, .. }) = record.event {
            let view = FrameView::new(frame, &bytes);
            if view.source_ip() == Some([10, 1, 1, 1].into()) && view.has_port(520) {
                for entry in view.payload()[4..].chunks(20) {
                    metrics.insert(format!("{}.{}.{}.{}", entry[4], entry[5], entry[6], entry[7]), entry[19]);
                }
            }
        }
    }
    assert_eq!(metrics["10.0.2.0"], 16);
    assert_eq!(metrics["10.0.1.0"], 1);
    assert_eq!(metrics["10.0.4.0"], 2);
    assert!(!metrics.contains_key("10.1.1.0"), "whoever hears it is there");
}

#[test]
fn regular_updates_come_every_thirty_seconds_and_never_in_step() {
    let mut ring = ring(4);
    ring.run(3_600);
    let of_r1 = ring.told().into_iter().filter_map(|(at, name, rip)| match rip {
        Rip::Told { port, why: RipReason::Regular, .. } if name == "r1" && port == "eth1" => {
            Some(seconds(at))
        }
        _ => None,
    });
    let times: Vec<f64> = of_r1.collect();
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (25.0..=35.0).contains(gap)), "{gaps:?}");
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((28.5..31.5).contains(&mean), "{mean}");
    assert!(gaps.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-6), "each is drawn anew");
}

/// Whether a frame tells that the LAN of r4 cannot be reached.
fn poisons_lan_4(frame: &FrameView<'_>) -> bool {
    let is_poison = |entry: &[u8]| entry[4..8] == [10, 0, 4, 0] && entry[19] == 16;
    frame.has_port(520) && frame.payload().get(4..).is_some_and(|body| body.chunks(20).any(is_poison))
}

#[test]
fn counting_to_infinity_ends_at_sixteen() {
    // r4's LAN hangs on one cable only, so that nobody has another way; and those who lose it do not all
    // hear of that: the others tell it back to them.
    let mut ring = ring(5);
    ring.run(60);
    ring.cables[3].unplug();
    ring.run(60);
    assert_eq!(ring.metric("r1", "10.0.4.0/24"), 4);
    let rumour = |way| (way, Pick::when(poisons_lan_4).first(3));
    for (cable, (way, pick)) in
        [(0, rumour(glasstack_sim::Way::There)), (1, rumour(glasstack_sim::Way::Back))]
    {
        ring.cables[cable].add_fault_to(way, fault::lose(pick));
    }
    ring.cables[2].unplug();
    ring.run(500);
    for n in 1..=3 {
        assert_eq!(ring.metric(&format!("r{n}"), "10.0.4.0/24"), 16, "r{n}");
    }
    let beyond = ring.told().into_iter().any(|(_, _, rip)| match rip {
        Rip::Learned { metric, .. } | Rip::Changed { metric, .. } => metric >= 16,
        _ => false,
    });
    assert!(!beyond, "what cannot be reached is lost, not changed");
    let forgotten = ring
        .told()
        .into_iter()
        .filter(|(_, _, rip)| matches!(rip, Rip::Forgotten { prefix } if prefix == "10.0.4.0/24"));
    assert_eq!(forgotten.count(), 3);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let mut ring = ring(seed);
        ring.run(200);
        ring.told().iter().map(|(at, name, rip)| format!("{at} {name} {rip:?}")).collect::<Vec<_>>()
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

#[test]
fn wireshark_dissects_every_message_without_complaint() {
    let file = Memory::default();
    let places = ["r1 <-> r2", "r4 <-> r1"];
    let mut ring = ring_with(SimWorld::builder(6).observe(file.capture(&places)), || Cable::new().capture());
    ring.run(100);
    ring.world.journal().finish().unwrap();
    let test = "rip";
    let fields = ["ip.src", "ip.dst", "ip.ttl", "udp.srcport", "udp.dstport", "rip.command", "rip.version"];
    let Some(messages) = file.fields(test, "rip", &fields) else { return };
    assert!(messages.contains(&"10.1.1.1\t224.0.0.9\t1\t520\t520\t1\t2".to_owned()), "{messages:#?}");
    assert!(messages.contains(&"10.1.1.2\t224.0.0.9\t1\t520\t520\t2\t2".to_owned()), "{messages:#?}");
    let wrong = "_ws.malformed || _ws.expert.severity >= 4194304 || ip.checksum.status == 0 || udp.checksum.status == 0";
    let wrong = file.fields(test, wrong, &["frame.number", "_ws.expert.message"]).unwrap();
    assert_eq!(wrong, [""; 0]);
    let routes = file.fields(test, "rip.command == 2", &["rip.ip", "rip.netmask", "rip.metric"]).unwrap();
    assert!(
        routes.iter().any(|row| row.contains("10.0.1.0") && row.contains("255.255.255.0")),
        "{routes:#?}"
    );
    let comments = file.fields(test, "rip", &["frame.comment"]).unwrap();
    assert!(comments.iter().all(|comment| comment.starts_with("RIP re")), "{comments:#?}");
}
