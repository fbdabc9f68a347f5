//! What can happen, one file a protocol, from the wire up.

mod arp;
mod dhcp;
mod dns;
mod drop_reason;
mod gateway;
mod http;
mod icmp;
mod ip;
mod link;
mod name_server;
mod nat;
mod page;
mod rip;
mod tcp;
mod tls;
mod udp;

pub use arp::{Arp, RequestReason};
pub use dhcp::{Dhcp, DhcpKind, DhcpState};
pub use dns::{Dns, LookupSource, QueryReason, ServerKnown, ServerRole, Transport};
pub use drop_reason::DropReason;
pub use gateway::{Answer, Gateway, Passage};
pub use http::{Framing, Headers, Http};
pub use icmp::{Icmp, IcmpEffect};
pub use ip::Ip;
pub use link::{Direction, FrameId, InterfaceId, Link, MacAddress, Medium};
pub use name_server::{Instead, Withheld};
pub use nat::Nat;
pub use page::Page;
pub use rip::{Rip, RipLoss, RipReason};
pub use tcp::{
    AckReason, FlowId, ResetReason, Retransmission, Role, Segment, SegmentReason, StateCause, Tcp, TcpFlags,
    TcpOption, TcpState,
};
pub use tls::{
    Alert, Field, HandshakeMessage, Party, Place, RecordRange, Remark, Tls, TrafficKeys, Value, Verdict,
};
pub use udp::Udp;

use crate::span::{SpanId, SpanKind};
use serde::Serialize;

/// A fact, filed under the layer that tells it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "layer", content = "fact", rename_all = "snake_case")]
pub enum Event {
    /// A node has a name.
    Node {
        /// The name, as `client` or `www.example.test`.
        name: String,
    },
    /// The tree of spans grew, or a span ended.
    Span(Span),
    /// Frames and cables.
    Link(Link),
    /// Addresses on the link.
    Arp(Arp),
    /// Routing, fragmentation, discarded packets.
    Ip(Ip),
    /// Datagrams.
    Udp(Udp),
    /// Echo and errors.
    Icmp(Icmp),
    /// Segments and connection states.
    Tcp(Tcp),
    /// Addresses, for a while.
    Dhcp(Dhcp),
    /// Names.
    Dns(Dns),
    /// Routers that tell one another of networks.
    Rip(Rip),
    /// Handshakes and certificates.
    Tls(Tls),
    /// Requests and responses.
    Http(Http),
    /// The address bar and the page.
    Page(Page),
    /// A gateway between the network and the operating system's sockets.
    Gateway(Gateway),
    /// A router that translates addresses.
    Nat(Nat),
    /// Anything else worth saying.
    Note(Note),
}

/// The life of a span; the span is the record's own.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// It began.
    Opened {
        /// The span it is a part of.
        parent: Option<SpanId>,
        /// What it is about.
        kind: SpanKind,
    },
    /// It ended.
    Closed,
}

/// A remark in words.
#[derive(Clone, Debug, Serialize)]
pub struct Note {
    /// How loud.
    pub level: NoteLevel,
    /// The remark.
    pub text: String,
}

/// How loud a [`Note`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteLevel {
    /// Told when asked for more.
    Detail,
    /// Told by default.
    Info,
    /// Told even when little else is: something the user should not miss.
    Warning,
}

impl Note {
    /// A remark told by default.
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: NoteLevel::Info, text: text.into() }
    }

    /// A remark that must not be missed.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: NoteLevel::Warning, text: text.into() }
    }

    /// A remark for those who asked for more.
    pub fn detail(text: impl Into<String>) -> Self {
        Self { level: NoteLevel::Detail, text: text.into() }
    }
}

macro_rules! into_event {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Event {
            fn from(fact: $kind) -> Self {
                Self::$kind(fact)
            }
        }
    )*};
}
into_event!(Span, Link, Arp, Ip, Udp, Icmp, Tcp, Dhcp, Dns, Rip, Tls, Http, Page, Gateway, Nat, Note);
