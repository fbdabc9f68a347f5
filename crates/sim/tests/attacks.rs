//! Attackers on the link and on the path, and what the stack does about them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_journal::event::{DropReason, Event, Link, MacAddress};
use glasstack_journal::{Instant, journal::Recorder};
use glasstack_sim::attack::{Aim, ArpSpoofer, Pace, ResetInjector, Sent, Volley};
use glasstack_sim::{Cable, Node, SimWorld};
use glasstack_stack::{Entropy, World};
use glasstack_views::Layer;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;
use support::two::{Two, bytes, host};

const MALLORY: MacAddress = MacAddress([2, 0, 0, 0, 0, 66]);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Client, server and `mallory` on one switch.
fn beside(mallory: impl Node + 'static) -> Two {
    on_a_switch(|_| mallory)
}

fn on_a_switch<N: Node + 'static>(mallory: impl FnOnce(&SimWorld) -> N) -> Two {
    on_a_switch_with(None, mallory)
}

/// The same; the server sends through `gateway` what is not for the link.
fn on_a_switch_with<N: Node + 'static>(gateway: Option<&str>, mallory: impl FnOnce(&SimWorld) -> N) -> Two {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let client = world.add_host(host("client", 1, "10.0.0.1", None)).unwrap();
    let server = world.add_host(host("server", 2, "10.0.0.2", gateway)).unwrap();
    let switch = world.add_switch("switch").unwrap();
    world.connect(&client, switch, Cable::new()).unwrap();
    let cable = world.connect(&server, switch, Cable::new()).unwrap();
    let mallory = mallory(&world);
    assert!(mallory.is_attacker());
    world.add_node("mallory", mallory).unwrap();
    world.connect("mallory", switch, Cable::new()).unwrap();
    Two { world, recorder, client, server, cable }
}

/// Client and server with a box between.
fn through(middle: impl Node + 'static) -> Two {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let client = world.add_host(host("client", 1, "10.0.0.1", None)).unwrap();
    let server = world.add_host(host("server", 2, "10.0.0.2", None)).unwrap();
    assert!(middle.is_attacker());
    let middle = world.add_node("middle", middle).unwrap();
    world.connect(&client, (middle, 0), Cable::new()).unwrap();
    let cable = world.connect((middle, 1), &server, Cable::new()).unwrap();
    Two { world, recorder, client, server, cable }
}

fn pace(rate: u32, count: u32) -> Pace {
    Pace { from: Instant::ZERO, until: Instant::MAX, rate, count }
}

/// Why frames were dropped, and how often.
fn drops(two: &Two) -> BTreeMap<String, usize> {
    let mut drops = BTreeMap::new();
    for record in two.records() {
        if let Event::Link(Link::Dropped { reason, .. }) = record.event {
            *drops.entry(reason.to_string()).or_insert(0) += 1;
        }
    }
    drops
}

/// How often it was dropped for this reason.
fn dropped(two: &Two, because: DropReason) -> usize {
    two.count(|event| matches!(event, Event::Link(Link::Dropped { reason, .. }) if *reason == because))
}

/// The ladder's lines that contain `what`, without the instants.
fn lines(two: &Two, layers: &[Layer], what: &str) -> Vec<String> {
    let ladder = two.ladder(layers);
    let lines = ladder.lines().filter(|line| line.contains(what));
    lines.map(|line| line.trim().split_once(' ').map_or(line, |(_, rest)| rest).to_owned()).collect()
}

/// A volley that begins at once.
fn volley(make: impl FnOnce(Arc<dyn Entropy>, Sent) -> Volley) -> (Two, Sent) {
    let sent = Sent::default();
    let two = on_a_switch(|world| make(world.environment("mallory").entropy, sent.clone()));
    (two, sent)
}

#[test]
fn a_second_answer_to_an_arp_request_is_believed_over_the_first() {
    let sent = Sent::default();
    let mut two = beside(ArpSpoofer::second_answer(MALLORY).counted(sent.clone()));
    two.echo();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    assert_eq!(sent.count(), 1);
    assert_eq!(
        lines(&two, &[Layer::Arp, Layer::Tcp], "client"),
        [
            "client -> all  ARP who has 10.0.0.2?",
            "server -> client  ARP 10.0.0.2 is at 02:00:00:00:00:02",
            "client -> server  TCP SYN",
            "server -> client  TCP SYN ACK",
            "mallory -> client  ARP 10.0.0.2 is at 02:00:00:00:00:42",
            "client -> server  TCP ACK",
            "client -> server  TCP FIN ACK",
            "server -> client  TCP ACK",
            "server -> client  TCP FIN ACK",
            // RFC 826: an entry is what was heard last. The last ACK goes astray.
            "client -> mallory  TCP ACK",
        ]
    );
}

#[test]
fn who_claims_an_address_gets_what_is_for_it_and_its_owner_notices() {
    let mut two = beside(ArpSpoofer::claiming(MALLORY, [SERVER]));
    two.echo();
    assert_eq!(two.talk(b"one").unwrap(), b"one");
    two.world.run_for(Duration::from_secs(2)).unwrap();
    // The claims go on for a minute; the connection attempt outlives them.
    assert_eq!(two.talk(b"two").unwrap(), b"two");
    assert!(two.world.now() > Instant::from_millis(60_000), "at {}", two.world.now());
    assert!(!lines(&two, &[Layer::Tcp], "client -> mallory  TCP SYN").is_empty());
    // RFC 5227 2.4: somebody else has the server's address.
    assert!(dropped(&two, DropReason::BadArp) > 0);
}

