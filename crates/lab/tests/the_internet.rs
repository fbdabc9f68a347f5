//! What lies between the client and the server: the home router that translates, routers that forward,
//! name servers from the root down, and the ways around a cut cable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_dns::{RecordData, RecordType, Resolver, ResolverConfig};
use glasstack_journal::event::{Event, FrameId, Link, MacAddress};
use glasstack_lab::{Lab, plan};
use glasstack_sim::FrameView;
use glasstack_stack::Unreachability;
use glasstack_stack::probe::{ProbeAnswer, ProbeKind, ProbeOptions};
use glasstack_stack::{DhcpOptions, PingOptions, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use support::Journey;

/// The addresses of a.root-servers.net to m.root-servers.net (<https://www.iana.org/domains/root/servers>).
const ROOTS: [(&str, Ipv4Addr); 13] = [
    ("a", Ipv4Addr::new(198, 41, 0, 4)),
    ("b", Ipv4Addr::new(170, 247, 170, 2)),
    ("c", Ipv4Addr::new(192, 33, 4, 12)),
    ("d", Ipv4Addr::new(199, 7, 91, 13)),
    ("e", Ipv4Addr::new(192, 203, 230, 10)),
    ("f", Ipv4Addr::new(192, 5, 5, 241)),
    ("g", Ipv4Addr::new(192, 112, 36, 4)),
    ("h", Ipv4Addr::new(198, 97, 190, 53)),
    ("i", Ipv4Addr::new(192, 36, 148, 17)),
    ("j", Ipv4Addr::new(192, 58, 128, 30)),
    ("k", Ipv4Addr::new(193, 0, 14, 129)),
    ("l", Ipv4Addr::new(199, 7, 83, 42)),
    ("m", Ipv4Addr::new(202, 12, 27, 33)),
];

/// Somebody at the client who asks this server alone.
fn asking(lab: &Lab, server: impl Into<IpAddr>) -> Resolver {
    let servers = vec![SocketAddr::new(server.into(), 53)];
    Resolver::new(lab.client.clone(), ResolverConfig { servers, ..ResolverConfig::default() })
}

// ---- names

#[test]
fn every_root_server_names_all_thirteen_and_where_they_are() {
    let mut lab = Lab::new(1).unwrap();
    for (letter, address) in ROOTS {
        let resolver = asking(&lab, address);
        let answer = lab.world.run(resolver.query(".", RecordType::Ns)).unwrap().unwrap();
        let mut named: Vec<String> = answer.records.iter().map(|record| record.data.to_string()).collect();
        named.sort();
        let all = ROOTS.map(|(letter, _)| format!("{letter}.root-servers.net."));
        assert_eq!(named, all, "{letter}");
        // They serve root-servers.net, too, as the real ones do.
        let own = lab.world.run(resolver.resolve(&format!("{letter}.root-servers.net"))).unwrap().unwrap();
        assert_eq!(own.addresses, [IpAddr::from(address)]);
    }
}

#[test]
fn the_resolver_goes_from_a_root_to_the_top_level_domain_to_the_authority() {
    let mut journey = Journey::new(1);
    let resolver = asking(&journey.lab, plan::NAME_SERVER);
    journey.lab.world.run(resolver.resolve("www.example.test")).unwrap().unwrap();
    let answers = answers_of_servers(&journey);
    let who = answers.iter().map(|server| if server.ends_with("-root") { "root" } else { server });
    let who: Vec<&str> = who.collect();
    // Who serves the root (RFC 9609), the way down, and the keys of the three zones (RFC 4035 5).
    let keys = ["root", "test-tld", "ns-example"];
    assert_eq!(who, [&["root", "root", "test-tld", "ns-example"], &keys[..], &["resolver"]].concat());
    // What it knows now it does not ask for again, and keys neither.
    let resolver = asking(&journey.lab, plan::NAME_SERVER);
    journey.lab.world.run(resolver.resolve("example.test")).unwrap().unwrap();
    assert_eq!(answers_of_servers(&journey)[answers.len()..], ["ns-example", "resolver"]);
}

/// The nodes that sent DNS responses of their own, in order.
fn answers_of_servers(journey: &Journey) -> Vec<String> {
    let dns = ladder(&journey.records(), &LadderOptions::only(&[Layer::Udp]));
    let responses = dns.lines().filter(|line| line.contains("DNS response"));
    let servers = responses.filter_map(|line| line.split_whitespace().nth(1)).filter(|from| {
        from.ends_with("-root") || from.ends_with("-tld") || from.starts_with("ns-") || *from == "resolver"
    });
    servers.map(str::to_owned).collect()
}

#[test]
fn names_of_other_domains_are_found_by_their_own_servers() {
    let mut journey = Journey::new(1);
    for (name, tld, authority) in [
        ("www.example.com", "com-tld", "ns-example-com"),
        ("www.example.org", "org-tld", "ns-example-org"),
        ("expired.badssl.test", "test-tld", "ns-badssl"),
        ("far.test", "", "ns-hosting"),
    ] {
        let before = answers_of_servers(&journey).len();
        let resolver = asking(&journey.lab, plan::NAME_SERVER);
        journey.lab.world.run(resolver.resolve(name)).unwrap().unwrap();
        let answers = answers_of_servers(&journey).split_off(before);
        assert!(answers.contains(&authority.to_owned()), "{name}: {answers:?}");
        assert!(tld.is_empty() || answers.contains(&tld.to_owned()), "{name}: {answers:?}");
    }
}

#[test]
fn addresses_lead_back_to_names() {
    let mut lab = Lab::new(1).unwrap();
    let resolver = asking(&lab, plan::NAME_SERVER);
    for (address, name) in [
        (plan::HOME, "home.provider.test"),
        (plan::ACCESS, "access.provider.test"),
        (plan::HOSTING, "hosting.hosting.test"),
        (plan::EUROPE, "core-eu.transit.test"),
        (plan::WEB, "www.example.test"),
        (Ipv4Addr::new(193, 0, 14, 129), "k.root-servers.net"),
    ] {
        let found = lab.world.run(resolver.name_of(address.into())).unwrap().unwrap();
        assert_eq!(found.to_string().trim_end_matches('.'), name, "{address}");
    }
    // What is private is nobody's business outside (RFC 6303 3).
    let private = lab.world.run(resolver.name_of(plan::GATEWAY.into())).unwrap();
    assert!(private.is_err(), "{private:?}");
}

#[test]
fn a_name_server_that_nobody_answers_for_is_passed_by() {
    let mut lab = Lab::new(1).unwrap();
    for (letter, _) in ROOTS.iter().filter(|(letter, _)| *letter != "k") {
        lab.network.cables_of(&format!("{letter}-root")).for_each(|(cable, _)| cable.unplug());
    }
    let resolver = asking(&lab, plan::NAME_SERVER);
    let found = lab.world.run(resolver.resolve("www.example.test")).unwrap().unwrap();
    assert_eq!(found.addresses, [IpAddr::from(plan::WEB)]);
}

// ---- the way of a packet

#[test]
fn a_probe_that_goes_one_hop_further_each_time_shows_the_way() {
    let mut lab = Lab::new(1).unwrap();
    // Until the routers agree on the shortest way: RFC 2453 3.10.1 lets them wait up to 5 s.
    lab.world.run_for(Duration::from_secs(10)).unwrap();
    let mut way = Vec::new();
    for ttl in 1..=30 {
        let options = ProbeOptions { kind: ProbeKind::Udp, ttl, ..ProbeOptions::default() };
        let reply = lab.world.run(lab.client.clone().probe(plan::FAR.into(), &options)).unwrap().unwrap();
        way.push(reply.from);
        if reply.what.is_final() {
            break;
        }
    }
    let asia = Ipv4Addr::new(198, 19, 0, 10);
    let expected = [plan::GATEWAY, plan::ACCESS, plan::EUROPE, asia, plan::FAR];
    assert_eq!(way, expected.map(IpAddr::from));
}

#[test]
fn what_is_sent_to_an_address_of_the_provider_that_nobody_has_ends_at_the_provider() {
    for last in [99, 200] {
        let mut lab = Lab::new(1).unwrap();
        let options = ProbeOptions { kind: ProbeKind::Udp, ttl: 30, ..ProbeOptions::default() };
        let nobody = Ipv4Addr::new(203, 0, 113, last);
        let reply = lab.world.run(lab.client.clone().probe(nobody.into(), &options)).unwrap().unwrap();
        let said = (reply.from, reply.what);
        assert_eq!(said, (plan::ACCESS.into(), ProbeAnswer::Unreachable(Unreachability::Host)));
    }
}

#[test]
fn what_is_sent_to_an_address_that_nobody_has_ends_where_that_is_known() {
    let mut lab = Lab::new(1).unwrap();
    // RIP has told what it has to tell.
    lab.world.run_for(Duration::from_secs(40)).unwrap();
    for nobody in ["198.41.1.1", "202.12.26.9", "198.51.101.1", "203.0.112.5"] {
        let options = ProbeOptions { ttl: 64, ..ProbeOptions::default() };
        let reply =
            lab.world.run(lab.client.clone().probe(nobody.parse().unwrap(), &options)).unwrap().unwrap();
        assert!(matches!(reply.what, ProbeAnswer::Unreachable(_)), "{nobody}: {reply:?}");
    }
}

#[test]
fn the_far_site_is_three_hundred_milliseconds_away_and_back() {
    let mut lab = Lab::new(1).unwrap();
    let client = lab.client.clone();
    for (address, least, most) in [(plan::FAR, 300, 330), (plan::WEB, 10, 20)] {
        // The first one waits for ARP all along the way.
        lab.world.run(client.ping(address.into(), &PingOptions::default())).unwrap().unwrap();
        let reply = lab.world.run(client.ping(address.into(), &PingOptions::default())).unwrap().unwrap();
        let took = reply.rtt;
        assert!((least..most).contains(&took.as_millis()), "{address}: {took:?}");
    }
}

/// A frame as it passed a cable.
#[derive(Debug)]
struct Passed {
    cable: String,
    frame: FrameId,
    from: (Option<MacAddress>, Option<IpAddr>, Option<u16>),
    to: (Option<MacAddress>, Option<IpAddr>, Option<u16>),
    ttl: Option<u8>,
}

/// TCP segments of which the first went by each of the captured cables.
fn captured(journey: &Journey) -> Vec<Passed> {
    let records = journey.records();
    let mut cables = BTreeMap::new();
    let mut passed = Vec::new();
    for record in &records {
        match &record.event {
            Event::Link(Link::CaptureUp { interface, cable }) => {
                cables.insert(*interface, cable.clone());
            }
            Event::Link(Link::Captured { frame, interface, bytes, .. }) => {
                let view = FrameView::new(*frame, bytes);
                if let Some(cable) = cables.get(interface).filter(|_| view.is_tcp()) {
                    passed.push(Passed {
                        cable: cable.clone(),
                        frame: *frame,
                        from: (view.source_mac(), view.source_ip(), view.source_port()),
                        to: (view.destination_mac(), view.destination_ip(), view.destination_port()),
                        ttl: view.ttl(),
                    });
                }
            }
            _ => {}
        }
    }
    passed
}

fn capturing(cables: &'static [&'static str]) -> Journey {
    Journey::through(Lab::builder(1).finally(move |lab| {
        for cable in cables {
            lab.network.cable(*cable).unwrap_or_else(|| panic!("no cable {cable}")).capture();
        }
        Ok(())
    }))
}

