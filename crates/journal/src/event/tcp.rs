//! TCP: segments, with the reason for each, and states (RFC 9293).

use super::{Direction, FrameId};
use serde::{Serialize, Serializer};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// Names one connection of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FlowId(pub u64);

/// The states of RFC 9293 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
#[allow(missing_docs, reason = "the names are the RFC's")]
pub enum TcpState {
    Listen,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
            Self::Closed => "CLOSED",
        })
    }
}

/// Who began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// This node sent the first SYN.
    Active,
    /// This node was listening.
    Passive,
}

/// The control bits of RFC 9293 3.1, in their order on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field is significant.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer is significant.
    pub const URG: u8 = 0x20;

    /// Whether all of `bits` are set.
    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// `SYN ACK`, in the order in which people say it.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::SYN, "SYN"),
            (Self::FIN, "FIN"),
            (Self::RST, "RST"),
            (Self::PSH, "PSH"),
            (Self::URG, "URG"),
            (Self::ACK, "ACK"),
        ];
        let mut first = true;
        for (bit, name) in names {
            if self.has(bit) {
                write!(f, "{}{name}", if first { "" } else { " " })?;
                first = false;
            }
        }
        if first { f.write_str("no flags") } else { Ok(()) }
    }
}

impl Serialize for TcpFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An option of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TcpOption {
    /// Maximum segment size, in bytes (RFC 9293 3.7.1).
    Mss(u16),
    /// Window scale, as a shift count (RFC 7323 2).
    WindowScale(u8),
    /// Selective acknowledgments are understood (RFC 2018 2).
    SackPermitted,
    /// Blocks received out of order, as left and right edge (RFC 2018 3).
    Sack(Vec<(u32, u32)>),
    /// Timestamps: value and echo reply (RFC 7323 3).
    Timestamps(u32, u32),
    /// Any other kind.
    Other(u8),
}

/// How the sender knew that a segment had to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Retransmission {
    /// The retransmission timer ran out (RFC 6298 5.4).
    Timeout {
        /// How long after the segment was last sent.
        after: Duration,
        /// How often in a row, from 1.
        attempt: u32,
    },
    /// Three duplicate acknowledgments asked for it (RFC 5681 3.2).
    DuplicateAcks {
        /// How many had come.
        count: u32,
    },
    /// It follows one that had been lost: everything behind the loss is sent again (go-back-N).
    Recovery,
    /// The path's MTU shrank: the same bytes in smaller segments.
    SmallerMtu {
        /// The new MTU, in bytes.
        mtu: usize,
    },
    /// The receiver's view: these bytes had arrived before.
    SeenBefore,
    /// The receiver's view: these bytes fill a hole that a loss had left.
    FillsHole,
}

impl fmt::Display for Retransmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { after, attempt } => {
                write!(f, "no acknowledgment for {} ms", after.as_millis())?;
                if *attempt > 1 {
                    write!(f, ", timeout {attempt} in a row")?;
                }
                Ok(())
            }
            Self::DuplicateAcks { count } => write!(f, "after {count} duplicate ACKs"),
            Self::Recovery => f.write_str("everything behind the lost segment is sent again"),
            Self::SmallerMtu { mtu } => write!(f, "the path's MTU is {mtu} now"),
            Self::SeenBefore => f.write_str("these bytes had arrived before"),
            Self::FillsHole => f.write_str("it fills the hole that a loss had left"),
        }
    }
}

/// Why a segment without data was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AckReason {
    /// The third step of the handshake.
    Handshake,
    /// New data arrived, acknowledged at once (every second segment: RFC 9293 3.8.6.3).
    Data,
    /// New data arrived a while ago and nothing was there to send along (RFC 9293 3.8.6.3).
    Delayed,
    /// Data came out of order: a duplicate ACK names the hole (RFC 5681 4.2).
    OutOfOrder,
    /// Data came that had been received before.
    Duplicate,
    /// The peer's FIN.
    Fin,
    /// A hole was filled: everything behind it is acknowledged at once.
    HoleFilled,
    /// The application read: the window is open again (RFC 9293 3.8.6.2.2).
    WindowUpdate,
    /// The peer probed a window, or whether we live.
    ProbeAnswer,
    /// A segment that cannot be accepted (RFC 9293 3.10.7.4, RFC 5961).
    Challenge,
    /// TIME-WAIT: the peer did not get the last ACK and sent its FIN again.
    LastAckReplayed,
}

impl fmt::Display for AckReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "third step of the handshake",
            Self::Data => "acknowledges new data",
            Self::Delayed => "delayed ACK: nothing came along to carry it",
            Self::OutOfOrder => "duplicate ACK: a segment is missing before what arrived",
            Self::Duplicate => "acknowledges data that had been received before",
            Self::Fin => "acknowledges the peer's FIN",
            Self::HoleFilled => "the hole is filled: everything behind it is acknowledged",
            Self::WindowUpdate => "window update: the application has read",
            Self::ProbeAnswer => "answers the peer's probe",
            Self::Challenge => "challenge ACK: the segment could not be accepted",
            Self::LastAckReplayed => "the peer missed the last ACK, so it is said again",
        })
    }
}

