//! Whether an answer is one, and what it grants.

use super::super::lease::Lease;
use super::super::message::{BadMessage, Kind, Message};
use super::{Client, LONGEST};
use crate::config::Place;
use crate::error::ConfigError;
use crate::route::Prefix;
use glasstack_journal::event::{DhcpState, DropReason, MacAddress};
use std::net::Ipv4Addr;

/// RFC 791: every host takes datagrams of this size; an MTU below is a server's mistake, or worse.
const SMALLEST_MTU: u16 = 576;
/// Name servers kept.
const MOST_NAME_SERVERS: usize = 8;
/// RFC 1035 2.3.4: the longest name, in bytes.
const LONGEST_DOMAIN: usize = 253;

/// A datagram that came to the client's port is no answer to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It is no DHCP message.
    #[error(transparent)]
    Malformed(#[from] BadMessage),
    /// It is longer than the client said that it takes (option 57).
    #[error("{0} bytes: more than the 1472 that this client takes")]
    TooLong(usize),
    /// It is what clients send.
    #[error("a {0} is for servers")]
    ForServers(Kind),
    /// It is for another client on this link.
    #[error("a {kind} for the client {mac}")]
    OtherClient {
        /// What it is.
        kind: Kind,
        /// Whose.
        mac: MacAddress,
    },
    /// Its identifier is another client's (RFC 6842).
    #[error("a {0} for another client identifier")]
    OtherIdentifier(Kind),
    /// It belongs to no exchange under way: late, or forged.
    #[error("a {kind} of transaction {transaction:08x}, which is not under way")]
    OtherTransaction {
        /// What it is.
        kind: Kind,
        /// Its `xid`.
        transaction: u32,
    },
    /// It does not say who sent it (RFC 2131 4.3.1, table 3).
    #[error("a {0} that does not say which server sent it (option 54)")]
    NoServer(Kind),
    /// Somebody else than the server asked has answered.
    #[error("a {kind} of {server}, and {asked} was asked")]
    OtherServer {
        /// What it is.
        kind: Kind,
        /// Who sent it.
        server: Ipv4Addr,
        /// Who was asked.
        asked: Ipv4Addr,
    },
    /// It grants another address than the one asked for.
    #[error("a DHCPACK of {granted}, and {asked} was asked for")]
    OtherAddress {
        /// What it grants.
        granted: Ipv4Addr,
        /// What was asked for.
        asked: Ipv4Addr,
    },
    /// Nothing like it is waited for now.
    #[error("a {kind} in state {state}")]
    Unexpected {
        /// What it is.
        kind: Kind,
        /// What the client is about.
        state: DhcpState,
    },
    /// It does not say for how long (RFC 2131 4.3.1, table 3).
    #[error("a {0} that does not say for how long (option 51)")]
    NoTime(Kind),
    /// What it offers cannot be a host's address.
    #[error("a {kind} of what no host can have: {why}")]
    Unusable {
        /// What it is.
        kind: Kind,
        /// Why not, in words.
        why: String,
    },
}

impl Rejection {
    /// Under what it is counted.
    pub fn reason(&self) -> DropReason {
        match self {
            Self::Malformed(_)
            | Self::TooLong(_)
            | Self::NoServer(_)
            | Self::NoTime(_)
            | Self::Unusable { .. } => DropReason::BadDhcp,
            // On a shared link everybody hears what everybody is told.
            Self::OtherClient { .. } => DropReason::NobodyListens,
            _ => DropReason::UnmatchedDhcp,
        }
    }
}

/// An answer of a server to this client, to what it has asked last.
pub(super) struct Answer {
    pub(super) message: Message,
    pub(super) server: Ipv4Addr,
}

impl Client {
    /// RFC 2131 4.4.1: the transaction must be the one under way. Everything else that a stranger
    /// on the link would get wrong is looked at as well.
    pub(super) fn check(&self, datagram: &[u8]) -> Result<Answer, Rejection> {
        if datagram.len() > LONGEST {
            return Err(Rejection::TooLong(datagram.len()));
        }
        let message = Message::parse(datagram)?;
        let kind = message.kind;
        if !matches!(kind, Kind::Offer | Kind::Ack | Kind::Nak) {
            return Err(Rejection::ForServers(kind));
        }
        if message.client_mac != self.config.mac {
            return Err(Rejection::OtherClient { kind, mac: message.client_mac });
        }
        // RFC 6842 3: a server repeats the identifier; older ones leave it out.
        if message.client_id.as_ref().is_some_and(|id| *id != self.config.client_id) {
            return Err(Rejection::OtherIdentifier(kind));
        }
        let transaction = message.transaction;
        if transaction != self.transaction || matches!(self.state, DhcpState::Init | DhcpState::InitReboot) {
            return Err(Rejection::OtherTransaction { kind, transaction });
        }
        let server = message.server.filter(|server| is_host(*server)).ok_or(Rejection::NoServer(kind))?;
        self.is_expected(&message, server)?;
        Ok(Answer { message, server })
    }