#[test]
fn outside_everything_from_home_comes_from_the_home_routers_address() {
    let mut journey = capturing(&["client <-> home-switch", "home <-> access"]);
    journey.get("http://echo.test/").unwrap();
    let frames = captured(&journey);
    let (inside, outside): (Vec<_>, Vec<_>) =
        frames.iter().partition(|passed| passed.cable.starts_with("client"));
    assert!(!inside.is_empty() && inside.len() == outside.len(), "{} {}", inside.len(), outside.len());
    let addresses = |frames: &[&Passed]| {
        let mut all: Vec<_> =
            frames.iter().flat_map(|passed| [passed.from.1.unwrap(), passed.to.1.unwrap()]).collect();
        all.sort();
        all.dedup();
        all
    };
    assert_eq!(addresses(&inside), [IpAddr::from(plan::CLIENT), plan::WEB.into()]);
    assert_eq!(addresses(&outside), [IpAddr::from(plan::WEB), plan::HOME.into()]);
    // Two behind one address: what the server is told differs from what the client says of itself.
    let first = |frames: &[&Passed]| (frames[0].from, frames[0].ttl, frames[0].frame);
    let ((_, own, port), ttl, frame) = first(&inside);
    let ((_, shown, mapped), one_less, same) = first(&outside);
    assert_ne!(own, shown);
    assert_eq!((ttl.map(|ttl| ttl - 1), frame), (one_less, same));
    assert!(port.is_some() && mapped.is_some());
}

