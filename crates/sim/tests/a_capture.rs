//! Captures on cables: what goes in, what comes out, and what Wireshark shows of it.
//!
//! ```text
//!   client 10.0.1.2 --- 10.0.1.1 router 10.0.2.1 --- 10.0.2.2 server
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::event::{Direction, Event, FrameId, InterfaceId, Link};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Instant, Record};
use glasstack_sim::fault::{self, Pick};
use glasstack_sim::{Cable, Fault, FrameView, Rng, RouterConfig, SimWorld, Verdict};
use glasstack_stack::{PingOptions, World};
use std::time::Duration;
use support::two::host;
use support::wireshark::Memory;
use support::{broadcast, datagram};

/// Two probes on a cable that is captured; `a` sends three datagrams.
fn three_datagrams(cable: Cable) -> (SimWorld, Recorder) {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    world.connect(&a, &b, cable.capture()).unwrap();
    for (at, payload) in [(0, "one"), (10, "two"), (20, "three")] {
        a.send_at(Instant::from_millis(at), datagram(1, 2, payload.as_bytes()));
    }
    world.run_until_idle(Duration::from_secs(1)).unwrap();
    (world, recorder)
}

/// What the capture has seen: when, which frame, which payload.
fn captured(recorder: &Recorder) -> Vec<(u64, FrameId, String)> {
    let seen = |record: Record| match record.event {
        Event::Link(Link::Captured { frame, bytes, .. }) => {
            let payload = String::from_utf8_lossy(FrameView::new(frame, &bytes).payload()).into_owned();
            Some((record.at.as_nanos() / 1_000_000, frame, payload))
        }
        _ => None,
    };
    recorder.records().into_iter().filter_map(seen).collect()
}

fn payloads(recorder: &Recorder) -> Vec<(u64, String)> {
    captured(recorder).into_iter().map(|(at, _, payload)| (at, payload)).collect()
}

#[test]
fn each_frame_is_captured_once_as_it_goes_in_and_a_lost_one_too() {
    let (_, recorder) = three_datagrams(Cable::new().fault(fault::lose(Pick::all().nth(2))));
    let expected = [(0, "one"), (10, "two"), (20, "three")].map(|(at, what)| (at, what.to_owned()));
    assert_eq!(payloads(&recorder), expected);
}

#[test]
fn what_comes_out_as_another_is_captured_again() {
    let last_byte = 8 * (14 + 20 + 8 + 3) - 1;
    let cable = Cable::new()
        .fault(fault::corrupt_bit(Pick::all().nth(1), last_byte))
        .fault(fault::duplicate(Pick::all().nth(3), 1));
    let (_, recorder) = three_datagrams(cable);
    let expected = [(0, "one"), (1, "ond"), (10, "two"), (20, "three"), (21, "three")];
    assert_eq!(payloads(&recorder), expected.map(|(at, what)| (at, what.to_owned())));
    let frames: Vec<FrameId> = captured(&recorder).into_iter().map(|(_, frame, _)| frame).collect();
    assert_eq!((frames[0], frames[3]), (frames[1], frames[4]), "it keeps its number");
}

/// Answers each datagram in the receiver's name, and swallows it.
struct Impostor;

impl Fault for Impostor {
    fn name(&self) -> &str {
        "impostor"
    }

    fn judge(&mut self, frame: &FrameView<'_>, _now: Instant, _rng: &mut Rng) -> Verdict {
        let against = vec![datagram(2, 1, &[b"not ".as_slice(), frame.payload()].concat())];
        Verdict::Inject { along: vec![broadcast(1, b"psst")], against, pass: false }
    }

    fn injects(&self) -> bool {
        true
    }
}

