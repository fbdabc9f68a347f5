//! What can go wrong, one enum an operation.

use crate::route::NoRoute;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A host cannot be made as configured.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// IPv6 does not work here yet.
    #[error("{0} is an IPv6 address, and this stack speaks only IPv4 so far")]
    Ipv6(IpAddr),
    /// Not a prefix length.
    #[error("/{0} is not a prefix length (0 to 32)")]
    PrefixLength(u8),
    /// Not an address that a host can have.
    #[error("{0} cannot be a host's own address")]
    Address(IpAddr),
    /// The gateway must be reachable without a gateway.
    #[error("gateway {gateway} is not on the link {link}")]
    GatewayOffLink {
        /// The gateway.
        gateway: IpAddr,
        /// The network on the link.
        link: String,
    },
    /// smoltcp's buffers, and a window, end there (RFC 7323 2.3).
    #[error("a TCP buffer of {0} bytes: 1 byte to 1 GiB is possible")]
    Buffer(usize),
    /// The address is DHCP's business.
    #[error("DHCP looks after this host's address: release its lease first")]
    Dhcp,
    /// RFC 791 asks for at least 68; below 576 little works.
    #[error("an MTU of {0} bytes is too small (at least 68)")]
    Mtu(usize),
}

/// A connection could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// There is no way there.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The next hop is silent.
    #[error("no ARP reply from {next_hop} (asked {attempts} times): is it up and on this link?")]
    NoArpReply {
        /// The gateway, or the destination itself.
        next_hop: IpAddr,
        /// How often it was asked.
        attempts: u8,
    },
    /// The peer answered with a reset.
    #[error("connection refused by {peer}: nothing listens on port {}", peer.port())]
    Refused {
        /// Who.
        peer: SocketAddr,
    },
    /// An ICMP error came back.
    #[error("{peer}: {what}, says {from}")]
    Unreachable {
        /// Who was called.
        peer: SocketAddr,
        /// The router or host that said so.
        from: IpAddr,
        /// What it said, as `host unreachable`.
        what: String,
    },
    /// Nobody answered.
    #[error("no answer from {peer} within {} ms", after.as_millis())]
    TimedOut {
        /// Who was called.
        peer: SocketAddr,
        /// How long was waited.
        after: Duration,
    },
    /// Port 0 is nobody's.
    #[error("{peer}: a connection needs a destination port other than 0")]
    PortZero {
        /// Who was to be called.
        peer: SocketAddr,
    },
    /// Not an address of this host.
    #[error("cannot connect to {peer} from {from}: that is not an address of this host")]
    NotOurs {
        /// Who was to be called.
        peer: SocketAddr,
        /// The address asked for.
        from: IpAddr,
    },
    /// There is, or was a moment ago, a connection from this port already.
    #[error("cannot connect to {peer} from port {port}: there is such a connection already")]
    PortTaken {
        /// Who was to be called.
        peer: SocketAddr,
        /// The port asked for.
        port: u16,
    },
    /// This host has lost its own address, or has another one now.
    #[error("connecting to {peer}: this host has the address {address} no longer")]
    AddressLost {
        /// Who was called.
        peer: SocketAddr,
        /// The address that it called from.
        address: IpAddr,
    },
    /// Whoever called has taken the call back.
    #[error("{peer} has given its attempt to connect up")]
    GivenUp {
        /// Who called.
        peer: SocketAddr,
    },
    /// All ephemeral ports towards this peer are taken.
    #[error("no free port in 49152-65535 towards {peer}")]
    PortsExhausted {
        /// Who was to be called.
        peer: SocketAddr,
    },
}

/// An established connection broke. Inside an [`std::io::Error`] this is the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TcpError {
    /// The peer reset it.
    #[error("connection reset by {peer}")]
    Reset {
        /// Who.
        peer: SocketAddr,
    },
    /// The peer stopped acknowledging.
    #[error("{peer} stopped answering{}", said.as_ref().map(|s| format!(" ({s})")).unwrap_or_default())]
    TimedOut {
        /// Who.
        peer: SocketAddr,
        /// An ICMP error that had come in the meantime, as `host unreachable, says 10.0.0.1`
        /// (RFC 1122 4.2.3.9).
        said: Option<String>,
    },
    /// The next hop stopped answering ARP.
    #[error("no ARP reply from {next_hop} any more")]
    NoArpReply {
        /// The gateway, or the peer itself.
        next_hop: IpAddr,
    },
    /// This host has lost its own address, or has another one now.
    #[error("this host has the address {address} no longer, and {peer} knows it by no other")]
    AddressLost {
        /// The other end.
        peer: SocketAddr,
        /// The address that the connection was opened with.
        address: IpAddr,
    },
    /// This side has already said that it sends no more.
    #[error("this side has closed the connection")]
    Closed,
    /// This side has aborted the connection.
    #[error("this side has aborted the connection")]
    Aborted,
}

