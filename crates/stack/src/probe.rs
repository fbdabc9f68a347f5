//! Probes: one packet that may go so far and no further, and who says what about it.
//!
//! A router that a packet's TTL does not let past says so (RFC 792, time exceeded), so probes with TTL
//! 1, 2, 3... name the routers on the way to a destination one after the other (RFC 1393 1).

use crate::error::ProbeError;
use crate::host::{Elapsed, Host};
use crate::inner::probes::ProbeCall;
use crate::inner::shared::Shared;
use glasstack_journal::SpanKind;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// What a probe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A datagram to a port where nobody should be: the destination says that the port is unreachable.
    Udp,
    /// An echo request: the destination replies.
    Echo,
    /// A SYN: the destination answers it or resets it. What would become a connection is reset.
    TcpSyn,
}

/// How a probe is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeOptions {
    /// What it is. UDP.
    pub kind: ProbeKind,
    /// Time to live, in hops. 64.
    pub ttl: u8,
    /// The destination port of UDP and TCP, the sequence number of echo. 33434.
    pub port: u16,
    /// The whole IP packet, in bytes; no less than its headers. 60. A SYN is as long as it is.
    pub length: u16,
    /// Whether routers must not fragment it (DF). No.
    pub dont_fragment: bool,
    /// How long the answer may take. 5 s.
    pub timeout: Duration,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            kind: ProbeKind::Udp,
            ttl: 64,
            port: 33_434,
            length: 60,
            dont_fragment: false,
            timeout: Duration::from_secs(5),
        }
    }
}

/// Somebody has answered a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReply {
    /// Who.
    pub from: IpAddr,
    /// What.
    pub what: ProbeAnswer,
    /// From the probe to the answer.
    pub rtt: Duration,
    /// The TTL that the answer arrived with, in hops.
    pub ttl: u8,
}

/// What an answer to a probe says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// A router: the time to live is over, the destination is further away.
    TimeExceeded,
    /// The destination: here is the echo.
    EchoReply,
    /// The destination: nobody has that UDP port.
    PortUnreachable,
    /// The destination: somebody listens on that TCP port.
    SynAck,
    /// The destination: nobody listens on that TCP port.
    Reset,
    /// The destination: somebody has that UDP port, and has sent this many bytes.
    Datagram(usize),
    /// Somebody on the way: it goes no further here.
    Unreachable(Unreachability),
}

impl ProbeAnswer {
    /// Whether it comes from the destination, or says that there is no way to it.
    pub fn is_final(self) -> bool {
        self != Self::TimeExceeded
    }
}

impl fmt::Display for ProbeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeExceeded => f.write_str("time to live exceeded"),
            Self::EchoReply => f.write_str("echo reply"),
            Self::PortUnreachable => f.write_str("port unreachable"),
            Self::SynAck => f.write_str("the port is open"),
            Self::Reset => f.write_str("the port is closed"),
            Self::Datagram(length) => write!(f, "a datagram of {length} bytes"),
            Self::Unreachable(why) => why.fmt(f),
        }
    }
}

/// Why a probe does not reach its destination (RFC 792; RFC 1122 3.2.2.1; RFC 1812 5.2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachability {
    /// There is no way to the network, or it is not known.
    Network,
    /// The host does not answer, or is not known.
    Host,
    /// The host does not know the protocol.
    Protocol,
    /// It is too large for a link, and must not be fragmented.
    FragmentationNeeded {
        /// What the link takes, in bytes; 0 from routers that do not say it.
        mtu: u16,
    },
    /// The source route leads nowhere.
    SourceRoute,
    /// Somebody does not want it to pass.
    Prohibited,
    /// Anything else.
    Other {
        /// The ICMP type.
        kind: u8,
        /// The ICMP code.
        code: u8,
    },
}

impl fmt::Display for Unreachability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network => f.write_str("network unreachable"),
            Self::Host => f.write_str("host unreachable"),
            Self::Protocol => f.write_str("protocol unreachable"),
            Self::FragmentationNeeded { mtu } => write!(f, "fragmentation needed, next-hop MTU {mtu}"),
            Self::SourceRoute => f.write_str("source route failed"),
            Self::Prohibited => f.write_str("administratively prohibited"),
            Self::Other { kind, code } => write!(f, "ICMP type {kind}, code {code}"),
        }
    }
}

impl Host {
    /// Sends a probe and waits for whoever answers it: a router on the way, or the destination. An ICMP
    /// error is believed if it quotes the probe.
    pub async fn probe(&self, to: IpAddr, options: &ProbeOptions) -> Result<ProbeReply, ProbeError> {
        let scope = self.scope().enter(SpanKind::Probe { destination: to, ttl: options.ttl });
        let mut guard = ProbeGuard { shared: self.shared(), call: ProbeCall::new(scope.clone(), to) };
        let answer = std::future::poll_fn(|cx| {
            self.shared().touch(|core| core.poll_probe(&mut guard.call, options, cx, scope.now()))
        });
        let result = self
            .timeout(options.timeout, answer)
            .await
            .unwrap_or_else(|Elapsed { limit }| Err(ProbeError::TimedOut { destination: to, after: limit }));
        drop(guard);
        scope.close();
        result
    }
}

/// Forgets a probe that nobody waits for any more.
struct ProbeGuard<'a> {
    shared: &'a Shared,
    call: ProbeCall,
}

impl Drop for ProbeGuard<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.call.key.take() {
            self.shared.with(|core| core.forget_probe(key));
        }
    }
}
