//! What a host is told, and what it tells: its configuration, its counters, its connections.

use crate::error::ConfigError;
use crate::route::{Prefix, Route, RouteTable};
use glasstack_journal::event::{DropReason, FlowId, MacAddress, TcpState};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What a host is.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Its name in the journal, as `client`.
    pub name: String,
    /// Its MAC address; ignored where the device has no link addresses.
    pub mac: MacAddress,
    /// Its IP address.
    pub address: IpAddr,
    /// The length of the network prefix, in bits.
    pub prefix_len: u8,
    /// Rows beside the one that the address makes.
    pub routes: Vec<Route>,
    /// How its TCP behaves.
    pub tcp: TcpConfig,
    /// How it asks for MAC addresses.
    pub arp: ArpConfig,
    /// How long a datagram may wait for its fragments (RFC 1122 3.3.2). 30 s.
    pub reassembly_timeout: Duration,
    /// Whether the host takes packets for other addresses as well, for its gateway to decide about
    /// ([`Host::transit`](crate::Host::transit)), and opens connections in the name of others
    /// ([`ConnectOptions::from`]). No.
    pub transparent: bool,
}

/// How a host asks for MAC addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpConfig {
    /// Between two requests for the same address (RFC 1122 2.3.2.1: not below a second). 1 s.
    pub retry: Duration,
    /// How often an address is asked for before those who wait fail; at least once. 3.
    pub attempts: u8,
}

impl Default for ArpConfig {
    fn default() -> Self {
        Self { retry: Duration::from_secs(1), attempts: 3 }
    }
}

impl HostConfig {
    /// A host with a default gateway or none, and everything else as is usual.
    pub fn new(
        name: &str,
        mac: MacAddress,
        address: IpAddr,
        prefix_len: u8,
        gateway: Option<IpAddr>,
    ) -> Result<Self, ConfigError> {
        let link = prefix(own_address(address)?, prefix_len)?;
        let mut routes = Vec::new();
        if let Some(gateway) = gateway {
            let via = own_address(gateway)?;
            if !link.contains(via) {
                return Err(ConfigError::GatewayOffLink { gateway, link: link.to_string() });
            }
            routes.push(Route { prefix: Prefix::DEFAULT, via: Some(via), metric: 0 });
        }
        Ok(Self { address, prefix_len, routes, ..Self::unconfigured(name, mac) })
    }

    /// A host without an address: nothing but DHCP can be sent until
    /// [`Host::dhcp`](crate::Host::dhcp) or [`Host::configure`](crate::Host::configure) has given it
    /// one. Rows of [`routes`](Self::routes) come into force then, too.
    pub fn unconfigured(name: &str, mac: MacAddress) -> Self {
        Self {
            name: name.to_owned(),
            mac,
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            prefix_len: 0,
            routes: Vec::new(),
            tcp: TcpConfig::default(),
            arp: ArpConfig::default(),
            reassembly_timeout: Duration::from_secs(30),
            transparent: false,
        }
    }

    /// What must hold for a host with this configuration on an interface with this name and MTU.
    pub(crate) fn check(&self, interface: &str, mtu: usize) -> Result<Checked, ConfigError> {
        if mtu < SMALLEST_MTU {
            return Err(ConfigError::Mtu(mtu));
        }
        for buffer in [self.tcp.receive_buffer, self.tcp.send_buffer] {
            if !(1..=LARGEST_BUFFER).contains(&buffer) {
                return Err(ConfigError::Buffer(buffer));
            }
        }
        let place = match self.address {
            IpAddr::V4(address) if address.is_unspecified() => Place::nowhere(interface),
            _ => Place::new(interface, own_address(self.address)?, self.prefix_len, &self.routes)?,
        };
        Ok(Checked { place, mtu: mtu.min(LARGEST_MTU) })
    }
}

/// What an interface may be told while it runs ([`Host::configure`](crate::Host::configure)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressing {
    /// The host's address.
    pub address: Ipv4Addr,
    /// The length of the network prefix, in bits.
    pub prefix_len: u8,
    /// The default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// The link's MTU in bytes, where it is less than the device's.
    pub mtu: Option<usize>,
}

