//! What is believed of what servers say, and what is not: each test a small tree, a server that goes too far,
//! and what becomes of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{DnsName, IterateConfig, Minimisation, RecordType, RecursorConfig, ResponseCode};
use scripted::{Scene, short};
use std::time::Duration;

const A: RecordType = RecordType::A;

/// Below `lines`, which count first: the root, test and com, and example.test with a server.
fn tree(lines: &str) -> String {
    format!(
        "{lines}
        10.0.0.1   *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
        10.0.0.1   *.com           : | com. NS a.nic.com. | a.nic.com. A 10.0.0.3
        10.0.0.2   *.example.test  : | example.test. NS ns.example.test. | ns.example.test. A 10.0.0.10
        10.0.0.3   *.shop.com      : | shop.com. NS ns.shop.com. | ns.shop.com. A 10.0.0.20
        10.0.0.20  www.shop.com A  AA : www.shop.com. A 192.0.2.20"
    )
}

fn whole_names(config: &mut RecursorConfig) {
    config.iterate.qname_minimisation = Minimisation::Off;
}

fn scene(lines: &str) -> Scene {
    Scene::with(&tree(lines), whole_names)
}

fn scene_with(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> Scene {
    Scene::with(&tree(lines), |config| {
        whole_names(config);
        change(&mut config.iterate);
    })
}

#[test]
fn what_is_behind_an_alias_is_asked_of_whoever_has_authority_there() {
    let mut scene = scene(
        "10.0.0.10  www.example.test A  AA : www.example.test. CNAME www.shop.com. ; www.shop.com. A 203.0.113.66",
    );
    let answer = scene.answer("www.example.test", A);
    assert_eq!(answer, ["NOERROR", "www.example.test CNAME www.shop.com.", "www.shop.com A 192.0.2.20"]);
    assert_eq!(scene.asked().last().unwrap(), "10.0.0.20 www.shop.com A");
}

#[test]
fn a_redirection_of_a_zone_that_is_not_the_senders_own_is_ignored() {
    let mut scene = scene(
        "10.0.0.10  www.example.test A  AA : test. DNAME com. ; www.example.test. CNAME www.example.com.
         10.0.0.3   www.example.com A   AA : www.example.com. A 192.0.2.30",
    );
    let answer = scene.answer("www.example.test", A);
    assert_eq!(
        answer,
        ["NOERROR", "www.example.test CNAME www.example.com.", "www.example.com A 192.0.2.30"]
    );
    // Had it been believed, this would be an alias now.
    assert_eq!(scene.answer("www.other.test", A)[0], "SERVFAIL");
}

#[test]
fn a_redirection_makes_its_own_alias_whatever_was_sent_along() {
    let mut scene = scene(
        "10.0.0.10  www.old.example.test A  AA : old.example.test. DNAME shop.com. ; \
             www.old.example.test. CNAME evil.shop.com.",
    );
    let answer = scene.answer("www.old.example.test", A);
    assert_eq!(
        answer,
        [
            "NOERROR",
            "old.example.test DNAME shop.com.",
            "www.old.example.test CNAME www.shop.com.",
            "www.shop.com A 192.0.2.20"
        ]
    );
}

#[test]
fn a_redirection_to_a_name_that_is_too_long_is_said_to_be_so() {
    let long = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60)].join(".");
    let mut scene =
        scene(&format!("10.0.0.10  *.old.example.test  AA YXDOMAIN : old.example.test. DNAME {long}."));
    let reply = scene.ask("a-long-first-label.old.example.test", A);
    // RFC 6672 2.2
    assert_eq!(reply.code, ResponseCode::from_number(6));
    assert_eq!(reply.answers.len(), 1);
    assert!(reply.answers[0].record_type() == RecordType::Dname);
}

