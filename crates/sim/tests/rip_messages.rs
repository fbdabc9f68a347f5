//! What a router makes of single RIP messages (RFC 2453 3.9, 4): a neighbour made by hand tells it things.
//!
//! ```text
//!   neighbour 10.1.0.2 --- 10.1.0.1 router 10.0.1.1 --- (its LAN)
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, Event, Link, Rip};
use glasstack_journal::journal::Recorder;
use glasstack_sim::{Cable, FrameView, Probe, RipConfig, RipTimers, RouterConfig, SimWorld};
use glasstack_stack::{Prefix, World};
use std::net::Ipv4Addr;
use std::time::Duration;
use support::mac;
use support::two::host;

/// An entry: address, mask, next hop, metric.
type Entry = ([u8; 4], [u8; 4], [u8; 4], u32);

const HERE: [u8; 4] = [0; 4];
const SLASH_24: [u8; 4] = [255, 255, 255, 0];

fn entry(address: [u8; 4], metric: u32) -> Entry {
    (address, SLASH_24, HERE, metric)
}

fn message(command: u8, version: u8, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![command, version, 0, 0];
    for (address, mask, next_hop, metric) in entries {
        bytes.extend([0, 2, 0, 0]);
        bytes.extend([address, mask, next_hop].into_iter().flatten());
        bytes.extend(metric.to_be_bytes());
    }
    bytes
}

fn response(entries: &[Entry]) -> Vec<u8> {
    message(2, 2, entries)
}

fn with_password(password: &[u8], mut message: Vec<u8>) -> Vec<u8> {
    let mut auth = vec![0xff, 0xff, 0, 2];
    auth.extend(password);
    auth.resize(20, 0);
    message.splice(4..4, auth);
    message
}

/// From `source` to all RIP routers.
fn from(source: [u8; 4], port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ethernet2(mac(2), [1, 0, 0x5e, 0, 0, 9])
        .ipv4(source, [224, 0, 0, 9], 1)
        .udp(port, 520);
    let mut bytes = Vec::new();
    builder.write(&mut bytes, payload).unwrap();
    bytes
}

fn neighbourly(payload: &[u8]) -> Vec<u8> {
    from([10, 1, 0, 2], 520, payload)
}

struct Bench {
    world: SimWorld,
    recorder: Recorder,
    neighbour: Probe,
}

fn bench(rip: RipConfig) -> Bench {
    bench_with(|config| config.rip(rip))
}

fn bench_with(change: impl FnOnce(RouterConfig) -> RouterConfig) -> Bench {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let config = RouterConfig::new().port([10, 1, 0, 1].into(), 24).port([10, 0, 1, 1].into(), 24);
    let router = world.add_router("router", change(config)).unwrap();
    let neighbour = world.add_probe("neighbour").unwrap();
    world.connect(&neighbour, (router, 0), Cable::new()).unwrap();
    Bench { world, recorder, neighbour }
}

impl Bench {
    /// The neighbour says these things one after the other; a second passes.
    fn hear(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            self.neighbour.send(frame.clone());
        }
        self.world.run_for(Duration::from_secs(1)).unwrap();
    }

    fn events(&self) -> impl Iterator<Item = Event> {
        self.recorder.records().into_iter().map(|record| record.event)
    }

    /// `10.0.9.0/24 via 10.1.0.2, 3`, for each thing learnt.
    fn learnt(&self) -> Vec<String> {
        let learnt = self.events().filter_map(|event| match event {
            Event::Rip(Rip::Learned { prefix, via, metric, .. }) => {
                Some(format!("{prefix} via {via}, {metric}"))
            }
            _ => None,
        });
        learnt.collect()
    }

    fn discarded(&self) -> Vec<DropReason> {
        let discarded = self.events().filter_map(|event| match event {
            Event::Link(Link::Dropped { reason, .. }) => Some(reason),
            Event::Rip(Rip::EntryIgnored { reason, .. }) => Some(reason),
            _ => None,
        });
        discarded.collect()
    }

    /// The routes that the router has told on the link since `since`: address, next hop and metric.
    fn heard(&self, since: Instant) -> Vec<(Ipv4Addr, Ipv4Addr, u8)> {
        let mut routes = Vec::new();
        for (at, frame) in self.neighbour.received() {
            let view = frame.view();
            if at < since || !view.has_port(520) || view.payload()[0] != 2 {
                continue;
            }
            for entry in view.payload()[4..].chunks(20) {
                let address = |at: usize| Ipv4Addr::from(<[u8; 4]>::try_from(&entry[at..at + 4]).unwrap());
                routes.push((address(4), address(12), entry[19]));
            }
        }
        routes
    }
}

