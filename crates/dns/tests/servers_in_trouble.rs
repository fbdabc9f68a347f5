//! Servers that are silent, dead, old, overloaded or unwilling, and answers that do not fit.
#![allow(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod world;

use glasstack_dns::error::{NetworkError, ServerProblem};
use glasstack_dns::message::ExtendedError;
use glasstack_dns::{Message, RecordData, RecordType, ResolveError, ResponseCode};
use glasstack_sim::fault;
use glasstack_views::Layer;
use std::net::{IpAddr, SocketAddr};
use world::{DNS, DNS_2, Net, record, scripted, seconds, serve_example};

fn asked(net: &Net) -> Vec<String> {
    net.story().into_iter().filter(|line| line.starts_with("asked")).collect()
}

/// A server that answers every query with this code and nothing else.
fn always(net: &Net, code: ResponseCode) {
    scripted(&net.dns, move |query, _| vec![query.response(code).to_bytes().unwrap()]);
}

#[test]
fn an_answer_that_does_not_fit_is_fetched_over_tcp() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let lookup = net.resolve(&resolver, "many.example.test").unwrap();
    assert_eq!(lookup.addresses.len(), 100);
    assert_eq!(
        asked(&net),
        [
            "asked 10.0.0.53 over UDP for many.example.test A: the answer is not known here",
            "asked 10.0.0.53 over TCP for many.example.test A: the UDP answer was truncated",
        ]
    );
    let ladder = net.ladder(&[Layer::Tcp]);
    assert!(ladder.contains("client -> dns  TCP SYN\n"), "{ladder}");
}

#[test]
fn edns_makes_room_for_what_would_not_fit_without() {
    // 40 addresses are some 700 bytes: more than 512, less than 1232.
    let transports = |edns: bool| {
        let mut net = Net::new();
        let mut zone = glasstack_dns::Zone::new("example.test").unwrap();
        for last in 0..40 {
            zone.add("forty", 60, IpAddr::from([198, 51, 100, last])).unwrap();
        }
        let local = SocketAddr::new(net.dns.address(), 53);
        let _server = glasstack_dns::serve(&net.dns, local, glasstack_dns::Zones::from(zone)).unwrap();
        let resolver = net.resolver_with(&[DNS], |config| config.edns = edns);
        assert_eq!(net.resolve(&resolver, "forty.example.test").unwrap().addresses.len(), 40);
        asked(&net).len()
    };
    assert_eq!((transports(true), transports(false)), (1, 2));
}

#[test]
fn everything_can_be_asked_over_tcp_from_the_start() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver_with(&[DNS], |config| config.use_tcp = true);
    assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses.len(), 1);
    assert_eq!(net.ladder(&[Layer::Udp]), "");
}

#[test]
fn a_silent_server_is_asked_again_and_then_given_up_with_a_hint() {
    let mut net = Net::new();
    scripted(&net.dns, |_, _| Vec::new());
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer about www.example.test from 10.0.0.53:53 (asked twice, 5000 ms each): is that the right name \
         server (--dns IP), and can it be reached?"
    );
    assert_eq!(
        asked(&net),
        [
            "asked 10.0.0.53 over UDP for www.example.test A: the answer is not known here",
            "asked 10.0.0.53 over UDP for www.example.test A: no answer within 5000 ms",
        ]
    );
    assert_eq!(net.client.now().as_micros(), 10_000_000);
}

#[test]
fn after_a_silent_server_comes_the_next() {
    let mut net = Net::new();
    scripted(&net.dns, |_, _| Vec::new());
    let _server = serve_example(&net.dns_2);
    let resolver = net.resolver(&[DNS, DNS_2]);
    let lookup = net.resolve(&resolver, "www.example.test").unwrap();
    assert_eq!(lookup.server, Some(SocketAddr::new(DNS_2.parse().unwrap(), 53)));
    assert_eq!(
        asked(&net)[1],
        "asked 10.0.0.54 over UDP for www.example.test A: next server, because 10.0.0.53:53: it did not answer \
         within 5000 ms"
    );
}

