//! How much a gateway carries.

use std::time::Duration;

/// What a gateway carries at once, and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections; more are refused. 1 024.
    pub connections: usize,
    /// Pairs of ends that exchange datagrams; the one idle for longest gives way. 512.
    pub datagram_flows: usize,
    /// How long such a pair may be idle. 60 s.
    pub datagram_idle: Duration,
    /// Echo requests that wait for their replies; more are lost. 64.
    pub echoes: usize,
    /// How long the machine may try to connect before the attempt is given up in silence. 130 s, as
    /// long as Linux tries.
    pub connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            datagram_flows: 512,
            datagram_idle: Duration::from_secs(60),
            echoes: 64,
            connect: Duration::from_secs(130),
        }
    }
}
