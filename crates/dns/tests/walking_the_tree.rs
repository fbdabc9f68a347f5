//! The recursive server: from the root to whoever has authority, for others.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::future::join_all;
use glasstack_dns::message::Edns;
use glasstack_dns::{
    IterateConfig, Message, RecordData, RecordType, RecursorConfig, ResolveError, ResponseCode, Zone,
};
use glasstack_stack::World;
use std::net::IpAddr;
use std::time::Duration;
use world::tree::{Tree, name};
use world::{question, seconds};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn query(name: &str, record_type: RecordType) -> Message {
    Message::query(77, question(name, record_type), Some(Edns::default()))
}

#[test]
fn a_name_is_found_by_walking_down_from_the_root() {
    let mut tree = Tree::new(1);
    assert_eq!(tree.resolve("www.example.test").unwrap().addresses, [ip("192.0.2.80")]);
    assert_eq!(
        tree.story(),
        [
            "cache: miss: nothing is known about it",
            "asked 10.0.0.11 over UDP for . NS: b.root.test serves the root",
            "10.0.0.11 answered NOERROR with 2 records after 8 ms",
            ". is served by a.root.test b.root.test",
            "minimised www.example.test A to test A",
            "asked 10.0.0.10 over UDP for test A: a.root.test serves the root",
            "10.0.0.10 answered NOERROR with 0 records after 8 ms",
            "10.0.0.10 for . refers to test: a.nic.test, 1 addresses",
            "minimised www.example.test A to example.test A",
            "asked 10.0.0.20 over UDP for example.test A: a.nic.test serves test",
            "10.0.0.20 answered NOERROR with 0 records after 8 ms",
            "10.0.0.20 for test refers to example.test: ns1.example.test ns2.example.test, 2 addresses",
            "asked 10.0.0.31 over UDP for www.example.test A: ns2.example.test serves example.test",
            "10.0.0.31 answered NOERROR with 1 records after 8 ms",
            "name server: hit: 10.0.0.31:53 has A 192.0.2.80, for 300 s",
            "resolved www.example.test to [192.0.2.80] for 300 s (name server)",
        ]
    );
}

#[test]
fn what_was_learnt_on_the_way_shortens_the_next_one() {
    let mut tree = Tree::new(1);
    tree.resolve("www.example.test").unwrap();
    tree.resolve("shop.example.test").unwrap();
    let asked = tree.asked();
    assert!(asked[4].contains("for shop.example.test A: ns"), "straight to the zone's servers: {asked:?}");
    tree.resolve("www.example.test").unwrap();
    assert_eq!(tree.asked().len(), asked.len(), "an answer is remembered");
}

#[test]
fn an_alias_into_another_zone_is_followed_from_the_root_again() {
    let mut tree = Tree::new(1);
    let lookup = tree.resolve("shop.example.test").unwrap();
    assert_eq!(
        (lookup.canonical.as_str(), lookup.addresses.as_slice()),
        ("www.hoster.com", &[ip("192.0.2.40")][..])
    );
    assert_eq!(lookup.records.len(), 2, "the alias comes along");
    assert_eq!(tree.told("is www.hoster.com"), ["shop.example.test is www.hoster.com"]);
    assert_eq!(tree.told("for com refers to").len(), 1);
}

#[test]
fn a_zones_only_server_is_asked_label_by_label_as_often_as_it_takes() {
    let mut tree = Tree::new(1);
    let zone = Zone::new("hoster.com").unwrap().with("a.b.c.d.e.f", RecordData::Txt(vec![b"x".to_vec()]));
    tree.stop("ns-hoster");
    tree.serve("ns-hoster", [zone.unwrap()]);
    assert_eq!(tree.query("a.b.c.d.e.f.hoster.com", RecordType::Txt).unwrap().records.len(), 1);
    assert_eq!(tree.told("asked 10.0.0.40").len(), 7, "six labels, and the type");
}

#[test]
fn aliases_that_lead_in_a_circle_or_to_nothing_are_told_apart() {
    let mut tree = Tree::new(1);
    assert!(matches!(tree.resolve("round.example.test"), Err(ResolveError::ServerFailure { .. })));
    assert_eq!(tree.told("comes back to").len(), 1);
    let gone = tree.resolve("gone.example.test").unwrap_err();
    assert!(
        matches!(&gone, ResolveError::NotFound { target: Some(target), .. } if *target == name("no.hoster.com"))
    );
}

