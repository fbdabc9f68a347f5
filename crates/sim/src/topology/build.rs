//! From a topology to nodes and cables in a world.

use super::problem::Problem;
use super::wiring::Wiring;
use super::{
    CableSpec, Cidr, DhcpSpec, HostAddress, HostSpec, LaneSpec, NatSpec, RipSpec, RouterSpec, SwitchSpec,
    Topology, check,
};
use crate::cable::{Cable, CableHandle, Lane};
use crate::error::TopologyError;
use crate::fault;
use crate::flight::Way;
use crate::nic::SimNic;
use crate::router::{DhcpConfig, Filter, NatConfig, RipConfig, RipTimers, RouterConfig, Timeouts};
use crate::switch::Switch;
use crate::world::SimWorld;
use glasstack_journal::NodeId;
use glasstack_journal::event::MacAddress;
use glasstack_stack::{ConfigError, Host, HostConfig, Route};
use std::collections::BTreeMap;

/// What a port carries if nothing is said, in bytes: Ethernet (RFC 894).
const USUAL_MTU: u16 = 1_500;

impl Topology {
    /// Puts everything into `world`: hosts, then switches, then routers, each kind in the order of names,
    /// then the cables in theirs.
    pub fn build(&self, world: &mut SimWorld) -> Result<Network, BuildError> {
        if let Some(problem) = check::problems(self).into_iter().next() {
            return Err(problem.into());
        }
        let mut network = Network::default();
        let macs = self.mac_addresses();
        let mac = |name, port| macs.get(&(name, port)).copied().unwrap_or(MacAddress([0; 6]));
        for (name, host) in &self.hosts {
            let host = add_host(world, name, host, mac(name.as_str(), 0))?;
            network.hosts.insert(name.clone(), host);
        }
        for (name, switch) in &self.switches {
            network.switches.insert(name.clone(), world.add_node(name, make_switch(switch))?);
        }
        for (name, router) in &self.routers {
            let config = router_config(router, |port| mac(name.as_str(), port));
            network.routers.insert(name.clone(), world.add_router(name, config)?);
        }
        let (wiring, _) = Wiring::of(self);
        for (cable, sockets) in self.cables.iter().zip(wiring.sockets) {
            let Some([first, second]) = sockets else { continue };
            let handle =
                world.connect((first.node, first.port), (second.node, second.port), make_cable(cable))?;
            network.cables.push(Laid { ends: [first.node.to_owned(), second.node.to_owned()], handle });
        }
        Ok(network)
    }
}

fn add_host(world: &mut SimWorld, name: &str, spec: &HostSpec, mac: MacAddress) -> Result<Host, BuildError> {
    let bad = |source| BuildError::Host { name: name.to_owned(), source };
    let mut config = match spec.address {
        HostAddress::Static(Cidr { address, prefix_len }) => {
            let gateway = spec.gateway.map(Into::into);
            HostConfig::new(name, mac, address.into(), prefix_len, gateway).map_err(bad)?
        }
        HostAddress::Dhcp => HostConfig::unconfigured(name, mac),
    };
    let further = spec.routes.iter().map(|route| Route { prefix: route.to, via: Some(route.via), metric: 0 });
    config.routes.extend(further);
    Ok(world.add_host_with(config, SimNic::new("eth0", spec.mtu.unwrap_or(USUAL_MTU).into()))?)
}

fn make_switch(spec: &SwitchSpec) -> Switch {
    let mut switch = Switch::new();
    if let Some(ageing) = spec.ageing {
        switch = switch.ageing(ageing);
    }
    if let Some(capacity) = spec.capacity {
        switch = switch.capacity(capacity);
    }
    if let Some(frames_per_second) = spec.storm_control {
        switch = switch.storm_control(frames_per_second);
    }
    spec.vlans.iter().fold(switch, |switch, (port, vlan)| switch.vlan(*port, vlan.clone()))
}