    /// Whether the client waits for it, from this server, about this address.
    fn is_expected(&self, message: &Message, server: Ipv4Addr) -> Result<(), Rejection> {
        let kind = message.kind;
        let unexpected = Err(Rejection::Unexpected { kind, state: self.state });
        let (asked, address) = match (kind, self.state, &self.held, self.wanted) {
            (Kind::Offer, DhcpState::Selecting | DhcpState::Requesting, ..) => return Ok(()),
            (Kind::Offer, ..) => return unexpected,
            (_, DhcpState::Requesting | DhcpState::Rebooting, _, Some(wanted)) if self.granted.is_none() => {
                (wanted.server, wanted.address)
            }
            (_, DhcpState::Renewing, Some(held), _) => (Some(held.lease.server), held.lease.address),
            (_, DhcpState::Rebinding, Some(held), _) => (None, held.lease.address),
            _ => return unexpected,
        };
        if let Some(asked) = asked.filter(|asked| *asked != server) {
            return Err(Rejection::OtherServer { kind, server, asked });
        }
        let granted = message.your_address;
        if kind == Kind::Ack && granted != address {
            return Err(Rejection::OtherAddress { granted, asked: address });
        }
        Ok(())
    }
}

impl Answer {
    /// What it offers or grants, and what had to be left out of it, in words.
    pub(super) fn lease(&self) -> Result<(Lease, Vec<String>), Rejection> {
        let (message, server) = (&self.message, self.server);
        let (kind, address) = (message.kind, message.your_address);
        let seconds = message.lease.filter(|seconds| *seconds > 0).ok_or(Rejection::NoTime(kind))?;
        let prefix_len = message.prefix_len.filter(|len| *len > 0).unwrap_or_else(|| natural_prefix(address));
        if !is_host(address) {
            let why = ConfigError::Address(address.into()).to_string();
            return Err(Rejection::Unusable { kind, why });
        }
        let place = Place::new("", address, prefix_len, &[])
            .map_err(|error| Rejection::Unusable { kind, why: error.to_string() })?;
        let mut left_out = Vec::new();
        let router = self.router(place.prefix, &mut left_out);
        let (renew_after, rebind_after) = times(seconds, message.renew_after, message.rebind_after);
        let domain = message.domain.clone().filter(|domain| !domain.is_empty());
        if domain.as_deref().is_some_and(|domain| !is_domain(domain)) {
            left_out.push("the domain that it names is none: left out".to_owned());
        }
        let mtu = message.mtu.filter(|mtu| {
            let usable = *mtu >= SMALLEST_MTU;
            if !usable {
                left_out.push(format!("an MTU of {mtu} bytes is below {SMALLEST_MTU}: left out"));
            }
            usable
        });
        let name_servers = message.name_servers.iter().copied().filter(|address| is_host(*address));
        let lease = Lease {
            address,
            prefix_len,
            router,
            name_servers: name_servers.take(MOST_NAME_SERVERS).collect(),
            domain: domain.filter(|domain| is_domain(domain)),
            seconds,
            renew_after,
            rebind_after,
            server,
            mtu,
        };
        Ok((lease, left_out))
    }

    /// The first gateway that can be reached without one.
    fn router(&self, link: Prefix, left_out: &mut Vec<String>) -> Option<Ipv4Addr> {
        let own = self.message.your_address;
        let usable = |router: &&Ipv4Addr| is_host(**router) && link.contains(**router) && **router != own;
        let router = self.message.routers.iter().find(usable).copied();
        if let (None, Some(first)) = (router, self.message.routers.first()) {
            left_out.push(format!("the gateway {first} is not on the link {link}: left out"));
        }
        router
    }
}

/// T1 and T2 (RFC 2131 4.4.5): as the server says if that makes sense, or half and seven eighths.
fn times(seconds: u32, renew: Option<u32>, rebind: Option<u32>) -> (u32, u32) {
    let rebind = rebind.filter(|rebind| (1..seconds).contains(rebind));
    let rebind = rebind.unwrap_or(seconds - seconds / 8);
    let renew = renew.filter(|renew| (1..=rebind).contains(renew)).unwrap_or((seconds / 2).min(rebind));
    (renew.max(1), rebind)
}

/// RFC 950: without a mask, the address's class decides.
fn natural_prefix(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    }
}

/// Whether an address can be one host's.
fn is_host(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    (1..=223).contains(&first) && first != 127
}

/// RFC 1035 2.3.1, and underscores; it comes from a stranger and goes into other names.
fn is_domain(domain: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    domain.len() <= LONGEST_DOMAIN && domain.strip_suffix('.').unwrap_or(domain).split('.').all(is_label)
}
