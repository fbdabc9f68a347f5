//! Where in the lab the kernel stands, and as whom.

use crate::failure::usage;
use crate::watch::HERO as CLIENT;
use anyhow::{Context, bail};
use glasstack::lab::fault::{self, FaultSpec};
use glasstack::sim::Plug;
use glasstack::sim::topology::{Cidr, End, HostAddress, Topology};
use glasstack::stack::{FrameDevice, Prefix};
use glasstack::uplink::{InterfaceAddress, Netlink, TapDevice};
use std::net::{IpAddr, Ipv4Addr};

/// Where the kernel joins the lab.
pub(super) struct Place {
    /// The switch.
    pub(super) at: String,
    /// Its port; none: the first that is free.
    port: Option<usize>,
    /// The kernel's address on its link.
    pub(super) own: InterfaceAddress,
    /// The router there.
    pub(super) gateway: Option<Ipv4Addr>,
    /// Its name.
    router: Option<String>,
}

impl Place {
    /// On the switch `at`, or beside the client; with the address `own`, or the first one that is free.
    pub(super) fn find(
        topology: &Topology,
        at: Option<&str>,
        own: Option<InterfaceAddress>,
    ) -> anyhow::Result<Self> {
        let End { node: at, port } = match at {
            Some(at) => End::from(at),
            None => End::from(switch_of_the_client(topology)?),
        };
        let at = at.as_str();
        if !topology.switches.contains_key(at) {
            let known: Vec<&str> = topology.switches.keys().map(String::as_str).collect();
            bail!(usage(format!("there is no switch named {at}; these are: {}", known.join(", "))));
        }
        let link = Link::of(topology, at);
        let Some(network) = link.network() else {
            bail!(usage(format!(
                "nobody on {at} has an address, so it is not known which the kernel may take"
            )));
        };
        let own = match own {
            Some(own) => own,
            None => link.free_address(network)?,
        };
        if let Some((taken, by)) =
            link.stations.iter().find(|(cidr, _)| IpAddr::V4(cidr.address) == own.address)
        {
            bail!(usage(format!("{} belongs to {by} on {at}; another address, please", taken.address)));
        }
        let gateway = link.gateways.into_iter().find(|gateway| network.contains(*gateway));
        let router = link.stations.iter().find(|(_, station)| topology.routers.contains_key(*station));
        let router = router.map(|(_, name)| (*name).to_owned());
        Ok(Self { at: at.to_owned(), port, own, gateway, router })
    }

    /// Where the gate's cable ends.
    pub(super) fn plug(&self) -> Plug {
        match self.port {
            Some(port) => (self.at.as_str(), port).into(),
            None => self.at.as_str().into(),
        }
    }

    /// The user of a bridge is the kernel. A fault on no cable in particular, or on the client's, strikes
    /// between the switch and the router, where all passes that the kernel has to do with the world.
    pub(super) fn put(&self, mut fault: FaultSpec) -> FaultSpec {
        let (FaultSpec::Cable(cable), Some(router)) = (&mut fault, &self.router) else { return fault };
        let is_the_users = match &cable.place {
            None => true,
            Some(fault::Place::Of(node)) => node == CLIENT,
            Some(fault::Place::Between(..)) => false,
        };
        if is_the_users {
            cable.place = Some(fault::Place::Between(self.at.clone(), router.clone()));
            if let Some(fault::Heading::Towards(node) | fault::Heading::Leaving(node)) = &mut cable.heading
                && node == CLIENT
            {
                node.clone_from(&self.at);
            }
        }
        fault
    }

    /// A device that was there before may have an address of its own.
    pub(super) fn is_on(&self, device: &TapDevice) -> anyhow::Result<()> {
        let own = self.own;
        match device.host_side() {
            Some(side) if side == own => Ok(()),
            side => {
                let has = side.map_or_else(|| "no address".to_owned(), |side| side.to_string());
                let tap = device.name();
                bail!(usage(format!("{tap} has {has}, not {own}: name another device, or `--addr {has}`")))
            }
        }
    }

    /// What has no other route leads into the lab.
    pub(super) fn route_everything(&self, tap: &str) -> anyhow::Result<()> {
        let gateway = self.gateway.context("--route: there is no router on this link")?;
        let mut netlink = Netlink::open()?;
        let link = netlink.link(tap)?.with_context(|| format!("{tap} has vanished"))?;
        let everything = Prefix::new(Ipv4Addr::UNSPECIFIED, 0).context("0.0.0.0/0")?;
        Ok(netlink.set_route(&link, everything, Some(gateway))?)
    }
}

/// Who is on one switch.
struct Link<'a> {
    stations: Vec<(Cidr, &'a str)>,
    gateways: Vec<Ipv4Addr>,
}

impl<'a> Link<'a> {
    fn of(topology: &'a Topology, switch: &str) -> Self {
        let mut link = Self { stations: Vec::new(), gateways: Vec::new() };
        let cables = topology.cables.iter();
        let pairs = cables.flat_map(|cable| {
            [(&cable.between[0], &cable.between[1]), (&cable.between[1], &cable.between[0])]
        });
        for (_, end) in pairs.filter(|(near, _)| near.node == switch) {
            if let Some(host) = topology.hosts.get(&end.node) {
                link.gateways.extend(host.gateway);
                if let HostAddress::Static(cidr) = host.address {
                    link.stations.push((cidr, end.node.as_str()));
                }
            }
            if let Some(router) = topology.routers.get(&end.node) {
                let port = end.port.and_then(|port| router.ports.get(port)).or(router.ports.first());
                link.gateways.extend(port.map(|port| port.address.address));
                link.stations.extend(port.map(|port| (port.address, end.node.as_str())));
            }
        }
        link
    }

    fn network(&self) -> Option<Prefix> {
        self.stations.first().and_then(|(cidr, _)| cidr.network())
    }

    /// The first from .2 on.
    fn free_address(&self, network: Prefix) -> anyhow::Result<InterfaceAddress> {
        let first = u32::from(network.network()) + 2;
        let free = (first..)
            .map(Ipv4Addr::from)
            .take_while(|address| network.contains(*address) && network.broadcast() != Some(*address))
            .find(|address| self.stations.iter().all(|(cidr, _)| cidr.address != *address));
        let address = free.context("every address of the link is taken; say which with --addr")?;
        Ok(InterfaceAddress { address: address.into(), prefix_len: network.prefix_len() })
    }
}

fn switch_of_the_client(topology: &Topology) -> anyhow::Result<&str> {
    let ends =
        topology.cables.iter().map(|cable| [cable.between[0].node.as_str(), cable.between[1].node.as_str()]);
    let beside = ends.into_iter().find_map(|ends| match ends {
        [CLIENT, other] | [other, CLIENT] => Some(other),
        _ => None,
    });
    beside
        .filter(|node| topology.switches.contains_key(*node))
        .ok_or_else(|| usage("the client is on no switch: say with --at which the kernel is to join"))
}
