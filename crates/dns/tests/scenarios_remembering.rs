//! What is remembered, how long, and what happens when it is over: each test a small tree, some questions, and
//! time that passes between them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{IterateConfig, Minimisation, RecordType, ResponseCode, ServeStale};
use scripted::{ROUND_TRIP, Scene};
use std::time::Duration;

const A: RecordType = RecordType::A;

fn scene_with(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> Scene {
    Scene::with(lines, |config| {
        config.iterate.qname_minimisation = Minimisation::Off;
        change(&mut config.iterate);
    })
}

fn scene(lines: &str) -> Scene {
    scene_with(lines, |_| {})
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The root refers to test, test to example.test.
fn tree(lines: &str) -> String {
    format!(
        "{lines}
        10.0.0.1  *.test          : | test. 86400 NS a.nic.test. | a.nic.test. 86400 A 10.0.0.2
        10.0.0.2  *.example.test  : | example.test. 3600 NS ns.example.test. | ns.example.test. 3600 A 10.0.0.10"
    )
}

#[test]
fn what_is_known_counts_down_and_is_asked_for_again_when_it_is_over() {
    let mut scene = scene(&tree("10.0.0.10 www.example.test A AA : www.example.test. 300 A 192.0.2.80"));
    assert_eq!(scene.ask("www.example.test", A).answers[0].ttl, 300);
    scene.asked();
    scene.pass(seconds(100));
    assert_eq!((scene.ask("www.example.test", A).answers[0].ttl, scene.asked()), (200, vec![]));
    scene.pass(seconds(200));
    assert_eq!(scene.ask("www.example.test", A).answers[0].ttl, 300);
    assert_eq!(scene.asked(), ["10.0.0.10 www.example.test A"], "straight to the zone's server");
}

#[test]
fn what_is_good_for_no_time_at_all_is_good_for_the_question_that_it_was_fetched_for() {
    let mut scene = scene(&tree("10.0.0.10 www.example.test A AA : www.example.test. 0 A 192.0.2.80"));
    for _ in 0..2 {
        scene.asked();
        scene.pass(Duration::from_millis(1));
        assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.80");
        assert_eq!(scene.asked().last().unwrap(), "10.0.0.10 www.example.test A");
    }
}

#[test]
fn what_is_asked_for_shortly_before_its_end_is_fetched_again_behind_the_clients_back() {
    let lines = tree("10.0.0.10 www.example.test A AA : www.example.test. 300 A 192.0.2.80");
    let mut scene = scene_with(&lines, |config| config.prefetch = true);
    scene.ask("www.example.test", A);
    scene.pass(seconds(280));
    scene.asked();
    let begun = scene.host.now();
    assert!(scene.ask("www.example.test", A).answers[0].ttl <= 20, "the client gets what is known, at once");
    assert_eq!(scene.host.now(), begun);
    scene.pass(seconds(1));
    assert_eq!(scene.asked(), ["10.0.0.10 www.example.test A"]);
    scene.pass(seconds(60));
    assert!((230..=240).contains(&scene.ask("www.example.test", A).answers[0].ttl));
}

#[test]
fn what_has_expired_is_better_than_nothing_if_that_is_wanted() {
    let lines = tree("10.0.0.10 www.example.test A AA : www.example.test. 300 A 192.0.2.80");
    let stale = ServeStale { client_timeout: Duration::from_millis(1800), ..ServeStale::default() };
    let mut scene = scene_with(&lines, |config| config.serve_stale = Some(stale));
    scene.ask("www.example.test", A);
    scene.script.say("10.0.0.1 * silent\n10.0.0.2 * silent\n10.0.0.10 * silent");
    scene.pass(seconds(7200));
    let begun = scene.host.now();
    let reply = scene.ask("www.example.test", A);
    assert_eq!((reply.code, reply.answers.len()), (ResponseCode::NoError, 1), "{}", reply.why);
    // RFC 8767 4: 30 s; 5: the client waits 1.8 s.
    assert_eq!(reply.answers[0].ttl, 30);
    assert_eq!(scene.host.now().since(begun), Duration::from_millis(1800));
    scene.pass(seconds(2 * 24 * 3600));
    assert_eq!(scene.ask("www.example.test", A).code, ResponseCode::ServFail, "too old even for that");
}

#[test]
fn a_zone_that_has_been_sold_is_served_by_its_new_owner_once_the_parents_word_has_expired() {
    let lines = |server: &str, address: &str| {
        format!(
            "10.0.0.10  www.example.test A  AA : www.example.test. 60 A 192.0.2.10 | \
                example.test. 3600 NS old.example.test. | old.example.test. 3600 A 10.0.0.10
            10.0.0.11  www.example.test A  AA : www.example.test. 60 A 192.0.2.11
            10.0.0.1   *.test          : | test. 86400 NS a.nic.test. | a.nic.test. 86400 A 10.0.0.2
            10.0.0.2   *.example.test  : | example.test. 3600 NS {server}. | {server}. 3600 A {address}"
        )
    };
    let mut scene =
        scene_with(&lines("old.example.test", "10.0.0.10"), |config| config.scrub_promiscuous = false);
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.10");
    scene.script.say(&lines("new.example.test", "10.0.0.11"));
    // However often the old owner says that it still serves the zone.
    for _ in 0..11 {
        scene.pass(seconds(300));
        assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.10");
    }
    scene.pass(seconds(301));
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.11");
}

#[test]
fn a_delegation_between_that_has_expired_does_not_hide_what_its_parent_said_since() {
    let below = "10.0.0.10  *.example.test A  AA : a.example.test. 60 A 192.0.2.80";
    let mut scene = scene(&format!(
        "{below}
         10.0.0.1  test NS          : | test. 10 NS a.nic.test. | a.nic.test. 86400 A 10.0.0.2
         10.0.0.2  test NS          AA : test. 10 NS a.nic.test.
         10.0.0.1  *.example.test   : | example.test. 86400 NS ns.example.test. | ns.example.test. 86400 A 10.0.0.10"
    ));
    scene.ask("test", RecordType::Ns);
    scene.ask("a.example.test", A);
    scene.pass(seconds(61));
    scene.ask("a.example.test", A);
    scene.asked();
    scene.pass(seconds(61));
    scene.ask("a.example.test", A);
    assert_eq!(scene.asked(), ["10.0.0.10 a.example.test A"]);
}

#[test]
fn keys_digests_are_asked_for_at_the_parent() {
    let mut scene = scene(&tree(
        "10.0.0.10  www.example.test A  AA : www.example.test. 60 A 192.0.2.80
         10.0.0.2   example.test DS     AA : example.test. DS 1 8 2 00ff",
    ));
    scene.ask("www.example.test", A);
    scene.asked();
    let answer = scene.answer("example.test", RecordType::Ds);
    assert_eq!((answer[0].as_str(), answer.len()), ("NOERROR", 2));
    assert_eq!(scene.asked(), ["10.0.0.2 example.test DS"]);
}

#[test]
fn what_a_server_says_of_itself_counts_more_than_glue() {
    let mut scene = scene(&tree(
        "10.0.0.10  ns.example.test A     AA : ns.example.test. 3600 A 192.0.2.10
         10.0.0.10  other.example.test A  AA : other.example.test. A 192.0.2.80 | | ns.example.test. 3600 A 10.0.0.10",
    ));
    assert_eq!(scene.answer("ns.example.test", A)[1], "ns.example.test A 192.0.2.10");
    scene.ask("other.example.test", A);
    assert_eq!(scene.answer("ns.example.test", A)[1], "ns.example.test A 192.0.2.10");
}

#[test]
fn glue_is_nobodys_answer() {
    let mut scene = scene(&tree("10.0.0.10 ns.example.test A AA : ns.example.test. 3600 A 192.0.2.10"));
    scene.ask("www.example.test", A);
    scene.asked();
    assert_eq!(scene.answer("ns.example.test", A)[1], "ns.example.test A 192.0.2.10");
    assert_eq!(scene.asked(), ["10.0.0.10 ns.example.test A"]);
}

#[test]
fn an_answer_that_takes_a_while_takes_no_more_round_trips_than_there_are_servers_on_the_way() {
    let mut scene = scene(&tree("10.0.0.10 www.example.test A AA : www.example.test. 300 A 192.0.2.80"));
    let begun = scene.host.now();
    scene.ask("www.example.test", A);
    assert_eq!(scene.host.now().since(begun), ROUND_TRIP * 3);
}
