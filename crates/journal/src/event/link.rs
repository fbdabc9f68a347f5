//! Frames on a link: sent, received, lost.

use super::DropReason;
use serde::{Serialize, Serializer};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Names one frame. A frame keeps its number along its way through a virtual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FrameId(pub u64);

/// Names one network interface, counted from 0 in the order they came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct InterfaceId(pub u32);

/// Which way, seen from the node that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Ethernet II frames (TAP, the virtual wire).
    Ethernet,
    /// Bare IP packets (TUN): no MAC addresses, no ARP.
    Ip,
}

/// An EUI-48 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether the group bit is set (IEEE 802): multicast or broadcast.
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl Serialize for MacAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What happened on a link.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// An interface came up.
    InterfaceUp {
        /// Its number.
        interface: InterfaceId,
        /// Its name, as `tap0` or `eth0`.
        name: String,
        /// What it carries.
        medium: Medium,
        /// The largest IP packet, in bytes.
        mtu: usize,
        /// Its address on the link; none on [`Medium::Ip`].
        mac: Option<MacAddress>,
        /// Its IP address.
        address: IpAddr,
        /// The length of the address's network prefix, in bits.
        prefix_len: u8,
    },
    /// A frame passed an interface. What it is and why it was sent follows in records of the upper
    /// layers that carry the same number.
    Frame {
        /// Its number.
        frame: FrameId,
        /// Where it passed.
        interface: InterfaceId,
        /// Which way.
        direction: Direction,
        /// The frame itself, from the first byte of its link header (of its IP header on
        /// [`Medium::Ip`]).
        #[serde(serialize_with = "as_hex")]
        bytes: Arc<[u8]>,
    },
    /// A host, router or switch discarded a frame it had received, or one it was about to send.
    Dropped {
        /// Which.
        frame: Option<FrameId>,
        /// Why.
        reason: DropReason,
        /// The evidence, in words.
        detail: String,
    },
    /// A cable lost a frame.
    Lost {
        /// Which.
        frame: FrameId,
        /// On which cable, as `client <-> switch`.
        cable: String,
        /// What made it so: the fault's name, `queue full`, `CoDel, 23.4 ms in the queue`, `unplugged`.
        by: String,
    },
    /// A fault on a cable held a frame back.
    Delayed {
        /// Which.
        frame: FrameId,
        /// On which cable.
        cable: String,
        /// The fault's name.
        by: String,
        /// For how long beyond the cable's own latency.
        for_: Duration,
    },
    /// A fault on a cable delivered a frame more than once.
    Duplicated {
        /// Which.
        frame: FrameId,
        /// On which cable.
        cable: String,
        /// The fault's name.
        by: String,
        /// How many copies beyond the first.
        copies: u8,
    },
    /// A fault on a cable flipped a bit.
    Corrupted {
        /// Which.
        frame: FrameId,
        /// On which cable.
        cable: String,
        /// The fault's name.
        by: String,
        /// Which bit, counted from the frame's first.
        bit: usize,
    },
    /// A fault on a cable put a frame of its own making on it.
    Injected {
        /// Its number.
        frame: FrameId,
        /// On which cable.
        cable: String,
        /// The fault's name.
        by: String,
        /// The frame itself, from the first byte of its Ethernet header.
        #[serde(serialize_with = "as_hex")]
        bytes: Arc<[u8]>,
    },
    /// A capture on a cable began: somebody listens in the middle of it.
    CaptureUp {
        /// Its number, among those of the network interfaces.
        interface: InterfaceId,
        /// On which cable, as `client <-> switch`; what goes from its first end to its second is
        /// [`Direction::Out`].
        cable: String,
    },
    /// A frame passed a capture on a cable. Frames that the cable loses pass it, too; that they are
    /// lost is told as [`Link::Lost`].
    Captured {
        /// Its number.
        frame: FrameId,
        /// Which capture.
        interface: InterfaceId,
        /// Which way along the cable.
        direction: Direction,
        /// The frame itself, from the first byte of its Ethernet header.
        #[serde(serialize_with = "as_hex")]
        bytes: Arc<[u8]>,
    },
    /// A switch learnt where an address lives.
    Learned {
        /// The address.
        mac: MacAddress,
        /// The switch's port.
        port: usize,
        /// In which VLAN; 1 if nothing is said of VLANs.
        vlan: u16,
        /// The port where it lived until now, if it has moved.
        before: Option<usize>,
    },
    /// A switch did not learn where an address lives: its table is full. Frames to it go out of every
    /// port.
    TableFull {
        /// The address.
        mac: MacAddress,
        /// The switch's port.
        port: usize,
        /// In which VLAN.
        vlan: u16,
    },
    /// A switch sent a frame out of every other port.
    Flooded {
        /// Which.
        frame: FrameId,
        /// Because the destination is unknown, or for everybody.
        why: &'static str,
    },
}

fn as_hex<S: Serializer>(bytes: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    use fmt::Write;
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes.iter() {
        let _ = write!(hex, "{byte:02x}");
    }
    serializer.serialize_str(&hex)
}
