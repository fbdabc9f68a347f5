//! Three probes on a learning switch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, Event, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, CableHandle, Probe, SimWorld, Switch};
use std::time::Duration;
use support::{broadcast, datagram, story};

struct Star {
    world: SimWorld,
    recorder: Recorder,
    probes: Vec<Probe>,
    cables: Vec<CableHandle>,
}

fn star() -> Star {
    star_around(Switch::new())
}

fn star_around(switch: Switch) -> Star {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let switch = world.add_node("switch", switch).unwrap();
    let (mut probes, mut cables) = (Vec::new(), Vec::new());
    for name in ["a", "b", "c"] {
        let probe = world.add_probe(name).unwrap();
        cables.push(world.connect(&probe, switch, Cable::new()).unwrap());
        probes.push(probe);
    }
    Star { world, recorder, probes, cables }
}

impl Star {
    fn settle(&mut self) {
        assert!(self.world.run_until_idle(Duration::from_secs(1_000)).unwrap());
    }

    fn dropped(&self, why: DropReason) -> usize {
        let is_it =
            |event: &Event| matches!(event, Event::Link(Link::Dropped { reason, .. }) if *reason == why);
        self.recorder.records().iter().filter(|record| is_it(&record.event)).count()
    }

    fn counts(&self) -> Vec<usize> {
        self.probes.iter().map(|probe| probe.received().len()).collect()
    }
}

#[test]
fn a_frame_to_an_unknown_address_goes_out_of_every_other_port() {
    let mut star = star();
    star.probes[0].send(datagram(1, 2, b"anybody?"));
    star.settle();
    assert_eq!(star.counts(), [0, 1, 1]);
    assert_eq!(
        story(&star.recorder)[1..3],
        [
            "0.001000 switch: learned 02:00:00:00:00:01 at port 0",
            "0.001000 switch: flooded: unknown destination",
        ]
    );
}

#[test]
fn once_an_address_is_learned_only_its_port_gets_its_frames() {
    let mut star = star();
    star.probes[1].respond(|_, _| vec![datagram(2, 1, b"here")]);
    star.probes[0].send(datagram(1, 2, b"anybody?"));
    star.settle();
    assert_eq!(star.counts(), [1, 1, 1], "the answer went to the one who had asked alone");
}

#[test]
fn a_broadcast_reaches_everybody_but_its_sender() {
    let mut star = star();
    star.probes[2].send(broadcast(3, b"all"));
    star.settle();
    assert_eq!(star.counts(), [1, 1, 0]);
    assert!(story(&star.recorder).iter().any(|line| line.ends_with("flooded: broadcast")));
}

#[test]
fn an_address_that_is_not_heard_of_for_300_seconds_is_forgotten() {
    let mut star = star();
    star.probes[1].send(datagram(2, 9, b"I am here"));
    star.probes[0].send_at(Instant::from_millis(299_000), datagram(1, 2, b"known"));
    star.probes[0].send_at(Instant::from_millis(302_000), datagram(1, 2, b"forgotten"));
    star.settle();
    let heard_by_c: Vec<String> =
        story(&star.recorder).into_iter().filter(|line| line.contains(" c: received")).collect();
    assert_eq!(heard_by_c, ["0.002000 c: received \"I am here\"", "302.002000 c: received \"forgotten\""]);
}

#[test]
fn a_station_that_moves_is_found_at_its_new_port() {
    let mut star = star();
    star.probes[1].send(datagram(2, 9, b"at b"));
    star.probes[2].send_at(Instant::from_millis(10), datagram(2, 9, b"at c"));
    star.probes[0].send_at(Instant::from_millis(20), datagram(1, 2, b"where?"));
    star.settle();
    let found: Vec<String> =
        story(&star.recorder).into_iter().filter(|line| line.contains("where?")).collect();
    assert_eq!(found, ["0.020000 a: sent \"where?\"", "0.022000 c: received \"where?\""]);
    let moved = "0.011000 switch: learned 02:00:00:00:00:02 at port 2, no longer 1";
    assert!(story(&star.recorder).iter().any(|line| line == moved));
}

