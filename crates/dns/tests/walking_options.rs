//! What each bound of the walk and of the cache does: the same scene with the usual bound and with another one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use glasstack_dns::cache::{Cache, CacheConfig, Rank, RrSet};
use glasstack_dns::dnssec::Security;
use glasstack_dns::{
    Asked, Authority, DnsName, IterateConfig, Message, Minimisation, NoAnswer, Query, Question, Record,
    RecordType, Recursor, RecursorConfig, ResponseCode, RootHints, Upstream,
};
use glasstack_journal::Instant;
use glasstack_journal::event::{MacAddress, Transport};
use glasstack_sim::SimWorld;
use glasstack_stack::{Host, HostConfig, World};
use scripted::Scene;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const A: RecordType = RecordType::A;

fn scene(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> Scene {
    Scene::with(lines, |config| {
        config.iterate.qname_minimisation = Minimisation::Off;
        change(&mut config.iterate);
    })
}

/// What comes of `www.example.test`, and how many queries that took.
fn outcome(lines: &str, change: impl FnOnce(&mut IterateConfig)) -> (String, usize) {
    let mut scene = scene(lines, change);
    let code = scene.answer("www.example.test", A).swap_remove(0);
    (code, scene.asked().len())
}

#[test]
fn each_bound_of_the_walk_ends_it() {
    let two_zones = "10.0.0.1 *.test : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
         10.0.0.2 *.example.test : | example.test. NS ns.example.test. | ns.example.test. A 10.0.0.10
         10.0.0.10 www.example.test A AA : www.example.test. A 192.0.2.80";
    let silent = "10.0.0.1 *.test : | test. NS a.nic.test. ; test. NS b.nic.test. \
             | a.nic.test. A 10.0.0.2 ; b.nic.test. A 10.0.0.3
         10.0.0.2 * silent
         10.0.0.3 * silent";
    let unglued = "10.0.0.1 *.example.test : | example.test. NS ns1.other. ; example.test. NS ns2.other. \
             ; example.test. NS ns3.other.
         10.0.0.1 *.other AA NXDOMAIN : | . SOA a.root.test. h. 1 2 3 4 5";
    type Change = fn(&mut IterateConfig);
    let usual: Change = |_| {};
    let cases: [(&str, &str, Change, &str, usize); 11] = [
        ("referrals", two_zones, usual, "NOERROR", 3),
        ("max_referrals", two_zones, |config| config.max_referrals = 2, "SERVFAIL", 2),
        (
            "do_not_query",
            two_zones,
            |config| {
                config.do_not_query = vec!["10.0.0.10/32".parse().unwrap()];
            },
            "SERVFAIL",
            3,
        ),
        ("silence", silent, usual, "SERVFAIL", 7),
        ("max_sent", silent, |config| config.max_sent = 3, "SERVFAIL", 4),
        ("rounds", silent, |config| config.rounds = 1, "SERVFAIL", 3),
        (
            "silent_rto",
            silent,
            |config| config.infrastructure.silent_rto = Duration::from_millis(500),
            "SERVFAIL",
            3,
        ),
        ("no glue", unglued, usual, "SERVFAIL", 4),
        ("max_missing", unglued, |config| config.max_missing = 1, "SERVFAIL", 2),
        ("max_target_queries", unglued, |config| config.max_target_queries = 2, "SERVFAIL", 3),
        ("max_target_nx", unglued, |config| config.max_target_nx = 0, "SERVFAIL", 2),
    ];
    let came: Vec<(&str, (String, usize))> =
        cases.iter().map(|(option, lines, change, ..)| (*option, outcome(lines, change))).collect();
    let expected: Vec<(&str, (String, usize))> =
        cases.iter().map(|(option, .., code, asked)| (*option, ((*code).to_owned(), *asked))).collect();
    assert_eq!(came, expected);
}

#[test]
fn so_many_aliases_of_one_response_are_announced() {
    let alias = |n: u32| format!("n{n}.example.test. CNAME n{}.example.test.", n + 1);
    let chain = |first: u32| (first..=6).map(alias).collect::<Vec<_>>().join(" ; ");
    let line = |n: u32| format!("10.0.0.1 n{n}.example.test AA : {}", chain(n));
    let end = "10.0.0.1 n7.example.test AA : n7.example.test. A 192.0.2.1".to_owned();
    let lines = (1..=6).map(line).chain([end]).collect::<Vec<_>>().join("\n");
    let asked = |scrub_cname| {
        let mut scene = scene(&lines, |config| {
            config.scrub_cname = scrub_cname;
            config.max_query_restarts = 2;
        });
        scene.answer("n1.example.test", A).swap_remove(0)
    };
    assert_eq!([asked(11), asked(1)], ["NOERROR", "SERVFAIL"]);
}

#[test]
fn what_is_remembered_lasts_no_longer_and_no_less_long_than_the_configuration_says() {
    let lines = "10.0.0.1 www.example.test A AA : www.example.test. 300 A 192.0.2.80
         10.0.0.1 *.example.test AA NXDOMAIN : | example.test. 300 SOA ns.example.test. h. 1 2 3 4 300";
    let asked_again = |name: &str, after: u64, change: fn(&mut CacheConfig)| {
        let mut scene = Scene::with(lines, |config| {
            config.iterate.qname_minimisation = Minimisation::Off;
            change(&mut config.cache);
        });
        scene.answer(name, A);
        scene.asked();
        scene.pass(Duration::from_secs(after));
        scene.answer(name, A);
        !scene.asked().is_empty()
    };
    let www = "www.example.test";
    assert!(!asked_again(www, 200, |_| {}) && asked_again(www, 400, |_| {}));
    assert!(asked_again(www, 200, |config| config.max_ttl = Duration::from_secs(100)));
    assert!(!asked_again(www, 400, |config| config.min_ttl = Duration::from_secs(500)));
    assert!(!asked_again("no.example.test", 200, |_| {}));
    assert!(asked_again("no.example.test", 200, |config| config.max_negative_ttl = Duration::from_secs(100)));
}

#[test]
fn what_is_bogus_is_remembered_as_such_for_as_long_as_the_configuration_says() {
    let record: Record = "www.example.test. 300 IN A 192.0.2.80".parse().unwrap();
    let set = RrSet::new(record.owner.clone(), A, vec![record]);
    let set = RrSet { security: Security::Bogus, ..set };
    let is_known = |seconds: u64, after: u64| {
        let bogus_ttl = Duration::from_secs(seconds);
        let mut cache = Cache::new(CacheConfig { bogus_ttl, ..CacheConfig::default() });
        cache.put(&set, Rank::AnswerAuthoritative, Instant::ZERO);
        let then = Instant::ZERO + Duration::from_secs(after);
        cache.get(&set.name, A, Rank::Additional, then).is_some()
    };
    assert!(is_known(60, 59) && !is_known(60, 61) && !is_known(10, 11));
}

/// Everything is too long for a datagram.
#[derive(Default)]
struct Long(Mutex<Vec<(Transport, u16, Duration)>>);

impl Upstream for Long {
    fn exchange<'a>(&'a self, _: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        let payload = query.edns.as_ref().map_or(0, |edns| edns.udp_payload);
        self.0.lock().unwrap().push((query.transport, payload, query.timeout));
        let asked = Message::query(0, query.question.clone(), query.edns.clone());
        let mut response = asked.response(ResponseCode::NxDomain);
        response.truncated = query.transport == Transport::Udp;
        response.authoritative = true;
        async move { Ok(response) }.boxed()
    }
}

