//! Who waits at a cable, and who is lost: a sender that overfills it, a CoDel queue, jitter, bursts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::event::{Event, FrameId, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::fault::{self, GilbertElliott};
use glasstack_sim::{Cable, CableHandle, Lane, Probe, Queue, SimWorld, Way};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::two::{Two, bytes};
use support::{datagram, story};

struct Pair {
    world: SimWorld,
    recorder: Recorder,
    a: Probe,
    b: Probe,
    cable: CableHandle,
}

fn pair(seed: u64, cable: Cable) -> Pair {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    let cable = world.connect(&a, &b, cable).unwrap();
    Pair { world, recorder, a, b, cable }
}

/// 1 000 bytes at 8 Mbit/s: 1 ms on the line.
fn frame(n: u64) -> Vec<u8> {
    let mut payload = vec![b'.'; 1_000 - 42];
    payload[..8].copy_from_slice(&n.to_be_bytes());
    datagram(1, 2, &payload)
}

fn number(frame: &glasstack_sim::WireFrame) -> u64 {
    u64::from_be_bytes(frame.view().payload()[..8].try_into().unwrap())
}

impl Pair {
    /// A frame each `gap`.
    fn stream(&self, frames: u64, gap: Duration) {
        for n in 0..frames {
            self.a.send_at(Instant::ZERO + gap * u32::try_from(n).unwrap(), frame(n));
        }
    }

    fn settle(&mut self) {
        assert!(self.world.run_until_idle(Duration::from_secs(600)).unwrap());
    }

    fn arrivals(&self) -> Vec<(Instant, u64)> {
        self.b.received().iter().map(|(at, frame)| (*at, number(frame))).collect()
    }

    fn losses(&self) -> Vec<(Instant, FrameId, String)> {
        let records = self.recorder.records().into_iter();
        let lost = records.filter_map(|record| match record.event {
            Event::Link(Link::Lost { frame, by, .. }) => Some((record.at, frame, by)),
            _ => None,
        });
        lost.collect()
    }
}

fn of_8_mbit(queue: Queue) -> Cable {
    Cable::new().rate(8_000_000).queue(queue)
}

#[test]
fn a_full_queue_makes_every_frame_that_gets_through_late_by_its_length() {
    let mut pair = pair(1, of_8_mbit(Queue::Frames(50)));
    pair.stream(1_000, Duration::from_micros(900));
    pair.settle();
    let arrivals = pair.arrivals();
    // One leaves each millisecond, and 1 000 come in 900.
    assert_eq!(arrivals.len() + pair.losses().len(), 1_000);
    assert!((940..=960).contains(&arrivals.len()), "{}", arrivals.len());
    assert!(pair.losses().iter().all(|(_, _, by)| by == "queue full"));
    let (at, n) = arrivals[arrivals.len() - 1];
    let late = at.since(Instant::from_micros(n * 900));
    // Up to 50 before it, its own bits, the latency.
    assert!((51..=52).contains(&late.as_millis()), "{late:?}");
}

#[test]
fn codel_keeps_the_delay_at_its_target_and_tells_who_waited_too_long() {
    let mut pair = pair(1, of_8_mbit(Queue::codel()));
    pair.stream(20_000, Duration::from_micros(950));
    pair.settle();
    let losses = pair.losses();
    assert!(losses.iter().all(|(_, _, by)| by.starts_with("CoDel, ") && by.ends_with(" ms in the queue")));
    let (first, ..) = &losses[0];
    // The queue grows by a frame in 19 ms: its delay is above 5 ms after about 100 ms, and the interval
    // later the first is lost.
    assert!((195..=225).contains(&(first.as_nanos() / 1_000_000)), "{first}");
    let late: Vec<u64> = pair
        .arrivals()
        .iter()
        .skip(5_000)
        .map(|(at, n)| at.since(Instant::from_micros(n * 950)).as_millis() as u64 - 2)
        .collect();
    let mean = late.iter().sum::<u64>() / late.len() as u64;
    assert!(mean < 15, "{mean} ms");
    let share = losses.len() as f64 / 20_000.0;
    assert!((0.04..0.06).contains(&share), "what comes too much, and no more: {share}");
}