#[test]
fn name_servers_that_nobody_asked_for_are_not_planted() {
    let planted = "10.0.0.10  www.example.test A  AA : www.example.test. A 192.0.2.10 | \
            example.test. NS ns.evil.example.test. | ns.evil.example.test. A 10.0.0.66
         10.0.0.10  other.example.test A  AA : other.example.test. A 192.0.2.11
         10.0.0.66  *                     AA : other.example.test. A 203.0.113.66";
    let mut scene = scene(planted);
    scene.answer("www.example.test", A);
    assert_eq!(scene.answer("other.example.test", A)[1], "other.example.test A 192.0.2.11");
    assert!(scene.asked().iter().all(|asked| !asked.starts_with("10.0.0.66")));
}

#[test]
fn addresses_of_hosts_outside_of_the_senders_zone_are_not_believed() {
    let mut scene = scene(
        "10.0.0.2   *.far.test      : | far.test. NS www.shop.com. | www.shop.com. A 10.0.0.66
         192.0.2.20 www.far.test A  AA : www.far.test. A 192.0.2.41
         10.0.0.66  *               AA : www.far.test. A 203.0.113.66",
    );
    assert_eq!(scene.answer("www.far.test", A)[1], "www.far.test A 192.0.2.41");
}

#[test]
fn records_of_other_names_and_types_in_an_answer_are_left_out() {
    let mut scene = scene(
        "10.0.0.10  www.example.test A  AA : www.example.test. A 192.0.2.10 ; \
            other.example.test. A 203.0.113.66 ; www.example.test. TXT unasked",
    );
    assert_eq!(scene.answer("www.example.test", A), ["NOERROR", "www.example.test A 192.0.2.10"]);
}

#[test]
fn public_names_have_no_private_addresses_if_that_is_wanted() {
    let lines = "10.0.0.10  www.example.test A     AA : www.example.test. A 192.168.1.1
         10.0.0.10  mixed.example.test A   AA : mixed.example.test. A 192.168.1.1 ; mixed.example.test. A 192.0.2.10
         10.0.0.10  in.lan.example.test A  AA : in.lan.example.test. A 192.168.1.1
         10.0.0.10  svc.example.test SVCB  AA : svc.example.test. SVCB 1 h.example.test. ipv4hint=192.168.1.1";
    let mut scene = scene_with(lines, |config| {
        config.private_addresses = vec!["192.168.0.0/16".parse().unwrap()];
        config.private_domains = vec![DnsName::parse("lan.example.test").unwrap()];
    });
    assert_eq!(scene.answer("www.example.test", A), ["NOERROR"]);
    assert_eq!(scene.answer("mixed.example.test", A), ["NOERROR", "mixed.example.test A 192.0.2.10"]);
    assert_eq!(scene.answer("in.lan.example.test", A), ["NOERROR", "in.lan.example.test A 192.168.1.1"]);
    assert_eq!(scene.answer("svc.example.test", RecordType::from_number(64)), ["NOERROR"]);
}

#[test]
fn of_very_many_name_servers_only_some_are_kept() {
    let many: Vec<String> = (1..=30).map(|n| format!("wide.test. NS ns{n}.wide.test.")).collect();
    let glue: Vec<String> = (1..=30).map(|n| format!("ns{n}.wide.test. A 10.0.1.{n}")).collect();
    let mut scene = scene_with(
        &format!("10.0.0.2 *.wide.test : | {} | {}", many.join(" ; "), glue.join(" ; ")),
        |config| {
            config.scrub_ns = 3;
            config.rounds = 1;
        },
    );
    assert_eq!(scene.answer("www.wide.test", A), ["SERVFAIL"]);
    let mut servers: Vec<String> =
        scene.asked().into_iter().filter(|asked| asked.starts_with("10.0.1.")).collect();
    servers.sort();
    servers.dedup();
    assert_eq!(servers.len(), 3, "{servers:?}");
}

#[test]
fn an_answer_with_too_many_aliases_is_given_up() {
    let chain: String = (1..=20)
        .map(|n| {
            format!("10.0.0.10 n{n}.example.test AA : n{n}.example.test. CNAME n{}.example.test.\n", n + 1)
        })
        .collect();
    let mut scene = scene_with(&chain, |config| config.max_query_restarts = 11);
    assert_eq!(scene.answer("n1.example.test", A)[0], "SERVFAIL");
    assert_eq!(scene.answer("n12.example.test", RecordType::Cname)[0], "NOERROR");
}

