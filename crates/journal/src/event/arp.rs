//! ARP: IP address to MAC address (RFC 826).

use super::{FrameId, MacAddress};
use serde::Serialize;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Why a next hop's MAC address was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestReason {
    /// The cache has no entry.
    Unknown,
    /// The entry has not been confirmed for too long.
    Stale {
        /// How long ago it was confirmed.
        age: Duration,
    },
    /// The earlier request was not answered.
    NoReply {
        /// Which attempt this is, from 2.
        attempt: u8,
    },
    /// To find out if anybody uses it already, without claiming it (RFC 5227 2.1.1).
    Probe,
    /// To tell everybody that this node has it (RFC 5227 2.3).
    Announcement,
}

impl fmt::Display for RequestReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not in the ARP cache"),
            Self::Stale { age } => write!(f, "ARP cache entry is {} s old", age.as_secs()),
            Self::Probe => f.write_str("a probe: does anybody use it?"),
            Self::Announcement => f.write_str("an announcement: this node has it"),
            Self::NoReply { attempt } => write!(f, "no reply yet, attempt {attempt}"),
        }
    }
}

/// What happened in ARP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arp {
    /// The cache had the next hop's address.
    CacheHit {
        /// Who.
        next_hop: Ipv4Addr,
        /// Its MAC address.
        mac: MacAddress,
        /// How long ago the entry was confirmed.
        age: Duration,
    },
    /// This node asked who has an address.
    RequestSent {
        /// The frame.
        frame: FrameId,
        /// Whose MAC address is wanted.
        next_hop: Ipv4Addr,
        /// Why.
        why: RequestReason,
    },
    /// This node was answered.
    ReplyReceived {
        /// The frame.
        frame: FrameId,
        /// Whose address.
        from: Ipv4Addr,
        /// The address.
        mac: MacAddress,
        /// How long after the first request; none if nobody had asked.
        after: Option<Duration>,
    },
    /// Somebody asked.
    RequestReceived {
        /// The frame.
        frame: FrameId,
        /// Who asked.
        from: Ipv4Addr,
        /// Whose address is wanted.
        target: Ipv4Addr,
        /// Whether that is this node.
        ours: bool,
    },
    /// This node answered.
    ReplySent {
        /// The frame.
        frame: FrameId,
        /// Who had asked.
        to: Ipv4Addr,
    },
    /// The cache has a new or changed entry.
    Learned {
        /// Whose.
        ip: Ipv4Addr,
        /// The MAC address.
        mac: MacAddress,
        /// What the entry said before, if it said something else.
        before: Option<MacAddress>,
    },
    /// Nobody answered; those who waited have failed.
    Failed {
        /// Who did not answer.
        next_hop: Ipv4Addr,
        /// How often it was asked.
        attempts: u8,
    },
    /// The link has no addresses (TUN), so nothing needs to be asked.
    NotNeeded {
        /// The interface's name.
        interface: String,
    },
}
