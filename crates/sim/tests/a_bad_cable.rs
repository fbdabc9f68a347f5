//! Whatever a cable does to the frames, TCP delivers every byte once and in order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::event::{DropReason, Event, Link, Tcp};
use glasstack_sim::fault::{self, Fault, Pick};
use glasstack_sim::{Cable, Queue};
use std::time::Duration;
use support::two::{Two, bytes};

const LENGTH: usize = 200_000;

/// Sends data there and back over `cable`, with several seeds.
fn everything_arrives(cable: impl Fn() -> Cable) -> Two {
    for seed in 1.. {
        let mut two = Two::on(seed, cable());
        two.echo();
        let data = bytes(LENGTH);
        let answer = two.talk(&data).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(answer == data, "seed {seed}: {} bytes came back, or others", answer.len());
        two.drain();
        if seed == 5 {
            return two;
        }
    }
    unreachable!("the fifth seed returns")
}

fn lost(event: &Event) -> bool {
    matches!(event, Event::Link(Link::Lost { .. }))
}

#[test]
fn five_percent_loss_both_ways() {
    let two = everything_arrives(|| Cable::new().fault(fault::loss(0.05)));
    assert!(two.count(lost) > 5);
}

#[test]
fn a_third_of_the_frames_twice() {
    let two = everything_arrives(|| Cable::new().fault(fault::duplicate(Pick::by_chance(0.3), 1)));
    assert!(two.count(|event| matches!(event, Event::Link(Link::Duplicated { .. }))) > 20);
}

#[test]
fn a_tenth_of_the_frames_out_of_order() {
    let patience = Duration::from_millis(50);
    everything_arrives(|| Cable::new().fault(fault::reorder(Pick::by_chance(0.1), patience)));
}

#[test]
fn delays_that_vary() {
    everything_arrives(|| Cable::new().fault(fault::jitter(Duration::from_millis(5))));
}

#[test]
fn one_frame_in_fifty_with_a_wrong_bit_is_caught_by_the_checksums() {
    let two = everything_arrives(|| Cable::new().fault(fault::corrupt(Pick::by_chance(0.02))));
    let caught = two.count(|event| {
        let Event::Link(Link::Dropped { reason, .. }) = event else { return false };
        matches!(reason, DropReason::BadTcpChecksum | DropReason::BadIpChecksum | DropReason::BadIpHeader)
    });
    assert!(caught > 0);
}

#[test]
fn a_queue_that_overflows() {
    let two = everything_arrives(|| Cable::new().rate(5_000_000).queue(Queue::Frames(8)));
    assert!(two.count(lost) > 0);
}

#[test]
fn all_of_it_at_once() {
    everything_arrives(|| {
        Cable::new()
            .latency(Duration::from_millis(20))
            .rate(20_000_000)
            .fault(fault::loss(0.02))
            .fault(fault::duplicate(Pick::by_chance(0.02), 1))
            .fault(fault::reorder(Pick::by_chance(0.02), Duration::from_millis(30)))
            .fault(fault::corrupt(Pick::by_chance(0.01)))
    });
}

#[test]
fn every_single_frame_may_be_the_one_that_is_lost() {
    // One run for each frame of a short conversation, ARP and teardown included.
    for n in 1.. {
        let mut two = Two::on(1, Cable::new().fault(fault::drop_nth(n, |_| true).named("drop_one")));
        two.echo();
        let answer = two.talk(b"hello").unwrap_or_else(|error| panic!("frame {n} lost: {error}"));
        assert_eq!(answer, b"hello", "frame {n} lost");
        two.drain();
        if two.count(lost) == 0 {
            assert!(n > 9, "ARP, handshake, data and teardown are nine frames at least");
            return;
        }
        let closed = two.count(|event| matches!(event, Event::Tcp(Tcp::Closed { error: Some(_), .. })));
        assert_eq!(closed, 0, "frame {n} lost");
    }
}
