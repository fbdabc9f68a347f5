//! A router that lets many share one address (RFC 3022 2.2).

use super::FrameId;
use serde::Serialize;
use std::net::SocketAddrV4;

/// What a translating router did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nat {
    /// An address and port inside has one outside from now on. For ICMP queries the identifier stands
    /// in the place of the port.
    Mapped {
        /// `TCP`, `UDP` or `ICMP`.
        protocol: &'static str,
        /// Inside.
        inside: SocketAddrV4,
        /// Outside.
        outside: SocketAddrV4,
        /// Why this port, as `the port is free`.
        why: String,
    },
    /// It has one no more: its last connection is over, or was silent for too long.
    Unmapped {
        /// `TCP`, `UDP` or `ICMP`.
        protocol: &'static str,
        /// Inside.
        inside: SocketAddrV4,
        /// Outside.
        outside: SocketAddrV4,
    },
    /// A packet goes on with other addresses.
    Translated {
        /// The frame.
        frame: FrameId,
        /// As it came, as `TCP 192.168.1.10:49152 -> 198.51.100.80:80`.
        from: String,
        /// As it goes on.
        to: String,
    },
}