#[test]
fn a_host_without_a_name_server_says_so_and_the_next_is_asked_at_once() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns_2);
    let resolver = net.resolver(&[DNS, DNS_2]);
    net.resolve(&resolver, "www.example.test").unwrap();
    assert!(asked(&net)[1].contains("port unreachable"), "{:?}", asked(&net));
    assert!(net.client.now().as_micros() < 50_000, "nothing was waited for");
}

#[test]
fn a_server_that_is_not_there_at_all_is_named_with_the_reason() {
    let mut net = Net::new();
    let resolver = net.resolver(&["10.0.0.99"]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert!(
        matches!(&error, ResolveError::Network { source, .. } if matches!(**source, NetworkError::Udp(_)))
    );
    assert!(error.to_string().contains("no ARP reply from 10.0.0.99"), "{error}");
    let resolver = net.resolver(&["10.9.9.9"]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert!(matches!(error, ResolveError::Network { .. }), "{error}");
}

#[test]
fn a_server_that_cannot_or_will_not_is_told_apart_and_another_is_asked() {
    for (code, expected) in [(ResponseCode::ServFail, "SERVFAIL"), (ResponseCode::Refused, "REFUSED")] {
        let mut net = Net::new();
        always(&net, code);
        let resolver = net.resolver(&[DNS]);
        let error = net.resolve(&resolver, "www.example.test").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(asked(&net).len(), 1, "it has said what it has to say");
        let _server = serve_example(&net.dns_2);
        let resolver = net.resolver(&[DNS, DNS_2]);
        assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses.len(), 1);
    }
}

#[test]
fn why_a_server_has_no_answer_is_said_as_far_as_it_says_so() {
    for (code, text, expected) in [
        (
            ResponseCode::ServFail,
            "its signature has\u{1b}[31m expired",
            "10.0.0.53:53 cannot resolve www.example.test: it answers SERVFAIL and says why: 6 (DNSSEC Bogus): (its \
             signature has\\u{1b}[31m expired); whoever runs the zone must mend its signatures",
        ),
        (
            ResponseCode::Refused,
            "not here",
            "10.0.0.53:53 refuses to resolve www.example.test (REFUSED: 6 (DNSSEC Bogus): (not here)): it does not \
             serve this host or this name; ask another name server (--dns IP)",
        ),
        (
            ResponseCode::NxDomain,
            "",
            "www.example.test does not exist (NXDOMAIN from 10.0.0.53:53, which says why: 6 (DNSSEC Bogus)): is it \
             spelled right?",
        ),
    ] {
        let mut net = Net::new();
        scripted(&net.dns, move |query, _| {
            let mut response = query.response(code);
            let edns = response.edns.as_mut().unwrap();
            edns.extended_errors = vec![ExtendedError { code: 6, text: text.to_owned() }];
            vec![response.to_bytes().unwrap()]
        });
        let resolver = net.resolver(&[DNS]);
        let error = net.resolve(&resolver, "www.example.test").unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn how_much_a_server_may_say_of_why_is_bounded() {
    let mut net = Net::new();
    scripted(&net.dns, |query, _| {
        let mut response = query.response(ResponseCode::ServFail);
        let error = ExtendedError { code: 0, text: "x".repeat(100) };
        response.edns.as_mut().unwrap().extended_errors = vec![error; 9];
        vec![response.to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err().to_string();
    assert!(error.contains("0 (Other): (xxx") && error.len() < 700, "{error}");
}

#[test]
fn a_server_that_only_refers_to_others_is_no_resolver() {
    let mut net = Net::new();
    scripted(&net.dns, |query, _| {
        let referral = Message {
            authorities: vec![record("test", RecordData::Ns("ns.test".parse().unwrap()))],
            ..query.response(ResponseCode::NoError)
        };
        vec![referral.to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert!(
        matches!(error, ResolveError::ServerFailure { what: ServerProblem::NotRecursive, .. }),
        "{error}"
    );
}

#[test]
fn a_server_from_before_edns_is_asked_without_from_then_on() {
    for code in [ResponseCode::FormErr, ResponseCode::NotImp] {
        let mut net = Net::new();
        scripted(&net.dns, move |query, _| {
            if query.edns.is_some() {
                // Only the header comes back: the question was not understood either.
                let bare = Message { question: None, edns: None, ..query.response(code) };
                return vec![bare.to_bytes().unwrap()];
            }
            let name = query.question.as_ref().unwrap().name.clone();
            let answers = vec![record(name.as_str(), IpAddr::from([192, 0, 2, 1]))];
            vec![Message { answers, ..query.response(ResponseCode::NoError) }.to_bytes().unwrap()]
        });
        let resolver = net.resolver(&[DNS]);
        net.resolve(&resolver, "a.test").unwrap();
        net.resolve(&resolver, "b.test").unwrap();
        assert_eq!(
            asked(&net),
            [
                "asked 10.0.0.53 over UDP for a.test A: the answer is not known here",
                "asked 10.0.0.53 over UDP for a.test A: the server did not understand EDNS",
                "asked 10.0.0.53 over UDP for b.test A: the answer is not known here",
            ]
        );
    }
}

#[test]
fn the_target_of_an_alias_is_asked_for_if_the_answer_leaves_it_out() {
    let mut net = Net::new();
    scripted(&net.dns, |query, _| {
        let name = query.question.as_ref().unwrap().name.clone();
        let data = match name.as_str() {
            "www.example.test" => RecordData::Cname("edge.cdn.test".parse().unwrap()),
            _ => RecordData::A([192, 0, 2, 99].into()),
        };
        let answers = vec![record(name.as_str(), data)];
        vec![Message { answers, ..query.response(ResponseCode::NoError) }.to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    let lookup = net.resolve(&resolver, "www.example.test").unwrap();
    assert_eq!(lookup.canonical, "edge.cdn.test");
    assert_eq!(asked(&net)[1], "asked 10.0.0.53 over UDP for edge.cdn.test A: www.example.test is an alias");
}

#[test]
fn aliases_without_end_are_given_up() {
    let mut net = Net::new();
    let mut hops = 0;
    scripted(&net.dns, move |query, _| {
        hops += 1;
        let name = query.question.as_ref().unwrap().name.clone();
        let target = RecordData::Cname(format!("hop{hops}.test").parse().unwrap());
        let answers = vec![record(name.as_str(), target)];
        vec![Message { answers, ..query.response(ResponseCode::NoError) }.to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert!(matches!(error, ResolveError::CnameLoop { .. }), "{error}");
    assert_eq!(asked(&net).len(), 12);
}

#[test]
fn a_lost_question_and_a_lost_answer_are_asked_for_again() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    net.cable.add_fault(fault::drop_nth(1, |frame| frame.is_udp() && frame.destination_port() == Some(53)));
    net.cable.add_fault(fault::drop_nth(1, |frame| frame.is_udp() && frame.source_port() == Some(53)));
    let resolver = net.resolver_with(&[DNS], |config| {
        config.attempts = 3;
        config.timeout = seconds(1);
    });
    assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses.len(), 1);
    assert_eq!(asked(&net).len(), 3);
}

#[test]
fn names_resolve_where_every_tenth_frame_is_lost() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    net.cable.add_fault(fault::loss(0.1));
    let resolver = net.resolver_with(&[DNS], |config| {
        config.attempts = 5;
        config.cache.max_bytes = 0;
    });
    for _ in 0..50 {
        assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses.len(), 1);
        assert_eq!(net.resolve(&resolver, "many.example.test").unwrap().addresses.len(), 100);
    }
}

#[test]
fn a_server_that_closes_its_tcp_connection_unasked_is_told() {
    let mut net = Net::new();
    let listener = net.dns.listen(SocketAddr::new(net.dns.address(), 53)).unwrap();
    net.dns.spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let resolver = net.resolver_with(&[DNS], |config| config.use_tcp = true);
    let error = net.query(&resolver, "www.example.test", RecordType::A).unwrap_err();
    assert!(error.to_string().contains("TCP connection ended before the answer"), "{error}");
}
