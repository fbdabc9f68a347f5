//! A name is looked up in one place after the other, and each says whether it knew.
#![allow(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod world;

use glasstack_dns::{HostsFile, RecordType, ResolveError};
use glasstack_journal::event::{Event, LookupSource};
use glasstack_journal::{SpanId, SpanKind, event};
use glasstack_stack::World;
use glasstack_views::Layer;
use std::collections::BTreeMap;
use std::net::IpAddr;
use world::{DNS, DNS_2, Net, seconds, serve_example};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_name_that_nobody_here_knows_is_asked_of_the_server() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let lookup = net.resolve(&resolver, "WWW.example.test").unwrap();
    assert_eq!(lookup.addresses, [ip("192.0.2.80")]);
    assert_eq!((lookup.source, lookup.ttl), (LookupSource::Server, seconds(300)));
    assert_eq!(
        net.story(),
        [
            "IP literal: miss: it is not an IP address",
            "cache: miss: nothing is known about it",
            "hosts file: miss: there is none, or it is empty",
            "asked 10.0.0.53 over UDP for www.example.test A: the answer is not known here",
            "10.0.0.53 answered NOERROR with 1 records after 8 ms",
            "name server: hit: 10.0.0.53:53 has A 192.0.2.80, for 300 s",
            "resolved WWW.example.test to [192.0.2.80] for 300 s (name server)",
        ]
    );
    assert_eq!(
        net.ladder(&[Layer::Udp]),
        " 0.004000 client -> dns  DNS query A www.example.test\n \
         0.006000 dns -> client  DNS response NOERROR A www.example.test\n"
    );
}

#[test]
fn the_second_time_the_cache_knows_until_the_ttl_has_run_out() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    net.resolve(&resolver, "www.example.test").unwrap();
    net.world.run_for(seconds(100)).unwrap();
    let before = net.story().len();
    let lookup = net.resolve(&resolver, "www.example.test").unwrap();
    assert_eq!((lookup.source, lookup.ttl, lookup.server), (LookupSource::Cache, seconds(200), None));
    assert_eq!(
        net.story()[before..],
        [
            "IP literal: miss: it is not an IP address",
            "cache: hit: A 192.0.2.80, for 200 s",
            "resolved www.example.test to [192.0.2.80] for 200 s (cache)",
        ]
    );
    net.world.run_for(seconds(200)).unwrap();
    assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().source, LookupSource::Server);
}

#[test]
fn what_is_known_here_sends_nothing() {
    let mut net = Net::new();
    let resolver = net.resolver_with(&[DNS], |config| {
        config.hosts = HostsFile::parse("192.0.2.7 www.example.test\n");
        config.overrides = vec!["www.example.test:443:192.0.2.8".parse().unwrap()];
    });
    assert_eq!(net.resolve(&resolver, "192.0.2.9").unwrap().source, LookupSource::Literal);
    assert_eq!(net.resolve(&resolver, "localhost").unwrap().addresses, [ip("127.0.0.1")]);
    let https = net.world.run(resolver.resolve_port("www.example.test", 443)).unwrap().unwrap();
    assert_eq!((https.addresses, https.source), (vec![ip("192.0.2.8")], LookupSource::Override));
    let http = net.world.run(resolver.resolve_port("www.example.test", 80)).unwrap().unwrap();
    assert_eq!((http.addresses, http.source), (vec![ip("192.0.2.7")], LookupSource::HostsFile));
    assert!(matches!(net.resolve(&resolver, "x.invalid"), Err(ResolveError::NotFound { .. })));
    // RFC 6761 6.3 and 6.4 are about every type.
    for (record_type, address) in [(RecordType::A, "127.0.0.1"), (RecordType::Aaaa, "::1")] {
        let here = net.query(&resolver, "a.localhost", record_type).unwrap();
        assert_eq!((here.addresses, here.server), (vec![ip(address)], None));
    }
    let error = net.query(&resolver, "localhost", RecordType::Mx).unwrap_err();
    assert!(matches!(&error, ResolveError::NoRecords { said_by, .. } if said_by.contains("RFC 6761")));
    for name in ["x.invalid", "x.onion"] {
        let error = net.query(&resolver, name, RecordType::Txt).unwrap_err();
        assert!(matches!(error, ResolveError::NotFound { .. }));
    }
    assert!(matches!(net.resolve(&resolver, "idle leo.com"), Err(ResolveError::InvalidName { .. })));
    assert!(matches!(net.resolve(&resolver, "[::1]"), Err(ResolveError::AaaaOnly { .. })));
    assert_eq!(net.ladder(&[Layer::Arp, Layer::Udp]), "");
}

#[test]
fn a_name_that_does_not_exist_is_remembered_as_long_as_the_soa_says() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "no.example.test").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no.example.test does not exist (NXDOMAIN from 10.0.0.53:53): is it spelled right?"
    );
    let before = net.story().len();
    assert!(matches!(net.resolve(&resolver, "no.example.test"), Err(ResolveError::NotFound { .. })));
    assert_eq!(net.story()[before + 1], "cache: hit: NXDOMAIN: the name does not exist, for another 60 s");
    net.world.run_for(seconds(60)).unwrap();
    net.resolve(&resolver, "no.example.test").unwrap_err();
    assert_eq!(net.story().iter().filter(|line| line.starts_with("asked")).count(), 2);
}

