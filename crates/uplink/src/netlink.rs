//! What the kernel knows of an interface, read and set through rtnetlink(7): one request at a
//! time, without a runtime.

use crate::addressing::InterfaceAddress;
use crate::tap::Mode;
use glasstack_journal::event::MacAddress;
use glasstack_stack::Prefix;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_MULTIPART, NLM_F_REPLACE, NLM_F_REQUEST,
    NetlinkHeader, NetlinkMessage, NetlinkPayload, Nla,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

/// A conversation with the kernel about the interfaces of the calling thread's network namespace.
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

/// The kernel would not.
#[derive(Debug, thiserror::Error)]
#[error("netlink: cannot {what}: {source}")]
pub struct NetlinkError {
    /// What was asked, as `set the MTU of glass0 to 9000`.
    pub what: String,
    /// What the kernel said.
    pub source: io::Error,
}

impl NetlinkError {
    /// Whether CAP_NET_ADMIN is missing.
    pub fn is_permission_denied(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// An interface as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// Its number in the kernel.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is administratively up.
    pub up: bool,
    /// The largest IP packet, in bytes.
    pub mtu: usize,
    /// The MAC address of the kernel's side; none on a TUN.
    pub mac: Option<MacAddress>,
    /// Whether it is a TAP or a TUN; none if it is something else.
    pub mode: Option<Mode>,
    /// Whether it is a port of a bridge (or another interface's slave), which has the addresses
    /// then.
    pub is_enslaved: bool,
    /// The IPv4 addresses of the kernel's side.
    pub addresses: Vec<InterfaceAddress>,
}

impl Netlink {
    /// Opens the conversation. No privilege is needed to read.
    pub fn open() -> Result<Self, NetlinkError> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            Ok(socket)
        };
        let socket = open().map_err(|source| failed("open a socket", source))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// The interface called `name`, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<LinkState>, NetlinkError> {
        let what = format!("look at {name}");
        let mut question = LinkMessage::default();
        question.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let answers = match self.exchange(&what, RouteNetlinkMessage::GetLink(question), 0) {
            Err(error) if is_errno(&error.source, Errno::ENODEV) => return Ok(None),
            answers => answers?,
        };
        let link = answers.into_iter().find_map(|answer| match answer {
            RouteNetlinkMessage::NewLink(link) => Some(link),
            _ => None,
        });
        let Some(link) = link else { return Ok(None) };
        let mut state = LinkState::from(link);
        let addresses = self.addresses()?;
        state.addresses =
            addresses.into_iter().filter(|(index, _)| *index == state.index).map(|(_, a)| a).collect();
        Ok(Some(state))
    }

    /// The IPv4 addresses of every interface, each with the interface's number.
    pub fn addresses(&mut self) -> Result<Vec<(u32, InterfaceAddress)>, NetlinkError> {
        let mut question = AddressMessage::default();
        question.header.family = AddressFamily::Inet;
        let answers =
            self.exchange("list addresses", RouteNetlinkMessage::GetAddress(question), NLM_F_DUMP)?;
        Ok(answers.into_iter().filter_map(own_address).collect())
    }

    /// Brings an interface up.
    pub fn set_up(&mut self, link: &LinkState) -> Result<(), NetlinkError> {
        let mut change = LinkMessage::default();
        change.header.index = link.index;
        change.header.flags = LinkFlags::Up;
        change.header.change_mask = LinkFlags::Up;
        self.set(&format!("bring {} up", link.name), RouteNetlinkMessage::SetLink(change), 0)
    }

    /// Sets the largest IP packet, in bytes.
    pub fn set_mtu(&mut self, link: &LinkState, mtu: usize) -> Result<(), NetlinkError> {
        let mut change = LinkMessage::default();
        change.header.index = link.index;
        change.attributes.push(LinkAttribute::Mtu(u32::try_from(mtu).unwrap_or(u32::MAX)));
        let what = format!("set the MTU of {} to {mtu}", link.name);
        self.set(&what, RouteNetlinkMessage::SetLink(change), 0)
    }

    /// Keeps the kernel from giving an interface a link-local IPv6 address, and with it from
    /// sending router solicitations and multicast reports that nobody asked for. To be called
    /// before the interface comes up.
    pub fn set_no_ipv6_autoconf(&mut self, link: &LinkState) -> Result<(), NetlinkError> {
        let none = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        let mut change = LinkMessage::default();
        change.header.index = link.index;
        change.attributes.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![none])]));
        let what = format!("keep {} from configuring IPv6", link.name);
        self.set(&what, RouteNetlinkMessage::SetLink(change), 0)
    }

    /// Gives an interface another address.
    pub fn add_address(&mut self, link: &LinkState, new: InterfaceAddress) -> Result<(), NetlinkError> {
        let mut message = AddressMessage::default();
        message.header.index = link.index;
        message.header.prefix_len = new.prefix_len;
        message.header.family = family(new.address);
        message.header.flags = AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Local(new.address));
        message.attributes.push(AddressAttribute::Address(new.address));
        if let IpAddr::V4(v4) = new.address
            && let Some(broadcast) = Prefix::new(v4, new.prefix_len).and_then(Prefix::broadcast)
        {
            message.attributes.push(AddressAttribute::Broadcast(broadcast));
        }
        let what = format!("give {} the address {new}", link.name);
        self.set(&what, RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Adds a row to the kernel's main routing table, or replaces the one that is there: what
    /// belongs to `to` goes to `via` on `link`, or to the link itself.
    pub fn set_route(
        &mut self,
        link: &LinkState,
        to: Prefix,
        via: Option<Ipv4Addr>,
    ) -> Result<(), NetlinkError> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = to.prefix_len();
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Static;
        message.header.scope = if via.is_some() { RouteScope::Universe } else { RouteScope::Link };
        message.header.kind = RouteType::Unicast;
        message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(to.network())));
        message.attributes.push(RouteAttribute::Oif(link.index));
        message.attributes.extend(via.map(|via| RouteAttribute::Gateway(RouteAddress::Inet(via))));
        let what = match via {
            Some(via) => format!("route {to} via {via} on {}", link.name),
            None => format!("route {to} to {}", link.name),
        };
        self.set(&what, RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_REPLACE)
    }

    fn set(&mut self, what: &str, message: RouteNetlinkMessage, flags: u16) -> Result<(), NetlinkError> {
        self.exchange(what, message, flags | NLM_F_ACK).map(drop)
    }

    /// Sends one request and collects the answers: up to the acknowledgment, the end of the dump,
    /// or the only one.
    fn exchange(
        &mut self,
        what: &str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<Vec<RouteNetlinkMessage>, NetlinkError> {
        let mut header = NetlinkHeader::default();
        self.sequence += 1;
        header.sequence_number = self.sequence;
        header.flags = NLM_F_REQUEST | flags;
        let mut request = NetlinkMessage::new(header, NetlinkPayload::from(message));
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        self.socket.send(&bytes, 0).map_err(|source| failed(what, source))?;

        let mut answers = Vec::new();
        let mut datagram = Vec::with_capacity(DATAGRAM);
        loop {
            datagram.clear();
            self.socket.recv(&mut datagram, 0).map_err(|source| failed(what, source))?;
            let ended = collect(&datagram, self.sequence, flags, &mut answers);
            if ended.map_err(|source| failed(what, source))? {
                return Ok(answers);
            }
        }
    }
}

