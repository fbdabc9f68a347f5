//! A gate to a real network: what comes in and goes out, and who may not be in its world.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::event::{Event, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::fault::{Fault, Verdict};
use glasstack_sim::{Cable, FrameView, Node, NodeContext, Rng, SimWorld, TopologyError, WireFrame};
use glasstack_stack::Entropy;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Not the operating system's, but not the seed's either.
struct Outside;

impl Entropy for Outside {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn is_reproducible(&self) -> bool {
        false
    }
}

/// Station 1 (10.0.0.1) asks who has 10.0.0.2.
fn arp_request() -> Vec<u8> {
    let arp = etherparse::ArpPacket::new(
        etherparse::ArpHardwareId::ETHERNET,
        etherparse::EtherType::IPV4,
        etherparse::ArpOperation::REQUEST,
        &support::mac(1),
        &[10, 0, 0, 1],
        &[0; 6],
        &[10, 0, 0, 2],
    )
    .unwrap();
    let mut bytes = Vec::new();
    etherparse::PacketBuilder::ethernet2(support::mac(1), [0xff; 6]).arp(arp).write(&mut bytes).unwrap();
    bytes
}

fn real_world() -> SimWorld {
    SimWorld::builder(1).entropy(Arc::new(Outside)).build()
}

#[test]
fn a_frame_from_outside_is_answered_by_a_host_inside() {
    let mut world = real_world();
    let host = world.add_host(support::two::host("server", 2, "10.0.0.2", None)).unwrap();
    let gate = world.add_gate("outside").unwrap();
    world.connect(&gate, &host, Cable::new()).unwrap();
    gate.deliver(arp_request());
    world.run_until(Instant::from_millis(1)).unwrap();
    assert!(gate.take().is_empty(), "the answer is still on the cable");
    world.run_until(Instant::from_millis(2)).unwrap();
    let out = gate.take();
    assert_eq!(out.len(), 1);
    assert!(
        WireFrame { id: glasstack_journal::event::FrameId(0), bytes: out[0].clone() }.view().is_arp_reply()
    );
    assert!(gate.take().is_empty(), "what was taken is gone");
}

#[test]
fn hosts_near_a_gate_take_their_randomness_from_outside() {
    let env = real_world().environment("server");
    let mut bytes = [0; 4];
    env.entropy.fill(&mut bytes);
    assert_eq!(bytes, [7; 4]);
    assert!(!env.entropy.is_reproducible());
}

#[test]
fn a_world_of_a_seed_has_no_gate() {
    let refused = SimWorld::new(1).add_gate("outside").err().unwrap();
    assert!(matches!(refused, TopologyError::SeededGate(_)), "{refused}");
}

struct Attacker;

impl Node for Attacker {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, _frame: WireFrame, _context: &mut NodeContext<'_>) {}

    fn is_attacker(&self) -> bool {
        true
    }
}

/// Answers every frame with itself.
struct Forger;

impl Fault for Forger {
    fn name(&self) -> &str {
        "forger"
    }

    fn judge(&mut self, frame: &FrameView<'_>, _now: Instant, _rng: &mut Rng) -> Verdict {
        Verdict::Inject { along: Vec::new(), against: vec![frame.bytes().to_vec()], pass: true }
    }

    fn injects(&self) -> bool {
        true
    }
}

/// Counts the plugs that are pulled or put back.
struct Ear(Arc<AtomicUsize>);

impl Node for Ear {
    fn ports(&self) -> usize {
        1
    }

    fn on_frame(&mut self, _port: usize, _frame: WireFrame, _context: &mut NodeContext<'_>) {}

    fn on_carrier(&mut self, _port: usize, _up: bool, _context: &mut NodeContext<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_attacker_and_a_gate_do_not_share_a_world_whoever_comes_first() {
    let mut world = real_world();
    world.add_gate("outside").unwrap();
    let refused = world.add_node("mallory", Attacker).unwrap_err();
    assert!(matches!(refused, TopologyError::NoAttacksOnARealNetwork(_)), "{refused}");

    let mut world = real_world();
    world.add_node("mallory", Attacker).unwrap();
    let refused = world.add_gate("outside").err().unwrap();
    assert!(matches!(refused, TopologyError::NoAttacksOnARealNetwork(_)), "{refused}");
}

#[test]
fn a_fault_that_forges_frames_is_no_cable_of_such_a_world() {
    let mut world = real_world();
    let gate = world.add_gate("outside").unwrap();
    let host = world.add_host(support::two::host("server", 2, "10.0.0.2", None)).unwrap();
    let refused = world.connect(&gate, &host, Cable::new().fault(Forger)).err().unwrap();
    assert!(matches!(refused, TopologyError::NoAttacksOnARealNetwork(_)), "{refused}");
    assert!(refused.to_string().contains("outside <-> server"), "{refused}");

    // The one that is refused leaves nothing behind, not even a pulled plug.
    let told = Arc::new(AtomicUsize::new(0));
    let ear = world.add_node("ear", Ear(Arc::clone(&told))).unwrap();
    assert!(world.connect(ear, &host, Cable::new().unplugged().fault(Forger)).is_err());
    world.connect(ear, &host, Cable::new()).unwrap();
    world.run_until(Instant::from_millis(1)).unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 0);

    let mut world = real_world();
    let switch = world.add_switch("switch").unwrap();
    let host = world.add_host(support::two::host("server", 2, "10.0.0.2", None)).unwrap();
    world.connect(switch, &host, Cable::new()).unwrap().add_fault(Forger);
    let refused = world.add_gate("outside").err().unwrap();
    assert!(refused.to_string().contains("switch <-> server"), "{refused}");
}

#[test]
fn a_forging_fault_that_is_put_on_a_cable_later_forges_nothing() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).entropy(Arc::new(Outside)).observe(recorder.clone()).build();
    let gate = world.add_gate("outside").unwrap();
    let host = world.add_host(support::two::host("server", 2, "10.0.0.2", None)).unwrap();
    let cable = world.connect(&gate, &host, Cable::new()).unwrap();
    cable.add_fault(Forger);
    gate.deliver(arp_request());
    world.run_until(Instant::from_millis(10)).unwrap();
    assert_eq!(gate.take().len(), 1, "the host's own answer, and nothing of the fault's");
    let refused =
        |event: &Event| matches!(event, Event::Link(Link::Lost { by, .. }) if by.starts_with("forged"));
    assert_eq!(recorder.records().iter().filter(|record| refused(&record.event)).count(), 2);
}