#[test]
fn a_name_with_only_an_ipv6_address_is_an_error_that_names_it() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "v6.example.test").unwrap_err();
    assert_eq!(
        error.to_string(),
        "v6.example.test has only an IPv6 address (2001:db8::80), and IPv6 is not spoken here yet: use a name or an \
         address that can be reached over IPv4"
    );
    let asked: Vec<String> = net.story().into_iter().filter(|line| line.starts_with("asked")).collect();
    assert_eq!(
        asked,
        [
            "asked 10.0.0.53 over UDP for v6.example.test A: the answer is not known here",
            "asked 10.0.0.53 over UDP for v6.example.test AAAA: the answer is not known here",
        ]
    );
}

#[test]
fn a_name_without_any_address_is_told_apart_from_one_that_does_not_exist() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "text.example.test").unwrap_err();
    assert!(matches!(error, ResolveError::NoAddress { .. }), "{error}");
    let lookup = net.query(&resolver, "text.example.test", RecordType::Txt).unwrap();
    assert_eq!(lookup.records[0].to_string(), "text.example.test. 300 IN TXT \"only words\"");
    let error = net.query(&resolver, "text.example.test", RecordType::Mx).unwrap_err();
    assert!(matches!(error, ResolveError::NoRecords { record_type: RecordType::Mx, .. }), "{error}");
}

#[test]
fn aliases_are_followed_to_the_canonical_name() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let lookup = net.resolve(&resolver, "blog.example.test").unwrap();
    assert_eq!((lookup.canonical.as_str(), &lookup.addresses), ("www.example.test", &vec![ip("192.0.2.80")]));
    assert_eq!(lookup.records.len(), 3);
    let aliases: Vec<String> =
        net.story().into_iter().filter(|line| line.contains(" is web") || line.contains(" is www")).collect();
    assert_eq!(aliases, ["blog.example.test is web.example.test", "web.example.test is www.example.test"]);
    // Each link of the chain is in the cache by itself.
    let web = net.resolve(&resolver, "web.example.test").unwrap();
    assert_eq!((web.source, web.addresses), (LookupSource::Cache, vec![ip("192.0.2.80")]));
}

#[test]
fn an_alias_of_nothing_and_a_loop_of_aliases_say_what_they_are() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    assert_eq!(
        net.resolve(&resolver, "dangling.example.test").unwrap_err().to_string(),
        "dangling.example.test does not exist: it is an alias of no.example.test, which does not (NXDOMAIN from \
         10.0.0.53:53): is it spelled right?"
    );
    assert_eq!(
        net.resolve(&resolver, "one.example.test").unwrap_err().to_string(),
        "one.example.test leads nowhere: its chain of aliases comes back to one.example.test; whoever runs the zone \
         must mend its CNAME records"
    );
}

#[test]
fn a_short_name_is_tried_in_the_search_domains() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver_with(&[DNS], |config| {
        config.search = vec!["no.example.test".parse().unwrap(), "example.test".parse().unwrap()];
    });
    assert_eq!(net.resolve(&resolver, "www").unwrap().canonical, "www.example.test");
    let asked: Vec<String> = net.story().into_iter().filter(|line| line.starts_with("asked")).collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].contains("for www.no.example.test A"), "{asked:?}");
}

#[test]
fn without_a_name_server_the_error_says_how_to_name_one() {
    let mut net = Net::new();
    let resolver = net.resolver(&[]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert!(matches!(error, ResolveError::NoServers { .. }));
    assert!(error.to_string().contains("--dns IP"), "{error}");
}

#[test]
fn every_question_stands_in_a_span_of_its_own_and_every_span_is_closed() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS_2, DNS]);
    net.resolve(&resolver, "www.example.test").unwrap();
    let client = net.client.scope().node();
    let mut open: BTreeMap<SpanId, (SpanKind, Option<SpanId>)> = BTreeMap::new();
    let (mut sockets, mut questions) = (Vec::new(), Vec::new());
    for record in net.recorder.records().into_iter().filter(|record| record.node == client) {
        match (record.event, record.span) {
            (Event::Span(event::Span::Opened { parent, kind }), Some(span)) => {
                open.insert(span, (kind, parent));
            }
            (Event::Span(event::Span::Closed), Some(span)) => {
                open.remove(&span).unwrap();
            }
            (Event::Udp(event::Udp::Bound { .. }), Some(span)) => sockets.push(span),
            (Event::Dns(event::Dns::QuerySent { .. }), Some(span)) => {
                questions.push(span);
                let (kind, parent) = &open[&span];
                assert!(matches!(kind, SpanKind::Query { .. }));
                assert!(matches!(open[&parent.unwrap()].0, SpanKind::Resolve { .. }));
            }
            _ => {}
        }
    }
    assert_eq!(questions.len(), 2);
    assert_eq!(sockets, questions, "a question's span is that of its socket");
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_same_seed_asks_with_the_same_ids_and_ports_and_another_does_not() {
    let bytes = |seed| {
        let mut net = Net::with_seed(seed);
        let _server = serve_example(&net.dns);
        let resolver = net.resolver(&[DNS]);
        net.resolve(&resolver, "www.example.test").unwrap();
        let frames = net.recorder.records().into_iter().filter_map(|record| match record.event {
            Event::Link(event::Link::Frame { bytes, .. }) => Some(bytes.to_vec()),
            _ => None,
        });
        frames.collect::<Vec<_>>()
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}