#[test]
fn an_alias_of_a_name_of_its_zone_that_is_not_there_does_not_make_the_name_be_there() {
    let mut tree = Tree::new(1);
    let zone =
        Zone::new("hoster.com").and_then(|zone| zone.with("lost", RecordData::Cname(name("no.hoster.com"))));
    tree.stop("ns-hoster");
    tree.serve("ns-hoster", [zone.unwrap()]);
    for asked in ["lost.hoster.com", "no.hoster.com"] {
        let answer = tree.ask(&query(asked, RecordType::A));
        assert_eq!(answer.code, ResponseCode::NxDomain, "{asked}");
    }
}

#[test]
fn a_name_server_whose_address_did_not_come_along_is_looked_for_first() {
    let mut tree = Tree::new(1);
    assert_eq!(tree.resolve("www.far.test").unwrap().addresses, [ip("192.0.2.41")]);
    let story = tree.story();
    let steps: Vec<&str> = story
        .iter()
        .map(String::as_str)
        .filter(|line| line.contains("refers") || line.contains("needs") || line.contains("resolved"))
        .collect();
    assert_eq!(
        steps,
        [
            "10.0.0.10 for . refers to test: a.nic.test, 1 addresses",
            "10.0.0.20 for test refers to far.test: ns.hoster.com, 0 addresses",
            "far.test needs the address of ns.hoster.com",
            "10.0.0.11 for . refers to com: a.nic.com, 1 addresses",
            "10.0.0.21 for com refers to hoster.com: ns.hoster.com, 1 addresses",
            "resolved ns.hoster.com to [10.0.0.40] for 300 s (name server)",
            "resolved www.far.test to [192.0.2.41] for 300 s (name server)",
        ]
    );
    tree.resolve("other.far.test").unwrap_err();
    assert_eq!(tree.told("needs the address of").len(), 1, "once is enough");
}

#[test]
fn zones_that_need_each_other_to_be_found_cannot_be_resolved() {
    let mut tree = Tree::new(1);
    let error = tree.resolve("www.one.test").unwrap_err();
    assert!(matches!(error, ResolveError::ServerFailure { .. }), "{error}");
    let failed = tree.told("failed www.one.test");
    assert!(failed[0].contains("to find it, it would have to be known already"), "{failed:?}");
    assert!(tree.asked().len() < 10, "{:?}", tree.asked());
}

#[test]
fn that_a_name_server_has_not_been_found_is_told_where_it_was_looked_for() {
    let mut tree = Tree::new(1);
    tree.resolve("www.one.test").unwrap_err();
    let told = tree.told("failed ns.");
    assert!(told.iter().any(|line| line.starts_with("failed ns.two.test: ")), "{told:?}");
}

#[test]
fn a_lame_server_is_passed_over_and_told() {
    let mut tree = Tree::new(1);
    let error = tree.resolve("www.lame.test").unwrap_err();
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
    assert_eq!(
        tree.told("failed www.lame.test"),
        [
            "failed www.lame.test: www.lame.test cannot be resolved: no server of the zone lame.test was of use: \
          ns.lame.test (10.0.0.50:53): it answers REFUSED and says why: 20 (Not Authoritative)"
        ]
    );
}

#[test]
fn a_server_that_refers_upwards_is_lame() {
    let mut tree = Tree::new(1);
    tree.stop("ns-lame");
    world::scripted(&tree.hosts["ns-lame"], |query, _| {
        let upward = Message {
            authorities: vec![world::record(".", glasstack_dns::RecordData::Ns(name("a.root.test")))],
            ..query.response(ResponseCode::NoError)
        };
        vec![upward.to_bytes().unwrap()]
    });
    tree.resolve("www.lame.test").unwrap_err();
    assert_eq!(
        tree.told("of no use for"),
        [
            "10.0.0.50 is of no use for lame.test: it has no authority over lame.test and refers to ., which leads no \
          further down"
        ]
    );
}