#[test]
fn a_long_chain_of_aliases_that_one_response_holds_is_followed() {
    let alias = |n: u32| format!("n{n}.example.test. CNAME n{}.example.test.", n + 1);
    let chain_from = |first: u32, length: u32| (first..=length).map(alias).collect::<Vec<_>>().join(" ; ");
    let lines = |length: u32| {
        let line = |n| format!("10.0.0.10 n{n}.example.test AA : {}", chain_from(n, length));
        let end = length + 1;
        let end = format!("10.0.0.10 n{end}.example.test A AA : n{end}.example.test. A 192.0.2.1");
        (1..=length).map(line).chain([end]).collect::<Vec<_>>().join("\n")
    };
    let mut scene = scene(&lines(20));
    let answer = scene.answer("n1.example.test", A);
    assert_eq!((answer[0].as_str(), answer.len()), ("NOERROR", 1 + 21));
    assert_eq!(answer[21], "n21.example.test A 192.0.2.1");
    assert_eq!(scene.answer("n1.example.test", A), answer, "and so it is from the cache");
    assert_eq!(Scene::with(&tree(&lines(65)), whole_names).answer("n1.example.test", A), ["SERVFAIL"]);
}

#[test]
fn a_negative_answer_lives_as_long_as_the_minimum_of_its_soa_says() {
    let mut scene = scene(
        "10.0.0.10  *.example.test  AA NXDOMAIN : | \
            example.test. 3600 SOA ns.example.test. h.example.test. 1 7200 3600 86400 60",
    );
    let reply = scene.ask("no.example.test", A);
    assert_eq!((reply.code, reply.authorities[0].ttl), (ResponseCode::NxDomain, 60));
    scene.asked();
    scene.pass(Duration::from_secs(50));
    let reply = scene.ask("no.example.test", A);
    assert_eq!((reply.authorities[0].ttl, scene.asked()), (10, vec![]));
    scene.pass(Duration::from_secs(11));
    scene.ask("no.example.test", A);
    assert_eq!(scene.asked(), ["10.0.0.10 no.example.test A"]);
}

#[test]
fn a_parent_that_has_taken_a_zone_away_wins_against_the_zones_own_servers() {
    let own = "10.0.0.10  *.example.test  AA : www.example.test. 60 A 192.0.2.10 | \
            example.test. 3600 NS ns.example.test. | ns.example.test. 3600 A 10.0.0.10";
    let mut scene = scene_with(own, |config| config.scrub_promiscuous = false);
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.10");
    // The zone's own servers say every half an hour that they are still there; the parent does not.
    scene.script.say(&tree(&format!(
        "10.0.0.2  *.example.test  AA NXDOMAIN : | test. SOA a.nic.test. h.nic.test. 1 2 3 4 5
         {own}"
    )));
    scene.pass(Duration::from_secs(1800));
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.10");
    scene.pass(Duration::from_secs(1801));
    assert_eq!(scene.answer("www.example.test", A)[0], "NXDOMAIN");
}

#[test]
fn the_whole_answer_comes_along_where_short_ones_are_not_wanted() {
    let lines = "10.0.0.10  www.example.test A  AA : www.example.test. A 192.0.2.10 | \
            example.test. NS ns.example.test. | ns.example.test. A 10.0.0.10";
    let mut scene = Scene::with(&tree(lines), |config| {
        whole_names(config);
        config.minimal_responses = false;
        config.iterate.scrub_promiscuous = false;
    });
    for _ in ["from the server", "from the cache"] {
        let reply = scene.ask("www.example.test", A);
        let (authorities, additionals) = (&reply.authorities, &reply.additionals);
        assert_eq!(authorities.iter().map(short).collect::<Vec<_>>(), ["example.test NS ns.example.test."]);
        assert_eq!(additionals.iter().map(short).collect::<Vec<_>>(), ["ns.example.test A 10.0.0.10"]);
    }
}