/// The kernel sends dumps in datagrams of at most 32 KiB.
const DATAGRAM: usize = 64 * 1024;

/// Takes the messages out of one datagram. Tells whether they were the last.
fn collect(
    datagram: &[u8],
    sequence: u32,
    request_flags: u16,
    answers: &mut Vec<RouteNetlinkMessage>,
) -> io::Result<bool> {
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(io::Error::other)?;
        // Each message begins at a multiple of four bytes.
        let length = (message.header.length as usize).next_multiple_of(4);
        rest = rest.get(length.max(4)..).unwrap_or_default();
        if message.header.sequence_number != sequence {
            continue;
        }
        match message.payload {
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) if error.code.is_none() => return Ok(true),
            NetlinkPayload::Error(error) => return Err(error.to_io()),
            NetlinkPayload::Overrun(_) => return Err(io::Error::other("the kernel lost part of its answer")),
            NetlinkPayload::InnerMessage(answer) => {
                answers.push(answer);
                if message.header.flags & NLM_F_MULTIPART == 0 && request_flags & NLM_F_ACK == 0 {
                    return Ok(true);
                }
            }
            _ => {}
        }
    }
    Ok(false)
}

fn failed(what: &str, source: io::Error) -> NetlinkError {
    NetlinkError { what: what.to_owned(), source }
}