#[test]
fn a_tcp_connection_fills_a_deep_queue_and_codel_keeps_it_short() {
    let mean_backlog = |queue| {
        let cable = Cable::new().latency(Duration::from_millis(5)).rate(1_000_000).queue(queue);
        let mut two = Two::on(1, cable);
        two.echo();
        let (cable, client) = (two.cable.clone(), two.client.clone());
        let samples = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&samples);
        two.client.spawn(async move {
            loop {
                client.sleep(Duration::from_millis(20)).await;
                seen.lock().unwrap().push(cable.backlog(Way::There).1);
            }
        });
        let data = bytes(300_000);
        assert_eq!(two.talk(&data).unwrap(), data);
        let samples = samples.lock().unwrap();
        // What the client sends takes 2.4 s; the first half second it only learns how fast it may.
        samples[25..100].iter().sum::<usize>() / 75
    };
    let (deep, managed) = (mean_backlog(Queue::Unlimited), mean_backlog(Queue::codel()));
    assert!(managed * 2 < deep, "{managed} bytes wait, not {deep}");
}

#[test]
fn jitter_that_keeps_the_order_spreads_arrivals_and_lets_nobody_overtake() {
    let run = |keeps_order| {
        let mut pair = pair(3, Cable::new().jitter(Duration::from_millis(20)).keeps_order(keeps_order));
        pair.stream(500, Duration::from_millis(2));
        pair.settle();
        pair.arrivals()
    };
    let in_order = |arrivals: &[(Instant, u64)]| arrivals.windows(2).all(|pair| pair[0].1 < pair[1].1);
    let late = |(at, n): &(Instant, u64)| at.since(Instant::from_millis(n * 2 + 1));
    let (kept, free) = (run(true), run(false));
    assert_eq!((kept.len(), free.len()), (500, 500));
    assert!(in_order(&kept) && !in_order(&free));
    assert!(kept.iter().chain(&free).all(|arrival| late(arrival) <= Duration::from_millis(20)));
    let mean = free.iter().map(late).sum::<Duration>() / 500;
    assert!((9..=11).contains(&mean.as_millis()), "uniform: {mean:?}");
    assert_eq!(run(true), kept, "the same seed, the same jitter");
}

#[test]
fn a_cable_that_loses_in_bursts_loses_rows_of_frames() {
    let model = GilbertElliott::gilbert(0.02, 0.25);
    let mut pair = pair(9, Cable::new().fault(fault::bursts(model)));
    pair.stream(10_000, Duration::from_micros(100));
    pair.settle();
    let numbers: Vec<u64> = pair.arrivals().iter().map(|(_, n)| *n).collect();
    let gaps: Vec<u64> =
        numbers.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|lost| *lost > 0).collect();
    let mean = gaps.iter().sum::<u64>() as f64 / gaps.len() as f64;
    assert!((3.4..4.6).contains(&mean), "1 / r is 4, not {mean}");
    assert!((100..200).contains(&gaps.len()), "about p of the good frames: {}", gaps.len());
}

#[test]
fn who_waits_when_the_plug_is_pulled_is_lost_at_once_and_who_travels_when_he_would_arrive() {
    let mut pair = pair(1, Cable::new().rate(1_000_000).latency(Duration::from_millis(5)));
    for payload in ["first", "second", "third"] {
        pair.a.send(datagram(1, 2, payload.as_bytes()));
    }
    pair.world.run_for(Duration::from_micros(100)).unwrap();
    assert_eq!(pair.cable.backlog(Way::There).0, 2);
    pair.cable.unplug();
    pair.cable.plug_in();
    pair.settle();
    let lost: Vec<String> = story(&pair.recorder).into_iter().filter(|line| line.contains("lost")).collect();
    assert_eq!(
        lost,
        [
            "0.000100 a <-> b: lost \"second\": unplugged",
            "0.000100 a <-> b: lost \"third\": unplugged",
            "0.005376 a <-> b: lost \"first\": unplugged",
        ]
    );
}

#[test]
fn a_cable_may_be_laid_unplugged() {
    let mut pair = pair(1, Cable::new().unplugged());
    assert!(!pair.cable.is_plugged_in());
    pair.a.send(frame(1));
    pair.settle();
    pair.cable.plug_in();
    pair.a.send(frame(2));
    pair.settle();
    assert_eq!(pair.arrivals().iter().map(|(_, n)| *n).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_lane_that_becomes_faster_lets_go_of_those_who_wait() {
    let mut pair = pair(1, Cable::new().rate(8_000));
    pair.stream(3, Duration::ZERO);
    pair.world.run_for(Duration::from_millis(500)).unwrap();
    pair.cable.set_lane(Way::There, Lane { rate: Some(8_000_000), ..Lane::default() });
    pair.settle();
    let millis: Vec<u64> = pair.arrivals().iter().map(|(at, _)| at.as_nanos() / 1_000_000).collect();
    assert_eq!(millis, [1_001, 1_002, 1_003], "the one being sent takes its time, the others do not");
}
