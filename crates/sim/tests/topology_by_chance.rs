//! Topologies made by chance: what is written reads the same, is built and drawn; and no text, however
//! broken, does more than be refused with a line of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use glasstack_journal::event::MacAddress;
use glasstack_sim::fault::GilbertElliott;
use glasstack_sim::router::{Action, Filtering, Forward};
use glasstack_sim::topology::{
    CableSpec, Cidr, DhcpSpec, FilterSpec, HostSpec, LaneSpec, NatSpec, PortSpec, RipSpec, RipTimersSpec,
    RouteSpec, RouterSpec, SwitchSpec, TimeoutsSpec, Topology,
};
use glasstack_sim::{Queue, SimWorld, Vlan};
use proptest::prelude::*;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..10_000_000_000_u64).prop_map(Duration::from_nanos),
        (1..90_000_u64).prop_map(Duration::from_secs),
        (0..5_000_u64).prop_map(Duration::from_millis),
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}(\\.test)?", "\\PC{0,12}"]
}

fn queue() -> impl Strategy<Value = Queue> {
    let codel = (duration(), duration(), 1..5_000_usize).prop_map(|(target, interval, limit)| Queue::CoDel {
        target,
        interval,
        limit,
    });
    prop_oneof![
        Just(Queue::Unlimited),
        (0..5_000_usize).prop_map(Queue::Frames),
        (0..500_000_usize).prop_map(Queue::Bytes),
        Just(Queue::codel()),
        codel,
    ]
}

fn bursts() -> impl Strategy<Value = GilbertElliott> {
    (0.0..=1.0, 0.0..=1.0, prop_oneof![Just(0.0), 0.0..=1.0], prop_oneof![Just(1.0), 0.0..=1.0])
        .prop_map(|(p, r, h, k)| GilbertElliott { p, r, h, k })
}

fn lane() -> impl Strategy<Value = LaneSpec> {
    use proptest::option::of;
    let quality = (of(duration()), of(duration()), of(any::<bool>()), of(0.0..=1.0_f64), of(bursts()));
    // A queue needs a rate.
    let rate = of((1..u64::MAX / 2, of(queue())));
    (quality, rate).prop_map(|((latency, jitter, keeps_order, loss, bursts), rate)| {
        let mut lane = LaneSpec::new();
        lane.latency = latency;
        lane.jitter = jitter;
        lane.keeps_order = keeps_order;
        lane.bursts = bursts.map(Into::into);
        lane.loss = loss.map(glasstack_sim::topology::Share);
        match rate {
            Some((rate, queue)) => LaneSpec { queue, ..lane.rate(rate) },
            None => lane,
        }
    })
}

/// What a host says beside its address.
fn manners() -> impl Strategy<Value = HostSpec> {
    use proptest::option::of;
    let texts =
        (prop::collection::btree_set(words(), 0..3), prop::collection::vec(words(), 0..3), of(words()));
    (texts, of(68..9_000_u16), of(any::<[u8; 5]>()), prop::collection::vec(any::<u32>(), 0..2)).prop_map(
        |((names, serve, about), mtu, mac, servers)| {
            let mut host = HostSpec::dhcp();
            host.names = names.into_iter().collect();
            host.serve = serve;
            host.about = about;
            host.mtu = mtu;
            host.mac = mac.map(|[a, b, c, d, e]| MacAddress([2, a, b, c, d, e]));
            host.name_servers = servers.into_iter().map(Ipv4Addr::from_bits).collect();
            host
        },
    )
}

/// What a router does beside its ports; the first is towards its hosts, the second towards the core.
fn duties() -> impl Strategy<Value = RouterSpec> {
    use proptest::option::of;
    let filtering = prop_oneof![
        Just(Filtering::EndpointIndependent),
        Just(Filtering::AddressDependent),
        Just(Filtering::AddressAndPortDependent),
    ];
    let timeouts = (of(duration()), of(duration()), of(duration()), of(duration()))
        .prop_map(|(a, b, c, d)| TimeoutsSpec { tcp_established: a, tcp_transitory: b, udp: c, icmp: d });
    let nat = (of(1_u16..2_000), of(1..9_000_usize), of(filtering), timeouts).prop_map(
        |(first, most, filtering, timeouts)| {
            let ports = first.map(|first| first..=first + 30_000);
            NatSpec { ports, most, filtering, timeouts, ..NatSpec::new(1) }
        },
    );
    let action = prop_oneof![Just(Action::Allow), Just(Action::Drop), Just(Action::Reject)];
    let rules = prop::sample::subsequence(
        vec![
            "allow established",
            "drop tcp from 10.0.0.0/8 port 1024-65535 to any port 25",
            "reject udp to 10.0.0.1 port 53 in by 0",
            "allow icmp in by 0 out by 1",
            "drop 47",
            "allow",
        ],
        0..=6,
    );
    let filter = (action, rules).prop_map(|(policy, rules)| {
        rules.iter().fold(FilterSpec::new(policy), |filter, rule| filter.rule(rule.parse().unwrap()))
    });
    let timers = (of(duration()), of(duration()), of(duration())).prop_map(|(update, timeout, garbage)| {
        RipTimersSpec { update: update.filter(|update| !update.is_zero()), timeout, garbage }
    });
    let rip = (any::<bool>(), any::<bool>(), of(1..=15_u8), of("[ -~]{0,16}"), timers).prop_map(
        |(passive, off, cost, password, timers)| {
            let mut rip = RipSpec::new().timers(timers);
            rip = if passive { rip.passive(0) } else { rip };
            rip = if off { rip.off(1) } else { rip };
            rip.password = password;
            cost.map_or(rip.clone(), |cost| rip.cost(1, cost))
        },
    );
    let ports = prop::collection::btree_set(1..u16::MAX, 0..3);
    let flags = (any::<bool>(), any::<bool>(), of((any::<u32>(), any::<u32>())), of(words()));
    (of((nat, ports)), of(filter), of(rip), flags).prop_map(
        |(nat, filter, rip, (silent, checks, errors, about))| {
            let mut router = RouterSpec::new();
            if let Some((nat, ports)) = nat {
                let inside = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 9), 80);
                router = ports
                    .into_iter()
                    .fold(router.nat(nat), |router, port| router.forward(Forward::tcp(port, inside)));
            }
            router.filter = filter;
            router.rip = rip;
            router.silent_when_too_big = silent;
            router.checks_sources = checks;
            router.about = about;
            errors.map_or(router.clone(), |(rate, burst)| router.errors_per_second(rate, burst))
        },
    )
}

