//! `--net user`: the whole Internet for a stack without privilege, by a gateway in the same process.
//!
//! An ordinary user may not put a packet on a network, but may open sockets. So the network that
//! the stack sees ends at a gateway that looks like a router and is none: it forwards no packet.
//! It makes, with the kernel's sockets, the connections that the stack's own program asks for, and
//! joins the two.
//!
//! ```text
//!    program on the stack          client 10.71.84.2           (a Host)
//!         |                            | frames, on a wire in the process
//!         v                        gateway 10.71.84.1          (a transparent Host)
//!    connect 192.0.2.7:80  ==>  Knock, datagram, echo
//!                                      | one socket each, in the world's event queue
//!                                      v
//!                               the kernel's connect(2), send(2)  ==>  192.0.2.7:80
//! ```
//!
//! slirp has done this since 1995, for a login on a machine that gave no address; QEMU and, as
//! passt, Podman do it today. What they have learnt, and this follows:
//!
//! - **Nothing is promised that is not had.** The SYN is answered when the kernel's own connect has
//!   succeeded; a refusal is passed back as RST, what the network says as ICMP, silence as silence
//!   (`connection`).
//! - **A relay is two directions.** Each may end by itself; a slow end slows the other down; a reset
//!   crosses (`relay`).
//! - **A datagram belongs to nobody.** A socket is kept while datagrams pass (`datagrams`).
//! - **The gateway's own address is the machine** that all runs on: its loopback. So are
//!   127.0.0.0/8's addresses (`plan`).
//! - **Everything is bounded** ([`Limits`]), and what does not fit is refused and told, not queued.
//!
//! Whoever has no address is given one (`dhcp`), so that a kernel can live behind the gateway as
//! well ([`UserNet::serve_on`]), as it does behind slirp4netns and passt.
//!
//! The gateway listens on nothing but what is published ([`UserNet::publish_tcp`]): what comes back
//! to it comes to sockets that are connected to who was asked.

mod connection;
mod datagrams;
mod dhcp;
mod echo;
mod flows;
mod gateway;
mod lent;
mod limits;
mod names;
mod peers;
mod plan;
mod publish;
mod relay;

pub use limits::Limits;
pub use names::NameServerError;
pub use publish::PublishError;

use crate::world::{AddHostError, TapWorld};
use flows::Datagrams;
use gateway::{Gateway, Seats};
use glasstack_journal::event::MacAddress;
use glasstack_stack::{
    BindError, ConfigError, FrameDevice, Host, HostConfig, Passing, Prefix, Route, TcpConfig, TransitError,
};
use lent::Lent;
use peers::Published;
use plan::Plan;
use relay::Buffers;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// The network behind the gateway.
#[derive(Clone, Debug)]
pub struct UserNetConfig {
    /// The client's name in the journal. `client`.
    pub client_name: String,
    /// The gateway's. `gateway`.
    pub gateway_name: String,
    /// The client's address. 10.71.84.2.
    pub client: Ipv4Addr,
    /// The gateway's, which is that of the network's name server as well. 10.71.84.1.
    pub gateway: Ipv4Addr,
    /// The length of the network's prefix, in bits. 24.
    pub prefix_len: u8,
    /// The largest IP packet on the wire between the two, in bytes; far below `tcp`'s buffers, since
    /// who has room for one segment only waits for its delayed acknowledgment each time. 1 500.
    pub mtu: usize,
    /// How both hosts' TCP behaves.
    pub tcp: TcpConfig,
    /// The machine's name servers, in the order in which they are asked; of either address family.
    /// None: the network has no name server.
    pub name_servers: Vec<SocketAddr>,
    /// What the gateway carries at once.
    pub limits: Limits,
    /// The addresses that the machine's sockets have, at most one of each family. None: its routes
    /// choose.
    pub outgoing: Vec<IpAddr>,
    /// Whether peers of published ports who would be seen under the gateway's address are turned away,
    /// unless they are this machine's own programs: then the gateway's address means this machine. No.
    pub turn_strangers_away: bool,
}

