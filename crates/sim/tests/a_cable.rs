//! What a cable does to frames: probe `a` is at its first end, probe `b` at its second.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::journal::Recorder;
use glasstack_sim::fault::{self, Fault, Pick};
use glasstack_sim::{Cable, CableHandle, Lane, Probe, Queue, SimWorld, Way};
use std::time::Duration;
use support::{datagram, story};

struct Pair {
    world: SimWorld,
    recorder: Recorder,
    a: Probe,
    b: Probe,
    cable: CableHandle,
}

fn pair(cable: Cable) -> Pair {
    pair_of_seed(1, cable)
}

fn pair_of_seed(seed: u64, cable: Cable) -> Pair {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
    let a = world.add_probe("a").unwrap();
    let b = world.add_probe("b").unwrap();
    let cable = world.connect(&a, &b, cable).unwrap();
    Pair { world, recorder, a, b, cable }
}

impl Pair {
    fn to_b(&self, payload: &str) {
        self.a.send(datagram(1, 2, payload.as_bytes()));
    }

    fn to_b_at(&self, millis: u64, payload: &str) {
        self.a.send_at(Instant::from_millis(millis), datagram(1, 2, payload.as_bytes()));
    }

    fn story(mut self) -> Vec<String> {
        assert!(self.world.run_until_idle(Duration::from_secs(60)).unwrap(), "it came to rest");
        story(&self.recorder)
    }
}

#[test]
fn a_frame_arrives_after_the_latency_with_the_same_number() {
    let mut pair = pair(Cable::new().latency(Duration::from_millis(10)));
    pair.to_b("hello");
    pair.world.run_until_idle(Duration::from_secs(1)).unwrap();
    let received = pair.b.received();
    assert_eq!(received[0].0, Instant::from_millis(10));
    assert_eq!(received[0].1.bytes, datagram(1, 2, b"hello"));
    assert_eq!(story(&pair.recorder), ["0.000000 a: sent \"hello\"", "0.010000 b: received \"hello\""]);
}

#[test]
fn frames_leave_one_after_the_other_at_the_rate_of_the_cable() {
    // 125 bytes at 1 Mbit/s take 1 ms.
    let pair = pair(Cable::new().rate(1_000_000));
    let payload = "x".repeat(125 - 42);
    pair.to_b(&payload);
    pair.to_b(&payload);
    let arrivals: Vec<String> = pair
        .story()
        .into_iter()
        .filter(|line| line.contains("received"))
        .map(|l| l[..8].to_owned())
        .collect();
    assert_eq!(arrivals, ["0.002000", "0.003000"]);
}

#[test]
fn what_does_not_fit_into_the_queue_is_lost() {
    let pair = pair(Cable::new().rate(1_000_000).queue(Queue::Frames(1)));
    for payload in ["one", "two", "three"] {
        pair.to_b(payload);
    }
    let story = pair.story();
    assert_eq!(story.iter().filter(|line| line.contains("received")).count(), 2);
    assert!(story.contains(&"0.000000 a <-> b: lost \"three\": queue full".to_owned()), "{story:#?}");
}

#[test]
fn a_queue_counted_in_bytes_lets_a_small_frame_in_where_a_large_one_does_not_fit() {
    let pair = pair(Cable::new().rate(1_000_000).queue(Queue::Bytes(100)));
    for payload in ["first", &"large ".repeat(20), "small"] {
        pair.to_b(payload);
    }
    let received: Vec<String> = pair.story().into_iter().filter(|line| line.contains("received")).collect();
    assert_eq!(received.len(), 2);
    assert!(received[1].ends_with("received \"small\""));
}

#[test]
fn the_two_directions_may_differ() {
    let fast = Lane::default();
    let slow = Lane { latency: Duration::from_millis(300), ..Lane::default() };
    let pair = pair(Cable::asymmetric(fast, slow));
    pair.b.respond(|_, _| vec![datagram(2, 1, b"answer")]);
    pair.to_b("question");
    let story = pair.story();
    assert_eq!(story[1], "0.001000 b: received \"question\"");
    assert_eq!(story[3], "0.301000 a: received \"answer\"");
}

#[test]
fn a_lost_frame_is_told_with_the_name_of_the_fault() {
    let pair = pair(Cable::new().fault(fault::drop_nth(2, |f| f.is_udp()).named("drop_second_datagram")));
    for payload in ["one", "two", "three"] {
        pair.to_b(payload);
    }
    let story = pair.story();
    assert!(story.contains(&"0.000000 a <-> b: lost \"two\": drop_second_datagram".to_owned()), "{story:#?}");
    assert_eq!(story.iter().filter(|line| line.contains("received")).count(), 2);
}