#[test]
fn how_large_an_answer_may_be_and_how_long_it_may_take_over_tcp_can_be_chosen() {
    let mut world = SimWorld::new(1);
    let mac = MacAddress([2, 0, 0, 0, 0, 1]);
    let host = HostConfig::new("resolver", mac, "10.0.0.99".parse().unwrap(), 24, None).unwrap();
    let host = world.add_host(host).unwrap();
    let (edns_buffer_size, tcp_timeout) = (4000, Duration::from_secs(7));
    let iterate = IterateConfig { edns_buffer_size, tcp_timeout, prime: false, ..IterateConfig::default() };
    let config = RecursorConfig { iterate, ..RecursorConfig::default() };
    let hints = RootHints::new([("a.root.test", "10.0.0.1".parse().unwrap())]).unwrap();
    let upstream = Arc::new(Long::default());
    let recursor = Recursor::with_upstream(host, hints, config, upstream.clone());
    let asked = Asked::new(Question::new(DnsName::parse("test").unwrap(), A));
    world.run(recursor.answer(&asked)).unwrap();
    let queries = upstream.0.lock().unwrap().clone();
    let over = |wanted| queries.iter().find(|(transport, ..)| *transport == wanted).unwrap();
    assert_eq!(over(Transport::Udp).1, edns_buffer_size);
    assert_eq!(over(Transport::Tcp).2, tcp_timeout);
}