fn router_config(spec: &RouterSpec, mac: impl Fn(usize) -> MacAddress) -> RouterConfig {
    let mut config = RouterConfig::new();
    for (index, port) in spec.ports.iter().enumerate() {
        let Cidr { address, prefix_len } = port.address;
        config = config
            .port_with_mtu(address, prefix_len, port.mtu.unwrap_or(USUAL_MTU).into())
            .port_mac(mac(index));
    }
    for route in &spec.routes {
        config = config.route(route.to, route.via);
    }
    if spec.silent_when_too_big {
        config = config.silent_when_too_big();
    }
    if spec.checks_sources {
        config = config.checks_sources();
    }
    if let Some(errors) = spec.errors_per_second {
        config = config.errors_per_second(errors.rate, errors.burst);
    }
    if let Some(nat) = &spec.nat {
        config = config.nat(nat_config(nat));
    }
    for forward in &spec.forwards {
        config = config.forward(*forward);
    }
    if let Some(filter) = &spec.filter {
        config = config.filter(Filter { policy: filter.policy, rules: filter.rules.clone() });
    }
    if let Some(rip) = &spec.rip {
        config = config.rip(rip_config(rip));
    }
    for dhcp in &spec.dhcp {
        config = config.dhcp(dhcp.port, dhcp_config(dhcp));
    }
    config
}

fn rip_config(spec: &RipSpec) -> RipConfig {
    let usual = RipTimers::default();
    let timers = RipTimers {
        update: spec.timers.update.unwrap_or(usual.update),
        timeout: spec.timers.timeout.unwrap_or(usual.timeout),
        garbage: spec.timers.garbage.unwrap_or(usual.garbage),
    };
    let mut config = RipConfig::new().timers(timers);
    config = spec.passive.iter().fold(config, |config, port| config.passive(*port));
    config = spec.off.iter().fold(config, |config, port| config.off(*port));
    config = spec.costs.iter().fold(config, |config, (port, cost)| config.cost(*port, *cost));
    config = spec.untold.iter().fold(config, |config, prefix| config.untold(*prefix));
    match &spec.password {
        Some(password) => config.password(password),
        None => config,
    }
}

fn dhcp_config(spec: &DhcpSpec) -> DhcpConfig {
    let usual = DhcpConfig::new(*spec.pool.start(), *spec.pool.end());
    DhcpConfig {
        lease: spec.lease.unwrap_or(usual.lease),
        name_servers: spec.name_servers.clone(),
        domain: spec.domain.clone(),
        ..usual
    }
}

fn nat_config(spec: &NatSpec) -> NatConfig {
    let usual = NatConfig::new(spec.outside);
    let timeouts = Timeouts {
        tcp_established: spec.timeouts.tcp_established.unwrap_or(usual.timeouts.tcp_established),
        tcp_transitory: spec.timeouts.tcp_transitory.unwrap_or(usual.timeouts.tcp_transitory),
        udp: spec.timeouts.udp.unwrap_or(usual.timeouts.udp),
        icmp: spec.timeouts.icmp.unwrap_or(usual.timeouts.icmp),
    };
    NatConfig {
        outside: spec.outside,
        ports: spec.ports.clone().unwrap_or(usual.ports),
        most: spec.most.unwrap_or(usual.most),
        filtering: spec.filtering.unwrap_or(usual.filtering),
        timeouts,
    }
}

fn make_cable(spec: &CableSpec) -> Cable {
    let [there, back] = [&spec.there, &spec.back].map(|own| spec.lanes.overridden_by(own));
    let mut cable = Cable::asymmetric(lane(&there), lane(&back));
    if let Some(loss) = there.loss {
        cable = cable.fault_there(fault::loss(loss.0));
    }
    if let Some(loss) = back.loss {
        cable = cable.fault_back(fault::loss(loss.0));
    }
    if let Some(bursts) = there.bursts {
        cable = cable.fault_there(fault::bursts(bursts.into()));
    }
    if let Some(bursts) = back.bursts {
        cable = cable.fault_back(fault::bursts(bursts.into()));
    }
    if !spec.up {
        cable = cable.unplugged();
    }
    if spec.capture { cable.capture() } else { cable }
}