#[test]
fn a_delayed_frame_is_overtaken() {
    let pair = pair(Cable::new().fault(fault::delay(Pick::all().nth(1), Duration::from_millis(5))));
    pair.to_b("slow");
    pair.to_b_at(1, "fast");
    let story = pair.story();
    assert_eq!(
        story,
        [
            "0.000000 a: sent \"slow\"",
            "0.000000 a <-> b: delayed \"slow\" by 5000 us: delay",
            "0.001000 a: sent \"fast\"",
            "0.002000 b: received \"fast\"",
            "0.006000 b: received \"slow\"",
        ]
    );
}

#[test]
fn a_reordered_frame_arrives_right_behind_the_next() {
    let pair = pair(Cable::new().fault(fault::reorder(Pick::all().nth(1), Duration::from_secs(1))));
    pair.to_b("one");
    pair.to_b_at(20, "two");
    assert_eq!(
        pair.story()[2..],
        [
            "0.021000 b: received \"two\"",
            "0.021000 a <-> b: delayed \"one\" by 20000 us: reorder",
            "0.021000 b: received \"one\"",
        ]
    );
}

#[test]
fn a_reordered_frame_that_nobody_follows_arrives_in_the_end() {
    let pair = pair(Cable::new().fault(fault::reorder(Pick::all(), Duration::from_millis(50))));
    pair.to_b("one");
    assert_eq!(
        pair.story()[1..],
        ["0.051000 a <-> b: delayed \"one\" by 50000 us: reorder", "0.051000 b: received \"one\"",]
    );
}

#[test]
fn a_duplicated_frame_arrives_twice_under_one_number() {
    let mut pair = pair(Cable::new().fault(fault::duplicate(Pick::all(), 1)));
    pair.to_b("twice");
    pair.world.run_until_idle(Duration::from_secs(1)).unwrap();
    let received = pair.b.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1]);
}

#[test]
fn a_corrupt_frame_keeps_its_number_and_differs_in_one_bit() {
    let mut pair = pair(Cable::new().fault(fault::corrupt(Pick::all())));
    pair.to_b("whole");
    pair.world.run_until_idle(Duration::from_secs(1)).unwrap();
    let sent = datagram(1, 2, b"whole");
    let (_, received) = &pair.b.received()[0];
    let flipped: u32 = sent.iter().zip(&received.bytes).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!(flipped, 1);
    assert!(story(&pair.recorder).iter().any(|line| line.contains("flipped: corrupt")));
}

#[test]
fn a_black_hole_swallows_what_is_too_large_and_lets_the_rest_pass() {
    let pair = pair(Cable::new().fault(fault::blackhole_larger_than(100)));
    pair.to_b(&"x".repeat(73));
    pair.to_b("small");
    let story = pair.story();
    assert!(story.iter().any(|line| line.ends_with("blackhole_larger_than_100")));
    assert_eq!(story.iter().filter(|line| line.contains("received")).count(), 1);
}

#[test]
fn a_fault_of_one_direction_leaves_the_other_alone() {
    let pair = pair(Cable::new().fault_back(fault::lose(Pick::all())));
    pair.b.respond(|_, _| vec![datagram(2, 1, b"answer")]);
    pair.to_b("question");
    let story = pair.story();
    assert!(story.contains(&"0.001000 b: received \"question\"".to_owned()));
    assert!(story.contains(&"0.001000 a <-> b: lost \"answer\": drop".to_owned()), "{story:#?}");
}

#[test]
fn faults_come_and_go_while_the_world_runs() {
    let mut pair = pair(Cable::new());
    let id = pair.cable.add_fault_to(Way::There, fault::lose(Pick::all()));
    pair.to_b("lost");
    pair.world.run_for(Duration::from_millis(10)).unwrap();
    assert!(pair.cable.remove_fault(id));
    assert!(!pair.cable.remove_fault(id));
    pair.to_b("found");
    pair.world.run_for(Duration::from_millis(10)).unwrap();
    assert_eq!(pair.b.received().len(), 1);
}

#[test]
fn pulling_the_plug_loses_what_is_on_the_cable_and_what_is_sent_after() {
    let mut pair = pair(Cable::new().latency(Duration::from_millis(10)));
    pair.to_b("in the air");
    pair.world.run_for(Duration::from_millis(5)).unwrap();
    pair.cable.unplug();
    pair.to_b("too late");
    pair.world.run_for(Duration::from_millis(1)).unwrap();
    pair.cable.plug_in();
    pair.to_b("again");
    let story = pair.story();
    let lost: Vec<&String> = story.iter().filter(|line| line.contains("lost")).collect();
    assert_eq!(
        lost,
        [
            "0.005000 a <-> b: lost \"too late\": unplugged",
            "0.010000 a <-> b: lost \"in the air\": unplugged"
        ]
    );
    assert_eq!(story.last().unwrap(), "0.016000 b: received \"again\"");
}

#[test]
fn the_same_seed_loses_the_same_frames_and_another_seed_others() {
    let run = |seed| {
        let pair = pair_of_seed(
            seed,
            Cable::new().fault(fault::loss(0.3)).fault(fault::jitter(Duration::from_millis(3))),
        );
        for n in 0..50 {
            pair.to_b(&n.to_string());
        }
        pair.story()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
