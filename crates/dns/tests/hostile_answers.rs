//! What servers may say that mean harm, and what it may lead to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod scripted;

use glasstack_dns::{
    DnsName, LocalZones, Minimisation, RecordType, RecursorConfig, ResponseCode, ZoneElsewhere,
};
use scripted::Scene;

#[test]
fn a_forwarder_that_refers_to_others_sends_nobody_there() {
    let forward = |config: &mut RecursorConfig| {
        config.iterate.qname_minimisation = Minimisation::Off;
        config.iterate.zones = vec![ZoneElsewhere::Forward {
            zone: DnsName::parse("corp.test").unwrap(),
            servers: vec!["10.0.0.5:53".parse().unwrap()],
            names: Vec::new(),
            first: false,
            tcp: false,
        }];
    };
    let mut scene = Scene::with(
        "10.0.0.5  *.corp.test  : | sub.corp.test. NS ns.sub.corp.test. | ns.sub.corp.test. A 10.0.0.6
         10.0.0.6  *.corp.test  AA : www.sub.corp.test. A 6.6.6.6",
        forward,
    );
    assert_eq!(scene.answer("www.sub.corp.test", RecordType::A), ["SERVFAIL"]);
    let asked = scene.asked();
    assert!(asked.iter().all(|asked| asked.starts_with("10.0.0.5 ")), "{asked:?}");
}

/// RFC 6303: what is everybody's own is nobody's to know on the Internet.
#[test]
fn private_addresses_are_asked_about_nowhere_but_where_the_configuration_says() {
    let whole_names = |config: &mut RecursorConfig| config.iterate.qname_minimisation = Minimisation::Off;
    let always = |config: &mut RecursorConfig| {
        whole_names(config);
        config.iterate.local_zones = LocalZones::Always;
    };
    let tree = "10.0.0.1  alias  AA : alias. 300 CNAME 3.2.1.10.in-addr.arpa.
                10.0.0.1  *.in-addr.arpa  AA : 3.2.1.10.in-addr.arpa. PTR leaked.
                10.0.0.5  *.10.in-addr.arpa  AA : 3.2.1.10.in-addr.arpa. PTR ours.";
    let (ten, ptr) = ("3.2.1.10.in-addr.arpa", RecordType::Ptr);
    let mut scene = Scene::with(tree, always);
    for recursion_desired in [true, false] {
        let reply = scene.ask_with(ten, ptr, recursion_desired);
        assert_eq!((reply.code, reply.authorities.len()), (ResponseCode::NxDomain, 1), "{}", reply.why);
        assert!(
            reply.authorities[0]
                .to_string()
                .starts_with("10.in-addr.arpa. 10800 IN SOA 10.in-addr.arpa. nobody.inv")
        );
    }
    assert_eq!(
        scene.answer("1.0.0.127.in-addr.arpa", ptr),
        ["NOERROR", "1.0.0.127.in-addr.arpa PTR localhost."]
    );
    assert_eq!(scene.asked(), Vec::<String>::new());
    // Nor does an alias lead there.
    assert_eq!(scene.answer("alias", ptr), ["NXDOMAIN", "alias CNAME 3.2.1.10.in-addr.arpa."]);
    assert!(scene.asked().iter().all(|asked| !asked.contains("10.in-addr")), "{:?}", scene.asked());
    let mut scene = Scene::with(tree, |config| {
        always(config);
        config.iterate.zones = vec![ZoneElsewhere::Stub {
            zone: DnsName::parse("10.in-addr.arpa").unwrap(),
            servers: vec!["10.0.0.5:53".parse().unwrap()],
            names: Vec::new(),
            prime: false,
            first: false,
            tcp: false,
        }];
    });
    assert_eq!(scene.answer(ten, ptr), ["NOERROR", "3.2.1.10.in-addr.arpa PTR ours."]);
    // With a root of one's own nothing is held back unless that is wished.
    let mut scene = Scene::with(tree, whole_names);
    assert_eq!(scene.answer(ten, ptr), ["NOERROR", "3.2.1.10.in-addr.arpa PTR leaked."]);
}

/// RFC 6303 3, RFC 2308 5: without an SOA record nobody could keep it.
#[test]
fn names_that_exist_nowhere_are_denied_so_that_it_can_be_kept() {
    let mut scene = Scene::new("");
    for (name, zone) in [("www.invalid", "invalid"), ("x.onion", "onion")] {
        let reply = scene.ask(name, RecordType::A);
        assert_eq!(reply.code, ResponseCode::NxDomain);
        assert_eq!(reply.authorities.len(), 1, "{}", reply.why);
        assert_eq!(reply.authorities[0].owner.as_str(), zone);
    }
    let reply = scene.ask("localhost", RecordType::Mx);
    assert_eq!((reply.code, reply.authorities[0].owner.as_str()), (ResponseCode::NoError, "localhost"));
}

/// What forwards or stubs answer for lies below names that the tree above knows nothing of.
#[test]
fn that_the_tree_knows_no_such_name_says_nothing_of_zones_that_are_asked_about_elsewhere() {
    let mut scene = Scene::with(
        "10.0.0.1  *.internal  AA NXDOMAIN : | . 300 SOA a.root.test. x. 1 1 1 1 300
         10.0.0.5  www.corp.internal A  AA : www.corp.internal. A 192.0.2.5
         10.0.0.5  *.corp.internal      AA NXDOMAIN : | corp.internal. 300 SOA ns. x. 1 1 1 1 300",
        |config| {
            config.iterate.zones = vec![ZoneElsewhere::Forward {
                zone: DnsName::parse("corp.internal").unwrap(),
                servers: vec!["10.0.0.5:53".parse().unwrap()],
                names: Vec::new(),
                first: false,
                tcp: false,
            }];
        },
    );
    assert_eq!(scene.answer("internal", RecordType::A), ["NXDOMAIN"]);
    assert_eq!(
        scene.answer("www.corp.internal", RecordType::A),
        ["NOERROR", "www.corp.internal A 192.0.2.5"]
    );
    // What those say who are asked counts as ever.
    assert_eq!(scene.answer("no.corp.internal", RecordType::A), ["NXDOMAIN"]);
    scene.asked();
    assert_eq!(scene.answer("x.no.corp.internal", RecordType::A), ["NXDOMAIN"]);
    assert_eq!(scene.asked(), Vec::<String>::new());
}
