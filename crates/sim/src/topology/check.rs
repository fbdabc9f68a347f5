//! What a topology must be like to be built: names, addresses, networks. The ends of cables are
//! `wiring`'s.

use super::cable::LaneSpec;
use super::problem::{Place, Problem, list};
use super::router::RouterSpec;
use super::wiring::{Socket, Wiring};
use super::{CableSpec, Cidr, HostAddress, HostSpec, RouteSpec, SwitchSpec, Topology};
use crate::cable::Queue;
use crate::router::Forwarded;
use crate::switch::Vlan;
use glasstack_journal::event::MacAddress;
use glasstack_stack::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// RFC 791 3.2: every link carries packets of this size, in bytes.
const SMALLEST_MTU: u16 = 68;

/// Everything that is wrong.
pub(super) fn problems(topology: &Topology) -> Vec<Problem> {
    let mut checker = Checker { problems: Vec::new() };
    checker.names(topology);
    let (wiring, problems) = Wiring::of(topology);
    checker.problems.extend(problems);
    for (name, host) in &topology.hosts {
        checker.host(name, host);
    }
    for (name, switch) in &topology.switches {
        checker.switch(name, switch, &wiring);
    }
    for (name, router) in &topology.routers {
        checker.router(name, router);
    }
    for (index, cable) in topology.cables.iter().enumerate() {
        checker.cable(index, cable);
    }
    for link in wiring.links(topology) {
        checker.link(&link, topology);
        checker.pools(&link, topology);
    }
    checker.problems
}

struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    fn problem(&mut self, place: Place, what: impl Into<String>, cure: impl Into<String>) {
        self.problems.push(Problem::new(place, what, cure));
    }

    fn names(&mut self, topology: &Topology) {
        let kinds: [(&str, Vec<&String>); 3] = [
            ("host", topology.hosts.keys().collect()),
            ("switch", topology.switches.keys().collect()),
            ("router", topology.routers.keys().collect()),
        ];
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (kind, names) in &kinds {
            for name in names {
                let place = Place::top(kind).at(name.as_str());
                let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if name.is_empty() || !name.chars().all(is_fine) {
                    let what = format!("`{name}` is no name for a {kind}");
                    self.problem(place.clone(), what, "a name has letters, digits, `-`, `_` and `.`");
                }
                if let Some(other) = seen.insert(name, kind) {
                    let what = format!("there is a {other} named `{name}` already");
                    self.problem(place, what, "give one of them another name");
                }
            }
        }
    }

    fn host(&mut self, name: &str, host: &HostSpec) {
        let place = Place::top("host").at(name);
        self.mtu(&place, host.mtu);
        self.mac(&place, host.mac);
        for (index, dns) in host.names.iter().enumerate() {
            if host.names[..index].contains(dns) {
                self.problem(place.at("names").at(index), format!("`{dns}` stands here twice"), "");
            }
        }
        let HostAddress::Static(cidr) = host.address else {
            if host.gateway.is_some() {
                let what = format!("`{name}` asks for its address by DHCP and is told its gateway with it");
                self.problem(place.at("gateway"), what, "leave this out, or give it an address of its own");
            }
            return;
        };
        self.address(place.at("address"), cidr);
        let Some(network) = cidr.network() else { return };
        if let Some(gateway) = host.gateway {
            self.next_hop(place.at("gateway"), name, gateway, &[(cidr.address, network)]);
        }
        for (index, route) in host.routes.iter().enumerate() {
            self.next_hop(place.at("routes").at(index), name, route.via, &[(cidr.address, network)]);
        }
    }

    fn switch(&mut self, name: &str, switch: &SwitchSpec, wiring: &Wiring<'_>) {
        let place = Place::top("switch").at(name);
        for (port, vlan) in &switch.vlans {
            let place = place.at("vlans").at(port.to_string().as_str());
            let socket = Socket { node: name, port: *port };
            // Where a cable does not fit, that is what is to be mended first.
            if wiring.sockets.iter().all(Option::is_some)
                && !wiring.sockets.iter().flatten().flatten().any(|s| *s == socket)
            {
                let what = format!("port {port} of `{name}` has no cable");
                self.problem(place.clone(), what, format!("say it in the cable: \"{name}:{port}\""));
            }
            let ids = vlan_ids(vlan);
            for (index, id) in ids.iter().enumerate() {
                if !(1..=4094).contains(id) {
                    self.problem(
                        place.clone(),
                        format!("{id} is not a VLAN"),
                        "they have the numbers 1 to 4094",
                    );
                } else if ids[..index].contains(id) {
                    self.problem(place.clone(), format!("VLAN {id} stands here twice"), "");
                }
            }
        }
    }

    fn router(&mut self, name: &str, router: &RouterSpec) {
        let place = Place::top("router").at(name);
        if router.ports.is_empty() {
            self.problem(
                place.at("ports"),
                format!("router `{name}` has no ports"),
                "it needs one a network",
            );
        }
        let mut networks: Vec<(Ipv4Addr, Prefix)> = Vec::new();
        for (index, port) in router.ports.iter().enumerate() {
            let place = place.at("ports").at(index);
            self.mtu(&place, port.mtu);
            self.mac(&place, port.mac);
            self.address(place.at("address"), port.address);
            let Some(network) = port.address.network() else { continue };
            let overlaps =
                |other: &Prefix| other.contains(network.network()) || network.contains(other.network());
            if let Some(other) = networks.iter().position(|(_, other)| overlaps(other)) {
                let what =
                    format!("{network} overlaps with {}, the network of port {other}", networks[other].1);
                self.problem(place.at("address"), what, "each port needs a network of its own");
            }
            networks.push((port.address.address, network));
        }
        for (index, RouteSpec { via, .. }) in router.routes.iter().enumerate() {
            self.next_hop(place.at("routes").at(index), name, *via, &networks);
        }
        self.translation(&place, name, router);
        self.filter(&place, name, router);
        self.services(&place, name, router);
    }

    fn translation(&mut self, place: &Place, name: &str, router: &RouterSpec) {
        if let Some(nat) = &router.nat {
            self.port(place.at("nat").at("outside"), name, nat.outside, router);
            if nat.ports.as_ref().is_some_and(|ports| ports.is_empty()) {
                self.problem(place.at("nat").at("ports"), "the first port comes after the last", "");
            }
        }
        for (index, forward) in router.forwards.iter().enumerate() {
            let place = place.at("forwards").at(index);
            if router.nat.is_none() {
                self.problem(
                    place.clone(),
                    "a forwarded port needs address translation",
                    "add nat = { outside = 1 }, say, the port towards the Internet",
                );
            }
            let own = [(520, router.rip.is_some(), "RIP"), (67, !router.dhcp.is_empty(), "DHCP")];
            let is_own = |(port, is_on, _): &&(u16, bool, &str)| *is_on && *port == forward.port;
            if let (Forwarded::Udp, Some((port, _, what))) = (forward.protocol, own.iter().find(is_own)) {
                self.problem(place.clone(), format!("udp {port} is the router's own, for {what}"), "");
            }
            let same = |other: &&crate::router::Forward| {
                (other.protocol, other.port) == (forward.protocol, forward.port)
            };
            if let Some(other) = router.forwards[..index].iter().find(same) {
                self.problem(
                    place,
                    format!("{} {} is forwarded to {} already", forward.protocol, forward.port, other.to),
                    "",
                );
            }
        }
    }

    fn filter(&mut self, place: &Place, name: &str, router: &RouterSpec) {
        for (index, rule) in router.filter.iter().flat_map(|filter| &filter.rules).enumerate() {
            for port in [rule.in_by, rule.out_by].into_iter().flatten() {
                self.port(place.at("filter").at("rules").at(index), name, port, router);
            }
        }
    }

    fn services(&mut self, place: &Place, name: &str, router: &RouterSpec) {
        if let Some(rip) = &router.rip {
            let place = place.at("rip");
            for (key, ports) in [("passive", &rip.passive), ("off", &rip.off)] {
                for (index, port) in ports.iter().enumerate() {
                    self.port(place.at(key).at(index), name, *port, router);
                }
            }
            for (index, prefix) in rip.untold.iter().enumerate() {
                if router.routes.iter().all(|route| route.to != *prefix) {
                    let what = format!("`{name}` has no route to {prefix} that it could keep to itself");
                    self.problem(place.at("untold").at(index), what, "name a network of its `routes`");
                }
            }
            if rip.timers.update.is_some_and(|update| update.is_zero()) {
                self.problem(
                    place.at("timers").at("update"),
                    "RIP without a pause",
                    "30s is usual (RFC 2453 3.8)",
                );
            }
            for (port, cost) in &rip.costs {
                let place = place.at("costs").at(port.to_string().as_str());
                self.port(place.clone(), name, *port, router);
                if !(1..=15).contains(cost) {
                    self.problem(place, format!("a cost of {cost}"), "1 to 15 is possible (RFC 2453 3.5)");
                }
            }
            if let Some(password) = rip.password.as_ref().filter(|password| password.len() > 16) {
                let what = format!("a password of {} bytes", password.len());
                self.problem(place.at("password"), what, "RIP has room for 16 (RFC 2453 4.1)");
            }
        }
        for (index, dhcp) in router.dhcp.iter().enumerate() {
            let place = place.at("dhcp").at(index);
            self.port(place.at("port"), name, dhcp.port, router);
            let network = router.ports.get(dhcp.port).and_then(|port| port.address.network());
            let (first, last) = (*dhcp.pool.start(), *dhcp.pool.end());
            for network in
                network.into_iter().filter(|network| !network.contains(first) || !network.contains(last))
            {
                let what =
                    format!("{first}-{last} is not within {network}, the network of port {}", dhcp.port);
                self.problem(place.at("pool"), what, "hosts could not use it there");
            }
            if first > last {
                self.problem(place.at("pool"), "the first address comes after the last", "");
            }
            if dhcp.lease.is_some_and(|lease| lease.as_secs() == 0) {
                self.problem(place.at("lease"), "a lease of less than a second", "");
            }
        }
    }

    /// A port of a router, by its number.
    fn port(&mut self, place: Place, name: &str, port: usize, router: &RouterSpec) {
        if let Some(last) = router.ports.len().checked_sub(1).filter(|last| port > *last) {
            self.problem(place, format!("`{name}` has no port {port}"), format!("its ports are 0 to {last}"));
        }
    }

    fn cable(&mut self, index: usize, cable: &CableSpec) {
        let place = Place::top("cable").at(index);
        for (key, own) in [("there", &cable.there), ("back", &cable.back)] {
            let rate = own.rate.or(cable.lanes.rate);
            let queue = own.queue.or(cable.lanes.queue);
            if queue.is_some_and(|queue| queue != Queue::Unlimited) && rate.is_none() {
                let place = if own.queue.is_some() { place.at(key).at("queue") } else { place.at("queue") };
                let what = "a queue on a cable without a rate: nothing ever waits in it";
                if !self.problems.iter().any(|problem| problem.place == place) {
                    self.problem(place, what, "add a rate, as rate = \"10Mbit/s\"");
                }
            }
        }
        for (lane, place) in [
            (&cable.lanes, place.clone()),
            (&cable.there, place.at("there")),
            (&cable.back, place.at("back")),
        ] {
            self.lane(lane, &place);
        }
    }

    fn lane(&mut self, lane: &LaneSpec, place: &Place) {
        let bursts = lane.bursts.iter().flat_map(|b| [("p", b.p), ("r", b.r), ("h", b.h), ("k", b.k)]);
        let bursts = bursts.map(|(key, share)| (place.at("bursts").at(key), share));
        let shares = lane.loss.map(|loss| (place.at("loss"), loss)).into_iter().chain(bursts);
        for (place, _) in shares.filter(|(_, share)| !(0.0..=1.0).contains(&share.0)) {
            self.problem(place, "a share is from 0.0 to 1.0", "");
        }
        if lane.rate.is_some_and(|rate| rate.0 == 0) {
            self.problem(
                place.at("rate"),
                "at this rate no frame ever leaves",
                "`up = false` is a cable that is not plugged in",
            );
        }
    }

    /// Stations that hear each other.
    fn link(&mut self, link: &BTreeSet<Socket<'_>>, topology: &Topology) {
        let mut addresses: BTreeMap<Ipv4Addr, Socket<'_>> = BTreeMap::new();
        let mut cards: BTreeMap<MacAddress, Socket<'_>> = BTreeMap::new();
        for socket in link {
            let Some((place, address, mac)) = station(*socket, topology) else { continue };
            if let Some(address) = address
                && let Some(other) = addresses.insert(address, *socket)
            {
                let what = format!("{address} is `{}`'s already, on the same link", other.node);
                self.problem(place.at("address"), what, "two of one address take each other's packets");
            }
            if let Some(mac) = mac
                && let Some(other) = cards.insert(mac, *socket)
            {
                let what = format!("{mac} is `{}`'s already, on the same link", other.node);
                self.problem(place.at("mac"), what, "give it another, or leave it out");
            }
        }
    }

    /// Two DHCP servers that hear the same questions must not give the same addresses.
    fn pools(&mut self, link: &BTreeSet<Socket<'_>>, topology: &Topology) {
        let mut pools: Vec<(RangeInclusive<Ipv4Addr>, &str)> = Vec::new();
        for Socket { node, port } in link {
            let servers =
                topology.routers.get(*node).into_iter().flat_map(|router| router.dhcp.iter().enumerate());
            for (index, dhcp) in servers.filter(|(_, dhcp)| dhcp.port == *port) {
                let overlaps = |pool: &RangeInclusive<Ipv4Addr>| {
                    pool.start() <= dhcp.pool.end() && dhcp.pool.start() <= pool.end()
                };
                if let Some((pool, other)) = pools.iter().find(|(pool, _)| overlaps(pool)) {
                    let what = format!(
                        "this pool overlaps with {}-{} of `{other}`, on the same link",
                        pool.start(),
                        pool.end()
                    );
                    let place = Place::top("router").at(*node).at("dhcp").at(index).at("pool");
                    self.problem(place, what, "both would give the same address to two hosts");
                }
                pools.push((dhcp.pool.clone(), node));
            }
        }
    }

    fn mtu(&mut self, place: &Place, mtu: Option<u16>) {
        if let Some(mtu) = mtu.filter(|mtu| *mtu < SMALLEST_MTU) {
            let what = format!("an MTU of {mtu} bytes");
            self.problem(
                place.at("mtu"),
                what,
                format!("{SMALLEST_MTU} is the least that IPv4 allows (RFC 791 3.2)"),
            );
        }
    }

    fn mac(&mut self, place: &Place, mac: Option<MacAddress>) {
        if let Some(mac) = mac.filter(|mac| mac.is_multicast()) {
            self.problem(
                place.at("mac"),
                format!("{mac} is the address of a group"),
                "a card has one of its own",
            );
        }
    }

    /// RFC 1122 3.2.1.3: what can be the address of one host.
    fn address(&mut self, place: Place, Cidr { address, prefix_len }: Cidr) {
        let Some(network) = Prefix::new(address, prefix_len) else {
            return self.problem(place, format!("a prefix of {prefix_len} bits"), "it has 0 to 32");
        };
        if address.is_multicast()
            || address.is_broadcast()
            || address.is_unspecified()
            || address.is_loopback()
        {
            self.problem(place, format!("{address} cannot be the address of one host"), "");
        } else if prefix_len < 31 && address == network.network() {
            let next = Ipv4Addr::from_bits(address.to_bits() + 1);
            let what = format!("{address} is the address of the network {network} itself");
            self.problem(place, what, format!("its first host is {next}/{prefix_len}"));
        } else if network.broadcast() == Some(address) {
            let before = Ipv4Addr::from_bits(address.to_bits() - 1);
            let what = format!("{address} is the broadcast address of {network}");
            self.problem(place, what, format!("its last host is {before}/{prefix_len}"));
        }
    }

    /// A router that packets go on to must be on a link, and be somebody else.
    fn next_hop(&mut self, place: Place, name: &str, via: Ipv4Addr, links: &[(Ipv4Addr, Prefix)]) {
        if links.iter().any(|(own, _)| *own == via) {
            return self.problem(
                place,
                format!("{via} is `{name}` itself"),
                "the next hop is another router",
            );
        }
        if !links.iter().any(|(_, network)| network.contains(via)) {
            let networks = list(links.iter().map(|(_, network)| network));
            let what = format!("{via} is on no link of `{name}`");
            let cure = match links.len() {
                0 => "it has no network yet".to_owned(),
                1 => format!("its network is {networks}"),
                _ => format!("its networks are {networks}"),
            };
            self.problem(place, what, cure);
        }
    }
}

/// Whose frames a port carries.
pub(super) fn vlan_ids(vlan: &Vlan) -> Vec<u16> {
    match vlan {
        Vlan::Access(id) => vec![*id],
        Vlan::Trunk { native, tagged } => native.iter().chain(tagged).copied().collect(),
    }
}

/// Where a station is described, its address and its card's address.
fn station(
    Socket { node, port }: Socket<'_>,
    topology: &Topology,
) -> Option<(Place, Option<Ipv4Addr>, Option<MacAddress>)> {
    if let Some(host) = topology.hosts.get(node) {
        let address = match host.address {
            HostAddress::Static(cidr) => Some(cidr.address),
            HostAddress::Dhcp => None,
        };
        return Some((Place::top("host").at(node), address, host.mac));
    }
    let spec = topology.routers.get(node)?.ports.get(port)?;
    Some((Place::top("router").at(node).at("ports").at(port), Some(spec.address.address), spec.mac))
}
