//! Servers that are of little use: lame, silent, contradictory, or known by the wrong address; and how an
//! answer is found all the same, or given up in time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::dnssec::{Limits, Security, TrustAnchors};
use glasstack_dns::{
    DnsName, IterateConfig, Iterating, Minimisation, RecordType, Resolver, ResolverConfig, ResponseCode,
    RootHints, ZoneElsewhere,
};
use glasstack_journal::Event;
use glasstack_journal::event::{Dns, MacAddress};
use glasstack_journal::journal::Recorder;
use glasstack_sim::SimWorld;
use glasstack_stack::{HostConfig, World};
use scripted::{Scene, Script};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

const A: RecordType = RecordType::A;
const TWO_SERVERS: &str = "10.0.0.1  *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
    10.0.0.2  *.example.test  : | example.test. NS ns1.example.test. ; example.test. NS ns2.example.test. \
        | ns1.example.test. A 10.0.0.10 ; ns2.example.test. A 10.0.0.11";

fn scene_with(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> Scene {
    Scene::with(lines, |config| {
        config.iterate.qname_minimisation = Minimisation::Off;
        change(&mut config.iterate);
    })
}

fn scene(lines: &str) -> Scene {
    scene_with(lines, |_| {})
}

/// Both servers of example.test behave alike, but one of them only once.
fn good_and_bad(bad: &str) -> Scene {
    scene(&format!(
        "10.0.0.10  www.example.test {bad}
         10.0.0.11  www.example.test A  AA : www.example.test. A 192.0.2.80
         {TWO_SERVERS}"
    ))
}

#[test]
fn a_server_that_refers_to_its_own_zone_is_lame_and_the_next_is_asked() {
    for bad in [
        ": | example.test. NS ns1.example.test. | ns1.example.test. A 10.0.0.10",
        ": | test. NS a.nic.test. | a.nic.test. A 10.0.0.2",
        "SERVFAIL :",
        "REFUSED :",
        "silent",
        "AA TC : www.example.test. A 192.0.2.66",
    ] {
        let mut scene = good_and_bad(bad);
        let answer = scene.answer("www.example.test", A);
        assert_eq!(answer, ["NOERROR", "www.example.test A 192.0.2.80"], "{bad}: {:?}", scene.asked());
    }
}

#[test]
fn who_only_knows_from_others_is_believed_if_nobody_knows_better() {
    let mut scene = good_and_bad("RA : www.example.test. A 192.0.2.66");
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.80");
    let mut scene = scene_with(
        &format!(
            "10.0.0.11 * REFUSED :\n10.0.0.10 www.example.test RA : www.example.test. A 192.0.2.66\n{TWO_SERVERS}"
        ),
        |config| config.rounds = 2,
    );
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.66");
}

#[test]
fn an_empty_answer_is_not_believed_before_another_server_says_so_too() {
    let mut scene = good_and_bad("AA :");
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.80");
    let mut scene = scene_with(
        &format!("10.0.0.10 www.example.test AA :\n10.0.0.11 www.example.test AA :\n{TWO_SERVERS}"),
        |_| {},
    );
    assert_eq!(scene.answer("www.example.test", A), ["NOERROR"]);
}

#[test]
fn zones_that_wait_for_each_other_are_given_up() {
    let mut scene = scene(
        "10.0.0.1  *.test      : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2  *.one.test  : | one.test. NS ns.two.test.
         10.0.0.2  *.two.test  : | two.test. NS ns.one.test.",
    );
    assert_eq!(scene.answer("www.one.test", A), ["SERVFAIL"]);
    assert!(scene.asked().len() <= 12);
}

#[test]
fn a_server_below_its_own_delegation_does_not_lead_in_circles() {
    let mut scene = scene(
        "10.0.0.1   *.test              : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *.example.test      : | example.test. NS ns.example.test. | ns.example.test. A 10.0.0.10
         10.0.0.10  *.sub.example.test  : | sub.example.test. NS ns.x.sub.example.test. | ns.x.sub.example.test. A 10.0.0.10",
    );
    for name in ["one.sub.example.test", "two.sub.example.test"] {
        assert_eq!(scene.answer(name, A), ["SERVFAIL"]);
        assert!(scene.asked().len() <= 40, "{name}");
    }
}

#[test]
fn very_many_name_servers_that_do_not_exist_are_not_all_looked_for() {
    let names: Vec<String> = (1..=40).map(|n| format!("victim.test. NS ns{n}.target.test.")).collect();
    let mut scene = scene(&format!(
        "10.0.0.1   *.test         : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *.victim.test  : | {}
         10.0.0.2   *.target.test  : | target.test. NS ns.target.test. | ns.target.test. A 10.0.0.20
         10.0.0.20  *              AA NXDOMAIN : | target.test. SOA ns.target.test. h.target.test. 1 2 3 4 60",
        names.join(" ; ")
    ));
    assert_eq!(scene.answer("www.victim.test", A), ["SERVFAIL"]);
    let asked = scene.asked().iter().filter(|asked| asked.starts_with("10.0.0.20")).count();
    assert!(asked <= 14, "{asked} of 40 are looked for (NXNSAttack)");
}

#[test]
fn where_a_zones_own_words_about_its_servers_are_wrong_its_parents_count() {
    // The zone says that its server is at 10.0.0.66, where nobody is; the parent's glue is right.
    let mut scene = scene_with(
        "10.0.0.1   *.test              : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *.example.test      : | example.test. 3600 NS ns.example.test. | ns.example.test. 3600 A 10.0.0.10
         10.0.0.10  ns.example.test A   AA : ns.example.test. 3600 A 10.0.0.66
         10.0.0.10  www.example.test A  AA : www.example.test. 10 A 192.0.2.80
         10.0.0.66  *                   REFUSED :",
        |config| config.rounds = 1,
    );
    assert_eq!(scene.answer("ns.example.test", A)[1], "ns.example.test A 10.0.0.66");
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.80");
}

#[test]
fn servers_on_the_loopback_address_are_not_asked() {
    let mut scene = scene(
        "10.0.0.1   *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *.example.test  : | example.test. NS ns1.example.test. ; example.test. NS ns2.example.test. \
            | ns1.example.test. A 127.0.0.1 ; ns2.example.test. A 10.0.0.11
         127.0.0.1  *               AA : www.example.test. A 203.0.113.66
         10.0.0.11  *               AA : www.example.test. A 192.0.2.80",
    );
    assert_eq!(scene.answer("www.example.test", A)[1], "www.example.test A 192.0.2.80");
    assert!(scene.asked().iter().all(|asked| !asked.starts_with("127.")));
}

#[test]
fn servers_of_ipv6_are_asked_where_that_is_spoken_and_over_a_nat64_where_only_that_is() {
    let lines = "10.0.0.1            *.test   : | test. NS a.nic.test. | a.nic.test. AAAA 2001:db8::2
         64:ff9b::a00:1      *.test   : | test. NS a.nic.test. | a.nic.test. AAAA 2001:db8::2
         2001:db8::2         *        AA : www.test. A 192.0.2.80";
    let mut scene = scene_with(lines, |config| config.ipv6 = true);
    assert_eq!(scene.answer("www.test", A)[1], "www.test A 192.0.2.80");
    let mut scene = scene_with(lines, |config| {
        (config.ipv4, config.ipv6) = (false, true);
        config.nat64 = Some("64:ff9b::/96".parse().unwrap());
    });
    assert_eq!(scene.answer("www.test", A)[1], "www.test A 192.0.2.80");
    assert_eq!(scene.asked()[0], "64:ff9b::a00:1 www.test A");
    let mut scene = scene_with(lines, |config| config.ipv6 = false);
    assert_eq!(scene.answer("www.test", A), ["SERVFAIL"]);
}

#[test]
fn as_little_of_the_name_is_told_as_is_needed_and_more_where_that_is_refused() {
    let lines = "10.0.0.10  www.deep.example.test AAAA  AA : www.deep.example.test. AAAA 2001:db8::80
         10.0.0.10  deep.example.test           AA : | example.test. SOA ns.example.test. h. 1 2 3 4 5
         10.0.0.10  www.deep.example.test A     AA : | example.test. SOA ns.example.test. h. 1 2 3 4 5
         10.0.0.2   *.example.test  : | example.test. NS ns.example.test. | ns.example.test. A 10.0.0.10
         10.0.0.1   *.test          : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2";
    let mut scene = Scene::new(lines);
    assert_eq!(scene.answer("www.deep.example.test", RecordType::Aaaa)[0], "NOERROR");
    assert_eq!(
        scene.asked(),
        [
            "10.0.0.1 test A",
            "10.0.0.2 example.test A",
            "10.0.0.10 deep.example.test A",
            "10.0.0.10 www.deep.example.test A",
            "10.0.0.10 www.deep.example.test AAAA",
        ]
    );
    // A server that denies what it only does not know.
    let denies = lines.replace(
        "deep.example.test           AA : | example.test.",
        "deep.example.test NXDOMAIN AA : | example.test.",
    );
    let mut scene = Scene::new(&denies);
    assert_eq!(scene.answer("www.deep.example.test", RecordType::Aaaa)[0], "NOERROR");
    let refuses = lines.replace(
        "deep.example.test           AA : | example.test.",
        "deep.example.test REFUSED : | example.test.",
    );
    let mut scene = Scene::new(&refuses);
    assert_eq!(scene.answer("www.deep.example.test", RecordType::Aaaa)[0], "NOERROR");
}

#[test]
fn a_zone_can_be_asked_about_elsewhere() {
    let stub = |prime, first| ZoneElsewhere::Stub {
        zone: DnsName::parse("corp.test").unwrap(),
        servers: vec!["10.0.0.50:53".parse().unwrap()],
        names: Vec::new(),
        prime,
        first,
        tcp: false,
    };
    let lines = "10.0.0.50  www.corp.test A  AA : www.corp.test. A 192.0.2.50
         10.0.0.50  corp.test NS     AA : corp.test. NS ns.corp.test. | | ns.corp.test. A 10.0.0.51
         10.0.0.51  www.corp.test A  AA : www.corp.test. A 192.0.2.51
         10.0.0.1   *.test           : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *                AA : www.corp.test. A 192.0.2.2";
    let mut scene = scene_with(lines, |config| config.zones = vec![stub(false, false)]);
    assert_eq!(scene.answer("www.corp.test", A)[1], "www.corp.test A 192.0.2.50");
    assert_eq!(scene.asked(), ["10.0.0.50 www.corp.test A"]);
    let mut scene = scene_with(lines, |config| config.zones = vec![stub(true, false)]);
    assert_eq!(scene.answer("www.corp.test", A)[1], "www.corp.test A 192.0.2.51");
    assert_eq!(scene.asked(), ["10.0.0.50 corp.test NS", "10.0.0.51 www.corp.test A"]);
    let broken = lines.replace("10.0.0.50", "10.0.0.5");
    let mut scene = scene_with(&broken, |config| config.zones = vec![stub(false, true)]);
    assert_eq!(scene.answer("www.corp.test", A)[1], "www.corp.test A 192.0.2.2");
    let mut scene = scene_with(&broken, |config| config.zones = vec![stub(false, false)]);
    assert_eq!(scene.answer("www.corp.test", A), ["SERVFAIL"]);
}

#[test]
fn a_forwarder_is_asked_again_a_few_times_and_the_tree_only_if_that_is_wanted() {
    let forward = |first| ZoneElsewhere::Forward {
        zone: DnsName::root(),
        servers: vec!["10.0.0.53:53".parse().unwrap()],
        names: Vec::new(),
        first,
        tcp: false,
    };
    let lines = "10.0.0.53  *         silent
         10.0.0.1   www.test  AA : www.test. A 192.0.2.80";
    let mut scene = scene_with(lines, |config| config.zones = vec![forward(false)]);
    assert_eq!(scene.answer("www.test", A), ["SERVFAIL"]);
    assert_eq!(scene.asked(), vec!["10.0.0.53 www.test A"; 3]);
    let mut scene =
        scene_with(&lines.replace("silent", "SERVFAIL :"), |config| config.zones = vec![forward(true)]);
    assert_eq!(scene.answer("www.test", A)[1], "www.test A 192.0.2.80");
}

#[test]
fn the_name_servers_of_a_zone_are_an_answer_of_who_finds_out_for_others() {
    let forward = ZoneElsewhere::Forward {
        zone: DnsName::root(),
        servers: vec!["10.0.0.53:53".parse().unwrap()],
        names: Vec::new(),
        first: false,
        tcp: false,
    };
    let lines = "10.0.0.53  example.test NS  RA : example.test. NS ns.example.test.";
    let mut scene = scene_with(lines, |config| config.zones = vec![forward]);
    assert_eq!(scene.answer("example.test", RecordType::Ns), ["NOERROR", "example.test NS ns.example.test."]);
}

#[test]
fn a_failure_is_remembered_for_a_moment() {
    let mut scene = scene("10.0.0.1 * REFUSED :");
    assert_eq!(scene.answer("www.test", A), ["SERVFAIL"]);
    assert!(!scene.asked().is_empty());
    assert_eq!(scene.answer("www.test", A), ["SERVFAIL"]);
    assert_eq!(scene.asked(), Vec::<String>::new());
    scene.pass(Duration::from_secs(60));
    assert_eq!(scene.answer("www.test", A), ["SERVFAIL"]);
    assert!(!scene.asked().is_empty());
}

#[test]
fn that_a_name_server_has_no_ipv6_address_is_no_failure_to_whoever_asks_for_it() {
    let mut scene = scene_with(
        "10.0.0.1   *.test                : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2   *.far.test            : | far.test. NS ns.hoster.test.
         10.0.0.2   *.hoster.test         : | hoster.test. NS ns.hoster.test. | ns.hoster.test. A 10.0.0.10
         10.0.0.10  ns.hoster.test A      AA : ns.hoster.test. A 10.0.0.10
         10.0.0.10  ns.hoster.test        AA : | hoster.test. SOA ns.hoster.test. h. 1 2 3 4 5
         10.0.0.10  www.far.test          AA : www.far.test. A 192.0.2.80",
        |config| {
            config.ipv6 = true;
            config.target_fetch = vec![-1];
        },
    );
    assert_eq!(scene.answer("www.far.test", A)[1], "www.far.test A 192.0.2.80");
    scene.pass(Duration::from_millis(500));
    assert_eq!(scene.answer("ns.hoster.test", RecordType::Aaaa), ["NOERROR"]);
}

#[test]
fn who_is_asked_as_the_configuration_says_is_called_so() {
    let servers = || vec!["10.0.0.3:53".parse().unwrap()];
    let forward = |zone: &str| {
        let (zone, names) = (DnsName::parse(zone).unwrap(), Vec::new());
        ZoneElsewhere::Forward { zone, servers: servers(), names, first: false, tcp: false }
    };
    let stub = |zone: &str| {
        let (zone, names) = (DnsName::parse(zone).unwrap(), Vec::new());
        ZoneElsewhere::Stub { zone, servers: servers(), names, prime: false, first: false, tcp: false }
    };
    for (zone, who) in [
        (forward("."), "no forwarder was of use: 10.0.0.3:53: it answers REFUSED"),
        (forward("test"), "no forwarder for test was of use: 10.0.0.3:53: it answers REFUSED"),
        (stub("test"), "no server configured for test was of use: 10.0.0.3:53: it answers REFUSED"),
    ] {
        let mut scene = scene_with("10.0.0.3 * REFUSED :", |config| config.zones = vec![zone]);
        let reply = scene.ask("www.example.test", A);
        assert_eq!(reply.why, format!("www.example.test cannot be resolved: {who}"));
        assert_eq!(reply.extended_errors[0].text, who);
    }
}

#[test]
fn a_server_that_leaves_signatures_out_is_passed_over_for_one_that_has_them() {
    let dnskey = "DNSKEY 257 3 3 AQIDBA==";
    let lines = one_without_signatures(dnskey);
    for seed in 0..4 {
        let mut scene = Scene::with(&lines, |config| {
            config.validate = Some(TrustAnchors::parse(&format!("example.test. {dnskey}")).unwrap());
            config.validation.taken_on_trust = [3].into();
            config.iterate.qname_minimisation = Minimisation::Off;
            config.iterate.rounds = 2 + seed;
        });
        let reply = scene.ask("www.example.test", A);
        assert_eq!((reply.code, reply.authentic_data), (ResponseCode::NoError, true), "{}", reply.why);
    }
}

#[test]
fn signatures_that_stand_in_another_section_than_what_they_sign_are_found() {
    let dnskey = "DNSKEY 257 3 3 AQIDBA==";
    let signed = |covers: &str, labels: u8| {
        let tag = key_tag(&[1, 1, 3, 3, 1, 2, 3, 4]);
        format!("RRSIG {covers} 3 {labels} 300 20380101000000 20000101000000 {tag} example.test. AQID")
    };
    let lines = format!(
        "10.0.0.10  www.example.test A   AA : www.example.test. 300 A 192.0.2.80 | | www.example.test. 300 {}
         10.0.0.10  example.test DNSKEY  AA : example.test. 300 {dnskey} ; example.test. 300 {}
         10.0.0.11  *                    REFUSED :
         {TWO_SERVERS}",
        signed("A", 3),
        signed("DNSKEY", 2),
    );
    let mut scene = Scene::with(&lines, |config| {
        config.validate = Some(TrustAnchors::parse(&format!("example.test. {dnskey}")).unwrap());
        config.validation.taken_on_trust = [3].into();
        config.iterate.qname_minimisation = Minimisation::Off;
    });
    let reply = scene.ask("www.example.test", A);
    assert_eq!((reply.code, reply.authentic_data), (ResponseCode::NoError, true), "{}", reply.why);
    assert_eq!(reply.answers.len(), 2, "the signature comes along");
}

#[test]
fn a_resolver_that_walks_and_checks_passes_such_a_server_over_as_a_name_server_does() {
    // Which server is asked first is chance.
    assert!((1..=6).any(passes_over_who_leaves_signatures_out));
}

fn passes_over_who_leaves_signatures_out(seed: u64) -> bool {
    let dnskey = "DNSKEY 257 3 3 AQIDBA==";
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let host = HostConfig::new("client", mac, "10.0.0.99".parse().unwrap(), 24, None).unwrap();
    let host = world.add_host(host).unwrap();
    let hints = RootHints::new([("a.root.test", "10.0.0.1".parse().unwrap())]).unwrap();
    let walk = IterateConfig { prime: false, ..IterateConfig::default() };
    let walk = IterateConfig { qname_minimisation: Minimisation::Off, ..walk };
    let config = ResolverConfig {
        validate: Some(TrustAnchors::parse(&format!("example.test. {dnskey}")).unwrap()),
        validation: Limits { taken_on_trust: [3].into(), ..Limits::default() },
        iterate: Some(Iterating { hints, config: walk }),
        ..ResolverConfig::default()
    };
    let script = Script::new(&one_without_signatures(dnskey));
    let resolver = Resolver::with_upstream(host, config, Arc::new(script));
    let lookup = world.run(resolver.query("www.example.test", A)).unwrap().unwrap();
    assert_eq!(lookup.security, Security::Secure);
    recorder.records().into_iter().any(|record| match record.event {
        Event::Dns(Dns::ServerUseless { server, why, .. }) => {
            server.ip() == IpAddr::from([10, 0, 0, 10]) && why.contains("no signature")
        }
        _ => false,
    })
}

/// Of two servers of a signed zone one leaves the signatures out.
fn one_without_signatures(dnskey: &str) -> String {
    // Signatures of this algorithm are believed unread: this is about who is asked.
    let tag = key_tag(&[1, 1, 3, 3, 1, 2, 3, 4]);
    let signed = |covers: &str| {
        format!("RRSIG {covers} 3 2 300 20380101000000 20000101000000 {tag} example.test. AQID")
    };
    format!(
        "10.0.0.10  www.example.test A   AA : www.example.test. 300 A 192.0.2.80
         10.0.0.10  example.test DNSKEY  AA : example.test. 300 {dnskey}
         10.0.0.11  www.example.test A   AA : www.example.test. 300 A 192.0.2.80 ; www.example.test. 300 {}
         10.0.0.11  example.test DNSKEY  AA : example.test. 300 {dnskey} ; example.test. 300 {}
         {TWO_SERVERS}",
        signed("A").replace("A 3 2", "A 3 3"),
        signed("DNSKEY"),
    )
}

/// RFC 4034 appendix B.
fn key_tag(data: &[u8]) -> u32 {
    let sum: u32 = data.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    (sum + (sum >> 16)) & 0xffff
}