#[test]
fn a_route_is_learnt_with_one_hop_more_and_a_next_hop_of_the_same_link() {
    let mut bench = bench(RipConfig::new());
    bench.hear(&[neighbourly(&response(&[
        entry([10, 0, 9, 0], 2),
        ([10, 0, 8, 0], SLASH_24, [10, 1, 0, 77], 2),
        ([10, 0, 7, 0], SLASH_24, [192, 0, 2, 1], 2),
        ([0; 4], [0; 4], HERE, 15),
        ([172, 16, 0, 0], [255, 240, 0, 0], HERE, 14),
    ]))]);
    assert_eq!(
        bench.learnt(),
        [
            "10.0.9.0/24 via 10.1.0.2, 3",
            "10.0.8.0/24 via 10.1.0.77, 3",
            "10.0.7.0/24 via 10.1.0.2, 3",
            "172.16.0.0/12 via 10.1.0.2, 15",
        ],
        "a next hop elsewhere counts as none, and 15 and one more cannot be reached"
    );
}

#[test]
fn each_check_of_a_message_has_its_reason() {
    let good = response(&[entry([10, 0, 9, 0], 1)]);
    for (frame, reason) in [
        (neighbourly(&good[..3]), DropReason::RipMalformed),
        (neighbourly(&message(2, 1, &[entry([10, 0, 9, 0], 1)])), DropReason::RipVersion),
        (neighbourly(&[2, 0, 0, 0]), DropReason::RipVersion),
        (neighbourly(&message(7, 2, &[])), DropReason::RipMalformed),
        (neighbourly(&response(&[entry([10, 0, 9, 0], 1); 26])), DropReason::RipMalformed),
        (from([10, 1, 0, 2], 5_200, &good), DropReason::RipSourcePort),
        (from([10, 2, 0, 2], 520, &good), DropReason::RipNotANeighbour),
        // The router's own address is nobody else's, whatever the packet.
        (from([10, 1, 0, 1], 520, &good), DropReason::MartianSource),
        (neighbourly(&with_password(b"guess", good.clone())), DropReason::RipAuthentication),
        (neighbourly(&response(&[entry([127, 0, 0, 0], 1)])), DropReason::RipDestination),
        (neighbourly(&response(&[entry([0, 1, 2, 0], 1)])), DropReason::RipDestination),
        (neighbourly(&response(&[entry([224, 0, 0, 0], 1)])), DropReason::RipDestination),
        (neighbourly(&response(&[entry([10, 0, 9, 0], 0)])), DropReason::RipMetric),
        (neighbourly(&response(&[entry([10, 0, 9, 0], 17)])), DropReason::RipMetric),
        (neighbourly(&response(&[([10, 0, 9, 0], [255, 0, 255, 0], HERE, 1)])), DropReason::RipMask),
    ] {
        let mut bench = bench(RipConfig::new());
        bench.hear(&[frame]);
        assert_eq!(bench.discarded(), [reason]);
        assert!(bench.learnt().is_empty(), "{reason}");
    }
}

#[test]
fn one_bad_route_does_not_spoil_the_others() {
    let mut bench = bench(RipConfig::new());
    bench.hear(&[neighbourly(&response(&[
        entry([10, 0, 7, 0], 1),
        entry([10, 0, 8, 0], 99),
        entry([10, 0, 9, 0], 1),
    ]))]);
    assert_eq!(bench.learnt(), ["10.0.7.0/24 via 10.1.0.2, 2", "10.0.9.0/24 via 10.1.0.2, 2"]);
    assert_eq!(bench.discarded(), [DropReason::RipMetric]);
}