#[test]
fn forged_frames_travel_both_ways_and_are_captured_where_they_come_into_being() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    world.connect(&a, &b, Cable::new().fault_there(Impostor).capture()).unwrap();
    a.send(datagram(1, 2, b"hello"));
    world.run_until_idle(Duration::from_secs(1)).unwrap();
    assert_eq!(a.received()[0].1.bytes, datagram(2, 1, b"not hello"));
    assert_eq!(b.received().len(), 1, "the frame itself was swallowed");
    assert_eq!(b.received()[0].1.bytes, broadcast(1, b"psst"));
    let expected = [(0, "hello"), (0, "psst"), (0, "not hello")].map(|(at, what)| (at, what.to_owned()));
    assert_eq!(payloads(&recorder), expected);
    let injected = |record: &&Record| matches!(&record.event, Event::Link(Link::Injected { .. }));
    assert_eq!(recorder.records().iter().filter(injected).count(), 2);
}

#[test]
fn a_capture_may_begin_while_the_world_runs_and_knows_both_ways_apart() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    let cable = world.connect(&a, &b, Cable::new()).unwrap();
    b.respond(|_, _| vec![datagram(2, 1, b"answer")]);
    a.send(datagram(1, 2, b"unseen"));
    world.run_for(Duration::from_millis(5)).unwrap();
    assert_eq!(cable.captured(), None);
    cable.capture();
    cable.capture();
    a.send_at(Instant::from_millis(10), datagram(1, 2, b"question"));
    world.run_until_idle(Duration::from_secs(1)).unwrap();
    let ways: Vec<(InterfaceId, Direction)> = recorder
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Link(Link::Captured { interface, direction, .. }) => Some((*interface, *direction)),
            _ => None,
        })
        .collect();
    let interface = cable.captured().unwrap();
    assert_eq!(ways, [(interface, Direction::Out), (interface, Direction::In)]);
}

#[test]
fn two_adjacent_links_show_other_mac_addresses_and_the_same_ip_addresses() {
    let file = Memory::default();
    let places = ["client <-> router", "router <-> server"];
    let mut world = SimWorld::builder(1).observe(file.capture(&places)).build();
    let client = world.add_host(host("client", 1, "10.0.1.2", Some("10.0.1.1"))).unwrap();
    let server = world.add_host(host("server", 2, "10.0.2.2", Some("10.0.2.1"))).unwrap();
    let ports =
        RouterConfig::new().port("10.0.1.1".parse().unwrap(), 24).port("10.0.2.1".parse().unwrap(), 24);
    let router = world.add_router("router", ports).unwrap();
    world.connect(&client, (router, 0), Cable::new().capture()).unwrap();
    let lossy = Cable::new().fault(fault::drop_nth(2, |frame| frame.icmp_type() == Some((8, 0))));
    world.connect((router, 1), &server, lossy.capture()).unwrap();
    let to = server.address();
    let pings = async {
        client.ping(to, &PingOptions::default()).await.unwrap();
        client.ping(to, &PingOptions { seq: 2, ..PingOptions::default() }).await.unwrap_err();
    };
    world.run(pings).unwrap();
    world.journal().finish().unwrap();
    let fields = ["frame.interface_name", "eth.src", "eth.dst", "ip.src", "ip.dst", "ip.ttl"];
    let Some(hops) = file.fields("two_links", "icmp.type == 8 && icmp.seq == 1", &fields) else { return };
    let [first, second] = [0, 1].map(|hop| hops[hop].split('\t').collect::<Vec<_>>());
    assert_eq!((first[0], second[0]), (places[0], places[1]));
    assert!(first[1] != second[1] && first[2] != second[2], "the MAC addresses are of each link: {hops:?}");
    assert_eq!(first[3..5], ["10.0.1.2", "10.0.2.2"]);
    assert_eq!(first[3..5], second[3..5], "the IP addresses are of the journey");
    let ttl = |hop: &[&str]| hop[5].parse::<u8>().unwrap();
    assert_eq!(ttl(&first), ttl(&second) + 1);
    let fields = ["frame.interface_name", "frame.comment"];
    let lost = file.fields("two_links", "icmp.type == 8 && icmp.seq == 2", &fields).unwrap();
    assert!(lost[1].starts_with(places[1]) && lost[1].contains("lost on router <-> server"), "{lost:?}");
    let wrong = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0";
    assert_eq!(file.fields("two_links", wrong, &["frame.number"]).unwrap(), [""; 0]);
}