#[test]
fn records_that_are_none_of_the_senders_business_are_not_believed() {
    let mut tree = Tree::new(1);
    tree.stop("ns-lame");
    world::scripted(&tree.hosts["ns-lame"], |query, _| {
        let asked = query.question.clone().unwrap().name;
        let evil = IpAddr::from([10, 0, 0, 66]);
        let answer = Message {
            authoritative: true,
            answers: vec![world::record(asked.as_str(), evil), world::record("www.example.test", evil)],
            authorities: vec![world::record("test", glasstack_dns::RecordData::Ns(name("a.nic.test")))],
            additionals: vec![world::record("a.nic.test", evil)],
            ..query.response(ResponseCode::NoError)
        };
        vec![answer.to_bytes().unwrap()]
    });
    assert_eq!(tree.resolve("www.lame.test").unwrap().addresses, [ip("10.0.0.66")]);
    assert_eq!(tree.told("ignored from").len(), 2);
    assert_eq!(tree.resolve("www.example.test").unwrap().addresses, [ip("192.0.2.80")]);
    assert_eq!(
        tree.told("10.0.0.66"),
        [
            "ignored from 10.0.0.50: www.example.test. 300 IN A 10.0.0.66; a.nic.test. 300 IN A 10.0.0.66: a server of \
         lame.test has no say about names outside of it",
            "name server: hit: 10.0.0.50:53 has A 10.0.0.66, for 300 s",
            "resolved www.lame.test to [10.0.0.66] for 300 s (name server)",
        ]
    );
}

#[test]
fn a_dead_server_costs_its_patience_and_another_one_answers() {
    let mut tree = Tree::new(1);
    tree.kill("ns2-example");
    assert_eq!(tree.resolve("www.example.test").unwrap().addresses, [ip("192.0.2.80")]);
    assert_eq!(
        tree.asked()[3..],
        [
            "asked 10.0.0.31 over UDP for www.example.test A: ns2.example.test serves example.test",
            "asked 10.0.0.30 over UDP for www.example.test A: next server, because 10.0.0.31:53: it did not answer \
             within 400 ms",
        ]
    );
}

#[test]
fn a_server_that_was_silent_is_asked_after_the_others_for_a_while() {
    let mut tree = Tree::new(1);
    tree.kill("ns2-example");
    tree.resolve("www.example.test").unwrap();
    let begun = tree.now();
    for name in ["here.example.test", "shop.example.test", "many.example.test"] {
        tree.resolve(name).unwrap();
    }
    assert!(tree.now() - begun < Duration::from_millis(400), "nothing was waited for");
    assert_eq!(tree.told("asked 10.0.0.31").len(), 1);
}

#[test]
fn a_server_that_cannot_be_reached_is_asked_after_the_others_for_a_while() {
    let mut tree = Tree::new(1);
    tree.stop("ns2-example");
    for name in ["www.example.test", "here.example.test", "shop.example.test", "many.example.test"] {
        tree.resolve(name).unwrap();
    }
    assert_eq!(tree.told("asked 10.0.0.31").len(), 1, "{:#?}", tree.asked());
}

#[test]
fn the_faster_of_two_servers_is_asked_once_both_are_known() {
    let mut tree = Tree::new(1);
    let slow = glasstack_sim::fault::delay(glasstack_sim::Pick::all(), Duration::from_millis(100));
    tree.cables["ns2-example"].add_fault(slow);
    for n in 0..10 {
        let _ = tree.resolve(&format!("n{n}.example.test"));
    }
    assert_eq!(tree.told("asked 10.0.0.31").len(), 1, "{:#?}", tree.asked());
}

#[test]
fn a_question_that_costs_too_much_is_given_up() {
    let iterate = IterateConfig { max_queries: 4, prime: false, ..IterateConfig::default() };
    let mut tree = Tree::with(1, RecursorConfig { iterate, ..RecursorConfig::default() });
    tree.resolve("www.far.test").unwrap_err();
    assert!(tree.told("failed www.far.test")[0].contains("4 queries have not been enough"));
    assert_eq!(tree.asked().len(), 4);
}

#[test]
fn what_has_just_failed_is_not_tried_again_at_once() {
    let mut tree = Tree::new(1);
    tree.resolve("www.lame.test").unwrap_err();
    let asked = tree.asked().len();
    tree.resolve("www.lame.test").unwrap_err();
    assert_eq!(tree.asked().len(), asked);
    tree.world.run_for(seconds(1)).unwrap();
    tree.resolve("www.lame.test").unwrap_err();
    assert_eq!(tree.asked().len(), asked + 1);
}