/// A site: a router, its switch, hosts on it.
type Site = (RouterSpec, Vec<(HostSpec, bool, CableSpec)>, Option<Duration>, bool);

fn site() -> impl Strategy<Value = Site> {
    let cable = (lane(), lane(), lane(), any::<bool>(), any::<bool>()).prop_map(
        |(lanes, there, back, up, capture)| CableSpec {
            lanes,
            there,
            back,
            up,
            capture,
            ..CableSpec::new("a", "b")
        },
    );
    let host = (manners(), any::<bool>(), cable);
    (duties(), prop::collection::vec(host, 0..4), proptest::option::of(duration()), any::<bool>())
}

/// Sites around a core.
fn topology() -> impl Strategy<Value = Topology> {
    (prop::collection::vec(site(), 1..5), proptest::option::of(words())).prop_map(|(sites, title)| {
        let mut topology = Topology { title, ..Topology::new() }.switch("core", SwitchSpec::new());
        for (n, (duties, hosts, ageing, has_vlan)) in (0_u8..).zip(sites) {
            let at = |last| Ipv4Addr::new(10, 1, n, last);
            let mut router = duties
                .port_with(PortSpec::new(Cidr::new(at(1), 24)).mtu(1_400))
                .port(Cidr::new(Ipv4Addr::new(172, 16, 0, n + 1), 16))
                .route(RouteSpec::default_via(Ipv4Addr::new(172, 16, 9, 9)));
            if hosts.iter().any(|(_, asks, _)| *asks) {
                router = router.dhcp(DhcpSpec::new(0, at(100), at(199)).lease(Duration::from_secs(60)));
            }
            let mut switch = SwitchSpec { ageing, ..SwitchSpec::new() };
            if has_vlan {
                switch = switch.vlan(0, Vlan::Trunk { native: Some(1), tagged: vec![7, 9] });
            }
            let (r, s) = (format!("r{n}"), format!("s{n}"));
            topology = topology
                .router(&r, router)
                .switch(&s, switch)
                .cable(CableSpec::new((r.as_str(), 0), (s.as_str(), 0)))
                .cable(CableSpec::new((r.as_str(), 1), "core"));
            for (h, (host, asks, cable)) in (0_u8..).zip(hosts) {
                let name = format!("h{n}-{h}");
                let mac = host.mac.map(|MacAddress([a, b, c, d, _, _])| MacAddress([a, b, c, d, n, h]));
                let fixed = HostSpec::new(Cidr::new(at(10 + h), 24)).gateway(at(1));
                let (address, gateway) = match asks {
                    true => (host.address, None),
                    false => (fixed.address, fixed.gateway),
                };
                let between = [name.as_str().into(), s.as_str().into()];
                topology = topology
                    .host(&name, HostSpec { address, gateway, mac, ..host })
                    .cable(CableSpec { between, ..cable });
            }
        }
        topology
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same_and_is_built(topology in topology()) {
        let text = topology.to_toml();
        let again = Topology::parse(&text);
        prop_assert_eq!(again.as_ref().map_err(|bad| format!("{bad}\n{text}")), Ok(&topology));
        prop_assert!(topology.build(&mut SimWorld::new(1)).is_ok());
        prop_assert!(topology.as_text().lines().all(|line| !line.ends_with(' ')));
        prop_assert_eq!(topology.as_svg(), topology.clone().as_svg());
        prop_assert_eq!(topology.as_containerlab().matches("endpoints:").count(), topology.cables.len());
    }

    #[test]
    fn broken_text_is_refused_with_one_of_its_lines(cut in any::<prop::sample::Index>(), put in "\\PC{0,6}", more in any::<prop::sample::Index>()) {
        let text = include_str!("drawings/home.toml");
        let (from, to) = (cut.index(text.len()), more.index(40));
        let from = text.floor_char_boundary(from);
        let to = text.floor_char_boundary((from + to).min(text.len()));
        let broken = format!("{}{put}{}", &text[..from], &text[to..]);
        if let Err(bad) = Topology::parse(&broken) {
            let line = broken.lines().nth(bad.line - 1).unwrap_or_default();
            // Of a long line a part is shown.
            let shown: String = line.chars().skip(bad.left_out).take(bad.text.chars().count()).collect();
            prop_assert_eq!(&shown, &bad.text);
            prop_assert!(bad.left_out > 0 || line.chars().count() <= 200 || shown.chars().count() == 200);
            prop_assert!(bad.column <= line.chars().count() + 1, "{}", bad);
            prop_assert!(!bad.what.is_empty());
        }
    }
}