#[test]
fn with_a_password_only_those_who_know_it_are_believed() {
    let mut bench = bench(RipConfig::new().password("open sesame"));
    bench.hear(&[
        neighbourly(&response(&[entry([10, 0, 7, 0], 1)])),
        neighbourly(&with_password(b"open sesam", response(&[entry([10, 0, 8, 0], 1)]))),
        neighbourly(&with_password(b"open sesame", response(&[entry([10, 0, 9, 0], 1)]))),
    ]);
    assert_eq!(bench.learnt(), ["10.0.9.0/24 via 10.1.0.2, 2"]);
    assert_eq!(bench.discarded(), [DropReason::RipAuthentication; 2]);
    let (_, request) = &bench.neighbour.received()[0];
    let payload = request.view().payload().to_vec();
    assert_eq!(payload[4..19], *b"\xff\xff\x00\x02open sesame", "its own messages carry it");
    assert_eq!(payload.len(), 4 + 20 + 20);
}

#[test]
fn what_cannot_be_configured_is_refused() {
    let refused = |rip: RipConfig| {
        let config = RouterConfig::new().port([10, 1, 0, 1].into(), 24).rip(rip);
        SimWorld::new(1).add_router("router", config).unwrap_err().to_string()
    };
    assert_eq!(
        refused(RipConfig::new().password("seventeen letters")),
        "router router: a RIP password of 17 bytes; 16 is the most (RFC 2453 4.1)"
    );
    assert_eq!(refused(RipConfig::new().passive(1)), "router router: no port 1 to speak RIP on; there are 1");
    assert!(refused(RipConfig::new().cost(0, 16)).contains("1 to 15"));
    let timers = RipTimers { update: Duration::ZERO, ..RipTimers::default() };
    assert!(refused(RipConfig::new().timers(timers)).contains("RIP updates every 0 s"));
}

#[test]
fn a_passive_port_listens_and_a_port_that_is_off_does_not() {
    let told = neighbourly(&response(&[entry([10, 0, 9, 0], 1)]));
    let mut passive = bench(RipConfig::new().passive(0));
    let everything = [&[1, 2, 0, 0][..], &[0; 19], &[16]].concat();
    passive.hear(&[told.clone(), neighbourly(&everything)]);
    passive.world.run_for(Duration::from_secs(100)).unwrap();
    assert_eq!(passive.learnt().len(), 1);
    assert!(passive.neighbour.received().is_empty(), "it says nothing");
    let mut off = bench(RipConfig::new().off(0));
    off.hear(&[told]);
    assert_eq!((off.learnt().len(), off.discarded()), (0, vec![DropReason::RipOff]));
}

#[test]
fn a_port_may_cost_more_than_one_hop() {
    let mut bench = bench(RipConfig::new().cost(0, 5));
    bench.hear(&[neighbourly(&response(&[entry([10, 0, 9, 0], 2), entry([10, 0, 8, 0], 11)]))]);
    assert_eq!(bench.learnt(), ["10.0.9.0/24 via 10.1.0.2, 7"], "11 and 5 is infinity");
}

#[test]
fn many_routes_take_several_messages_and_static_ones_of_the_link_name_their_next_hop() {
    let via: Ipv4Addr = [10, 1, 0, 99].into();
    let mut bench = bench_with(|config| {
        let routes = (0..60).map(|n| (Prefix::new([10, 5, n, 0].into(), 24).unwrap(), via));
        let elsewhere = (Prefix::DEFAULT, [10, 0, 1, 7].into());
        let config =
            routes.chain([elsewhere]).fold(config, |config, (prefix, via)| config.route(prefix, via));
        config.rip(RipConfig::new())
    });
    bench.world.run_for(Duration::from_secs(36)).unwrap();
    let sizes: Vec<usize> = bench
        .neighbour
        .received()
        .iter()
        .filter(|(_, frame)| frame.view().payload().first() == Some(&2))
        .map(|(_, frame)| (frame.view().payload().len() - 4) / 20)
        .collect();
    assert_eq!(sizes, [25, 25, 12]);
    let heard = bench.heard(Instant::ZERO);
    assert_eq!(heard[0], ([0; 4].into(), [0; 4].into(), 1));
    assert_eq!(heard[1], ([10, 0, 1, 0].into(), [0; 4].into(), 1));
    assert_eq!(heard[2], ([10, 5, 0, 0].into(), via, 1));
}

