//! What passes a transparent host on its way to somebody else.
//!
//! A transparent host stands where a router stands, but forwards nothing: it takes every
//! connection, datagram and echo request to a foreign address out of the stream of packets and
//! asks a program, its gateway, what is to become of it. That is what slirp and passt are made
//! of: the gateway makes the same connection by other means, and only when that has succeeded is
//! the SYN answered, in the name of the address that was called.
//!
//! ```text
//!   SYN -> 192.0.2.7:80   Knock      accept: SYN-ACK from 192.0.2.7:80   refuse: RST   unreachable: ICMP
//!   UDP -> 192.0.2.7:53   Datagram   send_datagram: from 192.0.2.7:53    unreachable: ICMP
//!   echo -> 192.0.2.7     Echo       reply_echo: from 192.0.2.7          unreachable: ICMP
//! ```
//!
//! What is for the host's own address and one of its own sockets goes there; what none of its
//! sockets wants passes as well.

use crate::error::{ConnectError, UdpError};
use crate::host::{Elapsed, Host};
use crate::inner::passing::{Knocking, Passed};
use crate::tcp::TcpStream;
use std::fmt;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Hands out what passes, in the order in which it came. Dropping it ends that: what comes then is
/// refused as a host refuses what it has no socket for.
pub struct Transit {
    host: Host,
}

/// Something on its way to somebody else.
#[derive(Debug)]
pub enum Passing {
    /// Somebody wants to open a connection.
    Connection(Knock),
    /// A UDP datagram.
    Datagram(PassingDatagram),
    /// An ICMP echo request.
    Echo(PassingEcho),
}

/// A SYN that nobody has answered yet. While it lives, its retransmissions are absorbed; dropped,
/// it leaves the caller without an answer, and a retransmission knocks again.
pub struct Knock {
    host: Host,
    knocking: Knocking,
    /// Whether it was answered, one way or another.
    answered: bool,
}

/// A UDP datagram for somebody else.
#[derive(Clone, Debug)]
pub struct PassingDatagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// For whom.
    pub to: SocketAddr,
    /// What it says.
    pub payload: Vec<u8>,
    /// How many hops it may still go, counting this one.
    pub ttl: u8,
    /// Its own beginning, for an ICMP error to quote.
    pub(crate) quote: Vec<u8>,
}

/// An ICMP echo request for somebody else.
#[derive(Clone, Debug)]
pub struct PassingEcho {
    /// Who sent it.
    pub from: IpAddr,
    /// For whom.
    pub to: IpAddr,
    /// The identifier, by which the asker knows its own.
    pub ident: u16,
    /// The sequence number.
    pub seq: u16,
    /// What is to be echoed.
    pub payload: Vec<u8>,
    /// How many hops it may still go, counting this one.
    pub ttl: u8,
    /// Its own beginning, for an ICMP error to quote.
    pub(crate) quote: Vec<u8>,
}

/// Why something goes no further, as ICMP says it (RFC 792; RFC 1812 5.2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// Type 3, code 0: there is no way to its network.
    Network,
    /// Type 3, code 1: its host does not answer.
    Host,
    /// Type 3, code 3: the host answers, but nobody has the port.
    Port,
    /// Type 3, code 13: somebody forbids it.
    Prohibited,
    /// Type 11, code 0: it may go no further.
    TimeExceeded,
}

impl Unreachable {
    /// Type and code (RFC 792; RFC 1812 5.2.7.1 for code 13).
    pub(crate) fn type_and_code(self) -> (u8, u8) {
        match self {
            Self::Network => (3, 0),
            Self::Host => (3, 1),
            Self::Port => (3, 3),
            Self::Prohibited => (3, 13),
            Self::TimeExceeded => (11, 0),
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network unreachable",
            Self::Host => "host unreachable",
            Self::Port => "port unreachable",
            Self::Prohibited => "administratively prohibited",
            Self::TimeExceeded => "time to live exceeded",
        })
    }
}

/// What an ICMP error may be about.
pub trait Quoted {
    /// Who is told.
    fn sender(&self) -> IpAddr;
    /// The beginning of the packet, from its IP header on.
    fn beginning(&self) -> &[u8];
}

impl Quoted for PassingDatagram {
    fn sender(&self) -> IpAddr {
        self.from.ip()
    }
    fn beginning(&self) -> &[u8] {
        &self.quote
    }
}