impl From<TcpError> for std::io::Error {
    fn from(error: TcpError) -> Self {
        let kind = match &error {
            TcpError::Reset { .. } => std::io::ErrorKind::ConnectionReset,
            TcpError::TimedOut { .. } => std::io::ErrorKind::TimedOut,
            TcpError::NoArpReply { .. } => std::io::ErrorKind::HostUnreachable,
            TcpError::AddressLost { .. } => std::io::ErrorKind::AddrNotAvailable,
            TcpError::Closed => std::io::ErrorKind::BrokenPipe,
            TcpError::Aborted => std::io::ErrorKind::ConnectionAborted,
        };
        Self::new(kind, error)
    }
}

/// A port cannot be listened on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenError {
    /// Somebody listens there already.
    #[error("{0} is already listened on")]
    InUse(SocketAddr),
    /// Not an address of this host.
    #[error("{0} is not an address of this host")]
    NotOurs(IpAddr),
    /// Port 0 means nothing to a listener's peers.
    #[error("a listener needs a port other than 0")]
    PortZero,
}

/// A UDP port cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Somebody has it.
    #[error("UDP port {0} is taken")]
    InUse(u16),
    /// Not an address of this host.
    #[error("{0} is not an address of this host")]
    NotOurs(IpAddr),
    /// All ephemeral ports are taken.
    #[error("no free UDP port in 49152-65535")]
    PortsExhausted,
}

/// A datagram could not be sent, or one sent earlier came to grief.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UdpError {
    /// There is no way there.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The next hop is silent.
    #[error("no ARP reply from {next_hop}: is it up and on this link?")]
    NoArpReply {
        /// The gateway, or the destination itself.
        next_hop: IpAddr,
    },
    /// An ICMP error came back for an earlier datagram.
    #[error("{to}: {what}, says {from}")]
    Unreachable {
        /// Where the datagram went.
        to: SocketAddr,
        /// The router or host that said so.
        from: IpAddr,
        /// What it said, as `port unreachable`.
        what: String,
    },
    /// This host has lost its own address, or has another one now: answers to what it sent earlier
    /// will not come.
    #[error("this host has the address {address} no longer")]
    AddressLost {
        /// The address that it had.
        address: IpAddr,
    },
    /// More than fits into a datagram.
    #[error("{0} bytes do not fit into a UDP datagram (at most 65507)")]
    TooLong(usize),
    /// Datagrams go to a port.
    #[error("a datagram needs a destination port other than 0")]
    PortZero,
}

/// A probe was not answered by anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// There is no way there.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The next hop is silent.
    #[error("no ARP reply from {next_hop}: is it up and on this link?")]
    NoArpReply {
        /// The gateway, or the destination itself.
        next_hop: IpAddr,
    },
    /// Nobody answered.
    #[error("no answer from {destination}, or from anybody on the way to it, within {} ms", after.as_millis())]
    TimedOut {
        /// Who the probe was for.
        destination: IpAddr,
        /// How long was waited.
        after: Duration,
    },
    /// It does not fit into the first link, and must not be fragmented.
    #[error("{length} bytes that must not be fragmented do not fit into this link's MTU of {mtu}")]
    TooLarge {
        /// The whole packet, in bytes.
        length: u16,
        /// What the link takes, in bytes.
        mtu: usize,
    },
    /// This host has lost its own address, or has another one now.
    #[error("no answer about {destination} can come: this host has the address {address} no longer")]
    AddressLost {
        /// Who the probe was for.
        destination: IpAddr,
        /// The address that it was sent from.
        address: IpAddr,
    },
    /// Every port or identifier waits for an answer.
    #[error("no port or identifier is free for another probe")]
    TooMany,
}

/// An echo request was not answered by an echo reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// There is no way there.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// The next hop is silent.
    #[error("no ARP reply from {next_hop}: is it up and on this link?")]
    NoArpReply {
        /// The gateway, or the destination itself.
        next_hop: IpAddr,
    },
    /// An ICMP error came back.
    #[error("{destination}: {what}, says {from}")]
    Unreachable {
        /// Who was asked.
        destination: IpAddr,
        /// The router or host that said so.
        from: IpAddr,
        /// What it said.
        what: String,
    },
    /// Nobody answered.
    #[error("no reply from {destination} within {} ms", after.as_millis())]
    TimedOut {
        /// Who was asked.
        destination: IpAddr,
        /// How long was waited.
        after: Duration,
    },
    /// This host has lost its own address, or has another one now.
    #[error("no reply from {destination} can come: this host has the address {address} no longer")]
    AddressLost {
        /// Who was asked.
        destination: IpAddr,
        /// The address that it was asked from.
        address: IpAddr,
    },
    /// Every identifier waits for a reply.
    #[error("65536 echo requests are under way already")]
    TooMany,
    /// More than fits into a packet.
    #[error("{0} bytes do not fit into an echo request (at most 65507)")]
    TooLong(usize),
}
