//! Referrals that are no help, or that would have the recursive server work for ever.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use glasstack_dns::{
    DnsName, IterateConfig, Message, Record, RecordData, RecordType, RecursorConfig, ResponseCode,
};
use std::net::IpAddr;
use world::tree::{Tree, name};
use world::{question, record, seconds};

/// A zone, its servers, and records beside them.
type Referral = (&'static str, Vec<String>, Vec<Record>);

/// A tree in which the server of lame.test refers everybody to somebody.
fn referring(refer: impl Fn(&DnsName) -> Referral + Send + 'static) -> Tree {
    referring_with(IterateConfig::default(), refer)
}

fn referring_with(iterate: IterateConfig, refer: impl Fn(&DnsName) -> Referral + Send + 'static) -> Tree {
    let mut tree = Tree::with(1, RecursorConfig { iterate, ..RecursorConfig::default() });
    tree.stop("ns-lame");
    world::scripted(&tree.hosts["ns-lame"], move |query, _| {
        let (zone, servers, additionals) = refer(&query.question.clone().unwrap().name);
        let server = |server: &String| record(zone, RecordData::Ns(name(server)));
        let authorities = servers.iter().map(server).collect();
        let referral = Message { authorities, additionals, ..query.response(ResponseCode::NoError) };
        vec![referral.to_bytes().unwrap()]
    });
    tree
}

/// The same, whatever is asked: sub.lame.test is served by `server`.
fn sub_served_by(server: &'static str, glue: &[Record]) -> Tree {
    let glue = glue.to_vec();
    referring(move |_| ("sub.lame.test", vec![server.to_owned()], glue.clone()))
}

/// The address of ns.sub.lame.test, where nobody is.
fn glue(ttl: u32) -> Record {
    Record { ttl, ..record("ns.sub.lame.test", IpAddr::from([10, 0, 0, 99])) }
}

/// NXNSAttack (<https://www.nxnsattack.com>): a referral to many servers that somebody else would
/// have to be asked for.
#[test]
fn a_referral_to_many_servers_without_addresses_floods_nobody() {
    let victims = (0..40).map(|n| format!("n{n}.victim.com")).collect::<Vec<_>>();
    let mut tree = referring(move |_| ("sub.lame.test", victims.clone(), vec![]));
    tree.resolve("www.sub.lame.test").unwrap_err();
    assert!(tree.told("asked 10.0.0.21").len() <= 6, "{:#?}", tree.asked());
}

/// All that is known of two zones is that their servers are in one another: no query is left to be
/// asked, and still there are more ways round than anybody can go.
#[test]
fn zones_with_many_servers_in_each_other_cost_no_more_than_a_question_may() {
    let mut tree = referring(|asked| {
        let (zone, other) =
            if asked.is_within(&name("a.lame.test")) { ("a.lame.test", "b") } else { ("b.lame.test", "a") };
        (zone, (0..10).map(|n| format!("n{n}.{other}.lame.test")).collect(), vec![])
    });
    tree.resolve("www.a.lame.test").unwrap_err();
    let sought = tree.told("needs the address of").len();
    assert!((5..=100).contains(&sought), "{sought}");
    let failed = tree.told("failed www.a.lame.test");
    assert!(failed[0].contains("more than 5 name servers have no address"), "{failed:?}");
    assert!(tree.asked().len() < 10, "{:#?}", tree.asked());
}

#[test]
fn servers_of_servers_of_servers_are_looked_for_so_deep_and_no_deeper() {
    let iterate = IterateConfig { max_depth: 1, ..IterateConfig::default() };
    // Those of far.test have to be looked for, too.
    let mut tree = referring_with(iterate, |_| ("sub.lame.test", vec!["ns.far.test".to_owned()], vec![]));
    tree.resolve("www.sub.lame.test").unwrap_err();
    let failed = tree.told("failed www.sub.lame.test");
    assert!(failed[0].contains("looked for 1 deep and no deeper"), "{failed:?}");
    tree.resolve("www.far.test").unwrap();
}

/// RFC 2181 10.3: the name of a name server "must not be an alias"; but there are such, and they answer.
#[test]
fn a_name_server_whose_name_is_an_alias_is_found_all_the_same() {
    let mut tree = sub_served_by("here.example.test", &[]);
    tree.resolve("www.sub.lame.test").unwrap_err();
    let failed = tree.told("failed www.sub.lame.test");
    assert!(failed[0].contains("here.example.test (192.0.2.80:53): it cannot be reached"), "{failed:?}");
}

/// RFC 1035 3.2.1: a TTL of zero is "for the transaction in progress", and this is one.
#[test]
fn glue_that_may_not_be_kept_is_good_for_once() {
    let mut tree = sub_served_by("ns.sub.lame.test", &[glue(0)]);
    tree.resolve("www.sub.lame.test").unwrap_err();
    assert_eq!(tree.told("asked 10.0.0.99").len(), 3);
}

#[test]
fn glue_that_is_over_before_its_delegation_is_asked_for_again() {
    let mut tree = sub_served_by("ns.sub.lame.test", &[glue(30)]);
    tree.resolve("www.sub.lame.test").unwrap_err();
    tree.resolve("other.sub.lame.test").unwrap_err();
    assert_eq!(tree.told("refers to sub.lame.test").len(), 1, "it is remembered");
    tree.world.run_for(seconds(30)).unwrap();
    tree.resolve("www.sub.lame.test").unwrap_err();
    assert_eq!(tree.told("refers to sub.lame.test").len(), 2);
}

#[test]
fn a_referral_from_memory_counts_its_glue_down() {
    let mut tree = sub_served_by("ns.sub.lame.test", &[glue(30)]);
    tree.resolve("www.sub.lame.test").unwrap_err();
    let query = Message::query(77, question("x.sub.lame.test", RecordType::A), None);
    let referred = tree.ask(&Message { recursion_desired: false, ..query });
    assert_eq!(referred.authorities[0].owner, name("sub.lame.test"));
    assert!(referred.additionals[0].ttl < 30 && referred.authorities[0].ttl > 200, "{referred:?}");
}

/// RFC 9520 3.1: a query goes to a server three times at most. Each time it has twice as long.
#[test]
fn a_silent_server_is_asked_three_times() {
    let mut tree = Tree::new(1);
    let begun = tree.now();
    tree.resolve("www.dead.test").unwrap_err();
    assert_eq!(tree.told("asked 10.0.0.99").len(), 3);
    let waited = (tree.now() - begun).as_millis();
    assert!((2_800..3_000).contains(&waited), "{waited} ms of 400, 800 and 1600");
}
