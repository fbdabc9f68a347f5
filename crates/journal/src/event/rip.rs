//! RIP version 2: routers that tell one another where networks are (RFC 2453).

use super::{DropReason, FrameId};
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What happened in RIP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rip {
    /// A router asked its neighbours for all they know (RFC 2453 3.9.1).
    Asked {
        /// On which of its ports, as `eth0`.
        port: String,
    },
    /// A router told its neighbours what it knows, in as many messages as it takes.
    Told {
        /// On which of its ports.
        port: String,
        /// To whom: the group of all RIP routers, or who asked.
        to: SocketAddr,
        /// How many routes.
        routes: usize,
        /// Why now.
        why: RipReason,
    },
    /// A router learnt the way to a network.
    Learned {
        /// The network, as `10.0.2.0/24`.
        prefix: String,
        /// Who is the next router there.
        via: IpAddr,
        /// Behind which port.
        port: String,
        /// How far it is: the number of hops, with its own.
        metric: u8,
    },
    /// The way to a network has changed.
    Changed {
        /// The network.
        prefix: String,
        /// Who is the next router there now.
        via: IpAddr,
        /// Behind which port.
        port: String,
        /// How far it is now.
        metric: u8,
        /// Who was the next router.
        via_before: IpAddr,
        /// How far it was.
        metric_before: u8,
    },
    /// There is no way to a network any more. It is told as unreachable for a while before it is
    /// forgotten.
    Lost {
        /// The network.
        prefix: String,
        /// Who was the next router.
        via: IpAddr,
        /// Why.
        why: RipLoss,
    },
    /// A network that could not be reached for a while is forgotten.
    Forgotten {
        /// The network.
        prefix: String,
    },
    /// One route in a message was ignored (RFC 2453 3.9.2); the others were not.
    EntryIgnored {
        /// The frame of the message.
        frame: FrameId,
        /// The route, as it stands in the message.
        entry: String,
        /// Why.
        reason: DropReason,
    },
}

/// Why a router tells its neighbours what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RipReason {
    /// It is time: every 30 seconds (RFC 2453 3.8).
    Regular,
    /// Something has changed (RFC 2453 3.10.1).
    Triggered,
    /// Somebody asked.
    Request,
}

impl fmt::Display for RipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "it is time",
            Self::Triggered => "something has changed",
            Self::Request => "it was asked",
        })
    }
}

/// Why there is no way to a network any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RipLoss {
    /// Nobody has told of it for 180 seconds (RFC 2453 3.8).
    TimedOut,
    /// The next router says that it cannot be reached.
    Withdrawn,
    /// The cable to the next router is unplugged.
    NoCarrier,
}

impl fmt::Display for RipLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "nobody has told of it for too long",
            Self::Withdrawn => "the next router says so",
            Self::NoCarrier => "the cable is unplugged",
        })
    }
}
