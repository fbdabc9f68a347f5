//! Source NAT with ports (RFC 3022 2.2, as RFC 4787, RFC 5382 and RFC 5508 want it).

use std::fmt;
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How a router translates what leaves by its outside port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatConfig {
    /// The port towards the Internet, from 0; its address is the one all share.
    pub outside: usize,
    /// The ports that mappings may have, if the inside port is taken already.
    pub ports: RangeInclusive<u16>,
    /// Mappings at most.
    pub most: usize,
    /// Who from outside may use a mapping.
    pub filtering: Filtering,
    /// How long a mapping lasts without use.
    pub timeouts: Timeouts,
}

impl NatConfig {
    /// A translation to the address of port `outside`, with everything as the RFCs recommend.
    pub fn new(outside: usize) -> Self {
        Self {
            outside,
            ports: 1_024..=65_535,
            most: 4_096,
            filtering: Filtering::AddressDependent,
            timeouts: Timeouts::default(),
        }
    }
}

/// Who from outside may use a mapping that is there (RFC 4787 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filtering {
    /// Anybody.
    EndpointIndependent,
    /// Whoever's address has been sent to, from any of its ports.
    AddressDependent,
    /// Only the address and port that has been sent to.
    AddressAndPortDependent,
}

/// How long a connection or mapping is kept without use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// An established TCP connection; 2 h 4 min (RFC 5382 REQ-5).
    pub tcp_established: Duration,
    /// A TCP connection that opens or closes; 4 min (RFC 5382 REQ-5).
    pub tcp_transitory: Duration,
    /// UDP, refreshed by what leaves; 120 s (RFC 4787 REQ-5).
    pub udp: Duration,
    /// ICMP queries; 60 s (RFC 5508 REQ-2).
    pub icmp: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            tcp_established: Duration::from_secs(2 * 3_600 + 4 * 60),
            tcp_transitory: Duration::from_secs(4 * 60),
            udp: Duration::from_secs(120),
            icmp: Duration::from_secs(60),
        }
    }
}

/// A port of the outside address that leads to a host inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Of what.
    pub protocol: Forwarded,
    /// The port outside.
    pub port: u16,
    /// The host and port inside.
    pub to: SocketAddrV4,
}

impl Forward {
    /// TCP to `port` goes to `to`.
    pub fn tcp(port: u16, to: SocketAddrV4) -> Self {
        Self { protocol: Forwarded::Tcp, port, to }
    }

    /// UDP to `port` goes to `to`.
    pub fn udp(port: u16, to: SocketAddrV4) -> Self {
        Self { protocol: Forwarded::Udp, port, to }
    }
}

/// `tcp 80 to 192.168.1.20:8080`.
impl fmt::Display for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}", self.protocol, self.port, self.to)
    }
}

/// What a [`Forward`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forwarded {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

impl fmt::Display for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}