#[test]
fn a_zone_without_a_living_server_fails_in_time_for_the_client_to_hear_of_it() {
    let mut tree = Tree::new(1);
    let error = tree.resolve("www.dead.test").unwrap_err();
    assert!(matches!(error, ResolveError::ServerFailure { .. }), "{error}");
    assert!(tree.now() < seconds(10));
}

#[test]
fn all_roots_but_one_may_be_dead() {
    for seed in 1..6 {
        let mut tree = Tree::new(seed);
        tree.kill("a-root");
        assert_eq!(tree.resolve("www.example.test").unwrap().addresses.len(), 1, "seed {seed}");
    }
    let mut tree = Tree::new(1);
    tree.kill("a-root");
    tree.kill("b-root");
    tree.resolve("www.example.test").unwrap_err();
    let failed = tree.told("failed www.example.test");
    assert!(failed[0].contains("no server of the root zone was of use"), "{failed:?}");
}

#[test]
fn equal_questions_at_the_same_time_are_asked_upstream_once() {
    let mut tree = Tree::new(1);
    let stub = tree.stub.clone();
    let lookups = tree.world.run(join_all((0..20).map(|_| stub.resolve("www.example.test")))).unwrap();
    assert!(lookups.iter().all(|lookup| lookup.as_ref().unwrap().addresses == [ip("192.0.2.80")]));
    assert_eq!(tree.asked().len(), 4, "root, primed and asked, test, example.test");
    assert_eq!(tree.told("joined www.example.test A").len(), 19);
}

#[test]
fn what_does_not_fit_comes_over_tcp_on_both_sides() {
    let mut tree = Tree::new(1);
    assert_eq!(tree.resolve("many.example.test").unwrap().addresses.len(), 100);
    let over_tcp = tree.told("over TCP");
    assert_eq!(over_tcp.len(), 1);
    assert!(over_tcp[0].ends_with("the UDP answer was truncated"), "{over_tcp:?}");
    let client: Vec<String> = world::story_of(&tree.hosts["client"], &tree.recorder);
    assert_eq!(client.iter().filter(|line| line.contains("over TCP")).count(), 1);
}

#[test]
fn that_there_is_nothing_is_remembered_as_long_as_the_soa_says() {
    let mut tree = Tree::new(1);
    let nothing = tree.ask(&query("no.example.test", RecordType::A));
    assert_eq!(
        (nothing.code, nothing.answers.len(), nothing.authoritative),
        (ResponseCode::NxDomain, 0, false)
    );
    assert_eq!(nothing.authorities[0].ttl, 60);
    tree.world.run_for(seconds(20)).unwrap();
    let asked = tree.asked().len();
    // A name that does not exist does not exist with any type; the SOA's TTL is counted down.
    let nothing = tree.ask(&query("no.example.test", RecordType::Mx));
    assert_eq!((nothing.code, nothing.authorities[0].ttl), (ResponseCode::NxDomain, 39));
    assert_eq!(tree.asked().len(), asked);
    tree.world.run_for(seconds(41)).unwrap();
    tree.ask(&query("no.example.test", RecordType::A));
    assert_eq!(tree.asked().len(), asked + 1);
}

/// RFC 8020 2: "all names and resource record sets (RRsets) at or below that node SHOULD be considered
/// unreachable".
#[test]
fn below_a_name_that_does_not_exist_nothing_does() {
    let mut tree = Tree::new(1);
    tree.ask(&query("no.example.test", RecordType::A));
    let asked = tree.asked().len();
    let below = tree.ask(&query("x.y.no.example.test", RecordType::A));
    assert_eq!(
        (below.code, below.authorities[0].owner.clone()),
        (ResponseCode::NxDomain, name("example.test"))
    );
    assert_eq!(tree.asked().len(), asked);
}

/// RFC 6761 6.3 and 6.4, RFC 7686 2: a caching server answers these itself.
#[test]
fn what_is_remembered_counts_as_known_at_once() {
    let mut tree = Tree::new(1);
    for _ in 0..2 {
        tree.resolve("www.example.test").unwrap();
    }
    let statistics = tree.statistics();
    assert_eq!((statistics.found_out, statistics.at_once), (1, 1));
}