/// Why a reset was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// Nobody listens on this port, or the connection is unknown.
    NoSocket,
    /// The application let go of the connection with data unread, or aborted it.
    Aborted,
    /// Data arrived for an application that is gone.
    DataAfterClose,
    /// The peer stopped acknowledging.
    TimedOut,
    /// The half-open connection gave way to a newer one.
    Evicted,
    /// The SYN was only a probe, and it has its answer.
    Probed,
    /// The receiver's view: the peer gave no reason.
    ByPeer,
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSocket => "no connection or listener here",
            Self::Aborted => "the application let go of the connection with data unread",
            Self::DataAfterClose => "data arrived after the application had gone",
            Self::TimedOut => "the peer stopped acknowledging",
            Self::Evicted => "half-open for too long",
            Self::Probed => "the SYN was only a probe: no connection is wanted",
            Self::ByPeer => "the peer resets the connection",
        })
    }
}

/// What a segment is and why it was sent: known to the sender, inferred by the receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentReason {
    /// First step of the handshake.
    Open,
    /// Second step of the handshake: answers the SYN.
    OpenAnswer,
    /// New data.
    NewData {
        /// Whether it carries an acknowledgment of something new as well.
        acknowledges: bool,
    },
    /// Something sent before is sent again.
    Retransmission(Retransmission),
    /// Nothing but an acknowledgment.
    Ack(AckReason),
    /// Orderly close: no more data from this side.
    Fin {
        /// Whether data goes along.
        with_data: bool,
        /// Whether the peer had sent its FIN before.
        answers_fin: bool,
    },
    /// The peer's window is closed: has it opened?
    ZeroWindowProbe,
    /// The connection is idle: does the peer still live?
    KeepAlive,
    /// The end, at once.
    Reset(ResetReason),
}

impl fmt::Display for SegmentReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("opens the connection"),
            Self::OpenAnswer => f.write_str("answers the SYN, opens the other direction"),
            Self::NewData { acknowledges: false } => f.write_str("new data"),
            Self::NewData { acknowledges: true } => f.write_str("new data, and acknowledges what came"),
            Self::Retransmission(why) => write!(f, "retransmission: {why}"),
            Self::Ack(why) => write!(f, "{why}"),
            Self::Fin { with_data, answers_fin } => {
                f.write_str(if *with_data { "last data and " } else { "" })?;
                f.write_str("FIN: no more data from this side")?;
                f.write_str(if *answers_fin { ", answering the peer's FIN" } else { "" })
            }
            Self::ZeroWindowProbe => f.write_str("zero-window probe: has the peer's window opened?"),
            Self::KeepAlive => f.write_str("keep-alive: does the peer still live?"),
            Self::Reset(why) => write!(f, "reset: {why}"),
        }
    }
}

/// A segment that passed.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// The frame it came in.
    pub frame: FrameId,
    /// Its connection; none when it belongs to none.
    pub flow: Option<FlowId>,
    /// Which way.
    pub direction: Direction,
    /// Where from.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
    /// Sequence number on the wire.
    pub seq: u32,
    /// Sequence number counted from the sender's initial one, as Wireshark shows it; 0 if the
    /// initial one is unknown.
    pub relative_seq: u32,
    /// Acknowledgment number on the wire.
    pub ack: Option<u32>,
    /// Acknowledgment number counted from the other side's initial sequence number.
    pub relative_ack: Option<u32>,
    /// The control bits.
    pub flags: TcpFlags,
    /// The window in bytes, scaled.
    pub window: u32,
    /// Payload, in bytes.
    pub payload: usize,
    /// The options.
    pub options: Vec<TcpOption>,
    /// What it is and why it was sent.
    pub why: SegmentReason,
}

/// What made a state change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateCause {
    /// This segment arrived.
    SegmentReceived(FrameId),
    /// This segment was sent.
    SegmentSent(FrameId),
    /// The application asked for it.
    Application,
    /// A timer ran out.
    Timeout,
    /// An ICMP error arrived.
    IcmpError(FrameId),
    /// The next hop did not answer ARP.
    NoArpReply,
    /// This host has lost the address that the connection was opened with.
    AddressLost,
}

/// What happened in TCP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tcp {
    /// A port accepts connections.
    Listening {
        /// Where.
        local: SocketAddr,
        /// How many connections may wait to be accepted.
        backlog: usize,
    },
    /// A connection came into being.
    Opened {
        /// Which.
        flow: FlowId,
        /// This node's address and port.
        local: SocketAddr,
        /// The other's.
        remote: SocketAddr,
        /// Who began.
        role: Role,
    },
    /// A segment passed.
    Segment(Segment),
    /// The state changed.
    StateChanged {
        /// Of which connection.
        flow: FlowId,
        /// From.
        from: TcpState,
        /// To.
        to: TcpState,
        /// Because of.
        cause: StateCause,
    },
    /// The connection's path MTU was lowered.
    MtuLowered {
        /// Which.
        flow: FlowId,
        /// From, in bytes.
        from: usize,
        /// To, in bytes.
        to: usize,
        /// What told so.
        why: String,
    },
    /// A connection is quiet: TIME-WAIT runs.
    TimeWaitEntered {
        /// Which.
        flow: FlowId,
        /// For how long.
        lasts: Duration,
    },
    /// TIME-WAIT is over.
    TimeWaitOver {
        /// Which.
        flow: FlowId,
        /// Ran out, or gave way to a new connection.
        how: String,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        flow: FlowId,
        /// What ended it, if it was not an orderly close.
        error: Option<String>,
        /// Payload sent and acknowledged, in bytes.
        bytes_sent: u64,
        /// Payload received in order, in bytes.
        bytes_received: u64,
        /// Segments sent again.
        retransmissions: u64,
    },
}