/// How a host's TCP behaves.
#[derive(Clone, Debug)]
pub struct TcpConfig {
    /// How long a connection closed by this side stays in TIME-WAIT (RFC 9293 3.6.1: twice the
    /// maximum segment lifetime). 60 s.
    pub time_wait: Duration,
    /// How long FIN-WAIT-2 may last once the application is gone. 60 s.
    pub fin_wait_2: Duration,
    /// Receive buffer of a connection, in bytes. 64 KiB.
    pub receive_buffer: usize,
    /// Send buffer of a connection, in bytes. 64 KiB.
    pub send_buffer: usize,
    /// How long data may stay unacknowledged before the connection fails (RFC 9293 3.8.3). 100 s.
    pub user_timeout: Duration,
    /// How long an acknowledgment may wait for company (RFC 9293 3.8.6.3). 10 ms.
    pub ack_delay: Option<Duration>,
    /// How many connections may wait to be accepted on a port. 1 024.
    pub backlog: usize,
    /// How many half-open connections a port may have; the oldest gives way. 1 024.
    pub half_open: usize,
    /// How long a connection may stay half-open. 63 s, as long as Linux tries.
    pub half_open_timeout: Duration,
}

impl Default for TcpConfig {
    fn default() -> Self {
        Self {
            time_wait: Duration::from_secs(60),
            fin_wait_2: Duration::from_secs(60),
            receive_buffer: 64 * 1024,
            send_buffer: 64 * 1024,
            user_timeout: Duration::from_secs(100),
            ack_delay: Some(Duration::from_millis(10)),
            backlog: 1024,
            half_open: 1024,
            half_open_timeout: Duration::from_secs(63),
        }
    }
}

/// How one connection is opened.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// How long the handshake may take. 130 s, as long as Linux tries.
    pub timeout: Duration,
    /// How long an idle connection waits before asking whether the peer still lives; none: it does
    /// not ask.
    pub keep_alive: Option<Duration>,
    /// The address and port to connect from, instead of the host's own address and an unpredictable
    /// port. Another address than its own is for transparent hosts.
    pub from: Option<SocketAddr>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(130), keep_alive: None, from: None }
    }
}

/// What passed a host and what was discarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Frames discarded, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

/// One connection, as `ss` would list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowInfo {
    /// Its number in the journal.
    pub flow: FlowId,
    /// This host's address and port.
    pub local: SocketAddr,
    /// The other end's.
    pub remote: SocketAddr,
    /// Its state.
    pub state: TcpState,
}

/// A configuration that holds together.
pub(crate) struct Checked {
    pub(crate) place: Place,
    /// In bytes, at most what an IPv4 total length can say.
    pub(crate) mtu: usize,
}

/// Where a host is in the network.
pub(crate) struct Place {
    /// Unspecified: it has none.
    pub(crate) address: Ipv4Addr,
    pub(crate) prefix: Prefix,
    pub(crate) routes: RouteTable,
}

impl Place {
    /// Nowhere yet.
    pub(crate) fn nowhere(interface: &str) -> Self {
        let address = Ipv4Addr::UNSPECIFIED;
        Self { address, prefix: Prefix::host(address), routes: RouteTable::nowhere(interface) }
    }

    /// At an address, with these rows beside the one that the address makes.
    pub(crate) fn new(
        interface: &str,
        address: Ipv4Addr,
        len: u8,
        rows: &[Route],
    ) -> Result<Self, ConfigError> {
        let prefix = prefix(address, len)?;
        let mut routes = RouteTable::new(interface, address, len).ok_or(ConfigError::PrefixLength(len))?;
        for row in rows {
            routes.add(*row);
        }
        Ok(Self { address, prefix, routes })
    }
}

/// RFC 791 3.2: every link carries packets of this size.
pub(crate) const SMALLEST_MTU: usize = 68;
/// RFC 791 3.1: the total length is a 16-bit field.
pub(crate) const LARGEST_MTU: usize = 65_535;
/// RFC 7323 2.3: the window cannot be scaled beyond 1 GiB.
const LARGEST_BUFFER: usize = 1 << 30;

fn own_address(address: IpAddr) -> Result<Ipv4Addr, ConfigError> {
    match address {
        IpAddr::V6(_) => Err(ConfigError::Ipv6(address)),
        IpAddr::V4(v4)
            if v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || v4.is_loopback() =>
        {
            Err(ConfigError::Address(address))
        }
        IpAddr::V4(v4) => Ok(v4),
    }
}

fn prefix(address: Ipv4Addr, len: u8) -> Result<Prefix, ConfigError> {
    let prefix = Prefix::new(address, len).ok_or(ConfigError::PrefixLength(len))?;
    // RFC 1122 3.2.1.3: neither the network's own address nor its broadcast address is a host's.
    let is_network = len < 31 && address == prefix.network();
    if is_network || Some(address) == prefix.broadcast() {
        return Err(ConfigError::Address(address.into()));
    }
    Ok(prefix)
}
