//! VLANs: stations that share switches and do not hear one another (IEEE 802.1Q).
//!
//! ```text
//!   a (10) --0           0-- c (10)
//!            left 9 = 9 right
//!   b (20) --1           1-- d (20)
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::event::{Direction, DropReason, Event, Link};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, FrameView, Probe, SimWorld, Switch, Vlan};
use std::time::Duration;
use support::{broadcast, datagram};

struct Office {
    world: SimWorld,
    recorder: Recorder,
    probes: [Probe; 4],
}

const TRUNK: usize = 9;

/// Two switches; the cable between them is captured.
fn office(left: Vlan, right: Vlan) -> Office {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let switch = |trunk| Switch::new().vlan(0, Vlan::Access(10)).vlan(1, Vlan::Access(20)).vlan(TRUNK, trunk);
    let left = world.add_node("left", switch(left)).unwrap();
    let right = world.add_node("right", switch(right)).unwrap();
    world.connect((left, TRUNK), (right, TRUNK), Cable::new().capture()).unwrap();
    let places = [("a", left, 0), ("b", left, 1), ("c", right, 0), ("d", right, 1)];
    let probes = places.map(|(name, switch, port)| {
        let probe = world.add_probe(name).unwrap();
        world.connect(&probe, (switch, port), Cable::new()).unwrap();
        probe
    });
    Office { world, recorder, probes }
}

fn trunk(native: Option<u16>, tagged: &[u16]) -> Vlan {
    Vlan::Trunk { native, tagged: tagged.to_vec() }
}

fn both_tagged() -> Office {
    office(trunk(None, &[10, 20]), trunk(None, &[10, 20]))
}

impl Office {
    fn settle(&mut self) {
        assert!(self.world.run_until_idle(Duration::from_secs(1_000)).unwrap());
    }

    fn counts(&self) -> Vec<usize> {
        self.probes.iter().map(|probe| probe.received().len()).collect()
    }

    /// The VLANs of the frames on the cable between the switches.
    fn tags(&self) -> Vec<Option<u16>> {
        let records = self.recorder.records();
        let tag = |event: &Event| match event {
            Event::Link(Link::Captured { frame, bytes, .. }) => Some(FrameView::new(*frame, bytes).vlan()),
            _ => None,
        };
        records.iter().filter_map(|record| tag(&record.event)).collect()
    }

    fn dropped(&self) -> Vec<(DropReason, String)> {
        let records = self.recorder.records().into_iter();
        let what = records.filter_map(|record| match record.event {
            Event::Link(Link::Dropped { reason, detail, .. }) => Some((reason, detail)),
            _ => None,
        });
        what.collect()
    }
}

/// A frame with a tag.
fn tagged(word: u16, mut frame: Vec<u8>) -> Vec<u8> {
    let [high, low] = word.to_be_bytes();
    frame.splice(12..12, [0x81, 0x00, high, low]);
    frame
}

#[test]
fn a_broadcast_reaches_its_own_vlan_alone_on_both_switches() {
    let mut office = both_tagged();
    office.probes[0].send(broadcast(1, b"all of ten"));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 1, 0]);
    assert_eq!(office.tags(), [Some(10)]);
    let (_, received) = &office.probes[2].received()[0];
    assert_eq!(received.bytes, broadcast(1, b"all of ten"), "the tag is gone where it came out");
}

#[test]
fn the_native_vlan_travels_without_a_tag_and_the_other_with_one() {
    let mut office = office(trunk(Some(10), &[20]), trunk(Some(10), &[20]));
    office.probes[0].send(broadcast(1, b"ten"));
    office.probes[1].send_at(Instant::from_millis(5), broadcast(2, b"twenty"));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 1, 1]);
    assert_eq!(office.tags(), [None, Some(20)]);
}

#[test]
fn switches_that_disagree_about_the_native_vlan_leak_one_into_the_other() {
    let mut office = office(trunk(Some(10), &[20]), trunk(Some(20), &[10]));
    office.probes[0].send(broadcast(1, b"meant for ten"));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 0, 1], "as it is with real ones");
}

#[test]
fn a_vlan_that_the_trunk_does_not_carry_ends_at_it() {
    let mut office = office(trunk(None, &[10, 20]), trunk(None, &[20]));
    office.probes[0].send(broadcast(1, b"ten"));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 0, 0]);
    assert_eq!(office.dropped(), [(DropReason::WrongVlan, "VLAN 10 at port 9".to_owned())]);
}

#[test]
fn a_station_of_an_access_port_may_not_choose_its_vlan() {
    let mut office = both_tagged();
    office.probes[0].send(tagged(20, broadcast(1, b"hop")));
    office.probes[0].send(tagged(10, broadcast(1, b"even its own")));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 0, 0]);
    assert_eq!(office.dropped().len(), 2);
    assert_eq!(office.dropped()[0].0, DropReason::WrongVlan);
}

#[test]
fn a_tag_of_priority_alone_is_of_the_ports_vlan_and_keeps_its_priority_on_the_trunk() {
    let mut office = both_tagged();
    office.probes[0].send(tagged(0xa000, datagram(1, 3, b"urgent")));
    office.settle();
    assert_eq!(office.counts(), [0, 0, 1, 0]);
    let (_, received) = &office.probes[2].received()[0];
    assert_eq!(received.bytes, datagram(1, 3, b"urgent"));
    let on_trunk = office.recorder.records().into_iter().find_map(|record| match record.event {
        Event::Link(Link::Captured { direction: Direction::Out, bytes, .. }) => Some(bytes),
        _ => None,
    });
    assert_eq!(on_trunk.unwrap()[12..16], [0x81, 0x00, 0xa0, 10]);
}

#[test]
fn tags_that_cannot_be_are_discarded() {
    let mut office = both_tagged();
    office.probes[0].send(tagged(0x0fff, broadcast(1, b"reserved")));
    office.probes[0].send(tagged(10, broadcast(1, b"cut"))[..16].to_vec());
    office.settle();
    let reasons: Vec<DropReason> = office.dropped().into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(reasons, [DropReason::BadVlanTag, DropReason::BadVlanTag]);
}

#[test]
fn the_same_address_may_live_in_two_vlans_behind_two_ports() {
    let mut office = both_tagged();
    office.probes[2].send(datagram(7, 9, b"seven of ten"));
    office.probes[1].send(datagram(7, 9, b"seven of twenty"));
    office.probes[0].send_at(Instant::from_millis(10), datagram(1, 7, b"to seven of ten"));
    office.probes[3].send_at(Instant::from_millis(10), datagram(4, 7, b"to seven of twenty"));
    office.settle();
    assert_eq!(office.counts(), [1, 1, 1, 1]);
}
