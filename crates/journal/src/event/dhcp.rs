//! DHCP: an address, for a while (RFC 2131).

use super::{FrameId, MacAddress};
use serde::Serialize;
use std::fmt;
use std::net::Ipv4Addr;

/// What a message is (RFC 2132 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DhcpKind {
    /// A client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// A client asks for the address offered, or for its old one.
    Request,
    /// A client has found the address in use.
    Decline,
    /// A server grants it.
    Ack,
    /// A server refuses.
    Nak,
    /// A client gives its address back.
    Release,
    /// A client that has an address asks for the rest.
    Inform,
}

impl fmt::Display for DhcpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discover => "DHCPDISCOVER",
            Self::Offer => "DHCPOFFER",
            Self::Request => "DHCPREQUEST",
            Self::Decline => "DHCPDECLINE",
            Self::Ack => "DHCPACK",
            Self::Nak => "DHCPNAK",
            Self::Release => "DHCPRELEASE",
            Self::Inform => "DHCPINFORM",
        })
    }
}

/// What a client is about (RFC 2131 4.4, figure 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DhcpState {
    /// It has no address and has not asked yet.
    Init,
    /// It has asked everybody and collects offers.
    Selecting,
    /// It has taken an offer up.
    Requesting,
    /// It remembers an address and is about to ask for it again.
    InitReboot,
    /// It has asked for the address that it remembers.
    Rebooting,
    /// It has a lease.
    Bound,
    /// Half the lease is over: it asks the server that granted it.
    Renewing,
    /// Most of the lease is over: it asks any server.
    Rebinding,
}

impl fmt::Display for DhcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Selecting => "SELECTING",
            Self::Requesting => "REQUESTING",
            Self::InitReboot => "INIT-REBOOT",
            Self::Rebooting => "REBOOTING",
            Self::Bound => "BOUND",
            Self::Renewing => "RENEWING",
            Self::Rebinding => "REBINDING",
        })
    }
}

/// What happened in DHCP.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dhcp {
    /// A client is about something else now.
    StateChanged {
        /// What it was about before.
        from: DhcpState,
        /// What it is about now.
        to: DhcpState,
        /// Why, in words.
        why: String,
    },
    /// A client has sent a message.
    Sent {
        /// The frame.
        frame: FrameId,
        /// What it is.
        kind: DhcpKind,
        /// The exchange that it belongs to (`xid`).
        transaction: u32,
        /// To whom: one server, or everybody.
        to: Ipv4Addr,
        /// The address that it is about, if any.
        about: Option<Ipv4Addr>,
        /// How often it has been sent by now, from 1.
        attempt: u32,
    },
    /// A client has taken a message.
    Received {
        /// The frame.
        frame: FrameId,
        /// What it is.
        kind: DhcpKind,
        /// The exchange that it belongs to.
        transaction: u32,
        /// The server that sent it.
        server: Ipv4Addr,
        /// The address that it is about, if any.
        about: Option<Ipv4Addr>,
        /// What the server has to say to it.
        text: Option<String>,
    },
    /// A client has decided about an offer.
    Offer {
        /// Whose.
        server: Ipv4Addr,
        /// The address offered.
        address: Ipv4Addr,
        /// For how long, in seconds.
        seconds: u32,
        /// Whether it takes it up.
        taken: bool,
        /// Why, in words.
        why: String,
    },
    /// A client asks by ARP if an address that it is given is in use (RFC 5227 2.1).
    Probing {
        /// The address.
        address: Ipv4Addr,
    },
    /// It is: the client declines it.
    InUse {
        /// The address.
        address: Ipv4Addr,
        /// By whom.
        by: MacAddress,
    },
    /// A client has an address for a while, or for a while longer.
    Leased {
        /// The address.
        address: Ipv4Addr,
        /// The length of the network prefix, in bits.
        prefix_len: u8,
        /// The default gateway.
        router: Option<Ipv4Addr>,
        /// The name servers, the best first.
        name_servers: Vec<Ipv4Addr>,
        /// The domain for names without a dot.
        domain: Option<String>,
        /// Who granted it.
        server: Ipv4Addr,
        /// For how long, in seconds; the largest number: for ever.
        seconds: u32,
        /// It is renewed with this server after so many seconds (T1).
        renew_after: u32,
        /// It is renewed with any server after so many seconds (T2).
        rebind_after: u32,
        /// Whether it had it already.
        again: bool,
    },
    /// A client has its address no longer.
    Lost {
        /// The address.
        address: Ipv4Addr,
        /// Why, in words.
        why: String,
    },
    /// A client has given its address back (RFC 2131 4.4.6).
    Released {
        /// The address.
        address: Ipv4Addr,
        /// To whom.
        server: Ipv4Addr,
    },
    /// A client has given up: the program wanted an address by now.
    Failed {
        /// What went wrong, in words.
        why: String,
    },
    /// A server has decided about a message.
    Served {
        /// Who asked.
        client: MacAddress,
        /// What.
        asked: DhcpKind,
        /// What it was answered; none: nothing.
        answered: Option<DhcpKind>,
        /// The address that the answer is about, if any.
        about: Option<Ipv4Addr>,
        /// Why, in words.
        why: String,
    },
}
