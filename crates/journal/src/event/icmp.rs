//! ICMP: echo and errors (RFC 792, RFC 1122 3.2.2).

use super::{Direction, DropReason, FrameId};
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What an ICMP error did to what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IcmpEffect {
    /// A connection being opened failed at once.
    ConnectFailed,
    /// An established connection keeps it in mind, to name it should it time out (RFC 1122 4.2.3.9).
    Remembered,
    /// The connection's path MTU was lowered (RFC 1191).
    MtuLowered {
        /// From, in bytes.
        from: usize,
        /// To, in bytes.
        to: usize,
    },
    /// A UDP socket or a ping was told.
    Reported,
    /// A probe has found out what it was sent to find out.
    ProbeAnswered,
    /// Nothing.
    Ignored {
        /// How it is counted.
        reason: DropReason,
        /// The evidence, in words.
        why: String,
    },
}

impl fmt::Display for IcmpEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectFailed => f.write_str("the connection attempt fails at once"),
            Self::Remembered => {
                f.write_str("remembered: the connection goes on, a later timeout will name it")
            }
            Self::MtuLowered { from, to } => write!(f, "path MTU lowered from {from} to {to}"),
            Self::ProbeAnswered => f.write_str("the answer to a probe"),
            Self::Reported => f.write_str("reported to the socket"),
            Self::Ignored { why, .. } => write!(f, "ignored: {why}"),
        }
    }
}

/// What happened in ICMP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Icmp {
    /// An echo request passed.
    EchoRequest {
        /// The frame.
        frame: FrameId,
        /// Which way.
        direction: Direction,
        /// The other end.
        peer: IpAddr,
        /// The identifier, by which the asker knows its own.
        ident: u16,
        /// The sequence number.
        seq: u16,
        /// Payload, in bytes.
        length: usize,
    },
    /// An echo reply passed.
    EchoReply {
        /// The frame.
        frame: FrameId,
        /// Which way.
        direction: Direction,
        /// The other end.
        peer: IpAddr,
        /// The identifier.
        ident: u16,
        /// The sequence number.
        seq: u16,
        /// The round-trip time, where it is known.
        rtt: Option<Duration>,
    },
    /// An error arrived.
    ErrorReceived {
        /// The frame.
        frame: FrameId,
        /// Who sent it.
        from: Ipv4Addr,
        /// Its type and code in words, as `host unreachable`.
        what: String,
        /// The source of the packet it is about.
        source: SocketAddr,
        /// The destination of the packet it is about.
        destination: SocketAddr,
        /// What came of it.
        effect: IcmpEffect,
    },
    /// This node sent an error.
    ErrorSent {
        /// The frame.
        frame: FrameId,
        /// To whom.
        to: Ipv4Addr,
        /// Its type and code in words.
        what: String,
    },
}