#[test]
fn from_link_to_link_the_mac_addresses_change_and_the_ip_addresses_stay() {
    let mut journey = capturing(&["access <-> exchange", "hosting <-> dc-switch"]);
    journey.get("http://echo.test/").unwrap();
    let frames = captured(&journey);
    let of = |name: &str| frames.iter().filter(|passed| passed.cable.starts_with(name)).collect::<Vec<_>>();
    let (before, behind) = (of("access"), of("hosting"));
    assert!(!before.is_empty() && before.len() == behind.len());
    for before in before {
        let behind = behind.iter().find(|passed| passed.frame == before.frame).unwrap();
        assert_eq!((before.from.1, before.to.1), (behind.from.1, behind.to.1));
        assert_eq!((before.from.2, before.to.2), (behind.from.2, behind.to.2));
        assert!(before.from.0 != behind.from.0 && before.to.0 != behind.to.0, "{before:?} {behind:?}");
    }
}

#[test]
fn two_at_home_share_one_address_and_each_gets_its_own_answers() {
    let mut lab = Lab::new(1).unwrap();
    let laptop = lab.host("laptop").unwrap().clone();
    let client = lab.client.clone();
    let options = PingOptions::default();
    let both = lab.world.run(async {
        futures_util::join!(client.ping(plan::WEB.into(), &options), laptop.ping(plan::WEB.into(), &options))
    });
    let (one, other) = both.unwrap();
    assert_eq!((one.unwrap().from, other.unwrap().from), (plan::WEB.into(), plan::WEB.into()));
}