#[test]
fn a_man_in_the_middle_is_not_noticed() {
    let mut two = beside(ArpSpoofer::claiming(MALLORY, [SERVER, CLIENT]).forwarding());
    two.echo();
    assert_eq!(two.talk(b"one").unwrap(), b"one");
    two.world.run_for(Duration::from_secs(2)).unwrap();
    let data = bytes(20_000);
    assert!(two.talk(&data).unwrap() == data);
    assert!(!lines(&two, &[Layer::Tcp], "client -> mallory  TCP SYN").is_empty());
    assert!(!lines(&two, &[Layer::Tcp], "mallory").is_empty());
}

#[test]
fn a_reset_with_the_right_number_ends_a_connection_and_a_blind_one_does_not() {
    let talk = |aim| {
        let sent = Sent::default();
        let mut two = through(ResetInjector::new(80, aim, 1).counted(sent.clone()));
        two.echo();
        let said = two.talk(&bytes(100_000)).map(|answer| answer.len()).map_err(|error| error.kind());
        assert_eq!(sent.count(), 1);
        (said, dropped(&two, DropReason::OutOfWindow))
    };
    assert_eq!(talk(Aim::Exact), (Err(ErrorKind::ConnectionReset), 0));
    // RFC 9293 3.10.7.4: only what is in the window is looked at.
    assert_eq!(talk(Aim::Beside(1_000_000_000)), (Ok(100_000), 1));
}

#[test]
fn resets_into_the_blue_meet_no_connection() {
    let from = SocketAddrV4::new(SERVER, 80);
    let (mut two, sent) = volley(|entropy, sent| {
        Volley::resets(MALLORY, from, CLIENT, pace(10_000, 2_000), entropy).counted(sent)
    });
    two.echo();
    let data = bytes(100_000);
    assert!(two.talk(&data).unwrap() == data);
    two.world.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(sent.count(), 2_000);
    let (stray, outside) = (dropped(&two, DropReason::NoTcpSocket), dropped(&two, DropReason::OutOfWindow));
    assert!(stray + outside + dropped(&two, DropReason::TimeWait) >= 2_000, "{:?}", drops(&two));
}

#[test]
fn answers_into_the_blue_meet_no_socket_and_are_complained_of_at_a_bounded_rate() {
    let from = SocketAddrV4::new(SERVER, 53);
    let (mut two, sent) = volley(|entropy, sent| {
        let payload = |_: &dyn Entropy| b"hello".to_vec();
        Volley::answers(MALLORY, from, CLIENT, pace(10_000, 2_000), entropy, payload).counted(sent)
    });
    two.echo();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    two.world.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(sent.count(), 2_000);
    assert_eq!(dropped(&two, DropReason::NoUdpSocket), 2_000);
    let told = lines(&two, &[Layer::Ip], "port unreachable").len();
    assert!((1..1_000).contains(&told), "{told} ICMP errors");
}

#[test]
fn a_flood_of_syns_leaves_room_for_who_goes_on() {
    let to = SocketAddrV4::new(SERVER, 80);
    let sent = Sent::default();
    let mut two = on_a_switch_with(Some("10.0.0.1"), |world| {
        let entropy = world.environment("mallory").entropy;
        Volley::syn_flood(MALLORY, SERVER, to, pace(1_000, 3_000), entropy).counted(sent.clone())
    });
    two.echo();
    two.world.run_for(Duration::from_secs(2)).unwrap();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    two.world.run_for(Duration::from_secs(5)).unwrap();
    assert_eq!(sent.count(), 3_000);
    assert!(dropped(&two, DropReason::HalfOpenEvicted) > 0, "{:?}", drops(&two));
    assert!(two.server.held_flows() < 3_000, "{} flows", two.server.held_flows());
}

#[test]
fn a_volley_ends_when_its_time_is_over() {
    let sent = Sent::default();
    let to = SocketAddrV4::new(SERVER, 80);
    let mut two = on_a_switch_with(Some("10.0.0.1"), |world| {
        let pace = Pace { until: Instant::from_millis(500), ..pace(100, 1_000) };
        let entropy = world.environment("mallory").entropy;
        Volley::syn_flood(MALLORY, SERVER, to, pace, entropy).counted(sent.clone())
    });
    two.world.run_for(Duration::from_secs(5)).unwrap();
    assert!((40..=50).contains(&sent.count()), "{}", sent.count());
}

#[test]
fn an_icmp_redirect_is_not_followed() {
    let own = Ipv4Addr::new(10, 0, 0, 66);
    let (mut two, sent) = volley(|_, sent| {
        Volley::redirects(MALLORY, own, CLIENT, SERVER, SERVER, pace(100, 10)).counted(sent)
    });
    two.echo();
    two.world.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    assert_eq!((sent.count(), dropped(&two, DropReason::UnmatchedIcmp)), (10, 10));
    assert!(lines(&two, &[Layer::Tcp], "mallory").is_empty());
}

#[test]
fn the_same_seed_makes_the_same_attack() {
    let run = || {
        let to = SocketAddrV4::new(SERVER, 80);
        let (mut two, _) =
            volley(|entropy, _| Volley::syn_flood(MALLORY, SERVER, to, pace(100, 50), entropy));
        two.world.run_for(Duration::from_secs(2)).unwrap();
        two.ladder(&[Layer::Arp, Layer::Tcp])
    };
    assert_eq!(run(), run());
}
