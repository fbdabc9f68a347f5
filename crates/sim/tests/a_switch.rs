//! Three probes on a learning switch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, Probe, SimWorld};
use std::time::Duration;
use support::{broadcast, datagram, story};

struct Star {
    world: SimWorld,
    recorder: Recorder,
    probes: Vec<Probe>,
}

fn star() -> Star {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let switch = world.add_switch("switch").unwrap();
    let mut probes = Vec::new();
    for name in ["a", "b", "c"] {
        let probe = world.add_probe(name).unwrap();
        world.connect(&probe, switch, Cable::new()).unwrap();
        probes.push(probe);
    }
    Star { world, recorder, probes }
}

impl Star {
    fn settle(&mut self) {
        assert!(self.world.run_until_idle(Duration::from_secs(1_000)).unwrap());
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
}

#[test]
fn a_frame_shorter_than_its_header_is_discarded() {
    let mut star = star();
    star.probes[0].send(vec![0xff; 13]);
    star.settle();
    assert_eq!(star.counts(), [0, 0, 0]);
}