#[test]
fn a_client_without_an_address_gets_one_and_fetches() {
    let mut journey = Journey::through(Lab::builder(1).dhcp());
    let client = journey.lab.client.clone();
    let lease = journey.lab.world.run(client.dhcp(&DhcpOptions::default())).unwrap().unwrap();
    assert_eq!(lease.address, Ipv4Addr::new(192, 168, 1, 100));
    assert_eq!(
        (lease.router, lease.name_servers.as_slice()),
        (Some(plan::GATEWAY), &[plan::NAME_SERVER][..])
    );
    assert_eq!(journey.get("http://www.example.test/").unwrap().status, 200);
}

#[test]
fn with_a_cable_under_the_ocean_cut_the_routers_find_another_way() {
    let mut journey = Journey::new(1);
    journey.lab.world.run_for(Duration::from_secs(60)).unwrap();
    journey.get("http://www.example.com/").unwrap();
    journey.lab.network.cable("core-eu <-> core-us").unwrap().unplug();
    // RFC 2453 3.8: a route that nobody tells of any more is believed for another three minutes.
    journey.lab.world.run_for(Duration::from_secs(6 * 60)).unwrap();
    let (client, web) = (journey.lab.client.clone(), IpAddr::from([198, 18, 16, 80]));
    let options = ProbeOptions { kind: ProbeKind::Udp, ttl: 4, ..ProbeOptions::default() };
    let fourth = journey.lab.world.run(client.probe(web, &options)).unwrap().unwrap();
    assert_eq!(fourth.from, IpAddr::from([198, 19, 0, 10]), "by way of Asia");
    assert_eq!(journey.get("http://www.example.com/").unwrap().status, 200);
}

// ---- what serves what

#[test]
fn the_authority_hands_out_its_certificates_and_lists() {
    let mut journey = Journey::new(1);
    assert_eq!(journey.get("http://ca.test/root.pem").unwrap().text(), journey.lab.ca_pem());
    let list = journey.get("http://ca.test/issuing.crl").unwrap().body;
    assert_eq!(list, journey.lab.pki.issuing_list().unwrap().der);
    assert_eq!(journey.get("http://ca.test/").unwrap().status, 404);
}

#[test]
fn sites_that_are_hard_to_reach_answer_all_the_same() {
    for (url, at_least) in [
        ("http://far.test/20000", Duration::from_millis(900)),
        ("http://lossy.test/100000", Duration::ZERO),
        // 20 000 bytes at 56 kbit/s.
        ("http://modem.test/20000", Duration::from_millis(2_857)),
    ] {
        let mut journey = Journey::new(1);
        let page = journey.get(url).unwrap();
        assert!(page.body.starts_with(&[0, 1, 2, 3]), "{url}");
        let took = journey.lab.world.now().since(glasstack_journal::Instant::from_millis(0));
        assert!(took > at_least, "{url}: {took:?}");
        if url.contains("lossy") {
            assert!(journey.lost() > 0);
        }
    }
}

#[test]
fn records_that_no_host_has_are_known_all_the_same() {
    let mut lab = Lab::new(1).unwrap();
    let resolver = asking(&lab, plan::NAME_SERVER);
    let text = lab.world.run(resolver.query("example.test", RecordType::Txt)).unwrap().unwrap();
    assert!(text.records.iter().any(|record| record.data == RecordData::text("glasstack's lab")), "{text:?}");
}