fn is_errno(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno as i32)
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// On a point-to-point link `Address` is the peer's and `Local` our own.
fn own_address(answer: RouteNetlinkMessage) -> Option<(u32, InterfaceAddress)> {
    let RouteNetlinkMessage::NewAddress(message) = answer else { return None };
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    let other = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    });
    let address = local.or(other)?;
    Some((message.header.index, InterfaceAddress { address, prefix_len: message.header.prefix_len }))
}

impl From<LinkMessage> for LinkState {
    fn from(link: LinkMessage) -> Self {
        let mut state = Self {
            index: link.header.index,
            name: String::new(),
            up: link.header.flags.contains(LinkFlags::Up),
            mtu: 0,
            mac: None,
            mode: None,
            is_enslaved: false,
            addresses: Vec::new(),
        };
        for attribute in link.attributes {
            match attribute {
                LinkAttribute::IfName(name) => state.name = name,
                LinkAttribute::Mtu(mtu) => state.mtu = mtu as usize,
                LinkAttribute::Controller(_) => state.is_enslaved = true,
                LinkAttribute::Address(bytes) => state.mac = bytes.try_into().ok().map(MacAddress),
                LinkAttribute::LinkInfo(info) => state.mode = tun_mode(&info),
                _ => {}
            }
        }
        state
    }
}

/// IFLA_TUN_TYPE of linux/if_link.h: one byte, IFF_TUN or IFF_TAP.
fn tun_mode(info: &[LinkInfo]) -> Option<Mode> {
    const IFLA_TUN_TYPE: u16 = 3;
    if !info.contains(&LinkInfo::Kind(InfoKind::Tun)) {
        return None;
    }
    let attributes = info.iter().find_map(|part| match part {
        LinkInfo::Data(InfoData::Tun(attributes)) => Some(attributes),
        _ => None,
    })?;
    let kind = attributes.iter().find(|attribute| attribute.kind() == IFLA_TUN_TYPE)?;
    let mut value = vec![0; kind.value_len()];
    kind.emit_value(&mut value);
    match value.first() {
        Some(1) => Some(Mode::Tun),
        Some(2) => Some(Mode::Tap),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anybody_may_look_at_an_interface() {
        let mut netlink = Netlink::open().unwrap();
        let lo = netlink.link("lo").unwrap().expect("every namespace has a loopback interface");
        assert_eq!((lo.name.as_str(), lo.index, lo.mode), ("lo", 1, None));
        assert!(lo.mtu >= 1500);
    }

    #[test]
    fn an_interface_that_does_not_exist_is_no_error() {
        assert_eq!(Netlink::open().unwrap().link("no-such-link").unwrap(), None);
    }

    #[test]
    fn a_datagram_of_garbage_is_an_error_and_no_panic() {
        let mut answers = Vec::new();
        for datagram in [&[0u8; 3][..], &[0xff; 16], &[4, 0, 0, 0], &[0; 64]] {
            assert!(collect(datagram, 1, 0, &mut answers).is_err(), "{datagram:?}");
        }
        assert!(answers.is_empty());
    }
}