impl Default for UserNetConfig {
    fn default() -> Self {
        Self {
            client_name: "client".to_owned(),
            gateway_name: "gateway".to_owned(),
            client: Ipv4Addr::new(10, 71, 84, 2),
            gateway: Ipv4Addr::new(10, 71, 84, 1),
            prefix_len: 24,
            mtu: 1500,
            tcp: TcpConfig::default(),
            name_servers: Vec::new(),
            limits: Limits::default(),
            outgoing: Vec::new(),
            turn_strangers_away: false,
        }
    }
}

/// The network cannot be as configured.
#[derive(Debug, thiserror::Error)]
pub enum UserNetError {
    /// One of the two hosts cannot be so.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The machine's sockets cannot have an address of `outgoing`.
    #[error("this machine's sockets cannot have the address {address}: {source}")]
    Outgoing {
        /// Which.
        address: IpAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The gateway's host cannot be one.
    #[error(transparent)]
    Transit(#[from] TransitError),
    /// The name server's ports are taken.
    #[error(transparent)]
    NameServer(#[from] NameServerError),
    /// The DHCP server's port is taken.
    #[error(transparent)]
    Dhcp(#[from] BindError),
}

/// The gateway cannot serve a device.
#[derive(Debug, thiserror::Error)]
pub enum ServeOnError {
    /// It cannot be as configured.
    #[error(transparent)]
    Config(#[from] UserNetError),
    /// It cannot be put behind the device.
    #[error(transparent)]
    Device(#[from] AddHostError),
}

/// A network behind a gateway in this process. The gateway works for as long as the world lives.
#[derive(Clone)]
pub struct UserNet {
    host: Host,
    gateway: Arc<Gateway>,
}

impl UserNet {
    /// Puts a client and its gateway into `world`. Nothing is opened by that.
    pub fn join(world: &mut TapWorld, config: UserNetConfig) -> Result<Self, UserNetError> {
        let client = config.client_host()?;
        Self::join_as(world, config, client)
    }

    /// [`join`](Self::join), with a client of the caller's making, as one made by
    /// [`UserNetConfig::client_host`] and changed.
    pub fn join_as(
        world: &mut TapWorld,
        config: UserNetConfig,
        client: HostConfig,
    ) -> Result<Self, UserNetError> {
        let (near, far) = world.wire("eth0", config.mtu);
        let host = world.add_host_on_wire(client, near)?;
        let gateway = world.add_host_on_wire(config.gateway_host()?, far)?;
        let gateway = open(world, config, gateway)?;
        Ok(Self { host, gateway })
    }

    /// A gateway alone, for whoever is at the other end of `device`: a kernel behind a TAP, say,
    /// which gets its address by DHCP. It works for as long as the world lives. The gateway's own
    /// host.
    pub fn serve_on<D>(world: &mut TapWorld, config: UserNetConfig, device: D) -> Result<Host, ServeOnError>
    where
        D: FrameDevice + AsRawFd + 'static,
    {
        let gateway = world.add_host(config.gateway_host().map_err(UserNetError::from)?, device)?;
        Ok(open(world, config, gateway)?.host.clone())
    }

    /// The client: what programs run on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The gateway's address: this machine's loopback as the client sees it, and its name server.
    pub fn gateway(&self) -> IpAddr {
        self.gateway.plan.gateway.into()
    }

    /// Connections carried now, and pairs of ends that exchange datagrams.
    pub fn carried(&self) -> (usize, usize) {
        (self.gateway.connections.taken(), self.gateway.datagrams.count())
    }

    /// An IPv4 address that stands in for `address` behind the gateway: what is sent there goes on to
    /// `address`, if the machine reaches it. It is the same every time, until 65 536 others have been
    /// lent.
    pub fn lend(&self, address: Ipv6Addr) -> Ipv4Addr {
        self.gateway.lent.lend(address)
    }

    /// From now on whoever connects to `on`, an address and port of this machine, is connected to
    /// the client's `port`. Port 0 lets the machine choose. Where it listens.
    pub fn publish_tcp(&self, on: SocketAddr, port: u16) -> Result<SocketAddr, PublishError> {
        publish::tcp(&self.gateway, on, SocketAddr::new(self.host.address(), port))
    }

    /// From now on datagrams to `on`, an address and port of this machine, go to the client's
    /// `port`, and its answers back. Port 0 lets the machine choose. Where it is bound.
    pub fn publish_udp(&self, on: SocketAddr, port: u16) -> Result<SocketAddr, PublishError> {
        publish::udp(&self.gateway, on, SocketAddr::new(self.host.address(), port))
    }
}

/// The gateway begins its work on `host`.
fn open(world: &TapWorld, config: UserNetConfig, host: Host) -> Result<Arc<Gateway>, UserNetError> {
    let network =
        Prefix::new(config.gateway, config.prefix_len).ok_or(ConfigError::PrefixLength(config.prefix_len))?;
    for address in &config.outgoing {
        let failed = |source| UserNetError::Outgoing { address: *address, source };
        crate::os::is_ours(*address).map_err(failed)?;
    }
    let gateway = Arc::new(Gateway {
        transit: host.transit()?,
        reactor: world.reactor().clone(),
        plan: Plan { network, gateway: config.gateway },
        limits: config.limits,
        outgoing: config.outgoing.clone(),
        turns_strangers_away: config.turn_strangers_away,
        lent: Lent::default(),
        has_name_server: !config.name_servers.is_empty(),
        connections: Seats::new(config.limits.connections),
        buffers: Buffers::default(),
        echoes: Seats::new(config.limits.echoes),
        datagrams: Datagrams::default(),
        published: Published::default(),
        host,
    });
    dhcp::serve(&gateway, &config)?;
    if gateway.has_name_server {
        names::serve(&gateway, config.name_servers)?;
    }
    gateway.host.spawn(serve(Arc::clone(&gateway)));
    Ok(gateway)
}

/// Takes what passes, for as long as the world lives.
async fn serve(gateway: Arc<Gateway>) {
    loop {
        match gateway.transit.next().await {
            Passing::Connection(knock) => {
                gateway.host.spawn(connection::carry(Arc::clone(&gateway), knock));
            }
            Passing::Datagram(datagram) => gateway.on_datagram(datagram),
            Passing::Echo(echo) => echo::on_echo(&gateway, echo),
        }
    }
}

impl fmt::Debug for UserNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connections, datagram_flows) = self.carried();
        f.debug_struct("UserNet")
            .field("client", &self.host.address())
            .field("gateway", &self.gateway())
            .field("connections", &connections)
            .field("datagram_flows", &datagram_flows)
            .finish()
    }
}

impl UserNetConfig {
    /// The client, with the gateway as its way to everywhere.
    pub fn client_host(&self) -> Result<HostConfig, ConfigError> {
        let (name, mac) = (&self.client_name, mac_of(self.client));
        let mut host =
            HostConfig::new(name, mac, self.client.into(), self.prefix_len, Some(self.gateway.into()))?;
        host.tcp = self.tcp.clone();
        // The gateway stands for this very machine, so its loopback addresses lie behind it.
        if let Some(prefix) = Prefix::new(Ipv4Addr::LOCALHOST, 8) {
            host.routes.push(Route { prefix, via: Some(self.gateway), metric: 0 });
        }
        Ok(host)
    }

    fn gateway_host(&self) -> Result<HostConfig, ConfigError> {
        let (name, mac) = (&self.gateway_name, mac_of(self.gateway));
        let mut host = HostConfig::new(name, mac, self.gateway.into(), self.prefix_len, None)?;
        host.tcp = self.tcp.clone();
        host.transparent = true;
        Ok(host)
    }
}

/// A locally administered address (IEEE 802, the bit 0x02) that tells whose it is.
fn mac_of(address: Ipv4Addr) -> MacAddress {
    let [a, b, c, d] = address.octets();
    MacAddress([0x02, 0x00, a, b, c, d])
}
