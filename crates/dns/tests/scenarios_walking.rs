//! How the walk goes about it: priming, what is asked before it is needed, what is given though it has expired, and
//! where DS records are looked for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{
    DnsName, IterateConfig, Minimisation, RecordType, ResponseCode, ServeStale, ZoneElsewhere,
};
use scripted::Scene;
use std::time::Duration;

const A: RecordType = RecordType::A;

/// Below `lines`, which count first: the root, test, and example.test with a server.
fn tree(lines: &str) -> String {
    format!(
        "{lines}
        10.0.0.1   *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
        10.0.0.2   *.example.test  : | example.test. 3600 NS ns.example.test. | ns.example.test. A 10.0.0.10
        10.0.0.10  www.example.test A  AA : www.example.test. 300 A 192.0.2.80"
    )
}

fn scene_with(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> Scene {
    Scene::with(&tree(lines), |config| {
        config.iterate.qname_minimisation = Minimisation::Off;
        change(&mut config.iterate);
    })
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// RFC 9609
#[test]
fn the_roots_servers_say_who_they_are_before_they_are_asked_anything_else() {
    let root = "10.0.0.1  .  NS  AA : . NS a.root.test. ; . NS b.root.test. | | b.root.test. A 10.0.0.9
        10.0.0.9   *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2";
    let mut scene = scene_with(root, |config| config.prime = true);
    scene.answer("www.example.test", A);
    let asked = scene.asked();
    assert_eq!(asked[0], "10.0.0.1 . NS");
    assert!(asked[1].ends_with(" www.example.test A"), "{asked:?}");
    // Who is named without an address has the one of the hints; the other one is asked, too.
    for n in 0..20 {
        scene.answer(&format!("n{n}.other{n}.test"), A);
        scene.pass(seconds(3600));
    }
    let asked = scene.asked();
    assert!(asked.iter().any(|asked| asked.starts_with("10.0.0.9 n")), "{asked:?}");
    assert!(asked.iter().any(|asked| asked.starts_with("10.0.0.1 n")), "{asked:?}");
}

#[test]
fn where_no_root_server_says_who_they_are_the_hints_will_do() {
    let mut scene = scene_with("10.0.0.1  .  NS  SERVFAIL :", |config| config.prime = true);
    assert_eq!(scene.answer("www.example.test", A), ["NOERROR", "www.example.test A 192.0.2.80"]);
}

/// RFC 9156 3
#[test]
fn a_strict_resolver_believes_what_is_said_about_the_part_of_the_name_that_it_tells() {
    let denies = "10.0.0.10  b.example.test  NXDOMAIN AA : | example.test. SOA ns.example.test. h. 1 2 3 4 5
        10.0.0.10  a.b.example.test A  AA : a.b.example.test. A 192.0.2.1";
    let strictness = |strictness| move |config: &mut IterateConfig| config.qname_minimisation = strictness;
    let mut relaxed = scene_with(denies, strictness(Minimisation::Relaxed));
    assert_eq!(relaxed.ask("a.b.example.test", A).code, ResponseCode::NoError);
    let mut strict = scene_with(denies, strictness(Minimisation::Strict));
    assert_eq!(strict.ask("a.b.example.test", A).code, ResponseCode::NxDomain);
}

#[test]
fn what_is_asked_for_in_its_last_tenth_is_fetched_anew_behind_the_clients_back() {
    let mut scene = scene_with("", |config| config.prefetch = true);
    scene.answer("www.example.test", A);
    scene.asked();
    scene.pass(seconds(260));
    scene.answer("www.example.test", A);
    scene.pass(seconds(1));
    assert_eq!(scene.asked(), [""; 0], "it is good for 40 of 300 s");
    scene.pass(seconds(20));
    assert!(scene.ask("www.example.test", A).answers[0].ttl < 30, "what is known is given at once");
    scene.pass(seconds(1));
    assert_eq!(scene.asked(), ["10.0.0.10 www.example.test A"]);
    scene.pass(seconds(60));
    assert!(scene.ask("www.example.test", A).answers[0].ttl > 200);
    assert_eq!(scene.asked(), [""; 0]);
}

/// RFC 8767 5
#[test]
fn what_has_expired_is_given_where_nothing_newer_can_be_had_in_time() {
    let stale = ServeStale { client_timeout: Duration::from_millis(500), ..ServeStale::default() };
    let mut scene = scene_with("", |config| config.serve_stale = Some(stale));
    scene.answer("www.example.test", A);
    scene.pass(seconds(1000));
    scene.script.say("10.0.0.10 * silent");
    let begun = scene.host.now();
    let reply = scene.ask("www.example.test", A);
    assert_eq!((reply.code, reply.answers[0].ttl), (ResponseCode::NoError, 30));
    assert_eq!(reply.extended_errors[0].code, 3, "Stale Answer");
    assert_eq!((scene.host.now() - begun).as_millis(), 500);
    // A day after its end it is of no use any more.
    scene.pass(seconds(24 * 3600));
    assert_eq!(scene.ask("www.example.test", A).code, ResponseCode::ServFail);
}

#[test]
fn what_is_newer_is_given_if_it_comes_in_time() {
    let mut scene = scene_with("", |config| config.serve_stale = Some(ServeStale::default()));
    scene.answer("www.example.test", A);
    scene.pass(seconds(1000));
    scene.script.say(&tree("10.0.0.10  www.example.test A  AA : www.example.test. 300 A 192.0.2.81"));
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.81");
}

#[test]
fn name_servers_addresses_are_looked_for_ahead_of_time_if_that_is_wanted() {
    let two =
        "10.0.0.2  *.example.test  : | example.test. NS ns.example.test. ; example.test. NS ns.far.test. | \
               ns.example.test. A 10.0.0.10
        10.0.0.2  ns.far.test A  AA : ns.far.test. A 10.0.0.11";
    let mut lazy = scene_with(two, |_| {});
    lazy.answer("www.example.test", A);
    lazy.pass(seconds(1));
    assert_eq!(lazy.asked().iter().filter(|asked| asked.contains("ns.far.test")).count(), 0);
    let mut eager = scene_with(two, |config| config.target_fetch = vec![3, 0]);
    eager.answer("www.example.test", A);
    eager.pass(seconds(1));
    assert!(eager.asked().contains(&"10.0.0.2 ns.far.test A".to_owned()));
}

/// RFC 4035 3.1.4.1
#[test]
fn ds_records_are_asked_of_the_zone_above() {
    let lines = "10.0.0.2   example.test DS  AA : example.test. DS 1 13 2 ABCD
        10.0.0.10  example.test DS  AA : | example.test. SOA ns.example.test. h. 1 2 3 4 5";
    let mut scene = scene_with(lines, |_| {});
    scene.answer("www.example.test", A);
    assert_eq!(scene.answer("example.test", RecordType::Ds).len(), 2);
    assert_eq!(scene.asked().last().unwrap(), "10.0.0.2 example.test DS");
}

/// A server of both sides of a cut speaks for the side below, which has no DS records.
#[test]
fn a_server_of_grandparent_and_child_is_not_asked_for_what_lies_between() {
    let lines = "10.0.0.1   deep.test DS  AA : | deep.test. SOA ns.deep.test. h. 1 2 3 4 5
        10.0.0.2   deep.test DS  AA : deep.test. DS 1 13 2 ABCD
        10.0.0.1   test A        : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2";
    let mut scene = scene_with(lines, |_| {});
    assert_eq!(scene.answer("deep.test", RecordType::Ds).len(), 2);
}

/// unbound's stub-prime
#[test]
fn a_stub_zones_servers_may_be_asked_only_who_serves_it() {
    let lines = "10.0.0.50  corp.test NS  AA : corp.test. NS ns.corp.test. | | ns.corp.test. A 10.0.0.51
        10.0.0.51  www.corp.test A  AA : www.corp.test. A 192.0.2.5";
    let zone = ZoneElsewhere::Stub {
        zone: DnsName::parse("corp.test").unwrap(),
        servers: vec!["10.0.0.50:53".parse().unwrap()],
        names: Vec::new(),
        prime: true,
        first: false,
        tcp: false,
    };
    let mut scene = scene_with(lines, |config| config.zones.push(zone));
    assert_eq!(scene.answer("www.corp.test", A)[1], "www.corp.test A 192.0.2.5");
    assert_eq!(scene.asked(), ["10.0.0.50 corp.test NS", "10.0.0.51 www.corp.test A"]);
    scene.answer("other.corp.test", A);
    assert_eq!(scene.asked(), ["10.0.0.51 other.corp.test A"]);
}

/// RFC 1034 3.6.2
#[test]
fn an_alias_of_itself_is_given_as_it_is_and_an_alias_round_and_round_is_an_error() {
    let lines = "10.0.0.10  self.example.test  AA : self.example.test. CNAME self.example.test.
        10.0.0.10  one.example.test   AA : one.example.test. CNAME two.example.test.
        10.0.0.10  two.example.test   AA : two.example.test. CNAME one.example.test.";
    let mut scene = scene_with(lines, |_| {});
    assert_eq!(
        scene.answer("self.example.test", A),
        ["NOERROR", "self.example.test CNAME self.example.test."]
    );
    assert_eq!(scene.answer("one.example.test", A), ["SERVFAIL"]);
}
