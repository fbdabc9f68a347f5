//! IPv4: routing, fragmentation (RFC 791, RFC 1122 3.3).

use super::{FrameId, InterfaceId};
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// What happened in IP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ip {
    /// The routing table was asked.
    RouteChosen {
        /// For where.
        destination: IpAddr,
        /// The row that matched, as `0.0.0.0/0 via 10.0.0.1 dev eth0`.
        row: String,
        /// Who gets the packet next; the destination itself on the same link.
        next_hop: IpAddr,
        /// The interface's name.
        interface: String,
        /// The source address chosen.
        source: IpAddr,
        /// Why this row, in words.
        why: String,
    },
    /// An interface that was up already has an address now, or another one.
    AddressSet {
        /// Its number.
        interface: InterfaceId,
        /// Its name.
        name: String,
        /// The address.
        address: IpAddr,
        /// The length of the network prefix, in bits.
        prefix_len: u8,
        /// The default gateway.
        gateway: Option<IpAddr>,
        /// The MTU, in bytes.
        mtu: usize,
        /// The address that it had before.
        before: Option<IpAddr>,
    },
    /// An interface has lost its address.
    AddressRemoved {
        /// Its number.
        interface: InterfaceId,
        /// Its name.
        name: String,
        /// The address that it had.
        address: IpAddr,
    },
    /// A datagram larger than the MTU went out in pieces.
    Fragmented {
        /// The pieces, in order.
        frames: Vec<FrameId>,
        /// The datagram's length with its header, in bytes.
        length: usize,
        /// The MTU, in bytes.
        mtu: usize,
        /// The identification that holds them together.
        identification: u16,
    },
    /// A piece of a datagram arrived.
    FragmentReceived {
        /// The frame.
        frame: FrameId,
        /// The identification.
        identification: u16,
        /// Where it belongs, in bytes.
        offset: usize,
        /// Its length, in bytes.
        length: usize,
        /// Whether more follow behind it.
        more: bool,
    },
    /// All pieces of a datagram are there.
    Reassembled {
        /// The frame that completed it.
        frame: FrameId,
        /// How many pieces.
        fragments: usize,
        /// The payload's length, in bytes.
        length: usize,
        /// How long after the first piece.
        after: Duration,
    },
}
