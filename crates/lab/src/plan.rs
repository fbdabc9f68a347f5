//! Who is where: addresses and cables.

use glasstack_sim::fault::{self, Fault};
use glasstack_sim::{Cable, CableHandle, RouterConfig, SimWorld, TopologyError};
use glasstack_stack::{ConfigError, Host, HostConfig};
use std::net::Ipv4Addr;

/// The client.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// The gateway, as the client sees it.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The name server, on the client's own link.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);
/// An address on the client's own link that nobody has: no ARP reply comes.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
/// The gateway, as the servers see it.
pub const BACKBONE_GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The web server.
pub const WEB: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);
/// The server that misbehaves.
pub const ODD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 66);
/// A host whose cable loses every TCP segment: no answer ever comes.
pub const SILENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 70);
/// An address on the servers' link that nobody has: the gateway says so by ICMP.
pub const NOBODY_THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 99);
/// An address on no network of the lab: the gateway has no route.
pub const NOWHERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// Both networks are this long, in bits.
const PREFIX_LEN: u8 = 24;

/// What [`build`] has made.
pub(crate) struct Network {
    pub(crate) client: Host,
    /// From the client (its first end) to the switch.
    pub(crate) client_cable: CableHandle,
    pub(crate) name_server: Host,
    pub(crate) web: Host,
    pub(crate) odd: Host,
}

/// How the network differs from the usual one.
pub(crate) struct Terms {
    pub(crate) client_cable: Cable,
    /// The MTU of the gateway's port towards the servers, in bytes.
    pub(crate) backbone_mtu: usize,
    /// The gateway says nothing of packets that exceed it.
    pub(crate) black_hole: bool,
}

/// Puts everybody into the world and lays the cables.
pub(crate) fn build(world: &mut SimWorld, terms: Terms) -> Result<Network, PlanError> {
    let client = host(world, "client", CLIENT, GATEWAY)?;
    let switch = world.add_switch("switch")?;
    let client_cable = world.connect(&client, switch, terms.client_cable)?;
    let mut gateway = RouterConfig::new()
        .port_with_mtu(GATEWAY, PREFIX_LEN, terms.backbone_mtu)
        .port_with_mtu(BACKBONE_GATEWAY, PREFIX_LEN, terms.backbone_mtu);
    if terms.black_hole {
        gateway = gateway.silent_when_too_big();
    }
    let gateway = world.add_router("gateway", gateway)?;
    world.connect((gateway, 0), switch, Cable::new())?;
    let name_server = host(world, "names", NAME_SERVER, GATEWAY)?;
    world.connect(&name_server, switch, Cable::new())?;

    let backbone = world.add_switch("backbone")?;
    world.connect((gateway, 1), backbone, Cable::new())?;
    let web = host(world, "web", WEB, BACKBONE_GATEWAY)?;
    world.connect(&web, backbone, Cable::new())?;
    let odd = host(world, "odd", ODD, BACKBONE_GATEWAY)?;
    world.connect(&odd, backbone, Cable::new())?;
    let silent = host(world, "silent", SILENT, BACKBONE_GATEWAY)?;
    let deaf = fault::drop_when(|frame| frame.is_tcp()).named("loses every TCP segment");
    world.connect(&silent, backbone, Cable::new().fault(deaf))?;
    Ok(Network { client, client_cable, name_server, web, odd })
}

fn host(world: &mut SimWorld, name: &str, address: Ipv4Addr, gateway: Ipv4Addr) -> Result<Host, PlanError> {
    let mac = world.next_mac();
    let config = HostConfig::new(name, mac, address.into(), PREFIX_LEN, Some(gateway.into()))?;
    Ok(world.add_host(config)?)
}

/// The network cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A host cannot be as planned.
    #[error(transparent)]
    Host(#[from] ConfigError),
    /// The parts do not fit.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}
