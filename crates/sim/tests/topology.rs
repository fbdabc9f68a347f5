//! Topologies built and used: as a file, and as the same words in Rust.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use glasstack_journal::event::{Event, Link, MacAddress};
use glasstack_journal::journal::Recorder;
use glasstack_sim::topology::{
    BuildError, CableSpec, Cidr, DhcpSpec, HostSpec, LaneSpec, NatSpec, RipSpec, RouteSpec, RouterSpec,
    SwitchSpec, Topology,
};
use glasstack_sim::{Queue, SimWorld, TopologyError, Way};
use glasstack_stack::dhcp::DhcpOptions;
use glasstack_stack::{PingOptions, PingReply, World};
use std::net::Ipv4Addr;
use std::time::Duration;

const HOME: &str = include_str!("drawings/home.toml");

fn at(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn ping(world: &mut SimWorld, topology: &Topology, from: &str, to: &str) -> PingReply {
    let network = topology.build(world).unwrap();
    let host = network.host(from).unwrap().clone();
    world.run(host.ping(to.parse().unwrap(), &PingOptions::default())).unwrap().unwrap()
}

#[test]
fn a_packet_crosses_switch_router_and_translation_as_the_file_says() {
    let topology = Topology::parse(HOME).unwrap_or_else(|bad| panic!("{bad}"));
    let reply = ping(&mut SimWorld::new(1), &topology, "client", "198.51.100.80");
    // Three routers less; 64 is what the answer began with.
    assert_eq!(reply.ttl, 61, "{reply:?}");
    assert!(reply.rtt > Duration::from_millis(2 * (5 + 20)), "the cables are {:?} long", reply.rtt);
}

#[test]
fn a_host_without_an_address_gets_one_from_the_router_that_serves_its_link() {
    let topology = Topology::parse(HOME).unwrap();
    let mut world = SimWorld::new(1);
    let network = topology.build(&mut world).unwrap();
    let tablet = network.host("tablet").unwrap().clone();
    let lease = world.run(tablet.dhcp(&DhcpOptions::default())).unwrap().unwrap();
    assert_eq!(lease.address.to_string(), "192.168.1.100");
    assert_eq!(lease.router, Some(ip("192.168.1.1")));
    assert_eq!(lease.name_servers, [ip("198.51.100.53")]);
}

#[test]
fn the_builder_makes_what_the_file_makes() {
    let file = r#"
        title = "Two sites"
        [host.a]
        address = "10.0.1.10/24"
        gateway = "10.0.1.1"
        names = ["a.test"]
        [host.b]
        address = "10.0.2.10/24"
        gateway = "10.0.2.1"
        serve = ["web"]
        mtu = 1400
        [switch.s]
        ageing = "5min"
        [router.left]
        ports = [{ address = "10.0.1.1/24" }, { address = "10.0.9.1/30", mtu = 1400 }]
        routes = ["10.0.2.0/24 via 10.0.9.2"]
        nat = { outside = 1 }
        [router.right]
        ports = [{ address = "10.0.2.1/24" }, { address = "10.0.9.2/30" }]
        rip = { passive = [0] }
        dhcp = [{ port = 0, pool = "10.0.2.100-10.0.2.199" }]
        [[cable]]
        between = ["a", "s"]
        [[cable]]
        between = ["s", "left:0"]
        [[cable]]
        between = ["left:1", "right:1"]
        latency = "20ms"
        rate = "10Mbit/s"
        queue = "50 frames"
        back = { loss = "1%" }
        [[cable]]
        between = ["right:0", "b"]
        up = false
        capture = true
    "#;
    let built = Topology::new()
        .title("Two sites")
        .host("a", HostSpec::new(at("10.0.1.10/24")).gateway(ip("10.0.1.1")).name("a.test"))
        .host("b", HostSpec::new(at("10.0.2.10/24")).gateway(ip("10.0.2.1")).serve("web").mtu(1400))
        .switch("s", SwitchSpec::new().ageing(Duration::from_secs(300)))
        .router("left", {
            let wide = glasstack_sim::topology::PortSpec::new(at("10.0.9.1/30")).mtu(1400);
            RouterSpec::new()
                .port(at("10.0.1.1/24"))
                .port_with(wide)
                .route("10.0.2.0/24 via 10.0.9.2".parse::<RouteSpec>().unwrap())
                .nat(NatSpec::new(1))
        })
        .router("right", {
            RouterSpec::new()
                .port(at("10.0.2.1/24"))
                .port(at("10.0.9.2/30"))
                .rip(RipSpec::new().passive(0))
                .dhcp(DhcpSpec::new(0, ip("10.0.2.100"), ip("10.0.2.199")))
        })
        .cable(CableSpec::new("a", "s"))
        .cable(CableSpec::new("s", ("left", 0)))
        .cable(
            CableSpec::new("left:1", "right:1")
                .latency(Duration::from_millis(20))
                .rate(10_000_000)
                .queue(Queue::Frames(50))
                .back(LaneSpec::new().loss(0.01)),
        )
        .cable(CableSpec::new("right:0", "b").down().capture());
    assert_eq!(Topology::parse(file), Ok(built));
}

#[test]
fn mac_addresses_can_be_read_and_do_not_depend_on_the_neighbours() {
    let topology = Topology::parse(HOME).unwrap();
    let macs = topology.mac_addresses();
    let mac = |name, port| macs.get(&(name, port)).unwrap().to_string();
    assert_eq!(mac("client", 0), "02:00:c0:a8:01:0a");
    assert_eq!(mac("home", 0), "02:00:c0:a8:01:01");
    assert_eq!(mac("tablet", 0).get(..5), Some("02:dc"), "it has no address yet");
    let more = topology.clone().host("another", HostSpec::new(at("192.168.1.77/24")));
    let more = more.mac_addresses();
    assert!(macs.iter().all(|(socket, mac)| more.get(socket) == Some(mac)));
}

#[test]
fn two_of_one_address_on_different_links_have_different_cards() {
    let home = |topology: Topology, name: &str| {
        topology
            .host(name, HostSpec::new(at("192.168.1.10/24")))
            .switch(&format!("{name}-hub"), SwitchSpec::new())
            .cable(CableSpec::new(name, format!("{name}-hub")))
    };
    let topology = home(home(Topology::new(), "a"), "b");
    let macs: Vec<_> = topology.mac_addresses().into_values().map(|mac| mac.to_string()).collect();
    assert_eq!(macs, ["02:00:c0:a8:01:0a", "02:01:c0:a8:01:0a"]);
    assert!(topology.build(&mut SimWorld::new(1)).is_ok());
}

#[test]
fn the_cards_of_the_journal_are_those_that_the_topology_tells() {
    let topology = Topology::parse(HOME).unwrap();
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    topology.build(&mut world).unwrap();
    let up: Vec<MacAddress> = recorder
        .records()
        .iter()
        .filter_map(|record| match &record.event {
            Event::Link(Link::InterfaceUp { mac, .. }) => *mac,
            _ => None,
        })
        .collect();
    let told: Vec<MacAddress> = topology.mac_addresses().into_values().collect();
    assert!(told.iter().all(|mac| up.contains(mac)), "{told:?} of {up:?}");
}

#[test]
fn cables_are_found_by_the_names_of_their_ends_in_either_order() {
    let topology = Topology::parse(HOME).unwrap();
    let network = topology.build(&mut SimWorld::new(1)).unwrap();
    let cable = network.cable("home <-> access").unwrap();
    assert_eq!(cable.name(), "home <-> access");
    assert_eq!(network.cable(("access", "home")).unwrap().name(), cable.name());
    let ways =
        [network.cable_from("home <-> access").unwrap().1, network.cable_from("access <-> home").unwrap().1];
    assert_eq!(ways, [Way::There, Way::Back]);
    assert!(network.cable("home <-> web").is_none() && network.cable("nonsense").is_none());
    assert_eq!(network.cables_of("home").count(), 2);
    assert_eq!(network.cables().count(), topology.cables.len());
    assert!(network.router("home").is_some() && network.switch("hub").is_some());
    assert!(network.host("home").is_none());
}

#[test]
fn a_cable_that_is_down_is_laid_unplugged() {
    let topology = Topology::parse(HOME).unwrap();
    let network = topology.build(&mut SimWorld::new(1)).unwrap();
    assert!(!network.cable(("printer", "hub")).unwrap().is_plugged_in());
    assert!(network.cable(("client", "hub")).unwrap().captured().is_some());
}

#[test]
fn what_the_builder_gets_wrong_is_told_by_its_place() {
    let lonely = Topology::new().host("a", HostSpec::new(at("10.0.0.1/24")));
    let Err(BuildError::Bad(problem)) = lonely.build(&mut SimWorld::new(1)) else { panic!("it was built") };
    assert_eq!(problem.to_string(), "host.a: host `a` has no cable; add [[cable]] between = [\"a\", ...]");
    let missing = lonely.cable(CableSpec::new("a", "b"));
    let Err(BuildError::Bad(problem)) = missing.build(&mut SimWorld::new(1)) else { panic!("it was built") };
    let told = "cable[0].between[1]: no host, switch or router is named `b`; did you mean `a`?";
    assert_eq!(problem.to_string(), told);
}

#[test]
fn a_name_that_the_world_has_already_is_refused() {
    let topology = Topology::parse(HOME).unwrap();
    let mut world = SimWorld::new(1);
    world.add_switch("hub").unwrap();
    let built = topology.build(&mut world);
    assert!(matches!(built, Err(BuildError::Topology(TopologyError::NameTaken(name))) if name == "hub"));
}

#[test]
fn vlans_keep_stations_apart_on_one_switch() {
    let host = |n: u8| HostSpec::new(Cidr::new(Ipv4Addr::new(10, 0, 0, n), 24));
    let twice = HostSpec::new(at("10.0.0.1/24"));
    let topology = Topology::new()
        .host("a", host(1))
        .host("b", host(2))
        // The same address once more, in the other VLAN.
        .host("c", twice)
        .switch("s", SwitchSpec::new().vlan(2, "access 20".parse_vlan()))
        .cable(CableSpec::new("a", "s:0"))
        .cable(CableSpec::new("b", "s:1"))
        .cable(CableSpec::new("c", "s:2"));
    let mut world = SimWorld::new(1);
    let network = topology.build(&mut world).unwrap();
    let (a, c) = (network.host("a").unwrap().clone(), network.host("c").unwrap().clone());
    assert!(world.run(a.ping(ip("10.0.0.2").into(), &PingOptions::default())).unwrap().is_ok());
    assert!(world.run(c.ping(ip("10.0.0.2").into(), &PingOptions::default())).unwrap().is_err());
}

/// For tests alone: a VLAN as a file says it.
trait ParseVlan {
    fn parse_vlan(&self) -> glasstack_sim::Vlan;
}

impl ParseVlan for str {
    fn parse_vlan(&self) -> glasstack_sim::Vlan {
        match self.strip_prefix("access ") {
            Some(id) => glasstack_sim::Vlan::Access(id.parse().unwrap()),
            None => panic!("{self}"),
        }
    }
}

/// Routers in a ring, ten hosts on each one's switch.
fn hundred_by_ten() -> Topology {
    let mut topology = Topology::new();
    for r in 0..100_u8 {
        let next = (r + 1) % 100;
        let own = Ipv4Addr::new(10, r, 0, 1);
        let mut router = RouterSpec::new()
            .port(Cidr::new(own, 24))
            .port(Cidr::new(Ipv4Addr::new(172, 16, r, 1), 24))
            .port(Cidr::new(Ipv4Addr::new(172, 16, (r + 99) % 100, 2), 24));
        router = router.route(RouteSpec::default_via(Ipv4Addr::new(172, 16, r, 2)));
        topology = topology
            .router(&format!("r{r}"), router)
            .switch(&format!("s{r}"), SwitchSpec::new())
            .cable(CableSpec::new((format!("r{r}").as_str(), 0), format!("s{r}")))
            .cable(CableSpec::new((format!("r{r}").as_str(), 1), (format!("r{next}").as_str(), 2)));
        for h in 0..10_u8 {
            let name = format!("h{r}-{h}");
            let host = HostSpec::new(Cidr::new(Ipv4Addr::new(10, r, 0, 10 + h), 24)).gateway(own);
            topology = topology.host(&name, host).cable(CableSpec::new(name.as_str(), format!("s{r}")));
        }
    }
    topology
}

#[test]
fn a_thousand_hosts_behind_a_hundred_routers_are_built_written_read_and_drawn() {
    let topology = hundred_by_ten();
    assert_eq!(Topology::parse(&topology.to_toml()).as_ref(), Ok(&topology));
    assert!(topology.as_svg().ends_with("</svg>\n") && topology.as_text().lines().count() > 1_200);
    // The answer comes the other way round the ring, over 56 routers.
    let reply = ping(&mut SimWorld::new(1), &topology, "h0-0", "10.45.0.19");
    assert_eq!(reply.ttl, 64 - 56, "{reply:?}");
}
