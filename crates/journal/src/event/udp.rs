//! UDP (RFC 768).

use super::{Direction, FrameId};
use serde::Serialize;
use std::net::SocketAddr;

/// What happened in UDP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Udp {
    /// A socket was bound.
    Bound {
        /// Its own address and port.
        local: SocketAddr,
    },
    /// A datagram passed. The record's span is the socket's.
    Datagram {
        /// The frame (the first one of a fragmented datagram).
        frame: FrameId,
        /// Which way.
        direction: Direction,
        /// This node's address and port.
        local: SocketAddr,
        /// The other's.
        remote: SocketAddr,
        /// Payload, in bytes.
        length: usize,
    },
}