#[test]
fn a_withdrawal_is_passed_on_at_once_and_repeated_until_it_is_forgotten() {
    let mut bench = bench(RipConfig::new());
    let third = bench.world.add_probe("third").unwrap();
    bench.world.connect(&third, ("router", 1), Cable::new()).unwrap();
    bench.hear(&[neighbourly(&response(&[entry([10, 0, 9, 0], 1)]))]);
    bench.world.run_for(Duration::from_secs(6)).unwrap();
    third.take_received();
    bench.hear(&[neighbourly(&response(&[entry([10, 0, 9, 0], 16)]))]);
    let metrics = |frames: Vec<(Instant, glasstack_sim::WireFrame)>| -> Vec<u8> {
        let mut metrics = Vec::new();
        for (_, frame) in frames {
            let view: FrameView<'_> = frame.view();
            let entries = view.payload().get(4..).unwrap_or_default().chunks(20);
            metrics.extend(entries.filter(|e| e[4..8] == [10, 0, 9, 0]).map(|e| e[19]));
        }
        metrics
    };
    assert_eq!(metrics(third.take_received()), [16], "at once");
    bench.world.run_for(Duration::from_secs(240)).unwrap();
    let repeated = metrics(third.take_received());
    assert!((3..=5).contains(&repeated.len()) && repeated.iter().all(|metric| *metric == 16), "{repeated:?}");
}

#[test]
fn changes_that_come_thick_and_fast_are_told_in_few_messages() {
    let mut bench = bench(RipConfig::new());
    let third = bench.world.add_probe("third").unwrap();
    bench.world.connect(&third, ("router", 1), Cable::new()).unwrap();
    for n in 0..20 {
        let when = Instant::from_millis(1_000 + u64::from(n) * 100);
        bench.neighbour.send_at(when, neighbourly(&response(&[entry([10, 9, n, 0], 1)])));
    }
    bench.world.run_for(Duration::from_secs(9)).unwrap();
    let told: Vec<usize> = third
        .received()
        .iter()
        .filter(|(_, frame)| frame.view().payload().first() == Some(&2))
        .map(|(_, frame)| (frame.view().payload().len() - 4) / 20)
        .collect();
    assert_eq!(told[0], 1, "the first at once");
    assert!(told.len() <= 4, "{told:?}");
    assert_eq!(told.iter().sum::<usize>(), 20, "each once");
}

#[test]
fn a_program_on_a_host_may_ask_what_the_router_knows() {
    let mut bench = bench(RipConfig::new().passive(1));
    let host = bench.world.add_host(host("host", 7, "10.0.1.7", Some("10.0.1.1"))).unwrap();
    bench.world.connect(("router", 1), &host, Cable::new()).unwrap();
    bench.hear(&[neighbourly(&response(&[entry([10, 0, 9, 0], 1)]))]);
    let everything = [&[1, 2, 0, 0][..], &[0; 19], &[16]].concat();
    let one = message(1, 2, &[entry([10, 0, 9, 0], 0), entry([10, 0, 10, 0], 0)]);
    let ask = async move {
        let socket = host.udp("10.0.1.7:5200".parse().unwrap()).unwrap();
        let mut answers = Vec::new();
        for request in [everything, one] {
            socket.send_to(&request, "10.0.1.1:520".parse().unwrap()).await.unwrap();
            let mut buffer = [0; 600];
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(from, "10.0.1.1:520".parse().unwrap());
            answers.push(buffer[..length].to_vec());
        }
        answers
    };
    let answers = bench.world.run(ask).unwrap();
    let metrics = |answer: &[u8]| -> Vec<([u8; 4], u8)> {
        answer[4..].chunks(20).map(|e| (e[4..8].try_into().unwrap(), e[19])).collect()
    };
    assert_eq!(metrics(&answers[0]), [([10, 0, 9, 0], 2), ([10, 1, 0, 0], 1)]);
    assert_eq!(metrics(&answers[1]), [([10, 0, 9, 0], 2), ([10, 0, 10, 0], 16)]);
}
