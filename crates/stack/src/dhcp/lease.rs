//! What a program asks a DHCP client for, what it gets, and what can go wrong.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// How a host asks for its address ([`Host::dhcp`](crate::Host::dhcp)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpOptions {
    /// How long the first lease may take; none: until there is one. 30 s: four DHCPDISCOVER.
    pub timeout: Option<Duration>,
    /// What the host calls itself (option 12); none: the name in its configuration.
    pub host_name: Option<String>,
    /// What tells it from every other client of the server (option 61, RFC 2132 9.14); none: its
    /// MAC address.
    pub client_id: Option<Vec<u8>>,
    /// The address that it would like (option 50). It may get another.
    pub requested: Option<Ipv4Addr>,
    /// An address that it had on this link before: it asks for that at once, without looking for
    /// servers first (INIT-REBOOT, RFC 2131 3.2).
    pub remembered: Option<Ipv4Addr>,
    /// How long it waits for further offers after the first, before it takes the first
    /// (RFC 2131 4.4.1 leaves that open). 0 s.
    pub collect: Duration,
    /// Whether it asks by ARP if somebody uses the address that it is given, before it does so
    /// itself (RFC 2131 4.4.1, RFC 5227 2.1). Yes.
    pub probe: bool,
    /// Whether it asks servers to answer everybody (RFC 2131 4.1). It understands answers to the
    /// address that it does not have yet, so no; some relays and switches want it.
    pub broadcast: bool,
}

impl Default for DhcpOptions {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(30)),
            host_name: None,
            client_id: None,
            requested: None,
            remembered: None,
            collect: Duration::ZERO,
            probe: true,
            broadcast: false,
        }
    }
}

/// What a server has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The host's address now.
    pub address: Ipv4Addr,
    /// The length of the network prefix, in bits.
    pub prefix_len: u8,
    /// The default gateway.
    pub router: Option<Ipv4Addr>,
    /// The name servers, the best first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain for names without a dot.
    pub domain: Option<String>,
    /// How long the address is this host's from the request on, in seconds; [`u32::MAX`] for ever
    /// (RFC 2131 3.3). It is renewed in the background.
    pub seconds: u32,
    /// When it is renewed with the server that granted it, in seconds from the request on (T1,
    /// RFC 2131 4.4.5).
    pub renew_after: u32,
    /// When it is renewed with any server, in seconds from the request on (T2).
    pub rebind_after: u32,
    /// The server that granted it.
    pub server: Ipv4Addr,
    /// The link's MTU in bytes, if the server has named one that is less than the device's.
    pub mtu: Option<u16>,
}

/// A host could not get an address, or could not begin to ask for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DhcpError {
    /// No server has offered anything.
    #[error(
        "no DHCP server answered within {} ms ({asked} DHCPDISCOVER sent): is there one on this link?",
        after.as_millis()
    )]
    NoOffer {
        /// How long was waited.
        after: Duration,
        /// How often was asked.
        asked: u32,
    },
    /// There were offers, but none became a lease.
    #[error("no lease within {} ms: {last}", after.as_millis())]
    NoLease {
        /// How long was waited.
        after: Duration,
        /// What went wrong last, as `10.0.0.1 refused 10.0.0.7: it is another's`.
        last: String,
    },
    /// The host was given an address when it was made, or by hand since.
    #[error("this host has the address {0}: DHCP is for hosts without one (HostConfig::unconfigured)")]
    HasAddress(IpAddr),
    /// It is asking, or has a lease.
    #[error("DHCP runs on this host already")]
    Running,
    /// A TUN has no link to broadcast on.
    #[error("DHCP needs Ethernet, and {0} carries bare IP packets")]
    NoLink(String),
    /// Port 68 is somebody's.
    #[error("UDP port 68 is taken: a DHCP client needs it")]
    PortTaken,
    /// Not something that fits into the option.
    #[error("a {what} of {length} bytes: 1 to 255 fit into a DHCP option")]
    TooLong {
        /// Which.
        what: &'static str,
        /// How long it is.
        length: usize,
    },
    /// [`Host::release`](crate::Host::release) came first.
    #[error("the lease was given back before it was there")]
    Released,
}
