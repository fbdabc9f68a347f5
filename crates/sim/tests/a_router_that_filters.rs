//! A router with a packet filter, with and without NAT.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

#[path = "support/home.rs"]
mod home;

use glasstack_journal::event::DropReason;
use glasstack_sim::router::{Action, Filter, Forward, RouterConfig};
use home::{Home, echo, forwarding, icmp, tcp, translating, udp};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;

fn with(config: RouterConfig, policy: Action, rules: &[&str]) -> Home {
    let filter = rules.iter().fold(Filter::new(policy), |filter, rule| filter.rule(rule.parse().unwrap()));
    Home::new(config.filter(filter))
}

#[test]
fn who_is_inside_may_call_and_who_is_outside_may_only_answer() {
    let mut home = with(forwarding(), Action::Drop, &["allow established", "allow tcp from 192.168.1.0/24"]);
    home.receive(tcp("198.51.100.80:80", "192.168.1.10:5000", SYN));
    assert_eq!(home.last_drop().0, DropReason::Filtered);
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    home.receive(tcp("198.51.100.80:80", "192.168.1.10:5000", SYN_ACK));
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", ACK));
    assert_eq!((home.outside().len(), home.inside().len()), (2, 1));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:80", b"no rule for this"));
    let why = "UDP 192.168.1.10:5000 -> 198.51.100.80:80: no rule fits";
    assert_eq!(home.last_drop(), (DropReason::Filtered, why.to_owned()));
}

#[test]
fn what_is_dropped_is_not_answered_and_leaves_no_trace() {
    let mut home = with(forwarding(), Action::Allow, &["drop udp to any port 53"]);
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    let why = "UDP 192.168.1.10:5000 -> 198.51.100.80:53: rule 1, `drop udp to any port 53`";
    assert_eq!(home.last_drop(), (DropReason::Filtered, why.to_owned()));
    assert_eq!((home.inside(), home.outside()), (vec![], vec![]));
    // No connection has begun that this could be the answer of.
    let mut home = with(forwarding(), Action::Drop, &["allow established"]);
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    home.receive(udp("198.51.100.80:53", "192.168.1.10:5000", b"that"));
    assert_eq!(home.drops(), [DropReason::Filtered; 2]);
}

#[test]
fn what_is_rejected_is_answered_as_if_by_the_other_end_or_by_the_router() {
    let mut home = with(forwarding(), Action::Reject, &[]);
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    home.send(echo("192.168.1.10", "198.51.100.80", 7));
    assert_eq!(
        home.inside(),
        [
            "tcp 198.51.100.80:80 > 192.168.1.10:5000 flags 0x14",
            "icmp 3/13 192.168.1.1 > 192.168.1.10 about 192.168.1.10:5000 > 198.51.100.80:53",
            "icmp 3/13 192.168.1.1 > 192.168.1.10 about 192.168.1.10 > 198.51.100.80 ident 7"
        ]
    );
    assert_eq!(home.outside(), Vec::<String>::new());
}

#[test]
fn a_filter_sees_the_addresses_of_the_inside() {
    let forward = Forward::tcp(80, "192.168.1.20:8080".parse().unwrap());
    let rules = [
        "allow established",
        "drop tcp from 192.168.1.66",
        "allow tcp to 192.168.1.20 port 8080",
        "allow out by 1",
    ];
    let mut home = with(translating().forward(forward), Action::Drop, &rules);
    home.receive(tcp("198.51.100.80:4000", "203.0.113.5:80", SYN));
    home.send(tcp("192.168.1.20:8080", "198.51.100.80:4000", SYN_ACK));
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    assert_eq!((home.inside().len(), home.outside().len(), home.drops()), (1, 2, vec![]));
    home.send(tcp("192.168.1.66:5000", "198.51.100.80:80", SYN));
    assert_eq!(home.last_drop().0, DropReason::Filtered);
    assert_eq!(home.told().len(), 1, "no mapping was made for it");
}

#[test]
fn errors_about_a_connection_belong_to_it() {
    let mut home = with(forwarding(), Action::Drop, &["allow established", "allow in by 0"]);
    home.send(udp("192.168.1.10:5000", "198.51.100.80:53", b"what"));
    let quoted = udp("192.168.1.10:5000", "198.51.100.80:53", b"what").bytes();
    home.receive(icmp("198.18.0.1", "192.168.1.10", [3, 1], [0; 4], &quoted));
    let about = "about 192.168.1.10:5000 > 198.51.100.80:53";
    assert_eq!(home.inside(), [format!("icmp 3/1 198.18.0.1 > 192.168.1.10 {about}")]);
    let of_nobody = udp("192.168.1.10:5001", "198.51.100.80:53", b"what").bytes();
    home.receive(icmp("198.18.0.1", "192.168.1.10", [3, 1], [0; 4], &of_nobody));
    assert_eq!(home.last_drop().0, DropReason::UnmatchedIcmp);
}

#[test]
fn a_connection_is_established_once_it_is_answered() {
    let mut home = with(forwarding(), Action::Allow, &["drop established"]);
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", SYN));
    assert_eq!((home.outside().len(), home.drops()), (2, vec![]));
    home.receive(tcp("198.51.100.80:80", "192.168.1.10:5000", SYN_ACK));
    assert_eq!(home.last_drop().0, DropReason::Filtered);
}

#[test]
fn later_fragments_share_the_fate_of_the_first() {
    let mut home = with(forwarding(), Action::Allow, &["drop udp to any port 53"]);
    let [first, last] = udp("192.168.1.10:5000", "198.51.100.80:53", &[b'x'; 40]).cut(24);
    home.send(first);
    home.send(last);
    assert_eq!(home.drops(), [DropReason::Filtered, DropReason::BadFragment]);
    let mut passes = udp("192.168.1.10:5000", "198.51.100.80:54", &[b'x'; 40]);
    passes.identification = 8;
    let [first, last] = passes.cut(24);
    home.send(last);
    home.send(first);
    assert_eq!(home.outside().len(), 2);
}

#[test]
fn a_segment_of_no_connection_does_not_pass_even_if_everything_may() {
    let mut home = with(forwarding(), Action::Allow, &[]);
    home.send(tcp("192.168.1.10:5000", "198.51.100.80:80", ACK));
    assert_eq!(home.last_drop().0, DropReason::NoConnection);
}

#[test]
fn a_rule_about_a_port_that_is_not_there_is_refused() {
    let filter = Filter::new(Action::Drop).rule("allow tcp in by 0 out by 2".parse().unwrap());
    let refused =
        glasstack_sim::SimWorld::new(1).add_router("home", forwarding().filter(filter)).unwrap_err();
    let why = "router home: `allow tcp in by 0 out by 2` names a port that is not there; there are 2, from 0";
    assert_eq!(refused.to_string(), why);
}

#[test]
fn the_router_itself_is_not_behind_its_filter() {
    let mut home = with(forwarding(), Action::Drop, &[]);
    home.send(echo("192.168.1.10", "192.168.1.1", 7));
    assert_eq!(home.inside(), ["reply 192.168.1.1 > 192.168.1.10 ident 7"]);
}