impl Quoted for PassingEcho {
    fn sender(&self) -> IpAddr {
        self.from
    }
    fn beginning(&self) -> &[u8] {
        &self.quote
    }
}

/// The host hands out nothing that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitError {
    /// Packets for others are not this host's business.
    #[error("the host is not transparent (HostConfig.transparent)")]
    NotTransparent,
    /// Two gateways would take each other's connections.
    #[error("somebody takes what passes this host already")]
    Taken,
}

impl Transit {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// The next thing that passes.
    pub async fn next(&self) -> Passing {
        match poll_fn(|cx| self.host.shared().with(|core| core.poll_passing(cx))).await {
            Passed::Knock(knocking) => {
                Passing::Connection(Knock { host: self.host.clone(), knocking, answered: false })
            }
            Passed::Datagram(datagram) => Passing::Datagram(datagram),
            Passed::Echo(echo) => Passing::Echo(echo),
        }
    }

    /// Sends a datagram in the name of `from`, which need not be this host's address; `to` may be
    /// the link's broadcast address. Resolves once it is on its way.
    pub async fn send_datagram(&self, from: SocketAddr, to: SocketAddr, data: &[u8]) -> Result<(), UdpError> {
        let mut wait = None;
        let host = &self.host;
        poll_fn(|cx| {
            let now = host.now();
            host.shared()
                .touch(|core| core.poll_send_passing(host.scope(), (from, to), data, &mut wait, cx, now))
        })
        .await
    }

    /// Answers an echo request in the name of whom it was for (RFC 792).
    pub fn reply_echo(&self, echo: &PassingEcho) {
        self.host.shared().touch(|core| core.reply_echo(echo, self.host.now()));
    }

    /// Tells the sender, from this host's own address, that its packet goes no further.
    pub fn unreachable(&self, packet: &impl Quoted, why: Unreachable) {
        let now = self.host.now();
        self.host.shared().touch(|core| core.turn_away(packet.sender(), packet.beginning(), why, now));
    }
}

impl Drop for Transit {
    fn drop(&mut self) {
        self.host.shared().touch(|core| core.end_transit());
    }
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transit").finish_non_exhaustive()
    }
}

/// As long as Linux tries; the caller's own patience ends an attempt earlier.
const HANDSHAKE: Duration = Duration::from_secs(130);

impl Knock {
    /// Who calls.
    pub fn from(&self) -> SocketAddr {
        self.knocking.tuple.remote_addr()
    }

    /// Who is called.
    pub fn to(&self) -> SocketAddr {
        self.knocking.tuple.local_addr()
    }

    /// Answers the SYN in the name of whom it was for, and waits until the connection is
    /// established. It fails if the caller has changed its mind.
    pub async fn accept(mut self) -> Result<TcpStream, ConnectError> {
        self.answered = true;
        let (host, tuple) = (&self.host, self.knocking.tuple);
        let (flow, scope) =
            host.shared().touch(|core| core.accept_knock(host.scope(), &self.knocking, host.now()))?;
        let peer = tuple.remote_addr();
        // From here on, dropping the stream is what gives the connection up.
        let stream = TcpStream::new(host.shared().clone(), tuple.local_addr(), peer, flow, scope);
        let connected = poll_fn(|cx| host.shared().with(|core| core.poll_connected(flow, cx)));
        match host.timeout(HANDSHAKE, connected).await {
            Ok(result) => result.map(|()| stream),
            Err(Elapsed { limit }) => Err(ConnectError::TimedOut { peer, after: limit }),
        }
    }

    /// Answers with a reset: nobody listens there (RFC 9293 3.10.7.1).
    pub fn refuse(mut self) {
        self.answered = true;
        self.host.shared().touch(|core| core.refuse_knock(&self.knocking, self.host.now()));
    }

    /// Answers with an ICMP error from this host's own address.
    pub fn unreachable(mut self, why: Unreachable) {
        self.answered = true;
        self.host.shared().touch(|core| core.turn_knock_away(&self.knocking, why, self.host.now()));
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        if !self.answered {
            self.host.shared().touch(|core| core.forget_knock(&self.knocking));
        }
    }
}

impl fmt::Debug for Knock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tuple = &self.knocking.tuple;
        write!(f, "Knock({} -> {})", tuple.remote, tuple.local)
    }
}