#[test]
fn a_client_is_told_briefly_why_and_not_who_on_the_way_has_said_so() {
    let mut tree = Tree::new(1);
    // Its port is closed, and it says so by ICMP.
    tree.stop("ns-hoster");
    let response = tree.ask(&query("www.hoster.com", RecordType::A));
    let error = &response.extended_errors()[0];
    let text = "no server of the zone hoster.com was of use: ns.hoster.com (10.0.0.40:53): port unreachable";
    assert_eq!((error.code, error.text.as_str()), (22, text));
    let cached = tree.ask(&query("www.hoster.com", RecordType::A));
    let error = &cached.extended_errors()[0];
    assert_eq!((error.code, error.text.as_str()), (13, text));
}

#[test]
fn special_names_are_asked_of_nobody() {
    let mut tree = Tree::new(1);
    let mut answer = |name: &str, record_type| tree.ask(&query(name, record_type));
    let local = answer("a.localhost", RecordType::A);
    assert_eq!((local.code, local.answers[0].address()), (ResponseCode::NoError, Some(ip("127.0.0.1"))));
    assert_eq!(answer("localhost", RecordType::Aaaa).answers[0].address(), Some(ip("::1")));
    let mx = answer("localhost", RecordType::Mx);
    assert_eq!((mx.code, mx.answers.len()), (ResponseCode::NoError, 0));
    assert_eq!(answer("www.invalid", RecordType::A).code, ResponseCode::NxDomain);
    assert_eq!(answer("x.onion", RecordType::A).code, ResponseCode::NxDomain);
    assert_eq!(tree.asked(), Vec::<String>::new());
}

#[test]
fn a_response_says_that_recursion_is_available_and_repeats_what_was_desired() {
    let mut tree = Tree::new(1);
    let response = tree.ask(&query("www.example.test", RecordType::A));
    assert!(response.recursion_available && response.recursion_desired && !response.authoritative);
    assert_eq!(response.edns.unwrap().udp_payload, 1232);
}

#[test]
fn without_recursion_desired_only_what_is_known_is_said() {
    let mut tree = Tree::new(1);
    let no_recursion = |name| Message { recursion_desired: false, ..query(name, RecordType::A) };
    let referred = tree.ask(&no_recursion("www.example.test"));
    assert!(referred.is_referral() && referred.recursion_available);
    assert_eq!(referred.authorities.len(), 2, "the root's servers");
    assert_eq!(referred.additionals.len(), 2);
    assert_eq!(tree.asked().len(), 0);
    tree.resolve("www.example.test").unwrap();
    assert_eq!(tree.ask(&no_recursion("www.example.test")).answers.len(), 1);
    let referred = tree.ask(&no_recursion("other.example.test"));
    assert_eq!(referred.authorities[0].owner, name("example.test"), "the nearest that is known by now");
}

#[test]
fn the_same_seed_walks_the_same_way_and_another_does_not() {
    let story = |seed| {
        let mut tree = Tree::new(seed);
        tree.resolve("shop.example.test").unwrap();
        tree.resolve("www.far.test").unwrap();
        tree.story()
    };
    assert_eq!(story(1), story(1));
    assert!((2..10).any(|seed| story(seed) != story(1)), "the order of the servers is chance");
}

#[test]
fn an_address_has_a_name() {
    let mut tree = Tree::new(1);
    let stub = tree.stub.clone();
    let pointed = tree.world.run(stub.name_of(ip("192.0.2.80"))).unwrap();
    assert_eq!(pointed.unwrap(), name("www.example.test"));
    let unnamed = tree.world.run(stub.name_of(ip("192.0.2.81"))).unwrap();
    assert!(matches!(unnamed, Err(ResolveError::NotFound { .. })), "{unnamed:?}");
}

#[test]
fn every_span_of_a_walk_is_closed() {
    use glasstack_journal::Event;
    use glasstack_journal::event::Span;
    let mut tree = Tree::new(1);
    tree.resolve("www.far.test").unwrap();
    tree.resolve("www.one.test").unwrap_err();
    let resolver = tree.hosts["resolver"].scope().node();
    let records = tree.recorder.records();
    let mine = || records.iter().filter(|record| record.node == resolver);
    let opened = mine().filter(|record| matches!(record.event, Event::Span(Span::Opened { .. }))).count();
    let closed = mine().filter(|record| matches!(record.event, Event::Span(Span::Closed))).count();
    assert_eq!(opened, closed + 1, "all but the service itself");
}