fn lane(spec: &LaneSpec) -> Lane {
    let usual = Lane::default();
    Lane {
        latency: spec.latency.unwrap_or(usual.latency),
        jitter: spec.jitter.unwrap_or(usual.jitter),
        keeps_order: spec.keeps_order.unwrap_or(usual.keeps_order),
        rate: spec.rate.map(|rate| rate.0),
        queue: spec.queue.unwrap_or(usual.queue),
    }
}

/// What has been built: everything by its name.
#[derive(Default)]
pub struct Network {
    hosts: BTreeMap<String, Host>,
    switches: BTreeMap<String, NodeId>,
    routers: BTreeMap<String, NodeId>,
    cables: Vec<Laid>,
}

/// A cable and the names of what it connects.
struct Laid {
    ends: [String; 2],
    handle: CableHandle,
}

impl Network {
    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// Every host, in the order of names.
    pub fn hosts(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.hosts.iter().map(|(name, host)| (name.as_str(), host))
    }

    /// The switch of this name.
    pub fn switch(&self, name: &str) -> Option<NodeId> {
        self.switches.get(name).copied()
    }

    /// The router of this name.
    pub fn router(&self, name: &str) -> Option<NodeId> {
        self.routers.get(name).copied()
    }

    /// Every router, in the order of names.
    pub fn routers(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.routers.iter().map(|(name, id)| (name.as_str(), *id))
    }

    /// Every cable, in the order in which they were laid.
    pub fn cables(&self) -> impl Iterator<Item = &CableHandle> {
        self.cables.iter().map(|laid| &laid.handle)
    }

    /// The cable between two nodes, said as `"client <-> home"` or `("client", "home")`, in either order;
    /// the first of several. `"client <-> home #2"` is the second.
    pub fn cable(&self, between: impl Into<CableName>) -> Option<&CableHandle> {
        self.cable_from(between).map(|(handle, _)| handle)
    }

    /// The same, and which way leads from the node that is named first to the other.
    pub fn cable_from(&self, between: impl Into<CableName>) -> Option<(&CableHandle, Way)> {
        let CableName { first, second, number } = between.into();
        let ways = self.cables.iter().filter_map(|laid| match &laid.ends {
            [a, b] if *a == first && *b == second => Some((&laid.handle, Way::There)),
            [a, b] if *a == second && *b == first => Some((&laid.handle, Way::Back)),
            _ => None,
        });
        ways.into_iter().nth(number)
    }

    /// The cables that end at a node, and which way leads away from it.
    pub fn cables_of(&self, node: &str) -> impl Iterator<Item = (&CableHandle, Way)> {
        self.cables.iter().filter_map(move |laid| match &laid.ends {
            [a, _] if a == node => Some((&laid.handle, Way::There)),
            [_, b] if b == node => Some((&laid.handle, Way::Back)),
            _ => None,
        })
    }
}

/// Which cable is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CableName {
    first: String,
    second: String,
    /// Among several between the same two, from 0.
    number: usize,
}

impl From<(&str, &str)> for CableName {
    fn from((first, second): (&str, &str)) -> Self {
        Self { first: first.to_owned(), second: second.to_owned(), number: 0 }
    }
}

impl From<&str> for CableName {
    fn from(text: &str) -> Self {
        let (text, number) = match text.rsplit_once(" #") {
            Some((rest, number)) => (rest, number.parse::<usize>().unwrap_or(1).saturating_sub(1)),
            None => (text, 0),
        };
        let (first, second) = text.split_once("<->").unwrap_or((text, ""));
        Self { first: first.trim().to_owned(), second: second.trim().to_owned(), number }
    }
}

/// A topology cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// It does not fit together.
    #[error("{0}")]
    Bad(#[from] Problem),
    /// A host cannot be as described.
    #[error("host {name}: {source}")]
    Host {
        /// Its name.
        name: String,
        /// Why.
        source: ConfigError,
    },
    /// The parts do not fit, or the world has something of that name already.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}
