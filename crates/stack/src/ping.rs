//! Echo: is somebody there (RFC 792, RFC 1122 3.2.2.6)?

use std::net::IpAddr;
use std::time::Duration;

/// The largest payload in bytes: 65535 less the IPv4 and ICMP headers.
pub(crate) const LARGEST_PAYLOAD: usize = 65_507;

/// How an echo request is sent.
#[derive(Clone, Debug)]
pub struct PingOptions {
    /// How long the reply may take. 1 s.
    pub timeout: Duration,
    /// The sequence number.
    pub seq: u16,
    /// Payload, in bytes. 56.
    pub length: usize,
    /// Time to live, in hops. 64.
    pub ttl: u8,
}

impl Default for PingOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(1), seq: 1, length: 56, ttl: 64 }
    }
}

/// An echo reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PingReply {
    /// Who replied.
    pub from: IpAddr,
    /// The sequence number.
    pub seq: u16,
    /// Payload that came back, in bytes.
    pub length: usize,
    /// The TTL the reply arrived with, in hops.
    pub ttl: u8,
    /// From request to reply.
    pub rtt: Duration,
}