#[test]
fn who_was_behind_an_unplugged_cable_is_looked_for_everywhere() {
    let mut star = star();
    star.probes[1].send(datagram(2, 9, b"at b"));
    star.settle();
    star.cables[1].unplug();
    star.cables[1].plug_in();
    star.probes[0].send(datagram(1, 2, b"where?"));
    star.settle();
    assert_eq!(star.counts(), [1, 1, 2]);
}

#[test]
fn a_frame_shorter_than_its_header_is_discarded() {
    let mut star = star();
    star.probes[0].send(vec![0xff; 13]);
    star.settle();
    assert_eq!(star.counts(), [0, 0, 0]);
}

#[test]
fn a_frame_to_somebody_on_the_side_it_came_from_goes_no_further() {
    let mut star = star();
    // Two stations behind port 0, as behind another switch.
    star.probes[0].send(datagram(1, 9, b"one"));
    star.probes[0].send(datagram(2, 9, b"two"));
    star.probes[0].send_at(Instant::from_millis(5), datagram(2, 1, b"to one"));
    star.settle();
    assert_eq!(star.counts(), [0, 2, 2], "only what was for an unknown one came through");
    assert_eq!(star.dropped(DropReason::SameSide), 1);
}

#[test]
fn how_long_and_how_many_addresses_are_remembered_can_be_said() {
    let mut star = star_around(Switch::new().ageing(Duration::from_secs(10)).capacity(1));
    star.probes[1].send(datagram(2, 9, b"takes the only place"));
    star.probes[2].send_at(Instant::from_millis(1_000), datagram(3, 2, b"known"));
    star.probes[0].send_at(Instant::from_millis(2_000), datagram(1, 3, b"flooded"));
    star.probes[0].send_at(Instant::from_millis(12_000), datagram(1, 2, b"aged"));
    star.settle();
    let flooded: Vec<String> =
        story(&star.recorder).into_iter().filter(|line| line.contains("flooded: ")).collect();
    assert_eq!(
        flooded,
        [
            "0.001000 switch: flooded: unknown destination",
            "2.001000 switch: flooded: unknown destination",
            "12.001000 switch: flooded: unknown destination",
        ]
    );
    let full = |event: &Event| matches!(event, Event::Link(Link::TableFull { port: 2 | 0, vlan: 1, .. }));
    assert_eq!(star.recorder.records().iter().filter(|record| full(&record.event)).count(), 2);
}

/// Two switches with `ways` cables between them, and a station at each.
fn loop_of_switches(ways: usize, cable: fn() -> Cable) -> (SimWorld, [Probe; 2]) {
    let mut world = SimWorld::new(1);
    let switches = ["left", "right"].map(|name| world.add_switch(name).unwrap());
    for _ in 0..ways {
        world.connect(switches[0], switches[1], cable()).unwrap();
    }
    let probes = ["a", "b"].map(|name| world.add_probe(name).unwrap());
    for (probe, switch) in probes.iter().zip(switches) {
        world.connect(probe, switch, Cable::new()).unwrap();
    }
    (world, probes)
}

#[test]
fn a_broadcast_in_a_loop_goes_round_for_ever() {
    let (mut world, [a, b]) = loop_of_switches(2, Cable::new);
    a.send(broadcast(1, b"round and round"));
    assert!(!world.run_until_idle(Duration::from_secs(10)).unwrap(), "it never comes to rest");
    // Two copies, one each way round, and each round takes 2 ms.
    assert!((9_900..=10_000).contains(&b.received().len()), "{}", b.received().len());
}

#[test]
fn a_storm_that_doubles_each_millisecond_is_bounded_by_storm_control() {
    let (mut world, [a, b]) = loop_of_switches(3, Cable::new);
    a.send(broadcast(1, b"storm"));
    assert!(world.run_until_idle(Duration::from_secs(10)).unwrap(), "it drowns in itself");
    // Three ports of the right switch take 10 000 in a second each.
    assert!((20_000..=30_000).contains(&b.received().len()), "{}", b.received().len());
}

#[test]
fn a_loop_of_cables_that_take_no_time_ends_at_the_same_instant() {
    let (mut world, [a, b]) = loop_of_switches(2, || Cable::new().latency(Duration::ZERO));
    a.send(broadcast(1, b"storm"));
    assert!(world.run_until_idle(Duration::from_millis(900)).unwrap(), "storm control ends it");
    assert!(b.received().len() <= 20_001);
}
